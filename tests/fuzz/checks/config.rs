//! A configuration of any text is understood or refused with a word, and what is understood can be used.

use traceloop::daemon::Config;

/// Reads a configuration.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Config::parse(text) {
        Ok(config) => {
            let _ = (config.settings(), config.retention(), config.keeper());
            config.watching().expect("it was checked");
            assert!(Config::default().needs_restart(&config).len() < 10);
        }
        Err(error) => assert!(!format!("{error:#}").is_empty()),
    }
}
