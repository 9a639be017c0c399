//! Which attached disks and addresses an instance's automatic renewal takes along.
//!
//! An auto-renew rule of an instance covers its prepaid data disks and addresses unless it says otherwise. Knows who
//! follows whom and why not; not when a renewal is tried, nor how far it reaches.

use plugin_sdk::Charging;
use plugin_sdk::MemberIndex;
use plugin_sdk::OnExpiry;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Stage;

use crate::kinds::Kind;
use crate::members::RENEW_CDS;
use crate::members::RENEW_EIP;
use crate::members::is_final;
use crate::members::is_off;
use crate::refusals::Code;

/// Why an attached member does not go along with its instance's automatic renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// A rule covers disks and addresses only.
    OtherKind,
    /// It was released, unsubscribed or converted.
    Gone,
    /// It is pay-as-you-go.
    Postpaid,
    /// After an expiry nothing is renewed automatically.
    Expired,
    /// The instance's attribute, or its own, says so.
    SwitchedOff,
    /// It has a rule of its own, which acts at another time.
    OwnRule,
    /// It is set to become pay-as-you-go or to be released when it expires.
    Ends,
    /// There is no rule to delete.
    NoRule,
}

impl Apart {
    /// The reason, as an skipped of a plan gives it.
    pub fn reason(self) -> Refusal {
        let message = match self {
            Apart::OtherKind => "an auto-renew rule covers disks and addresses only",
            Apart::Gone => return Code::NoSuchObject.because("it is gone"),
            Apart::Postpaid => "it is pay-as-you-go",
            Apart::Expired => "nothing is renewed automatically after it expired; renew it by hand",
            Apart::SwitchedOff => "the instance's auto-renew rule leaves it out",
            Apart::OwnRule => "it has an auto-renew rule of its own",
            Apart::Ends => "it is set to be converted or released when it expires",
            Apart::NoRule => "it has no auto-renew rule of its own",
        };
        Code::OperationDenied.because(message)
    }
}

/// The attribute that switches a kind's part in an instance's rule off, for the kinds that a rule covers.
pub fn switch(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Cds => Some(RENEW_CDS),
        Kind::Eip => Some(RENEW_EIP),
        Kind::Bcc | Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => None,
    }
}

/// Whether the automatic renewal of `primary` takes `resource`, which is attached to it, along.
///
/// # Errors
///
/// Why it does not.
pub fn goes_along(primary: &Resource, resource: &Resource) -> Result<(), Apart> {
    let switch = switch(Kind::of(&resource.kind)).ok_or(Apart::OtherKind)?;
    if is_final(resource) {
        return Err(Apart::Gone);
    }
    if resource.charging == Charging::Postpaid {
        return Err(Apart::Postpaid);
    }
    if resource.stage != Stage::Active {
        return Err(Apart::Expired);
    }
    if is_off(primary, switch) || is_off(resource, switch) {
        return Err(Apart::SwitchedOff);
    }
    match resource.on_expiry {
        OnExpiry::Lapse => Ok(()),
        OnExpiry::Renew if resource.expires_at == primary.expires_at => Ok(()),
        OnExpiry::Renew => Err(Apart::OwnRule),
        OnExpiry::Convert | OnExpiry::Release => Err(Apart::Ends),
    }
}

/// The instance whose automatic renewals take this member along; it has no tries of its own then.
pub fn leader(bundle: &[Resource], resource: &Resource) -> Option<MemberIndex> {
    let place = resource.attached_to?;
    let primary = &bundle[place as usize];
    let leads = primary.charging == Charging::Prepaid
        && primary.stage == Stage::Active
        && primary.on_expiry == OnExpiry::Renew;
    (leads && goes_along(primary, resource).is_ok()).then_some(place)
}
