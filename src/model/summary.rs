//! What happened, in a few sentences. Data only: `summary` finds them.

use serde::{Deserialize, Serialize};

use super::LastCall;

/// What happened, and what that is known from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// One to three sentences.
    pub text: String,
    /// The events that they rest on, oldest first.
    pub events: Vec<LastCall>,
}
