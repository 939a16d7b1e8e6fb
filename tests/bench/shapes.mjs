// The shapes of load with their sizes. `quick` is for seeing that all of it works; its numbers are too noisy to keep.
// A shape with `servers` runs those instead of the peers' own, and no other peers.

export const shapes = [
  {
    id: 'burst-1000',
    kind: 'fanout',
    title: 'Fan-out burst: 200 messages at once to a room of 1000',
    unit: 'delivery',
    load: { clients: 1000, messages: 200, rounds: 7 },
    quick: { rounds: 2 },
  },
  {
    id: 'burst-8000',
    kind: 'fanout',
    title: 'Fan-out burst: 20 messages at once to a room of 8000',
    unit: 'delivery',
    load: { clients: 8000, messages: 20, rounds: 7 },
    quick: { clients: 2000, rounds: 2 },
  },
  {
    id: 'paced-1000',
    kind: 'fanout',
    title: 'Fan-out paced: one message every 10 ms to a room of 1000',
    unit: 'delivery',
    load: { clients: 1000, messages: 400, 'every-ms': 10, rounds: 2 },
    quick: { messages: 50, rounds: 1 },
  },
  {
    id: 'paced-5000',
    kind: 'fanout',
    title: 'Fan-out paced: one message every 100 ms to a room of 5000',
    unit: 'delivery',
    load: { clients: 5000, messages: 40, 'every-ms': 100, rounds: 2 },
    quick: { clients: 1000, messages: 10, rounds: 1 },
  },
  {
    id: 'echo',
    kind: 'echo',
    title: 'Echo with acknowledgement: 100 clients, 10 in flight each',
    unit: 'round trip',
    load: { clients: 100, messages: 200_000, 'in-flight': 10, rounds: 3 },
    quick: { messages: 20_000, rounds: 1 },
  },
  {
    id: 'nest',
    kind: 'echo',
    title: 'The same through a NestJS gateway',
    unit: 'round trip',
    load: { clients: 100, messages: 100_000, 'in-flight': 10, rounds: 3 },
    quick: { messages: 10_000, rounds: 1 },
    // Adapters of Nest: the other peers have none.
    servers: { 'socket.io': ['nest.mjs', 'socket.io'], native: ['nest.mjs', 'server'] },
  },
  {
    id: 'connect',
    kind: 'connect',
    title: 'Connect: 4000 connections, 64 at a time, up to the connection handler',
    unit: 'connection',
    load: { clients: 4000, rounds: 3 },
    quick: { clients: 500, rounds: 1 },
  },
  {
    id: 'idle',
    kind: 'idle',
    title: 'Idle: memory of 5000 silent connections that are in a room',
    unit: 'connection',
    load: { clients: 5000 },
    quick: { clients: 1000 },
  },
  {
    id: 'emit',
    kind: 'emit',
    title: 'The emit call: time it takes from its caller, by members of the room',
    unit: 'call',
    load: { clients: 8000, rounds: 2 },
    quick: { clients: 2000, rounds: 1 },
  },
];
