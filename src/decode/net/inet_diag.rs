//! NETLINK_SOCK_DIAG's inet sockets: requests with filters, and what is told of a socket.

use super::{
    address,
    attribute::{Around, Attributes, Form::*},
    inet, interface,
};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::net::{self, diag as words},
};

/// `udiag_cookie=[1, 2]`.
pub(super) fn cookie(text: &mut Text<'_>, field: &str, memory: &mut Memory<'_>) {
    let (low, high) = (memory.u32(), memory.u32());
    text.field(field).push(&format!("[{low}, {high}]"));
}

/// struct inet_diag_sockid.
fn identity(text: &mut Text<'_>, memory: &mut Memory<'_>, family: u8) {
    text.field("id").braced(|text| {
        inet::port(text.field("idiag_sport"), memory.be16());
        inet::port(text.field("idiag_dport"), memory.be16());
        for field in ["idiag_src", "idiag_dst"] {
            host(text, field, memory.raw(16), family.into());
        }
        interface::index(text.field("idiag_if"), memory.u32());
        cookie(text, "idiag_cookie", memory);
    });
}

/// An address with sixteen bytes of room.
fn host(text: &mut Text<'_>, field: &str, bytes: &[u8], family: i32) {
    match family {
        libc::AF_INET => text
            .field(field)
            .either(|text| text.whole_hex_string(bytes), |text| inet::inet_addr(text, Memory::new(bytes, 0, 8).be32())),
        libc::AF_INET6 => inet::by_family(text, family, bytes, Some(field)),
        _ => text.field(field).whole_hex_string(bytes),
    }
}

/// struct inet_diag_req_v2 behind its family.
pub(super) fn request(text: &mut Text<'_>, memory: &mut Memory<'_>, family: u8) {
    text.field("sdiag_protocol").word(&net::IP_PROTOCOLS, memory.u8().into());
    text.field("idiag_ext").flags(&words::INET_EXTENDED, memory.u8().into());
    memory.skip(1);
    text.field("idiag_states").flags(&words::STATE_FLAGS, memory.u32().into());
    identity(text, memory, family);
}

/// struct inet_diag_req behind its family.
pub(super) fn old_request(text: &mut Text<'_>, memory: &mut Memory<'_>, family: u8) {
    text.field("idiag_src_len").unsigned(memory.u8());
    text.field("idiag_dst_len").unsigned(memory.u8());
    text.field("idiag_ext").flags(&words::INET_EXTENDED, memory.u8().into());
    identity(text, memory, family);
    text.field("idiag_states").flags(&words::STATE_FLAGS, memory.u32().into());
    text.field("idiag_dbs").unsigned(memory.u32());
}

/// struct inet_diag_msg behind its family.
pub(super) fn answer(text: &mut Text<'_>, memory: &mut Memory<'_>, family: u8) {
    text.field("idiag_state").word(&words::STATES, memory.u8().into());
    text.field("idiag_timer").unsigned(memory.u8());
    text.field("idiag_retrans").unsigned(memory.u8());
    identity(text, memory, family);
    for field in ["idiag_expires", "idiag_rqueue", "idiag_wqueue", "idiag_uid", "idiag_inode"] {
        text.field(field).unsigned(memory.u32());
    }
}

pub(super) static REQUEST: Attributes = Attributes {
    words: &words::INET_REQUEST,
    forms: &[(Own(operation), &["INET_DIAG_REQ_BYTECODE"]), (IpProtocol, &["INET_DIAG_REQ_PROTOCOL"])],
};

pub(super) static ATTRIBUTES: Attributes = Attributes {
    words: &words::INET,
    forms: &[
        (Figures(&["idiag_rmem", "idiag_wmem", "idiag_fmem", "idiag_tmem"]), &["INET_DIAG_MEMINFO"]),
        (Figures(&["tcpv_enabled", "tcpv_rttcnt", "tcpv_rtt", "tcpv_minrtt"]), &["INET_DIAG_VEGASINFO"]),
        (Str, &["INET_DIAG_CONG"]),
        (U8, &["INET_DIAG_TOS", "INET_DIAG_TCLASS", "INET_DIAG_SKV6ONLY"]),
        (Indexed(&net::netlink::MEMINFO, 4, false), &["INET_DIAG_SKMEMINFO"]),
        (Explained(&words::SHUTDOWN), &["INET_DIAG_SHUTDOWN"]),
        (Own(dctcp), &["INET_DIAG_DCTCPINFO"]),
        (IpProtocol, &["INET_DIAG_PROTOCOL"]),
        (Own(addresses), &["INET_DIAG_LOCALS", "INET_DIAG_PEERS"]),
        (U32, &["INET_DIAG_MARK", "INET_DIAG_CLASS_ID"]),
        (Own(bbr), &["INET_DIAG_BBRINFO"]),
        (Own(signatures), &["INET_DIAG_MD5SIG"]),
        (Nested(&UPPER), &["INET_DIAG_ULP_INFO"]),
        (Nested(&STORAGES), &["INET_DIAG_SK_BPF_STORAGES"]),
        (U64, &["INET_DIAG_CGROUP_ID"]),
        (Own(options), &["INET_DIAG_SOCKOPT"]),
    ],
};

static UPPER: Attributes = Attributes {
    words: &words::ULP,
    forms: &[
        (Str, &["INET_ULP_INFO_NAME"]),
        (Nested(&TLS), &["INET_ULP_INFO_TLS"]),
        (Nested(&MPTCP), &["INET_ULP_INFO_MPTCP"]),
    ],
};

static TLS: Attributes = Attributes {
    words: &words::ULP_TLS,
    forms: &[
        (Enum(&words::TLS_VERSIONS, 2), &["TLS_INFO_VERSION"]),
        (Enum(&words::TLS_CIPHERS, 2), &["TLS_INFO_CIPHER"]),
        (Enum(&words::TLS_CONFIGS, 2), &["TLS_INFO_TXCONF", "TLS_INFO_RXCONF"]),
    ],
};

static MPTCP: Attributes = Attributes {
    words: &words::ULP_MPTCP,
    forms: &[
        (X32, &["MPTCP_SUBFLOW_ATTR_TOKEN_REM", "MPTCP_SUBFLOW_ATTR_TOKEN_LOC"]),
        (U32, &["MPTCP_SUBFLOW_ATTR_RELWRITE_SEQ", "MPTCP_SUBFLOW_ATTR_MAP_SFSEQ", "MPTCP_SUBFLOW_ATTR_SSN_OFFSET"]),
        (U64, &["MPTCP_SUBFLOW_ATTR_MAP_SEQ"]),
        (U16, &["MPTCP_SUBFLOW_ATTR_MAP_DATALEN"]),
        (Flags(&words::MPTCP_FLAGS, 4), &["MPTCP_SUBFLOW_ATTR_FLAGS"]),
        (U8, &["MPTCP_SUBFLOW_ATTR_ID_REM", "MPTCP_SUBFLOW_ATTR_ID_LOC"]),
    ],
};

static STORAGES: Attributes =
    Attributes { words: &words::BPF_STORAGES, forms: &[(Nested(&STORAGE), &["SK_DIAG_BPF_STORAGE"])] };

static STORAGE: Attributes = Attributes {
    words: &words::BPF_STORAGE,
    forms: &[(U32, &["SK_DIAG_BPF_STORAGE_MAP_ID"]), (XAny, &["SK_DIAG_BPF_STORAGE_MAP_VALUE"])],
};

/// One operation of a filter, and what it compares with.
fn operation(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let Some(code) = bytes.first() else { return false };
    let mut memory = Memory::new(bytes, 0, 8);
    step(text, &mut memory);
    let short = memory.is_short();
    let rest = memory.rest();
    if rest.is_empty() {
        return !short;
    }
    text.push(", ");
    let mut memory = Memory::new(rest, 0, 8);
    match (words::BYTECODES.word((*code).into()), rest.len()) {
        (Some("INET_DIAG_BC_S_COND" | "INET_DIAG_BC_D_COND"), 8..) => condition(text, &mut memory),
        (Some("INET_DIAG_BC_DEV_COND"), 4..) => interface::index(text, memory.u32()),
        (Some("INET_DIAG_BC_S_GE" | "INET_DIAG_BC_S_LE" | "INET_DIAG_BC_D_GE" | "INET_DIAG_BC_D_LE"), 4..) => {
            step(text, &mut memory);
        }
        (Some("INET_DIAG_BC_MARK_COND"), 8..) => text.braced(|text| {
            text.field("mark").unsigned(memory.u32());
            text.field("mask").unsigned(memory.u32());
        }),
        _ => text.hex_string(rest, false),
    }
    !short
}

fn step(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        text.field("code").word(&words::BYTECODES, memory.u8().into());
        text.field("yes").unsigned(memory.u8());
        text.field("no").unsigned(memory.u16());
    });
}

fn condition(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (family, prefix) = (memory.u8(), memory.u8());
    memory.skip(2);
    let port = memory.i32();
    text.braced(|text| {
        text.field("family").word(&net::FAMILIES, family.into());
        text.field("prefix_len").unsigned(prefix);
        text.field("port").unsigned(port.cast_unsigned());
        let rest = memory.rest();
        if !rest.is_empty() {
            inet::by_family(text, family.into(), rest, Some("addr"));
        }
    });
}

fn dctcp(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        for field in ["dctcp_enabled", "dctcp_ce_state"] {
            text.field(field).unsigned(memory.u16());
        }
        for field in ["dctcp_alpha", "dctcp_ab_ecn", "dctcp_ab_tot"] {
            text.field(field).unsigned(memory.u32());
        }
    });
    !memory.is_short()
}

fn bbr(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        for field in ["bbr_bw_lo", "bbr_bw_hi"] {
            text.field(field).hex(memory.u32());
        }
        for field in ["bbr_min_rtt", "bbr_pacing_gain", "bbr_cwnd_gain"] {
            text.field(field).unsigned(memory.u32());
        }
    });
    !memory.is_short()
}

/// Structures in brackets, no more than the string limit allows.
fn several(text: &mut Text<'_>, bytes: &[u8], size: usize, print: impl Fn(&mut Text<'_>, &[u8])) -> bool {
    if bytes.len() < size {
        return false;
    }
    text.bracketed(|text| {
        for (n, element) in bytes.chunks_exact(size).enumerate() {
            text.separate();
            if n == text.style().string_limit {
                return text.push("...");
            }
            print(text, element);
        }
    });
    true
}

fn addresses(text: &mut Text<'_>, bytes: &[u8], around: &mut Around) -> bool {
    several(text, bytes, 128, |text, element| {
        address::sockaddr(text, element, around.word);
    })
}

fn signatures(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    const KEY_MOST: usize = 80;
    several(text, bytes, 20 + KEY_MOST, |text, element| {
        let mut memory = Memory::new(element, 0, 8);
        let (family, prefix, key) = (memory.u8(), memory.u8(), memory.u16());
        text.braced(|text| {
            text.field("tcpm_family").word(&net::FAMILIES, family.into());
            text.field("tcpm_prefixlen").unsigned(prefix);
            text.field("tcpm_keylen").unsigned(key);
            host(text, "tcpm_addr", memory.raw(16), family.into());
            text.field("tcpm_key").whole_hex_string(memory.raw(KEY_MOST.min(key.into())));
        });
    })
}

/// Bits, of which those that are set are told.
fn options(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    const NAMES: [&str; 11] = [
        "recverr",
        "is_icsk",
        "freebind",
        "hdrincl",
        "mc_loop",
        "transparent",
        "mc_all",
        "nodefrag",
        "bind_address_no_port",
        "recverr_rfc4884",
        "defer_connect",
    ];
    let Some(bits) = bytes.first_chunk::<2>().map(|bytes| u16::from_le_bytes(*bytes)) else { return false };
    let verbose = text.style().verbose;
    text.braced(|text| {
        for (n, name) in NAMES.iter().enumerate() {
            let bit = bits >> n & 1;
            if verbose || bit != 0 {
                text.field(name).unsigned(bit);
            }
        }
        let unused = bits >> NAMES.len();
        if verbose || unused != 0 {
            text.field("unused").hex(unused);
            text.push(" /* bits 3..8 */");
        }
    });
    let rest = &bytes[2..];
    if rest.iter().any(|byte| *byte != 0) {
        text.push(&format!(", /* bytes 2..{} */ ", bytes.len() - 1));
        text.hex_string(rest, false);
    }
    true
}
