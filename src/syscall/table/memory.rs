//! Memory.

use crate::syscall::{
    Cases,
    Kind::*,
    Len::*,
    Row,
    Shape::*,
    case::{cases, rows},
    words,
};

const MREMAP_MOVES: u64 = (libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED) as u64;

pub(super) static ROWS: &[Row] = rows! {
    mmap [Desc Memory] (addr: Addr, len: Size, prot: LongFlags(&words::memory::PROT), flags: MapFlags, fd: Fd, off: Hex) -> Hex;
    mprotect [Memory] (start: Addr, len: Size, prot: LongFlags(&words::memory::PROT)) -> Int;
    munmap [Memory] (addr: Addr, len: Size) -> Int;
    brk [Memory] (brk: Addr) -> Hex;
    mremap [Memory] (addr: Addr, old_len: Size, new_len: Size, flags: LongFlags(&words::memory::MREMAP), new_addr: IfAll(3, MREMAP_MOVES, &Addr)) -> Hex;
    msync [Memory] (start: Addr, len: Size, flags: Flags(&words::memory::MSYNC)) -> Int;
    mincore [Memory] (start: Addr, len: Size, vec: Out(Residency, PagesOf(len))) -> Int;
    madvise [Memory] (start: Addr, len_in: Size, behavior: Enum(&words::memory::MADVISE)) -> Int;
    mlock [Memory] (start: Addr, len: Size) -> Int;
    munlock [Memory] (start: Addr, len: Size) -> Int;
    mlockall [Memory] (flags: Flags(&words::memory::MLOCKALL)) -> Int;
    munlockall [Memory] () -> Int;
    remap_file_pages [Memory] (start: Addr, size: Size, prot: LongFlags(&words::memory::PROT), pgoff: Size, flags: MapFlags) -> Int;
    mbind [Memory] (start: Addr, len: Size, mode: PolicyMode, nmask: Nodes(maxnode), maxnode: Size, flags: Flags(&words::memory::MBIND)) -> Int;
    set_mempolicy [Memory] (mode: PolicyMode, nmask: Nodes(maxnode), maxnode: Size) -> Int;
    get_mempolicy [Memory] (policy: Out(PolicyCell, One), nmask: NodesOut(maxnode), maxnode: Size, addr: Addr, flags: LongFlags(&words::memory::GET_POLICY)) -> Int;
    migrate_pages [Memory] (pid: Pid, maxnode: Size, old_nodes: Nodes(maxnode), new_nodes: Nodes(maxnode)) -> Int;
    move_pages [Memory] (pid: Pid, nr_pages: Size, pages: In(AddrCell, Arg(nr_pages)), nodes: In(Int32, Arg(nr_pages)), status: Out(PageStatus, Arg(nr_pages)), flags: Flags(&words::memory::MOVE_PAGES)) -> Int;
    getrandom [] (ubuf: Out(HexBytes, Ret), len: Size, flags: Flags(&words::memory::GETRANDOM)) -> Int;
    memfd_create [Desc] (uname: Str, flags: MemfdFlags) -> Fd;
    userfaultfd [Desc] (flags: Flags(&words::memory::USERFAULT)) -> Fd;
    membarrier [] (cmd: Enum(&words::memory::MEMBARRIER), flags: Flags(&words::memory::MEMBARRIER_FLAGS), cpu_id: If(1, 1, &Int)) -> Int by &MEMBARRIER_CASES;
    mlock2 [Memory] (start: Addr, len: Size, flags: Flags(&words::memory::MLOCK)) -> Int;
    pkey_mprotect [Memory] (start: Addr, len: Size, prot: LongFlags(&words::memory::PROT), pkey: Int) -> Int;
    pkey_alloc [] (flags: Hex, init_val: LongFlags(&words::memory::PKEY)) -> Int;
    pkey_free [] (pkey: Int) -> Int;
    process_madvise [Desc] (pidfd: Fd, vec: In(Span, Arg(vlen)), vlen: Size, behavior: Enum(&words::memory::MADVISE), flags: Hex32) -> Int;
    memfd_secret [Desc] (flags: Flags(&words::memory::MEMFD_SECRET)) -> Fd;
    process_mrelease [Desc] (pidfd: Fd, flags: Hex32) -> Int;
    set_mempolicy_home_node [Memory] (start: Addr, len: Size, home_node: Size, flags: Hex) -> Int;
    cachestat [Desc] (fd: Fd, cstat_range: In(CachestatRange, One), cstat: Out(Cachestat, One), flags: Hex) -> Int;
    map_shadow_stack [] (addr: Addr, size: Size, flags: Flags(&words::memory::SHADOW_STACK)) -> Int;
    mseal [] (start: Addr, len: Size, flags: Hex) -> Int;
};

/// The question which commands there are is answered in bits.
static MEMBARRIER_CASES: Cases = cases! {
    by 0, mask 0xffff_ffff;
    [0] (cmd: Enum(&words::memory::MEMBARRIER), flags: Flags(&words::memory::MEMBARRIER_FLAGS), cpu_id: If(1, 1, &Int)) -> Titled(("", &words::memory::MEMBARRIER));
};
