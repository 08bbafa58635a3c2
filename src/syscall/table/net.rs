//! Sockets.

use crate::syscall::{
    Cases,
    Kind::*,
    Len::*,
    Row,
    Shape::*,
    case::{cases, rows},
    words,
};

pub(super) static ROWS: &[Row] = rows! {
    sendfile [Desc Network] (out_fd: Fd, in_fd: Fd, offset: Moved(Uint64), count: Size) -> Int;
    socket [Network] (family: Enum(&words::net::FAMILIES), r#type: SocketType, protocol: SocketProtocol) -> Fd;
    connect [Network] (fd: Fd, uservaddr: In(Sockaddr, Arg(addrlen)), addrlen: Int) -> Int;
    accept [Network] (fd: Fd, upeer_sockaddr: PeerAddress(upeer_addrlen), upeer_addrlen: PeerLength(upeer_sockaddr)) -> Fd;
    accept4 [Network] (fd: Fd, upeer_sockaddr: PeerAddress(upeer_addrlen), upeer_addrlen: PeerLength(upeer_sockaddr), flags: Flags(&words::net::SOCKET_FLAGS)) -> Fd;
    sendto [Network] (fd: Fd, buff: In(SocketData, Arg(len)), len: Size, flags: Flags(&words::net::MSG), addr: In(Sockaddr, Arg(addr_len)), addr_len: Int) -> Int;
    recvfrom [Network] (fd: Fd, ubuf: Out(SocketData, RetOrArg(size)), size: Size, flags: Flags(&words::net::MSG), addr: PeerAddress(addr_len), addr_len: PeerLength(addr)) -> Int;
    sendmsg [Network] (fd: Fd, msg: In(Message, One), flags: Flags(&words::net::MSG)) -> Int;
    recvmsg [Network] (fd: Fd, msg: InOut(Message, One), flags: Flags(&words::net::MSG)) -> Int;
    sendmmsg [Network] (fd: Fd, mmsg: OutAlways(Messages, Arg(vlen)), vlen: Uint, flags: Flags(&words::net::MSG)) -> Int;
    recvmmsg [Network] (fd: Fd, mmsg: InOut(Messages, Arg(vlen)), vlen: Uint, flags: Flags(&words::net::MSG), timeout: InOut(Timespec, One)) -> Told(crate::syscall::Told::Received);
    shutdown [Network] (fd: Fd, how: Enum(&words::net::SHUTDOWN)) -> Int;
    bind [Network] (fd: Fd, umyaddr: In(Sockaddr, Arg(addrlen)), addrlen: Int) -> Int;
    listen [Network] (fd: Fd, backlog: Int) -> Int;
    getsockname [Network] (fd: Fd, usockaddr: PeerAddress(usockaddr_len), usockaddr_len: PeerLength(usockaddr)) -> Int;
    getpeername [Network] (fd: Fd, usockaddr: PeerAddress(usockaddr_len), usockaddr_len: PeerLength(usockaddr)) -> Int;
    socketpair [Network] (family: Enum(&words::net::FAMILIES), r#type: SocketType, protocol: Uint, usockvec: Out(FdPair, One)) -> Int;
    setsockopt [Network] (fd: Fd, level: Enum(&words::net::option::LEVELS), optname: SetOption, optval: In(SockOpt, Arg(optlen)), optlen: Int) -> Int;
    getsockopt [Network] (fd: Fd, level: Enum(&words::net::option::LEVELS), optname: GetOption, optval: Out(SockOpt, At(optlen)), optlen: InOut(Int32, One)) -> Int;
    getpmsg [Network] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size) -> Int;
    putpmsg [Network] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size) -> Int;
};

/// socketcall's calls: the second argument points to the words that are their arguments.
pub(super) static SOCKET_CALLS: Cases = cases! {
    by 0, mask 0xffff_ffff, words;
    [1] as socket (family: Enum(&words::net::FAMILIES), r#type: SocketType, protocol: SocketProtocol) -> Fd;
    [2] as bind (fd: Fd, umyaddr: In(Sockaddr, Arg(addrlen)), addrlen: Int) -> Int;
    [3] as connect (fd: Fd, uservaddr: In(Sockaddr, Arg(addrlen)), addrlen: Int) -> Int;
    [4] as listen (fd: Fd, backlog: Int) -> Int;
    [5] as accept (fd: Fd, upeer_sockaddr: PeerAddress(upeer_addrlen), upeer_addrlen: PeerLength(upeer_sockaddr)) -> Fd;
    [6] as getsockname (fd: Fd, usockaddr: PeerAddress(usockaddr_len), usockaddr_len: PeerLength(usockaddr)) -> Int;
    [7] as getpeername (fd: Fd, usockaddr: PeerAddress(usockaddr_len), usockaddr_len: PeerLength(usockaddr)) -> Int;
    [8] as socketpair (family: Enum(&words::net::FAMILIES), r#type: SocketType, protocol: Uint, usockvec: Out(FdPair, One)) -> Int;
    [9] as send (fd: Fd, buff: In(SocketData, Arg(len)), len: Size, flags: Flags(&words::net::MSG)) -> Int;
    [10] as recv (fd: Fd, ubuf: Out(SocketData, RetOrArg(size)), size: Size, flags: Flags(&words::net::MSG)) -> Int;
    [11] as sendto (fd: Fd, buff: In(SocketData, Arg(len)), len: Size, flags: Flags(&words::net::MSG), addr: In(Sockaddr, Arg(addr_len)), addr_len: Int) -> Int;
    [12] as recvfrom (fd: Fd, ubuf: Out(SocketData, RetOrArg(size)), size: Size, flags: Flags(&words::net::MSG), addr: PeerAddress(addr_len), addr_len: PeerLength(addr)) -> Int;
    [13] as shutdown (fd: Fd, how: Enum(&words::net::SHUTDOWN)) -> Int;
    [14] as setsockopt (fd: Fd, level: Enum(&words::net::option::LEVELS), optname: SetOption, optval: In(SockOpt, Arg(optlen)), optlen: Int) -> Int;
    [15] as getsockopt (fd: Fd, level: Enum(&words::net::option::LEVELS), optname: GetOption, optval: Out(SockOpt, At(optlen)), optlen: InOut(Int32, One)) -> Int;
    [16] as sendmsg (fd: Fd, msg: In(Message, One), flags: Flags(&words::net::MSG)) -> Int;
    [17] as recvmsg (fd: Fd, msg: InOut(Message, One), flags: Flags(&words::net::MSG)) -> Int;
    [18] as accept4 (fd: Fd, upeer_sockaddr: PeerAddress(upeer_addrlen), upeer_addrlen: PeerLength(upeer_sockaddr), flags: Flags(&words::net::SOCKET_FLAGS)) -> Fd;
    [19] as recvmmsg (fd: Fd, mmsg: InOut(Messages, Arg(vlen)), vlen: Uint, flags: Flags(&words::net::MSG), timeout: InOut(Timespec, One)) -> Told(crate::syscall::Told::Received);
    [20] as sendmmsg (fd: Fd, mmsg: OutAlways(Messages, Arg(vlen)), vlen: Uint, flags: Flags(&words::net::MSG)) -> Int;
};
