//! What the Perfetto UI opens: a track for each thread, a slice for each call, marks for signals and ends.
//!
//! Packets are written as events come; Perfetto sorts by time, and keeps the order of what has the same.
//! Times are CLOCK_BOOTTIME, Perfetto's own default, with a clock snapshot for the time of day.

mod flows;
mod messages;
mod strings;

use std::{
    collections::HashMap,
    io::{self, Write},
};

use prost::Message;

use self::{
    flows::Flows,
    messages::{
        BEGIN, BOOTTIME, CLEARED, Clock, ClockSnapshot, DebugAnnotation, END, INSTANT, Packet, ProcessDescriptor,
        REALTIME, REFERS, ThreadDescriptor, Trace, TrackDescriptor, TrackEvent,
    },
    strings::Strings,
};
use super::{uring, window};
use crate::model::{Call, Comm, Dump, Event, Exit, Outcome, Step, Uring, What, errno_name, signal_name};

/// The track of what concerns the whole dump; threads and processes have the numbers behind it.
const ABOUT: u64 = 1;

/// Writes a dump as a Perfetto trace.
#[derive(Debug)]
pub(super) struct Perfetto {
    strings: Strings,
    flows: Flows,
    /// What people call the cgroups, if there are several.
    names: Vec<String>,
    last: u64,
    processes: HashMap<u32, u64>,
    /// The track of a thread of a process, and the name that it was given.
    threads: HashMap<(u32, u32), (u64, Comm)>,
    /// The track in which a thread was seen last.
    latest: HashMap<u32, u64>,
    buffer: Vec<u8>,
}

impl Perfetto {
    /// Writes what stands before the events: the clocks, and what the dump says of itself.
    pub(super) fn begin(out: &mut dyn Write, dump: &Dump) -> io::Result<Self> {
        let mut trace = Self {
            strings: Strings::default(),
            flows: Flows::default(),
            names: dump.names_of_each(),
            last: ABOUT,
            processes: HashMap::new(),
            threads: HashMap::new(),
            latest: HashMap::new(),
            buffer: Vec::new(),
        };
        let clock = |clock, timestamp| Clock { clock_id: Some(clock), timestamp: Some(timestamp) };
        let clocks =
            vec![clock(BOOTTIME, dump.taken), clock(REALTIME, dump.taken.saturating_add_signed(dump.clock_offset))];
        let snapshot = ClockSnapshot { clocks, primary_trace_clock: Some(BOOTTIME) };
        let first = Packet { sequence_flags: Some(CLEARED), clock_snapshot: Some(snapshot), ..Packet::default() };
        trace.write(out, first)?;
        let name = format!("traceloop: {}", dump.names().join(" "));
        let about = TrackDescriptor { uuid: Some(ABOUT), name: Some(name), ..TrackDescriptor::default() };
        trace.write(out, Packet { track_descriptor: Some(about), ..Packet::default() })?;
        trace.about(out, dump)?;
        Ok(trace)
    }

    /// Takes an event; those of a dump come in the order in which they began.
    pub(super) fn event(&mut self, out: &mut dyn Write, event: &Event) -> io::Result<()> {
        if let What::Gap(gap) = &event.what {
            let mark = self.mark(ABOUT, &window::missing(event, gap), "dump");
            return self.instant(out, event.start, mark);
        }
        let track = self.track(out, event)?;
        match &event.what {
            What::Call(call) => self.call(out, track, event, call),
            What::Signal(signal) => {
                let arrow = self.flows.arrived(event, signal);
                let notes = vec![self.strings.text("siginfo", &signal.info)];
                let terminating_flow_ids = arrow.into_iter().collect();
                let mark = self.mark(track, &signal.name, "signal");
                let mark = TrackEvent { debug_annotations: notes, terminating_flow_ids, ..mark };
                self.instant(out, event.start, mark)
            }
            What::Exit(exit) => {
                let name = match exit {
                    Exit::Status(status) => format!("exited with {status}"),
                    Exit::Killed { signo, core, .. } => {
                        let core = if *core { " (core dumped)" } else { "" };
                        format!("killed by {}{core}", signal_name(*signo))
                    }
                    Exit::Superseded { by } => format!("superseded by execve in pid {by}"),
                };
                let mark = self.mark(track, &name, "process");
                self.instant(out, event.start, mark)
            }
            What::Fork { parent } => self.fork(out, track, event, *parent),
            What::Exec { .. } => {
                let mark = self.mark(track, "a new program runs", "process");
                self.instant(out, event.start, mark)
            }
            What::Join => {
                let mark = self.mark(track, "joined the cgroup", "process");
                self.instant(out, event.start, mark)
            }
            What::Uring(request) => self.request(out, track, event, request),
            What::Rename | What::Gap(_) => Ok(()),
        }
    }

    /// What the dump is, when and why it was made, and until when it is not complete.
    fn about(&mut self, out: &mut dyn Write, dump: &Dump) -> io::Result<()> {
        let window = window::lines(dump).join("\n");
        let notes = [
            ("cause", dump.cause.to_string()),
            ("recorded", dump.names().join(" ")),
            ("host", dump.host.clone()),
            ("kernel", dump.kernel.clone()),
            ("window", window),
        ];
        let notes = notes.iter().map(|(key, text)| self.strings.text(key, text)).collect();
        let mark = TrackEvent { debug_annotations: notes, ..self.mark(ABOUT, "dumped", "dump") };
        self.instant(out, dump.taken, mark)?;
        if let Some(from) = dump.window.complete_from {
            let name = "not complete: older calls of some CPUs are overwritten";
            let begin = TrackEvent { r#type: Some(BEGIN), ..self.mark(ABOUT, name, "dump") };
            self.instant(out, dump.began.min(from), begin)?;
            self.end(out, from, ABOUT)?;
        }
        Ok(())
    }

    fn call(&mut self, out: &mut dyn Write, track: u64, event: &Event, call: &Call) -> io::Result<()> {
        let mut notes: Vec<DebugAnnotation> =
            call.args.iter().map(|arg| self.strings.text(arg.name, call.text_of(arg))).collect();
        if let Some(stack) = &call.stack {
            notes.push(self.strings.text("stack", &stack.lines().join("\n")));
        }
        let mut categories = vec![self.strings.category("syscall")];
        match &call.outcome {
            Outcome::InFlight { .. } => notes.push(self.strings.text("result", "in flight")),
            outcome => {
                notes.push(self.strings.text("result", call.outcome.text()));
                match outcome {
                    Outcome::Returned { value, .. } => notes.push(self.strings.number("return value", *value)),
                    Outcome::Failed { errno, .. } => {
                        notes.push(self.strings.text("errno", &errno_name(*errno)));
                        categories.push(self.strings.category("failed"));
                    }
                    _ => {}
                }
            }
        }
        let begin = TrackEvent {
            r#type: Some(BEGIN),
            track_uuid: Some(track),
            name_iid: Some(self.strings.name(call.name())),
            category_iids: categories,
            debug_annotations: notes,
            flow_ids: self.flows.sent(event, call).into_iter().collect(),
            ..TrackEvent::default()
        };
        self.instant(out, event.start, begin)?;
        // A call in flight has no end: Perfetto shows it as one that did not finish.
        if event.end == u64::MAX { Ok(()) } else { self.end(out, event.end, track) }
    }

    /// A request of io_uring's, with an arrow from its submission to its completion.
    fn request(&mut self, out: &mut dyn Write, track: u64, event: &Event, request: &Uring) -> io::Result<()> {
        let submitted = matches!(request.step, Step::Submitted { .. });
        let name = format!("{} {}", uring::name(request), if submitted { "submitted" } else { "completed" });
        let mut mark = self.mark(track, &name, "io_uring");
        mark.debug_annotations = vec![self.strings.text("request", &uring::words(request))];
        let arrow = request.number.map(|number| Flows::request(request.ring, number));
        match submitted {
            true => mark.flow_ids.extend(arrow),
            false => mark.terminating_flow_ids.extend(arrow),
        }
        self.instant(out, event.start, mark)
    }

    /// A new thread, and an arrow to it from the call that made it.
    fn fork(&mut self, out: &mut dyn Write, track: u64, event: &Event, parent: u32) -> io::Result<()> {
        let mut born = self.mark(track, &format!("started by {parent}"), "process");
        if let Some(parents) = self.latest.get(&parent).copied() {
            let arrow = self.flows.arrow();
            let made = format!("starts {}", event.tid);
            let from = TrackEvent { flow_ids: vec![arrow], ..self.mark(parents, &made, "process") };
            self.instant(out, event.start, from)?;
            born.terminating_flow_ids.push(arrow);
        }
        self.instant(out, event.start, born)
    }

    fn mark(&mut self, track: u64, name: &str, category: &str) -> TrackEvent {
        TrackEvent {
            r#type: Some(INSTANT),
            track_uuid: Some(track),
            name: Some(name.to_owned()),
            category_iids: vec![self.strings.category(category)],
            ..TrackEvent::default()
        }
    }

    fn end(&mut self, out: &mut dyn Write, time: u64, track: u64) -> io::Result<()> {
        let end = TrackEvent { r#type: Some(END), track_uuid: Some(track), ..TrackEvent::default() };
        self.instant(out, time, end)
    }

    fn instant(&mut self, out: &mut dyn Write, time: u64, event: TrackEvent) -> io::Result<()> {
        self.write(out, Packet { timestamp: Some(time), track_event: Some(event), ..Packet::default() })
    }

    /// The track of the event's thread; a thread that is new or has a new name is described first.
    fn track(&mut self, out: &mut dyn Write, event: &Event) -> io::Result<u64> {
        let (tid, comm) = (event.tid, event.comm);
        // Where the records do not tell the process, the thread stands for itself.
        let pid = if event.pid == 0 { tid } else { event.pid };
        let known = self.threads.get(&(pid, tid)).copied();
        if let Some((track, name)) = known
            && (name == comm || comm == Comm::default())
        {
            self.latest.insert(tid, track);
            return Ok(track);
        }
        let track = known.map_or_else(|| self.next(), |(track, _)| track);
        self.threads.insert((pid, tid), (track, comm));
        self.latest.insert(tid, track);
        let process = match self.processes.get(&pid) {
            Some(process) => *process,
            None => self.next(),
        };
        let signed = |id: u32| i32::try_from(id).ok();
        if self.processes.insert(pid, process).is_none() || tid == pid {
            let whose = self.names.get(usize::from(event.whose)).map_or_else(String::new, |name| format!("{name} "));
            let descriptor = ProcessDescriptor { pid: signed(pid), process_name: Some(format!("{whose}{comm}")) };
            let described =
                TrackDescriptor { uuid: Some(process), process: Some(descriptor), ..TrackDescriptor::default() };
            self.write(out, Packet { track_descriptor: Some(described), ..Packet::default() })?;
        }
        let descriptor =
            ThreadDescriptor { pid: signed(pid), tid: Some(tid.into()), thread_name: Some(comm.to_string()) };
        let described = TrackDescriptor {
            uuid: Some(track),
            parent_uuid: Some(process),
            thread: Some(descriptor),
            ..TrackDescriptor::default()
        };
        self.write(out, Packet { track_descriptor: Some(described), ..Packet::default() })?;
        Ok(track)
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Writes a packet, with the strings that it is the first to name.
    fn write(&mut self, out: &mut dyn Write, mut packet: Packet) -> io::Result<()> {
        packet.trusted_packet_sequence_id = Some(1);
        packet.sequence_flags.get_or_insert(REFERS);
        packet.interned_data = self.strings.untold();
        self.buffer.clear();
        Trace { packet: vec![packet] }.encode(&mut self.buffer).map_err(io::Error::other)?;
        out.write_all(&self.buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Argument, Each, Identity, Signal, Value};

    fn event(tid: u32, pid: u32, start: u64, end: u64, what: What) -> Event {
        Event { start, end, tid, pid, comm: Comm(*b"worker\0\0\0\0\0\0\0\0\0\0"), whose: 0, cpu: None, what }
    }

    fn kill(target: i64, signo: i64) -> What {
        let arg = |name, value| Argument { name, from: 0, to: 1, value: Value::Signed(value) };
        What::Call(Box::new(Call {
            nr: 62,
            text: "7, 15".into(),
            args: vec![arg("pid", target), arg("sig", signo)],
            outcome: Outcome::Returned { value: 0, text: "0".into() },
            duration: Some(5),
            ..Call::of("kill")
        }))
    }

    fn written(events: &[Event]) -> Vec<Packet> {
        let mut out = Vec::new();
        let mut trace = Perfetto::begin(&mut out, &Dump::default()).unwrap();
        events.iter().for_each(|event| trace.event(&mut out, event).unwrap());
        Trace::decode(out.as_slice()).unwrap().packet
    }

    #[test]
    fn a_signal_has_an_arrow_from_the_call_that_sent_it() {
        let signal = Signal {
            signo: 15,
            name: "SIGTERM".into(),
            info: "{}".into(),
            stops: false,
            sender: Some((3, Comm::default())),
        };
        let packets = written(&[
            event(3, 3, 100, 105, kill(8, 15)),
            event(3, 3, 110, 115, kill(7, 15)),
            event(7, 7, 112, 112, What::Signal(signal)),
        ]);
        let events: Vec<_> = packets.into_iter().filter_map(|packet| packet.track_event).collect();
        let begun: Vec<_> = events.iter().map(|event| event.flow_ids.clone()).filter(|ids| !ids.is_empty()).collect();
        let ended: Vec<_> = events.iter().flat_map(|event| event.terminating_flow_ids.clone()).collect();
        assert_eq!((begun.len(), ended), (2, begun[1].clone()));
    }

    #[test]
    fn of_several_cgroups_a_process_has_its_unit_before_it() {
        let identity = |unit: &str| Identity { unit: Some(unit.into()), ..Identity::default() };
        let identities = vec![identity("web.service"), identity("db.service")];
        let dump = Dump { identities, each: vec![Each::default(); 2], ..Dump::default() };
        let mut out = Vec::new();
        let mut trace = Perfetto::begin(&mut out, &dump).unwrap();
        trace.event(&mut out, &Event { whose: 1, ..event(3, 3, 100, 105, kill(8, 15)) }).unwrap();
        let packets = Trace::decode(out.as_slice()).unwrap().packet;
        let processes = packets.into_iter().filter_map(|packet| packet.track_descriptor?.process?.process_name);
        assert_eq!(processes.collect::<Vec<_>>(), ["db.service worker"]);
    }

    #[test]
    fn a_string_is_written_once_and_a_call_in_flight_has_no_end() {
        let packets = written(&[event(3, 3, 100, 105, kill(8, 15)), event(3, 3, 110, u64::MAX, kill(7, 15))]);
        let names: usize =
            packets.iter().filter_map(|packet| packet.interned_data.as_ref()).map(|data| data.event_names.len()).sum();
        let kinds = |kind| {
            let events = packets.iter().filter_map(|packet| packet.track_event.as_ref());
            events.filter(|event| event.r#type == Some(kind) && event.track_uuid != Some(ABOUT)).count()
        };
        assert_eq!((names, kinds(BEGIN), kinds(END)), (1, 2, 1));
    }
}
