//! Sockets.

use crate::syscall::{Kind::*, Len::*, Row, Shape::*, case::rows, words};

pub(super) static ROWS: &[Row] = rows! {
    sendfile [Desc Network] (out_fd: Fd, in_fd: Fd, offset: Moved(Uint64), count: Size) -> Int;
    socket [Network] (family: Enum(&words::net::FAMILIES), r#type: SocketType, protocol: SocketProtocol) -> Fd;
    connect [Network] (fd: Fd, uservaddr: In(Sockaddr, Arg(addrlen)), addrlen: Int) -> Int;
    accept [Network] (fd: Fd, upeer_sockaddr: Out(Sockaddr, At(upeer_addrlen)), upeer_addrlen: InOut(Int32, One)) -> Fd;
    sendto [Network] (fd: Fd, buff: In(Bytes, Arg(len)), len: Size, flags: Flags(&words::net::MSG), addr: In(Sockaddr, Arg(addr_len)), addr_len: Int) -> Int;
    recvfrom [Network] (fd: Fd, ubuf: Out(Bytes, RetOrArg(size)), size: Size, flags: Flags(&words::net::MSG), addr: Out(Sockaddr, At(addr_len)), addr_len: InOut(Int32, One)) -> Int;
    sendmsg [Network] (fd: Fd, msg: In(Message, One), flags: Flags(&words::net::MSG)) -> Int;
    recvmsg [Network] (fd: Fd, msg: Out(Message, One), flags: Flags(&words::net::MSG)) -> Int;
    shutdown [Network] (fd: Fd, how: Enum(&words::net::SHUTDOWN)) -> Int;
    bind [Network] (fd: Fd, umyaddr: In(Sockaddr, Arg(addrlen)), addrlen: Int) -> Int;
    listen [Network] (fd: Fd, backlog: Int) -> Int;
    getsockname [Network] (fd: Fd, usockaddr: Out(Sockaddr, At(usockaddr_len)), usockaddr_len: InOut(Int32, One)) -> Int;
    getpeername [Network] (fd: Fd, usockaddr: Out(Sockaddr, At(usockaddr_len)), usockaddr_len: InOut(Int32, One)) -> Int;
    socketpair [Network] (family: Enum(&words::net::FAMILIES), r#type: SocketType, protocol: SocketProtocol, usockvec: Out(FdPair, One)) -> Int;
    setsockopt [Network] (fd: Fd, level: Int, optname: Int, optval: Addr, optlen: Int) -> Int;
    getsockopt [Network] (fd: Fd, level: Int, optname: Int, optval: Addr, optlen: Addr) -> Int;
    getpmsg [Network] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size) -> Int;
    putpmsg [Network] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size) -> Int;
    accept4 [Network] (fd: Fd, upeer_sockaddr: Out(Sockaddr, At(upeer_addrlen)), upeer_addrlen: InOut(Int32, One), flags: Flags(&words::net::SOCKET_FLAGS)) -> Fd;
    recvmmsg [Network] (fd: Fd, mmsg: Out(Messages, Ret), vlen: Uint, flags: Flags(&words::net::MSG), timeout: InOut(Timespec, One)) -> Int;
    sendmmsg [Network] (fd: Fd, mmsg: In(Messages, Arg(vlen)), vlen: Uint, flags: Flags(&words::net::MSG)) -> Int;
};
