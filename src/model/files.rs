//! What descriptors stand for.

use serde::{Deserialize, Serialize};

/// What stands in the place of a text that was taken out. No path looks so.
pub const REDACTED: &str = "<redacted>";

/// What a descriptor stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct File {
    /// Its path, or what it is instead: `/etc/hosts`, `pipe:[77]`, `anon_inode:[eventpoll]`.
    pub path: String,
    /// Whether nothing leads to it by that path any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// The device that it is: `char 136:0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// A socket's protocol with its inode or addresses: `TCP:[127.0.0.1:1234->127.0.0.1:80]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
    /// A pidfd's process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<u32>,
}

/// A process's descriptors at some time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// The process.
    pub pid: u32,
    /// Its working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<File>,
    /// Its descriptors.
    pub descriptors: Vec<(i32, File)>,
}
