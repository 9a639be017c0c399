//! What the future of a resource depends on, of all that is known of it: the one thing that an operator has to know first.

use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::State;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Cause;
use perennial_domain::policy::deferral::Deferral;
use perennial_domain::ruling_kind::RulingKind;
use perennial_domain::timestamp::Timestamp;
use perennial_store::approvals::StoredApproval;
use perennial_store::orders::StoredUnpaidOrder;

use crate::explanation::facts::Facts;
use crate::explanation::facts::PastEvent;

/// What the future of a resource depends on.
#[derive(Clone, Copy)]
pub(super) enum Situation<'f> {
    /// It is released, unsubscribed or converted: nothing happens to it any more.
    Ended,
    /// Nothing is paid ahead.
    PayPerUse,
    /// No clock has looked at it since it was imported.
    AwaitsClock,
    /// No plugin of its provider is loaded.
    PluginMissing,
    /// Its plugin gives no usable answer.
    PluginFailing { message: &'f str, parked_at: Option<Timestamp> },
    /// An order of it waits to be paid.
    AwaitsPayment(&'f StoredUnpaidOrder),
    /// A plan waits until somebody approves it.
    AwaitsApproval(&'f StoredApproval),
    /// A policy put its renewal off.
    Deferred(&'f Deferral),
    /// A policy said no at the last try.
    Denied { at: Timestamp, policy: &'f str, reason: &'f str },
    /// The provider said no at the last try, or the money did not suffice.
    Declined { at: Timestamp, class: DeclineClass, code: &'f str, message: &'f str, tries: usize },
    /// Somebody rejected its renewal, or nobody decided on it.
    Rejected { at: Timestamp, approval: &'f str, decided_by: Option<&'f str>, reason: Option<&'f str> },
    /// It renews itself, and no try lies ahead.
    NotRenewed,
    /// Its primary is renewed, and takes it along.
    RenewsWithPrimary(MemberIndex),
    /// It renews itself.
    Renews,
    /// It becomes pay-per-use when it expires.
    Converts,
    /// It is released when it expires.
    Releases,
    /// Nobody renews it.
    AutoRenewOff,
}

impl<'f> Situation<'f> {
    /// What `facts` come to.
    pub(super) fn of(facts: &'f Facts<'_>) -> Situation<'f> {
        let resource = facts.resource();
        if resource.stage.is_final() {
            return Situation::Ended;
        }
        if resource.charging == Charging::Postpaid {
            return Situation::PayPerUse;
        }
        if facts.rules.is_none() {
            return Situation::PluginMissing;
        }
        if let Some(message) = &facts.plugin_failure {
            return Situation::PluginFailing { message, parked_at: facts.parked_at };
        }
        if facts.stored.schedule.is_not_started() {
            return Situation::AwaitsClock;
        }
        if let Some(order) = &facts.unpaid {
            return Situation::AwaitsPayment(order);
        }
        if let Some(approval) = &facts.approval {
            return Situation::AwaitsApproval(approval);
        }
        if let Some(deferral) = &facts.deferral {
            return Situation::Deferred(deferral);
        }
        Situation::of_renewal(facts)
    }

    /// What becomes of its renewal, with nothing in between.
    fn of_renewal(facts: &'f Facts<'_>) -> Situation<'f> {
        let resource = facts.resource();
        let tried = facts.next_try.as_ref().map(|next| next.tried);
        let is_renewed = tried.is_some_and(|tried| tried == facts.member || has_part(facts));
        if (is_renewed || resource.renews_itself())
            && let Some(setback) = setback(facts)
        {
            return setback;
        }
        match tried {
            Some(tried) if tried == facts.member => Situation::Renews,
            Some(tried) if is_renewed => Situation::RenewsWithPrimary(tried),
            Some(_) | None => match resource.on_expiry {
                OnExpiry::Renew if resource.renewals_left != Some(0) => Situation::NotRenewed,
                OnExpiry::Convert => Situation::Converts,
                OnExpiry::Release => Situation::Releases,
                OnExpiry::Renew | OnExpiry::Lapse => Situation::AutoRenewOff,
            },
        }
    }

    /// The word for it in every format.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Situation::Ended => "ended",
            Situation::PayPerUse => "pay_per_use",
            Situation::AwaitsClock => "awaits_clock",
            Situation::PluginMissing => "plugin_missing",
            Situation::PluginFailing { parked_at: None, .. } => "plugin_failing",
            Situation::PluginFailing { parked_at: Some(_), .. } => "parked",
            Situation::AwaitsPayment(_) => "awaits_payment",
            Situation::AwaitsApproval(_) => "awaits_approval",
            Situation::Deferred(_) => "deferred",
            Situation::Denied { .. } => "denied",
            Situation::Declined { .. } => "declined",
            Situation::Rejected { .. } => "rejected",
            Situation::NotRenewed => "not_renewed",
            Situation::RenewsWithPrimary(_) => "renews_with_primary",
            Situation::Renews => "renews",
            Situation::Converts => "converts",
            Situation::Releases => "releases",
            Situation::AutoRenewOff => "auto_renew_off",
        }
    }
}

/// Whether the next try, which is of another resource, takes this one along, as it looks now.
fn has_part(facts: &Facts<'_>) -> bool {
    matches!(facts.part_of_next_try(), Some(Ok(Some(_))))
}

/// What came of the last try of the present period, if it was not renewed.
fn setback<'f>(facts: &'f Facts<'_>) -> Option<Situation<'f>> {
    let declines =
        || facts.period_events().filter(|event| matches!(event.what, EventKind::RenewalDeclined { .. }));
    // What became of a command's approval does not keep the clock from trying.
    let is_of_command = |event: &PastEvent, id: &str| {
        let EventKind::ApprovalRequested { approval, cause, .. } = &event.what else { return false };
        *cause == Cause::Command && approval == id
    };
    let is_auto = |id: &str| !facts.events.iter().any(|event| is_of_command(event, id));
    facts.period_events().find_map(|event| setback_of(event, is_auto, || declines().count()))
}

fn setback_of(
    event: &PastEvent,
    is_auto: impl Fn(&str) -> bool,
    tries: impl Fn() -> usize,
) -> Option<Situation<'_>> {
    let at = event.at;
    if let EventKind::RenewalDeclined { code, message, class, .. } = &event.what {
        return Some(Situation::Declined { at, class: *class, code, message, tries: tries() });
    }
    if let EventKind::PolicyRuled { policy, ruling, cause: Cause::Auto, reason, shadow: false, .. } =
        &event.what
    {
        let is_denied = *ruling == RulingKind::Denied;
        return is_denied.then_some(Situation::Denied { at, policy, reason });
    }
    if let EventKind::ApprovalDecided {
        approval,
        decision: State::Rejected,
        decided_by,
        reason,
        will_retry: false,
    } = &event.what
    {
        let (decided_by, reason) = (Some(decided_by.as_str()), reason.as_deref());
        return is_auto(approval).then_some(Situation::Rejected { at, approval, decided_by, reason });
    }
    if let EventKind::ApprovalExpired { approval, reason: ExpiryReason::Undecided, will_retry: false } =
        &event.what
    {
        let rejected = Situation::Rejected { at, approval, decided_by: None, reason: None };
        return is_auto(approval).then_some(rejected);
    }
    None
}
