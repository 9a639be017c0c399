//! How many refused requests are recorded: anybody can make such requests, so only so many are in a minute.

use std::sync::Mutex;

use perennial_engine::clock::Stopwatch;

/// What may still be recorded in this minute.
#[derive(Debug)]
pub(crate) struct RefusalBudget {
    /// The most refusals of requests without a valid token that are recorded in a minute, and of those with one.
    per_minute_max: u32,
    /// Of requests without a valid token, and with one.
    spent: Mutex<[Option<(Stopwatch, u32)>; 2]>,
}

impl RefusalBudget {
    /// A budget of so many refusals a minute.
    pub(crate) fn new(per_minute_max: u32) -> RefusalBudget {
        RefusalBudget { per_minute_max, spent: Mutex::default() }
    }

    /// Whether one more may be recorded.
    pub(crate) fn take(&self, has_token: bool) -> bool {
        let mut spent = self.spent.lock().expect("no holder of the budget panics");
        let (since, count) = spent[usize::from(has_token)].get_or_insert_with(|| (Stopwatch::start(), 0));
        if since.seconds() >= 60.0 {
            (*since, *count) = (Stopwatch::start(), 0);
        }
        *count = count.saturating_add(1);
        *count <= self.per_minute_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_refusals_are_recorded_in_a_minute() {
        let budget = RefusalBudget::new(60);
        let taken = |has_token| (0..1_000).filter(|_| budget.take(has_token)).count();
        assert_eq!([taken(false), taken(false), taken(true)], [60, 0, 60]);
    }
}
