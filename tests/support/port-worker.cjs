// A worker of node:cluster that serves PORT: tests/interop/shared-port.test.mjs.
const { Server } = require(process.env.SUBJECT_PATH);

const { PORT, MADE_BY } = process.env;
const options = { host: '127.0.0.1', ...JSON.parse(process.env.OPTIONS) };
const io = MADE_BY === 'listen' ? new Server(options).listen(Number(PORT)) : new Server(Number(PORT), options);
io.on('connection', (socket) => socket.on('who', (answer) => answer(process.pid)));
io.httpServer.on('listening', () => process.send('up'));
io.httpServer.on('error', (error) => process.send(error.code));
