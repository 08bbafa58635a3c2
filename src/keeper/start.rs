//! Starting a keeper where nobody else has.

use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::Keeper;

/// For a keeper that was started to listen.
const PATIENCE: Duration = Duration::from_secs(5);

/// A keeper that this process has started, and that outlives it unless it is ended.
#[derive(Debug)]
pub(super) struct Own {
    child: Child,
    socket: PathBuf,
}

impl Own {
    /// Ends it although it may not hear; what it holds is of no use to anybody.
    pub(super) fn end(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.socket);
    }

    /// Takes notice of its end, if that has come.
    pub(super) fn bury(&mut self) {
        let _ = self.child.try_wait();
    }
}

/// Sees to it that there is a keeper at the socket: somebody else's, or one of our own.
pub(super) fn ensure(socket: &Path) -> Result<Option<Own>> {
    if Keeper::connect(socket)?.is_some() {
        return Ok(None);
    }
    // What has been replaced by an upgrade still runs.
    let named = env::current_exe().ok().filter(|path| path.exists());
    let child = Command::new(named.unwrap_or_else(|| "/proc/self/exe".into()))
        .arg("keep")
        .arg("--socket")
        .arg(socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // A terminal's Ctrl-C is for us.
        .process_group(0)
        .spawn()
        .context("start a keeper")?;
    let mut own = Own { child, socket: socket.to_owned() };
    let there = until_there(socket, PATIENCE, || match own.child.try_wait().context("wait for the keeper")? {
        Some(status) => bail!("the keeper has ended: {status}"),
        None => Ok(()),
    });
    match there {
        Ok(()) => Ok(Some(own)),
        Err(error) => {
            let _ = own.child.kill();
            let _ = own.child.wait();
            Err(error)
        }
    }
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
