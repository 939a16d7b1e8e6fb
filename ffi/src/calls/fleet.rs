//! Calls to the other nodes of a fleet.

use kraken_ws_core::{ClusterOptions, FleetReply};

use super::target::timeout;
use crate::border::{
    Handle, Handled, block_on, buffers, call, kraken_ws_bytes, kraken_ws_server, kraken_ws_status,
    kraken_ws_str, message, on_own_thread, out, parse_json, text, value,
};
use crate::server::with_open;

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
        let options = ClusterOptions::from_json(&parse_json(text(options, "options")?, "options")?)?;
        with_open(server, |host| {
            let server = host.server.clone();
            on_own_thread(move || server.join_cluster(options))
        })
    })
}

/// Counts the nodes of the fleet, this one included; 1 without a fleet. Waits for Redis.
///
/// Errors: `REDIS` (no answer), `NAME` (no such namespace), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_node_count(
    server: *mut kraken_ws_server,
    nsp: kraken_ws_str,
    count: *mut usize,
) -> kraken_ws_status {
    // SAFETY: handle, text and result are as the header asks for.
    call(|| unsafe {
        let (nsp, count) = (text(nsp, "nsp")?, out(count, "count")?);
        with_open(server, |host| {
            let namespace = host.namespaces.get(nsp)?.1;
            count.write(block_on(host.server.node_count(&namespace))?);
            Ok(())
        })
    })
}

/// Result of `kraken_ws_server_fleet_rooms`.
#[repr(C)]
pub struct kraken_ws_room_list {
    _private: [u8; 0],
}

/// The value behind a `kraken_ws_room_list`.
struct RoomList(FleetReply<Vec<Box<str>>>);

impl Handled for RoomList {
    type Opaque = kraken_ws_room_list;
    const MAGIC: u64 = 0x6b72_616b_656e_726c;
    const KIND: &'static str = "list";
    const MADE_BY: &'static str = "kraken_ws_server_fleet_rooms";
}

/// Reads a value of a list; `otherwise` for a null pointer.
///
/// # Safety
/// As [`Handle::get`].
unsafe fn read<T: Copy>(
    list: *const kraken_ws_room_list,
    otherwise: T,
    of: impl FnOnce(&FleetReply<Vec<Box<str>>>) -> T,
) -> T {
    // SAFETY: the caller's promise is the same.
    value(otherwise, || unsafe { Handle::<RoomList>::get(list) }.map_or(otherwise, |list| of(&list.0)))
}

/// Finds the rooms of all nodes, those named by the ids of sockets included, each once. Waits for the other nodes, up to
/// `cluster.requestsTimeout`, so don't call it in a callback. Free the list with `kraken_ws_room_list_free`.
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
            list.write(Handle::boxed(RoomList(fleet)));
            Ok(())
        })
    })
}

/// Number of rooms in the list.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_room_list_len(list: *const kraken_ws_room_list) -> usize {
    // SAFETY: the list is as the header asks for.
    unsafe { read(list, 0, |fleet| fleet.answers.len()) }
}

/// One room of the list, empty beyond the last. The text lives as long as the list.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_room_list_get(
    list: *const kraken_ws_room_list,
    at: usize,
) -> kraken_ws_str {
    let name = |fleet: &FleetReply<Vec<Box<str>>>| {
        fleet.answers.get(at).map_or(kraken_ws_str::EMPTY, |room| kraken_ws_str::view(room))
    };
    // SAFETY: the list is as the header asks for.
    unsafe { read(list, kraken_ws_str::EMPTY, name) }
}

/// Number of nodes that did not answer in time; the list lacks their rooms.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_room_list_missing(list: *const kraken_ws_room_list) -> usize {
    // SAFETY: the list is as the header asks for.
    unsafe { read(list, 0, |fleet| fleet.missing) }
}

/// Frees a list; null is fine.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_room_list_free(list: *mut kraken_ws_room_list) {
    // SAFETY: the list is as the header asks for.
    value((), || unsafe { Handle::<RoomList>::free(list) });
}

/// Sends an event to the hosts of the other nodes, which get it as `SERVER_SIDE`, or as `io.on(event)` in JavaScript.
/// Payload, attachments and flags are as in `kraken_ws_server_publish`. Without a fleet nobody gets it.
///
/// Errors: `PAYLOAD`, `NAME` (no such namespace, or a reserved event name), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_side_emit(
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

/// `kraken_ws_server_side_emit` with answers: an event of the kind `SERVER_SIDE_ACK` brings the answers that
/// came within `timeout_ms` (0: `cluster.requestsTimeout`), one argument of each node, and names the nodes that did not
/// answer. The number of the ack goes to `*ack_id`.
///
/// Errors: those of `kraken_ws_server_side_emit`, `STATE` (the server is Node's, and a module asks).
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_side_emit_with_ack(
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
            host.check_owner("server_side_emit_with_ack")?;
            let namespace = host.namespaces.get(nsp)?.1;
            let (server, id) = (host.server.clone(), host.server.next_ack_id());
            // Written first, because the answer may come before this call returns.
            ack_id.write(id);
            let call = Box::pin(async move {
                server.server_side_emit_with_ack(&namespace, &data, buffers, timeout(timeout_ms)).await
            });
            host.remote_calls.add(id, call, &host.inbox.wake)
        })
    })
}
