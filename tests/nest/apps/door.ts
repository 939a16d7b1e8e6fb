// The three ways to serve the same gateways.
import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { KrakenIoAdapter } from 'kraken-ws-native/nest';

export type Door = 'socket.io' | 'bridge' | 'server';

export function adapterFor(door: Door, app: INestApplication): IoAdapter | KrakenIoAdapter {
  return door === 'socket.io' ? new IoAdapter(app) : new KrakenIoAdapter(app, { door });
}
