//! Where dumps are stored and where the daemon listens: as the command line says, the environment, or the configuration.
//! The options are the same for each verb that reads the one or asks the other, before the verb or behind it.

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Args;

use crate::{
    control::Client,
    daemon::{Config, Storage},
};

/// The environment's words for the options.
const DIRECTORY: &str = "TRACELOOP_DIRECTORY";
const SOCKET: &str = "TRACELOOP_SOCKET";
const CONFIG: &str = "TRACELOOP_CONFIG";
const IDENTITY: &str = "TRACELOOP_IDENTITY";

/// What the command line says of it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Where")]
pub(super) struct Given {
    /// The directory of dumps, or TRACELOOP_DIRECTORY [default: the configuration's]
    #[arg(short = 'D', long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The daemon's socket, or TRACELOOP_SOCKET [default: the configuration's]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// The file of the secret key of dumps that are encrypted, as age-keygen writes it, or TRACELOOP_IDENTITY
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// The daemon's configuration, or TRACELOOP_CONFIG [default: /etc/traceloop/traceloop.toml where it is there]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

impl Given {
    /// These, and of those that are not given what stood before the verb.
    fn or(self, before: Self) -> Self {
        Self {
            directory: self.directory.or(before.directory),
            socket: self.socket.or(before.socket),
            config: self.config.or(before.config),
            identity: self.identity.or(before.identity),
        }
    }

    /// The first of the options that is given and that only concerns the store or the daemon's clients.
    pub(super) fn of_clients(&self) -> Option<&'static str> {
        let given = [("--directory", &self.directory), ("--socket", &self.socket), ("--identity", &self.identity)];
        given.into_iter().find(|(_, path)| path.is_some()).map(|(name, _)| name)
    }

    /// The first of them that is given.
    pub(super) fn any(&self) -> Option<&'static str> {
        self.of_clients().or(self.config.as_ref().map(|_| "--config"))
    }

    /// What the environment says where the command line does not.
    fn or_environment(self, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        // An empty variable is one that somebody took back.
        let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        self.or(Self {
            directory: path(DIRECTORY),
            socket: path(SOCKET),
            config: path(CONFIG),
            identity: path(IDENTITY),
        })
    }
}

/// The configuration that is meant where the command line names none.
pub(super) fn config_of_environment() -> Option<PathBuf> {
    Given::default().or_environment(|name| env::var_os(name)).config
}

/// Where they are.
#[derive(Args, Clone, Debug)]
pub(super) struct Place {
    #[command(flatten)]
    given: Given,
    #[arg(skip = Found::by(&Given::default(), &Config::default()))]
    found: Found,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    directory: PathBuf,
    socket: PathBuf,
    /// The keeper's; none: the daemon is to have none.
    keeper: Option<PathBuf>,
    /// Of dumps that are encrypted.
    identity: Option<PathBuf>,
    /// Whether the daemon at this socket stores in this directory, as far as is known.
    together: bool,
}

impl Found {
    fn by(given: &Given, config: &Config) -> Self {
        let Storage { directory, .. } = &config.store;
        let together = given.socket.is_some() || given.directory.as_ref().is_none_or(|given| given == directory);
        Self {
            directory: given.directory.as_ref().unwrap_or(directory).clone(),
            socket: given.socket.as_ref().unwrap_or(&config.socket).clone(),
            keeper: match &given.socket {
                Some(socket) => Some(socket.with_file_name("keeper.sock")),
                None => config.keeper(),
            },
            identity: given.identity.clone(),
            together,
        }
    }
}

impl Place {
    /// Nothing is said of it.
    pub(super) fn usual() -> Self {
        let given = Given::default();
        Self { found: Found::by(&given, &Config::default()), given }
    }

    /// Takes in what stood before the verb, and finds out what nobody says.
    pub(super) fn settle(&mut self, before: Given) -> Result<()> {
        let given = std::mem::take(&mut self.given).or(before).or_environment(|name| env::var_os(name));
        self.found = Found::by(&given, &configured(given.config.as_deref())?);
        Ok(())
    }

    /// The directory of dumps.
    pub(super) fn directory(&self) -> &Path {
        &self.found.directory
    }

    /// The daemon's socket.
    pub(super) fn socket(&self) -> &Path {
        &self.found.socket
    }

    /// The keeper's socket, if the daemon is to have one.
    pub(super) fn keeper(&self) -> Option<&Path> {
        self.found.keeper.as_deref()
    }

    /// The file of the secret key of dumps that are encrypted.
    pub(super) fn identity(&self) -> Option<&Path> {
        self.found.identity.as_deref()
    }

    pub(super) fn client(&self) -> Client {
        Client::new(self.socket())
    }

    /// Whether the daemon stores in the directory, as far as is known.
    pub(super) fn is_daemons(&self) -> bool {
        self.found.together
    }
}

/// What the configuration says. One that was not asked for is no reason to fail.
fn configured(named: Option<&Path>) -> Result<Config> {
    match Config::read(named) {
        Err(error) if named.is_none() => {
            let closed = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
            if !error.downcast_ref::<io::Error>().is_some_and(closed) {
                super::say(format_args!("traceloop: {error:#}; the usual socket and directory are taken"))?;
            }
            Ok(Config::default())
        }
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(directory: Option<&str>, socket: Option<&str>) -> Given {
        Given { directory: directory.map(Into::into), socket: socket.map(Into::into), ..Given::default() }
    }

    #[test]
    fn what_is_nearer_counts() {
        let variable = |name: &str| match name {
            DIRECTORY => Some("/environment".into()),
            CONFIG => Some(OsString::new()),
            _ => None,
        };
        let all = given(None, Some("/behind")).or(given(None, Some("/before"))).or_environment(variable);
        let Given { directory, socket, config, .. } = all;
        assert_eq!(directory, Some("/environment".into()));
        assert_eq!(socket, Some("/behind".into()));
        assert_eq!(config, None);
    }

    #[test]
    fn the_daemon_is_asked_for_its_own_directory() {
        let config = Config::parse("socket = '/s'\n[store]\ndirectory = '/d'").unwrap();
        let found = |directory, socket| Found::by(&given(directory, socket), &config);
        let of = |directory: &str, socket: &str, together| Found {
            directory: directory.into(),
            socket: socket.into(),
            keeper: Some("/keeper.sock".into()),
            identity: None,
            together,
        };
        assert_eq!(found(None, None), of("/d", "/s", true));
        assert_eq!(found(Some("/d"), None), of("/d", "/s", true));
        assert_eq!(found(Some("/other"), None), of("/other", "/s", false));
        assert_eq!(found(Some("/other"), Some("/t")), of("/other", "/t", true));
    }
}
