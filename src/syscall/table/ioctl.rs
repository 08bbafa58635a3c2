//! ioctl's third argument, by command. Commands that are not here show it as a number.

use linux_raw_sys::{general, ioctl};

use crate::syscall::{Cases, Kind::*, Len::*, Shape::*, case::cases, layout::system, words};

pub(super) static CASES: Cases = cases! {
    by 1, mask 0xffff_ffff;
    // Terminals.
    [ioctl::TCGETS, ioctl::TIOCGLCKTRMIOS] (fd: Fd, cmd: Ioctl, arg: Out(Termios, One)) -> Int;
    [ioctl::TCSETS, ioctl::TCSETSW, ioctl::TCSETSF, ioctl::TIOCSLCKTRMIOS] (fd: Fd, cmd: Ioctl, arg: In(Termios, One)) -> Int;
    [ioctl::TCGETS2] (fd: Fd, cmd: Ioctl, arg: Out(Termios2, One)) -> Int;
    [ioctl::TCSETS2, ioctl::TCSETSW2, ioctl::TCSETSF2] (fd: Fd, cmd: Ioctl, arg: In(Termios2, One)) -> Int;
    [ioctl::TCGETA] (fd: Fd, cmd: Ioctl, arg: Out(Termio, One)) -> Int;
    [ioctl::TCSETA, ioctl::TCSETAW, ioctl::TCSETAF] (fd: Fd, cmd: Ioctl, arg: In(Termio, One)) -> Int;
    [ioctl::TIOCGPTPEER] (fd: Fd, cmd: Ioctl, arg: Hex) -> NewFd;
    [ioctl::TIOCGWINSZ] (fd: Fd, cmd: Ioctl, arg: Out(Winsize, One)) -> Int;
    [ioctl::TIOCSWINSZ] (fd: Fd, cmd: Ioctl, arg: In(Winsize, One)) -> Int;
    [ioctl::TCXONC] (fd: Fd, cmd: Ioctl, arg: LongEnum(&words::term::FLOW)) -> Int;
    [ioctl::TCFLSH] (fd: Fd, cmd: Ioctl, arg: LongEnum(&words::term::FLUSH)) -> Int;
    [ioctl::TCSBRK, ioctl::TCSBRKP, ioctl::TIOCSCTTY] (fd: Fd, cmd: Ioctl, arg: Int) -> Int;
    [ioctl::TIOCMGET] (fd: Fd, cmd: Ioctl, arg: Out(ModemFlags, One)) -> Int;
    [ioctl::TIOCMBIS, ioctl::TIOCMBIC, ioctl::TIOCMSET] (fd: Fd, cmd: Ioctl, arg: In(ModemFlags, One)) -> Int;
    [ioctl::TIOCGPGRP, ioctl::TIOCGSID, ioctl::TIOCGETD, ioctl::TIOCGSOFTCAR, ioctl::TIOCGPTN, ioctl::FIONREAD, ioctl::TIOCOUTQ,
        ioctl::TIOCGEXCL, ioctl::TIOCGDEV]
        (fd: Fd, cmd: Ioctl, arg: Out(Int32, One)) -> Int;
    [ioctl::TIOCSPGRP, ioctl::TIOCSETD, ioctl::FIONBIO, ioctl::FIOASYNC, ioctl::TIOCPKT, ioctl::TIOCSSOFTCAR, ioctl::TIOCSPTLCK]
        (fd: Fd, cmd: Ioctl, arg: In(Int32, One)) -> Int;
    [ioctl::TIOCSTI] (fd: Fd, cmd: Ioctl, arg: In(Bytes, One)) -> Int;
    [ioctl::TIOCSBRK, ioctl::TIOCCBRK, ioctl::TIOCCONS, ioctl::TIOCNOTTY, ioctl::TIOCEXCL, ioctl::TIOCNXCL, ioctl::FIOCLEX,
        ioctl::FIONCLEX, ioctl::TIOCVHANGUP, ioctl::TIOCSSERIAL]
        (fd: Fd, cmd: Ioctl) -> Int;
    // Consoles.
    [0x4b33] (fd: Fd, cmd: Ioctl, arg: Out(KbdType, One)) -> Int;
    [0x4b3a] (fd: Fd, cmd: Ioctl, arg: Enum(&words::term::CONSOLE_MODES)) -> Int;
    [0x4b3b] (fd: Fd, cmd: Ioctl, arg: Out(ConsoleMode, One)) -> Int;
    [0x4b44] (fd: Fd, cmd: Ioctl, arg: Out(KbdMode, One)) -> Int;
    [0x4b45] (fd: Fd, cmd: Ioctl, arg: Enum(&words::term::KEYBOARD_MODES)) -> Int;
    [0x4b36, 0x4b37, 0x4b3c, 0x4b3d, 0x4b6d] (fd: Fd, cmd: Ioctl) -> Int;
    // Sockets and interfaces.
    [0x8915, 0x8917, 0x8919, 0x891b, 0x8913, 0x8927, 0x8933, 0x8970, 0x891d, 0x8921, 0x8910, 0x8929, 0x8942]
        (fd: Fd, cmd: Ioctl, arg: Both(InterfaceGet)) -> Int;
    [0x8916, 0x8918, 0x891a, 0x891c, 0x8914, 0x8924, 0x8937, 0x8931, 0x8932, 0x8971, 0x891e, 0x8922, 0x8923, 0x8930, 0x8943]
        (fd: Fd, cmd: Ioctl, arg: In(InterfaceSet, One)) -> Int;
    [0x8912] (fd: Fd, cmd: Ioctl, arg: Both(InterfaceList)) -> Int;
    [0x89a2, 0x89a3] (fd: Fd, cmd: Ioctl, arg: In(InterfaceIndex, One)) -> Int;
    [0x89a0, 0x89a1] (fd: Fd, cmd: Ioctl, arg: Str) -> Int;
    [0x8903, 0x8904, 0x8905, 0x8925, 0x894b] (fd: Fd, cmd: Ioctl, arg: Out(Int32, One)) -> Int;
    [0x8901, 0x8902, 0x8926] (fd: Fd, cmd: Ioctl, arg: In(Int32, One)) -> Int;
    // Files and file systems.
    [ioctl::FS_IOC_GETFLAGS, 0x8004_6601_u32] (fd: Fd, cmd: Ioctl, arg: Out(FsFlags, One)) -> Int;
    [ioctl::FS_IOC_SETFLAGS, 0x4004_6602] (fd: Fd, cmd: Ioctl, arg: In(FsFlags, One)) -> Int;
    [ioctl::FS_IOC_FSGETXATTR] (fd: Fd, cmd: Ioctl, arg: Out(FsxattrGet, One)) -> Int;
    [ioctl::FS_IOC_FSSETXATTR] (fd: Fd, cmd: Ioctl, arg: In(FsxattrSet, One)) -> Int;
    [ioctl::FS_IOC_FIEMAP] (fd: Fd, cmd: Ioctl, arg: Both(Fiemap)) -> Int;
    [ioctl::FITRIM] (fd: Fd, cmd: Ioctl, arg: Before(FstrimRange, One)) -> Int;
    [ioctl::FIFREEZE, ioctl::FITHAW] (fd: Fd, cmd: Ioctl) -> Int;
    [ioctl::FICLONE] (fd: Fd, cmd: Ioctl, arg: Int) -> Int;
    [ioctl::FICLONERANGE] (fd: Fd, cmd: Ioctl, arg: In(CloneRange, One)) -> Int;
    [ioctl::FIDEDUPERANGE] (fd: Fd, cmd: Ioctl, arg: Both(DedupeRange)) -> Int;
    [0x8100_9431_u32] (fd: Fd, cmd: Ioctl, arg: Out(FsLabel, One)) -> Int;
    [0x4100_9432] (fd: Fd, cmd: Ioctl, arg: In(FsLabel, One)) -> Int;
    [0x9406, 0x9407, 0x9408, 0x941c, 0x942e, 0x5000_9402, 0x5000_940c] (fd: Fd, cmd: Ioctl) -> Int;
    [0x8008_9418_u32] (fd: Fd, cmd: Ioctl, arg: Out(Uint64, One)) -> Int;
    [0x4008_9413, 0x4008_9416] (fd: Fd, cmd: Ioctl, arg: In(Uint64, One)) -> Int;
    // Namespaces.
    [ioctl::NS_GET_USERNS, ioctl::NS_GET_PARENT] (fd: Fd, cmd: Ioctl) -> Fd;
    [ioctl::NS_GET_NSTYPE] (fd: Fd, cmd: Ioctl) -> Word(&words::ioctl::NAMESPACES);
    [ioctl::NS_GET_OWNER_UID] (fd: Fd, cmd: Ioctl, arg: Out(IdCell, One)) -> Int;
    // Block devices.
    [ioctl::BLKRASET, ioctl::BLKFRASET] (fd: Fd, cmd: Ioctl, arg: Size) -> Int;
    [ioctl::BLKSECTGET, ioctl::BLKROTATIONAL] (fd: Fd, cmd: Ioctl, arg: Out(Uint16, One)) -> Int;
    [ioctl::BLKROGET, ioctl::BLKBSZGET, 0x8004_1270_u32, ioctl::BLKSSZGET, ioctl::BLKALIGNOFF] (fd: Fd, cmd: Ioctl, arg: Out(Int32, One)) -> Int;
    [ioctl::BLKROSET, ioctl::BLKBSZSET, 0x4004_1271] (fd: Fd, cmd: Ioctl, arg: In(Int32, One)) -> Int;
    [ioctl::BLKPBSZGET, ioctl::BLKIOMIN, ioctl::BLKIOOPT, ioctl::BLKDISCARDZEROES, 0x8004_1284_u32, 0x8004_1285_u32]
        (fd: Fd, cmd: Ioctl, arg: Out(Uint32, One)) -> Int;
    [ioctl::BLKRAGET, ioctl::BLKFRAGET] (fd: Fd, cmd: Ioctl, arg: Out(LongCell, One)) -> Int;
    [ioctl::BLKGETSIZE] (fd: Fd, cmd: Ioctl, arg: Out(Word, One)) -> Int;
    [ioctl::BLKGETSIZE64, 0x8004_1272_u32, 0x8008_1280_u32] (fd: Fd, cmd: Ioctl, arg: Out(Uint64, One)) -> Int;
    [ioctl::BLKDISCARD, ioctl::BLKSECDISCARD, ioctl::BLKZEROOUT] (fd: Fd, cmd: Ioctl, arg: In(PairU64, One)) -> Int;
    [ioctl::BLKRRPART, ioctl::BLKFLSBUF, ioctl::BLKTRACESTART, ioctl::BLKTRACESTOP, ioctl::BLKTRACETEARDOWN]
        (fd: Fd, cmd: Ioctl) -> Int;
    [0x0301] (fd: Fd, cmd: Ioctl, arg: Out(HdGeometry, One)) -> Int;
    // Loop devices.
    [0x4c00, 0x4c06] (fd: Fd, cmd: Ioctl, arg: Fd) -> Int;
    [0x4c01, 0x4c07, 0x4c82] (fd: Fd, cmd: Ioctl) -> Int;
    [0x4c02] (fd: Fd, cmd: Ioctl, arg: In(LoopInfo, One)) -> Int;
    [0x4c03] (fd: Fd, cmd: Ioctl, arg: Out(LoopInfo, One)) -> Int;
    [0x4c04] (fd: Fd, cmd: Ioctl, arg: In(LoopInfo64, One)) -> Int;
    [0x4c05] (fd: Fd, cmd: Ioctl, arg: Out(LoopInfo64, One)) -> Int;
    [0x4c08, 0x4c09] (fd: Fd, cmd: Ioctl, arg: Size) -> Int;
    [0x4c0a] (fd: Fd, cmd: Ioctl, arg: In(LoopConfig, One)) -> Int;
    [0x4c80, 0x4c81] (fd: Fd, cmd: Ioctl, arg: Int) -> Int;
    // Clocks, entropy, watchdogs, inotify.
    [ioctl::RTC_RD_TIME, ioctl::RTC_ALM_READ] (fd: Fd, cmd: Ioctl, arg: Out(RtcTime, One)) -> Int;
    [ioctl::RTC_SET_TIME, ioctl::RTC_ALM_SET] (fd: Fd, cmd: Ioctl, arg: In(RtcTime, One)) -> Int;
    [ioctl::RTC_IRQP_SET, ioctl::RTC_EPOCH_SET, 0x4004_700c, 0x4004_700e] (fd: Fd, cmd: Ioctl, arg: Size) -> Int;
    [ioctl::RTC_IRQP_READ, ioctl::RTC_EPOCH_READ, 0x8004_700b_u32, 0x8004_700d_u32] (fd: Fd, cmd: Ioctl, arg: Out(Word, One)) -> Int;
    [ioctl::RTC_WKALM_RD] (fd: Fd, cmd: Ioctl, arg: Out(RtcAlarm, One)) -> Int;
    [ioctl::RTC_WKALM_SET] (fd: Fd, cmd: Ioctl, arg: In(RtcAlarm, One)) -> Int;
    [ioctl::RTC_PLL_GET, 0x801c_7011_u32] (fd: Fd, cmd: Ioctl, arg: Out(RtcPll, One)) -> Int;
    [ioctl::RTC_PLL_SET, 0x401c_7012] (fd: Fd, cmd: Ioctl, arg: In(RtcPll, One)) -> Int;
    [ioctl::RTC_VL_READ] (fd: Fd, cmd: Ioctl, arg: Out(RtcVoltage, One)) -> Int;
    [ioctl::RTC_AIE_ON, ioctl::RTC_AIE_OFF, ioctl::RTC_UIE_ON, ioctl::RTC_UIE_OFF, ioctl::RTC_PIE_ON, ioctl::RTC_PIE_OFF,
        ioctl::RTC_WIE_ON, ioctl::RTC_WIE_OFF, ioctl::RTC_VL_CLR]
        (fd: Fd, cmd: Ioctl) -> Int;
    [ioctl::RNDGETENTCNT] (fd: Fd, cmd: Ioctl, arg: Out(Int32, One)) -> Int;
    [ioctl::RNDADDTOENTCNT] (fd: Fd, cmd: Ioctl, arg: In(Int32, One)) -> Int;
    [ioctl::RNDADDENTROPY] (fd: Fd, cmd: Ioctl, arg: In(EntropyPool, One)) -> Int;
    [ioctl::RNDZAPENTCNT, ioctl::RNDCLEARPOOL, ioctl::RNDRESEEDCRNG] (fd: Fd, cmd: Ioctl) -> Int;
    [ioctl::WDIOC_GETSTATUS, ioctl::WDIOC_GETBOOTSTATUS, ioctl::WDIOC_GETTEMP, ioctl::WDIOC_GETTIMEOUT,
        ioctl::WDIOC_GETPRETIMEOUT, ioctl::WDIOC_GETTIMELEFT]
        (fd: Fd, cmd: Ioctl, arg: Out(Int32, One)) -> Int;
    [ioctl::WDIOC_SETTIMEOUT, ioctl::WDIOC_SETPRETIMEOUT] (fd: Fd, cmd: Ioctl, arg: In(Int32, One)) -> Int;
    [ioctl::WDIOC_KEEPALIVE] (fd: Fd, cmd: Ioctl) -> Int;
    [0x4004_4900] (fd: Fd, cmd: Ioctl, arg: Int) -> Int;
    // Performance events.
    [0x2400, 0x2401, 0x2403] (fd: Fd, cmd: Ioctl, arg: LongFlags(&words::ioctl::PERF)) -> Int;
    [0x2402] (fd: Fd, cmd: Ioctl, arg: Int) -> Int;
    [0x4008_2404] (fd: Fd, cmd: Ioctl, arg: In(Uint64, One)) -> Int;
    [0x2405, 0x4004_2408] (fd: Fd, cmd: Ioctl, arg: Fd) -> Int;
    [0x4008_2406, 0x4004_2406] (fd: Fd, cmd: Ioctl, arg: Str) -> Int;
    [0x8008_2407_u32, 0x8004_2407_u32] (fd: Fd, cmd: Ioctl, arg: Out(Uint64, One)) -> Int;
    [0x4004_2409] (fd: Fd, cmd: Ioctl, arg: Size) -> Int;
    // Virtual machines.
    [0xae03] (fd: Fd, cmd: Ioctl, arg: LongEnum(&words::kvm::CAPABILITIES)) -> Int;
    [0x4020_ae46] (fd: Fd, cmd: Ioctl, arg: In(Struct(&system::KVM_MEMORY), One)) -> Int;
    // Supervisors.
    [0xc018_aa3f_u32] (fd: Fd, cmd: Ioctl, arg: Both(UffdApi)) -> Int;
    [0xc028_aa03_u32] (fd: Fd, cmd: Ioctl, arg: Both(UffdCopy)) -> Int;
    [0xc020_aa00_u32] (fd: Fd, cmd: Ioctl, arg: Both(UffdRegister)) -> Int;
    [0xc020_aa04_u32] (fd: Fd, cmd: Ioctl, arg: Both(UffdZeropage)) -> Int;
    [0x8010_aa01_u32, 0x8010_aa02_u32] (fd: Fd, cmd: Ioctl, arg: In(UffdRange, One)) -> Int;
    [0xc050_2100_u32] (fd: Fd, cmd: Ioctl, arg: Both(SeccompNotif)) -> Int;
    [0xc018_2101_u32] (fd: Fd, cmd: Ioctl, arg: In(SeccompResponse, One)) -> Int;
    [0x4008_2102, 0x8008_2102_u32] (fd: Fd, cmd: Ioctl, arg: In(Hex64, One)) -> Int;
    [0x4018_2103] (fd: Fd, cmd: Ioctl, arg: In(SeccompAddfd, One)) -> Int;
};
