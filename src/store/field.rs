//! What can be asked of a stored dump as FIELD=VALUE: one line a field.

use anyhow::{Context, Result};

use super::Name;
use crate::model::{Cause, Dump, Identity, signal_name};

/// A field of a stored dump.
pub struct Field {
    /// Its name, upper case.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    values: fn(&Name, &Dump) -> Vec<String>,
}

/// All fields.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field("UNIT",       "the systemd unit, with or without .service", |_, dump| of_each(dump, |id| id.unit.clone())),
    field("SLICE",      "its slice",                                  |_, dump| of_each(dump, |id| id.slice.clone())),
    field("USER",       "the user whose service manager runs it",     |_, dump| of_each(dump, |id| id.user.map(|user| user.to_string()))),
    field("INVOCATION", "its invocation id",                          |_, dump| of_each(dump, |id| id.invocation.clone())),
    field("CGROUP",     "the cgroup's path in the v2 tree",           |_, dump| cgroups(dump)),
    field("CONTAINER",  "the container's name or id",                 |_, dump| containers(dump)),
    field("IMAGE",      "its image",                                  |_, dump| of_each(dump, |id| id.container.as_ref()?.image.clone())),
    field("NAMESPACE",  "the pod's namespace",                        |_, dump| of_each(dump, |id| id.pod.as_ref()?.namespace.clone())),
    field("POD",        "the pod's name",                             |_, dump| of_each(dump, |id| id.pod.as_ref()?.name.clone())),
    field("COMM",       "the name of a process that it tells of",     |_, dump| comms(dump)),
    field("EXE",        "a program that was begun: its path, or its name", |_, dump| programs(dump)),
    field("PID",        "the id of one",                              |_, dump| pids(dump).iter().map(u32::to_string).collect()),
    field("REASON",     "why it was made, in a word",                 |name, _| vec![name.reason.clone()]),
    field("RESULT",     "systemd's result of the failed unit",        |_, dump| result(&dump.cause).into_iter().collect()),
    field("SIGNAL",     "a signal that ended a process: SIGSEGV",     |_, dump| signals(dump)),
    field("STATUS",     "a status that a process exited with",        |_, dump| statuses(dump)),
    field("HOST",       "the host",                                   |_, dump| vec![dump.host.clone()]),
    field("BOOT",       "its boot id",                                |_, dump| vec![dump.boot_id.clone()]),
    field("ID",         "the dump's id",                              |name, _| vec![name.id.clone()]),
];

const fn field(name: &'static str, about: &'static str, values: fn(&Name, &Dump) -> Vec<String>) -> Field {
    Field { name, about, values }
}

impl Field {
    /// The field with this name, in any case.
    pub fn parse(name: &str) -> Result<&'static Self> {
        FIELDS.iter().find(|field| field.name.eq_ignore_ascii_case(name)).with_context(|| {
            let names: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
            format!("dumps have no field {name:?}: {}", names.join(", "))
        })
    }

    /// What a dump has in it.
    pub fn values(&self, name: &Name, dump: &Dump) -> Vec<String> {
        (self.values)(name, dump)
    }
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// What a bare word may mean besides a TARGET: processes, and cgroups that have moved to another path.
pub(super) fn names(dump: &Dump) -> Vec<String> {
    let mut names = dump.cgroups.clone();
    names.extend(comms(dump));
    names
}

/// The processes that a dump tells of by number.
pub(super) fn pids(dump: &Dump) -> Vec<u32> {
    let mut pids: Vec<u32> =
        dump.processes.iter().chain(&dump.followed).flat_map(|process| [process.pid, process.tid]).collect();
    if let Some(words) = &dump.last_words {
        pids.extend(words.ended.iter().map(|ended| ended.pid));
        pids.extend(words.in_flight.iter().chain(&words.failed).flat_map(|call| [call.pid, call.tid]));
    }
    match dump.cause {
        Cause::Killed { pid, .. } | Cause::Status { pid, .. } => pids.push(pid),
        Cause::Call { tid, .. } => pids.push(tid),
        _ => {}
    }
    pids
}

fn comms(dump: &Dump) -> Vec<String> {
    let mut comms: Vec<String> =
        dump.processes.iter().chain(&dump.followed).map(|process| process.comm.clone()).collect();
    if let Some(words) = &dump.last_words {
        comms.extend(words.ended.iter().map(|ended| ended.comm.clone()));
        comms.extend(words.in_flight.iter().chain(&words.failed).map(|call| call.comm.clone()));
    }
    if let Cause::Killed { comm, .. } | Cause::Status { comm, .. } = &dump.cause {
        comms.push(comm.clone());
    }
    comms
}

/// As execve was given them, and by their names alone.
fn programs(dump: &Dump) -> Vec<String> {
    let programs = dump.last_words.iter().flat_map(|words| &words.programs);
    programs.flat_map(|path| [path.as_str(), path.rsplit('/').next().unwrap_or(path)]).map(str::to_owned).collect()
}

fn of_each(dump: &Dump, value: impl Fn(&Identity) -> Option<String>) -> Vec<String> {
    dump.identities.iter().filter_map(value).collect()
}

fn cgroups(dump: &Dump) -> Vec<String> {
    let own = dump.identities.iter().map(|identity| &identity.cgroup);
    own.chain(&dump.cgroups).filter(|path| !path.is_empty()).cloned().collect()
}

fn containers(dump: &Dump) -> Vec<String> {
    let containers = dump.identities.iter().flat_map(|identity| identity.container.iter().chain(&identity.outer));
    containers.flat_map(|container| container.name.iter().chain([&container.id]).cloned()).collect()
}

fn result(cause: &Cause) -> Option<String> {
    match cause {
        Cause::Unit { result, .. } => Some(result.clone()),
        _ => None,
    }
}

fn signals(dump: &Dump) -> Vec<String> {
    let ended = dump.last_words.iter().flat_map(|words| &words.ended).filter_map(|ended| ended.signal);
    let cause = match dump.cause {
        Cause::Killed { signal, .. } => Some(signal),
        Cause::Unit { status: Some(status), .. } if status & 0x7f != 0 => Some(status & 0x7f),
        _ => None,
    };
    ended.chain(cause).map(signal_name).collect()
}

fn statuses(dump: &Dump) -> Vec<String> {
    let ended = dump.last_words.iter().flat_map(|words| &words.ended).filter_map(|ended| ended.status.map(i32::from));
    let cause = match dump.cause {
        Cause::Status { status, .. } => Some(status),
        Cause::Unit { status: Some(status), .. } if status & 0x7f == 0 => Some(status >> 8 & 0xff),
        _ => None,
    };
    ended.chain(cause).map(|status| status.to_string()).collect()
}
