// The targets that kraken-ws-native is held to, checked on every full run.

const node = 'native';

/** `value` and `limit` read from `get(peer, shape)`, which is that run's report or undefined. */
const targets = [
  cpu('burst-1000', 0.6),
  cpu('burst-8000', 1.2),
  cpu('burst-1000', 0.6, 'native-bridge'),
  cpu('burst-8000', 1.2, 'native-bridge'),
  againstUws('paced-1000'),
  againstUws('paced-5000'),
  memory('native-rust', 3),
  memory(node, 8),
  ...[10, 1000, 8000].map((members) => ({
    name: `sendToRoom to ${members} members, µs`,
    value: (get) => get(node, 'emit')?.emitCost.find((row) => row.members === members)?.meanUs,
    limit: () => 5,
  })),
  {
    name: 'host loop lag during the 1000 × 200 burst, ms',
    value: (get) => get(node, 'burst-1000')?.lagMaxMs,
    limit: () => 10,
  },
  {
    name: 'CPU per connect with a Node handler, µs',
    value: (get) => get(node, 'connect')?.cpuUs,
    limit: () => 150,
  },
  ...echoAgainstUws(node, ''),
  ...echoAgainstUws('native-bridge', ', with the bridge'),
  {
    name: 'two nodes, burst: deliveries for the CPU that socket.io with its Redis adapter takes, ×',
    value: (get) => {
      const [theirs, ours] = ['socket.io', node].map((peer) => get(peer, 'fleet-burst')?.cpuUs);
      return theirs && ours && theirs / ours;
    },
    limit: () => 5,
    atLeast: true,
  },
  {
    name: 'CPU of a node without the room per foreign message, classic, µs',
    value: (get) => get(node, 'foreign')?.otherNodeUs,
    limit: () => 2,
  },
  {
    name: 'CPU of a node without the room per foreign message, sharded, µs',
    value: (get) => get(node, 'foreign-sharded')?.otherNodeUs,
    limit: () => 0.1,
  },
  {
    name: 'kraken_ws_send_to_room with eight threads at it, µs of the calling thread',
    value: (get, c) => (c?.refused === 0 ? c.allUs : undefined),
    limit: () => 2,
  },
  {
    name: 'echo CPU through a NestJS gateway, µs, below socket.io',
    value: (get) => get(node, 'nest')?.cpuUs,
    limit: (get) => get('socket.io', 'nest')?.cpuUs,
  },
];

function echoAgainstUws(peer, what) {
  return [
    {
      name: `echo CPU, µs, below socket.io on uWebSockets.js${what}`,
      value: (get) => get(peer, 'echo')?.cpuUs,
      limit: (get) => get('socket.io-uws', 'echo')?.cpuUs,
    },
    {
      name: `echo round trips per second, above socket.io on uWebSockets.js${what}`,
      value: (get) => get(peer, 'echo')?.messagesPerSecond,
      limit: (get) => get('socket.io-uws', 'echo')?.messagesPerSecond,
      atLeast: true,
    },
  ];
}

function cpu(shape, limit, peer = node) {
  const name = `${shape}: CPU per delivery, µs${peer === node ? '' : ', with the bridge'}`;
  return { name, value: (get) => get(peer, shape)?.cpuUs, limit: () => limit };
}

function againstUws(shape) {
  return {
    name: `${shape}: CPU per delivery, µs, against raw uWebSockets.js × 1.15`,
    value: (get) => get(node, shape)?.cpuUs,
    limit: (get) => get('uws', shape) && get('uws', shape).cpuUs * 1.15,
  };
}

function memory(peer, limit) {
  return {
    name: `KiB per idle connection, ${peer === node ? 'Node host with a handler' : 'Rust host'}`,
    value: (get) => get(peer, 'idle')?.kibPerConnection,
    limit: () => limit,
  };
}

/** One row per target that this run can judge: `{ name, value, limit, met }`. */
export function judge(get, c) {
  return targets
    .map(({ name, value, limit, atLeast }) => ({ name, value: value(get, c), limit: limit(get), atLeast }))
    .filter((row) => row.value !== undefined && row.limit !== undefined)
    .map((row) => ({ ...row, met: row.atLeast ? row.value >= row.limit : row.value <= row.limit }));
}
