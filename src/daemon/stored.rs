//! Stored dumps for clients: listed as `list --json` lists them, sent as they are, and made known as they come.
//!
//! The directory is looked at on a thread of its own, which waits for its client and nobody else does. What comes is
//! counted from where the client says it is: `after` a dump, so that a client that was away misses none that is still there.
//!
//! Promise: a client who is neither root nor in the group gets, of the dumps that have such a part, what is his own
//! (`redact::of_user`), and of the others not even that they are there.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    io::{self, Read},
    sync::Arc,
};

use anyhow::{Context, Result};
use serde::Serialize;
use tokio::sync::{broadcast, mpsc};

use crate::{
    control::{Groups, Kind, Peer, Problem, Reply, WhichDumps},
    model::{Dump, Own, Recording, plain},
    redact, render,
    store::{self, Choice, Entry, Match, Sealed, Store},
};

/// Bytes of a file that are read at once, and pieces that wait for the client.
const PIECE: usize = 64 << 10;
const PIECES: usize = 4;

/// A stored dump that was looked at.
#[derive(Debug)]
pub struct Stored<'a> {
    /// Its name and size.
    pub entry: &'a Entry,
    /// What it says of itself, or what is wrong with it.
    pub about: Result<Dump, String>,
    /// Whether its end is there.
    whole: bool,
    /// Whether it is encrypted.
    sealed: bool,
}

/// The same for programs.
#[derive(Serialize)]
struct Object<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    path: Cow<'a, str>,
    size: u64,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(flatten)]
    about: Option<render::About<'a>>,
}

impl<'a> Stored<'a> {
    /// Reads its header.
    pub fn look(store: &Store, entry: &'a Entry) -> Self {
        match store.header(entry) {
            Ok((dump, whole)) => Self { entry, about: Ok(dump), whole, sealed: false },
            Err(error) => {
                let sealed = error.is::<Sealed>();
                // Nothing was wrong with reading it.
                let what = if sealed { Sealed.to_string() } else { plain(&format!("{error:#}")).into_owned() };
                Self { entry, about: Err(what), whole: false, sealed }
            }
        }
    }

    /// What another has read of it.
    pub fn told(entry: &'a Entry, about: Result<Dump, String>, whole: bool) -> Self {
        Self { entry, about, whole, sealed: false }
    }

    /// The same of an encrypted one.
    pub fn sealed(self, sealed: bool) -> Self {
        Self { sealed, ..self }
    }

    /// `whole`, `torn`: its end is missing, `encrypted`, `unreadable`: its header is damaged.
    pub fn state(&self) -> &'static str {
        match (&self.about, self.whole) {
            (Ok(_), true) => "whole",
            (Ok(_), false) => "torn",
            (Err(_), _) if self.sealed => "encrypted",
            (Err(_), _) => "unreadable",
        }
    }

    /// What programs get of it.
    pub fn object(&self) -> impl Serialize {
        Object {
            id: self.entry.id(),
            path: self.entry.path.to_string_lossy(),
            size: self.entry.size,
            state: self.state(),
            error: self.about.as_ref().err().map(String::as_str),
            about: self.about.as_ref().ok().map(render::about),
        }
    }

    /// The same on a line.
    fn line(&self) -> Result<String> {
        Ok(render::json(&self.object(), false).context("write a dump as JSON")? + "\n")
    }
}

/// The directory as a client may see it.
#[derive(Clone, Debug)]
pub(super) struct Whose {
    store: Arc<Store>,
    /// Whose own is all that he gets; `None`: he gets all.
    only: Option<(u32, Groups)>,
}

impl Whose {
    /// As that client may.
    pub(super) fn of(store: Arc<Store>, peer: &Peer) -> Self {
        Self { store, only: peer.only.clone().map(|groups| (peer.uid, groups)) }
    }

    /// Those that he may see.
    fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = self.store.entries()?;
        if self.only.is_some() {
            entries.retain(|entry| self.own(entry).is_some());
        }
        Ok(entries)
    }

    /// What is his own of a dump, if that is all that he gets of it, and whether the dump's end is there.
    fn own(&self, entry: &Entry) -> Option<(Own, bool)> {
        let (uid, groups) = self.only.as_ref()?;
        let (dump, whole) = self.store.header(entry).ok()?;
        let mut own = dump.own.filter(|own| own.user.uid == *uid && groups.have(own.user.gid))?;
        own.about.id = dump.id;
        Some((own, whole))
    }

    fn look<'a>(&self, entry: &'a Entry) -> Stored<'a> {
        match self.own(entry) {
            Some((own, whole)) => Stored::told(entry, Ok(*own.about), whole),
            None => Stored::look(&self.store, entry),
        }
    }
}

/// Lists dumps, oldest first; with `news`, goes on with those that come.
pub(super) fn list(
    store: Whose,
    which: WhichDumps,
    news: Option<broadcast::Receiver<String>>,
    reply: Reply<mpsc::Receiver<Vec<u8>>>,
) {
    tokio::spawn(async move {
        let there = store.clone();
        let chosen = match beside(move || chosen(&there, &which)).await.and_then(|chosen| chosen) {
            Ok(chosen) => chosen,
            Err(problem) => return drop(reply.send(Err(problem))),
        };
        let mut told: BTreeSet<String> = chosen.iter().map(|entry| entry.id().to_owned()).collect();
        let (client, lines) = mpsc::channel(PIECES);
        if reply.send(Ok(lines)).is_err() || send(&client, &store, chosen).await.is_none() {
            return;
        }
        let Some(mut news) = news else { return };
        loop {
            // Who lags behind is cut off, and comes again.
            let id = tokio::select! {
                id = news.recv() => id,
                () = client.closed() => return,
            };
            let Ok(id) = id else { return };
            // One that came while the others were sent is among both.
            if told.remove(&id) {
                continue;
            }
            let there = store.clone();
            let found = beside(move || there.entries().unwrap_or_default().into_iter().find(|entry| entry.id() == id));
            let Ok(found) = found.await else { return };
            if send(&client, &store, found.into_iter().collect()).await.is_none() {
                return;
            }
        }
    });
}

/// Does what waits for a disk on a thread of its own.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::new(Kind::Failed, error.to_string()))
}

/// A line a dump; `None`: the client is gone.
async fn send(client: &mpsc::Sender<Vec<u8>>, store: &Whose, entries: Vec<Entry>) -> Option<()> {
    let (client, store) = (client.clone(), store.clone());
    let sent = beside(move || {
        entries.iter().all(|entry| match store.look(entry).line() {
            Ok(line) => client.blocking_send(line.into_bytes()).is_ok(),
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), id = entry.id(), "a dump was not listed");
                true
            }
        })
    });
    sent.await.ok().filter(|all| *all).map(drop)
}

fn chosen(store: &Whose, which: &WhichDumps) -> Result<Vec<Entry>, Problem> {
    let wrong = |error: anyhow::Error| Problem::new(Kind::Wrong, format!("{error:#}"));
    let matches = which.matches.iter().map(|text| Match::parse(text)).collect::<Result<_>>().map_err(wrong)?;
    let choice = Choice { matches, ..Choice::default() };
    let mut chosen = match &store.only {
        None => choice.of(&store.store)?,
        // What matches of what he is not given would tell of it.
        Some(_) => choice.of_those(store.entries()?, |entry| store.own(entry).map(|(own, _)| *own.about))?,
    };
    if let Some(after) = &which.after {
        let entries = store.entries()?;
        let Some(known) = entries.iter().find(|entry| entry.id() == after) else { return Err(no_dump(after)) };
        chosen.retain(|entry| entry.name > known.name);
    }
    if let Some(last) = which.last {
        chosen.drain(..chosen.len().saturating_sub(last));
    }
    Ok(chosen)
}

/// Sends a dump's file, in pieces.
pub(super) fn file(store: Whose, id: String, reply: Reply<(u64, mpsc::Receiver<io::Result<Vec<u8>>>)>) {
    tokio::task::spawn_blocking(move || {
        let (mut file, size) = match opened(&store, &id) {
            Ok(opened) => opened,
            Err(problem) => return drop(reply.send(Err(problem))),
        };
        let (send, pieces) = mpsc::channel(PIECES);
        if reply.send(Ok((size, pieces))).is_err() {
            return;
        }
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            let read = (&mut file).take(PIECE as u64).read_to_end(&mut piece);
            if matches!(read, Ok(0)) || send.blocking_send(read.map(|_| piece)).is_err() {
                return;
            }
        }
    });
}

fn opened(store: &Whose, id: &str) -> Result<(Box<dyn Read>, u64), Problem> {
    let entries = store.entries()?;
    let entry = entries.iter().find(|entry| entry.id() == id).ok_or_else(|| no_dump(id))?;
    // One that was removed meanwhile.
    let file = store.store.file(entry).map_err(|_| no_dump(id))?;
    if store.only.is_none() {
        return Ok((Box::new(file.take(entry.size)), entry.size));
    }
    let (Own { user, about }, _) = store.own(entry).ok_or_else(|| no_dump(id))?;
    let (mut recording, _) = store::open(file)?;
    recording.dump.user = Some(user);
    let part = redact::of_user(&recording).ok_or_else(|| no_dump(id))?;
    let mut bytes = Vec::new();
    store::write(&mut bytes, &Recording { dump: *about, ..part })?;
    let length = bytes.len() as u64;
    Ok((Box::new(io::Cursor::new(bytes)), length))
}

fn no_dump(id: &str) -> Problem {
    Problem::new(
        Kind::NotFound,
        format!("no stored dump has the id {}: it never had, or it was removed for the store's limits", plain(id)),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tokio::sync::oneshot;

    use super::*;
    use crate::model::User;

    /// A store with so many dumps, and their ids.
    fn with(count: usize) -> (tempfile::TempDir, Arc<Store>, Vec<String>) {
        let place = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&place.path().join("dumps")).unwrap());
        let ids = (0..count).map(|n| save(&store, n as u64)).collect();
        (place, store, ids)
    }

    fn save(store: &Store, second: u64) -> String {
        let dump = Dump { taken: second * 1_000_000_000, ..Dump::default() };
        store.save(&Recording { dump, blocks: Vec::new() }).unwrap().id
    }

    /// As root sees it.
    fn all(store: &Arc<Store>) -> Whose {
        Whose::of(store.clone(), &Peer::default())
    }

    async fn lines(store: &Arc<Store>, which: WhichDumps) -> Result<Vec<String>, Problem> {
        let (reply, answer) = oneshot::channel();
        list(all(store), which, None, reply);
        let mut lines = answer.await.unwrap()?;
        let mut ids = Vec::new();
        while let Some(line) = lines.recv().await {
            ids.push(id(&line));
        }
        Ok(ids)
    }

    fn id(line: &[u8]) -> String {
        let object: Value = serde_json::from_slice(line).unwrap();
        assert_eq!(object["state"], "whole");
        object["id"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn who_was_away_gets_what_came_after_the_last_one() {
        let (_place, store, ids) = with(3);
        let after = |after: &str| WhichDumps { after: Some(after.to_owned()), ..WhichDumps::default() };
        assert_eq!(lines(&store, WhichDumps::default()).await.unwrap(), ids);
        assert_eq!(lines(&store, after(&ids[0])).await.unwrap(), ids[1..]);
        assert!(lines(&store, after(&ids[2])).await.unwrap().is_empty());
        let newest = WhichDumps { matches: vec!["-1".to_owned()], ..WhichDumps::default() };
        assert_eq!(lines(&store, newest).await.unwrap(), ids[2..]);
        for (which, kind) in [
            (after("0123456789ab"), Kind::NotFound),
            (after("\u{1b}"), Kind::NotFound),
            (WhichDumps { matches: vec!["NOFIELD=1".to_owned()], ..WhichDumps::default() }, Kind::Wrong),
        ] {
            assert_eq!(lines(&store, which).await.unwrap_err().kind, kind);
        }
    }

    #[tokio::test]
    async fn what_comes_is_told_once_and_what_is_gone_not_at_all() {
        let (_place, store, ids) = with(1);
        let news = broadcast::Sender::new(8);
        let (reply, answer) = oneshot::channel();
        list(all(&store), WhichDumps { follow: true, ..WhichDumps::default() }, Some(news.subscribe()), reply);
        let mut lines = answer.await.unwrap().unwrap();
        assert_eq!(id(&lines.recv().await.unwrap()), ids[0]);
        let next = save(&store, 7);
        for told in [&ids[0], &"0123456789ab".to_owned(), &next] {
            news.send(told.clone()).unwrap();
        }
        assert_eq!(id(&lines.recv().await.unwrap()), next);
        drop(lines);
        tokio::time::timeout(std::time::Duration::from_secs(10), news.closed()).await.unwrap();
    }

    #[tokio::test]
    async fn a_user_gets_the_dumps_that_have_a_part_of_his() {
        let (_place, store, _) = with(2);
        let user = User { uid: 1000, gid: 100 };
        let about = Box::new(Dump { host: "his".into(), taken: 9_000_000_000, ..Dump::default() });
        let dump =
            Dump { taken: 9_000_000_000, own: Some(Own { user, about }), host: "whole".into(), ..Dump::default() };
        let his = store.save(&Recording { dump, blocks: Vec::new() }).unwrap().id;
        let listed = async |uid, gid, words: &[&str]| {
            let peer = Peer { uid, only: Some(Groups::of([gid])), ..Peer::default() };
            let (reply, answer) = oneshot::channel();
            let matches = words.iter().map(|word| (*word).to_owned()).collect();
            let which = WhichDumps { matches, ..WhichDumps::default() };
            list(Whose::of(store.clone(), &peer), which, None, reply);
            let mut lines = answer.await.unwrap().unwrap();
            let mut ids = Vec::new();
            while let Some(line) = lines.recv().await {
                ids.push(id(&line));
            }
            ids
        };
        assert_eq!(listed(1000, 100, &[]).await, std::slice::from_ref(&his));
        // He finds it by what stands in his part, and by nothing else.
        assert_eq!(listed(1000, 100, &["HOST=his"]).await, std::slice::from_ref(&his));
        assert!(listed(1000, 100, &["HOST=whole"]).await.is_empty());
        assert!(listed(1000, 101, &[]).await.is_empty(), "it ran with a group that he is not in");
        assert!(listed(1001, 100, &[]).await.is_empty());
        // Its part is made anew of the records, and there is none.
        let peer = Peer { uid: 1000, only: Some(Groups::of([100])), ..Peer::default() };
        let (reply, answer) = oneshot::channel();
        file(Whose::of(store.clone(), &peer), his, reply);
        assert_eq!(answer.await.unwrap().unwrap_err().kind, Kind::NotFound);
    }

    #[tokio::test]
    async fn a_file_comes_whole_or_not_at_all() {
        let (_place, store, ids) = with(1);
        let (reply, answer) = oneshot::channel();
        file(all(&store), ids[0].clone(), reply);
        let (length, mut pieces) = answer.await.unwrap().unwrap();
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.recv().await {
            bytes.extend(piece.unwrap());
        }
        assert_eq!(bytes.len() as u64, length);
        assert_eq!(crate::store::read(std::io::Cursor::new(bytes)).unwrap().0.dump.id.as_ref(), Some(&ids[0]));
        for wrong in ["0123456789ab", "../../etc/passwd", ""] {
            let (reply, answer) = oneshot::channel();
            file(all(&store), wrong.to_owned(), reply);
            assert_eq!(answer.await.unwrap().unwrap_err().kind, Kind::NotFound);
        }
    }
}
