//! The sentences of an explanation about the present: where a resource is, and why. Knows no future.

use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Stage;
use perennial_domain::event::EventKind;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Scope;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates;
use perennial_formats::explanation::ReasonView;
use perennial_formats::plan::RefusalView;
use perennial_store::approvals::StoredApproval;

use crate::explanation::facts::Facts;
use crate::explanation::situation::Situation;
use crate::set_back::BUILT_IN;

/// When a parked bundle is asked about again.
const PARKED: &str = "the plugin is asked about it again from time to time, as soon as another revision of it decides, and when \
    somebody releases it with `perennial plugin release`.";

impl Facts<'_> {
    /// An instant, for people.
    pub(super) fn instant(&self, at: Timestamp) -> String {
        self.zone.minute(at)
    }

    /// An amount, for people.
    pub(super) fn money(&self, amount: Micros) -> String {
        format!("{} {}", dates::amount(amount), self.account.currency)
    }

    /// When the resource entered its stage, if that happened here.
    pub(super) fn stage_since(&self) -> Option<Timestamp> {
        let stage = self.resource().stage;
        let is_entry = |what: &EventKind| {
            if let EventKind::StageChanged { to, .. } = what {
                *to == stage
            } else if let EventKind::Unsubscribed { scope: Scope::All, .. } = what {
                stage == Stage::Unsubscribed
            } else {
                *what == EventKind::Converted && stage == Stage::Converted
            }
        };
        self.own_events().find(|event| is_entry(&event.what)).map(|event| event.at)
    }

    /// Describes the resource's stage and expiry.
    pub(super) fn where_it_is(&self) -> String {
        let resource = self.resource();
        let id = &resource.id;
        let since = self.stage_since().map(|at| format!(" since {}", self.instant(at))).unwrap_or_default();
        let expiry = resource.expires_at.map(|at| self.instant(at)).unwrap_or_default();
        match resource.stage {
            Stage::Active if resource.expires_at.is_none() => {
                format!(
                    "`{id}` is active and pay-per-use: nothing of it is paid ahead, so it does not expire."
                )
            }
            Stage::Active => format!("`{id}` is active: it is paid for until {expiry}."),
            Stage::Grace => {
                format!(
                    "`{id}` is in grace{since}: it expired at {expiry}, was not renewed, and goes on serving."
                )
            }
            Stage::Retention => format!(
                "`{id}` is in retention{since}: it expired at {expiry}, was not renewed, and is stopped or frozen; its data \
                 is kept."
            ),
            Stage::Released => format!("`{id}` is released{since}: it is gone, with whatever it held."),
            Stage::Unsubscribed => format!("`{id}` is unsubscribed{since}{}.", self.refund()),
            Stage::Converted => {
                format!("`{id}` is pay-per-use{since}: nothing of it is paid ahead any more.")
            }
        }
    }

    /// What came back when it was unsubscribed.
    fn refund(&self) -> String {
        let refund = self.own_events().find_map(|event| {
            if let EventKind::Unsubscribed { refund, .. } = &event.what { Some(*refund) } else { None }
        });
        refund.map(|refund| format!(", and {} came back for it", self.money(refund))).unwrap_or_default()
    }

    /// Why it is so, as a reason.
    pub(super) fn reason(&self, situation: &Situation<'_>) -> ReasonView {
        let reason =
            ReasonView { code: situation.code(), text: self.why(situation), ..ReasonView::default() };
        match situation {
            Situation::Deferred(deferral) => ReasonView { policy: Some(deferral.policy.clone()), ..reason },
            Situation::Denied { at, policy, .. } => {
                ReasonView { at: Some(at.to_string()), policy: Some((*policy).to_owned()), ..reason }
            }
            Situation::Declined { at, code, message, .. } => {
                let refusal = RefusalView { code: (*code).to_owned(), message: (*message).to_owned() };
                ReasonView { at: Some(at.to_string()), refusal: Some(refusal), ..reason }
            }
            Situation::Rejected { at, approval, .. } => {
                ReasonView { at: Some(at.to_string()), approval: Some((*approval).to_owned()), ..reason }
            }
            Situation::AwaitsApproval(approval) => ReasonView {
                at: Some(approval.requested_at.to_string()),
                approval: Some(approval.id.clone()),
                policy: approval.required.first().map(|required| required.policy.clone()),
                ..reason
            },
            Situation::AwaitsPayment(order) => {
                ReasonView { at: Some(order.created_at.to_string()), order: Some(order.id.clone()), ..reason }
            }
            Situation::Ended
            | Situation::PayPerUse
            | Situation::AwaitsClock
            | Situation::PluginMissing
            | Situation::PluginFailing { .. }
            | Situation::NotRenewed
            | Situation::RenewsWithPrimary(_)
            | Situation::Renews
            | Situation::Converts
            | Situation::Releases
            | Situation::AutoRenewOff => reason,
        }
    }

    fn why(&self, situation: &Situation<'_>) -> String {
        let provider = &self.account.provider;
        match situation {
            Situation::Ended => "Nothing happens to it any more by itself.".to_owned(),
            Situation::PayPerUse => "The clock has nothing to do with what is pay-per-use.".to_owned(),
            Situation::AwaitsClock => {
                "It was imported and waits for a clock: `perennial run` or `perennial serve` looks at \
                it before anything else, as of the instant at which it starts."
                    .to_owned()
            }
            Situation::PluginMissing => format!(
                "No plugin of `{provider}` is loaded, so nothing that is due for it is done; load one with `--plugin FILE`."
            ),
            Situation::PluginFailing { message, parked_at } => {
                let parked =
                    parked_at.map(|at| format!(" It is parked since {}: {PARKED}", self.instant(at)));
                let parked = parked.unwrap_or_default();
                format!(
                    "The plugin of `{provider}` gives no usable answer about it, so it stays as it is, whatever is due: {message}.{parked}"
                )
            }
            Situation::AwaitsPayment(order) => format!(
                "Its order `{}`, made at {}, waits to be paid until {}; meanwhile the provider renews it in no other way.",
                order.id,
                self.instant(order.created_at),
                self.instant(order.pay_until)
            ),
            Situation::AwaitsApproval(_)
            | Situation::Deferred(_)
            | Situation::Denied { .. }
            | Situation::Declined { .. }
            | Situation::Rejected { .. }
            | Situation::NotRenewed
            | Situation::RenewsWithPrimary(_)
            | Situation::Renews
            | Situation::Converts
            | Situation::Releases
            | Situation::AutoRenewOff => self.why_renewed_or_not(situation),
        }
    }

    fn why_renewed_or_not(&self, situation: &Situation<'_>) -> String {
        match situation {
            Situation::AwaitsApproval(approval) => self.why_it_waits(approval),
            Situation::Deferred(deferral) => format!(
                "The policy `{}` put its renewal off until {}: {}.",
                deferral.policy,
                self.instant(deferral.until),
                sentence(&deferral.reason)
            ),
            Situation::Denied { at, policy, reason } => format!(
                "The policy `{policy}` denied its renewal at {}: {}. It is asked again at the next try.",
                self.instant(*at),
                sentence(reason)
            ),
            Situation::Declined { at, class, code, message, tries } => {
                self.why_it_was_declined((*at, *class), (code, message), *tries)
            }
            Situation::Rejected { at, decided_by, reason, approval } => {
                let why = match decided_by {
                    Some(by) => {
                        let reason = reason.map(|reason| format!(": {}", sentence(reason))).unwrap_or_default();
                        format!("`{by}` rejected its renewal (`{approval}`) at {}{reason}.", self.instant(*at))
                    }
                    None => format!("Nobody decided on its renewal (`{approval}`) by {}.", self.instant(*at)),
                };
                format!("{why} The clock does not ask for it again in this period; a person may renew it.")
            }
            Situation::NotRenewed => {
                "It renews itself, but the provider tries no renewal of it any more in this period; a person may renew it."
                    .to_owned()
            }
            Situation::RenewsWithPrimary(primary) => {
                format!("It is renewed together with `{}`, to which it is attached.", self.bundle()[*primary].id)
            }
            Situation::Renews => self.why_it_renews(),
            Situation::Converts => "It is set to become pay-per-use when it expires.".to_owned(),
            Situation::Releases => "It is set to be released when it expires.".to_owned(),
            Situation::AutoRenewOff
            | Situation::Ended
            | Situation::PayPerUse
            | Situation::AwaitsClock
            | Situation::PluginMissing
            | Situation::PluginFailing { .. }
            | Situation::AwaitsPayment(_) => self.why_nobody_renews_it(),
        }
    }

    fn why_it_renews(&self) -> String {
        let resource = self.resource();
        let term =
            resource.renewal_term.or(resource.term).map(|term| format!(" for {term}")).unwrap_or_default();
        let left =
            resource.renewals_left.map(|left| format!(", {} more", dates::counted(left_of(left), "time")));
        format!("Auto-renew is on: the clock renews it{term}{}.", left.unwrap_or_default())
    }

    fn why_nobody_renews_it(&self) -> String {
        let resource = self.resource();
        let off = match resource.renewals_left {
            Some(0) => "Auto-renew is off, because its count of automatic renewals is used up",
            Some(_) | None => "Auto-renew is off",
        };
        let left_out = match (&self.next_try, self.part_of_next_try()) {
            (Some(next), Some(Err(refusal))) => format!(
                "; the renewal of `{}`, to which it is attached, leaves it out: {} ({})",
                self.bundle()[next.tried].id,
                sentence(&refusal.message),
                refusal.code
            ),
            (Some(next), Some(Ok(None))) => {
                format!(
                    "; the renewal of `{}`, to which it is attached, does not renew it",
                    self.bundle()[next.tried].id
                )
            }
            (Some(_), Some(Ok(Some(_))) | None) | (None, _) => String::new(),
        };
        format!("{off}{left_out}. Nobody renews it but a person.")
    }

    fn why_it_waits(&self, approval: &StoredApproval) -> String {
        let what = match approval.cause {
            Cause::Auto => "Its automatic renewal".to_owned(),
            Cause::Command => "What somebody commanded".to_owned(),
        };
        let policies = approval
            .required
            .iter()
            .filter(|required| required.policy != BUILT_IN && required.given_by.is_none());
        let mut reasons = policies
            .map(|required| {
                let by = required.by.as_ref().map(|by| format!(" by `{by}`")).unwrap_or_default();
                format!("the policy `{}` requires one{by}: {}", required.policy, sentence(&required.reason))
            })
            .collect::<Vec<_>>();
        let built_in = approval.required.iter().find(|one| one.policy == BUILT_IN);
        let is_own = approval.required.is_empty() || built_in.is_some();
        if let Some(special) = built_in.filter(|one| !one.reason.is_empty()) {
            reasons.insert(0, sentence(&special.reason).to_owned());
        } else if is_own && let Some(limit) = self.account.approval_above {
            reasons.insert(0, format!("it costs more than `approval_above`, {}", self.money(limit)));
        }
        let reasons =
            if reasons.is_empty() { String::new() } else { format!(", because {}", reasons.join(", and ")) };
        format!(
            "{what} for {} waits for the approval `{}` until {}{reasons}.",
            self.money(approval.priced.cost),
            approval.id,
            self.instant(approval.expires_at)
        )
    }

    fn why_it_was_declined(
        &self,
        (at, class): (Timestamp, DeclineClass),
        (code, message): (&str, &str),
        tries: usize,
    ) -> String {
        let why = match class {
            DeclineClass::Money => "for want of money",
            DeclineClass::Rule => "by a rule of the provider's",
            DeclineClass::Throttled => "because the provider received too many requests",
            DeclineClass::Provider => "because the provider could not renew it",
        };
        let times = dates::counted(tries, "time");
        format!(
            "Its renewal was declined {times} in this period, last at {}, {why}: {} ({code}).",
            self.instant(at),
            sentence(message)
        )
    }
}

fn left_of(left: u32) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX)
}

/// Words of somebody else within a sentence: without the stop that they may end with.
pub(super) fn sentence(words: &str) -> &str {
    words.trim().trim_end_matches('.')
}
