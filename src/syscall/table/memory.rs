//! Memory.

use crate::syscall::{Kind::*, Len::*, Row, Shape::*, case::{rows}, words};

const MREMAP_MOVES: u64 = (libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP) as u64;

pub(super) static ROWS: &[Row] = rows! {
    mmap [Desc Memory] (addr: Addr, len: Size, prot: LongFlags(&words::memory::PROT), flags: MapFlags, fd: Fd, off: Hex) -> Hex;
    mprotect [Memory] (start: Addr, len: Size, prot: LongFlags(&words::memory::PROT)) -> Int;
    munmap [Memory] (addr: Addr, len: Size) -> Int;
    brk [Memory] (brk: Addr) -> Hex;
    mremap [Memory] (addr: Addr, old_len: Size, new_len: Size, flags: Flags(&words::memory::MREMAP), new_addr: If(3, MREMAP_MOVES, &Addr)) -> Hex;
    msync [Memory] (start: Addr, len: Size, flags: Flags(&words::memory::MSYNC)) -> Int;
    mincore [Memory] (start: Size, len: Size, vec: Addr) -> Int;
    madvise [Memory] (start: Addr, len_in: Size, behavior: Enum(&words::memory::MADVISE)) -> Int;
    mlock [Memory] (start: Size, len: Size) -> Int;
    munlock [Memory] (start: Size, len: Size) -> Int;
    mlockall [Memory] (flags: Hex) -> Int;
    munlockall [Memory] () -> Int;
    remap_file_pages [Memory] (start: Size, size: Size, prot: Size, pgoff: Size, flags: Hex) -> Int;
    mbind [Memory] (start: Size, len: Size, mode: Mode, nmask: Addr, maxnode: Size, flags: Hex) -> Int;
    set_mempolicy [Memory] (mode: Mode, nmask: Addr, maxnode: Size) -> Int;
    get_mempolicy [Memory] (policy: Addr, nmask: Addr, maxnode: Size, addr: Size, flags: Hex) -> Int;
    migrate_pages [Memory] (pid: Pid, maxnode: Size, old_nodes: Addr, new_nodes: Addr) -> Int;
    move_pages [Memory] (pid: Pid, nr_pages: Size, pages: Addr, nodes: Addr, status: Addr, flags: Hex) -> Int;
    getrandom [] (ubuf: Out(Bytes, Ret), len: Size, flags: Flags(&words::memory::GETRANDOM)) -> Int;
    memfd_create [Desc] (uname: Str, flags: Flags(&words::memory::MEMFD)) -> Fd;
    userfaultfd [Desc] (flags: Hex) -> Int;
    membarrier [] (cmd: Int, flags: Hex, cpu_id: Int) -> Int;
    mlock2 [Memory] (start: Size, len: Size, flags: Hex) -> Int;
    pkey_mprotect [Memory] (start: Size, len: Size, prot: Size, pkey: Int) -> Int;
    pkey_alloc [] (flags: Hex, init_val: Size) -> Int;
    pkey_free [] (pkey: Int) -> Int;
    process_madvise [Desc] (pidfd: Fd, vec: Addr, vlen: Size, behavior: Int, flags: Hex) -> Int;
    memfd_secret [Desc] (flags: Hex) -> Int;
    process_mrelease [Desc] (pidfd: Fd, flags: Hex) -> Int;
    set_mempolicy_home_node [Memory] (start: Size, len: Size, home_node: Size, flags: Hex) -> Int;
    cachestat [] (fd: Fd, cstat_range: Addr, cstat: Addr, flags: Hex) -> Int;
    map_shadow_stack [] () -> Int;
    mseal [] (start: Size, len: Size, flags: Hex) -> Int;
};
