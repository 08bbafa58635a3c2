//! Dump files: a recording as one self-contained file.
//!
//! A file is a magic and version, a header, then blocks, each with its length and CRC32C. What was
//! torn off at the end is missed alone: a reader shows all blocks before it and says so. Nothing in a
//! file can make the reader panic or take more memory than the file's claims are checked against.

mod format;
mod read;
mod write;

pub use read::{Damage, read};
pub use write::write;
