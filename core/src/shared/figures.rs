//! Figures: one table, from which Rust's [`Stats`], C's `kraken_ws_stats`, TypeScript's `ServerStats` and the page
//! `docs/figures.md` are made (`make generated`).

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{self, Relaxed};

use crate::shared::core::Core;

/// What a figure can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FigureKind {
    /// It only rises.
    Counter,
    /// It rises and falls.
    Gauge,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Figure {
    /// The field of [`Stats`].
    pub name: &'static str,
    /// What it can do.
    pub kind: FigureKind,
    /// What it says.
    pub about: &'static str,
}

/// The table: figures that each shard counts, and those that are read when somebody asks.
macro_rules! figures {
    (
        shards { $($(#[doc = $shard_about:literal])+ $shard:ident: $shard_kind:ident;)+ }
        server { $($(#[doc = $about:literal])+ $name:ident: $kind:ident = $read:expr;)+ }
    ) => {
        /// Counters of one shard. Only the shard writes them, so a plain load and store is enough.
        #[derive(Default)]
        pub(crate) struct ShardStats {
            $(pub $shard: Counter,)+
            /// HTTP connections and WebSockets, by which clients can be heard.
            pub wires: Counter,
        }

        /// A snapshot over all shards.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            $($(#[doc = $shard_about])+ pub $shard: u64,)+
            $($(#[doc = $about])+ pub $name: u64,)+
        }

        impl Stats {
            pub(crate) fn of(core: &Core) -> Self {
                let sum = |counter: fn(&ShardStats) -> &Counter| {
                    core.shards.iter().map(|shard| counter(&shard.stats).get()).sum()
                };
                Self {
                    $($shard: sum(|stats| &stats.$shard),)+
                    $($name: { let read: fn(&Core) -> u64 = $read; read(core) },)+
                }
            }

            /// The figures in the order of [`FIGURES`].
            pub fn values(&self) -> Vec<u64> {
                vec![$(self.$shard,)+ $(self.$name,)+]
            }
        }

        /// Every figure of [`Stats`], in its order.
        pub const FIGURES: &[Figure] = &[
            $(Figure {
                name: stringify!($shard),
                kind: FigureKind::$shard_kind,
                about: concat!($($shard_about),+).trim_ascii(),
            },)+
            $(Figure {
                name: stringify!($name),
                kind: FigureKind::$kind,
                about: concat!($($about),+).trim_ascii(),
            },)+
        ];
    };
}

figures! {
    shards {
        /// Engine connections that are open.
        connections: Gauge;
        /// Sockets: one per connection and namespace.
        sockets: Gauge;
        /// Events and acks received.
        messages_in: Counter;
        /// Packets queued for clients: one per recipient.
        messages_out: Counter;
        /// Payload bytes received.
        bytes_in: Counter;
        /// Payload bytes queued for clients.
        bytes_out: Counter;
        /// System calls that wrote to clients: several packets may leave in one.
        writes: Counter;
        /// Connections closed because they did not read.
        slow_consumers: Counter;
        /// Of `slow_consumers`: took nothing for `outboxTimeout` while more than `maxOutboxBytes` waited.
        slow_stalled: Counter;
        /// Of `slow_consumers`: more than `hardOutboxBytes` waited.
        slow_too_much: Counter;
        /// Of `slow_consumers`: made the least progress when `totalOutboxBytes` was exceeded.
        slow_over_budget: Counter;
        /// Volatile packets that were dropped.
        volatile_dropped: Counter;
    }
    server {
        /// Rooms that have a member, without those named by a socket's id.
        rooms: Gauge = |core| core.directory.len() as u64;
        /// Bytes that wait for clients which did not take them at once; a message for many counts once.
        outbox_bytes: Gauge = |core| core.outboxes.bytes() as u64;
        /// Bytes of events that wait for the host.
        host_queue_bytes: Gauge = |core| core.host.bytes() as u64;
        /// Bytes of messages that wait for a thread of the server.
        command_queue_bytes: Gauge = |core| core.shards.iter().map(|s| s.queued.load(Relaxed) as u64).sum();
        /// Bytes of answers to broadcasts with acks, and of other nodes, that are being collected.
        answer_bytes: Gauge = |core| core.answers.bytes() as u64;
        /// Answers that found no room (`maxAnswerBytes`).
        answers_refused: Counter = |core| core.answers.refused();
        /// Bytes of messages and sessions kept for clients that may come back.
        recovery_bytes: Gauge = |core| core.recovery.as_ref().map_or(0, |recovery| recovery.lock().bytes() as u64);
        /// Panics that were caught on threads of the library: each is a bug, and was logged as an error.
        panics: Counter = |core| core.host.panics.get();
        /// Milliseconds since the server was made.
        uptime_ms: Gauge = |core| core.started.elapsed().as_millis() as u64;
    }
}

/// A number with one writer.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: usize) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(n as u64), Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, n: usize) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_sub(n as u64), Ordering::Relaxed);
    }

    pub(crate) fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A figure of a source that took the place of an earlier one: a counter goes on from its value.
#[cfg(feature = "cluster")]
macro_rules! continued {
    (Counter, $past:expr, $now:expr) => {
        $past + $now
    };
    (Gauge, $past:expr, $now:expr) => {
        $now
    };
}

/// The table of a node's figures: those of its connections to Redis, and its own.
macro_rules! cluster_figures {
    (
        bus { $($(#[doc = $bus_about:literal])+ $bus:ident: $bus_kind:ident;)+ }
        node { $($(#[doc = $about:literal])+ $name:ident: $kind:ident;)+ }
    ) => {
        /// Figures of the connections to Redis. Every message that is published is in one of `published`, `lost` and
        /// `unconfirmed`, or in `queued_bytes`.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct BusStats {
            /// Connected and subscribed.
            pub up: bool,
            $($(#[doc = $bus_about])+ pub $bus: u64,)+
        }

        #[cfg(feature = "cluster")]
        impl BusStats {
            /// The figures of a bus.
            pub(crate) fn of(counters: kraken_ws_redis::Counters) -> Self {
                Self { up: counters.up, $($bus: counters.$bus,)+ }
            }

            /// The figures of this bus and of those before it, of which `past` has the totals.
            pub(crate) fn after(self, past: &BusStats) -> Self {
                Self { up: self.up, $($bus: continued!($bus_kind, past.$bus, self.$bus),)+ }
            }
        }

        /// A node's own figures while it runs. Its thread writes them, anyone may read them.
        #[cfg(feature = "cluster")]
        #[derive(Default)]
        pub(crate) struct NodeFigures {
            $(pub $name: AtomicU64,)+
        }

        #[cfg(feature = "cluster")]
        impl NodeFigures {
            /// Their values at this moment, with those of its bus.
            pub(crate) fn snapshot(&self, bus: BusStats) -> ClusterStats {
                ClusterStats { bus, $($name: self.$name.load(Relaxed),)+ }
            }
        }

        /// A snapshot of a node of a fleet.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct ClusterStats {
            /// The connections to Redis; `lost` and `queued_bytes` with the queue in front of them.
            pub bus: BusStats,
            $($(#[doc = $about])+ pub $name: u64,)+
        }

        /// Every figure of [`ClusterStats::values`], in its order.
        pub const CLUSTER_FIGURES: &[Figure] = &[
            Figure {
                name: "up",
                kind: FigureKind::Gauge,
                about: "1 while the node is connected to Redis and everything is subscribed, else 0.",
            },
            $(Figure {
                name: stringify!($bus),
                kind: FigureKind::$bus_kind,
                about: concat!($($bus_about),+).trim_ascii(),
            },)+
            $(Figure {
                name: stringify!($name),
                kind: FigureKind::$kind,
                about: concat!($($about),+).trim_ascii(),
            },)+
        ];

        impl ClusterStats {
            /// The figures in the order of [`CLUSTER_FIGURES`].
            pub fn values(&self) -> Vec<u64> {
                vec![self.bus.up.into(), $(self.bus.$bus,)+ $(self.$name,)+]
            }
        }
    };
}

cluster_figures! {
    bus {
        /// Messages published: Redis has confirmed them.
        published: Counter;
        /// Messages of other nodes that came.
        received: Counter;
        /// Messages that are lost for certain: they were too many while Redis was away, or it refused them.
        lost: Counter;
        /// Messages whose connection broke before Redis confirmed them; they may have arrived, and are not sent again.
        unconfirmed: Counter;
        /// Connections to Redis made anew.
        reconnects: Counter;
        /// How often the node was cut off after it had been connected: what others sent meanwhile it has not heard.
        gaps: Counter;
        /// For how many milliseconds altogether.
        gap_ms: Counter;
        /// Bytes of messages that wait for Redis, to be written or to be confirmed.
        queued_bytes: Gauge;
    }
    node {
        /// Nodes in the fleet that Redis counted last, this one included; 0 before the first count.
        nodes: Gauge;
        /// Messages that can't be read.
        malformed: Counter;
        /// Messages for a room without a member here, dropped before they were decoded.
        dropped_no_room: Counter;
        /// Messages of other nodes that were read.
        foreign: Counter;
        /// Messages of other nodes that are lost because this node had no room for them in time.
        lost_here: Counter;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_are_those_of_the_fields_in_the_order_of_the_table() {
        let stats = Stats { connections: 1, volatile_dropped: 2, rooms: 3, uptime_ms: 4, ..Stats::default() };
        let named: Vec<_> =
            FIGURES.iter().zip(stats.values()).filter(|(_, v)| *v > 0).map(|(f, v)| (f.name, v)).collect();
        assert_eq!(named, [("connections", 1), ("volatile_dropped", 2), ("rooms", 3), ("uptime_ms", 4)]);
        assert_eq!(FIGURES.len(), stats.values().len());
        assert_eq!(CLUSTER_FIGURES.len(), ClusterStats::default().values().len());
    }
}
