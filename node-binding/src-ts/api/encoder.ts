// `io.encoder`: packets as socket.io's parser writes them, for programs that write to connections themselves. The core
// encodes the packets of the server itself.
import { coded } from '../native/error';
import { encode, hasBinary } from '../native/payload';
import type { ServerOptions } from '../options/server-options';

/** A Socket.IO packet, as `socket.io-parser` knows it. */
export interface Packet {
  type: number;
  nsp: string;
  data?: any;
  id?: number;
}

/** Writes packets. */
export interface Encoder {
  /** The messages of the packet: its text, then its attachments; with the msgpack parser one message. */
  encode(packet: Packet): any[];
}

const EVENT = 2;
const ACK = 3;
/** How far the type of a packet with attachments is from that of one without. */
const BINARY = 3;

class DefaultEncoder implements Encoder {
  encode({ type, nsp, data, id }: Packet): (string | Buffer)[] {
    const binary = (type === EVENT || type === ACK) && hasBinary(data);
    const { text, buffers = [] } = binary ? encode(data) : { text: data == null ? '' : JSON.stringify(data) };
    const head = binary ? `${type + BINARY}${buffers.length}-` : String(type);
    return [`${head}${nsp && nsp !== '/' ? `${nsp},` : ''}${id ?? ''}${text}`, ...buffers];
  }
}

/** The encoder of the option `parser`: that of its module, or the default. */
export function encoderOf(parser: ServerOptions['parser'] | undefined): Encoder {
  if (typeof parser === 'object') return new (parser as { Encoder: new () => Encoder }).Encoder();
  if (parser !== 'msgpack') return new DefaultEncoder();
  const message = "io.encoder: give the option parser as the module, require('socket.io-msgpack-parser'), to have its encoder";
  throw coded('ERR_KRAKEN_WS_UNSUPPORTED', new Error(message));
}
