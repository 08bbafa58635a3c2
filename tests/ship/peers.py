"""What traceloop-ship talks to: each peer takes only what the real one takes, and can be taken away and brought back."""

import http.server
import json
import os
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path


class Started(subprocess.Popen):
    """A process that does not outlive the checks."""

    every = []

    def __init__(self, *words, **more):
        super().__init__(*words, **more)
        self.every.append(self)

    @classmethod
    def end(cls):
        for process in cls.every:
            process.kill()
            process.wait()
        cls.every.clear()


def until(what, holds, seconds=60):
    """Waits until it is so; what never happens is not a slow machine's."""
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.05)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Quiet(socketserver.ThreadingMixIn):
    """A server for which a client that was killed is nothing to speak of."""

    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, address):
        if not isinstance(sys.exc_info()[1], (BrokenPipeError, ConnectionResetError)):
            super().handle_error(request, address)


class S3:
    """s3s-fs: it checks signatures."""

    KEYS = {"AWS_ACCESS_KEY_ID": "AKSHIP", "AWS_SECRET_ACCESS_KEY": "secret-of-ship", "AWS_REGION": "us-east-1"}

    def __init__(self, place):
        self.root, self.port, self.process = Path(place, "s3"), free_port(), None
        (self.root / "dumps").mkdir(parents=True)
        self.bring()

    def bring(self):
        keys = ["--access-key", self.KEYS["AWS_ACCESS_KEY_ID"], "--secret-key", self.KEYS["AWS_SECRET_ACCESS_KEY"]]
        words = ["s3s-fs", "--host", "127.0.0.1", "--port", str(self.port), *keys, str(self.root)]
        self.process = Started(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("the S3 server listens", self.listens)

    def listens(self):
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def take(self):
        self.process.kill()
        self.process.wait()

    def node(self):
        """What the node's file says of each sink."""
        path = self.root / "dumps/fleet/cluster=prod/nodes/node1.json"
        return json.loads(path.read_text())["sinks"] if path.exists() else {}

    def objects(self, end):
        return sorted(path for path in (self.root / "dumps").rglob(f"*{end}") if "nodes" not in path.parts)


class Answers(Quiet, http.server.HTTPServer):
    """HTTP by a function of the request."""

    def __init__(self, answer, port=0):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, text = answer(self.command, self.path, self.headers, body)
                data = text if isinstance(text, bytes) else text.encode()
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.send_header("etag", '"0"')
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = serve

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", port), Handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Collector:
    """Takes log records as opentelemetry-proto's JSON writes them."""

    def __init__(self):
        self.records, self.fails = [], None
        self.server = Answers(self.answer)
        self.url = f"http://127.0.0.1:{self.server.port}/v1/logs"

    def answer(self, method, path, headers, body):
        if self.fails:
            return self.fails
        if (method, path, headers["content-type"]) != ("POST", "/v1/logs", "application/json"):
            return 404, '{"code":5,"message":"no such thing"}'
        for resource in json.loads(body)["resourceLogs"]:
            about = self.attributes(resource["resource"]["attributes"])
            for scope in resource["scopeLogs"]:
                assert scope["scope"]["name"] == "traceloop", scope
                for record in scope["logRecords"]:
                    assert re.fullmatch(r"\d{16,20}", record["timeUnixNano"]), record
                    assert 1 <= record["severityNumber"] <= 24
                    text = record["body"]["stringValue"]
                    self.records.append({**about, **self.attributes(record["attributes"]), "body": text})
        return 200, "{}"

    @staticmethod
    def attributes(pairs):
        found = {}
        for pair in pairs:
            assert set(pair) == {"key", "value"} and len(pair["value"]) == 1, pair
            ((kind, value),) = pair["value"].items()
            # 64-bit integers are strings there.
            assert kind in ("stringValue", "intValue") and isinstance(value, str), pair
            found[pair["key"]] = value
        assert len(found) == len(pairs), "a key stands there twice"
        return found

    def ids(self):
        return [record["traceloop.dump.id"] for record in self.records]


class ApiServer:
    """Creates events as Kubernetes does: a name once, a note that is not too long, and with the right to."""

    FIELDS = {"apiVersion", "kind", "metadata", "eventTime", "reportingController", "reportingInstance", "action",
              "reason", "type", "regarding", "note"}

    def __init__(self, place):
        self.events, self.forbidden, self.gone = {}, False, set()
        self.server = Answers(self.answer)
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.account = Path(place, "account")
        self.account.mkdir()
        (self.account / "token").write_text("the-token\n")
        (self.account / "namespace").write_text("traceloop")

    def answer(self, method, path, headers, body):
        def refuse(status, reason, message):
            return status, json.dumps({"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": status})

        if headers["authorization"] != "Bearer the-token":
            return refuse(401, "Unauthorized", "Unauthorized")
        found = re.fullmatch(r"/apis/events.k8s.io/v1/namespaces/([a-z0-9-]+)/events(\?dryRun=All)?", path)
        if method != "POST" or not found:
            return refuse(404, "NotFound", "the server could not find the requested resource")
        namespace, dry = found.groups()
        if self.forbidden:
            return refuse(403, "Forbidden", 'events.events.k8s.io is forbidden: User "system:serviceaccount:a:b" cannot create '
                          f'resource "events" in API group "events.k8s.io" in the namespace "{namespace}"')
        if namespace in self.gone:
            return refuse(404, "NotFound", f'namespaces "{namespace}" not found')
        event = json.loads(body)
        name = event["metadata"]["name"]
        valid = (set(event) == self.FIELDS and event["apiVersion"] == "events.k8s.io/v1" and event["kind"] == "Event"
                 and event["metadata"]["namespace"] == namespace == event["regarding"]["namespace"]
                 and re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name)
                 and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["eventTime"])
                 and len(event["note"].encode()) <= 1024 and event["type"] in ("Normal", "Warning")
                 and all(0 < len(event[key]) <= 128 for key in ("reason", "action", "reportingInstance")))
        if not valid:
            return refuse(422, "Invalid", f"Event is invalid: {event}")
        if (namespace, name) in self.events:
            return refuse(409, "AlreadyExists", f'events.events.k8s.io "{name}" already exists')
        if not dry:
            self.events[namespace, name] = event
        return 201, body


class Pods(Quiet, socketserver.UnixStreamServer):
    """A daemon that has dumps of pods: there is no kubelet here. `files` are dump files by what is said of them."""

    def __init__(self, place, old=False):
        self.path, self.old = str(Path(place, f"pods-{time.monotonic_ns()}.sock")), old
        self.dumps, self.files, self.changed = [], {}, threading.Condition()
        pods = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path, _, query = self.path.partition("?")
                if path == "/v1":
                    return self.give(200, b'{"version":"9.9.9"}')
                if pods.old or not path.startswith("/v1/dumps"):
                    return self.give(404, b'{"error":"there is nothing"}')
                if path == "/v1/dumps":
                    wanted = query.partition("match=")[2]
                    lines = [json.dumps(dump) + "\n" for dump in pods.dumps if wanted in ("", dump["id"])]
                    return self.give(200, "".join(lines).encode())
                if path == "/v1/dumps/stream":
                    return self.stream()
                data = pods.files.get(path.rsplit("/", 1)[1])
                return self.give(200, data) if data is not None else self.give(404, b'{"error":"gone"}')

            def give(self, status, data):
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def stream(self):
                self.send_response(200)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                with pods.changed:
                    seen = len(pods.dumps)
                    while pods.changed.wait(timeout=600):
                        for dump in pods.dumps[seen:]:
                            line = json.dumps(dump).encode() + b"\n"
                            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                        seen = len(pods.dumps)

            def address_string(self):
                return "socket"

            def log_message(self, *_):
                pass

        super().__init__(self.path, Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def add(self, number, namespace="shop", pod="cart-2", size=4096, summary="app[7] was killed by SIGSEGV.", data=None):
        stamp = time.gmtime()
        micro = number % 1_000_000
        ident = f"{number:012x}"
        name = time.strftime("%Y%m%dT%H%M%S", stamp) + f".{micro:06}Z+1.{number:x}-{namespace}%2F{pod}-killed-{ident}.dump"
        data = os.urandom(size) if data is None else data
        about = {
            "id": ident, "path": f"/var/lib/traceloop/{name}", "size": len(data), "state": "whole",
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", stamp) + f".{micro:06}Z", "name": f"{namespace}/{pod}/app",
            "reason": "killed", "pid": 7, "comm": "app", "host": "node1", "traceloop": "9.9.9", "calls": 100, "failed": 3,
            "identities": [{"cgroup": f"/kubepods/{pod}", "cgroup_id": 1, "container": {"runtime": "containerd", "id": "c" * 64},
                            "pod": {"uid": f"uid-{pod}", "namespace": namespace, "name": pod, "container": "app"}}],
            "last_words": {"failed": [{"text": "write(1, \"\"..., 4096) = -1 ENOSPC", "errno": "ENOSPC"}]},
            "summary": {"text": summary, "events": []},
        }
        with self.changed:
            self.files[ident] = data
            self.dumps.append(about)
            self.changed.notify_all()
        return ident

    def remove(self, ident):
        self.dumps[:] = [dump for dump in self.dumps if dump["id"] != ident]
        del self.files[ident]

    def ids(self):
        return sorted(dump["id"] for dump in self.dumps)


class Recorder:
    """The real daemon, which records the cgroups of this test."""

    def __init__(self, binary, place):
        self.binary, self.place = binary, Path(place)
        self.prefix = f"traceloop-ship-test-{os.getpid()}-"
        mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        self.root = Path(next(words[4] for words in mounts if words[words.index("-") + 1] == "cgroup2"))
        self.socket, self.groups = self.place / "sock", []
        (self.place / "config").write_text(
            f'socket = "{self.socket}"\n[record]\ninclude = ["{self.prefix}*"]\n[store]\ndirectory = "{self.place}/store"\n'
            'max-use = "1G"\nkeep-free = "1M"\n[triggers]\nburst = 1000\n')
        self.process = None
        self.bring()

    def bring(self):
        with open(self.place / "log", "wb") as log:
            words = [self.binary, "serve", "--config", self.place / "config"]
            self.process = Started(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        until("the daemon records", lambda: "recording" in self.log() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log()

    def log(self):
        return (self.place / "log").read_text()

    def take(self):
        self.process.terminate()
        self.process.wait()

    def group(self, name):
        path = self.root / (self.prefix + name)
        path.mkdir()
        self.groups.append(path)
        return path

    def verb(self, *words):
        done = subprocess.run([self.binary, *words, "--socket", self.socket], capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stderr}\n{self.log()}"
        return done.stdout

    def crash(self, path):
        """A process that fails at once; its dump comes by itself."""
        subprocess.run(["sh", "-c", f"echo $$ > {path}/cgroup.procs; cat /nonexistent-{time.monotonic_ns()}; kill -SEGV $$"],
                       stderr=subprocess.DEVNULL, check=False)

    def save(self, path):
        return self.verb("dump", "--save", path.name).strip()

    def stored(self):
        return sorted((self.place / "store").glob("*.dump"))

    def end(self):
        self.take()
        for path in self.groups:
            if path.exists():
                (path / "cgroup.kill").write_text("1")
                until("the cgroup is empty", lambda path=path: self.gone(path))
        shutil.rmtree(self.place, ignore_errors=True)

    @staticmethod
    def gone(path):
        try:
            path.rmdir()
        except OSError:
            return not path.exists()
        return True


class Shipper:
    """traceloop-ship with a configuration."""

    def __init__(self, binary, place, socket, lines, env=None):
        self.binary, self.place = binary, Path(tempfile.mkdtemp(dir=place))
        self.state, self.port, self.process = self.place / "state", free_port(), None
        self.env = {**{key: value for key, value in os.environ.items() if not key.startswith("AWS_")}, **(env or {})}
        head = f'cluster = "prod"\nnode = "node1"\nsocket = "{socket}"\nstate = "{self.state}"\n'
        self.head, self.lines = head, lines
        self.configure(lines)

    def configure(self, lines):
        (self.place / "ship.toml").write_text(f'{self.head}metrics = "127.0.0.1:{self.port}"\n{lines}\n')

    def run(self, *words, seconds=60):
        whole = [self.binary, "--config", self.place / "ship.toml", *words]
        return subprocess.run(whole, capture_output=True, text=True, env=self.env, timeout=seconds)

    def start(self):
        log = open(self.place / "log", "ab")
        self.process = Started([self.binary, "--config", self.place / "ship.toml"], stderr=log, env=self.env)

    def log(self):
        return (self.place / "log").read_text()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0, self.log()

    def metric(self, name, sink):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
                text = answer.read().decode()
        except OSError:
            return None
        found = re.search(rf'^traceloop_ship_{name}{{sink="{sink}"}} (\S+)$', text, re.M)
        return float(found[1]) if found else None
