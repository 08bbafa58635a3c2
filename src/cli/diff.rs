//! `traceloop diff A B`: what one run did that another did not.

use std::io::Write;

use anyhow::{Context, Result};
use clap::Args;

use super::{End, json::Json, opening, place::Place, selecting::Selecting, stored};
use crate::{
    decode::{History, Style},
    model::Recording,
    render::{self, Diff, Difference, Side},
    select::Selection,
};

/// Compare two dumps: what B did that A did not, and the other way round
///
/// Calls are compared by their shapes: name, paths, flags and how they ended; addresses, descriptors,
/// process ids, sizes and times do not count. Exits with 0 if there is no difference, with 1 if there is, with 2 if they cannot be compared.
#[derive(Args, Debug)]
pub(super) struct Compare {
    /// The dump to compare with, of a run that went well: a file, or a stored dump as `traceloop list` takes it
    #[arg(value_name = "A", allow_negative_numbers = true)]
    a: String,
    /// The other dump
    #[arg(value_name = "B", allow_negative_numbers = true)]
    b: String,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    pub(super) place: Place,
    #[command(flatten)]
    selecting: Selecting,
}

impl Compare {
    pub(super) fn run(self) -> Result<End> {
        self.compare().or_else(|error| {
            if super::is_broken_pipe(&error) {
                return Err(error);
            }
            // 1 would say that they differ.
            super::say(format_args!("traceloop: {error:#}"))?;
            Ok(End::Status(2))
        })
    }

    fn compare(&self) -> Result<End> {
        let one = |what: &String| opening::read("compare", std::slice::from_ref(what), &self.place);
        let (Some((a, _)), Some((b, _))) = (one(&self.a)?, one(&self.b)?) else { return Ok(End::Status(2)) };
        let mut diff = Diff::new(&a.dump, &b.dump);
        let selection = self.selecting.selection();
        for (side, recording) in [(Side::A, &a), (Side::B, &b)] {
            feed(&mut diff, side, recording, &selection, self.selecting.style(Style::default()))?;
        }
        let mut out = stored::stdout();
        let differs = if self.json.is_wanted() {
            let told = diff.told();
            told.iter().try_for_each(|difference| self.json.write(&mut out, difference))?;
            out.flush().map(|()| told.iter().any(Difference::is_of_one))
        } else {
            diff.finish(&mut out).and_then(|differs| out.flush().map(|()| differs))
        };
        for (name, recording) in [("A", &a), ("B", &b)] {
            for line in render::window(&recording.dump) {
                super::say(format_args!("traceloop: {name}: {line}"))?;
            }
        }
        Ok(if differs.context("write the differences")? { End::NoMatch } else { End::Done })
    }
}

/// Takes in what a recording did. `style`: with what calls are chosen by.
pub(super) fn feed(
    diff: &mut Diff,
    side: Side,
    recording: &Recording,
    selection: &Selection,
    mut style: Style,
) -> Result<()> {
    (style.descriptors.paths, style.descriptors.sockets) = (true, true);
    let history = History::of(recording, &style)?;
    history.chosen(selection).for_each(|event| diff.event(side, &event));
    Ok(())
}
