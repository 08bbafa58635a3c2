//! prctl's options and ptrace's requests: what each one's arguments are.

use crate::syscall::{Cases, Kind::*, Len::*, Shape::*, case::cases, layout::process, words};
use linux_raw_sys::prctl::*;

static ANYBODY: crate::syscall::Words =
    crate::syscall::Words { unknown: "", list: &[(0xffff_ffff, "PR_SET_PTRACER_ANY")] };

pub(super) static PRCTL_CASES: Cases = cases! {
    by 0, mask 0xffff_ffff;
    [PR_GET_KEEPCAPS, PR_GET_SECCOMP, PR_GET_TIMERSLACK, PR_GET_TIMING, PR_TASK_PERF_EVENTS_DISABLE, PR_TASK_PERF_EVENTS_ENABLE] (option: Enum(&words::prctl::PRCTL)) -> Int;
    [PR_GET_CHILD_SUBREAPER, PR_GET_ENDIAN, PR_GET_FPEMU, PR_GET_FPEXC] (option: Enum(&words::prctl::PRCTL), arg2: Out(Uint32, One)) -> Int;
    [PR_GET_DUMPABLE] (option: Enum(&words::prctl::PRCTL)) -> Word(&words::prctl::DUMPABLE);
    [PR_GET_NAME] (option: Enum(&words::prctl::PRCTL), arg2: Out(Name(16), One)) -> Int;
    [PR_GET_PDEATHSIG] (option: Enum(&words::prctl::PRCTL), arg2: Out(SignalCell, One)) -> Int;
    [PR_GET_SECUREBITS] (option: Enum(&words::prctl::PRCTL)) -> Bits(&words::prctl::SECBITS);
    [PR_GET_TID_ADDRESS] (option: Enum(&words::prctl::PRCTL), arg2: Out(AddrCell, One)) -> Int;
    [PR_GET_TSC] (option: Enum(&words::prctl::PRCTL), arg2: Out(TscCell, One)) -> Int;
    [PR_GET_UNALIGN] (option: Enum(&words::prctl::PRCTL), arg2: Out(Hex32Cell, One)) -> Int;
    [PR_GET_FP_MODE] (option: Enum(&words::prctl::PRCTL)) -> Bits(&words::prctl::FP_MODE);
    [PR_GET_SPECULATION_CTRL] (option: Enum(&words::prctl::PRCTL), arg2: LongEnum(&words::prctl::SPEC)) -> Told(crate::syscall::Told::Speculation);
    [PR_SVE_GET_VL, PR_SME_GET_VL] (option: Enum(&words::prctl::PRCTL)) -> Int;
    [PR_SVE_SET_VL, PR_SME_SET_VL] (option: Enum(&words::prctl::PRCTL), arg2: VectorLength) -> Int;
    [PR_SET_TAGGED_ADDR_CTRL] (option: Enum(&words::prctl::PRCTL), arg2: TaggedAddr, arg3: Hex, arg4: Hex, arg5: Hex) -> Int;
    [PR_SET_CHILD_SUBREAPER, PR_SET_ENDIAN, PR_SET_FPEMU, PR_SET_FPEXC, PR_SET_KEEPCAPS, PR_SET_TIMING] (option: Enum(&words::prctl::PRCTL), arg2: Size) -> Int;
    [PR_SET_DUMPABLE] (option: Enum(&words::prctl::PRCTL), arg2: LongEnum(&words::prctl::DUMPABLE)) -> Int;
    [PR_CAPBSET_DROP, PR_CAPBSET_READ] (option: Enum(&words::prctl::PRCTL), arg2: LongEnum(&words::prctl::CAPS)) -> Int;
    [PR_CAP_AMBIENT] (option: Enum(&words::prctl::PRCTL), arg2: LongEnum(&words::prctl::CAP_AMBIENT), arg3: Switch(1, &[(1, &LongEnum(&words::prctl::CAPS)), (2, &LongEnum(&words::prctl::CAPS)), (3, &LongEnum(&words::prctl::CAPS))], &Hex), arg4: Hex, arg5: Hex) -> Int;
    [PR_MCE_KILL] (option: Enum(&words::prctl::PRCTL), arg2: LongEnum(&words::prctl::MCE_KILL), arg3: Switch(1, &[(1, &LongEnum(&words::prctl::MCE_KILL_POLICY))], &Hex), arg4: Hex, arg5: Hex) -> Int;
    [PR_SET_NAME] (option: Enum(&words::prctl::PRCTL), arg2: In(Name(15), One)) -> Int;
    [PR_SET_VMA] (option: Enum(&words::prctl::PRCTL), arg2: LongEnum(&words::prctl::SET_VMA), arg3: Switch(1, &[(0, &Addr)], &Hex), arg4: Switch(1, &[(0, &Size)], &Hex), arg5: Switch(1, &[(0, &Str)], &Hex)) -> Int;
    [PR_SET_MM] (option: Enum(&words::prctl::PRCTL), arg2: Enum(&words::prctl::SET_MM), arg3: Hex, arg4: Hex, arg5: Hex) -> Int;
    [PR_SET_PDEATHSIG] (option: Enum(&words::prctl::PRCTL), arg2: Signal) -> Int;
    [PR_SET_PTRACER] (option: Enum(&words::prctl::PRCTL), arg2: Signed(&ANYBODY)) -> Int;
    [PR_SET_SECCOMP] (option: Enum(&words::prctl::PRCTL), arg2: LongEnum(&words::security::SECCOMP_MODE), arg3: Unless(1, 1, &Switch(1, &[(2, &In(SockFprog, One))], &Hex)), arg4: Unless(1, 1, &Switch(1, &[(2, &Hidden)], &Hex)), arg5: Unless(1, 1, &Switch(1, &[(2, &Hidden)], &Hex))) -> Int;
    [PR_SET_SECUREBITS] (option: Enum(&words::prctl::PRCTL), arg2: LongFlags(&words::prctl::SECBITS)) -> Int;
    [PR_SET_TIMERSLACK] (option: Enum(&words::prctl::PRCTL), arg2: Long) -> Int;
    [PR_SET_TSC] (option: Enum(&words::prctl::PRCTL), arg2: Enum(&words::prctl::TSC)) -> Int;
    [PR_SET_UNALIGN] (option: Enum(&words::prctl::PRCTL), arg2: Flags(&words::prctl::UNALIGN)) -> Int;
    [PR_SET_NO_NEW_PRIVS, PR_SET_THP_DISABLE, PR_SET_IO_FLUSHER] (option: Enum(&words::prctl::PRCTL), arg2: Size, arg3: Hex, arg4: Hex, arg5: Hex) -> Int;
    [PR_MCE_KILL_GET] (option: Enum(&words::prctl::PRCTL), arg2: Hex, arg3: Hex, arg4: Hex, arg5: Hex) -> Word(&words::prctl::MCE_KILL_POLICY);
    [PR_SET_FP_MODE] (option: Enum(&words::prctl::PRCTL), arg2: Flags(&words::prctl::FP_MODE)) -> Int;
    [PR_SET_SPECULATION_CTRL] (option: Enum(&words::prctl::PRCTL), arg2: LongEnum(&words::prctl::SPEC), arg3: Switch(1, &[(0, &LongEnum(&words::prctl::SPEC_SET)), (1, &LongEnum(&words::prctl::SPEC_SET)), (2, &LongEnum(&words::prctl::SPEC_SET))], &Hex)) -> Int;
    [PR_PAC_RESET_KEYS] (option: Enum(&words::prctl::PRCTL), arg2: LongFlags(&words::prctl::PAC_KEYS), arg3: Hex, arg4: Hex, arg5: Hex) -> Int;
    [PR_PAC_SET_ENABLED_KEYS] (option: Enum(&words::prctl::PRCTL), arg2: LongFlags(&words::prctl::PAC_ENABLED_KEYS), arg3: LongFlags(&words::prctl::PAC_ENABLED_KEYS), arg4: Hex, arg5: Hex) -> Int;
    [PR_PAC_GET_ENABLED_KEYS] (option: Enum(&words::prctl::PRCTL), arg2: Hex, arg3: Hex, arg4: Hex, arg5: Hex) -> Bits(&words::prctl::PAC_ENABLED_KEYS);
    [PR_SET_SYSCALL_USER_DISPATCH] (option: Enum(&words::prctl::PRCTL), arg2: LongEnum(&words::prctl::SUD), arg3: Hex, arg4: Hex, arg5: Addr) -> Int;
    [PR_SCHED_CORE] (option: Enum(&words::prctl::PRCTL), arg2: Enum(&words::prctl::SCHED_CORE), arg3: Pid, arg4: Hex32Commented(&words::prctl::SCHED_CORE_TYPES), arg5: Switch(1, &[(0, &Out(Hex64, One))], &Addr)) -> Int;
};

/// Requests whose address is an offset into the user area or a number, and whose data is more than an
/// address. The data of the peeking ones is where the kernel writes.
pub(super) static PTRACE_CASES: Cases = cases! {
    by 0, mask 0xffff_ffff;
    [0] (request: LongEnum(&words::ptrace::REQUESTS)) -> Int;
    [8, 16, 0x4207, 0x4208] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid) -> Int;
    [1, 2] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Addr, data: Out(AddrCell, One)) -> Int;
    [3] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: UserOffset, data: Out(AddrCell, One)) -> Int;
    [6] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: UserOffset, data: Addr) -> Int;
    [7, 9, 17, 24, 31, 32, 33] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Addr, data: Signal) -> Int;
    [21, 0x4200, 0x4206] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Addr, data: LongFlags(&words::ptrace::OPTIONS)) -> Int;
    [12] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Addr, data: Out(UserRegs, One)) -> Int;
    [13] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Addr, data: In(UserRegs, One)) -> Int;
    [0x4201] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Addr, data: Out(SizeCell, One)) -> Int;
    [0x4202] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Addr, data: Out(SigInfo, One)) -> Int;
    [0x4203] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Addr, data: In(SigInfo, One)) -> Int;
    [0x4204] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Enum(&words::ptrace::NOTES), data: InOut(Regset, One)) -> Int;
    [0x4205] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Enum(&words::ptrace::NOTES), data: InOut(Regset, One)) -> Int;
    [0x4209] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: In(Struct(&process::PEEK_SIGINFO), One), data: Out(SigInfo, Ret)) -> Int;
    [0x420a] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Size, data: Out(SizedSigSet, Arg(addr))) -> Int;
    [0x420b] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Size, data: In(SizedSigSet, Arg(addr))) -> Int;
    [0x420c, 0x420d] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Size, data: Addr) -> Int;
    [0x420e] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Size, data: Out(SyscallInfo, Ret)) -> Int;
};
