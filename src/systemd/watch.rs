//! The units of the system's service manager that fail: one stream, for as long as somebody reads it. A
//! connection that ends is made again. The managers of users let nobody but their user in, root neither:
//! what their units die of is told by the kernel alone.

use std::time::Duration;

use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time,
};
use tracing::{info, warn};
use zbus::connection;

use super::{
    bus::listen,
    failures::{Failures, UnitFailed},
};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// Failures that wait to be taken.
const WAITING: usize = 1024;

/// Watches units fail. To be called on a tokio runtime; ends when the receiver is dropped.
///
/// Without D-Bus or systemd it says so once, goes on trying, and the stream stays silent.
pub fn watch() -> Receiver<UnitFailed> {
    let (tell, told) = mpsc::channel(WAITING);
    tokio::spawn(follow(tell));
    told
}

async fn follow(tell: Sender<UnitFailed>) {
    let mut failures = Failures::default();
    let mut said = false;
    let mut pause = FIRST_PAUSE;
    while !tell.is_closed() {
        let mut stood = false;
        let connected = || {
            stood = true;
            info!("units that fail are told by systemd");
        };
        let ended = tokio::select! {
            ended = listen(connection::Builder::system(), &mut failures, &tell, connected) => ended,
            () = tell.closed() => break,
        };
        if stood {
            (said, pause) = (false, FIRST_PAUSE);
        }
        let Err(error) = ended;
        if !said {
            warn!(%error, "systemd is not heard over D-Bus; exits seen in the kernel make dumps meanwhile");
        }
        said = true;
        time::sleep(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}
