// Runs in the installed application, on the platform that is tried. Ends when its input does, by itself.
import { Server } from 'kraken-ws-native';

const io = new Server(0, { cors: { origin: true } });
io.on('connection', (socket) => {
  socket.join('room');
  socket.on('echo', (bytes, ack) => ack({ bytes, transport: socket.conn.transport.name }));
  socket.on('say', (word) => io.to('room').emit('said', word, Buffer.from(word)));
});
process.stdin.on('end', () => io.close()).resume();
const { glibcVersionRuntime } = process.report.getReport().header;
console.log(JSON.stringify({
  port: io.httpServer.address().port,
  about: `Node ${process.versions.node} ${process.arch} ${glibcVersionRuntime ? `glibc ${glibcVersionRuntime}` : 'musl'}`,
}));
