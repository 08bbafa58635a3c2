//! Strings that are written once and named by a number afterwards. Memory for them is bounded.

use std::collections::HashMap;

use super::messages::{DebugAnnotation, Interned, InternedData};

/// Arguments' texts that are remembered; more, and longer ones, are written out each time.
const TEXTS: usize = 1 << 16;
const LONGEST: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Strings {
    categories: List,
    names: List,
    keys: List,
    texts: List,
    /// What the next packet has to tell.
    new: InternedData,
}

#[derive(Debug, Default)]
struct List(HashMap<String, u64>);

impl List {
    fn number(&mut self, text: &str, new: &mut Vec<Interned>) -> u64 {
        if let Some(number) = self.0.get(text) {
            return *number;
        }
        let number = self.0.len() as u64 + 1;
        self.0.insert(text.to_owned(), number);
        new.push(Interned { iid: Some(number), text: Some(text.to_owned()) });
        number
    }
}

impl Strings {
    pub(super) fn category(&mut self, text: &str) -> u64 {
        self.categories.number(text, &mut self.new.event_categories)
    }

    pub(super) fn name(&mut self, text: &str) -> u64 {
        self.names.number(text, &mut self.new.event_names)
    }

    pub(super) fn text(&mut self, key: &str, text: &str) -> DebugAnnotation {
        let name_iid = Some(self.keys.number(key, &mut self.new.debug_annotation_names));
        let remembered = text.len() <= LONGEST && (self.texts.0.len() < TEXTS || self.texts.0.contains_key(text));
        if remembered {
            let number = self.texts.number(text, &mut self.new.debug_annotation_string_values);
            return DebugAnnotation { name_iid, string_value_iid: Some(number), ..DebugAnnotation::default() };
        }
        DebugAnnotation { name_iid, string_value: Some(text.to_owned()), ..DebugAnnotation::default() }
    }

    pub(super) fn number(&mut self, key: &str, value: i64) -> DebugAnnotation {
        let name_iid = Some(self.keys.number(key, &mut self.new.debug_annotation_names));
        DebugAnnotation { name_iid, int_value: Some(value), ..DebugAnnotation::default() }
    }

    /// What was not told yet.
    pub(super) fn untold(&mut self) -> Option<InternedData> {
        let new = std::mem::take(&mut self.new);
        (new != InternedData::default()).then_some(new)
    }
}
