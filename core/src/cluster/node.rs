//! The cluster's thread.

use std::sync::{Arc, mpsc};

use super::config::ClusterOptions;
use super::queue::Queue;
use super::stats::Figures;
use super::wire::Names;
use crate::error::{Error, ErrorCode, Result};
use crate::host::{HostQueue, WeakServer};

/// What a node is made of.
pub(crate) struct NodeParts {
    pub options: ClusterOptions,
    pub names: Arc<Names>,
    pub queue: Arc<Queue>,
    pub figures: Arc<Figures>,
    /// The server with its queue to the host and its lane there; an emitter has none.
    pub server: Option<(WeakServer, Arc<HostQueue>, usize)>,
}

/// The thread's main function. `ready` hears whether it could start.
pub(crate) fn run(parts: NodeParts, ready: mpsc::Sender<Result<()>>) {
    let _ = ready
        .send(Err(Error::new(ErrorCode::Unsupported, "cluster: this build has no connections to Redis yet")));
    parts.queue.end();
}
