//! Words of terminals.

use linux_raw_sys::general;

use super::words;

words! {
    /// Input flags.
    pub INPUT "":
        libc { IGNBRK BRKINT IGNPAR PARMRK INPCK ISTRIP INLCR IGNCR ICRNL IUCLC IXON IXANY IXOFF IMAXBEL IUTF8 }
    /// Output flags.
    pub OUTPUT "": libc { OPOST OLCUC ONLCR OCRNL ONOCR ONLRET OFILL OFDEL }
    /// Delays after a new line.
    pub NL_DELAYS "NL?": libc { NL0 NL1 }
    /// Delays after a carriage return.
    pub CR_DELAYS "CR?": libc { CR0 CR1 CR2 CR3 }
    /// Delays after a tab.
    pub TAB_DELAYS "TAB?": is { XTABS = 0o14000 } libc { TAB0 TAB1 TAB2 }
    /// Delays after a backspace.
    pub BS_DELAYS "BS?": libc { BS1 BS0 }
    /// Delays after a vertical tab.
    pub VT_DELAYS "VT?": libc { VT0 VT1 }
    /// Delays after a form feed.
    pub FF_DELAYS "FF?": libc { FF0 FF1 }
    /// Speeds.
    pub BAUD "B???":
        libc { B0 B50 B75 B110 B134 B150 B200 B300 B600 B1200 B1800 B2400 B4800 B9600 B19200 B38400 B57600 B115200 B230400
            B460800 B500000 B576000 B921600 B1000000 B1152000 B1500000 B2000000 B2500000 B3000000 B3500000 B4000000 }
        general { BOTHER }
    /// Bits of a character.
    pub CHARACTER_SIZES "CS?": libc { CS5 CS6 CS7 CS8 }
    /// Control flags.
    pub CONTROL "": libc { CSTOPB CREAD PARENB PARODD HUPCL CLOCAL CMSPAR CRTSCTS }
    /// Local flags.
    pub LOCAL "":
        libc { ISIG ICANON }
        general { XCASE }
        libc { ECHO ECHOE ECHOK ECHONL NOFLSH IEXTEN ECHOCTL ECHOPRT ECHOKE FLUSHO PENDIN TOSTOP EXTPROC }
    /// Control characters, by their place.
    pub CHARACTERS "":
        libc { VINTR VQUIT VERASE VKILL VEOL2 VSWTC VSTART VSTOP VSUSP VREPRINT VDISCARD VWERASE VLNEXT VMIN VTIME VEOF
            VEOL }
    /// Line disciplines.
    pub DISCIPLINES "N_???":
        is { N_TTY = 0, N_SLIP = 1, N_MOUSE = 2, N_PPP = 3, N_STRIP = 4, N_AX25 = 5, N_X25 = 6, N_6PACK = 7, N_MASC = 8,
            N_R3964 = 9, N_PROFIBUS_FDL = 10, N_IRDA = 11, N_SMSBLOCK = 12, N_HDLC = 13, N_SYNC_PPP = 14, N_HCI = 15,
            N_GIGASET_M101 = 16, N_SLCAN = 17, N_PPS = 18, N_V253 = 19, N_CAIF = 20, N_GSM0710 = 21, N_TI_WL = 22,
            N_TRACESINK = 23, N_TRACEROUTER = 24, N_NCI = 25, N_SPEAKUP = 26, N_NULL = 27 }
    /// A modem's lines.
    pub MODEM "TIOCM_???":
        libc { TIOCM_LE TIOCM_DTR TIOCM_RTS TIOCM_ST TIOCM_SR TIOCM_CTS TIOCM_CAR TIOCM_RNG TIOCM_DSR }
        is { TIOCM_OUT1 = 0x2000, TIOCM_OUT2 = 0x4000, TIOCM_LOOP = 0x8000 }
    /// Keyboards of a console.
    pub KEYBOARDS "KB_???": is { KB_84 = 1, KB_101 = 2, KB_OTHER = 3 }
    /// What a console makes of its keys.
    pub KEYBOARD_MODES "K_???": is { K_RAW = 0, K_XLATE = 1, K_MEDIUMRAW = 2, K_UNICODE = 3, K_OFF = 4 }
    /// What a console shows.
    pub CONSOLE_MODES "KD_???": is { KD_TEXT = 0, KD_GRAPHICS = 1, KD_TEXT0 = 2, KD_TEXT1 = 3 }
    /// tcflow's actions.
    pub FLOW "TC???": libc { TCOOFF TCOON TCIOFF TCION }
    /// tcflush's queues.
    pub FLUSH "TC???": libc { TCIFLUSH TCOFLUSH TCIOFLUSH }
}
