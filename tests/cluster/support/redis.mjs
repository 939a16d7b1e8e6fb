// Real Redis servers of this machine's redis-server, each on a free port with a folder of its own, gone with the test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/server.mjs';
import { deferred, until, within } from '../../support/wait.mjs';
import { atEnd } from './at-end.mjs';

const START_MS = 10_000;

class Redis {
  constructor(port, folder, args) {
    this.port = port;
    this.folder = folder;
    this.args = args;
    this.child = undefined;
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start() {
    const child = spawn('redis-server', this.args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    const ready = deferred();
    let told = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        told += chunk;
        if (/Ready to accept connections|Sentinel ID is/.test(told)) ready.resolve();
      });
    }
    child.on('error', ready.reject);
    child.on('exit', (code) => ready.reject(new Error(`redis-server ended with ${code}\n${told}`)));
    await within(ready.promise, 'redis-server', START_MS);
    return this;
  }

  // As a crash: nobody is told, and every connection breaks.
  async kill() {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  // One command on a connection of its own; the answer is the raw RESP text.
  command(...words) {
    const answer = deferred();
    const socket = connect(this.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (isComplete(text)) {
        socket.destroy();
        if (text[0] === '-') answer.reject(new Error(`${words.join(' ')}: ${text.slice(1).trim()}`));
        else answer.resolve(text);
      }
    });
    socket.on('error', answer.reject);
    socket.on('close', () => answer.reject(new Error(`${words.join(' ')}: the connection was closed`)));
    const bulk = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`).join('');
    socket.write(`*${words.length}\r\n${bulk}`);
    return within(answer.promise, words.join(' ')).finally(() => socket.destroy());
  }

  // How many connections listen to a channel.
  async listeners(channel, how = 'NUMSUB') {
    const answer = await this.command('PUBSUB', how, channel);
    return Number(/:(\d+)\r\n$/.exec(answer)?.[1]);
  }
}

// Whether `text` holds one whole RESP2 answer.
function isComplete(text) {
  let at = 0;
  const value = () => {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return false;
    const [kind, count] = [text[at], Number(text.slice(at + 1, end))];
    at = end + 2;
    if (kind === '$' && count >= 0) at += count + 2;
    if (kind === '*') for (let n = 0; n < count; n += 1) if (!value()) return false;
    return at <= text.length;
  };
  return value();
}

// A Redis server; `settings` are lines of redis.conf by name. Without `port` a free one. `sentinel`: the configuration
// of a sentinel; `plain`: it listens without TLS.
export async function startRedis(t, { port, settings = {}, sentinel, plain = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'kraken-redis-'));
  const at = port ?? (await freePort());
  const all = { port: plain ? at : 0, bind: '127.0.0.1', dir: folder, ...settings };
  if (!sentinel) Object.assign(all, { save: '', appendonly: 'no' });
  const args = Object.entries(all).flatMap(([name, value]) =>
    name === 'user' || name === 'replicaof' ? [`--${name}`, ...value.split(' ')] : [`--${name}`, String(value)],
  );
  const redis = new Redis(at, folder, sentinel ? [sentinel, '--sentinel', ...args] : args);
  atEnd(t, async () => {
    await redis.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  return redis.start();
}

const SLOTS = 16_384;

// Redis Cluster of `count` masters, complete and agreed.
export async function startRedisCluster(t, count = 3) {
  const nodes = [];
  for (let n = 0; n < count; n += 1) {
    const settings = {
      'cluster-enabled': 'yes',
      'cluster-port': await freePort(),
      'cluster-node-timeout': 2000,
      'cluster-announce-ip': '127.0.0.1',
    };
    const node = await startRedis(t, { settings });
    nodes.push(Object.assign(node, { busPort: settings['cluster-port'] }));
  }
  const share = Math.ceil(SLOTS / count);
  for (const [n, node] of nodes.entries()) {
    await node.command('CLUSTER', 'ADDSLOTSRANGE', n * share, Math.min((n + 1) * share, SLOTS) - 1);
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', n + 1);
    if (n > 0) await nodes[0].command('CLUSTER', 'MEET', '127.0.0.1', node.port, node.busPort);
  }
  const agreed = async (node) => {
    const info = await node.command('CLUSTER', 'INFO');
    return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${count}`);
  };
  for (const node of nodes) await until(() => agreed(node), 'Redis Cluster', 20_000);
  return nodes;
}
