"""Reads a dump's Perfetto trace with Perfetto's own classes and holds it against the dump's JSON lines.

usage: slices.py TRACELOOP DUMP
"""

import collections, json, subprocess, sys

from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

traceloop, dump = sys.argv[1:3]
show = lambda format: subprocess.check_output([traceloop, "show", "--format", format, dump])
lines = [json.loads(line) for line in show("json").splitlines()]
head, events = lines[0], [line for line in lines if line["type"] not in ("dump", "loss")]
calls = [event for event in events if event["type"] == "call"]
packets = Trace.FromString(show("perfetto")).packet
checks = []


def same(what, got, wanted):
    checks.append(what)
    if got != wanted:
        raise SystemExit(f"{what}: the trace has {got!r}, the dump {wanted!r}")


# Strings by number, tracks by number; packets by time, as Perfetto's importer takes them.
names, keys, texts, categories, threads, processes = {}, {}, {}, {}, {}, {}
marks, clocks = [], {}
for packet in packets:
    for words, interned in ((categories, packet.interned_data.event_categories), (names, packet.interned_data.event_names), (keys, packet.interned_data.debug_annotation_names)):
        words.update((word.iid, word.name) for word in interned)
    texts.update((word.iid, word.str.decode()) for word in packet.interned_data.debug_annotation_string_values)
    if packet.HasField("clock_snapshot"):
        clocks = {clock.clock_id: clock.timestamp for clock in packet.clock_snapshot.clocks}
    if packet.HasField("track_descriptor"):
        track = packet.track_descriptor
        if track.HasField("thread"):
            threads[track.uuid] = (track.thread.pid, track.thread.tid)
            same("a thread's process is described", track.parent_uuid in processes, True)
        elif track.HasField("process"):
            processes[track.uuid] = track.process.pid
    if packet.HasField("track_event"):
        marks.append((packet.timestamp, packet.track_event))
marks.sort(key=lambda mark: mark[0])

offset = clocks[1] - clocks[6]
same("the time of day", offset, head["clock_offset"])
same("threads", set(threads.values()), {(event["pid"], event["tid"]) for event in events})

note = lambda event: {keys[note.name_iid] if note.name_iid else note.name: texts[note.string_value_iid] if note.string_value_iid else note.string_value or note.int_value for note in event.debug_annotations}
name = lambda event: names[event.name_iid] if event.name_iid else event.name
open_slices, slices, instants, begun, ended = collections.defaultdict(list), [], [], collections.Counter(), collections.Counter()
for time, event in marks:
    if event.track_uuid not in threads:
        continue
    who = threads[event.track_uuid]
    if event.type == TrackEvent.TYPE_SLICE_BEGIN:
        open_slices[who].append((time, event))
        same("slices of a thread do not overlap", len(open_slices[who]), 1)
    elif event.type == TrackEvent.TYPE_SLICE_END:
        start, first = open_slices[who].pop()
        slices.append((who, start, time, first))
    else:
        instants.append((who, time, event))
    begun.update(event.flow_ids)
    ended.update(event.terminating_flow_ids)
unfinished = [(who, start, None, event) for who, rest in open_slices.items() for start, event in rest]
same("calls", len(slices) + len(unfinished), len(calls))
same("calls in flight", len(unfinished), sum(call.get("in_flight", False) for call in calls))

micros = lambda time: (time + offset) // 1000
key = lambda who, call, when, args, result: (who, call, when, args, result)
wanted = collections.Counter(key((call["pid"], call["tid"]), call["syscall"], round(call["ts"] * 1e6), tuple((arg["name"], arg["text"]) for arg in call["args"]), "in flight" if call.get("in_flight") else call["result"]) for call in calls)
rest = ("result", "errno", "return value")
got = collections.Counter(key(who, name(event), micros(start), tuple((word, text) for word, text in note(event).items() if word not in rest), note(event)["result"]) for who, start, _, event in slices + unfinished)
same("every call with its thread, time, arguments and result", [list((got - wanted).items())[:2], list((wanted - got).items())[:2]], [[], []])
lengths = collections.Counter(((call["pid"], call["tid"]), round(call["ts"] * 1e6), call["duration_ns"]) for call in calls if "duration_ns" in call and not call.get("in_flight") and call["result"] != "?")
got = collections.Counter((who, micros(start), end - start) for who, start, end, _ in slices)
same("lengths", list((lengths - got).items())[:2], [])
same("failed calls", sum("failed" in [categories[iid] for iid in event.category_iids] for *_, event in slices), sum("errno" in call for call in calls))
same("signals", collections.Counter(name(event) for *_, event in instants if "signal" in [categories[iid] for iid in event.category_iids]), collections.Counter(event["signal"] for event in events if event["type"] == "signal"))
same("ends", sum(name(event).startswith(("exited with", "killed by")) for *_, event in instants), sum(event["type"] == "exit" and "superseded_by" not in event for event in events))
same("an arrow ends once, where it began", {arrow: (begun[arrow], count) for arrow, count in ended.items() if (begun[arrow], count) != (1, 1)}, {})
known = {event["tid"] for event in events}
same("an arrow to each new thread whose parent is there", sum(name(event).startswith("starts ") for *_, event in instants) > 0, any(event["type"] == "fork" for event in events))
print(f"perfetto: {len(set(checks))} checks hold for {len(slices)} slices, {len(unfinished)} calls in flight, {len(instants)} marks, {len(ended)} arrows")
