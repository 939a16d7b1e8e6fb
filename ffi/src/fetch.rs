//! Sockets with all that is known about them, as a snapshot.

use std::collections::HashMap;

use kraken_ws_core::{FetchedSocket, RemoteSocket, Result, Target};
use serde_json::value::RawValue;

use crate::asks::block_on;
use crate::fleet::timeout;
use crate::host::Host;
use crate::namespaces::number;
use crate::send::{kraken_ws_target, to};
use crate::server::{kraken_ws_server, with_open};
use crate::status::{call, kraken_ws_status, value};
use crate::text::{bad, kraken_ws_str, out};

#[repr(C)] // `magic` stands first, as in every handle
/// What `kraken_ws_server_fetch_sockets` or `kraken_ws_server_fleet_sockets` found.
pub struct kraken_ws_socket_list {
    magic: u64,
    sockets: Vec<Found>,
    /// Nodes that did not answer, and the names of those that are known by name.
    missing: usize,
    missing_nodes: Vec<Box<str>>,
}

const MAGIC: u64 = 0x6b72_616b_656e_736c;

/// One socket of a list. The texts live as long as the list.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_socket_info {
    /// The socket's number; 0 for one of another node, which is reached as the room named by its id.
    pub socket: u64,
    /// Its public id.
    pub id: kraken_ws_str,
    /// The peer's address, empty for a Unix socket.
    pub address: kraken_ws_str,
    /// JSON of what the client gave as `auth`, or empty.
    pub auth: kraken_ws_str,
    /// JSON of `kraken_ws_server_socket_set_data`, or empty.
    pub data: kraken_ws_str,
    /// How many rooms it is in, the one named by its id included.
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

/// Waits for the threads of the server to answer: they never wait for the host.
pub(crate) fn fetch(host: &Host, nsp: &str, target: Target) -> Result<(Vec<FetchedSocket>, usize)> {
    let (index, namespace) = host.namespaces.get(nsp)?;
    Ok((block_on(host.server.fetch_sockets(&namespace, target)), index))
}

/// # Safety
/// Null, or a list that was not freed.
unsafe fn get<'a>(list: *const kraken_ws_socket_list) -> Result<&'a kraken_ws_socket_list> {
    if list.is_null() || !list.is_aligned() {
        return Err(bad("list", "a null pointer"));
    }
    // SAFETY: the caller's promise; the magic number catches a handle of another kind.
    match unsafe { &*list } {
        list if list.magic == MAGIC => Ok(list),
        _ => Err(bad("list", "the pointer is not of kraken_ws_server_fetch_sockets")),
    }
}

/// Finds the sockets of this process that `target` means; null means everybody in the main namespace. Waits for each thread of the
/// server to answer. Free the list with `kraken_ws_socket_list_free`.
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
        let to = to(target)?;
        with_open(server, |host| {
            let (sockets, namespace) = fetch(host, to.nsp, to.target)?;
            let sockets = sockets.into_iter().map(|found| Found::here(found, namespace)).collect();
            list.write(kraken_ws_socket_list::new(sockets, 0, Vec::new()));
            Ok(())
        })
    })
}

impl kraken_ws_socket_list {
    fn new(sockets: Vec<Found>, missing: usize, missing_nodes: Vec<Box<str>>) -> *mut Self {
        Box::into_raw(Box::new(Self { magic: MAGIC, sockets, missing, missing_nodes }))
    }
}

/// `kraken_ws_server_fetch_sockets` on all nodes of the fleet. Waits for the other nodes, up to `timeout_ms` (0:
/// `cluster.requestsTimeout`): not for a callback. What came until then is in the list, and how many are missing.
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
        let to = to(target)?;
        with_open(server, |host| {
            let (index, namespace) = host.namespaces.get(to.nsp)?;
            let here = block_on(host.server.fetch_sockets(&namespace, to.target.clone()));
            let asked = host.server.fetch_remote(&namespace, to.target, timeout(timeout_ms));
            let fleet = block_on(asked);
            let here = here.into_iter().map(|found| Found::here(found, index));
            let sockets = here.chain(fleet.answers.into_iter().map(Found::elsewhere)).collect();
            list.write(kraken_ws_socket_list::new(sockets, fleet.missing, fleet.missing_nodes));
            Ok(())
        })
    })
}

/// How many nodes did not answer `kraken_ws_server_fleet_sockets` in time: their sockets are not in the list.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_socket_list_missing(list: *const kraken_ws_socket_list) -> usize {
    // SAFETY: the list is as the header asks for.
    value(0, || unsafe { get(list) }.map_or(0, |list| list.missing))
}

/// The name of a node that did not answer, empty beyond the last one that is known by name. It lives as long as the list.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_socket_list_missing_node(
    list: *const kraken_ws_socket_list,
    at: usize,
) -> kraken_ws_str {
    value(kraken_ws_str::EMPTY, || {
        // SAFETY: the list is as the header asks for.
        let Ok(list) = (unsafe { get(list) }) else { return kraken_ws_str::EMPTY };
        list.missing_nodes.get(at).map_or(kraken_ws_str::EMPTY, |name| kraken_ws_str::view(name))
    })
}

/// How many sockets are in the list.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_socket_list_len(list: *const kraken_ws_socket_list) -> usize {
    // SAFETY: the list is as the header asks for.
    value(0, || unsafe { get(list) }.map_or(0, |list| list.sockets.len()))
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
        let (Ok(list), Ok(info)) = (unsafe { get(list) }, unsafe { out(info, "info") }) else { return false };
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

/// One room of one socket of the list, empty beyond the last. It lives as long as the list.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_socket_list_room(
    list: *const kraken_ws_socket_list,
    at: usize,
    room: usize,
) -> kraken_ws_str {
    value(kraken_ws_str::EMPTY, || {
        // SAFETY: the list is as the header asks for.
        let Ok(list) = (unsafe { get(list) }) else { return kraken_ws_str::EMPTY };
        let found = list.sockets.get(at).and_then(|found| found.rooms.get(room));
        found.map_or(kraken_ws_str::EMPTY, |room| kraken_ws_str::view(room))
    })
}

/// Frees a list; null is fine.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_socket_list_free(list: *mut kraken_ws_socket_list) {
    value((), || {
        // SAFETY: a pointer that passes `get` came from `Box::into_raw` and is freed once by contract.
        unsafe {
            if get(list).is_ok() {
                (*list).magic = 0;
                drop(Box::from_raw(list));
            }
        }
    });
}
