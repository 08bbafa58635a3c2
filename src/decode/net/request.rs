//! ioctl's struct ifreq: what is asked of or told about an interface, by the command.

use super::{address, interface};
use crate::{
    decode::{
        memory::Memory,
        raw::{Raw, uint},
        text::Text,
    },
    syscall::words::net,
};

/// Bytes of ifr_name.
pub(super) const NAME: usize = 16;

/// The command of an ioctl.
fn command(raw: &Raw<'_>) -> u32 {
    uint(raw.register(1))
}

/// What is set: the name and the value.
pub(in crate::decode) fn set(text: &mut Text<'_>, raw: &Raw<'_>, bytes: &[u8]) -> bool {
    let mut memory = Memory::new(bytes, 0, raw.abi.word());
    text.braced(|text| {
        text.field("ifr_name").cstring(memory.raw(NAME));
        value(text, &mut memory, command(raw));
    });
    !memory.is_short()
}

/// What is asked, and behind it what was told; nothing if the call failed.
pub(in crate::decode) fn got(text: &mut Text<'_>, raw: &Raw<'_>, before: &[u8], after: Option<&[u8]>) -> bool {
    const SIOCGIFNAME: u32 = 0x8910;
    let word = raw.abi.word();
    let mut asked = Memory::new(before, 0, word);
    let by_index = command(raw) == SIOCGIFNAME;
    text.braced(|text| {
        if by_index {
            asked.skip(NAME);
            text.field("ifr_ifindex").signed(asked.i32());
        } else {
            text.field("ifr_name").cstring(asked.raw(NAME));
        }
        let Some(after) = after else { return };
        let mut told = Memory::new(after, 0, word);
        if by_index {
            return text.field("ifr_name").cstring(told.raw(NAME));
        }
        told.skip(NAME);
        value(text, &mut told, command(raw));
    });
    !asked.is_short()
}

/// A bridge's port: only its number.
pub(in crate::decode) fn port(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    memory.skip(NAME);
    text.braced(|text| interface::index(text.field("ifr_ifindex"), memory.u32()));
}

/// The field of the union that a command is about.
fn value(text: &mut Text<'_>, memory: &mut Memory<'_>, command: u32) {
    let word = memory.word_size();
    let addressed = |text: &mut Text<'_>, memory: &mut Memory<'_>, field: &str| {
        address::sockaddr(text.field(field), memory.raw(16), word);
    };
    match command {
        0x8915 | 0x8916 => addressed(text, memory, "ifr_addr"),
        0x8917 | 0x8918 => addressed(text, memory, "ifr_dstaddr"),
        0x8919 | 0x891a => addressed(text, memory, "ifr_broadaddr"),
        0x891b | 0x891c => addressed(text, memory, "ifr_netmask"),
        // SIOCADDMULTI, SIOCDELMULTI, SIOCGIFHWADDR, SIOCSIFHWADDR, SIOCSIFHWBROADCAST.
        0x8931 | 0x8932 | 0x8927 | 0x8924 | 0x8937 => hardware(text, memory),
        0x8913 | 0x8914 => text.field("ifr_flags").flags(&net::INTERFACE_FLAGS, memory.u16().into()),
        0x8933 => text.field("ifr_ifindex").signed(memory.i32()),
        0x891d | 0x891e => text.field("ifr_metric").signed(memory.i32()),
        0x8921 | 0x8922 => text.field("ifr_mtu").signed(memory.i32()),
        0x8929 | 0x8930 => text.field("ifr_slave").cstring(memory.raw(NAME)),
        0x8923 => text.field("ifr_newname").cstring(memory.raw(NAME)),
        0x8942 | 0x8943 => text.field("ifr_qlen").signed(memory.i32()),
        0x8970 | 0x8971 => map(text, memory),
        _ => {}
    }
}

fn hardware(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (kind, bytes) = (memory.u16(), memory.raw(14));
    text.field("ifr_hwaddr").braced(|text| {
        text.field("sa_family").word(&net::address::HARDWARE, kind.into());
        let most = interface::hardware_length(kind.into());
        interface::hardware(text.field("sa_data"), &bytes[..bytes.len().min(most)]);
    });
}

fn map(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("ifr_map").braced(|text| {
        text.field("mem_start").hex(memory.word());
        text.field("mem_end").hex(memory.word());
        text.field("base_addr").hex(memory.u16());
        for field in ["irq", "dma", "port"] {
            text.field(field).hex(memory.u8());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    fn shown(command: u32, bytes: &[u8]) -> String {
        written(|text| value(text, &mut Memory::new(bytes, 0, 8), command))
    }

    #[test]
    fn values_by_command() {
        assert_eq!(shown(0x8921, &1500_i32.to_ne_bytes()), "ifr_mtu=1500");
        assert_eq!(shown(0x8913, &[0x49, 0]), "ifr_flags=IFF_UP|IFF_LOOPBACK|IFF_RUNNING");
        let mut bytes = [0; 16];
        bytes[0] = 1;
        bytes[2] = 0xaa;
        assert_eq!(shown(0x8927, &bytes), "ifr_hwaddr={sa_family=ARPHRD_ETHER, sa_data=aa:00:00:00:00:00}");
    }
}
