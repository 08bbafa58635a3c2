//! A call's stack in lines, as `strace -k` writes them: ` > FILE(FUNCTION+0x14) [0x1149e4]`.

use std::fmt::Write as _;

use crate::model::Stack;

/// The lines of strace: the program's frames.
pub(super) fn strace(text: &mut String, stack: &Stack) {
    for frame in &stack.frames {
        text.push_str(" > ");
        frame.push_to(text);
        text.push('\n');
    }
}

/// For people: the kernel's functions too, places in the source, and where nothing more is known.
pub(super) fn text(text: &mut String, stack: &Stack) {
    for line in stack.lines() {
        let _ = writeln!(text, "    > {line}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Frame, Symbol};

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
        assert_eq!(stack.lines()[0], "? /lib/libc.so.6(write+0x14) [0x1149e4] w.c:4");
        assert_eq!(Stack::default().lines(), ["(the program's stack could not be taken)"]);
        let kernel = Stack { kernel: vec!["do_nanosleep+0x6e/0x130".into()], ends: true, ..stack };
        assert_eq!(kernel.lines().first().unwrap(), "kernel: do_nanosleep+0x6e/0x130");
        assert_eq!(kernel.lines().last().unwrap(), "(no frame pointers beyond this)");
    }
}
