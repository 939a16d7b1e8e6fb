// Requests to the other nodes. The core collects the answers and reports the nodes that did not answer in time.
import { coded } from '../native/error';
import type { ClusterOptions } from '../options/cluster-options';

/** The answers to a request, and the nodes that did not answer. */
export interface Answers<T> {
  answers: T;
  /** How many nodes did not answer in time. */
  missing: number;
  /** Names of those, where they are known. */
  missingNodes: string[];
}

/** A result of all nodes, with the number of those that did not answer. */
export type Fetched<T> = T & {
  /** In a fleet: how many nodes did not answer in time; the result is without what they have. */
  readonly missing?: number;
  /** Names of those nodes, where they are known. */
  readonly missingNodes?: string[];
};

/** Gives the next attachments of an answer. */
type Take = (count: number) => Buffer[];

interface Question {
  read: (payload: any, take: Take) => void;
  fail: (err: Error) => void;
}

const REQUESTS_TIMEOUT_MS = 5000;

/** The other nodes of a server's fleet. */
export class Fleet {
  private readonly open = new Map<number, Question>();
  private readonly timeoutMs: number;

  constructor({ requestsTimeout }: ClusterOptions) {
    this.timeoutMs = requestsTimeout ?? REQUESTS_TIMEOUT_MS;
  }

  /** `put` sends the request and returns its number; `read` reads the answers from the payload. */
  ask<C, T>(
    commands: C,
    put: (commands: C, timeoutMs: number) => number,
    read: (payload: any, take: Take) => T,
  ): Promise<Answers<T>> {
    return new Promise((resolve, reject) => {
      this.open.set(put(commands, this.timeoutMs), {
        read: (payload, take) => {
          const [missing, missingNodes] = payload as [number, string[]];
          resolve({ answers: read(payload, take), missing, missingNodes });
        },
        fail: reject,
      });
    });
  }

  /** The core ends a request, with the answers or with the text of an error. */
  settle(number: number, payload: any, take: Take): void {
    const question = this.open.get(number);
    this.open.delete(number);
    if (typeof payload === 'string') question?.fail(coded('ERR_KRAKEN_WS_REDIS', new Error(payload)));
    else question?.read(payload, take);
  }

  /** The server is closed: all requests fail. */
  close(): void {
    for (const { fail } of this.open.values()) fail(coded('ERR_KRAKEN_WS_CLOSED', new Error('the server is closed')));
    this.open.clear();
  }
}

/** Puts on a result which nodes did not answer. The properties are not enumerable, so that comparisons ignore them. */
export function fetched<T extends object>(items: T, { missing, missingNodes }: Answers<unknown>): Fetched<T> {
  return Object.defineProperties(items, { missing: { value: missing }, missingNodes: { value: missingNodes } });
}
