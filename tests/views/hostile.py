"""Makes calls whose words would be markup, were they not taken as text; ends badly."""

import ctypes, os, signal, threading, time

for name in ("</script><script>window.owned=1</script>", "<!--<script>", "<img src=x onerror=window.owned=1>", "\x1b[31m\u2028'\"&amp;{{}}", "${owned=1}"):
    try:
        open("/nonexistent/" + name)
    except OSError:
        pass
ctypes.CDLL(None).prctl(15, b"</script><b>", 0, 0, 0)
thread = threading.Thread(target=time.sleep, args=(0.01,))
thread.start()
thread.join()
child = os.fork()
if child == 0:
    signal.pause()
for _ in range(2000):
    os.getppid()
os.kill(child, signal.SIGTERM)
os.waitpid(child, 0)
os.abort()
