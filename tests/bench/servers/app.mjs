// The application under test, the same for every server with socket.io's API.

/** Puts every socket into `room` and answers `echo`; returns how many sockets there are. */
export function app(io) {
  let sockets = 0;
  io.on('connection', (socket) => {
    sockets++;
    socket.join('room');
    socket.on('echo', (data, ack) => ack(data));
    socket.on('disconnect', () => sockets--);
  });
  return () => sockets;
}
