//! Changes and answers of other nodes in an event.

use kraken_ws_core::ClusterChange;

use super::read::{read, read_text};
use super::{HostEvent, kraken_ws_event};
use crate::border::kraken_ws_str;

/// A change of the connection to the other nodes.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum kraken_ws_cluster_change {
    /// The event is not about this connection.
    None = 0,
    /// Redis is connected, and all subscriptions are confirmed.
    Up = 1,
    /// Redis is not connected: `kraken_ws_event_reason_text` says why. Local clients are served, and the node keeps
    /// reconnecting.
    Down = 2,
    /// Messages for other nodes are lost or unconfirmed: `kraken_ws_event_lost` counts them.
    Lost = 3,
}

/// A change of the connection to the other nodes.
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

/// Number of messages lost since the last event of this kind.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_lost(event: *const kraken_ws_event) -> u64 {
    let lost = |event: &HostEvent| match event.cluster {
        Some(ClusterChange::Lost { publishes }) => publishes,
        _ => 0,
    };
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, lost) }
}

/// Number of other nodes that did not answer in time, of a `BROADCAST_ACK` or a `SERVER_SIDE_ACK`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_missing(event: *const kraken_ws_event) -> usize {
    // SAFETY: the event is as the header asks for.
    unsafe { read(event, 0, |event| event.missing) }
}

/// Name of a node that did not answer a `SERVER_SIDE_ACK`, empty beyond the last name that is known.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_missing_node(
    event: *const kraken_ws_event,
    at: usize,
) -> kraken_ws_str {
    // SAFETY: the event is as the header asks for.
    unsafe { read_text(event, |event| event.missing_nodes.get(at).map_or("", |name| name)) }
}
