// A node in a process of its own: node child-node.mjs '{"kind":…,"mode":…,"where":…}'. It prints its port, and streams
// to the room "room" when a line comes in.
import { createInterface } from 'node:readline';
import { startNode } from './node-kinds.mjs';
import { stream } from './stream.mjs';

const node = await startNode({ after: () => {} }, JSON.parse(process.argv[2]));
node.io.on('connection', (socket) => socket.join('room'));
process.stdout.write(`${node.port}\n`);
createInterface({ input: process.stdin }).on('line', () => stream(node.io, 'child', 'room', { pace: 20 }));
