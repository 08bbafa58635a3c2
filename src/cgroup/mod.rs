//! The cgroup v2 tree: where it is mounted, its directories, and which of them are recorded.

mod mount;
mod own;
mod rules;
mod tree;

pub use mount::{Mount, v2_mount};
pub use own::{own, whole};
pub use rules::{NAMES, NameKind, Place, Rules, kind_of};
pub use tree::Cgroup;
