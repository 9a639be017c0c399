//! One plan of one account, and what scripts say about it.

use plugin_script::interpreter;
use plugin_script::rulings::Account;
use plugin_script::rulings::Batch;
use plugin_script::rulings::Budget;
use plugin_script::rulings::Extension;
use plugin_script::rulings::Items;
use plugin_script::rulings::Pair;
use plugin_script::rulings::Plan;
use plugin_script::rulings::PolicyAnswer;
use plugin_script::rulings::Quote;
use plugin_script::rulings::Resource;
use plugin_script::rulings::Ruling;
use plugin_script::types::Calendar;
use plugin_script::types::Script;
use plugin_script::types::Term;
use plugin_script::types::TermUnit;

/// 2026-02-20T19:00:00Z, a Friday; 03:00 on Saturday the 21st in UTC+8.
pub const AT: i64 = 1_771_614_000;

pub const MONTH: Term = Term { count: 1, unit: TermUnit::Month };

const WORDS: [&str; 14] = [
    "renew",
    "acme-hw",
    "huawei",
    "CNY",
    "ecs-1",
    "ecs",
    "cn-north-4",
    "active",
    "env",
    "prod",
    "status",
    "running",
    "evs-1",
    "evs",
];

pub fn items(start: u32, length: u32) -> Items {
    Items { start, length }
}

/// A renewal of `ecs-1` (99.00 a month) with its disk (10.00 a month) by the clock, asked of all of `scripts` policies.
pub fn batch(scripts: u32) -> Batch {
    Batch {
        words: WORDS.map(str::to_owned).to_vec(),
        pairs: vec![Pair { name: 8, value: 9 }, Pair { name: 10, value: 11 }],
        accounts: vec![Account {
            id: 1,
            provider: 2,
            currency: 3,
            settings: items(0, 0),
            utc_offset_minutes: 480,
            balance: 1_200_000_000,
            budget: Some(Budget { limit: 2_000_000_000, spent: 500_000_000 }),
        }],
        resources: vec![resource(4, 5, 99_000_000), resource(12, 13, 10_000_000)],
        extensions: [99_000_000, 10_000_000]
            .map(|price| Extension { price, per: MONTH, extra_days: 0 })
            .to_vec(),
        quotes: Vec::new(),
        asked: (0..scripts).collect(),
        plans: vec![Plan {
            account: 0,
            command: 0,
            automatic: true,
            cost: Some(109_000_000),
            refund: Some(0),
            at: AT,
            first_try_at: Some(AT),
            next_try_at: Some(AT + 86_400),
            last_try_at: Some(AT + 7 * 86_400),
            term: Some(MONTH),
            options: None,
            members: items(0, 2),
            expires_after: Some(AT + 36 * 86_400),
            requested_by: None,
            extensions: items(0, 2),
            quotes: items(0, 0),
            policies: items(0, scripts),
            is_pending: false,
        }],
    }
}

fn resource(id: u32, kind: u32, price: i64) -> Resource {
    Resource {
        id,
        kind,
        region: 6,
        stage: 7,
        tags: items(0, 1),
        attributes: items(1, 1),
        started_at: AT - 60 * 86_400,
        expires_at: Some(AT + 8 * 86_400),
        term: Some(MONTH),
        price: Some(price),
        renewals: 2,
    }
}

/// A quote of the cloud's for a year.
pub fn yearly_quote(cost: i64) -> Quote {
    Quote { term: Term { count: 1, unit: TermUnit::Year }, cost }
}

pub fn script(text: &str) -> Script {
    Script { name: "tested".to_owned(), text: text.to_owned() }
}

/// Weekends aside, 23 February is a holiday and Saturday the 28th a working day; `freeze` is the 26th and 27th.
pub fn calendars() -> Vec<Calendar> {
    let day = |day: i64| i32::try_from((AT + 8 * 3600) / 86_400 - 21 + day).unwrap();
    let calendar = |name: &str, days: &[(i64, i64)]| Calendar {
        name: name.to_owned(),
        days: days.iter().map(|(first, last)| (day(*first), day(*last))).collect(),
    };
    vec![
        calendar("holidays", &[(23, 23)]),
        calendar("working_days", &[(28, 28)]),
        calendar("freeze", &[(26, 27)]),
    ]
}

/// What the script says about the plan of [`batch`].
pub fn answer(text: &str) -> PolicyAnswer {
    let results = interpreter::rule(&[script(text)], &calendars(), &batch(1));
    results.answers.into_iter().next().unwrap()
}

pub fn ruling(text: &str) -> Ruling {
    answer(text).ruling
}

/// The note that a script with this expression makes of it, or the failure.
pub fn value(expression: &str) -> String {
    let answer = answer(&format!("fn rule(plan) {{ note(`${{{expression}}}`); approve() }}"));
    if let Ruling::Failed(failure) = answer.ruling {
        return format!("failed: {}", failure.message);
    }
    answer.notes.join("; ")
}

/// Every expression with its value, one a line.
pub fn values(expressions: &[&str]) -> String {
    expressions.iter().map(|expression| format!("{expression} -> {}\n", value(expression))).collect()
}

/// A failure on one line: function, place, message and line.
pub fn failure(text: &str) -> String {
    let ruling = ruling(text);
    let Ruling::Failed(failure) = ruling else { return format!("{ruling:?}\n") };
    // A script that cannot be compiled has no function to name.
    let function = if failure.function.is_empty() { "no function" } else { &failure.function };
    format!("{function} {}:{}: {}\n  | {}\n", failure.line, failure.column, failure.message, failure.text)
}
