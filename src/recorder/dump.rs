//! Taking a dump: copies of all rings, the calls in flight, the window and the losses.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use anyhow::{Context, Result};

use super::{
    alive::Alive,
    clock::{boottime, realtime_offset},
    family::generic_families,
    part::{Part, Wanted},
    units,
};
use crate::{
    history::{History, Names},
    host::{self, Look, interfaces},
    kernel::Kernel,
    model::{Block, Body, Cause, Dump, Each, Identity, Loss, Process, Recording, Stacks, Window},
};

/// A dump whose records are copied; what is to be known of processes is still being looked at.
#[derive(Debug)]
pub struct Dumping {
    recording: Recording,
    /// What its records name.
    names: Names,
    look: Look,
    /// The place of each track's block of calls in flight, and which of the look's records are its.
    in_flight: Vec<(usize, Vec<usize>)>,
    /// The threads of those calls.
    callers: Vec<Process>,
    /// Looks at what descriptors stood for in the beginning, and the tracks' places in them.
    before: Vec<(Look, usize)>,
}

/// What a dump is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// All that tracks hold.
    All,
    /// The calls in flight only: rings are left alone. Those that have lasted so long have stacks, whatever is recorded.
    CallsInFlight { longer: Duration },
}

/// Copies what the tracks hold; nothing is stopped.
pub(super) fn take(
    kernel: &Kernel,
    history: &History,
    alive: &Alive,
    wanted: &[Wanted<'_>],
    of: Of,
    cause: Cause,
) -> Result<Dumping> {
    // Before the rings: a call that ends in between is in them, and is then told as ended.
    let now = boottime();
    let calls = kernel.in_flight(|slot, cgroup| wanted.iter().any(|wanted| wanted.holds(slot, cgroup)))?;
    let own_calls = |wanted: &Wanted<'_>| {
        let own = calls.iter().enumerate().filter(|(_, call)| wanted.holds(call.slot, call.cgroup));
        own.map(|(n, _)| n).collect::<Vec<_>>()
    };
    let own_calls: Vec<Vec<usize>> = wanted.iter().map(own_calls).collect();
    let callers = calls.iter().map(|call| call.thread.clone()).collect();
    let how = units::how(kernel, wanted.iter().map(|wanted| wanted.track), now);
    let how = match of {
        Of::All => how,
        Of::CallsInFlight { longer } => host::How { stacks: Stacks::Slower(longer), ..how },
    };
    // What they point to is read at once, beside this.
    let look = Look::begin(host::Wanted {
        whose: wanted.iter().map(|wanted| wanted.track.whose(kernel)).collect(),
        calls,
        how,
        files: true,
        networks: true,
        waits: true,
    });
    // Up to here all rings will be complete.
    let until = boottime();
    let unsent = if of == Of::All { kernel.flush()? } else { Vec::new() };
    let mut blocks = Vec::new();
    let mut each = Vec::new();
    let mut in_flight = Vec::new();
    let mut refused = BTreeMap::new();
    let mut names = Names::default();
    for ((place, wanted), calls) in wanted.iter().enumerate().zip(own_calls) {
        let whose = u16::try_from(place).context("one dump holds at most 65,536 cgroups: dump fewer at once")?;
        let Part { blocks: own, mut window, refused: lost, names: named } =
            if of == Of::All { Part::of(kernel, history, alive, wanted, &unsent, until)? } else { Part::default() };
        blocks.extend(own.into_iter().map(|block| Block { whose, ..block }));
        in_flight.push((blocks.len(), calls));
        blocks.push(Block { whose, ..Block::of(None, 0, Vec::new()) });
        window.lost.extend(not_taken(lost.values().sum()));
        refused.extend(lost);
        names.extend(named);
        each.push(Each { began: wanted.track.began, window });
    }
    let mut window = whole(&mut each);
    window.lost = losses(kernel, refused.values().sum())?;
    // Packed ones were looked at when they were packed.
    let plain = blocks.iter().filter_map(|block| if let Body::Plain(bytes) = &block.body { Some(bytes) } else { None });
    plain.for_each(|bytes| names.see(bytes));
    let mut dump = Dump {
        only_slower: kernel.only_slower(),
        stacks: stacks(kernel, wanted),
        modules: kernel.modules()?,
        window,
        each,
        taken: until,
        followed: wanted.iter().flat_map(|wanted| wanted.track.followed.clone()).collect(),
        ..header(wanted.iter().map(|wanted| (wanted.track.cgroup(), wanted.track.began)), cause)?
    };
    // Of several units together nobody's part is made.
    if let [one] = wanted {
        dump.user = one.user(kernel)?;
    }
    let before = wanted.iter().filter_map(|wanted| wanted.track.before.clone()).collect();
    Ok(Dumping { recording: Recording { dump, blocks }, names, look, in_flight, callers, before })
}

impl Dumping {
    /// The dump with all that is known, or that it is not known. Waits for the looks: seconds at most, and not for the
    /// task.
    pub fn whole(self) -> Recording {
        let Recording { mut dump, mut blocks } = self.recording;
        let (known, mut names) = (self.look.wait(), self.names);
        for (place, records) in self.in_flight {
            let bytes: Vec<u8> = records.into_iter().flat_map(|n| known.records[n].iter().copied()).collect();
            names.see(&bytes);
            blocks[place] = Block::of(None, blocks[place].whose, bytes);
        }
        dump.modules.extend(known.modules.iter().cloned());
        dump.modules.retain(|module| names.modules.contains(&module.number));
        let told = known.networks.iter().filter(|network| names.networks.contains(&network.number));
        dump.networks = told.cloned().collect();
        dump.files.clone_from(&known.files);
        dump.waits.clone_from(&known.waits);
        // The kernel's log is the whole machine's, and is read where somebody was killed.
        if !names.killed.is_empty() {
            let own = host::oom_kills().into_iter().filter(|kill| names.killed.contains(&kill.pid));
            dump.oom_kills = own.collect();
        }
        dump.processes = known.threads.iter().flatten().cloned().collect();
        // Where /proc has other numbers, those in a call are all that is known.
        let listed: BTreeSet<u32> = dump.processes.iter().map(|thread| thread.tid).collect();
        dump.processes.extend(self.callers.into_iter().filter(|thread| !listed.contains(&thread.tid)));
        for (look, place) in &self.before {
            let known = look.wait();
            let own: BTreeSet<u32> = known.threads[*place].iter().map(|thread| thread.pid).collect();
            dump.files_before.extend(known.files.iter().filter(|files| own.contains(&files.pid)).cloned());
        }
        dump.window.lost.extend(known.unknown.iter().cloned());
        Recording { dump, blocks }
    }
}

/// For which time all of them together are complete; of one, that is its own, and nothing is left to tell of each.
fn whole(each: &mut Vec<Each>) -> Window {
    if each.len() == 1 {
        return each.pop().map(|one| one.window).unwrap_or_default();
    }
    let windows = || each.iter().map(|one| &one.window);
    Window {
        complete_from: windows().filter_map(|window| window.complete_from).max(),
        // Told of each.
        further: Vec::new(),
        lost: Vec::new(),
        records: windows().map(|window| window.records).sum(),
        overwritten: windows().map(|window| window.overwritten).sum(),
        left_out: 0,
        // Told of each.
        stretches: Vec::new(),
        // Told of each.
        manners: Vec::new(),
    }
}

/// Of which calls stacks were taken.
fn stacks(kernel: &Kernel, wanted: &[Wanted<'_>]) -> Option<String> {
    let own: BTreeSet<String> =
        wanted.iter().flat_map(|wanted| wanted.track.terms.stacks()).map(|stacks| stacks.to_string()).collect();
    let all = kernel.stacks().filter(|stacks| *stacks != Stacks::None).map(|stacks| stacks.to_string());
    all.into_iter().chain(own).reduce(|all, one| format!("{all}, {one}"))
}

fn not_taken(count: u64) -> Option<Loss> {
    Loss::of(count, "the ring did not take them")
}

/// What was lost, by reason; `failed` records were not taken by their rings.
pub(super) fn losses(kernel: &Kernel, failed: u64) -> Result<Vec<Loss>> {
    let counters = kernel.counters();
    let mut counted = vec![
        (counters.followed_full, "processes, with all of their calls: the map of processes that are followed was full"),
        (counters.cgroups_full, "cgroups, with all of their calls, whosever they were: the map of cgroups was full"),
        (counters.left, "calls, whosever they were, in which their threads left what is recorded"),
        (counters.stateless, "calls, whosever they were: the kernel made no state for their threads"),
    ];
    if kernel.takes_stacks() {
        counted.extend([
            (counters.stacks_failed, "stacks that could not be taken, of all cgroups' calls"),
            (counters.modules_full, "frames without their file: the map of files is full"),
        ]);
    }
    let counted = counted.into_iter().filter_map(|(count, reason)| Loss::of(count, reason));
    let mut lost: Vec<Loss> = not_taken(failed).into_iter().chain(counted).collect();
    for (program, count) in kernel.missed()? {
        lost.push(Loss { count, reason: format!("the program {program} was running already on that CPU") });
    }
    Ok(lost)
}

/// A dump of some tracks, with what is known without a look at their rings: where, when, whose and why.
pub(super) fn header<'a>(whose: impl Iterator<Item = (Option<&'a Identity>, u64)>, cause: Cause) -> Result<Dump> {
    let host = nix::sys::utsname::uname().context("ask for the host's name")?;
    let (cgroups, began): (Vec<_>, Vec<_>) = whose.unzip();
    let identities: Vec<Identity> = cgroups.into_iter().flatten().cloned().collect();
    Ok(Dump {
        traceloop: env!("CARGO_PKG_VERSION").to_owned(),
        host: node().unwrap_or_else(|| host.nodename().to_string_lossy().into_owned()),
        boot_id: fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned(),
        kernel: host.release().to_string_lossy().into_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        clock_offset: realtime_offset(),
        taken: boottime(),
        began: began.into_iter().min().unwrap_or(0),
        cgroups: identities.iter().map(|identity| identity.cgroup.clone()).collect(),
        identities,
        cause,
        cores_kept: cores_are_kept(),
        interfaces: interfaces(),
        generic_families: generic_families(),
        ..Dump::default()
    })
}

/// What a cluster calls this machine, if we run in it: Kubernetes gives it through the environment, as the manifest asks.
fn node() -> Option<String> {
    std::env::var("NODE_NAME").ok().filter(|name| !name.is_empty())
}

/// Whether a core dump is found again by its process: systemd's handler is named in the kernel's setting.
fn cores_are_kept() -> bool {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    pattern.starts_with('|') && pattern.contains("/systemd-coredump")
}
