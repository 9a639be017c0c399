//! The forecast: what the months to come will cost if nobody does anything, and how much money that takes.
//!
//! It is a simulation over a copy with the same rules. There every account has more than it can spend, so that everything
//! that could be paid for is; what it really has is counted along here, and may go below nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use perennial_domain::account::Account;
use perennial_domain::event::EventKind;
use perennial_domain::event_payment::PeriodPayment;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;

use crate::error::EngineError;
use crate::parallel;
use crate::persist::RecordedEvent;
use crate::rules::Providers;
use crate::simulation::parts::Play;
use perennial_store::accounts::StoredAccount;
use perennial_store::change::AccountChange;
use perennial_store::change::Change;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::memory::MemoryStore;

/// More than any account can spend, and far from what an amount can hold.
pub(crate) const AMPLE_BALANCE: Micros = Micros::new(1_000_000_000_000_000_000);

/// What the months to come will cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The first instant.
    pub from: Timestamp,
    /// The last instant.
    pub until: Timestamp,
    /// Every account, by id.
    pub accounts: Vec<AccountForecast>,
}

/// What the months to come will cost an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountForecast {
    /// The id of the account.
    pub id: String,
    /// The id of its provider.
    pub provider: String,
    /// Whether the plugin of its provider is loaded. Where it is not, nobody knows what will be paid, and nothing is counted.
    pub has_plugin: bool,
    /// The currency of its amounts.
    pub currency: String,
    /// What it has at first.
    pub balance: Micros,
    /// When that is not enough any more; `None` when it lasts.
    pub shortfall: Option<Shortfall>,
    /// Every month, in order.
    pub months: Vec<Month>,
    /// What is left of the balance so far; below nothing when it runs short.
    balance_left: Micros,
}

/// When a balance runs short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// At the first payment that it is not enough for.
    pub at: Timestamp,
    /// What is missing for everything that is paid at that instant.
    pub amount: Micros,
    /// What is missing for everything until the end of the forecast.
    pub total: Micros,
}

/// A calendar month in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month {
    /// The month, such as `2026-01`.
    pub name: String,
    /// In the order of time.
    pub payments: Vec<Payment>,
    /// What they cost in all.
    pub cost: Micros,
    /// What is left at its end; below nothing when the balance ran short.
    pub balance_left: Micros,
}

/// Something that will be paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The instant of the payment.
    pub at: Timestamp,
    /// The id of the resource that is paid for.
    pub resource: String,
    /// Whether it is renewed; else it is a package that is bought.
    pub is_renewal: bool,
    /// The cost of the payment.
    pub cost: Micros,
    /// When the resource expires after it.
    pub expires_at: Timestamp,
}

/// The last instant of the `months`-th calendar month in UTC, counted from the one of `from`; at least 1.
pub fn horizon_end(from: Timestamp, months: u32) -> Timestamp {
    let (year, month) = year_and_month(from);
    let after = year * 12 + (month - 1) + months;
    let first = format!("{:04}-{:02}-01T00:00:00Z", after / 12, after % 12 + 1).parse::<Timestamp>();
    first.map_or(Timestamp::MAX, |first| first - 1)
}

fn year_and_month(at: Timestamp) -> (u32, u32) {
    let text = at.to_string();
    let number = |range: std::ops::Range<usize>| {
        text[range].parse().expect("an instant begins with its year and month")
    };
    (number(0..4), number(5..7))
}

/// Plays on from what is in `copy` between `from` and the end of the `months`-th month, until `stop` is set: what is
/// known then is of no use.
///
/// # Errors
///
/// [`EngineError`] when the copy fails.
pub fn forecast(
    mut copy: MemoryStore,
    providers: Providers,
    from: Timestamp,
    months: u32,
    stop: Arc<AtomicBool>,
) -> Result<Forecast, EngineError> {
    let until = horizon_end(from, months);
    let mut found = BTreeMap::new();
    let stored = accounts(&copy)?;
    provide_ample_money(&mut copy)?;
    for StoredAccount { account, .. } in stored {
        let has_plugin = providers.contains_key(&account.provider);
        let account = AccountForecast::new(account, has_plugin, from, months);
        found.insert(account.id.clone(), account);
    }
    let cores = parallel::cores();
    let play = Play { providers: &providers, scenario: &[], from, until, cores, grants_approvals: false };
    play.run(copy, &stop, &mut |recorded| {
        let account = recorded.account.as_deref().and_then(|id| found.get_mut(id));
        if let Some(account) = account {
            account.record(from, recorded);
        }
    })?;
    let mut accounts = found.into_values().collect::<Vec<_>>();
    accounts.iter_mut().for_each(AccountForecast::finish);
    Ok(Forecast { from, until, accounts })
}

/// The accounts of a copy, as they were stored.
///
/// # Errors
///
/// [`EngineError`] when the copy cannot be read.
pub fn accounts(copy: &MemoryStore) -> Result<Vec<StoredAccount>, EngineError> {
    Ok(copy.reads().accounts()?)
}

/// Has every account of a copy kept here, with more money than is ever paid: what comes of it is what would be paid.
///
/// # Errors
///
/// [`EngineError`] when the copy fails.
pub fn provide_ample_money(copy: &mut MemoryStore) -> Result<(), EngineError> {
    copy.manage_accounts();
    let stored = accounts(copy)?;
    copy.commit(stored.iter().map(|stored| {
        let ample = Balance::new(AMPLE_BALANCE, stored.account.balance.held());
        Change::Account(stored.row, AccountChange::Balance(ample))
    }))?;
    Ok(())
}

impl AccountForecast {
    fn new(account: Account, has_plugin: bool, from: Timestamp, months: u32) -> AccountForecast {
        let balance = account.balance.available();
        let month = |number| Month {
            name: horizon_end(from, number).to_string()[..7].to_owned(),
            payments: Vec::new(),
            cost: Micros::ZERO,
            balance_left: Micros::ZERO,
        };
        let months = (1..=months).map(month).collect();
        let Account { id, provider, currency, .. } = account;
        AccountForecast {
            id,
            provider,
            has_plugin,
            currency,
            balance,
            shortfall: None,
            months,
            balance_left: balance,
        }
    }

    fn record(&mut self, from: Timestamp, recorded: RecordedEvent) {
        // What is overdue is paid for at once.
        let at = recorded.event.at.max(from);
        if let EventKind::BalanceChanged { amount, .. } = recorded.event.what {
            return self.add_change(at, amount);
        }
        let Some(PeriodPayment { cost, expires_at, is_renewal }) = recorded.event.what.payment() else {
            return;
        };
        let resource = recorded.event.resource.unwrap_or_default();
        let month = self.month(at);
        month.cost += cost;
        month.payments.push(Payment { at, resource, is_renewal, cost, expires_at });
    }

    fn add_change(&mut self, at: Timestamp, amount: Micros) {
        self.balance_left += amount;
        let missing = -self.balance_left;
        if missing > Micros::ZERO {
            let shortfall = self.shortfall.get_or_insert(Shortfall { at, amount: missing, total: missing });
            if shortfall.at == at {
                shortfall.amount = shortfall.amount.max(missing);
            }
            shortfall.total = shortfall.total.max(missing);
        }
        // The sum of a month's changes, until the months are closed.
        self.month(at).balance_left += amount;
    }

    fn month(&mut self, at: Timestamp) -> &mut Month {
        let name = at.to_string();
        let found = self.months.iter().position(|month| month.name == name[..7]);
        let index = found.expect("a forecast has every month from its first instant to its last");
        &mut self.months[index]
    }

    /// Makes each month's sum of changes what is left at its end.
    fn finish(&mut self) {
        let mut left = self.balance;
        for month in &mut self.months {
            left += month.balance_left;
            month.balance_left = left;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end_with_the_last_second_of_calendar_months() {
        for (from, months, last) in [
            ("2026-01-01T00:00:00Z", 1, "2026-01-31T23:59:59Z"),
            ("2026-01-31T23:59:59Z", 2, "2026-02-28T23:59:59Z"),
            ("2026-12-15T08:00:00Z", 1, "2026-12-31T23:59:59Z"),
            ("2026-12-15T08:00:00Z", 2, "2027-01-31T23:59:59Z"),
            ("2026-02-10T00:00:00Z", 36, "2029-01-31T23:59:59Z"),
            ("9999-12-01T00:00:00Z", 3, "9999-12-31T23:59:59Z"),
        ] {
            let found = horizon_end(from.parse().expect("an instant"), months);
            assert_eq!(found.to_string(), last, "{months} months from {from}");
        }
    }
}
