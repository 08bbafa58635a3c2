//! Values that know what of them has changed since it was last written down.

use std::{
    collections::{VecDeque, vec_deque},
    ops::{Deref, DerefMut},
};

use serde::{Deserialize, Serialize};

/// A queue. What leaves it is held until that is written down.
#[derive(Debug)]
pub(super) struct Queue<T> {
    items: VecDeque<T>,
    gone: Vec<T>,
    /// How many have left at the front since it was written down.
    left: usize,
    /// How many at the back were not there then.
    new: usize,
}

/// How a queue has changed: some have left at the front, and others have come behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Edit<T> {
    pub(super) front: usize,
    pub(super) new: Vec<T>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), gone: Vec::new(), left: 0, new: 0 }
    }
}

impl<T: Clone> Queue<T> {
    pub(super) fn front(&self) -> Option<&T> {
        self.items.front()
    }

    pub(super) fn back(&self) -> Option<&T> {
        self.items.back()
    }

    pub(super) fn iter(&self) -> vec_deque::Iter<'_, T> {
        self.items.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn push(&mut self, item: T) {
        self.items.push_back(item);
        self.new += 1;
    }

    pub(super) fn pop_front(&mut self) -> Option<T> {
        let item = self.items.pop_front()?;
        if self.items.len() < self.new {
            self.new -= 1;
        } else {
            self.left += 1;
            self.gone.push(item.clone());
        }
        Some(item)
    }

    /// What has changed.
    pub(super) fn edit(&self) -> Edit<T> {
        let new = self.items.range(self.items.len() - self.new..).cloned().collect();
        Edit { front: self.left, new }
    }

    /// All of it, for whom knows of nothing.
    pub(super) fn all(&self) -> Edit<T> {
        Edit { front: 0, new: self.items.iter().cloned().collect() }
    }

    pub(super) fn has_changed(&self) -> bool {
        self.left + self.new > 0
    }

    /// It is written down.
    pub(super) fn settle(&mut self) {
        (self.left, self.new) = (0, 0);
        self.gone.clear();
    }
}

impl<T> FromIterator<T> for Queue<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let items: VecDeque<T> = items.into_iter().collect();
        Self { new: items.len(), items, ..Self::default() }
    }
}

impl<T> Edit<T> {
    /// Changes in a queue what has changed in another one that was like it; false: it cannot have been.
    pub(super) fn apply(self, queue: &mut VecDeque<T>) -> bool {
        if self.front > queue.len() {
            return false;
        }
        queue.drain(..self.front);
        queue.extend(self.new);
        true
    }

    /// The same of other items; `None`: one of them has no other.
    pub(super) fn map<U>(self, other: impl Fn(T) -> Option<U>) -> Option<Edit<U>> {
        let new = self.new.into_iter().map(other).collect::<Option<_>>()?;
        Some(Edit { front: self.front, new })
    }
}

/// Something small that is written down as a whole.
#[derive(Debug, Default)]
pub(super) struct Noted<T> {
    value: T,
    changed: bool,
}

impl<T: Clone> Noted<T> {
    pub(super) fn new(value: T) -> Self {
        Self { value, changed: true }
    }

    /// It, if it has changed, or if all is asked for.
    pub(super) fn news(&self, all: bool) -> Option<T> {
        (all || self.changed).then(|| self.value.clone())
    }

    pub(super) fn has_changed(&self) -> bool {
        self.changed
    }

    pub(super) fn settle(&mut self) {
        self.changed = false;
    }
}

impl<T> Deref for Noted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Noted<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.changed = true;
        &mut self.value
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_down_is_what_is_there(steps in prop::collection::vec(0_u8..4, 0..200)) {
            let (mut queue, mut written) = (Queue::default(), VecDeque::new());
            for (n, step) in steps.into_iter().enumerate() {
                match step {
                    0 | 1 => queue.push(n),
                    2 => drop(queue.pop_front()),
                    _ => {
                        prop_assert!(queue.edit().apply(&mut written));
                        queue.settle();
                        prop_assert!(written.iter().eq(queue.iter()));
                    }
                }
            }
            prop_assert!(queue.edit().apply(&mut written));
            prop_assert!(written.iter().eq(queue.iter()));
            let mut anew = VecDeque::new();
            prop_assert!(queue.all().apply(&mut anew) && anew == written);
        }
    }

    #[test]
    fn what_leaves_is_held_until_that_is_written_down() {
        let item = std::sync::Arc::new(());
        let mut queue: Queue<_> = [item.clone()].into_iter().collect();
        queue.settle();
        drop(queue.pop_front());
        assert_eq!(std::sync::Arc::strong_count(&item), 2);
        queue.settle();
        assert_eq!(std::sync::Arc::strong_count(&item), 1);
    }
}
