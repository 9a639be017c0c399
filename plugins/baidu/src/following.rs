//! The attached disks and addresses that are renewed together with their instance.
//!
//! An auto-renew rule of an instance covers its prepaid data disks and addresses unless it says otherwise. Knows
//! which members follow, which a renewal left out, and why others do not; does not know to which expiry they are renewed.

use plugin_sdk::Charging;
use plugin_sdk::MemberIndex;
use plugin_sdk::OnExpiry;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::Timestamp;
use plugin_sdk::left_out::LeftOut;

use crate::kinds::Kind;
use crate::members::RENEW_CDS;
use crate::members::RENEW_EIP;
use crate::members::is_dedicated;
use crate::members::is_final;
use crate::members::is_off;
use crate::members::is_scaling;
use crate::refusals::Code;
use crate::settings::Settings;
use crate::tries::CALENDAR;
use crate::tries::tries;

/// Why an attached member does not follow its instance's automatic renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// A rule covers disks and addresses only.
    OtherKind,
    /// It was released, unsubscribed or converted.
    Gone,
    /// The resource is pay-as-you-go.
    Postpaid,
    /// It has expired; nothing is renewed automatically after its expiry.
    Expired,
    /// An attribute of the instance, or its own, excludes it.
    SwitchedOff,
    /// It has a rule of its own, which acts at another time.
    OwnRule,
    /// It is set to become pay-as-you-go or to be released when it expires.
    Ends,
    /// There is no rule to delete.
    NoRule,
}

impl Apart {
    /// The reason as a refusal, for a plan's list of skipped members.
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

/// The attribute that excludes a kind from an instance's rule; `None` for the kinds that no rule covers.
pub(crate) fn switch(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Cds => Some(RENEW_CDS),
        Kind::Eip => Some(RENEW_EIP),
        Kind::Bcc | Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => None,
    }
}

/// Checks that the automatic renewal of `primary` also renews `resource`, which is attached to it.
///
/// # Errors
///
/// The reason why it does not.
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

/// The instance whose auto-renew rule covers this member.
pub fn leader(bundle: &[Resource], resource: &Resource) -> Option<MemberIndex> {
    let index = resource.attached_to?;
    let primary = &bundle[index as usize];
    let leads = primary.charging == Charging::Prepaid
        && primary.stage == Stage::Active
        && primary.on_expiry == OnExpiry::Renew;
    (leads && goes_along(primary, resource).is_ok()).then_some(index)
}

/// The instance whose tries renew this member: the one whose rule covers it, unless that one is never renewed. Being scaled is
/// a reason that passes.
pub(crate) fn tried_with(bundle: &[Resource], resource: &Resource) -> Option<MemberIndex> {
    leader(bundle, resource).filter(|member| !is_dedicated(&bundle[*member as usize]))
}

/// The attribute that says which renewals left a member behind that the rule of its instance covers: see [`LeftOut`].
pub(crate) const LEFT_OUT: &str = "leftOut";

/// The instance that a member catches up with by tries of its own, and the term of that one's renewal: a renewal left the member
/// behind, for example because it was being scaled, and the instance is not tried before the member expires. `None` of every
/// other member.
pub(crate) fn left_out(
    settings: &Settings,
    bundle: &[Resource],
    resource: &Resource,
) -> Option<(MemberIndex, Term)> {
    let (index, own) = (resource.attached_to?, resource.expires_at?);
    let instance = &bundle[index as usize];
    let term = term_left_by(instance, resource)?;
    let is_paid = instance.charging == Charging::Prepaid && instance.stage == Stage::Active;
    let is_covered = is_paid && !is_dedicated(instance) && goes_along(instance, resource).is_ok();
    let is_taken = match instance.on_expiry {
        OnExpiry::Renew => {
            !is_scaling(instance) && is_tried_before(settings, instance, instance.expires_at?, own)
        }
        // Its last automatic renewal was the one that left this out.
        OnExpiry::Lapse => false,
        OnExpiry::Convert | OnExpiry::Release => true,
    };
    let lapses = resource.on_expiry == OnExpiry::Lapse;
    let is_behind = instance.expires_at.is_some_and(|instance| own < instance);
    (is_covered && lapses && is_behind && !is_taken).then_some((index, term))
}

/// The term of the renewal of its instance that left a member behind; `None` when none did, or when it was given back.
pub(crate) fn term_left_by(instance: &Resource, resource: &Resource) -> Option<Term> {
    LeftOut::of(resource, LEFT_OUT).term(CALENDAR.date(instance.expires_at?))
}

/// The instance in whose place a member has two tries of its own, the last before it expires, and the term of its own
/// renewals: the instance's tries for both have begun, and none is left that can come to something, as after a scaling, which
/// passes. `None` of every other member.
pub(crate) fn stands_in(
    settings: &Settings,
    bundle: &[Resource],
    resource: &Resource,
) -> Option<(MemberIndex, Term)> {
    let index = tried_with(bundle, resource)?;
    let (instance, own) = (&bundle[index as usize], resource.expires_at?);
    let [_, last] = last_tries(settings, resource);
    let last = last?;
    let expires_at = instance.expires_at.filter(|expires_at| own <= *expires_at)?;
    let of_instance = || tries(settings, Kind::of(&instance.kind), expires_at);
    let have_begun = of_instance().any(|at| at <= last);
    let is_over = is_scaling(instance) || own < expires_at && !of_instance().any(|at| at >= last && at < own);
    let term = renewal_term(resource)?;
    (have_begun && is_over).then_some((index, term))
}

/// The last two tries of what expires, as far as there are so many. An approval that is requested at the first has until
/// the second.
pub(crate) fn last_tries(settings: &Settings, resource: &Resource) -> [Option<Timestamp>; 2] {
    let Some(expires_at) = resource.expires_at else { return [None; 2] };
    let of_day = || tries(settings, Kind::of(&resource.kind), expires_at);
    let last = of_day().max();
    [of_day().filter(|at| Some(*at) < last).max(), last]
}

/// The term of automatic renewals of what is prepaid.
pub(crate) fn renewal_term(resource: &Resource) -> Option<Term> {
    resource.renewal_term.or(resource.term)
}

/// Whether an instance that renews itself and expires at `expires_at` is tried before `until`.
fn is_tried_before(
    settings: &Settings,
    instance: &Resource,
    expires_at: Timestamp,
    until: Timestamp,
) -> bool {
    tries(settings, Kind::of(&instance.kind), expires_at).any(|at| at < until)
}

/// Whether a member that expires at `own` is left behind by its `instance`, which expires at `expires_at` by now: its rule covers
/// the member, and takes it no more before it expires. `is_last` says that the instance renews itself no more.
pub(crate) fn is_left_behind(
    settings: &Settings,
    instance: &Resource,
    (resource, own): (&Resource, Timestamp),
    is_last: bool,
    expires_at: Timestamp,
) -> bool {
    let has_rule = instance.on_expiry == OnExpiry::Renew && !is_dedicated(instance);
    let is_covered =
        has_rule && goes_along(instance, resource).is_ok() && resource.on_expiry == OnExpiry::Lapse;
    let is_taken = !is_last && is_tried_before(settings, instance, expires_at, own);
    is_covered && own < expires_at && !is_taken
}
