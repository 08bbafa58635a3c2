//! Object stores by their URL: s3://, gs://, az:// and directories (file://).
//!
//! Credentials come as the clients of each kind find theirs: the environment (AWS_*, GOOGLE_*, AZURE_*), a pod's or a
//! machine's own identity; `[store.options]` stands above it.

use std::{collections::BTreeMap, fs, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow, bail, ensure};
use object_store::{
    BackoffConfig, ObjectStore, ObjectStoreScheme, RetryConfig, aws::AmazonS3Builder, azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder, local::LocalFileSystem, path::Path,
};
use url::Url;

use crate::{config, fault, http::Http, pace::Pace};

/// A store, and the part of it that is ours.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Below what.
    pub(crate) prefix: Path,
    /// A directory of this machine, which must be there: an absent one may be a disk that is not mounted.
    directory: Option<PathBuf>,
    url: String,
}

/// What a URL leads to.
pub(crate) fn scheme(url: &str) -> Result<(ObjectStoreScheme, Url, Path)> {
    let forms = "s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or file:///DIRECTORY";
    let parsed = Url::parse(url).map_err(|error| anyhow!("{url:?}: {error}: it is {forms}"))?;
    let (scheme, path) =
        ObjectStoreScheme::parse(&parsed).map_err(|_| anyhow!("{url:?} is no store: it is {forms}"))?;
    if matches!(scheme, ObjectStoreScheme::Memory | ObjectStoreScheme::Http) {
        bail!("{url:?} is no store: it is {forms}");
    }
    ensure!(
        parsed.password().is_none() && parsed.query().is_none() && parsed.fragment().is_none(),
        "{:?} holds more than a place: credentials belong into the environment, the rest into [store.options]",
        parsed.host_str().unwrap_or_default()
    );
    Ok((scheme, parsed, path))
}

impl Objects {
    /// The store of a URL that may lie below the configured one.
    pub(crate) fn open(store: &config::Store, url: &str) -> Result<Self> {
        let (scheme, parsed, prefix) = scheme(url)?;
        let pace = Pace::new(store.bandwidth.map(|bytes| bytes.0));
        let bucket = parsed.to_string();
        let options = &store.options;
        let mut directory = None;
        let doing = || format!("open the store {url}");
        let known = "[store.options] names what object_store calls so: region, endpoint ...";
        // Ours wait longer, know what the others do, and end when they are stopped.
        let retry = RetryConfig {
            max_retries: 2,
            retry_timeout: Duration::from_secs(30),
            backoff: BackoffConfig { init_backoff: Duration::from_millis(200), ..BackoffConfig::default() },
        };
        let http = || Http::new(store.ca.as_deref(), Arc::new(pace));
        let made: Arc<dyn ObjectStore> = match scheme {
            ObjectStoreScheme::Local => {
                ensure!(options.is_empty(), "a directory has no options: [store.options]");
                directory = Some(parsed.to_file_path().map_err(|()| anyhow!("{url:?} is no directory"))?);
                Arc::new(LocalFileSystem::new())
            }
            ObjectStoreScheme::AmazonS3 => {
                let mut builder = AmazonS3Builder::from_env().with_url(bucket).with_http_connector(http()?);
                for (key, value) in keys(options).context(known)? {
                    builder = builder.with_config(key, value);
                }
                Arc::new(fault::of_store(&doing(), builder.with_retry(retry).build())?)
            }
            ObjectStoreScheme::GoogleCloudStorage => {
                let mut builder = GoogleCloudStorageBuilder::from_env().with_url(bucket).with_http_connector(http()?);
                for (key, value) in keys(options).context(known)? {
                    builder = builder.with_config(key, value);
                }
                Arc::new(fault::of_store(&doing(), builder.with_retry(retry).build())?)
            }
            ObjectStoreScheme::MicrosoftAzure => {
                let mut builder = MicrosoftAzureBuilder::from_env().with_url(bucket).with_http_connector(http()?);
                for (key, value) in keys(options).context(known)? {
                    builder = builder.with_config(key, value);
                }
                Arc::new(fault::of_store(&doing(), builder.with_retry(retry).build())?)
            }
            other => bail!("{}: {other:?} is no store that is known here", doing()),
        };
        Ok(Self { store: made, prefix, directory, url: url.trim_end_matches('/').to_owned() })
    }

    /// A place below the prefix.
    pub(crate) fn path(&self, key: &str) -> Result<Path> {
        let whole = if self.prefix.as_ref().is_empty() { key.to_owned() } else { format!("{}/{key}", self.prefix) };
        Path::parse(&whole).with_context(|| format!("{whole:?} cannot be a key"))
    }

    /// What leads others to it.
    pub(crate) fn url(&self, key: &str) -> String {
        format!("{}/{key}", self.url)
    }

    /// The same of what a list of the store names.
    pub(crate) fn url_of(&self, path: &Path) -> String {
        let below = path.as_ref().strip_prefix(self.prefix.as_ref()).unwrap_or(path.as_ref());
        match below.trim_start_matches('/') {
            "" => self.url.clone(),
            key => self.url(key),
        }
    }

    /// A directory that is gone, or not there yet, is an error, and never made.
    pub(crate) fn must_be_there(&self) -> Result<()> {
        match &self.directory {
            Some(directory) if !directory.exists() => {
                bail!("the directory {} is not there: make it, or mount it", directory.display())
            }
            _ => Ok(()),
        }
    }

    /// A directory's file stays although the machine goes down.
    pub(crate) fn settle(&self, path: &Path) -> Result<()> {
        if self.directory.is_some() {
            let file = LocalFileSystem::new().path_to_filesystem(path)?;
            let sync = |place: &std::path::Path| fs::File::open(place).and_then(|file| file.sync_all());
            sync(&file)
                .and_then(|()| file.parent().map_or(Ok(()), sync))
                .with_context(|| format!("write {}", file.display()))?;
        }
        Ok(())
    }
}

/// The options by the names that the kind of store knows.
fn keys<K: FromStr>(options: &BTreeMap<String, String>) -> Result<Vec<(K, &String)>> {
    let known =
        |name: &String| name.to_ascii_lowercase().parse().map_err(|_| anyhow!("{name:?} is no option of this store"));
    options.iter().map(|(name, value)| Ok((known(name)?, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(url: &str, options: &[(&str, &str)]) -> Result<Objects> {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Objects::open(&config::Store { url: url.to_owned(), options, ..config::Store::default() }, url)
    }

    #[test]
    fn a_url_leads_to_a_place_and_keys_lie_below_it() {
        let region = [("region", "eu-1")];
        for (url, options, key) in [
            ("s3://dumps/prod/eu", &region[..], "prod/eu/a=b/c.dump"),
            ("s3://dumps", &region[..], "a=b/c.dump"),
            ("file:///var/tmp/dumps", &[], "var/tmp/dumps/a=b/c.dump"),
        ] {
            let objects = open(url, options).unwrap();
            let path = objects.path("a=b/c.dump").unwrap();
            assert_eq!(path.as_ref(), key);
            assert_eq!(objects.url_of(&path), format!("{url}/a=b/c.dump"));
        }
    }

    #[test]
    fn a_url_that_leads_nowhere_says_what_one_is() {
        for (url, options, word) in [
            ("dumps", &[][..], "s3://BUCKET"),
            ("ftp://a/b", &[], "is no store"),
            ("https://example.com/a", &[], "is no store"),
            ("s3://a/b?region=x", &[], "[store.options]"),
            ("s3://a", &[("regoin", "x")], "regoin"),
            ("file:///tmp", &[("region", "x")], "no options"),
        ] {
            let error = format!("{:#}", open(url, options).unwrap_err());
            assert!(error.contains(word), "{url}: {error}");
        }
        let gone = open("file:///nowhere/at/all", &[]).unwrap().must_be_there().unwrap_err();
        assert!(gone.to_string().contains("mount it"), "{gone}");
    }
}
