// The application's adapter: IoAdapter's subclass today, KrakenIoAdapter's after the move. The only lines that
// change are the two with a class name.
import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { KrakenIoAdapter } from 'kraken-ws-native/nest';
import { Adapter } from 'socket.io-adapter';
import type { Door } from '../apps/door.js';

/**
 * The application's comes from @socket.io/redis-adapter and takes two clients of Redis. There is none here, so
 * that rooms are in memory.
 */
const createAdapter = (_pubClient: unknown, _subClient: unknown): typeof Adapter => Adapter;

class RedisIoAdapter extends IoAdapter {
  override createIOServer(port: number, options?: any): any {
    const server = super.createIOServer(port, options);
    server.adapter(createAdapter('pub', 'sub'));
    return server;
  }
}

class RedisKrakenIoAdapter extends KrakenIoAdapter {
  override createIOServer(port: number, options?: any): any {
    const server = super.createIOServer(port, options);
    server.adapter?.(createAdapter('pub', 'sub'));
    return server;
  }
}

export function krakenAdapter(door: Door, app: INestApplication): IoAdapter | KrakenIoAdapter {
  return door === 'socket.io' ? new RedisIoAdapter(app) : new RedisKrakenIoAdapter(app, { door });
}
