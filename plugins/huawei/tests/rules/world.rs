//! Resources and requests for the tests of rules, and the printing of results.

use plugin_huawei::Huawei;
use plugin_sdk::*;

use plugin_huawei::family::CALENDAR;
use plugin_huawei::notices;
use plugin_huawei::settings::Settings;

/// An account's settings as an operator writes them.
pub type Said<'a> = &'a [(&'a str, &'a str)];

pub const MONTHLY: Term = Term { count: 1, unit: TermUnit::Month };
pub const YEARLY: Term = Term { count: 1, unit: TermUnit::Year };

/// An instant of Huawei Cloud's days, such as `2026-01-31 23:59:59`.
pub fn time(text: &str) -> Timestamp {
    let numbers = text.split(['-', ' ', ':']).map(|part| part.parse::<u32>().unwrap()).collect::<Vec<_>>();
    let [year, month, day, hour, minute, second] = numbers[..] else { panic!("`{text}` is not a time") };
    let epoch = -8 * 3600;
    let months = Term { count: (year - 1970) * 12 + month - 1, unit: TermUnit::Month };
    let midnight = CALENDAR.plus(epoch, u8::try_from(day).unwrap(), months);
    midnight + i64::from(hour * 3600 + minute * 60 + second)
}

/// Writes an instant in the form that [`time`] reads.
pub fn show(at: Timestamp) -> String {
    let second = at - CALENDAR.midnight(at);
    format!("{} {:02}:{:02}:{:02}", CALENDAR.date(at), second / 3600, second / 60 % 60, second % 60)
}

/// A monthly resource that was bought on 31 December 2025 and expires at the end of 28 February 2026.
pub fn resource(kind: &str) -> Resource {
    Resource {
        id: format!("{kind}-1").into(),
        kind: kind.to_owned().into(),
        attached_to: None,
        charging: Charging::Prepaid,
        stage: Stage::Active,
        started_at: time("2025-12-31 10:00:00"),
        expires_at: Some(time("2026-02-28 23:59:59")),
        anchor_day: Some(31),
        term: Some(MONTHLY),
        on_expiry: OnExpiry::Lapse,
        renewals_left: None,
        renewal_term: None,
        has_unpaid_order: false,
        attributes: Vec::new(),
    }
}

pub fn attached(kind: &str, to: u32) -> Resource {
    Resource { attached_to: Some(to), ..resource(kind) }
}

pub fn pay_per_use(resource: Resource) -> Resource {
    Resource { charging: Charging::Postpaid, expires_at: None, anchor_day: None, term: None, ..resource }
}

fn settings(said: Said) -> Settings {
    let values = said.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    Huawei::settings(&values.collect::<Vec<_>>())
}

pub fn timeline(said: Said, after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
    Huawei::timeline(&settings(said), after, bundle)
}

pub fn command(
    said: Said,
    at: Timestamp,
    bundle: &[Resource],
    named: u32,
    command: Command,
    orders: &[Order],
) -> Result<Plan, Refusal> {
    let request =
        PlanRequest { at, command, member: named, bundle: bundle.to_vec(), orders: orders.to_vec() };
    Huawei::plan(&settings(said), &request)
}

pub fn allocate(said: Said, consumption: Consumption) -> Vec<Allocation> {
    Huawei::allocate(&settings(said), &consumption)
}

pub fn renew(term: Option<Term>) -> Command {
    Command::Renew(Renewal { term, automatic: false, options: Vec::new() })
}

pub fn automatic() -> Command {
    Command::Renew(Renewal { term: None, automatic: true, options: Vec::new() })
}

pub fn set_auto_renew(term: Option<Term>, renewals: Option<u32>) -> Command {
    Command::SetAutoRenew(AutoRenewal { term, renewals })
}

/// Prints a timeline, one line for each occurrence.
pub fn print_timeline(occurrences: &[Occurrence]) -> String {
    occurrences.iter().map(|occurrence| format!("{}\n", print_occurrence(occurrence))).collect()
}

fn print_occurrence(occurrence: &Occurrence) -> String {
    let what = match &occurrence.action {
        Action::TryRenewal => "try".to_owned(),
        Action::Enter(stage) => format!("enter {}", name(stage)),
        Action::Convert => "convert".to_owned(),
        Action::SetAttribute((name, value)) => format!("set {name} to {value}"),
        Action::Refill => "refill".to_owned(),
        Action::Notice(index) => format!("notice {}", notices::ALL[*index as usize].1),
    };
    format!("{} #{} {what}", show(occurrence.at), occurrence.member)
}

/// Prints a plan or a refusal in one line.
pub fn print_plan(answer: &Result<Plan, Refusal>) -> String {
    let plan = match answer {
        Err(refusal) => return refusal.code.clone(),
        Ok(plan) => plan,
    };
    let steps =
        plan.steps.iter().map(|step| format!("#{} {}", step.member, print_operation(&step.operation)));
    let skipped = plan.skipped.iter().map(|one| format!("#{} left out {}", one.member, one.reason.code));
    let at_once = plan.retry_now.iter().map(|member| format!("#{member} tried at once"));
    steps.chain(skipped).chain(at_once).collect::<Vec<_>>().join("; ")
}

fn print_operation(operation: &Operation) -> String {
    match operation {
        Operation::Extend(to) => {
            let extra =
                if to.extra_days > 0 { format!(" and {} days", to.extra_days) } else { String::new() };
            let anchor = to.anchor_day.map(|day| format!(", anchor {day}")).unwrap_or_default();
            format!("to {} for {}{extra}{anchor}", show(to.expires_at), print_term(to.term))
        }
        Operation::SetOnExpiry(on_expiry) => format!("on expiry {}", name(on_expiry)),
        Operation::SetAutoRenew(set) => {
            let term = set.term.map_or("own term".to_owned(), print_term);
            let times = set.renewals.map_or("no limit".to_owned(), |renewals| format!("{renewals} times"));
            format!("renews for {term}, {times}")
        }
        Operation::EndSubscription(ending) => {
            let left = ending.expires_at.map(|at| format!(", left to {}", show(at))).unwrap_or_default();
            let refunds =
                ending.refunds.iter().map(|refund| format!(", order {}: {}", refund.order, refund.amount));
            format!("ends {}{left}{}", name(&ending.scope), refunds.collect::<String>())
        }
        Operation::Buy(buy) => {
            let (pay, from, to) = (show(buy.pay_at), show(buy.effective_at), show(buy.expires_at));
            format!("another, paid {pay}, from {from}, to {to}")
        }
        Operation::Convert(refunds) => {
            let refunds = refunds.iter().map(|refund| format!(", order {}: {}", refund.order, refund.amount));
            format!("becomes pay-per-use{}", refunds.collect::<String>())
        }
        Operation::ChangeSpecification(new) => {
            let parts = new.adjustments.iter().map(|one| {
                let of = one.order.map_or("no order".to_owned(), |order| format!("order {order}"));
                format!(", {} of {of} from {} to {}", one.amount, show(one.starts_at), show(one.ends_at))
            });
            format!("changes to {:?} at {}{}", new.attributes, new.price, parts.collect::<String>())
        }
        Operation::Subscribe(new) => {
            format!(
                "is paid ahead for {} at {}, to {}",
                print_term(new.term),
                new.price,
                show(new.expires_at)
            )
        }
        Operation::SetAttribute((name, value)) => format!("{name} becomes {value}"),
    }
}

pub fn print_term(term: Term) -> String {
    format!("{} {}", term.count, name(&term.unit))
}

/// A case of one of the contract's enums, in the contract's spelling.
pub fn name(case: &impl std::fmt::Debug) -> String {
    let debug = format!("{case:?}");
    debug.rsplit("::").next().unwrap().to_lowercase()
}
