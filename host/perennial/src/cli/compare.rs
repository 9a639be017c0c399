//! `perennial simulate --compare FILE`: what one set of policies does differently from another, over the same year.
//!
//! Knows what is counted: renewals and money by account and month, and what lapses. Plays nothing itself.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::time_zone::TimeZone;

use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::listing::Value;

const COLUMNS: [Column; 7] = columns("with --policies");
/// The same where there is nothing to compare with.
const COLUMNS_WITHOUT: [Column; 7] = columns("without policies");

const fn columns(policies: &'static str) -> [Column; 7] {
    [
        Column::new("what", "what"),
        Column::new("account", "account"),
        Column::new("month", "month"),
        Column::new("resource", "resource"),
        Column::number("policies", policies),
        Column::number("compare", "with --compare"),
        Column::new("currency", ""),
    ]
}

/// What came of a simulation, as far as it is compared.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Renewals, by account and month in UTC.
    renewals: BTreeMap<(String, String), usize>,
    /// What was paid, less what was refunded, by account and month in UTC.
    paid: BTreeMap<(String, String), Micros>,
    /// When a resource first was without a period that is paid for, by account and resource.
    lapsed: BTreeMap<(String, String), Timestamp>,
}

impl Outcome {
    /// Takes an event down.
    pub(super) fn record(&mut self, account: Option<&str>, event: &Event) {
        let Some(account) = account else { return };
        let month = || (account.to_owned(), event.at.to_string()[..7].to_owned());
        if let EventKind::RenewalSettled { .. } = event.what {
            *self.renewals.entry(month()).or_default() += 1;
        } else if let EventKind::BalanceChanged { amount, reason, .. } = event.what {
            let is_paid = match reason {
                Reason::Renewal
                | Reason::Purchase
                | Reason::Upgrade
                | Reason::Refund
                | Reason::Adjustment => true,
                Reason::Opening | Reason::TopUp => false,
            };
            if is_paid {
                *self.paid.entry(month()).or_default() += -amount;
            }
        } else if let EventKind::StageChanged {
            to: Stage::Grace | Stage::Retention | Stage::Released, ..
        } = event.what
        {
            let resource = event.resource.clone().unwrap_or_default();
            self.lapsed.entry((account.to_owned(), resource)).or_insert(event.at);
        }
    }
}

/// The rows in which `compare` differs from `policies`, which are none at all without `has_policies`; `currencies` are those
/// of the accounts.
pub(super) fn listing(
    has_policies: bool,
    policies: &Outcome,
    compare: &Outcome,
    currencies: &BTreeMap<&str, &str>,
) -> Listing<'static> {
    let mut rows = Vec::new();
    let mut add =
        |what: &str, account: &str, month: Option<&str>, resource: Option<&str>, values: [Value; 2]| {
            let [one, other] = values;
            let currency = currencies.get(account).copied().filter(|_| what == "paid");
            let cells = [
                Cell::new(what),
                Cell::new(account),
                Cell::new(month.map(str::to_owned)),
                Cell::new(resource.map(str::to_owned)),
                Cell::new(one),
                Cell::new(other),
                Cell::new(currency.map(str::to_owned)),
            ];
            rows.push(Row { zone: TimeZone::UTC, cells: cells.into() });
        };
    for ((account, month), (one, other)) in differences(&policies.renewals, &compare.renewals) {
        let count = |count: Option<usize>| Value::Count(count.unwrap_or_default());
        add("renewals", account, Some(month), None, [count(one), count(other)]);
    }
    for ((account, month), (one, other)) in differences(&policies.paid, &compare.paid) {
        let currency = currencies.get(account.as_str()).map(|currency| (*currency).to_owned());
        let amount = |paid: Option<Micros>| Value::Amount(paid.unwrap_or_default(), currency.clone());
        add("paid", account, Some(month), None, [amount(one), amount(other)]);
    }
    for ((account, resource), (one, other)) in differences(&policies.lapsed, &compare.lapsed) {
        add("lapsed", account, None, Some(resource), [Value::from(one), Value::from(other)]);
    }
    Listing { columns: if has_policies { &COLUMNS } else { &COLUMNS_WITHOUT }, rows }
}

/// What stands under a name.
type Name = (String, String);

/// The names whose values differ, with both.
fn differences<'a, V: Copy + PartialEq>(
    one: &'a BTreeMap<Name, V>,
    other: &'a BTreeMap<Name, V>,
) -> impl Iterator<Item = (&'a Name, (Option<V>, Option<V>))> {
    let names = one.keys().chain(other.keys()).collect::<BTreeSet<_>>();
    let pairs = names.into_iter().map(|name| (name, (one.get(name).copied(), other.get(name).copied())));
    pairs.filter(|(_, (one, other))| one != other)
}
