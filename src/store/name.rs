//! Names of stored dumps: `20261125T031210.481022Z+3.1c8f0e2ab4-nginx.service-unit-3f9a2c7d1b04.dump`.
//!
//! Time (UTC), which boot and when in it (microseconds, hexadecimal), whose calls, why, id. The clock may be set
//! back, and a boot's own time cannot: dumps are in the order of boots as this directory has seen them, and of the
//! time in each. Older names have no boot, and are in the order of their times before all others. Whatever a unit is called, its name here holds
//! letters, digits and `._@%-` only: other bytes are written `%2F`.

use std::{fmt::Write as _, fs::File, io::Read};

use anyhow::{Context, Result};
use jiff::{Timestamp, civil, tz::TimeZone};

use crate::model::{Dump, Identity};

/// Hexadecimal digits of an id.
pub const ID_LENGTH: usize = 12;
const END: &str = ".dump";
const TIME: &str = "%Y%m%dT%H%M%S.%6fZ";
/// Whose calls an object holds whose name alone is known.
const OF_OBJECT: &str = "unknown";
/// A file's name has at most 255 bytes, and the other parts need fewer than 80.
const OWNER_MOST: usize = 160;

/// What a stored dump's name tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The boot, counted by those that the directory holds dumps of; 0: it is not known.
    pub(super) boot: u32,
    /// When in it, microseconds of CLOCK_BOOTTIME.
    pub(super) taken: u64,
    /// When it was made.
    pub time: Timestamp,
    /// Whose calls it holds, escaped.
    pub owner: String,
    /// Why it was made, in a word.
    pub reason: String,
    /// Its id.
    pub id: String,
}

impl Name {
    /// The name for a dump of that boot, with a new id.
    pub(super) fn new(dump: &Dump, boot: u32) -> Result<Self> {
        let taken = if boot == 0 { 0 } else { dump.taken / 1000 };
        Ok(Self { boot, taken, id: id()?, ..Self::of_file(dump) })
    }

    /// What a file that is called otherwise would be called; without an id.
    pub(super) fn of_file(dump: &Dump) -> Self {
        let nanoseconds = i128::from(dump.taken) + i128::from(dump.clock_offset);
        let time = Timestamp::from_nanosecond(nanoseconds / 1000 * 1000).unwrap_or_default().max(Timestamp::UNIX_EPOCH);
        let owner = dump.names().into_iter().next().unwrap_or_default();
        let reason = dump.cause.word().to_owned();
        Self { boot: 0, taken: 0, time, owner: escape(&owner), reason, id: String::new() }
    }

    /// A name of that time and id.
    #[cfg(test)]
    pub(super) fn pretended(time: Timestamp, id: &str) -> Self {
        Self { boot: 0, taken: 0, time, owner: "a.service".into(), reason: "exit".into(), id: id.into() }
    }

    /// The file's name.
    pub(super) fn file(&self) -> String {
        let time = Self::time_of(self.time);
        let order = if self.boot == 0 { String::new() } else { format!("+{}.{:x}", self.boot, self.taken) };
        format!("{time}{order}-{}-{}-{}{END}", self.owner, self.reason, self.id)
    }

    /// How the name of a dump of that time begins.
    pub fn time_of(time: Timestamp) -> String {
        time.strftime(TIME).to_string()
    }

    /// Whose calls it holds.
    pub fn whose(&self) -> String {
        unescape(&self.owner)
    }

    /// What the name alone tells, where the header cannot be read.
    pub fn as_header(&self) -> Dump {
        let identity = Identity { unit: Some(self.whose()), ..Identity::default() };
        Dump { identities: vec![identity], ..Dump::default() }
    }

    /// Reads a file's name; `None`: it is none of ours.
    pub(super) fn parse(file: &str) -> Option<Self> {
        let (time, rest) = file.strip_suffix(END)?.split_once('-')?;
        let (rest, id) = rest.rsplit_once('-')?;
        let (owner, reason) = rest.rsplit_once('-')?;
        let (time, order) = time.split_once('+').map_or((time, None), |(time, order)| (time, Some(order)));
        let (boot, taken) = match order.map(|order| order.split_once('.')) {
            None => (0, 0),
            Some(order) => (order?.0.parse().ok()?, u64::from_str_radix(order?.1, 16).ok()?),
        };
        let time = civil::DateTime::strptime(TIME, time).ok()?.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp();
        let name = Self { boot, taken, time, owner: owner.to_owned(), reason: reason.to_owned(), id: id.to_owned() };
        let is_word = !reason.is_empty() && reason.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_owner = !owner.is_empty() && owner.bytes().all(|byte| is_plain(byte) || byte == b'%');
        // What is written differently could stand for something else to somebody.
        (is_id(id) && is_word && is_owner && name.file() == file).then_some(name)
    }

    /// Reads an object's name in a store elsewhere, which says nothing of whose it is: `TIME-REASON-ID.dump`.
    pub(super) fn of_object(file: &str) -> Option<Self> {
        let (time, rest) = file.split_once('-')?;
        Self::parse(&format!("{time}-{OF_OBJECT}-{rest}"))
    }
}

/// Whether this can be a whole id.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && is_id_prefix(text)
}

/// Whether an id can begin so.
pub(super) fn is_id_prefix(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn id() -> Result<String> {
    let mut bytes = [0; ID_LENGTH / 2];
    File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes)).context("make an id")?;
    Ok(bytes.iter().fold(String::new(), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    }))
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._@-".contains(&byte)
}

fn escape(owner: &str) -> String {
    let mut text = String::new();
    // A path's first slash says nothing.
    for byte in owner.strip_prefix('/').unwrap_or(owner).bytes() {
        if text.len() > OWNER_MOST - 3 {
            break;
        }
        if is_plain(byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    if text.is_empty() { "root".to_owned() } else { text }
}

/// Whose calls a dump holds, as its name tells it.
fn unescape(owner: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = owner;
    while let Some(first) = rest.bytes().next() {
        let coded = (first == b'%').then(|| rest.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok()));
        match coded.flatten() {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[3..];
            }
            None => {
                bytes.push(first);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Cause;

    fn dump(unit: &str, taken: u64) -> Dump {
        let identity = Identity { unit: Some(unit.to_owned()), ..Identity::default() };
        Dump { identities: vec![identity], taken, cause: Cause::Exit, ..Dump::default() }
    }

    #[test]
    fn names_tell_when_who_and_why() {
        let name = Name::new(&dump("my-app@1.service", 1_700_000_000_123_456_789), 0).unwrap();
        let file = name.file();
        assert!(file.starts_with("20231114T221320.123456Z-my-app@1.service-exit-"), "{file}");
        assert_eq!(Name::parse(&file), Some(name));
    }

    #[test]
    fn an_objects_name_tells_when_and_why() {
        let name = Name::of_object("20231114T221320.123456Z-exit-3f9a2c7d1b04.dump").unwrap();
        assert_eq!((name.reason.as_str(), name.id.as_str(), name.boot), ("exit", "3f9a2c7d1b04", 0));
        for foreign in
            ["", "a-b", "20231114T221320.123456Z-exit.dump", "20231114T221320.123456Z-EXIT-3f9a2c7d1b04.dump"]
        {
            assert_eq!(Name::of_object(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn names_sort_by_time() {
        let names: Vec<String> = [1, 60, 3600, 86400, 900_000_000]
            .map(|s| Name::new(&dump("a", s * 1_000_000_000), 0).unwrap().file())
            .into();
        assert!(names.is_sorted(), "{names:?}");
    }

    #[test]
    fn a_boots_own_time_decides_which_is_newer() {
        let of = |wall: i64, taken: u64, boot| {
            let clock_offset = (wall - i64::try_from(taken).unwrap()) * 1_000_000_000;
            let name = Name::new(&Dump { clock_offset, ..dump("a", taken * 1_000_000_000) }, boot).unwrap();
            Name::parse(&name.file()).unwrap()
        };
        // The clock stood in 2032 until it was corrected; then the machine was booted again.
        let order =
            [of(1_980_000_000, 60, 0), of(1_970_000_000, 100, 1), of(1_795_000_000, 200, 1), of(1_795_000_100, 9, 2)];
        assert!(order.is_sorted(), "{order:?}");
    }

    #[test]
    fn times_that_cannot_be_do_not_stop_a_dump() {
        for (taken, clock_offset) in [(u64::MAX, i64::MAX), (0, i64::MIN)] {
            let name = Name::new(&Dump { clock_offset, ..dump("a", taken) }, 3).unwrap();
            assert_eq!(Name::parse(&name.file()), Some(name));
        }
    }

    #[test]
    fn foreign_names_are_not_ours() {
        for foreign in [
            "",
            ".dump",
            "a.dump",
            "20231114T221320.123456Z-a-exit-3f9a2c7d1b0.dump",
            "20231114T221320.123456Z-a-EXIT-3f9a2c7d1b04.dump",
            "20231114T221320.1Z-a-exit-3f9a2c7d1b04.dump",
            "20231114T221320.123456Z-a b-exit-3f9a2c7d1b04.dump",
            "20231114T221320.123456Z--exit-3f9a2c7d1b04.dump",
            "20231114T221320.123456Z+1-a-exit-3f9a2c7d1b04.dump",
            "20231114T221320.123456Z+0.0-a-exit-3f9a2c7d1b04.dump",
            "20231114T221320.123456Z+1.0A-a-exit-3f9a2c7d1b04.dump",
            "20231114T221320.123456Z+01.1-a-exit-3f9a2c7d1b04.dump",
            "20239914T221320.123456Z-a-exit-3f9a2c7d1b04.dump",
        ] {
            assert_eq!(Name::parse(foreign), None, "{foreign}");
        }
    }

    proptest! {
        #[test]
        fn any_unit_makes_a_safe_name(unit in any::<String>(), taken in 0..i64::MAX as u64, boot in any::<u32>()) {
            let name = Name::new(&dump(&unit, taken), boot).unwrap();
            let file = name.file();
            prop_assert!(file.len() <= 255 && !file.starts_with('.'));
            prop_assert!(file.bytes().all(|byte| is_plain(byte) || b"%+".contains(&byte)), "{file}");
            prop_assert_eq!(Name::parse(&file), Some(name));
        }

        #[test]
        fn no_file_name_makes_the_reader_panic(file in any::<String>()) {
            let _ = Name::parse(&file);
            let _ = unescape(&file);
        }
    }
}
