//! Kubernetes: an Event on the pod, so that `kubectl describe pod` says why it died and where its last calls are.
//!
//! One right is needed, to create events. Its name is the dump's, so that a second one is refused as being there already.

use std::{collections::HashMap, fs, path::PathBuf, sync::Arc};

use anyhow::{Context, Result, anyhow};
use hyper::{
    Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Names;
use crate::{
    config,
    dump::{Dump, Pod},
    fault::{Fault, Shipped, sentence},
    http::Http,
    pace::Pace,
    say,
};

/// A note is no longer, bytes: the API server refuses what is.
const NOTE_MOST: usize = 1024;
/// Events are kept for an hour: one of something older would come when others of its time are gone.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// `reportingInstance` and the like are no longer.
const NAME_MOST: usize = 128;

/// The API server as a sink.
#[derive(Debug)]
pub(crate) struct Events {
    http: Http,
    server: String,
    account: PathBuf,
    per_pod: usize,
    /// When each pod got its last ones.
    given: HashMap<String, Vec<Timestamp>>,
    names: Arc<Names>,
}

impl Events {
    pub(crate) fn new(config: &config::Events, names: Arc<Names>) -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let inside = || {
            let (host, port) = (variable("KUBERNETES_SERVICE_HOST")?, variable("KUBERNETES_SERVICE_PORT"));
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            Some(format!("https://{host}:{}", port.unwrap_or_else(|| "443".to_owned())))
        };
        let server = config.server.clone().or_else(inside).context(
            "[events]: this is no pod of a cluster (KUBERNETES_SERVICE_HOST is not set): run it in one, or give `server`",
        )?;
        let ca = config.account.join("ca.crt");
        let pace = Arc::new(Pace::new(config.bandwidth.map(|bytes| bytes.0)));
        let http = Http::new(ca.exists().then_some(ca.as_path()), pace)?;
        let server = server.trim_end_matches('/').to_owned();
        Ok(Self {
            http,
            server,
            account: config.account.clone(),
            per_pod: config.per_pod,
            given: HashMap::new(),
            names,
        })
    }

    pub(crate) async fn ship(&mut self, dump: &Dump) -> Result<Shipped, Fault> {
        let Some(pod) = dump.pod() else { return Ok(Shipped::Passed) };
        let now = Timestamp::now();
        // By our own clock, as the limit is: one that was set back makes dumps of the future, which are new ones.
        if dump.time().is_some_and(|time| now.duration_since(time) > KEPT) {
            return Ok(Shipped::Passed);
        }
        let whose = format!("{}/{}", pod.namespace, pod.name);
        self.given.retain(|_, times| {
            times.retain(|time| now.duration_since(*time) < KEPT);
            !times.is_empty()
        });
        let given = self.given.get(&whose).map_or(0, Vec::len);
        if given >= self.per_pod {
            say(format_args!(
                "events: {whose} has had {given} within the hour, and gets none for the dump {}: [events] per-pod",
                dump.id
            ));
            return Ok(Shipped::Passed);
        }
        let body = event(dump, pod, &self.names, now).to_string();
        let length = body.len() as u64;
        self.post(pod.namespace, body, false).await?;
        self.given.entry(whose).or_default().push(now);
        Ok(Shipped::There(length))
    }

    async fn post(&self, namespace: &str, body: String, dry: bool) -> Result<(), Fault> {
        let dry = if dry { "?dryRun=All" } else { "" };
        let url = format!("{}/apis/events.k8s.io/v1/namespaces/{namespace}/events{dry}", self.server);
        let doing = || format!("create an event in the namespace {namespace} at {}", self.server);
        // It is renewed while we run.
        let token = self.account.join("token");
        let token =
            fs::read_to_string(&token).with_context(|| format!("read the service account's {}", token.display()))?;
        let request = Request::post(&url)
            .header(AUTHORIZATION, format!("Bearer {}", token.trim()))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("traceloop-ship/", env!("CARGO_PKG_VERSION")))
            .body(body.into_bytes())
            .with_context(doing)?;
        let answer = self.http.send(request).await.with_context(doing)?;
        let status = answer.status();
        if status.is_success() || status == StatusCode::CONFLICT {
            return Ok(());
        }
        let said: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let message = sentence(said["message"].as_str().unwrap_or_default());
        let is_leaving = said["details"]["causes"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|cause| cause["reason"] == "NamespaceTerminating");
        let error = |advice: &str| anyhow!("{}: the API server answers {status}{advice} {message}", doing());
        Err(match status {
            // A namespace that is gone has taken its pods along.
            _ if is_leaving || status == StatusCode::NOT_FOUND => Fault::Never(error(": the namespace is gone:")),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Fault::Never(error("")),
            StatusCode::FORBIDDEN => Fault::Later(error(
                ": the service account may not create events: bind it to the cluster role traceloop-ship:",
            )),
            StatusCode::UNAUTHORIZED => Fault::Later(error(": the service account's token is not taken:")),
            _ => Fault::Later(error("")),
        })
    }

    pub(crate) async fn check(&self) -> Result<String> {
        let namespace = fs::read_to_string(self.account.join("namespace")).unwrap_or_else(|_| "default".to_owned());
        let namespace = namespace.trim();
        let now = Timestamp::now();
        let pod = Pod { namespace, name: "traceloop-ship-check", uid: "", container: None };
        let body = object("check", pod, &self.names, now, "Events can be created.").to_string();
        match self.post(namespace, body, true).await {
            Ok(()) => Ok(format!("{} takes events", self.server)),
            Err(Fault::Later(error) | Fault::Never(error)) => Err(error),
            Err(Fault::Gone) => Err(anyhow!("nothing was sent")),
        }
    }
}

fn event(dump: &Dump, pod: Pod<'_>, names: &Names, now: Timestamp) -> Value {
    object(&dump.id, pod, names, dump.time().unwrap_or(now), &note(dump, pod, names))
}

fn object(id: &str, pod: Pod<'_>, names: &Names, time: Timestamp, note: &str) -> Value {
    let mut regarding = json!({
        "apiVersion": "v1", "kind": "Pod", "namespace": pod.namespace, "name": pod.name
    });
    if !pod.uid.is_empty() {
        regarding["uid"] = json!(pod.uid);
    }
    if let Some(container) = pod.container {
        regarding["fieldPath"] = json!(format!("spec.containers{{{container}}}"));
    }
    json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": format!("traceloop-{id}"), "namespace": pod.namespace},
        "eventTime": format!("{time:.6}"),
        "reportingController": "traceloop-ship",
        "reportingInstance": cut(&names.node, NAME_MOST),
        "action": "Record",
        "reason": "LastCalls",
        "type": "Warning",
        "regarding": regarding,
        "note": note
    })
}

/// What happened, then where its calls are; a long summary gives way to that.
fn note(dump: &Dump, pod: Pod<'_>, names: &Names) -> String {
    let url = names.url(dump).map(|url| format!(" Stored as {url}")).unwrap_or_default();
    let command = format!(" Its last calls: kubectl traceloop show {}", dump.id);
    let command = if pod.name.is_empty() { String::new() } else { command };
    let rest = format!("{command}{url}");
    // A place that is cut leads nowhere.
    let rest = if rest.len() > NOTE_MOST / 2 + NOTE_MOST / 4 { command } else { rest };
    let summary = dump.summary();
    format!("{}{rest}", cut(&summary, NOTE_MOST - rest.len()))
}

/// So many bytes at most, in whole characters, with dots where something is missing.
fn cut(text: &str, most: usize) -> String {
    const DOTS: &str = "...";
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most.saturating_sub(DOTS.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{DOTS}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dump::tests::crash, object::Objects};

    fn names(url: &str) -> Names {
        let store = config::Store { url: url.to_owned(), ..config::Store::default() };
        let objects = Objects::open(&store, &store.url).unwrap();
        Names { cluster: "prod".to_owned(), node: "node1".to_owned(), objects: Some(objects) }
    }

    #[test]
    fn an_event_is_what_the_api_server_takes() {
        let dump = crash("3f9a2c7d1b04");
        let event = event(&dump, dump.pod().unwrap(), &names("file:///d"), Timestamp::now());
        assert_eq!(event["metadata"], json!({"name": "traceloop-3f9a2c7d1b04", "namespace": "shop"}));
        assert_eq!(event["eventTime"], "2026-11-25T03:12:10.481022Z");
        assert_eq!(event["regarding"]["uid"], "u-1");
        assert_eq!(event["regarding"]["fieldPath"], "spec.containers{app}");
        let note = event["note"].as_str().unwrap();
        assert!(note.starts_with("app[7] was killed by SIGSEGV. Its last calls: kubectl traceloop show"), "{note}");
        assert!(note.ends_with("-killed-3f9a2c7d1b04.dump"), "{note}");
    }

    #[test]
    fn a_note_is_never_too_long_and_its_place_never_cut() {
        let mut dump = crash("3f9a2c7d1b04");
        for (summary, url) in [
            ("ä".repeat(3000), "file:///d".to_owned()),
            ("x".repeat(1024), "file:///d".to_owned()),
            (String::new(), format!("file:///{}", "d/".repeat(1000))),
        ] {
            dump.about["summary"]["text"] = json!(summary);
            let note = note(&dump, dump.pod().unwrap(), &names(&url));
            assert!(note.len() <= NOTE_MOST, "{}", note.len());
            assert!(note.contains("kubectl traceloop show 3f9a2c7d1b04"), "{note}");
            assert!(!note.contains("Stored as") || note.ends_with(".dump"), "{note}");
        }
        assert_eq!((cut("äää", 5).as_str(), cut("äää", 6).as_str()), ("ä...", "äää"));
    }
}
