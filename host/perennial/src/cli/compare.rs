//! `perennial simulate --compare FILE` and `perennial plugin backtest --until T`: what one set of policies, or one revision of a plugin,
//! does differently from another, over the same year.
//!
//! Knows what is counted: renewals and money by account and month, and what lapses. Plays nothing itself.

use std::collections::BTreeMap;

use perennial_engine::policy_comparison::Difference;
use perennial_engine::policy_comparison::Outcome;
use perennial_formats::time_zone::TimeZone;
use serde_json::Value as Json;

use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::listing::Value;

/// What is compared with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sides {
    /// Two sets of policies, of which the first may be none at all.
    Policies {
        /// Whether there is a first one.
        has_first: bool,
    },
    /// The revisions of plugins that are bound, and another one.
    Revisions,
}

const OF_POLICIES: [Column; 7] = columns(("policies", "with --policies"), ("compare", "with --compare"));
const WITHOUT_POLICIES: [Column; 7] =
    columns(("policies", "without policies"), ("compare", "with --compare"));
const OF_REVISIONS: [Column; 7] = columns(("bound", "as bound"), ("new", "with the new one"));

impl Sides {
    const fn columns(self) -> &'static [Column; 7] {
        match self {
            Sides::Policies { has_first: true } => &OF_POLICIES,
            Sides::Policies { has_first: false } => &WITHOUT_POLICIES,
            Sides::Revisions => &OF_REVISIONS,
        }
    }
}

/// The columns, with a name and a heading for each side.
const fn columns(one: (&'static str, &'static str), other: (&'static str, &'static str)) -> [Column; 7] {
    [
        Column::new("what", "what"),
        Column::new("account", "account"),
        Column::new("month", "month"),
        Column::new("resource", "resource"),
        Column::number(one.0, one.1),
        Column::number(other.0, other.1),
        Column::new("currency", ""),
    ]
}

/// The rows in which the second outcome differs from the first; `currencies` are those of the accounts.
pub(super) fn listing(
    sides: Sides,
    first: &Outcome,
    second: &Outcome,
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
    for difference in first.differences(second) {
        match difference {
            Difference::Renewals { account, month, counts } => {
                add("renewals", &account, Some(month.as_str()), None, counts.map(Value::Count));
            }
            Difference::Paid { account, month, amounts } => {
                let currency = currencies.get(account.as_str()).map(|currency| (*currency).to_owned());
                let amounts = amounts.map(|amount| Value::Amount(amount, currency.clone()));
                add("paid", &account, Some(month.as_str()), None, amounts);
            }
            Difference::Lapsed { account, resource, at } => {
                add("lapsed", &account, None, Some(resource.as_str()), at.map(Value::from));
            }
        }
    }
    Listing { columns: sides.columns(), rows }
}

/// The differences that a running host found, without the currency where it is of no amount.
pub(super) fn of_host(answer: &Json) -> Vec<Json> {
    let mut found = answer["items"].as_array().cloned().unwrap_or_default();
    for item in found.iter_mut().filter(|item| item["what"] != "paid") {
        item["currency"] = Json::Null;
    }
    found
}
