//! The server's life: made, listening, closed, freed.

use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kraken_ws_core::{Error, ErrorCode, Options, Result};

use crate::dispatch::{self, kraken_ws_callbacks};
use crate::event::kraken_ws_event;
use crate::fork;
use crate::host::Host;
use crate::inbox::lock;
use crate::life::Life;
use crate::log::Log;
use crate::options::{self, kraken_ws_options};
use crate::status::{call, kraken_ws_status};
use crate::text::{bad, kraken_ws_bytes, kraken_ws_str, list, out, text};

#[repr(C)] // `magic` stands first, as in every handle
/// A server. Every function that takes one may be called from any thread. What remains of one after
/// `kraken_ws_server_free` (64 bytes) is kept until the process ends, so that a late or second use is answered
/// with `GONE` instead of touching freed memory.
pub struct kraken_ws_server {
    magic: u64,
    /// The process that made it.
    generation: u32,
    life: Life<Arc<Host>>,
}

const MAGIC: u64 = 0x6b72_616b_656e_7372;

impl kraken_ws_server {
    /// The handle of a host.
    pub(crate) fn new(host: &Arc<Host>) -> &'static Self {
        let (generation, life) = (fork::generation(), Life::new(host.clone()));
        let handle: &'static Self = Box::leak(Box::new(Self { magic: MAGIC, generation, life }));
        lock(&HANDLES).push(handle);
        host.set_handle(handle);
        handle
    }

    /// Ends it; false if that was done before.
    pub(crate) fn free(&self) -> bool {
        self.life.free()
    }
}

/// Handles are never deallocated; leak checkers find them here.
static HANDLES: Mutex<Vec<&'static kraken_ws_server>> = Mutex::new(Vec::new());

/// The server of `kraken_ws_send_to_room` and `kraken_ws_send_to_all`.
static PROCESS_WIDE: AtomicPtr<kraken_ws_server> = AtomicPtr::new(std::ptr::null_mut());

/// The handle as Rust sees it.
///
/// # Safety
/// A pointer that is not null comes from `kraken_ws_server_new`.
unsafe fn get(server: *const kraken_ws_server) -> Result<&'static kraken_ws_server> {
    if server.is_null() || !server.is_aligned() {
        return Err(bad("server", "a null pointer"));
    }
    // SAFETY: handles live as long as the process; the magic number catches a handle of another kind.
    match unsafe { &*server } {
        server if server.magic == MAGIC => Ok(server),
        _ => Err(bad("server", "the pointer is not of kraken_ws_server_new")),
    }
}

/// Runs `act` on a server that is not freed and of this process.
///
/// # Safety
/// A pointer that is not null comes from `kraken_ws_server_new`.
pub(crate) unsafe fn with<T>(
    server: *const kraken_ws_server,
    act: impl FnOnce(&Arc<Host>) -> Result<T>,
) -> Result<T> {
    // SAFETY: the caller's promise is the same.
    let server = unsafe { get(server)? };
    fork::check(server.generation)?;
    match server.life.enter() {
        Some(host) => act(&host),
        None => Err(gone()),
    }
}

/// [`with`] on one that is not closed either.
///
/// # Safety
/// As [`with`].
pub(crate) unsafe fn with_open<T>(
    server: *const kraken_ws_server,
    act: impl FnOnce(&Arc<Host>) -> Result<T>,
) -> Result<T> {
    // SAFETY: the caller's promise is the same.
    unsafe {
        with(server, |host| {
            host.open()?;
            act(host)
        })
    }
}

/// The process-wide server.
pub(crate) fn process_wide() -> Result<*const kraken_ws_server> {
    let server = PROCESS_WIDE.load(Ordering::Acquire);
    if server.is_null() {
        return Err(Error::new(ErrorCode::State, "no server is set: call kraken_ws_set_server first"));
    }
    Ok(server)
}

fn gone() -> Error {
    Error::new(ErrorCode::Gone, "the server has been freed")
}

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
        // From here on every way out calls `drop`.
        let made = make(options, callbacks.as_ref());
        match made {
            Ok(host) => {
                let handle = kraken_ws_server::new(&host);
                if let Some(callbacks) = callbacks
                    && let Err(error) = dispatch::start(&host, callbacks)
                {
                    handle.free();
                    return Err(error);
                }
                out.write(std::ptr::from_ref(handle).cast_mut());
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
        let options = unsafe { options::get(options)? };
        (read, decide) = (options.read()?, options.decide);
    }
    let mut log = Log::default();
    if let Some(callbacks) = callbacks {
        decide = callbacks.on_connect.is_some();
        read.hooks.http = callbacks.on_http.is_some();
        read.hooks.allow_request = callbacks.on_allow_request.is_some();
        read.hooks.headers = callbacks.on_headers.is_some();
        read.hooks.engine = callbacks.on_engine.is_some();
        read.hooks.rooms = callbacks.on_room.is_some();
        read.hooks.sessions = callbacks.on_session_end.is_some();
        if callbacks.on_log.is_some() {
            log = Log::listening();
        }
    }
    let host = Host::new(read, decide, log)?;
    host.log.wakes(&host.inbox.wake);
    Ok(host)
}

/// Listens on a TCP address. `host` is a name or an address, empty for all addresses; port 0 takes a free one.
/// What was bound goes to `*bound`, unless that is null. May be called several times.
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
            // `::` takes IPv4 too, but not where IPv6 is off.
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
            host.own("close")?;
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
        let handle = unsafe { get(server)? };
        fork::check(handle.generation)?;
        let host = handle.life.enter().map(|host| Arc::clone(&host)).ok_or_else(gone)?;
        host.own("free")?;
        if !handle.free() {
            return Err(gone());
        }
        host.finish();
        Ok(())
    })
}

/// Sets the server of `kraken_ws_send_to_room` and `kraken_ws_send_to_all`; null unsets it. May be changed at any
/// time.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_set_server(server: *mut kraken_ws_server) -> kraken_ws_status {
    // SAFETY: the handle is as the header asks for.
    call(|| unsafe {
        if !server.is_null() {
            with(server, |_| Ok(()))?;
        }
        PROCESS_WIDE.store(server, Ordering::Release);
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
            host.own("create_namespace")?;
            host.namespaces.create(&host.server, name, host.decide())
        })
    })
}

/// For hosts without callbacks: takes up to `max` events into `events` and how many to `*count`. Waits for the
/// first one up to `timeout_ms`; 0 does not wait, a negative number has no limit. Each event is freed with
/// `kraken_ws_event_free`. The last event of a server is `KRAKEN_WS_EVENT_KIND_CLOSED`; after it the call returns
/// `CLOSED`. Several threads may poll, at the price of the order.
///
/// Errors: `CLOSED`, `STATE` (the server has callbacks), `ARGUMENT`. No event in time is no error: `*count` is 0.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_poll(
    server: *mut kraken_ws_server,
    events: *mut *mut kraken_ws_event,
    max: usize,
    timeout_ms: i32,
    count: *mut usize,
) -> kraken_ws_status {
    // SAFETY: handle and results are as the header asks for.
    call(|| unsafe {
        let count = out(count, "count")?;
        count.write(0);
        if max == 0 || max > 1 << 20 {
            return Err(bad("max", &format!("expected 1 to 1048576, got {max}")));
        }
        out(events, "events")?;
        let until = u64::try_from(timeout_ms).ok().map(|ms| Instant::now() + Duration::from_millis(ms));
        let found = with(server, |host| poll(host, max, until))?;
        count.write(found.len());
        for (i, event) in found.into_iter().enumerate() {
            events.add(i).write(Arc::into_raw(event).cast_mut());
        }
        Ok(())
    })
}

fn poll(host: &Arc<Host>, max: usize, until: Option<Instant>) -> Result<Vec<Arc<kraken_ws_event>>> {
    polling(host, "poll")?;
    let (mut batch, mut found) = (Vec::new(), Vec::new());
    loop {
        let seen = host.inbox.wake.seen();
        found.extend(host.answers(max));
        let taken = host.inbox.take(&mut batch, max - found.len());
        found.extend(batch.drain(..).filter_map(|event| host.admit(event)));
        if !found.is_empty() {
            return Ok(found);
        }
        if taken > 0 {
            continue; // none of them for the host
        }
        if host.inbox.is_over() {
            return Err(Error::new(
                ErrorCode::Closed,
                "poll: the server has ended, there are no more events",
            ));
        }
        if !host.inbox.wake.wait(seen, until) {
            return Ok(found);
        }
    }
}

fn polling(host: &Host, what: &str) -> Result<()> {
    host.own(what)?;
    if host.has_dispatcher() {
        return Err(Error::new(ErrorCode::State, format!("{what}: the server was made with callbacks")));
    }
    Ok(())
}

/// For hosts with a loop of their own (epoll, libuv, Qt): a descriptor that is readable while events wait, for
/// `kraken_ws_server_poll` with a time-out of 0. It belongs to the library and lives until the server is freed: don't read
/// from it, don't close it.
///
/// Errors: `STATE` (the server has callbacks), `SYSTEM`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_event_fd(
    server: *mut kraken_ws_server,
    fd: *mut i32,
) -> kraken_ws_status {
    // SAFETY: handle and result are as the header asks for.
    call(|| unsafe {
        let fd = out(fd, "fd")?;
        fd.write(-1);
        with(server, |host| {
            polling(host, "event_fd")?;
            fd.write(host.inbox.fd()?);
            Ok(())
        })
    })
}
