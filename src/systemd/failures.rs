//! Which invocation of which unit failed: what systemd's signals say, put together. No I/O here.
//!
//! systemd tells a unit's properties in two signals, those of its kind (`Result`, `ExecMain...`) and
//! then those that all units have (`InvocationID`, `ActiveState`); the second completes the pair. A
//! pair is believed as it stands: asked afterwards, systemd may already speak of the next invocation.
//! One failure is told in many pairs (before the restart, while it waits, again at the start limit):
//! each invocation is reported once.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

/// How long the end of the main process is waited for, when systemd has already decided that the
/// unit failed: it is killed first, and may take its time.
const PATIENCE: Duration = Duration::from_secs(1);

/// Invocations that are remembered as reported. A reload of systemd makes all units anew and tells
/// all that have failed once more.
const REMEMBERED: usize = 4096;

/// Units that are known. Only something that is no service manager has more: it is forgotten what they said.
const UNITS: usize = 65536;
/// systemd's own limit.
const LONGEST_NAME: usize = 255;

/// Results that are no failure of a process: nothing ran, or nothing was meant to.
const NOTHING_RAN: [&str; 4] = ["success", "start-limit-hit", "exec-condition", ""];

/// An invocation of a unit failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitFailed {
    /// The unit: `nginx.service`.
    pub unit: String,
    /// The user whose service manager runs it; `None`: the system's.
    pub user: Option<u32>,
    /// The invocation, 32 hexadecimal digits.
    pub invocation: String,
    /// systemd's Result: `signal`, `core-dump`, `exit-code`, `timeout`, `watchdog`, `oom-kill` ...
    pub result: String,
    /// How its main process ended, as `wait(2)` tells it; `None`: it has none, or still lives.
    pub status: Option<i32>,
    /// Its main process, by the number that systemd knows it by; not the kernel's in a container.
    pub pid: Option<u32>,
    /// When that ended, CLOCK_MONOTONIC microseconds.
    pub exited: Option<u64>,
    /// For how long it had been active when it failed or was stopped, microseconds; 0: it never was. `None`: not known.
    pub active: Option<u64>,
    /// It had failed before we listened.
    pub earlier: bool,
}

/// What one signal tells of a unit; `None`: it does not speak of that.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) result: Option<String>,
    pub(super) code: Option<i32>,
    pub(super) status: Option<i32>,
    pub(super) pid: Option<u32>,
    pub(super) exited: Option<u64>,
    /// When it began to start, its main process began, and it became active and ceased to be, CLOCK_MONOTONIC
    /// microseconds.
    pub(super) began: Option<u64>,
    pub(super) main_began: Option<u64>,
    pub(super) activated: Option<u64>,
    pub(super) deactivated: Option<u64>,
    pub(super) active: Option<String>,
    pub(super) invocation: Option<String>,
}

/// What is known of a unit.
#[derive(Debug, Default)]
struct Unit {
    result: String,
    code: i32,
    status: i32,
    pid: u32,
    exited: u64,
    began: u64,
    main_began: u64,
    activated: u64,
    deactivated: u64,
    waiting: Option<(Instant, UnitFailed)>,
}

impl Unit {
    /// For how long it had been active in its newest life, microseconds; 0: it never was. A unit that restarts without
    /// having failed in between (RestartMode=direct) keeps the times of its former life, but for its main process.
    fn was_active(&self) -> Option<u64> {
        match self.activated {
            _ if self.began == 0 => None,
            activated if activated < self.began => Some(0),
            activated if activated < self.main_began => None,
            activated => self.deactivated.checked_sub(activated),
        }
    }
}

/// All units of the service manager.
#[derive(Debug, Default)]
pub(super) struct Failures {
    units: HashMap<String, Unit>,
    reported: VecDeque<String>,
}

impl Failures {
    /// Takes in a signal; `earlier`: an answer about a unit that had failed before we listened.
    pub(super) fn told(&mut self, name: &str, told: Told, earlier: bool, now: Instant) -> Vec<UnitFailed> {
        if self.units.len() >= UNITS && !self.units.contains_key(name) {
            self.units.retain(|_, unit| unit.waiting.is_some());
        }
        let unit = self.units.entry(name.to_owned()).or_default();
        unit.result = told.result.unwrap_or(std::mem::take(&mut unit.result));
        unit.code = told.code.unwrap_or(unit.code);
        unit.status = told.status.unwrap_or(unit.status);
        unit.pid = told.pid.unwrap_or(unit.pid);
        unit.exited = told.exited.unwrap_or(unit.exited);
        unit.began = told.began.unwrap_or(unit.began);
        unit.main_began = told.main_began.unwrap_or(unit.main_began);
        unit.activated = told.activated.unwrap_or(unit.activated);
        unit.deactivated = told.deactivated.unwrap_or(unit.deactivated);
        let (Some(active), Some(invocation)) = (told.active, told.invocation) else { return Vec::new() };
        let gone = unit.waiting.take_if(|(_, failed)| failed.invocation != invocation);
        let mut found: Vec<_> = gone.into_iter().map(|(_, failed)| failed).collect();
        if NOTHING_RAN.contains(&unit.result.as_str()) || invocation.is_empty() || self.reported.contains(&invocation) {
            return found;
        }
        let failed = UnitFailed {
            unit: name.to_owned(),
            user: None,
            invocation,
            result: unit.result.clone(),
            status: wait_status(unit.code, unit.status),
            pid: (unit.pid != 0).then_some(unit.pid),
            exited: (unit.exited != 0).then_some(unit.exited),
            active: unit.was_active(),
            earlier,
        };
        let since = unit.waiting.take().map_or(now, |(since, _)| since);
        if failed.status.is_none() && active == "deactivating" {
            unit.waiting = Some((since, failed));
        } else {
            found.push(failed);
        }
        self.remember(&found);
        found
    }

    /// systemd forgets the unit; what it was still waiting for is reported.
    pub(super) fn removed(&mut self, name: &str) -> Option<UnitFailed> {
        let failed = self.units.remove(name)?.waiting.map(|(_, failed)| failed);
        self.remember(failed.as_slice());
        failed
    }

    /// When the next wait is over.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.units.values().filter_map(|unit| unit.waiting.as_ref()).map(|(since, _)| *since + PATIENCE).min()
    }

    /// The failures whose wait is over.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<UnitFailed> {
        let over = |unit: &mut Unit| unit.waiting.take_if(|(since, _)| *since + PATIENCE <= now);
        let found: Vec<_> = self.units.values_mut().filter_map(over).map(|(_, failed)| failed).collect();
        self.remember(&found);
        found
    }

    fn remember(&mut self, found: &[UnitFailed]) {
        self.reported.extend(found.iter().map(|failed| failed.invocation.clone()));
        self.reported.drain(..self.reported.len().saturating_sub(REMEMBERED));
    }
}

/// What `wait(2)` would have said, from `ExecMainCode` (CLD_...) and `ExecMainStatus`.
fn wait_status(code: i32, status: i32) -> Option<i32> {
    match code {
        libc::CLD_EXITED => Some((status & 0xff) << 8),
        libc::CLD_KILLED => Some(status & 0x7f),
        libc::CLD_DUMPED => Some(status & 0x7f | 0x80),
        _ => None,
    }
}

/// The unit that an object of systemd stands for: everything but letters and digits is written `_xx`.
pub(super) fn unit_of(path: &str) -> Option<String> {
    let mut rest = path.strip_prefix("/org/freedesktop/systemd1/unit/")?.bytes();
    let mut name = Vec::new();
    while let Some(byte) = rest.next() {
        if byte != b'_' {
            name.push(byte);
            continue;
        }
        let pair = [rest.next()?, rest.next()?];
        name.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
    }
    String::from_utf8(name).ok().filter(|name| name.len() <= LONGEST_NAME)
}

#[cfg(test)]
mod tests;
