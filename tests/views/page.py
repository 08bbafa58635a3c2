"""Opens a dump's page in Chromium and holds what stands in it against the dump's JSON lines.

usage: page.py TRACELOOP DUMP [PICTURES]
"""

import collections, json, os, subprocess, sys, tempfile

from chromium import Page

traceloop, dump, pictures = sys.argv[1], sys.argv[2], (sys.argv[3:] or [None])[0]
lines = [json.loads(line) for line in subprocess.check_output([traceloop, "show", "--format", "json", dump]).splitlines()]
events = [line for line in lines if line["type"] not in ("dump", "loss")]
calls = [line for line in events if line["type"] == "call"]
ended = [call for call in calls if not (call.get("in_flight") or call.get("end_missing") or (call["result"] == "?" and not call.get("died")))]
# Who is interrupted gets an error, too.
failed = [call for call in calls if "errno" in call or call["result"].startswith("? ")]
died = [call for call in ended if call.get("died")]
exits = [line for line in events if line["type"] == "exit" and (line.get("status") or line.get("signal"))]
stacks = [call for call in failed if "stack" in call]
# A thread whose beginning is overwritten gets its process's number late, and is one thread all the same.
process = {event["tid"]: event["pid"] for event in events if event["pid"]}
threads = {(event["pid"] or process.get(event["tid"], 0), event["tid"]) for event in events}
checks = []


def same(what, got, wanted):
    checks.append(what)
    if got != wanted:
        raise SystemExit(f"{what}: the page has {got!r}, the dump {wanted!r}")


def number(text):
    return int(text.replace(",", ""))


with tempfile.TemporaryDirectory() as place:
    file = os.path.join(place, "page.html")
    subprocess.check_call([traceloop, "show", "--format", "html", "-o", file, dump])
    with Page(file) as page:
        shown = lambda: number(page.ask("document.getElementById('count').textContent").split(" of ")[0])
        change = lambda id, what: (page.ask(f"(() => {{ const it = document.getElementById('{id}'); {what}; it.dispatchEvent(new Event('input', {{bubbles: true}})) }})()"), page.settle())
        cell = lambda row, n: page.ask(f"document.querySelectorAll('#rows .row')[{row}].children[{n}].textContent")

        figures = dict(page.ask("[...document.querySelectorAll('#figures div')].map((box) => [...box.children].map((part) => part.textContent))"))
        same("calls", number(figures["Calls"]), len(ended))
        same("failed calls", number(figures["Failed"]), len(failed) + len(died))
        same("calls without an end", number(figures.get("Without an end", "0")), len(calls) - len(ended))
        same("threads", number(figures["Threads"]), len(threads))
        same("events shown", shown(), len(events))
        same("rows of the grid", page.ask("+document.getElementById('table').getAttribute('aria-rowcount')"), len(events) + 1)
        same("rows in the page are few", page.ask("document.querySelectorAll('#rows .row').length < 60"), True)

        counts = page.ask("[...document.querySelectorAll('#calls tbody tr')].map((row) => [...row.children].slice(0, 3).map((cell) => cell.textContent))")
        wanted = collections.Counter(call["syscall"] for call in calls)
        wrong = collections.Counter(call["syscall"] for call in failed)
        same("calls by name", {name: (number(all), number(bad or "0")) for name, all, bad in counts}, {name: (wanted[name], wrong[name]) for name in wanted})
        sticks = page.ask("[...document.querySelectorAll('#latency tbody tr')].map((row) => row.children[1].textContent)")
        same("calls in the histogram", sum(map(number, sticks)), sum("duration_ns" in call and call["result"] != "?" for call in calls))

        first = calls[0]
        line = f"{first['syscall']}(" + ", ".join(arg["text"] for arg in first["args"]) + ")"
        row = next(n for n, event in enumerate(events) if event is first)
        same("the first call", cell(row, 2), line)

        change("failed", "it.checked = true")
        same("only failed", shown(), len(failed) + len(exits))
        change("failed", "it.checked = false")
        name = wanted.most_common(1)[0][0]
        change("call", f"it.value = '{name}'")
        same(f"only {name}", shown(), wanted[name])
        change("call", "it.value = ''")
        if stacks:
            made = stacks[0]["syscall"]
            first = next(call for call in failed if call["syscall"] == made)
            change("call", f"it.value = '{made}'")
            change("failed", "it.checked = true")
            page.ask("document.querySelector('#rows .row').click()")
            page.settle()
            shown_frames = page.ask("[...document.querySelectorAll('#chosen .stack li')].map((frame) => frame.textContent)")
            frames = [frame for frame in shown_frames if not frame.startswith("(") and not frame.startswith("kernel: ")]
            same("frames of the chosen call", len(frames), len(first["stack"]["frames"]))
            same("their places", all(f"[{frame['at']:#x}]" in line for frame, line in zip(first["stack"]["frames"], frames)), True)
            change("failed", "it.checked = false")
            change("call", "it.value = ''")
        change("least", "it.value = '1ms'")
        same("at least 1 ms", shown(), sum(call.get("duration_ns", 0) >= 10**6 or call.get("in_flight", False) for call in calls))
        change("least", "it.value = 'nonsense'")
        same("a mistake is told", page.ask("document.getElementById('least').getAttribute('aria-invalid')"), "true")
        change("least", "it.value = ''")

        page.ask("document.getElementById('timeline').focus()")
        whole = page.ask("document.getElementById('range').textContent")
        page.press("+", 3)
        page.settle()
        same("+ zooms", page.ask("document.getElementById('range').textContent") != whole, True)
        page.press("Home")
        page.press("n")
        page.settle()
        same("n chooses an event of the first thread", page.ask("document.querySelectorAll('#rows [aria-selected=true]').length"), 1)
        page.ask("document.getElementById('table').focus()")
        page.press("End")
        page.settle()
        same("End goes to the last row", page.ask("+document.querySelector('#rows [aria-selected=true]').getAttribute('aria-rowindex')"), len(events) + 1)

        # What a recorded program wrote stays text.
        same("no foreign element", page.ask("document.querySelectorAll('img, iframe, object, link, a, script[src]').length"), 0)
        same("one script", page.ask("document.querySelectorAll('script').length"), 1)
        same("nothing foreign ran", page.ask("typeof window.owned"), "undefined")

        # Whatever a person can use has a name for who cannot see it.
        tree = page.send("Accessibility.getFullAXTree")["nodes"]
        role = lambda node: node.get("role", {}).get("value")
        usable = [node for node in tree if role(node) in ("button", "textbox", "searchbox", "combobox", "checkbox", "grid", "application", "image", "table") and not node.get("ignored")]
        nameless = [role(node) for node in usable if not node.get("name", {}).get("value") and role(node) != "table"]
        same("nameless parts", nameless, [])
        same("usable parts are found", len(usable) > 15, True)
        same("complaints of the browser", page.complaints, [])
        if pictures:
            page.press("Home")
            page.picture(os.path.join(pictures, "light.png"))
        print(f"page: {len(checks)} checks hold for {len(events)} events; ready in {page.ask('document.documentElement.dataset.ready')} ms")
    if pictures:
        with Page(file, dark=True) as page:
            page.picture(os.path.join(pictures, "dark.png"))
