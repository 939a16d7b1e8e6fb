//! A shard: one thread, one current-thread runtime, its own connections.
//!
//! Everything a shard owns is in [`State`], which only its thread touches; the rest of the process talks
//! to it by [`Command`]s in first-in-first-out order. A *turn* is what happens between two returns to the
//! event loop: commands and reads fill outboxes and the list of host events, and at its end every dirty
//! connection is written once and the events are handed over at once.

mod accept;
mod ack;
mod aliases;
mod broadcast;
mod command;
mod http;
mod lifecycle;
mod membership;
mod packets;
mod polling;
pub(crate) mod queue;
mod reader;
mod session;
mod state;
mod timers;
mod together;
mod upgrade;
mod wheel;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::LocalSet;

pub(crate) use aliases::Aliases;
pub(crate) use command::{Command, Core, EmitTo, Outgoing, PassedIn, Publish, ShardSender};
use state::State;
pub(crate) use together::together;

/// Bytes read at once; one buffer serves all connections of the shard. A read that fills it is repeated,
/// so a large message costs a call per 64 KiB.
const READ_BUFFER: usize = 64 * 1024;

/// How long the end of a server waits for goodbyes to be written and answered.
const SHUTDOWN_LINGER: Duration = Duration::from_millis(1500);

/// What the tasks of one shard share.
pub(crate) struct Shard {
    state: RefCell<State>,
    core: Arc<Core>,
    index: usize,
    read_buffer: RefCell<Box<[u8]>>,
    turn: Notify,
    turn_due: Cell<bool>,
    timer: Notify,
    /// Tasks that must end before the shard may: HTTP answers and goodbyes under way.
    busy: Cell<usize>,
    idle: Notify,
}

impl Shard {
    /// Runs `f` on the state and sees to it that what it caused is flushed at the end of this turn.
    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.borrow_mut();
        let out = f(&mut state);
        if state.has_work() && !self.turn_due.replace(true) {
            self.turn.notify_one();
        }
        if state.wheel.take_changed() {
            self.timer.notify_one();
        }
        out
    }

    /// Counts a task that the end of the server waits for.
    fn hold(self: &Rc<Self>) -> Hold {
        self.busy.set(self.busy.get() + 1);
        Hold(self.clone())
    }
}

/// See [`Shard::hold`].
struct Hold(Rc<Shard>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get() - 1);
        if self.0.busy.get() == 0 {
            self.0.idle.notify_one();
        }
    }
}

/// The thread's main function.
pub(crate) fn run(core: Arc<Core>, index: usize, commands: queue::Receiver) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            tracing::error!(error = %e, "a shard could not start");
            return;
        }
    };
    let local = LocalSet::new();
    local.block_on(&runtime, async move {
        let shard = Rc::new_cyclic(|weak| Shard {
            state: RefCell::new(State::new(core.clone(), index, weak.clone())),
            core,
            index,
            read_buffer: RefCell::new(vec![0; READ_BUFFER].into_boxed_slice()),
            turn: Notify::new(),
            turn_due: Cell::new(false),
            timer: Notify::new(),
            busy: Cell::new(0),
            idle: Notify::new(),
        });
        tokio::task::spawn_local(end_turns(shard.clone()));
        tokio::task::spawn_local(keep_time(shard.clone()));
        take_commands(shard.clone(), commands).await;
        let _ = tokio::time::timeout(SHUTDOWN_LINGER, async {
            while shard.busy.get() > 0 {
                shard.idle.notified().await;
            }
        })
        .await;
        // Not `with`: nothing is scheduled any more.
        shard.state.borrow_mut().end_turn();
    });
    drop(local);
    drop(runtime);
}

/// Takes commands until the server closes.
async fn take_commands(shard: Rc<Shard>, mut commands: queue::Receiver) {
    /// Commands per borrow of the state: enough to make one wake-up cheap, few enough that sockets
    /// get their turn.
    const BATCH: usize = 256;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        commands.recv_many(&mut batch, BATCH).await;
        for command in batch.drain(..) {
            if matches!(command, Command::Shutdown) {
                shard.with(State::shutdown);
                return;
            }
            shard.clone().execute(command);
        }
    }
}

/// Flushes at the end of each turn that left work.
async fn end_turns(shard: Rc<Shard>) {
    let window = shard.core.options.flush_interval;
    loop {
        shard.turn.notified().await;
        if !window.is_zero() {
            // Events must not wait for the window, only writes.
            shard.with(State::hand_over_events);
            tokio::time::sleep(window).await;
        }
        shard.turn_due.set(false);
        shard.with(State::end_turn);
    }
}

/// Fires timers.
async fn keep_time(shard: Rc<Shard>) {
    loop {
        let next = shard.state.borrow().wheel.next();
        match next {
            Some(at) => {
                tokio::select! {
                    () = tokio::time::sleep_until(at.into()) => shard.with(State::fire_timers),
                    () = shard.timer.notified() => {}
                }
            }
            None => shard.timer.notified().await,
        }
    }
}
