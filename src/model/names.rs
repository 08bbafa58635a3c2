//! Names that every format needs: signals and errnos.

use nix::errno::Errno;

/// The kernel's real-time signals.
const RTMIN: i32 = 32;
const RTMAX: i32 = 64;

/// `SIGSEGV`, `SIGRT_1`; the number where there is no such signal.
pub fn signal_name(signo: i32) -> String {
    match nix::sys::signal::Signal::try_from(signo) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) if signo == RTMIN => "SIGRTMIN".to_owned(),
        Err(_) if signo > RTMIN && signo <= RTMAX => format!("SIGRT_{}", signo - RTMIN),
        Err(_) => signo.to_string(),
    }
}

/// `ENOENT`; the number where it has no name.
pub fn errno_name(errno: i32) -> String {
    match Errno::from_raw(errno) {
        Errno::UnknownErrno => errno.to_string(),
        errno => format!("{errno:?}"),
    }
}
