//! The families of generic netlink, which records know by number only.

use std::{
    collections::BTreeMap,
    io,
    os::{
        fd::{FromRawFd, OwnedFd},
        unix::net::UnixDatagram,
    },
    time::Duration,
};

/// The names of generic netlink's families, by their numbers, as far as the kernel tells them.
pub fn generic_families() -> BTreeMap<u16, String> {
    let mut families = BTreeMap::new();
    // What cannot be asked is shown by number.
    let _ = ask_families(&mut families);
    families
}

const NETLINK_GENERIC: i32 = 16;
/// A dump of the controller's families: nlmsghdr (length, GENL_ID_CTRL, request and dump, sequence, port)
/// and genlmsghdr (CTRL_CMD_GETFAMILY, version 1).
const GET_FAMILIES: [u8; 20] = [20, 0, 0, 0, 16, 0, 1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0];

fn ask_families(families: &mut BTreeMap<u16, String>) -> io::Result<()> {
    // SAFETY: no memory is passed.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, NETLINK_GENERIC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was opened just above and belongs to nobody else.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // Only send and recv are used, which do not care for the family.
    let socket = UnixDatagram::from(fd);
    socket.set_read_timeout(Some(Duration::from_millis(200)))?;
    socket.send(&GET_FAMILIES)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = socket.recv(&mut buffer)?;
        if !note_families(&buffer[..count], families) {
            return Ok(());
        }
    }
}

/// Notes the families of a buffer of messages; false at the end of the dump.
fn note_families(mut bytes: &[u8], families: &mut BTreeMap<u16, String>) -> bool {
    const GENL_ID_CTRL: u16 = 16;
    const HEADS: usize = 20;
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_ne_bytes(*length)).unwrap_or(0);
        let kind = rest.first_chunk::<2>().map(|kind| u16::from_ne_bytes(*kind));
        let Some(message) = bytes.get(..length).filter(|_| length >= HEADS && kind == Some(GENL_ID_CTRL)) else {
            return false;
        };
        if let Some((number, name)) = family(&message[HEADS..]) {
            families.insert(number, name);
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    true
}

/// The number and name among a family's attributes.
fn family(mut attributes: &[u8]) -> Option<(u16, String)> {
    const CTRL_ATTR_FAMILY_ID: u16 = 1;
    const CTRL_ATTR_FAMILY_NAME: u16 = 2;
    let (mut number, mut name) = (None, None);
    while let [low, high, kind_low, kind_high, ..] = *attributes {
        let length = usize::from(u16::from_ne_bytes([low, high]));
        let value = attributes.get(4..length)?;
        match u16::from_ne_bytes([kind_low, kind_high]) {
            CTRL_ATTR_FAMILY_ID => number = value.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes)),
            CTRL_ATTR_FAMILY_NAME => name = std::str::from_utf8(value).ok(),
            _ => {}
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some((number?, name?.trim_end_matches('\0').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_a_number_and_a_name() {
        let attributes = b"\x0b\0\x02\0nlctrl\0\0\x06\0\x01\0\x10\0\0\0";
        assert_eq!(family(attributes), Some((16, "nlctrl".to_owned())));
        assert_eq!(family(b"\xff\0\x02\0"), None);
        let mut families = BTreeMap::new();
        assert!(!note_families(&[20, 0, 0, 0, 3, 0, 2, 0], &mut families));
        assert!(families.is_empty());
    }
}
