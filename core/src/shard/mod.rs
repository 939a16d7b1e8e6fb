//! A shard: one thread, one current-thread runtime, its own connections.
//!
//! Everything a shard owns is in [`State`], which only its thread touches; the rest of the process talks
//! to it by [`Command`]s in first-in-first-out order. A *turn* is what happens between two returns to the
//! event loop: commands and reads fill outboxes and the list of host events, and at its end every dirty
//! connection is written once and the events are handed over at once.

mod broken;
mod conn;
mod dirty;
mod event_buffer;
mod execute;
mod http;
mod sockets;
mod state;
mod table;
mod timers;
mod wheel;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use state::State;
use tokio::sync::Notify;
use tokio::task::LocalSet;

use crate::shared::command::Command;
use crate::shared::command_queue;
use crate::shared::core::Core;
use crate::shared::panics::{self, Panics};
use crate::shared::thread_start::Tell;
use crate::shared::under_way::Hold;

/// Bytes read at once; one buffer serves all connections of the shard. A read that fills it is repeated,
/// so a large message costs a call per 64 KiB.
const READ_BUFFER: usize = 64 * 1024;

/// How long a shutdown waits for what [`Shard::hold`] counts: last frames and requests without an answer yet.
const SHUTDOWN_LINGER: Duration = Duration::from_millis(1500);

/// The name under which a panic of a shard is logged.
const SHARD: &str = "shard";
/// Delay before a task restarts after a panic: a task that panics in a loop leaves time for the others.
const PAUSE: Duration = Duration::from_millis(1);

/// State and signals that the tasks of one shard share.
pub(crate) struct Shard {
    state: RefCell<State>,
    core: Arc<Core>,
    index: usize,
    read_buffer: RefCell<Box<[u8]>>,
    turn: Notify,
    turn_due: Cell<bool>,
    timer: Notify,
    /// Notified once [`Command::Shutdown`] is executed.
    ended: Notify,
}

impl Shard {
    fn new(core: Arc<Core>, index: usize) -> Rc<Self> {
        Rc::new_cyclic(|weak| Self {
            state: RefCell::new(State::new(core.clone(), index, weak.clone())),
            core,
            index,
            read_buffer: RefCell::new(vec![0; READ_BUFFER].into_boxed_slice()),
            turn: Notify::new(),
            turn_due: Cell::new(false),
            timer: Notify::new(),
            ended: Notify::new(),
        })
    }

    /// Runs `f` on the state and schedules the flush at the end of this turn. If `f` panics, the shard starts over
    /// (`broken.rs`) and the calling task unwinds.
    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.borrow_mut();
        let out = catch_unwind(AssertUnwindSafe(|| f(&mut state)));
        let out = out.map_err(|panic| state.start_over(panic));
        if state.has_work() && !self.turn_due.replace(true) {
            self.turn.notify_one();
        }
        if state.wheel.take_changed() {
            self.timer.notify_one();
        }
        drop(state);
        out.unwrap_or_else(|()| panics::unwind())
    }

    fn panics(&self) -> &Panics {
        &self.core.host.panics
    }

    /// Counts a task that a shutdown waits for, until the [`Hold`] is dropped.
    fn hold(&self) -> Hold {
        self.core.under_way.hold()
    }
}

/// The thread's main function. `started` reports whether the runtime could be built.
pub(crate) fn run(core: Arc<Core>, index: usize, commands: command_queue::Receiver, started: &Tell) {
    let (asleep, awake) = (commands.sleep(), commands.sleep());
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || asleep.set(true))
        .on_thread_unpark(move || awake.set(false))
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => return started.tell(Err(e)),
    };
    started.tell(Ok(()));
    let local = LocalSet::new();
    let shard = Shard::new(core, index);
    let lived = catch_unwind(AssertUnwindSafe(|| local.block_on(&runtime, live(shard.clone(), commands))));
    // The tasks of `live` catch their own panics. If one gets here all the same, the thread ends, and `start_over`
    // answers everybody who waits for this shard.
    if let Err(panic) = lived {
        shard.state.borrow_mut().start_over(panic);
    }
    drop(local);
    drop(shard);
    drop(runtime);
}

async fn live(shard: Rc<Shard>, commands: command_queue::Receiver) {
    tokio::task::spawn_local(for_ever(shard.clone(), end_turns));
    tokio::task::spawn_local(for_ever(shard.clone(), keep_time));
    tokio::select! {
        () = take_commands(shard.clone(), commands) => {}
        () = linger(&shard) => {}
    }
    shard.panics().catch(SHARD, || shard.with(State::end_turn));
}

/// Runs a task that the shard can't do without; it restarts after a panic.
async fn for_ever<F: Future<Output = ()>>(shard: Rc<Shard>, task: fn(Rc<Shard>) -> F) {
    while shard.panics().catch_in(SHARD, pin!(task(shard.clone()))).await.is_none() {
        tokio::time::sleep(PAUSE).await;
    }
}

/// Spawns a task that no other task awaits; its panic is counted and logged.
fn spawn(shard: Rc<Shard>, task: impl Future<Output = ()> + 'static) {
    tokio::task::spawn_local(async move {
        shard.panics().catch_in(SHARD, pin!(task)).await;
    });
}

/// Executes commands until `live` drops this future at the end of a shutdown.
async fn take_commands(shard: Rc<Shard>, mut commands: command_queue::Receiver) {
    /// Commands per wake-up: enough to make one wake-up cheap, few enough that the tasks that read sockets get their
    /// turn.
    const BATCH: usize = 256;
    let mut batch = Vec::with_capacity(BATCH);
    let mut ended = false;
    loop {
        commands.recv_many(&mut batch, BATCH).await;
        for command in batch.drain(..) {
            match command {
                Command::Batch(commands) => {
                    commands.into_iter().for_each(|command| take(&shard, command, &mut ended));
                }
                command => take(&shard, command, &mut ended),
            }
        }
    }
}

fn take(shard: &Rc<Shard>, command: Command, ended: &mut bool) {
    match command {
        Command::Shutdown(hold) => {
            *ended = true;
            shard.panics().catch(SHARD, || shard.with(State::shutdown));
            drop(hold);
            shard.ended.notify_one();
        }
        // Commands of HTTP requests go on: a poll in flight still gets its session's last packets.
        command if *ended && !command.is_of_request() => {}
        command => {
            shard.panics().catch(SHARD, || shard.clone().execute(command));
        }
    }
}

/// Waits, once the shard is shut down, for the work in flight on all shards, but no longer than [`SHUTDOWN_LINGER`].
async fn linger(shard: &Shard) {
    shard.ended.notified().await;
    let _ = tokio::time::timeout(SHUTDOWN_LINGER, shard.core.under_way.end()).await;
}

/// Flushes at the end of each turn that left work.
async fn end_turns(shard: Rc<Shard>) {
    let window = shard.core.options.flush_interval;
    if shard.turn_due.get() {
        shard.turn.notify_one(); // the one that was ended by a panic
    }
    loop {
        shard.turn.notified().await;
        if !window.is_zero() {
            // `flush_interval` delays writes only; events go to the host at once.
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
