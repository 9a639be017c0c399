//! A command before the policies: ruled on, recorded, and carried out if nothing is against it.
//!
//! Knows one command that the rules have answered. What rulings come to is in `ruling.rs`.

use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

use crate::batch::RenewalTry;
use crate::batch_entry::EntryIndex;
use crate::error::EngineError;
use crate::planner::CommandEvaluation;
use crate::preconditions::Preconditions;
use crate::ruled::Ruled;
use crate::ruled::Subject;
use crate::rules::automatic_renewal;

impl CommandEvaluation {
    /// Has the policies rule on what the rules answered that `command` would do; `approved` are those whose approvals were
    /// given.
    pub(super) fn rule(&mut self, command: &Command, plan: Plan, approved: Vec<String>) -> Ruled {
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
    pub(super) fn record_ruled(&mut self, ruled: &Ruled) -> Result<(), EngineError> {
        let member = self.member;
        self.batch.entries[0].record_rulings(member, ruled);
        if !ruled.required().is_empty() {
            let pay_until = self.pay_until();
            self.batch.request_for_command(EntryIndex::FIRST, member, ruled, pay_until)?;
            self.batch.entries[0].grant_last();
        }
        Ok(())
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
    fn refusal_of_policy(&self, ruled: &Ruled) -> Option<Refusal> {
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
        ruled: &Ruled,
    ) -> Result<Option<Refusal>, EngineError> {
        match self.refusal_of_policy(ruled) {
            Some(refusal) => Ok(Some(refusal)),
            None => self.apply(db, &ruled.command, Ok(ruled.plan.clone())),
        }
    }

    /// Tries the automatic renewal of `member` at once, as the plan that was carried out wants.
    pub(super) fn retry_now(&mut self, member: MemberIndex) -> Result<(), EngineError> {
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
