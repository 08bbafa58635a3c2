// What is looked at: a range of time, the events that the filters leave, the chosen one. Whoever draws
// listens here.

function makeView(events) {
  const view = {
    from: events.from, to: events.to,
    shown: new Uint8Array(events.count).fill(1),
    chosen: -1,
    filter: { text: "", call: "", thread: "", least: 0, failed: false, inView: false },
  };
  const listeners = [];
  let waiting = null;

  /** Calls `listener(what)` at the next frame, once for all that changed. */
  view.listen = (listener) => listeners.push(listener);
  const changed = (...what) => {
    if (waiting) {
      what.forEach((word) => waiting.add(word));
      return;
    }
    waiting = new Set(what);
    requestAnimationFrame(() => {
      const changes = waiting;
      waiting = null;
      if (changes.has("range") && view.filter.inView) {
        applyFilter();
        changes.add("filter");
      }
      listeners.forEach((listener) => listener(changes));
    });
  };
  view.changed = changed;

  /** Looks at a time; never at more than there is nor at less than a microsecond. */
  view.look = (from, to) => {
    const whole = events.to - events.from;
    const width = Math.min(whole, Math.max(1000, to - from));
    const middle = (from + to) / 2;
    view.from = Math.min(Math.max(events.from, middle - width / 2), events.to - width);
    view.to = view.from + width;
    changed("range");
  };
  view.zoom = (factor, around = (view.from + view.to) / 2) =>
    view.look(around - (around - view.from) * factor, around + (view.to - around) * factor);
  view.move = (share) => {
    const width = view.to - view.from, from = Math.min(Math.max(events.from, view.from + share * width), events.to - width);
    view.look(from, from + width);
  };

  view.choose = (n, show = true) => {
    view.chosen = n;
    if (show && n >= 0 && (events.end[n] < view.from || events.start[n] > view.to)) {
      const width = view.to - view.from;
      view.look(events.start[n] - width / 2, events.start[n] + width / 2);
    }
    changed("chosen");
  };

  view.setFilter = (filter) => {
    Object.assign(view.filter, filter);
    applyFilter();
    changed("filter");
  };

  function applyFilter() {
    const { text, call, thread, least, failed, inView } = view.filter;
    const wanted = matcher(text);
    // What is filtered by words is asked once for each word, not once for each event.
    const asked = new Int8Array(events.strings.length).fill(-1);
    const matches = (place) => {
      if (asked[place] < 0) asked[place] = wanted(events.strings[place]) ? 1 : 0;
      return asked[place] === 1;
    };
    for (let n = 0; n < events.count; n++) {
      view.shown[n] = (call === "" || events.strings[events.name[n]] === call)
        && (thread === "" || events.lane[n] === +thread)
        && (!failed || isBad(events, n))
        && (least === 0 || events.length[n] >= least || events.length[n] === -1)
        && (!inView || (events.end[n] >= view.from && events.start[n] <= view.to))
        && (!wanted || matches(events.name[n]) || matches(events.text[n]) || matches(events.result[n]) || matches(events.comm[n])) ? 1 : 0;
    }
  }
  return view;
}

/** A test for words: part of the text, or /regex/. `null`: everything. Throws on a regex that is none. */
function matcher(text) {
  if (text === "") return null;
  const regex = /^\/(.+)\/(i?)$/.exec(text);
  if (regex) {
    const wanted = new RegExp(regex[1], regex[2]);
    return (word) => wanted.test(word);
  }
  return (word) => word.includes(text);
}

/** `200ms`, `1.5s`, `30us`, `7ns`; a number alone is milliseconds. `NaN` for what is none. */
function parseLength(text) {
  if (text.trim() === "") return 0;
  const parts = /^\s*([0-9.]+)\s*(ns|us|µs|ms|s|)\s*$/.exec(text);
  return parts ? +parts[1] * { ns: 1, us: 1e3, "µs": 1e3, ms: 1e6, s: 1e9, "": 1e6 }[parts[2]] : NaN;
}

function showLength(nanoseconds) {
  if (nanoseconds === -1) return "in flight";
  if (nanoseconds < 0) return "";
  for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]]) {
    const value = nanoseconds / size;
    if (value >= 1) return (value >= 100 ? Math.round(value) : value.toPrecision(3)) + " " + unit;
  }
  return nanoseconds + " ns";
}

/** Times of day in the reader's zone. */
function makeClock([seconds, nanoseconds]) {
  let second = NaN, words = "";
  return (time) => {
    const whole = nanoseconds + time, at = seconds + Math.floor(whole / 1e9);
    if (at !== second) {
      second = at;
      words = new Date(at * 1000).toTimeString().slice(0, 8);
    }
    const micros = Math.floor((whole - Math.floor(whole / 1e9) * 1e9) / 1000);
    return `${words}.${String(micros).padStart(6, "0")}`;
  };
}

/** Makes an element; strings become text, never markup. */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value; else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}
