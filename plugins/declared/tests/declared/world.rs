//! Tables, bundles and requests, and how answers are printed: in the provider's own time.

use plugin_declared::Table;
use plugin_sdk::Action;
use plugin_sdk::Command;
use plugin_sdk::MemberIndex;
use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::Order;
use plugin_sdk::OrderKind;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::Calendar;
use plugin_sdk::calendar::DAY;

pub const NIMBUS: &str = include_str!("../../tables/nimbus.toml");
pub const VOLCENGINE: &str = include_str!("../../tables/volcengine.toml");

pub fn table(text: &str) -> Table {
    Table::read(text).unwrap()
}

/// Midnight UTC at the start of a day of 2026, counted from 1 January as 0.
pub fn day(number: i64) -> Timestamp {
    1_767_225_600 + number * DAY
}

/// An instant in a zone so many minutes ahead of UTC.
fn when(at: Timestamp, offset: i16) -> String {
    let calendar = Calendar::ahead_of_utc(offset);
    let second = at - calendar.midnight(at);
    format!("{} {:02}:{:02}:{:02}", calendar.date(at), second / 3600, second / 60 % 60, second % 60)
}

pub fn months(count: u32) -> Term {
    Term { count, unit: TermUnit::Month }
}

/// A prepaid, active resource that was bought for a month, on New Year.
pub fn resource(kind: &str, id: &str, expires_at: Timestamp) -> Resource {
    Resource {
        id: id.to_owned().into(),
        started_at: day(0),
        ..plugin_sdk::testing::resource(kind, expires_at)
    }
}

pub fn renewing(resource: Resource) -> Resource {
    Resource { on_expiry: OnExpiry::Renew, ..resource }
}

/// Attached to the primary.
pub fn attached(resource: Resource) -> Resource {
    Resource { attached_to: Some(0), ..resource }
}

pub fn order(member: MemberIndex, kind: OrderKind, starts_at: Timestamp, ends_at: Timestamp) -> Order {
    Order { member, kind, starts_at, ends_at, paid: 31_000_000, paid_at: starts_at, reduces: None }
}

/// The settings of an account.
pub fn owned(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect()
}

/// The timeline of a bundle, one line an occurrence.
pub fn timeline(table: &Table, settings: &[(&str, &str)], after: Timestamp, bundle: &[Resource]) -> String {
    let manifest = table.describe();
    let lines = table.timeline(&owned(settings), after, bundle).into_iter().map(|occurrence| {
        let what = match occurrence.action {
            Action::TryRenewal => "try".to_owned(),
            Action::Enter(stage) => format!("enter {stage:?}"),
            Action::Convert => "convert".to_owned(),
            Action::SetAttribute((name, value)) => format!("{name} = {value}"),
            Action::Refill => "refill".to_owned(),
            Action::Notice(notice) => format!("notice {}", manifest.notices[notice as usize].name),
        };
        let (at, id) =
            (when(occurrence.at, manifest.utc_offset_minutes), &bundle[occurrence.member as usize].id);
        format!("{at} {id} {what}\n")
    });
    lines.collect()
}

/// What a command comes to, one line a step.
pub fn ask(table: &Table, at: Timestamp, command: Command, bundle: &[Resource], orders: &[Order]) -> String {
    ask_with(table, &[], at, (command, 0), bundle, orders)
}

/// The same for a member, of an account with these settings.
pub fn ask_with(
    table: &Table,
    settings: &[(&str, &str)],
    at: Timestamp,
    (command, member): (Command, MemberIndex),
    bundle: &[Resource],
    orders: &[Order],
) -> String {
    let (bundle, orders) = (bundle.to_vec(), orders.to_vec());
    let request = PlanRequest { at, command, member, bundle, orders };
    let answer = table.plan(&owned(settings), &request);
    answer_text(&answer, &request.bundle, table.describe().utc_offset_minutes)
}

fn answer_text(answer: &Result<Plan, Refusal>, bundle: &[Resource], offset: i16) -> String {
    let plan = match answer {
        Ok(plan) => plan,
        Err(refusal) => return format!("refused {}: {}\n", refusal.code, refusal.message),
    };
    let id = |member: MemberIndex| &bundle[member as usize].id;
    let steps =
        plan.steps.iter().map(|step| format!("{} {}\n", id(step.member), step_text(&step.operation, offset)));
    let skipped = plan.skipped.iter();
    let skipped = skipped
        .map(|left| format!("{} left out, {}: {}\n", id(left.member), left.reason.code, left.reason.message));
    steps.chain(skipped).collect()
}

fn step_text(operation: &Operation, offset: i16) -> String {
    let refunds = |refunds: &[plugin_sdk::Refund]| {
        let one =
            |refund: &plugin_sdk::Refund| format!(" #{} {} fee {}", refund.order, refund.amount, refund.fee);
        refunds.iter().map(one).collect::<String>()
    };
    match operation {
        Operation::Extend(extension) => {
            let (until, term) = (when(extension.expires_at, offset), extension.term);
            let days = if extension.extra_days > 0 {
                format!(" and {} days", extension.extra_days)
            } else {
                String::new()
            };
            let anchor = extension.anchor_day.map(|day| format!(", from day {day}")).unwrap_or_default();
            format!("until {until} for {} {:?}{days}{anchor}", term.count, term.unit)
        }
        Operation::SetOnExpiry(on_expiry) => format!("on expiry {on_expiry:?}"),
        Operation::SetAutoRenew(rule) => format!("auto-renew {:?} times", rule.renewals),
        Operation::EndSubscription(ending) => {
            let left =
                ending.expires_at.map(|at| format!(", left until {}", when(at, offset))).unwrap_or_default();
            format!("ends{left}:{}", refunds(&ending.refunds))
        }
        Operation::Convert(_)
        | Operation::Buy(_)
        | Operation::ChangeSpecification(_)
        | Operation::Subscribe(_)
        | Operation::SetAttribute(_) => "something that no table says".to_owned(),
    }
}
