//! Whose a dump is besides root's: the one user as whom calls in it were made. Data only: the kernel side marks the
//! calls, `redact` finds what of a dump is his, and the daemon gives it to him.

use serde::{Deserialize, Serialize};

use super::Dump;

/// A user, and the group that his processes ran with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// He, and never root.
    pub uid: u32,
    /// Who is not in it is given nothing: they may have read what he may not.
    pub gid: u32,
}

/// Whose part of a dump it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portion {
    /// The user whose calls it has.
    pub uid: u32,
    /// How many records of others are not in it.
    pub others: u64,
}

/// What of a dump is one user's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Own {
    /// Whose.
    #[serde(flatten)]
    pub user: User,
    /// What that part says of itself.
    pub about: Box<Dump>,
}
