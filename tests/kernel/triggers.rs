//! What makes dumps besides deaths: rates, rules of units, rules that come and go, and what is run for each dump.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use super::served::{Served, shown};

/// So many calls that fail, a millisecond apart or none.
fn accesses(count: usize, seconds: f64) -> String {
    format!(
        "exec python3 -c 'import os, time\nfor _ in range({count}):\n os.access(\"/nonexistent/x\", 0)\n time.sleep({seconds})'"
    )
}

#[test]
#[ignore = "needs root and BPF"]
fn a_rate_counts_and_a_rule_is_for_its_units() {
    let rules = "status = false\ntail = \"0ms\"\n[[triggers.rule]]\nunits = [\"*often.service\"]\n\
                 calls = [\"access=ENOENT:/nonexistent/*>50/s\"]\nwith = [\"*beside.service\"]";
    let served = Served::start("", rules);
    let (often, other, beside) =
        (served.cgroup("often.service"), served.cgroup("other.service"), served.cgroup("beside.service"));
    let _ = beside.command("exec cat /nonexistent/beside").status();
    // Not of that unit; and in that one, too seldom.
    let _ = other.command(&accesses(500, 0.0)).status();
    let _ = often.command(&accesses(40, 0.03)).status();
    sleep(Duration::from_secs(1));
    assert!(served.stored().is_empty(), "{:?}", served.stored());
    let _ = often.command(&accesses(500, 0.0)).status();
    let stored = served.wait_for_stored(1);
    let name = stored[0].display().to_string();
    assert!(name.contains("often.service") && name.contains("-call-"), "{name}");
    let text = shown(&stored[0]);
    assert!(text.contains("/nonexistent/x") && text.contains("/nonexistent/beside"), "{text}");
    let listed = served.told(&["trigger", "list", "--no-legend"]);
    let line = listed.lines().next().expect("a rule");
    assert!(line.contains("access=ENOENT:/nonexistent/*>50/s") && line.ends_with("configuration"), "{listed}");
}

#[test]
#[ignore = "needs root and BPF"]
fn rules_come_and_go_and_a_command_is_run_for_each_dump() {
    let place = tempfile::tempdir().expect("a directory");
    let said = place.path().join("said");
    let script =
        format!("echo $TRACELOOP_DUMP $TRACELOOP_REASON $TRACELOOP_TARGET: $TRACELOOP_SUMMARY >>{}", said.display());
    let served = Served::start("", &format!("status = false\ntail = \"0ms\"\nexec = [\"sh\", \"-c\", '{script}']"));
    let (web, db) = (served.cgroup("web.service"), served.cgroup("db.service"));
    let _ = db.command("exec cat /nonexistent/db").status();
    let _ = web.command("exec cat /nonexistent/a").status();
    sleep(Duration::from_millis(500));
    assert!(served.stored().is_empty(), "{:?}", served.stored());
    let number =
        served.told(&["trigger", "add", "openat=ENOENT:/nonexistent/*", "--unit", web.name(), "--with", db.name()]);
    let _ = web.command("exec cat /nonexistent/b").status();
    let stored = served.wait_for_stored(1);
    let text = shown(&stored[0]);
    assert!(text.contains("/nonexistent/b") && text.contains("/nonexistent/db"), "{text}");
    let rules: serde_json::Value =
        serde_json::from_str(&served.told(&["trigger", "list", "--json"])).expect("an object");
    assert_eq!((&rules["id"], &rules["units"][0]), (&1.into(), &web.name().into()), "{rules}");
    served.told(&["trigger", "rm", number.trim()]);
    let _ = web.command("exec cat /nonexistent/c").status();
    sleep(Duration::from_millis(500));
    assert_eq!(served.stored().len(), 1);
    let fired = served.told(&["trigger", "fire", web.name(), db.name()]);
    assert_eq!(served.stored().len(), 2);
    let until = Instant::now() + Duration::from_secs(20);
    let told = || fs::read_to_string(&said).unwrap_or_default();
    while told().lines().count() < 2 {
        assert!(Instant::now() < until, "{:?}: {}", told(), served.log());
        sleep(Duration::from_millis(20));
    }
    let told = told();
    let (first, second) = told.split_once('\n').expect("two lines");
    assert!(first.contains(&format!(" call {}", web.name())) && first.contains("cat["), "{told}");
    assert!(second.starts_with(&format!("{} request ", fired.trim())), "{told}");
    for (args, why) in [
        (&["trigger", "add", "openat"][..], "neither an errno nor a duration"),
        (&["trigger", "rm", "7"], "no rule that was added has the number 7"),
        (&["trigger", "fire", "nothing-is-called-so"], "nothing-is-called-so"),
    ] {
        let refused = served.verb(args);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains(why), "{args:?}: {said}");
    }
}
