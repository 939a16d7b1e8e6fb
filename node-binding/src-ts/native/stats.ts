// Figures of a server, as `io.stats()` gives them.

/** Figures of a running server. */
export interface ServerStats {
  /** Engine connections that are open. */
  connections: number;
  /** Sockets: one per connection and namespace. */
  sockets: number;
  /** Rooms with at least one member, without the sockets' own rooms. */
  rooms: number;
  /** Events and acks received since the start. */
  messagesIn: number;
  /** Packets queued for clients since the start, one per recipient. */
  messagesOut: number;
  /** Payload bytes received since the start. */
  bytesIn: number;
  /** Payload bytes queued for clients since the start. */
  bytesOut: number;
  /** Connections closed because they did not read. */
  slowConsumers: number;
  /** Of these: took nothing for `outboxTimeout` while more than `maxOutboxBytes` waited. */
  slowStalled: number;
  /** Of these: more than `hardOutboxBytes` waited. */
  slowTooMuch: number;
  /** Of these: made the least progress when `totalOutboxBytes` was exceeded. */
  slowOverBudget: number;
  /** Volatile packets that were dropped. */
  volatileDropped: number;
  /** Bytes that wait for clients which did not take them at once; a message for many counts once. */
  outboxBytes: number;
  /** Bytes of events that wait for JavaScript. */
  hostQueueBytes: number;
  /** Bytes of messages that wait for a thread of the core. */
  commandQueueBytes: number;
  /** Bytes of answers to broadcasts with acknowledgements, and of other nodes, that are being collected. */
  answerBytes: number;
  /** Answers that found no room (`maxAnswerBytes`). */
  answersRefused: number;
  /** Panics that were caught in the native code: each is a bug of this package. */
  panics: number;
  /** Bytes of messages and sessions kept for clients that may come back. */
  recoveryBytes: number;
  /** Milliseconds since the server was made. */
  uptimeMs: number;
  /** What the modules of `io.loadModule` have done, in the order in which they were loaded. */
  modules: ModuleStats[];
  /** The connection to the other nodes; with the option `cluster`. */
  cluster?: ClusterStats;
}

/** Figures of a module. */
export interface ModuleStats {
  /** The name that it gave itself, or its file's. */
  name: string;
  /** The file. */
  path: string;
  /** Calls of its functions. */
  calls: number;
  /** Events that it kept to itself. */
  dropped: number;
  /** Events that it changed. */
  replaced: number;
  /** Clients that it turned away. */
  rejected: number;
}

/** Figures of a server's part in its fleet. */
export interface ClusterStats {
  /** Connected to Redis, and everything is subscribed. */
  up: boolean;
  /** Nodes in the fleet that Redis counted last, this one included; 0 before the first count. */
  nodes: number;
  /** Messages published since the start. */
  published: number;
  /** Messages of other nodes that came. */
  received: number;
  /** Messages that did not reach Redis: they were too many while it was away, or it refused them. */
  lost: number;
  /** Messages whose connection broke before Redis confirmed them; they may have arrived, and are not sent again. */
  unconfirmed: number;
  /** Messages of other nodes that this one had no room for in time. */
  lostHere: number;
  /** Connections to Redis made anew. */
  reconnects: number;
  /** How often this node was cut off from Redis after it had been connected: what others sent meanwhile it has not heard. */
  gaps: number;
  /** For how many milliseconds altogether. */
  gapMs: number;
  /** Bytes of messages that wait for Redis. */
  queuedBytes: number;
  /** Messages that nobody could read. */
  malformed: number;
  /** Messages for rooms that have no member here: dropped unread. */
  droppedNoRoom: number;
}

/** Figures of a server that is not running. */
export const NO_FIGURES: ServerStats = {
  connections: 0, sockets: 0, rooms: 0, messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0,
  slowConsumers: 0, slowStalled: 0, slowTooMuch: 0, slowOverBudget: 0, outboxBytes: 0, answerBytes: 0, answersRefused: 0,
  panics: 0, volatileDropped: 0, hostQueueBytes: 0, commandQueueBytes: 0, recoveryBytes: 0, uptimeMs: 0,
  modules: [],
};
