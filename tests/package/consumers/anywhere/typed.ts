// What a strict compiler sees that reads every declaration, also those of the packages below.
import { Server, type Socket } from 'kraken-ws-native';
import { createAdapter } from 'kraken-ws-native/redis';

interface Hears {
  joinRoom: (room: string, ack: (joined: boolean) => void) => void;
}
interface Says {
  newMessage: (message: { content: string }) => void;
}

export function serve(port: number): Server<Hears, Says> {
  const io = new Server<Hears, Says>(port, { adapter: createAdapter({ redis: 'redis://127.0.0.1' }) });
  io.on('connection', (socket: Socket<Hears, Says>) => {
    socket.on('joinRoom', (room, ack) => {
      void socket.join(room);
      ack(true);
    });
    socket.to('r').emit('newMessage', { content: 'hi' });
  });
  return io;
}
