// Serves the page that the plain example has, and the socket.io-client bundle.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';

const examples = fileURLToPath(new URL('../../../../', import.meta.url));
// The client that the tests use, or one installed beside this package.
const client = createRequire(join(examples, '../../tests/package.json'));

const headers = {
  'Cache-Control': 'no-cache',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export function servePage(app: NestExpressApplication): void {
  const bundle = join(dirname(client.resolve('socket.io-client/package.json')), 'dist/socket.io.esm.min.js');
  app.disable('x-powered-by');
  app.use((_request: Request, response: Response, next: NextFunction) => {
    response.set(headers);
    next();
  });
  app.use('/vendor/socket.io.js', (_request: Request, response: Response) => response.sendFile(bundle));
  app.useStaticAssets(join(examples, 'chat/public'), { redirect: false });
}
