//! Accounts whose provider renews by itself: policies are asked before each of its tries, its auto-renew is switched as they
//! rule, and this host renews what the provider has not by its last try.
//!
//! Knows bundles in play and the calls that they have. What is switched at the provider by this host alone changes nothing of
//! what is to be renewed.

use std::borrow::Cow;

use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::connected::advance::advance;
use perennial_domain::connected::protocol::Signal;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::record::Extension;
use perennial_domain::connected::record::Slot;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::connector::Change;
use perennial_domain::connector::Driver;
use perennial_domain::index::MemberIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_store::bundles;
use perennial_store::calls::StoredCall;
use perennial_store::keys::AccountKey;

use crate::EngineTx;
use crate::application::PlanApplication;
use crate::batch::Batch;
use crate::batch_entry::BatchEntry;
use crate::batch_entry::EntryIndex;
use crate::error::EngineError;

/// How long before each try of the provider policies are asked about it, in seconds: a day, in which what they rule is switched and
/// read back, and an approval can be given.
const ASKED_BEFORE: i64 = 86_400;
/// For how long a switch is tried before it is given up, in seconds; it is asked for again before the next try.
const SWITCH_SECONDS: i64 = 86_400;

impl EngineTx<'_> {
    /// Has the provider renew by itself what renews in an account that this host has renewed so far: there it may be switched off.
    /// Each resource gets a call; until that is read back, what the provider shows of it is not believed. Call it once the account
    /// is driven by its provider.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the database fails.
    pub fn hand_over_to_provider(&mut self, account: AccountKey, at: Timestamp) -> Result<(), EngineError> {
        for stored in bundles::list_for_account(self.tx(), account)? {
            let renews = |member: &Resource| member.is_live() && member.on_expiry == OnExpiry::Renew;
            if !stored.bundle.members.iter().any(renews) {
                continue;
            }
            let mut batch = self.load_batch(vec![stored], |_| at)?;
            let item = batch.entry_mut(EntryIndex::FIRST);
            let members = item.walk.bundle.iter().filter(|(_, member)| renews(member));
            for member in members.map(|(index, _)| index).collect::<Vec<_>>() {
                item.switch_on_at_provider(member);
            }
            self.write(batch)?;
        }
        Ok(())
    }
}

impl Batch {
    /// The tries that this host makes where the provider renews by itself: one before each of the provider's, which only asks,
    /// and the provider's last one.
    pub(crate) fn tries_of_driver<'t>(
        &self,
        index: EntryIndex,
        timeline: &'t [Occurrence],
    ) -> Cow<'t, [Occurrence]> {
        match self.driver(index) {
            Some(Driver::Provider) => Cow::Owned(questions(timeline, self.entry(index).walk.ask_after())),
            Some(Driver::Watch | Driver::Host) | None => Cow::Borrowed(timeline),
        }
    }

    /// Whether a try only asks policies about one of the provider that lies ahead.
    pub(crate) fn only_asks(&self, index: EntryIndex, next_try_at: Option<Timestamp>) -> bool {
        self.driver(index) == Some(Driver::Provider) && next_try_at.is_some()
    }

    /// Has the provider renew `member` by itself again, where this host had kept it from that.
    pub(crate) fn let_provider_renew(&mut self, index: EntryIndex, member: MemberIndex) {
        if self.entry(index).is_kept_from_renewing(member) {
            self.entry_mut(index).switch_on_at_provider(member);
        }
    }

    /// Keeps the provider from renewing `member` by itself, unless that is so already.
    pub(crate) fn keep_provider_from_renewing(&mut self, index: EntryIndex, member: MemberIndex) {
        if !self.entry(index).is_kept_from_renewing(member) {
            self.entry_mut(index).switch_at_provider(member, Change::CancelAutoRenew);
        }
    }

    /// Ends the provider's own auto-renew as well, where this host renews and a person switches it off here.
    pub(crate) fn cancel_at_provider(&mut self, index: EntryIndex, application: &PlanApplication<'_>) {
        if matches!(application.command, Command::CancelAutoRenew) {
            self.entry_mut(index).switch_at_provider(application.named, Change::CancelAutoRenew);
        }
    }
}

impl BatchEntry {
    /// Whether this host has switched the provider's auto-renew of `member` off, or is about to.
    fn is_kept_from_renewing(&self, member: MemberIndex) -> bool {
        let id = &self.walk.bundle[member].id;
        let stored = self.calls.iter().map(|call| &call.record);
        let mut newest = stored.chain(&self.reserved).filter(|record| record.named().resource == *id);
        newest.rfind(|record| record.slot() == Slot::OnExpiry).is_some_and(keeps_from_renewing)
    }

    /// Writes down that the provider is to renew `member` by itself, as this host would.
    fn switch_on_at_provider(&mut self, member: MemberIndex) {
        let resource = &self.walk.bundle[member];
        let auto_renewal = AutoRenewal { term: resource.renewal_term, renewals: resource.renewals_left };
        self.switch_at_provider(member, Change::SetAutoRenew(auto_renewal));
    }

    /// Writes down that the provider's auto-renew of `member` is to be switched; while another switch is under way, nothing.
    fn switch_at_provider(&mut self, member: MemberIndex, change: Change) {
        let resource = &self.walk.bundle[member];
        let Some(expires_before) = resource.expires_at else { return };
        let (resource, at) = (resource.id.clone(), self.instant);
        let extension =
            Extension { resource, expires_before, expires_planned: expires_before, cost: Micros::ZERO };
        let mut record = CallRecord::of_change(vec![extension], change, at + SWITCH_SECONDS, at);
        record.cause = Cause::Auto;
        let of_resource = |other: &&CallRecord| {
            other.named().resource == record.named().resource && other.slot() == Slot::OnExpiry
        };
        let stored = self.calls.iter().map(|call| &call.record);
        let switches = stored.chain(&self.reserved).filter(of_resource).collect::<Vec<_>>();
        if switches.iter().any(|other| other.is_open()) {
            return;
        }
        if let Some(earlier) = switches.into_iter().rfind(|other| other.key() == record.key()) {
            record.follow(earlier);
        }
        advance(&mut record, Signal::Reserve, at, &Schedule::DEFAULT)
            .expect("what is planned can be reserved");
        self.reserved.push(record);
    }
}

/// Whether a call keeps, or will keep, the provider from renewing by itself because this host has it so.
fn keeps_from_renewing(record: &CallRecord) -> bool {
    let is_switched_off = record.cause == Cause::Auto && record.change == Change::CancelAutoRenew;
    is_switched_off && (record.is_open() || record.state == State::Settled)
}

/// What of a sync is this host's to know of what happens on expiry, by the newest call about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnExpiryKnown {
    /// Nothing: what the provider says holds.
    ByProvider,
    /// A call about it has not come to its end: what the provider shows is for that call to explain.
    UnderWay,
    /// This host has switched the provider's auto-renew off, and renews or asks again itself.
    KeptOff,
}

impl OnExpiryKnown {
    /// What the newest call about it says.
    pub(crate) fn of(newest: Option<&StoredCall>) -> OnExpiryKnown {
        match newest.map(|call| &call.record) {
            Some(record) if record.is_open() => OnExpiryKnown::UnderWay,
            Some(record) if keeps_from_renewing(record) => OnExpiryKnown::KeptOff,
            Some(_) | None => OnExpiryKnown::ByProvider,
        }
    }
}

/// The provider's tries as this host makes them: a question well before each, unless that is past, and the last one itself.
fn questions(timeline: &[Occurrence], after: Timestamp) -> Vec<Occurrence> {
    let is_last = |number: usize, here: &Occurrence| {
        !timeline[number + 1..]
            .iter()
            .any(|later| later.member == here.member && later.action == Action::TryRenewal)
    };
    let mut made = Vec::with_capacity(timeline.len());
    for (number, here) in timeline.iter().enumerate() {
        if here.action != Action::TryRenewal {
            made.push(here.clone());
            continue;
        }
        let asked_at = here.at - ASKED_BEFORE;
        if asked_at > after {
            made.push(Occurrence { at: asked_at, ..here.clone() });
        }
        if is_last(number, here) {
            made.push(here.clone());
        }
    }
    made.sort_by_key(|occurrence| occurrence.at);
    made.dedup();
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-{text}:00:00Z").parse().unwrap()
    }

    fn made(tries: &[&str], after: &str) -> String {
        let of = |text: &&str| Occurrence {
            at: at(text),
            member: MemberIndex::PRIMARY,
            action: Action::TryRenewal,
        };
        let timeline = tries.iter().map(of).collect::<Vec<_>>();
        let made = questions(&timeline, at(after));
        made.iter().map(|one| one.at.to_string()[8..13].to_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn policies_are_asked_before_each_try_and_the_last_is_made() {
        assert_eq!(made(&["10T03", "12T03", "13T03"], "01T00"), "09T03 11T03 12T03 13T03");
        assert_eq!(made(&["10T03", "12T03", "13T03"], "09T03"), "11T03 12T03 13T03", "what was asked");
        assert_eq!(made(&["13T03"], "12T10"), "13T03", "too late to ask, and not to renew");
        assert_eq!(made(&[], "12T10"), "");
    }
}
