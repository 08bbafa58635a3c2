//! `--where`: a condition in the Common Expression Language over the fields of the JSON objects of events.
//!
//! What is wrong with one is known before anything is opened: it is parsed, each name is looked up, and what stands
//! between its logical operators is tried with a value of the kind that each field has. A field that an event has not
//! is no error later on: what is said of it does not hold, whichever way round (`errno != "ENOENT"` are calls that
//! failed otherwise). What cannot be worked out (`args[3]` of a call with one) does not hold either.

use std::{collections::HashMap, fmt, sync::Arc};

use anyhow::{Result, anyhow, bail, ensure};
use cel::{
    Context, Env, ExecutionError, IdedExpr, Program, Value as Cel,
    common::{
        ast::{CallExpr, EntryExpr, Expr, operators},
        value::{CowVal, Val},
    },
    context::VariableResolver,
};

use crate::model::{Argument, Call, Event, Exit, Outcome, Signal, Step, Uring, Value, What, errno_name, signal_name};

/// A field of an event.
struct Field {
    name: &'static str,
    kind: Kind,
    value: fn(&Event) -> Option<Cel>,
}

/// What a field is.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Text,
    Flag,
    Numbers,
    Texts,
    /// Maps of `name`, `value` and `text`.
    Arguments,
}

const fn field(name: &'static str, kind: Kind, value: fn(&Event) -> Option<Cel>) -> Field {
    Field { name, kind, value }
}

/// All fields, by the names that they have in JSON; `path` is the first of `paths`.
#[rustfmt::skip]
const FIELDS: &[Field] = &[
    field("type",          Kind::Text,      |event| text(event.what.kind())),
    field("pid",           Kind::Number,    |event| number(if event.pid == 0 { event.tid } else { event.pid })),
    field("tid",           Kind::Number,    |event| number(event.tid)),
    field("cpu",           Kind::Number,    |event| event.cpu.and_then(number)),
    field("comm",          Kind::Text,      |event| text(event.comm.to_string())),
    field("syscall",       Kind::Text,      |event| text(call(event)?.name())),
    field("nr",            Kind::Number,    |event| number(call(event)?.nr)),
    field("compat",        Kind::Flag,      |event| flag(call(event)?.compat)),
    field("args",          Kind::Arguments, args),
    field("path",          Kind::Text,      |event| Some(path(call(event)?.paths.first()?))),
    field("paths",         Kind::Texts,     |event| Some(call(event)?.paths.iter().map(path).collect::<Vec<_>>().into())),
    field("fds",           Kind::Numbers,   |event| Some(call(event)?.fds.iter().map(|fd| Cel::Int((*fd).into())).collect::<Vec<_>>().into())),
    field("ret",           Kind::Number,    |event| ret(call(event)?)),
    field("errno",         Kind::Text,      errno),
    field("result",        Kind::Text,      result),
    field("duration_ns",   Kind::Number,    |event| unsigned(duration(event)?)),
    field("in_flight",     Kind::Flag,      |event| flag(matches!(call(event)?.outcome, Outcome::InFlight { .. }))),
    field("end_missing",   Kind::Flag,      |event| flag(matches!(call(event)?.outcome, Outcome::EndMissing))),
    field("died",          Kind::Flag,      |event| flag(matches!(call(event)?.outcome, Outcome::Died { .. }))),
    field("cut",           Kind::Flag,      |event| flag(call(event)?.cut)),
    field("capabilities",  Kind::Texts,     capabilities),
    field("signal",        Kind::Text,      signal_of),
    field("info",          Kind::Text,      |event| text(&*signal(event)?.info)),
    field("stops",         Kind::Flag,      |event| flag(signal(event)?.stops)),
    field("sender_pid",    Kind::Number,    |event| number(signal(event)?.sender?.0)),
    field("sender_comm",   Kind::Text,      |event| text(signal(event)?.sender?.1.to_string())),
    field("status",        Kind::Number,    |event| if let Exit::Status(status) = exit(event)? { number(*status) } else { None }),
    field("core",          Kind::Flag,      |event| flag(matches!(exit(event)?, Exit::Killed { core: true, .. }))),
    field("superseded_by", Kind::Number,    |event| if let Exit::Superseded { by } = exit(event)? { number(*by) } else { None }),
    field("former_tid",    Kind::Number,    |event| if let What::Exec { former } = event.what { number(former) } else { None }),
    field("parent_tid",    Kind::Number,    |event| if let What::Fork { parent } = event.what { number(parent) } else { None }),
    field("step",          Kind::Text,      |event| text(if matches!(uring(event)?.step, Step::Submitted { .. }) { "submitted" } else { "completed" })),
    field("ring",          Kind::Number,    |event| number(uring(event)?.ring)),
    field("op",            Kind::Text,      |event| text(uring(event)?.op.as_deref()?)),
    field("user_data",     Kind::Number,    |event| unsigned(uring(event)?.user_data)),
    field("res",           Kind::Number,    |event| if let Step::Completed { result, .. } = &uring(event)?.step { number(result.unwrap_or_else(|errno| errno.saturating_neg())) } else { None }),
];

/// As in JSON, a call that lacked none has no such field.
fn capabilities(event: &Event) -> Option<Cel> {
    let denied = &call(event)?.denied;
    let names: Vec<Cel> = denied.iter().map(|name| name.to_string().into()).collect();
    (!names.is_empty()).then(|| names.into())
}

fn field_named(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// What is made of parts that are true or false.
const LOGICAL: [&str; 4] =
    [operators::LOGICAL_AND, operators::LOGICAL_OR, operators::LOGICAL_NOT, operators::CONDITIONAL];

/// Fields of JSON lines that are not known yet when events are chosen, and what chooses by them.
const ELSEWHERE: [(&str, &str); 4] = [
    ("ts", "--since and --until choose by time"),
    ("ts_ns", "--since and --until choose by time"),
    ("target", "`traceloop show` takes one dump, and all of it"),
    ("stack", "functions are looked up for what is shown only"),
];

/// A condition that was understood.
#[derive(Clone)]
pub struct Condition {
    text: Arc<str>,
    env: Arc<Env>,
    program: Arc<Program>,
    fields: Arc<[&'static str]>,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({:?})", self.text)
    }
}

impl Condition {
    /// `comm == "nginx" && errno == "ENOENT" && path.startsWith("/etc")`.
    pub fn parse(text: &str) -> Result<Self> {
        ensure!(!text.trim().is_empty(), "a condition is missing, as comm == \"nginx\" && errno == \"ENOENT\"");
        let env = Arc::new(Env::stdlib());
        let program = env.compile(text).map_err(|errors| match errors.errors.first() {
            Some(first) => anyhow!("{} {}", at(text, offset(text, first.pos)), first.msg),
            None => anyhow!("{text:?} is no condition"),
        })?;
        let mut check = Check { text, env: &env, program: &program, bound: Vec::new(), fields: Vec::new() };
        check.names(program.expression())?;
        check.parts(program.expression())?;
        let fields = check.fields.into();
        Ok(Self { text: text.into(), env, program: Arc::new(program), fields })
    }

    /// Whether it holds.
    pub fn holds(&self, event: &Event) -> bool {
        let known = Known(event);
        let mut context = Context::with_env(self.env.clone());
        context.set_variable_resolver(&known);
        matches!(self.program.execute(&context), Ok(Cel::Bool(true)))
    }

    /// Whether it asks for a field.
    pub fn asks_for(&self, name: &str) -> bool {
        self.fields.contains(&name)
    }
}

/// What an event has.
struct Known<'a>(&'a Event);

impl VariableResolver for Known<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        field_named(name).and_then(|field| owned((field.value)(self.0)?))
    }
}

/// A value of each field's kind.
struct Examples;

impl VariableResolver for Examples {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        field_named(name).and_then(|field| owned(example(field.kind)))
    }
}

fn owned<'b>(value: Cel) -> Option<CowVal<'b, 'b>> {
    Box::<dyn Val>::try_from(value).ok().map(CowVal::Owned)
}

fn example(kind: Kind) -> Cel {
    match kind {
        Kind::Number => Cel::Int(1),
        Kind::Text => "/".into(),
        Kind::Flag => Cel::Bool(false),
        Kind::Numbers => vec![Cel::Int(1)].into(),
        Kind::Texts => vec![Cel::from("/")].into(),
        Kind::Arguments => vec![argument("fd", Cel::Int(1), "1")].into(),
    }
}

/// Finds what is wrong with a condition, and where.
struct Check<'a> {
    text: &'a str,
    env: &'a Arc<Env>,
    program: &'a Program,
    /// Names that macros give to what they go over.
    bound: Vec<&'a str>,
    fields: Vec<&'static str>,
}

impl<'a> Check<'a> {
    /// Whether each name is a field's.
    fn names(&mut self, node: &'a IdedExpr) -> Result<()> {
        match &node.expr {
            Expr::Ident(name) if name.starts_with('@') || self.bound.contains(&name.as_str()) => Ok(()),
            Expr::Ident(name) => {
                let Some(field) = field_named(name) else {
                    let here = self.at(node);
                    if let Some((_, instead)) = ELSEWHERE.iter().find(|(elsewhere, _)| elsewhere == name) {
                        bail!("{here} no condition can be about {name}: {instead}");
                    }
                    let names: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
                    bail!("{here} an event has no field {name:?}; it has {}", names.join(", "));
                };
                self.fields.push(field.name);
                Ok(())
            }
            Expr::Call(call) => {
                call.target.iter().map(|target| &**target).chain(&call.args).try_for_each(|node| self.names(node))
            }
            Expr::Comprehension(over) => {
                self.names(&over.iter_range)?;
                let bound = self.bound.len();
                self.bound
                    .extend([Some(&over.iter_var), over.iter_var2.as_ref()].into_iter().flatten().map(String::as_str));
                self.bound.push(&over.accu_var);
                for part in [&over.accu_init, &over.loop_cond, &over.loop_step, &over.result] {
                    self.names(part)?;
                }
                self.bound.truncate(bound);
                Ok(())
            }
            Expr::List(list) => list.elements.iter().try_for_each(|node| self.names(node)),
            Expr::Select(select) => self.names(&select.operand),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| self.entry(&entry.expr)),
            Expr::Struct(of) => of.entries.iter().try_for_each(|entry| self.entry(&entry.expr)),
            Expr::Literal(_) | Expr::Unspecified => Ok(()),
        }
    }

    fn entry(&mut self, entry: &'a EntryExpr) -> Result<()> {
        match entry {
            EntryExpr::StructField(field) => self.names(&field.value),
            EntryExpr::MapEntry(entry) => self.names(&entry.key).and_then(|()| self.names(&entry.value)),
        }
    }

    /// Whether each part between logical operators is true or false, as far as that can be known.
    fn parts(&self, node: &IdedExpr) -> Result<()> {
        match &node.expr {
            Expr::Call(call) if LOGICAL.contains(&&*call.func_name) => {
                call.args.iter().try_for_each(|part| self.parts(part))
            }
            _ => self.part(node),
        }
    }

    fn part(&self, node: &IdedExpr) -> Result<()> {
        if let Expr::Call(call) = &node.expr {
            self.comparable(node, call)?;
        }
        match self.value(node) {
            Ok(Cel::Bool(_)) => Ok(()),
            Ok(_) => bail!("{} this is neither true nor false, as errno == \"ENOENT\" is", self.at(node)),
            // These come of the values, and may not come of others.
            Err(
                ExecutionError::IndexOutOfBounds(_)
                | ExecutionError::NoSuchKey(_)
                | ExecutionError::DivisionByZero(_)
                | ExecutionError::RemainderByZero(_)
                | ExecutionError::Overflow(..),
            ) => Ok(()),
            Err(ExecutionError::UndeclaredReference(name)) => bail!("{} there is no function {name:?}", self.at(node)),
            Err(error) => bail!("{} {error}", self.at(node)),
        }
    }

    /// What is of different kinds is never the same: nobody asks for that.
    fn comparable(&self, node: &IdedExpr, call: &CallExpr) -> Result<()> {
        let ([left, right], operators::EQUALS | operators::NOT_EQUALS | operators::IN) =
            (&call.args[..], &*call.func_name)
        else {
            return Ok(());
        };
        let plain = |node: &IdedExpr| matches!(node.expr, Expr::Ident(_) | Expr::Literal(_) | Expr::List(_));
        if !plain(left) || !plain(right) {
            return Ok(());
        }
        let (Ok(left), Ok(right)) = (self.value(left), self.value(right)) else { return Ok(()) };
        let rights = match (&right, &*call.func_name) {
            (Cel::List(list), operators::IN) => list.to_vec(),
            _ => vec![right],
        };
        match rights.iter().find(|right| said(&left) != said(right)) {
            Some(right) => bail!("{} {} is compared with {}", self.at(node), said(&left), said(right)),
            None => Ok(()),
        }
    }

    fn value(&self, node: &IdedExpr) -> Result<Cel, ExecutionError> {
        let mut context = Context::with_env(self.env.clone());
        context.set_variable_resolver(&Examples);
        context.resolve(node)
    }

    fn at(&self, node: &IdedExpr) -> String {
        // What macros make stands nowhere itself.
        at(self.text, self.program.source_info().offset_for(node.id).map_or(0, |(start, _)| start as usize))
    }
}

/// A place in a condition, in words.
fn at(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let rest: String = text[before.len()..].chars().take(20).collect();
    let place = before.chars().count() + 1;
    if rest.is_empty() { format!("at its end ({place}):") } else { format!("at {place} ({rest:?}):") }
}

/// The place of a line and column, which count from 1.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let before = usize::try_from(line - 1).unwrap_or(0);
    let lines: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    lines + usize::try_from(column - 1).unwrap_or(0)
}

/// What a value is, in words; numbers of all kinds can be compared.
fn said(value: &Cel) -> &'static str {
    match value {
        Cel::Int(_) | Cel::UInt(_) | Cel::Float(_) => "a number",
        Cel::String(_) => "a text",
        Cel::Bool(_) => "what is true or false",
        Cel::List(_) => "a list",
        Cel::Map(_) => "a map",
        _ => "something else",
    }
}

fn text(text: impl AsRef<str>) -> Option<Cel> {
    Some(text.as_ref().into())
}

fn number(number: impl Into<i64>) -> Option<Cel> {
    Some(Cel::Int(number.into()))
}

fn unsigned(number: u64) -> Option<Cel> {
    Some(i64::try_from(number).map_or(Cel::UInt(number), Cel::Int))
}

fn flag(flag: bool) -> Option<Cel> {
    Some(Cel::Bool(flag))
}

#[allow(clippy::borrowed_box, reason = "it is what a call has")]
fn path(path: &Box<[u8]>) -> Cel {
    (&*String::from_utf8_lossy(path)).into()
}

fn call(event: &Event) -> Option<&Call> {
    if let What::Call(call) = &event.what { Some(call) } else { None }
}

fn signal(event: &Event) -> Option<&Signal> {
    if let What::Signal(signal) = &event.what { Some(signal) } else { None }
}

fn exit(event: &Event) -> Option<&Exit> {
    if let What::Exit(exit) = &event.what { Some(exit) } else { None }
}

fn uring(event: &Event) -> Option<&Uring> {
    if let What::Uring(request) = &event.what { Some(request) } else { None }
}

fn args(event: &Event) -> Option<Cel> {
    let call = call(event)?;
    let of = |arg: &Argument| argument(arg.name, plain(&arg.value), call.text_of(arg));
    Some(call.args.iter().map(of).collect::<Vec<_>>().into())
}

fn argument(name: &str, value: Cel, text: &str) -> Cel {
    HashMap::from([("name", Cel::from(name)), ("value", value), ("text", text.into())]).into()
}

fn plain(value: &Value) -> Cel {
    match value {
        Value::Signed(value) => Cel::Int(*value),
        Value::Unsigned(value) => i64::try_from(*value).map_or(Cel::UInt(*value), Cel::Int),
        Value::Bytes(bytes) => (&*String::from_utf8_lossy(bytes)).into(),
    }
}

fn ret(call: &Call) -> Option<Cel> {
    match call.outcome {
        Outcome::Returned { value, .. } => number(value),
        Outcome::Failed { .. } => number(-1),
        _ => None,
    }
}

fn errno(event: &Event) -> Option<Cel> {
    let errno = match &event.what {
        What::Call(call) => match call.outcome {
            Outcome::Failed { errno, .. } => errno,
            _ => return None,
        },
        What::Uring(request) => match request.step {
            Step::Completed { result: Err(errno), .. } => errno,
            _ => return None,
        },
        _ => return None,
    };
    text(errno_name(errno))
}

fn result(event: &Event) -> Option<Cel> {
    match &event.what {
        What::Call(call) => text(call.outcome.text()),
        What::Uring(request) => match &request.step {
            Step::Completed { text: result, .. } => text(result),
            Step::Submitted { .. } => None,
        },
        _ => None,
    }
}

fn duration(event: &Event) -> Option<u64> {
    match &event.what {
        What::Call(call) => call.duration,
        What::Uring(request) => match request.step {
            Step::Completed { duration, .. } => duration,
            Step::Submitted { .. } => None,
        },
        _ => None,
    }
}

fn signal_of(event: &Event) -> Option<Cel> {
    match &event.what {
        What::Signal(signal) => text(&signal.name),
        What::Exit(Exit::Killed { signo, .. }) => text(signal_name(*signo)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Comm;

    fn event(what: What) -> Event {
        let mut name = [0; 16];
        name[..5].copy_from_slice(b"nginx");
        Event { start: 1, end: 2, tid: 8, pid: 7, comm: Comm(name), whose: 0, cpu: None, what }
    }

    fn openat(outcome: Outcome) -> Event {
        let mut call = Call {
            text: "3".into(),
            args: vec![Argument { name: "dfd", from: 0, to: 1, value: Value::Signed(3) }],
            outcome,
            paths: vec![b"/etc/nginx.conf".as_slice().into()],
            fds: vec![3],
            duration: Some(1500),
            ..Call::of("openat")
        };
        call.nr = 257;
        event(What::Call(Box::new(call)))
    }

    fn failed() -> Event {
        openat(Outcome::Failed { errno: libc::ENOENT, text: "-1 ENOENT (No such file or directory)".into() })
    }

    fn holds(condition: &str, event: &Event) -> bool {
        Condition::parse(condition).unwrap_or_else(|error| panic!("{condition}: {error}")).holds(event)
    }

    #[test]
    fn conditions_in_the_fields_own_words() {
        for condition in [
            r#"comm == "nginx" && errno == "ENOENT" && path.startsWith("/etc")"#,
            "pid == 7 && tid != pid && nr == 257",
            "duration_ns > 1000 && ret < 0",
            r#"paths.exists(one, one.endsWith(".conf")) && size(fds) == 1"#,
            r#"syscall in ["openat", "open"] && !in_flight"#,
            r#"path.matches("^/etc/.*[.]conf$")"#,
            r#"type == "call" && result.contains("No such")"#,
            r#"args[0].name == "dfd" && args[0].value == 3 && args.exists(arg, arg.text == "3")"#,
            "3 in fds && !(4 in fds)",
            // What a call has not does not decide where something else does.
            r#"signal == "SIGSEGV" || errno == "ENOENT""#,
        ] {
            assert!(holds(condition, &failed()), "{condition}");
        }
        assert!(!holds(r#"errno == "EACCES""#, &failed()) && !holds("ret == 3", &failed()));
        assert!(holds(r#"status == 1 && !core"#, &event(What::Exit(Exit::Status(1)))));
        assert!(holds(r#"type == "gap" || pid == 7"#, &event(What::Join)));
    }

    #[test]
    fn what_is_missing_does_not_match_whichever_way_round() {
        let fine = openat(Outcome::Returned { value: 3, text: "3".into() });
        for condition in [r#"errno == "ENOENT""#, r#"errno != "ENOENT""#, r#"!(errno == "ENOENT")"#, "status == 0"] {
            assert!(!holds(condition, &fine), "{condition}");
        }
        assert!(holds(r#"errno != "EACCES""#, &failed()));
        // There is no such argument.
        assert!(!holds(r#"args[3].text != "x""#, &fine));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (wrong, at, what) in [
            ("", "", "a condition is missing"),
            ("comm ==", "at ", ""),
            ("command == \"x\"", "at 1 (\"command", "no field \"command\"; it has type, pid"),
            ("pid == 7 && comand == \"x\"", "at 13 (\"comand", "no field \"comand\""),
            ("pid == 7 && (tid + 1)", "at ", "neither true nor false"),
            ("pid == 7 && comm", "at 13 (\"comm", "neither true nor false"),
            ("comm == \"x\" || nonsense(pid)", "at ", "no function \"nonsense\""),
            ("comm == \"x\" || pid.startsWith(\"1\")", "at ", ""),
            ("pid == 7 && errno == 2", "at ", "a text is compared with a number"),
            ("syscall in [1]", "at ", "a text is compared with a number"),
            ("paths.exists(one, two == one)", "at 19 (\"two == one", "no field \"two\""),
            ("ts > 1", "at 1 ", "--since and --until"),
        ] {
            let said = format!("{:#}", Condition::parse(wrong).err().unwrap_or_else(|| panic!("{wrong:?} is taken")));
            assert!(said.starts_with(at) && said.contains(what) && !said.contains('\n'), "{wrong:?}: {said}");
        }
    }
}
