//! Which words mean which cgroup.

use super::*;
use crate::identity::of_path;

const ID: &str = "8c1f2b3a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8";

fn fits(text: &str, identity: &Identity) -> Option<(Fit, bool, String)> {
    let target = Target::parse(text).unwrap();
    let found = best(&target, identity);
    assert_eq!(found.is_some(), identity.matches(&target));
    found.map(|found| (found.fit, found.foreign, found.place.to_owned()))
}

fn check(identity: &Identity, table: &[(&str, Fit, bool, &str)], none: &[&str]) {
    for (text, fit, foreign, place) in table {
        assert_eq!(fits(text, identity), Some((*fit, *foreign, (*place).to_owned())), "{text}");
    }
    for text in none {
        assert_eq!(fits(text, identity), None, "{text}");
    }
}

#[test]
fn a_unit() {
    let path = "/system.slice/system-getty.slice/getty@tty1.service";
    let slice = "/system.slice/system-getty.slice";
    let table = [
        ("getty@tty1.service", Fit::Exact, false, path),
        ("getty@tty1", Fit::Short, false, path),
        ("system-getty.slice/getty@tty1.service", Fit::Exact, false, path),
        ("system.slice/system-getty.slice", Fit::Around, false, slice),
        ("system-getty.slice", Fit::Around, false, slice),
        ("system.slice", Fit::Around, false, "/system.slice"),
        ("getty@", Fit::Exact, false, path),
        ("getty@.service", Fit::Exact, false, path),
        ("*.service", Fit::Exact, false, path),
        ("getty@tty?.service", Fit::Exact, false, path),
        ("/system.slice/*", Fit::Exact, false, path),
        ("/**/getty@*", Fit::Exact, false, path),
        (path, Fit::Exact, false, path),
        ("/system.slice/", Fit::Exact, false, "/system.slice"),
        ("/", Fit::Exact, false, ""),
        (&format!("/sys/fs/cgroup/unified{path}"), Fit::Exact, false, path),
    ];
    let none = [
        "getty",
        "getty@tty2",
        "system",
        "tty1.service",
        "/system",
        "/getty*",
        "foo@",
        "slice",
        "#7",
        "77",
        "/system.slice/b",
    ];
    check(&of_path(path, 7), &table, &none);
}

#[test]
fn units_of_users_and_escapes() {
    let manager = "/user.slice/user-1000.slice/user@1000.service";
    let path = format!("{manager}/app.slice/foo.service");
    let table = [
        ("foo.service", Fit::Exact, true, path.as_str()),
        ("foo", Fit::Short, true, &path),
        ("app.slice", Fit::Around, true, &path[..path.len() - 12]),
        ("user@1000.service", Fit::Around, false, manager),
        ("user-1000.slice", Fit::Around, false, "/user.slice/user-1000.slice"),
        ("user@1000.service/app.slice/foo.service", Fit::Exact, true, &path),
        ("user@1000/foo.service", Fit::Exact, false, &path),
        ("user@1000/*", Fit::Exact, false, &path),
    ];
    check(&of_path(&path, 7), &table, &["user@1000", "foo.socket", "user@1001/foo.service"]);
    let path = "/system.slice/_memory.service";
    check(&of_path(path, 7), &[("memory.service", Fit::Exact, false, path), ("memory", Fit::Short, false, path)], &[]);
    let path = "/system.slice/dev-disk-by\\x2dlabel-s.swap";
    check(
        &of_path(path, 7),
        &[("dev-disk-by\\x2dlabel-s.swap", Fit::Exact, false, path), ("dev-*\\x2d*", Fit::Exact, false, path)],
        &[],
    );
}

#[test]
fn a_container_and_what_is_in_it() {
    let scope = format!("/machine.slice/libpod-{ID}.scope");
    let path = format!("{scope}/container/system.slice/nginx.service");
    let mut identity = of_path(&path, 7);
    identity.container.as_mut().unwrap().name = Some("web".into());
    let unit = format!("libpod-{ID}.scope");
    let table = [
        ("web", Fit::Exact, false, scope.as_str()),
        (ID, Fit::Exact, false, &scope),
        (&ID[..12], Fit::Beginning, false, &scope),
        (&ID[..3], Fit::Beginning, false, &scope),
        (&unit, Fit::Around, false, &scope),
        ("nginx.service", Fit::Exact, true, &path),
        ("nginx", Fit::Short, true, &path),
        ("web/nginx.service", Fit::Exact, false, &path),
        ("w?b", Fit::Exact, false, &path),
        ("web/*", Fit::Exact, false, &path),
    ];
    check(&identity, &table, &[&ID[..2], "we", "8c1x", "web/nginx"]);
}

#[test]
fn a_pod() {
    let pod = "/kubepods/burstable/pod0f8fad5b-d9cb-469f-a165-70867728950e";
    let path = format!("{pod}/{ID}");
    let mut identity = of_path(&path, 7);
    let uid = identity.pod.as_ref().unwrap().uid.clone();
    check(&identity, &[(&uid, Fit::Exact, false, pod), (&ID[..8], Fit::Beginning, false, &path)], &["shop/cart-7"]);
    let (namespace, name, container) = (Some("shop".into()), Some("cart-7".into()), Some("web".into()));
    identity.pod = Some(Pod { uid, namespace, name, container });
    let table = [
        ("shop/cart-7", Fit::Exact, false, pod),
        ("shop/cart-7/web", Fit::Exact, false, &path),
        ("cart-7", Fit::Short, false, pod),
        ("shop/*", Fit::Exact, false, &path),
        ("shop/*/web", Fit::Exact, false, &path),
        ("cart-*", Fit::Exact, false, &path),
        ("kubepods", Fit::Around, false, "/kubepods"),
    ];
    check(
        &identity,
        &table,
        &["shop", "shop/", "shop/cart", "shop/cart-7/", "shop/cart-7/we", "cart-7/web", "shop/cart-71"],
    );
}

#[test]
fn containers_around_stay_findable() {
    let identity = of_path("/lxc.payload.outer/docker/ID".replace("ID", ID).as_str(), 7);
    let table =
        [("outer", Fit::Around, false, "/lxc.payload.outer"), (&ID[..6], Fit::Beginning, false, &identity.cgroup)];
    check(&identity, &table, &["oute"]);
    let number = of_path("/lxc/100/ns", 7);
    check(&number, &[("100", Fit::Exact, false, "/lxc/100")], &["101"]);
}
