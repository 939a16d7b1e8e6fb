// Who somebody is. There are no accounts: who logs in under a name is the user of that name.

import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import type { Socket } from 'kraken-ws-native';
import { readUser } from '../../../chat/server/input.mjs';

export interface User {
  id: string;
  name: string;
}

/** A client of the gateways, after `authenticate` let it in. */
export type ChatSocket = Socket & { data: { user: User; typing: Set<string> } };

@Injectable()
export class AuthService {
  /** Users to choose from in the login dialog. */
  readonly madeUp = ['Ada', 'Grace', 'Linus', 'Margaret'];

  constructor(private readonly jwt: JwtService) {}

  /** Throws BadInput for what can't be a name. */
  logIn(body: unknown): { token: string; user: User } {
    const user = readUser(body);
    return { token: this.jwt.sign({ sub: user.id, name: user.name }), user };
  }

  /** The user behind a token, with or without `Bearer `. Throws when it is not one of ours. */
  userOf(token: unknown): User {
    const { sub, name } = this.jwt.verify<{ sub: string; name: string }>(String(token ?? '').replace(/^Bearer /, ''));
    return { id: sub, name };
  }

  /** Lets a client connect: the gateway's server runs this before `handleConnection`. */
  authenticate = (socket: Socket, next: (error?: Error) => void): void => {
    try {
      socket.data.user = this.userOf(socket.handshake.auth.token ?? socket.handshake.headers.authorization);
      socket.data.typing = new Set();
      next();
    } catch {
      next(new Error('AUTH_FAILED'));
    }
  };
}
