//! The other nodes of a fleet, as a server sees them.

use std::mem::offset_of;
use std::time::Duration;

use kraken_ws_core::{ClusterOptions, ClusterStats, Error, ErrorCode, Fleet};

use crate::asks::{aside, block_on};
use crate::options::parse;
use crate::payload::message;
use crate::server::{kraken_ws_server, with, with_open};
use crate::status::{call, kraken_ws_status, value};
use crate::text::{bad, buffers, kraken_ws_bytes, kraken_ws_str, out, text};

/// A time-out of a call; 0 is that of the option `cluster.requestsTimeout`.
pub(crate) fn timeout(ms: u32) -> Option<Duration> {
    (ms > 0).then(|| Duration::from_millis(ms.into()))
}

/// Makes a server a node of a fleet while it runs; `options` is the JSON object of the option `cluster`, which does the same
/// from the start.
///
/// Errors: `STATE` (it is one already), `OPTION`, `PAYLOAD` (no JSON), `REDIS` (with `waitForRedis`), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_join_cluster(
    server: *mut kraken_ws_server,
    options: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: handle and text are as the header asks for.
    call(|| unsafe {
        let options = ClusterOptions::from_json(&parse(text(options, "options")?, "options")?)?;
        with_open(server, |host| {
            let server = host.server.clone();
            aside(move || server.join_cluster(options))
        })
    })
}

/// Counts the servers of the fleet, this one included; 1 without a fleet. Waits for Redis.
///
/// Errors: `REDIS` (no answer), `NAME` (no such namespace), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_server_count(
    server: *mut kraken_ws_server,
    nsp: kraken_ws_str,
    count: *mut usize,
) -> kraken_ws_status {
    // SAFETY: handle, text and result are as the header asks for.
    call(|| unsafe {
        let (nsp, count) = (text(nsp, "nsp")?, out(count, "count")?);
        with_open(server, |host| {
            let namespace = host.namespaces.get(nsp)?.1;
            count.write(block_on(host.server.server_count(&namespace))?);
            Ok(())
        })
    })
}

#[repr(C)] // `magic` stands first, as in every handle
/// What `kraken_ws_server_fleet_rooms` found.
pub struct kraken_ws_room_list {
    magic: u64,
    fleet: Fleet<Vec<Box<str>>>,
}

const MAGIC: u64 = 0x6b72_616b_656e_726c;

/// # Safety
/// Null, or a list that was not freed.
unsafe fn get<'a>(list: *const kraken_ws_room_list) -> Option<&'a kraken_ws_room_list> {
    if list.is_null() || !list.is_aligned() {
        return None;
    }
    // SAFETY: the caller's promise; the magic number catches a handle of another kind.
    Some(unsafe { &*list }).filter(|list| list.magic == MAGIC)
}

/// Finds the rooms of all nodes, those named by the ids of sockets included, each once. Waits for the other nodes, up to
/// `cluster.requestsTimeout`: not for a callback. Free the list with `kraken_ws_room_list_free`.
///
/// Errors: `NAME` (no such namespace), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_fleet_rooms(
    server: *mut kraken_ws_server,
    nsp: kraken_ws_str,
    list: *mut *mut kraken_ws_room_list,
) -> kraken_ws_status {
    // SAFETY: handle, text and result are as the header asks for.
    call(|| unsafe {
        let list = out(list, "list")?;
        list.write(std::ptr::null_mut());
        let nsp = text(nsp, "nsp")?;
        with_open(server, |host| {
            let namespace = host.namespaces.get(nsp)?.1;
            let fleet = block_on(host.server.fleet_rooms(&namespace));
            list.write(Box::into_raw(Box::new(kraken_ws_room_list { magic: MAGIC, fleet })));
            Ok(())
        })
    })
}

/// How many rooms are in the list.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_room_list_len(list: *const kraken_ws_room_list) -> usize {
    // SAFETY: the list is as the header asks for.
    value(0, || unsafe { get(list) }.map_or(0, |list| list.fleet.answers.len()))
}

/// One room of the list, empty beyond the last. It lives as long as the list.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_room_list_get(
    list: *const kraken_ws_room_list,
    at: usize,
) -> kraken_ws_str {
    value(kraken_ws_str::EMPTY, || {
        // SAFETY: the list is as the header asks for.
        let room = unsafe { get(list) }.and_then(|list| list.fleet.answers.get(at));
        room.map_or(kraken_ws_str::EMPTY, |room| kraken_ws_str::view(room))
    })
}

/// How many nodes did not answer in time: their rooms are not in the list.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_room_list_missing(list: *const kraken_ws_room_list) -> usize {
    // SAFETY: the list is as the header asks for.
    value(0, || unsafe { get(list) }.map_or(0, |list| list.fleet.missing))
}

/// Frees a list; null is fine.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_room_list_free(list: *mut kraken_ws_room_list) {
    value((), || {
        // SAFETY: a pointer that passes `get` came from `Box::into_raw` and is freed once by contract.
        unsafe {
            if get(list).is_some() {
                (*list).magic = 0;
                drop(Box::from_raw(list));
            }
        }
    });
}

/// Sends an event to the hosts of the other nodes, which get it as `SERVER_SIDE`, or as `io.on(event)` in JavaScript.
/// Payload, attachments and flags are as in `kraken_ws_server_publish`. Without a fleet nobody hears it.
///
/// Errors: `PAYLOAD`, `NAME` (no such namespace, or a reserved event name), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_server_side_emit(
    server: *mut kraken_ws_server,
    nsp: kraken_ws_str,
    event: kraken_ws_str,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
    flags: u32,
) -> kraken_ws_status {
    // SAFETY: handle, texts and buffers are as the header asks for.
    call(|| unsafe {
        let nsp = text(nsp, "nsp")?;
        let data = message(text(event, "event")?, text(payload, "payload")?, flags)?;
        let buffers = buffers(attachments, attachments_len)?;
        with_open(server, |host| {
            host.namespaces.with(nsp, |namespace, _| host.server.server_side_emit(namespace, &data, buffers))
        })
    })
}

/// `kraken_ws_server_server_side_emit` with answers: an event of the kind `SERVER_SIDE_ACK` brings those that came within
/// `timeout_ms` (0: `cluster.requestsTimeout`), one argument of each node, and says who did not answer. Its number goes to
/// `*ack_id`.
///
/// Errors: those of `kraken_ws_server_server_side_emit`, `STATE` (the server is Node's, and a module asks).
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_server_side_emit_with_ack(
    server: *mut kraken_ws_server,
    nsp: kraken_ws_str,
    event: kraken_ws_str,
    payload: kraken_ws_str,
    attachments: *const kraken_ws_bytes,
    attachments_len: usize,
    flags: u32,
    timeout_ms: u32,
    ack_id: *mut u64,
) -> kraken_ws_status {
    // SAFETY: handle, texts, buffers and result are as the header asks for.
    call(|| unsafe {
        let (nsp, ack_id) = (text(nsp, "nsp")?, out(ack_id, "ack_id")?);
        let data = message(text(event, "event")?, text(payload, "payload")?, flags)?;
        let buffers = buffers(attachments, attachments_len)?;
        with_open(server, |host| {
            host.own("server_side_emit_with_ack")?;
            let namespace = host.namespaces.get(nsp)?.1;
            let (asked, id) = (host.server.clone(), host.server.next_ack_id());
            // Before the answer can come.
            ack_id.write(id);
            let ask = Box::pin(async move {
                asked.server_side_emit_with_ack(&namespace, &data, buffers, timeout(timeout_ms)).await
            });
            host.asks.add(id, ask, &host.inbox.wake)
        })
    })
}

/// Figures of a node of a fleet, or of an emitter. Set `size` to `sizeof(kraken_ws_cluster_stats)` before the call; a
/// version that knows fewer members leaves the others as they are.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_cluster_stats {
    /// `sizeof(kraken_ws_cluster_stats)`.
    pub size: usize,
    /// 1 while connected to Redis and subscribed, else 0.
    pub up: u64,
    /// Nodes that Redis counted last, this one included; 0 before the first count.
    pub nodes: u64,
    /// Messages published.
    pub published: u64,
    /// Messages that came.
    pub received: u64,
    /// Publishes that are lost for certain.
    pub lost: u64,
    /// Publishes whose connection broke before Redis confirmed them; they are not sent again.
    pub unconfirmed: u64,
    /// Connections made anew.
    pub reconnects: u64,
    /// Bytes of publishes that wait.
    pub queued_bytes: u64,
    /// Messages that can't be read.
    pub malformed: u64,
    /// Messages for a room without a member here, dropped before they were decoded.
    pub dropped_no_room: u64,
    /// Messages of other nodes that were read.
    pub foreign: u64,
    /// Messages of other nodes that the server had no room for in time.
    pub lost_here: u64,
    /// How often the node was cut off from Redis after it had been connected: what others sent meanwhile it has not
    /// heard.
    pub gaps: u64,
    /// For how many milliseconds altogether.
    pub gap_ms: u64,
}

/// Writes as many members as the host knows.
///
/// # Safety
/// Null, or a struct that begins with its size.
pub(crate) unsafe fn write_stats(
    stats: *mut kraken_ws_cluster_stats,
    s: impl FnOnce() -> kraken_ws_core::Result<ClusterStats>,
) -> kraken_ws_core::Result<()> {
    if stats.is_null() || !stats.is_aligned() {
        return Err(bad("stats", "expected a pointer to the struct"));
    }
    // SAFETY: the struct begins with its size.
    let size = unsafe { stats.cast::<usize>().read() };
    if size < offset_of!(kraken_ws_cluster_stats, nodes) {
        return Err(bad("stats", "size: expected sizeof(kraken_ws_cluster_stats)"));
    }
    let s = s()?;
    let known = kraken_ws_cluster_stats {
        size,
        up: s.bus.up.into(),
        nodes: s.nodes,
        published: s.bus.published,
        received: s.bus.received,
        lost: s.bus.lost,
        unconfirmed: s.bus.unconfirmed,
        reconnects: s.bus.reconnects,
        queued_bytes: s.bus.queued_bytes,
        malformed: s.malformed,
        dropped_no_room: s.dropped_no_room,
        foreign: s.foreign,
        lost_here: s.lost_here,
        gaps: s.bus.gaps,
        gap_ms: s.bus.gap_ms,
    };
    let length = size.min(size_of::<kraken_ws_cluster_stats>());
    // SAFETY: `size` bytes are the host's struct; no more are written.
    unsafe { std::ptr::copy_nonoverlapping((&raw const known).cast::<u8>(), stats.cast::<u8>(), length) };
    Ok(())
}

/// Reads the figures of a server as a node of its fleet.
///
/// Errors: `STATE` (it is in no fleet), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_cluster_stats(
    server: *mut kraken_ws_server,
    stats: *mut kraken_ws_cluster_stats,
) -> kraken_ws_status {
    // SAFETY: handle and struct are as the header asks for.
    call(|| unsafe {
        write_stats(stats, || {
            let none = || Error::new(ErrorCode::State, "cluster_stats: the server is in no fleet");
            with(server, |host| host.server.cluster_stats().ok_or_else(none))
        })
    })
}
