// The subject in a process of its own: told what to do over IPC, measured from outside through /proc.
import { Server, isNative } from '../../support/subject.mjs';

const { options, joins, reportEnds } = JSON.parse(process.env.WIRE_CHILD);
const io = new Server(0, isNative ? { host: '127.0.0.1', ...options } : options);
const reasons = {};
const broken = [];

io.on('connection', (socket) => {
  for (const room of joins) socket.join(room);
  const asked = [];
  socket.on('join', (room, done) => { asked.push(room); socket.join(room); done(); });
  socket.on('echo', (...args) => args.pop()(...args));
  // A stream of numbered events: each has to be the successor of the one before.
  let expected = 0;
  socket.on('pour', (number) => {
    if (number !== expected) broken.push(`socket ${socket.id}: expected ${expected}, got ${number}`);
    expected = number + 1;
  });
  socket.on('poured', (done) => done(expected));
  socket.on('disconnect', (reason) => {
    reasons[reason] = (reasons[reason] ?? 0) + 1;
    if (!reportEnds) return;
    const stillIn = [socket.id, ...joins, ...asked].filter((room) => io.sockets.adapter.rooms.get(room)?.has(socket.id));
    process.send({ ended: socket.id, reason, stillIn });
  });
});

const commands = {
  /** What is there, and what it costs. */
  state() {
    globalThis.gc?.();
    const { rooms } = io.sockets.adapter;
    return { connections: io.engine.clientsCount, sockets: io.sockets.sockets.size, rooms: rooms.size, reasons, broken, stats: io.stats?.() };
  },
  emit({ room, event, args = [], volatile }) {
    const target = room ? io.to(room) : io;
    (volatile ? target.volatile : target).emit(event, ...args);
  },
  /** Emits `count` numbered events to `room`, and `padding` bytes to `slowRoom` beside each, in turns of the event loop. */
  async flood({ room, count, slowRoom, padding, volatile }) {
    const pad = 'x'.repeat(padding);
    for (let number = 0; number < count; number++) {
      io.to(room).emit('n', number);
      const slow = io.to(slowRoom);
      (volatile ? slow.volatile : slow).emit('pad', pad);
      if (number % 10 === 9) await new Promise(setImmediate);
    }
  },
  /** Blocks the JavaScript thread. */
  block({ ms }) {
    const end = Date.now() + ms;
    while (Date.now() < end);
  },
  async close() {
    await io.close();
    setImmediate(() => process.disconnect());
  },
};

process.on('message', async ({ call, command, args }) => {
  const result = await commands[command](args ?? {});
  if (process.connected) process.send({ call, result: result ?? null });
});
// A parent that died takes its server with it.
process.on('disconnect', () => { if (!process.exitCode) io.close(); });
process.send({ port: io.httpServer.address().port });
