//! The parts put together: running as a service, once, and for a check.

use std::{fs, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    End,
    catalogue::Catalogue,
    config::Config,
    cursor::Cursor,
    daemon::Daemon,
    metrics::{self, Figures},
    node::Node,
    object::Objects,
    pace, say,
    shipping::Shipping,
    sink::{Names, Sink, Store},
};

/// How often the node's file says that it lives, at least, and at most.
const HEARTBEAT: Duration = Duration::from_secs(60);
const HEARTBEAT_MOST: Duration = Duration::from_secs(5);
/// Tries to learn from the store what had gone, before it is sent again.
const TRIES: u32 = 3;

/// Ships until it is stopped; with `once`, what is there.
pub(crate) async fn run(config: &Config, once: bool) -> Result<End> {
    let sinks = Sink::all(config)?;
    fs::create_dir_all(&config.state)
        .with_context(|| format!("keep what was shipped in {}: name another `state`", config.state.display()))?;
    let daemon = Daemon::new(&config.socket);
    let catalogue = Arc::new(Catalogue::new(sinks.len()));
    let figures = Arc::new(Figures::default());
    if let Some(address) = config.metrics {
        tokio::spawn(metrics::serve(metrics::listen(address).await?, figures.clone(), catalogue.clone()));
    }
    let mut opened = Vec::new();
    for sink in sinks {
        figures.change(sink.name(), |_| ());
        let (cursor, is_new) = Cursor::open(&config.state, sink.name())?;
        opened.push((sink, cursor, is_new));
    }
    if once {
        catalogue.look(&daemon).await?;
    }
    let heart = heart(config);
    let work = async {
        let is_any_new = opened.iter().any(|(_, _, is_new)| *is_new);
        let former = match &heart {
            Some(store) if is_any_new => former(store).await,
            _ => None,
        };
        let mut tasks = JoinSet::new();
        for (sink, cursor, is_new) in opened {
            let former = former.clone().filter(|_| is_new);
            let (daemon, figures) = (daemon.clone(), figures.clone());
            tasks.spawn(Shipping::new(sink, cursor, former, (catalogue.clone(), daemon), figures).run(once));
        }
        let beats = async {
            if let Some(store) = &heart
                && !once
            {
                beat(store, config, &catalogue, &figures).await;
            }
            std::future::pending::<()>().await;
        };
        let follows = async {
            if once {
                std::future::pending::<()>().await;
            }
            catalogue.follow(&daemon).await;
        };
        let all = async {
            let mut left = 0;
            while let Some(ended) = tasks.join_next().await {
                left += ended.context("a sink's task failed")?;
            }
            anyhow::Ok(left)
        };
        tokio::select! {
            left = all => left,
            () = beats => Ok(0),
            () = follows => Ok(0),
        }
    };
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let left = tokio::select! {
        left = work => left?,
        // What is on its way comes again.
        _ = term.recv() => return Ok(if once { End::Failed } else { End::Done }),
        _ = int.recv() => return Ok(if once { End::Failed } else { End::Done }),
    };
    if left > 0 {
        say(format_args!("{left} dumps are left; the daemon's store keeps them, and the next run ships them"));
        return Ok(End::Failed);
    }
    if let Some(store) = &heart {
        store.write_node(&node(config, &catalogue, &figures)).await?;
    }
    Ok(End::Done)
}

/// The store, for the node's file.
fn heart(config: &Config) -> Option<Store> {
    let store = config.store.as_ref()?;
    // Of its own: what says that we live does not wait for the bandwidth that dumps take.
    let objects = Objects::open(store, &store.url).ok()?;
    let names = Names::new(config, Some(objects.clone()));
    Some(Store::new(objects, Arc::new(names), Daemon::new(&config.socket), &config.state))
}

/// What the store says had gone, where our notes are lost.
async fn former(store: &Store) -> Option<Node> {
    let mut tried = 0;
    loop {
        tried += 1;
        match store.node().await {
            Ok(node) => return node,
            Err(_) if tried < TRIES => sleep(pace::backoff(tried)).await,
            Err(error) => {
                say(format_args!("look in the store for what had gone: {error:#}; all that the daemon has is shipped"));
                return None;
            }
        }
    }
}

fn node(config: &Config, catalogue: &Catalogue, figures: &Figures) -> Node {
    Node {
        cluster: config.cluster.clone(),
        node: config.node.clone(),
        time: format!("{:.0}", jiff::Timestamp::now()),
        traceloop_ship: env!("CARGO_PKG_VERSION").to_owned(),
        traceloop: catalogue.daemon().1,
        sinks: figures.of_node(),
    }
}

/// Says for ever that we live, and sooner if something has gone.
async fn beat(store: &Store, config: &Config, catalogue: &Catalogue, figures: &Figures) {
    let mut last = None;
    let mut due = Instant::now();
    let mut failures = 0;
    loop {
        let node = node(config, catalogue, figures);
        let recent: Vec<_> = node.sinks.values().map(|sink| sink.recent.clone()).collect();
        // Not before what is known was read: it would say that nothing had gone.
        let is_known = catalogue.listed().list > 0;
        if is_known && (Instant::now() >= due || last.as_ref() != Some(&recent)) {
            // That it failed is said where dumps fail.
            failures = if store.write_node(&node).await.is_ok() { 0 } else { failures + 1 };
            due = Instant::now() + if failures > 0 { pace::backoff(failures) } else { HEARTBEAT };
            last = Some(recent);
        }
        sleep_until(Instant::now() + HEARTBEAT_MOST).await;
    }
}

/// Says how the daemon and each sink are.
pub(crate) async fn check(config: &Config) -> Result<End> {
    let mut end = End::Done;
    let mut tell = |what: &str, how: Result<String>| match how {
        Ok(how) => println!("{what}: {how}"),
        Err(error) => {
            say(format_args!("{what}: {error:#}"));
            end = End::Failed;
        }
    };
    let daemon = Daemon::new(&config.socket);
    let catalogue = Catalogue::new(0);
    let looked = match daemon.version().await {
        Ok(version) => catalogue.look(&daemon).await.map(|()| {
            format!("traceloop {version} at {}, {} dumps", config.socket.display(), catalogue.listed().ids.len())
        }),
        Err(error) => Err(error),
    };
    tell("daemon", looked);
    let state = fs::create_dir_all(&config.state)
        .and_then(|()| tempfile::tempfile_in(&config.state))
        .with_context(|| format!("write in {}", config.state.display()));
    tell("state", state.map(|_| format!("{} can be written", config.state.display())));
    for sink in Sink::all(config)? {
        tell(sink.name(), sink.check().await);
    }
    Ok(end)
}
