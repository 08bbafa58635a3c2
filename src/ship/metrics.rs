//! Our own figures, in Prometheus' text format, on a port if the configuration names one.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt::Write,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::{catalogue::Catalogue, node};

/// Clients at once.
const CLIENTS: usize = 16;

/// What became of dumps at a sink, since we began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figure {
    pub(crate) shipped: u64,
    pub(crate) bytes: u64,
    pub(crate) retries: u64,
    pub(crate) missed: u64,
    pub(crate) gaps: u64,
    pub(crate) refused: u64,
    pub(crate) passed: u64,
    pub(crate) waiting: u64,
    pub(crate) failing: bool,
    /// The newest that went, seconds since 1970.
    pub(crate) newest: Option<i64>,
    pub(crate) recent: Vec<String>,
}

/// All sinks' figures.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    sinks: Mutex<BTreeMap<&'static str, Figure>>,
}

/// A family's name, type, help, and what it is of a sink.
type Family = (&'static str, &'static str, &'static str, fn(&Figure) -> Option<f64>);

#[allow(clippy::cast_precision_loss, reason = "figures of Prometheus are floating-point numbers")]
const FAMILIES: [Family; 10] = [
    ("shipped_total", "counter", "Dumps that the sink has taken.", |of| Some(of.shipped as f64)),
    ("bytes_total", "counter", "Bytes of them.", |of| Some(of.bytes as f64)),
    ("failures_total", "counter", "Tries that failed.", |of| Some(of.retries as f64)),
    ("missed_total", "counter", "Dumps that the daemon's store gave up before they were shipped.", |of| {
        Some(of.missed as f64)
    }),
    ("gaps_total", "counter", "Times after which it is not known which dumps came and were given up.", |of| {
        Some(of.gaps as f64)
    }),
    ("refused_total", "counter", "Dumps that the sink will never take.", |of| Some(of.refused as f64)),
    ("passed_total", "counter", "Dumps that are none for this sink.", |of| Some(of.passed as f64)),
    ("waiting", "gauge", "Dumps that wait to be shipped.", |of| Some(of.waiting as f64)),
    ("failing", "gauge", "Whether the last try failed.", |of| Some(if of.failing { 1.0 } else { 0.0 })),
    ("newest_timestamp_seconds", "gauge", "When the newest dump was made that was shipped.", |of| {
        of.newest.map(|time| time as f64)
    }),
];

impl Figures {
    fn sinks(&self) -> MutexGuard<'_, BTreeMap<&'static str, Figure>> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn change(&self, sink: &'static str, change: impl FnOnce(&mut Figure)) {
        change(self.sinks().entry(sink).or_default());
    }

    /// For the node's file.
    pub(crate) fn of_node(&self) -> BTreeMap<String, node::Sink> {
        let sink = |of: &Figure| node::Sink {
            shipped: of.shipped,
            waiting: of.waiting,
            missed: of.missed,
            refused: of.refused,
            recent: of.recent.clone(),
        };
        self.sinks().iter().map(|(name, of)| ((*name).to_owned(), sink(of))).collect()
    }

    fn text(&self, connected: bool) -> String {
        let mut text = String::from(
            "# HELP traceloop_ship_daemon_connected Whether the daemon answers.\n\
             # TYPE traceloop_ship_daemon_connected gauge\n",
        );
        let _ = writeln!(text, "traceloop_ship_daemon_connected {}", u8::from(connected));
        let sinks = self.sinks();
        for (name, kind, help, of) in FAMILIES {
            let _ = writeln!(text, "# HELP traceloop_ship_{name} {help}\n# TYPE traceloop_ship_{name} {kind}");
            for (sink, figure) in sinks.iter() {
                if let Some(value) = of(figure) {
                    let _ = writeln!(text, "traceloop_ship_{name}{{sink=\"{sink}\"}} {value}");
                }
            }
        }
        text
    }
}

/// Listens.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("serve metrics on {address}"))
}

/// Answers for ever.
pub(crate) async fn serve(listener: TcpListener, figures: Arc<Figures>, catalogue: Arc<Catalogue>) {
    let places = Arc::new(tokio::sync::Semaphore::new(CLIENTS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // There are no descriptors left.
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        let (figures, catalogue) = (figures.clone(), catalogue.clone());
        tokio::spawn(async move {
            let answer = service_fn(|request: Request<Incoming>| {
                let found = request.uri().path() == "/metrics";
                let text = if found { figures.text(catalogue.daemon().0) } else { "see /metrics\n".to_owned() };
                let status = if found { StatusCode::OK } else { StatusCode::NOT_FOUND };
                let answer = Response::builder()
                    .status(status)
                    .header("content-type", "text/plain; version=0.0.4")
                    .body(Full::new(hyper::body::Bytes::from(text)));
                async move { Ok::<_, Infallible>(answer.unwrap_or_default()) }
            });
            let serve = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), answer);
            let _ = tokio::time::timeout(Duration::from_secs(30), serve).await;
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_is_explained_and_each_sink_has_its_figures() {
        let figures = Figures::default();
        figures.change("store", |figure| figure.shipped += 2);
        figures.change("otlp", |figure| figure.newest = Some(7));
        let text = figures.text(true);
        for line in [
            "traceloop_ship_daemon_connected 1",
            "traceloop_ship_shipped_total{sink=\"store\"} 2",
            "traceloop_ship_shipped_total{sink=\"otlp\"} 0",
            "traceloop_ship_newest_timestamp_seconds{sink=\"otlp\"} 7",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in:\n{text}");
        }
        assert_eq!(text.matches("# HELP").count(), FAMILIES.len() + 1);
    }
}
