use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::needs;
use crate::error::Result;
use crate::host::{BroadcastAcks, EmitFlags, Namespace, Server};
use crate::rooms::Target;

/// How a node is part of a fleet; there is no way without the feature `cluster`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterOptions {}

impl ClusterOptions {
    pub(crate) fn from_json(_: &Value) -> Result<Self> {
        Err(needs("cluster", "cluster"))
    }
}

#[derive(Default)]
pub(crate) struct Place {}

impl Place {
    pub(crate) fn get(&self) -> Option<&Cluster> {
        None
    }

    pub(crate) fn own_room(&self, _nsp: u32, _id: &str, _here: bool) {}
}

pub(crate) enum Cluster {}

impl Cluster {
    pub(crate) fn broadcast(&self, _: &Namespace, _: Target, _: &str, _: Vec<Bytes>, _: EmitFlags) {
        match *self {}
    }

    pub(crate) fn ask_clients(
        &self,
        _: &Namespace,
        _: Target,
        _: &str,
        _: Vec<Bytes>,
        _: EmitFlags,
        _: (Arc<BroadcastAcks>, Duration),
    ) {
        match *self {}
    }

    pub(crate) fn join(&self, _: &Namespace, _: Target, _: Vec<Box<str>>) {
        match *self {}
    }

    pub(crate) fn leave(&self, _: &Namespace, _: Target, _: Vec<Box<str>>) {
        match *self {}
    }

    pub(crate) fn disconnect(&self, _: &Namespace, _: Target, _close: bool) {
        match *self {}
    }

    pub(crate) fn close(&self) {
        match *self {}
    }
}

impl Server {
    pub(crate) fn cluster(&self, _local: bool) -> Option<&Cluster> {
        None
    }

    pub(crate) fn join_cluster(&self, options: ClusterOptions) -> Result<()> {
        match options {}
    }
}
