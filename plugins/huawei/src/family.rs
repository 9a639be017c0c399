//! The resources of a bundle: the family of each kind, the attachments, and the expiry of each resource.

use chrono::NaiveDate;
use plugin_sdk::Charging;
use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::Calendar;
use plugin_sdk::settings::get;

/// Huawei Cloud's days: UTC+8.
pub const CALENDAR: Calendar = Calendar::ahead_of_utc(480);

/// The attribute with the day on which a resource that was pay-per-use was paid ahead, UTC+8, such as `2026-03-01`.
pub(crate) const PREPAID_SINCE: &str = "prepaid_since";

/// A family: the kinds that one set of rules applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Most kinds: servers, disks, networks, databases.
    Common,
    /// A bandwidth add-on package: as common kinds, except for unsubscription.
    BandwidthAddOn,
    /// A CodeArts package.
    CodeartsPackage,
    /// A CodeArts resource extension or value-added feature.
    CodeartsExtension,
    /// A resource package: a quota that usage is allocated to.
    Package,
}

impl Family {
    /// The family of a resource, by its kind.
    pub fn of(resource: &Resource) -> Family {
        match &*resource.kind {
            "bandwidth-add-on" => Family::BandwidthAddOn,
            "codearts-package" => Family::CodeartsPackage,
            "codearts-extension" => Family::CodeartsExtension,
            "package" => Family::Package,
            _ => Family::Common,
        }
    }

    /// Whether its periods end at 23:59:59 UTC+8 of their last day, at whatever time they began.
    pub(crate) fn ends_with_the_day(self) -> bool {
        match self {
            Family::Common | Family::BandwidthAddOn => false,
            Family::CodeartsPackage | Family::CodeartsExtension | Family::Package => true,
        }
    }
}

/// The end of a resource that is paid until `expires_at`: the end of that day, for some families.
pub fn end(family: Family, expires_at: Timestamp) -> Timestamp {
    if family.ends_with_the_day() { CALENDAR.end_of_day(expires_at) } else { expires_at }
}

/// When the resource expires; `None` if it never does, because it is pay-per-use or in a final stage.
pub fn expiry(resource: &Resource) -> Option<Timestamp> {
    match resource.expires_at {
        Some(expires_at) if is_live(resource) => Some(end(Family::of(resource), expires_at)),
        Some(_) | None => None,
    }
}

/// Whether it becomes pay-per-use when it expires. A resource of a kind without pay-per-use lapses, even when an
/// inventory sets it to convert.
pub(crate) fn will_convert(resource: &Resource) -> bool {
    let convertible = match Family::of(resource) {
        Family::Common => true,
        Family::BandwidthAddOn | Family::CodeartsPackage | Family::CodeartsExtension | Family::Package => {
            false
        }
    };
    convertible && resource.on_expiry == OnExpiry::Convert && resource.stage == Stage::Active
}

/// Whether it is a bandwidth, to which add-on packages can be attached.
pub(crate) fn is_bandwidth(resource: &Resource) -> bool {
    matches!(&*resource.kind, "bandwidth" | "shared-bandwidth")
}

/// The day from which it is paid ahead: that of the purchase of what was pay-per-use before, else that of its start.
pub(crate) fn prepaid_since(resource: &Resource) -> NaiveDate {
    let said = get(&resource.attributes, PREPAID_SINCE).and_then(|day| day.parse::<NaiveDate>().ok());
    said.unwrap_or_else(|| CALENDAR.date(resource.started_at))
}

/// Whether it is prepaid and in no final stage.
pub fn is_live(resource: &Resource) -> bool {
    resource.charging == Charging::Prepaid && !is_final(resource.stage)
}

/// Whether the stage is final.
pub fn is_final(stage: Stage) -> bool {
    match stage {
        Stage::Active | Stage::Grace | Stage::Retention => false,
        Stage::Released | Stage::Unsubscribed | Stage::Converted => true,
    }
}

/// The nearest live resource that `member` is attached to, directly or through others; `None` if `member` is its own
/// primary.
///
/// A disk of a server that is pay-per-use or gone is renewed on its own, because there is nothing to renew it with.
pub fn lead(bundle: &[Resource], member: usize) -> Option<usize> {
    leads(bundle, member).next()
}

/// Every live resource that `member` is attached to, the nearest first: a renewal of any of them renews it too.
pub fn leads(bundle: &[Resource], member: usize) -> impl Iterator<Item = usize> {
    let above = std::iter::successors(parent(bundle, member), |&here| parent(bundle, here));
    above.filter(|&here| is_live(&bundle[here]))
}

/// The primary that `member` follows, or itself.
pub fn primary(bundle: &[Resource], member: usize) -> usize {
    leads(bundle, member).last().unwrap_or(member)
}

/// Whether `member` is `top` or attached to it, directly or through others.
pub(crate) fn is_within(bundle: &[Resource], top: usize, member: usize) -> bool {
    let mut index = Some(member);
    while let Some(here) = index {
        if here == top {
            return true;
        }
        index = parent(bundle, here);
    }
    false
}

/// `top` and everything attached to it, in the order of the bundle.
pub fn within(bundle: &[Resource], top: usize) -> impl Iterator<Item = usize> {
    (0..bundle.len()).filter(move |&member| is_within(bundle, top, member))
}

fn parent(bundle: &[Resource], member: usize) -> Option<usize> {
    bundle[member].attached_to.map(|index| index as usize)
}

/// A member's index in the type of the contract.
pub(crate) fn member_index(member: usize) -> u32 {
    u32::try_from(member).expect("a bundle came over the contract, which counts its members in 32 bits")
}
