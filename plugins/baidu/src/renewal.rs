//! Renewals: the new expiry, the attached members that join, and the refusals.
//!
//! Documents: "Instance Renewal" (BCC), "Renew a disk" (CDS), "Renew" (EIP), "Automatic Renewal" (Finance). Knows
//! terms and the calendar; does not know prices, nor who pays.

use plugin_sdk::Extension;
use plugin_sdk::MemberIndex;
use plugin_sdk::Operation;
use plugin_sdk::Plan;
use plugin_sdk::Refusal;
use plugin_sdk::Renewal;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;

use crate::command_target::CommandTarget;
use crate::command_target::Draft;
use crate::following::Apart;
use crate::following::goes_along;
use crate::following::is_left_behind;
use crate::following::left_out;
use crate::following::renewal_term;
use crate::following::stands_in;
use crate::following::term_left_by;
use crate::kinds::Kind;
use crate::members::STATUS;
use crate::members::Subscription;
use crate::members::attached;
use crate::members::has_lapsed;
use crate::members::is_dedicated;
use crate::members::is_scaling;
use crate::options;
use crate::options::CustomPeriod;
use crate::options::Options;
use crate::pending_conversion;
use crate::refusals::Code;
use crate::related::RelatedFlag;
use crate::settings::Settings;
use crate::tries::CALENDAR;

/// Which attached members join the renewal of an instance.
#[derive(Clone, Copy)]
enum Joining {
    /// The members that the instance's auto-renew rule covers.
    Rule,
    /// The members that `relatedRenewFlag` names.
    Flag(RelatedFlag),
}

/// Plans a renewal.
pub fn plan(settings: &Settings, named: &CommandTarget, renewal: &Renewal) -> Result<Plan, Refusal> {
    let kind = Kind::of(&named.resource.kind);
    let options = options::read(kind, &renewal.options)?;
    let extension = match renewal.term {
        None if !renewal.automatic => by_default(settings, named, kind)?,
        None => by_try(settings, named, kind)?,
        Some(term) if !renewal.automatic => by_own_length(settings, named, kind, term)?,
        Some(term) => by_term(settings, named, kind, term)?,
    };
    check_state(settings, named, renewal.automatic)?;
    if extension.expires_at <= named.request.at && !renewal.automatic {
        let id = &named.resource.id;
        return Err(Code::BadRequest.because(format!(
            "`{id}` expired so long ago that it would still be expired after this renewal; take a longer one"
        )));
    }
    let joining = match renewal.automatic {
        true => Joining::Rule,
        false => Joining::Flag(options.related.unwrap_or(settings.related_by_default)),
    };
    let mut draft = Draft::default();
    extend(&mut draft, named.member, named.resource, extension);
    match attached_to(named).and_then(|instance| Some((instance, instance.expires_at?))) {
        Some((instance, until)) => {
            let is_behind = extension.expires_at < until;
            let term = term_left_by(instance, named.resource).filter(|_| is_behind);
            draft.left_behind((named.member, named.resource), named.request.at, (until, until), term);
        }
        None => draft.forget_left_out(named.member, named.resource),
    }
    if kind == Kind::Bcc {
        check_custom_periods(settings, named, joining, &options.custom_periods)?;
        join(settings, &mut draft, named, joining, &options, extension)?;
    }
    Ok(draft.plan())
}

/// An automatic renewal is due while the stage is `active`. It may be after the expiry, when the host was down: a
/// resource that the provider would have renewed in time is then renewed late.
fn check_state(settings: &Settings, named: &CommandTarget, automatic: bool) -> Result<(), Refusal> {
    pending_conversion::check_takes_orders(settings, named.resource)?;
    if is_dedicated(named.resource) {
        return Err(named.denied("runs on a dedicated host; dedicated instances cannot be renewed"));
    }
    if is_scaling(named.resource) {
        return Err(named.denied("is being scaled; renew it when that is done"));
    }
    if automatic && has_lapsed(named.resource) {
        return Err(named.denied("has expired; it is not renewed automatically any more, renew it by hand"));
    }
    Ok(())
}

fn automatic_term(named: &CommandTarget) -> Term {
    renewal_term(named.resource).unwrap_or(named.subscription.term)
}

/// The term of a renewal by hand that names no term: a disk is aligned with its instance, every other kind takes the
/// term of an automatic renewal.
fn by_default(settings: &Settings, named: &CommandTarget, kind: Kind) -> Result<Extension, Refusal> {
    match (kind, attached_to(named)) {
        (Kind::Cds, Some(instance)) => {
            let target = Subscription::of(instance)?;
            aligned(settings, named.resource, named.subscription, named.request.at, target).ok_or_else(|| {
                named.denied("already lasts as long as its instance; name a term to renew it for")
            })
        }
        _ => by_term(settings, named, kind, automatic_term(named)),
    }
}

/// The extension by a try. What a renewal of its instance left out catches up with that one: a disk is aligned with
/// it, an address takes its term.
fn by_try(settings: &Settings, named: &CommandTarget, kind: Kind) -> Result<Extension, Refusal> {
    let bundle = &named.request.bundle;
    let own =
        left_out(settings, bundle, named.resource).or_else(|| stands_in(settings, bundle, named.resource));
    let Some((leader, term)) = own else {
        return by_term(settings, named, kind, automatic_term(named));
    };
    let target = Subscription::of(&bundle[leader as usize])?;
    match kind {
        Kind::Cds if named.subscription.expires_at < target.expires_at => {
            aligned(settings, named.resource, named.subscription, named.request.at, target)
                .ok_or_else(|| named.denied("already lasts as long as its instance"))
        }
        Kind::Bcc | Kind::Bbc | Kind::Cds | Kind::Eip | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
            by_term(settings, named, kind, term)
        }
    }
}

/// The extension by a length that the request names. That of an attached disk has to reach the expiry of its instance:
/// "Disk Renewal" (CDS). The bound is not for automatic renewals: no document says so, and the disk would be lost.
fn by_own_length(
    settings: &Settings,
    named: &CommandTarget,
    kind: Kind,
    term: Term,
) -> Result<Extension, Refusal> {
    let extension = by_term(settings, named, kind, term)?;
    let Some(instance) = attached_to(named).filter(|_| kind == Kind::Cds) else { return Ok(extension) };
    match Subscription::of(instance) {
        Ok(subscription) if extension.expires_at < subscription.expires_at => {
            let (id, instance) = (&named.resource.id, &instance.id);
            Err(Code::BadRequest.because(format!(
                "`{id}` would still expire before its instance `{instance}`; take a longer length, or none to align it"
            )))
        }
        Ok(_) | Err(_) => Ok(extension),
    }
}

/// The instance that the named resource is attached to.
fn attached_to<'a>(named: &CommandTarget<'a>) -> Option<&'a Resource> {
    named.resource.attached_to.map(|member| &named.request.bundle[member as usize])
}

fn by_term(settings: &Settings, named: &CommandTarget, kind: Kind, term: Term) -> Result<Extension, Refusal> {
    let Some(months) = kind.months_sold(term) else {
        let (count, unit) = (term.count, unit_name(term.unit));
        let sold = kind.lengths_sold();
        return Err(Code::BadRequest
            .because(format!("a {} is renewed by {sold}, not by {count} {unit}", kind.name())));
    };
    let start = Start::of(settings, named.resource, named.subscription, named.request.at);
    Ok(Extension { term, ..start.extended(months) })
}

fn unit_name(unit: TermUnit) -> &'static str {
    match unit {
        TermUnit::Day => "day(s)",
        TermUnit::Month => "month(s)",
        TermUnit::Year => "year(s)",
    }
}

/// When the new period begins.
#[derive(Clone, Copy)]
struct Start {
    at: Timestamp,
    anchor_day: u8,
    moves_anchor: bool,
}

impl Start {
    fn of(settings: &Settings, resource: &Resource, subscription: Subscription, at: Timestamp) -> Start {
        if settings.late_from_renewal && has_lapsed(resource) {
            Start { at, anchor_day: CALENDAR.day_of_month(at), moves_anchor: true }
        } else {
            Start { at: subscription.expires_at, anchor_day: subscription.anchor_day, moves_anchor: false }
        }
    }

    fn after_months(self, count: u32) -> Timestamp {
        CALENDAR.plus(self.at, self.anchor_day, Term { count, unit: TermUnit::Month })
    }

    fn extended(self, months: u32) -> Extension {
        Extension {
            expires_at: self.after_months(months),
            term: Term { count: months, unit: TermUnit::Month },
            extra_days: 0,
            anchor_day: self.moves_anchor.then_some(self.anchor_day),
        }
    }
}

/// The extension of a disk to the expiry of `target`: whole months, and the rest in days. `None` when the disk expires
/// no earlier than that.
fn aligned(
    settings: &Settings,
    resource: &Resource,
    subscription: Subscription,
    at: Timestamp,
    target: Subscription,
) -> Option<Extension> {
    let start = Start::of(settings, resource, subscription, at);
    if subscription.expires_at >= target.expires_at || start.at >= target.expires_at {
        return None;
    }
    let months = CALENDAR.whole_months(start.at, start.anchor_day, target.expires_at);
    let reached = if months == 0 { start.at } else { start.after_months(months) };
    let rest = target.expires_at - reached;
    let days = u32::try_from(rest.div_euclid(DAY) + i64::from(rest.rem_euclid(DAY) > 0)).unwrap_or(u32::MAX);
    let (term, extra_days) = match months {
        0 => (Term { count: days, unit: TermUnit::Day }, 0),
        1.. => (Term { count: months, unit: TermUnit::Month }, days),
    };
    let anchor_day = (subscription.anchor_day != target.anchor_day).then_some(target.anchor_day);
    Some(Extension { expires_at: target.expires_at, term, extra_days, anchor_day })
}

/// Extends a member, and starts it if it was stopped.
fn extend(draft: &mut Draft, member: MemberIndex, resource: &Resource, extension: Extension) {
    draft.step(member, Operation::Extend(extension));
    if Kind::of(&resource.kind).runs() && resource.stage == Stage::Retention {
        draft.attribute(member, STATUS, "running");
    }
}

fn join(
    settings: &Settings,
    draft: &mut Draft,
    named: &CommandTarget,
    joining: Joining,
    options: &Options,
    instance: Extension,
) -> Result<(), Refusal> {
    for (member, resource) in attached(&named.request.bundle, named.member) {
        let joined = match joins(settings, named, joining, resource) {
            Ok(subscription) if !is_due(settings, joining, subscription, instance) => {
                Err(Code::OperationDenied.because("it already lasts as long as its instance will"))
            }
            Ok(subscription) => joined(settings, named, options, instance, resource, subscription)?,
            Err(reason) => Err(reason),
        };
        let is_last = matches!(joining, Joining::Rule) && named.resource.renewals_left == Some(1);
        let is_left_behind = |resource: &Resource, own: Timestamp| {
            is_left_behind(settings, named.resource, (resource, own), is_last, instance.expires_at)
        };
        let moved = (named.subscription.expires_at, instance.expires_at);
        let term = match joined {
            Ok(extension) => {
                extend(draft, member, resource, extension);
                let active = Resource { stage: Stage::Active, ..resource.clone() };
                Some(is_left_behind(&active, extension.expires_at).then_some(instance.term))
            }
            Err(reason) => {
                draft.leave(member, reason);
                let is_behind = resource.expires_at.is_some_and(|own| is_left_behind(resource, own));
                is_behind.then_some(Some(instance.term))
            }
        };
        if let Some(term) = term {
            draft.left_behind((member, resource), named.request.at, moved, term);
        }
    }
    Ok(())
}

/// Whether a member that joins is renewed already: an automatic renewal leaves alone what would not expire before its
/// instance does, unless the account's setting takes everything that the rule covers.
fn is_due(settings: &Settings, joining: Joining, subscription: Subscription, instance: Extension) -> bool {
    match joining {
        Joining::Rule if settings.takes_due_only => subscription.expires_at < instance.expires_at,
        Joining::Rule | Joining::Flag(_) => true,
    }
}

/// Checks that an attached member joins the renewal; the error is the reason why it does not.
fn joins(
    settings: &Settings,
    named: &CommandTarget,
    joining: Joining,
    resource: &Resource,
) -> Result<Subscription, Refusal> {
    match joining {
        Joining::Rule => goes_along(named.resource, resource).map_err(Apart::reason)?,
        Joining::Flag(_) => {}
    }
    let subscription = Subscription::of(resource)?;
    match joining {
        Joining::Flag(related) if !related.takes(Kind::of(&resource.kind)) => {
            Err(Code::OperationDenied.because("relatedRenewFlag does not name its kind"))
        }
        Joining::Flag(_) | Joining::Rule if is_scaling(resource) => {
            Err(Code::OperationDenied.because("it is being scaled"))
        }
        Joining::Flag(_) | Joining::Rule => {
            pending_conversion::check_takes_orders(settings, resource).map(|()| subscription)
        }
    }
}

/// The extension of a member that joins, or why it needs none. The outer error refuses the whole renewal.
fn joined(
    settings: &Settings,
    named: &CommandTarget,
    options: &Options,
    instance: Extension,
    resource: &Resource,
    subscription: Subscription,
) -> Result<Result<Extension, Refusal>, Refusal> {
    let at = named.request.at;
    let start = Start::of(settings, resource, subscription, at);
    if Kind::of(&resource.kind) != Kind::Cds {
        let months = months_of(instance.term);
        return Ok(Ok(Extension { term: instance.term, ..start.extended(months) }));
    }
    if let Some(custom) = options.custom_periods.iter().find(|custom| custom.volume_id == resource.id) {
        let extension = start.extended(custom.period);
        if extension.expires_at < instance.expires_at {
            return Err(Code::BadRequest.because(format!(
                "`cdsCustomPeriod` gives `{}` {} month(s), which ends before its instance does",
                resource.id, custom.period
            )));
        }
        return Ok(Ok(extension));
    }
    let anchor_day = instance.anchor_day.unwrap_or(named.subscription.anchor_day);
    let target = Subscription { expires_at: instance.expires_at, anchor_day, ..named.subscription };
    Ok(aligned(settings, resource, subscription, at, target)
        .ok_or_else(|| Code::OperationDenied.because("it already lasts as long as its instance will")))
}

/// The months of an instance's term, which is known to be sold.
fn months_of(term: Term) -> u32 {
    match term.unit {
        TermUnit::Day | TermUnit::Month => term.count,
        TermUnit::Year => term.count * 12,
    }
}

/// Checks that every disk that `cdsCustomPeriod` names joins the renewal.
fn check_custom_periods(
    settings: &Settings,
    named: &CommandTarget,
    joining: Joining,
    custom: &[CustomPeriod],
) -> Result<(), Refusal> {
    for CustomPeriod { volume_id, .. } in custom {
        let disk = attached(&named.request.bundle, named.member)
            .find(|(_, resource)| resource.id == *volume_id && Kind::of(&resource.kind) == Kind::Cds);
        let Some((_, disk)) = disk else {
            return Err(
                Code::NoSuchObject.because(format!("no disk `{volume_id}` is attached to the instance"))
            );
        };
        if let Err(reason) = joins(settings, named, joining, disk) {
            return Err(Refusal {
                message: format!(
                    "`cdsCustomPeriod` names `{volume_id}`, which does not join: {}",
                    reason.message
                ),
                ..reason
            });
        }
    }
    Ok(())
}
