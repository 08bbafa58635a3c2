//! Pages in prose: what is about more than one verb. Their one source is systemd/man/*.md; `traceloop help TOPIC` prints
//! it, and `page` makes man pages of it for packages.

mod page;

pub(super) use page::page;

/// A page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Topic {
    /// What `traceloop help` calls it.
    pub(super) name: &'static str,
    /// The man page's file: name and section.
    pub(super) file: &'static str,
    /// Markdown.
    pub(super) text: &'static str,
}

/// `topics!("name" => "file.section")`: the text is systemd/man/file.section.md, and what is named behind it.
macro_rules! topics {
    ($($name:literal => $file:literal $(, $more:expr)?)*) => {
        &[$(Topic {
            name: $name,
            file: $file,
            text: concat!(
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/systemd/man/", $file, ".md"))
                $(, $more)?
            ),
        }),*]
    };
}

/// The example configuration is what says most about each setting.
macro_rules! the_example {
    ($file:literal) => {
        concat!("\n```\n", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/systemd/", $file)), "```\n")
    };
}

/// All pages.
pub(super) const TOPICS: &[Topic] = topics! {
    "reading" => "traceloop-reading.7"
    "targets" => "traceloop-targets.7"
    "security" => "traceloop-security.7"
    "daemon" => "traceloop-daemon.7"
    "views" => "traceloop-views.7"
    "kernels" => "traceloop-kernels.7"
    "stacks" => "traceloop-stacks.7"
    "uring" => "traceloop-uring.7"
    "configuration" => "traceloop.toml.5", the_example!("traceloop.toml")
    "ship" => "traceloop-ship.7", the_example!("ship.toml")
};

impl Topic {
    /// The page of that name, with or without `traceloop-` before it and a section behind it.
    pub(super) fn of(name: &str) -> Option<&'static Self> {
        TOPICS.iter().find(|topic| {
            let page = topic.file.rsplit_once('.').map_or(topic.file, |(page, _)| page);
            [topic.name, topic.file, page].contains(&name)
        })
    }

    /// Its first line without the name: what it is about.
    pub(super) fn about(&self) -> &'static str {
        let title = self.text.lines().next().unwrap_or_default();
        title.split_once(": ").map_or(title, |(_, about)| about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_begins_with_its_name_and_what_it_is_about() {
        for topic in TOPICS {
            let (page, section) = topic.file.rsplit_once('.').unwrap();
            let title = format!("# {page}({section}): ");
            assert!(topic.text.starts_with(&title), "{}", topic.file);
            assert!(!topic.about().is_empty());
            for name in [topic.name, topic.file, page] {
                assert_eq!(Topic::of(name).map(|found| found.file), Some(topic.file));
            }
        }
    }

    #[test]
    fn each_page_that_another_one_names_is_there() {
        let reference = regex_lite::Regex::new(r"(traceloop[a-z._-]*)\(([1-8])\)").unwrap();
        for found in TOPICS.iter().flat_map(|topic| reference.captures_iter(topic.text)) {
            let (page, section) = (&found[1], &found[2]);
            let known = section == "1" || Topic::of(&format!("{page}.{section}")).is_some();
            assert!(known, "{page}({section}) is named and not there");
        }
    }
}
