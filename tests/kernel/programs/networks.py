"""Names interface N, first where it starts, then where only a loopback is, which has another name; `stay`: stays there."""
import ctypes, fcntl, os, socket, struct, sys

AF_INET6, NEWNET, SETNAME, SETFLAGS, UP = 10, 0x40000000, 0x8923, 0x8914, 1
libc = ctypes.CDLL(None, use_errno=True)


def network():
    return os.stat("/proc/self/ns/net").st_ino


def tell(unix, index):
    address = struct.pack("=HHI8s8sI", AF_INET6, 0, 0, b"\xfe\x80", b"", index)
    libc.connect(unix.fileno(), address, len(address))


with socket.socket(socket.AF_UNIX) as unix:
    tell(unix, int(sys.argv[1]))
before = network()
if libc.unshare(NEWNET) or network() == before:
    sys.exit(f"unshare: errno {ctypes.get_errno()}")
# A socket stays where it was made: the machine's own loopback is not to be renamed.
with socket.socket(socket.AF_UNIX) as unix:
    fcntl.ioctl(unix, SETNAME, struct.pack("16s16s", b"lo", b"other0"))
    fcntl.ioctl(unix, SETFLAGS, struct.pack("16sh14x", b"other0", UP))
    tell(unix, int(sys.argv[1]))
    tell(unix, 1)
if "stay" in sys.argv:
    print("ready", flush=True)
    sys.stdin.read()
