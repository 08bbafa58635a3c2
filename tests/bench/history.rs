//! How many calls of real programs a MiB of ring keeps: find, nginx under load, postgres under pgbench.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    place::{Place, in_cgroup},
    watcher::{is_installed, recorder},
};

/// What runs, by name; the script stands in a directory of its own.
const LOADS: [(&str, &[&str], &str); 3] = [
    ("find /usr", &["find"], "find /usr >/dev/null"),
    (
        "nginx under ab",
        &["nginx", "ab"],
        "printf 'daemon off; worker_processes 2; pid nginx.pid; error_log error.log; events {} http { \
         access_log access.log; server { listen 127.0.0.1:18099; location / { root /usr/share/common-licenses; } } }' \
         > nginx.conf; nginx -p . -c $PWD/nginx.conf & sleep 1; \
         ab -q -k -n 20000 -c 8 http://127.0.0.1:18099/GPL-3 >/dev/null; kill $!; wait",
    ),
    (
        "postgres under pgbench",
        &["pgbench", "setpriv"],
        "PATH=$(echo /usr/lib/postgresql/*/bin):$PATH; chown postgres .; cat > run <<'END'\n\
         export PGHOST=$PWD PGDATA=$PWD/data\ninitdb -N >/dev/null && \
         pg_ctl -w -l log -o \"-k $PWD -c listen_addresses=''\" start >/dev/null\n\
         pgbench -q -i -s 2 postgres; pgbench -n -c 4 -T 3 postgres >/dev/null; pg_ctl -m fast stop >/dev/null\nEND\n\
         setpriv --reuid postgres --regid postgres --clear-groups sh ./run",
    ),
];

/// Prints how many calls a MiB keeps of each.
pub(crate) fn history() -> Result<()> {
    println!("| | calls a MiB of ring | bytes a call | calls |\n|---|---|---|---|");
    let mut absent = Vec::new();
    for (name, programs, script) in LOADS {
        let done = match programs.iter().find(|program| !is_installed(program)) {
            Some(program) => Err(anyhow::anyhow!("{program} is not installed")),
            None => kept(script),
        };
        match done {
            Ok((calls, bytes)) => {
                println!("| {name} | {:.0} | {:.0} | {calls:.0} |", calls / bytes * 1_048_576.0, bytes / calls);
            }
            Err(error) => absent.push(format!("{name} is not measured: {error:#}.")),
        }
    }
    absent.iter().for_each(|reason| println!("\n{reason}"));
    Ok(())
}

/// The calls of a script, and the bytes that they took in the rings.
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn kept(script: &str) -> Result<(f64, f64)> {
    let place = Place::make()?;
    let files = Files::make()?;
    let recorder = recorder(&place.subject, &[])?;
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).current_dir(&files.0);
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    in_cgroup(&mut shell, &place.subject).status().context("start a shell")?;
    recorder.kernel().flush()?;
    let (mut calls, mut bytes) = (0, 0);
    for cpu in traceloop::ring::online_cpus().context("list the CPUs")? {
        let tally = recorder.kernel().tally(1, cpu)?;
        ensure!(tally.lost == 0, "{} records were lost", tally.lost);
        calls += tally.calls;
        bytes += tally.bytes;
    }
    if calls < 10_000 {
        bail!("only {calls} calls were made: it did not run");
    }
    Ok((calls as f64, bytes as f64))
}

/// A directory that other users may enter.
struct Files(PathBuf);

impl Files {
    fn make() -> Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        let path = std::env::temp_dir().join(format!("traceloop-bench-{}", std::process::id()));
        fs::create_dir(&path).context("make a directory")?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).context("open the directory")?;
        Ok(Self(path))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(AsRef::<Path>::as_ref(&self.0));
    }
}
