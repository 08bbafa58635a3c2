//! Options of how a call is written: strace's.

use anyhow::{Result, bail};
use clap::{ArgAction, Args, ValueEnum};

use crate::{
    decode::{Constants, Descriptors, Strings, Style},
    model::StraceForm,
    render::Format,
};

/// How calls are written.
#[derive(Args, Debug)]
#[command(next_help_heading = "How calls are written")]
pub(super) struct Styling {
    /// Structures and arrays whole; to be given when recording too
    #[arg(short = 'v', long)]
    verbose: bool,
    /// What descriptors stand for: paths with -y; sockets' addresses, devices and pidfds too with -yy
    #[arg(short = 'y', long, action = ArgAction::Count)]
    decode_fds: u8,
    /// Constants and flags as numbers, by name, or both
    #[arg(short = 'X', long, value_name = "FORM", value_enum, default_value_t = Form::Abbrev)]
    const_print_style: Form,
    /// Strings that are not plain ASCII in hexadecimal; all strings with -xx
    #[arg(short = 'x', long, action = ArgAction::Count)]
    strings_in_hex: u8,
    /// Whose form it is where versions of strace differ
    #[arg(long, value_name = "VERSION", value_enum, default_value_t = Version::Newest)]
    strace_version: Version,
    /// Where results stand in strace's form
    #[arg(short = 'a', long, value_name = "COLUMN", default_value_t = Format::COLUMN)]
    columns: u16,
}

/// Versions of strace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Version {
    /// That of Debian 12
    #[value(name = "6.1")]
    V6_1,
    /// The newest that is known here, 7.2
    Newest,
}

/// How constants are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// As numbers
    Raw,
    /// By name
    Abbrev,
    /// As numbers with the names in a comment
    Verbose,
}

impl Styling {
    /// Whether structures are recorded whole.
    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Where results stand in strace's form.
    pub(super) fn column(&self) -> u16 {
        self.columns
    }

    /// Whose form it is.
    pub(super) fn form(&self) -> StraceForm {
        match self.strace_version {
            Version::V6_1 => StraceForm::V6_1,
            Version::Newest => StraceForm::Newest,
        }
    }

    pub(super) fn style(&self, string_limit: usize) -> Style {
        Style {
            string_limit,
            verbose: self.verbose,
            strace: self.form(),
            constants: match self.const_print_style {
                Form::Raw => Constants::Raw,
                Form::Abbrev => Constants::Abbrev,
                Form::Verbose => Constants::Verbose,
            },
            strings: match self.strings_in_hex {
                0 => Strings::Escaped,
                1 => Strings::HexUnlessAscii,
                _ => Strings::Hex,
            },
            descriptors: match self.decode_fds {
                0 => Descriptors::NONE,
                1 => Descriptors::PATHS,
                _ => Descriptors::ALL,
            },
            ..Style::default()
        }
    }
}

/// strace's `-e decode-fds=`: `path,socket`, `all`, `none`.
pub(super) fn descriptors(text: &str) -> Result<Descriptors> {
    let mut descriptors = Descriptors::NONE;
    for word in text.split(',') {
        match word {
            "all" => descriptors = Descriptors::ALL,
            "none" => descriptors = Descriptors::NONE,
            "path" => descriptors.paths = true,
            "socket" => descriptors.sockets = true,
            "dev" => descriptors.devices = true,
            "pidfd" => descriptors.pidfds = true,
            _ => bail!("there is no kind of descriptor {word:?}: path, socket, dev, pidfd"),
        }
    }
    Ok(descriptors)
}
