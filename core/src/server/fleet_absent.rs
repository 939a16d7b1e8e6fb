//! A build without the feature `cluster`: there are no other nodes to join.

use crate::local::Server;
use crate::options::cluster::ClusterOptions;
use crate::types::error::Result;

impl Server {
    pub(crate) fn join_cluster(&self, options: ClusterOptions) -> Result<()> {
        match options {}
    }
}
