//! Where stored dumps come from: the directory, or the daemon where the directory is not ours to read. The daemon
//! decides what each client may have; who gets live dumps of it gets the stored ones too.

use std::{
    collections::HashMap,
    fs::File,
    io::{Seek, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use nix::sys::memfd::{MFdFlags, memfd_create};
use serde::Deserialize;

use super::{
    elsewhere::{self, Elsewhere},
    signals::runtime,
    stored::Stored,
};
use crate::{
    control::Client,
    model::{Dump, plain},
    store::{self, Entry, Store},
};

/// Where they come from.
#[derive(Debug)]
pub(super) enum Source {
    /// The directory itself.
    Directory(Store),
    /// The daemon, which tells of those in its directory.
    Daemon(Asked),
    /// A store elsewhere, by its URL.
    Elsewhere(Elsewhere),
    /// A file from anywhere, with what it says of itself and whether its end is there.
    File(PathBuf, Box<Dump>, bool),
}

/// What the daemon has told of them.
#[derive(Debug)]
pub(super) struct Asked {
    client: Client,
    told: HashMap<String, Told>,
}

/// What it tells of one; there is more that is not needed here.
#[derive(Debug, Deserialize)]
struct Told {
    id: String,
    path: PathBuf,
    size: u64,
    state: String,
    error: Option<String>,
}

impl Source {
    /// The dumps that the daemon tells of where these words are said of them.
    pub(super) fn ask(client: Client, words: &str) -> Result<(Self, Vec<Entry>)> {
        let lines = runtime()?.block_on(client.stored(words)).context("ask the daemon for its stored dumps")?;
        let mut told = HashMap::new();
        let mut entries = Vec::new();
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let of: Told = serde_json::from_slice(line).context("understand what the daemon tells of a dump")?;
            // One that is called as none of ours is nothing that could be shown.
            if let Some(entry) = Entry::told(&of.path, of.size).filter(|entry| entry.id() == of.id) {
                entries.push(entry);
                told.insert(of.id.clone(), of);
            }
        }
        Ok((Self::Daemon(Asked { client, told }), entries))
    }

    /// A dump file, by its path.
    pub(super) fn of_file(path: &Path) -> Result<(Self, Entry)> {
        let (entry, dump, whole) = Entry::of_file(path)?;
        Ok((Self::File(path.to_owned(), Box::new(dump), whole), entry))
    }

    /// Where they are, in words.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Directory(store) => store.path().display().to_string(),
            Self::Daemon(_) => "what the daemon may give us".to_owned(),
            Self::Elsewhere(store) => store.url().to_owned(),
            Self::File(path, ..) => path.display().to_string(),
        }
    }

    /// The directory, for what changes it.
    pub(super) fn directory(self, verb: &str, path: &Path) -> Result<Store> {
        match self {
            Self::Directory(store) => Ok(store),
            Self::Daemon(_) => bail!("{verb} dumps in {}: only root may: sudo traceloop {verb}", path.display()),
            Self::Elsewhere(store) => {
                bail!("{verb} dumps in {}: a store elsewhere is only read here: use its own tools", store.url())
            }
            Self::File(file, ..) => {
                bail!("{verb} is for dumps in {}, not for a file: {}", path.display(), file.display())
            }
        }
    }

    /// What a dump says of itself.
    pub(super) fn look<'a>(&self, entry: &'a Entry) -> Stored<'a> {
        match self {
            Self::Directory(store) => Stored::look(store, entry),
            Self::Daemon(asked) => {
                let told = asked.told.get(entry.id());
                let about = match told.and_then(|told| told.error.as_ref()) {
                    Some(error) => Err(plain(error).into_owned()),
                    None => asked.header(entry).map_err(|error| plain(&format!("{error:#}")).into_owned()),
                };
                Stored::told(entry, about, told.is_some_and(|told| told.state == "whole"))
            }
            Self::Elsewhere(store) => store.look(entry),
            Self::File(_, dump, whole) => Stored::told(entry, Ok(Dump::clone(dump)), *whole),
        }
    }

    /// Its bytes.
    pub(super) fn file(&self, entry: &Entry) -> Result<File> {
        match self {
            Self::Directory(store) => store.file(entry),
            Self::Daemon(asked) => asked.file(entry).with_context(|| format!("get {} from the daemon", entry.id())),
            Self::Elsewhere(_) => elsewhere::got(&entry.path),
            Self::File(path, ..) => File::open(path).with_context(|| format!("read {}", path.display())),
        }
    }
}

impl Asked {
    /// No more of the file is asked for than what it says of itself.
    fn header(&self, entry: &Entry) -> Result<Dump> {
        runtime()?.block_on(async {
            let mut pieces = self.client.stored_file(entry.id()).await?;
            let mut bytes = Vec::new();
            while let Some(piece) = pieces.next().await? {
                bytes.extend_from_slice(&piece);
                if let Ok(dump) = store::header(&mut &bytes[..]) {
                    return Ok(dump);
                }
            }
            store::header(&mut &bytes[..])
        })
    }

    fn file(&self, entry: &Entry) -> Result<File> {
        let mut file = File::from(memfd_create(c"dump", MFdFlags::MFD_CLOEXEC).context("make room for it")?);
        runtime()?.block_on(async {
            let mut pieces = self.client.stored_file(entry.id()).await?;
            while let Some(piece) = pieces.next().await? {
                file.write_all(&piece).context("keep it in memory")?;
            }
            anyhow::Ok(())
        })?;
        file.rewind().context("read it from its beginning")?;
        Ok(file)
    }
}
