// Typed events as an ES module: compiled against socket.io's own types and against ours.
import { createServer } from 'node:http';
import { expectTypeOf } from 'expect-type';
import { Namespace, Server, Socket } from 'socket.io';
import type { BroadcastOperator, DefaultEventsMap, DisconnectReason, Event, ExtendedError, RemoteSocket, ServerOptions } from 'socket.io';

interface ClientToServer {
  say: (text: string) => void;
  ask: (n: number, answer: (sum: number) => void) => void;
}
interface ServerToClient {
  news: (text: string, at: Date) => void;
  plain: () => void;
  confirm: (text: string, done: (ok: boolean) => void) => void;
}
interface Between {
  ping: (n: number) => void;
  count: (done: (n: number) => void) => void;
}
interface Data {
  user: { id: string };
}
type Io = Server<ClientToServer, ServerToClient, Between, Data>;
type Sock = Socket<ClientToServer, ServerToClient, Between, Data>;

const options: Partial<ServerOptions> = { path: '/x', cors: { origin: ['a', /b/], credentials: true }, transports: ['websocket'] };
const io: Io = new Server<ClientToServer, ServerToClient, Between, Data>(createServer(), options);
new Server();
new Server(3000, { allowRequest: (req, done) => done(null, req.headers.host !== undefined) });
new Server({ serveClient: false });

io.on('connection', (socket) => {
  expectTypeOf(socket).toEqualTypeOf<Sock>();
  expectTypeOf(socket.data.user.id).toBeString();
  expectTypeOf(socket.rooms).toEqualTypeOf<Set<string>>();
  expectTypeOf(socket.id).toBeString();
  expectTypeOf(socket.handshake.auth).toEqualTypeOf<{ [key: string]: any }>();
  expectTypeOf(socket.handshake.headers.cookie).toEqualTypeOf<string | undefined>();
  expectTypeOf(socket.request.headers.host).toEqualTypeOf<string | undefined>();
  expectTypeOf(socket.recovered).toBeBoolean();
  expectTypeOf(socket.join('a')).toEqualTypeOf<void | Promise<void>>();

  socket.on('say', (text) => expectTypeOf(text).toBeString());
  socket.once('ask', (n, answer) => {
    expectTypeOf(n).toBeNumber();
    expectTypeOf(answer).toEqualTypeOf<(sum: number) => void>();
  });
  socket.on('disconnect', (reason) => expectTypeOf<DisconnectReason>().toExtend<typeof reason>());
  socket.on('error', (error) => expectTypeOf(error).toEqualTypeOf<Error>());
  // @ts-expect-error no such event comes in
  socket.on('unknown', () => {});

  expectTypeOf(socket.emit('news', 'text', new Date())).toBeBoolean();
  socket.emit('confirm', 'sure?', (ok) => expectTypeOf(ok).toBeBoolean());
  socket.timeout(5).emit('confirm', 'sure?', (err, ok) => {
    expectTypeOf(err).toEqualTypeOf<Error>();
    expectTypeOf(ok).toBeBoolean();
  });
  expectTypeOf(socket.emitWithAck('confirm', 'sure?')).toEqualTypeOf<Promise<boolean>>();
  expectTypeOf(socket.timeout(5).emitWithAck('confirm', 'sure?')).toEqualTypeOf<Promise<boolean>>();
  // @ts-expect-error a Date is missing
  socket.emit('news', 'text');
  // @ts-expect-error only clients say
  socket.emit('say', 'text');
  // @ts-expect-error nothing to acknowledge
  void socket.emitWithAck('news', 'text');

  socket.use(([event, ...args], next) => {
    expectTypeOf(event).toBeString();
    expectTypeOf(args).toEqualTypeOf<any[]>();
    next(new Error('no'));
  });
  socket.onAny((event: string, ...args: unknown[]) => void [event, args]).offAny();
  socket.broadcast.to(['a', 'b']).except('c').compress(false).volatile.emit('plain');
  socket.to('a').timeout(5).emit('confirm', 'sure?', (err, oks) => {
    expectTypeOf(err).toEqualTypeOf<Error>();
    expectTypeOf(oks).toEqualTypeOf<boolean[]>();
  });
  expectTypeOf(socket.disconnect(true)).toEqualTypeOf<Sock>();
});

io.use((socket, next) => {
  const refusal: ExtendedError = Object.assign(new Error('no'), { data: { code: 1 } });
  if (socket.handshake.query['x'] === undefined) next(refusal);
  else next();
});

io.emit('plain');
io.to('a').emit('news', 'text', new Date());
// @ts-expect-error broadcasts without timeout() take no acknowledgement
io.emit('confirm', 'sure?', () => {});
// @ts-expect-error no such event goes out
io.to('a').emit('unknown');
io.timeout(5).emit('confirm', 'sure?', (err, oks) => expectTypeOf([err, oks] as const).toEqualTypeOf<readonly [Error, boolean[]]>());
expectTypeOf(io.timeout(5).emitWithAck('confirm', 'sure?')).toEqualTypeOf<Promise<boolean[]>>();
expectTypeOf(io.serverSideEmit('ping', 1)).toBeBoolean();
expectTypeOf(io.serverSideEmitWithAck('count')).toEqualTypeOf<Promise<number[]>>();
io.on('ping', (n) => expectTypeOf(n).toBeNumber());
// @ts-expect-error not between servers
io.serverSideEmit('say', 'x');
io.on('new_namespace', (namespace) => expectTypeOf(namespace.name).toBeString());

expectTypeOf(io.of('/n')).toEqualTypeOf<Namespace<ClientToServer, ServerToClient, Between, Data>>();
io.of(/^\/n-/).on('connection', (socket) => expectTypeOf(socket).toEqualTypeOf<Sock>());
io.of((name, auth, next) => next(null, name.length > 1 && auth['ok'] === true));
expectTypeOf(io.of('/').sockets).toEqualTypeOf<Map<string, Sock>>();
expectTypeOf(io.sockets.adapter.rooms).toEqualTypeOf<Map<string, Set<string>>>();

expectTypeOf(io.fetchSockets()).toEqualTypeOf<Promise<RemoteSocket<ServerToClient, Data>[]>>();
void io.in('a').fetchSockets().then(([remote]) => {
  if (!remote) return;
  expectTypeOf(remote.data).toEqualTypeOf<Data>();
  remote.emit('news', 'text', new Date());
  remote.join(['a']);
  remote.leave('a');
  expectTypeOf(remote.disconnect()).toEqualTypeOf<typeof remote>();
});
expectTypeOf(io.allSockets()).toEqualTypeOf<Promise<Set<string>>>();
expectTypeOf(io.close()).toEqualTypeOf<Promise<void>>();
expectTypeOf(io.close((err) => expectTypeOf(err).toEqualTypeOf<Error | undefined>())).toEqualTypeOf<Promise<void>>();
expectTypeOf(io.path()).toBeString();
expectTypeOf(io.path('/x')).toEqualTypeOf<Io>();
expectTypeOf(io.engine.clientsCount).toBeNumber();
io.engine.on('connection_error', (err: { code: number }) => err.code);
io.engine.generateId = () => 'id';
io.engine.use((_req: unknown, _res: unknown, next: () => void) => next());

function tell(operator: BroadcastOperator<ServerToClient, Data>): void {
  operator.emit('plain');
}
tell(io.local as never);

// Without maps anything goes.
const loose = new Server();
loose.on('connection', (socket: Socket) => {
  expectTypeOf(socket).toEqualTypeOf<Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, any>>();
  socket.on('anything', (a, b) => expectTypeOf([a, b]).toEqualTypeOf<any[]>());
  socket.emit('anything', 1, 'two', () => {});
});
expectTypeOf<Event>().toEqualTypeOf<[string, ...any[]]>();
