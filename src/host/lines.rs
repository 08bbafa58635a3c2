//! Functions for the places of stacks. The files that they are looked up in may be on a server that does not answer, or
//! larger than there is time for: what is not known by then keeps its file and offset.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    asking::Asking,
    look::How,
    message::{Ask, Seen},
};
use crate::model::{Module, Stack, plain};

/// The lines of each stack, of a process that lives here; none where there is no stack. Waits for seconds at most: not for
/// the task.
pub fn stack_lines(modules: &[Module], stacks: &[(u32, Option<Stack>)]) -> Vec<Vec<String>> {
    let mut lines: Vec<Vec<String>> = vec![Vec::new(); stacks.len()];
    let mut of: BTreeMap<u32, Vec<(usize, &Stack)>> = BTreeMap::new();
    for (place, (pid, stack)) in stacks.iter().enumerate() {
        if let Some(stack) = stack {
            of.entry(*pid).or_default().push((place, stack));
        }
    }
    let mut asking = Asking::new(How::default());
    for (pid, own) in of {
        let numbers: BTreeSet<u16> =
            own.iter().flat_map(|(_, stack)| &stack.frames).filter_map(|frame| frame.module).collect();
        let modules: Vec<Module> = modules.iter().filter(|module| numbers.contains(&module.number)).cloned().collect();
        let taken = own.iter().map(|(_, stack)| (*stack).clone()).collect();
        match asking.ask(&Ask::Lines { pid, modules: modules.clone(), stacks: taken }, Some(pid)) {
            Some(Seen::Lines(named)) => own.iter().zip(named).for_each(|((place, _), named)| lines[*place] = named),
            _ => own.iter().for_each(|(place, stack)| lines[*place] = unnamed(&modules, stack)),
        }
    }
    asking.end();
    lines
}

/// With the names of files only.
fn unnamed(modules: &[Module], stack: &Stack) -> Vec<String> {
    let mut stack = stack.clone();
    for frame in &mut stack.frames {
        let module = modules.iter().find(|module| Some(module.number) == frame.module && !module.path.is_empty());
        frame.file = module.map(|module| (&*plain(&module.path)).into());
    }
    stack.lines()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Frame;

    #[test]
    fn what_nobody_could_look_up_has_its_file() {
        let frame = |module| Frame { module, at: 0x10, likely: false, file: None, symbol: None };
        let stack = Stack { frames: vec![frame(Some(3)), frame(Some(4)), frame(None)], ..Stack::default() };
        let module = Module { number: 3, build_id: None, path: "/bin/a\u{1b}".into() };
        assert_eq!(unnamed(&[module], &stack), ["/bin/a\\u{1b}() [0x10]", "file 4() [0x10]", "[0x10]"]);
    }
}
