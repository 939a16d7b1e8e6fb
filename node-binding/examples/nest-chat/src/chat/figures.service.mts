// The live figures in the corner of the page.

import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import type { Server } from 'kraken-ws-native';
import { WebsocketService } from 'kraken-ws-native/nest';
import { startFigures } from '../../../chat/server/figures.mjs';

/** The demo's own event; the specification has no such one. */
const FIGURES = 'serverFigures';

@Injectable()
export class FiguresService implements OnModuleDestroy {
  private stop = (): void => {};

  constructor(private readonly websocketService: WebsocketService) {}

  watch(server: Server): void {
    this.stop = startFigures('kraken-ws-native', () => server.stats(), (figures: object) =>
      this.websocketService.sendToAll(FIGURES, figures),
    );
  }

  onModuleDestroy(): void {
    this.stop();
  }
}
