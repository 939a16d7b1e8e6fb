//! The option `cluster` in a build without the feature `cluster`: every use is an error.

use serde_json::Value;

use crate::options::OptionSpec;
use crate::types::error::{Result, needs};

/// The members of the option `cluster`: none.
pub const CLUSTER_OPTIONS: &[OptionSpec] = &[];

/// The settings of a node of a fleet. None can be created without the feature `cluster`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterOptions {}

impl ClusterOptions {
    pub(crate) fn from_json(_: &Value) -> Result<Self> {
        Err(needs("cluster", "cluster"))
    }
}
