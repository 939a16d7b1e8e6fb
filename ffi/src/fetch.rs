//! Sockets with all that is known about them, as a snapshot.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use kraken_ws_core::{FetchedSocket, Result, Target};

use crate::host::Host;
use crate::inbox::Wake;
use crate::namespaces::number;
use crate::send::{kraken_ws_target, to};
use crate::server::{kraken_ws_server, with_open};
use crate::status::{call, kraken_ws_status, value};
use crate::text::{bad, kraken_ws_str, out};

#[repr(C)] // `magic` stands first, as in every handle
/// What `kraken_ws_fetch_sockets` found.
pub struct kraken_ws_socket_list {
    magic: u64,
    namespace: usize,
    sockets: Vec<FetchedSocket>,
}

const MAGIC: u64 = 0x6b72_616b_656e_736c;

/// One socket of a list. The texts live as long as the list.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_socket_info {
    /// The socket's number.
    pub socket: u64,
    /// Its public id.
    pub id: kraken_ws_str,
    /// The peer's address, empty for a Unix socket.
    pub address: kraken_ws_str,
    /// JSON of what the client gave as `auth`, or empty.
    pub auth: kraken_ws_str,
    /// JSON of `kraken_ws_socket_set_data`, or empty.
    pub data: kraken_ws_str,
    /// How many rooms it is in, the one named by its id included.
    pub rooms_len: usize,
}

/// Wakes the thread that waits, by means that need nothing of the thread itself.
impl std::task::Wake for Wake {
    fn wake(self: Arc<Self>) {
        Wake::wake(&self);
    }
}

/// Waits for the threads of the server to answer: they never wait for the host.
pub(crate) fn fetch(host: &Host, nsp: &str, target: Target) -> Result<(Vec<FetchedSocket>, usize)> {
    host.namespaces.with(nsp, |namespace, index| {
        let mut found = pin!(host.server.fetch_sockets(namespace, target));
        let wake = Arc::new(Wake::default());
        let waker = Waker::from(wake.clone());
        let mut context = Context::from_waker(&waker);
        loop {
            let seen = wake.seen();
            match found.as_mut().poll(&mut context) {
                Poll::Ready(found) => return Ok((found, index)),
                Poll::Pending => {
                    wake.wait(seen, None);
                }
            }
        }
    })
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
        _ => Err(bad("list", "the pointer is not of kraken_ws_fetch_sockets")),
    }
}

/// Finds the sockets that `target` means; null means everybody in the main namespace. Waits for each thread of the
/// server to answer. Free the list with `kraken_ws_socket_list_free`.
///
/// Errors: `NAME` (no such namespace), `CLOSED`, `ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kraken_ws_fetch_sockets(
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
            list.write(Box::into_raw(Box::new(kraken_ws_socket_list { magic: MAGIC, namespace, sockets })));
            Ok(())
        })
    })
}

/// How many sockets are in the list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kraken_ws_socket_list_len(list: *const kraken_ws_socket_list) -> usize {
    // SAFETY: the list is as the header asks for.
    value(0, || unsafe { get(list) }.map_or(0, |list| list.sockets.len()))
}

/// Describes one socket of the list in `*info`; false beyond the last.
#[unsafe(no_mangle)]
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
            socket: number(found.socket, list.namespace),
            id: kraken_ws_str::view(&found.id),
            address: kraken_ws_str::view(&found.request.address),
            auth: kraken_ws_str::view(&found.auth),
            data: kraken_ws_str::view(&found.data),
            rooms_len: found.rooms.len(),
        });
        true
    })
}

/// One room of one socket of the list, empty beyond the last. It lives as long as the list.
#[unsafe(no_mangle)]
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
#[unsafe(no_mangle)]
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
