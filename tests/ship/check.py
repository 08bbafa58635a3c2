"""The checks of tests/ship/run, one function each: `check.py DIRECTORY [NAME...]`, with the directory of the binaries."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peers import ApiServer, Answers, Collector, Pods, Recorder, S3, Shipper, Started, free_port, until

BIN = Path(sys.argv[1]).resolve()
TRACELOOP, SHIP = BIN / "traceloop", BIN / "traceloop-ship"


def of_s3(s3, prefix="fleet", more=""):
    return f'[store]\nurl = "s3://dumps/{prefix}"\noptions = {{ endpoint = "http://127.0.0.1:{s3.port}" }}\n{more}\n'


def ids(paths):
    return [path.stem.rsplit("-", 1)[1] for path in paths]


def what_is_stored_comes_to_every_sink_as_it_is(place):
    recorder, s3, collector = Recorder(TRACELOOP, Path(tempfile.mkdtemp(dir=place))), S3(place), Collector()
    try:
        group = recorder.group("web.service")
        recorder.save(group)
        ship = Shipper(SHIP, place, recorder.socket, of_s3(s3) + f'[otlp]\nurl = "{collector.url}"\n', S3.KEYS)
        checked = ship.run("--check")
        assert checked.returncode == 0, checked
        assert not s3.objects(".dump") and not collector.records, "a check ships nothing"
        ship.start()
        until("what was there before goes", lambda: len(s3.objects(".json")) == 1)
        recorder.crash(group)
        began = time.monotonic()
        until("a crash goes", lambda: len(s3.objects(".json")) == 2 and len(collector.records) == 2)
        print(f"    a crash was in the store {time.monotonic() - began:.1f} s later")
        stored = recorder.stored()
        objects = s3.objects(".dump")
        assert sorted(ids(objects)) == sorted(ids(stored)) == sorted(collector.ids())
        for path in stored:
            (there,) = [other for other in objects if other.stem.endswith(path.stem[-12:])]
            assert there.read_bytes() == path.read_bytes()
            about = json.loads(there.with_suffix(".json").read_text())
            info = json.loads(recorder.verb("info", "--json", about["id"], "--directory", str(path.parent)))
            url = about.pop("url")
            assert about == info, (about, info)
            assert url == f"s3://dumps/{there.relative_to(s3.root / 'dumps')}", url
            assert there.relative_to(s3.root / "dumps").parts[:3] == ("fleet", "cluster=prod", "namespace=_host")
        crash = next(record for record in collector.records if record["traceloop.dump.reason"] == "killed")
        assert "SIGSEGV" in crash["body"] and crash["k8s.node.name"] == "node1", crash
        assert crash["traceloop.dump.url"].startswith("s3://dumps/fleet/cluster=prod/"), crash
        until("the node's file says so", lambda: s3.node().get("store", {}).get("shipped") == 2)
        assert ship.metric("shipped_total", "otlp") == 2 and ship.metric("waiting", "store") == 0
        # The daemon is replaced, as in an update.
        recorder.take()
        recorder.bring()
        recorder.save(recorder.group("later.service"))
        until("what comes after the update goes", lambda: len(s3.objects(".json")) == 3)
        ship.stop()
        reading(place, ship, s3, recorder)
    finally:
        recorder.end()
        s3.take()


def reading(place, ship, s3, recorder):
    """Who sits elsewhere reads the store by its URL."""
    env = {**ship.env, "PATH": f"{BIN}:{os.environ['PATH']}", "AWS_ENDPOINT": f"http://127.0.0.1:{s3.port}",
           "AWS_ALLOW_HTTP": "true"}

    def verb(*words, code=0):
        done = subprocess.run([TRACELOOP, *words], capture_output=True, text=True, env=env)
        assert done.returncode == code, (words, done)
        return done.stdout if code == 0 else done.stderr

    listed = [json.loads(line) for line in verb("list", "s3://dumps/fleet", "--json").splitlines()]
    stored = recorder.stored()
    assert [one["id"] for one in listed] == ids(stored), listed
    assert all(one["path"].startswith("s3://dumps/fleet/cluster=prod/") and one["state"] == "whole" for one in listed)
    # By time, as the directory's are; -r begins with the newest, and what is said of them chooses.
    newest = [json.loads(line)["id"] for line in verb("list", "s3://dumps/fleet", "--json", "-r").splitlines()]
    assert newest == ids(stored)[::-1] and verb("list", "s3://dumps/fleet", "-n", "1", "-F", "UNIT").strip().endswith("later.service")
    assert "ID: " + newest[0] in verb("info", "s3://dumps/fleet", "-1") and len(newest) == 3
    assert verb("info", "s3://dumps/fleet").count("Summary: ") == 3
    second = listed[1]["time"]
    for words, wanted in ((["-S", second], newest[1::-1]), (["-U", second], newest[:0:-1]), (["-S", "1h ago", "-n", "2"], newest[1::-1]),
                          (["COMM=sh"], [newest[1]]), (["UNIT=*later.service"], [newest[0]]), ([newest[2][:6]], [newest[2]])):
        lines = verb("list", "s3://dumps/fleet", *words, "--json").splitlines()
        assert [json.loads(line)["id"] for line in lines] == wanted, (words, lines)
    assert "no dump matches" in verb("list", "s3://dumps/fleet", "-U", "2020-01-01", code=1)
    crash = next(one for one in listed if one["reason"] == "killed")
    for words in (["s3://dumps/fleet", crash["id"]], [crash["path"]], ["s3://dumps/fleet", "REASON=killed"]):
        shown = verb("show", *words, "--format", "strace")
        assert "--- SIGSEGV" in shown and "/nonexistent-" in shown, shown
    assert crash["summary"]["text"] in verb("info", "s3://dumps/fleet/cluster=prod/namespace=_host", crash["id"])
    assert "no dump matches" in verb("list", "s3://dumps/fleet", "nothing-like-it", code=1)
    directory = s3.root / "dumps/fleet"
    assert verb("list", f"file://{directory}", "--json").replace(f"file://{directory}", "s3://dumps/fleet") == verb(
        "list", "s3://dumps/fleet", "--json")
    # What is torn or none of ours there keeps nobody from the rest.
    (directory / "noise.dump").write_bytes(b"no dump at all")
    (directory / Path(crash["path"]).name).with_stem("20200101T000000.000000Z-exit-00000000abcd").write_bytes(b"torn")
    states = [json.loads(line)["state"] for line in verb("list", "s3://dumps/fleet", "--json").splitlines()]
    assert states == ["unreadable", "whole", "whole", "whole"], states
    assert "only read" in verb("delete", "s3://dumps/fleet", crash["id"], code=1)
    raw = subprocess.run([TRACELOOP, "export", crash["path"]], capture_output=True, env=env, check=True).stdout
    assert raw == next(path for path in stored if path.stem.endswith(crash["id"])).read_bytes()
    # The plugin has this machine's traceloop read it, without any node.
    plugin = [BIN / "kubectl-traceloop", "--store", "s3://dumps/fleet"]
    for words, text in (["show", crash["id"], "--format", "strace"], "--- SIGSEGV"), (["list", "--json"], crash["id"]):
        done = subprocess.run([*plugin, *words], capture_output=True, text=True, env={**env, "KUBECTL": "/bin/false"})
        assert done.returncode == 0 and text in done.stdout, done
    refused = subprocess.run([*plugin, "follow", "shop/cart-2"], capture_output=True, text=True, env=env)
    assert refused.returncode == 1 and "on its node" in refused.stderr, refused
    # Without the helper.
    bare = {**env, "PATH": "/nonexistent"}
    done = subprocess.run([shutil.copy(TRACELOOP, place), "list", "s3://dumps/fleet"], capture_output=True, text=True, env=bare)
    assert done.returncode == 1 and "traceloop-ship" in done.stderr, done


def a_store_that_cannot_be_read_is_a_line_with_what_to_do(place):
    s3 = S3(place)
    keys = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": place, "AWS_ALLOW_HTTP": "true", **S3.KEYS}

    def run(*words, port=s3.port, **more):
        env = {**keys, "AWS_ENDPOINT": f"http://127.0.0.1:{port}", **more}
        return subprocess.run([TRACELOOP, *words], capture_output=True, text=True, env=env, timeout=120)

    def fails(url, *words, verb="list", doing="list", **more):
        done = run(verb, url, **more)
        lines = done.stderr.splitlines()
        assert done.returncode == 1 and not done.stdout and len(lines) == 1, done
        assert lines[0].startswith(f"traceloop: {doing} {url}"), lines
        for word in words:
            assert word in lines[0], (word, lines)

    there, one = "s3://dumps/a", "s3://dumps/a/20261125T031210.481022Z-exit-00000000abcd.dump"
    fails(there, "the secret key", "mend AWS_SECRET_ACCESS_KEY", AWS_SECRET_ACCESS_KEY="wrong")
    fails(there, "mend AWS_ACCESS_KEY_ID", AWS_ACCESS_KEY_ID="NOBODY")
    fails("s3://nowhere/a", "the bucket is not there: make it, or mend the store's URL")
    fails(there, "nobody listens there", port=free_port())
    fails("file:///nowhere/at/all", "not there: make it, or mount it")
    fails(one, "there is nothing of this name", verb="show")
    empty = run("list", there)
    assert (empty.returncode, empty.stderr) == (1, f"traceloop: there are no dumps in {there}\n"), empty
    for url in ("ftp://a/b", "https://example.com/a", "S3:///"):
        done = run("list", url)
        assert done.returncode == 1 and "is no store: it is s3://BUCKET/PREFIX" in done.stderr, done
    done = run("list", "s3://a", "s3://b")
    assert done.returncode == 2 and "one store at a time" in done.stderr, done
    s3.take()
    text = "<Error><Code>{}</Code><Message>no</Message></Error>"
    for status, name, word in [(403, "AccessDenied", "who reads ListBucket and GetObject"), (500, "InternalError", "InternalError"),
                               (403, "RequestTimeTooSkewed", "set the clock"), (503, "SlowDown", "SlowDown")]:
        server = Answers(lambda method, *_, status=status, name=name: (status, text.format(name)))
        fails(there, word, port=server.port)
    # The list may be read, and nothing that it names.
    listing = (f'<ListBucketResult><Contents><Key>{one[len("s3://dumps/"):]}</Key><Size>9000</Size>'
               '<LastModified>2026-11-25T03:12:10.000Z</LastModified><ETag>"0"</ETag></Contents></ListBucketResult>')
    server = Answers(lambda method, path, *_: (200, listing) if "list-type" in path else (403, text.format("AccessDenied")))
    done = run("list", "--json", there, port=server.port)
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["state"] == "unreadable" and "GetObject" in told["error"], done
    fails(there, one, "GetObject", verb="show", doing="get", port=server.port)


def nothing_is_missing_and_nothing_twice(place):
    """The shipper is killed, the store is taken away and comes back, while dumps come."""
    pods, s3, collector = Pods(place), S3(place), Collector()
    lines = of_s3(s3) + f'[otlp]\nurl = "{collector.url}"\n'
    ship = Shipper(SHIP, place, pods.path, lines, S3.KEYS)
    ship.start()
    number, kills = 1, 0
    for round in range(6):
        for _ in range(10):
            pods.add(number)
            number += 1
            time.sleep(0.01)
        if round == 1:
            s3.take()
            collector.fails = (503, "{}")
        if round in (0, 2, 4):
            ship.kill()
            kills += 1
            pods.add(number)
            number += 1
            ship.start()
        if round == 3:
            s3.bring()
            collector.fails = None
    until("all are in the store", lambda: sorted(ids(s3.objects(".json"))) == pods.ids(), 120)
    until("all are at the collector", lambda: set(collector.ids()) == set(pods.ids()))
    for path in s3.objects(".dump"):
        assert path.read_bytes() == pods.files[path.stem.rsplit("-", 1)[1]]
    # Only what went between a record's answer and our note of it when we were killed could come again.
    again = len(collector.ids()) - len(set(collector.ids()))
    assert again <= kills, f"{again} records came again"
    log = ship.log()
    assert log.count("store: write") <= 4, log
    # The notes are lost, as with a pod's directory: the store's own take their place.
    knows = lambda: [set(pods.ids()) <= set(sink["recent"]) for sink in s3.node().values()] == [True, True]
    until("the node's file knows", knows)
    ship.kill()
    shutil.rmtree(ship.state)
    before, written = len(collector.records), {path: path.stat().st_mtime_ns for path in s3.objects(".dump")}
    pods.add(number)
    ship.start()
    until("what came meanwhile goes", lambda: len(collector.records) > before and len(s3.objects(".json")) == number)
    ship.stop()
    assert len(collector.records) == before + 1, "nothing comes again"
    assert all(path.stat().st_mtime_ns == time for path, time in written.items())
    s3.take()


def what_was_removed_before_it_went_is_counted_and_named(place):
    pods, s3 = Pods(place), S3(place)
    ship = Shipper(SHIP, place, pods.path, of_s3(s3), S3.KEYS)
    first = pods.add(1)
    assert ship.run("--once").returncode == 0
    s3.take()
    lost = pods.add(2)
    ship.start()
    until("it is noted", lambda: f"{lost} waits" in (ship.state / "store.cursor").read_text())
    ship.kill()
    pods.remove(lost)
    s3.bring()
    ship.start()
    until("it is counted", lambda: ship.metric("missed_total", "store") == 1)
    assert "removed from the daemon's store before they were shipped: " + lost in ship.log(), ship.log()
    assert ship.metric("gaps_total", "store") == 0
    ship.stop()
    # Nobody knows what came and went between.
    pods.remove(first)
    pods.add(3)
    done = ship.run("--once")
    assert done.returncode == 0 and "is not known" in done.stderr, done
    s3.take()


def what_is_wrong_is_a_line_with_what_to_do(place):
    pods, s3 = Pods(place), S3(place)
    pods.add(1)

    def fails(lines, words, env=S3.KEYS, socket=pods.path, code=1, mode="--once"):
        done = Shipper(SHIP, place, socket, lines, env).run(mode)
        own = [line for line in done.stderr.splitlines() if line]
        assert done.returncode == code and all(line.startswith("traceloop-ship: ") for line in own), done
        assert len(own) <= 3, own
        for word in words:
            assert word in done.stderr, (word, done.stderr)

    good = of_s3(s3)
    for mode in ("--check", "--once"):
        fails(good, ["secret key", "AWS_SECRET_ACCESS_KEY"], {**S3.KEYS, "AWS_SECRET_ACCESS_KEY": "wrong"}, mode=mode)
        fails(good, ["no daemon answers at", "traceloop.service"], socket=f"{place}/none.sock", mode=mode)
        fails(good, ["an older one", "update traceloop"], socket=Pods(place, old=True).path, mode=mode)
        fails('[store]\nurl = "file:///nowhere/at/all"', ["not there: make it, or mount it"], mode=mode)
    fails(good, ["AWS_ACCESS_KEY_ID"], {**S3.KEYS, "AWS_ACCESS_KEY_ID": "NOBODY"}, mode="--check")
    assert not Path("/nowhere").exists()
    code = "<Error><Code>{}</Code><Message>no</Message></Error>"
    for status, name, words in [(403, "RequestTimeTooSkewed", ["set the clock"]), (507, "QuotaExceeded", ["full", "make room"]),
                                (403, "AccessDenied", ["PutObject"]), (404, "NoSuchBucket", ["the bucket is not there"])]:
        server = Answers(lambda method, *_, status=status, name=name: (status, code.format(name)))
        fails(of_s3(server), words, mode="--check")
    fails(of_s3(server), words)
    fails('[store]\nurl = "s3://a"\nbandwith = "1M"', ["bandwith"], code=2)
    fails("", ["nowhere to ship to"], code=2)
    collector = Collector()
    otlp = f'[otlp]\nurl = "{collector.url}"'
    collector.fails = (401, '{"message":"who are you"}')
    fails(otlp, ["[otlp] headers", "who are you"])
    collector.fails = (404, "")
    fails(otlp, ["[otlp] url"])
    # One that will never be taken does not keep the others.
    pods.add(2)
    ship = Shipper(SHIP, place, pods.path, otlp)
    collector.fails = (400, '{"message":"too many attributes"}')
    done = ship.run("--once")
    assert done.returncode == 0 and done.stderr.count("is not shipped") == 2 and "too many attributes" in done.stderr, done
    # A full disk, as a directory has it.
    if os.geteuid() == 0:
        full = Path(place, "full")
        full.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", full], check=True)
        try:
            pods.add(3, size=200_000)
            fails(f'[store]\nurl = "file://{full}"', ["the store is full: make room"])
        finally:
            subprocess.run(["umount", full], check=True)
    s3.take()


def a_dump_that_the_sink_chokes_on_keeps_no_other(place):
    pods, taken = Pods(place), []

    def answer(method, path, headers, body):
        if "000000000001" in path:
            return 500, "<Error><Code>InternalError</Code></Error>"
        taken.append(path)
        return 200, ""

    server = Answers(lambda *request: answer(*request))
    for number in (1, 2, 3):
        pods.add(number)
    ship = Shipper(SHIP, place, pods.path, of_s3(server), S3.KEYS)
    ship.start()
    until("the others go", lambda: all(any(f"{n:012x}.json" in path for path in taken) for n in (2, 3)))
    assert ship.metric("waiting", "store") == 1
    ship.kill()


def no_more_bytes_go_than_the_configuration_allows(place):
    pods, s3 = Pods(place), S3(place)
    # Longer than what goes at once: it goes in parts.
    big = pods.add(1, size=9 << 20)
    ship = Shipper(SHIP, place, pods.path, of_s3(s3, more='bandwidth = "3M"'), S3.KEYS)
    began = time.monotonic()
    assert ship.run("--once", seconds=120).returncode == 0
    took = time.monotonic() - began
    assert took > 2.9, f"9 MiB went in {took:.1f} s"
    (there,) = s3.objects(".dump")
    assert there.read_bytes() == pods.files[big]
    s3.take()


def a_pod_has_an_event_that_says_why(place):
    pods, api = Pods(place), ApiServer(place)
    lines = f'[store]\nurl = "file://{place}"\n[events]\nserver = "{api.url}"\naccount = "{api.account}"\nper-pod = 3\n'
    ship = Shipper(SHIP, place, pods.path, lines)
    first = pods.add(1, summary="ä" * 900)
    api.forbidden = True
    done = ship.run("--once")
    assert done.returncode == 1 and "cluster role traceloop-ship" in done.stderr, done
    assert ship.run("--check").returncode == 1
    api.forbidden = False
    checked = ship.run("--check")
    assert checked.returncode == 0 and not api.events, checked
    assert ship.run("--once").returncode == 0
    event = api.events["shop", f"traceloop-{first}"]
    assert event["regarding"]["uid"] == "uid-cart-2", event
    assert event["note"].endswith(".dump") and f"kubectl traceloop show {first}" in event["note"], event["note"]
    # Again, as after lost notes: it is there already, and that is all right.
    shutil.rmtree(ship.state)
    again = ship.run("--once")
    assert again.returncode == 0 and len(api.events) == 1, again
    # A pod that crashes in a loop gets so many; one whose namespace is gone is passed over, and others get theirs.
    api.gone.add("left")
    for number in range(2, 8):
        pods.add(number)
    pods.add(8, namespace="left")
    other = pods.add(9, pod="other-1")
    ship.start()
    until("the others' event is there", lambda: ("shop", f"traceloop-{other}") in api.events)
    until("the one that is gone is counted", lambda: ship.metric("refused_total", "events") == 1)
    ship.stop()
    of_cart = [event for event in api.events.values() if event["regarding"]["name"] == "cart-2"]
    # The first went in another run, which the limit does not know of.
    assert len(of_cart) == 4, of_cart
    assert "per-pod" in ship.log()


def sql_finds_what_happened_on_all_nodes(place):
    try:
        import duckdb
    except ImportError:
        print("    NOT DONE: there is no DuckDB")
        return
    root = Path(place, "lake")
    root.mkdir()
    for node in range(1, 6):
        pods = Pods(place)
        for number in range(10 * node, 10 * node + 3):
            pods.add(number, namespace="shop" if number % 2 else "bank")
        ship = Shipper(SHIP, place, pods.path, f'[store]\nurl = "file://{root}"')
        ship.head = ship.head.replace("node1", f"node{node}")
        ship.configure(ship.lines)
        assert ship.run("--once").returncode == 0
    # One that is not heard of any more.
    silent = root / "cluster=prod/nodes/node3.json"
    silent.write_text(json.dumps({**json.loads(silent.read_text()), "time": "2026-01-01T00:00:00Z"}))
    page = Path(__file__).parent.parent.parent / "systemd/man/traceloop-ship.7.md"
    queries = [block.split("```")[0] for block in page.read_text().split("```sql\n")[1:]]
    assert queries, "the page shows no query"
    for query in queries:
        rows = duckdb.sql(query.replace("s3://dumps/traceloop", str(root))).fetchall()
        assert rows, query
        print(f"    {len(rows)} rows: {rows[0]}")
    # Whose rights end at a prefix has what is below.
    below = duckdb.sql(f"FROM read_json('{root}/cluster=*/namespace=shop/**/*.json', hive_partitioning = true)").fetchall()
    assert len(below) == 5, below


CHECKS = [check for name, check in list(globals().items()) if callable(check) and getattr(check, "__module__", "") == "__main__"
          and check.__code__.co_varnames[:1] == ("place",) and name != "reading"]

if __name__ == "__main__":
    wanted = sys.argv[2:]
    for check in CHECKS:
        if wanted and check.__name__ not in wanted:
            continue
        if not shutil.which("s3s-fs") and "S3(" in Path(__file__).read_text().split(f"def {check.__name__}")[1].split("\ndef ")[0]:
            print(f"NOT DONE: {check.__name__}, since there is no s3s-fs")
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as place:
            try:
                check(place)
            finally:
                for log in Path(place).glob("*/log"):
                    if sys.exc_info()[0]:
                        print(f"{log}:\n{log.read_text()}", file=sys.stderr)
                Started.end()
        print(f"ok {check.__name__.replace('_', ' ')}, {time.monotonic() - began:.1f} s")
