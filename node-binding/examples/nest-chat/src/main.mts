// A small Kraken as a NestJS application: page, REST and gateways on one port.
//
//   PORT  port to listen on, 3000 unless given; a free one when it is taken
//   HOST  address to listen on, 127.0.0.1 unless given

import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { KrakenIoAdapter } from 'kraken-ws-native/nest';
import { AppModule } from './app.module.mjs';
import { servePage } from './page.mjs';

const host = process.env.HOST ?? '127.0.0.1';
const port = Number(process.env.PORT ?? 3000);

const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ['error', 'warn'] });
// The one line that puts the gateways on the native core.
app.useWebSocketAdapter(new KrakenIoAdapter(app));
servePage(app);

try {
  await app.listen(port, host);
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
  await app.listen(0, host);
}
const { address, family, port: actual } = app.getHttpServer().address() as AddressInfo;
console.log(`Kraken demo: http://${family === 'IPv6' ? `[${address}]` : address}:${actual}/`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void app.close());
