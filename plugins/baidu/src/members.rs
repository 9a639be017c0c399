//! Reading one resource of a bundle.
//!
//! Knows what its fields and attributes mean at Baidu; decides nothing.

use plugin_sdk::Charging;
use plugin_sdk::MemberIndex;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::Timestamp;
use plugin_sdk::settings::get;

use crate::refusals::Code;

/// What a server or service does: `running`, `stopped` or `scaling`.
pub const STATUS: &str = "status";
/// `true` for an instance on a dedicated host.
pub const DEDICATED: &str = "dedicated";
/// `false` when an instance's auto-renew rule leaves its disks alone, or a disk stays out of its instance's rule.
pub const RENEW_CDS: &str = "renewCds";
/// `false` when an instance's auto-renew rule leaves its addresses alone, or an address stays out of the rule.
pub const RENEW_EIP: &str = "renewEip";

/// Whether nothing happens to it any more.
pub fn is_final(resource: &Resource) -> bool {
    match resource.stage {
        Stage::Released | Stage::Unsubscribed | Stage::Converted => true,
        Stage::Active | Stage::Grace | Stage::Retention => false,
    }
}

/// Whether it has entered what comes after its expiry, and is not gone yet.
pub fn has_lapsed(resource: &Resource) -> bool {
    match resource.stage {
        Stage::Grace | Stage::Retention => true,
        Stage::Active | Stage::Released | Stage::Unsubscribed | Stage::Converted => false,
    }
}

/// Whether it is being scaled.
pub fn is_scaling(resource: &Resource) -> bool {
    get(&resource.attributes, STATUS) == Some("scaling")
}

/// Whether it is an instance on a dedicated host.
pub fn is_dedicated(resource: &Resource) -> bool {
    get(&resource.attributes, DEDICATED) == Some("true")
}

/// Whether the attribute says `false`; one that is not there says `true`.
pub fn is_off(resource: &Resource, attribute: &str) -> bool {
    get(&resource.attributes, attribute) == Some("false")
}

/// Everything a bundle's member attached directly to `primary`, with its place.
pub fn attached(bundle: &[Resource], primary: MemberIndex) -> impl Iterator<Item = (MemberIndex, &Resource)> {
    (0..).zip(bundle).filter(move |(_, resource)| resource.attached_to == Some(primary))
}

/// What a prepaid resource that still exists was bought for and until when.
#[derive(Clone, Copy, Debug)]
pub struct Subscription {
    /// When it expires, or expired.
    pub expires_at: Timestamp,
    /// The day of the month that periods are counted from, 1 to 31.
    pub anchor_day: u8,
    /// The period it was bought for.
    pub term: Term,
}

impl Subscription {
    /// The subscription of a resource that commands can be given for.
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
