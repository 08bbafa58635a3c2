//! The HTTP interface of docker, which podman's service speaks, too: one question on one connection.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode, body::Bytes};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::UnixStream;

use super::Names;

/// Larger than what is told of a container with hundreds of mounts.
const LARGEST: usize = 1 << 20;

/// What we read of an answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    name: String,
    #[serde(default)]
    config: Settings,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Settings {
    image: String,
    /// `null` where there are none.
    labels: Option<HashMap<String, String>>,
}

/// Asks for a container by its whole id.
pub(super) async fn ask(socket: &Path, runtime: &str, id: &str) -> Result<Option<Names>> {
    let stream = UnixStream::connect(socket).await.with_context(|| format!("connect to {}", socket.display()))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.context("begin to speak HTTP")?;
    let connection = tokio::spawn(connection);
    // The path without a version is understood by old and new ones.
    let request = Request::get(format!("/containers/{id}/json")).header("Host", runtime).body(Empty::<Bytes>::new())?;
    let answer = async {
        let response = sender.send_request(request).await.context("ask for the container")?;
        match response.status() {
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::OK => {}
            status => bail!("the answer is {status}"),
        }
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!(error)).context("read the answer")?;
        parse(&body.to_bytes(), runtime, id)
    };
    let answer = answer.await;
    connection.abort();
    answer
}

fn parse(body: &[u8], runtime: &str, id: &str) -> Result<Option<Names>> {
    let told: Inspected = serde_json::from_slice(body).context("understand the answer")?;
    if told.id != id {
        return Ok(None);
    }
    let name = told.name.strip_prefix('/').unwrap_or(&told.name);
    let mut names = Names::new(runtime, name, &told.config.image);
    names.label(told.config.labels.unwrap_or_default());
    Ok(Some(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let names =
            parse(br#"{"Id":"00","Name":"/web","Config":{"Image":"a:1","Labels":null},"x":[]}"#, "docker", "00");
        let names = names.unwrap().unwrap();
        assert_eq!(
            (names.runtime.as_str(), names.name.as_deref(), names.image.as_deref()),
            ("docker", Some("web"), Some("a:1"))
        );
        assert_eq!(parse(br#"{"Id":"01","Name":"/web"}"#, "", "00").unwrap(), None);
        for garbage in ["", "{}", "[", r#"{"Id":7}"#, r#"{"Id":"00","Name":"/","Config":{"Labels":{"a":1}}}"#] {
            assert!(parse(garbage.as_bytes(), "", "00").is_err(), "{garbage}");
        }
        assert_eq!(parse(br#"{"Id":"00","Name":"/"}"#, "", "00").unwrap().unwrap().name, None);
    }
}
