//! tests/README.md names tests: each of them is there.

use std::{fs, path::Path};

const README: &str = include_str!("../README.md");

/// The names in the last column of the tables, with what they hold.
fn named() -> Vec<(String, String)> {
    let rows = README.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    let mut named = Vec::new();
    for row in rows {
        let columns: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [first, .., last] = columns[..] else { panic!("{row:?} has no columns") };
        if last.trim() == "held by" {
            continue;
        }
        let names: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing holds {first:?}");
        named.extend(names.into_iter().map(|name| (name.to_owned(), first.trim().to_owned())));
    }
    named
}

/// Whether a name is a file, a module, or a test in one: `tests/soak/run`, `witness`, `stories::hostile::a_test`,
/// `watch::a_test` (of tests/kernel), `ring::snapshot::a_test` (beside the code).
fn is_there(name: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if name.contains('/') {
        let (file, test) = name.split_once("::").unwrap_or((name, ""));
        return fs::read_to_string(root.join(file)).is_ok_and(|text| test.is_empty() || text.contains(test));
    }
    let path: Vec<&str> = name.split("::").collect();
    let (test, modules) = path.split_last().expect("a name");
    let within = |place: &str| {
        let inside = |modules: &[&str]| root.join(place).join(modules.join("/"));
        let has =
            |file: std::path::PathBuf| fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("fn {test}(")));
        let module = inside(modules).to_string_lossy().into_owned();
        let files = ["{}.rs", "{}/mod.rs", "{}_tests.rs", "{}/tests.rs"].map(|form| form.replace("{}", &module));
        let whole = inside(&path).to_string_lossy().into_owned();
        files.into_iter().any(|file| has(file.into()))
            || Path::new(&format!("{whole}.rs")).exists()
            || Path::new(&format!("{whole}/mod.rs")).exists()
    };
    ["tests/kernel", "tests", "src"].into_iter().any(within)
}

#[test]
fn each_test_that_the_tables_name_is_there() {
    let named = named();
    assert!(named.len() > 40, "{} names", named.len());
    let missing: Vec<_> = named.iter().filter(|(name, _)| !is_there(name)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(!is_there("stories::hostile::no_such_test") && !is_there("nowhere") && !is_there("tests/nowhere"));
}

#[test]
fn each_promise_has_its_row() {
    let promises: Vec<&str> = README.lines().filter(|line| line.starts_with("| (")).collect();
    assert_eq!(promises.len(), 6, "{promises:?}");
}
