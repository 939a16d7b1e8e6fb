// A relay for WebSocket connections that looks at what the server sends, frame by frame, and can end a connection between
// two of them. Frames of the server are not masked, and those of these tests are short.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

// `passes(text)` is asked about each frame; when it says no, that frame does not pass and the connection is cut.
export async function startFrameProxy(t, port, passes) {
  const open = new Set();
  const relay = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const end = () => {
      near.destroy();
      far.destroy();
      open.delete(end);
    };
    open.add(end);
    for (const side of [near, far]) {
      side.on('error', end);
      side.on('close', end);
    }
    near.pipe(far);
    let data = Buffer.alloc(0);
    let upgraded = false;
    far.on('data', (chunk) => {
      data = Buffer.concat([data, chunk]);
      if (!upgraded) {
        const at = data.indexOf('\r\n\r\n');
        if (at < 0) return;
        upgraded = true;
        near.write(data.subarray(0, at + 4));
        data = data.subarray(at + 4);
      }
      for (;;) {
        if (data.length < 2) return;
        const long = (data[1] & 0x7f) === 126;
        const start = long ? 4 : 2;
        if (data.length < start) return;
        const size = start + (long ? data.readUInt16BE(2) : data[1] & 0x7f);
        if (data.length < size) return;
        const frame = data.subarray(0, size);
        if (!passes(frame.subarray(start).toString())) return end();
        near.write(frame);
        data = data.subarray(size);
      }
    });
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.after(() => {
    for (const end of open) end();
    relay.close();
  });
  return { url: `http://127.0.0.1:${relay.address().port}`, cut: () => [...open].forEach((end) => end()) };
}
