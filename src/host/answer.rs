//! The helper: answers one question after the other, for as long as somebody asks.

use std::{io, os::unix::net::UnixStream};

use anyhow::{Context, Result, ensure};

use super::{
    files::{self, Networks},
    memory::Memory,
    message::{Ask, Seen, receive, send},
    network, oom, threads, waits,
};
use crate::{cgroup::Cgroup, kernel::sees_all_pids, model::Stack, symbol::Symbols};

/// Answers whoever is at the other end of standard input.
pub fn serve() -> Result<()> {
    use std::os::fd::AsFd;
    let stdin = io::stdin();
    let asker = stdin.as_fd().try_clone_to_owned().context("take the socket")?;
    let asker = UnixStream::from(asker);
    ensure!(asker.peer_addr().is_ok(), "this is for the recorder itself: it asks over a socket");
    // Who looks at processes sees who this is, though it was started as /proc/self/exe.
    let _ = nix::sys::prctl::set_name(c"traceloop-look");
    let mut seen = Eyes::default();
    while let Some(ask) = receive::<Ask>(&asker).context("hear a question")? {
        // Who asked may have lost patience long ago.
        if send(&asker, &seen.look(ask)).is_err() {
            break;
        }
    }
    Ok(())
}

/// What is kept from question to question.
#[derive(Default)]
struct Eyes {
    memory: Option<Memory>,
    networks: Networks,
    symbols: Option<Symbols>,
}

impl Eyes {
    fn look(&mut self, ask: Ask) -> Seen {
        match ask {
            Ask::How { now, strings, contents, stacks } => {
                let memory = Memory::new(now, strings, contents, stacks);
                *self = Self { memory: Some(memory), ..Self::default() };
                Seen::Understood
            }
            Ask::ThreadsOfCgroup { path, id } => {
                let cgroup = Cgroup::open(&path).ok().filter(|cgroup| cgroup.id() == id);
                Seen::Threads(cgroup.map_or_else(Vec::new, |cgroup| threads::of(&cgroup)))
            }
            Ask::ThreadsOf { pids } => Seen::Threads(threads::of_processes(pids)),
            Ask::Calls { lines, modules } => match &mut self.memory {
                Some(memory) => {
                    memory.count_modules_from(modules);
                    let records = lines.iter().map(|line| memory.record(line)).collect();
                    Seen::Calls { records, modules: memory.new_modules() }
                }
                None => Seen::Understood,
            },
            Ask::Waits { lines } => Seen::Waits(lines.iter().map(|line| waits::of(line, &mut self.networks)).collect()),
            Ask::Holders { ends } => Seen::Holders(waits::holders(&ends)),
            Ask::Files { pid } => Seen::Files(files::of(pid, &mut self.networks)),
            Ask::Networks { pids } => Seen::Networks(network::of(&pids)),
            Ask::Lines { pid, modules, stacks } => {
                let symbols = self.symbols.get_or_insert_with(|| Symbols::live(sees_all_pids()));
                symbols.learn(&modules);
                let lines = |mut stack: Stack| {
                    symbols.name_stack(pid, &mut stack);
                    stack.lines()
                };
                Seen::Lines(stacks.into_iter().map(lines).collect())
            }
            Ask::OomKills => Seen::OomKills(oom::kills()),
        }
    }
}
