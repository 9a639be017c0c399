//! Changes of specification: what the rest of a resource's time costs more, or gives back; and what a resource that was
//! pay-per-use costs ahead.
//!
//! Source: "Pricing of a Changed Specification" of the billing centre's manual (renewals_topic_60000001): the difference of
//! the prices for what remains, counted in the months of the calendar for monthly subscriptions and in years of 365 days for
//! yearly ones, without the day of the change. Knows the prices that the command comes with, and no others.

use chrono::Datelike;
use chrono::NaiveDate;
use plugin_sdk::Adjustment;
use plugin_sdk::Change;
use plugin_sdk::Charging;
use plugin_sdk::Micros;
use plugin_sdk::Operation;
use plugin_sdk::Order;
use plugin_sdk::OrderKind;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Specification;
use plugin_sdk::Stage;
use plugin_sdk::Step;
use plugin_sdk::Subscribe;
use plugin_sdk::Subscription;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;

use crate::condition::refuses;
use crate::family::CALENDAR;
use crate::family::Family;
use crate::family::PREPAID_SINCE;
use crate::family::expiry;
use crate::family::is_live;
use crate::family::member_index;
use crate::payment;
use crate::refund::Payment;
use crate::refusals::BAD_PARAMETER;
use crate::refusals::EXPIRED_FOR_CHANGE;
use crate::refusals::PREPAID_ALREADY;
use crate::refusals::UNKNOWN;
use crate::renewal::is_sold;
use crate::renewal::not_sold;
use crate::settings::Settings;

/// Amounts are whole hundredths of the currency.
const HUNDREDTH: i128 = 10_000;

/// Parts of a month in which a day of any month is a whole number: 28, 29, 30 and 31 divide it.
const MONTH_PARTS: i128 = 377_580;

/// Parts of a year: the days of one that has no 29 February.
const YEAR_PARTS: i128 = 365;

/// Plans another specification for `named` alone: what is attached to it has one of its own.
pub fn change(
    settings: &Settings,
    request: &PlanRequest,
    named: usize,
    change: &Change,
) -> Result<Plan, Refusal> {
    let resource = &request.bundle[named];
    let pay_until = payment::pay_until(settings, request.at, &change.options)?;
    may_change(resource, change)?;
    let (Some(expires_at), Some(present)) = (expiry(resource), change.present_price) else {
        return Err(UNKNOWN.refusal());
    };
    if request.at > expires_at {
        return Err(EXPIRED_FOR_CHANGE.refusal());
    }
    let difference = i128::from(change.price) - i128::from(present);
    let mut adjustments = Vec::new();
    for (starts_at, ends_at) in periods(request, named, expires_at) {
        let amount = amount_between(resource, difference, request.at, starts_at, ends_at);
        if amount >= 0 {
            let order = covering(request, named, starts_at).next().map(|(index, _)| index);
            adjustments.push(Adjustment { starts_at, ends_at, amount, order });
        } else {
            let given = given_back(settings, request, named, (starts_at, ends_at), -amount, &adjustments);
            adjustments.extend(given);
        }
    }
    let costs = adjustments.iter().any(|adjustment| adjustment.amount > 0);
    let specification =
        Specification { attributes: change.attributes.clone(), price: change.price, adjustments };
    let operation = Operation::ChangeSpecification(specification);
    let steps = vec![Step { member: member_index(named), operation }];
    // Nobody waits for money that comes back.
    Ok(Plan { steps, skipped: Vec::new(), retry_now: None, pay_until: pay_until.filter(|_| costs) })
}

/// Whether this resource can get this specification.
fn may_change(resource: &Resource, change: &Change) -> Result<(), Refusal> {
    if !is_live(resource) {
        return Err(UNKNOWN.refusal());
    }
    // A package is bought with one specification, and CodeArts is not sold by size; an add-on has that of its bandwidth.
    let has_specification = Family::of(resource) == Family::Common;
    let is_change = !change.attributes.is_empty() || change.present_price != Some(change.price);
    let problem = match (has_specification, is_change) {
        (false, _) => Some("what is of this kind has no specification that can be changed"),
        (true, false) => Some("nothing would change: name an attribute, or another price"),
        (true, true) => (change.price < 0).then_some("`price` is negative"),
    };
    if let Some(problem) = problem {
        return Err(BAD_PARAMETER.because(problem));
    }
    // No page lists the refusals of a change; an unfinished order and a frozen account stop it as they stop a renewal.
    if let Some(code) = refuses(resource, |known| known.renew) {
        return Err(code.refusal());
    }
    if resource.stage == Stage::Active { Ok(()) } else { Err(EXPIRED_FOR_CHANGE.refusal()) }
}

/// The rest of each period until `expires_at`, cut where an order of the member begins, and where one ends: time that was
/// not paid for here gives nothing back.
fn periods(request: &PlanRequest, named: usize, expires_at: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let bounds = paid(request, named).flat_map(|(_, order)| [order.starts_at, order.ends_at]);
    let mut cuts = bounds.filter(|&at| request.at < at && at < expires_at).collect::<Vec<_>>();
    cuts.extend([request.at, expires_at]);
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2).map(|cut| (cut[0], cut[1])).collect()
}

/// What `difference`, of the price of one term, comes to from one instant to another, both after the change at `at`. Sums are
/// rounded, so that the parts of a whole come to it.
fn amount_between(
    resource: &Resource,
    difference: i128,
    at: Timestamp,
    from: Timestamp,
    to: Timestamp,
) -> Micros {
    let until = |instant| {
        let term = resource.term.map_or(1, |term| i128::from(term.count.max(1)));
        let (left, parts) = match resource.term.map(|term| term.unit) {
            Some(TermUnit::Year) => (days_left(at, instant, true), YEAR_PARTS),
            Some(TermUnit::Month) | None => (month_parts_left(at, instant), MONTH_PARTS),
            Some(TermUnit::Day) => (days_left(at, instant, false), 1),
        };
        let (whole, divisor) = (difference * left, parts * term * HUNDREDTH);
        // To the nearest hundredth.
        (whole * 2 + divisor * whole.signum()) / (divisor * 2) * HUNDREDTH
    };
    Micros::try_from(until(to) - until(from)).unwrap_or(Micros::MAX)
}

/// The days after the day of `at` to the last one before `until`, each as the part of its month that it is. The instant of an
/// expiry is no time of use: what ends at midnight ends with the day before.
fn month_parts_left(at: Timestamp, until: Timestamp) -> i128 {
    // How much of its month is over at the end of a day, and how many months were before that one.
    let over = |date: NaiveDate| {
        let months = i128::from(date.year()) * 12 + i128::from(date.month0());
        let days = i128::from(date.day()) * MONTH_PARTS / i128::from(date.num_days_in_month());
        months * MONTH_PARTS + days
    };
    (over(CALENDAR.date(until - 1)) - over(CALENDAR.date(at))).max(0)
}

/// The days after the day of `at` to the last one before `until`; a 29 February is none of a year's.
fn days_left(at: Timestamp, until: Timestamp, is_year: bool) -> i128 {
    let (from, to) = (CALENDAR.date(at), CALENDAR.date(until - 1));
    let days = i128::from((to - from).num_days());
    if !is_year {
        return days.max(0);
    }
    let leap_days = (from.year()..=to.year())
        .filter_map(|year| NaiveDate::from_ymd_opt(year, 2, 29))
        .filter(|day| from < *day && *day <= to);
    let leap_days = i128::try_from(leap_days.count()).unwrap_or_default();
    (days - leap_days).max(0)
}

/// The orders that paid for periods of this member, or for its upgrades, each with its index.
fn paid(request: &PlanRequest, named: usize) -> impl Iterator<Item = (u32, &Order)> {
    let member = member_index(named);
    let is_paid = move |order: &Order| order.member == member && order.kind != OrderKind::Downgrade;
    (0..).zip(&request.orders).filter(move |(_, order)| is_paid(order))
}

/// Those that paid for `at`: what the period was bought with first, then its upgrades.
fn covering(request: &PlanRequest, named: usize, at: Timestamp) -> impl Iterator<Item = (u32, &Order)> {
    let mut covering = paid(request, named)
        .filter(|(_, order)| order.starts_at <= at && at < order.ends_at)
        .collect::<Vec<_>>();
    covering.sort_by_key(|(_, order)| (order.kind == OrderKind::Upgrade, order.paid_at));
    covering.into_iter()
}

/// `amount` given back for a period, of the orders that paid for it: of each no more than an unsubscription would count as
/// left of it, less what `adjustments` of this change give back of it already.
fn given_back(
    settings: &Settings,
    request: &PlanRequest,
    named: usize,
    (starts_at, ends_at): (Timestamp, Timestamp),
    mut amount: Micros,
    adjustments: &[Adjustment],
) -> Vec<Adjustment> {
    let mut given = Vec::new();
    for (index, _) in covering(request, named, starts_at) {
        let payment = Payment::of(&request.bundle[named], &request.orders, index as usize);
        let before =
            adjustments.iter().filter(|one| one.order == Some(index)).map(|one| one.amount).sum::<Micros>();
        let left = payment.left(settings, starts_at).min(payment.left(settings, request.at) + before);
        let left = Micros::try_from(i128::from(left) / HUNDREDTH * HUNDREDTH).unwrap_or_default();
        let part = amount.min(left);
        if part > 0 {
            amount -= part;
            given.push(Adjustment { starts_at, ends_at, amount: -part, order: Some(index) });
        }
    }
    given
}

/// Plans that a pay-per-use resource is paid ahead for a term, to the end of its last day: "Pay-per-Use to Yearly/Monthly" of
/// the billing centre's manual, and the periods in the examples of "Unsubscription Rules" (en-us_topic_0083138805). What it
/// costs has to be said: the host knows no price lists.
pub fn subscribe(
    settings: &Settings,
    at: Timestamp,
    bundle: &[Resource],
    named: usize,
    subscribe: &Subscribe,
) -> Result<Plan, Refusal> {
    let resource = &bundle[named];
    let pay_until = payment::pay_until(settings, at, &subscribe.options)?;
    match resource.stage {
        Stage::Released | Stage::Unsubscribed => return Err(UNKNOWN.refusal()),
        Stage::Active | Stage::Grace | Stage::Retention | Stage::Converted => {}
    }
    if resource.charging == Charging::Prepaid {
        return Err(PREPAID_ALREADY.refusal());
    }
    if let Some(code) = refuses(resource, |known| known.renew) {
        return Err(code.refusal());
    }
    let family = Family::of(resource);
    let sold = subscribe.term.filter(|term| family != Family::Package && is_sold(resource, *term));
    let Some(term) = sold else { return Err(not_sold(resource)) };
    let Some(price) = subscribe.price else {
        return Err(BAD_PARAMETER.because("the price of a term is missing: `price`"));
    };
    let anchor_day = CALENDAR.day_of_month(at);
    // A first period has what is left of its first day besides: it ends with a day.
    let expires_at = CALENDAR.end_of_day(CALENDAR.plus(at, anchor_day, term));
    let operations = [
        Operation::Subscribe(Subscription { expires_at, term, extra_days: 0, anchor_day, price }),
        Operation::SetAttribute((PREPAID_SINCE.to_owned(), CALENDAR.date(at).to_string())),
    ];
    let member = member_index(named);
    let steps = operations.into_iter().map(|operation| Step { member, operation }).collect();
    Ok(Plan { steps, skipped: Vec::new(), retry_now: None, pay_until })
}
