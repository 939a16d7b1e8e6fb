//! Engine.IO sessions: WebSocket, long-polling, upgrade, outbox. Protocol 4, and 3 with `allowEIO3`. Sources:
//! Engine.IO protocol v4 and v3, RFC 6455, RFC 7692.

pub(crate) mod backpressure;
pub(crate) mod budget;
pub(crate) mod frame;
pub(crate) mod outbox;
pub(crate) mod response;
pub(crate) mod transport;
pub(crate) mod verify;
