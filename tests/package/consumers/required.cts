// The same from CommonJS.
import { expectTypeOf } from 'expect-type';
import { Server } from 'socket.io';
import socketIo = require('socket.io');

const io = new Server<{ say: (text: string) => void }, { news: (n: number) => void }>(0);
io.on('connection', (socket) => {
  socket.on('say', (text) => expectTypeOf(text).toBeString());
  socket.emit('news', 1);
  // @ts-expect-error a number is wanted
  socket.emit('news', 'one');
});
expectTypeOf(socketIo.Server).toEqualTypeOf<typeof Server>();
io.close();
