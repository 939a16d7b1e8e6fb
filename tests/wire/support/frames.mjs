// WebSocket frames, bit by bit (RFC 6455 §5.2). Nothing here refuses to build a wrong frame.
import { randomBytes } from 'node:crypto';

export const OP = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };

/** The three reserved bits as they stand in the first byte; RSV1 is permessage-deflate's. */
export const RSV1 = 0x40;
export const RSV2 = 0x20;
export const RSV3 = 0x10;

/**
 * One frame as a client would send it.
 * `declaredLength` lies about the payload's length; `masked: false` leaves the mask out.
 */
export function frame(opcode, payload = '', { fin = true, rsv = 0, masked = true, mask = randomBytes(4), declaredLength } = {}) {
  const body = Buffer.from(payload);
  const length = BigInt(declaredLength ?? body.length);
  const maskBit = masked ? 0x80 : 0;
  let head;
  if (length < 126n) {
    head = Buffer.from([0, maskBit | Number(length)]);
  } else if (length < 65536n) {
    head = Buffer.from([0, maskBit | 126, 0, 0]);
    head.writeUInt16BE(Number(length), 2);
  } else {
    head = Buffer.alloc(10);
    head[1] = maskBit | 127;
    head.writeBigUInt64BE(length, 2);
  }
  head[0] = (fin ? 0x80 : 0) | rsv | opcode;
  if (!masked) return Buffer.concat([head, body]);
  for (let i = 0; i < body.length; i++) body[i] ^= mask[i & 3];
  return Buffer.concat([head, mask, body]);
}

export const text = (payload, options) => frame(OP.TEXT, payload, options);
export const binary = (payload, options) => frame(OP.BINARY, payload, options);

/** The payload of a close frame. */
export function closePayload(code, reason = '') {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

/** Cuts a byte stream into frames; keeps what is not complete yet. */
export class FrameReader {
  #rest = Buffer.alloc(0);

  push(chunk) {
    let buf = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : chunk;
    const frames = [];
    for (;;) {
      const one = readFrame(buf);
      if (!one) break;
      frames.push(one);
      buf = buf.subarray(one.size);
    }
    this.#rest = buf;
    return frames;
  }
}

function readFrame(buf) {
  if (buf.length < 2) return null;
  const masked = (buf[1] & 0x80) !== 0;
  let length = buf[1] & 0x7f;
  let at = 2;
  if (length === 126) {
    if (buf.length < 4) return null;
    length = buf.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (buf.length < 10) return null;
    length = Number(buf.readBigUInt64BE(2));
    at = 10;
  }
  if (masked) at += 4;
  if (buf.length < at + length) return null;
  return {
    fin: (buf[0] & 0x80) !== 0,
    rsv: buf[0] & 0x70,
    opcode: buf[0] & 0x0f,
    masked,
    payload: buf.subarray(at, at + length),
    size: at + length,
  };
}
