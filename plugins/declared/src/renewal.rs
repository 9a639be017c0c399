//! Renewals: the new expiry, what is renewed along, and the refusals.
//!
//! Knows terms and the calendar; does not know prices, nor who pays.

use plugin_sdk::Attributes;
use plugin_sdk::Extension;
use plugin_sdk::MemberIndex;
use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::Plan;
use plugin_sdk::Refusal;
use plugin_sdk::Renewal;
use plugin_sdk::Resource;
use plugin_sdk::Term;
use plugin_sdk::Timestamp;

use crate::refusals::Situation;
use crate::rules::Rules;
use crate::rules::attached;
use crate::table::Joining;
use crate::target::Draft;
use crate::target::Subscription;
use crate::target::Target;
use crate::values::LateStart;
use crate::words::quoted;
use crate::words::term_text;

/// Plans a renewal.
pub(crate) fn plan(target: &Target<'_>, renewal: &Renewal) -> Result<Plan, Refusal> {
    check_options(target, &renewal.options)?;
    let extension = extension_of(target, renewal)?;
    target.check_orders()?;
    if extension.expires_at <= target.request.at && !renewal.automatic {
        return Err(target.refusal(
            Situation::PeriodOver,
            "expired so long ago that it would still be expired after this renewal; take a longer term",
        ));
    }
    let mut draft = Draft::default();
    draft.step(target.request.member, Operation::Extend(extension));
    let cascade = Cascade { target, renewal };
    cascade.join(&mut draft, target.request.member, extension, target.subscription.anchor_day);
    Ok(draft.plan())
}

/// Refuses a term that the kind is not sold for.
pub(crate) fn check_sold(rules: &Rules<'_>, resource: &Resource, term: Term) -> Result<(), Refusal> {
    let kind = rules.kind(resource);
    match kind.terms.is_empty() || kind.terms.contains(&term) {
        true => Ok(()),
        false => Err(rules
            .refusal(Situation::TermNotSold, format!("`{}` is not sold for {}", kind.name, term_text(term)))),
    }
}

/// The extension of the named resource. What is aligned with what it is attached to, and names no term, reaches that one's
/// expiry where it can.
fn extension_of(target: &Target<'_>, renewal: &Renewal) -> Result<Extension, Refusal> {
    let (rules, resource) = (target.rules, target.resource);
    let start = Start::of(rules, resource, target.subscription, target.request.at)?;
    let is_aligned = rules.kind(resource).cascade.renewal == Some(Joining::Aligned);
    let leader = resource.attached_to.filter(|_| is_aligned && renewal.term.is_none());
    let leader = leader.and_then(|to| Subscription::of(rules, &target.request.bundle[to as usize]).ok());
    let aligned = leader
        .and_then(|leader| start.aligned(rules, target.subscription, leader.expires_at, leader.anchor_day));
    if let Some(extension) = aligned {
        return Ok(extension);
    }
    let own = resource.renewal_term.unwrap_or(target.subscription.term);
    let term = renewal.term.unwrap_or(own);
    check_sold(rules, resource, term)?;
    Ok(start.extended(rules, term))
}

/// When a new period begins.
#[derive(Clone, Copy)]
struct Start {
    at: Timestamp,
    anchor_day: u8,
    moves_anchor: bool,
}

impl Start {
    /// # Errors
    ///
    /// The refusal of a resource that is not renewed any more in its stage.
    fn of(
        rules: &Rules<'_>,
        resource: &Resource,
        subscription: Subscription,
        at: Timestamp,
    ) -> Result<Start, Refusal> {
        let Subscription { expires_at, anchor_day, .. } = subscription;
        match rules.late_start(resource.stage) {
            LateStart::Renewal if at > expires_at => {
                Ok(Start { at, anchor_day: rules.calendar().day_of_month(at), moves_anchor: true })
            }
            LateStart::Expiry | LateStart::Renewal => {
                Ok(Start { at: expires_at, anchor_day, moves_anchor: false })
            }
            LateStart::Refused => Err(rules.refusal(
                Situation::Expired,
                format!("`{}` expired too long ago to be renewed", resource.id),
            )),
        }
    }

    fn extended(self, rules: &Rules<'_>, term: Term) -> Extension {
        let expires_at = rules.calendar().plus(self.at, self.anchor_day, term);
        Extension {
            expires_at,
            term,
            extra_days: 0,
            anchor_day: self.moves_anchor.then_some(self.anchor_day),
        }
    }

    /// The extension up to `until`: whole months, and the rest in days. `None` when it lasts as long already.
    fn aligned(
        self,
        rules: &Rules<'_>,
        subscription: Subscription,
        until: Timestamp,
        anchor_day: u8,
    ) -> Option<Extension> {
        if subscription.expires_at >= until || self.at >= until {
            return None;
        }
        let (term, extra_days) = rules.calendar().term_until(self.at, self.anchor_day, until);
        let anchor_day = (subscription.anchor_day != anchor_day).then_some(anchor_day);
        Some(Extension { expires_at: until, term, extra_days, anchor_day })
    }
}

/// What goes along with a renewal.
struct Cascade<'a> {
    target: &'a Target<'a>,
    renewal: &'a Renewal,
}

impl Cascade<'_> {
    /// Takes along what is attached to a member that is extended, and what is attached to that.
    fn join(&self, draft: &mut Draft, to: MemberIndex, extension: Extension, anchor_day: u8) {
        for (member, resource) in attached(&self.target.request.bundle, to) {
            let anchor_day = extension.anchor_day.unwrap_or(anchor_day);
            match self.extension(resource, extension, anchor_day) {
                Ok(joined) => {
                    draft.step(member, Operation::Extend(joined));
                    self.join(draft, member, joined, resource.anchor_day.unwrap_or(anchor_day));
                }
                Err(reason) => draft.leave(member, reason),
            }
        }
    }

    /// The extension of a resource that is attached to one which is extended like that, or why it has none.
    fn extension(
        &self,
        resource: &Resource,
        leader: Extension,
        anchor_day: u8,
    ) -> Result<Extension, Refusal> {
        let rules = self.target.rules;
        let left_out = |reason: &str| rules.refusal(Situation::LeftOut, reason);
        let cascade = &rules.kind(resource).cascade;
        let Some(joining) = cascade.renewal else { return Err(left_out("it is renewed by itself")) };
        if cascade.option.as_ref().is_some_and(|option| !self.has(option)) {
            return Err(left_out("the option that takes it along is not set"));
        }
        let subscription = Subscription::of(rules, resource)?;
        match resource.on_expiry {
            OnExpiry::Convert | OnExpiry::Release => {
                return Err(left_out("it is set to end when it expires"));
            }
            OnExpiry::Lapse | OnExpiry::Renew => {}
        }
        if resource.has_unpaid_order {
            return Err(rules.refusal(Situation::UnpaidOrder, "an order of it waits to be paid"));
        }
        if subscription.expires_at >= leader.expires_at {
            return Err(left_out("it lasts as long already"));
        }
        let start = Start::of(rules, resource, subscription, self.target.request.at)?;
        let lasts = || left_out("it lasts as long already");
        match joining {
            Joining::SameTerm => Ok(start.extended(rules, leader.term)),
            Joining::Aligned => {
                start.aligned(rules, subscription, leader.expires_at, anchor_day).ok_or_else(lasts)
            }
        }
    }

    fn has(&self, option: &str) -> bool {
        self.renewal.options.iter().any(|(name, value)| name == option && value == "true")
    }
}

/// Refuses an option that there is not, or a value that it has not.
fn check_options(target: &Target<'_>, options: &Attributes) -> Result<(), Refusal> {
    let table = target.rules.table;
    let token = table.idempotency.iter().map(|idempotency| idempotency.option.as_str());
    let taking = table.kinds.iter().filter_map(|kind| kind.cascade.option.as_deref()).collect::<Vec<_>>();
    let free = token.chain(table.ignored_options.iter().map(String::as_str)).collect::<Vec<_>>();
    for (name, value) in options {
        let message = if taking.contains(&name.as_str()) {
            match value.as_str() {
                "true" | "false" => continue,
                _ => format!("`{name}` is `true` or `false`"),
            }
        } else if free.contains(&name.as_str()) {
            continue;
        } else {
            let known = quoted(taking.iter().chain(&free).copied());
            let known =
                if known.is_empty() { "there are none".to_owned() } else { format!("there are {known}") };
            format!("`{name}` is not an option of a renewal; {known}")
        };
        return Err(target.rules.refusal(Situation::BadOption, message));
    }
    Ok(())
}
