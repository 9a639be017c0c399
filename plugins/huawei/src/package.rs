//! Resource packages: renewal, purchase of another one, the refill of quotas, and the allocation of usage.
//!
//! Sources: Buying a Package Again (CCE Autopilot), and the package pages of CCE Autopilot (cce_03_0013) and of Log
//! Tank Service (lts_07_0003). Knows quotas; no prices.

use plugin_sdk::Alert;
use plugin_sdk::Allocation;
use plugin_sdk::Consumption;
use plugin_sdk::Micros;
use plugin_sdk::Operation;
use plugin_sdk::Package;
use plugin_sdk::Plan;
use plugin_sdk::Purchase;
use plugin_sdk::PurchaseDetails;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Step;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;

use crate::family::CALENDAR;
use crate::family::Family;
use crate::family::end;
use crate::family::is_live;
use crate::family::member_index;
use crate::refusals::BAD_PARAMETER;
use crate::refusals::Code;
use crate::refusals::UNKNOWN;
use crate::reset::REFILLS_MAX;
use crate::reset::boundaries;
use crate::reset::resets;
use crate::settings::PackageOrder;
use crate::settings::Settings;

/// Plans the purchase of another package like `named`. It takes effect when it is paid or at the chosen time, whichever
/// is later.
pub fn buy_again(
    at: Timestamp,
    bundle: &[Resource],
    named: usize,
    purchase: &Purchase,
) -> Result<Plan, Refusal> {
    let resource = &bundle[named];
    let term = may_be_bought_again(resource).map_err(Code::refusal)?;
    let pay_at = purchase.pay_at.unwrap_or(at);
    if pay_at < at {
        return Err(BAD_PARAMETER.because("a purchase is paid now or later: `pay_at` is in the past"));
    }
    // Paid later than the chosen time is in force on payment.
    let effective_at = purchase.effective_at.unwrap_or(pay_at).max(pay_at);
    let anchor_day = CALENDAR.day_of_month(effective_at);
    let last_day = CALENDAR.plus(effective_at, anchor_day, term);
    let expires_at = end(Family::Package, last_day);
    let buying = PurchaseDetails { pay_at, effective_at, expires_at, anchor_day };
    let steps = vec![Step { member: member_index(named), operation: Operation::Buy(buying) }];
    Ok(Plan { steps, skipped: Vec::new(), retry_now: None, pay_until: None })
}

/// The term of another package like this one, or why it is not sold.
fn may_be_bought_again(resource: &Resource) -> Result<Term, Code> {
    if Family::of(resource) != Family::Package {
        return Err(BAD_PARAMETER);
    }
    // One that ended can be bought again too: a purchase that was ordered before may be paid after it.
    let is_known = is_live(resource) || resource.stage == Stage::Released;
    resource.term.filter(|_| is_known).ok_or(UNKNOWN)
}

/// Whether a package can be renewed by this term: by whole periods of its own, so that each has a quota, and by at most
/// nine months when it was bought by the month.
pub(crate) fn renews_by(resource: &Resource, term: Term) -> bool {
    let Some(own) = resource.term else { return false };
    let fits = match (own.unit, term.unit) {
        (TermUnit::Month, TermUnit::Month) => term.count <= 9,
        (TermUnit::Year, TermUnit::Year) => true,
        (TermUnit::Day, _) | (_, TermUnit::Day) => false,
        // "Monthly packages can only be renewed by months."
        (TermUnit::Month, TermUnit::Year) | (TermUnit::Year, TermUnit::Month) => false,
    };
    fits && term.count.is_multiple_of(own.count.max(1))
}

/// When the quota of a package is refilled: at the beginning of each paid period after the present one and, for one whose
/// quota is reset, of each reset period.
pub fn refills(resource: &Resource, expires_at: Timestamp, after: Timestamp) -> Vec<Timestamp> {
    let periods = resource.term.filter(|own| own.count > 0);
    let mut refills = periods.map_or_else(Vec::new, |own| boundaries(resource, expires_at, after, own));
    refills.extend(resets(resource, expires_at, after));
    refills.sort_unstable();
    refills.dedup();
    refills.truncate(REFILLS_MAX);
    refills
}

/// Allocates a consumption to the packages in force at its time, in the account's order.
pub fn allocate(settings: &Settings, consumption: &Consumption) -> Vec<Allocation> {
    let mut left_to_cover = consumption.amount;
    let mut allocations = Vec::new();
    for (index, package) in in_turn(settings, consumption) {
        let left = package.quota - package.used;
        let amount = left.min(left_to_cover);
        if amount <= 0 {
            continue;
        }
        left_to_cover -= amount;
        allocations.push(Allocation {
            package: index,
            amount,
            alert: level(settings, package, left, left - amount),
        });
    }
    allocations
}

/// The packages in force, in the order of use.
fn in_turn<'a>(settings: &Settings, consumption: &'a Consumption) -> Vec<(u32, &'a Package)> {
    // The last second of a package is its own: what is used then is used before the clock ends it.
    let in_force = |package: &Package| {
        let ends_at = end(Family::Package, package.expires_at);
        package.bought_at <= consumption.at
            && package.starts_at <= consumption.at
            && consumption.at <= ends_at
    };
    let mut packages = (0..)
        .zip(&consumption.packages)
        .filter(|(_, package)| in_force(package))
        .collect::<Vec<(u32, &Package)>>();
    packages.sort_by_key(|(_, package)| (package.bought_at, package.expires_at));
    let by_expiry_from = match settings.package_order {
        PackageOrder::ExistingFirst => 1.min(packages.len()),
        PackageOrder::ExpiryFirst => 0,
    };
    packages[by_expiry_from..].sort_by_key(|(_, package)| (package.expires_at, package.bought_at));
    packages
}

/// The alert that this consumption causes.
fn level(settings: &Settings, package: &Package, before: Micros, after: Micros) -> Alert {
    if after == 0 {
        return Alert::Depleted;
    }
    let low = i128::from(package.quota) * i128::from(settings.package_low_percent) / 100;
    if i128::from(before) > low && i128::from(after) <= low { Alert::Low } else { Alert::None }
}
