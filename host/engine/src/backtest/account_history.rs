//! What an account had when a plan of the past met the money, from its ledger.
//!
//! Plans of one second met it one after the other, in the order in which they are kept: a plan that was paid had what was
//! there before its own first entry, and one that was not had what the plan before it left.

use perennial_domain::bundle::Bundle;
use perennial_domain::ledger::Balance;
use perennial_domain::policy::figures;
use perennial_domain::policy::figures::Figures;
use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use perennial_store::accounts::StoredAccount;
use perennial_store::error::StoreError;
use perennial_store::ledger;

/// An account with what it had when.
pub(super) struct AccountHistory {
    /// The account as it is now.
    pub(super) account: StoredAccount,
    /// What moved its balance, oldest first.
    moves: Vec<Move>,
    /// How many of them the plans so far had seen.
    passed: usize,
}

/// An entry of the ledger.
struct Move {
    at: Timestamp,
    resource: Option<String>,
    /// What was available and spent in all behind it.
    sum: Figures,
}

impl AccountHistory {
    /// Reads an account's ledger.
    pub(super) fn read(db: &ReadTx, account: StoredAccount) -> Result<AccountHistory, StoreError> {
        let mut entries = ledger::list(db, account.row)?;
        entries.sort_by_key(|entry| entry.at);
        let mut sum = Figures::default();
        let moves = entries.into_iter().map(|entry| {
            sum.balance += Balance::of_entries([&entry]).available();
            sum.spent += figures::spending(&entry);
            Move { at: entry.at, resource: entry.resource, sum }
        });
        Ok(AccountHistory { moves: moves.collect(), account, passed: 0 })
    }

    /// What it had when the next plan met the money, at `at` on `bundle`, and what it had spent by then in the month that
    /// began at `month_start`. Plans come in the order in which they are kept.
    pub(super) fn next(&mut self, at: Timestamp, bundle: &Bundle, month_start: Timestamp) -> Figures {
        let first = self.count_before(at);
        let of_second = self.moves[first..].iter().take_while(|one| one.at == at);
        let is_own = |one: &Move| {
            one.resource
                .as_ref()
                .is_some_and(|resource| bundle.members.iter().any(|member| member.id == *resource))
        };
        let own =
            of_second.clone().enumerate().filter(|(_, one)| is_own(one)).map(|(place, _)| first + place);
        let end = first + of_second.count();
        let (from, to) = match own.collect::<Vec<_>>()[..] {
            [one, .., last] => (one, last + 1),
            [one] => (one, one + 1),
            [] => {
                let passed = self.passed.clamp(first, end);
                (passed, passed)
            }
        };
        self.passed = to;
        let Figures { balance, spent } = self.sum_of(from);
        Figures { balance, spent: spent - self.sum_of(self.count_before(month_start)).spent }
    }

    fn count_before(&self, at: Timestamp) -> usize {
        self.moves.partition_point(|one| one.at < at)
    }

    /// What the first `count` moves come to.
    fn sum_of(&self, count: usize) -> Figures {
        let last = count.checked_sub(1).and_then(|last| self.moves.get(last));
        last.map_or(Figures::default(), |last| last.sum)
    }
}
