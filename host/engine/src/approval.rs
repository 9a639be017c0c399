//! Decisions on pending approvals, and the expiry of those that nobody decides on in time.
//!
//! Knows one approval at a time. Which plans need an approval, and how one is requested, is in `approval_requests.rs`.

use perennial_domain::apply;
use perennial_domain::approval::ApprovalSummary;
use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::State;
use perennial_domain::attempt::AttemptId;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::policy::chain::RulingKind;
use perennial_domain::timestamp::Timestamp;
use perennial_store::keys::ResourceKey;

use crate::Engine;
pub use crate::approval_decision::ApprovalDecision;
pub use crate::approval_decision::DecisionError;
pub use crate::approval_decision::DecisionOutcome;
use crate::approval_decision::find_pending;
use crate::approval_parts;
use crate::approval_requests::RequestDetails;
use crate::approval_requests::request_event;
use crate::approvals_of_period::renews_undecided;
use crate::batch_entry::EntryIndex;
use crate::client_token::ClientTokenUse;
use crate::client_token::TokenResult;
use crate::error::EngineError;
use crate::persist::Changes;
use crate::persist::RecordedEvent;
use crate::planner::CommandEvaluation;
use crate::planner::refusal_event;
use crate::preconditions::Preconditions;
use crate::ruling_subject::PlanRuling;
use perennial_formats as formats;
use perennial_store::approvals::PricedRequest;
use perennial_store::approvals::Resolution;
use perennial_store::approvals::StoredApproval;
use perennial_store::change::Change;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::error::StoreError;

/// The most approvals that expire in one transaction.
const EXPIRIES_AT_ONCE: u32 = 1_000;

impl<S> Engine<S> {
    /// The same engine, with every approval given as soon as it is requested: for simulations, in which nobody decides.
    pub(crate) fn with_approvals_granted(mut self) -> Engine<S> {
        self.grants_approvals = true;
        self
    }

    /// The same engine, where who changed how a resource renews by itself decides on its renewals all the same unless
    /// `takes_two_people`; without this they do not.
    pub fn with_two_people(mut self, takes_two_people: bool) -> Engine<S> {
        self.takes_two_people = takes_two_people;
        self
    }
}

impl<S: EngineStore> Engine<S> {
    /// Carries out the plan that the approval called `id` holds, if it still is what the command would do.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] when there is nothing to decide on, or not for them.
    pub fn approve(
        &mut self,
        at: Timestamp,
        id: &str,
        decision: &ApprovalDecision<'_>,
    ) -> Result<DecisionOutcome, DecisionError> {
        let stored = find_pending(self.reads(), at, id, (decision, self.takes_two_people))?;
        let mut again = self.ask_again(at, &stored)?;
        let plan = match again.answer.take() {
            Some(Ok(plan)) => plan,
            Some(Err(refusal)) => {
                approval_parts::check(&stored.required, decision.labels)?;
                return self.record_rejected_plan(at, &stored, &again.command, Vec::new(), refusal);
            }
            None => return Err(DecisionError::Closed { approval: stored.id, state: State::Expired }),
        };
        let Reconsideration { mut evaluation, command, token_use, .. } = again;
        let ruled = evaluation.rule(&command, plan, Vec::new());
        if let Some(refusal) = ruled.denial() {
            approval_parts::check(&stored.required, decision.labels)?;
            return self.record_rejected_plan(at, &stored, &ruled.command, unanswered(&ruled), refusal);
        }
        let required = evaluation.required_by_now(&stored, &ruled);
        approval_parts::check(&required, decision.labels)?;
        let member = evaluation.member;
        let priced = evaluation.batch.price_request(EntryIndex::FIRST, member, &ruled.command, &ruled.plan);
        if priced.plan_hash != stored.priced.plan_hash {
            let item = &evaluation.batch.entries[0];
            let id = apply::attempt_id(&ruled.plan, &item.walk.bundle, member);
            let attempt =
                id.map(|id| item.resource_row(&id.key.resource).map(|row| (row, id))).transpose()?;
            return self.reprice(at, &stored, (&ruled, required.as_slice()), priced, attempt);
        }
        if !approval_parts::completes(&required, decision.labels) {
            return self.give_part(at, &stored, required, &ruled, decision);
        }
        let postponement = ruled.verdict.postponement().cloned();
        if let Some(postponement) = postponement.as_ref().filter(|_| stored.cause == Cause::Command) {
            let refusal = postponement.refusal();
            return self.record_rejected_plan(at, &stored, &ruled.command, unanswered(&ruled), refusal);
        }
        mark_approved(&mut evaluation, at, &stored, (decision, required));
        let item = &mut evaluation.batch.entries[0];
        item.record_rulings(member, &PlanRuling { events: unanswered(&ruled), ..ruled.clone() });
        if let Some(postponement) = postponement {
            item.put_off(member, &postponement);
        } else if let Some(refusal) = evaluation.apply(self.reads(), &ruled.command, Ok(ruled.plan))? {
            return self.record_rejected_plan(at, &stored, &ruled.command, Vec::new(), refusal);
        }
        let token_result = token_use.map(TokenResult::approved);
        Ok(DecisionOutcome::Recorded(self.persist(at, stored.account, evaluation, token_result)?))
    }

    /// Asks the rules anew for what `stored` is about, in the name of its requester.
    fn ask_again(&self, at: Timestamp, stored: &StoredApproval) -> Result<Reconsideration, EngineError> {
        let question =
            formats::decision::read_request(&stored.priced.request, &stored.priced.contract).map_err(
                |problems| StoreError::Damaged { what: "a kept question", found: problems.to_string() },
            )?;
        let command = question.command;
        let (bundle, member) = self.reads().bundle(stored.resource)?;
        let account = bundle.account;
        let mut evaluation = self.planner().evaluate(at, bundle, member, &command, None)?;
        let requested_by = stored.requested_by.as_deref();
        let is_provider_api = requested_by.map(|id| self.reads().is_provider_key(id)).transpose()?;
        let asked = Preconditions {
            requested_by,
            is_provider_api: is_provider_api.unwrap_or_default(),
            ..Preconditions::default()
        };
        evaluation.ask_as(self.reads(), &asked)?;
        if !has_ground(&evaluation, stored) {
            return Ok(Reconsideration { evaluation, command, token_use: None, answer: None });
        }
        let token_use =
            self.planner().client_token_use(at, account, &evaluation, &stored.resource_id, &command)?;
        let is_used = |token_use: &&ClientTokenUse| token_use.previous.is_some();
        let answer = match token_use.as_ref().filter(is_used) {
            Some(token_use) => Err(token_use.policy.mismatch.clone()),
            None => evaluation.request_plan(&command)?,
        };
        Ok(Reconsideration { evaluation, command, token_use, answer: Some(answer) })
    }

    /// Takes down that somebody gives the approvals that their labels are for; the plan waits for the others.
    fn give_part(
        &mut self,
        at: Timestamp,
        stored: &StoredApproval,
        required: Vec<RequiredApproval>,
        ruled: &PlanRuling,
        decision: &ApprovalDecision<'_>,
    ) -> Result<DecisionOutcome, DecisionError> {
        let (required, given) = approval_parts::give(&required, decision.labels, decision.decided_by);
        let mut changes = Changes::new(self.retention);
        if approval_parts::takes_others(&stored.required, &required) {
            let event = requested_again(at, stored, &ruled.command, &stored.summary(MemberIndex::PRIMARY));
            changes.add_event(Some((stored.account, stored.account_id.as_str().into())), event);
        }
        changes.list.push(approval_parts::set_required(stored, required));
        for policy in given {
            let what = EventKind::ApprovalGiven {
                approval: stored.id.clone(),
                policy,
                given_by: decision.decided_by.to_owned(),
                reason: decision.reason.map(str::to_owned),
            };
            let event = Event { at, resource: Some(stored.resource_id.clone()), what };
            changes.add_event(Some((stored.account, stored.account_id.as_str().into())), event);
        }
        Ok(DecisionOutcome::Recorded(self.commit(changes)?))
    }

    /// Takes down that somebody does not agree to what the approval called `id` holds.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] when there is nothing to decide on, or not for them.
    pub fn reject(
        &mut self,
        at: Timestamp,
        id: &str,
        decision: &ApprovalDecision<'_>,
    ) -> Result<DecisionOutcome, DecisionError> {
        let stored = find_pending(self.reads(), at, id, (decision, self.takes_two_people))?;
        self.check_labels(at, &stored, decision)?;
        let event = decision_event(at, &stored, State::Rejected, decision);
        let closing = resolution(at, decision);
        let events = self.resolve_approvals(vec![(stored, State::Rejected, closing, event)])?;
        Ok(DecisionOutcome::Recorded(events))
    }

    /// Checks that the decider's labels are among those that the plan takes or, failing that, among those that policies require
    /// by now.
    fn check_labels(
        &self,
        at: Timestamp,
        stored: &StoredApproval,
        decision: &ApprovalDecision<'_>,
    ) -> Result<(), DecisionError> {
        let Err(missing) = approval_parts::check(&stored.required, decision.labels) else { return Ok(()) };
        let Reconsideration { mut evaluation, command, answer, .. } = self.ask_again(at, stored)?;
        let Some(Ok(plan)) = answer else { return Err(missing.into()) };
        let ruled = evaluation.rule(&command, plan, Vec::new());
        let required = evaluation.required_by_now(stored, &ruled);
        if required.is_empty() {
            return Err(missing.into());
        }
        Ok(approval_parts::check(&required, decision.labels)?)
    }

    /// Expires the approvals that nobody decided on until `at`, at most [`EXPIRIES_AT_ONCE`].
    pub(super) fn expire_approvals(&mut self, at: Timestamp) -> Result<Vec<RecordedEvent>, EngineError> {
        let expiring = self.reads().expiring_approvals(at, EXPIRIES_AT_ONCE)?;
        let resolutions = expiring.into_iter().map(|stored| {
            let (reason, expiry_reason) = (ExpiryReason::Undecided, Some(ExpiryReason::Undecided));
            let will_retry = renews_undecided(self.reads(), &stored)?;
            let what = EventKind::ApprovalExpired { approval: stored.id.clone(), reason, will_retry };
            let event = Event { at, resource: Some(stored.resource_id.clone()), what };
            Ok((stored, State::Expired, Resolution { at, by: None, reason: None, expiry_reason }, event))
        });
        self.resolve_approvals(resolutions.collect::<Result<_, StoreError>>()?)
    }

    fn resolve_approvals(
        &mut self,
        resolutions: Vec<(StoredApproval, State, Resolution, Event)>,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let mut changes = Changes::new(self.retention);
        for (stored, state, resolution, event) in resolutions {
            changes.list.push(Change::CloseApproval { approval: stored.row, state, resolution });
            changes.add_event(Some((stored.account, stored.account_id.into())), event);
        }
        Ok(self.commit(changes)?)
    }

    /// Says that what was approved of cannot be carried out, after what policies `ruled`; it stays as it was.
    fn record_rejected_plan(
        &mut self,
        at: Timestamp,
        stored: &StoredApproval,
        command: &Command,
        ruled: Vec<EventKind>,
        refusal: Refusal,
    ) -> Result<DecisionOutcome, DecisionError> {
        let rulings =
            ruled.into_iter().map(|what| Event { at, resource: Some(stored.resource_id.clone()), what });
        let refused = refusal_event(at, &stored.resource_id, command, &refusal);
        let mut changes = Changes::new(self.retention);
        for event in rulings.chain([refused]) {
            changes.add_event(Some((stored.account, stored.account_id.as_str().into())), event);
        }
        Ok(DecisionOutcome::Refused { refusal, events: self.commit(changes)? })
    }

    /// Says what the command would do by now; somebody is to look at that.
    fn reprice(
        &mut self,
        at: Timestamp,
        stored: &StoredApproval,
        (ruled, required): (&PlanRuling, &[RequiredApproval]),
        priced: PricedRequest,
        attempt: Option<(ResourceKey, AttemptId)>,
    ) -> Result<DecisionOutcome, DecisionError> {
        let mut summary = stored.summary(MemberIndex::PRIMARY);
        summary.attempt = attempt.as_ref().map(|(_, id)| id.clone());
        let hash = priced.plan_hash.clone();
        let priced_now = StoredApproval { priced: priced.clone(), ..stored.clone() };
        let event = requested_again(at, &priced_now, &ruled.command, &summary);
        let mut changes = Changes::new(self.retention);
        changes.list.extend(approval_parts::begun_again(stored, required));
        changes.list.push(Change::RepriceApproval { approval: stored.row, priced, attempt, at });
        changes.add_event(Some((stored.account, stored.account_id.as_str().into())), event);
        let events = self.commit(changes)?;
        Ok(DecisionOutcome::PlanChanged { hash, events })
    }
}

impl CommandEvaluation {
    /// What `stored` waits for by now, after what policies `ruled` on its plan.
    fn required_by_now(&self, stored: &StoredApproval, ruled: &PlanRuling) -> Vec<RequiredApproval> {
        let policies = self.batch.policies.as_ref();
        let holds = |one: &RequiredApproval| policies.is_some_and(|all| all.still_holds(one));
        approval_parts::with_kept(&stored.required, ruled.required(), holds)
    }
}

/// What an approval is about, asked for anew.
struct Reconsideration {
    evaluation: CommandEvaluation,
    command: Command,
    token_use: Option<ClientTokenUse>,
    /// What the rules would do; `None` when there is nothing left to decide on.
    answer: Option<Result<Plan, Refusal>>,
}

/// Whether there is something left to decide on; where not, the clock writes that down.
fn has_ground(evaluation: &CommandEvaluation, stored: &StoredApproval) -> bool {
    let item = &evaluation.batch.entries[0];
    let approval = item.approvals.iter().find(|approval| approval.row == Some(stored.row));
    approval.is_some_and(|approval| {
        approval
            .summary
            .obsolete_reason(&item.walk.bundle, |member| item.original.renewing()[member.get()])
            .is_none()
    })
}

/// Says in what is in play that somebody agrees to `stored`, which takes what is `required` by now, before the plan is carried
/// out.
fn mark_approved(
    evaluation: &mut CommandEvaluation,
    at: Timestamp,
    stored: &StoredApproval,
    (decision, required): (&ApprovalDecision<'_>, Vec<RequiredApproval>),
) {
    let item = &mut evaluation.batch.entries[0];
    for approval in item.approvals.iter_mut().filter(|approval| approval.row == Some(stored.row)) {
        if approval_parts::takes_others(&approval.required, &required) {
            (approval.required, approval.is_extended) = (required.clone(), true);
        }
        approval.close(State::Approved, resolution(at, decision));
    }
    item.walk.events.push(decision_event(at, stored, State::Approved, decision));
}

/// What is recorded of rulings when every approval is given that they require: those that this does not answer.
fn unanswered(ruled: &PlanRuling) -> Vec<EventKind> {
    let is_answered = |event: &&EventKind| {
        let EventKind::PolicyRuled { policy, ruling, shadow: false, .. } = event else { return false };
        let is_required = ruled.required().iter().any(|one| one.policy == *policy);
        *ruling == RulingKind::ApprovalRequired || *ruling == RulingKind::Failed && is_required
    };
    ruled.events.iter().filter(|event| !is_answered(event)).cloned().collect()
}

/// The event of `stored` when it holds another plan, or waits for others, from now on.
fn requested_again(
    at: Timestamp,
    stored: &StoredApproval,
    command: &Command,
    summary: &ApprovalSummary,
) -> Event {
    let requested_by = stored.requested_by.as_deref();
    let asked = RequestDetails { requested_by, cost: stored.priced.cost, expires_at: stored.expires_at };
    request_event(at, &stored.id, &stored.resource_id, command, summary, &asked)
}

fn resolution(at: Timestamp, decision: &ApprovalDecision<'_>) -> Resolution {
    let (by, reason) = (Some(decision.decided_by.to_owned()), decision.reason.map(str::to_owned));
    Resolution { at, by, reason, expiry_reason: None }
}

fn decision_event(
    at: Timestamp,
    stored: &StoredApproval,
    state: State,
    decision: &ApprovalDecision<'_>,
) -> Event {
    let decided = ApprovalSummary { state, ..stored.summary(MemberIndex::PRIMARY) };
    let what = EventKind::ApprovalDecided {
        approval: stored.id.clone(),
        decision: state,
        decided_by: decision.decided_by.to_owned(),
        reason: decision.reason.map(str::to_owned),
        will_retry: decided.will_retry(),
    };
    Event { at, resource: Some(stored.resource_id.clone()), what }
}
