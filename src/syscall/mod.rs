//! What traceloop knows of system calls: one row a call, and what follows from it.
//!
//! `table` holds the rows, `words` the vocabulary of flags and constants, `shape` the sizes of the
//! structures that arguments point to, `plan` what the kernel side is to capture. Nothing here reads
//! records or prints.

mod abi;
pub mod case;
mod class;
mod filter;
pub mod ioctl;
mod kept;
mod key;
pub mod layout;
pub mod plan;
mod row;
mod shape;
pub mod table;
pub mod words;

pub use abi::{Abi, NUMBERS, find, name, nameless, number, row};
pub use class::Class;
pub use filter::Filter;
pub use kept::Kept;
pub use key::KEY_OPTIONS;
pub use layout::{Field, Layout};
pub(crate) use row::register_kinds;
pub use row::{Arg, Case, Cases, Kind, Len, Ret, Row, Told};
pub(crate) use shape::number_shapes;
pub use shape::{Behind, Bpf, Inside, Registered, Shape};
pub use words::Words;
