//! Redis connections for pub/sub that reports the fate of each publish. A written publish is never written again,
//! reading pauses while the node lags, sharded channels follow their slots, and a broken connection loses only what
//! was in flight on it.
//!
//! | file | what it holds |
//! |---|---|
//! | `bus` | [`Bus`]: publish, subscribe and count |
//! | `config`, `settings`, `address`, `tls`, `dial` | where Redis is, checked at start, and how sockets are opened |
//! | `resp`, `batch` | the wire protocol |
//! | `connection`, `target` | one connection: connect and log in, to a server, a sentinel's master or a cluster node |
//! | `link`, `backoff`, `pulse` | reconnecting, delays between attempts, heartbeats |
//! | `publisher`, `outgoing` | the publishing connection, and the state of each publish |
//! | `subscriber`, `subscriptions`, `lag` | the subscribing connection, the state of each subscription, the limit of unprocessed messages |
//! | `topology`, `slot` | Redis Cluster: nodes and slots |
//! | `health`, `shared` | up or down, and the state that all tasks share |

mod address;
mod backoff;
mod batch;
mod bus;
mod config;
mod connection;
mod dial;
mod error;
mod health;
mod lag;
mod link;
mod outgoing;
mod publisher;
mod pulse;
mod resp;
mod settings;
mod shared;
mod slot;
mod subscriber;
mod subscriptions;
mod target;
#[cfg(test)]
mod tests;
#[cfg_attr(not(feature = "tls"), path = "tls_absent.rs")]
mod tls;
mod topology;
#[cfg(test)]
mod yardstick;

pub use bus::{Bus, BusEvent, Counters, Panic, Subscription};
pub use config::{Config, Overflow, Servers, Tls};
pub use dial::{Dial, Dialed, Duplex};
pub use error::{Error, ErrorKind, Result};
pub use lag::HeldBytes;

/// What the fuzz targets of `kraken-ws-core` call. Not part of the interface.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::resp::{Value, take};
}
