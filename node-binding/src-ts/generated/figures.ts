// Written from tables in Rust by `make generated`; edits are lost.

/** Figures of a server. */
export interface ServerFigures {
  /** Engine connections that are open. */
  connections: number;
  /** Sockets: one per connection and namespace. */
  sockets: number;
  /** Events and acks received. */
  messagesIn: number;
  /** Packets queued for clients: one per recipient. */
  messagesOut: number;
  /** Payload bytes received. */
  bytesIn: number;
  /** Payload bytes queued for clients. */
  bytesOut: number;
  /** System calls that wrote to clients: several packets may leave in one. */
  writes: number;
  /** Connections closed because they did not read. */
  slowConsumers: number;
  /** Of `slow_consumers`: took nothing for `outboxTimeout` while more than `maxOutboxBytes` waited. */
  slowStalled: number;
  /** Of `slow_consumers`: more than `hardOutboxBytes` waited. */
  slowTooMuch: number;
  /** Of `slow_consumers`: made the least progress when `totalOutboxBytes` was exceeded. */
  slowOverBudget: number;
  /** Volatile packets that were dropped. */
  volatileDropped: number;
  /** Rooms that have a member, without those named by a socket's id. */
  rooms: number;
  /** Bytes that wait for clients which did not take them at once; a message for many counts once. */
  outboxBytes: number;
  /** Bytes of events that wait for the host. */
  hostQueueBytes: number;
  /** Bytes of messages that wait for a thread of the server. */
  commandQueueBytes: number;
  /** Bytes of answers to broadcasts with acks, and of other nodes, that are being collected. */
  answerBytes: number;
  /** Answers that found no room (`maxAnswerBytes`). */
  answersRefused: number;
  /** Bytes of messages and sessions kept for clients that may come back. */
  recoveryBytes: number;
  /** Panics that were caught on threads of the library: each is a bug, and was logged as an error. */
  panics: number;
  /** Milliseconds since the server was made. */
  uptimeMs: number;
}

/** The figures behind the addon's values; a value that is missing is 0. */
export function serverFigures(values: readonly number[]): ServerFigures {
  return {
    connections: values[0] ?? 0,
    sockets: values[1] ?? 0,
    messagesIn: values[2] ?? 0,
    messagesOut: values[3] ?? 0,
    bytesIn: values[4] ?? 0,
    bytesOut: values[5] ?? 0,
    writes: values[6] ?? 0,
    slowConsumers: values[7] ?? 0,
    slowStalled: values[8] ?? 0,
    slowTooMuch: values[9] ?? 0,
    slowOverBudget: values[10] ?? 0,
    volatileDropped: values[11] ?? 0,
    rooms: values[12] ?? 0,
    outboxBytes: values[13] ?? 0,
    hostQueueBytes: values[14] ?? 0,
    commandQueueBytes: values[15] ?? 0,
    answerBytes: values[16] ?? 0,
    answersRefused: values[17] ?? 0,
    recoveryBytes: values[18] ?? 0,
    panics: values[19] ?? 0,
    uptimeMs: values[20] ?? 0,
  };
}

/** Figures of a server's part in its fleet. */
export interface ClusterFigures {
  /** 1 while the node is connected to Redis and everything is subscribed, else 0. */
  up: number;
  /** Messages published: Redis has confirmed them. */
  published: number;
  /** Messages of other nodes that came. */
  received: number;
  /** Messages that are lost for certain: they were too many while Redis was away, or it refused them. */
  lost: number;
  /** Messages whose connection broke before Redis confirmed them; they may have arrived, and are not sent again. */
  unconfirmed: number;
  /** Connections to Redis made anew. */
  reconnects: number;
  /** How often the node was cut off after it had been connected: what others sent meanwhile it has not heard. */
  gaps: number;
  /** For how many milliseconds altogether. */
  gapMs: number;
  /** Bytes of messages that wait for Redis, to be written or to be confirmed. */
  queuedBytes: number;
  /** Nodes in the fleet that Redis counted last, this one included; 0 before the first count. */
  nodes: number;
  /** Messages that can't be read. */
  malformed: number;
  /** Messages for a room without a member here, dropped before they were decoded. */
  droppedNoRoom: number;
  /** Messages of other nodes that were read. */
  foreign: number;
  /** Messages of other nodes that are lost because this node had no room for them in time. */
  lostHere: number;
}

/** The figures behind the addon's values; a value that is missing is 0. */
export function clusterFigures(values: readonly number[]): ClusterFigures {
  return {
    up: values[0] ?? 0,
    published: values[1] ?? 0,
    received: values[2] ?? 0,
    lost: values[3] ?? 0,
    unconfirmed: values[4] ?? 0,
    reconnects: values[5] ?? 0,
    gaps: values[6] ?? 0,
    gapMs: values[7] ?? 0,
    queuedBytes: values[8] ?? 0,
    nodes: values[9] ?? 0,
    malformed: values[10] ?? 0,
    droppedNoRoom: values[11] ?? 0,
    foreign: values[12] ?? 0,
    lostHere: values[13] ?? 0,
  };
}
