//! The refund of one order: what of its payment was consumed, what is kept as a fee, and what goes back.
//!
//! Sources: "Unsubscription Rules" of the billing centre's manual in its editions of 2024 and 2025
//! (en-us_topic_0083138805), "Fields Involved in Unsubscription" (unsubscription_topic_2000009), and "5-Day
//! Unconditional Full Refund". Knows the amount paid and the period; posts nothing.

use plugin_sdk::Micros;
use plugin_sdk::Order;
use plugin_sdk::OrderKind;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;

use crate::family::CALENDAR;
use crate::settings::HandlingFee;
use crate::settings::RefundCounts;
use crate::settings::Settings;

/// Refunds are whole hundredths of the currency.
const HUNDREDTH: i128 = 10_000;

/// Seconds of an hour.
const HOUR: Timestamp = 3600;

/// What becomes of a payment. The three add up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    /// What goes back, in whole hundredths.
    pub refund: Micros,
    /// What is kept as a handling fee.
    pub fee: Micros,
    /// What was consumed.
    pub consumed: Micros,
}

/// Divides the payment of an order of a resource that was provisioned at `started_at`, when it is unsubscribed from at
/// `at`.
///
/// Everything goes back before the period begins, and within the days of full refund of a new purchase. Nothing does
/// when it is over. In between, the refund is the payment less what was consumed and less the handling fee, a share of
/// the payment, and never below zero.
pub fn divide(settings: &Settings, at: Timestamp, order: &Order, started_at: Timestamp) -> Division {
    if order.ends_at <= at {
        return Division { refund: 0, fee: 0, consumed: order.paid };
    }
    // The five days count from provisioning, of what was newly bought: a renewal is no purchase.
    let is_new =
        order.kind == OrderKind::Purchase && at < started_at.saturating_add(settings.full_refund_seconds);
    if order.starts_at > at || is_new {
        return Division { refund: order.paid, fee: 0, consumed: 0 };
    }
    let (unused, all) = unused(settings.refund_counts, at, order);
    let paid = i128::from(order.paid);
    let left = paid * unused / all;
    let fee = (paid * i128::from(fee_percent(settings, at, order)) / 100).min(left);
    let refund = (left - fee) / HUNDREDTH * HUNDREDTH;
    let micros = |amount: i128| Micros::try_from(amount).expect("no more than was paid");
    Division { refund: micros(refund), fee: micros(fee), consumed: micros(paid - refund - fee) }
}

/// The units of the period that are not used, and all of them, which is at least 1.
fn unused(counts: RefundCounts, at: Timestamp, order: &Order) -> (i128, i128) {
    // A period that ends with the last second of an hour or a day has all of it, and the next one begins after it.
    let (begins, ends) = (order.starts_at + 1, order.ends_at + 1);
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

/// The handling fee of a running order, in percent of its payment.
fn fee_percent(settings: &Settings, at: Timestamp, order: &Order) -> i64 {
    if let HandlingFee::Percent(percent) = settings.handling_fee {
        return percent;
    }
    let began_on = CALENDAR.day_of_month(order.starts_at);
    let after = |years| CALENDAR.plus(order.starts_at, began_on, Term { count: years, unit: TermUnit::Year });
    if order.ends_at < after(2) || (after(1) < at && at <= after(2)) {
        10
    } else if at <= after(1) {
        15
    } else {
        5
    }
}
