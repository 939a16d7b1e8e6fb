// Questions to the other nodes that wait for their answers. The core collects those, and says which nodes it waited for
// in vain.
import { coded } from '../native/error';
import type { ClusterOptions } from '../options/cluster-options';

/** What came, and who did not answer. */
export interface Answers<T> {
  answers: T;
  /** How many nodes did not answer in time. */
  missing: number;
  /** Names of those, where they are known. */
  missingNodes: string[];
}

/** What nodes answered, and how many did not. */
export type Fetched<T> = T & {
  /** In a fleet: how many nodes did not answer in time; what they have is not here. */
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

  /** `put` asks the core and gives the number of the question; `read` takes the answers out of the payload. */
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

  /** The answer to a question: what came, or why nothing did. */
  settle(number: number, payload: any, take: Take): void {
    const question = this.open.get(number);
    this.open.delete(number);
    if (typeof payload === 'string') question?.fail(coded('ERR_KRAKEN_WS_REDIS', new Error(payload)));
    else question?.read(payload, take);
  }

  /** The server is closed: nothing comes any more. */
  close(): void {
    for (const { fail } of this.open.values()) fail(coded('ERR_KRAKEN_WS_CLOSED', new Error('the server is closed')));
    this.open.clear();
  }
}

/** Says on a list who did not answer; unseen by those who compare lists. */
export function fetched<T extends object>(items: T, { missing, missingNodes }: Answers<unknown>): Fetched<T> {
  return Object.defineProperties(items, { missing: { value: missing }, missingNodes: { value: missingNodes } });
}
