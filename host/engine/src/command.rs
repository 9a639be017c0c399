//! Commands of people and programs: asked of the rules, priced, carried out, and remembered by their token.
//!
//! Knows one command at a time. A command takes part in the bundle's timeline: what was due before it has been done.

use perennial_domain::event::Event;
use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Command;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use perennial_store::keys::AccountKey;

use crate::Engine;
use crate::batch_entry::EntryIndex;
use crate::client_token::ClientTokenUse;
use crate::client_token::TokenResult;
use crate::connected::CallId;
use crate::error::EngineError;
use crate::load_batch::BatchOptions;
use crate::persist::Changes;
use crate::persist::RecordedEvent;
use crate::planner::CommandEvaluation;
use crate::planner::Planner;
use crate::planner::refusal_event;
use crate::preconditions::Preconditions;
use crate::proposal::Proposal;
use crate::rules::Providers;
use crate::ruling_subject::PlanRuling;
use crate::start;
use perennial_store::bundles::StoredBundle;
use perennial_store::change::Change;
use perennial_store::change::PurchaseChange;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutcome {
    /// Why it was not carried out; `None` when it was, or waits.
    pub refusal: Option<Refusal>,
    /// The id of the approval that it waits for, if it does.
    pub approval: Option<String>,
    /// The call to the provider that will carry it out, if one was written down.
    pub call: Option<CallId>,
    /// The events that were recorded.
    pub events: Vec<RecordedEvent>,
    /// The ids of the orders of the first time, if the client token came again, so that nothing was done now.
    pub replayed_orders: Option<Vec<String>>,
}

/// Refuses to go on if what was planned is something else.
fn check_plan_hash(proposal: &Proposal, preconditions: &Preconditions<'_>) -> Result<(), EngineError> {
    let stored = proposal.hash();
    match preconditions.plan_hash {
        Some(planned) if planned != stored => Err(EngineError::PlanChanged { found: stored }),
        Some(_) | None => Ok(()),
    }
}

/// What `command` would do to the resource called `resource` at `at`, with what was due before done first; `None` when
/// there is no such resource. Nothing is written, so any connection will do. Of the preconditions it counts who asks.
///
/// # Errors
///
/// [`EngineError`] when it cannot be decided.
pub fn propose(
    db: &dyn EngineReads,
    providers: &Providers,
    at: Timestamp,
    resource: &str,
    command: &Command,
    preconditions: &Preconditions<'_>,
) -> Result<Option<Proposal>, EngineError> {
    let Some((stored, member)) = db.find_bundle(resource)? else { return Ok(None) };
    propose_for_bundle(db, providers, at, (stored, member), command, preconditions).map(Some)
}

/// The same, of a resource that was found: a bundle and a place in it.
///
/// # Errors
///
/// [`EngineError`] when it cannot be decided.
pub fn propose_for_bundle(
    db: &dyn EngineReads,
    providers: &Providers,
    at: Timestamp,
    (stored, member): (StoredBundle, MemberIndex),
    command: &Command,
    preconditions: &Preconditions<'_>,
) -> Result<Proposal, EngineError> {
    let account = stored.account;
    let resource = stored.bundle[member].id.clone();
    let planner = Planner { db, providers, options: BatchOptions::default() };
    let mut evaluation = planner.evaluate(at, stored, member, command, None)?;
    evaluation.ask_as(db, preconditions)?;
    let before = evaluation.snapshot();
    match planner.client_token_use(at, account, &evaluation, &resource, command)? {
        Some(token_use) if token_use.previous.is_some() => {
            Ok(evaluation.proposal(before, command, token_use.replayed_refusal()))
        }
        Some(_) | None => {
            let ruled = match evaluation.request_plan(command)? {
                Ok(plan) => evaluation.rule(command, plan, Vec::new()),
                Err(refusal) => return Ok(evaluation.proposal(before, command, Some(refusal))),
            };
            let refusal = evaluation.apply_ruled(db, &ruled)?;
            let (required, rulings) = (ruled.required().to_vec(), ruled.events.clone());
            Ok(Proposal { required, rulings, ..evaluation.proposal(before, &ruled.command, refusal) })
        }
    }
}

impl<S: EngineStore> Engine<S> {
    /// Carries out `command` on the resource called `resource`, at `at`. What was due before has been done.
    ///
    /// A refusal is an ordinary answer, and an event. `account` is who asks, for a resource that does not exist.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when it could not be decided; nothing has changed then.
    pub fn command(
        &mut self,
        at: Timestamp,
        account: Option<&str>,
        resource: &str,
        command: &Command,
    ) -> Result<CommandOutcome, EngineError> {
        self.command_with_preconditions(at, account, resource, command, &Preconditions::default())
    }

    /// The same on somebody's terms.
    ///
    /// # Errors
    ///
    /// [`EngineError::PlanChanged`] when it would do something else; nothing has changed then. Otherwise as above.
    pub fn command_with_preconditions(
        &mut self,
        at: Timestamp,
        account: Option<&str>,
        resource: &str,
        command: &Command,
        preconditions: &Preconditions<'_>,
    ) -> Result<CommandOutcome, EngineError> {
        let Some((stored, member)) = self.reads().find_bundle(resource)? else {
            return self.refuse_unknown_resource(at, account, resource, command);
        };
        let account = stored.account;
        let mut evaluation = self.planner().evaluate(at, stored, member, command, None)?;
        let token_use = self.planner().client_token_use(at, account, &evaluation, resource, command)?;
        let token_use = match token_use {
            Some(token_use) if token_use.previous.is_some() => {
                return self.replay(at, &mut evaluation, command, token_use);
            }
            token_use => token_use,
        };
        if let Some(token_use) = &token_use {
            self.admit_token(at, account, &mut evaluation, token_use)?;
        }
        evaluation.ask_as(self.reads(), preconditions)?;
        let before = preconditions.plan_hash.map(|_| evaluation.snapshot());
        let mut ruled_out = None;
        let (asked, refusal) = match evaluation.request_plan(command)? {
            Err(refusal) => (command.clone(), Some(refusal)),
            Ok(plan) => {
                let ruled = evaluation.rule(command, plan, Vec::new());
                if !ruled.required().is_empty() && !self.grants_approvals {
                    if preconditions.plan_hash.is_some()
                        && let Some(proposal) =
                            propose(self.reads(), &self.providers, at, resource, command, preconditions)?
                    {
                        check_plan_hash(&proposal, preconditions)?;
                    }
                    return self.request_approval(at, account, evaluation, &ruled);
                }
                evaluation.record_ruled(&ruled)?;
                ruled_out = ruled.refusal(self.grants_approvals);
                let refusal = evaluation.apply_ruled(self.reads(), &ruled)?;
                (ruled.command, refusal)
            }
        };
        if let Some(before) = before {
            check_plan_hash(&evaluation.proposal(before, &asked, refusal.clone()), preconditions)?;
        }
        if let Some(recorded) = ruled_out.as_ref().or(refusal.as_ref()) {
            evaluation.record_refusal(command, recorded);
        }
        // What a policy is against may come again under its token, once nothing is against it any more.
        let token_use = token_use.filter(|_| ruled_out.is_none());
        let token_result = token_use
            .map(|token_use| TokenResult::of(token_use, refusal.clone(), preconditions.omits_orders));
        let call = evaluation.batch.entries[0].asked_call()?;
        let events = self.persist(at, account, evaluation, token_result)?;
        Ok(CommandOutcome { refusal, approval: None, call, events, replayed_orders: None })
    }

    /// Holds what a command would do until somebody approves of it; the same command again waits for the same.
    pub(super) fn request_approval(
        &mut self,
        at: Timestamp,
        account: AccountKey,
        mut evaluation: CommandEvaluation,
        ruled: &PlanRuling,
    ) -> Result<CommandOutcome, EngineError> {
        let (member, pay_until) = (evaluation.member, evaluation.pay_until());
        evaluation.batch.entries[0].record_rulings(member, ruled);
        let (approval, is_changed) =
            evaluation.batch.request_for_command(EntryIndex::FIRST, member, ruled, pay_until)?;
        let is_told = is_changed || !ruled.events.is_empty() || evaluation.deferred_purchase.is_some();
        let events = if is_told { self.persist(at, account, evaluation, None)? } else { Vec::new() };
        Ok(CommandOutcome {
            refusal: None,
            approval: Some(approval),
            call: None,
            events,
            replayed_orders: None,
        })
    }

    pub(super) fn planner(&self) -> Planner<'_> {
        Planner { db: self.reads(), providers: &self.providers, options: self.batch_options() }
    }

    /// The same token again: nothing is done, and the answer is the first one or the provider's word for a mismatch.
    fn replay(
        &mut self,
        at: Timestamp,
        evaluation: &mut CommandEvaluation,
        command: &Command,
        token_use: ClientTokenUse,
    ) -> Result<CommandOutcome, EngineError> {
        let account = evaluation.batch.accounts[0].row;
        if let Some(previous) = &token_use.previous {
            let (token, outcome) = (token_use.token.clone(), previous.clone());
            let valid_until = token_use.valid_until(at);
            self.store.commit([Change::RecordClientToken { account, token, outcome, at, valid_until }])?;
        }
        let replayed_orders = token_use.first_result().map(|previous| previous.orders.clone());
        match token_use.replayed_refusal() {
            Some(mismatch) if replayed_orders.is_none() => {
                let resource = &evaluation.batch.entries[0].walk.bundle[evaluation.member].id;
                let event = refusal_event(at, resource, command, &mismatch);
                let id = evaluation.batch.accounts[0].account.id.clone();
                let events = self.write_event(Some((account, &id)), event)?;
                Ok(CommandOutcome {
                    refusal: Some(mismatch),
                    approval: None,
                    call: None,
                    events,
                    replayed_orders: None,
                })
            }
            refusal => Ok(CommandOutcome {
                refusal,
                approval: None,
                call: None,
                events: Vec::new(),
                replayed_orders,
            }),
        }
    }

    /// What a command on a resource that does not exist is answered; `account` is who asks, if that is known.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn refuse_unknown_resource(
        &mut self,
        at: Timestamp,
        account: Option<&str>,
        resource: &str,
        command: &Command,
    ) -> Result<CommandOutcome, EngineError> {
        let accounts = self.reads().accounts()?;
        let account = match account {
            Some(id) => accounts.iter().find(|stored| stored.account.id == id),
            None if accounts.len() == 1 => accounts.first(),
            None => None,
        };
        // Who asks may not be known; what the provider would say is, if there is only one.
        let one_provider =
            accounts.windows(2).all(|pair| pair[0].account.provider == pair[1].account.provider);
        let provider =
            account.or(accounts.first().filter(|_| one_provider)).map(|stored| &stored.account.provider);
        let bound = self.bound()?;
        let rules = provider.and_then(|provider| bound.get(provider));
        let refusal = match rules {
            Some(rules) => rules.manifest().unknown_resource_for(command).clone(),
            None => Refusal {
                code: "no_such_resource".to_owned(),
                message: format!("there is no resource `{resource}`"),
            },
        };
        let event = refusal_event(at, resource, command, &refusal);
        let account = account.map(|stored| (stored.row, stored.account.id.clone()));
        let events = self.write_event(account.as_ref().map(|(row, id)| (*row, id.as_str())), event)?;
        Ok(CommandOutcome {
            refusal: Some(refusal),
            approval: None,
            call: None,
            events,
            replayed_orders: None,
        })
    }

    /// Writes down anew what led to the refusal of a command of `account`, by a plan that was to be carried out whole or not
    /// at all, and was undone.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn record_again(
        &mut self,
        (row, account): (AccountKey, &str),
        events: Vec<Event>,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let mut changes = Changes::new(self.retention);
        events.into_iter().for_each(|event| changes.add_event(Some((row, account.into())), event));
        Ok(self.commit(changes)?)
    }

    /// Writes down something that happened; `account` is whose it is, if that is known.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn write_event(
        &mut self,
        account: Option<(AccountKey, &str)>,
        event: Event,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let mut changes = Changes::new(self.retention);
        changes.add_event(account.map(|(row, id)| (row, id.into())), event);
        Ok(self.commit(changes)?)
    }

    pub(super) fn persist(
        &mut self,
        at: Timestamp,
        account: AccountKey,
        mut evaluation: CommandEvaluation,
        token_result: Option<TokenResult>,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        // What is due at this very instant is still to come, so the clock goes on from the second before it.
        evaluation.batch.entries[0].instant = at - 1;
        evaluation.batch.decide();
        evaluation.batch.entries[0].instant = at;
        let mut changes = Changes::new(self.retention);
        changes.list.push(start::claim(self.clock, at));
        changes.list.extend(evaluation.renewal_authors(at)?);
        changes.list.extend(evaluation.deferred_purchase.map(PurchaseChange::Delete).map(Change::Purchase));
        changes.add_batch(self.reads(), evaluation.batch)?;
        if let Some(result) = token_result {
            let change = result.change(&changes, account, at);
            changes.list.push(change);
        }
        Ok(self.commit(changes)?)
    }
}
