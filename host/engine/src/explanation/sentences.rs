//! The sentences of an explanation about the present: where a resource is, and why. Knows no future; their words are in `texts`.

use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Stage;
use perennial_domain::event::EventKind;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Scope;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates;
use perennial_formats::event_text;
use perennial_formats::explanation::ReasonView;
use perennial_formats::explanation::SettingReasonView;
use perennial_formats::language::Language;
use perennial_formats::language::Text;
use perennial_formats::plan::RefusalView;
use perennial_store::approvals::StoredApproval;

use crate::explanation::facts::Facts;
use crate::explanation::situation::Situation;
use crate::explanation::texts as t;
use crate::set_back::BUILT_IN;

impl Facts<'_> {
    /// An instant, for people.
    pub(super) fn instant(&self, at: Timestamp) -> String {
        self.reader.zone.minute(at)
    }

    /// A sentence in the reader's language, with `parts` in its places.
    pub(super) fn say(&self, text: Text, parts: &[&str]) -> String {
        text.fill(self.reader.language, parts)
    }

    /// A stage in the reader's language.
    pub(super) fn stage(&self, stage: Stage) -> &'static str {
        event_text::stage_words(stage, self.reader.language)
    }

    /// How many of something there are: in English with its noun, in Chinese with the counter of `text`.
    pub(super) fn counted(&self, count: usize, noun: &str, text: Text) -> String {
        match self.reader.language {
            Language::English => self.say(text, &[&dates::counted(count, noun)]),
            Language::Chinese => self.say(text, &[&dates::whole(count)]),
        }
    }

    /// A sentence with the settings that it is so by, in brackets.
    pub(super) fn with_settings(&self, text: &str, settings: &[SettingReasonView]) -> String {
        if settings.is_empty() {
            return text.to_owned();
        }
        let named = settings.iter().map(|setting| match (&setting.value, setting.is_default) {
            (None, _) => self.say(t::SETTING_UNSET, &[&setting.name]),
            (Some(value), true) => self.say(t::SETTING_DEFAULT, &[&setting.name, value]),
            (Some(value), false) => self.say(t::SETTING_IS, &[&setting.name, value]),
        });
        let named = named.collect::<Vec<_>>().join(t::COMMA.of(self.reader.language));
        self.say(t::BY_SETTINGS, &[text, &named])
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
        let since = self.stage_since().map(|at| self.say(t::SINCE, &[&self.instant(at)])).unwrap_or_default();
        let expiry = resource.expires_at.map(|at| self.instant(at)).unwrap_or_default();
        match resource.stage {
            Stage::Active if resource.expires_at.is_none() => self.say(t::PAY_PER_USE, &[id]),
            Stage::Active => self.say(t::ACTIVE, &[id, &expiry]),
            Stage::Grace => self.say(t::GRACE, &[id, &since, &expiry]),
            Stage::Retention => self.say(t::RETENTION, &[id, &since, &expiry]),
            Stage::Released => self.say(t::RELEASED, &[id, &since]),
            Stage::Unsubscribed => self.say(t::UNSUBSCRIBED, &[id, &since, &self.refund()]),
            Stage::Converted => self.say(t::CONVERTED, &[id, &since]),
        }
    }

    /// What came back when it was unsubscribed.
    fn refund(&self) -> String {
        let refund = self.own_events().find_map(|event| {
            if let EventKind::Unsubscribed { refund, .. } = &event.what { Some(*refund) } else { None }
        });
        refund.map(|refund| self.say(t::REFUNDED, &[&self.money(refund)])).unwrap_or_default()
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
            Situation::Ended => self.say(t::ENDED, &[]),
            Situation::PayPerUse => self.say(t::NO_CLOCK, &[]),
            Situation::AwaitsClock => self.say(t::AWAITS_CLOCK, &[]),
            Situation::PluginMissing => self.say(t::PLUGIN_MISSING, &[provider]),
            Situation::PluginFailing { message, parked_at } => {
                let parked = parked_at.map(|at| self.say(t::PARKED, &[&self.instant(at)]));
                self.say(t::PLUGIN_FAILING, &[provider, message, &parked.unwrap_or_default()])
            }
            Situation::AwaitsPayment(order) => self.say(
                t::AWAITS_PAYMENT,
                &[&order.id, &self.instant(order.created_at), &self.instant(order.pay_until)],
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
            Situation::Deferred(deferral) => self.say(
                t::DEFERRED,
                &[&deferral.policy, &self.instant(deferral.until), sentence(&deferral.reason)],
            ),
            Situation::Denied { at, policy, reason } => {
                self.say(t::DENIED, &[policy, &self.instant(*at), sentence(reason)])
            }
            Situation::Declined { at, class, code, message, tries } => {
                self.why_it_was_declined((*at, *class), (code, message), *tries)
            }
            Situation::Rejected { at, decided_by, reason, approval } => {
                let at = self.instant(*at);
                let why = match decided_by {
                    Some(by) => {
                        let reason = reason.map(|reason| self.say(t::REJECTED_WHY, &[sentence(reason)]));
                        self.say(t::REJECTED, &[by, approval, &at, &reason.unwrap_or_default()])
                    }
                    None => self.say(t::UNDECIDED, &[approval, &at]),
                };
                self.say(t::NOT_ASKED_AGAIN, &[&why])
            }
            Situation::NotRenewed => self.say(t::NOT_RENEWED, &[]),
            Situation::RenewsWithPrimary(primary) => self.say(t::RENEWS_WITH, &[&self.bundle()[*primary].id]),
            Situation::Renews => self.why_it_renews(),
            Situation::Converts => self.say(t::CONVERTS, &[]),
            Situation::Releases => self.say(t::RELEASES, &[]),
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
        let term = resource.renewal_term.or(resource.term);
        let term = term.map(|term| event_text::term_words(term, self.reader.language));
        let term = term.map(|term| self.say(t::RENEWS_FOR, &[&term])).unwrap_or_default();
        let left = resource.renewals_left.map(|left| self.counted(left_of(left), "time", t::TIMES));
        let left = left.map(|left| self.say(t::RENEWS_MORE, &[&left])).unwrap_or_default();
        self.say(t::RENEWS, &[&term, &left])
    }

    fn why_nobody_renews_it(&self) -> String {
        let resource = self.resource();
        let off = match resource.renewals_left {
            Some(0) => t::COUNT_USED_UP,
            Some(_) | None => t::AUTO_RENEW_OFF,
        };
        let left_out = match (&self.next_try, self.part_of_next_try()) {
            (Some(next), Some(Err(refusal))) => self.say(
                t::LEFT_OUT,
                &[&self.bundle()[next.tried].id, sentence(&refusal.message), &refusal.code],
            ),
            (Some(next), Some(Ok(None))) => self.say(t::NOT_ALONG, &[&self.bundle()[next.tried].id]),
            (Some(_), Some(Ok(Some(_))) | None) | (None, _) => String::new(),
        };
        self.say(t::NOBODY_RENEWS, &[off.of(self.reader.language), &left_out])
    }

    fn why_it_waits(&self, approval: &StoredApproval) -> String {
        let what = match approval.cause {
            Cause::Auto => t::WAITS_AUTO,
            Cause::Command => t::WAITS_COMMAND,
        };
        let policies = approval
            .required
            .iter()
            .filter(|required| required.policy != BUILT_IN && required.given_by.is_none());
        let mut reasons = policies
            .map(|required| {
                let by = required.by.as_ref().map(|by| self.say(t::REQUIRES_BY, &[by])).unwrap_or_default();
                self.say(t::REQUIRES, &[&required.policy, &by, sentence(&required.reason)])
            })
            .collect::<Vec<_>>();
        let built_in = approval.required.iter().find(|one| one.policy == BUILT_IN);
        let is_own = approval.required.is_empty() || built_in.is_some();
        if let Some(special) = built_in.filter(|one| !one.reason.is_empty()) {
            reasons.insert(0, sentence(&special.reason).to_owned());
        } else if is_own && let Some(limit) = self.account.approval_above {
            reasons.insert(0, self.say(t::ABOVE_LIMIT, &[&self.money(limit)]));
        }
        let language = self.reader.language;
        let reasons = match reasons.is_empty() {
            true => String::new(),
            false => self.say(t::BECAUSE, &[&reasons.join(t::AND.of(language))]),
        };
        let (cost, until) = (self.money(approval.priced.cost), self.instant(approval.expires_at));
        self.say(t::WAITS, &[what.of(language), &cost, &approval.id, &until, &reasons])
    }

    fn why_it_was_declined(
        &self,
        (at, class): (Timestamp, DeclineClass),
        (code, message): (&str, &str),
        tries: usize,
    ) -> String {
        let why = match class {
            DeclineClass::Money => t::FOR_MONEY,
            DeclineClass::Rule => t::BY_RULE,
            DeclineClass::Throttled => t::THROTTLED,
            DeclineClass::Provider => t::PROVIDER_FAILED,
        };
        let times = self.counted(tries, "time", t::TIMES);
        let why = why.of(self.reader.language);
        self.say(t::DECLINED, &[&times, &self.instant(at), why, sentence(message), code])
    }
}

fn left_of(left: u32) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX)
}

/// Words of somebody else within a sentence: without the stop that they may end with.
pub(super) fn sentence(words: &str) -> &str {
    words.trim().trim_end_matches('.')
}
