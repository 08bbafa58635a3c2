//! Names and texts of errnos.

use std::sync::LazyLock;

use crate::model::errno_name;

const MOST: i32 = 532;

/// The kernel's own codes, which only tracers see: name and text.
const RESTARTS: [(i64, &str, &str); 5] = [
    (512, "ERESTARTSYS", "To be restarted if SA_RESTART is set"),
    (513, "ERESTARTNOINTR", "To be restarted"),
    (514, "ERESTARTNOHAND", "To be restarted if no handler"),
    (515, "ENOIOCTLCMD", "No ioctl command"),
    (516, "ERESTART_RESTARTBLOCK", "Interrupted by signal"),
];

struct Known {
    name: String,
    /// `-1 ENOENT (No such file or directory)`.
    result: String,
}

static TABLE: LazyLock<Vec<Option<Known>>> = LazyLock::new(|| {
    (0..MOST)
        .map(|number| {
            let name = errno_name(number);
            (name != number.to_string()).then(|| {
                let text = std::io::Error::from_raw_os_error(number).to_string();
                let text = text.rsplit_once(" (os error").map_or(text.clone(), |(text, _)| text.to_owned());
                Known { result: format!("-1 {name} ({text})"), name }
            })
        })
        .collect()
});

/// `ENOENT`, if the number has a name.
pub(super) fn name(errno: i32) -> Option<&'static str> {
    Some(&TABLE.get(usize::try_from(errno).ok()?)?.as_ref()?.name)
}

/// A failed call's result, if the number has a name.
pub(super) fn result(errno: i32) -> Option<&'static str> {
    Some(&TABLE.get(usize::try_from(errno).ok()?)?.as_ref()?.result)
}

/// Name and text of a result with which the kernel asks for a restart.
pub(super) fn restart(result: i64) -> Option<(&'static str, &'static str)> {
    let (_, name, text) = RESTARTS.iter().find(|(code, _, _)| -code == result)?;
    (*name != "ENOIOCTLCMD").then_some((name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts() {
        assert_eq!(result(2), Some("-1 ENOENT (No such file or directory)"));
        assert_eq!(result(524), Some("-1 ENOTSUPP (Unknown error 524)"));
        assert_eq!((name(0), result(400), name(-1), name(i32::MAX)), (None, None, None, None));
    }
}
