//! Log lines: those of the core (`tracing`) and refused requests. They wait for the thread that runs the callbacks.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, Weak};

use kraken_ws_core::{Refusal, RequestInfo};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::border::{Wake, lock};

/// Limit of lines that wait for `on_log`. Further lines are dropped, and a line reports their number.
const MOST: usize = 256;

/// Levels of `on_log`.
pub const KRAKEN_WS_LOG_ERROR: i32 = 1;
/// Levels of `on_log`.
pub const KRAKEN_WS_LOG_WARN: i32 = 2;
/// Levels of `on_log`.
pub const KRAKEN_WS_LOG_INFO: i32 = 3;
/// Levels of `on_log`.
pub const KRAKEN_WS_LOG_DEBUG: i32 = 4;

/// Log lines of one server; none are collected without an `on_log`.
#[derive(Default)]
pub(crate) struct Log(Option<Arc<Lines>>);

struct Lines {
    waiting: Mutex<VecDeque<(i32, String)>>,
    lost: AtomicUsize,
    wake: Mutex<Option<Arc<Wake>>>,
}

/// The servers that have an `on_log`.
static LISTENING: Mutex<Vec<Weak<Lines>>> = Mutex::new(Vec::new());

impl Log {
    /// The log of a server with an `on_log`.
    pub(crate) fn listening() -> Self {
        static SUBSCRIBE: Once = Once::new();
        SUBSCRIBE.call_once(|| {
            // A Rust host may have set a subscriber of its own; then that one gets the lines.
            let _ = tracing::subscriber::set_global_default(Core);
        });
        let lines =
            Arc::new(Lines { waiting: Mutex::default(), lost: AtomicUsize::new(0), wake: Mutex::default() });
        let mut listening = lock(&LISTENING);
        listening.retain(|lines| lines.strong_count() > 0);
        listening.push(Arc::downgrade(&lines));
        Self(Some(lines))
    }

    /// Sets the waker that a new line wakes.
    pub(crate) fn wakes(&self, wake: &Arc<Wake>) {
        if let Some(lines) = &self.0 {
            *lock(&lines.wake) = Some(wake.clone());
        }
    }

    pub(crate) fn line(&self, level: i32, text: String) {
        if let Some(lines) = &self.0 {
            lines.push(level, text);
        }
    }

    pub(crate) fn refused(&self, request: &RequestInfo, refusal: Refusal) {
        if self.0.is_some() {
            let (code, why) = (refusal as u8, refusal.message());
            self.line(KRAKEN_WS_LOG_INFO, format!("request of {} refused: {why} ({code})", request.address));
        }
    }

    /// Takes all waiting lines.
    pub(crate) fn take(&self) -> Vec<(i32, String)> {
        let Some(lines) = &self.0 else { return Vec::new() };
        let mut out: Vec<_> = lock(&lines.waiting).drain(..).collect();
        match lines.lost.swap(0, Ordering::Relaxed) {
            0 => {}
            lost => out.push((KRAKEN_WS_LOG_WARN, format!("{lost} log lines were lost: on_log is too slow"))),
        }
        out
    }
}

impl Lines {
    fn push(&self, level: i32, text: String) {
        let mut waiting = lock(&self.waiting);
        if waiting.len() == MOST {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.push_back((level, text));
        drop(waiting);
        if let Some(wake) = &*lock(&self.wake) {
            wake.wake();
        }
    }
}

/// Passes log lines of the core to every server with an `on_log`: the core's lines do not name their server.
struct Core;

impl Subscriber for Core {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("kraken_ws") && *metadata.level() <= Level::DEBUG
    }

    fn event(&self, event: &Event<'_>) {
        let level = match *event.metadata().level() {
            Level::ERROR => KRAKEN_WS_LOG_ERROR,
            Level::WARN => KRAKEN_WS_LOG_WARN,
            Level::INFO => KRAKEN_WS_LOG_INFO,
            _ => KRAKEN_WS_LOG_DEBUG,
        };
        let mut text = Text::default();
        event.record(&mut text);
        let line = text.message + &text.rest;
        let listening: Vec<_> = lock(&LISTENING).iter().filter_map(Weak::upgrade).collect();
        for lines in listening {
            lines.push(level, line.clone());
        }
    }

    // The core has no spans.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Collects the text of a line: `message field=value …`.
#[derive(Default)]
struct Text {
    message: String,
    rest: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.rest, " {name}={value:?}"),
        };
    }
}
