//! `traceloop explain CALL`: the row of the table, in words.

use std::{
    collections::BTreeMap,
    io::{self, BufWriter, Write},
};

use anyhow::{Result, bail};
use clap::Args;
use clap_complete::ArgValueCandidates;
use serde::Serialize;

use super::{End, json::Json, offered};
use crate::syscall::{self, Abi, Arg, Class, Ret, Row};

/// Explain a system call: its arguments, what is captured and when
#[derive(Args, Debug)]
pub(super) struct Explain {
    /// The call's name or number; without it, all calls are listed
    #[arg(value_name = "CALL", add = ArgValueCandidates::new(offered::rows))]
    call: Option<String>,
    /// List the classes of calls that a set may name
    #[arg(long, conflicts_with = "call")]
    classes: bool,
    /// Print the JSON Schema that every line of `--format json` keeps to
    #[arg(long, conflicts_with_all = ["call", "classes"])]
    schema: bool,
    #[command(flatten)]
    json: Json,
}

/// A call for programs.
#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    /// By architecture; those that do not have it are left out.
    numbers: BTreeMap<&'a str, u16>,
    classes: Vec<String>,
    #[serde(flatten)]
    form: Form<'a>,
    /// Other arguments, by the value of one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cases: Vec<Case<'a>>,
}

#[derive(Serialize)]
struct Form<'a> {
    args: Vec<Argument<'a>>,
    returns: String,
}

#[derive(Serialize)]
struct Argument<'a> {
    name: &'a str,
    kind: String,
    captured: &'a str,
}

#[derive(Serialize)]
struct Case<'a> {
    chosen_by: &'a str,
    values: &'a [u64],
    #[serde(flatten)]
    form: Form<'a>,
}

impl Explain {
    pub(super) fn run(self) -> Result<End> {
        let (abi, json) = (Abi::native(false), self.json);
        let mut out = BufWriter::new(io::stdout().lock());
        if self.classes {
            for (_, name, what) in Class::ALL {
                if json.is_wanted() {
                    json.write(&mut out, &serde_json::json!({"class": format!("%{name}"), "what": what}))?;
                } else {
                    writeln!(out, "%{name:12} {what}")?;
                }
            }
        } else if self.schema {
            write!(out, "{}", crate::render::SCHEMA)?;
        } else if let Some(call) = self.call {
            let by_number = call.parse::<u16>().ok().and_then(|nr| syscall::row(abi, nr));
            let Some(row) = by_number.or_else(|| syscall::find(&call)) else {
                bail!("there is no system call {call:?}; `traceloop explain` lists them all");
            };
            if json.is_wanted() { json.write(&mut out, &told(row))? } else { print(&mut out, row)? }
        } else {
            for (nr, name) in (0..syscall::NUMBERS).filter_map(|nr| Some((nr, syscall::name(abi, nr)?))) {
                if json.is_wanted() {
                    json.write(&mut out, &serde_json::json!({"name": name, "number": nr}))?;
                } else {
                    writeln!(out, "{nr:4} {name}")?;
                }
            }
        }
        out.flush()?;
        Ok(End::Done)
    }
}

/// The architectures whose numbers are named.
const ARCHITECTURES: [(&str, Abi); 3] = [("x86-64", Abi::X86_64), ("ia32", Abi::Ia32), ("aarch64", Abi::Aarch64)];

fn told(row: &Row) -> Told<'_> {
    let number = |(label, abi)| Some((label, syscall::number(abi, row.name)?));
    let cases = row.cases.iter().flat_map(|cases| cases.list).map(|case| Case {
        chosen_by: chosen_by(row),
        values: case.values,
        form: form(case.args, &case.ret),
    });
    Told {
        name: row.name,
        numbers: ARCHITECTURES.into_iter().filter_map(number).collect(),
        classes: classes(row),
        form: form(row.args, &row.ret),
        cases: cases.collect(),
    }
}

fn form<'a>(args: &'a [Arg], ret: &Ret) -> Form<'a> {
    let argument = |arg: &'a Arg| Argument {
        name: arg.name,
        kind: words(&format!("{:?}", arg.kind)),
        captured: syscall::plan::when(&arg.kind, ret),
    };
    Form { args: args.iter().map(argument).collect(), returns: words(&format!("{ret:?}")) }
}

fn classes(row: &Row) -> Vec<String> {
    row.classes.iter().map(|class| format!("%{}", format!("{class:?}").to_lowercase())).collect()
}

/// The argument by whose value others mean something else.
fn chosen_by(row: &Row) -> &'static str {
    row.cases.map_or("", |cases| row.args.get(usize::from(cases.arg)).map_or("", |arg| arg.name))
}

fn print(out: &mut impl Write, row: &Row) -> Result<()> {
    let names: Vec<_> = row.args.iter().map(|arg| arg.name).collect();
    writeln!(out, "{}({}) -> {}", row.name, names.join(", "), words(&format!("{:?}", row.ret)))?;
    for (label, abi) in ARCHITECTURES {
        match syscall::number(abi, row.name) {
            Some(nr) => writeln!(out, "  {label:8} {nr}")?,
            None => writeln!(out, "  {label:8} -")?,
        }
    }
    let classes = classes(row);
    writeln!(out, "  classes  {}\n", if classes.is_empty() { "-".to_owned() } else { classes.join(" ") })?;
    arguments(out, row.args, &row.ret)?;
    for case in row.cases.iter().flat_map(|cases| cases.list) {
        let values: Vec<_> = case.values.iter().map(|value| format!("{value:#x}")).collect();
        writeln!(out, "\n  where {} is {}:", chosen_by(row), values.join(", "))?;
        arguments(out, case.args, &case.ret)?;
    }
    Ok(())
}

fn arguments(out: &mut impl Write, args: &[Arg], ret: &Ret) -> Result<()> {
    for arg in args {
        let when = syscall::plan::when(&arg.kind, ret);
        writeln!(out, "  {:16} {:40} {when}", arg.name, words(&format!("{:?}", arg.kind)))?;
    }
    Ok(())
}

/// A kind as the table writes it, without the vocabularies' contents.
fn words(debug: &str) -> String {
    let mut text = String::new();
    let mut rest = debug;
    while let Some(at) = rest.find("Words { unknown: \"") {
        text.push_str(&rest[..at]);
        let tail = &rest[at + "Words { unknown: \"".len()..];
        let end = tail.find('"').unwrap_or(0);
        text.push_str(&tail[..end]);
        let close = tail.find("] }").map_or(tail.len(), |close| close + 3);
        rest = &tail[close..];
    }
    text.push_str(rest);
    text
}
