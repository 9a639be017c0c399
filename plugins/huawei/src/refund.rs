//! The refund of one order: what of its payment was consumed, what is kept as a fee, and what goes back.
//!
//! Sources: "Unsubscription Rules" of the billing centre's manual in its editions of 2024 and 2025
//! (en-us_topic_0083138805), "Fields Involved in Unsubscription" (unsubscription_topic_2000009), and "5-Day
//! Unconditional Full Refund". Knows what was paid, what downgrades gave back of it, and the period; posts nothing.

use plugin_sdk::Micros;
use plugin_sdk::Order;
use plugin_sdk::OrderKind;
use plugin_sdk::Resource;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;

use crate::family::CALENDAR;
use crate::family::prepaid_since;
use crate::settings::HandlingFee;
use crate::settings::RefundCounts;
use crate::settings::Settings;

/// Refunds are whole hundredths of the currency.
const HUNDREDTH: i128 = 10_000;

/// Seconds of an hour.
const HOUR: Timestamp = 3600;

/// Shares are counted in these parts of a millionth, so that several of them add up to the whole.
const SHARE_PARTS: i128 = 1_000_000;

/// What becomes of what stayed paid of an order. The three add up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    /// What goes back, in whole hundredths.
    pub refund: Micros,
    /// What is kept as a handling fee, in whole hundredths.
    pub fee: Micros,
    /// What was consumed.
    pub consumed: Micros,
}

/// The payment of an order, with what else decides on its refund.
#[derive(Debug)]
pub struct Payment<'a> {
    order: &'a Order,
    /// What downgrades gave back of it before.
    reductions: Vec<&'a Order>,
    /// The purchase or renewal that paid for its time: the order itself, but of an upgrade the one whose price it changed.
    subscription: &'a Order,
    resource: &'a Resource,
}

impl<'a> Payment<'a> {
    /// The payment of the order at `index` of `orders`, which is one of `resource`'s and no downgrade.
    pub fn of(resource: &'a Resource, orders: &'a [Order], index: usize) -> Payment<'a> {
        let order = &orders[index];
        let reduces = |other: &&Order| other.reduces.is_some_and(|reduced| reduced as usize == index);
        let pays_for_it = |other: &&Order| {
            let is_base = matches!(other.kind, OrderKind::Purchase | OrderKind::Renewal);
            let covers = other.starts_at <= order.starts_at && order.starts_at < other.ends_at;
            is_base && other.member == order.member && covers
        };
        let base = orders.iter().find(pays_for_it).filter(|_| order.kind == OrderKind::Upgrade);
        Payment {
            order,
            reductions: orders.iter().filter(reduces).collect(),
            subscription: base.unwrap_or(order),
            resource,
        }
    }

    /// Divides what stayed paid of the order, when it is unsubscribed from at `at`.
    ///
    /// Everything goes back before the period begins, and within the days of full refund of a new purchase. Nothing does
    /// when it is over. In between, the refund is what is left less the handling fee, a share of what stayed paid, and
    /// never below zero.
    pub fn divide(&self, settings: &Settings, at: Timestamp) -> Division {
        let stayed = self.stayed();
        if self.order.ends_at <= at {
            return Division { refund: 0, fee: 0, consumed: micros(stayed) };
        }
        if self.order.starts_at > at || self.is_new(settings, at) {
            return Division { refund: micros(stayed), fee: 0, consumed: 0 };
        }
        let left = i128::from(self.left(settings, at));
        let fee = (stayed * i128::from(self.fee_percent(settings, at)) / 100).min(left);
        let (refund, fee) = (whole_hundredths(left - fee), whole_hundredths(fee));
        Division { refund: micros(refund), fee: micros(fee), consumed: micros(stayed - refund - fee) }
    }

    /// What of the payment is neither consumed at `at` nor was given back: its share, less the shares of the reductions,
    /// from nothing to what stayed paid.
    pub(crate) fn left(&self, settings: &Settings, at: Timestamp) -> Micros {
        if self.order.ends_at <= at {
            return 0;
        }
        let share = |order: &Order| {
            let begins = if self.is_first(order) { order.starts_at } else { order.starts_at + 1 };
            let (unused, all) = unused(settings.refund_counts, at, begins, order);
            i128::from(order.paid) * SHARE_PARTS * unused / all
        };
        let reduced = self.reductions.iter().map(|reduction| share(reduction)).sum::<i128>();
        micros(((share(self.order) + reduced) / SHARE_PARTS).clamp(0, self.stayed()))
    }

    /// The payment less what downgrades gave back of it.
    fn stayed(&self) -> i128 {
        let given_back = self.reductions.iter().map(|reduction| i128::from(reduction.paid)).sum::<i128>();
        (i128::from(self.order.paid) + given_back).max(0)
    }

    /// Whether an order paid for the first period of what was bought, or paid ahead, on that day. Every other period follows one
    /// that ends with the second at which it starts, or is the rest of one after a change.
    fn is_first(&self, order: &Order) -> bool {
        order.kind == OrderKind::Purchase && CALENDAR.date(order.starts_at) == prepaid_since(self.resource)
    }

    /// Whether it is a new purchase within the days of full refund. They count from provisioning, of what was newly bought:
    /// a renewal is no purchase, nor is an upgrade.
    fn is_new(&self, settings: &Settings, at: Timestamp) -> bool {
        let ends_at = self.resource.started_at.saturating_add(settings.full_refund_seconds);
        self.order.kind == OrderKind::Purchase && at < ends_at
    }

    /// The handling fee while the order runs, in percent of what stayed paid. The manual's goes by the length and the years
    /// of the subscription, also for an upgrade within it.
    fn fee_percent(&self, settings: &Settings, at: Timestamp) -> i64 {
        if let HandlingFee::Percent(percent) = settings.handling_fee {
            return percent;
        }
        let Order { starts_at, ends_at, .. } = *self.subscription;
        let began_on = CALENDAR.day_of_month(starts_at);
        let is_last_of_month = CALENDAR.day_of_month(starts_at + DAY) == 1;
        // A period that begins on 28 February may be counted from the 31st: its years then end on a 29th, where there is one.
        let anchor_day =
            self.resource.anchor_day.filter(|_| is_last_of_month).unwrap_or(began_on).max(began_on);
        let after = |years, day| CALENDAR.plus(starts_at, day, Term { count: years, unit: TermUnit::Year });
        if ends_at < after(2, began_on) {
            return 10;
        }
        if at <= after(1, anchor_day) {
            15
        } else if at <= after(2, anchor_day) {
            10
        } else {
            5
        }
    }
}

fn whole_hundredths(amount: i128) -> i128 {
    amount / HUNDREDTH * HUNDREDTH
}

fn micros(amount: i128) -> Micros {
    Micros::try_from(amount).expect("no more than was paid")
}

/// The units of the period that are not used, and all of them, which is at least 1. `begins` is its first second.
fn unused(counts: RefundCounts, at: Timestamp, begins: Timestamp, order: &Order) -> (i128, i128) {
    // A period that ends with the last second of an hour or a day has all of it, and the next one begins after it.
    let ends = order.ends_at + 1;
    let (unused, all) = match counts {
        RefundCounts::Hours => {
            let hour = |at: Timestamp| at.div_euclid(HOUR);
            (hour(ends) - hour(at).max(hour(begins)), hour(ends) - hour(begins))
        }
        RefundCounts::Days => {
            let all = CALENDAR.days_between(begins, ends);
            (all.min(CALENDAR.days_between(at, ends)), all)
        }
        RefundCounts::WholeUnusedDays => {
            // A period that began at noon and ends with its last day has one more day than midnights.
            ((order.ends_at - at) / DAY, (order.ends_at - order.starts_at + DAY - 1) / DAY)
        }
    };
    let all = i128::from(all.max(1));
    (i128::from(unused).clamp(0, all), all)
}
