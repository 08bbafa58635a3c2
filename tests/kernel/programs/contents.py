"""Reads, writes and sends a password in every way, and is left in a write of it that cannot end."""

import ctypes
import os
import socket
import sys

SECRET = b"a-password"


def attempt(call, *args):
    try:
        call(*args)
    except OSError:
        pass


quiet = os.open("/dev/null", os.O_WRONLY)
os.writev(quiet, [SECRET, SECRET])
os.pwritev(quiet, [SECRET], 0)
attempt(os.writev, 2, [SECRET + b"\n"])
one, other = socket.socketpair()
one.sendmsg([SECRET])
other.recvmsg(100)
one.send(SECRET)
other.recv(100)
libc = ctypes.CDLL(None, use_errno=True)
queue = libc.msgget(0, 0o1600)
message = ctypes.create_string_buffer((1).to_bytes(8, sys.byteorder) + SECRET)
libc.msgsnd(queue, message, len(SECRET), 0)
libc.msgrcv(queue, message, len(SECRET), 0, 0)
libc.msgctl(queue, 0, 0)
tcp = socket.socket()
# TCP_MD5SIG: an address, the key's length, the key.
key = (2).to_bytes(2, sys.byteorder) + bytes(126) + bytes(2) + len(SECRET).to_bytes(2, sys.byteorder) + bytes(4)
attempt(tcp.setsockopt, socket.IPPROTO_TCP, 14, key + SECRET.ljust(80, b"\0"))
attempt(tcp.setsockopt, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
attempt(os.setxattr, "/dev/null", "user.word", SECRET)
reader, writer = os.pipe()
os.set_blocking(writer, False)
try:
    while True:
        os.write(writer, bytes(4096))
except BlockingIOError:
    os.set_blocking(writer, True)
if os.fork() == 0:
    os.writev(writer, [SECRET])
    os._exit(0)
print("ready", flush=True)
sys.stdin.read()
os.read(reader, 1 << 20)
