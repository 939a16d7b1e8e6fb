// Starts an application on a free port of 127.0.0.1.
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { DynamicModule, INestApplication, LoggerService, NestApplicationOptions, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { adapterFor } from './door.js';
import type { Door } from './door.js';

export type Http = 'express' | 'fastify';

export interface Started {
  app: INestApplication;
  url: string;
  /** What was logged as an error. */
  errors: unknown[];
}

export async function start(
  module: Type<unknown> | DynamicModule,
  door: Door,
  http: Http = 'express',
  options: NestApplicationOptions = {},
  prepare: (app: INestApplication) => void = () => {},
): Promise<Started> {
  const errors: unknown[] = [];
  const silent = (): void => {};
  const logger: LoggerService = { log: silent, warn: silent, error: (...args) => errors.push(args) };
  const httpAdapter = http === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create<INestApplication>(module, httpAdapter as ExpressAdapter, { logger, ...options });
  app.useWebSocketAdapter(adapterFor(door, app));
  prepare(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, url: `http://127.0.0.1:${port}`, errors };
}
