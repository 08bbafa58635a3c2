//! How long the histories of busy servers are with the daemon's defaults, and what they cost: postgres under
//! `pgbench -c 4` and nginx under wrk, both at once, on the machine as it is.
//!
//! `cargo bench --bench history [-- --seconds 180] [--pairs 7]`, as root. First both run for so long, and what the
//! daemon then says of them is printed: windows, calls a MiB, CPU time of packing. Then each runs by itself for ten seconds
//! at a time, in turn without a daemon and with one of each kind of `WAYS`: throughput and latencies are medians of what
//! each has kept of those without a daemon, round by round.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

/// The servers, each in a cgroup of its name, and what is run against it; `$T` is how many seconds. A load prints how often
/// a second it was answered, and the latencies below which half and 99 of a hundred answers lie, microseconds.
const LOADS: [(&str, &str, &str); 2] = [
    (
        "postgres",
        "PATH=$(echo /usr/lib/postgresql/*/bin):$PATH; mkdir -p pg; chown postgres pg; \
         as='setpriv --reuid postgres --regid postgres --clear-groups'; export PGDATA=$PWD/pg/data; \
         [ -d pg/data ] || $as initdb -N >/dev/null; exec $as postgres -k $PWD/pg -c listen_addresses=",
        "PATH=$(echo /usr/lib/postgresql/*/bin):$PATH; export PGHOST=$PWD/pg PGUSER=postgres; \
         rm -f pg/log.*; pgbench -n -c 4 -T $T -l --log-prefix=pg/log postgres | sed -n 's/^tps = \\([0-9]*\\).*/\\1/p'; \
         sort -n -k 3 pg/log.* | awk '{ at[NR] = $3 } END { print at[int((NR + 1) / 2)], at[int(NR * 0.99)] }'",
    ),
    (
        "nginx",
        "printf 'daemon off; worker_processes 2; pid nginx.pid; error_log error.log; events {} http { access_log off; \
         server { listen 127.0.0.1:18099; location / { root /usr/share/common-licenses; } } }' > nginx.conf; \
         exec nginx -p . -c $PWD/nginx.conf",
        "wrk -t 1 -c 20 -d $T --latency http://127.0.0.1:18099/GPL-3 | awk ' \
         function us(t) { return t ~ /us$/ ? t + 0 : t ~ /ms$/ ? t * 1000 : t * 1000000 } \
         $1 == \"50%\" { half = us($2) } $1 == \"99%\" { most = us($2) } $1 == \"Requests/sec:\" { rate = $2 } \
         END { print rate, half, most }'",
    ),
];

/// What is compared with no daemon: the lines of its configuration.
const WAYS: [(&str, &str); 3] = [
    ("the daemon's defaults", ""),
    ("rings alone", "[history]\nhistory-cpu = \"0%\"\n"),
    ("max-overhead = 3%", "[record]\nmax-overhead = \"3%\"\n"),
];
/// Seconds that a load runs before it is measured: a budget is held against what a second has cost.
const WARM: u64 = 4;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let number = |name: &str, usual: u64| {
        let given = arguments.iter().skip_while(|word| *word != name).nth(1);
        given.map_or(Ok(usual), |text| text.parse().with_context(|| format!("{name} wants a number, not {text}")))
    };
    let (seconds, pairs) = (number("--seconds", 180)?, number("--pairs", 7)?);
    let bench = Bench::start()?;
    bench.long(seconds)?;
    bench.compare(pairs)
}

/// The servers that run, and where.
struct Bench {
    directory: PathBuf,
    cgroups: PathBuf,
    servers: Vec<Child>,
}

impl Bench {
    fn start() -> Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        let directory = env::temp_dir().join(format!("traceloop-history-{}", std::process::id()));
        fs::create_dir(&directory).context("make a directory")?;
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).context("open the directory")?;
        let cgroups = traceloop::cgroup::v2_mount()?.point;
        let mut bench = Self { directory, cgroups, servers: Vec::new() };
        for (name, server, _) in LOADS {
            let cgroup = bench.cgroup(name);
            fs::create_dir(&cgroup).with_context(|| format!("make the cgroup {}", cgroup.display()))?;
            let script = format!("echo $$ > {}/cgroup.procs; {server}", cgroup.display());
            bench.servers.push(bench.shell(&script).stdout(Stdio::null()).spawn().context("start a server")?);
        }
        sleep(Duration::from_secs(5));
        let fill = "PATH=$(echo /usr/lib/postgresql/*/bin):$PATH; pgbench -q -i -s 2 -h $PWD/pg -U postgres postgres";
        let filled = bench.shell(fill).status().context("fill the database")?;
        ensure!(filled.success(), "postgres does not answer: is it installed, with pgbench, nginx and wrk?");
        Ok(bench)
    }

    fn cgroup(&self, name: &str) -> PathBuf {
        self.cgroups.join(format!("traceloop-history-{name}-{}.service", std::process::id()))
    }

    fn shell(&self, script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).current_dir(&self.directory).stdin(Stdio::null()).stderr(Stdio::null());
        shell
    }

    /// Some loads at once: what each says of itself.
    fn load(&self, loads: &[(&str, &str, &str)], seconds: u64) -> Result<Vec<Said>> {
        let start = |(.., load): &(_, _, &str)| {
            self.shell(load).env("T", seconds.to_string()).stdout(Stdio::piped()).spawn().context("start a load")
        };
        let loads: Vec<Child> = loads.iter().map(start).collect::<Result<_>>()?;
        let said = |load: Child| -> Result<Said> {
            let Output { stdout, .. } = load.wait_with_output().context("wait for a load")?;
            let text = String::from_utf8_lossy(&stdout);
            let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            numbers.first_chunk().copied().with_context(|| format!("a load did not say what it did: {text}"))
        };
        loads.into_iter().map(said).collect()
    }

    fn long(&self, seconds: u64) -> Result<()> {
        let daemon = Daemon::start(&self.directory, "")?;
        let rates = self.load(&LOADS, seconds)?;
        let listed = daemon.asks(&["ps", "--json"])?;
        println!("| server | a second | calls | complete window, s | lost |\n|---|---|---|---|---|");
        for ((name, ..), [rate, ..]) in LOADS.iter().zip(rates) {
            let track = self.track(&listed, name)?;
            let window = track["window"].as_f64().unwrap_or_default();
            println!("| {name} | {rate:.0} | {} | {window:.1} | {} |", track["calls"], track["lost"]);
        }
        let page = daemon.asks(&["metrics"])?;
        let metric = |name: &str| {
            let line = page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
            line.with_context(|| format!("the daemon does not tell {name}"))
        };
        let packed = metric("traceloop_history_bytes{state=\"packed\"}")?;
        let calls = metric("traceloop_history_calls")?;
        let (cpu, missed) =
            (metric("traceloop_history_cpu_seconds_total")?, metric("traceloop_history_missed_records_total")?);
        println!(
            "\npacked: {:.0} MiB, {calls:.0} calls, {:.0} calls a MiB",
            packed / 1048576.0,
            calls / packed * 1048576.0
        );
        println!("packing took {cpu:.1} s of CPU time in {seconds} s; {missed:.0} records were missed");
        Ok(())
    }

    /// What `ps --json` has of a server.
    fn track(&self, listed: &str, name: &str) -> Result<serde_json::Value> {
        let target = self.cgroup(name).file_name().map(|name| name.to_string_lossy().into_owned());
        let target = target.unwrap_or_default();
        let tracks = listed.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        tracks.into_iter().find(|track| track["target"] == *target).with_context(|| format!("{name} is not recorded"))
    }

    fn compare(&self, rounds: u64) -> Result<()> {
        let mut samples: BTreeMap<(usize, usize), Vec<Said>> = BTreeMap::new();
        let mut costs: BTreeMap<(usize, usize), String> = BTreeMap::new();
        for round in 0..rounds {
            for n in 0..=WAYS.len() {
                // Each begins a round in its turn.
                let way = (n + usize::try_from(round)?) % (WAYS.len() + 1);
                let with = way.checked_sub(1).map(|way| Daemon::start(&self.directory, WAYS[way].1)).transpose()?;
                // One after the other: on the same CPUs what one is slowed by is the other's gain.
                for load in 0..LOADS.len() {
                    self.load(&LOADS[load..=load], WARM)?;
                    samples.entry((way, load)).or_default().extend(self.load(&LOADS[load..=load], 10)?);
                }
                let Some(daemon) = with else { continue };
                let listed = daemon.asks(&["ps", "--json"])?;
                for (load, (name, ..)) in LOADS.iter().enumerate() {
                    let track = self.track(&listed, name)?;
                    let share =
                        track["overhead"].as_f64().map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share));
                    costs.insert((way, load), format!("{share}, {}", track["level"].as_str().unwrap_or("all")));
                }
            }
        }
        println!(
            "\n| server | way | throughput kept | median latency | 99 of 100 | reckoned cost, and what is recorded |"
        );
        println!("|---|---|---|---|---|---|");
        for (load, (name, ..)) in LOADS.iter().enumerate() {
            for (way, (words, _)) in (1..).zip(WAYS) {
                let (Some(without), Some(with)) = (samples.get(&(0, load)), samples.get(&(way, load))) else {
                    continue;
                };
                let of = |n: usize| -> String {
                    let mut ratios: Vec<f64> =
                        with.iter().zip(without).map(|(with, without)| with[n] / without[n]).collect();
                    ratios.sort_by(f64::total_cmp);
                    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
                    let [median, least, most] = [ratios[ratios.len() / 2], least, most].map(|ratio| 100.0 * ratio);
                    format!("{median:.1} % ({least:.1}-{most:.1})")
                };
                let cost = costs.get(&(way, load)).map_or("-", String::as_str);
                println!("| {name} | {words} | {} | {} | {} | {cost} |", of(0), of(1), of(2));
            }
        }
        Ok(())
    }
}

/// How often a second a load was answered, the median latency and the 99th percentile, microseconds.
type Said = [f64; 3];

impl Drop for Bench {
    fn drop(&mut self) {
        for (name, ..) in LOADS {
            let _ = fs::write(self.cgroup(name).join("cgroup.kill"), "1");
        }
        for server in &mut self.servers {
            let _ = server.wait();
        }
        for (name, ..) in LOADS {
            for _ in 0..50 {
                if fs::remove_dir(self.cgroup(name)).is_ok() {
                    break;
                }
                sleep(Duration::from_millis(20));
            }
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A daemon with its defaults, and its own socket.
struct Daemon {
    child: Child,
    socket: PathBuf,
}

impl Daemon {
    fn start(directory: &Path, more: &str) -> Result<Self> {
        let place = directory.join("daemon");
        fs::create_dir_all(&place).context("make the daemon's directory")?;
        let (socket, config) = (place.join("sock"), place.join("config"));
        let text = format!(
            "socket = \"{}\"\nkeeper = \"\"\n[store]\ndirectory = \"{}\"\n{more}",
            socket.display(),
            place.join("store").display()
        );
        fs::write(&config, text).context("write the daemon's configuration")?;
        let mut serve = Command::new(env!("CARGO_BIN_EXE_traceloop"));
        serve.arg("serve").arg("--config").arg(&config).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut daemon = Self { child: serve.spawn().context("start the daemon")?, socket };
        for _ in 0..300 {
            if daemon.asks(&["ps"]).is_ok() {
                return Ok(daemon);
            }
            if daemon.child.try_wait().context("wait for the daemon")?.is_some() {
                break;
            }
            sleep(Duration::from_millis(100));
        }
        let mut told = String::new();
        let _ = daemon.child.kill();
        let _ = daemon.child.stderr.take().map(|mut from| from.read_to_string(&mut told));
        anyhow::bail!("the daemon does not answer: {told}")
    }

    fn asks(&self, verb: &[&str]) -> Result<String> {
        if verb == ["metrics"] {
            let mut curl = Command::new("curl");
            curl.args(["-s", "--unix-socket"]).arg(&self.socket).arg("http://traceloop/metrics");
            let answer = curl.output().context("run curl")?;
            return Ok(String::from_utf8_lossy(&answer.stdout).into_owned());
        }
        let mut ask = Command::new(env!("CARGO_BIN_EXE_traceloop"));
        let answer = ask.args(verb).arg("--socket").arg(&self.socket).output().context("ask the daemon")?;
        ensure!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
