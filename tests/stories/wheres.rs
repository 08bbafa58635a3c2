//! Where dumps and the daemon are is said once, in the same words for each verb.

use std::{fs, path::Path};

use traceloop::{decode, store::Store};

use super::support::{header, openat, recording_of, stderr, stdout, traceloop, traceloop_with};

/// Verbs that read the store, with what they need.
const READ: [&[&str]; 6] =
    [&["list"], &["info"], &["show"], &["stats"], &["delete", "nobody"], &["vacuum", "--max-age", "5000w"]];
/// Verbs that ask the daemon.
const ASK: [&[&str]; 7] =
    [&["ps"], &["add", "x"], &["close", "x"], &["dump", "x"], &["follow", "x"], &["stuck"], &["dump", "--save", "x"]];

/// A directory with a dump, and a configuration that names it and a socket.
fn place() -> (tempfile::TempDir, String, String) {
    let place = tempfile::tempdir().expect("a directory");
    let text = |path: &Path| path.to_str().expect("a path").to_owned();
    let directory = place.path().join("dumps");
    let recording = recording_of(header(), &[openat("/etc/missing", 8_000_000_000)]);
    Store::open(&directory).expect("a store").save(&decode::summed_up(recording)).expect("store a dump");
    let config = place.path().join("config.toml");
    let written = format!("socket = \"/nonexistent/of-config\"\n[store]\ndirectory = \"{}\"\n", directory.display());
    fs::write(&config, written).expect("a configuration");
    let (directory, config) = (text(&directory), text(&config));
    (place, directory, config)
}

#[test]
fn the_store_is_found_by_option_environment_and_configuration() {
    let (_place, directory, config) = place();
    let elsewhere = "/nonexistent/elsewhere";
    for verb in READ {
        let with = |before: &[&str], behind: &[&str], variables: &[(&str, &str)]| {
            let output = traceloop_with(variables, &[before, verb, behind].concat());
            let found = !stderr(&output).contains("is not there");
            assert_ne!(output.status.code(), Some(2), "{before:?} {verb:?} {behind:?}: {}", stderr(&output));
            found
        };
        let (environment, named) = (("TRACELOOP_DIRECTORY", &*directory), ("TRACELOOP_CONFIG", &*config));
        assert!(with(&["--directory", &directory], &[], &[]), "{verb:?}");
        assert!(with(&["-D", &directory], &["--socket", "/s"], &[]), "{verb:?}");
        assert!(with(&[], &["-D", &directory], &[]), "{verb:?}");
        assert!(with(&["-D", elsewhere], &["-D", &directory], &[]), "{verb:?}");
        assert!(with(&["--config", &config], &[], &[]), "{verb:?}");
        assert!(with(&[], &["--config", &config], &[]), "{verb:?}");
        assert!(with(&[], &[], &[environment]), "{verb:?}");
        assert!(with(&[], &[], &[named]), "{verb:?}");
        assert!(!with(&[], &["-D", elsewhere], &[environment, named]), "{verb:?}");
        assert!(!with(&[], &[], &[("TRACELOOP_DIRECTORY", elsewhere), named]), "{verb:?}");
    }
    // Without a verb, too.
    assert!(traceloop(&["-D", &directory]).status.success());
}

#[test]
fn the_daemon_is_found_by_option_environment_and_configuration() {
    let (_place, _, config) = place();
    for verb in ASK {
        let asked = |before: &[&str], behind: &[&str], variables: &[(&str, &str)]| {
            let output = traceloop_with(variables, &[before, verb, behind].concat());
            assert_eq!(output.status.code(), Some(1), "{before:?} {verb:?} {behind:?}: {}", stderr(&output));
            let said = stderr(&output);
            let of = ["/nonexistent/option", "/nonexistent/environment", "/nonexistent/of-config"];
            of.into_iter()
                .find(|socket| said.contains(socket))
                .map(|socket| socket.rsplit('/').next())
                .unwrap_or_default()
        };
        let option = ["--socket", "/nonexistent/option"];
        let environment = ("TRACELOOP_SOCKET", "/nonexistent/environment");
        assert_eq!(asked(&option, &[], &[environment]), Some("option"), "{verb:?}");
        assert_eq!(asked(&[], &option, &[environment]), Some("option"), "{verb:?}");
        assert_eq!(asked(&[], &["-D", "/d"], &[environment, ("TRACELOOP_CONFIG", &config)]), Some("environment"));
        assert_eq!(asked(&["--config", &config], &[], &[]), Some("of-config"), "{verb:?}");
        assert_eq!(asked(&[], &[], &[("TRACELOOP_CONFIG", &config)]), Some("of-config"), "{verb:?}");
    }
}

#[test]
fn where_it_means_nothing_it_is_refused() {
    for args in [&["--socket", "/s", "explain"][..], &["-D", "/d", "serve"], &["--config", "/c", "run", "--", "true"]] {
        let output = traceloop(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains("leave"), "{}", stderr(&output));
    }
    // A configuration that is named has to be there, and to be right.
    let output = traceloop(&["list", "--config", "/nonexistent/config"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
    assert!(stderr(&output).contains("read the configuration /nonexistent/config"), "{}", stderr(&output));
    // The environment is for all verbs, also those that need none of it.
    assert!(traceloop_with(&[("TRACELOOP_CONFIG", "/nonexistent/config")], &["explain", "openat"]).status.success());
}
