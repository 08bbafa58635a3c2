//! Options of what is written, where, and how.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::{
    decode::{self, Style},
    model::{Event, Recording},
    render, store,
};

/// How a dump is written, and where.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(super) struct Output {
    /// How calls are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write to a file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Structures whole
    #[arg(short = 'v', long)]
    pub(super) verbose: bool,
}

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people: local time, who, what, and the window
    Text,
    /// Line for line what `strace -f -ttt -T` prints
    Strace,
    /// One JSON object a line
    Json,
    /// The dump file itself, for `traceloop show`
    Raw,
}

impl Output {
    /// Opens the destination, before anything is recorded: a mistake must not cost a recording.
    pub(super) fn open(&self) -> Result<Destination<'_>> {
        let out: Box<dyn Write> = match &self.output {
            Some(path) => Box::new(File::create(path).with_context(|| format!("write to {}", path.display()))?),
            None => Box::new(io::stdout().lock()),
        };
        Ok(Destination { output: self, out: BufWriter::with_capacity(1 << 16, out) })
    }

    /// Whether the calls are to be decoded.
    pub(super) fn is_raw(&self) -> bool {
        self.format == Format::Raw
    }

    fn render(&self) -> Option<render::Format> {
        match self.format {
            Format::Text => Some(render::Format::Text),
            Format::Strace => Some(render::Format::Strace),
            Format::Json => Some(render::Format::Json),
            Format::Raw => None,
        }
    }
}

/// Where a dump goes.
pub(super) struct Destination<'a> {
    output: &'a Output,
    out: BufWriter<Box<dyn Write>>,
}

impl Destination<'_> {
    /// Writes a dump.
    pub(super) fn dump(&mut self, recording: &Recording, style: &Style) -> Result<()> {
        match self.output.render() {
            None => store::write(&mut self.out, recording)?,
            Some(format) => {
                let events = decode::events(recording, style);
                render::dump(&mut self.out, format, &recording.dump, &events).context("write the dump")?;
            }
        }
        self.out.flush().context("write the dump")?;
        // The other formats hold it; strace's has no place for it.
        if self.output.format == Format::Strace {
            for line in render::window(&recording.dump) {
                super::say(format_args!("traceloop: {line}"))?;
            }
        }
        Ok(())
    }

    /// Writes what has just happened.
    pub(super) fn follow(&mut self, clock_offset: i64, events: &[Event]) -> Result<()> {
        if let Some(format) = self.output.render() {
            render::follow(&mut self.out, format, clock_offset, events).context("write the calls")?;
        }
        self.out.flush().context("write the calls")
    }
}
