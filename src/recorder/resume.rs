//! Going on with the recording that a keeper held; or, where that cannot be, reading what it left.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, Result};

use super::{
    Recorder, Settings, TrackId, boottime,
    copied::Copied,
    dump::header,
    ends::Ends,
    given_up::Remembered,
    hold::{self, RecordingNote, SLOT, TRACK, kernel_parts, ring_name},
    manager::members,
    online,
    slot::{LOBBY, REST, Slot, SlotNote},
    spare::Ready,
    track::{Track, TrackNote},
    tree::{Node, Tree},
    watch::{Watch, Watching},
};
use crate::{
    cgroup::Cgroup,
    history::{History, Outlives, Remains},
    keeper::{self, Line},
    kernel::{self, Counters, Kernel, Options},
    model::{Cause, Recording},
};

/// The recorder whose parts a keeper held. It has yet to catch up with what has happened meanwhile. With it the memory
/// that its history is to have from now on, if none was held.
pub(super) fn resume(
    options: &Options,
    note: &RecordingNote,
    held: &keeper::Held,
    line: &Line,
    watching: Watching,
    settings: &Settings,
) -> Result<(Recorder, Option<Outlives>)> {
    let kernel = Kernel::resume(options, &kernel_parts(held)?)?;
    let remains = hold::history(held, line);
    let new = if remains.is_none() { hold::outlives() } else { None };
    let outlives = remains.as_ref().map(Remains::outlives).or(new.clone());
    let mut recorder = Recorder::around(kernel, note.ring, settings, online()?, outlives)?;
    let mut slots = slots(held, Some(&recorder.history), remains.as_ref())?;
    let made = slots.keys().max().map_or(0, |last| last.saturating_sub(REST));
    let lobby = slots.remove(&LOBBY).context("the lobby is not held")?;
    let mut tree = Tree::default();
    for (id, note) in tracks(held)? {
        let mut track = Track::new(note.identity, note.path, note.began);
        (track.ended, track.shared, track.wants_slot) = (note.ended, note.shared, note.wants_slot);
        track.terms = note.terms;
        if let Some(number) = note.slot {
            track.slot = Some(slots.remove(&number).with_context(|| format!("slot {number} is not held"))?);
        }
        know(&mut tree, &recorder.root, id, &track)?;
        recorder.last_id = recorder.last_id.max(id.0);
        recorder.tracks.insert(id, track);
    }
    recorder.tracks.get(&note.rest).context("the track of what is in no unit is not held")?;
    recorder.cpus = lobby.cpus().collect();
    // The rest is offered, or was taken and the notice of it is still to be read.
    recorder.spare = slots;
    recorder.watch = Some(Watch {
        rules: watching.rules,
        keep: watching.keep,
        ready: Ready::new(watching.ready, note.most),
        lobby,
        tree,
        given_up: Remembered::default(),
        told: 0,
        used: Vec::new(),
        made,
        most: note.most,
        counters: Counters::default(),
        rest: note.rest,
        doubtful: false,
        ends: Ends::default(),
        descriptors: settings.wanted.descriptors,
    });
    remains.iter().try_for_each(Remains::sweep)?;
    Ok((recorder, new))
}

/// A living track's cgroups are known again.
fn know(tree: &mut Tree, root: &Path, id: TrackId, track: &Track) -> Result<()> {
    if track.ended.is_some() {
        return Ok(());
    }
    let Some(cgroup) = track.directory() else {
        // It has ended meanwhile: what is in the tree and is not found is taken for that.
        tree.add(track.identity.cgroup_id, Node { path: track.path.clone(), parted: false, track: Some(id) });
        return Ok(());
    };
    let name = cgroup.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_root = cgroup.path() == root;
    let parted = is_root || crate::cgroup::kind_of(&name) != crate::cgroup::NameKind::Leaf;
    let node = |cgroup: &Cgroup, parted| Node { path: cgroup.path().to_owned(), parted, track: Some(id) };
    tree.add(cgroup.id(), node(&cgroup, parted));
    if !parted {
        let members = members(&cgroup, root).unwrap_or_default();
        members.iter().for_each(|member| tree.add(member.cgroup.id(), node(&member.cgroup, member.parted)));
    }
    Ok(())
}

fn tracks(held: &keeper::Held) -> Result<Vec<(TrackId, TrackNote)>> {
    let notes = held.notes::<TrackNote>(TRACK)?;
    notes.into_iter().map(|(id, note)| Ok((TrackId(id.parse().context("a track without a number")?), note))).collect()
}

/// The slots that are held, with what is left of their history.
pub(super) fn slots(
    held: &keeper::Held,
    history: Option<&History>,
    remains: Option<&Remains>,
) -> Result<BTreeMap<u32, Slot>> {
    let notes = held.notes::<SlotNote>(SLOT)?;
    let slots = notes.into_iter().map(|(number, note)| {
        let number = number.parse().context("a slot without a number")?;
        let event = |serial| held.fds.get(&ring_name(number, serial)).and_then(|(fd, _)| fd.try_clone().ok());
        // The lobby's records are several cgroups': it is as long as its rings.
        let history = history.filter(|_| number != LOBBY);
        Ok((number, Slot::restore(number, note, event, history, remains)?))
    });
    slots.collect()
}

/// What a recording leaves that cannot go on. It goes on by itself while this is held, so that nothing falls
/// between it and the recording that takes its place.
#[derive(Debug)]
pub(super) struct Left {
    kernel: kernel::Held,
    slots: BTreeMap<u32, Slot>,
    tracks: Vec<(TrackId, TrackNote)>,
}

impl Left {
    /// Takes over what a keeper holds, to be read later.
    pub(super) fn map(held: &keeper::Held, line: &Line) -> Result<Self> {
        Ok(Self {
            kernel: kernel_parts(held)?,
            slots: slots(held, None, hold::history(held, line).as_ref())?,
            tracks: tracks(held)?,
        })
    }

    /// A dump of each of its tracks.
    pub(super) fn read(&self) -> Result<Vec<Recording>> {
        let until = boottime();
        kernel::flush_held(&self.kernel)?;
        let recordings = self.tracks.iter().map(|(id, note)| {
            let shared = note.shared.is_some().then(|| self.slots.get(&LOBBY)).flatten();
            let own = note.slot.and_then(|number| self.slots.get(&number));
            let only: BTreeSet<u64> = [note.identity.cgroup_id].into();
            let mut recording = Recording {
                dump: header([(Some(&note.identity), note.began)].into_iter(), Cause::Replaced)?,
                blocks: Vec::new(),
            };
            for (slot, only) in own.map(|slot| (slot, None)).into_iter().chain(shared.map(|slot| (slot, Some(&only)))) {
                read(slot, only, until, &mut recording);
            }
            let records = recording.dump.window.records;
            tracing::debug!(track = %id, records, "an older recording's history is read");
            Ok((records > 0).then_some(recording))
        });
        recordings.filter_map(Result::transpose).collect()
    }
}

fn read(slot: &Slot, only: Option<&BTreeSet<u64>>, until: u64, into: &mut Recording) {
    let window = &mut into.dump.window;
    let history = Copied::of(slot, only, None, until);
    window.records += history.records;
    window.complete_from = window.complete_from.max(history.complete_from());
    window.further.extend(history.reaches);
    into.blocks.extend(history.blocks);
    let complete = window.complete_from;
    window.further.retain(|reach| complete.is_some() && reach.from != complete);
}
