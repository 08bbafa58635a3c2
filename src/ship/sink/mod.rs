//! Where dumps go. Each takes a dump so that a second time changes nothing, and says in a sentence why it does not.

mod events;
mod otlp;
mod store;

use std::sync::Arc;

use anyhow::Result;

pub(crate) use self::{events::Events, otlp::Otlp, store::Store};
use crate::{
    config::{Config, Wrong},
    daemon::Daemon,
    dump::Dump,
    fault::{Fault, Shipped},
    node::Node,
    object::Objects,
};

/// A sink.
#[derive(Debug)]
pub(crate) enum Sink {
    Store(Store),
    Otlp(Otlp),
    Events(Events),
}

impl Sink {
    /// Those of a configuration; what keeps one from being made is the configuration's.
    pub(crate) fn all(config: &Config) -> Result<Vec<Self>> {
        Self::made(config).map_err(|error| Wrong(format!("{error:#}")).into())
    }

    fn made(config: &Config) -> Result<Vec<Self>> {
        let mut sinks = Vec::new();
        let objects = match &config.store {
            Some(store) => Some(Objects::open(store, &store.url)?),
            None => None,
        };
        let names = Arc::new(Names::new(config, objects.clone()));
        if let Some(objects) = objects {
            sinks.push(Self::Store(Store::new(objects, names.clone(), Daemon::new(&config.socket), &config.state)));
        }
        if let Some(otlp) = &config.otlp {
            sinks.push(Self::Otlp(Otlp::new(otlp, names.clone())?));
        }
        if let Some(events) = &config.events {
            sinks.push(Self::Events(Events::new(events, names)?));
        }
        Ok(sinks)
    }

    /// What it is called in files, figures and the log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Store(_) => "store",
            Self::Otlp(_) => "otlp",
            Self::Events(_) => "events",
        }
    }

    /// Ships one.
    pub(crate) async fn ship(&mut self, dump: &Dump) -> Result<Shipped, Fault> {
        match self {
            Self::Store(sink) => sink.ship(dump).await,
            Self::Otlp(sink) => sink.ship(dump).await,
            Self::Events(sink) => sink.ship(dump).await,
        }
    }

    /// Whether it has that one already, as far as it can say; for when our own notes are lost.
    pub(crate) async fn has(&self, dump: &Dump) -> bool {
        match self {
            Self::Store(sink) => sink.has(dump).await,
            Self::Otlp(_) | Self::Events(_) => false,
        }
    }

    /// Whether it would take something, without giving it anything; says how it is.
    pub(crate) async fn check(&self) -> Result<String> {
        match self {
            Self::Store(sink) => sink.check().await,
            Self::Otlp(sink) => sink.check().await,
            Self::Events(sink) => sink.check().await,
        }
    }
}

/// What all sinks name in the same way.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) cluster: String,
    pub(crate) node: String,
    objects: Option<Objects>,
}

impl Names {
    pub(crate) fn new(config: &Config, objects: Option<Objects>) -> Self {
        Self { cluster: config.cluster.clone(), node: config.node.clone(), objects }
    }

    /// Where the dump is or will be in the object store, if there is one.
    pub(crate) fn url(&self, dump: &Dump) -> Option<String> {
        let objects = self.objects.as_ref()?;
        Some(objects.url(&format!("{}.dump", dump.key(&self.cluster, &self.node))))
    }

    /// The node's own file.
    pub(crate) fn node_key(&self) -> String {
        Node::key(&self.cluster, &self.node)
    }
}
