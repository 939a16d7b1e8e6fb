// Step 0 of moving from socket.io, where no binary is: the calls, and Nest's parts, over the server that is there.
require('reflect-metadata');
const { Server } = require('socket.io');
const { io: connect } = require('socket.io-client');
const { sendToRoom, setServer } = require('kraken-ws-native');
const { KrakenIoAdapter, WebsocketService } = require('kraken-ws-native/nest');

const io = new Server(0);
const service = new WebsocketService();
service.setServer(io);
setServer(io);
io.on('connection', (socket) => {
  socket.join('room');
  const sent = [sendToRoom('elsewhere', 'news', {}), service.sendToRoom('room', 'news', { n: 1 })];
  client.once('news', (news) => {
    console.log(`${sent.join()},${JSON.stringify(['news', news])}`);
    client.disconnect();
    io.close();
  });
});
if (typeof KrakenIoAdapter !== 'function') throw new Error('no adapter');
const client = connect(`http://127.0.0.1:${io.httpServer.address().port}`);
setTimeout(() => { throw new Error('not served within 20 s'); }, 20_000).unref();
