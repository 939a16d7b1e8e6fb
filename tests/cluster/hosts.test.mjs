// Nodes on hosts of their own: network namespaces on a bridge, with cables that are pulled.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isNative } from '../support/subject.mjs';
import { until } from '../support/wait.mjs';
import { atEnd } from './support/at-end.mjs';
import { makeHosts, whyNoHosts } from './support/hosts.mjs';
import { startRedis } from './support/redis.mjs';

const PROGRAM = fileURLToPath(new URL('support/host-node.mjs', import.meta.url));
const reason = isNative ? whyNoHosts() : 'nodes of this package';
if (reason) console.log(`skipped: ${reason}`);
const BACK_MS = 20_000;

// A node in its host, and what it has said so far.
async function startOn(t, host, settings) {
  const [program, ...words] = [...host.exec, process.execPath, PROGRAM, JSON.stringify(settings)];
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  atEnd(t, async () => {
    child.kill('SIGKILL');
    await gone;
  });
  const said = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
  await until(() => said.includes('ready'), `${settings.name} is ready`, BACK_MS);
  return {
    said,
    send: (count) => child.stdin.write(`${count}\n`),
    from: (name) => said.filter((line) => line.startsWith(`got ${name} `)).map((line) => Number(line.split(' ')[2])),
  };
}

for (const mode of ['classic', 'dynamic']) {
  for (const other of ['native', 'redis4']) {
    test(`native and ${other} on two hosts, ${mode}: a cable that is pulled and plugged again`, { skip: reason ?? false }, async (t) => {
      const { gateway, hosts } = makeHosts(t, 2);
      const redis = await startRedis(t, { settings: { bind: gateway, 'protected-mode': 'no' } });
      const where = { url: `redis://${gateway}:${redis.port}` };
      const a = await startOn(t, hosts[0], { name: 'a', kind: 'native', mode, where, cluster: { redisTimeout: 1000 } });
      const b = await startOn(t, hosts[1], { name: 'b', kind: other, mode, where });
      // Both are subscribed when each has heard of the other.
      await until(() => {
        a.send(1);
        b.send(1);
        return a.from('b').length > 0 && b.from('a').length > 0;
      }, 'both hear each other', BACK_MS);
      const heard = async (node, name, count) => {
        const first = node.from(name).at(-1) + 1;
        (name === 'a' ? a : b).send(count);
        await until(() => node.from(name).at(-1) >= first + count - 1, `${count} of ${name}`, BACK_MS);
        assert.deepEqual(node.from(name).slice(-count), Array.from({ length: count }, (_, i) => first + i));
      };
      await settled(a, b);
      await heard(b, 'a', 200);
      await heard(a, 'b', 200);

      hosts[0].pull();
      await until(() => a.said.includes('redis_down'), 'the cut is noticed', BACK_MS);
      const own = a.from('a').length;
      a.send(3);
      await until(() => a.from('a').length === own + 3, 'its own clients are served', BACK_MS);
      hosts[0].plug();
      await until(() => a.said.lastIndexOf('redis_up') > a.said.lastIndexOf('redis_down'), 'joined again', BACK_MS);
      await settled(a, b);
      await heard(b, 'a', 200);
      await heard(a, 'b', 200);
    });
  }
}

// What was sent while they found each other has come, as far as it comes.
async function settled(...nodes) {
  let count = -1;
  await until(async () => {
    const before = count;
    count = nodes.reduce((sum, { said }) => sum + said.length, 0);
    await new Promise((resolve) => setTimeout(resolve, 250));
    return count === before;
  }, 'quiet', BACK_MS);
}
