//! ship.toml: who we are, and where dumps go. systemd/ship.toml names each key with its default.

use std::{
    collections::BTreeMap,
    env, fmt, fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::Deserialize;
use url::Url;

/// A configuration, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) cluster: String,
    pub(crate) node: String,
    pub(crate) socket: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) metrics: Option<std::net::SocketAddr>,
    pub(crate) store: Option<Store>,
    pub(crate) otlp: Option<Otlp>,
    pub(crate) events: Option<Events>,
}

/// The object store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Store {
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) bandwidth: Option<Size>,
    #[serde(default)]
    pub(crate) ca: Option<PathBuf>,
    /// What the environment could say too: region, endpoint ...
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
}

/// The collector of logs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Otlp {
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) bandwidth: Option<Size>,
    #[serde(default)]
    pub(crate) ca: Option<PathBuf>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
}

/// Events on pods.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Events {
    #[serde(default = "per_pod")]
    pub(crate) per_pod: usize,
    #[serde(default)]
    pub(crate) bandwidth: Option<Size>,
    /// The API server, if not that of the cluster in which we run.
    #[serde(default)]
    pub(crate) server: Option<String>,
    /// Where token, ca.crt and namespace are.
    #[serde(default = "account")]
    pub(crate) account: PathBuf,
}

fn per_pod() -> usize {
    10
}

fn account() -> PathBuf {
    "/var/run/secrets/kubernetes.io/serviceaccount".into()
}

/// Bytes: a number, or one with K, M or G.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(crate) struct Size(pub(crate) u64);

impl TryFrom<toml::Value> for Size {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let wrong = || format!("{value} is no size: 500K, 4M, 1G or a number of bytes, at least 1K");
        let bytes = match &value {
            toml::Value::Integer(bytes) => u64::try_from(*bytes).ok(),
            toml::Value::String(text) => {
                let (digits, unit) = match text.chars().last() {
                    Some('K') => (&text[..text.len() - 1], 1 << 10),
                    Some('M') => (&text[..text.len() - 1], 1 << 20),
                    Some('G') => (&text[..text.len() - 1], 1 << 30),
                    _ => (text.as_str(), 1),
                };
                digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit))
            }
            _ => None,
        };
        bytes.filter(|bytes| *bytes >= 1 << 10).map(Self).ok_or_else(wrong)
    }
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Written {
    cluster: Option<String>,
    node: Option<String>,
    socket: Option<PathBuf>,
    state: Option<PathBuf>,
    metrics: Option<std::net::SocketAddr>,
    store: Option<Store>,
    otlp: Option<Otlp>,
    events: Option<Events>,
}

/// A configuration that cannot be used: the user's to mend.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

impl Config {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|error| {
            Wrong(format!("read the configuration {}: {error}: man traceloop-ship has an example", path.display()))
        })?;
        Self::parse(&text).map_err(|wrong| Wrong(format!("{}: {wrong}", path.display())).into())
    }

    /// What the configuration says of the store that a URL leads into; nothing where there is no configuration.
    pub(crate) fn store_of(path: &Path, url: &str) -> Result<Store> {
        let none = Store { url: url.to_owned(), ..Store::default() };
        match fs::read_to_string(path) {
            Ok(text) => {
                let config = Self::parse(&text)
                    .map_err(|wrong| anyhow::Error::from(Wrong(format!("{}: {wrong}", path.display()))))?;
                let same = |a: &str, b: &str| match (Url::parse(a), Url::parse(b)) {
                    (Ok(a), Ok(b)) => a.scheme() == b.scheme() && a.host_str() == b.host_str(),
                    _ => false,
                };
                Ok(config.store.filter(|store| same(&store.url, url)).unwrap_or(none))
            }
            // Root's credentials are nobody else's, who has his own.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => Ok(none),
            Err(error) => Err(error).with_context(|| format!("read the configuration {}", path.display())),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| error.to_string().trim_end().replace('\n', " "))?;
        let node = written.node.or_else(|| env::var("NODE_NAME").ok().filter(|name| !name.is_empty()));
        let config = Self {
            cluster: written.cluster.unwrap_or_else(|| "default".to_owned()),
            node: node.or_else(host).ok_or("node: the machine has no name: give one")?,
            socket: written.socket.unwrap_or_else(|| "/run/traceloop/traceloop.sock".into()),
            state: written.state.unwrap_or_else(|| "/var/lib/traceloop-ship".into()),
            metrics: written.metrics,
            store: written.store,
            otlp: written.otlp,
            events: written.events,
        };
        // They become parts of keys and of file names.
        for (key, value) in [("cluster", &config.cluster), ("node", &config.node)] {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if value.is_empty() || value.len() > 200 || value.starts_with('.') || !value.bytes().all(is_plain) {
                return Err(format!("{key}: {value:?} is no name: letters, digits, - _ and . inside"));
            }
        }
        if config.store.is_none() && config.otlp.is_none() && config.events.is_none() {
            return Err(
                "there is nowhere to ship to: give [store] with a url, [otlp] with a url, or [events]".to_owned()
            );
        }
        if let Some(store) = &config.store {
            crate::object::scheme(&store.url).map_err(|error| format!("[store] url: {error:#}"))?;
        }
        let is_web =
            |url: &str| Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let webs = [
            ("[otlp] url", config.otlp.as_ref().map(|otlp| otlp.url.as_str())),
            ("[events] server", config.events.as_ref().and_then(|events| events.server.as_deref())),
        ];
        for (key, url) in webs {
            if let Some(url) = url.filter(|url| !is_web(url)) {
                return Err(format!("{key}: {url:?} is no URL of HTTP: http://collector:4318/v1/logs is one"));
            }
        }
        Ok(config)
    }
}

fn host() -> Option<String> {
    let name = nix::unistd::gethostname().ok()?.into_string().ok()?;
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packaged_file_names_each_key_with_its_default() {
        let text = include_str!("../../systemd/ship.toml");
        // As the file comes it ships nowhere.
        assert!(Config::parse(text).unwrap_err().contains("nowhere"));
        let uncommented: String = text
            .lines()
            .filter_map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).or(Some(line)))
            .map(|line| format!("{line}\n"))
            .collect();
        let config = Config::parse(&uncommented).unwrap();
        assert_eq!(config.cluster, "default");
        assert_eq!(config.socket, Path::new("/run/traceloop/traceloop.sock"));
        assert_eq!(config.events.as_ref().map(|events| events.per_pod), Some(per_pod()));
        assert_eq!(config.events.map(|events| events.account), Some(account()));
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        for (text, names) in [
            ("", "nowhere"),
            ("clutser = 'a'\n[events]", "clutser"),
            ("cluster = 'a/b'\n[events]", "cluster"),
            ("node = '..'\n[events]", "node"),
            ("[store]\nurl = 'ftp://a'", "ftp"),
            ("[store]\nurl = 's3:///nowhere'", "s3:///nowhere"),
            ("[otlp]\nurl = 'collector:4318'", "collector:4318"),
            ("[events]\nserver = 'x'", "server"),
            ("[store]\nurl = 's3://a'\nbandwidth = '3X'", "3X"),
            ("[store]\nurl = 's3://a'\nbandwidth = 0", "0"),
        ] {
            let wrong = Config::parse(text).unwrap_err();
            assert!(wrong.contains(names) && !wrong.contains('\n'), "{text}: {wrong}");
        }
    }

    #[test]
    fn sizes_are_written_as_people_do() {
        let of = |text: &str| Size::try_from(toml::Value::String(text.to_owned())).map(|size| size.0);
        assert_eq!((of("4M"), of("2048"), of("1G")), (Ok(4 << 20), Ok(2048), Ok(1 << 30)));
        assert!(of("").is_err() && of("K").is_err() && of("99999999999999999999G").is_err());
    }
}
