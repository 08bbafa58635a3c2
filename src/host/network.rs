//! Network interfaces, which records know by number only: their names where the recorder is, and in the
//! network namespaces of living processes. Nobody is entered for it: /proc tells what there is to know.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::threads::stat;
use crate::{
    kernel::{network_of, own_network, sees_all_pids},
    model::Network,
};

/// Network namespaces that are told of at most.
const NETWORKS_MOST: usize = 64;

/// The names of the interfaces in this network namespace, by their numbers.
pub fn interfaces() -> BTreeMap<u32, String> {
    let Ok(all) = nix::net::if_::if_nameindex() else { return of_process("self") };
    let named =
        |interface: &nix::net::if_::Interface| Some((interface.index(), interface.name().to_str().ok()?.to_owned()));
    all.iter().filter_map(named).collect()
}

/// The networks that the processes are in, other than the recorder's.
pub(super) fn of(pids: &[u32]) -> Vec<Network> {
    if !sees_all_pids() {
        return Vec::new();
    }
    let mut found: BTreeMap<u32, Network> = BTreeMap::new();
    // The first process, too: the machine's own network is there for as long as it runs.
    let pids: BTreeSet<u32> = pids.iter().copied().chain([1]).collect();
    for pid in pids {
        let Some(number) = network_of(pid).filter(|number| Some(*number) != own_network()) else { continue };
        let Some(since) = started(pid) else { continue };
        // A number is given again: it can be trusted for as long as somebody is known to live there.
        let has_room = found.len() < NETWORKS_MOST;
        match found.get_mut(&number) {
            Some(network) => network.since = network.since.min(since),
            None if has_room => {
                let interfaces = of_process(&pid.to_string());
                if network_of(pid) == Some(number) {
                    found.insert(number, Network { number, since, interfaces });
                }
            }
            None => {}
        }
    }
    found.into_values().collect()
}

/// When a process started, CLOCK_BOOTTIME nanoseconds.
fn started(pid: u32) -> Option<u64> {
    // It is told in whole ticks, and was not before the next one.
    Some((stat(pid)?.starttime + 1) * (1_000_000_000 / procfs::ticks_per_second()))
}

/// The interfaces that a process sees: those that are up, and others with addresses.
fn of_process(pid: &str) -> BTreeMap<u32, String> {
    let table = |name: &str| fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default();
    let mut names = BTreeMap::new();
    names.extend(table("dev_mcast").lines().filter_map(group));
    names.extend(table("if_inet6").lines().filter_map(inet6));
    names.extend(table("igmp").lines().filter_map(igmp));
    names
}

/// A line of /proc/net/igmp: number, name, count and version. What is told of it stands below, indented.
fn igmp(line: &str) -> Option<(u32, String)> {
    let mut fields = line.split_whitespace().filter(|_| !line.starts_with(char::is_whitespace));
    Some((fields.next()?.parse().ok()?, fields.next()?.trim_end_matches(':').to_owned()))
}

/// A line of /proc/net/if_inet6: address, number, length, scope, flags, name.
fn inet6(line: &str) -> Option<(u32, String)> {
    let mut fields = line.split_whitespace().skip(1);
    Some((u32::from_str_radix(fields.next()?, 16).ok()?, fields.nth(3)?.to_owned()))
}

/// A line of /proc/net/dev_mcast: number, name, uses, address.
fn group(line: &str) -> Option<(u32, String)> {
    let mut fields = line.split_whitespace();
    Some((fields.next()?.parse().ok()?, fields.next()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc_net() {
        assert_eq!(igmp("4\teth0      :     1      V3"), Some((4, "eth0".to_owned())));
        assert_eq!(igmp("\t\t\t\t010000E0     1 0:00000000\t\t0"), None);
        assert_eq!(igmp("Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter"), None);
        let line = "fe80000000000000d05a23fffe000001 1f 40 20 80     eth0";
        assert_eq!(inet6(line), Some((31, "eth0".to_owned())));
        assert_eq!(group("2    eth0            1     0     01005e000001"), Some((2, "eth0".to_owned())));
        assert_eq!((inet6(""), group("")), (None, None));
    }

    #[test]
    fn the_own_network_is_no_other() {
        let numbers: Vec<u32> = of(&[std::process::id()]).iter().map(|network| network.number).collect();
        assert!(own_network().is_none_or(|own| !numbers.contains(&own)));
        assert!(started(std::process::id()).is_some_and(|since| since > 0));
        // Both ways tell the same where both tell.
        let names = interfaces();
        assert!(of_process("self").iter().all(|(number, name)| names.get(number) == Some(name)), "{names:?}");
    }
}
