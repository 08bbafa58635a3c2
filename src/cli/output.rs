//! Options of what is written, where, and how.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use super::{
    colour::{Colour, Painter},
    json::Json,
    pager,
    piped::Piped,
    progress::{Progress, Watched},
    selecting::Selecting,
    styling::Styling,
    summarizing::Summarizing,
};
use crate::{
    decode::{History, Style},
    kernel::sees_all_pids,
    model::{Event, Module, Plain, Recording},
    render,
    select::{Concerned, Selection},
    store,
    symbol::Symbols,
};

/// How a dump is written, and where.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(super) struct Output {
    /// How calls are written [default: text]
    #[arg(long, value_enum, conflicts_with = "json")]
    format: Option<Format>,
    #[command(flatten)]
    json: Json,
    /// Write to a file instead of stdout, or to a command: -o '|gzip >calls.gz'
    #[arg(short, long, value_name = "FILE|'|COMMAND'")]
    output: Option<PathBuf>,
    /// Colours in the text format
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    color: Colour,
    #[command(flatten)]
    styling: Styling,
    #[command(flatten)]
    selecting: Selecting,
    #[command(flatten)]
    summarizing: Summarizing,
}

/// How much of a dump a browser bears.
const BROWSER: &str = "a browser hardly bears more at once; earlier ones with --until TIME, more with -n N";

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people: local time, who, what, and the window
    Text,
    /// Line for line what `strace -f -ttt -T` prints
    Strace,
    /// The first traceloop's lines: time since the first event, CPU, thread, call
    Classic,
    /// One JSON object a line
    Json,
    /// A page for a browser: timeline, filters, last words, latencies; one file, no network
    Html,
    /// A trace for the Perfetto UI: threads, calls as slices, arrows for forks and signals
    Perfetto,
    /// A table of events for DuckDB, pandas, Spark: Apache Parquet
    Parquet,
    /// A table of calls, errors and times, as `strace -c -w` prints
    Summary,
    /// The dump file itself, for `traceloop show`
    Raw,
}

impl Format {
    /// The name of a format that cannot be written as calls happen.
    fn of_whole_dumps(self) -> Option<&'static str> {
        match self {
            Self::Raw => Some("raw"),
            Self::Classic => Some("classic"),
            Self::Html => Some("html"),
            Self::Perfetto => Some("perfetto"),
            Self::Parquet => Some("parquet"),
            Self::Text | Self::Strace | Self::Json | Self::Summary => None,
        }
    }
}

impl Output {
    /// Opens the destination, before anything is recorded: a mistake must not cost a recording.
    pub(super) fn open(&self) -> Result<Destination<'_>> {
        if self.format() == Format::Raw {
            self.check_raw();
        }
        Ok(self.to(match &self.output {
            Some(path) => create(path)?,
            None => Box::new(io::stdout().lock()),
        }))
    }

    /// The same for a whole dump that somebody waits for: with a pager, if he reads it on a terminal.
    pub(super) fn open_for_reader(&self, paged: bool) -> Result<Destination<'_>> {
        if self.format() == Format::Raw {
            self.check_raw();
        }
        if self.format() == Format::Parquet && self.is_terminal() {
            super::usage("a table of Parquet's is nothing for a terminal: give -o FILE");
        }
        let pager = if self.output.is_none() && paged { pager::start() } else { None };
        Ok(match pager {
            Some(pager) => self.to(Box::new(pager)),
            None => self.to(self.writer()?),
        })
    }

    /// The destination of a dump file that is there already.
    pub(super) fn open_raw(&self) -> Result<Box<dyn Write>> {
        self.check_raw();
        self.writer()
    }

    fn writer(&self) -> Result<Box<dyn Write>> {
        Ok(match &self.output {
            Some(path) => Box::new(Watched { inner: create(path)?, progress: Progress::new("writing", None) }),
            None => Box::new(io::stdout().lock()),
        })
    }

    /// Whether it goes to a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        self.output.is_none() && io::stdout().is_terminal()
    }

    fn to(&self, out: Box<dyn Write>) -> Destination<'_> {
        let coloured = self.format() == Format::Text && self.color.is_wanted(self.output.is_none());
        let out: Box<dyn Write> = if coloured { Box::new(Painter::new(out)) } else { out };
        let out = BufWriter::with_capacity(1 << 16, out);
        let selection = self.selecting.selection();
        let followed = Counted { concerned: selection.concerned(), table: self.table().map(render::Table::new) };
        Destination { output: self, selection, followed, symbols: None, out }
    }

    /// Refuses what chooses from calls, or counts them, where a dump file is written.
    fn check_raw(&self) {
        if let Some(option) = self.selecting.given().or(self.summarizing.given()) {
            super::usage(format_args!(
                "a dump file is written whole, with all of its calls: for {option} give --format text, or another one"
            ));
        }
    }

    /// Whether calls are to be written, in some format, where nobody has to say so.
    pub(super) fn is_asked_for(&self) -> bool {
        self.format.is_some() || self.json.is_wanted() || self.summarizing.is_all()
    }

    fn format(&self) -> Format {
        let usual = if self.json.is_wanted() { Format::Json } else { Format::Text };
        self.format.unwrap_or(usual)
    }

    /// How calls are written, with strings of so many bytes.
    pub(super) fn style(&self, string_limit: usize) -> Style {
        let mut style = self.styling.style(string_limit);
        if let Some(descriptors) = self.selecting.descriptors() {
            style.descriptors = descriptors;
        }
        self.selecting.style(style)
    }

    /// Whether it is to be told what descriptors stand for.
    pub(super) fn tells_descriptors(&self) -> bool {
        self.style(0).descriptors.any() || self.selecting.by_path()
    }

    /// The table of calls, if it is wanted.
    fn table(&self) -> Option<render::Summary> {
        let wanted = (self.format() == Format::Summary).then(|| self.summarizing.settings());
        wanted.or_else(|| self.summarizing.table())
    }

    /// What has to be recorded for it.
    pub(super) fn needs(&self) -> Needs {
        Needs {
            whole_structures: self.styling.is_verbose() || self.selecting.is_verbose(),
            // Whoever reads a dump later may ask.
            descriptors: self.format() == Format::Raw || self.tells_descriptors(),
        }
    }

    /// Shorter calls need not be told of; what descriptors stand for is seen in calls of any length.
    pub(super) fn slower(&self) -> Duration {
        if self.tells_descriptors() { Duration::ZERO } else { self.selecting.least_duration() }
    }

    /// Refuses what cannot be written as calls happen; `instead`: what takes it.
    pub(super) fn check_follow(&self, instead: &str) {
        if let Some(name) = self.format().of_whole_dumps() {
            super::usage(format_args!("--format {name} is made of what was recorded until now: {instead}"));
        }
        if let Some(option) = self.selecting.of_whole_dumps() {
            super::usage(format_args!("{option} chooses from what was recorded until now: {instead}"));
        }
    }

    /// Which part of a dump of so many calls is shown where nobody says how much: how many calls, and in words.
    fn newest(&self, calls: u64) -> Option<(usize, String)> {
        let given = self.selecting.given().is_some();
        let (most, hint) = match self.format() {
            Format::Html => (200_000, BROWSER),
            Format::Perfetto => (1_000_000, BROWSER),
            Format::Text | Format::Strace | Format::Classic | Format::Json
                if self.is_terminal() && !given && self.table().is_none() =>
            {
                (
                    1000,
                    "more with -n N, --last TIME or --since TIME; all of them go into a pipe, or into a file with -o",
                )
            }
            _ => return None,
        };
        let of = if given { "those that were asked for".to_owned() } else { format!("{calls} calls") };
        (calls > most as u64).then(|| (most, format!("shown are the newest {most} of {of}: {hint}")))
    }

    /// The format of the calls, if they are to be written one by one.
    fn render(&self) -> Option<render::Format> {
        match self.format() {
            _ if self.summarizing.is_all() => None,
            Format::Text => Some(render::Format::Text),
            Format::Strace => Some(render::Format::Strace { column: self.styling.column(), form: self.styling.form() }),
            Format::Classic => Some(render::Format::Classic),
            Format::Json if self.json.is_pretty() => Some(render::Format::Pretty),
            Format::Json => Some(render::Format::Json),
            Format::Html => Some(render::Format::Html),
            Format::Perfetto => Some(render::Format::Perfetto),
            Format::Parquet => Some(render::Format::Parquet),
            Format::Summary | Format::Raw => None,
        }
    }
}

/// The file, or what stands behind `|`, as strace has it.
fn create(path: &Path) -> Result<Box<dyn Write>> {
    let doing = || format!("write to {}", path.display());
    match path.to_str().and_then(|path| path.strip_prefix(['|', '!'])) {
        Some(command) if command.trim().is_empty() => {
            super::usage("behind | stands a command, as in -o '|gzip >calls.gz'")
        }
        Some(command) => Ok(Box::new(Piped::shell(command).with_context(doing)?)),
        None => Ok(Box::new(File::create(path).with_context(doing)?)),
    }
}

/// What output has to have recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    /// Structures whole.
    pub(super) whole_structures: bool,
    /// What descriptors stand for.
    pub(super) descriptors: bool,
}

/// What is known of the calls that were followed until now.
struct Counted {
    concerned: Option<Concerned>,
    table: Option<render::Table>,
}

/// Where a dump goes.
pub(super) struct Destination<'a> {
    output: &'a Output,
    selection: Selection,
    followed: Counted,
    /// Names the stacks of what is followed.
    symbols: Option<Symbols>,
    out: BufWriter<Box<dyn Write>>,
}

impl Destination<'_> {
    /// Writes a dump; whether all of it that was wanted could be read, which was said otherwise.
    pub(super) fn dump(&mut self, recording: &Recording, style: &Style) -> Result<bool> {
        let mut whole = true;
        let mut dump = Cow::Borrowed(&recording.dump);
        let mut selection = Cow::Borrowed(&self.selection);
        let calls = recording.blocks.iter().map(|block| u64::from(block.calls)).sum();
        if selection.last.is_none()
            && let Some((last, words)) = self.output.newest(calls)
        {
            selection.to_mut().last = Some(last);
            // Of JSON and strace's lines people read this apart.
            if !matches!(self.output.format(), Format::Text | Format::Strace) {
                super::say(format_args!("traceloop: {words}"))?;
            }
            dump.to_mut().shown = Some(words);
        }
        let dump = dump.as_ref();
        if self.output.format() == Format::Raw {
            store::write(&mut self.out, recording)?;
        } else {
            let history = History::of(recording, style).context("read the records")?;
            let mut table = self.output.table().map(render::Table::new);
            let counted = |event: &Event| {
                if let Some(table) = &mut table {
                    table.see(event);
                }
            };
            let mut symbols = (!dump.modules.is_empty()).then(|| Symbols::of(dump, sees_all_pids()));
            let named = |mut event: Event| {
                if let Some(symbols) = &mut symbols {
                    symbols.name(&mut event);
                }
                event
            };
            let events = history.chosen(&selection).inspect(counted).map(named);
            match self.output.render() {
                Some(format) => render::dump(&mut self.out, format, dump, events),
                None => {
                    events.for_each(drop);
                    Ok(())
                }
            }
            .context("write the dump")?;
            if let Some(symbols) = symbols {
                for (file, why) in symbols.missing() {
                    super::say(format_args!("traceloop: no functions of {file}: {why}"))?;
                }
            }
            for what in history.damage() {
                super::say(format_args!("traceloop: not shown: {what}"))?;
                whole = false;
            }
            if let Some(table) = table {
                table.write(&mut Plain(&mut self.out)).context("write the summary")?;
            }
        }
        self.out.flush().context("write the dump")?;
        // The other formats hold it; strace's have no place for it.
        if matches!(self.output.format(), Format::Strace | Format::Classic | Format::Summary)
            || self.output.summarizing.is_all()
        {
            let lines = render::window(dump);
            let lines: Vec<_> = lines.iter().map(|line| format!("traceloop: {line}")).collect();
            super::say(lines.join("\n"))?;
        }
        Ok(whole)
    }

    /// Takes in what has become known of the files that stacks lead through.
    pub(super) fn learn(&mut self, modules: &[Module]) {
        if !modules.is_empty() {
            self.symbols.get_or_insert_with(|| Symbols::live(sees_all_pids())).learn(modules);
        }
    }

    /// Writes what has just happened. `names`: what people call the cgroups, if there are several.
    pub(super) fn follow(&mut self, clock_offset: i64, names: &[String], mut events: Vec<Event>) -> Result<()> {
        self.selection.filter(std::env::consts::ARCH, &mut events);
        if let Some(concerned) = &mut self.followed.concerned {
            events.retain(|event| concerned.keeps(event));
        }
        if let Some(table) = &mut self.followed.table {
            events.iter().for_each(|event| table.see(event));
        }
        if let Some(symbols) = &mut self.symbols {
            events.iter_mut().for_each(|event| symbols.name(event));
        }
        if let Some(format) = self.output.render() {
            render::follow(&mut self.out, format, clock_offset, names, &events).context("write the calls")?;
        }
        self.out.flush().context("write the calls")
    }

    /// Nothing else is followed: the table of all that was.
    pub(super) fn end_following(&mut self) -> Result<()> {
        if let Some(table) = &self.followed.table {
            table.write(&mut Plain(&mut self.out)).context("write the summary")?;
        }
        self.out.flush().context("write the summary")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        output: Output,
    }

    #[test]
    fn what_a_browser_bears_is_shown_unless_somebody_says_how_much() {
        let newest = |args: &str, calls| {
            let line = Line::parse_from([&["show"], &args.split(' ').collect::<Vec<_>>()[..]].concat());
            line.output.newest(calls)
        };
        let (most, words) = newest("--format html", 300_000).unwrap();
        assert_eq!(most, 200_000);
        assert!(words.starts_with("shown are the newest 200000 of 300000 calls: a browser"), "{words}");
        assert!(newest("--format html", 200_000).is_none());
        let (_, words) = newest("--format perfetto --since -30s", 2_000_000).unwrap();
        assert!(words.starts_with("shown are the newest 1000000 of those that were asked for: "), "{words}");
        assert!(newest("--format json -o /dev/null", 2_000_000).is_none());
    }
}
