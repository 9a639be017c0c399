//! A command before the policies: ruled on, recorded, and carried out if nothing is against it.
//!
//! Knows one command that the rules have answered. What rulings come to is in `ruling.rs`.

use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Stage;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connector::Change as CloudChange;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Command;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Step;
use perennial_domain::timeline::Action;
use perennial_domain::timestamp::Timestamp;
use perennial_store::change::Change;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

use crate::batch::RenewalTry;
use crate::batch_entry::EntryIndex;
use crate::error::EngineError;
use crate::planner::CommandEvaluation;
use crate::policy_facts;
use crate::preconditions::Preconditions;
use crate::rules::automatic_renewal;
use crate::ruling_subject::PlanRuling;
use crate::ruling_subject::Subject;

/// The settings that say how a resource renews by itself, and what that costs, as events name them.
pub(crate) const RENEWAL_SETTINGS: [&str; 5] =
    ["on_expiry", "renewal_term", "renewals_left", "term", "price"];

impl CommandEvaluation {
    /// Has the policies rule on what the rules answered that `command` would do; `approved` are those whose approvals were
    /// given.
    pub(super) fn rule(&mut self, command: &Command, plan: Plan, approved: Vec<String>) -> PlanRuling {
        let subject = Subject {
            entry: EntryIndex::FIRST,
            member: self.member,
            command: command.clone(),
            plan,
            approved,
        };
        let mut ruled = None;
        self.batch.rule_in_order(vec![subject], &mut |_, _, one| ruled = Some(one));
        ruled.expect("what is ruled on is settled")
    }

    /// Records what the policies ruled and, where approvals are given at once, that they were.
    pub(super) fn record_ruled(&mut self, ruled: &PlanRuling) -> Result<(), EngineError> {
        let member = self.member;
        self.batch.entries[0].record_rulings(member, ruled);
        if !ruled.required().is_empty() {
            let pay_until = self.pay_until();
            self.batch.request_for_command(EntryIndex::FIRST, member, ruled, pay_until)?;
            self.batch.entries[0].grant_last();
        }
        Ok(())
    }

    /// What is written down of who asks, if the command changes at `at` how something renews by itself, or has that changed at the
    /// provider.
    pub(super) fn renewal_authors(&self, at: Timestamp) -> Result<Vec<Change>, StoreError> {
        let Some(author) = &self.batch.requested_by else { return Ok(Vec::new()) };
        let entry = &self.batch.entries[0];
        let is_now = |event: &&Event| event.at == at;
        let by_events = entry.walk.events.iter().filter(is_now).filter_map(|event| {
            let EventKind::SettingChanged { setting, .. } = &event.what else { return None };
            Some((event.resource.as_deref()?, setting.as_str()))
        });
        let is_switch = |call: &&CallRecord| matches!(call.change, CloudChange::SetAutoRenew(_));
        let switches = entry.reserved.iter().filter(is_switch);
        let by_calls = switches.map(|call| (call.named().resource.as_str(), RENEWAL_SETTINGS[0]));
        let changed = by_events.chain(by_calls).filter(|(_, setting)| RENEWAL_SETTINGS.contains(setting));
        let author = |(resource, setting): (&str, &str)| {
            let resource = entry.resource_row(resource)?;
            Ok(Change::SetRenewalAuthor { resource, setting: setting.to_owned(), author: author.clone() })
        };
        changed.map(author).collect()
    }

    /// Says who asks, and by which way.
    pub(super) fn ask_as(
        &mut self,
        db: &dyn EngineReads,
        preconditions: &Preconditions<'_>,
    ) -> Result<(), StoreError> {
        self.batch.requested_by = preconditions.requested_by.map(str::to_owned);
        self.batch.requester = preconditions.requested_by.map(|id| db.person_of(id)).transpose()?;
        self.batch.is_provider_api = preconditions.is_provider_api;
        Ok(())
    }

    /// What is answered to a command that a policy denied or put off: through the provider's own API in its words.
    fn refusal_of_policy(&self, ruled: &PlanRuling) -> Option<Refusal> {
        let refusal = ruled.refusal(self.batch.grants_approvals)?;
        let account_in_batch = &self.batch.accounts[0];
        let Some(rules) = account_in_batch.rules.as_ref().filter(|_| self.batch.is_provider_api) else {
            return Some(refusal);
        };
        let manifest = rules.manifest();
        let is_put_off = ruled.verdict.postponement().is_some();
        let provider_refusal = if is_put_off { &manifest.policy_deferred } else { &manifest.policy_denied };
        Some(provider_refusal.of(&account_in_batch.account.settings, &refusal.message))
    }

    /// Does what was ruled on, as though every approval were given; returns why not, if not.
    pub(super) fn apply_ruled(
        &mut self,
        db: &dyn EngineReads,
        ruled: &PlanRuling,
    ) -> Result<Option<Refusal>, EngineError> {
        match self.refusal_of_policy(ruled) {
            Some(refusal) => Ok(Some(refusal)),
            None => self.apply(db, &ruled.command, Ok(ruled.plan.clone())),
        }
    }

    /// Tries the automatic renewal of `member` at once, as `plan`, which was carried out, wants; and that of every other member
    /// that it turned on whose own tries have all passed: nothing would renew it any more.
    pub(super) fn retry_all_now(&mut self, plan: &Plan, member: MemberIndex) -> Result<(), EngineError> {
        let is_other =
            |step: &&Step| step.member != member && matches!(step.operation, Operation::SetAutoRenew(_));
        let others = plan.steps.iter().filter(is_other).map(|step| step.member).collect::<Vec<_>>();
        let late = others.into_iter().map(|other| Ok((other, self.expiry_without_try(other)?)));
        let late = late.collect::<Result<Vec<_>, EngineError>>()?;
        self.retry_now(member)?;
        for (other, expires_at) in late {
            // What was renewed along with another has another expiry.
            let present = self.batch.entries[0].walk.bundle[other].expires_at;
            if expires_at.is_some() && present == expires_at {
                self.retry_now(other)?;
            }
        }
        Ok(())
    }

    /// When `member` expires, which had tries of its own for its present period and has none left; `None` of every other.
    fn expiry_without_try(&self, member: MemberIndex) -> Result<Option<Timestamp>, EngineError> {
        let item = &self.batch.entries[0];
        let resource = &item.walk.bundle[member];
        let is_active = resource.stage == Stage::Active && resource.on_expiry == OnExpiry::Renew;
        let ahead = resource.expires_at.filter(|expires_at| is_active && *expires_at > item.instant);
        let Some(expires_at) = ahead else { return Ok(None) };
        let after = policy_facts::before_period(resource, item.instant);
        let timeline = self.batch.request_timelines_after(&[(EntryIndex::FIRST, after)]).pop();
        let timeline = timeline.expect("one question has one answer").map_err(EngineError::overdue)?;
        let own = timeline.iter().filter(|next| next.member == member && next.action == Action::TryRenewal);
        let last = own.map(|next| next.at).filter(|at| *at < expires_at).max();
        Ok(last.filter(|last| *last < item.instant).map(|_| expires_at))
    }

    /// Tries the automatic renewal of `member` at once.
    fn retry_now(&mut self, member: MemberIndex) -> Result<(), EngineError> {
        let renewal = automatic_renewal();
        let named = std::mem::replace(&mut self.member, member);
        let plan = self.request_plan(&renewal);
        self.member = named;
        let plan = plan?;
        let entry = EntryIndex::FIRST;
        let mut renewal_try = RenewalTry { entry, member, next_try_at: None, timeline: Vec::new() };
        let plan = match plan {
            Ok(plan) => plan,
            Err(refusal) => {
                self.batch.refuse_try(&renewal_try, refusal);
                return Ok(());
            }
        };
        let subject = self.batch.try_subject(&renewal_try, plan);
        let mut ruled = None;
        self.batch.rule_in_order(vec![subject], &mut |_, _, one| ruled = Some(one));
        if let Some(ruled) = ruled {
            self.add_priced_plan(member, &ruled.plan);
            if !ruled.required().is_empty() {
                renewal_try.timeline = self.batch.request_timeline(entry)?;
            }
            self.batch.settle_try(&renewal_try, ruled);
        }
        Ok(())
    }
}
