"""The incidents: what is run, and what a person who was asked would name. Written before the summary was tuned.

An incident is a name, a command for `sh -c` (with {d}: a scratch directory, {p}: the programs beside this file, built),
patterns that all have to be found in the summary, and, where something harmless stands beside it, patterns that must
not be. `ends`: the signal or the program that ends it, where it does not end by itself.
"""

from collections import namedtuple

Incident = namedtuple("Incident", "name command wanted unwanted")


def incident(name, command, *wanted, unwanted=()):
    return Incident(name, command, wanted, unwanted)


FOREIGN = "su -s /bin/sh nobody -c"

INCIDENTS = [
    # Shells and what they start.
    incident("a file that is not there", "cat {d}/nonexistent", r"cat\[\d+\] exited with 1", r"/nonexistent", r"ENOENT"),
    incident("a file that may not be read", FOREIGN + " 'cat {d}/secret'", r"cat\[\d+\] exited with 1", r"/secret", r"EACCES"),
    incident("a command that is nowhere", "frobnicate --now", r"exited with 127", r"frobnicate", r"not found|none of"),
    incident("a script that may not be executed", FOREIGN + " {d}/noexec.sh", r"126", r"noexec\.sh", r"EACCES|ermission denied"),
    incident("a script whose interpreter is gone", "{d}/nointerpreter.sh", r"127", r"nointerpreter\.sh"),
    incident("a disk that is full", "dd if=/dev/zero of={d}/small/big bs=64k count=64", r"dd\[\d+\] exited with 1", r"ENOSPC", r"/small/big"),
    incident("a disk that is read-only", "touch {d}/readonly/x", r"touch\[\d+\] exited with 1", r"/readonly/x", r"EROFS"),
    incident("a directory in the way", "cp /etc/hostname {d}/dir/ && rmdir {d}/dir", r"rmdir\[\d+\] exited with 1", r"/dir", r"ENOTEMPTY"),
    incident("the last status of a shell is its own", "cat {d}/nonexistent; exit 3", r"sh\[\d+\] exited with 3", unwanted=[r"^cat"]),
    incident("a child failed and nobody minded", "/bin/false; exit 0", r"sh\[\d+\] exited with 0", unwanted=[r"false"]),
    incident("a command that takes too long", "timeout 0.5 sleep 60", r"sleep\[\d+\] was killed by SIGTERM", r"timeout\[\d+\]"),
    incident("a shell that kills its child", "sleep 60 & sleep 0.5; kill -9 $!; wait $!", r"sleep\[\d+\] was killed by SIGKILL", r"sent by sh\[\d+\]"),
    incident("a signal of no name", "kill -40 $$", r"sh\[\d+\]", r"SIGRT_8"),
    incident("a limit of file size", "ulimit -f 8; dd if=/dev/zero of={d}/limited bs=64k count=8", r"dd\[\d+\]", r"SIGXFSZ|EFBIG"),
    incident("a limit of CPU time", "ulimit -t 1; while :; do :; done", r"sh\[\d+\]", r"SIGXCPU|SIGKILL", r"CPU time|kernel"),
    incident("a pipeline whose end is gone", "trap '' TERM; (sleep 0.2; yes) | head -c 4 >/dev/null; exit 7", r"sh\[\d+\] exited with 7"),
    incident("make has no rule", "cd {d} && make -f broken.mk", r"make\[\d+\] exited with 2", r"No rule to make target"),
    incident("git outside of a repository", "cd / && git log", r"git\[\d+\] exited with 128", r"not a git repository"),
    incident("tar of what is no archive", "tar xf {d}/garbage.tar.gz", r"tar\[\d+\] exited with 2|gzip\[\d+\] exited with 1", r"not in gzip format|does not look like a tar"),
    incident("ssh to a port where nobody listens", "ssh -o BatchMode=yes -p 9 127.0.0.1 true", r"ssh\[\d+\] exited with 255", r"127\.0\.0\.1", r"refused"),
    incident("curl to a port where nobody listens", "curl -sS http://127.0.0.1:9/", r"curl\[\d+\] exited with 7", r"127\.0\.0\.1:9|127\.0\.0\.1 port 9", r"refused"),
    incident("a mount that nobody but root may make", FOREIGN + " 'mount -t tmpfs x /mnt'", r"mount\[\d+\] exited with 32|mount\[\d+\] exited with 1", r"permission denied|must be superuser"),
    incident("a port that is root's", FOREIGN + " '{python} -c \"import socket; socket.create_server((str(), 80))\"'", r"python3?[.\d]*\[\d+\] exited with 1", r"bind to 0\.0\.0\.0:80 failed with EACCES", r"without CAP_NET_BIND_SERVICE", unwanted=[r"CAP_SYS_ADMIN"]),
    incident("a repository that is not there", "git clone {d}/norepo {d}/clone", r"git\[\d+\] exited with 128", r"/norepo", r"does not exist|ENOENT"),
    incident("a lock that somebody has", "flock {d}/lock sleep 2 & sleep 0.3; flock -n {d}/lock true", r"flock\[\d+\] exited with 1", r"flock.*/lock", r"EAGAIN"),
    incident("a lock that is waited for too long", "flock {d}/lock sleep 2 & sleep 0.3; flock -w 1 {d}/lock true", r"flock\[\d+\] exited with 1", r"flock.*/lock", r"EINTR"),
    incident("a name that nobody knows", "curl -sS http://nonexistent.invalid/", r"curl\[\d+\] exited with 6", r"nonexistent\.invalid"),
    # C.
    incident("a null pointer", "{p}/crash null", r"crash\[\d+\] died of SIGSEGV", r"0x8|NULL"),
    incident("an assertion", "{p}/crash assert", r"crash\[\d+\]", r"SIGABRT", r"Assertion `count == 1' failed"),
    incident("a division by zero", "{p}/crash divide", r"crash\[\d+\] died of SIGFPE", r"FPE_INTDIV"),
    incident("an illegal instruction", "{p}/crash illegal", r"crash\[\d+\] died of SIGILL"),
    incident("a file that was cut under its mapping", "{p}/crash bus {d}/mapped", r"crash\[\d+\] died of SIGBUS"),
    incident("a stack without end", "{p}/crash recurse", r"crash\[\d+\] died of SIGSEGV"),
    incident("a worker thread faults, the leader has gone", "{p}/crash thread", r"crash\[\d+\] died of SIGSEGV", r"thread worker"),
    incident("a handler raises the fault again", "{p}/crash again", r"crash\[\d+\] died of SIGSEGV at address 0x123"),
    incident("an alarm that nobody handles", "{p}/crash alarm", r"crash\[\d+\]", r"SIGALRM", r"timer"),
    incident("a pipe that nobody reads", "{p}/crash pipe", r"crash\[\d+\]", r"SIGPIPE", r"nobody reads|EPIPE"),
    incident("a filter forbids a call", "{p}/crash seccomp", r"crash\[\d+\]", r"SIGSYS", r"seccomp", r"mkdir"),
    incident("a filter kills one thread", "{p}/crash seccomp-thread", r"crash\[\d+\]", r"SIGSYS", r"seccomp"),
    incident("no more descriptors", "ulimit -n 16; {p}/crash descriptors", r"crash\[\d+\] exited with 1", r"EMFILE"),
    incident("a refused connection, then a fault", "{p}/crash connect", r"crash\[\d+\] died of SIGSEGV", r"connect to 127\.0\.0\.1:9 was refused"),
    incident("a connection that fails later", "{p}/crash later", r"crash\[\d+\] exited with 1", r"127\.0\.0\.1:9", r"refused"),
    incident("its parent's death", "{p}/crash orphan; sleep 0.5", r"SIGTERM|SIGKILL|exited with 0"),
    # Interpreters.
    incident("python: an exception", "{python} -c 'd = {{}}; d[\"missing\"]'", r"python3?[.\d]*\[\d+\] exited with 1", r"KeyError: 'missing'"),
    incident("python: a module that is not there", "{python} -c 'import frobnicator'", r"exited with 1", r"No module named 'frobnicator'"),
    incident("python: connection refused", "{python} -c 'import socket; socket.create_connection((\"127.0.0.1\", 9))'", r"exited with 1", r"connect to 127\.0\.0\.1:9 was refused"),
    incident("python: address in use", "{python} -c 'import socket; a = socket.create_server((\"127.0.0.1\", 0)); socket.create_server(a.getsockname())'", r"exited with 1", r"bind to 127\.0\.0\.1:\d+", r"EADDRINUSE"),
    incident("perl: a file that is not there", "perl -e 'open(F, \"<{d}/gone.conf\") or die \"cannot read configuration: $!\"'", r"perl\[\d+\] exited with 2", r"gone\.conf", r"cannot read configuration"),
    incident("perl: a module that is not there", "perl -e 'use NoSuch::Module;'", r"perl\[\d+\] exited with 2", r"Can't locate NoSuch/Module\.pm"),
    incident("python: no memory", "ulimit -v 200000; {python} -c 'x = \"a\" * 10**9'", r"exited with 1", r"ENOMEM|MemoryError"),
    incident("ruby: an exception", "ruby -e 'raise \"the widget is broken\"'", r"ruby\w*[.\d]*\[\d+\] exited with 1", r"the widget is broken"),
    incident("node: an error", "node -e 'throw new Error(\"no luck today\")'", r"node\[\d+\] exited with 1", r"Error: no luck today"),
    incident("node: a file that is not there", "node -e 'require(\"fs\").readFileSync(\"{d}/gone.json\")'", r"node\[\d+\] exited with 1", r"gone\.json", r"ENOENT"),
    incident("node: connection refused", "node -e 'require(\"net\").connect(9, \"127.0.0.1\")'", r"node\[\d+\] exited with 1", r"127\.0\.0\.1:9", r"refused|ECONNREFUSED"),
    incident("java: an exception", "java -Xint -cp {d} Incident", r"java\[\d+\] exited with 1", r"IllegalStateException: the queue is gone"),
    incident("go: a panic", "{d}/incident-go", r"incident-go\[\d+\] exited with 2", r"panic: the map is nil"),
    # Servers.
    incident("nginx: a port that is taken", "{p}/holds 8391 nginx -p {d}/nginx -c {d}/nginx/nginx.conf", r"nginx\[\d+\] exited with 1", r"0\.0\.0\.0:8391|:8391", r"EADDRINUSE"),
    incident("nginx: a directive that is unknown", "nginx -p {d}/nginx -c {d}/nginx/broken.conf", r"nginx\[\d+\] exited with 1", r"unknown directive"),
    incident("redis: a port that is taken", "{p}/holds 8392 redis-server --port 8392 --bind 127.0.0.1 --save ''", r"redis-server\[\d+\] exited with 1", r"8392", r"EADDRINUSE"),
    incident("redis: a fault", "redis-server --port 0 --unixsocket {d}/r.sock --save '' --enable-debug-command yes --dir {d} >/dev/null & sleep 1; redis-cli -s {d}/r.sock debug segfault; wait $!", r"redis-server\[\d+\] died of SIGSEGV"),
    incident("postgres: no data", FOREIGN + " '{postgres} -D {d}/nodata'", r"postgres\[\d+\] exited with 2", r"nodata"),
    incident("postgres: a port that is taken", "{p}/holds 8393 " + FOREIGN + " '{postgres} -D {d}/pg -p 8393 -c listen_addresses=127.0.0.1 -k {d}/pg'", r"postgres\[\d+\] exited with 1", r"127\.0\.0\.1", r"EADDRINUSE|in use|could not create any TCP"),
]
