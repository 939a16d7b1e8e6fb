// Hosts of a network of their own: network namespaces on a bridge, where the machine lets us make them.
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { atEnd } from './at-end.mjs';

const ip = (...words) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });

// Why there can be none, or undefined.
export function whyNoHosts() {
  const name = `kraken-${process.pid}`;
  try {
    ip('netns', 'add', name);
    ip('link', 'add', `${name}-b`, 'type', 'bridge');
  } catch (error) {
    return `network namespaces: ${(error.stderr?.toString() || error.message).trim()}`;
  } finally {
    for (const words of [['netns', 'del', name], ['link', 'del', `${name}-b`]]) {
      try {
        ip(...words);
      } catch {
        // It was not made.
      }
    }
  }
}

// `count` hosts. Each has `exec`, the words before a command that runs there, and a cable that can be pulled; `gateway`
// is this machine's address among them.
export function makeHosts(t, count) {
  const net = `10.${randomInt(64, 250)}.${randomInt(0, 250)}`;
  const tag = `kr${randomInt(1e6).toString(36)}`;
  const bridge = `${tag}b`;
  ip('link', 'add', bridge, 'type', 'bridge');
  atEnd(t, () => ip('link', 'del', bridge));
  ip('addr', 'add', `${net}.1/24`, 'dev', bridge);
  ip('link', 'set', bridge, 'up');
  const hosts = Array.from({ length: count }, (_, i) => {
    const [name, ours, theirs] = [`${tag}-${i}`, `${tag}o${i}`, `${tag}t${i}`];
    ip('netns', 'add', name);
    atEnd(t, () => ip('netns', 'del', name));
    ip('link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs);
    ip('link', 'set', theirs, 'netns', name);
    ip('link', 'set', ours, 'master', bridge);
    ip('link', 'set', ours, 'up');
    const there = (...words) => ip('netns', 'exec', name, 'ip', ...words);
    there('addr', 'add', `${net}.${i + 2}/24`, 'dev', theirs);
    there('link', 'set', theirs, 'up');
    there('link', 'set', 'lo', 'up');
    return {
      exec: ['ip', 'netns', 'exec', name],
      pull: () => ip('link', 'set', ours, 'down'),
      plug: () => ip('link', 'set', ours, 'up'),
    };
  });
  return { gateway: `${net}.1`, hosts };
}
