//! A backtest as a list.

use perennial_domain::micros::Micros;
use perennial_engine::backtest::Tally;
use perennial_formats::time_zone::TimeZone;

use crate::cli::policy::backtest::effects::Changes;
use crate::cli::policy::backtest::effects::Difference;
use crate::cli::policy::backtest::effects::Month;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::listing::Value;

/// The most resources that a row names.
const EXAMPLES_MAX: usize = 3;

const COLUMNS: [Column; 13] = [
    Column::new("what", "what"),
    Column::new("account", "account"),
    Column::new("policy", "policy"),
    Column::new("month", "month"),
    Column::new("resource", "resource"),
    Column::new("done", "done"),
    Column::new("backtest", "would be"),
    Column::number("plans", "plans"),
    Column::number("cost", "cost"),
    Column::number("amended_cost", "amended"),
    Column::new("currency", ""),
    Column::sentence("examples", "examples"),
    Column::sentence("reason", "reason"),
];

/// What stands in a row; what it leaves out is empty.
#[derive(Default)]
struct Cells {
    what: &'static str,
    account: Option<String>,
    policy: Option<String>,
    month: Option<String>,
    resource: Option<String>,
    values: [Option<Value>; 2],
    plans: Option<usize>,
    cost: Option<Micros>,
    amended_cost: Option<Micros>,
    currency: Option<String>,
    examples: Option<String>,
    reason: Option<String>,
}

impl Cells {
    fn row(self, zone: TimeZone) -> Row {
        let amount = |amount: Option<Micros>| {
            amount.map_or(Value::None, |amount| Value::Amount(amount, self.currency.clone()))
        };
        let [done, backtest] = self.values.map(|value| value.unwrap_or(Value::None));
        let values: [Value; COLUMNS.len()] = [
            self.what.into(),
            self.account.into(),
            self.policy.into(),
            self.month.into(),
            self.resource.into(),
            done,
            backtest,
            self.plans.map_or(Value::None, Value::Count),
            amount(self.cost),
            amount(self.amended_cost),
            self.currency.clone().into(),
            self.examples.into(),
            self.reason.into(),
        ];
        Row { zone, cells: values.into_iter().map(|value| Cell::new(value).or("")).collect() }
    }
}

/// How many plans were tested, and what would have been otherwise.
pub(super) fn listing(changes: &Changes, tally: &Tally, zone: TimeZone) -> Listing<'static> {
    let mut rows = tested(tally, changes);
    rows.extend(differences(changes));
    rows.extend(months(changes));
    rows.extend(lapses(changes));
    Listing { columns: &COLUMNS, rows: rows.into_iter().map(|cells| cells.row(zone)).collect() }
}

fn tested(tally: &Tally, changes: &Changes) -> Vec<Cells> {
    let count = |what, plans: u64, reason: Option<String>| Cells {
        what,
        plans: Some(usize::try_from(plans).unwrap_or(usize::MAX)),
        reason,
        ..Cells::default()
    };
    let is_same = tally.tested > 0 && changes.differences.is_empty();
    let same = is_same.then(|| "each is ruled on as it was".to_owned());
    let mut rows = vec![count("tested", tally.tested, same)];
    if tally.rebuilt > 0 {
        let reason = "no policy was asked then: money and tries are worked out from ledger and rules";
        rows.push(count("rebuilt", tally.rebuilt, Some(reason.to_owned())));
    }
    if tally.refused > 0 {
        let reason = "the provider refused, so no policy is asked";
        rows.push(count("refused", tally.refused, Some(reason.to_owned())));
    }
    rows.extend(
        tally.not_testable.iter().map(|(why, plans)| count("not_testable", *plans, Some(why.to_string()))),
    );
    rows
}

fn differences(changes: &Changes) -> impl Iterator<Item = Cells> {
    let ruled = changes.differences.iter().map(|((account, followed, ruling, policy), difference)| Cells {
        what: "ruled",
        account: Some(account.clone()),
        policy: policy.clone(),
        values: [followed, ruling].map(|effect| Some(effect.name().into())),
        ..of_difference(difference)
    });
    let failed = changes.failures.iter().map(|(policy, difference)| Cells {
        what: "failed",
        policy: Some(policy.clone()),
        cost: None,
        amended_cost: None,
        currency: None,
        ..of_difference(difference)
    });
    ruled.chain(failed)
}

fn of_difference(difference: &Difference) -> Cells {
    let Difference { plans, cost, amended_cost, currency, resources, reason } = difference;
    let shown = resources.iter().take(EXAMPLES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    let examples = match resources.len().saturating_sub(EXAMPLES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    };
    Cells {
        plans: Some(*plans),
        cost: Some(*cost),
        amended_cost: (*amended_cost > Micros::ZERO).then_some(*amended_cost),
        currency: Some(currency.clone()),
        examples: Some(examples),
        reason: Some(reason.clone()).filter(|reason| !reason.is_empty()),
        ..Cells::default()
    }
}

fn months(changes: &Changes) -> Vec<Cells> {
    let row = |what, ((account, month), values): (&(String, String), [Value; 2])| Cells {
        what,
        account: Some(account.clone()),
        month: Some(month.clone()),
        values: values.map(Some),
        ..Cells::default()
    };
    let all = || changes.months.iter();
    let renewals = all().filter(|(_, month)| month.renewals[0] != month.renewals[1]);
    let renewals = renewals.map(|(key, month)| row("renewals", (key, month.renewals.map(Value::Count))));
    let amounts = |what, amounts: fn(&Month) -> [Micros; 2]| {
        let other = all().filter(move |(_, month)| amounts(month)[0] != amounts(month)[1]);
        other.map(move |(key, month)| {
            let values = amounts(month).map(|amount| Value::Amount(amount, Some(month.currency.clone())));
            Cells { currency: Some(month.currency.clone()), ..row(what, (key, values)) }
        })
    };
    let paid = amounts("paid", |month| month.paid);
    let to_approve = amounts("to_approve", |month| [Micros::ZERO, month.to_approve]);
    renewals.chain(paid).chain(to_approve).collect()
}

fn lapses(changes: &Changes) -> impl Iterator<Item = Cells> {
    changes.lapses.iter().filter(|(_, [done, backtest])| done != backtest).map(|((account, resource), at)| {
        Cells {
            what: "lapsed",
            account: Some(account.clone()),
            resource: Some(resource.clone()),
            values: at.map(|at| at.map(Value::from)),
            ..Cells::default()
        }
    })
}
