// A fleet over one Redis: nodes that know of each other, and clients whose rooms every node can reach.
import { connect } from '../../support/clients.mjs';
import { event, until } from '../../support/wait.mjs';
import { MODES, startNode } from './node-kinds.mjs';

// Nodes of these kinds over one Redis, each in its own server of this process.
export async function startFleet(t, { redis, kinds, mode, where = { url: redis.url }, ...rest }) {
  const nodes = [];
  for (const kind of kinds) nodes.push(await startNode(t, { kind, mode, where, ...rest }));
  await together(nodes);
  return nodes;
}

// Until every node counts `count` of them.
export async function together(nodes, count = nodes.length, nsp = '/') {
  for (const { io, kind } of nodes) {
    const { adapter } = io.of(nsp);
    // A node that is not connected yet can't count.
    const counted = () => adapter.serverCount().catch(() => 0);
    await until(async () => (await counted()) === count, `${kind}: a fleet of ${count}`);
  }
}

// Until `room` on `node` gets what others send: only where rooms have channels of their own does that take time.
export async function reachable(redis, { mode, prefix = 'socket.io' }, room, { nsp = '/', listeners = 1 } = {}) {
  const { subscriptionMode = 'static' } = MODES[mode];
  if (subscriptionMode === 'static') return;
  const channel = `${prefix}#${nsp}#${room}#`;
  await until(async () => (await redis.listeners(channel, 'SHARDNUMSUB')) >= listeners, `a channel for ${room}`);
}

// A client of a node, with the node's socket for it.
export async function member(node, { nsp = '/', ...options } = {}) {
  const namespace = node.io.of(nsp);
  const arrived = event(namespace, 'connection');
  const client = await connect(node.url + nsp, options);
  const [socket] = await arrived;
  return { client, socket, node };
}

// Puts members into rooms, until others reach them there.
export async function enter(redis, members, ...rooms) {
  for (const { socket } of members) await socket.join(rooms);
  const nodes = [...new Set(members.map(({ node }) => node))];
  for (const room of rooms) await reachable(redis, nodes[0], room, { listeners: nodes.length });
}
