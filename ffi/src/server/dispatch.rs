//! The dispatcher: the thread that runs a host's callbacks.

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use kraken_ws_core::{Error, ErrorCode, Hooks, Result};

use super::host::Host;
use super::log::{KRAKEN_WS_LOG_ERROR, KRAKEN_WS_LOG_WARN};
use crate::border::{kraken_ws_str, sized};
use crate::event::{SharedEvent, kraken_ws_event, kraken_ws_event_kind as Kind};

/// Returned by a callback that decides: accept the client, allow the request.
pub const KRAKEN_WS_DECISION_ACCEPT: i32 = 0;
/// Returned by a callback that decides: refuse the client with `Unauthorized`, or the request, unless the callback has
/// called `kraken_ws_event_reject` or `kraken_ws_event_refuse`.
pub const KRAKEN_WS_DECISION_REJECT: i32 = 1;
/// Returned by a callback that decides: the event has been answered, or was retained and will be.
pub const KRAKEN_WS_DECISION_LATER: i32 = 2;

/// Functions of the host that a server calls. Set `size` to `sizeof(kraken_ws_callbacks)`, and what you don't need
/// to null.
///
/// All of them are called on one thread of the library, one at a time, for each socket in the order of its packets.
/// While one runs, no other event of this server is delivered: a slow callback delays the events of all clients (not what
/// is sent), and beyond `hostQueueBytes` the server stops reading from clients. Callbacks may call every function of this
/// header; `kraken_ws_server_close` and `_free` then don't wait. No exception may leave them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_callbacks {
    /// `sizeof(kraken_ws_callbacks)`.
    pub size: usize,
    /// First argument of each function.
    pub userdata: *mut c_void,
    /// Called once, as the last function, when the server no longer uses `userdata`.
    pub drop: Option<unsafe extern "C" fn(userdata: *mut c_void)>,
    /// A client connects to a namespace: returns `KRAKEN_WS_DECISION_ACCEPT`, `_REJECT` or `_LATER`. Null accepts all.
    pub on_connect: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event) -> i32>,
    /// A client sent an event.
    pub on_event: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event)>,
    /// A socket that `on_connect` did not refuse has disconnected. It is in no room any more.
    pub on_disconnect: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event)>,
    /// An emit, a publish or a server-side emit was acknowledged, or not in time.
    pub on_ack: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event)>,
    /// A request outside the path of Socket.IO; null answers 404.
    pub on_http: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event)>,
    /// A line for the log; `level` is one of `KRAKEN_WS_LOG_…`.
    pub on_log: Option<unsafe extern "C" fn(userdata: *mut c_void, level: i32, line: kraken_ws_str)>,
    /// A handshake: returns `KRAKEN_WS_DECISION_ACCEPT`, `_REJECT` or `_LATER`. Null allows all.
    pub on_allow_request:
        Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event) -> i32>,
    /// A later polling request, or one that upgrades: `kraken_ws_event_allow` gives headers for its response.
    pub on_headers: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event)>,
    /// A request under the path of Socket.IO, before the engine reads it: returns `KRAKEN_WS_DECISION_ACCEPT`,
    /// `_REJECT` or `_LATER`. `kraken_ws_event_reply` answers it in place of the engine.
    pub on_engine: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event) -> i32>,
    /// A room of this process was created or deleted, or a socket joined or left it.
    pub on_room: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event)>,
    /// The host of another node of the fleet sent an event to the hosts; `kraken_ws_event_ack` if it wants one.
    pub on_server_side: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event)>,
    /// The connection to the other nodes is up or down, or messages for them were lost.
    pub on_cluster: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event)>,
    /// The client of a socket that has disconnected can't come back to it any more (`connectionStateRecovery`).
    pub on_session_end: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event)>,
}

// SAFETY: the host's functions and its pointer are meant for another thread: the documentation says so.
unsafe impl Send for kraken_ws_callbacks {}

impl kraken_ws_callbacks {
    /// # Safety
    /// As `sized`.
    pub(crate) unsafe fn read(callbacks: *const Self) -> Result<Self> {
        // SAFETY: the caller's promise is the same, and null is a value of every member.
        unsafe { sized(callbacks, offset_of!(Self, on_connect), "callbacks") }
    }
}

/// Guard that calls the host's `drop`, also if the thread could not be started.
struct Callbacks(kraken_ws_callbacks);

impl Drop for Callbacks {
    fn drop(&mut self) {
        if let Some(drop) = self.0.drop {
            // SAFETY: the host's own function with the host's own pointer, once.
            unsafe { drop(self.0.userdata) };
        }
    }
}

/// Guard that reports the end of the thread, also after a panic.
struct Ended(Arc<Host>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.set_ended();
    }
}

/// Starts the dispatcher.
pub(crate) fn start(host: &Arc<Host>, callbacks: kraken_ws_callbacks) -> Result<()> {
    let of_thread = host.clone();
    let callbacks = Callbacks(callbacks);
    let thread = std::thread::Builder::new().name("kraken-host".into()).spawn(move || {
        of_thread.enter_dispatcher();
        // `kraken_ws_server_free` waits for this drop.
        let _ended = Ended(of_thread.clone());
        while of_thread.caught(|| run(&of_thread, &callbacks.0)).is_none() {}
        drop(callbacks);
    });
    match thread {
        Ok(thread) => {
            host.set_dispatcher(thread);
            Ok(())
        }
        Err(e) => Err(Error::new(ErrorCode::System, format!("a thread could not start: {e}"))),
    }
}

fn run(host: &Arc<Host>, callbacks: &kraken_ws_callbacks) {
    let mut batch = Vec::new();
    loop {
        let seen = host.inbox.wake.seen();
        host.caught(|| log(host, callbacks));
        for event in host.caught(|| host.remote_answers(usize::MAX)).unwrap_or_default() {
            hand_over(host, callbacks, &event);
        }
        if host.inbox.take(&mut batch, 256) == 0 {
            host.inbox.wake.wait(seen, None);
            continue;
        }
        for event in batch.drain(..) {
            let Some(event) = host.admit(event) else { continue };
            if event.kind == Kind::Closed {
                host.caught(|| log(host, callbacks));
                return;
            }
            hand_over(host, callbacks, &event);
        }
    }
}

/// Delivers an event unless the host has freed the server. A panic loses the event; the thread goes on.
fn hand_over(host: &Host, callbacks: &kraken_ws_callbacks, event: &SharedEvent) {
    if !host.quiet.load(Ordering::Acquire) {
        host.caught(|| deliver(host, callbacks, event));
    }
}

fn log(host: &Host, callbacks: &kraken_ws_callbacks) {
    let Some(on_log) = callbacks.on_log else { return };
    for (level, line) in host.log.take() {
        if !host.quiet.load(Ordering::Acquire) {
            // SAFETY: the host's own function; the line lives for the call.
            unsafe { on_log(callbacks.userdata, level, kraken_ws_str::view(&line)) };
        }
    }
}

/// The one table of callbacks: the events that each gets, and the hook that is set if it is there. Those that `decide`
/// answer the event by what they return.
macro_rules! callbacks {
    (
        decide { $($kind:ident => $decides:ident $(, $hook:ident)?;)+ }
        hear { $($($heard:ident)|+ => $hears:ident $(, $heard_hook:ident)?;)+ }
        nobody { $($unheard:ident),+ }
    ) => {
        impl kraken_ws_callbacks {
            /// Sets the hooks of the functions that are there, and removes those of the others.
            pub(crate) fn set_hooks(&self, hooks: &mut Hooks) {
                $($(hooks.set(Hooks::$hook, self.$decides.is_some());)?)+
                $($(hooks.set(Hooks::$heard_hook, self.$hears.is_some());)?)+
            }
        }

        fn deliver(host: &Host, callbacks: &kraken_ws_callbacks, event: &SharedEvent) {
            let callback = match event.kind {
                $(Kind::$kind => {
                    return decide(stringify!($decides), callbacks.$decides, host, callbacks, event);
                })+
                $($(Kind::$heard)|+ => callbacks.$hears,)+
                $(Kind::$unheard)|+ => None,
            };
            if let Some(callback) = callback {
                // SAFETY: the host's own function; the event lives for the call, and longer if it is retained.
                unsafe { callback(callbacks.userdata, event.pointer()) };
            }
        }
    };
}

callbacks! {
    decide {
        Connect => on_connect;
        AllowRequest => on_allow_request, ALLOW_REQUEST;
        Engine => on_engine, ENGINE;
    }
    hear {
        Event => on_event;
        Disconnect => on_disconnect;
        Ack | BroadcastAck | ServerSideAck => on_ack;
        Http => on_http, HTTP;
        Headers => on_headers, HEADERS;
        Room => on_room, ROOMS;
        ServerSide => on_server_side;
        Cluster => on_cluster;
        SessionEnd => on_session_end, SESSIONS;
    }
    nobody { Closed, None }
}

/// Calls a callback that decides, and answers the event with its result.
fn decide(
    name: &str,
    callback: Option<unsafe extern "C" fn(*mut c_void, *const kraken_ws_event) -> i32>,
    host: &Host,
    callbacks: &kraken_ws_callbacks,
    event: &SharedEvent,
) {
    let Some(callback) = callback else { return };
    let was_pending = event.is_pending();
    // SAFETY: as in `deliver`.
    let decision = unsafe { callback(callbacks.userdata, event.pointer()) };
    if !event.is_pending() {
        // A client that recovered its session is connected already, and is disconnected.
        if !was_pending && event.kind == Kind::Connect && decision == KRAKEN_WS_DECISION_REJECT {
            event.turn_away();
        }
        return;
    }
    match decision {
        KRAKEN_WS_DECISION_ACCEPT => drop(event.agree()),
        KRAKEN_WS_DECISION_LATER if Arc::strong_count(event) > 1 => {}
        KRAKEN_WS_DECISION_LATER => {
            host.log
                .line(KRAKEN_WS_LOG_WARN, format!("{name}: decided later, but the event was not retained"));
        }
        KRAKEN_WS_DECISION_REJECT => {}
        other => host.log.line(KRAKEN_WS_LOG_ERROR, format!("{name} returned {other}: taken for a no")),
    }
    // Freeing the event answers its question with no.
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;
    use std::task::{Poll, Waker};
    use std::time::{Duration, Instant};

    use kraken_ws_core::Options;

    use super::*;
    use crate::server::Log;

    unsafe extern "C" fn count(userdata: *mut c_void, _: *const kraken_ws_event) {
        // SAFETY: the test's own counter, which outlives the server.
        unsafe { &*userdata.cast::<AtomicUsize>() }.fetch_add(1, Ordering::SeqCst);
    }

    #[test]
    fn a_panic_on_the_thread_of_the_callbacks_costs_one_event_and_free_returns() {
        let acks = AtomicUsize::new(0);
        let options = Options::from_json(&serde_json::json!({ "shards": 1 })).unwrap();
        let host = Host::new(options, false, Log::default()).unwrap();
        let callbacks = kraken_ws_callbacks {
            size: size_of::<kraken_ws_callbacks>(),
            userdata: std::ptr::from_ref(&acks).cast_mut().cast(),
            on_ack: Some(count),
            // SAFETY: null is a value of every member.
            ..unsafe { std::mem::zeroed() }
        };
        start(&host, callbacks).unwrap();
        // The first poll is here, the following ones are on the dispatcher.
        for round in 1..=2 {
            let waker = Arc::new(Mutex::new(None::<Waker>));
            let given = waker.clone();
            let ask = std::future::poll_fn(move |cx| match &mut *given.lock().unwrap() {
                Some(_) => panic!("deliberate"),
                none => {
                    *none = Some(cx.waker().clone());
                    Poll::Pending
                }
            });
            host.remote_calls.add(round, Box::pin(ask), &host.inbox.wake).unwrap();
            let waker = waker.lock().unwrap().clone().unwrap();
            waker.wake();
            let start = Instant::now();
            while acks.load(Ordering::SeqCst) < round as usize {
                assert!(start.elapsed() < Duration::from_secs(10), "no answer");
                std::thread::yield_now();
            }
            assert_eq!(host.server.stats().panics, round);
        }
        host.finish();
        assert_eq!(acks.load(Ordering::SeqCst), 2);
    }
}
