//! A sign of life on stderr, if that is a terminal and the work takes more than a second.

use std::{
    io::{self, IsTerminal, Read, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const PATIENCE: Duration = Duration::from_secs(1);

/// Work under way: so many bytes, of a total or not.
pub(super) struct Progress {
    doing: &'static str,
    total: Option<u64>,
    done: u64,
    began: Instant,
    bar: Option<ProgressBar>,
    wanted: bool,
}

impl Progress {
    pub(super) fn new(doing: &'static str, total: Option<u64>) -> Self {
        let wanted = io::stderr().is_terminal();
        Self { doing, total, done: 0, began: Instant::now(), bar: None, wanted }
    }

    /// So many bytes more are done.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.done += bytes as u64;
        if self.bar.is_none() && self.wanted && self.began.elapsed() >= PATIENCE {
            let bar = ProgressBar::with_draw_target(self.total, ProgressDrawTarget::stderr());
            let form = match self.total {
                Some(_) => "{msg} {wide_bar} {bytes} of {total_bytes}",
                None => "{msg} {spinner} {bytes}",
            };
            if let Ok(style) = ProgressStyle::with_template(form) {
                bar.set_style(style);
            }
            bar.set_message(self.doing);
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What is read or written, with its progress.
pub(super) struct Watched<T> {
    pub(super) inner: T,
    pub(super) progress: Progress,
}

impl<T: Read> Read for Watched<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.progress.advance(got);
        Ok(got)
    }
}

impl<T: Write> Write for Watched<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.progress.advance(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
