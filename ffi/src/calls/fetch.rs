//! Snapshots of sockets, with rooms and handshake.

use std::collections::HashMap;

use kraken_ws_core::{FetchedSocket, RemoteSocket};
use serde_json::value::RawValue;

use super::target::{kraken_ws_target, read_target, timeout};
use crate::border::{
    Handle, Handled, block_on, call, kraken_ws_server, kraken_ws_status, kraken_ws_str, out, value,
};
use crate::server::{number, with_open};

/// Result of `kraken_ws_server_fetch_sockets` or `kraken_ws_server_fleet_sockets`.
#[repr(C)]
pub struct kraken_ws_socket_list {
    _private: [u8; 0],
}

/// The value behind a `kraken_ws_socket_list`.
struct SocketList {
    sockets: Vec<Found>,
    /// Number of nodes that did not answer, and the names of those whose names are known.
    missing: usize,
    missing_nodes: Vec<Box<str>>,
}

impl Handled for SocketList {
    type Opaque = kraken_ws_socket_list;
    const MAGIC: u64 = 0x6b72_616b_656e_736c;
    const KIND: &'static str = "list";
    const MADE_BY: &'static str = "kraken_ws_server_fetch_sockets";
}

/// One socket of a list. The texts live as long as the list.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_socket_info {
    /// The socket's number; 0 for a socket of another node, which is reached by the room named by its id.
    pub socket: u64,
    /// The socket's public id.
    pub id: kraken_ws_str,
    /// The peer's address, empty for a Unix socket.
    pub address: kraken_ws_str,
    /// JSON of the client's `auth`, or empty.
    pub auth: kraken_ws_str,
    /// JSON of `kraken_ws_server_socket_set_data`, or empty.
    pub data: kraken_ws_str,
    /// Number of the socket's rooms, the one named by its id included.
    pub rooms_len: usize,
}

/// A socket of this process or of another node.
struct Found {
    /// 0 on another node.
    socket: u64,
    id: Box<str>,
    address: Box<str>,
    auth: Box<str>,
    data: Box<str>,
    rooms: Vec<Box<str>>,
}

impl Found {
    fn here(found: FetchedSocket, namespace: usize) -> Self {
        let FetchedSocket { socket, id, request, auth, rooms, data, .. } = found;
        Self { socket: number(socket, namespace), id, address: request.address.clone(), auth, data, rooms }
    }

    fn elsewhere(found: RemoteSocket) -> Self {
        let RemoteSocket { id, handshake, rooms, data, .. } = found;
        let members: HashMap<&str, &RawValue> = serde_json::from_str(&handshake).unwrap_or_default();
        let raw = |name: &str| members.get(name).map_or("", |value| value.get());
        let address: String = serde_json::from_str(raw("address")).unwrap_or_default();
        Self { socket: 0, id, address: address.into(), auth: raw("auth").into(), data, rooms }
    }
}

/// Reads a value of a list; `otherwise` for a null pointer.
///
/// # Safety
/// As [`Handle::get`].
unsafe fn read<T: Copy>(
    list: *const kraken_ws_socket_list,
    otherwise: T,
    of: impl FnOnce(&SocketList) -> T,
) -> T {
    // SAFETY: the caller's promise is the same.
    value(otherwise, || unsafe { Handle::<SocketList>::get(list) }.map_or(otherwise, |list| of(list)))
}

/// Finds the sockets of a target in this process; null means all of the main namespace. Waits for each thread of the
/// server. Free the list with `kraken_ws_socket_list_free`.
///
/// Errors: `NAME` (no such namespace), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_fetch_sockets(
    server: *mut kraken_ws_server,
    target: *const kraken_ws_target,
    list: *mut *mut kraken_ws_socket_list,
) -> kraken_ws_status {
    // SAFETY: handle, target and result are as the header asks for.
    call(|| unsafe {
        let list = out(list, "list")?;
        list.write(std::ptr::null_mut());
        let to = read_target(target)?;
        with_open(server, |host| {
            let (sockets, namespace) = host.fetch_sockets(to.nsp, to.target)?;
            let sockets = sockets.into_iter().map(|found| Found::here(found, namespace)).collect();
            list.write(Handle::boxed(SocketList { sockets, missing: 0, missing_nodes: Vec::new() }));
            Ok(())
        })
    })
}

/// `kraken_ws_server_fetch_sockets` on all nodes of the fleet. Waits for the other nodes, up to `timeout_ms` (0:
/// `cluster.requestsTimeout`), so don't call it in a callback. The list has the sockets of the nodes that answered in time,
/// and the number of those that did not.
///
/// Errors: `NAME` (no such namespace), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_fleet_sockets(
    server: *mut kraken_ws_server,
    target: *const kraken_ws_target,
    timeout_ms: u32,
    list: *mut *mut kraken_ws_socket_list,
) -> kraken_ws_status {
    // SAFETY: handle, target and result are as the header asks for.
    call(|| unsafe {
        let list = out(list, "list")?;
        list.write(std::ptr::null_mut());
        let to = read_target(target)?;
        with_open(server, |host| {
            let (here, index) = host.fetch_sockets(to.nsp, to.target.clone())?;
            let namespace = host.namespaces.get(to.nsp)?.1;
            let fleet = block_on(host.server.fetch_remote(&namespace, to.target, timeout(timeout_ms)));
            let here = here.into_iter().map(|found| Found::here(found, index));
            let sockets = here.chain(fleet.answers.into_iter().map(Found::elsewhere)).collect();
            let (missing, missing_nodes) = (fleet.missing, fleet.missing_nodes);
            list.write(Handle::boxed(SocketList { sockets, missing, missing_nodes }));
            Ok(())
        })
    })
}

/// Number of nodes that did not answer `kraken_ws_server_fleet_sockets` in time; the list lacks their sockets.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_socket_list_missing(list: *const kraken_ws_socket_list) -> usize {
    // SAFETY: the list is as the header asks for.
    unsafe { read(list, 0, |list| list.missing) }
}

/// Name of a node that did not answer, empty beyond the last name that is known. The text lives as long as the list.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_socket_list_missing_node(
    list: *const kraken_ws_socket_list,
    at: usize,
) -> kraken_ws_str {
    let name = |list: &SocketList| {
        list.missing_nodes.get(at).map_or(kraken_ws_str::EMPTY, |name| kraken_ws_str::view(name))
    };
    // SAFETY: the list is as the header asks for.
    unsafe { read(list, kraken_ws_str::EMPTY, name) }
}

/// Number of sockets in the list.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_socket_list_len(list: *const kraken_ws_socket_list) -> usize {
    // SAFETY: the list is as the header asks for.
    unsafe { read(list, 0, |list| list.sockets.len()) }
}

/// Describes one socket of the list in `*info`; false beyond the last.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_socket_list_get(
    list: *const kraken_ws_socket_list,
    at: usize,
    info: *mut kraken_ws_socket_info,
) -> bool {
    value(false, || {
        // SAFETY: list and result are as the header asks for.
        let (list, info) = unsafe { (Handle::<SocketList>::get(list), out(info, "info")) };
        let (Ok(list), Ok(info)) = (list, info) else { return false };
        let Some(found) = list.sockets.get(at) else { return false };
        info.write(kraken_ws_socket_info {
            socket: found.socket,
            id: kraken_ws_str::view(&found.id),
            address: kraken_ws_str::view(&found.address),
            auth: kraken_ws_str::view(&found.auth),
            data: kraken_ws_str::view(&found.data),
            rooms_len: found.rooms.len(),
        });
        true
    })
}

/// One room of one socket of the list, empty beyond the last. The text lives as long as the list.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_socket_list_room(
    list: *const kraken_ws_socket_list,
    at: usize,
    room: usize,
) -> kraken_ws_str {
    let name = |list: &SocketList| {
        let found = list.sockets.get(at).and_then(|found| found.rooms.get(room));
        found.map_or(kraken_ws_str::EMPTY, |room| kraken_ws_str::view(room))
    };
    // SAFETY: the list is as the header asks for.
    unsafe { read(list, kraken_ws_str::EMPTY, name) }
}

/// Frees a list; null is fine.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_socket_list_free(list: *mut kraken_ws_socket_list) {
    // SAFETY: the list is as the header asks for.
    value((), || unsafe { Handle::<SocketList>::free(list) });
}
