// Where a server of our own listener can be reached: addresses, IPv6, a Unix socket path, several at once.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { closeClients, connect, pair } from '../support/clients.mjs';
import { serve } from '../support/harness.mjs';
import { enginePath, request } from '../support/http.mjs';
import { Server, nativeOnly } from '../support/subject.mjs';
import { event, within } from '../support/wait.mjs';

const hasIPv6 = Object.values(networkInterfaces()).flat().some(({ address }) => address === '::1');

function endWith(t, io) {
  t.after(() => {
    closeClients();
    return within(io.close(), 'close');
  });
}

function overPath(socketPath, path) {
  const answer = new Promise((resolve, reject) => {
    httpRequest({ socketPath, path, agent: false }, (incoming) => {
      let text = '';
      incoming.on('data', (chunk) => { text += chunk; });
      incoming.on('end', () => resolve({ status: incoming.statusCode, text }));
    }).on('error', reject).end();
  });
  return within(answer, path);
}

test('listen(0) picks a port that address() tells at once', async (t) => {
  const io = new Server();
  endWith(t, io);
  io.listen(0);
  const { port } = io.httpServer.address();
  assert.ok(port > 0);
  assert.equal((await connect(`http://127.0.0.1:${port}`)).connected, true);
});

describe('our own listener', nativeOnly, () => {
  test('binds to the host given and to no other', async (t) => {
    const { io, port } = await serve(t, { host: '127.0.0.1' });
    assert.deepEqual(io.httpServer.address(), { address: '127.0.0.1', port, family: 'IPv4' });
    await assert.rejects(request(`http://127.0.0.2:${port}${enginePath()}`));
  });

  test('listens on IPv6', { skip: hasIPv6 ? false : 'this machine has no ::1' }, async (t) => {
    const { io, port } = await serve(t, { host: '::1' });
    assert.equal(io.httpServer.address().family, 'IPv6');
    const { socket } = await pair(io, `http://[::1]:${port}`);
    assert.equal(socket.handshake.address, '::1');
  });

  test('listens on a Unix socket path and removes it at the end', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'kraken-ws-listen-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'live.sock');
    const io = new Server(path);
    assert.equal(io.httpServer.address(), path);
    const answer = await overPath(path, enginePath());
    assert.equal(answer.status, 200);
    assert.match(answer.text, /^0\{.*"sid":"/);
    await within(io.close(), 'close');
    assert.equal(existsSync(path), false);
  });

  test('several ports share namespaces and rooms', async (t) => {
    const io = new Server(0, { host: '127.0.0.1' });
    endWith(t, io);
    const first = io.httpServer.address().port;
    io.listen(0, { host: '127.0.0.1' });
    const second = io.httpServer.address().port;
    assert.notEqual(first, second);
    const members = [];
    for (const port of [first, second]) {
      const ends = await pair(io, `http://127.0.0.1:${port}`);
      ends.socket.join('room');
      members.push(ends);
    }
    const got = members.map(({ client }) => event(client, 'news'));
    io.to('room').emit('news', 1);
    for (const args of await Promise.all(got)) assert.deepEqual(args, [1]);
  });

  test('an address that is not there is an error event, not an exception', async () => {
    const io = new Server(0, { host: '203.0.113.1' });
    const [error] = await event(io.httpServer, 'error');
    assert.ok(error instanceof Error);
    assert.equal(io.httpServer.listening, false);
    await within(io.close(), 'close').catch(() => {});
  });
});
