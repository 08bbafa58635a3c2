//! Loads and attaches the programs; slots and the cgroups assigned to them.

use std::{
    cell::{Cell, RefCell},
    hash::{BuildHasher, RandomState},
    io::Read,
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use libbpf_rs::{
    ErrorKind, Iter, Link, MapCore, MapFlags, PrintLevel,
    skel::{OpenSkel, Skel, SkelBuilder},
};

use super::{
    Capabilities, Counters, Feature, Features, WHEN_FIRST, capability, execs,
    held::{self, Held},
    inflight::{self, InFlight},
    losses,
    mapped::Mapped,
    network,
    notices::{Asker, Notices},
    own::OwnCalls,
    profiles, stacks,
    uring::Uring,
    writers,
};
use crate::{
    model::Stacks,
    skel::{OpenTraceloopSkel, TraceloopSkel, TraceloopSkelBuilder, types},
    syscall::{
        KEY_OPTIONS,
        plan::{self, Wanted},
    },
};

/// Programs that run when this side asks for it.
const OURS: [&str; 2] = ["flush", "in_flight"];

/// Where the kernel describes its types.
const BTF: &str = "/sys/kernel/btf/vmlinux";

/// Slots that are several cgroups'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Of those that came when no slot was ready.
    pub lobby: u32,
    /// Of those that only hold others.
    pub rest: u32,
}

/// What to load.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is recorded of a call; where the tree is watched, slots have profiles, and of this only what all have in
    /// common counts.
    pub wanted: Wanted,
    /// How many slots there can be at once; they count from 1.
    pub slots: u32,
    /// Whether cgroups that are made get slots as they come, and userspace is told.
    pub watching: Option<Shared>,
    /// Whether calls are counted instead of recorded.
    pub counting: bool,
    /// The slot of processes that are followed wherever they are; `None`: cgroups are recorded.
    pub following: Option<u32>,
    /// Bytes of a ring of which it is told when they are new; 0: rings are not copied.
    pub half: usize,
    /// Features not to use although the kernel may have them.
    pub without: Vec<Feature>,
}

impl Options {
    /// Of which calls stacks are taken: nobody sees those of calls that are only counted, and slots that have profiles
    /// may ask for them at any time.
    fn stacks(&self) -> Stacks {
        match self.watching {
            _ if self.counting => Stacks::None,
            Some(_) if stacks::can_take_stacks() => Stacks::All,
            Some(_) => Stacks::None,
            None => self.wanted.stacks,
        }
    }
}

/// The loaded and attached kernel side.
pub struct Kernel {
    /// Reads the map of notices, which lives as long as `skel`.
    pub(super) notices: Option<Notices>,
    pub(super) skel: TraceloopSkel<'static>,
    pub(super) tallies: Arc<Mapped<types::tally>>,
    last_ends: Mapped<types::last_end>,
    counters: Mapped<types::counters>,
    pub(super) own_calls: OwnCalls,
    cpu_marks: Mapped<types::cpu_mark>,
    pub(super) cpus: u32,
    pub(super) features: Features,
    in_flight: Link,
    /// What attaches the programs, unless they ran already.
    pub(super) links: Vec<(String, Link)>,
    /// The programs that run, by name.
    pub(super) programs: Vec<(String, OwnedFd)>,
    /// Changes whenever a cgroup's slot does.
    pub(super) generation: Cell<u16>,
    strings: u32,
    only_slower: u64,
    pub(super) stacks: Stacks,
    pub(super) given: RefCell<profiles::Given>,
    pub(super) options: Options,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastEnd {
    /// The process.
    pub pid: u32,
    /// Its name.
    pub comm: [u8; 16],
    /// How, as wait(2) reports it.
    pub status: i32,
    /// Who asked it to.
    pub asker: Asker,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernel").field("features", &self.features).finish_non_exhaustive()
    }
}

/// How many rings there can be: numbers of slots begin at 1.
pub(super) fn rings(slots: u32, cpus: u32) -> u32 {
    (slots + 1) * cpus
}

/// The object with these settings, not loaded yet.
fn opened(options: &Options, cpus: u32, features: Features) -> Result<OpenTraceloopSkel<'static>> {
    // The skeleton borrows the object for as long as the programs live: until the process ends.
    let storage = Box::leak(Box::new(MaybeUninit::uninit()));
    let mut open: OpenTraceloopSkel<'static> =
        TraceloopSkelBuilder::default().open(storage).context("open the BPF object")?;
    let rings = rings(options.slots, cpus);
    let watching = options.watching.is_some();
    open.maps.rings.set_max_entries(rings).context("size the array of rings")?;
    open.maps.tallies.set_max_entries(rings).context("size the tallies")?;
    open.maps.pool.set_max_entries(options.slots.max(1)).context("size the pool of slots")?;
    open.maps.profiles.set_max_entries(options.slots + 1).context("size the table of slots' profiles")?;
    open.maps.owners.set_max_entries(options.slots + 1).context("size the table of slots' owners")?;
    open.maps.users.set_max_entries(options.slots + 1).context("size the table of slots' users")?;
    open.maps.first_users.set_max_entries(options.slots + 1).context("size the table of slots' users")?;
    open.maps.told_of_calls.set_max_entries(options.slots + 1).context("size the table of slots told of")?;
    open.maps.told_of_ends.set_max_entries(options.slots + 1).context("size the table of slots told of")?;
    open.maps.last_ends.set_max_entries(rings).context("size the table of ends")?;
    open.maps.notices.set_autocreate(watching)?;
    open.maps.deaths.set_autocreate(watching)?;
    open.maps.told_in_lobby.set_autocreate(watching)?;
    open.maps.halves.set_autocreate(options.half > 0)?;
    open.maps.counts.set_autocreate(options.counting)?;
    let uring = if options.counting || !options.wanted.uring() { Uring::NONE } else { Uring::probe() };
    let stacks = options.stacks();
    stacks::check(stacks)?;
    open.maps.followed.set_autocreate(options.following.is_some())?;
    open.progs.on_free.set_autoload(options.following.is_some());
    open.maps.uring_requests.set_autocreate(uring.is_told())?;
    open.maps.uring_submissions.set_autocreate(uring.is_told())?;
    open.maps.cgroup_slots.set_autocreate(features.cgroup_storage)?;
    open.maps.task_states.set_autocreate(features.task_storage)?;
    open.maps.task_array.set_autocreate(!features.task_storage)?;
    let settings = open.maps.rodata_data.as_deref_mut().context("the BPF object has no settings")?;
    settings.cpus = cpus;
    settings.half_ring = options.half as u64;
    settings.typed_task = features.typed_task;
    settings.classic = features.attach.is_classic();
    settings.lobby = options.watching.map_or(0, |shared| shared.lobby);
    settings.rest = options.watching.map_or(0, |shared| shared.rest);
    settings.followed_slot = options.following.unwrap_or(0);
    settings.watching = watching;
    settings.cgroup_storage = features.cgroup_storage;
    settings.task_storage = features.task_storage;
    settings.pt_regs_helper = features.task_registers;
    settings.string_limit = options.wanted.string_limit;
    settings.vector_limit = profiles::vector_limit(options.wanted.string_limit, options.wanted.verbose);
    settings.contents = options.wanted.payload;
    fill_keys(&mut settings.key_options);
    settings.tell_files = options.wanted.descriptors;
    settings.slower_than = options.wanted.slower_than;
    settings.counting = options.counting;
    settings.own_network = network::own().unwrap_or(0);
    settings.uring_submits = uring.submits.map_or(0, |submits| submits.arguments as u32);
    settings.uring_completes = uring.completes.map_or(0, |completes| completes as u32);
    settings.uring_secret = RandomState::new().hash_one(cpus);
    plan::fill(&mut settings.plans, &mut settings.case_values, &options.wanted);
    uring.choose(&mut open);
    execs::choose(&mut open, features.task_registers && !options.counting);
    stacks::choose(&mut open, stacks)?;
    Capabilities::choose(!options.counting, &mut open)?;
    if features.attach.is_classic() {
        writers::make_classic(&mut open);
    }
    Ok(open)
}

fn fill_keys<const ROOM: usize>(known: &mut [types::socket_option; ROOM]) {
    const { assert!(KEY_OPTIONS.len() <= ROOM, "bpf/plan.h has room for all of them") };
    for (known, (level, name)) in known.iter_mut().zip(KEY_OPTIONS) {
        *known = types::socket_option { level: *level, name: *name };
    }
}

/// Maps that there are already take the place of the object's own.
fn reuse_maps(open: &mut OpenTraceloopSkel<'_>, held: &Held) -> Result<()> {
    for mut map in open.open_object_mut().maps_mut() {
        let name = map.name().to_string_lossy().into_owned();
        if let Some(fd) = held::map(held, &name) {
            map.reuse_fd(fd).with_context(|| format!("take over the map {name}"))?;
        }
    }
    Ok(())
}

/// What attaches the programs, and the programs, by name.
type Attached = (Vec<(String, Link)>, Vec<(String, OwnedFd)>);

/// Attaches the programs that are loaded.
fn attach(skel: &mut TraceloopSkel<'_>, features: Features, stacks: Stacks) -> Result<Attached> {
    let (mut links, mut programs) = (Vec::new(), Vec::new());
    writers::fill(skel, stacks != Stacks::None)?;
    if features.attach.is_classic() {
        links.extend(writers::attach_classic(skel)?);
    }
    for program in skel.object_mut().progs_mut().filter(|program| program.autoload()) {
        let name = program.name().to_string_lossy().into_owned();
        programs.push((name.clone(), program.as_fd().try_clone_to_owned().context("hold a program")?));
        let apart = [&OURS[..], &writers::BY_TAIL_CALL[..]].concat().contains(&name.as_str());
        if !apart && links.iter().all(|(attached, _)| *attached != name) {
            let link = program.attach().with_context(|| format!("attach the BPF program {name}"))?;
            links.push((name, link));
        }
    }
    Ok((links, programs))
}

impl Kernel {
    /// Loads and attaches everything; on return, the hooks run.
    pub fn load(options: &Options) -> Result<Self> {
        Self::load_with(options, None)
    }

    pub(super) fn load_with(options: &Options, held: Option<&Held>) -> Result<Self> {
        libbpf_rs::set_print(Some((
            PrintLevel::Debug,
            |_, text| tracing::debug!(target: "libbpf", "{}", text.trim_end()),
        )));
        ensure!(
            Path::new(BTF).exists(),
            "load the BPF programs: this kernel has no BTF ({BTF}): use one built with CONFIG_DEBUG_INFO_BTF=y"
        );
        let cpus = u32::try_from(libbpf_rs::num_possible_cpus().context("count the possible CPUs")?)?;
        let loaded =
            Features::probe(&options.without).and_then(|features| Self::attempt(options, cpus, features, held));
        let error = match loaded {
            Ok(kernel) => {
                tracing::debug!(features = %kernel.features, "the programs are loaded");
                return Ok(kernel);
            }
            Err(error) => error,
        };
        let advice = match error.downcast_ref::<libbpf_rs::Error>().map(libbpf_rs::Error::kind) {
            Some(ErrorKind::PermissionDenied) => "run as root, or with CAP_BPF and CAP_PERFMON",
            _ => "`traceloop doctor` tells what this kernel lacks",
        };
        Err(error.context(format!("load the BPF programs; {advice}")))
    }

    fn attempt(options: &Options, cpus: u32, features: Features, held: Option<&Held>) -> Result<Self> {
        let mut open = opened(options, cpus, features)?;
        let stacks = options.stacks();
        if let Some(held) = held {
            reuse_maps(&mut open, held)?;
            for mut program in open.open_object_mut().progs_mut() {
                let ours = OURS.iter().any(|name| program.name() == *name);
                program.set_autoload(ours);
            }
        }
        let mut skel = open.load().context("verify the BPF programs")?;
        let (links, programs) = match held {
            None => attach(&mut skel, features, stacks)?,
            Some(_) => Attached::default(),
        };
        let in_flight = skel.progs.in_flight.attach().context("attach the task iterator")?;
        let notices =
            options.watching.is_some().then(|| Notices::open(&[&skel.maps.deaths, &skel.maps.notices])).transpose()?;
        let last_ends = Mapped::of_map(skel.maps.last_ends.as_fd(), skel.maps.last_ends.max_entries())?;
        let tallies = Arc::new(Mapped::of_map(skel.maps.tallies.as_fd(), skel.maps.tallies.max_entries())?);
        let marks = skel.maps.data_cpu_marks.value_size() / u32::try_from(size_of::<types::cpu_mark>())?;
        let cpu_marks = Mapped::of_map(skel.maps.data_cpu_marks.as_fd(), marks)?;
        let counters = Mapped::of_map(skel.maps.counters.as_fd(), skel.maps.counters.max_entries())?;
        let own_calls = OwnCalls::of(&skel.maps.own_calls)?;
        let mut kernel = Self {
            notices,
            skel,
            tallies,
            last_ends,
            counters,
            own_calls,
            cpu_marks,
            cpus,
            features,
            in_flight,
            links,
            programs,
            generation: Cell::new(0),
            strings: options.wanted.string_limit,
            only_slower: options.wanted.slower_than,
            stacks,
            given: profiles::none(),
            options: options.clone(),
        };
        match held {
            Some(held) => kernel.adopt(held)?,
            None => kernel.tell_names()?,
        }
        Ok(kernel)
    }

    /// Takes over what runs already, instead of attaching anything.
    fn adopt(&mut self, held: &Held) -> Result<()> {
        for (name, fd) in held {
            if let Some(program) = name.strip_prefix(held::PROGRAM) {
                let fd = fd.try_clone().context("hold a program that runs")?;
                self.programs.push((program.to_owned(), fd));
            }
        }
        let generation = self.skel.maps.generations.lookup(&WHEN_FIRST, MapFlags::ANY).context("read a setting")?;
        let generation = generation.and_then(|raw| raw.first_chunk::<2>().copied()).map_or(0, u16::from_ne_bytes);
        self.generation.set(generation);
        self.adopt_profiles(self.options.slots)
    }

    /// Loads the programs once more, over the same maps, and attaches them in the place of those that run no longer.
    /// Whoever else holds what attaches the former ones is to `let_go` first: two at once would write everything twice.
    pub fn attach_anew(&mut self, let_go: impl FnOnce()) -> Result<()> {
        let mut open = opened(&self.options, self.cpus, self.features)?;
        reuse_maps(&mut open, &self.handles()?)?;
        let mut skel = open.load().context("verify the BPF programs")?;
        self.links.clear();
        let_go();
        (self.links, self.programs) = attach(&mut skel, self.features, self.stacks)?;
        self.in_flight = self.skel.progs.in_flight.attach().context("attach the task iterator")?;
        self.own_calls = OwnCalls::of(&self.skel.maps.own_calls)?;
        Ok(())
    }

    /// Which of the optional features are in use.
    pub fn features(&self) -> Features {
        self.features
    }

    /// Only calls that last at least so many nanoseconds are recorded; `None`: all.
    pub fn only_slower(&self) -> Option<u64> {
        (self.only_slower > 0).then_some(self.only_slower)
    }

    /// How many CPUs there can be.
    pub fn possible_cpus(&self) -> u32 {
        self.cpus
    }

    /// What was written to a slot's ring on a CPU, and what was not; as of the last flush.
    pub fn tally(&self, slot: u32, cpu: u32) -> Result<types::tally> {
        let index = slot * self.cpus + cpu;
        Ok(self.tallies.get(index))
    }

    /// The process that ended last in a slot, however it did, if that was after this time.
    pub fn last_end(&self, slot: u32, after: u64) -> Option<LastEnd> {
        let ends = (0..self.cpus).map(|cpu| self.last_ends.get(slot * self.cpus + cpu));
        let last = ends.filter(|end| end.time > after).max_by_key(|end| end.time)?;
        Some(LastEnd { pid: last.pid, comm: last.comm, status: last.code.cast_signed(), asker: Asker::of(&last.asker) })
    }

    /// What the kernel side could not do so far.
    pub fn counters(&self) -> Counters {
        self.counters.get(0)
    }

    /// Whether a CPU has written, or one that shares its mark.
    pub(super) fn has_written(&self, cpu: u32) -> bool {
        self.cpu_marks.get(cpu % self.cpu_marks.count()).has_written > 0
    }

    /// How often a program that writes did not run because it was running already on that CPU: by program.
    pub fn missed(&self) -> Result<Vec<(String, u64)>> {
        let mut missed = Vec::new();
        for (name, program) in self.programs.iter().filter(|(name, _)| !capability::PROGRAMS.contains(&name.as_str())) {
            let misses = losses::recursion_misses(program.as_fd())?;
            if misses > 0 {
                missed.push((name.clone(), misses));
            }
        }
        Ok(missed)
    }

    /// The calls that have not ended, of the tasks that are wanted by slot and cgroup. A thread that is inside
    /// a call for the first time that anybody looks is noticed thereby, wanted or not.
    pub fn in_flight(&self, wanted: impl Fn(u32, u64) -> bool) -> Result<Vec<InFlight>> {
        let mut bytes = Vec::new();
        Iter::new(&self.in_flight)
            .context("open the task iterator")?
            .read_to_end(&mut bytes)
            .context("read the task iterator")?;
        Ok(inflight::calls(&bytes, wanted))
    }

    /// How much of a string is kept.
    pub fn string_limit(&self) -> u32 {
        self.strings
    }

    /// Whether it is kept what buffers hold.
    pub fn contents(&self) -> bool {
        self.options.wanted.payload
    }

    /// The verifier's and the kernel's figures of each program.
    pub fn programs(&self) -> Result<Vec<losses::Figures>> {
        self.programs.iter().map(|(_, program)| losses::figures(program.as_fd())).collect()
    }
}
