// A TCP relay in front of a server, whose connections can be cut as a lost network cuts them: no close frame, no
// close packet. Not with `resetAndDestroy`: on a socket that is connecting or ending it leaves a request behind that
// Node 20 waits for when the process ends, for ever.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export async function startProxy(t, port) {
  const pairs = new Set();
  let stalled = false;
  let delayMs = 0;
  const relay = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const pair = { near, far, id: near.remotePort };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    const finish = () => {
      pairs.delete(pair);
      near.end();
      far.end();
    };
    for (const side of [near, far]) {
      side.setNoDelay(true);
      side.on('error', end);
      // What is late comes first.
      side.on('close', () => (delayMs === 0 ? end() : setTimeout(finish, delayMs)));
      if (stalled) side.pause();
    }
    const pass = (from, to) => {
      // What is late, so that nothing overtakes it.
      const late = [];
      const write = (chunk) => {
        if (!to.writable || to.write(chunk) || stalled) return;
        from.pause();
        to.once('drain', () => stalled || from.resume());
      };
      from.on('data', (chunk) => {
        if (delayMs === 0 && late.length === 0) return write(chunk);
        late.push(chunk);
        setTimeout(() => write(late.shift()), delayMs);
      });
      from.on('end', () => (delayMs === 0 ? to.end() : setTimeout(() => to.end(), delayMs)));
    };
    pass(near, far);
    pass(far, near);
    if (stalled) for (const side of [near, far]) side.pause();
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  // Every connection, or those that `pick` wants.
  const cut = (pick = () => true) => {
    for (const pair of [...pairs]) {
      if (!pick(pair)) continue;
      pair.near.destroy();
      pair.far.destroy();
    }
  };
  // Connections stay, and nothing passes until `stall(false)`.
  const stall = (on = true) => {
    stalled = on;
    for (const side of [...pairs].flatMap(({ near, far }) => [near, far])) {
      if (on) side.pause();
      else side.resume();
    }
  };
  t.after(() => {
    cut();
    relay.close();
  });
  const { port: at } = relay.address();
  return {
    url: `http://127.0.0.1:${at}`,
    port: at,
    cut,
    stall,
    // What passes from now on takes this long.
    delay: (ms) => (delayMs = ms),
  };
}
