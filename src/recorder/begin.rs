//! How watching begins: afresh, or by going on with what a keeper holds.

use anyhow::{Context, Result};

use super::{
    Notice, Recorder, Settings, boottime, cost,
    ends::Ends,
    given_up::Remembered,
    half,
    hold::{self, COST, Hold, RECORDING, RecordingNote},
    online,
    resume::{Left, resume},
    slot::{LOBBY, REST, Slot},
    spare::Ready,
    take_in,
    track::Track,
    tree::{Node, Tree},
    watch::{Watch, Watching},
};
use crate::{
    cgroup::{self, Cgroup},
    keeper::Line,
    kernel::{Assignment, Counters, Kernel, Options, Shared, fingerprint},
    model::Recording,
    ring::Batch,
    syscall::plan,
};

impl Recorder {
    /// Records every cgroup that the rules want: those that are there, and from now on each that is made,
    /// from its first call on. Goes on with the recording that a keeper holds, if programs and settings
    /// are the same. If they are not, a new recording begins first, and the old one's histories are given
    /// back to be stored.
    pub fn watch(settings: &Settings, watching: Watching) -> Result<(Self, Vec<Recording>)> {
        let Some(place) = watching.keeper.clone() else {
            return Ok((Self::begin(settings, watching, None)?, Vec::new()));
        };
        let (line, held) = Line::open(place, RECORDING)?;
        let Some(note) = held.note::<RecordingNote>(RECORDING)? else {
            return Ok((Self::begin(settings, watching, Some(line))?, Vec::new()));
        };
        if note.fingerprint == print(settings, note.most, note.ring) {
            let options = options(settings, note.most, note.ring);
            let cost = held.note(COST)?;
            match resume(&options, &note, &held, &line, watching.clone(), settings) {
                Ok((mut recorder, new)) => {
                    line.go_on(held);
                    recorder.hold = Hold::new(Some(line));
                    recorder.hold.history(new.as_ref(), &settings.history, settings.budget.total)?;
                    recorder.cost = cost.unwrap_or_default();
                    recorder.set_kept(&settings.history.keep.by_number())?;
                    recorder.set_profiles(watching.profiles)?;
                    recorder.catch_up()?;
                    return Ok((recorder, Vec::new()));
                }
                Err(error) => {
                    tracing::warn!(error = %format!("{error:#}"), "what the keeper holds cannot go on; it is kept aside");
                }
            }
        }
        // Mapped before the keeper lets go: a ring that nobody maps is thrown away.
        let left = Left::map(&held, &line);
        let recorder = Self::begin(settings, watching, Some(line))?;
        let old = left.and_then(|left| left.read()).unwrap_or_else(|error| {
            tracing::warn!(error = %format!("{error:#}"), "an older recording's history is lost");
            Vec::new()
        });
        Ok((recorder, old))
    }

    fn begin(settings: &Settings, watching: Watching, line: Option<Line>) -> Result<Self> {
        let cpus = online()?;
        let root = Cgroup::open(&cgroup::v2_mount()?.point)?;
        let share = settings.budget.share(take_in::leaves(&root, &watching.rules), watching.ready, cpus.len())?;
        let before = cost::measure().ok();
        let kernel = Kernel::load(&options(settings, share.most, share.ring))?;
        let outlives = line.is_some().then(hold::outlives).flatten();
        let mut recorder = Self::around(kernel, share.ring, settings, cpus, outlives.clone())?;
        recorder.shrunk = share.shrunk;
        recorder.hold = Hold::new(line);
        recorder.hold.kernel(&recorder.kernel)?;
        recorder.hold.history(outlives.as_ref(), &settings.history, settings.budget.total)?;
        let (mut batch, by) = (Batch::default(), recorder.by());
        let mut make = |slot, size, kept| Slot::make(slot, recorder.cpus.iter().copied(), size, &mut batch, by, kept);
        // The lobby's records are several cgroups': it is as long as its rings.
        let (lobby, rest_slot) = (make(LOBBY, share.lobby, false)?, make(REST, share.ring, true)?);
        batch.start()?;
        let mut rest = Track::new(recorder.identity_of(&root), root.path().to_owned(), boottime());
        rest.slot = Some(rest_slot);
        let rest = recorder.insert(rest);
        recorder.hold.recording(&RecordingNote {
            fingerprint: print(settings, share.most, share.ring),
            ring: share.ring,
            lobby: share.lobby,
            most: share.most,
            rest,
        });
        let mut tree = Tree::default();
        tree.add(root.id(), Node { path: root.path().to_owned(), parted: true, track: Some(rest) });
        recorder.watch = Some(Watch {
            rules: watching.rules,
            keep: watching.keep,
            ready: Ready::new(watching.ready, share.most),
            lobby,
            tree,
            given_up: Remembered::default(),
            told: 0,
            used: Vec::new(),
            made: 0,
            most: share.most,
            counters: Counters::default(),
            rest,
            doubtful: false,
            ends: Ends::default(),
            descriptors: settings.wanted.descriptors,
        });
        recorder.set_profiles(watching.profiles)?;
        recorder.refill()?;
        // From here on the kernel side hands out slots; what is there already is taken in behind it.
        recorder.kernel.assign(&root, Assignment { slot: REST, parted: true })?;
        recorder.take_in()?;
        recorder.notice_calls_in_flight()?;
        recorder.set_kept(&settings.history.keep.by_number())?;
        recorder.cost = recorder.reckon(before);
        recorder.hold.cost(&recorder.cost);
        Ok(recorder)
    }

    /// Whether the recording outlives this process; `None`: it is not meant to.
    pub fn is_held(&self) -> Option<bool> {
        self.hold.is_held()
    }

    /// The recording runs: a keeper that was started for it stays when this process ends.
    pub fn started(&self) {
        self.hold.settle();
    }

    /// The recording is over, for the keeper too.
    pub fn end(&self) {
        self.hold.end();
    }

    /// What has happened while nobody was there.
    fn catch_up(&mut self) -> Result<()> {
        self.counters_now()?;
        let mut told = self.look_again().context("look at what has changed meanwhile")?;
        // Who was born and is gone is seen by what there is; only ends are news.
        told.retain(|notice| matches!(notice, Notice::Died { .. } | Notice::Called { .. }));
        self.meanwhile = told;
        self.refill()
    }

    fn counters_now(&mut self) -> Result<()> {
        let counters = self.kernel.counters();
        self.watched_mut()?.counters = counters;
        Ok(())
    }
}

/// What is the same for all units, whose profiles say the rest.
fn in_common(wanted: &plan::Wanted) -> plan::Wanted {
    plan::Wanted { verbose: wanted.verbose, descriptors: wanted.descriptors, ..plan::Wanted::default() }
}

fn options(settings: &Settings, most: u32, ring: usize) -> Options {
    Options {
        wanted: in_common(&settings.wanted),
        slots: most + REST,
        watching: Some(Shared { lobby: LOBBY, rest: REST }),
        counting: false,
        following: None,
        half: half::of(ring, &settings.history),
        without: settings.without.clone(),
    }
}

/// Tells recordings apart that cannot go on as each other.
fn print(settings: &Settings, most: u32, ring: usize) -> String {
    format!("{}/{:?}", fingerprint(&options(settings, most, ring)), settings.budget)
}
