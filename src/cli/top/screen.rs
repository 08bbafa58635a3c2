//! The table on a terminal, which keys sort, narrow down and widen.

use std::time::Duration;

use anyhow::{Context, Result};
use ratatui::{
    DefaultTerminal, Frame,
    crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
    layout::{Constraint, Layout},
    style::{Modifier, Style, Stylize},
    text::Line,
    widgets::{Cell, Row as Cells, Table, TableState},
};

use super::{By, End, Figures, Place, Row, Sort, Source, Top, plain};

/// Readings are looked for so often; keys are answered at once.
const LOOK: Duration = Duration::from_millis(100);

/// What is on the screen.
struct Screen {
    by: By,
    sort: Sort,
    place: Place,
    paused: bool,
    rows: Vec<Row>,
    state: TableState,
}

/// Watches until the user has seen enough.
pub(super) fn watch(top: &Top, source: &Source, figures: &mut Figures) -> Result<End> {
    let mut terminal = ratatui::try_init().context("use the terminal: give --once or --json where there is none")?;
    let ended = run(&mut terminal, top, source, figures);
    ratatui::restore();
    ended
}

fn run(terminal: &mut DefaultTerminal, top: &Top, source: &Source, figures: &mut Figures) -> Result<End> {
    let mut screen = Screen::new(top.by, top.sort);
    loop {
        screen.show(figures, top.lines);
        terminal.draw(|frame| screen.draw(frame, figures)).context("draw the table")?;
        if !screen.wait(source, figures)? {
            return Ok(End::Done);
        }
    }
}

impl Screen {
    fn new(by: By, sort: Sort) -> Self {
        let (place, state) = (Place::default(), TableState::default());
        Self { by, sort, place, paused: false, rows: Vec::new(), state }
    }

    /// Waits until there is something new to show; `false`: the user has seen enough.
    fn wait(&mut self, source: &Source, figures: &mut Figures) -> Result<bool> {
        loop {
            if event::poll(LOOK).context("wait for a key")? {
                return Ok(match event::read().context("read a key")? {
                    Event::Key(key) if key.kind != KeyEventKind::Release => self.press(key.code, key.modifiers),
                    _ => true,
                });
            }
            if let Some(told) = source.next_already()? {
                if !self.paused {
                    figures.take(told);
                }
                return Ok(true);
            }
        }
    }

    /// Takes over the lines to show. The line that was chosen stays so wherever it stands now.
    fn show(&mut self, figures: &Figures, lines: usize) {
        let selected = self.state.selected().unwrap_or(0);
        let chosen = self.rows.get(selected).filter(|_| selected > 0).map(|row| (row.name.clone(), row.pid));
        self.rows = figures.rows(self.by, &self.place, self.sort);
        self.rows.truncate(lines);
        let now = chosen.and_then(|(name, pid)| self.rows.iter().position(|row| row.name == name && row.pid == pid));
        // An empty table has let go of the first line.
        self.state.select(Some(now.unwrap_or(selected)));
    }

    /// Does what a key says; `false`: the user has seen enough.
    fn press(&mut self, key: KeyCode, modifiers: KeyModifiers) -> bool {
        match key {
            KeyCode::Char('q') => return false,
            KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => return false,
            KeyCode::Char('u') => self.by = By::Unit,
            KeyCode::Char('p') => self.by = By::Process,
            KeyCode::Char('c') => self.by = By::Call,
            KeyCode::Char('s') => {
                let now = Sort::ALL.iter().position(|sort| *sort == self.sort).unwrap_or(0);
                self.sort = Sort::ALL[(now + 1) % Sort::ALL.len()];
            }
            KeyCode::Char(' ') => self.paused = !self.paused,
            KeyCode::Down | KeyCode::Char('j') => self.state.select_next(),
            KeyCode::Up | KeyCode::Char('k') => self.state.select_previous(),
            KeyCode::Enter | KeyCode::Right => self.narrow(),
            KeyCode::Esc | KeyCode::Backspace | KeyCode::Left => self.widen(),
            _ => {}
        }
        true
    }

    /// From a unit to its processes, from a process to its calls.
    fn narrow(&mut self) {
        let Some(row) = self.state.selected().and_then(|n| self.rows.get(n)) else { return };
        match self.by {
            By::Unit => (self.place.unit, self.by) = (Some(row.name.clone()), By::Process),
            By::Process => (self.place.pid, self.by) = (row.pid, By::Call),
            By::Call => return,
        }
        self.state.select_first();
    }

    fn widen(&mut self) {
        if self.place.pid.take().is_some() {
            self.by = By::Process;
        } else {
            self.place.unit = None;
            self.by = By::Unit;
        }
        self.state.select_first();
    }

    fn draw(&mut self, frame: &mut Frame<'_>, figures: &Figures) {
        let [head, table, foot] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)]).areas(frame.area());
        frame.render_widget(Line::from(self.head(figures)).bold(), head);
        let titles = ["calls/s", "errors/s", "time/s", "longest", "name"];
        let mark = |title: &str| {
            let sorted = title.split('/').next() == Some(self.sort.word());
            if sorted { format!("{title}▾") } else { title.to_owned() }
        };
        let title = |(n, title): (usize, &&str)| {
            let line = Line::from(mark(title));
            Cell::from(if n < 4 { line.right_aligned() } else { line })
        };
        let titles =
            Cells::new(titles.iter().enumerate().map(title)).style(Style::new().add_modifier(Modifier::REVERSED));
        let lines = self.rows.iter().map(|row| {
            let [calls, errors, time, longest] = plain::cells(figures, row);
            let right = |text: String| Cell::from(Line::from(text).right_aligned());
            Cells::new([right(calls), right(errors).red(), right(time), right(longest), Cell::from(plain::name(row))])
        });
        let widths = [
            Constraint::Length(10),
            Constraint::Length(10),
            Constraint::Length(10),
            Constraint::Length(10),
            Constraint::Fill(1),
        ];
        let lines = Table::new(lines, widths).header(titles).row_highlight_style(Style::new().bold().on_dark_gray());
        frame.render_stateful_widget(lines, table, &mut self.state);
        let keys = "u unit  p process  c call  s sort  Enter into  Esc back  space pause  q quit";
        frame.render_widget(Line::from(keys).dim(), foot);
    }

    fn head(&self, figures: &Figures) -> String {
        let total = Row { count: figures.total(), ..Row::default() };
        let [calls, errors, time, _] = plain::cells(figures, &total);
        let errors = if errors.is_empty() { "0".to_owned() } else { errors };
        let by = match self.by {
            By::Unit => "units",
            By::Process => "processes",
            By::Call => "calls",
        };
        let mut head = format!("traceloop top: {calls} calls/s, {errors} errors/s, {time}/s by {by}");
        if let Some(unit) = &self.place.unit {
            head += &format!(" of {unit}");
        }
        if let Some(pid) = self.place.pid {
            head += &format!(" of process {pid}");
        }
        if self.paused {
            head += " (paused)";
        }
        if figures.uncounted > 0 {
            head += &format!("; {} not counted", figures.uncounted);
        }
        head
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::{super::Told, *};
    use crate::model::{Counted, Reading};

    /// Units with so many calls each.
    fn told(units: &[(&str, u64)]) -> Told {
        let counted = |calls| Counted { pid: 7, comm: Some("sh".into()), calls, ..Counted::default() };
        let counts = units.iter().map(|(_, calls)| counted(*calls)).collect();
        let reading = Reading { seconds: 1.0, uncounted: 0, counts };
        Told { reading, units: units.iter().map(|(unit, _)| (*unit).to_owned()).collect() }
    }

    #[test]
    fn enter_goes_into_the_line_that_is_chosen() {
        let mut terminal = Terminal::new(TestBackend::new(80, 8)).unwrap();
        let mut screen = Screen::new(By::Unit, Sort::Calls);
        let mut figures = Figures::default();
        let mut shown = |screen: &mut Screen, figures: &Figures| {
            screen.show(figures, usize::MAX);
            terminal.draw(|frame| screen.draw(frame, figures)).unwrap();
            terminal.backend().to_string()
        };
        let press = |screen: &mut Screen, key| assert!(screen.press(key, KeyModifiers::NONE));
        // Before the first reading there is no line.
        shown(&mut screen, &figures);
        figures.take(told(&[("a.service", 3), ("b.service", 2)]));
        let text = shown(&mut screen, &figures);
        assert!(text.contains("5.0 calls/s") && text.contains("by units"), "{text}");
        press(&mut screen, KeyCode::Enter);
        let text = shown(&mut screen, &figures);
        assert!(text.contains("by processes of a.service") && text.contains("sh[7]"), "{text}");
        press(&mut screen, KeyCode::Esc);
        // The second line stays the chosen one when it becomes the first.
        shown(&mut screen, &figures);
        press(&mut screen, KeyCode::Down);
        figures.take(told(&[("a.service", 3), ("b.service", 4)]));
        shown(&mut screen, &figures);
        press(&mut screen, KeyCode::Enter);
        let text = shown(&mut screen, &figures);
        assert!(text.contains("by processes of b.service"), "{text}");
        assert!(!screen.press(KeyCode::Char('q'), KeyModifiers::NONE));
    }
}
