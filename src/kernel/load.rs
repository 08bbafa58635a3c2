//! Loads and attaches the programs; slots and the cgroups assigned to them.

use std::{
    cell::Cell,
    hash::{BuildHasher, RandomState},
    io::Read,
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use libbpf_rs::{
    ErrorKind, Iter, Link, MapCore, MapFlags, MapMut, PrintLevel, ProgramType,
    skel::{OpenSkel, Skel, SkelBuilder},
};

use super::{
    Feature, Features,
    attach::Numbers,
    handover::{self, Held},
    inflight::{self, InFlight},
    losses, network,
    notices::Notices,
    stacks,
    uring::Uring,
    walk::Walker,
};
use crate::{
    model::{Module, Stacks},
    skel::{OpenTraceloopSkel, TraceloopSkel, TraceloopSkelBuilder, types},
    syscall::plan::{self, Wanted},
};

/// Programs that run when this side asks for it.
const OURS: [&str; 2] = ["flush", "in_flight"];
/// Programs that others call.
const BY_TAIL_CALL: [&str; 12] = [
    "enter_plain",
    "enter_capture",
    "enter_vector",
    "enter_behind",
    "exit_vector",
    "exit_behind",
    "exit_iovec",
    "exit_message",
    "exit_dirents",
    "exit_file",
    "exit_stack",
    "enter_stack",
];

/// Where the kernel describes its types.
const BTF: &str = "/sys/kernel/btf/vmlinux";

/// The key of the only entry of an array.
pub(super) const WHEN_FIRST: [u8; 4] = [0; 4];

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
    /// What is recorded of a call.
    pub wanted: Wanted,
    /// How many slots there can be at once; they count from 1.
    pub slots: u32,
    /// Whether cgroups that are made get slots as they come, and userspace is told.
    pub watching: Option<Shared>,
    /// Whether calls are counted instead of recorded.
    pub counting: bool,
    /// The slot of processes that are followed wherever they are; `None`: cgroups are recorded.
    pub following: Option<u32>,
    /// Features not to use although the kernel may have them.
    pub without: Vec<Feature>,
}

/// The loaded and attached kernel side.
pub struct Kernel {
    /// Reads the map of notices, which lives as long as `skel`.
    pub(super) notices: Option<Notices>,
    pub(super) skel: TraceloopSkel<'static>,
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
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernel").field("features", &self.features).finish_non_exhaustive()
    }
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
        // The skeleton borrows the object for as long as the programs live: until the process ends.
        let storage = Box::leak(Box::new(MaybeUninit::uninit()));
        let mut open: OpenTraceloopSkel<'static> =
            TraceloopSkelBuilder::default().open(storage).context("open the BPF object")?;
        let rings = (options.slots + 1) * cpus;
        let watching = options.watching.is_some();
        open.maps.rings.set_max_entries(rings).context("size the array of rings")?;
        open.maps.tallies.set_max_entries(rings).context("size the tallies")?;
        open.maps.pool.set_max_entries(options.slots.max(1)).context("size the pool of slots")?;
        open.maps.owners.set_max_entries(options.slots + 1).context("size the table of slots' owners")?;
        open.maps.told_of_calls.set_max_entries(options.slots + 1).context("size the table of slots told of")?;
        open.maps.notices.set_autocreate(watching)?;
        open.maps.counts.set_autocreate(options.counting)?;
        let uring = if options.counting || !options.wanted.uring() { Uring::NONE } else { Uring::probe() };
        let stacks = if options.counting { Stacks::None } else { options.wanted.stacks };
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
        settings.vector_limit = if options.wanted.verbose { 64 } else { options.wanted.string_limit.clamp(1, 64) };
        settings.tell_files = options.wanted.descriptors;
        settings.slower_than = options.wanted.slower_than;
        settings.counting = options.counting;
        settings.own_network = network::own().unwrap_or(0);
        settings.uring_submits = uring.submits.map_or(0, |submits| submits.arguments as u32);
        settings.uring_completes = uring.completes.map_or(0, |completes| completes as u32);
        settings.uring_secret = RandomState::new().hash_one(cpus);
        plan::fill(&mut settings.plans, &mut settings.case_values, &options.wanted);
        uring.choose(&mut open);
        stacks::choose(&mut open, stacks)?;
        if let Some(held) = held {
            for mut map in open.open_object_mut().maps_mut() {
                let name = map.name().to_string_lossy().into_owned();
                if let Some(fd) = handover::map(held, &name) {
                    map.reuse_fd(fd).with_context(|| format!("take over the map {name}"))?;
                }
            }
            for mut program in open.open_object_mut().progs_mut() {
                let ours = OURS.iter().any(|name| program.name() == *name);
                program.set_autoload(ours);
            }
        }
        if features.attach.is_classic() {
            make_classic(&mut open);
        }
        let mut skel = open.load().context("verify the BPF programs")?;
        let mut links = Vec::new();
        let mut programs = Vec::new();
        if held.is_none() {
            fill_writers(&skel)?;
            if stacks != Stacks::None {
                stacks::fill_writers(&skel)?;
            }
            if features.attach.is_classic() {
                links.extend(attach_classic(&skel)?);
            }
            for program in skel.object_mut().progs_mut().filter(|program| program.autoload()) {
                let name = program.name().to_string_lossy().into_owned();
                programs.push((name.clone(), program.as_fd().try_clone_to_owned().context("hold a program")?));
                let apart = [&OURS[..], &BY_TAIL_CALL[..]].concat().contains(&name.as_str());
                if !apart && links.iter().all(|(attached, _)| *attached != name) {
                    let link = program.attach().with_context(|| format!("attach the BPF program {name}"))?;
                    links.push((name, link));
                }
            }
        }
        let in_flight = skel.progs.in_flight.attach().context("attach the task iterator")?;
        let notices = watching.then(|| Notices::open(&skel.maps.notices)).transpose()?;
        let mut kernel = Self {
            notices,
            skel,
            cpus,
            features,
            in_flight,
            links,
            programs,
            generation: Cell::new(0),
            strings: options.wanted.string_limit,
            only_slower: options.wanted.slower_than,
            stacks,
        };
        match held {
            Some(held) => kernel.adopt(held)?,
            None => kernel.tell_names()?,
        }
        Ok(kernel)
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
        let bytes = self.skel.maps.tallies.lookup(&index.to_ne_bytes(), MapFlags::ANY).context("read the tallies")?;
        Ok(losses::tally(&bytes.unwrap_or_default()))
    }

    /// How often a program did not run because it was running already on that CPU: by program.
    pub fn missed(&self) -> Result<Vec<(String, u64)>> {
        let mut missed = Vec::new();
        for (name, program) in &self.programs {
            let misses = losses::recursion_misses(program.as_fd())?;
            if misses > 0 {
                missed.push((name.clone(), misses));
            }
        }
        Ok(missed)
    }

    /// The calls that have not ended, of the tasks that are wanted by slot and cgroup, as records that look
    /// like the kernel's. Those that began before the recording are told at `now`. A thread that is inside
    /// a call for the first time that anybody looks is noticed thereby, wanted or not.
    pub fn in_flight(&self, now: u64, wanted: impl Fn(u32, u64) -> bool) -> Result<(Vec<InFlight>, Vec<Module>)> {
        let mut bytes = Vec::new();
        Iter::new(&self.in_flight)
            .context("open the task iterator")?
            .read_to_end(&mut bytes)
            .context("read the task iterator")?;
        let mut walker = Walker::new(self.stacks, now);
        let records = inflight::records(&bytes, self.strings, now, wanted, &mut walker);
        Ok((records, walker.modules()))
    }

    /// The verifier's and the kernel's figures of each program.
    pub fn programs(&self) -> Result<Vec<losses::Figures>> {
        self.programs.iter().map(|(_, program)| losses::figures(program.as_fd())).collect()
    }
}

/// The programs of system calls as the classic tracepoint's.
fn make_classic(open: &mut OpenTraceloopSkel<'_>) {
    for program in [
        &mut open.progs.sys_enter,
        &mut open.progs.sys_exit,
        &mut open.progs.enter_plain,
        &mut open.progs.enter_capture,
        &mut open.progs.enter_vector,
        &mut open.progs.enter_behind,
        &mut open.progs.exit_vector,
        &mut open.progs.exit_behind,
        &mut open.progs.exit_iovec,
        &mut open.progs.exit_message,
        &mut open.progs.exit_dirents,
        &mut open.progs.exit_file,
        &mut open.progs.exit_stack,
        &mut open.progs.enter_stack,
    ] {
        program.set_prog_type(ProgramType::Tracepoint);
    }
}

/// The end of a call first: a call whose start alone was seen would be told as one that has not ended.
fn attach_classic(skel: &TraceloopSkel<'_>) -> Result<Vec<(String, Link)>> {
    let numbers = Numbers::read()?;
    let exit = ("sys_exit".to_owned(), numbers.attach_exit(&skel.progs.sys_exit)?);
    let enter = ("sys_enter".to_owned(), numbers.attach_enter(&skel.progs.sys_enter)?);
    Ok(vec![exit, enter])
}

fn fill_writers(skel: &TraceloopSkel<'_>) -> Result<()> {
    use types::writer as W;
    let (progs, maps) = (&skel.progs, &skel.maps);
    let enter = [
        (W::WRITER_PLAIN, progs.enter_plain.as_fd()),
        (W::WRITER_CAPTURE, progs.enter_capture.as_fd()),
        (W::WRITER_VECTOR, progs.enter_vector.as_fd()),
        (W::WRITER_BEHIND, progs.enter_behind.as_fd()),
    ];
    let exit = [
        (W::WRITER_VECTOR, progs.exit_vector.as_fd()),
        (W::WRITER_BEHIND, progs.exit_behind.as_fd()),
        (W::WRITER_IOVEC, progs.exit_iovec.as_fd()),
        (W::WRITER_MESSAGE, progs.exit_message.as_fd()),
        (W::WRITER_DIRENTS, progs.exit_dirents.as_fd()),
        (W::WRITER_FILE, progs.exit_file.as_fd()),
    ];
    fill(&maps.enter_writers, &enter)?;
    fill(&maps.exit_writers, &exit)
}

pub(super) fn fill(map: &MapMut<'_>, writers: &[(types::writer, BorrowedFd<'_>)]) -> Result<()> {
    writers.iter().try_for_each(|(writer, program)| {
        map.update(&u32::from(writer.0).to_ne_bytes(), &program.as_raw_fd().to_ne_bytes(), MapFlags::ANY)
            .context("fill the array of writers")
    })
}
