//! `traceloop explain CALL`: the row of the table, in words.

use anyhow::{Result, bail};
use clap::Args;

use super::End;
use crate::syscall::{self, Abi, Arg, Class, Ret, Row};

/// Explain a system call: its arguments, what is captured and when
#[derive(Args, Debug)]
pub(super) struct Explain {
    /// The call's name or number; without it, all calls are listed
    #[arg(value_name = "CALL")]
    call: Option<String>,
    /// List the classes of calls that a set may name
    #[arg(long, conflicts_with = "call")]
    classes: bool,
    /// Print the JSON Schema that every line of `--format json` keeps to
    #[arg(long, conflicts_with_all = ["call", "classes"])]
    schema: bool,
}

impl Explain {
    pub(super) fn run(self) -> Result<End> {
        let abi = Abi::native(false);
        if self.classes {
            for (_, name, what) in Class::ALL {
                println!("%{name:12} {what}");
            }
            return Ok(End::Done);
        }
        if self.schema {
            print!("{}", crate::render::SCHEMA);
            return Ok(End::Done);
        }
        let Some(call) = self.call else {
            for nr in 0..syscall::NUMBERS {
                if let Some(name) = syscall::name(abi, nr) {
                    println!("{nr:4} {name}");
                }
            }
            return Ok(End::Done);
        };
        let by_number = call.parse::<u16>().ok().and_then(|nr| syscall::row(abi, nr));
        let Some(row) = by_number.or_else(|| syscall::find(&call)) else {
            bail!("there is no system call {call:?}; `traceloop explain` lists them all");
        };
        print(row);
        Ok(End::Done)
    }
}

fn print(row: &Row) {
    let names: Vec<_> = row.args.iter().map(|arg| arg.name).collect();
    println!("{}({}) -> {}", row.name, names.join(", "), words(&format!("{:?}", row.ret)));
    for (label, abi) in [("x86-64", Abi::X86_64), ("ia32", Abi::Ia32), ("aarch64", Abi::Aarch64)] {
        match syscall::number(abi, row.name) {
            Some(nr) => println!("  {label:8} {nr}"),
            None => println!("  {label:8} -"),
        }
    }
    let classes: Vec<_> = row.classes.iter().map(|class| format!("%{}", format!("{class:?}").to_lowercase())).collect();
    println!("  classes  {}", if classes.is_empty() { "-".to_owned() } else { classes.join(" ") });
    println!();
    arguments(row.args, &row.ret);
    for case in row.cases.iter().flat_map(|cases| cases.list) {
        let values: Vec<_> = case.values.iter().map(|value| format!("{value:#x}")).collect();
        let chosen_by = row.cases.map_or("", |cases| row.args.get(usize::from(cases.arg)).map_or("", |arg| arg.name));
        println!("\n  where {chosen_by} is {}:", values.join(", "));
        arguments(case.args, &case.ret);
    }
}

fn arguments(args: &[Arg], ret: &Ret) {
    for arg in args {
        let when = syscall::plan::when(&arg.kind, ret);
        println!("  {:16} {:40} {when}", arg.name, words(&format!("{:?}", arg.kind)));
    }
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
