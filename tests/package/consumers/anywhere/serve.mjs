// The same package as an ES module, with its other entrances.
import create, { Server } from 'kraken-ws-native';
import { createAdapter } from 'kraken-ws-native/redis';
import { io as connect } from 'socket.io-client';

const io = create(0, { host: '127.0.0.1' });
io.on('connection', (socket) => socket.emit('hello', socket.id));
const client = connect(`http://127.0.0.1:${io.httpServer.address().port}`, { transports: ['websocket'], reconnection: false });
setTimeout(() => { throw new Error('not served within 20 s'); }, 20_000).unref();
client.once('hello', (id) => {
  console.log([id === client.id, io instanceof Server, typeof createAdapter].join());
  client.disconnect();
  io.close();
});
