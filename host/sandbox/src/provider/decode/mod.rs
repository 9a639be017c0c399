//! Decodes the contract's records to domain values. A value that the domain cannot hold is an error in words.
//!
//! Here is what timelines, plans and uses share; [`lists`] divides the flat lists of an answer among its requests.

pub(super) mod lists;
mod plans;
mod timelines;

use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Stage;
use perennial_domain::index::MemberIndex;
use perennial_domain::index::PackageIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Refusal;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::usage::Alert;
use perennial_domain::usage::Allocation;

use crate::provider::bindings::types as wit;
use crate::provider::bindings::usage as wit_usage;
use crate::provider::decode::lists::Items;
use crate::provider::decode::lists::Mismatch;
use crate::provider::decode::lists::check_count;

pub use lists::place;
pub use plans::plans;
pub use timelines::timelines;

/// Why a record is no domain value.
type Problem = String;

/// The provider says no.
pub fn refusal(refusal: wit::Refusal) -> Refusal {
    Refusal { code: refusal.code, message: refusal.message }
}

/// What each use takes of packages.
pub fn allocations(
    answer: wit_usage::Allocations,
    requests: usize,
) -> Result<Vec<Result<Vec<Allocation>, Problem>>, Mismatch> {
    check_count(answer.counts.len(), requests)?;
    let mut allocations = Items::of("allocations", answer.allocations);
    let own = |count| Ok(Ok(allocations.take(count)?.map(allocation).collect()));
    let divided = answer.counts.into_iter().map(own).collect::<Result<_, Mismatch>>()?;
    allocations.finish()?;
    Ok(divided)
}

fn allocation(allocation: wit_usage::Allocation) -> Allocation {
    Allocation {
        package: PackageIndex::new(place(allocation.package)),
        amount: Micros::new(allocation.amount),
        alert: match allocation.alert {
            wit_usage::Alert::None => Alert::None,
            wit_usage::Alert::Low => Alert::Low,
            wit_usage::Alert::Depleted => Alert::Depleted,
        },
    }
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
