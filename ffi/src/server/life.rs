//! Life cycle of a server: make, listen, close, free.

use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kraken_ws_core::{Error, ErrorCode, Options, Result};

use super::dispatch::{self, kraken_ws_callbacks};
use super::host::{Host, ServerHandle};
use super::log::Log;
use super::options::{Settings, kraken_ws_options};
use super::{with, with_open};
use crate::border::{
    Handle, call, kraken_ws_bytes, kraken_ws_server, kraken_ws_status, kraken_ws_str, list, out, text,
};

/// Makes a server and starts its threads; nobody can connect before `kraken_ws_server_listen`.
///
/// `options` may be null for the defaults, and may be freed right after. With `callbacks` the server calls the
/// host; the table is copied. Without (null) the host polls: `kraken_ws_server_poll`. If the call fails, `drop` of the
/// callbacks has been called.
///
/// Errors: `OPTION`, `TLS`, `SYSTEM`, `ARGUMENT`, `UNSUPPORTED` (callbacks of a newer header).
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_new(
    options: *const kraken_ws_options,
    callbacks: *const kraken_ws_callbacks,
    server: *mut *mut kraken_ws_server,
) -> kraken_ws_status {
    // SAFETY: the pointers are as the header asks for.
    call(|| unsafe {
        let out = out(server, "server")?;
        out.write(std::ptr::null_mut());
        let callbacks = (!callbacks.is_null()).then(|| kraken_ws_callbacks::read(callbacks)).transpose()?;
        // From here on each return drops the callbacks.
        let made = make(options, callbacks.as_ref());
        match made {
            Ok(host) => {
                let handle = host.make_handle();
                if let Some(callbacks) = callbacks
                    && let Err(error) = dispatch::start(&host, callbacks)
                {
                    let _ = handle.end();
                    return Err(error);
                }
                out.write(handle.pointer());
                Ok(())
            }
            Err(error) => {
                if let Some(kraken_ws_callbacks { drop: Some(drop), userdata, .. }) = callbacks {
                    drop(userdata);
                }
                Err(error)
            }
        }
    })
}

/// # Safety
/// As `kraken_ws_server_new` asks for.
unsafe fn make(
    options: *const kraken_ws_options,
    callbacks: Option<&kraken_ws_callbacks>,
) -> Result<Arc<Host>> {
    let (mut read, mut decide) = (Options::default(), false);
    if !options.is_null() {
        // SAFETY: the caller's promise is the same.
        let settings = unsafe { Handle::<Settings>::get(options)? };
        (read, decide) = (settings.read()?, settings.decide);
    }
    let mut log = Log::default();
    if let Some(callbacks) = callbacks {
        decide = callbacks.on_connect.is_some();
        callbacks.set_hooks(&mut read.hooks);
        if callbacks.on_log.is_some() {
            log = Log::listening();
        }
    }
    let host = Host::new(read, decide, log)?;
    host.log.wakes(&host.inbox.wake);
    Ok(host)
}

/// Listens on a TCP address. `host` is a name or an address, empty for all addresses; port 0 takes a free one.
/// `*bound` gets the port that was bound, unless it is null. May be called several times.
///
/// Errors: `LISTEN` with the system's reason, `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_listen(
    server: *mut kraken_ws_server,
    host: kraken_ws_str,
    port: u16,
    bound: *mut u16,
) -> kraken_ws_status {
    // SAFETY: handle, text and result are as the header asks for.
    call(|| unsafe {
        let name = text(host, "host")?;
        with_open(server, |host| {
            // `::` takes IPv4 connections too, but can't be bound where IPv6 is off.
            let address = match name {
                "" => host.server.listen_tcp("::", port).or_else(|_| host.server.listen_tcp("0.0.0.0", port)),
                name => host.server.listen_tcp(name, port),
            }?;
            if !bound.is_null() {
                out(bound, "bound")?.write(address.port());
            }
            Ok(())
        })
    })
}

/// Listens on a Unix socket. A socket file that nobody listens on any more is replaced.
///
/// Errors: `LISTEN` with the system's reason, `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_listen_unix(
    server: *mut kraken_ws_server,
    path: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: handle and text are as the header asks for.
    call(|| unsafe {
        let path = text(path, "path")?;
        with_open(server, |host| host.server.listen_unix(Path::new(path)))
    })
}

/// Closes the listeners; connections stay.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_stop_listening(server: *mut kraken_ws_server) -> kraken_ws_status {
    // SAFETY: the handle is as the header asks for.
    call(|| unsafe {
        with_open(server, |host| {
            host.server.stop_listening();
            Ok(())
        })
    })
}

/// Serves another certificate from now on, both in PEM; connections go on.
///
/// Errors: `TLS` (the server was made without, or the pair can't be used: the old one stays), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_reload_tls(
    server: *mut kraken_ws_server,
    cert: kraken_ws_bytes,
    key: kraken_ws_bytes,
) -> kraken_ws_status {
    // SAFETY: handle and buffers are as the header asks for.
    call(|| unsafe {
        let (cert, key) = (list(cert.ptr, cert.len, "cert")?, list(key.ptr, key.len, "key")?);
        with_open(server, |host| host.server.reload_tls(cert, key))
    })
}

/// Takes over a connection that the host accepted itself. `request` is the HTTP request head as received, `head`
/// what was read behind it. On success the descriptor belongs to the library; otherwise it is still the host's.
///
/// Errors: `ADOPT` (no connected stream socket), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_adopt(
    server: *mut kraken_ws_server,
    fd: i32,
    request: kraken_ws_bytes,
    head: kraken_ws_bytes,
) -> kraken_ws_status {
    // SAFETY: handle and buffers are as the header asks for.
    call(|| unsafe {
        let bytes = [list(request.ptr, request.len, "request")?, list(head.ptr, head.len, "head")?].concat();
        with_open(server, |host| {
            let fail = |e: &dyn std::fmt::Display| {
                Error::new(ErrorCode::Adopt, format!("adopt: the descriptor can't be used: {e}"))
            };
            if fd < 0 {
                return Err(fail(&"it is negative"));
            }
            let duplicate = BorrowedFd::borrow_raw(fd).try_clone_to_owned().map_err(|e| fail(&e))?;
            host.server.adopt(duplicate, bytes)?;
            drop(OwnedFd::from_raw_fd(fd));
            Ok(())
        })
    })
}

/// Closes the server: listeners close, every socket gets `server shutting down`, callbacks for what happened
/// before are made, then the threads end. Waits for that up to `deadline_ms`; called from a callback it does not
/// wait. The handle stays valid, and what needs a running server returns `CLOSED`. May be called again.
///
/// Errors: `TIMEOUT` (the close goes on; a callback may be stuck), `STATE` (the server is Node's, and a module asks).
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_close(
    server: *mut kraken_ws_server,
    deadline_ms: u32,
) -> kraken_ws_status {
    // SAFETY: the handle is as the header asks for.
    call(|| unsafe {
        let deadline = Instant::now() + Duration::from_millis(deadline_ms.into());
        with(server, |host| {
            host.check_owner("close")?;
            if host.close(Some(deadline)) {
                return Ok(());
            }
            Err(Error::new(ErrorCode::Timeout, format!("close: not over after {deadline_ms} ms")))
        })
    })
}

/// Frees a server; null is fine. Closes it if that was not done, without callbacks, and returns when no
/// callback runs any more; called from a callback it returns at once, and that callback is the last. Calls that
/// other threads are in the middle of end as usual.
///
/// Errors: `GONE` (freed before), `FORKED` (nothing is done in a child process), `STATE` (the server is Node's, and a
/// module asks), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_free(server: *mut kraken_ws_server) -> kraken_ws_status {
    call(|| {
        if server.is_null() {
            return Ok(());
        }
        // SAFETY: the handle is as the header asks for.
        unsafe {
            let host = with(server, |host| Ok(host.clone()))?;
            host.check_owner("free")?;
            ServerHandle::get(server)?.end()?;
            host.finish();
        }
        Ok(())
    })
}

/// Makes a namespace that clients can join, `/admin` for example; one that exists is left as it is. `/` is always
/// there.
///
/// Errors: `NAME` (a comma in the name, more than 2047 namespaces), `STATE` (the server is Node's, and a module asks),
/// `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_create_namespace(
    server: *mut kraken_ws_server,
    name: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: handle and text are as the header asks for.
    call(|| unsafe {
        let name = text(name, "name")?;
        with_open(server, |host| {
            host.check_owner("create_namespace")?;
            host.namespaces.create(&host.server, name, host.decide())
        })
    })
}
