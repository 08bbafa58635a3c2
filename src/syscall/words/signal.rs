//! Words of signals.

use super::words;

words! {
    /// Signals below the real-time ones.
    pub SIGNALS "SIG_???":
        libc { SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE
            SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ
            SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS }
    /// sigprocmask's how.
    pub HOW "SIG_???": libc { SIG_BLOCK SIG_UNBLOCK SIG_SETMASK }
    /// sigaction's flags.
    pub SIGACTION "SA_???":
        is { SA_RESTORER = 0x0400_0000 }
        libc { SA_ONSTACK SA_RESTART SA_NODEFER SA_RESETHAND SA_SIGINFO SA_NOCLDSTOP SA_NOCLDWAIT }
    /// sigaltstack's flags.
    pub SIGSTACK "SS_???": libc { SS_ONSTACK SS_DISABLE } is { SS_AUTODISARM = 0x8000_0000_u32 }
    /// Codes that any signal can carry.
    pub SI_CODES "SI_???":
        libc { SI_USER SI_KERNEL SI_QUEUE SI_TIMER SI_MESGQ SI_ASYNCIO SI_SIGIO SI_TKILL SI_ASYNCNL }
    /// Codes of SIGILL.
    pub ILL_CODES "ILL_???":
        is { ILL_ILLOPC = 1, ILL_ILLOPN = 2, ILL_ILLADR = 3, ILL_ILLTRP = 4, ILL_PRVOPC = 5, ILL_PRVREG = 6,
            ILL_COPROC = 7, ILL_BADSTK = 8, ILL_BADIADDR = 9 }
    /// Codes of SIGFPE.
    pub FPE_CODES "FPE_???":
        is { FPE_INTDIV = 1, FPE_INTOVF = 2, FPE_FLTDIV = 3, FPE_FLTOVF = 4, FPE_FLTUND = 5, FPE_FLTRES = 6,
            FPE_FLTINV = 7, FPE_FLTSUB = 8, FPE_DECOVF = 9, FPE_FLTUNK = 14, FPE_CONDTRAP = 15 }
    /// Codes of SIGSEGV.
    pub SEGV_CODES "SEGV_???":
        is { SEGV_MAPERR = 1, SEGV_ACCERR = 2, SEGV_BNDERR = 3, SEGV_PKUERR = 4, SEGV_ACCADI = 5, SEGV_ADIDERR = 6,
            SEGV_ADIPERR = 7, SEGV_MTEAERR = 8, SEGV_MTESERR = 9 }
    /// Codes of SIGBUS.
    pub BUS_CODES "BUS_???":
        is { BUS_ADRALN = 1, BUS_ADRERR = 2, BUS_OBJERR = 3, BUS_MCEERR_AR = 4, BUS_MCEERR_AO = 5 }
    /// Codes of SIGTRAP.
    pub TRAP_CODES "TRAP_???":
        is { TRAP_BRKPT = 1, TRAP_TRACE = 2, TRAP_BRANCH = 3, TRAP_HWBKPT = 4, TRAP_UNK = 5, TRAP_PERF = 6 }
    /// Codes of SIGCHLD.
    pub CLD_CODES "CLD_???":
        libc { CLD_EXITED CLD_KILLED CLD_DUMPED CLD_TRAPPED CLD_STOPPED CLD_CONTINUED }
    /// Codes of SIGPOLL.
    pub POLL_CODES "POLL_???":
        is { POLL_IN = 1, POLL_OUT = 2, POLL_MSG = 3, POLL_ERR = 4, POLL_PRI = 5, POLL_HUP = 6 }
    /// Codes of SIGSYS.
    pub SYS_CODES "SYS_???": is { SYS_SECCOMP = 1, SYS_USER_DISPATCH = 2 }
    /// signalfd4's flags.
    pub SIGNALFD "SFD_???": libc { SFD_CLOEXEC SFD_NONBLOCK }
}
