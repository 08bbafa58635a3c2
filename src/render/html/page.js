// Reads the data, fills the header, and ties the parts together.

const began = performance.now();
const byId = (id) => document.getElementById(id);
const [head] = take("head"), [tail] = take("tail");
const events = readEvents(take("events"), tail.events);
const view = makeView(events), clock = makeClock(head.origin), colours = makeColours(events);

function fillHeader() {
  document.title = `${head.name}: ${head.cause}`;
  byId("name").textContent = head.name;
  const day = new Date(head.origin[0] * 1000 + (head.origin[1] + head.taken) / 1e6);
  byId("origin").textContent = `${head.host}, Linux ${head.kernel} ${head.arch}; dumped ${day.toLocaleString()}; traceloop ${head.traceloop}`;
  byId("summary").textContent = head.summary ?? "";
  byId("cause").textContent = head.cause[0].toUpperCase() + head.cause.slice(1);
  byId("window").append(...head.window.map((line, n) => element("li", n > 0 && line.startsWith("lost") ? { className: "loss" } : {}, line)));
  const number = (value) => value.toLocaleString("en");
  const calls = (tail.held ?? tail.calls) === tail.calls ? number(tail.calls) : `${number(tail.calls)} of ${number(tail.held)}`;
  const endless = tail.endless ? { "Without an end": tail.endless } : {};
  const figures = { Calls: calls, Failed: tail.failed, ...endless, Signals: tail.signals, Processes: new Set(events.lanes.map((lane) => lane.pid)).size, Threads: events.lanes.length };
  const boxes = Object.entries(figures).map(([name, value]) => [name, value.toLocaleString("en"), false]);
  boxes.push(["Time", showLength(events.count ? events.to - events.from : 0), false], ["Lost", head.lost.toLocaleString("en"), head.lost > 0]);
  byId("figures").append(...boxes.map(([name, value, bad]) => element("div", bad ? { className: "bad" } : {}, element("dt", {}, name), element("dd", {}, value))));
}

function fillFilters() {
  const names = new Set();
  for (let n = 0; n < events.count; n++) names.add(events.name[n]);
  const option = (value, text) => element("option", { value }, text);
  byId("call").append(option("", "all"), ...[...names].map((name) => events.strings[name]).sort().map((name) => option(name, name)));
  byId("thread").append(option("", "all"), ...events.lanes.map((lane, n) => option(n, `${lane.comm}[${lane.tid}]`)));
  const read = () => {
    const least = parseLength(byId("least").value), text = byId("text").value;
    let words = text;
    try { matcher(text); } catch { words = null; }
    byId("least").classList.toggle("wrong", Number.isNaN(least));
    byId("text").classList.toggle("wrong", words === null);
    byId("least").setAttribute("aria-invalid", Number.isNaN(least));
    byId("text").setAttribute("aria-invalid", words === null);
    if (Number.isNaN(least) || words === null) return;
    view.setFilter({ text, call: byId("call").value, thread: byId("thread").value, least, failed: byId("failed").checked, inView: byId("in-view").checked });
  };
  let pause = 0;
  byId("filters").addEventListener("input", (change) => {
    clearTimeout(pause);
    pause = setTimeout(read, change.target.type === "checkbox" ? 0 : 120);
  });
  byId("filters").addEventListener("submit", (sent) => { sent.preventDefault(); read(); });
  byId("clear").addEventListener("click", () => { byId("filters").reset(); read(); });
  view.pick = (name) => { byId("call").value = byId("call").value === name ? "" : name; read(); };
  view.count = (shown) => { byId("count").textContent = `${shown.toLocaleString("en")} of ${events.count.toLocaleString("en")} events`; };
}

function fillTheme() {
  const root = document.documentElement, button = byId("theme");
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const show = () => { button.textContent = dark() ? "Light" : "Dark"; view.changed("size"); };
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; show(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}

const say = (words) => { byId("said").textContent = words; };
fillHeader();
fillFilters();
lastWords(byId("deaths"), events, view);
makeTimeline(byId("timeline"), byId("overview"), events, view, colours, clock, head, say);
makeTable(byId("table"), events, view, clock);
makeAside(events, view, colours, clock);
fillTheme();
for (const [id, act] of [["left", () => view.move(-0.3)], ["right", () => view.move(0.3)], ["in", () => view.zoom(0.5)], ["out", () => view.zoom(2)], ["whole", () => view.look(events.from, events.to)]]) {
  byId(id).addEventListener("click", act);
}
view.listen((changes) => {
  byId("range").textContent = `${clock(view.from)} – ${clock(view.to)}, ${showLength(Math.round(view.to - view.from))}`;
  if (changes.has("chosen") && view.chosen >= 0) say(`${whoOf(events, view.chosen)} ${lineOf(events, view.chosen)} ${resultOf(events, view.chosen)}`);
});
addEventListener("resize", () => view.changed("size"));
view.changed("size", "range", "filter");
// What the page took until everything was drawn: for who wants to know.
requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.ready = Math.round(performance.now() - began); }));
