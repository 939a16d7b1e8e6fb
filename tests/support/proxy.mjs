// A TCP relay in front of a server, whose connections can be cut as a lost network cuts them: no close frame, no
// close packet. Not with `resetAndDestroy`: on a socket that is connecting or ending it leaves a request behind that
// Node 20 waits for when the process ends, for ever.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export async function startProxy(t, port) {
  const pairs = new Set();
  const relay = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const pair = { near, far, id: near.remotePort };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const side of [near, far]) {
      side.setNoDelay(true);
      side.on('error', end);
      side.on('close', end);
    }
    near.pipe(far).pipe(near);
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
  t.after(() => {
    cut();
    relay.close();
  });
  return { url: `http://127.0.0.1:${relay.address().port}`, cut };
}
