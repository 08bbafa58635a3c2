// The timeline: a lane for each thread, drawn on a canvas. Of calls that are narrower than a pixel, each
// pixel shows the longest; that one of them failed always shows.

const LANE = 22, AXIS = 22, LABEL = 170;

function makeTimeline(canvas, overview, events, view, colours, clock, head, say) {
  let lane = 0, scroll = 0, palette = {}, drag = null;
  const pen = canvas.getContext("2d"), small = overview.getContext("2d");
  const height = () => canvas.clientHeight, width = () => canvas.clientWidth;
  const timeAt = (x) => view.from + (x - LABEL) / (width() - LABEL) * (view.to - view.from);
  const rows = () => Math.max(1, Math.floor((height() - AXIS) / LANE));
  canvas.style.height = Math.min(AXIS + LANE * Math.max(4, events.lanes.length) + 4, 420) + "px";

  function prepare() {
    shape = null;
    const style = getComputedStyle(document.documentElement), get = (name) => style.getPropertyValue("--" + name);
    // A canvas does not know light-dark(): the browser resolves it for an element.
    const probe = element("span");
    document.body.append(probe);
    const resolve = (name) => { probe.style.color = get(name); return getComputedStyle(probe).color; };
    palette = Object.fromEntries(["card", "ink", "faint", "line", "mark", "accent", "bad", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"].map((name) => [name, resolve(name)]));
    probe.remove();
    for (const [one, its] of [[canvas, pen], [overview, small]]) {
      one.width = Math.round(one.clientWidth * devicePixelRatio);
      one.height = Math.round(one.clientHeight * devicePixelRatio);
      its.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
      its.font = `11px ${get("mono")}`;
      its.textBaseline = "middle";
    }
  }

  function draw() {
    const wide = width(), scale = (wide - LABEL) / (view.to - view.from);
    pen.clearRect(0, 0, wide, height());
    scroll = Math.max(0, Math.min(scroll, events.lanes.length - rows()));
    axis(wide, scale);
    for (let n = scroll; n < Math.min(events.lanes.length, scroll + rows() + 1); n++) drawLane(n, AXIS + (n - scroll) * LANE, wide, scale);
    if (events.lanes.length > rows()) {
      const share = (height() - AXIS) / events.lanes.length;
      pen.fillStyle = palette.faint;
      pen.fillRect(wide - 4, AXIS + scroll * share, 3, Math.max(12, rows() * share));
    }
    if (drag && drag.range) {
      pen.globalAlpha = 0.25;
      pen.fillStyle = palette.accent;
      pen.fillRect(Math.min(drag.x, drag.now), AXIS, Math.abs(drag.now - drag.x), height());
      pen.globalAlpha = 1;
    }
  }

  function axis(wide, scale) {
    const least = 110 / scale, power = 10 ** Math.floor(Math.log10(least));
    const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= least);
    pen.fillStyle = palette.faint;
    pen.fillText(clock(view.from), 6, AXIS / 2);
    pen.strokeStyle = palette.line;
    pen.beginPath();
    for (let past = Math.ceil((view.from - events.from) / step) * step; past <= view.to - events.from; past += step) {
      const time = events.from + past;
      const x = Math.round(LABEL + (time - view.from) * scale) + 0.5;
      pen.moveTo(x, AXIS - 4);
      pen.lineTo(x, height());
      const words = "+" + showLength(Math.round(past));
      if (x + pen.measureText(words).width < wide) pen.fillText(words, x + 3, AXIS / 2);
    }
    pen.stroke();
    const complete = head.complete_from;
    if (complete !== null && complete > view.from) {
      pen.globalAlpha = 0.5;
      pen.fillStyle = palette.line;
      pen.fillRect(LABEL, AXIS, Math.min(wide - LABEL, (complete - view.from) * scale), height());
      pen.globalAlpha = 1;
    }
  }

  function drawLane(n, top, wide, scale) {
    const { tid, pid, comm, events: list } = events.lanes[n];
    if (n === lane) {
      pen.fillStyle = palette.mark;
      pen.fillRect(0, top, LABEL, LANE);
    }
    pen.fillStyle = tid === pid ? palette.ink : palette.faint;
    pen.fillText(clip((tid === pid ? "" : "  ") + `${comm}[${tid}]`, LABEL - 12), 6, top + LANE / 2);
    // The pixel that is being filled: where it is, its longest call, whether one in it failed.
    let pixel = -1, held = -1, longest = -1, bad = 0;
    const flush = () => {
      if (held >= 0) bar(held, LABEL + pixel, top, 1, bad);
      held = longest = -1;
      bad = 0;
    };
    const marks = [], { from, to, shown } = view, { start, end, kind } = events;
    for (let at = Math.max(0, lowerBound(events, list, from) - 2); at < list.length; at++) {
      const event = list[at], begin = start[event], done = end[event];
      if (begin > to) break;
      if (!shown[event] || done < from) continue;
      if (kind[event] !== CALL) {
        marks.push(event);
        continue;
      }
      const x = begin < from ? 0 : (begin - from) * scale, size = (done > to ? wide - LABEL : (done - from) * scale) - x, column = Math.floor(x);
      if (column !== pixel) {
        flush();
        pixel = column;
      }
      if (size >= 1.5) {
        flush();
        bar(event, LABEL + x, top, size, events.bad[event]);
        pixel = Math.floor(x + size);
      } else {
        if (size > longest) {
          held = event;
          longest = size;
        }
        bad |= events.bad[event];
      }
    }
    flush();
    marks.forEach((event) => mark(event, LABEL + (events.start[event] - view.from) * scale, top));
  }

  function bar(event, x, top, size, bad) {
    pen.fillStyle = palette[colours.of(events.name[event])];
    pen.fillRect(x, top + 3, size, LANE - 6);
    if (bad) {
      pen.fillStyle = palette.bad;
      pen.fillRect(x, top + LANE - 7, size, 4);
    }
    if (event === view.chosen) {
      pen.strokeStyle = palette.ink;
      pen.lineWidth = 2;
      pen.strokeRect(x, top + 2, Math.max(2, size), LANE - 4);
      pen.lineWidth = 1;
    }
    if (size > 34) {
      pen.fillStyle = palette.card;
      pen.fillText(clip(lineOf(events, event), size - 8), x + 4, top + LANE / 2);
    }
  }

  /** A signal is a triangle, an exit a bar, everything else a dot. */
  function mark(event, x, top) {
    const kind = events.kind[event];
    pen.fillStyle = kind === SIGNAL || isBad(events, event) ? palette.bad : palette.ink;
    pen.beginPath();
    if (kind === SIGNAL) {
      pen.moveTo(x - 5, top + 1);
      pen.lineTo(x + 5, top + 1);
      pen.lineTo(x, top + 10);
    } else if (kind === EXIT) {
      pen.rect(x - 1, top, 3, LANE);
    } else {
      pen.arc(x, top + LANE / 2, 3, 0, 7);
    }
    pen.fill();
    if (event === view.chosen) pen.strokeRect(x - 6, top, 12, LANE);
  }

  function clip(text, space) {
    const letters = Math.floor(space / 6.62);
    return text.length <= letters ? text : letters < 2 ? "" : text.slice(0, letters - 1) + "…";
  }

  /** Events a pixel, drawn once for each size and theme. */
  let shape = null;
  function drawShape(wide, high) {
    const counts = new Uint32Array(wide), span = events.to - events.from;
    for (let n = 0; n < events.count; n++) counts[Math.min(wide - 1, Math.floor((events.start[n] - events.from) / span * wide))]++;
    const most = Math.log1p(counts.reduce((most, count) => Math.max(most, count), 1));
    shape = element("canvas", { width: wide, height: high });
    const its = shape.getContext("2d");
    its.fillStyle = palette.c7;
    counts.forEach((count, x) => {
      const size = Math.max(2, Math.log1p(count) / most * (high - 6));
      if (count) its.fillRect(x, high - size, 1, size);
    });
  }

  function drawOverview() {
    const wide = overview.clientWidth, high = overview.clientHeight, span = events.to - events.from;
    if (!shape) drawShape(wide, high);
    small.clearRect(0, 0, wide, high);
    small.drawImage(shape, 0, 0);
    const x = (view.from - events.from) / span * wide, size = Math.max(3, (view.to - view.from) / span * wide);
    small.globalAlpha = 0.2;
    small.fillStyle = palette.accent;
    small.fillRect(x, 0, size, high);
    small.globalAlpha = 1;
    small.strokeStyle = palette.accent;
    small.strokeRect(x + 0.5, 0.5, Math.min(size, wide - x) - 1, high - 1);
  }

  function eventAt(x, y) {
    const n = scroll + Math.floor((y - AXIS) / LANE), list = events.lanes[n]?.events;
    if (!list || y < AXIS || x < LABEL) return -1;
    const slack = (view.to - view.from) / (width() - LABEL) * 3, time = timeAt(x);
    let best = -1;
    for (let at = Math.max(0, lowerBound(events, list, time - slack) - 2); at < list.length && events.start[list[at]] <= time + slack; at++) {
      if (view.shown[list[at]] && events.end[list[at]] >= time - slack && (best < 0 || events.start[list[at]] <= time)) best = list[at];
    }
    return best;
  }

  /** The next shown event of the lane in a direction; with `wanted`, of those only. */
  function step(direction, wanted = () => true) {
    const list = events.lanes[lane]?.events ?? [];
    const chosen = view.chosen >= 0 && events.lane[view.chosen] === lane ? list.indexOf(view.chosen) : lowerBound(events, list, view.from) - (direction > 0 ? 1 : 0);
    for (let at = chosen + direction; at >= 0 && at < list.length; at += direction) {
      if (view.shown[list[at]] && wanted(list[at])) return view.choose(list[at]);
    }
    say("No more events in this thread.");
  }

  function toLane(n) {
    lane = Math.max(0, Math.min(events.lanes.length - 1, n));
    scroll = Math.max(Math.min(scroll, lane), lane - rows() + 1);
    view.changed("range");
    const { comm, tid, events: list } = events.lanes[lane] ?? { comm: "", tid: 0, events: [] };
    say(`${comm}[${tid}], ${list.length} events`);
  }

  const KEYS = {
    ArrowLeft: () => view.move(-0.15), ArrowRight: () => view.move(0.15), "+": () => view.zoom(0.5), "=": () => view.zoom(0.5), "-": () => view.zoom(2),
    Home: () => view.look(events.from, events.to), End: () => view.move(1e9), ArrowUp: () => toLane(lane - 1), ArrowDown: () => toLane(lane + 1),
    n: () => step(1), p: () => step(-1), f: () => step(1, (n) => isBad(events, n)), F: () => step(-1, (n) => isBad(events, n)),
  };
  canvas.addEventListener("keydown", (press) => {
    if (press.ctrlKey || press.metaKey || press.altKey || !KEYS[press.key]) return;
    press.preventDefault();
    KEYS[press.key]();
  });
  canvas.addEventListener("wheel", (turn) => {
    if (turn.ctrlKey || turn.metaKey) view.zoom(Math.exp(turn.deltaY / 300), timeAt(Math.max(LABEL, turn.offsetX)));
    else if (turn.deltaX || turn.shiftKey) view.move((turn.deltaX || turn.deltaY) / width());
    else if (events.lanes.length > rows() && (turn.deltaY > 0 ? scroll < events.lanes.length - rows() : scroll > 0)) {
      scroll += Math.sign(turn.deltaY) * Math.max(1, Math.round(Math.abs(turn.deltaY) / LANE));
      view.changed("range");
    } else return;
    turn.preventDefault();
  }, { passive: false });
  canvas.addEventListener("pointerdown", (press) => {
    drag = { x: press.offsetX, now: press.offsetX, from: view.from, range: press.shiftKey, moved: false };
    canvas.setPointerCapture(press.pointerId);
  });
  canvas.addEventListener("pointermove", (press) => {
    if (!drag) return;
    drag.now = press.offsetX;
    drag.moved ||= Math.abs(drag.now - drag.x) > 3;
    const size = view.to - view.from;
    if (drag.range) view.changed("range");
    else if (drag.moved) view.move((drag.from - view.from) / size - (drag.now - drag.x) / (width() - LABEL));
  });
  canvas.addEventListener("pointerup", (press) => {
    const was = drag;
    drag = null;
    if (was?.range && was.moved) view.look(timeAt(Math.min(was.x, was.now)), timeAt(Math.max(was.x, was.now)));
    else if (was && !was.moved) {
      const n = scroll + Math.floor((press.offsetY - AXIS) / LANE);
      if (press.offsetY >= AXIS && n < events.lanes.length) toLane(n);
      view.choose(eventAt(press.offsetX, press.offsetY), false);
    }
  });
  const jump = (press) => {
    const time = events.from + press.offsetX / overview.clientWidth * (events.to - events.from), half = (view.to - view.from) / 2;
    view.look(time - half, time + half);
  };
  overview.addEventListener("pointerdown", (press) => { overview.setPointerCapture(press.pointerId); jump(press); });
  overview.addEventListener("pointermove", (press) => { if (press.buttons) jump(press); });

  view.listen((changes) => {
    if (changes.has("size")) prepare();
    if (changes.has("chosen") && view.chosen >= 0) {
      lane = events.lane[view.chosen];
      scroll = Math.max(Math.min(scroll, lane), lane - rows() + 1);
    }
    draw();
    drawOverview();
  });
}
