//! One JSON object a line; `type` tells calls, signals, exits and the rest apart. The first line of a
//! dump is a `dump` object with its identity and window. `dump.schema.json` says what each may hold.
//!
//! Nothing is lost: what is not UTF-8 has its bytes beside it, in base64.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Serialize;

use crate::model::{
    Call, Comm, Dump, Event, Exit, Field, Frame, Outcome, Stack, Step, Uring, Value, What, acts, errno_name,
};

/// The JSON Schema of a line.
pub const SCHEMA: &str = include_str!("dump.schema.json");

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Object<'a> {
    Dump(&'a Dump),
    Call {
        #[serde(flatten)]
        who: Who<'a>,
        syscall: &'a str,
        nr: i32,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        compat: bool,
        args: Vec<Argument<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        ret: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        errno: Option<String>,
        result: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        duration_ns: Option<u64>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        in_flight: bool,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        end_missing: bool,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        died: bool,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        cut: bool,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        capabilities: &'a [Cow<'static, str>],
        #[serde(skip_serializing_if = "Option::is_none")]
        stack: Option<StackObject<'a>>,
    },
    Signal {
        #[serde(flatten)]
        who: Who<'a>,
        signal: &'a str,
        info: &'a str,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        stops: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        sender_pid: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        sender_comm: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        sender_comm_bytes: Option<String>,
    },
    Exit {
        #[serde(flatten)]
        who: Who<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        signal: Option<String>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        core: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        superseded_by: Option<u32>,
    },
    Exec {
        #[serde(flatten)]
        who: Who<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        former_tid: Option<u32>,
    },
    Fork {
        #[serde(flatten)]
        who: Who<'a>,
        parent_tid: u32,
    },
    Join {
        #[serde(flatten)]
        who: Who<'a>,
    },
    Rename {
        #[serde(flatten)]
        who: Who<'a>,
    },
    Uring {
        #[serde(flatten)]
        who: Who<'a>,
        step: &'static str,
        ring: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        request: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        op: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        opcode: Option<u8>,
        user_data: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        fields: Option<Vec<Argument<'a>>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        res: Option<i32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        errno: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<&'a str>,
        #[serde(skip_serializing_if = "str::is_empty")]
        flags: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        duration_ns: Option<u64>,
    },
    Gap {
        ts: f64,
        until: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        records: Option<u64>,
        reason: &'a str,
    },
    Loss {
        count: u64,
        reason: &'a str,
    },
}

#[derive(Serialize)]
struct Who<'a> {
    /// Seconds since the epoch.
    ts: f64,
    /// Nanoseconds since the epoch.
    ts_ns: u64,
    pid: u32,
    tid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<u32>,
    comm: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comm_bytes: Option<String>,
    /// Whose it is, where the dump holds several cgroups.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
}

#[derive(Serialize)]
struct StackObject<'a> {
    frames: Vec<FrameObject<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    kernel: &'a [Box<str>],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ends: bool,
}

#[derive(Serialize)]
struct FrameObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    likely: bool,
}

#[derive(Serialize)]
struct Argument<'a> {
    name: &'a str,
    value: Plain<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    text: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Plain<'a> {
    Signed(i64),
    Unsigned(u64),
    Text(std::borrow::Cow<'a, str>),
}

pub(super) fn dump(
    out: &mut impl Write,
    pretty: bool,
    dump: &Dump,
    events: impl Iterator<Item = Event>,
) -> io::Result<()> {
    // Nothing stands in one's own part that does not stand in the whole.
    let dump = &Dump { own: None, ..dump.clone() };
    write(out, pretty, &Object::Dump(dump))?;
    let names = dump.names_of_each();
    for event in events {
        self::event(out, pretty, &event, dump.clock_offset, &names)?;
    }
    for loss in &dump.window.lost {
        write(out, pretty, &Object::Loss { count: loss.count, reason: &loss.reason })?;
    }
    Ok(())
}

pub(super) fn follow(
    out: &mut impl Write,
    pretty: bool,
    clock_offset: i64,
    names: &[String],
    events: &[Event],
) -> io::Result<()> {
    events.iter().try_for_each(|event| self::event(out, pretty, event, clock_offset, names))
}

fn event(out: &mut impl Write, pretty: bool, event: &Event, clock_offset: i64, names: &[String]) -> io::Result<()> {
    let comm = event.comm.to_string();
    let target = names.get(usize::from(event.whose)).map(String::as_str);
    write(out, pretty, &object(event, &comm, clock_offset, target))
}

fn write(out: &mut impl Write, pretty: bool, object: &Object<'_>) -> io::Result<()> {
    if pretty {
        return writeln!(out, "{}", json(object, pretty)?);
    }
    object.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Quiet))?;
    out.write_all(b"\n")
}

/// Compact, and without the characters that JSON allows in strings and terminals obey.
struct Quiet;

impl serde_json::ser::Formatter for Quiet {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(acts) {
            let (plain, from) = rest.split_at(at);
            out.write_all(plain.as_bytes())?;
            let mut chars = from.chars();
            if let Some(control) = chars.next() {
                write!(out, "\\u{:04x}", u32::from(control))?;
            }
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

/// An object as JSON without characters that could drive a terminal: on a line, or on several.
pub fn json(object: &impl Serialize, pretty: bool) -> serde_json::Result<String> {
    let text = if pretty { serde_json::to_string_pretty(object)? } else { serde_json::to_string(object)? };
    // The breaks between the lines of one that is indented are ours.
    Ok(text.lines().map(tame).collect::<Vec<_>>().join("\n"))
}

/// JSON without characters that could drive a terminal: they stand in strings only, where they may be escaped.
pub fn tame(json: &str) -> Cow<'_, str> {
    if !json.chars().any(acts) {
        return Cow::Borrowed(json);
    }
    json.chars()
        .fold(String::with_capacity(json.len()), |mut text, char| {
            if acts(char) {
                let _ = write!(text, "\\u{:04x}", u32::from(char));
            } else {
                text.push(char);
            }
            text
        })
        .into()
}

fn object<'a>(event: &'a Event, comm: &'a str, clock_offset: i64, target: Option<&'a str>) -> Object<'a> {
    #[allow(clippy::cast_precision_loss, reason = "microseconds since the epoch fit")]
    let seconds = |time: u64| (time.saturating_add_signed(clock_offset) / 1000) as f64 / 1e6;
    let ts = seconds(event.start);
    let who = Who {
        ts,
        ts_ns: event.start.saturating_add_signed(clock_offset),
        pid: event.pid,
        tid: event.tid,
        cpu: event.cpu,
        comm,
        comm_bytes: escaped(&event.comm, comm),
        target,
    };
    match &event.what {
        What::Call(call) => self::call(call, who),
        What::Signal(signal) => Object::Signal {
            who,
            signal: &signal.name,
            info: &signal.info,
            stops: signal.stops,
            sender_pid: signal.sender.map(|(pid, _)| pid),
            sender_comm: signal.sender.map(|(_, comm)| comm.to_string()),
            sender_comm_bytes: signal.sender.and_then(|(_, comm)| escaped(&comm, &comm.to_string())),
        },
        What::Exit(exit) => {
            let (status, signal, core, superseded_by) = match *exit {
                Exit::Status(status) => (Some(status), None, false, None),
                Exit::Killed { signo, core, .. } => (None, Some(crate::model::signal_name(signo)), core, None),
                Exit::Superseded { by } => (None, None, false, Some(by)),
            };
            Object::Exit { who, status, signal, core, superseded_by }
        }
        What::Exec { former } => Object::Exec { who, former_tid: Some(*former).filter(|former| *former != event.tid) },
        What::Fork { parent } => Object::Fork { who, parent_tid: *parent },
        What::Join => Object::Join { who },
        What::Rename => Object::Rename { who },
        What::Uring(request) => self::request(request, who),
        What::Gap(gap) => Object::Gap {
            ts,
            until: seconds(event.end),
            target,
            records: Some(gap.records).filter(|records| *records > 0),
            reason: &gap.reason,
        },
    }
}

/// The bytes of a name whose text does not tell them as they are.
fn escaped(comm: &Comm, text: &str) -> Option<String> {
    (comm.bytes() != text.as_bytes()).then(|| BASE64.encode(comm.bytes()))
}

fn argument<'a>(name: &'a str, value: &'a Value, text: &'a str) -> Argument<'a> {
    let (value, bytes) = match value {
        Value::Signed(value) => (Plain::Signed(*value), None),
        Value::Unsigned(value) => (Plain::Unsigned(*value), None),
        Value::Bytes(bytes) => {
            let lossy = std::str::from_utf8(bytes).is_err();
            (Plain::Text(String::from_utf8_lossy(bytes)), lossy.then(|| BASE64.encode(bytes)))
        }
    };
    Argument { name, value, bytes, text }
}

fn request<'a>(request: &'a Uring, who: Who<'a>) -> Object<'a> {
    let (mut fields, mut res, mut errno, mut result, mut flags, mut duration_ns) = (None, None, None, None, "", None);
    let step = match &request.step {
        Step::Submitted { fields: known } => {
            let field = |field: &'a Field| argument(field.name, &field.value, &field.text);
            fields = known.as_ref().map(|known| known.iter().map(field).collect());
            "submitted"
        }
        Step::Completed { result: how, text, flags: words, duration } => {
            res = Some(how.unwrap_or_else(|errno| errno.saturating_neg()));
            errno = how.err().map(errno_name);
            (result, flags, duration_ns) = (Some(&**text), words, *duration);
            "completed"
        }
    };
    let Uring { ring, number, op, opcode, user_data, .. } = request;
    Object::Uring {
        who,
        step,
        ring: *ring,
        request: *number,
        op: op.as_deref(),
        opcode: *opcode,
        user_data: *user_data,
        fields,
        res,
        errno,
        result,
        flags,
        duration_ns,
    }
}

fn call<'a>(call: &'a Call, who: Who<'a>) -> Object<'a> {
    let (ret, errno) = match &call.outcome {
        Outcome::Returned { value, .. } => (Some(*value), None),
        Outcome::Failed { errno, .. } => (Some(-1), Some(errno_name(*errno))),
        Outcome::Interrupted { .. }
        | Outcome::Never
        | Outcome::Died { .. }
        | Outcome::InFlight { .. }
        | Outcome::EndMissing => (None, None),
    };
    let args = call.args.iter().map(|arg| argument(arg.name, &arg.value, call.text_of(arg)));
    Object::Call {
        who,
        syscall: call.name(),
        nr: call.nr,
        compat: call.compat,
        args: args.collect(),
        ret,
        errno,
        result: call.outcome.text(),
        duration_ns: call.duration,
        in_flight: matches!(call.outcome, Outcome::InFlight { .. }),
        end_missing: matches!(call.outcome, Outcome::EndMissing),
        died: matches!(call.outcome, Outcome::Died { .. }),
        cut: call.cut,
        capabilities: &call.denied,
        stack: call.stack.as_deref().map(stack),
    }
}

fn stack(stack: &Stack) -> StackObject<'_> {
    let frames = stack.frames.iter().map(frame).collect();
    StackObject { frames, kernel: &stack.kernel, cut: stack.cut, ends: stack.ends }
}

fn frame(frame: &Frame) -> FrameObject<'_> {
    let symbol = frame.symbol.as_deref();
    FrameObject {
        module: frame.module,
        file: frame.file.as_deref(),
        at: frame.at,
        function: symbol.map(|symbol| symbol.name.as_str()),
        offset: symbol.map(|symbol| symbol.offset),
        source: symbol.and_then(|symbol| symbol.source.as_deref()),
        likely: frame.likely,
    }
}
