// Serves one client over the default transports: polling, then the upgrade.
const { Server, setServer, sendToRoom } = require('kraken-ws-native');
const { io: connect } = require('socket.io-client');

const io = new Server(0, { host: '127.0.0.1' });
setServer(io);
io.on('connection', (socket) => {
  socket.on('join', (room, ack) => {
    socket.join(room);
    ack(sendToRoom(room, 'news', Buffer.from('bytes')));
  });
});

const url = `http://127.0.0.1:${io.httpServer.address().port}`;
const client = connect(url, { reconnection: false });
const news = new Promise((resolve) => client.once('news', resolve));
const upgraded = new Promise((resolve) => client.io.engine.once('upgrade', resolve));
setTimeout(() => { throw new Error('not served within 20 s'); }, 20_000).unref();

(async () => {
  const sent = await client.timeout(8000).emitWithAck('join', 'room');
  const text = Buffer.from(await news).toString();
  const { name } = await upgraded;
  const page = await fetch(`${url}/socket.io/socket.io.min.js`);
  console.log([sent, text, name, page.status].join());
  client.disconnect();
  io.close();
})().catch((err) => {
  console.error(err);
  process.exit(1);
});
