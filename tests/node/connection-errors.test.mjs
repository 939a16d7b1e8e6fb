// `connection_error`: code, message and context of each refusal, as engine.io tells them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve, serveAttached } from '../support/harness.mjs';
import { enginePath, openPolling, request } from '../support/http.mjs';
import { event } from '../support/wait.mjs';

async function refused(io, url, query, options) {
  const told = event(io.engine, 'connection_error');
  const answer = await request(url + enginePath(query), options);
  const [{ code, message, context, req }] = await told;
  assert.ok(req.url.endsWith(query));
  return { status: answer.status, body: answer.json(), code, message, context };
}

for (const [name, start] of [['a port', serve], ['a Node HTTP server', serveAttached]]) {
  test(`requests that are no handshake, on ${name}`, async (t) => {
    const { io, url } = await start(t, { allowEIO3: false });
    const check = async (query, options, code, message, context) => {
      const found = await refused(io, url, query, options);
      assert.deepEqual(found, { status: 400, body: { code, message }, code, message, context });
    };
    await check('EIO=4&transport=pigeon', {}, 0, 'Transport unknown', { transport: 'pigeon' });
    await check('EIO=4&transport=polling&sid=none', {}, 1, 'Session ID unknown', { sid: 'none' });
    await check('EIO=4&transport=polling', { method: 'POST' }, 2, 'Bad handshake method', { method: 'POST' });
    await check('EIO=4&transport=websocket', {}, 3, 'Bad request', { name: 'TRANSPORT_HANDSHAKE_ERROR' });
    await check('EIO=3&transport=polling', {}, 5, 'Unsupported protocol version', { protocol: 3 });
  });

  test(`requests that do not fit their session, on ${name}`, async (t) => {
    const { io, url } = await start(t, { allowEIO3: true });
    const { sid } = await openPolling(url);
    const check = async (query, context) => {
      const message = 'Bad request';
      const found = await refused(io, url, `${query}&sid=${sid}`, {});
      assert.deepEqual(found, { status: 400, body: { code: 3, message }, code: 3, message, context });
    };
    await check('EIO=4&transport=websocket', {
      name: 'TRANSPORT_MISMATCH', transport: 'websocket', previousTransport: 'polling',
    });
    await check('EIO=3&transport=polling', { name: 'PROTOCOL_MISMATCH', protocol: 3, previousProtocol: 4 });
  });

  test(`allowRequest that says no without a word, on ${name}`, async (t) => {
    const { io, url } = await start(t, { allowRequest: (_req, callback) => callback('', false) });
    const found = await refused(io, url, 'EIO=4&transport=polling', {});
    assert.equal(found.status, 403);
    assert.deepEqual(found.body, { code: 4, message: 'Forbidden' });
  });

  test(`a session id that can't be made, on ${name}`, async (t) => {
    const { io, url } = await start(t);
    const error = new Error('no ids');
    for (const make of [() => Promise.reject(error), () => { throw error; }]) {
      io.engine.generateId = make;
      const found = await refused(io, url, 'EIO=4&transport=polling', {});
      assert.deepEqual(found, {
        status: 400, body: { code: 3, message: 'Bad request' }, code: 3, message: 'Bad request',
        context: { name: 'ID_GENERATION_ERROR', error },
      });
    }
    assert.equal(io.engine.clientsCount, 0);
  });

  test(`headers with bytes beyond ASCII are read as Latin-1, on ${name}`, async (t) => {
    const seen = [];
    const { url } = await start(t, {
      allowRequest: (req, callback) => {
        seen.push(req.headers['x-name']);
        callback(null, true);
      },
    });
    const answer = await request(url + enginePath(), { headers: { 'x-name': 'Zoë' } });
    assert.equal(answer.status, 200);
    assert.deepEqual(seen, ['Zoë']);
  });

  test(`what 'headers' sets wins over the engine's own, on ${name}`, async (t) => {
    const { io, url } = await start(t);
    io.engine.on('headers', (headers) => { headers['cache-control'] = 'private'; });
    const session = await openPolling(url);
    assert.equal(session.answer.headers['cache-control'], 'private');
  });
}
