// Options that come with `listen` or `attach`, not with the constructor, hold as well.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { closeClients, connect } from '../support/clients.mjs';
import { enginePath, request } from '../support/http.mjs';
import { Server, isNative } from '../support/subject.mjs';
import { within } from '../support/wait.mjs';

const ORIGIN = 'https://app.example';

function ask(url, query) {
  return request(url + enginePath(query), { headers: { origin: ORIGIN } });
}

const WAYS = {
  // socket.io binds to all addresses.
  listen: async (io, options) => {
    io.listen(0, isNative ? { host: '127.0.0.1', ...options } : options);
    return io.httpServer.address().port;
  },
  attach: async (io, options) => {
    const httpServer = createServer((_request, response) => response.writeHead(404).end());
    io.attach(httpServer, options);
    httpServer.listen(0, '127.0.0.1');
    await once(httpServer, 'listening');
    return httpServer.address().port;
  },
};

for (const [way, begin] of Object.entries(WAYS)) {
  async function start(t, options, own = {}) {
    const io = new Server(own);
    t.after(() => {
      closeClients();
      return within(new Promise((resolve) => io.close(resolve)), 'close');
    });
    const port = await begin(io, options);
    return { io, url: `http://127.0.0.1:${port}` };
  }

  test(`allowRequest given to ${way} decides`, async (t) => {
    const asked = [];
    const { url } = await start(t, {
      allowRequest: (req, callback) => {
        asked.push(req.url);
        callback('not you', false);
      },
    });
    await assert.rejects(connect(url));
    const { status, text } = await ask(url);
    assert.equal(status, 403);
    assert.equal(JSON.parse(text).message, 'not you');
    assert.equal(asked.length, 2);
  });

  test(`a function for cors given to ${way} is asked`, async (t) => {
    const { url } = await start(t, {
      cors: { origin: (origin, callback) => callback(null, origin === ORIGIN ? ORIGIN : false) },
    });
    assert.equal((await ask(url)).headers['access-control-allow-origin'], ORIGIN);
    const other = await request(url + enginePath(), { headers: { origin: 'https://evil.example' } });
    assert.equal(other.headers['access-control-allow-origin'], undefined);
  });

  test(`fixed cors and the path given to ${way} hold`, async (t) => {
    const { url } = await start(t, { cors: { origin: ORIGIN }, path: '/live' });
    const { status, headers } = await request(`${url}/live/?EIO=4&transport=polling`, { headers: { origin: ORIGIN } });
    assert.equal(status, 200);
    assert.equal(headers['access-control-allow-origin'], ORIGIN);
    assert.notEqual((await ask(url)).status, 200);
  });

  test(`the constructor's options win over those of ${way}`, async (t) => {
    const { url } = await start(t, { allowRequest: (_req, callback) => callback('no', false), path: '/other' }, {
      allowRequest: (_req, callback) => callback(null, true), path: '/mine',
    });
    assert.equal((await request(`${url}/mine/?EIO=4&transport=polling`)).status, 200);
    assert.notEqual((await request(`${url}/other/?EIO=4&transport=polling`)).status, 200);
  });
}
