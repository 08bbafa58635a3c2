//! What a target means among several.

use super::*;
use crate::{
    identity::of_path,
    model::{Container, Identity},
};

struct Machine(Vec<(Identity, bool)>);

impl Machine {
    fn new(paths: &[(&str, bool)]) -> Self {
        Self(paths.iter().map(|(path, live)| (of_path(path, 7), *live)).collect())
    }

    fn named(mut self, index: usize, name: &str) -> Self {
        let container = self.0[index].0.container.get_or_insert_with(Container::default);
        container.name = Some(name.to_owned());
        self
    }

    fn choose(&self, text: &str) -> Result<Vec<u64>, String> {
        let candidates: Vec<_> =
            (1..).zip(&self.0).map(|(ring, (identity, live))| Candidate { ring, identity, live: *live }).collect();
        let of_pid = |pid| match pid {
            42 => Ok("/system.slice/a.service/sub".to_owned()),
            43 => Ok("/elsewhere".to_owned()),
            _ => Err(format!("there is no process {pid}")),
        };
        let is_there = |path: &str| {
            let mut paths = self.0.iter().filter(|(_, live)| *live).map(|(identity, _)| identity.cgroup.as_str());
            ["", "/system.slice", "/system.slice/a.service/sub", INNER].contains(&path)
                || paths.any(|there| there == path)
        };
        let chosen = Target::parse(text).unwrap().choose_with(&candidates, of_pid, is_there);
        chosen.map(|chosen| chosen.iter().map(|chosen| chosen.ring).collect()).map_err(|error| error.to_string())
    }
}

const INNER: &str = "/machine.slice/machine-web.scope/payload/system.slice/nginx.service";

const USER: &str = "/user.slice/user-1000.slice/user@1000.service/app.slice";

#[test]
fn the_living_the_exact_and_the_own_come_first() {
    let user = format!("{USER}/a.service");
    let other = user.replace("1000", "1001");
    let machine = Machine::new(&[
        ("/system.slice/a.service", false),
        ("/system.slice/a.service", true),
        ("/system.slice/b.service", true),
        (&user, true),
        (&other, true),
        ("/system.slice/gone.service", false),
        ("/system.slice/gone.service", false),
    ]);
    assert_eq!(machine.choose("a.service"), Ok(vec![2]));
    assert_eq!(machine.choose("a"), Ok(vec![2]));
    assert_eq!(machine.choose("/system.slice/a.service"), Ok(vec![2]));
    assert_eq!(machine.choose("system.slice"), Ok(vec![2, 3]));
    assert_eq!(machine.choose("*.service"), Ok(vec![2, 3, 4, 5]));
    assert_eq!(machine.choose("gone"), Ok(vec![7]));
    assert_eq!(machine.choose("#1"), Ok(vec![1]));
    assert_eq!(machine.choose("user@1001.service"), Ok(vec![5]));
    assert_eq!(machine.choose("user@1001/a.service"), Ok(vec![5]));
    let error = machine.choose("app.slice").unwrap_err();
    assert!(
        error.starts_with(&format!("app.slice may mean user@1000/a.service ({USER}) or user@1001/a.service (")),
        "{error}"
    );
}

#[test]
fn processes() {
    let machine = Machine::new(&[("/system.slice/a.service", true), ("/lxc/44", true)]);
    assert_eq!(machine.choose("42"), Ok(vec![1]));
    assert_eq!(machine.choose("44"), Ok(vec![2]));
    assert_eq!(machine.choose("/system.slice/a.service/sub"), Ok(vec![1]));
    let error = machine.choose("43").unwrap_err();
    assert_eq!(
        error,
        "nothing that is recorded is called 43, and process 43 is in /elsewhere, which is not recorded; `traceloop ps` lists what is"
    );
    assert!(machine.choose("45").unwrap_err().contains("there is no process 45"));
}

#[test]
fn containers_of_one_name() {
    let (one, two) = ("a".repeat(64), format!("aaab{}", "c".repeat(60)));
    let (one, two) = (format!("/docker/{one}"), format!("/libpod_parent/libpod-{two}"));
    let both = |first, second| Machine::new(&[(&one, first), (&two, second)]).named(0, "web").named(1, "web");
    assert_eq!(both(false, true).choose("web"), Ok(vec![2]));
    assert_eq!(both(false, false).choose("web"), Ok(vec![2]));
    assert_eq!(both(true, false).choose("web"), Ok(vec![1]));
    assert!(both(true, true).choose("web").unwrap_err().contains(&format!("web ({one}) or web ({two}): give more")));
    assert!(both(false, false).choose("aaa").unwrap_err().contains("may mean"));
    assert_eq!(both(false, false).choose("aaab"), Ok(vec![2]));
}

#[test]
fn what_is_near_is_told() {
    let machine = Machine::new(&[("/system.slice/nginx.service", true), ("/system.slice/cron.service", true)]);
    for text in ["ngnix", "ngin", "Nginx", "nginx.servcie", "ginx"] {
        let error = machine.choose(text).unwrap_err();
        assert_eq!(error, format!("nothing that is recorded is called {text}; near it: nginx.service"));
    }
    assert!(machine.choose("postgres").unwrap_err().contains("`traceloop ps`"));
    assert!(machine.choose(&"x".repeat(4000)).unwrap_err().contains("ps"));
    assert!(machine.choose("#9").unwrap_err().contains("#9"));
}

#[test]
fn a_pod_is_its_containers() {
    let pod = "/kubepods/besteffort/pod0f8fad5b-d9cb-469f-a165-70867728950e";
    let paths = ["a", "b", "c"].map(|digit| format!("{pod}/{}", digit.repeat(64)));
    let mut machine = Machine::new(&[(&paths[0], true), (&paths[1], true), (&paths[2], false)]);
    let name = |machine: &mut Machine, index: usize, container: Option<&str>| {
        let pod = machine.0[index].0.pod.as_mut().unwrap();
        (pod.namespace, pod.name) = (Some("shop".into()), Some("cart".into()));
        pod.container = container.map(str::to_owned);
    };
    name(&mut machine, 0, None);
    assert_eq!(machine.choose("shop/cart"), Ok(vec![1]));
    name(&mut machine, 1, Some("web"));
    name(&mut machine, 2, Some("web"));
    assert_eq!(machine.choose("shop/cart"), Ok(vec![2]));
    assert_eq!(machine.choose("shop/cart/web"), Ok(vec![2]));
    assert_eq!(machine.choose("aaaa"), Ok(vec![1]));
    assert_eq!(machine.choose("kubepods"), Ok(vec![1, 2]));
    machine.0[1].1 = false;
    // The sandbox outlives them.
    for text in ["shop/cart/web", "shop/cart", "cart"] {
        assert_eq!(machine.choose(text), Ok(vec![3]));
    }
    assert_eq!(machine.choose("aaaa"), Ok(vec![1]));
}

#[test]
fn a_path_that_is_not_there_means_nothing_above_it() {
    let machine = Machine::new(&[("", true), ("/system.slice/a.service", true), ("/system.slice/type.service", true)]);
    let error = machine.choose("/system.slice/typo.service").unwrap_err();
    let wanted = "nothing that is recorded is called /system.slice/typo.service, and there is no such cgroup; near it: \
                  /system.slice, /system.slice/type.service";
    assert!(error.starts_with(wanted), "{error}");
    let error = machine.choose("/system.slice/a.service/nothere").unwrap_err();
    assert!(error.contains("near it: /system.slice/a.service"), "{error}");
    let error = machine.choose("/typo.service").unwrap_err();
    assert!(error.contains("there is no such cgroup"), "{error}");
    assert_eq!(machine.choose("/system.slice/a.service/sub"), Ok(vec![2]));
}

#[test]
fn a_unit_in_a_container_that_is_recorded_as_a_whole_is_found() {
    let machine = Machine::new(&[("/machine.slice/machine-web.scope", true), ("/system.slice/nginx.service", true)]);
    assert_eq!(machine.choose("web/nginx.service"), Ok(vec![1]));
    assert!(machine.choose("web/redis.service").unwrap_err().contains("nothing that is recorded"));
    assert_eq!(machine.choose("nginx.service"), Ok(vec![2]));
}
