//! What is on the screen, and what keys do with it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use ratatui::{
    DefaultTerminal, Frame,
    crossterm::event::{self, Event as Input, KeyCode, KeyEventKind, KeyModifiers},
    layout::{Constraint, Layout, Rect},
    style::{Style, Stylize},
    text::{Line, Text},
    widgets::{Block, Clear, List, ListState, Paragraph, Wrap},
};

use super::{
    listed::Listed,
    pages::{Ask, Index, Page, Pages, Purpose, Way},
    typed::{self, Choice},
};
use crate::{
    decode,
    model::{Call, Event, LastCall, Outcome, Recording, What, plain},
    render,
    select::Selection,
};

/// Pages are looked for so often; keys are answered at once.
const LOOK: Duration = Duration::from_millis(20);
/// So many events a page has, and so near the end of what is there the next one is asked for.
const PAGE: usize = 1_000;
const NEAR: usize = 500;
const KEYS: &str = "/ filter  f F failures  s summary  t threads  Enter details  g G first, last  q quit";

/// What lies over the list.
enum Over {
    Nothing,
    /// A filter that is being typed, what stood there before, and what is wrong with it.
    Typing {
        text: String,
        before: String,
        wrong: Option<String>,
    },
    Summary(ListState),
    Threads(Vec<(u32, String)>, ListState),
}

pub(super) struct Screen {
    recording: Arc<Recording>,
    index: Index,
    pages: Pages,
    /// What the command line chose.
    base: Choice,
    /// The same and what was typed.
    selection: Arc<Selection>,
    style: Arc<decode::Style>,
    filter: String,
    /// Only one thread's.
    thread: Option<u32>,
    listed: Listed,
    /// The first line of the list on the screen.
    top: usize,
    /// Lines of the list on the screen.
    height: usize,
    over: Over,
    /// Whether details are shown; of which event, and the event as it is with all of them.
    detailed: bool,
    /// So many lines of them are above what is shown.
    scrolled: u16,
    details: Option<((u64, u32), Option<Event>)>,
    /// Which pages are waited for.
    waiting: Vec<(Way, Purpose)>,
    /// Where to go when it is there: the beginning and thread of an event.
    wanted: Option<(u64, u32)>,
    /// The event that was looked at last: a filter that leaves nothing is no reason to lose one's place.
    here: Option<(u64, u32)>,
    /// So many lines on or back that were not there yet.
    owed: isize,
    note: Option<String>,
    names: Vec<String>,
}

impl Screen {
    pub(super) fn new(recording: Arc<Recording>, pages: Pages, base: Choice) -> Self {
        let names = recording.dump.names_of_each();
        Self {
            index: Index::of(&recording),
            pages,
            selection: Arc::new(base.0.clone()),
            style: Arc::new(base.1.clone()),
            base,
            filter: String::new(),
            thread: None,
            listed: Listed::around(u64::MAX),
            top: 0,
            height: 1,
            over: Over::Nothing,
            detailed: false,
            scrolled: 0,
            details: None,
            waiting: Vec::new(),
            wanted: None,
            here: None,
            owed: 0,
            note: None,
            names,
            recording,
        }
    }

    /// Something to be said below the list.
    pub(super) fn note(&mut self, note: Option<String>) {
        self.note = note;
    }

    /// Shows it until the user has seen enough.
    pub(super) fn run(&mut self, terminal: &mut DefaultTerminal) -> Result<()> {
        loop {
            self.look()?;
            terminal.draw(|frame| self.draw(frame)).context("draw the calls")?;
            loop {
                let wait = if self.waiting.is_empty() { Duration::from_secs(1) } else { LOOK };
                if event::poll(wait).context("wait for a key")? {
                    match event::read().context("read a key")? {
                        Input::Key(key)
                            if key.kind != KeyEventKind::Release && !self.press(key.code, key.modifiers)? =>
                        {
                            return Ok(());
                        }
                        _ => {}
                    }
                    // Keys that wait already are taken together: who holds one down is not to wait for the screen.
                    if event::poll(Duration::ZERO).context("wait for a key")? {
                        continue;
                    }
                    break;
                }
                if self.look()? {
                    break;
                }
            }
        }
    }

    /// Takes in pages that are there, and asks for those that will be needed; whether something has changed.
    fn look(&mut self) -> Result<bool> {
        let mut changed = false;
        while let Some(page) = self.pages.next()? {
            changed = true;
            self.waiting.retain(|(way, purpose)| (*way, *purpose) != (page.ask.way, page.ask.purpose));
            if let Some(damage) = page.damage.first() {
                self.note = Some(format!("not shown: {damage}"));
            }
            match page.ask.purpose {
                Purpose::List => {
                    self.listed.take_in(page);
                    // The lines that are on the screen stay where they are.
                    self.top = self.top.saturating_add_signed(std::mem::take(&mut self.listed.shifted));
                }
                Purpose::Find => self.found(&page)?,
                Purpose::Details(tid) => {
                    self.details = Some(((page.ask.from, tid), page.events.into_iter().next()));
                }
            }
        }
        if changed && self.owed != 0 {
            self.go(self.owed);
        }
        let ahead = self.height + NEAR;
        if self.listed.goes_on(Way::Back) && self.listed.at < ahead {
            self.ask(Way::Back, Purpose::List)?;
        }
        if self.listed.goes_on(Way::On) && self.listed.at + ahead >= self.listed.events.len() {
            self.ask(Way::On, Purpose::List)?;
        }
        // When what is around it has come.
        if let Some((start, tid)) = self.wanted {
            if self.listed.go_to(start, tid) {
                self.wanted = None;
                self.in_the_middle();
            } else if !self.is_waiting() {
                self.listed.go_near(start);
                self.wanted = None;
                self.in_the_middle();
            }
        }
        if let Some(event) = self.listed.chosen().filter(|_| self.wanted.is_none()) {
            self.here = Some((event.start, event.tid));
        }
        if self.detailed
            && let Some((start, tid)) = self.listed.chosen().map(|event| (event.start, event.tid))
            && self.details.as_ref().is_none_or(|(of, _)| *of != (start, tid))
        {
            let ask = Ask {
                selection: self.selection.clone(),
                style: self.style.clone(),
                way: Way::On,
                from: start,
                many: 1,
                purpose: Purpose::Details(tid),
            };
            self.details = Some(((start, tid), None));
            self.scrolled = 0;
            self.waiting.push((Way::On, ask.purpose));
            self.pages.ask(ask)?;
        }
        Ok(changed)
    }

    /// Goes so many lines on or back, as soon as they are there.
    fn go(&mut self, lines: isize) {
        self.wanted = None;
        let left = self.listed.go(lines);
        let way = if left > 0 { Way::On } else { Way::Back };
        self.owed = if self.listed.goes_on(way) { left } else { 0 };
    }

    fn is_waiting(&self) -> bool {
        self.waiting.iter().any(|(_, purpose)| *purpose == Purpose::List)
    }

    fn ask(&mut self, way: Way, purpose: Purpose) -> Result<()> {
        if self.waiting.contains(&(way, purpose)) {
            return Ok(());
        }
        let from = self.listed.edge(way);
        self.waiting.push((way, purpose));
        let (selection, style) = (self.selection.clone(), self.style.clone());
        self.pages.ask(Ask { selection, style, way, from, many: PAGE, purpose })
    }

    /// The list anew, around a moment.
    fn list(&mut self, time: u64) {
        self.pages.forget();
        self.waiting.clear();
        self.details = None;
        (self.owed, self.wanted) = (0, None);
        self.listed = Listed::around(time);
        self.top = 0;
    }

    /// Looks for the next call that failed.
    fn find(&mut self, way: Way) -> Result<()> {
        let Some(chosen) = self.listed.chosen() else { return Ok(()) };
        let from = if way == Way::On { chosen.start.saturating_add(1) } else { chosen.start };
        let (selection, style) = (self.selection.clone(), self.style.clone());
        self.waiting.retain(|(_, purpose)| *purpose != Purpose::Find);
        self.waiting.push((way, Purpose::Find));
        self.note = Some("looking for a call that failed ...".to_owned());
        self.pages.ask(Ask { selection, style, way, from, many: 1, purpose: Purpose::Find })
    }

    fn found(&mut self, page: &Page) -> Result<()> {
        let found = if page.ask.way == Way::On { page.events.first() } else { page.events.last() };
        match found {
            Some(event) => {
                self.note = None;
                self.go_to(event.start, event.tid);
            }
            None => {
                let where_ = if page.ask.way == Way::On { "after" } else { "before" };
                self.note = Some(format!("no call failed {where_} this line"));
            }
        }
        Ok(())
    }

    fn go_to(&mut self, start: u64, tid: u32) {
        if self.listed.go_to(start, tid) {
            if !(self.top..self.top + self.height).contains(&self.listed.at) {
                self.in_the_middle();
            }
        } else {
            self.list(start);
            self.wanted = Some((start, tid));
        }
    }

    /// What stands around the line is to be seen, before it and after it.
    fn in_the_middle(&mut self) {
        self.top = self.listed.at.saturating_sub(self.height / 2);
    }

    /// Takes over a filter, where one is looking.
    fn choose(&mut self, (selection, style): Choice) {
        let here = self.wanted.or(self.here);
        let thread = self.thread.map(|tid| Selection { threads: vec![tid], ..Selection::default() });
        self.selection = Arc::new(thread.map_or_else(|| selection.clone(), |thread| selection.and(thread)));
        self.style = Arc::new(style);
        self.list(here.map_or(u64::MAX, |(start, _)| start));
        self.wanted = here;
    }

    fn filter(&mut self, text: &str) -> Option<String> {
        match typed::choice(text, &self.base) {
            Ok(choice) => {
                text.trim().clone_into(&mut self.filter);
                self.choose(choice);
                None
            }
            Err(wrong) => Some(wrong),
        }
    }

    /// Does what a key says; `false`: the user has seen enough.
    fn press(&mut self, key: KeyCode, modifiers: KeyModifiers) -> Result<bool> {
        if key == KeyCode::Char('c') && modifiers.contains(KeyModifiers::CONTROL) {
            return Ok(false);
        }
        match std::mem::replace(&mut self.over, Over::Nothing) {
            Over::Nothing => return self.press_list(key),
            Over::Typing { mut text, before, .. } => {
                match key {
                    // What is wrong is not taken over: the last filter that made sense holds.
                    KeyCode::Enter => return Ok(true),
                    KeyCode::Esc => {
                        self.filter(&before);
                        return Ok(true);
                    }
                    KeyCode::Backspace => drop(text.pop()),
                    KeyCode::Char('u') if modifiers.contains(KeyModifiers::CONTROL) => text.clear(),
                    KeyCode::Char(char) => text.push(char),
                    _ => {}
                }
                let wrong = if text.trim() == self.filter { None } else { self.filter(&text) };
                self.over = Over::Typing { text, before, wrong };
            }
            Over::Summary(mut state) => match key {
                KeyCode::Enter => {
                    let of = state.selected().and_then(|n| self.known().into_iter().nth(n));
                    if let Some(event) = of {
                        self.go_to(event.start, event.tid);
                    }
                }
                KeyCode::Esc | KeyCode::Char('s' | 'q') => {}
                key => {
                    move_in(&mut state, key);
                    self.over = Over::Summary(state);
                }
            },
            Over::Threads(threads, mut state) => match key {
                KeyCode::Enter => {
                    self.thread =
                        state.selected().and_then(|n| n.checked_sub(1)).and_then(|n| threads.get(n)).map(|of| of.0);
                    let text = self.filter.clone();
                    self.filter(&text);
                }
                KeyCode::Esc | KeyCode::Char('t' | 'q') => {}
                key => {
                    move_in(&mut state, key);
                    self.over = Over::Threads(threads, state);
                }
            },
        }
        Ok(true)
    }

    fn press_list(&mut self, key: KeyCode) -> Result<bool> {
        let page = isize::try_from(self.height.max(2) - 1).unwrap_or(1);
        self.note = None;
        // Keys that are held down add up.
        let owed = std::mem::take(&mut self.owed);
        match key {
            KeyCode::Char('q') => return Ok(false),
            KeyCode::Down | KeyCode::Char('j') => self.go(owed + 1),
            KeyCode::Up | KeyCode::Char('k') => self.go(owed - 1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.go(owed + page),
            KeyCode::PageUp | KeyCode::Char('b') => self.go(owed - page),
            KeyCode::Home | KeyCode::Char('g') => {
                if self.listed.goes_on(Way::Back) {
                    self.list(0);
                }
                self.listed.at = 0;
            }
            KeyCode::End | KeyCode::Char('G') => {
                if self.listed.goes_on(Way::On) {
                    self.list(u64::MAX);
                }
                self.listed.at = self.listed.events.len().saturating_sub(1);
            }
            KeyCode::Char('f') => self.find(Way::On)?,
            KeyCode::Char('F') => self.find(Way::Back)?,
            KeyCode::Char('/') => {
                let text = self.filter.clone();
                self.over = Over::Typing { before: text.clone(), text, wrong: None };
            }
            KeyCode::Char('s') => self.over = Over::Summary(ListState::default().with_selected(Some(0))),
            KeyCode::Char('t') => {
                self.over = Over::Threads(self.threads(), ListState::default().with_selected(Some(0)));
            }
            KeyCode::Enter => self.detailed = !self.detailed,
            KeyCode::Char('J') => self.scrolled = self.scrolled.saturating_add(1),
            KeyCode::Char('K') => self.scrolled = self.scrolled.saturating_sub(1),
            KeyCode::Esc if self.detailed => self.detailed = false,
            KeyCode::Esc if self.thread.is_some() || !self.filter.is_empty() => {
                self.thread = None;
                // What is on the screen is where one is, even if it is not what was looked for.
                if let Some(event) = self.listed.chosen() {
                    (self.here, self.wanted) = (Some((event.start, event.tid)), None);
                }
                self.filter("");
            }
            _ => {}
        }
        Ok(true)
    }

    /// What the summary rests on, and the failures and ends that the dump's header knows.
    fn known(&self) -> Vec<LastCall> {
        let dump = &self.recording.dump;
        let mut known: Vec<LastCall> = dump.summary.iter().flat_map(|summary| summary.events.clone()).collect();
        if let Some(words) = &dump.last_words {
            known.extend(words.ended.iter().map(|ended| LastCall {
                start: ended.time,
                tid: ended.pid,
                pid: ended.pid,
                comm: ended.comm.clone(),
                text: "ended".to_owned(),
            }));
            known.extend(words.failed.iter().chain(&words.in_flight).cloned());
        }
        let mut seen = std::collections::HashSet::new();
        known.retain(|event| seen.insert((event.start, event.tid)));
        known
    }

    /// Threads that the dump names, and those of the events that are there.
    fn threads(&self) -> Vec<(u32, String)> {
        let dump = &self.recording.dump;
        let mut threads: BTreeMap<u32, String> = BTreeMap::new();
        for thread in dump.processes.iter().chain(&dump.followed) {
            threads.insert(thread.tid, thread.comm.clone());
        }
        for ended in dump.last_words.iter().flat_map(|words| &words.ended) {
            threads.insert(ended.pid, ended.comm.clone());
        }
        for event in self.listed.events.iter().filter(|event| event.tid != 0) {
            threads.insert(event.tid, event.comm.to_string());
        }
        threads.into_iter().collect()
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let details = if self.detailed { Constraint::Percentage(50) } else { Constraint::Length(0) };
        let [head, list, below, foot] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(1), details, Constraint::Length(1)]).areas(area);
        frame.render_widget(Line::from(self.head()).reversed(), head);
        self.draw_list(frame, list);
        if self.detailed {
            let block = Block::bordered().title("details");
            let inside = block.inner(below);
            let text = self.detail();
            let rows = text.lines.iter().map(|line| line.width().max(1).div_ceil(usize::from(inside.width).max(1)));
            let hidden = u16::try_from(rows.sum::<usize>()).unwrap_or(u16::MAX).saturating_sub(inside.height);
            self.scrolled = self.scrolled.min(hidden);
            let block = if hidden > 0 { block.title_bottom("J K more") } else { block };
            let text = Paragraph::new(text).wrap(Wrap { trim: false }).scroll((self.scrolled, 0));
            frame.render_widget(text.block(block), below);
        }
        self.draw_foot(frame, foot);
        self.draw_over(frame, list);
    }

    fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect) {
        self.height = usize::from(area.height).max(1);
        let last = self.listed.events.len().saturating_sub(self.height);
        self.top = self.top.min(self.listed.at).max((self.listed.at + 1).saturating_sub(self.height)).min(last);
        let (offset, width) = (self.recording.dump.clock_offset, usize::from(area.width));
        let lines = self.listed.events.iter().enumerate().skip(self.top).take(self.height).map(|(n, event)| {
            let whose = self.names.get(usize::from(event.whose)).map(String::as_str);
            let text = plain(&render::line(event, whose, offset)).into_owned();
            let line = Line::from(text.chars().take(width).collect::<String>());
            let line = match &event.what {
                What::Call(call) if matches!(call.outcome, Outcome::Failed { .. }) => line.red(),
                What::Signal(_) | What::Exit(_) | What::Gap(_) => line.yellow(),
                _ => line,
            };
            if n == self.listed.at { line.reversed() } else { line }
        });
        let mut lines: Vec<Line<'_>> = lines.collect();
        if lines.is_empty() {
            let nothing = if self.is_waiting() { "looking ..." } else { "there is no such call" };
            lines.push(Line::from(nothing).dim());
        }
        frame.render_widget(Paragraph::new(lines), area);
    }

    fn head(&self) -> String {
        let dump = &self.recording.dump;
        let total = self.index.total();
        let is_last = !self.listed.goes_on(Way::On) && self.listed.at + 1 == self.listed.events.len();
        let here = self.listed.chosen().map_or(0, |event| self.index.before(event.start));
        let place = if is_last { 100 } else { (here * 100).checked_div(total).unwrap_or(0) };
        let mut head = format!("{}: {} | {total} calls, at {place}%", dump.names().join(" "), dump.cause);
        if !self.filter.is_empty() {
            head += &format!(" | {}", self.filter);
        }
        if let Some(tid) = self.thread {
            head += &format!(" | thread {tid}");
        }
        if let Some((way, _)) = self.waiting.iter().find(|(_, purpose)| *purpose == Purpose::List) {
            let read = self.index.before(self.listed.edge(*way)) * 100;
            head += &format!(" | reading at {}% ...", read.checked_div(total).unwrap_or(0));
        }
        plain(&head).into_owned()
    }

    fn draw_foot(&self, frame: &mut Frame<'_>, area: Rect) {
        let line = match (&self.over, &self.note) {
            (Over::Typing { text, wrong, .. }, _) => {
                let wrong = wrong.as_ref().map(|wrong| format!("   {wrong}")).unwrap_or_default();
                Line::from(plain(&format!("/{text}▏{wrong}")).into_owned()).bold()
            }
            (_, Some(note)) => Line::from(plain(note).into_owned()).bold(),
            _ => Line::from(KEYS).dim(),
        };
        frame.render_widget(line, area);
    }

    fn draw_over(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let (title, head, lines) = match &self.over {
            Over::Nothing | Over::Typing { .. } => return,
            Over::Summary(_) => {
                let summary = self.recording.dump.summary.as_ref().map_or("nothing is known", |summary| &summary.text);
                let line = |event: LastCall| format!("{}[{}] {}", event.comm, event.tid, event.text);
                (
                    "summary: Enter goes there",
                    summary.to_owned(),
                    self.known().into_iter().map(line).collect::<Vec<_>>(),
                )
            }
            Over::Threads(threads, _) => {
                let line = |(tid, comm): &(u32, String)| format!("{tid:>8} {comm}");
                let all = std::iter::once("     all".to_owned());
                ("threads: Enter chooses", String::new(), all.chain(threads.iter().map(line)).collect())
            }
        };
        let block = Block::bordered().title(title);
        let inner = block.inner(area);
        frame.render_widget(Clear, area);
        frame.render_widget(block, area);
        let width = usize::from(inner.width).max(1);
        let rows = if head.is_empty() { 0 } else { head.chars().count().div_ceil(width) + 2 };
        let rows = u16::try_from(rows).unwrap_or(u16::MAX).min(inner.height / 2);
        let [above, list] = Layout::vertical([Constraint::Length(rows), Constraint::Min(1)]).areas(inner);
        frame.render_widget(Paragraph::new(plain(&head).into_owned()).wrap(Wrap { trim: true }), above);
        let lines = lines.iter().map(|line| plain(line).into_owned());
        let lines = List::new(lines).highlight_style(Style::new().reversed());
        if let Over::Summary(state) | Over::Threads(_, state) = &mut self.over {
            frame.render_stateful_widget(lines, list, state);
        }
    }

    /// The chosen event with all that is known of it.
    fn detail(&self) -> Text<'static> {
        let Some(chosen) = self.listed.chosen() else { return Text::default() };
        let whole = self.details.as_ref().filter(|(of, _)| *of == (chosen.start, chosen.tid));
        let event = whole.and_then(|(_, event)| event.as_ref()).unwrap_or(chosen);
        let offset = self.recording.dump.clock_offset;
        let mut lines = vec![format!(
            "{}  {}[{}] of process {}",
            render::day_time(event.start, offset),
            event.comm,
            event.tid,
            event.pid
        )];
        match &event.what {
            What::Call(call) => lines.extend(call_lines(call)),
            _ => lines.push(render::line(event, None, offset)),
        }
        let lines: Vec<Line<'static>> = lines.iter().map(|line| Line::from(plain(line).into_owned())).collect();
        Text::from(lines)
    }
}

fn call_lines(call: &Call) -> Vec<String> {
    let mut lines = vec![format!("{} = {}", call.name(), call.outcome.text())];
    if !call.denied.is_empty() {
        lines.push(format!("without {}", call.denied.join(" or ")));
    }
    if let Some(duration) = call.duration {
        lines.push(format!("lasted {}.{:09} s", duration / 1_000_000_000, duration % 1_000_000_000));
    }
    lines.extend(call.args.iter().map(|arg| format!("  {} = {}", arg.name, call.text_of(arg))));
    if call.cut {
        lines.push("its record was full: some memory is missing".to_owned());
    }
    if let Some(stack) = &call.stack {
        lines.push("made at:".to_owned());
        lines.extend(stack.lines().into_iter().map(|line| format!("  > {line}")));
    }
    lines
}

fn move_in(state: &mut ListState, key: KeyCode) {
    match key {
        KeyCode::Down | KeyCode::Char('j') => state.select_next(),
        KeyCode::Up | KeyCode::Char('k') => state.select_previous(),
        KeyCode::PageDown => state.scroll_down_by(10),
        KeyCode::PageUp => state.scroll_up_by(10),
        KeyCode::Home | KeyCode::Char('g') => state.select_first(),
        KeyCode::End | KeyCode::Char('G') => state.select_last(),
        _ => {}
    }
}
