// Written from tables in Rust by `make generated`; edits are lost.

/** `code` of errors that come from the core. */
export type CoreErrorCode =
  | 'ERR_KRAKEN_WS_OPTION'
  | 'ERR_KRAKEN_WS_LISTEN'
  | 'ERR_KRAKEN_WS_TLS'
  | 'ERR_KRAKEN_WS_CLOSED'
  | 'ERR_KRAKEN_WS_PAYLOAD'
  | 'ERR_KRAKEN_WS_ADOPT'
  | 'ERR_KRAKEN_WS_QUEUE_FULL'
  | 'ERR_KRAKEN_WS_SYSTEM'
  | 'ERR_KRAKEN_WS_NAME'
  | 'ERR_KRAKEN_WS_ARGUMENT'
  | 'ERR_KRAKEN_WS_UNSUPPORTED'
  | 'ERR_KRAKEN_WS_LOAD'
  | 'ERR_KRAKEN_WS_INTERNAL'
  | 'ERR_KRAKEN_WS_TIMEOUT'
  | 'ERR_KRAKEN_WS_GONE'
  | 'ERR_KRAKEN_WS_STATE'
  | 'ERR_KRAKEN_WS_FORKED'
  | 'ERR_KRAKEN_WS_MODULE'
  | 'ERR_KRAKEN_WS_BUSY'
  | 'ERR_KRAKEN_WS_REDIS'
  | 'ERR_KRAKEN_WS_FEATURE';

/** Why a socket ended. Beside socket.io's words stand ours: `slow consumer`, a client that took too little of what
 *  waited for it. */
export type DisconnectReason =
  | 'transport close'
  | 'transport error'
  | 'ping timeout'
  | 'parse error'
  | 'forced close'
  | 'forced server close'
  | 'client namespace disconnect'
  | 'server namespace disconnect'
  | 'server shutting down'
  | 'slow consumer';

/** Reasons after which a client may come back to its socket. */
export const RECOVERABLE: ReadonlySet<DisconnectReason> = new Set([
  'transport close',
  'transport error',
  'ping timeout',
  'forced close',
  'forced server close',
  'server shutting down',
]);

/** Reasons that end one socket; with all others the connection is gone. */
export const ENDS_SOCKET: ReadonlySet<DisconnectReason> = new Set([
  'client namespace disconnect',
  'server namespace disconnect',
]);

/** Socket.IO's own reasons: engine.io calls them all `forced close`. */
export const OF_SOCKET_IO: ReadonlySet<DisconnectReason> = new Set([
  'forced server close',
  'client namespace disconnect',
  'server namespace disconnect',
  'server shutting down',
]);

/** Codes with which the engine refuses requests. */
export const errors = {
  UNKNOWN_TRANSPORT: 0,
  UNKNOWN_SID: 1,
  BAD_HANDSHAKE_METHOD: 2,
  BAD_REQUEST: 3,
  FORBIDDEN: 4,
  UNSUPPORTED_PROTOCOL_VERSION: 5,
};

/** Messages by code. */
export const errorMessages = {
  0: 'Transport unknown',
  1: 'Session ID unknown',
  2: 'Bad handshake method',
  3: 'Bad request',
  4: 'Forbidden',
  5: 'Unsupported protocol version',
};
