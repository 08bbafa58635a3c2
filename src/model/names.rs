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

/// The kernel's own errnos that get out of it now and then; the C library has no names for them.
const KERNELS: [(i32, &str); 14] = [
    (515, "ENOIOCTLCMD"),
    (517, "EPROBE_DEFER"),
    (518, "EOPENSTALE"),
    (521, "EBADHANDLE"),
    (522, "ENOTSYNC"),
    (523, "EBADCOOKIE"),
    (524, "ENOTSUPP"),
    (525, "ETOOSMALL"),
    (526, "ESERVERFAULT"),
    (527, "EBADTYPE"),
    (528, "EJUKEBOX"),
    (529, "EIOCBQUEUED"),
    (530, "ERECALLCONFLICT"),
    (531, "ENOGRACE"),
];

/// `ENOENT`; the number where it has no name.
pub fn errno_name(errno: i32) -> String {
    match Errno::from_raw(errno) {
        Errno::UnknownErrno => {
            let kernels = KERNELS.iter().find(|(number, _)| *number == errno);
            kernels.map_or_else(|| errno.to_string(), |(_, name)| (*name).to_owned())
        }
        errno => format!("{errno:?}"),
    }
}
