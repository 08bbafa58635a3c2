//! `traceloop look`: the recorder's own helper, which nobody calls by hand.

use anyhow::Result;
use clap::Args;

use super::End;
use crate::host;

/// Look into other processes for the recorder, which asks over standard input
#[derive(Args, Debug)]
pub(super) struct Look {}

impl Look {
    #[allow(clippy::unused_self, reason = "a verb like the others")]
    pub(super) fn run(self) -> Result<End> {
        host::serve()?;
        Ok(End::Done)
    }
}
