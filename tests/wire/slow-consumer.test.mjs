// A client that stops reading: what it costs the server, its rooms and everybody else.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isNative } from '../support/subject.mjs';
import { ServerProcess } from './support/child.mjs';
import { frame, OP, text } from './support/frames.mjs';
import { gather } from './support/crowd.mjs';
import { PollingSession } from './support/polling.mjs';
import { SocketIoClient } from './support/socketio.mjs';

const MiB = 1024 * 1024;
const CROWD = 1000;
/** What the flood comes to: far more than the kernel's buffers and hardOutboxBytes together. */
const PADDING = 480 * 1024;
const MESSAGES = 400;
/** What the server may grow by during a flood of 188 MiB; one that queued it would grow by all of it. */
const ALLOWED_GROWTH = 64 * MiB;
const onlyOurs = isNative ? false : 'socket.io has no limit: it queues without end';

const server = await ServerProcess.start({ options: { maxOutboxBytes: MiB, hardOutboxBytes: MiB, pingInterval: 60_000, pingTimeout: 60_000 }, joins: ['lobby'], reportEnds: true });
after(() => server.stop());

/** Counts what each client of the crowd receives; a number out of turn is a fault. */
class Tally {
  received = new Array(CROWD).fill(0);
  faults = [];

  take(index, bytes) {
    const [event, number] = JSON.parse(bytes.subarray(2).toString());
    if (event !== 'n') return;
    if (number !== this.received[index]) this.faults.push(`client ${index}: expected ${this.received[index]}, got ${number}`);
    this.received[index]++;
  }

  async complete(expected, ms) {
    const deadline = Date.now() + ms;
    while (this.received.some((count) => count < expected) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(this.faults.slice(0, 5), []);
    assert.deepEqual(this.received.filter((count) => count !== expected), [], `clients that did not get ${expected} messages`);
  }
}

/** The most memory the server took while `work` ran, above what it had before. */
async function growthDuring(work) {
  const before = await server.rss();
  let most = before;
  let over = false;
  const done = work().finally(() => { over = true; });
  while (!over) {
    most = Math.max(most, await server.rss());
    await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 20))]);
  }
  await done;
  return most - before;
}

async function join(client, room) {
  await client.sendText(`420["join","${room}"]`);
  assert.equal(await client.nextPacket(), '430[]');
}

async function withCrowd(steps) {
  const tally = new Tally();
  const crowd = await gather(server.port, CROWD, { onText: (index, bytes) => tally.take(index, bytes) });
  try {
    await steps(tally);
  } finally {
    await Promise.all(crowd.map((client) => client.leave('fin')));
    await server.settle(({ connections }) => connections === 0);
  }
}

test('a slow consumer is closed within hardOutboxBytes, leaves its rooms at once, and the other 1000 miss nothing', { timeout: 120_000, skip: onlyOurs }, () => withCrowd(async (tally) => {
  const slow = await SocketIoClient.connect(server.port);
  await join(slow, 'slow');
  slow.ws.tcp.socket.pause();
  const growth = await growthDuring(() => server.call('flood', { room: 'lobby', count: MESSAGES, slowRoom: 'slow', padding: PADDING }));
  assert.ok(growth < ALLOWED_GROWTH, `memory grew by ${Math.round(growth / MiB)} MiB`);
  const { reason, stillIn } = await server.end(slow.id);
  assert.equal(reason, 'slow consumer');
  assert.deepEqual(stillIn, [], 'rooms it was in when the host was told');
  const state = await server.call('state');
  assert.equal(state.sockets, CROWD);
  assert.equal(state.stats.slowConsumers, 1);
  slow.ws.tcp.socket.resume();
  slow.ws.tcp.socket.on('data', () => { slow.ws.tcp.bytes = Buffer.alloc(0); });
  await slow.ws.tcp.end(10_000);
  await tally.complete(MESSAGES, 20_000);
}));

test('a polling client that does not poll is closed within hardOutboxBytes', { timeout: 30_000, skip: onlyOurs }, async () => {
  const slow = await PollingSession.connect(server.port);
  await slow.send('420["join","slow"]');
  assert.equal(await slow.nextPacket(), '430[]');
  await server.call('flood', { room: 'nobody', count: 20, slowRoom: 'slow', padding: PADDING });
  assert.equal((await server.end(slow.id)).reason, 'slow consumer');
  await slow.isGone();
});

test('volatile messages are dropped for a client that does not read; it stays, and memory does not grow', { timeout: 120_000 }, () => withCrowd(async (tally) => {
  const slow = await SocketIoClient.connect(server.port);
  await join(slow, 'slow');
  slow.ws.tcp.socket.pause();
  const growth = await growthDuring(() => server.call('flood', { room: 'lobby', count: MESSAGES, slowRoom: 'slow', padding: PADDING, volatile: true }));
  assert.ok(growth < ALLOWED_GROWTH, `memory grew by ${Math.round(growth / MiB)} MiB`);
  assert.equal((await server.call('state')).sockets, CROWD + 1);
  slow.leave();
  await tally.complete(MESSAGES, 20_000);
}));

test('a client that reads slowly, but reads, gets everything in order', { timeout: 120_000 }, async () => {
  const reader = await SocketIoClient.connect(server.port);
  await join(reader, 'steady');
  for (let number = 0; number < 40; number++) {
    await server.call('emit', { room: 'steady', event: 'n', args: [number, 'x'.repeat(PADDING)] });
    if (number % 8 !== 7) continue;
    for (let got = number - 7; got <= number; got++) {
      assert.ok((await reader.nextPacket()).startsWith(`42["n",${got},`));
    }
  }
  reader.leave();
});

for (const [what, bytes] of [
  ['pings and reads no pongs', frame(OP.PING, 'x'.repeat(125))],
  ['asks for echoes and reads no answers', text(`421["echo","${'x'.repeat(2000)}"]`)],
]) {
  test(`a client that ${what} is closed or no longer read from, and costs no memory`, { timeout: 120_000, skip: onlyOurs }, async () => {
    const greedy = await SocketIoClient.connect(server.port);
    greedy.ws.tcp.socket.pause();
    const chunk = Buffer.concat(Array(Math.ceil(MiB / bytes.length)).fill(bytes));
    const growth = await growthDuring(async () => {
      for (let sent = 0; sent < 96 && !greedy.ws.tcp.error; sent++) {
        // A write that does not finish means that the server has stopped reading: as good as closing.
        const written = await Promise.race([greedy.ws.send(chunk).then(() => true), new Promise((resolve) => setTimeout(resolve, 2000, false))]);
        if (!written) break;
      }
    });
    assert.ok(growth < ALLOWED_GROWTH, `memory grew by ${Math.round(growth / MiB)} MiB`);
    greedy.leave();
    const after = await SocketIoClient.connect(server.port);
    await after.echo('served');
    after.leave();
    await server.settle(({ connections }) => connections === 0);
  });
}

test('the memory of slow consumers comes back', { timeout: 120_000, skip: onlyOurs }, async () => {
  const round = async () => {
    const slow = await Promise.all(Array.from({ length: 20 }, () => SocketIoClient.connect(server.port)));
    for (const client of slow) {
      await join(client, 'slow');
      client.ws.tcp.socket.pause();
    }
    await server.call('flood', { room: 'nobody', count: 150, slowRoom: 'slow', padding: PADDING });
    for (const client of slow) {
      assert.equal((await server.end(client.id)).reason, 'slow consumer');
      client.leave();
    }
    await server.settle(({ connections }) => connections === 0);
    return server.rss();
  };
  // The least of three rounds: what garbage and the allocator hold at the moment differs by more than the limit.
  const least = async () => Math.min(await round(), await round(), await round());
  const first = await least();
  const grown = (await least()) - first;
  assert.ok(grown < 16 * MiB, `memory grew by ${Math.round(grown / MiB)} MiB over three rounds that each queue 20 MiB`);
});
