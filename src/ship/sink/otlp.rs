//! A collector of logs, by OTLP over HTTP with JSON: one log record a dump.
//!
//! What it says twice is told by `traceloop.dump.id`: after a kill between the collector's answer and our note of it, a
//! record comes again.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use hyper::{
    Request, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT},
};
use serde_json::{Value, json};

use super::Names;
use crate::{
    config,
    dump::Dump,
    fault::{Fault, Shipped, sentence},
    http::Http,
    pace::Pace,
};

/// Severity numbers as OTLP has them.
const INFO: (u32, &str) = (9, "INFO");
const ERROR: (u32, &str) = (17, "ERROR");

/// The label by which Kubernetes' own documents name an application.
const LABEL: &str = "app.kubernetes.io/name";

/// The collector as a sink.
#[derive(Debug)]
pub(crate) struct Otlp {
    http: Http,
    url: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    names: Arc<Names>,
}

impl Otlp {
    pub(crate) fn new(config: &config::Otlp, names: Arc<Names>) -> Result<Self> {
        let pace = Pace::new(config.bandwidth.map(|bytes| bytes.0));
        let http = Http::new(config.ca.as_deref(), Arc::new(pace))?;
        let header = |(name, value): (&String, &String)| -> Result<_> {
            let wrong = || format!("[otlp] headers: {name:?} cannot be a header");
            Ok((name.parse::<HeaderName>().with_context(wrong)?, value.parse::<HeaderValue>().with_context(wrong)?))
        };
        let headers = config.headers.iter().map(header).collect::<Result<_>>()?;
        Ok(Self { http, url: config.url.clone(), headers, names })
    }

    pub(crate) async fn ship(&self, dump: &Dump) -> Result<Shipped, Fault> {
        let body = request(dump, &self.names).to_string();
        let length = body.len() as u64;
        self.post(body).await?;
        Ok(Shipped::There(length))
    }

    async fn post(&self, body: String) -> Result<(), Fault> {
        let doing = || format!("send a log record to {}", self.url);
        let mut request = Request::post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("traceloop-ship/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(body.into_bytes()).with_context(doing)?;
        let answer = self.http.send(request).await.with_context(doing)?;
        let status = answer.status();
        let said: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        if status.is_success() {
            // It took the request and not the record.
            let rejected = &said["partialSuccess"]["rejectedLogRecords"];
            let count = rejected.as_u64().or_else(|| rejected.as_str()?.parse().ok()).unwrap_or(0);
            let message = said["partialSuccess"]["errorMessage"].as_str().unwrap_or_default();
            return match count {
                0 => Ok(()),
                _ => Err(Fault::Never(anyhow!("{}: the collector rejects it: {}", doing(), sentence(message)))),
            };
        }
        let text = match said["message"].as_str() {
            Some(message) => message.to_owned(),
            None => String::from_utf8_lossy(answer.body()).into_owned(),
        };
        let advice = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ": mend [otlp] headers",
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => ": mend [otlp] url: it ends with /v1/logs",
            _ => "",
        };
        let error = anyhow!("{}: the collector answers {status}{advice} {}", doing(), sentence(&text));
        // Of this record; everything else may be mended.
        Err(match status {
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
                Fault::Never(error)
            }
            _ => Fault::Later(error),
        })
    }

    pub(crate) async fn check(&self) -> Result<String> {
        match self.post(json!({"resourceLogs": []}).to_string()).await {
            Ok(()) => Ok(format!("{} takes log records", self.url)),
            Err(Fault::Later(error) | Fault::Never(error)) => Err(error),
            Err(Fault::Gone) => Err(anyhow!("nothing was sent")),
        }
    }
}

/// An attribute, if there is something to say.
fn attribute(key: &str, value: Option<&str>) -> Option<Value> {
    value.filter(|value| !value.is_empty()).map(|value| json!({"key": key, "value": {"stringValue": value}}))
}

fn number(key: &str, value: Option<u64>) -> Option<Value> {
    // 64-bit integers are strings in OTLP's JSON.
    value.map(|value| json!({"key": key, "value": {"intValue": value.to_string()}}))
}

/// A request with a dump's record.
fn request(dump: &Dump, names: &Names) -> Value {
    let none = Value::Null;
    let first = dump.identities().next().unwrap_or(&none);
    let pod = dump.pod();
    let text = |value: &'static str| dump.about[value].as_str();
    let container = &first["container"];
    let resource: Vec<Value> = [
        attribute("service.name", Some(service(dump, first))),
        attribute("service.namespace", pod.map(|pod| pod.namespace)),
        attribute("k8s.cluster.name", Some(&names.cluster)),
        attribute("k8s.node.name", Some(&names.node)),
        attribute("k8s.namespace.name", pod.map(|pod| pod.namespace)),
        attribute("k8s.pod.name", pod.map(|pod| pod.name)),
        attribute("k8s.pod.uid", pod.map(|pod| pod.uid)),
        attribute("k8s.container.name", pod.and_then(|pod| pod.container)),
        attribute("container.id", container["id"].as_str()),
        attribute("container.image.name", container["image"].as_str()),
        attribute("host.name", text("host")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let url = names.url(dump);
    let attributes: Vec<Value> = [
        attribute("traceloop.dump.id", Some(&dump.id)),
        attribute("traceloop.dump.reason", Some(dump.reason())),
        attribute("traceloop.dump.state", text("state")),
        attribute("traceloop.dump.url", url.as_deref()),
        attribute("traceloop.target", text("name")),
        attribute("traceloop.unit", first["unit"].as_str()),
        attribute("traceloop.complete_from", text("complete_from")),
        attribute("process.executable.name", text("comm")),
        number("process.pid", dump.about["pid"].as_u64()),
        number("traceloop.calls", dump.about["calls"].as_u64()),
        number("traceloop.failed", dump.about["failed"].as_u64()),
        number("traceloop.dump.size", Some(dump.size())),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (severity, word) = if matches!(dump.reason(), "unit" | "killed" | "status") { ERROR } else { INFO };
    let now = jiff::Timestamp::now();
    let nanoseconds = |time: jiff::Timestamp| time.as_nanosecond().max(0).to_string();
    json!({"resourceLogs": [{
        "resource": {"attributes": resource},
        "scopeLogs": [{
            "scope": {"name": "traceloop", "version": text("traceloop").unwrap_or_default()},
            "logRecords": [{
                "timeUnixNano": nanoseconds(dump.time().unwrap_or(now)),
                "observedTimeUnixNano": nanoseconds(now),
                "severityNumber": severity,
                "severityText": word,
                "eventName": "traceloop.dump",
                "body": {"stringValue": dump.summary()},
                "attributes": attributes
            }]
        }]
    }]})
}

/// What people call the service: by the label for it, the container, the unit.
fn service<'a>(dump: &'a Dump, first: &'a Value) -> &'a str {
    let label = first["container"]["labels"][LABEL].as_str();
    let container = first["pod"]["container"].as_str().or_else(|| first["container"]["name"].as_str());
    let unit = first["unit"].as_str().map(|unit| unit.strip_suffix(".service").unwrap_or(unit));
    let known = [label, container, unit].into_iter().flatten().find(|name| !name.is_empty());
    known.or_else(|| dump.about["name"].as_str()).unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dump::tests::crash, object::Objects};

    fn names() -> Names {
        let store = config::Store { url: "file:///d".to_owned(), ..config::Store::default() };
        let objects = Objects::open(&store, &store.url).unwrap();
        Names { cluster: "prod".to_owned(), node: "node1".to_owned(), objects: Some(objects) }
    }

    fn values(attributes: &Value) -> std::collections::BTreeMap<String, String> {
        let value = |attribute: &Value| {
            let value = &attribute["value"];
            value["stringValue"].as_str().or_else(|| value["intValue"].as_str()).unwrap().to_owned()
        };
        let attributes = attributes.as_array().unwrap();
        attributes.iter().map(|one| (one["key"].as_str().unwrap().to_owned(), value(one))).collect()
    }

    #[test]
    fn a_dump_is_a_record_that_says_what_happened_and_where() {
        let request = request(&crash("3f9a2c7d1b04"), &names());
        let logs = &request["resourceLogs"][0];
        let resource = values(&logs["resource"]["attributes"]);
        for (key, value) in [
            ("service.name", "cart"),
            ("k8s.cluster.name", "prod"),
            ("k8s.node.name", "node1"),
            ("k8s.namespace.name", "shop"),
            ("k8s.pod.name", "cart-2"),
            ("k8s.pod.uid", "u-1"),
            ("k8s.container.name", "app"),
        ] {
            assert_eq!(resource[key], value, "{key}");
        }
        let record = &logs["scopeLogs"][0]["logRecords"][0];
        assert_eq!(record["body"]["stringValue"], "app[7] was killed by SIGSEGV.");
        assert_eq!(record["timeUnixNano"], "1795576330481022000");
        assert_eq!(record["severityText"], "ERROR");
        let attributes = values(&record["attributes"]);
        let url = "file:///d/cluster=prod/namespace=shop/date=2026-11-25/node=node1/20261125T031210.481022Z-killed-3f9a2c7d1b04.dump";
        assert_eq!(attributes["traceloop.dump.url"], url);
        assert_eq!((attributes["process.pid"].as_str(), attributes["traceloop.dump.size"].as_str()), ("7", "4096"));
    }

    #[test]
    fn a_service_is_called_what_people_call_it() {
        use serde_json::json;
        for (identities, name) in [
            (json!([{"unit": "nginx.service"}]), "nginx"),
            (json!([{"container": {"name": "web"}, "unit": "x.scope"}]), "web"),
            (json!([]), "shop/cart-2/app"),
        ] {
            let dump = crate::dump::tests::of("3f9a2c7d1b04", identities);
            let none = Value::Null;
            let first = dump.identities().next().unwrap_or(&none);
            assert_eq!(service(&dump, first), name);
        }
    }
}
