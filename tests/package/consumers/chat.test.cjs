/* global describe, beforeAll, afterAll, it, expect */
// A user's own test: it runs under Jest and Vitest, both with their globals.
const { Server, sendToRoom, setServer } = require('kraken-ws-native');
const { io: connect } = require('socket.io-client');

describe('a chat', () => {
  let io;
  let client;

  beforeAll(async () => {
    io = new Server(0, { host: '127.0.0.1' });
    setServer(io);
    io.on('connection', (socket) => {
      socket.join('room');
      socket.on('ask', (question, answer) => answer(question.toUpperCase()));
    });
    client = connect(`http://127.0.0.1:${io.httpServer.address().port}`, { transports: ['websocket'] });
    await new Promise((resolve) => client.once('connect', resolve));
  });

  afterAll(async () => {
    client.disconnect();
    await io.close();
  });

  it('answers', async () => {
    expect(await client.emitWithAck('ask', 'who')).toBe('WHO');
  });

  it('sends to a room', async () => {
    const news = new Promise((resolve) => client.once('news', resolve));
    expect(sendToRoom('room', 'news', { n: 1, when: new Date(0) })).toBe(true);
    expect(await news).toEqual({ n: 1, when: '1970-01-01T00:00:00.000Z' });
  });

  it('sends to whatever stands in for a server', () => {
    const emitted = [];
    setServer({ to: (room) => ({ emit: (...args) => emitted.push([room, ...args]) }) });
    expect(sendToRoom('room', 'news', 1)).toBe(true);
    expect(emitted).toEqual([['room', 'news', 1]]);
    setServer(io);
  });
});
