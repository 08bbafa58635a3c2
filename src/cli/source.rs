//! Where stored dumps come from: the directory, or the daemon where the directory is not ours to read. The daemon
//! decides what each client may have; who gets live dumps of it gets the stored ones too.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Seek, Write},
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

/// Where they come from, and the key of those that are encrypted.
#[derive(Debug)]
pub(super) struct Source {
    origin: Origin,
    identity: Option<PathBuf>,
}

/// Where they come from.
#[derive(Debug)]
enum Origin {
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
    pub(super) fn of_directory(store: Store) -> Self {
        Self { origin: Origin::Directory(store), identity: None }
    }

    pub(super) fn of_elsewhere(store: Elsewhere) -> Self {
        Self { origin: Origin::Elsewhere(store), identity: None }
    }

    /// The same for who has a key: the file of it.
    pub(super) fn with_identity(self, identity: Option<&Path>) -> Self {
        Self { identity: identity.map(Path::to_owned), ..self }
    }

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
        Ok((Self { origin: Origin::Daemon(Asked { client, told }), identity: None }, entries))
    }

    /// A dump file, by its path.
    pub(super) fn of_file(path: &Path, identity: Option<&Path>) -> Result<(Self, Entry)> {
        let file = File::open(path).with_context(|| format!("read {}", path.display()))?;
        let file = decrypted(file, identity).with_context(|| format!("read {}", path.display()))?;
        let (entry, dump, whole) = Entry::of_file(path, file)?;
        let origin = Origin::File(path.to_owned(), Box::new(dump), whole);
        Ok((Self { origin, identity: identity.map(Path::to_owned) }, entry))
    }

    /// Where they are, in words.
    pub(super) fn place(&self) -> String {
        match &self.origin {
            Origin::Directory(store) => store.path().display().to_string(),
            Origin::Daemon(_) => "what the daemon may give us".to_owned(),
            Origin::Elsewhere(store) => store.url().to_owned(),
            Origin::File(path, ..) => path.display().to_string(),
        }
    }

    /// The directory, for what changes it.
    pub(super) fn directory(self, verb: &str, path: &Path) -> Result<Store> {
        match self.origin {
            Origin::Directory(store) => Ok(store),
            Origin::Daemon(_) => bail!("{verb} dumps in {}: only root may: sudo traceloop {verb}", path.display()),
            Origin::Elsewhere(store) => {
                bail!("{verb} dumps in {}: a store elsewhere is only read here: use its own tools", store.url())
            }
            Origin::File(file, ..) => {
                bail!("{verb} is for dumps in {}, not for a file: {}", path.display(), file.display())
            }
        }
    }

    /// What a dump says of itself.
    pub(super) fn look<'a>(&self, entry: &'a Entry) -> Stored<'a> {
        let stored = self.look_at_it(entry);
        if self.identity.is_none() || stored.state() != "encrypted" {
            return stored;
        }
        // What was decrypted has its end.
        let about = self.file(entry).and_then(|mut file| store::header(&mut file));
        let sealed = about.is_err();
        Stored::told(entry, about.map_err(|error| plain(&format!("{error:#}")).into_owned()), true).sealed(sealed)
    }

    fn look_at_it<'a>(&self, entry: &'a Entry) -> Stored<'a> {
        match &self.origin {
            Origin::Directory(store) => Stored::look(store, entry),
            Origin::Daemon(asked) => {
                let told = asked.told.get(entry.id());
                let about = match told.and_then(|told| told.error.as_ref()) {
                    Some(error) => Err(plain(error).into_owned()),
                    None => asked.header(entry).map_err(|error| plain(&format!("{error:#}")).into_owned()),
                };
                let is = |state| told.is_some_and(|told| told.state == state);
                Stored::told(entry, about, is("whole")).sealed(is("encrypted"))
            }
            Origin::Elsewhere(store) => store.look(entry),
            Origin::File(_, dump, whole) => Stored::told(entry, Ok(Dump::clone(dump)), *whole),
        }
    }

    /// Its bytes, decrypted where its key is known.
    pub(super) fn file(&self, entry: &Entry) -> Result<File> {
        let file = match &self.origin {
            Origin::Directory(store) => store.file(entry),
            Origin::Daemon(asked) => asked.file(entry).with_context(|| format!("get {} from the daemon", entry.id())),
            Origin::Elsewhere(_) => elsewhere::got(&entry.path),
            Origin::File(path, ..) => File::open(path).with_context(|| format!("read {}", path.display())),
        };
        decrypted(file?, self.identity.as_deref())
    }
}

/// The same file, or what it is encrypted of, where it is and the key is given.
pub(super) fn decrypted(mut file: File, identity: Option<&Path>) -> Result<File> {
    let Some(identity) = identity else { return Ok(file) };
    // A pipe is read once.
    if !file.metadata().is_ok_and(|about| about.is_file()) {
        let mut kept = in_memory()?;
        io::copy(&mut file, &mut kept).context("read it")?;
        file = kept;
    }
    file.rewind().context("read it from its beginning")?;
    let is_sealed = store::is_sealed(&file);
    file.rewind().context("read it from its beginning")?;
    if !is_sealed {
        return Ok(file);
    }
    // What was encrypted is to be on no disk.
    let mut plain = in_memory()?;
    store::unseal(&file, identity, &mut plain)?;
    Ok(plain)
}

/// A file that is nowhere but in memory.
pub(super) fn in_memory() -> Result<File> {
    Ok(memfd_create(c"dump", MFdFlags::MFD_CLOEXEC).context("make room for it in memory")?.into())
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
        let mut file = in_memory()?;
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
