//! The object store: `cluster=C/namespace=NS/date=D/node=N/TIME-REASON-ID.dump`, and `.json` beside it.
//!
//! The namespace stands early, so that rights by prefix decide who reads; the form is what SQL prunes by. The dump goes
//! first: where the JSON is, the dump is whole.

use std::{
    fs::File,
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use object_store::{ObjectStoreExt, PutPayload};
use serde_json::json;

use super::Names;
use crate::{
    daemon::Daemon,
    dump::Dump,
    fault::{self, Fault, Shipped},
    node::Node,
    object::Objects,
};

/// A file that is longer goes in parts of this size.
const PART: usize = 8 << 20;

/// The object store as a sink.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) objects: Objects,
    names: Arc<Names>,
    daemon: Daemon,
    /// For a dump on its way: the daemon does not wait for a slow store.
    spool: PathBuf,
}

impl Store {
    pub(crate) fn new(objects: Objects, names: Arc<Names>, daemon: Daemon, spool: &Path) -> Self {
        Self { objects, names, daemon, spool: spool.to_owned() }
    }

    pub(crate) async fn ship(&mut self, dump: &Dump) -> Result<Shipped, Fault> {
        self.objects.must_be_there()?;
        let Some((file, size)) = self.fetch(dump).await? else { return Err(Fault::Gone) };
        let key = dump.key(&self.names.cluster, &self.names.node);
        let doing = format!("write {}", self.objects.url(&format!("{key}.dump")));
        self.put_file(&doing, &format!("{key}.dump"), file, size).await?;
        let mut about = dump.about.clone();
        about["url"] = json!(self.objects.url(&format!("{key}.dump")));
        let json = format!("{about}\n");
        let length = json.len() as u64;
        self.put(&format!("{key}.json"), json.into_bytes()).await?;
        Ok(Shipped::There(size + length))
    }

    /// The dump's file, whole, in a file that nobody else sees.
    async fn fetch(&self, dump: &Dump) -> Result<Option<(File, u64)>> {
        let Some(mut from) = self.daemon.file(&dump.id).await? else { return Ok(None) };
        let size = from.left();
        let doing = || format!("keep a dump on its way in {}", self.spool.display());
        let mut file = tempfile::tempfile_in(&self.spool).with_context(doing)?;
        while let Some(piece) = from.next().await? {
            file.write_all(&piece).with_context(doing)?;
        }
        file.rewind().with_context(doing)?;
        Ok(Some((file, size)))
    }

    async fn put_file(&self, doing: &str, key: &str, mut file: File, size: u64) -> Result<()> {
        let read = |file: &mut File| -> Result<Vec<u8>> {
            let mut part = Vec::new();
            file.take(PART as u64).read_to_end(&mut part).context("read the dump on its way")?;
            Ok(part)
        };
        if size <= PART as u64 {
            return self.put(key, read(&mut file)?).await;
        }
        let path = self.objects.path(key)?;
        let mut upload = fault::of_store(doing, self.objects.store.put_multipart(&path).await)?;
        loop {
            let part = read(&mut file)?;
            let done = if part.is_empty() {
                fault::of_store(doing, upload.complete().await).map(|_| true)
            } else {
                fault::of_store(doing, upload.put_part(PutPayload::from(part)).await).map(|()| false)
            };
            match done {
                Ok(true) => return self.objects.settle(&path),
                Ok(false) => {}
                Err(error) => {
                    // What is there in part costs room. Where that cannot be said, a rule of the bucket's removes it.
                    let _ = upload.abort().await;
                    return Err(error);
                }
            }
        }
    }

    /// Writes a whole object.
    pub(crate) async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        let path = self.objects.path(key)?;
        let doing = format!("write {}", self.objects.url(key));
        fault::of_store(&doing, self.objects.store.put(&path, PutPayload::from(bytes)).await)?;
        self.objects.settle(&path)
    }

    /// Whether it is there, whole.
    pub(crate) async fn has(&self, dump: &Dump) -> bool {
        let key = format!("{}.json", dump.key(&self.names.cluster, &self.names.node));
        match self.objects.path(&key) {
            Ok(path) => self.objects.store.head(&path).await.is_ok(),
            Err(_) => false,
        }
    }

    /// What the node's file says; `None`: there is none, or it may not be read.
    pub(crate) async fn node(&self) -> Result<Option<Node>> {
        self.objects.must_be_there()?;
        let key = self.names.node_key();
        let doing = format!("read {}", self.objects.url(&key));
        let found = match self.objects.store.get(&self.objects.path(&key)?).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { source, .. }) if !fault::chain(&*source).contains("NoSuchBucket") => {
                return Ok(None);
            }
            Err(error) => return fault::of_store(&doing, Err(error)),
        };
        let bytes = fault::of_store(&doing, found.bytes().await)?;
        Ok(serde_json::from_slice(&bytes).ok())
    }

    /// Writes the node's file.
    pub(crate) async fn write_node(&self, node: &Node) -> Result<()> {
        self.objects.must_be_there()?;
        let text = serde_json::to_string(node).context("write the node's file")?;
        self.put(&self.names.node_key(), format!("{text}\n").into_bytes()).await
    }

    pub(crate) async fn check(&self) -> Result<String> {
        // What stands there is written again, so that it is known that we may.
        let node = self.node().await?;
        let is_first = node.is_none();
        let (cluster, name) = (self.names.cluster.clone(), self.names.node.clone());
        self.write_node(&node.unwrap_or(Node { cluster, node: name, ..Node::default() })).await?;
        let what = if is_first { "this node is new there" } else { "this node has shipped there before" };
        Ok(format!("{} can be written, {what}", self.objects.url(&self.names.node_key())))
    }
}
