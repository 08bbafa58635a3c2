//! From news to evidence: what the kernel and systemd tell, as something that may be worth a dump.
//!
//! A process that was killed because somebody wanted it to end is none. SIGKILL comes from whoever runs it more often
//! than from what went wrong: from its service manager or container runtime at a stop, from a parent that has done
//! with its child. Whether a unit failed by that, its service manager says; here it counts where it came from
//! elsewhere, or from the kernel for want of memory or for a limit.

use crate::{
    decode::escape,
    model::{Cause, Identity},
    recorder::{Asked, Notice, TrackId},
};

use super::trigger::Evidence;

/// Who stops units and containers, by the names of their processes (15 bytes at most): their signals are no crashes.
const STOPPERS: [&str; 24] = [
    "systemd",
    "systemd-machine",
    "systemd-nspawn",
    "containerd",
    "containerd-shim",
    "runc",
    "crun",
    "youki",
    "kata-runtime",
    "runsc",
    "dockerd",
    "docker-proxy",
    "podman",
    "conmon",
    "conmonrs",
    "crio",
    "kubelet",
    "k3s-server",
    "k3s-agent",
    "buildkitd",
    "lxc-start",
    "lxc-stop",
    "incusd",
    "lxd",
];

/// Whether somebody ended a process on purpose, by that signal.
fn is_stop(asked: &Asked, by: i32) -> bool {
    match asked {
        // The last signal that ends a process need not be the one that it ended for.
        Asked::Outside { signal, .. } if *signal != by => false,
        Asked::Outside { pid, comm, .. } => *pid == 1 || STOPPERS.contains(&comm.as_str()),
        Asked::Inside | Asked::Namespace => by == libc::SIGKILL,
        Asked::Nobody | Asked::Memory | Asked::Limit => false,
    }
}

/// What a shell exits with when a signal ended its command, and a program that was asked to end.
const SIGNALLED: i32 = 128;

/// What a process's end says; `identity` is its track's. `None`: it is nobody's in particular, or was meant.
pub(super) fn death(notice: &Notice, identity: &Identity, hears: impl Fn(Option<u32>) -> bool) -> Option<Evidence> {
    let Notice::Died { track, pid, comm, status, asked } = notice else { return None };
    // What is in no unit and no container is nobody's in particular; a pod's sandbox is always killed.
    if identity.cgroup == "/" || identity.is_sandbox() {
        return None;
    }
    let comm = escaped(comm);
    // Other deadly signals say that something is wrong, whoever sends them: a watchdog sends SIGABRT.
    let stopped = match libc::WTERMSIG(*status) {
        0 => is_stop(asked, libc::WEXITSTATUS(*status) - SIGNALLED),
        libc::SIGKILL => is_stop(asked, libc::SIGKILL),
        _ => false,
    };
    if stopped {
        tracing::debug!(%track, pid, comm, status, ?asked, "it was ended on purpose");
        return None;
    }
    let cause = if libc::WIFSIGNALED(*status) {
        Cause::Killed { pid: *pid, comm, signal: libc::WTERMSIG(*status), core: libc::WCOREDUMP(*status) }
    } else {
        Cause::Status { pid: *pid, comm, status: libc::WEXITSTATUS(*status) }
    };
    Some(evidence(*track, identity, cause, Some(*pid), hears))
}

fn escaped(name: &str) -> String {
    let mut text = String::new();
    escape(&mut text, name.as_bytes());
    text
}

/// Evidence about a track; `hears`: whether that user's service manager, or the system's, tells of its units.
pub(super) fn evidence(
    track: TrackId,
    identity: &Identity,
    cause: Cause,
    pid: Option<u32>,
    hears: impl Fn(Option<u32>) -> bool,
) -> Evidence {
    let is_unit = is_service(identity) && hears(identity.user);
    Evidence { track: track.0, name: limited_as(identity), cause, pid, is_unit }
}

/// The name by which dumps are limited: a user's container is not the system's of the same name. Units' names say
/// themselves whose they are.
fn limited_as(identity: &Identity) -> String {
    match (identity.user, &identity.container) {
        (Some(user), Some(_)) => format!("user@{user}/{identity}"),
        _ => identity.to_string(),
    }
}

/// Whether a service manager may tell us how it ends: it does not look at the processes of scopes and containers.
fn is_service(identity: &Identity) -> bool {
    identity.container.is_none() && identity.unit.as_ref().is_some_and(|unit| unit.ends_with(".service"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Container, Pod};

    fn died(status: i32) -> Option<Evidence> {
        died_in(&Identity { unit: Some("a.service".into()), ..Identity::default() }, status)
    }

    fn died_in(identity: &Identity, status: i32) -> Option<Evidence> {
        asked_in(identity, status, Asked::Nobody)
    }

    fn asked_in(identity: &Identity, status: i32, asked: Asked) -> Option<Evidence> {
        let notice = Notice::Died { track: TrackId(3), pid: 7, comm: "a\n".into(), status, asked };
        death(&notice, identity, |user| user != Some(1001))
    }

    #[test]
    fn what_somebody_ended_on_purpose_is_no_crash() {
        let counts = |status, asked| {
            let container = Identity { container: Some(Container::default()), ..Identity::default() };
            asked_in(&container, status, asked).is_some()
        };
        let by = |pid, comm: &str, signal| Asked::Outside { pid, comm: comm.into(), signal };
        for stop in [Asked::Inside, Asked::Namespace, by(1, "init", 9), by(70, "runc", 9), by(70, "systemd", 9)] {
            assert!(!counts(9, stop.clone()), "{stop:?}");
            assert!(counts(11, stop), "a fault is one, whatever came before it");
        }
        // By hand, for want of memory, for a limit; and where the killer was not seen.
        for crash in [by(70, "bash", 9), by(70, "runc", 15), Asked::Memory, Asked::Limit, Asked::Nobody] {
            assert!(counts(9, crash.clone()), "{crash:?}");
        }
        // A shell that is asked to end says so with its status.
        assert!(!counts(143 << 8, by(70, "crun", 15)));
        assert!(counts(143 << 8, Asked::Nobody) && counts(143 << 8, by(70, "bash", 15)));
        assert!(counts(1 << 8, by(70, "crun", 15)) && counts(143 << 8, by(70, "crun", 9)));
        assert!(STOPPERS.iter().all(|name| name.len() < 16));
    }

    #[test]
    fn a_pods_sandbox_is_killed_when_the_pod_is_stopped() {
        let pod = |container| Pod { uid: "u".into(), name: Some("cart".into()), container, ..Pod::default() };
        let of = |pod| Identity { container: Some(Container::default()), pod: Some(pod), ..Identity::default() };
        assert!(died_in(&of(pod(None)), 9).is_none());
        assert!(died_in(&of(pod(Some("web".into()))), 9).is_some());
    }

    #[test]
    fn units_are_judged_by_the_manager_that_is_heard() {
        let is_unit = |unit: &str, user| {
            let identity = Identity { unit: Some(unit.into()), user, ..Identity::default() };
            died_in(&identity, 3 << 8).unwrap().is_unit
        };
        assert!(is_unit("a.service", None) && is_unit("a.service", Some(1000)));
        assert!(!is_unit("a.service", Some(1001)) && !is_unit("a.scope", None));
    }

    #[test]
    fn a_user_does_not_use_up_the_dumps_of_the_systems_unit() {
        let name = |user| limited_as(&Identity { unit: Some("a.service".into()), user, ..Identity::default() });
        assert_eq!((name(None).as_str(), name(Some(1000)).as_str()), ("a.service", "user@1000/a.service"));
        let container = Some(Container { name: Some("web".into()), ..Container::default() });
        let name = |user| limited_as(&Identity { container: container.clone(), user, ..Identity::default() });
        assert_eq!((name(None).as_str(), name(Some(1000)).as_str()), ("web", "user@1000/web"));
    }

    #[test]
    fn ends_of_processes() {
        let cause = |status| died(status).map(|evidence| evidence.cause);
        let killed = Cause::Killed { pid: 7, comm: "a\\n".into(), signal: 11, core: true };
        assert_eq!(cause(0x8b), Some(killed));
        assert_eq!(cause(3 << 8), Some(Cause::Status { pid: 7, comm: "a\\n".into(), status: 3 }));
        assert!(died(9).is_some_and(|evidence| evidence.is_unit));
    }
}
