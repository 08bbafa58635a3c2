"""A headless Chromium with one page, driven through its debugging pipe: no driver, no port, no network."""

import json, os, shutil, subprocess, tempfile, time

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-quic", "--no-first-run", "--remote-debugging-pipe"]


class Page:
    """`with Page(file) as page: page.ask("1 + 1")`"""

    def __init__(self, file, width=1400, height=1000, dark=False):
        self.profile = tempfile.mkdtemp(prefix="chromium-")
        (take_in, self.out), (self.answers, give_out) = os.pipe(), os.pipe()

        def pipes():
            # Chromium reads commands from 3 and writes answers to 4.
            a, b = os.dup(take_in), os.dup(give_out)
            a, b = (os.dup2(a, 103), os.dup2(b, 104))
            os.dup2(a, 3), os.dup2(b, 4)

        self.log = open(os.path.join(self.profile, "log"), "wb")
        self.process = subprocess.Popen(["chromium", *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
                                        close_fds=False, preexec_fn=pipes, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        os.close(take_in), os.close(give_out)
        self.rest, self.number, self.complaints = b"", 0, []
        target = self.send("Target.createTarget", {"url": "about:blank"}, None)["targetId"]
        self.session = self.send("Target.attachToTarget", {"targetId": target, "flatten": True}, None)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.send(domain + ".enable")
        self.send("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.theme(dark)
        self.send("Page.navigate", {"url": "file://" + os.path.abspath(file)})
        self.until("document.documentElement?.dataset.ready !== undefined", 60)

    def send(self, method, params=None, session=""):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params or {}}
        if session is not None:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        while True:
            while b"\0" not in self.rest:
                more = os.read(self.answers, 1 << 16)
                if not more:
                    raise SystemExit("chromium ended: " + open(self.log.name, errors="replace").read()[-2000:])
                self.rest += more
            line, self.rest = self.rest.split(b"\0", 1)
            answer = json.loads(line)
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(json.dumps(answer["params"])[:600])
            if answer.get("method") == "Network.requestWillBeSent" and not answer["params"]["request"]["url"].startswith("file:///"):
                self.complaints.append("asks for " + answer["params"]["request"]["url"][:100])
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]

    def ask(self, expression):
        """The value of an expression in the page, awaited."""
        answer = self.send("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in answer:
            raise SystemExit(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, expression, seconds=10):
        end = time.time() + seconds
        while not self.ask(expression):
            if time.time() > end:
                raise SystemExit(f"not within {seconds} s: {expression}; the page complains: {self.complaints}")
            time.sleep(0.05)

    def settle(self):
        """Waits until what changed is drawn."""
        self.ask("new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 200))")

    def theme(self, dark):
        self.send("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def press(self, key, times=1):
        for _ in range(times):
            text = {"text": key} if len(key) == 1 else {}
            self.send("Input.dispatchKeyEvent", {"type": "keyDown", "key": key, **text})
            self.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": key})

    def mouse(self, kind, x, y, **more):
        self.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **more})

    def picture(self, file):
        import base64
        self.settle()
        with open(file, "wb") as out:
            out.write(base64.b64decode(self.send("Page.captureScreenshot", {"format": "png"})["data"]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)
