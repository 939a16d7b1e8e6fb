// Who a client is: tokens, and the two middlewares that run before a client is connected.
import { Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import type { Server, Socket } from 'socket.io';
import { Data } from './data.js';
import type { User } from './data.js';

const SECRET = 'made up for tests';

/** What the authentication middleware leaves for guards and handlers. */
export type AuthenticatedSocket = Socket & { handshake: Socket['handshake'] & { user: User } };

type Next = (error?: Error) => void;

@Injectable()
export class Auth {
  constructor(private readonly data: Data) {}

  tokenFor(userId: string, expiresIn = 60): string {
    return jwt.sign({ sub: userId }, SECRET, { expiresIn });
  }

  async userOf(socket: Socket): Promise<User> {
    const { auth, headers } = socket.handshake;
    const given: unknown = auth.token ?? headers.authorization;
    const token = String(given ?? '').replace(/^Bearer /, '');
    const payload = jwt.verify(token, SECRET) as { sub: string };
    // The application looks its user up in a database.
    await new Promise((resolve) => setImmediate(resolve));
    const user = this.data.users.get(payload.sub);
    if (!user) throw new Error('no such user');
    return user;
  }
}

/** At most this many connections from an address in a minute. */
const PER_MINUTE = 10;

@Injectable()
export class ConnectionLimit {
  private readonly counts = new Map<string, { until: number; count: number }>();

  middleware = (socket: Socket, next: Next): void => {
    const now = Date.now();
    const { address } = socket.handshake;
    let entry = this.counts.get(address);
    if (!entry || entry.until <= now) this.counts.set(address, (entry = { until: now + 60_000, count: 0 }));
    entry.count += 1;
    next(entry.count > PER_MINUTE ? new Error('RATE_LIMITED') : undefined);
  };

  /** For tests: all of them come from one address. */
  forget(): void {
    this.counts.clear();
  }
}

@Injectable()
export class ConnectionMiddlewares {
  constructor(private readonly limit: ConnectionLimit, private readonly auth: Auth) {}

  /** Several gateways share a server; it gets these once. */
  install(server: Server): void {
    server.use(this.limit.middleware);
    server.use((socket, next) => {
      this.auth.userOf(socket).then(
        (user) => {
          (socket as AuthenticatedSocket).handshake.user = user;
          next();
        },
        () => next(new Error('AUTH_FAILED')),
      );
    });
  }
}
