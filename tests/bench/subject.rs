//! The loop under test: a child process of the bench that makes calls and times itself, so that what
//! observes it has nothing to do with how it is timed.

use std::{
    ffi::CStr,
    fmt,
    io::{BufRead, BufReader, Write, stdin, stdout},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

/// The argument that makes the bench's own binary the subject.
pub(crate) const FLAG: &str = "--subject";

/// What the subject does over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Getppid,
    Openat,
    Read,
    Write,
    Futex,
    EpollWait,
    Mix,
}

impl Call {
    pub(crate) const ALL: [Self; 7] =
        [Self::Getppid, Self::Openat, Self::Read, Self::Write, Self::Futex, Self::EpollWait, Self::Mix];
    /// Those over which the recorder's aim is averaged.
    #[allow(dead_code, reason = "one of the benches needs it")]
    pub(crate) const AIM: [Self; 4] = [Self::Getppid, Self::Openat, Self::Read, Self::Write];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.to_string() == name)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Getppid => "getppid",
            Self::Openat => "openat",
            Self::Read => "read",
            Self::Write => "write",
            Self::Futex => "futex",
            Self::EpollWait => "epoll_wait",
            Self::Mix => "mix",
        })
    }
}

/// A running subject.
pub(crate) struct Subject {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Subject {
    /// Starts one, pinned to the last CPU.
    pub(crate) fn start() -> Result<Self> {
        let own = std::env::current_exe().context("find the bench's own binary")?;
        let mut child = Command::new(own)
            .arg(FLAG)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start the loop under test")?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("the loop under test has no pipes")
        };
        Ok(Self { child, orders, answers: BufReader::new(answers) })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Nanoseconds a call, the best of some batches: what interrupts a batch is not its cost.
    pub(crate) fn time(&mut self, call: Call, calls: u32, batches: u32) -> Result<f64> {
        writeln!(self.orders, "{call} {calls} {batches}").context("order a measurement")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).context("wait for a measurement")?;
        answer.trim().parse().context("read a measurement")
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The subject's own main: an order a line, an answer a line.
pub(crate) fn main() -> Result<()> {
    pin()?;
    let calls = Calls::new()?;
    for order in stdin().lock().lines() {
        let order = order.context("read an order")?;
        let mut words = order.split(' ');
        let (Some(call), Some(count), Some(batches)) = (words.next().and_then(Call::named), words.next(), words.next())
        else {
            bail!("an order that makes no sense: {order:?}")
        };
        let best = calls.best_of(call, count.parse()?, batches.parse()?);
        writeln!(stdout(), "{best}").context("answer")?;
    }
    Ok(())
}

fn pin() -> Result<()> {
    let cpus = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)).context("ask for the CPUs")?;
    let last = (0..nix::sched::CpuSet::count()).rev().find(|cpu| cpus.is_set(*cpu) == Ok(true)).context("no CPU")?;
    let mut one = nix::sched::CpuSet::new();
    one.set(last).context("choose a CPU")?;
    nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &one).context("stay on one CPU")
}

/// What the calls need.
struct Calls {
    zero: i32,
    null: i32,
    epoll: i32,
}

/// Missing, 40 bytes with its NUL.
const PATH: &CStr = c"/nonexistent/bench/of/traceloop/no-file";

impl Calls {
    fn new() -> Result<Self> {
        // SAFETY: paths are C strings; the descriptors stay open until the process ends.
        let (zero, null, epoll) = unsafe {
            (
                libc::open(c"/dev/zero".as_ptr(), libc::O_RDONLY),
                libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY),
                libc::epoll_create1(0),
            )
        };
        if zero < 0 || null < 0 || epoll < 0 {
            bail!("open /dev/zero, /dev/null and an epoll instance");
        }
        Ok(Self { zero, null, epoll })
    }

    fn best_of(&self, call: Call, calls: u32, batches: u32) -> f64 {
        let batch = |_| {
            let began = Instant::now();
            for _ in 0..calls {
                self.make(call);
            }
            began.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
        };
        (0..batches).map(batch).fold(f64::INFINITY, f64::min)
    }

    #[inline(always)]
    fn make(&self, call: Call) {
        let mut bytes = [b'x'; 64];
        // SAFETY: each call gets the memory that it wants, and it outlives the call.
        unsafe {
            match call {
                Call::Getppid => libc::syscall(libc::SYS_getppid),
                Call::Openat => libc::syscall(libc::SYS_openat, libc::AT_FDCWD, PATH.as_ptr(), libc::O_RDONLY, 0),
                Call::Read => libc::syscall(libc::SYS_read, self.zero, bytes.as_mut_ptr(), 1),
                Call::Write => libc::syscall(libc::SYS_write, self.null, bytes.as_ptr(), 64),
                Call::Futex => {
                    libc::syscall(libc::SYS_futex, bytes.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1)
                }
                Call::EpollWait => libc::syscall(libc::SYS_epoll_wait, self.epoll, bytes.as_mut_ptr(), 1, 0),
                Call::Mix => {
                    Call::ALL.into_iter().filter(|call| *call != Call::Mix).for_each(|call| self.make_one(call));
                    0
                }
            }
        };
    }

    #[inline(never)]
    fn make_one(&self, call: Call) {
        self.make(call);
    }
}
