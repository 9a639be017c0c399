//! How many refused requests are recorded: anybody can make such requests, so only so many are in a minute.

use std::sync::Mutex;

use perennial_engine::clock::Stopwatch;

/// The most refusals of requests without a valid token that are recorded in a minute, and of those with one.
const RECORDED_PER_MINUTE: u32 = 60;

/// What may still be recorded in this minute.
#[derive(Debug, Default)]
pub(crate) struct RefusalBudget {
    /// Of requests without a valid token, and with one.
    spent: Mutex<[Option<(Stopwatch, u32)>; 2]>,
}

impl RefusalBudget {
    /// Whether one more may be recorded.
    pub(crate) fn take(&self, has_token: bool) -> bool {
        let mut spent = self.spent.lock().expect("no holder of the budget panics");
        let (since, count) = spent[usize::from(has_token)].get_or_insert_with(|| (Stopwatch::start(), 0));
        if since.seconds() >= 60.0 {
            (*since, *count) = (Stopwatch::start(), 0);
        }
        *count += 1;
        *count <= RECORDED_PER_MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_refusals_are_recorded_in_a_minute() {
        let budget = RefusalBudget::default();
        let taken = |has_token| (0..1_000).filter(|_| budget.take(has_token)).count();
        assert_eq!([taken(false), taken(false), taken(true)], [60, 0, 60]);
    }
}
