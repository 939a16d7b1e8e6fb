//! Engine.IO sessions: WebSocket, long-polling, upgrade, outbox. Protocol 4, and 3 behind `allowEIO3`.
//! Source: Engine.IO protocol v4 and v3, RFC 6455, RFC 7692.

pub(crate) mod conn;
#[cfg(feature = "compression")]
pub mod deflate;
pub(crate) mod frame;
pub(crate) mod http;
pub(crate) mod outbox;
pub mod payload;
pub mod query;
pub(crate) mod respond;
pub(crate) mod sid;
pub mod ws;

#[cfg(not(feature = "compression"))]
pub(crate) use crate::without::deflate;
