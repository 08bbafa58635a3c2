//! Dump files: a recording as one self-contained file, and the directory where they are kept.
//!
//! A file is a magic and version, a header, then blocks, each with its length and CRC32C. What was
//! torn off at the end is missed alone: a reader shows all blocks before it and says so. Nothing in a
//! file can make the reader panic or take more memory than the file's claims are checked against.
//!
//! In the directory a dump is there whole or not at all (`save`); its name tells when, who and why
//! (`name`); one policy says which are given up (`retention`). Who is meant by a name, `identity` knows.

mod bound;
mod choice;
mod directory;
mod field;
mod format;
mod name;
mod read;
mod retention;
mod save;
mod sealed;
mod trouble;
mod write;

pub use bound::bounded;
pub use choice::{Choice, Match, Pattern, Word};
pub use directory::{DIRECTORY, Entry, Store, has_end};
pub use field::{FIELDS, Field};
pub use name::{ID_LENGTH, Name};
pub use read::{Damage, header, is_dump, open, read};
pub use retention::{Amount, Kept, Retention, Vacuum};
pub use save::Saved;
pub use sealed::{Recipients, Sealed, is_sealed, unseal};
pub use write::write;
