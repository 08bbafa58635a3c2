//! What the daemon's configuration says: TOML, each key known, each mistake told with its line.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::sys::signal::Signal;
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::{
    calls::Standing,
    exec::Exec,
    rule::{self, Rule},
    share::Limits,
    trigger::Policy,
};
use crate::{
    cgroup::Rules,
    control, history,
    identity::Runtimes,
    keeper,
    model::{self, Stacks, size_from},
    profile::{Calls, Overhead, Profile, Profiles, UnitRule},
    recorder::{Budget, Settings, Watching},
    redact::{Patterns, Payload, Redaction},
    store::{self, Amount, Recipients, Retention},
    syscall::plan::Wanted,
};

/// Where the configuration is unless the command line says otherwise.
pub const CONFIG: &str = "/etc/traceloop/traceloop.toml";

/// The whole configuration. What is not said has the values of systemd/traceloop.toml.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Config {
    /// The socket for clients.
    pub socket: PathBuf,
    /// Where /metrics is served over TCP, too.
    pub metrics: Option<SocketAddr>,
    /// The keeper's socket; not told: beside the other; empty: no keeper.
    keeper: Option<PathBuf>,
    /// What is recorded.
    pub record: Record,
    /// How much of what rings have taken is kept.
    history: Kept,
    /// Where dumps are stored, and how long.
    pub store: Storage,
    /// When dumps are made by themselves.
    pub triggers: Triggers,
    /// Who is asked for the names of containers.
    pub runtimes: Runtimes,
    /// What of contents is kept, by cgroup.
    payload: Vec<Contents>,
    redact: Redact,
}

/// How much of the contents of reads, writes and messages of some cgroups is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Contents {
    units: Vec<String>,
    payload: Payload,
}

/// What is taken out of what is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Redact {
    environment: Vec<String>,
    arguments: Vec<String>,
    paths: Vec<String>,
}

/// What is recorded, and with how much memory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Record {
    include: Vec<String>,
    exclude: Vec<String>,
    #[serde(deserialize_with = "size_from")]
    buffer_size: usize,
    #[serde(deserialize_with = "size_from")]
    memory_max: usize,
    #[serde(deserialize_with = "duration")]
    keep_dead: Duration,
    ready: usize,
    string_limit: u32,
    #[serde(deserialize_with = "calls")]
    syscalls: Calls,
    payload: bool,
    #[serde(deserialize_with = "stacks")]
    stacks: Stacks,
    #[serde(deserialize_with = "overhead")]
    max_overhead: Overhead,
    /// Units that are recorded otherwise.
    unit: Vec<Spanned<UnitRule>>,
}

/// How much of what rings have taken is kept, packed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Kept {
    #[serde(deserialize_with = "percent")]
    history_cpu: u32,
    #[serde(deserialize_with = "some_duration")]
    min_age: Option<Duration>,
    #[serde(deserialize_with = "keep")]
    keep: history::Keep,
    #[serde(deserialize_with = "percent")]
    keep_share: u32,
}

impl Default for Kept {
    fn default() -> Self {
        let history::Settings { cpu, min_age, keep, keep_share } = history::Settings::default();
        Self { history_cpu: cpu, min_age, keep, keep_share }
    }
}

/// Where dumps are stored, and how long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Storage {
    /// The directory.
    pub directory: PathBuf,
    max_use: Option<Amount>,
    keep_free: Option<Amount>,
    #[serde(deserialize_with = "some_duration")]
    max_age: Option<Duration>,
    #[serde(deserialize_with = "size_from")]
    dump_most: usize,
    #[serde(deserialize_with = "recipients")]
    encrypt_for: Option<Recipients>,
}

/// When dumps are made by themselves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Triggers {
    #[serde(deserialize_with = "signals")]
    killed: Vec<i32>,
    status: bool,
    unit: bool,
    /// Calls that make one.
    #[serde(deserialize_with = "rules")]
    pub calls: Vec<Rule>,
    #[serde(deserialize_with = "duration")]
    tail: Duration,
    burst: usize,
    #[serde(deserialize_with = "duration")]
    interval: Duration,
    daily_each: usize,
    daily: usize,
    /// The same of some units, and what else dumps of them hold.
    rule: Vec<Spanned<TriggerRule>>,
    /// What is run for each stored dump, and for how long.
    exec: Vec<String>,
    #[serde(deserialize_with = "duration")]
    exec_timeout: Duration,
    /// Targets that SIGUSR2 dumps.
    pub on_usr2: Vec<String>,
    /// Targets whose history is stored when the daemon stops.
    pub on_stop: Vec<String>,
}

/// What makes dumps of some units.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct TriggerRule {
    units: Vec<String>,
    #[serde(deserialize_with = "rules")]
    calls: Vec<Rule>,
    with: Vec<String>,
}

impl TriggerRule {
    fn standing(&self) -> Result<Vec<Standing>> {
        let Self { units, calls, with } = self;
        ensure!(!units.is_empty(), "it names no units: [\"*\"] is all of them");
        ensure!(!calls.is_empty() || !with.is_empty(), "it has neither calls nor with");
        let of_deaths = (!with.is_empty()).then_some(None);
        let rules = calls.iter().cloned().map(Some).chain(of_deaths);
        rules.map(|rule| Standing::new(rule, units, with)).collect()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            socket: control::SOCKET.into(),
            metrics: None,
            keeper: None,
            record: Record::default(),
            history: Kept::default(),
            store: Storage::default(),
            triggers: Triggers::default(),
            runtimes: Runtimes::default(),
            payload: Vec::new(),
            redact: Redact::default(),
        }
    }
}

/// A complete history is what a recorder is for, and servers at full speed pay a sixth of that: nginx 15 %, PostgreSQL 12 %
/// were measured on two CPUs. Above it a unit does nothing but cheap calls, and recording takes longer than the unit itself:
/// such a one is not to be slowed to less than half.
const MAX_OVERHEAD: Overhead = Overhead::percent(100);

impl Default for Record {
    fn default() -> Self {
        Self {
            include: Vec::new(),
            exclude: vec!["traceloop.service".to_owned()],
            buffer_size: 256 << 10,
            memory_max: 256 << 20,
            keep_dead: Duration::from_secs(15 * 60),
            ready: 16,
            string_limit: 32,
            syscalls: Calls::default(),
            payload: true,
            stacks: Stacks::None,
            max_overhead: MAX_OVERHEAD,
            unit: Vec::new(),
        }
    }
}

impl Record {
    /// What is not units' profiles, which may change at any time.
    fn rings(&self) -> impl PartialEq {
        let Self { include, exclude, buffer_size, memory_max, keep_dead, ready, .. } = self.clone();
        (include, exclude, buffer_size, memory_max, keep_dead, ready)
    }
}

impl Default for Storage {
    fn default() -> Self {
        let Retention { max_use, keep_free, max_age } = Retention::default();
        Self { directory: store::DIRECTORY.into(), max_use, keep_free, max_age, dump_most: 64 << 20, encrypt_for: None }
    }
}

/// Signals that say that a program went wrong; SIGKILL is the way in which memory runs out.
const DEADLY: [i32; 9] = [
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGKILL,
    libc::SIGQUIT,
    libc::SIGSEGV,
    libc::SIGSYS,
    libc::SIGTRAP,
];

impl Default for Triggers {
    fn default() -> Self {
        Self {
            killed: DEADLY.to_vec(),
            status: true,
            unit: true,
            calls: Vec::new(),
            rule: Vec::new(),
            exec: Vec::new(),
            exec_timeout: Duration::from_secs(30),
            tail: Duration::from_millis(200),
            burst: 5,
            interval: Duration::from_secs(600),
            daily_each: 20,
            daily: 1000,
            on_usr2: vec!["*".to_owned()],
            on_stop: Vec::new(),
        }
    }
}

impl Config {
    /// Reads a file; without one that was named, the usual place, where it may be missing.
    pub fn read(named: Option<&Path>) -> Result<Self> {
        let path = named.unwrap_or(Path::new(CONFIG));
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).with_context(|| format!("understand {}", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("read the configuration {}", path.display())),
        }
    }

    /// Understands a configuration.
    pub fn parse(text: &str) -> Result<Self> {
        let config: Self = toml::from_str(text)?;
        ensure!(config.socket.is_absolute(), "`socket` is a path from the root, not {}", config.socket.display());
        ensure!(
            config.store.directory.is_absolute(),
            "`store.directory` is a path from the root, not {}",
            config.store.directory.display()
        );
        ensure!(config.store.dump_most >= 1 << 20, "`store.dump-most` is 1M at least");
        ensure!(
            config.history.keep_share <= 75,
            "`history.keep-share` is 75% at most: the rest is for what is complete"
        );
        ensure!(config.record.string_limit <= 4096, "`record.string-limit` is 4096 at most");
        ensure!(config.triggers.tail <= Duration::from_secs(60), "`triggers.tail` is a minute at most");
        config.check_rings(text)?;
        config.check_triggers(text)?;
        config.watching()?;
        config.redaction(config.string_limit())?;
        Ok(config)
    }

    /// Refuses rules and commands that make no sense.
    fn check_triggers(&self, text: &str) -> Result<()> {
        for rule in &self.triggers.rule {
            let doing =
                || format!("understand the rule of [[triggers.rule]] at line {}", line_of(text, rule.span().start));
            rule.get_ref().standing().with_context(doing)?;
        }
        let calls = self.standing()?.iter().filter(|standing| standing.is_of_calls()).count();
        ensure!(
            calls <= rule::MOST,
            "`triggers.calls` are {} at most, those of [[triggers.rule]] included",
            rule::MOST
        );
        if let Some(program) = self.triggers.exec.first() {
            ensure!(!program.is_empty(), "`triggers.exec` begins with the path of a program");
        }
        ensure!(
            (1..=600).contains(&self.triggers.exec_timeout.as_secs()),
            "`triggers.exec-timeout` is a second at least and ten minutes at most"
        );
        Ok(())
    }

    /// Refuses rings of units that cannot be had.
    fn check_rings(&self, text: &str) -> Result<()> {
        let most = self.record.memory_max / 8;
        for rule in &self.record.unit {
            let Some(size) = rule.get_ref().rule().buffer_size else { continue };
            let doing =
                || format!("understand the rule of [[record.unit]] at line {}", line_of(text, rule.span().start));
            let kib = |bytes: usize| bytes >> 10;
            Err(if self.history.history_cpu == 0 {
                anyhow!(
                    "`buffer-size` of one unit needs a history that takes its rings over: `history.history-cpu` is 0%"
                )
            } else if size > most {
                anyhow!(
                    "`buffer-size` of {}K is more than all rings of units may have beyond the usual: {}K, an eighth of \
                     `record.memory-max`",
                    kib(size),
                    kib(most)
                )
            } else {
                continue;
            })
            .with_context(doing)?;
        }
        Ok(())
    }

    /// For the recorder.
    pub fn settings(&self) -> Settings {
        let Kept { history_cpu, min_age, keep, keep_share } = self.history.clone();
        Settings {
            // What units' profiles do not say.
            wanted: Wanted { descriptors: true, ..Wanted::default() },
            budget: Budget { ring: self.record.buffer_size, total: self.record.memory_max },
            history: history::Settings { cpu: history_cpu, min_age, keep, keep_share },
            without: Vec::new(),
        }
    }

    /// This configuration with what a newer one may change while the daemon runs.
    pub fn reloaded(&self, new: Self) -> Self {
        let Self { socket, metrics, keeper, record, history, runtimes, .. } = self.clone();
        let Record { string_limit, payload, syscalls, stacks, max_overhead, unit, .. } = new.record;
        let record = Record { string_limit, payload, syscalls, stacks, max_overhead, unit, ..record };
        Self { socket, metrics, keeper, record, history, runtimes, ..new }
    }

    /// The keeper's socket; `None`: there is to be no keeper.
    pub fn keeper(&self) -> Option<PathBuf> {
        let beside = || self.socket.with_file_name("keeper.sock");
        Some(self.keeper.clone().unwrap_or_else(beside)).filter(|path| !path.as_os_str().is_empty())
    }

    /// How the tree is watched.
    pub fn watching(&self) -> Result<Watching> {
        let rules = Rules::new(&self.record.include, &self.record.exclude)?;
        let keeper = self.keeper().map(|socket| keeper::Place { socket, start: true });
        Ok(Watching { rules, keep: self.record.keep_dead, ready: self.record.ready, profiles: self.profiles(), keeper })
    }

    /// How units are recorded.
    pub fn profiles(&self) -> Profiles {
        let Record { string_limit, payload, syscalls, stacks, max_overhead, unit, .. } = &self.record;
        let base = Profile {
            string_limit: *string_limit,
            payload: *payload,
            syscalls: syscalls.clone(),
            stacks: *stacks,
            max_overhead: *max_overhead,
            ..Profile::default()
        };
        Profiles { base, rules: unit.iter().map(|rule| rule.get_ref().clone()).collect() }
    }

    /// Bytes of a string that are recorded, at least.
    pub fn string_limit(&self) -> u32 {
        self.profiles().all().map(|profile| profile.string_limit).min().unwrap_or(0)
    }

    /// What is taken out of records before they leave; where strings were recorded up to this length.
    pub fn redaction(&self, string_limit: u32) -> Result<Redaction> {
        let Redact { environment, arguments, paths } = &self.redact;
        let patterns =
            Patterns::new(environment, arguments, paths, string_limit as usize).context("understand [redact]")?;
        for Contents { units, .. } in &self.payload {
            ensure!(!units.is_empty(), "a rule of [[payload]] names no units: [\"*\"] is all of them");
        }
        let rules = self.payload.iter().map(|rule| (rule.units.clone(), rule.payload));
        Redaction::new(rules, patterns).context("understand [[payload]]")
    }

    /// How long dumps are kept.
    pub fn retention(&self) -> Retention {
        let Storage { max_use, keep_free, max_age, .. } = self.store;
        Retention { max_use, keep_free, max_age }
    }

    /// For whom stored dumps are encrypted; `None`: they are not.
    pub fn recipients(&self) -> Option<Recipients> {
        self.store.encrypt_for.clone()
    }

    /// How many bytes one stored dump takes at most.
    pub fn dump_most(&self) -> u64 {
        self.store.dump_most as u64
    }

    /// When dumps are made by themselves.
    pub fn policy(&self) -> Policy {
        let Triggers { status, unit, tail, burst, interval, daily_each, daily, .. } = self.triggers;
        let limits = Limits { burst, interval, daily_each, daily };
        Policy { killed: self.triggers.killed.clone(), status, unit, tail, limits }
    }

    /// The rules for calls, and what else dumps of some units hold.
    pub(super) fn standing(&self) -> Result<Vec<Standing>> {
        let Triggers { calls, rule, .. } = &self.triggers;
        let mut all =
            calls.iter().map(|call| Standing::new(Some(call.clone()), &[], &[])).collect::<Result<Vec<_>>>()?;
        for rule in rule {
            all.extend(rule.get_ref().standing()?);
        }
        Ok(all)
    }

    /// What is run for each stored dump.
    pub(super) fn exec(&self) -> Option<Exec> {
        Exec::of(self.triggers.exec.clone(), self.triggers.exec_timeout)
    }

    /// What of another configuration is only looked at when the daemon starts.
    pub fn needs_restart(&self, new: &Self) -> Vec<&'static str> {
        let mut changed = Vec::new();
        if self.socket != new.socket {
            changed.push("socket");
        }
        if self.metrics != new.metrics {
            changed.push("metrics");
        }
        if self.keeper != new.keeper {
            changed.push("keeper");
        }
        if self.record.rings() != new.record.rings() {
            changed.push("[record]");
        }
        if self.history != new.history {
            changed.push("[history]");
        }
        if self.runtimes != new.runtimes {
            changed.push("[runtimes]");
        }
        changed
    }
}

fn calls<'de, D: Deserializer<'de>>(from: D) -> Result<Calls, D::Error> {
    text(from, str::parse)
}

/// The line of a place in a text.
fn line_of(text: &str, place: usize) -> usize {
    text.get(..place).unwrap_or_default().matches('\n').count() + 1
}

/// A value out of a text, whose mistakes are told as the configuration's.
fn text<'de, D: Deserializer<'de>, T>(from: D, parse: impl Fn(&str) -> Result<T>) -> Result<T, D::Error> {
    parse(&String::deserialize(from)?).map_err(told)
}

fn told<E: de::Error>(error: impl Into<anyhow::Error>) -> E {
    let error: anyhow::Error = error.into();
    E::custom(format!("{error:#}"))
}

/// Public keys, for which dumps are encrypted.
fn recipients<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Recipients>, D::Error> {
    Recipients::parse(&Vec::<String>::deserialize(from)?).map_err(told)
}

fn percent<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    text(from, |text| {
        let number = text.strip_suffix('%').and_then(|number| number.parse().ok());
        number
            .filter(|number| (0..=100).contains(number))
            .with_context(|| format!("{text:?} is not \"0%\" to \"100%\""))
    })
}

fn overhead<'de, D: Deserializer<'de>>(from: D) -> Result<Overhead, D::Error> {
    text(from, str::parse)
}

fn stacks<'de, D: Deserializer<'de>>(from: D) -> Result<Stacks, D::Error> {
    text(from, str::parse)
}

fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    text(from, model::duration)
}

fn some_duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    duration(from).map(Some)
}

fn rules<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Rule>, D::Error> {
    Vec::<String>::deserialize(from)?.iter().map(|rule| rule.parse().map_err(told)).collect()
}

fn keep<'de, D: Deserializer<'de>>(from: D) -> Result<history::Keep, D::Error> {
    history::Keep::parse(&Vec::<String>::deserialize(from)?).map_err(told)
}

fn signals<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<i32>, D::Error> {
    let parse = |name: &String| -> Result<i32> {
        let whole = if name.starts_with("SIG") { name.clone() } else { format!("SIG{name}") };
        match whole.parse::<Signal>() {
            Ok(signal) => Ok(signal as i32),
            Err(_) => bail!("there is no signal {name:?}"),
        }
    };
    Vec::<String>::deserialize(from)?.iter().map(|name| parse(name).map_err(told)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file that the package installs.
    const EXAMPLE: &str = include_str!("../../systemd/traceloop.toml");

    #[test]
    fn the_example_is_the_defaults_and_all_of_them() {
        let shown = |config: &Config| format!("{config:#?}");
        assert_eq!(shown(&Config::parse("").unwrap()), shown(&Config::default()));
        assert_eq!(shown(&Config::parse(EXAMPLE).unwrap()), shown(&Config::default()));
        // Its keys stand in comments; without the marks they say the same.
        let plain: String = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned() + "\n")
            .collect();
        assert_eq!(shown(&Config::parse(&plain).unwrap()), shown(&Config::default()));
        let table: toml::Table = toml::from_str(&plain).unwrap();
        let keys = |table: &toml::Table| {
            table.values().filter_map(|value| value.as_table()).map(toml::Table::len).sum::<usize>()
        };
        assert_eq!((table.len(), keys(&table)), (7, 11 + 3 + 5 + 13 + 4 + 3), "a key is missing in the example");
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, words) in [
            ("[record]\nbufer-size = \"1M\"", &["line 2", "bufer-size", "buffer-size"][..]),
            ("[record]\nbuffer-size = \"much\"", &["line 2", "a size is a number"]),
            ("[record]\nmemory-max = -1", &["line 2"]),
            ("[record]\nsyscalls = \"opennat\"", &["line 2", "opennat"]),
            ("[record]\ninclude = [\"[\"]", &["pattern"]),
            ("[triggers]\nkilled = [\"SIGNONE\"]", &["line 2", "SIGNONE"]),
            ("[triggers]\ncalls = [\"openat\"]", &["line 2", "neither an errno nor a duration"]),
            ("[triggers]\ntail = \"x\"", &["line 2", "200ms"]),
            ("[history]\nhistory-cpu = \"101%\"", &["line 2", "100%"]),
            ("[history]\nkeep = [\"-Z\", \"--longer 1s\"]", &["line 2", "--longer", "--duration"]),
            ("[history]\nkeep = [\"-e trace=opennat\"]", &["line 2", "opennat"]),
            ("[history]\nkeep-share = \"80%\"", &["keep-share", "75%"]),
            ("[history]\nkeep = [\"\"]", &["line 2", "empty"]),
            ("[store]\nmax-use = \"x\"", &["line 2"]),
            ("socket = \"a.sock\"", &["a path from the root"]),
            ("[redact]\narguments = [\"(\"]", &["[redact]", "is not a regular expression"]),
            ("[redact]\nenvironment = [\"[\"]", &["[redact]", "is not a pattern"]),
            ("[[payload]]\nunits = [\"a\"]\npayload = \"some\"", &["line 3", "none", "head", "full"]),
            ("[[payload]]\nunits = []\npayload = \"none\"", &["names no units"]),
            ("[[record.unit]]\nmatch = [\"a\"]\nbufer = 1", &["line 3", "bufer"]),
            ("[[record.unit]]\nmatch = [\"[\"]\noff = true", &["line 2", "pattern"]),
            ("[record]\n[[record.unit]]\nmatch = [\"a\"]\nbuffer-size = \"64M\"", &["line 2", "memory-max"]),
            (
                "[history]\nhistory-cpu = \"0%\"\n[[record.unit]]\nmatch = [\"a\"]\nbuffer-size = \"1M\"",
                &["line 3", "history-cpu"],
            ),
            ("[triggers]\n[[triggers.rule]]\nunits = []\ncalls = [\"openat=EACCES\"]", &["line 2", "names no units"]),
            ("[[triggers.rule]]\nunits = [\"a\"]", &["line 1", "neither calls nor with"]),
            ("[[triggers.rule]]\nunits = [\"a\"]\ncalls = [\"openat=EACCES>5/d\"]", &["line 3", "5/d"]),
            ("[[triggers.rule]]\nunits = [\"[\"]\nwith = [\"b\"]", &["line 1", "pattern"]),
            ("[store]\nencrypt-for = [\"age1nonsense\"]", &["line 2", "age1nonsense", "age-keygen"]),
            ("= 3", &["line 1"]),
        ] {
            let error = format!("{:#}", Config::parse(text).unwrap_err());
            for word in words {
                assert!(error.contains(word), "{text:?} is told as {error}");
            }
        }
    }

    #[test]
    fn what_a_reload_cannot_change_is_named() {
        let new = Config::parse("[record]\nready = 3\n[triggers]\nstatus = false").unwrap();
        assert_eq!(Config::default().needs_restart(&new), ["[record]"]);
        assert!(!new.policy().status);
        let new = Config::parse("[record]\npayload = false\n[[record.unit]]\nmatch = [\"a\"]\noff = true").unwrap();
        assert!(Config::default().needs_restart(&new).is_empty());
        let reloaded = Config::default().reloaded(new).profiles();
        assert!(!reloaded.base.payload && reloaded.rules.len() == 1);
    }
}
