//! Whom the kernel's OOM killer chose, and which memory had run out: the kernel's log is the one place that says so.
//!
//! Counters and limits of cgroups cannot: one whose files fill its memory is at its limit all day, and is so, too, when
//! the machine has no memory left. What the log does not say for certain is left out. Only lines of the kernel itself
//! count, as others may write to its log.

use std::io;

use nix::errno::Errno;

use super::{
    asking::Asking,
    look::How,
    message::{Ask, Seen},
};
use crate::model::{Memory, OomKill};

/// So many are remembered, the newest.
const MOST: usize = 16;
/// What is read of the log at most.
const LOG_MOST: i32 = 16 << 20;

/// syslog(2).
const READ_ALL: i32 = 3;
const SIZE_BUFFER: i32 = 10;

/// Whether this process may read the log.
pub fn readable() -> io::Result<()> {
    ask(SIZE_BUFFER, &mut []).map(drop)
}

/// The last ones, oldest first, as a helper reads them; none, where that cannot be had. Waits for seconds at most: not for
/// the task.
pub fn oom_kills() -> Vec<OomKill> {
    let mut asking = Asking::new(How::default());
    let seen = asking.ask(&Ask::OomKills, None);
    asking.end();
    if let Some(Seen::OomKills(kills)) = seen { kills } else { Vec::new() }
}

/// The same, here; none, where the log cannot be read.
pub(super) fn kills() -> Vec<OomKill> {
    log().map(|log| kills_in(&log)).unwrap_or_default()
}

fn log() -> io::Result<String> {
    let size = ask(SIZE_BUFFER, &mut [])?.clamp(0, LOG_MOST);
    let mut text = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    let read = ask(READ_ALL, &mut text)?;
    text.truncate(usize::try_from(read).map_err(io::Error::other)?);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn ask(what: i32, into: &mut [u8]) -> io::Result<i32> {
    let length = i32::try_from(into.len()).map_err(io::Error::other)?;
    // SAFETY: the kernel writes at most `length` bytes to where `into` is.
    let answer = unsafe { libc::klogctl(what, into.as_mut_ptr().cast(), length) };
    Ok(Errno::result(answer)?)
}

/// What the log's lines say, one after the other. A kill is told in several, and no two kills mix: the kernel holds a lock
/// for as long as one lasts. Where there are many, it leaves out all but their last lines.
#[derive(Default)]
struct Kills {
    found: Vec<OomKill>,
    /// SysRq asked for it, whatever memory there is.
    by_hand: bool,
    /// What the cgroup's limits were.
    memory: Option<Usage>,
    memory_and_swap: Option<Usage>,
    /// Which memory the kill is for that the lines speak of, if they have said so.
    of: Option<Memory>,
    /// The whole of a cgroup goes with the one that was chosen.
    group: bool,
}

/// How much is used of how much, KiB.
#[derive(Clone, Copy)]
struct Usage {
    used: u64,
    limit: u64,
}

/// A cgroup without a limit has one that no machine reaches, KiB: half of what pages a number can count.
const NO_LIMIT: u64 = 1 << 52;

fn kills_in(log: &str) -> Vec<OomKill> {
    let mut kills = Kills::default();
    log.lines().filter_map(by_kernel).for_each(|line| kills.see(line));
    let Kills { mut found, .. } = kills;
    found.drain(..found.len().saturating_sub(MOST));
    found
}

/// The text of a line that the kernel wrote: `<6>[ 1066.148742] text`. Of others the facility is not 0.
fn by_kernel(line: &str) -> Option<&str> {
    let (priority, rest) = line.strip_prefix('<')?.split_once('>')?;
    priority.parse::<u32>().ok().filter(|priority| priority >> 3 == 0)?;
    // With or without its time, and with whoever wrote it behind that.
    let mut text = rest;
    while let Some((_, behind)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        text = behind.trim_start();
    }
    Some(text)
}

impl Kills {
    fn see(&mut self, line: &str) {
        if let Some((_, how)) = line.split_once(" invoked oom-killer: ") {
            *self = Self { found: std::mem::take(&mut self.found), ..Self::default() };
            self.by_hand = how.split(", ").any(|part| part == "order=-1");
        } else if let Some(usage) = line.strip_prefix("memory: usage ") {
            self.memory = Usage::of(usage);
        } else if let Some(usage) = line.strip_prefix("memory+swap: usage ") {
            self.memory_and_swap = Usage::of(usage);
        } else if let Some(chosen) = line.strip_prefix("oom-kill:constraint=") {
            self.group = false;
            self.of = self.chosen(chosen);
            if let Some((kill, memory)) = process(chosen).zip(self.of.clone()) {
                self.found.push(OomKill { memory, ..kill });
            }
        } else if line.starts_with("Tasks in ") && line.contains("memory.oom.group") {
            self.group = true;
        } else if let Some((why, killed)) = line.split_once(": Killed process ") {
            self.killed(why, killed);
        }
    }

    /// `CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=dd,pid=7,uid=0`.
    fn chosen(&self, text: &str) -> Option<Memory> {
        let (constraint, rest) = text.split_once(',')?;
        match constraint {
            _ if self.by_hand => None,
            "CONSTRAINT_NONE" => Some(Memory::Machine),
            "CONSTRAINT_CPUSET" | "CONSTRAINT_MEMORY_POLICY" => Some(Memory::Nodes),
            "CONSTRAINT_MEMCG" => {
                let (_, path) = rest.split_once(",oom_memcg=")?;
                let (path, _) = path.rsplit_once(",task_memcg=")?;
                let full = |usage: &Usage| usage.limit < NO_LIMIT && usage.used >= usage.limit;
                let memory = self.memory.filter(full).map(|usage| (usage.limit << 10, false));
                let both = self.memory_and_swap.filter(full).map(|usage| (usage.limit << 10, true));
                let (limit, with_swap) = memory.or(both).unzip();
                Some(Memory::Cgroup { path: Some(path.to_owned()), limit, with_swap: with_swap.unwrap_or(false) })
            }
            _ => None,
        }
    }

    /// `7 (dd) total-vm:310176kB, ...`: of each process that goes, though it may be all that is said.
    fn killed(&mut self, why: &str, text: &str) {
        let known = |(pid, rest): (&str, &str)| Some((pid.parse().ok()?, rest.split_once(") total-vm:")?.0.to_owned()));
        let Some((pid, comm)) = text.split_once(" (").and_then(known) else { return };
        if self.of.is_some() && self.found.last().is_some_and(|last| last.pid == pid) {
            return;
        }
        if !self.group {
            self.of = None;
        }
        let unnamed = || Memory::Cgroup { path: None, limit: None, with_swap: false };
        let of = self.of.clone().or_else(|| (why == "Memory cgroup out of memory").then(unnamed));
        self.found.extend(of.map(|memory| OomKill { pid, comm, memory }));
    }
}

impl Usage {
    /// `32768kB, limit 32768kB, failcnt 46`.
    fn of(text: &str) -> Option<Self> {
        let (used, rest) = text.split_once("kB, limit ")?;
        let (limit, _) = rest.split_once("kB")?;
        Some(Self { used: used.parse().ok()?, limit: limit.parse().ok()? })
    }
}

/// Whom it chose: names may hold anything, numbers stand behind them.
fn process(text: &str) -> Option<OomKill> {
    let (rest, pid) = text.rsplit_once(",pid=")?;
    let (pid, _) = pid.split_once(',')?;
    let (_, comm) = rest.rsplit_once(",task=")?;
    Some(OomKill { pid: pid.parse().ok()?, comm: comm.to_owned(), memory: Memory::Machine })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cgroup(path: Option<&str>, limit: Option<u64>, with_swap: bool) -> Memory {
        Memory::Cgroup { path: path.map(str::to_owned), limit, with_swap }
    }

    fn kill(pid: u32, comm: &str, memory: Memory) -> OomKill {
        OomKill { pid, comm: comm.into(), memory }
    }

    const INVOKED: &str =
        "<4>[10066.148200] dd invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n";

    fn chosen(constraint: &str, oom: &str, task: &str, pid: u32) -> String {
        format!(
            "<6>[10066.148742] oom-kill:constraint={constraint},nodemask=(null),cpuset=/,mems_allowed=0,{oom},\
             task_memcg=/a/b,task={task},pid={pid},uid=0\n"
        )
    }

    fn killed(why: &str, pid: u32, comm: &str) -> String {
        format!(
            "<3>[10066.148770] {why}: Killed process {pid} ({comm}) total-vm:310176kB, anon-rss:32512kB, file-rss:1668kB\n"
        )
    }

    const CGROUP: &str = "Memory cgroup out of memory";

    #[test]
    fn a_cgroup_at_its_limit() {
        let usage = "<6>[10066.148560] memory: usage 32768kB, limit 32768kB, failcnt 46\n\
                     <6>[10066.148571] memory+swap: usage 32768kB, limit 9007199254740988kB, failcnt 0\n";
        let chosen = chosen("CONSTRAINT_MEMCG", "oom_memcg=/a,b", "x,pid=1,uid=0", 21699);
        let log = format!("{INVOKED}{usage}{chosen}{}", killed(CGROUP, 21699, "x,pid=1,uid=0"));
        let found = kill(21699, "x,pid=1,uid=0", cgroup(Some("/a,b"), Some(32 << 20), false));
        assert_eq!(kills_in(&log), [found]);
        // Those that go with it, and the next ones, of which only their ends are said.
        let log = format!(
            "{INVOKED}{usage}{chosen}{}<6>[3.0] Tasks in /a are going to be killed due to memory.oom.group set\n{}{}{}{}",
            killed(CGROUP, 21699, "x,pid=1,uid=0"),
            killed(CGROUP, 8, "b (c) d"),
            INVOKED,
            killed(CGROUP, 9, "e"),
            killed("Out of memory", 10, "f"),
        );
        let told: Vec<_> = kills_in(&log).into_iter().skip(1).collect();
        assert_eq!(
            told,
            [kill(8, "b (c) d", cgroup(Some("/a,b"), Some(32 << 20), false)), kill(9, "e", cgroup(None, None, false))]
        );
    }

    #[test]
    fn a_limit_is_the_one_that_was_reached() {
        let limit = |memory: &str, both: &str| {
            let chosen = chosen("CONSTRAINT_MEMCG", "oom_memcg=/a", "a", 7);
            let log = format!("{INVOKED}<6>[1.0] memory: usage {memory}\n<6>[1.0] memory+swap: usage {both}\n{chosen}");
            kills_in(&log).pop().unwrap().memory
        };
        assert_eq!(limit("10kB, limit 20kB, f", "30kB, limit 30kB, f"), cgroup(Some("/a"), Some(30 << 10), true));
        assert_eq!(limit("10kB, limit 20kB, f", "10kB, limit 30kB, f"), cgroup(Some("/a"), None, false));
    }

    #[test]
    fn the_machines_memory_and_that_of_nodes() {
        let none = chosen("CONSTRAINT_NONE", "global_oom", "a", 7);
        let nodes = chosen("CONSTRAINT_CPUSET", "global_oom", "b", 8);
        // With whoever wrote them between (CONFIG_PRINTK_CALLER).
        let log = format!("{INVOKED}{none}{INVOKED}{nodes}").replace("] ", "][   T7] ");
        assert_eq!(kills_in(&log), [kill(7, "a", Memory::Machine), kill(8, "b", Memory::Nodes)]);
    }

    #[test]
    fn what_is_not_certain_is_left_out() {
        let none = chosen("CONSTRAINT_NONE", "global_oom", "a", 7);
        // By SysRq: no memory need have run out.
        let asked = format!("{}{none}{}", INVOKED.replace("order=0", "order=-1"), killed("Out of memory", 7, "a"));
        // Where the kernel says that it killed, and no more, it may have been for want of some nodes' memory.
        let short = killed("Out of memory", 7, "a");
        // Who writes to /dev/kmsg is no kernel.
        let forged = none.replace("<6>", "<14>");
        for log in [asked, short, forged, none.replace("task=", "tas"), String::new()] {
            assert!(kills_in(&log).is_empty(), "{log}");
        }
        assert_eq!(kills_in(&none.repeat(40)).len(), MOST);
    }
}
