//! What an event says of other nodes.

use kraken_ws_core::ClusterChange;

use super::read::{read, read_text};
use super::{HostEvent, kraken_ws_event};
use crate::border::kraken_ws_str;

/// What happened to the connection to the other nodes.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum kraken_ws_cluster_change {
    /// The event is not about it.
    None = 0,
    /// Connected to Redis, and everything is subscribed.
    Up = 1,
    /// Not connected any more, or not yet: `kraken_ws_event_reason_text`. Local clients are served, and it is tried again.
    Down = 2,
    /// Messages for other nodes did not, or perhaps did not, leave this one: `kraken_ws_event_lost`.
    Lost = 3,
}

/// What happened to the connection to the other nodes.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_cluster_change(
    event: *const kraken_ws_event,
) -> kraken_ws_cluster_change {
    use kraken_ws_cluster_change as Change;
    let change = |event: &HostEvent| match &event.cluster {
        Some(ClusterChange::Up) => Change::Up,
        Some(ClusterChange::Down { .. }) => Change::Down,
        Some(ClusterChange::Lost { .. }) => Change::Lost,
        _ => Change::None,
    };
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, Change::None, change) }
}

/// How many messages were lost since the last such event.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_lost(event: *const kraken_ws_event) -> u64 {
    let lost = |event: &HostEvent| match event.cluster {
        Some(ClusterChange::Lost { publishes }) => publishes,
        _ => 0,
    };
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, lost) }
}

/// Of a `BROADCAST_ACK` or a `SERVER_SIDE_ACK`: how many other nodes did not answer in time.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_missing(event: *const kraken_ws_event) -> usize {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, |event| event.missing) }
}

/// Of a `SERVER_SIDE_ACK`: the name of a node that did not answer, empty beyond the last one that is known by name.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_missing_node(
    event: *const kraken_ws_event,
    at: usize,
) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read_text(event, |event| event.missing_nodes.get(at).map_or("", |name| name)) }
}
