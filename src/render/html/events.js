// The dump's events as columns: an event is a number, its place in them.

const CALL = 0, SIGNAL = 1, EXIT = 2, FORK = 4;
const FAILED = 1, INTERRUPTED = 2, NEVER = 3, IN_FLIGHT = 4, END_MISSING = 5;

/** Takes a block of data out of the page. */
function take(name) {
  const found = [...document.querySelectorAll("script." + name)].map((script) => {
    const data = JSON.parse(script.textContent);
    script.remove();
    return data;
  });
  return found;
}

/** Reads the blocks of events; `count` is how many there are together. */
function readEvents(parts, count) {
  const events = {
    count,
    start: new Float64Array(count), length: new Float64Array(count), end: new Float64Array(count),
    kind: new Uint8Array(count), how: new Uint8Array(count), lane: new Uint32Array(count),
    tid: new Uint32Array(count), comm: new Uint32Array(count),
    name: new Uint32Array(count), text: new Uint32Array(count), result: new Uint32Array(count), errno: new Uint32Array(count), stack: new Uint32Array(count),
    bad: new Uint8Array(count), strings: [], lanes: [],
  };
  const places = new Map(), lanes = new Map();
  const intern = (text) => {
    let place = places.get(text);
    if (place === undefined) {
      place = events.strings.push(text) - 1;
      places.set(text, place);
    }
    return place;
  };
  const laneOf = ([tid, pid]) => {
    const key = pid + ":" + tid;
    // Until a record tells its process, a thread whose beginning is overwritten has none.
    const nameless = lanes.get("0:" + tid);
    if (pid && nameless !== undefined && !lanes.has(key) && events.kind[events.lanes[nameless].events.at(-1)] !== EXIT) {
      lanes.delete("0:" + tid);
      lanes.set(key, nameless);
      events.lanes[nameless].pid = pid;
    }
    if (!lanes.has(key)) lanes.set(key, events.lanes.push({ tid, pid, comm: "", events: [] }) - 1);
    return lanes.get(key);
  };
  let at = 0;
  for (const part of parts) {
    const strings = part.strings.map(intern), threads = [];
    for (let n = 0; n < part.start.length; n++, at++) {
      const thread = part.threads[part.thread[n]], lane = threads[part.thread[n]] ??= laneOf(thread);
      events.start[at] = part.start[n];
      events.length[at] = part.length[n];
      events.kind[at] = part.kind[n];
      events.how[at] = part.end[n];
      events.bad[at] = (part.kind[n] === CALL || part.kind[n] === EXIT) && hasFailed(part.end[n]) ? 1 : 0;
      events.lane[at] = lane;
      events.tid[at] = thread[0];
      events.comm[at] = strings[thread[2]];
      for (const column of ["name", "text", "result", "errno", "stack"]) events[column][at] = strings[part[column][n]];
      events.lanes[lane].events.push(at);
      if (part.strings[thread[2]]) events.lanes[lane].comm = part.strings[thread[2]];
    }
  }
  sortLanes(events);
  let last = -Infinity, first = Infinity;
  for (let n = 0; n < at; n++) {
    first = Math.min(first, events.start[n]);
    last = Math.max(last, events.start[n] + Math.max(0, events.length[n]));
  }
  events.from = at ? first : 0;
  events.to = at ? Math.max(last, first + 1000) : 1;
  for (let n = 0; n < at; n++) {
    const length = events.length[n];
    events.end[n] = length === -1 ? events.to : events.start[n] + Math.max(0, length);
  }
  return events;
}

/** Whether a call that ended so, or a process, failed; who was interrupted got an error, too. */
function hasFailed(how) {
  return how === FAILED || how === INTERRUPTED;
}

/** Threads of a process stand together, processes in the order in which they appear. */
function sortLanes(events) {
  const first = new Map();
  events.lanes.forEach((lane, n) => { if (!first.has(lane.pid)) first.set(lane.pid, n); });
  const order = events.lanes.map((_, n) => n)
    .sort((a, b) => first.get(events.lanes[a].pid) - first.get(events.lanes[b].pid) || a - b);
  const place = new Uint32Array(order.length);
  order.forEach((old, now) => { place[old] = now; });
  events.lanes = order.map((n) => ({ ...events.lanes[n], events: Uint32Array.from(events.lanes[n].events) }));
  for (let n = 0; n < events.count; n++) events.lane[n] = place[events.lane[n]];
}

/** The first place in a lane whose event begins at `time` or later. */
function lowerBound(events, list, time) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (events.start[list[middle]] < time) low = middle + 1; else high = middle;
  }
  return low;
}

/** Whether an event is a failure: a failed call, an exit by a signal or with a status other than 0. */
function isBad(events, n) {
  return events.bad[n] === 1;
}

/** An event in one line. */
function lineOf(events, n) {
  const word = (column) => events.strings[events[column][n]];
  return events.kind[n] === CALL ? `${word("name")}(${word("text")})` : word("text");
}

function resultOf(events, n) {
  if (events.kind[n] !== CALL) return "";
  if (events.how[n] === END_MISSING) return "its end is missing";
  return events.how[n] === IN_FLIGHT ? "in flight" : "= " + events.strings[events.result[n]];
}

function whoOf(events, n) {
  return `${events.strings[events.comm[n]] || events.lanes[events.lane[n]].comm}[${events.tid[n]}]`;
}
