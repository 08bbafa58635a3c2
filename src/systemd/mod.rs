//! What systemd tells, and what it is told: which units fail, over D-Bus, and the journal entry of a
//! dump. Nothing here knows rings or records. Where there is no systemd, nothing here is missed but
//! the names of results: the kernel's own news of exits goes on.

mod bus;
mod failures;
mod journal;
mod private;
mod report;
mod watch;

pub use failures::UnitFailed;
pub use journal::{Entry, Journal};
pub use report::{DUMP_MESSAGE_ID, report};
pub use watch::{Managers, watch};
