//! `Stage`: what may take an event on its way to the host.

use crate::shared::event::Event;

/// One of several that see the events of a server in order, each only what the one before it passed on. A host runs
/// them where it takes its events, on its own thread: modules in C before sockets without a JavaScript object, say.
///
/// `E` is the form that the host gives to events.
///
/// ```
/// use kraken_ws_core::{Event, Stage, pass};
/// struct NoDisconnects;
/// impl Stage for NoDisconnects {
///     fn pass(&self, event: Event) -> Option<Event> {
///         (!matches!(event, Event::Disconnect { .. })).then_some(event)
///     }
/// }
/// assert!(pass(&[&NoDisconnects], Event::Closed).is_some());
/// ```
pub trait Stage<E = Event> {
    /// Returns what the next stage gets, or `None` if the event ends here.
    fn pass(&self, event: E) -> Option<E>;
}

/// Passes an event through the stages; `None` if one of them took it.
pub fn pass<E>(stages: &[&dyn Stage<E>], event: E) -> Option<E> {
    stages.iter().try_fold(event, |event, stage| stage.pass(event))
}
