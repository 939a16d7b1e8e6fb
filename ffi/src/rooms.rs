//! Who is where, one socket or a room expression at a time.

use std::ffi::c_void;

use kraken_ws_core::{Error, ErrorCode};

use crate::namespaces::handle;
use crate::payload::check_json;
use crate::send::{kraken_ws_target, to};
use crate::server::{kraken_ws_server, with, with_open};
use crate::sockets::User;
use crate::status::{call, kraken_ws_status, value};
use crate::text::{kraken_ws_str, out, text, texts};

/// Puts a socket into rooms. One that is gone is no error; one that is pending is in them once it is let in.
///
/// Errors: `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_socket_join(
    server: *mut kraken_ws_server,
    socket: u64,
    rooms: *const kraken_ws_str,
    rooms_len: usize,
) -> kraken_ws_status {
    // SAFETY: handle and texts are as the header asks for.
    call(|| unsafe {
        let rooms = texts(rooms, rooms_len, "rooms")?;
        with_open(server, |host| {
            host.server.join(handle(socket), &rooms);
            Ok(())
        })
    })
}

/// Takes a socket out of rooms.
///
/// Errors: `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_socket_leave(
    server: *mut kraken_ws_server,
    socket: u64,
    rooms: *const kraken_ws_str,
    rooms_len: usize,
) -> kraken_ws_status {
    // SAFETY: handle and texts are as the header asks for.
    call(|| unsafe {
        let rooms = texts(rooms, rooms_len, "rooms")?;
        with_open(server, |host| {
            host.server.leave(handle(socket), &rooms);
            Ok(())
        })
    })
}

/// Ends a socket; its client sees `io server disconnect`. With `close` its whole connection ends.
///
/// Errors: `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_socket_disconnect(
    server: *mut kraken_ws_server,
    socket: u64,
    close: bool,
) -> kraken_ws_status {
    // SAFETY: the handle is as the header asks for.
    call(|| unsafe {
        with_open(server, |host| {
            host.disconnect(socket, close);
            Ok(())
        })
    })
}

/// Puts everybody whom `target` means into rooms, on all nodes of the fleet unless its flags have `KRAKEN_WS_FLAG_LOCAL`.
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
    call(|| unsafe {
        let (to, rooms) = (to(target)?, texts(rooms, rooms_len, "rooms")?);
        with_open(server, |host| {
            let local = to.local();
            host.namespaces.with(to.nsp, |namespace, _| {
                host.server.sockets_join(namespace, to.target, &rooms, local);
                Ok(())
            })
        })
    })
}

/// Takes everybody whom `target` means out of rooms, on all nodes of the fleet unless its flags have `KRAKEN_WS_FLAG_LOCAL`.
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
    call(|| unsafe {
        let (to, rooms) = (to(target)?, texts(rooms, rooms_len, "rooms")?);
        with_open(server, |host| {
            let local = to.local();
            host.namespaces.with(to.nsp, |namespace, _| {
                host.server.sockets_leave(namespace, to.target, &rooms, local);
                Ok(())
            })
        })
    })
}

/// Ends everybody whom `target` means, on all nodes of the fleet unless its flags have `KRAKEN_WS_FLAG_LOCAL`; with `close`
/// their whole connections.
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
        let to = to(target)?;
        with_open(server, |host| {
            let local = to.local();
            host.namespaces.with(to.nsp, |namespace, _| {
                host.server.disconnect_sockets(namespace, to.target, close, local);
                Ok(())
            })
        })
    })
}

/// Is anybody of this process in that room? Rooms of one, named by a socket's id, don't count.
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

/// Counts the sockets of this process that `target` means. Waits for each thread of the server to answer, and costs as much as
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
        let (to, count) = (to(target)?, out(count, "count")?);
        with_open(server, |host| {
            count.write(crate::fetch::fetch(host, to.nsp, to.target)?.0.len());
            Ok(())
        })
    })
}

/// Attaches JSON to a socket, which `kraken_ws_server_fetch_sockets` shows.
///
/// Errors: `PAYLOAD` (no JSON), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_socket_set_data(
    server: *mut kraken_ws_server,
    socket: u64,
    json: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: handle and text are as the header asks for.
    call(|| unsafe {
        let json = text(json, "json")?;
        check_json(json, "json")?;
        with_open(server, |host| {
            host.server.set_data(handle(socket), json);
            Ok(())
        })
    })
}

/// Attaches a pointer of the host to a socket; `kraken_ws_event_user` gives it back with each of the socket's
/// events. `drop` (or null) is called with it when another takes its place, or after the socket's disconnect.
///
/// Errors: `GONE` (the socket has left; the pointer stays the host's), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_socket_set_user(
    server: *mut kraken_ws_server,
    socket: u64,
    user: *mut c_void,
    drop: Option<unsafe extern "C" fn(user: *mut c_void)>,
) -> kraken_ws_status {
    // SAFETY: handle and function are as the header asks for.
    call(|| unsafe {
        with(server, |host| {
            host.sockets.set_user(socket, User::new(user, drop)).map_err(|user| {
                std::mem::forget(user); // still the host's
                Error::new(ErrorCode::Gone, "socket_set_user: there is no such socket")
            })
        })
    })
}

/// The pointer of `kraken_ws_server_socket_set_user`, or null.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_socket_user(
    server: *mut kraken_ws_server,
    socket: u64,
) -> *mut c_void {
    value(std::ptr::null_mut(), || {
        // SAFETY: the handle is as the header asks for.
        unsafe { with(server, |host| Ok(host.sockets.user(socket))) }.unwrap_or(std::ptr::null_mut())
    })
}
