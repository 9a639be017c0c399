//! Which packages are at risk: those that end soon or are used up, and that no other package follows. Reads the list of the
//! API; shows nothing.

use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use serde_json::Value;

use crate::console::danger::Danger;
use crate::console::danger::WEEK;
use crate::console::parts::micros;
use crate::console::parts::plain;

/// The danger of each of `packages`, the active ones of the API's list, that is in one.
pub(super) fn of(packages: &[Value], now: Timestamp) -> impl Iterator<Item = (Danger, &Value)> {
    packages.iter().filter_map(move |package| {
        let danger = danger_of(package, now)?;
        let is_followed = packages.iter().any(|other| {
            is_alike(other, package) && other["id"] != package["id"] && danger_of(other, now).is_none()
        });
        (!is_followed).then_some((danger, package))
    })
}

/// The danger of a package that is alone: one that ends soon is lost whole, one that is used up only covers nothing.
fn danger_of(package: &Value, now: Timestamp) -> Option<Danger> {
    let ends_at = plain(package, "expires_at").parse::<Timestamp>().ok();
    if plain(package, "on_expiry") == "lapse" && ends_at.is_some_and(|at| at < now + WEEK) {
        return Some(Danger::PackageEnding);
    }
    (micros(&package["package"]["left"]) == Some(Micros::default())).then_some(Danger::PackageUsedUp)
}

/// Whether two packages cover the same use.
fn is_alike(one: &Value, other: &Value) -> bool {
    one["account"] == other["account"] && one["package"]["resource_type"] == other["package"]["resource_type"]
}
