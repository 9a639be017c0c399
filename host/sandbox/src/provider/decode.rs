//! Decodes the contract's records to domain values. A value that the domain cannot hold is an error in words.

use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Stage;
use perennial_domain::index::MemberIndex;
use perennial_domain::index::NoticeIndex;
use perennial_domain::index::OrderIndex;
use perennial_domain::index::PackageIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Adjustment;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cancellation;
use perennial_domain::plan::Extension;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Plan;
use perennial_domain::plan::PurchaseDetails;
use perennial_domain::plan::Refund;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Scope;
use perennial_domain::plan::SkippedMember;
use perennial_domain::plan::Specification;
use perennial_domain::plan::Step;
use perennial_domain::plan::Subscription;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::usage::Alert;
use perennial_domain::usage::Allocation;

use crate::provider::bindings::commands as wit_commands;
use crate::provider::bindings::lifecycle as wit_lifecycle;
use crate::provider::bindings::types as wit;
use crate::provider::bindings::usage as wit_usage;

/// Why a record is no domain value.
type Problem = String;

/// What will happen to a bundle.
pub fn timeline(occurrences: Vec<wit_lifecycle::Occurrence>) -> Result<Vec<Occurrence>, Problem> {
    // First what can be wrong, then what cannot: occurrences are many, and are then turned over where they are.
    for occurrence in &occurrences {
        timestamp(occurrence.at)?;
    }
    Ok(occurrences.into_iter().map(occurrence).collect())
}

fn occurrence(occurrence: wit_lifecycle::Occurrence) -> Occurrence {
    let action = match occurrence.action {
        wit_lifecycle::Action::TryRenewal => Action::TryRenewal,
        wit_lifecycle::Action::Enter(to) => Action::Enter(stage(to)),
        wit_lifecycle::Action::Convert => Action::Convert,
        wit_lifecycle::Action::SetAttribute((name, value)) => Action::SetAttribute(name, value),
        wit_lifecycle::Action::Refill => Action::Refill,
        wit_lifecycle::Action::Notice(notice) => Action::Notice(NoticeIndex::new(place(notice))),
    };
    Occurrence { at: Timestamp::from_second(occurrence.at), member: member(occurrence.member), action }
}

/// What a command would do.
pub fn plan(plan: wit_commands::Plan) -> Result<Plan, Problem> {
    let skipped_member = |left: wit_commands::SkippedMember| SkippedMember {
        member: member(left.member),
        reason: refusal(left.reason),
    };
    Ok(Plan {
        steps: plan.steps.into_iter().map(step).collect::<Result<_, _>>()?,
        skipped: plan.skipped.into_iter().map(skipped_member).collect(),
        retry_now: plan.retry_now.map(member),
        pay_until: plan.pay_until.map(timestamp).transpose()?,
    })
}

/// The provider says no.
pub fn refusal(refusal: wit::Refusal) -> Refusal {
    Refusal { code: refusal.code, message: refusal.message }
}

fn step(step: wit_commands::Step) -> Result<Step, Problem> {
    let operation = match step.operation {
        wit_commands::Operation::Extend(extension) => Operation::Extend(Extension {
            expires_at: timestamp(extension.expires_at)?,
            term: term(extension.term)?,
            extra_days: extension.extra_days,
            anchor_day: extension.anchor_day.map(anchor_day).transpose()?,
        }),
        wit_commands::Operation::SetOnExpiry(to) => Operation::SetOnExpiry(on_expiry(to)),
        wit_commands::Operation::SetAutoRenew(to) => Operation::SetAutoRenew(AutoRenewal {
            term: to.term.map(term).transpose()?,
            renewals: to.renewals,
        }),
        wit_commands::Operation::EndSubscription(cancellation) => Operation::EndSubscription(Cancellation {
            scope: match cancellation.scope {
                wit_commands::Scope::Everything => Scope::All,
                wit_commands::Scope::FuturePeriods => Scope::Future,
            },
            expires_at: cancellation.expires_at.map(timestamp).transpose()?,
            refunds: cancellation.refunds.into_iter().map(refund).collect(),
        }),
        wit_commands::Operation::Convert(refunds) => {
            Operation::Convert(refunds.into_iter().map(refund).collect())
        }
        wit_commands::Operation::ChangeSpecification(specification) => {
            Operation::ChangeSpecification(Specification {
                attributes: specification.attributes.into_iter().collect(),
                price: Micros::new(specification.price),
                adjustments: specification
                    .adjustments
                    .into_iter()
                    .map(adjustment)
                    .collect::<Result<_, _>>()?,
            })
        }
        wit_commands::Operation::Subscribe(subscription) => Operation::Subscribe(Subscription {
            expires_at: timestamp(subscription.expires_at)?,
            term: term(subscription.term)?,
            extra_days: subscription.extra_days,
            anchor_day: anchor_day(subscription.anchor_day)?,
            price: Micros::new(subscription.price),
        }),
        wit_commands::Operation::Buy(details) => Operation::Buy(PurchaseDetails {
            pay_at: timestamp(details.pay_at)?,
            effective_at: timestamp(details.effective_at)?,
            expires_at: timestamp(details.expires_at)?,
            anchor_day: anchor_day(details.anchor_day)?,
        }),
        wit_commands::Operation::SetAttribute((name, value)) => Operation::SetAttribute(name, value),
    };
    Ok(Step { member: member(step.member), operation })
}

fn refund(refund: wit_commands::Refund) -> Refund {
    Refund {
        order: OrderIndex::new(place(refund.order)),
        amount: Micros::new(refund.amount),
        fee: Micros::new(refund.fee),
    }
}

fn adjustment(adjustment: wit_commands::Adjustment) -> Result<Adjustment, Problem> {
    Ok(Adjustment {
        starts_at: timestamp(adjustment.starts_at)?,
        ends_at: timestamp(adjustment.ends_at)?,
        amount: Micros::new(adjustment.amount),
        order: adjustment.order.map(|order| OrderIndex::new(place(order))),
    })
}

/// What a use takes of packages.
pub fn allocations(allocations: Vec<wit_usage::Allocation>) -> Vec<Allocation> {
    let allocation = |allocation: wit_usage::Allocation| Allocation {
        package: PackageIndex::new(place(allocation.package)),
        amount: Micros::new(allocation.amount),
        alert: match allocation.alert {
            wit_usage::Alert::None => Alert::None,
            wit_usage::Alert::Low => Alert::Low,
            wit_usage::Alert::Depleted => Alert::Depleted,
        },
    };
    allocations.into_iter().map(allocation).collect()
}

/// A length of time, which is some.
pub fn term(term: wit::Term) -> Result<Term, Problem> {
    let unit = match term.unit {
        wit::TermUnit::Day => TermUnit::Day,
        wit::TermUnit::Month => TermUnit::Month,
        wit::TermUnit::Year => TermUnit::Year,
    };
    Term::new(term.count, unit).ok_or_else(|| format!("a term of 0 {}s is no time at all", unit.name()))
}

/// An instant that the calendar has.
pub fn timestamp(seconds: i64) -> Result<Timestamp, Problem> {
    let timestamp = Timestamp::from_second(seconds);
    match timestamp.as_second() == seconds {
        true => Ok(timestamp),
        false => Err(format!("the instant {seconds} lies outside the years 1 to 9999")),
    }
}

fn anchor_day(day: u8) -> Result<u8, Problem> {
    match (1..=31).contains(&day) {
        true => Ok(day),
        false => Err(format!("{day} is not a day of a month")),
    }
}

fn stage(stage: wit::Stage) -> Stage {
    match stage {
        wit::Stage::Active => Stage::Active,
        wit::Stage::Grace => Stage::Grace,
        wit::Stage::Retention => Stage::Retention,
        wit::Stage::Released => Stage::Released,
        wit::Stage::Unsubscribed => Stage::Unsubscribed,
        wit::Stage::Converted => Stage::Converted,
    }
}

fn on_expiry(on_expiry: wit::OnExpiry) -> OnExpiry {
    match on_expiry {
        wit::OnExpiry::Lapse => OnExpiry::Lapse,
        wit::OnExpiry::Renew => OnExpiry::Renew,
        wit::OnExpiry::Convert => OnExpiry::Convert,
        wit::OnExpiry::Release => OnExpiry::Release,
    }
}

fn member(number: u32) -> MemberIndex {
    MemberIndex::new(place(number))
}

/// A place in a list, as lists here count.
pub fn place(number: u32) -> usize {
    usize::try_from(number).expect("the host has at least 32 bits")
}
