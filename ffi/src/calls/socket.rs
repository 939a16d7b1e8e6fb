//! Calls on one socket: rooms, disconnect, attached data.

use std::ffi::c_void;

use kraken_ws_core::{Disconnect, Error, ErrorCode};

use crate::border::{
    call, check_json, kraken_ws_server, kraken_ws_status, kraken_ws_str, text, texts, value,
};
use crate::server::{UserPointer, handle, with, with_open};

/// Puts a socket into rooms. A socket that is gone is no error; a pending one is in them once it is accepted.
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

/// Disconnects a socket; its client sees `io server disconnect`. With `close` its connection ends too.
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
            host.disconnect(socket, Disconnect::from_close(close));
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
/// events. `drop` (or null) is called with it when another pointer replaces it, or after the socket's disconnect.
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
            host.sockets.set_user(socket, UserPointer::new(user, drop)).map_err(|user| {
                std::mem::forget(user); // it is still the host's
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
