// A node and a client of it on one host: node host-node.mjs '{"kind":…,"mode":…,"where":…}'. Each line that comes in is
// a number of messages to send; each line that goes out is what the client got, or news of Redis.
import { createInterface } from 'node:readline';
import { connect } from '../../support/clients.mjs';
import { startNode } from './node-kinds.mjs';

const settings = JSON.parse(process.argv[2]);
const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);
const node = await startNode({ after: () => {} }, settings);
node.io.on('connection', (socket) => socket.join('room'));
for (const news of ['redis_up', 'redis_down']) node.io.of('/').adapter.on(news, () => say(news));
const client = await connect(node.url, { transports: ['websocket'] });
client.on('n', (from, n) => say('got', from, n));
say('ready');
let next = 0;
createInterface({ input: process.stdin }).on('line', (line) => {
  for (let left = Number(line); left > 0; left -= 1) node.io.to('room').emit('n', settings.name, next++);
});
