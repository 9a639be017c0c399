//! The rules of three shipped scripts in Rust: what scripts are compared with.

use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::policy::Calendar;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::timestamp::Timestamp;

const LIMIT: Micros = Micros::new(500_000_000);
const FROZEN_DAYS: i64 = 3;
const DAY: i64 = 86_400;
/// The provider's days, in seconds ahead of UTC.
const OFFSET: i64 = 480 * 60;

/// How many of these plans all three rules approve of.
pub fn approved(plans: &[&PlanFacts], calendars: &[Calendar]) -> usize {
    let is_approved =
        |plan: &&&PlanFacts| is_small(plan) && is_running(plan) && !is_frozen(plan.at, calendars);
    plans.iter().filter(is_approved).count()
}

/// The rule of `approve-above.rhai`.
fn is_small(plan: &PlanFacts) -> bool {
    plan.cost.is_some_and(|cost| cost <= LIMIT)
}

/// The rule of `no-stopped.rhai`.
fn is_running(plan: &PlanFacts) -> bool {
    let (primary, _) = &plan.members[0];
    let status = primary.attributes.get("status").map_or("unknown", String::as_str);
    plan.cause == Cause::Command
        || !status.eq_ignore_ascii_case("stopped")
        || primary.tags.get("env").is_some_and(|env| env == "prod")
}

/// `freeze-month-end.rhai`, of a plan at an instant that is not put off.
fn is_frozen(at: Timestamp, calendars: &[Calendar]) -> bool {
    let day = |at: Timestamp| (at.as_second() + OFFSET).div_euclid(DAY);
    let next_month = (at.month_start(480) + 32 * DAY).month_start(480);
    let today = day(at);
    let is_in = |(first, last): &(i32, i32)| (i64::from(*first)..=i64::from(*last)).contains(&today);
    let freeze = calendars.iter().find(|calendar| calendar.name == "freeze");
    day(next_month - 1) - today < FROZEN_DAYS || freeze.is_some_and(|freeze| freeze.days.iter().any(is_in))
}
