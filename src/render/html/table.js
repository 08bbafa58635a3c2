// The table of events: only the rows that can be seen are in the page, however many there are.

const ROW = 22;
// Browsers end elements at some ten million pixels; longer tables scroll in larger steps.
const TALLEST = 8_000_000;

function makeTable(grid, events, view, clock) {
  const scroll = grid.querySelector("#scroll"), space = grid.querySelector("#space"), rows = grid.querySelector("#rows");
  let list = new Uint32Array(0), sort = "time", descending = false;

  function collect() {
    let count = 0;
    for (let n = 0; n < events.count; n++) count += view.shown[n];
    list = new Uint32Array(count);
    for (let n = 0, at = 0; n < events.count; n++) if (view.shown[n]) list[at++] = n;
    if (sort === "length") list.sort((a, b) => events.length[a] - events.length[b] || a - b);
    if (descending) list.reverse();
    space.style.height = Math.min(TALLEST, list.length * ROW) + "px";
    grid.setAttribute("aria-rowcount", list.length + 1);
    view.count(list.length);
  }

  const room = () => Math.max(1, Math.floor(scroll.clientHeight / ROW));
  /** The place of the first row that is shown. */
  function first() {
    const tall = list.length * ROW;
    if (tall <= TALLEST) return Math.floor(scroll.scrollTop / ROW);
    return Math.round(scroll.scrollTop / (TALLEST - scroll.clientHeight) * Math.max(0, list.length - room()));
  }
  function scrollTo(place) {
    const tall = list.length * ROW;
    scroll.scrollTop = tall <= TALLEST ? place * ROW : place / Math.max(1, list.length - room()) * (TALLEST - scroll.clientHeight);
  }

  function draw() {
    const from = first(), until = Math.min(list.length, from + room() + 2), made = [];
    for (let place = from; place < until; place++) made.push(row(list[place], place));
    rows.replaceChildren(...made);
    rows.style.transform = list.length * ROW <= TALLEST ? `translateY(${-(scroll.scrollTop % ROW)}px)` : "";
    const chosen = rows.querySelector("[aria-selected=true]");
    if (chosen) grid.setAttribute("aria-activedescendant", chosen.id); else grid.removeAttribute("aria-activedescendant");
  }

  function row(n, place) {
    const cells = [clock(events.start[n]), whoOf(events, n), lineOf(events, n), resultOf(events, n), events.kind[n] === CALL ? showLength(events.length[n]) : ""];
    const made = element("div", { className: "row", id: "event-" + n }, ...cells.map((text) => element("span", { role: "gridcell", title: text }, text)));
    made.setAttribute("role", "row");
    made.setAttribute("aria-rowindex", place + 2);
    made.setAttribute("aria-selected", n === view.chosen);
    if (events.kind[n] !== CALL) made.classList.add(events.kind[n] === SIGNAL || isBad(events, n) ? "end" : "other");
    else if (isBad(events, n)) made.classList.add("bad");
    return made;
  }

  /** The place of an event in the list, or of what stands where it would. */
  function placeOf(n) {
    if (sort !== "time") return list.indexOf(n);
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (descending ? list[middle] > n : list[middle] < n) low = middle + 1; else high = middle;
    }
    return list[low] === n ? low : -1;
  }

  function reveal() {
    const place = view.chosen < 0 ? -1 : placeOf(view.chosen);
    if (place >= 0 && (place < first() || place >= first() + room())) scrollTo(Math.max(0, place - Math.floor(room() / 2)));
  }

  rows.addEventListener("click", (press) => {
    const made = press.target.closest(".row");
    if (made) view.choose(+made.id.slice(6));
  });
  scroll.addEventListener("scroll", () => view.changed("scroll"));
  grid.addEventListener("keydown", (press) => {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: room(), PageUp: -room(), Home: -Infinity, End: Infinity };
    if (!(press.key in steps) || press.target !== grid || list.length === 0) return;
    press.preventDefault();
    const at = view.chosen < 0 ? -1 : placeOf(view.chosen), from = at < 0 ? first() - 1 : at;
    view.choose(list[Math.max(0, Math.min(list.length - 1, from + steps[press.key]))]);
  });
  for (const button of grid.querySelectorAll("[data-sort]")) {
    button.addEventListener("click", () => {
      descending = sort === button.dataset.sort ? !descending : button.dataset.sort === "length";
      sort = button.dataset.sort;
      titles();
      view.changed("filter");
    });
  }
  function titles() {
    for (const button of grid.querySelectorAll("[data-sort]")) {
      const mine = button.dataset.sort === sort;
      if (mine) button.parentElement.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else button.parentElement.removeAttribute("aria-sort");
      button.textContent = { time: "Time", length: "Duration" }[button.dataset.sort] + (mine ? (descending ? " ↓" : " ↑") : "");
    }
  }
  titles();

  view.listen((changes) => {
    if (changes.has("filter")) {
      collect();
      scrollTo(0);
    }
    if (changes.has("chosen") || changes.has("filter")) reveal();
    if (["chosen", "filter", "scroll", "size"].some((change) => changes.has(change))) draw();
  });
}
