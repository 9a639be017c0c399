//! How many items a script looked at, and when that is too much. Knows no values.

use std::cell::Cell;

use crate::limits::ITEMS_PER_OPERATION;
use crate::limits::OPERATIONS_MAX;

/// The items that a script looked at in one ruling.
#[derive(Debug, Default)]
pub struct Work {
    items: Cell<u64>,
    /// What each operation may look at beside variables: the longest literal of the script.
    items_per_step: Cell<u64>,
}

impl Work {
    /// A ruling by a script whose longest literal has so many items begins.
    pub(crate) fn begin(&self, longest_literal: u64) {
        self.items.set(0);
        self.items_per_step.set(longest_literal);
    }

    /// The script looks at so many items.
    pub(crate) fn add_items(&self, items: usize) {
        let items = u64::try_from(items).unwrap_or(u64::MAX);
        self.items.set(self.items.get().saturating_add(items));
    }

    /// Whether a script that took so many steps has done more than it may.
    pub(crate) fn is_too_much(&self, steps: u64) -> bool {
        let in_steps = steps.saturating_mul(self.items_per_step.get());
        let items = self.items.get().saturating_add(in_steps);
        steps.saturating_add(items / ITEMS_PER_OPERATION) > OPERATIONS_MAX
    }
}
