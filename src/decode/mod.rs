//! From records to events: what the bytes mean, in strace's words.
//!
//! Data flows one way: `merge` (a recording, block by block) or `live` (what has just happened) give records in the
//! order of their times to `pair`, which joins what belongs together, and `tell` makes events, which `order` puts in
//! the order in which they began; `history` knows which blocks that takes. `call` prints a call (`raw`): its arguments by the row's kinds (`argument`, `captured`) and shapes (`shape` and the
//! small files beside it), `result` its result; `threads` remembers names and processes along the way. Nothing
//! here reads files or knows where records come from. No byte of a record can make it panic: what cannot
//! be decoded is shown as the address or number that it is.

mod aio;
mod argument;
mod array;
mod asked;
mod bpf;
mod call;
mod caps;
mod captured;
mod clone;
mod context;
mod date;
mod denied;
mod device;
mod errno;
mod escape;
mod event;
mod extent;
mod failures;
mod fcntl;
mod fds;
mod file;
mod filter;
mod found;
mod handle;
mod history;
#[cfg(test)]
mod hostile;
mod identity;
mod io;
mod ioctl;
mod ipc;
mod key;
mod last_words;
mod layout;
mod ldt;
mod live;
mod mapping;
mod memory;
mod merge;
mod mount;
mod moved;
mod net;
mod number;
mod opened;
mod order;
mod pair;
mod perf;
mod poll;
mod process;
mod programs;
mod ptrace;
mod quota;
mod raw;
mod request;
mod result;
mod ring;
mod said;
mod sched;
mod shape;
mod siginfo;
mod signal;
mod special;
mod stack;
mod stat;
mod style;
mod tell;
mod teller;
mod terminal;
mod text;
mod threads;
mod time;
mod uring;
mod wanted;
mod watch;

pub use escape::escape;
pub use history::{Events, History};
pub use last_words::{stuck, summed_up};
pub use live::Decoder;
pub use style::{Constants, Descriptors, Strings, Style};
