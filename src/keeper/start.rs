//! Starting a keeper where nobody else has.

use std::{
    env,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::Keeper;

/// Sees to it that there is a keeper at the socket: systemd's, or one of our own, which outlives us.
pub fn ensure(socket: &Path) -> Result<()> {
    const PATIENCE: Duration = Duration::from_secs(5);
    if Keeper::connect(socket)?.is_some() {
        return Ok(());
    }
    let program = env::current_exe().context("find this program")?;
    let mut child = Command::new(program)
        .arg("keep")
        .arg("--socket")
        .arg(socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // A terminal's Ctrl-C is for us.
        .process_group(0)
        .spawn()
        .context("start a keeper")?;
    until_there(socket, PATIENCE, || match child.try_wait().context("wait for the keeper")? {
        Some(status) => bail!("the keeper has ended: {status}"),
        None => Ok(()),
    })
}

/// Waits for a keeper that somebody else starts.
pub fn wait(socket: &Path, patience: Duration) -> Result<()> {
    until_there(socket, patience, || Ok(()))
}

fn until_there(socket: &Path, patience: Duration, mut look: impl FnMut() -> Result<()>) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < patience {
        if Keeper::connect(socket)?.is_some() {
            return Ok(());
        }
        look()?;
        thread::sleep(Duration::from_millis(5));
    }
    bail!("no keeper listens on {}", socket.display())
}
