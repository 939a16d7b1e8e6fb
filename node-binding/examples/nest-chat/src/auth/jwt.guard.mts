// For the REST API; the gateways' clients are checked once, when they connect.

import { Injectable, UnauthorizedException } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { AuthService } from './auth.service.mjs';
import type { User } from './auth.service.mjs';

export type RequestOfUser = Request & { user: User };

@Injectable()
export class JwtGuard implements CanActivate {
  constructor(private readonly auth: AuthService) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<RequestOfUser>();
    try {
      request.user = this.auth.userOf(request.headers.authorization);
      return true;
    } catch {
      throw new UnauthorizedException();
    }
  }
}
