//! Calls on all sockets of a target: join, leave, disconnect, count.

use kraken_ws_core::{Disconnect, Namespace, Reach, Server, Target};

use super::target::{kraken_ws_target, read_target};
use crate::border::{call, kraken_ws_server, kraken_ws_status, kraken_ws_str, out, text, texts};
use crate::server::with_open;

/// Puts the sockets of a target into rooms, on all nodes of the fleet unless its flags have `KRAKEN_WS_FLAG_LOCAL`.
///
/// Errors: `NAME` (no such namespace), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_sockets_join(
    server: *mut kraken_ws_server,
    target: *const kraken_ws_target,
    rooms: *const kraken_ws_str,
    rooms_len: usize,
) -> kraken_ws_status {
    // SAFETY: handle, target and texts are as the header asks for.
    unsafe { move_sockets(server, target, rooms, rooms_len, Server::sockets_join) }
}

/// Takes the sockets of a target out of rooms, on all nodes of the fleet unless its flags have `KRAKEN_WS_FLAG_LOCAL`.
///
/// Errors: `NAME` (no such namespace), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_sockets_leave(
    server: *mut kraken_ws_server,
    target: *const kraken_ws_target,
    rooms: *const kraken_ws_str,
    rooms_len: usize,
) -> kraken_ws_status {
    // SAFETY: handle, target and texts are as the header asks for.
    unsafe { move_sockets(server, target, rooms, rooms_len, Server::sockets_leave) }
}

/// # Safety
/// Handle, target and texts are as the header asks for.
unsafe fn move_sockets(
    server: *mut kraken_ws_server,
    target: *const kraken_ws_target,
    rooms: *const kraken_ws_str,
    rooms_len: usize,
    act: fn(&Server, &Namespace, Target, &[&str], Reach),
) -> kraken_ws_status {
    // SAFETY: the caller's promise is the same.
    call(|| unsafe {
        let (to, rooms) = (read_target(target)?, texts(rooms, rooms_len, "rooms")?);
        with_open(server, |host| {
            let reach = to.reach();
            host.namespaces.with(to.nsp, |namespace, _| {
                act(&host.server, namespace, to.target, &rooms, reach);
                Ok(())
            })
        })
    })
}

/// Disconnects the sockets of a target, on all nodes of the fleet unless its flags have `KRAKEN_WS_FLAG_LOCAL`. With
/// `close` their connections end too.
///
/// Errors: `NAME` (no such namespace), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_disconnect_sockets(
    server: *mut kraken_ws_server,
    target: *const kraken_ws_target,
    close: bool,
) -> kraken_ws_status {
    // SAFETY: handle and target are as the header asks for.
    call(|| unsafe {
        let (to, what) = (read_target(target)?, Disconnect::from_close(close));
        with_open(server, |host| {
            let reach = to.reach();
            host.namespaces.with(to.nsp, |namespace, _| {
                host.server.disconnect_sockets(namespace, to.target, what, reach);
                Ok(())
            })
        })
    })
}

/// Whether a room has a member in this process. The rooms named by a socket's id don't count.
///
/// Errors: `NAME` (no such namespace), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_has_room(
    server: *mut kraken_ws_server,
    nsp: kraken_ws_str,
    room: kraken_ws_str,
    has: *mut bool,
) -> kraken_ws_status {
    // SAFETY: handle, texts and result are as the header asks for.
    call(|| unsafe {
        let (nsp, room, has) = (text(nsp, "nsp")?, text(room, "room")?, out(has, "has")?);
        with_open(server, |host| {
            has.write(host.namespaces.with(nsp, |namespace, _| Ok(host.server.has_room(namespace, room)))?);
            Ok(())
        })
    })
}

/// Counts the sockets of a target in this process. Waits for each thread of the server, and costs as much as
/// `kraken_ws_server_fetch_sockets`; totals are in `kraken_ws_server_stats`.
///
/// Errors: `NAME` (no such namespace), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_count_sockets(
    server: *mut kraken_ws_server,
    target: *const kraken_ws_target,
    count: *mut usize,
) -> kraken_ws_status {
    // SAFETY: handle, target and result are as the header asks for.
    call(|| unsafe {
        let (to, count) = (read_target(target)?, out(count, "count")?);
        with_open(server, |host| {
            count.write(host.fetch_sockets(to.nsp, to.target)?.0.len());
            Ok(())
        })
    })
}
