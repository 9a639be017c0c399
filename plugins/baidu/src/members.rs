//! Reads the fields and attributes of a bundle's resources; decides nothing.

use plugin_sdk::Charging;
use plugin_sdk::MemberIndex;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::Timestamp;
use plugin_sdk::settings::get;

use crate::refusals::Code;

/// The attribute with the state of a server or a service: `running`, `stopped` or `scaling`.
pub const STATUS: &str = "status";
/// The attribute that is `true` for an instance on a dedicated host.
pub(crate) const DEDICATED: &str = "dedicated";
/// The attribute that is `false` when an instance's auto-renew rule excludes its disks, or the disk that has it.
pub(crate) const RENEW_CDS: &str = "renewCds";
/// The attribute that is `false` when an instance's auto-renew rule excludes its addresses, or the address that has it.
pub(crate) const RENEW_EIP: &str = "renewEip";

/// The attribute that is `1` (or `true`) for an instance that is not to be released.
pub(crate) const DELETION_PROTECTION: &str = "deletionProtection";
/// The attribute that is `true` when the early release of an instance takes its addresses and pay-as-you-go disks along.
pub(crate) const RELATED_RELEASE: &str = "relatedReleaseFlag";

/// The attribute with the price of one month, in the account's currency, for when the resource becomes prepaid.
pub(crate) const MONTHLY_PRICE: &str = "monthlyPrice";

/// Whether it is in a final stage, and so never changes again.
pub fn is_final(resource: &Resource) -> bool {
    match resource.stage {
        Stage::Released | Stage::Unsubscribed | Stage::Converted => true,
        Stage::Active | Stage::Grace | Stage::Retention => false,
    }
}

/// Whether it is in a stage after its expiry, and not gone.
pub(crate) fn has_lapsed(resource: &Resource) -> bool {
    match resource.stage {
        Stage::Grace | Stage::Retention => true,
        Stage::Active | Stage::Released | Stage::Unsubscribed | Stage::Converted => false,
    }
}

/// Whether it is being scaled.
pub(crate) fn is_scaling(resource: &Resource) -> bool {
    get(&resource.attributes, STATUS) == Some("scaling")
}

/// Whether it is an instance on a dedicated host.
pub(crate) fn is_dedicated(resource: &Resource) -> bool {
    get(&resource.attributes, DEDICATED) == Some("true")
}

/// Whether it is an instance that is protected from being released.
pub(crate) fn is_protected(resource: &Resource) -> bool {
    matches!(get(&resource.attributes, DELETION_PROTECTION), Some("1" | "true"))
}

/// Whether the early release of this instance takes its addresses and pay-as-you-go disks along.
pub(crate) fn releases_related(resource: &Resource) -> bool {
    get(&resource.attributes, RELATED_RELEASE) == Some("true")
}

/// Whether the attribute is `false`; an absent one counts as `true`.
pub fn is_off(resource: &Resource, attribute: &str) -> bool {
    get(&resource.attributes, attribute) == Some("false")
}

/// The members attached directly to `primary`, with their indexes.
pub fn attached(bundle: &[Resource], primary: MemberIndex) -> impl Iterator<Item = (MemberIndex, &Resource)> {
    (0..).zip(bundle).filter(move |(_, resource)| resource.attached_to == Some(primary))
}

/// The subscription of a prepaid resource that still exists.
#[derive(Clone, Copy, Debug)]
pub struct Subscription {
    /// Its expiry, which may have passed.
    pub expires_at: Timestamp,
    /// The day of the month that periods are counted from, 1 to 31.
    pub anchor_day: u8,
    /// The period it was bought for.
    pub term: Term,
}

impl Subscription {
    /// The subscription of a resource, if commands are possible on it.
    ///
    /// # Errors
    ///
    /// `NoSuchObject` when it was released or unsubscribed, `OperationDenied` when it is pay-as-you-go.
    pub fn of(resource: &Resource) -> Result<Subscription, Refusal> {
        let id = &resource.id;
        match resource.stage {
            Stage::Released => return Err(Code::NoSuchObject.because(format!("`{id}` was released"))),
            Stage::Unsubscribed => return Err(Code::NoSuchObject.because(format!("`{id}` was unsubscribed"))),
            Stage::Converted => return Err(pay_as_you_go(id)),
            Stage::Active | Stage::Grace | Stage::Retention => {}
        }
        match resource.charging {
            Charging::Postpaid => Err(pay_as_you_go(id)),
            Charging::Prepaid => Ok(Subscription {
                expires_at: resource.expires_at.expect("a prepaid resource expires"),
                anchor_day: resource.anchor_day.expect("a prepaid resource has an anchor"),
                term: resource.term.expect("a prepaid resource was bought for a term"),
            }),
        }
    }
}

fn pay_as_you_go(id: &str) -> Refusal {
    Code::OperationDenied.because(format!("`{id}` is pay-as-you-go; only prepaid resources have periods"))
}
