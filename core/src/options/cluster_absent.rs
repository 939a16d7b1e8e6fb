//! The option `cluster` of a build without the feature: it is refused.

use serde_json::Value;

use crate::types::error::{Result, needs};

/// How a node is part of a fleet; there is no way without the feature `cluster`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterOptions {}

impl ClusterOptions {
    pub(crate) fn from_json(_: &Value) -> Result<Self> {
        Err(needs("cluster", "cluster"))
    }
}
