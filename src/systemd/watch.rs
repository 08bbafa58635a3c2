//! The units that fail, of the system's service manager and of the users': one stream, for as long as
//! somebody reads it. Connections that end are made again.

use std::{collections::HashMap, time::Duration};

use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinHandle,
    time,
};
use tracing::{debug, info, warn};
use zbus::connection;

use super::{
    bus::{News, listen},
    failures::{Failures, UnitFailed},
};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// A user may have no bus, and logs out some time: then there is nobody to wait for.
const TRIES_FOR_A_USER: u32 = 5;

/// Watches units fail. To be called on a tokio runtime; ends when the receiver is dropped.
///
/// Without D-Bus or systemd it says so once, goes on trying, and the stream stays silent.
pub fn watch() -> Receiver<UnitFailed> {
    let (tell, told) = mpsc::channel(1024);
    let (news, mut heard) = mpsc::channel(64);
    tokio::spawn(system(news.clone()));
    tokio::spawn(async move {
        let mut users: HashMap<u32, JoinHandle<()>> = HashMap::new();
        loop {
            let next = tokio::select! {
                next = heard.recv() => next,
                () = tell.closed() => None,
            };
            match next {
                None => break,
                Some(News::Failed(failed)) => {
                    let _ = tell.send(failed).await;
                }
                Some(News::UserManager(uid)) => {
                    users.retain(|_, task| !task.is_finished());
                    users.entry(uid).or_insert_with(|| tokio::spawn(user(uid, news.clone())));
                }
            }
        }
        // Those of the users and the system's see the channel's end.
        drop(heard);
    });
    told
}

async fn system(news: Sender<News>) {
    let mut failures = Failures::new(None);
    let mut said = false;
    let mut pause = FIRST_PAUSE;
    while !news.is_closed() {
        let mut stood = false;
        let connected = || {
            stood = true;
            info!("units that fail are told by systemd");
        };
        let ended = tokio::select! {
            ended = listen(connection::Builder::system(), &mut failures, &news, connected) => ended,
            () = news.closed() => break,
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

async fn user(uid: u32, news: Sender<News>) {
    let mut failures = Failures::new(Some(uid));
    let address = format!("unix:path=/run/user/{uid}/bus");
    for _ in 0..TRIES_FOR_A_USER {
        let connected = || info!(uid, "units of a user that fail are told by their service manager");
        let Ok(address) = zbus::Address::try_from(address.as_str()) else { return };
        let ended = tokio::select! {
            ended = listen(connection::Builder::address(address), &mut failures, &news, connected) => ended,
            () = news.closed() => return,
        };
        let Err(error) = ended;
        debug!(uid, %error, "a user's service manager is not heard");
        time::sleep(FIRST_PAUSE).await;
    }
}
