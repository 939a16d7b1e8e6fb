// Several processes, one port: servers in the workers of node:cluster, as pm2 starts them too.
import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from '../support/certificate.mjs';
import { closeClients, connect } from '../support/clients.mjs';
import { freePort } from '../support/server.mjs';
import { isNative, subjectPath } from '../support/subject.mjs';
import { LIMIT_MS, event } from '../support/wait.mjs';

cluster.setupPrimary({ exec: fileURLToPath(new URL('../support/port-worker.cjs', import.meta.url)), execArgv: [], args: [] });

async function end(worker) {
  if (worker.isDead()) return;
  const gone = once(worker, 'exit');
  worker.process.kill('SIGKILL');
  await gone;
}

// A worker, when it has said whether it listens.
async function fork(t, port, { madeBy = 'new', options = {} } = {}) {
  const env = { PORT: port, MADE_BY: madeBy, OPTIONS: JSON.stringify(options), SUBJECT_PATH: subjectPath, NODE_TEST_CONTEXT: '' };
  const worker = cluster.fork(env);
  t.after(() => {
    closeClients();
    return end(worker);
  });
  const [word] = await event(worker, 'message', LIMIT_MS);
  return { worker, word, pid: worker.process.pid };
}

// Clients come until each of these has served one.
async function allServe(url, pids, options) {
  const served = new Set();
  for (let n = 0; n < 100 && served.size < pids.length; n += 1) {
    const client = await connect(url, options);
    served.add(await client.timeout(LIMIT_MS).emitWithAck('who'));
    client.close();
  }
  assert.deepEqual([...served].sort(), [...pids].sort());
}

for (const madeBy of ['new', 'listen']) {
  test(`workers share the port of ${madeBy === 'new' ? 'new Server(port)' : 'io.listen(port)'}`, async (t) => {
    const port = await freePort();
    const workers = [await fork(t, port, { madeBy }), await fork(t, port, { madeBy })];
    assert.deepEqual(workers.map(({ word }) => word), ['up', 'up']);
    await allServe(`http://127.0.0.1:${port}`, workers.map(({ pid }) => pid));
  });
}

test('a worker that comes for one that died shares the port', async (t) => {
  const port = await freePort();
  const [first, second] = [await fork(t, port), await fork(t, port)];
  await end(first.worker);
  await allServe(`http://127.0.0.1:${port}`, [second.pid]);
  const third = await fork(t, port);
  assert.equal(third.word, 'up');
  await allServe(`http://127.0.0.1:${port}`, [second.pid, third.pid]);
});

test('workers share a port with TLS', { skip: isNative ? false : 'socket.io has no TLS of its own' }, async (t) => {
  const port = await freePort();
  const options = { tls: makeCertificate() };
  const workers = [await fork(t, port, { options }), await fork(t, port, { options })];
  assert.deepEqual(workers.map(({ word }) => word), ['up', 'up']);
  await allServe(`https://127.0.0.1:${port}`, workers.map(({ pid }) => pid), { rejectUnauthorized: false });
});

test('a port that is somebody else\'s is in use for workers too', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  // Without `host`, which only we have, socket.io listens on all addresses: in use as well.
  assert.equal((await fork(t, other.address().port)).word, 'EADDRINUSE');
});
