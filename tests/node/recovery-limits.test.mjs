// What recovery costs at most, and what ours does beyond socket.io's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '../support/harness.mjs';
import { openPolling, packets } from '../support/http.mjs';
import { Server, nativeOnly } from '../support/subject.mjs';
import { event, until } from '../support/wait.mjs';

// Joins by hand; with `offset` as of the one event that was sent.
async function joined(io, url, connect = '40') {
  const arrived = event(io, 'connection');
  const session = await openPolling(url);
  await session.post(connect);
  const answer = packets((await session.get()).text).find((packet) => packet.startsWith('40'));
  const [socket] = await arrived;
  return { session, socket, ...JSON.parse(answer.slice(answer.indexOf('{'))) };
}

async function withOffset(io, url) {
  const client = await joined(io, url);
  client.socket.emit('first');
  const offset = JSON.parse((await client.session.get()).text.slice(2)).at(-1);
  return { ...client, offset, credentials: `40${JSON.stringify({ pid: client.pid, offset })}` };
}

async function leave({ session, socket }) {
  const left = event(socket, 'disconnect');
  await session.post('1');
  await left;
}

test('a client that is back before its end was noticed takes over', nativeOnly, async (t) => {
  for (const shards of [1, 3]) {
    const { io, url } = await serve(t, { connectionStateRecovery: {}, shards });
    const first = await withOffset(io, url);
    first.socket.join('r');
    first.socket.data.name = 'ann';
    io.to('r').emit('lost on the dead connection');
    const left = event(first.socket, 'disconnect');
    const back = await joined(io, url, first.credentials);
    assert.deepEqual(await left, ['transport close', (await left)[1]]);
    assert.equal(back.sid, first.sid);
    assert.equal(back.socket.recovered, true);
    assert.equal(back.socket.data.name, 'ann');
    assert.deepEqual([...io.sockets.sockets.values()], [back.socket]);
    assert.equal(io.engine.clientsCount, 1);
    io.to('r').emit('again');
    assert.match((await back.session.get()).text, /^42\["again"/);
  }
});

test('more than maxRecoveryBytes is not kept, and who missed it starts anew', nativeOnly, async (t) => {
  const maxRecoveryBytes = 65_536;
  const { io, url } = await serve(t, { connectionStateRecovery: {}, maxRecoveryBytes });
  const here = await withOffset(io, url);
  const away = await withOffset(io, url);
  await leave(away);
  const text = 'x'.repeat(1000);
  for (let i = 0; i < 30; i++) io.emit('n', i, text);
  const back = await joined(io, url, away.credentials);
  assert.equal(back.socket.recovered, true);
  await leave(back);
  for (let i = 0; i < 100; i++) {
    io.emit('n', i, text);
    assert.ok(io.stats().recoveryBytes <= maxRecoveryBytes);
  }
  assert.ok(io.stats().recoveryBytes > maxRecoveryBytes / 2);
  const late = await joined(io, url, away.credentials);
  assert.equal(late.socket.recovered, false);
  assert.equal(here.socket.connected, true);
});

test('who missed more than fits its outbox starts anew', nativeOnly, async (t) => {
  const { io, url } = await serve(t, { connectionStateRecovery: {}, maxOutboxBytes: 10_000 });
  const away = await withOffset(io, url);
  await leave(away);
  const text = 'x'.repeat(1000);
  for (let i = 0; i < 20; i++) io.emit('n', i, text);
  assert.equal((await joined(io, url, away.credentials)).socket.recovered, false);
});

test('what is kept goes when its time is over, without anybody asking', nativeOnly, async (t) => {
  const { io, url } = await serve(t, {
    connectionStateRecovery: { maxDisconnectionDuration: 100 }, pingInterval: 50, pingTimeout: 50,
  });
  const away = await withOffset(io, url);
  away.socket.data.name = 'ann';
  await leave(away);
  assert.ok(io.stats().recoveryBytes > 0);
  await until(() => io.stats().recoveryBytes === 0, 'the end of the session');
});

test('a client that only listens for a long time can still come back', nativeOnly, async (t) => {
  const { io, url } = await serve(t, {
    connectionStateRecovery: { maxDisconnectionDuration: 100 }, pingInterval: 20_000,
  });
  const quiet = await withOffset(io, url);
  const end = Date.now() + 250;
  await until(() => Date.now() > end, 'a time longer than maxDisconnectionDuration');
  await leave(quiet);
  assert.equal((await joined(io, url, quiet.credentials)).socket.recovered, true);
});

test('what an application does to a socket whose end it has not heard of is not lost', nativeOnly, async (t) => {
  const { io, url } = await serve(t, { connectionStateRecovery: {} });
  for (const kick of [false, true]) {
    const first = await withOffset(io, url);
    first.socket.on('work', () => {
      // The core handles the close packet, which came with this event, while JavaScript is busy here.
      const end = Date.now() + 100;
      while (Date.now() < end);
      if (kick) first.socket.disconnect();
      else first.socket.join('late');
      io.to('late').emit('welcome');
    });
    const left = event(first.socket, 'disconnect');
    await first.session.post('42["work"]\u001e1');
    await left;
    const back = await joined(io, url, first.credentials);
    assert.equal(back.socket.recovered, !kick);
    assert.equal(back.socket.rooms.has('late'), !kick);
  }
});

test('wrong values are refused by name', nativeOnly, () => {
  for (const [value, message] of [
    ['yes', /^connectionStateRecovery: expected true, false or an object such as .* got "yes"$/],
    [{ maxDisconnectionDuration: 'long' }, /^connectionStateRecovery\.maxDisconnectionDuration: expected a number of milliseconds from 1 to \d+, got "long"$/],
    [{ maxDisconnectionDuration: 0 }, /^connectionStateRecovery\.maxDisconnectionDuration: expected .* got 0$/],
    [{ skipMiddlewares: 1 }, /^connectionStateRecovery\.skipMiddlewares: expected true or false, got 1$/],
    [{ skipMiddleware: true }, /^connectionStateRecovery\.skipMiddleware: expected maxDisconnectionDuration or skipMiddlewares, got true$/],
  ]) {
    assert.throws(() => new Server({ connectionStateRecovery: value }), { code: 'ERR_KRAKEN_WS_OPTION', message });
  }
  assert.throws(() => new Server({ maxRecoveryBytes: 1 }), /^Error: maxRecoveryBytes: expected a number of bytes from 65536 /);
});
