//! The change to pay-as-you-go: at once, or set and cancelled for the end of the paid period.
//!
//! Documents: "Shift charge" (BCC), "Shift charge for disks" (CDS), which has the refusal codes of disks. Knows
//! which resources change; `unsubscription` knows what comes back for what is left of a period.

use plugin_sdk::MemberIndex;
use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;

use crate::command_target::CommandTarget;
use crate::command_target::Draft;
use crate::kinds::Kind;
use crate::members::Subscription;
use crate::members::attached;
use crate::members::has_lapsed;
use crate::pending_conversion::check_takes_orders;
use crate::refusals::Code;
use crate::settings::Settings;
use crate::unsubscription;

/// Plans setting the change.
pub fn set(settings: &Settings, named: &CommandTarget) -> Result<Plan, Refusal> {
    check_convertible(named)?;
    if named.resource.on_expiry == OnExpiry::Convert {
        return Err(named.denied("is set to become pay-as-you-go already"));
    }
    let mut draft = Draft::default();
    draft.step(named.member, Operation::SetOnExpiry(OnExpiry::Convert));
    for (member, resource) in attached(&named.request.bundle, named.member) {
        match converts_along(settings, named, resource) {
            Ok(()) if resource.on_expiry == OnExpiry::Convert => {
                draft.leave(
                    member,
                    Code::OperationDenied.because("it is set to become pay-as-you-go already"),
                );
            }
            Ok(()) => draft.step(member, Operation::SetOnExpiry(OnExpiry::Convert)),
            Err(reason) => draft.leave(member, reason),
        }
    }
    Ok(draft.plan())
}

/// Plans the change at once: what is left of the paid periods comes back, as in an unsubscription.
pub(crate) fn at_once(settings: &Settings, named: &CommandTarget) -> Result<Plan, Refusal> {
    check_convertible(named)?;
    check_takes_orders(settings, named.resource)?;
    let kind = Kind::of(&named.resource.kind);
    if !kind.converts_at_once() {
        return Err(named.denied(&format!(
            "is a {}, which becomes pay-as-you-go when its paid period ends",
            kind.label()
        )));
    }
    if is_too_late(settings, named.request, named.member) {
        return Err(named.denied(&too_late(settings)));
    }
    let mut draft = Draft::default();
    let convert = |member| Operation::Convert(unsubscription::refunds(settings, named.request, member));
    draft.step(named.member, convert(named.member));
    for (member, resource) in attached(&named.request.bundle, named.member) {
        let can_convert =
            converts_along(settings, named, resource).and_then(|()| check_takes_orders(settings, resource));
        match can_convert {
            Ok(()) if is_too_late(settings, named.request, member) => {
                draft.leave(member, Code::OperationDenied.because(format!("it {}", too_late(settings))));
            }
            Ok(()) => draft.step(member, convert(member)),
            Err(reason) => draft.leave(member, reason),
        }
    }
    Ok(draft.plan())
}

/// Whether a change at once would keep money that an unsubscription is refused for, where the setting forbids it.
fn is_too_late(settings: &Settings, request: &PlanRequest, member: MemberIndex) -> bool {
    !settings.converts_late && unsubscription::is_too_late(settings, request, member)
}

fn too_late(settings: &Settings) -> String {
    let limit = settings.refund_within_days;
    format!(
        "was bought more than {limit} days ago, and what is left of its period would not come back; let it become \
         pay-as-you-go at its expiry"
    )
}

/// Checks what both ways of the change need.
fn check_convertible(named: &CommandTarget) -> Result<(), Refusal> {
    let kind = Kind::of(&named.resource.kind);
    if !kind.has_postpaid_form() {
        return Err(named.denied(&format!("is a {}, which is prepaid only", kind.label())));
    }
    if named.has_expired() {
        let code = code_for(kind, Code::ExpiredResourceNotSupportToPostpay);
        return Err(code.because(format!("`{}` has expired; renew it first", named.resource.id)));
    }
    match named.resource.on_expiry {
        OnExpiry::Renew => {
            let code = code_for(kind, Code::AutoRenewNotSupportToPostpay);
            Err(code.because(format!("`{}` has an auto-renew rule; delete it first", named.resource.id)))
        }
        OnExpiry::Lapse | OnExpiry::Convert | OnExpiry::Release => Ok(()),
    }
}

/// Plans cancelling the change; attached disks keep theirs.
pub fn cancel(named: &CommandTarget) -> Result<Plan, Refusal> {
    if named.has_expired() {
        return Err(named.denied("has expired"));
    }
    match named.resource.on_expiry {
        OnExpiry::Convert => {
            let mut draft = Draft::default();
            draft.step(named.member, Operation::SetOnExpiry(OnExpiry::Lapse));
            Ok(draft.plan())
        }
        OnExpiry::Lapse | OnExpiry::Renew | OnExpiry::Release => {
            Err(named.denied("is not set to become pay-as-you-go"))
        }
    }
}

/// The code for disks, or `OperationDenied` for other kinds.
fn code_for(kind: Kind, disk: Code) -> Code {
    match kind {
        Kind::Cds => disk,
        Kind::Bcc | Kind::Bbc | Kind::Eip | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
            Code::OperationDenied
        }
    }
}

fn converts_along(settings: &Settings, named: &CommandTarget, resource: &Resource) -> Result<(), Refusal> {
    let kind = Kind::of(&resource.kind);
    let subscription = Subscription::of(resource)?;
    if kind != Kind::Cds || !settings.converts_disks {
        return Err(Code::OperationDenied.because("only the instance is converted; convert it by itself"));
    }
    if has_lapsed(resource) || subscription.expires_at <= named.request.at {
        return Err(Code::ExpiredResourceNotSupportToPostpay.because("it has expired"));
    }
    match resource.on_expiry {
        OnExpiry::Lapse | OnExpiry::Convert | OnExpiry::Release => Ok(()),
        OnExpiry::Renew => Err(Code::AutoRenewNotSupportToPostpay.because("it has an auto-renew rule")),
    }
}
