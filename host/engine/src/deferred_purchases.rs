//! Packages that were ordered to be paid later: paying for one when its time comes, or putting it off.

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::plan::Command;
use perennial_domain::plan::Purchase;
use perennial_domain::timestamp::Timestamp;
use perennial_store::change::Change;
use perennial_store::change::PurchaseChange;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::keys::AccountKey;
use perennial_store::packages::DeferredPurchase;

use crate::Engine;
use crate::error::EngineError;
use crate::persist::Changes;
use crate::persist::RecordedEvent;
use crate::planner::CommandEvaluation;

impl<S: EngineStore> Engine<S> {
    /// Pays for a package whose time to be paid has come: the same as buying it again now. One whose plugin gives no
    /// usable answer is paid later.
    pub(super) fn pay_deferred(
        &mut self,
        purchase: DeferredPurchase,
        at: Timestamp,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let (stored, member) = self.reads().bundle(purchase.resource)?;
        let (account, resource) = (stored.account, stored.bundle[member].id.clone());
        let effective_at = Some(purchase.effective_at).filter(|effective_at| *effective_at > at);
        let command = Command::BuyAgain(Purchase { pay_at: None, effective_at });
        let evaluation = self.planner().evaluate(at, stored, member, &command, Some(purchase.row));
        let may_be_paid = self.review_until.is_some_and(|until| purchase.pay_at <= until);
        let paid = evaluation.and_then(|evaluation| match may_be_paid {
            true => self.review_payment(at, account, evaluation, &command),
            false => self.pay(at, account, evaluation, &command),
        });
        match paid {
            Ok(events) => Ok(events),
            Err(
                error @ (EngineError::Plugin(_) | EngineError::Overdue(_) | EngineError::NoPlugin { .. }),
            ) => self.postpone(purchase, at, account, resource, error.to_string()),
            Err(
                error @ (EngineError::Store(_)
                | EngineError::Watched(_)
                | EngineError::NotSent { .. }
                | EngineError::UnknownAccount(_)
                | EngineError::Clock(_)
                | EngineError::ClientTokens { .. }
                | EngineError::MissingKinds(_)
                | EngineError::PlanChanged { .. }),
            ) => Err(error),
        }
    }

    /// Pays for it. It was approved when it was ordered, where that was needed.
    fn pay(
        &mut self,
        at: Timestamp,
        account: AccountKey,
        mut evaluation: CommandEvaluation,
        command: &Command,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let answer = evaluation.request_plan(command)?;
        if let Some(refusal) = evaluation.apply(self.reads(), command, answer)? {
            evaluation.record_refusal(command, &refusal);
        }
        self.persist(at, account, evaluation, None)
    }

    /// Requests an approval of what was due in the time that the database lost when it was set back: it may be paid already.
    fn review_payment(
        &mut self,
        at: Timestamp,
        account: AccountKey,
        mut evaluation: CommandEvaluation,
        command: &Command,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        evaluation.batch.entries[0].needs_review = true;
        match evaluation.request_plan(command)? {
            Err(refusal) => evaluation.record_refusal(command, &refusal),
            Ok(plan) => {
                let ruled = evaluation.rule(command, plan, Vec::new());
                if !ruled.required().is_empty() && !self.grants_approvals {
                    return Ok(self.request_approval(at, account, evaluation, &ruled)?.events);
                }
                evaluation.record_ruled(&ruled)?;
                let refusal = evaluation.apply_ruled(self.reads(), &ruled)?;
                if let Some(refusal) = ruled.refusal(self.grants_approvals).or(refusal) {
                    evaluation.record_refusal(command, &refusal);
                }
            }
        }
        self.persist(at, account, evaluation, None)
    }

    fn postpone(
        &mut self,
        purchase: DeferredPurchase,
        at: Timestamp,
        account: AccountKey,
        resource: String,
        message: String,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let next_try_at = at + self.failure_limits.retry.most_seconds;
        let id = self.reads().account(account)?.account.id;
        let what = EventKind::PluginFailed { message, next_try_at: Some(next_try_at) };
        let event = Event { at, resource: Some(resource), what };
        let mut changes = Changes::new(self.retention);
        changes
            .list
            .push(Change::Purchase(PurchaseChange::Postpone { purchase: purchase.row, pay_at: next_try_at }));
        changes.add_event(Some((account, id.into())), event);
        Ok(self.commit(changes)?)
    }
}
