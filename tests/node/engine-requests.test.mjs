// What hooks and middlewares of io.engine find on a request, and what they leave on it.
import assert from 'node:assert/strict';
import { createServer as createTlsServer } from 'node:https';
import { describe, test } from 'node:test';
import session from 'express-session';
import { WebSocket } from 'ws';
import { makeCertificate } from '../support/certificate.mjs';
import { open, pair } from '../support/clients.mjs';
import { serve, serveAttached } from '../support/harness.mjs';
import { enginePath, openPolling, request } from '../support/http.mjs';
import { subject } from '../support/subject.mjs';
import { event, until } from '../support/wait.mjs';

// For the certificate of the HTTPS server.
const trust = { rejectUnauthorized: false };
const onSocketIo = subject === 'socket.io';

const KINDS = [
  ['a port', (t, options) => serve(t, options)],
  ['a Node HTTP server', (t, options) => serveAttached(t, options)],
  ['a Node HTTPS server', (t, options) => serveAttached(t, options, createTlsServer(makeCertificate()), 'https')],
];

for (const [name, start] of KINDS) {
  describe(`requests on ${name}`, () => {
    for (const transport of ['polling', 'websocket']) {
      test(`every hook finds the query, over ${transport}`, async (t) => {
        const seen = {};
        const allowRequest = (req, callback) => {
          seen.allowRequest ??= req;
          callback(null, true);
        };
        const { io, url } = await start(t, { allowRequest });
        io.engine.use((req, _res, next) => {
          seen.middleware ??= req;
          next();
        });
        io.engine.on('initial_headers', (_headers, req) => (seen.initial_headers ??= req));
        io.engine.on('headers', (_headers, req) => (seen.headers ??= req));
        io.engine.on('connection', (raw) => (seen.connection ??= raw.request));
        const { socket } = await pair(io, url, { transport, query: { token: 'a b' }, ...trust });
        seen.socket = socket.request;
        for (const [hook, req] of Object.entries(seen)) {
          assert.equal(req._query.token, 'a b', hook);
          assert.equal(req._query.sid, undefined, hook);
          assert.equal(req._query.EIO, '4', hook);
          assert.equal(req, seen.middleware, `${hook} has the same request`);
        }
        assert.equal(socket.handshake.query, socket.request._query);
        assert.equal(socket.handshake.headers, socket.request.headers);
      });

      test(`a middleware for handshakes only runs once per client, over ${transport}`, async (t) => {
        const { io, url } = await start(t);
        const sessions = session({ secret: 'made up', resave: false, saveUninitialized: true });
        let handshakes = 0;
        io.engine.use((req, res, next) => {
          if (req._query.sid !== undefined) return next();
          handshakes += 1;
          sessions(req, res, next);
        });
        const { client, socket } = await pair(io, url, { transport, ...trust });
        assert.ok(socket.request.session.id);
        client.emit('x');
        await event(socket, 'x');
        assert.equal(handshakes, 1);
      });
    }

    test('what a middleware changes on a request is in the handshake', async (t) => {
      const { io, url } = await start(t);
      io.engine.use((req, _res, next) => {
        req.headers['x-user'] = 'ada';
        if (req._query.sid === undefined) req._query.role = 'admin';
        next();
      });
      const { socket } = await pair(io, url, trust);
      assert.equal(socket.handshake.headers['x-user'], 'ada');
      assert.equal(socket.handshake.query.role, 'admin');
      assert.equal(socket.request.headers['x-user'], 'ada');
    });

    test('middlewares and allowRequest reach the response of a polling request, sockets do not keep it', async (t) => {
      const found = [];
      const allowRequest = (req, callback) => {
        found.push(req.res);
        callback(null, true);
      };
      const { io, url } = await start(t, { allowRequest });
      io.engine.use((req, res, next) => {
        found.push(res);
        assert.equal(req.res, res);
        next();
      });
      const { socket } = await pair(io, url, { transport: 'polling', ...trust });
      assert.equal(found[0], found[1]);
      await until(() => !socket.request.res, 'the response is let go');
    });

    test('connection_error tells the request and what a middleware threw', async (t) => {
      const { io, url } = await start(t);
      const error = new TypeError('reading a query that is not there');
      for (const fail of [() => { throw error; }, async () => { throw error; }, (next) => next(error)]) {
        let req;
        const chain = (incoming, _res, next) => {
          if (req) return next();
          req = incoming;
          return fail(next);
        };
        io.engine.use(chain);
        const told = event(io.engine, 'connection_error');
        const answer = await request(url + enginePath('EIO=4&transport=polling&x=1'), trust);
        assert.deepEqual([answer.status, answer.json()], [400, { code: 3, message: 'Bad request' }]);
        const [details] = await told;
        assert.equal(details.req, req);
        assert.equal(details.req._query.x, '1');
        assert.equal(details.context.name, 'MIDDLEWARE_FAILURE');
        if (!onSocketIo) assert.equal(details.context.error, error);
      }
    });

    test('a middleware that throws is not silent', { skip: onSocketIo && 'socket.io says nothing' }, async (t) => {
      const { io, url } = await start(t);
      io.engine.use((req) => {
        assert.equal(req.nothing.here, 1);
      });
      const warned = event(process, 'warning');
      for (let n = 0; n < 3; n += 1) assert.equal((await request(url + enginePath(), trust)).status, 400);
      const [warning] = await warned;
      assert.equal(warning.code, 'KRAKEN_WS_MIDDLEWARE');
      assert.match(warning.detail, /engine-requests\.test/);
      let more = 0;
      const count = () => (more += 1);
      process.on('warning', count);
      t.after(() => process.off('warning', count));
      const client = open(url, trust);
      await event(client, 'connect_error');
      assert.equal(more, 0, 'once for each middleware');
    });
  });
}

test('a cookie of initial_headers stands behind the cookie with the session id', async (t) => {
  const { io, url } = await serve(t, { cookie: true });
  io.engine.on('initial_headers', (headers) => {
    headers['set-cookie'] = 'mine=1';
  });
  const { sid, answer } = await openPolling(url);
  const names = answer.headers['set-cookie'].map((cookie) => cookie.split(';')[0]);
  assert.deepEqual(names, [`io=${sid}`, 'mine=1']);
});

test('a WebSocket gets no cookie with its session id', async (t) => {
  const { url } = await serve(t, { cookie: true });
  const ws = new WebSocket(`${url.replace('http', 'ws')}${enginePath('EIO=4&transport=websocket')}`);
  t.after(() => ws.terminate());
  const [response] = await event(ws, 'upgrade');
  assert.equal(response.headers['set-cookie'], undefined);
});
