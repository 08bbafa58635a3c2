//! How the kubelet names a pod's cgroup: `pod<uid>` below a `kubepods` (cgroupfs driver), or a slice that
//! ends in `-pod<uid>.slice`, with `_` for the uid's `-` (systemd driver). One that runs in a container
//! puts its own name before `kubepods`.

/// The uid of the pod whose cgroup has this name, at the end of the path `above`.
pub(super) fn uid_of(above: &str, directory: &str) -> Option<String> {
    let slice = directory.split_once(".slice").map(|(front, _)| front);
    let written = match slice {
        Some(front) if front.contains("kubepods") => front.rsplit_once("-pod")?.1,
        None if above.contains("kubepods") => directory.strip_prefix("pod")?,
        _ => return None,
    };
    let uid = written.replace('_', "-");
    // A static pod's uid is a hash without dashes.
    let long = matches!(uid.len(), 32 | 36);
    (long && uid.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())).then_some(uid)
}
