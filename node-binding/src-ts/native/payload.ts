// Arguments on their way to the core: JSON text, with binary parts taken out as attachments, by the rules of
// socket.io-parser 4.2 (what counts as binary, how toJSON is honoured, what a placeholder looks like).
import { coded } from './error';

function isBinary(value: object): boolean {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value) || value instanceof Blob;
}

/** Whether any part of `value` has to travel as an attachment. */
export function hasBinary(value: unknown, fromToJson = false): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object' && hasBinary(item)) return true;
    }
    return false;
  }
  if (isBinary(value)) return true;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function' && !fromToJson) {
    return hasBinary((toJSON as () => unknown).call(value), true);
  }
  for (const key in value) {
    if (Object.prototype.hasOwnProperty.call(value, key)) {
      const part = (value as Record<string, unknown>)[key];
      if (typeof part === 'object' && hasBinary(part)) return true;
    }
  }
  return false;
}

function asBuffer(value: object): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError('a Blob can not be sent by a server: pass its arrayBuffer()');
}

function takeApart(value: unknown, buffers: Buffer[], fromToJson = false): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (isBinary(value)) {
    buffers.push(asBuffer(value));
    return { _placeholder: true, num: buffers.length - 1 };
  }
  if (Array.isArray(value)) return value.map((item) => takeApart(item, buffers));
  if (value instanceof Date) return value;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function' && !fromToJson) {
    return takeApart((toJSON as () => unknown).call(value), buffers, true);
  }
  const copy: Record<string, unknown> = {};
  for (const key in value) {
    if (Object.prototype.hasOwnProperty.call(value, key)) {
      copy[key] = takeApart((value as Record<string, unknown>)[key], buffers);
    }
  }
  return copy;
}

/** What goes to the core: JSON text, and the attachments that its placeholders stand for, if any. */
export interface Encoded {
  text: string;
  buffers?: Buffer[];
}

/** Arguments for the core. What JSON.stringify refuses throws as it does there, with a code. */
export function encode(data: unknown[]): Encoded {
  try {
    if (!hasBinary(data)) return { text: JSON.stringify(data) };
    const buffers: Buffer[] = [];
    return { text: JSON.stringify(takeApart(data, buffers)), buffers };
  } catch (err) {
    throw refusal(data, err);
  }
}

function refusal(data: unknown[], err: unknown): unknown {
  let told = err;
  if (err instanceof RangeError) {
    // A circular value overflows the stack of `hasBinary`; JSON.stringify names the circle.
    try {
      JSON.stringify(data);
    } catch (better) {
      told = better;
    }
  }
  // An error of the application's own `toJSON` is thrown as it is.
  const ours = (told instanceof TypeError || told instanceof RangeError) && !('code' in told);
  return ours ? coded('ERR_KRAKEN_WS_PAYLOAD', told as Error) : told;
}

/** Values with their attachments, from `at` on: for each the number of attachments and the JSON. */
export function responsesOf(payload: any[], at: number, take: (count: number) => Buffer[]): unknown[] {
  const responses = [];
  for (let i = at; i < payload.length; i += 2) {
    const buffers = take(payload[i]);
    responses.push(buffers.length > 0 ? rejoin(payload[i + 1], buffers) : payload[i + 1]);
  }
  return responses;
}

/** Puts attachments back where their placeholders are; changes `value` in place and returns it. */
export function rejoin(value: any, buffers: Buffer[]): any {
  const whole = { value };
  // Not by recursion: how deep its data is nested is the client's choice.
  const open: any[] = [whole];
  for (let holder = open.pop(); holder; holder = open.pop()) {
    for (const key of Object.keys(holder)) {
      const part = holder[key];
      if (part === null || typeof part !== 'object') continue;
      if (part._placeholder === true) holder[key] = attachment(part.num, buffers);
      else open.push(part);
    }
  }
  return whole.value;
}

function attachment(num: unknown, buffers: Buffer[]): Buffer {
  const found = typeof num === 'number' ? buffers[num] : undefined;
  if (!found) throw new Error('illegal attachments');
  return found;
}
