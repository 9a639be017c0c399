//! `perennial simulate --compare FILE`, `perennial policy compare` and `perennial plugin backtest --until T`: what one set of policies, or one revision of a plugin,
//! does differently from another, over the same year.
//!
//! Knows what is counted: renewals and money by account and month, and what lapses. Plays nothing itself.

use std::collections::BTreeMap;

use perennial_engine::policy_comparison::Difference;
use perennial_engine::policy_comparison::Outcome;
use perennial_formats::time_zone::TimeZone;
use serde_json::Value as Json;

use crate::cli::items;
use crate::cli::items::ItemZones;
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
    /// The policies of a running host, and those of a file.
    Installed,
    /// The revisions of plugins that are bound, and another one.
    Revisions,
}

const OF_POLICIES: [Column; 7] = columns(("policies", "with --policies"), ("compare", "with --compare"));
const WITHOUT_POLICIES: [Column; 7] =
    columns(("policies", "without policies"), ("compare", "with --compare"));
const OF_INSTALLED: [Column; 7] = columns(("current", "as it is"), ("compared", "with the file"));
const OF_REVISIONS: [Column; 7] = columns(("bound", "as bound"), ("new", "with the new one"));

impl Sides {
    const fn columns(self) -> &'static [Column; 7] {
        match self {
            Sides::Policies { has_first: true } => &OF_POLICIES,
            Sides::Policies { has_first: false } => &WITHOUT_POLICIES,
            Sides::Installed => &OF_INSTALLED,
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
    let text = |text: &str| Value::Text(text.to_owned());
    for difference in first.differences(second) {
        rows.push(match difference {
            Difference::Renewals { account, month, counts } => row(
                ["renewals", &account, &month],
                Value::None,
                counts.map(Value::Count),
                None,
                TimeZone::UTC,
            ),
            Difference::Paid { account, month, amounts } => {
                let currency = currencies.get(account.as_str()).copied();
                let amounts = amounts.map(|amount| Value::Amount(amount, currency.map(str::to_owned)));
                row(["paid", &account, &month], Value::None, amounts, currency, TimeZone::UTC)
            }
            Difference::Lapsed { account, resource, at } => {
                row(["lapsed", &account, ""], text(&resource), at.map(Value::from), None, TimeZone::UTC)
            }
        });
    }
    Listing { columns: sides.columns(), rows }
}

/// One row: what differs, of which account and in which month; an empty month is none.
fn row(
    [what, account, month]: [&str; 3],
    resource: Value,
    [one, other]: [Value; 2],
    currency: Option<&str>,
    zone: TimeZone,
) -> Row {
    let month = Some(month).filter(|month| !month.is_empty());
    let cells = [
        Cell::new(what),
        Cell::new(account),
        Cell::new(month.map(str::to_owned)),
        Cell::new(resource),
        Cell::new(one),
        Cell::new(other),
        Cell::new(currency.map(str::to_owned)),
    ];
    Row { zone, cells: cells.into() }
}

/// The rows that a running host found, as [`listing`] shows them.
pub(super) fn of_host(sides: Sides, answer: &Json, zones: &ItemZones) -> Listing<'static> {
    let items = answer["items"].as_array().into_iter().flatten();
    let rows = items.map(|item| {
        let text = |name: &str| item[name].as_str().unwrap_or_default();
        let currency = Some(text("currency")).filter(|_| text("what") == "paid");
        let value = |name: &str| {
            let amount =
                items::amount(&item[name]).map(|amount| Value::Amount(amount, currency.map(str::to_owned)));
            match text("what") {
                "renewals" => text(name).parse().ok().map(Value::Count),
                "paid" => amount,
                _ => items::instant(&item[name]).map(Value::Instant),
            }
            .unwrap_or(Value::None)
        };
        let resource = item["resource"].as_str().map_or(Value::None, Value::from);
        let values = [value("current"), value("compared")];
        row([text("what"), text("account"), text("month")], resource, values, currency, zones.of(item))
    });
    Listing { columns: sides.columns(), rows: rows.collect() }
}
