//! What is typed as a filter: options as `show` takes them, strace's words, or a condition; and how calls have to be
//! decoded for it.

use clap::Parser;

use super::{super::selecting::Selecting, ALL};
use crate::{
    decode::Style,
    select::{Condition, Selection},
    syscall::Filter,
};

/// Options that stand alone.
#[derive(Parser)]
#[command(name = "filter", disable_help_flag = true)]
struct Line {
    #[command(flatten)]
    selecting: Selecting,
}

/// Which calls, and how they are written.
pub(super) type Choice = (Selection, Style);

/// The choice, on top of one that holds anyway; or what is wrong with it, in a line.
pub(super) fn choice(text: &str, (base, style): &Choice) -> Result<Choice, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok((base.clone(), style.clone()));
    }
    if text.starts_with('-') {
        let words = words(text).ok_or("a quote is not closed")?;
        let line = Line::try_parse_from(std::iter::once("filter".to_owned()).chain(words));
        let line = line.map_err(|error| first_line(&error.to_string()))?;
        let selection = line.selecting.selection();
        if selection.last.is_some() {
            return Err(ALL.to_owned());
        }
        return Ok((base.and(selection), line.selecting.style(style.clone())));
    }
    // A set of calls is no condition, and a condition no set.
    if let Ok(calls) = Filter::parse(text.strip_prefix("trace=").unwrap_or(text)) {
        return Ok((base.and(Selection { calls, ..Selection::default() }), style.clone()));
    }
    let condition = Condition::parse(text).map_err(|error| first_line(&format!("{error:#}")))?;
    let selection = base.and(Selection { conditions: vec![condition], ..Selection::default() });
    let (paths, fds) = (style.paths || selection.by_path(), style.fds || selection.by_fd());
    Ok((selection, Style { paths, fds, ..style.clone() }))
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Words as a shell would split them, with quotes; `None`: one of them is not closed.
fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for char in text.chars() {
        match (quote, char) {
            (Some(open), char) if open == char => quote = None,
            (Some(_), char) => word.get_or_insert_default().push(char),
            (None, '\'' | '"') => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, char) => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::Abi;

    #[test]
    fn options_words_and_conditions() {
        let base = Choice::default();
        let decoded = |text: &str| choice(text, &base).map(|(_, style)| (style.paths, style.fds)).unwrap();
        assert_eq!(decoded("path == \"/etc\""), (true, false));
        assert_eq!(decoded("-P /etc --fd 3"), (true, true));
        assert_eq!(decoded("openat"), (false, false));
        let typed = |text: &str| choice(text, &base).map(|(selection, _)| selection);
        assert!(!typed("openat,%network").unwrap().calls.wants(Abi::X86_64, 0));
        assert!(typed("!openat").unwrap().calls.wants(Abi::X86_64, 0));
        assert_eq!(typed("pid == 7 && path.startsWith(\"/etc\")").unwrap().conditions.len(), 1);
        let options = typed("-Z --tid 7,8 --where 'comm == \"a b\"'").unwrap();
        assert_eq!((&options.threads[..], options.conditions.len()), (&[7, 8][..], 1));
        for (wrong, said) in [
            ("comand == 1", "no field"),
            ("--nonsense", "--nonsense"),
            ("-P 'x", "not closed"),
            ("opena", "opena"),
            ("-n 3", "-n"),
        ] {
            let error = typed(wrong).unwrap_err();
            assert!(error.contains(said) && !error.contains('\n'), "{error}");
        }
        assert!(typed("  ").unwrap().threads.is_empty());
    }
}
