//! How answers are written in cases: a line for each thing that happens, or is done.

use perennial_domain::bundle::Bundle;
use perennial_domain::index::MemberIndex;
use perennial_domain::manifest::Manifest;
use perennial_domain::order::Order;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refund;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Scope;
use perennial_domain::term::Term;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;

/// A timeline, one line an occurrence, such as `2026-03-05T02:00:00Z web try_renewal`.
pub fn timeline_lines(timeline: &[Occurrence], bundle: &Bundle, manifest: &Manifest) -> Vec<String> {
    let line = |occurrence: &Occurrence| {
        let what = match &occurrence.action {
            Action::TryRenewal => "try_renewal".to_owned(),
            Action::Enter(stage) => format!("enter {}", stage.name()),
            Action::Convert => "convert".to_owned(),
            Action::SetAttribute(name, value) => format!("set_attribute {name} {value}"),
            Action::Refill => "refill".to_owned(),
            Action::Notice(notice) => {
                let name = manifest.notices.get(notice.get()).map(|notice| notice.name.as_str());
                format!("notice {}", name.unwrap_or("?"))
            }
        };
        one_line(&format!("{} {} {what}", occurrence.at, id(bundle, occurrence.member)))
    };
    timeline.iter().map(line).collect()
}

/// A plan, one line a step or a member that is left out; or one line for a refusal, such as `refused Code: message`.
pub fn plan_lines(plan: &Result<Plan, Refusal>, bundle: &Bundle, orders: &[Order]) -> Vec<String> {
    let plan = match plan {
        Ok(plan) => plan,
        Err(Refusal { code, message }) => return vec![one_line(&format!("refused {code}: {message}"))],
    };
    let steps = plan
        .steps
        .iter()
        .map(|step| format!("{} {}", id(bundle, step.member), operation_text(&step.operation, orders)));
    let skipped = plan.skipped.iter().map(|skipped| {
        let Refusal { code, message } = &skipped.reason;
        format!("{} left out {code}: {message}", id(bundle, skipped.member))
    });
    let retry = plan.retry_now.map(|member| format!("{} retry_now", id(bundle, member)));
    let payment = plan.pay_until.map(|until| format!("pay_until {until}"));
    steps.chain(skipped).chain(retry).chain(payment).map(|line| one_line(&line)).collect()
}

fn id(bundle: &Bundle, member: MemberIndex) -> &str {
    bundle.get(member).map_or("?", |resource| resource.id.as_str())
}

/// A plugin's own words may have line breaks, and a line is one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn term_text(term: Term) -> String {
    let plural = if term.count.get() == 1 { "" } else { "s" };
    format!("{} {}{plural}", term.count, term.unit.name())
}

fn operation_text(operation: &Operation, orders: &[Order]) -> String {
    match operation {
        Operation::Extend(extension) => {
            let anchor = extension.anchor_day.map(|day| format!(", anchor day {day}")).unwrap_or_default();
            let (until, term) = (extension.expires_at, paid_for(extension.term, extension.extra_days));
            format!("extend to {until} for {term}{anchor}")
        }
        Operation::SetOnExpiry(on_expiry) => format!("on_expiry {}", on_expiry.name()),
        Operation::SetAutoRenew(rule) => {
            let term = rule.term.map_or("its own term".to_owned(), term_text);
            let renewals = rule.renewals.map(|count| format!(", {count} times")).unwrap_or_default();
            format!("auto_renew by {term}{renewals}")
        }
        Operation::EndSubscription(ending) => {
            let what = match (ending.scope, ending.expires_at) {
                (Scope::Future, Some(left)) => format!("end future periods, left until {left}"),
                (Scope::All | Scope::Future, _) => "end everything".to_owned(),
            };
            format!("{what}{}", refunds_text(&ending.refunds, orders))
        }
        Operation::Convert(refunds) => format!("convert{}", refunds_text(refunds, orders)),
        Operation::Buy(details) => format!(
            "buy at {} from {} until {}, anchor day {}",
            details.pay_at, details.effective_at, details.expires_at, details.anchor_day
        ),
        Operation::ChangeSpecification(specification) => {
            let attributes = specification.attributes.iter().map(|(name, value)| format!(" {name}={value}"));
            let attributes = attributes.collect::<String>();
            format!("change{attributes}, price {}, cost {}", specification.price, specification.cost())
        }
        Operation::Subscribe(subscription) => {
            let term = paid_for(subscription.term, subscription.extra_days);
            let (until, day, price) = (subscription.expires_at, subscription.anchor_day, subscription.price);
            format!("subscribe to {until} for {term}, anchor day {day}, price {price}")
        }
        Operation::SetAttribute(name, value) => format!("set_attribute {name} {value}"),
    }
}

fn paid_for(term: Term, extra_days: u32) -> String {
    match extra_days {
        0 => term_text(term),
        1 => format!("{} and 1 day", term_text(term)),
        days => format!("{} and {days} days", term_text(term)),
    }
}

fn refunds_text(refunds: &[Refund], orders: &[Order]) -> String {
    let one = |refund: &Refund| {
        let order = orders.get(refund.order.get()).map_or("?", |order| order.id.as_str());
        let fee = if refund.fee.as_micros() == 0 { String::new() } else { format!(" fee {}", refund.fee) };
        format!(", {order} {}{fee}", refund.amount)
    };
    refunds.iter().map(one).collect()
}
