//! Markdown to a man page: the few forms that systemd/man uses (headings, paragraphs, code, lists, definitions, tables).

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use roff::{Inline, Roff, bold, italic, roman};

use super::Topic;

/// The man page of a topic.
pub(in crate::cli) fn page(topic: &Topic) -> String {
    let (name, section) = topic.file.rsplit_once('.').unwrap_or((topic.file, "7"));
    let mut page = Page::default();
    page.roff.control("TH", [name, section]);
    page.roff.control("SH", ["NAME"]);
    page.roff.text([roman(format!("{name} - {}", topic.about()))]);
    let forms = Options::ENABLE_TABLES | Options::ENABLE_DEFINITION_LIST;
    // The title is in NAME.
    let body = topic.text.split_once('\n').map_or("", |(_, body)| body);
    Parser::new_ext(body, forms).for_each(|event| page.take(event));
    page.roff.render()
}

#[derive(Default)]
struct Page {
    roff: Roff,
    line: Vec<Inline>,
    look: Look,
    /// Cells of the table's row that are complete.
    cells: Vec<Vec<Inline>>,
    /// Inside an item or a definition, whose first paragraph follows its mark.
    marked: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Look {
    #[default]
    Plain,
    Strong,
    Emphasis,
    Code,
}

impl Page {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.look == Look::Code => {
                for line in text.lines() {
                    self.roff.text([roman(line)]);
                }
            }
            Event::Text(text) => self.line.push(match self.look {
                Look::Strong => bold(text.as_ref()),
                Look::Emphasis => italic(text.as_ref()),
                _ => roman(text.as_ref()),
            }),
            Event::Code(text) => self.line.push(bold(text.as_ref())),
            Event::SoftBreak | Event::HardBreak => self.line.push(roman(" ")),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => {
                for name in ["PP", "RS", "nf"] {
                    self.roff.control(name, []);
                }
                self.look = Look::Code;
            }
            Tag::Strong => self.look = Look::Strong,
            Tag::Emphasis => self.look = Look::Emphasis,
            Tag::Item => {
                self.roff.control("IP", ["\\(bu", "2"]);
                self.marked = true;
            }
            Tag::DefinitionListDefinition => self.marked = true,
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                let title = self.line.drain(..).map(|inline| match inline {
                    Inline::Roman(text) | Inline::Italic(text) | Inline::Bold(text) => text,
                    Inline::LineBreak => " ".to_owned(),
                });
                let title: String = title.collect();
                let name = if level <= HeadingLevel::H2 { "SH" } else { "SS" };
                self.roff.control(name, [title.to_uppercase().as_str()]);
            }
            TagEnd::Paragraph => {
                if !std::mem::take(&mut self.marked) {
                    self.roff.control("PP", []);
                }
                self.flush();
            }
            TagEnd::CodeBlock => {
                self.look = Look::Plain;
                self.roff.control("fi", []);
                self.roff.control("RE", []);
            }
            TagEnd::Strong | TagEnd::Emphasis => self.look = Look::Plain,
            TagEnd::Item | TagEnd::DefinitionListDefinition => {
                self.flush();
                self.marked = false;
            }
            TagEnd::DefinitionListTitle => {
                self.roff.control("TP", []);
                self.flush();
            }
            TagEnd::TableCell => self.cells.push(std::mem::take(&mut self.line)),
            // What a column holds is plain from its cells.
            TagEnd::TableHead => self.cells.clear(),
            TagEnd::TableRow => self.row(),
            _ => {}
        }
    }

    /// A row is a definition: its first cell is what is defined.
    fn row(&mut self) {
        let mut cells = std::mem::take(&mut self.cells).into_iter();
        self.roff.control("TP", []);
        self.line = cells.next().unwrap_or_default();
        self.flush();
        for (n, cell) in cells.enumerate() {
            if n > 0 {
                self.line.push(roman("; "));
            }
            self.line.extend(cell);
        }
        self.flush();
    }

    fn flush(&mut self) {
        if !self.line.is_empty() {
            self.roff.text(std::mem::take(&mut self.line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_its_macro() {
        let text = "# t(7): about\n\n## One\n\nA `word`, a\n**strong** one.\n\n```\n.code\n```\n\n- item\n\nterm\n: what it is\n\n\
                    | a | b |\n|---|---|\n| `x` | y |\n";
        let page = page(&Topic { name: "t", file: "t.7", text });
        for expected in [
            ".TH t 7",
            "t \\- about",
            ".SH ONE",
            "A \\fBword\\fR, a \\fBstrong\\fR one.",
            ".nf\n\\&.code\n.fi",
            ".IP \\(bu 2\nitem",
            ".TP\nterm\nwhat it is",
            ".TP\n\\fBx\\fR\ny",
        ] {
            assert!(page.contains(expected), "{expected:?} is not in\n{page}");
        }
    }
}
