"""Calls of many kinds, each with what has a name."""
import fcntl, mmap, os, resource, select, signal, socket, struct, sys, termios, threading, time

place = sys.argv[1]


def refused(call, *args):
    try:
        call(*args)
    except OSError:
        pass


server = socket.create_server(("127.0.0.1", 0))


def serve():
    client, _ = server.accept()
    client.send(b"hi")
    client.shutdown(socket.SHUT_WR)
    client.close()


thread = threading.Thread(target=serve)
thread.start()
client = socket.create_connection(server.getsockname())
client.recv(9)
client.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 1, 2))
thread.join()
datagram = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
refused(datagram.bind, ("::1", 0))
refused(datagram.sendto, b"x", datagram.getsockname())
one, other = socket.socketpair()
socket.send_fds(one, [b"x"], [0, 1])
socket.recv_fds(other, 9, 2)
unix = socket.socket(socket.AF_UNIX)
refused(unix.connect, "/nonexistent")
refused(unix.connect, "\0abstract")
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
netlink.bind((0, 0))
netlink.send(struct.pack("IHHIIBxxx", 20, 18, 0x301, 1, 0, 0))
netlink.recv(65536)

refused(fcntl.ioctl, 0, termios.TIOCGWINSZ, b"12345678")
fd = os.open(place + "/file", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o640)
fcntl.lockf(fd, fcntl.LOCK_EX)
os.ftruncate(fd, 8192)
mapped = mmap.mmap(fd, 8192)
mapped.madvise(mmap.MADV_DONTNEED)
mapped.flush()
os.fchmod(fd, 0o600)
os.lseek(fd, 5, 2)
os.utime(fd, (1, 2))
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
os.pwritev(fd, [b"abc", b"def"], 3)
os.mkfifo(place + "/fifo")
refused(os.mknod, place + "/device", 0o20644, os.makedev(1, 3))
os.statvfs("/")
os.access("/tmp", os.R_OK | os.X_OK)
resource.getrlimit(resource.RLIMIT_NOFILE)
resource.getrusage(resource.RUSAGE_CHILDREN)

poll = select.poll()
poll.register(0, select.POLLIN)
poll.poll(1)
epoll = select.epoll()
epoll.register(one.fileno(), select.EPOLLIN | select.EPOLLET)
other.send(b"r")
epoll.poll(1)
select.select([one], [other], [], 0.01)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.02)
signal.pause()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGRTMIN + 5])
os.kill(os.getpid(), signal.SIGUSR1)
signal.sigtimedwait([signal.SIGUSR1], 1)
child = os.fork()
if not child:
    os.kill(os.getpid(), signal.SIGKILL)
os.waitpid(child, 0)
os.memfd_create("x")
os.eventfd(3)
os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
time.clock_getres(time.CLOCK_MONOTONIC)
os.times()
