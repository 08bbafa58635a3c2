//! The figures for a Prometheus that cannot read a unix socket: /metrics alone, over TCP.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use tokio::{net::TcpListener, sync::mpsc, time::sleep};

use super::{
    listen::{Places, connection},
    request::Request,
    routes,
};

/// Scrapers at once.
const CONNECTIONS: usize = 16;

/// Serves /metrics at an address for ever; that it can is known on return.
pub async fn scrape(address: SocketAddr, requests: mpsc::Sender<Request>) -> Result<impl Future<Output = ()>> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("serve metrics at {address}"))?;
    let router = routes::figures(requests);
    let places = Places::new(CONNECTIONS);
    Ok(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let Some(place) = places.take() else { continue };
                    let router = router.clone();
                    tokio::spawn(async move {
                        connection(stream, router).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a scraper could not be let in");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    })
}
