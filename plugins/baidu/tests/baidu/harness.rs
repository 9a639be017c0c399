//! Builds bundles and requests, calls the plugin, and prints its results in the provider's own time.

use std::fmt::Write;

use chrono::DateTime;
use chrono::FixedOffset;
use plugin_baidu::Baidu;
use plugin_sdk::Action;
use plugin_sdk::Charging;
use plugin_sdk::Command;
use plugin_sdk::MemberIndex;
use plugin_sdk::Occurrence;
use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::Order;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::Renewal;
use plugin_sdk::Resource;
use plugin_sdk::Rules;
use plugin_sdk::Scope;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::Calendar;

/// The provider's days.
pub const CHINA: Calendar = Calendar::ahead_of_utc(480);

/// An instant in the provider's time, such as `2026-08-10 10:00`.
pub fn at(text: &str) -> Timestamp {
    let seconds = if text.len() == 16 { ":00" } else { "" };
    DateTime::parse_from_str(&format!("{text}{seconds} +0800"), "%Y-%m-%d %H:%M:%S %z").unwrap().timestamp()
}

/// Writes an instant in the form that [`at`] reads.
pub fn when(at: Timestamp) -> String {
    let local =
        DateTime::from_timestamp(at, 0).unwrap().with_timezone(&FixedOffset::east_opt(8 * 3600).unwrap());
    let text = local.format("%Y-%m-%d %H:%M:%S").to_string();
    text.strip_suffix(":00").map(str::to_owned).unwrap_or(text)
}

pub fn months(count: u32) -> Term {
    Term { count, unit: TermUnit::Month }
}

pub fn years(count: u32) -> Term {
    Term { count, unit: TermUnit::Year }
}

pub fn days(count: u32) -> Term {
    Term { count, unit: TermUnit::Day }
}

/// A prepaid, active resource that was bought for a month and expires then; `id` is its kind with a number.
pub fn prepaid(kind: &str, id: &str, expires: &str) -> Resource {
    let expires_at = at(expires);
    Resource {
        id: id.to_owned().into(),
        kind: kind.to_owned().into(),
        attached_to: None,
        charging: Charging::Prepaid,
        stage: Stage::Active,
        started_at: at("2026-01-10 10:00"),
        expires_at: Some(expires_at),
        anchor_day: Some(CHINA.day_of_month(expires_at)),
        term: Some(months(1)),
        on_expiry: OnExpiry::Lapse,
        renewals_left: None,
        renewal_term: None,
        has_unpaid_order: false,
        attributes: Vec::new(),
    }
}

pub fn postpaid(kind: &str, id: &str) -> Resource {
    Resource {
        charging: Charging::Postpaid,
        expires_at: None,
        anchor_day: None,
        term: None,
        ..prepaid(kind, id, "2026-08-10 10:00")
    }
}

/// The changes that tests make to a resource.
pub trait With: Sized {
    fn with(self, attribute: &str, value: &str) -> Self;
    fn on_expiry(self, on_expiry: OnExpiry) -> Self;
    fn stage(self, stage: Stage) -> Self;
    fn attached(self) -> Self;
}

impl With for Resource {
    fn with(mut self, attribute: &str, value: &str) -> Resource {
        self.attributes.push((attribute.to_owned().into(), value.to_owned().into()));
        self
    }

    fn on_expiry(self, on_expiry: OnExpiry) -> Resource {
        Resource { on_expiry, ..self }
    }

    fn stage(self, stage: Stage) -> Resource {
        Resource { stage, ..self }
    }

    /// Attaches it to the bundle's primary.
    fn attached(self) -> Resource {
        Resource { attached_to: Some(0), ..self }
    }
}

pub fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect()
}

pub fn timeline(settings: &[(&str, &str)], after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
    Baidu::timeline(&Baidu::settings(&owned(settings)), after, bundle)
}

pub fn ask(
    settings: &[(&str, &str)],
    at: Timestamp,
    bundle: &[Resource],
    member: MemberIndex,
    command: Command,
    orders: &[Order],
) -> Result<Plan, Refusal> {
    let request = PlanRequest { at, command, member, bundle: bundle.to_vec(), orders: orders.to_vec() };
    Baidu::plan(&Baidu::settings(&owned(settings)), &request)
}

/// A renewal by hand.
pub fn renew(term: Option<Term>, options: &[(&str, &str)]) -> Command {
    Command::Renew(Renewal { term, automatic: false, options: owned(options) })
}

/// A try that is due.
pub fn due() -> Command {
    Command::Renew(Renewal { term: None, automatic: true, options: Vec::new() })
}

pub fn show_timeline(bundle: &[Resource], occurrences: &[Occurrence]) -> String {
    let mut text = String::new();
    for Occurrence { at, member, action } in occurrences {
        let id = &bundle[*member as usize].id;
        writeln!(text, "{}  {id:6} {}", when(*at), show_action(action)).unwrap();
    }
    text
}

fn show_action(action: &Action) -> String {
    match action {
        Action::TryRenewal => "try to renew".to_owned(),
        Action::Enter(stage) => format!("enter {}", show_stage(*stage)),
        Action::Convert => "convert".to_owned(),
        Action::SetAttribute((name, value)) => format!("{name} = {value}"),
        Action::Refill => "refill".to_owned(),
        Action::Notice(place) => {
            format!("notice {}", ["expires-soon", "released-soon", "released"][*place as usize])
        }
    }
}

pub fn show_stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Active => "active",
        Stage::Grace => "grace",
        Stage::Retention => "retention",
        Stage::Released => "released",
        Stage::Unsubscribed => "unsubscribed",
        Stage::Converted => "converted",
    }
}

/// Prints a plan or a refusal, in lines.
pub fn show_answer(bundle: &[Resource], answer: &Result<Plan, Refusal>) -> String {
    let mut text = String::new();
    match answer {
        Err(Refusal { code, message }) => writeln!(text, "refused {code}: {message}").unwrap(),
        Ok(plan) => {
            for step in &plan.steps {
                let id = &bundle[step.member as usize].id;
                writeln!(text, "{id:6} {}", show_operation(&step.operation)).unwrap();
            }
            for skipped in &plan.skipped {
                let id = &bundle[skipped.member as usize].id;
                writeln!(text, "{id:6} left out, {}: {}", skipped.reason.code, skipped.reason.message)
                    .unwrap();
            }
            if let Some(member) = plan.retry_now {
                writeln!(text, "{} is tried at once", bundle[member as usize].id).unwrap();
            }
        }
    }
    text
}

fn show_operation(operation: &Operation) -> String {
    match operation {
        Operation::Extend(extension) => {
            let extra = match extension.extra_days {
                0 => String::new(),
                days => format!(" and {days} day"),
            };
            let anchor = extension.anchor_day.map(|day| format!(", anchor {day}")).unwrap_or_default();
            format!("until {} for {}{extra}{anchor}", when(extension.expires_at), show_term(extension.term))
        }
        Operation::SetOnExpiry(on_expiry) => format!("on expiry {}", show_on_expiry(*on_expiry)),
        Operation::SetAutoRenew(rule) => {
            let term = rule.term.map_or("its own term".to_owned(), show_term);
            let renewals = rule.renewals.map(|count| format!(", {count} times")).unwrap_or_default();
            format!("auto-renew by {term}{renewals}")
        }
        Operation::EndSubscription(ending) => {
            let what = match (ending.scope, ending.expires_at) {
                (Scope::Everything, None) => "unsubscribed".to_owned(),
                (Scope::FuturePeriods, Some(expires_at)) => format!("back to {}", when(expires_at)),
                (Scope::Everything, Some(_)) | (Scope::FuturePeriods, None) => {
                    "an ending without sense".to_owned()
                }
            };
            let refunds = ending.refunds.iter();
            refunds.fold(what, |text, refund| {
                format!("{text}, refund {} of order {}", refund.amount, refund.order)
            })
        }
        Operation::Convert(refunds) => refunds.iter().fold("convert".to_owned(), |text, refund| {
            format!("{text}, refund {} of order {}", refund.amount, refund.order)
        }),
        Operation::Buy(_) => "buy".to_owned(),
        Operation::ChangeSpecification(new) => format!("change to {:?} at {}", new.attributes, new.price),
        Operation::Subscribe(new) => {
            let (term, to) = (show_term(new.term), when(new.expires_at));
            let rest =
                if new.extra_days > 0 { format!(" and {} day", new.extra_days) } else { String::new() };
            format!("subscribe for {term}{rest} at {} to {to}, anchor {}", new.price, new.anchor_day)
        }
        Operation::SetAttribute((name, value)) => format!("{name} = {value}"),
    }
}

fn show_term(term: Term) -> String {
    let unit = match term.unit {
        TermUnit::Day => "day",
        TermUnit::Month => "month",
        TermUnit::Year => "year",
    };
    format!("{} {unit}", term.count)
}

pub fn show_on_expiry(on_expiry: OnExpiry) -> &'static str {
    match on_expiry {
        OnExpiry::Lapse => "lapse",
        OnExpiry::Renew => "renew",
        OnExpiry::Convert => "convert",
        OnExpiry::Release => "release",
    }
}
