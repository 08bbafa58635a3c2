//! A call's stack in lines, as `strace -k` writes them: ` > FILE(FUNCTION+0x14) [0x1149e4]`.

use std::fmt::Write as _;

use crate::model::{Frame, Stack};

/// The lines of strace: the program's frames.
pub(super) fn strace(text: &mut String, stack: &Stack) {
    for frame in &stack.frames {
        text.push_str(" > ");
        place(text, frame);
        text.push('\n');
    }
}

/// For people: the kernel's functions too, places in the source, and where nothing more is known. A frame that no
/// frame pointer tells is marked as the kernel marks its own: `?`.
pub(super) fn text(text: &mut String, stack: &Stack) {
    for line in lines(stack) {
        let _ = writeln!(text, "    > {line}");
    }
}

/// The same as lines without their beginning.
pub(super) fn lines(stack: &Stack) -> Vec<String> {
    let mut lines: Vec<String> = stack.kernel.iter().map(|function| format!("kernel: {function}")).collect();
    for frame in &stack.frames {
        let mut line = String::from(if frame.likely { "? " } else { "" });
        place(&mut line, frame);
        if let Some(source) = frame.symbol.as_ref().and_then(|symbol| symbol.source.as_ref()) {
            let _ = write!(line, " {source}");
        }
        lines.push(line);
    }
    let end = if stack.frames.is_empty() {
        Some("(the program's stack could not be taken)")
    } else if stack.cut {
        Some("(there are more frames than are kept)")
    } else if stack.ends {
        Some("(no frame pointers beyond this)")
    } else {
        None
    };
    lines.extend(end.map(str::to_owned));
    lines
}

fn place(text: &mut String, frame: &Frame) {
    let Frame { module, at, file, symbol, .. } = frame;
    let _ = match (module, file, symbol) {
        (None, ..) => write!(text, "[{at:#x}]"),
        (_, Some(file), Some(symbol)) => write!(text, "{file}({}+{:#x}) [{at:#x}]", symbol.name, symbol.offset),
        (_, Some(file), None) => write!(text, "{file}() [{at:#x}]"),
        (Some(number), None, _) => write!(text, "file {number}() [{at:#x}]"),
    };
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Symbol;

    #[test]
    fn frames_of_each_kind() {
        let frame = |module, at| Frame { module, at, likely: false, file: None, symbol: None };
        let symbol = Symbol { name: "write".into(), offset: 0x14, source: Some("w.c:4".into()) };
        let known = Frame { file: Some("/lib/libc.so.6".into()), ..frame(Some(1), 0x1149e4) };
        let named = Frame { symbol: Some(Arc::new(symbol)), likely: true, ..known.clone() };
        let stack = Stack { frames: vec![named, known, frame(None, 0x7fff), frame(Some(2), 0x10)], ..Stack::default() };
        let mut text = String::new();
        strace(&mut text, &stack);
        let expected = " > /lib/libc.so.6(write+0x14) [0x1149e4]\n > /lib/libc.so.6() [0x1149e4]\n > [0x7fff]\n > file 2() [0x10]\n";
        assert_eq!(text, expected);
        assert_eq!(lines(&stack)[0], "? /lib/libc.so.6(write+0x14) [0x1149e4] w.c:4");
        assert_eq!(lines(&Stack::default()), ["(the program's stack could not be taken)"]);
        let kernel = Stack { kernel: vec!["do_nanosleep+0x6e/0x130".into()], ends: true, ..stack };
        assert_eq!(lines(&kernel).first().unwrap(), "kernel: do_nanosleep+0x6e/0x130");
        assert_eq!(lines(&kernel).last().unwrap(), "(no frame pointers beyond this)");
    }
}
