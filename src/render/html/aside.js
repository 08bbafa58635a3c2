// Beside the table: the chosen event whole, the calls by their time, how long they took; and each
// process's last words.

/** Colours of calls: the seven with the most time have one of their own. */
function makeColours(events) {
  const times = new Map();
  for (let n = 0; n < events.count; n++) {
    if (events.kind[n] === CALL) times.set(events.name[n], (times.get(events.name[n]) ?? 0) + Math.max(0, events.length[n]));
  }
  const most = [...times.keys()].sort((a, b) => times.get(b) - times.get(a)).slice(0, 7);
  const colours = new Map(most.map((name, n) => [name, "c" + n]));
  return { of: (name) => colours.get(name) ?? "c7" };
}

function makeAside(events, view, colours, clock) {
  const chosen = document.getElementById("chosen"), calls = document.getElementById("calls"), latency = document.getElementById("latency");

  function count() {
    const lines = new Map(), buckets = [];
    for (let n = 0; n < events.count; n++) {
      if (!view.shown[n] || events.kind[n] !== CALL) continue;
      const length = events.length[n];
      let line = lines.get(events.name[n]);
      if (!line) lines.set(events.name[n], line = { name: events.name[n], calls: 0, failed: 0, total: 0, longest: 0 });
      line.calls++;
      line.failed += hasFailed(events.how[n]) ? 1 : 0;
      if (length < 0 || events.how[n] === NEVER) continue;
      line.total += length;
      line.longest = Math.max(line.longest, length);
      const bucket = length < 1 ? 0 : Math.floor(Math.log2(length));
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    return [[...lines.values()].sort((a, b) => b.total - a.total || b.calls - a.calls), buckets];
  }

  function draw() {
    const [lines, buckets] = count();
    const head = (...titles) => element("thead", {}, element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title))));
    const body = lines.map((line) => {
      const swatch = element("span", { className: "swatch" }), name = events.strings[line.name];
      swatch.style.background = `var(--${colours.of(line.name)})`;
      const button = element("button", { type: "button", title: `Only ${name}` }, name);
      button.addEventListener("click", () => view.pick(name));
      const cells = [line.calls.toLocaleString("en"), line.failed ? line.failed.toLocaleString("en") : "", showLength(line.total), showLength(Math.round(line.total / line.calls)), showLength(line.longest)];
      return element("tr", {}, element("td", {}, swatch, button), ...cells.map((text) => element("td", {}, text)));
    });
    calls.replaceChildren(head("Call", "calls", "failed", "total", "mean", "longest"), element("tbody", {}, ...body));
    const least = buckets.findIndex((count) => count), most = buckets.reduce((most, count) => Math.max(most, count ?? 0), 1);
    const bars = [];
    for (let n = Math.max(0, least); n < buckets.length; n++) {
      const times = buckets[n] ?? 0, stick = element("div", { className: "stick" });
      stick.style.width = times ? Math.max(0.5, times / most * 100) + "%" : "0";
      bars.push(element("tr", {}, element("td", {}, `${showLength(2 ** n)} –`), element("td", {}, times.toLocaleString("en")), element("td", {}, stick)));
    }
    latency.replaceChildren(head("From", "calls", ""), element("tbody", {}, ...bars));
  }

  function drawChosen() {
    const n = view.chosen;
    if (n < 0) {
      chosen.replaceChildren(element("p", { className: "faint" }, "None: click one, or press n in the timeline."));
      return;
    }
    const length = events.kind[n] === CALL ? showLength(events.length[n]) : "";
    const stack = events.strings[events.stack[n]];
    const frames = stack ? [element("h3", {}, "Where it was made"), element("ol", { className: "stack" }, ...stack.split("\n").map((frame) => element("li", {}, element("code", {}, frame))))] : [];
    chosen.replaceChildren(
      element("p", {}, element("code", {}, `${lineOf(events, n)} ${resultOf(events, n)}`)),
      element("p", { className: "faint" }, `${whoOf(events, n)}, ${clock(events.start[n])}${length ? `, ${length}` : ""}`),
      ...frames);
  }

  view.listen((changes) => {
    if (changes.has("filter")) draw();
    if (changes.has("chosen")) drawChosen();
  });
}

/** How processes ended, the bad ends first, and what they did last: some at once, more on demand. */
function lastWords(place, events, view) {
  const ends = [], inLane = 8, most = 60;
  for (let n = 0; n < events.count; n++) {
    const lane = events.lanes[events.lane[n]];
    if (events.kind[n] === EXIT && (lane.tid === lane.pid || isBad(events, n))) ends.push(n);
  }
  ends.sort((a, b) => isBad(events, b) - isBad(events, a) || b - a);
  const bad = ends.filter((n) => isBad(events, n)).length, open = Math.max(2, Math.min(bad, 4));
  const article = (end) => {
    const list = events.lanes[events.lane[end]].events, at = list.indexOf(end);
    const lines = [...list.slice(Math.max(0, at - inLane), at + 1)].map((n) => {
      const line = element("button", { type: "button" }, `${lineOf(events, n)} ${resultOf(events, n)}`);
      line.addEventListener("click", () => view.choose(n));
      return line;
    });
    const title = `${whoOf(events, end)} ${lineOf(events, end).replaceAll("+", "").trim()}`;
    return element("article", { className: isBad(events, end) ? "death bad" : "death" }, element("h3", {}, title), ...lines);
  };
  place.append(element("div", { className: "deaths" }, ...ends.slice(0, open).map(article)));
  if (ends.length > open) {
    const told = ends.length > most ? `, the last ${most - open} of them here` : "";
    const inside = element("div", { className: "deaths" }), more = element("details", {}, element("summary", {}, `${ends.length - open} more processes ended${told}`), inside);
    more.addEventListener("toggle", () => inside.append(...ends.slice(open, most).map(article)), { once: true });
    place.append(more);
  }
  if (ends.length === 0) place.append(element("p", { className: "faint" }, "No process ended while this was recorded."));
}
