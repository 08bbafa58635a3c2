//! Cgroup v2 directories: where the tree is mounted, which id a directory has, what lies below it.

mod mount;
mod tree;

pub use mount::{Mount, v2_mount};
pub use tree::Cgroup;
