// At most fifty events of a client in ten seconds.

import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { createBudget } from '../../../chat/server/input.mjs';
import type { ChatSocket } from '../auth/auth.service.mjs';

@Injectable()
export class ThrottleGuard implements CanActivate {
  private readonly budgets = new WeakMap<ChatSocket, () => void>();

  canActivate(context: ExecutionContext): boolean {
    const client = context.switchToWs().getClient<ChatSocket>();
    let spend = this.budgets.get(client);
    if (!spend) this.budgets.set(client, (spend = createBudget()));
    spend();
    return true;
  }
}
