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
use perennial_domain::plan::Command;
use perennial_domain::plan::Refusal;
use perennial_domain::policy::chain::POLICY_REFUSAL;
use perennial_domain::timestamp::Timestamp;
use perennial_store::keys::ResourceKey;

use crate::Engine;
use crate::approval_parts;
use crate::approval_parts::ApproverLabels;
use crate::approval_parts::MissingLabel;
use crate::approval_parts::held_words;
use crate::approval_parts::quoted;
use crate::approval_requests::expired;
use crate::approval_requests::policies_of;
use crate::approval_requests::request_event;
use crate::batch_approval::ApprovalRequest;
use crate::batch_entry::EntryIndex;
use crate::client_token::TokenResult;
use crate::error::EngineError;
use crate::persist::Changes;
use crate::persist::RecordedEvent;
use crate::planner::CommandEvaluation;
use crate::planner::refusal_event;
use crate::preconditions::Preconditions;
use crate::ruling::PlanRuling;
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

/// Somebody's decision on a pending approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalDecision<'a> {
    /// The id of the token that decides; `cli` for the command line.
    pub decided_by: &'a str,
    /// Why, if they say.
    pub reason: Option<&'a str>,
    /// The hash of the plan that they looked at, if they say.
    pub plan_hash: Option<&'a str>,
    /// What they may approve of.
    pub labels: ApproverLabels<'a>,
}

/// What became of an approval's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecisionOutcome {
    /// It was taken down and, if it is a yes, the plan was carried out.
    Recorded(Vec<RecordedEvent>),
    /// The plan cannot be carried out; the approval stays pending.
    Refused {
        /// Why the rules or the balance refuse it.
        refusal: Refusal,
        /// The events that were recorded.
        events: Vec<RecordedEvent>,
    },
    /// The command would do something else by now. The approval stays pending, for that.
    PlanChanged {
        /// The hash of what it would do now.
        hash: String,
        /// The events that were recorded.
        events: Vec<RecordedEvent>,
    },
}

/// Why a decision was not taken down; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No approval is called that.
    #[error("there is no approval `{0}`")]
    Unknown(String),
    /// The approval has ended, in this state.
    #[error("there is nothing to decide on any more: the approval is {}", .0.name())]
    Closed(State),
    /// Its time is over.
    #[error("there is nothing to decide on any more: the approval's time was over at {0}")]
    Expired(Timestamp),
    /// The person behind the token that requested the approval does not decide on it, with whichever token.
    #[error(
        "whoever asked for an approval does not decide on it, nor does a token that they made; have somebody else do it"
    )]
    OwnRequest,
    /// Policies require approvals of somebody else.
    #[error(
        "the token approves for {}; what is left to approve here takes the label {}: have somebody decide whose token \
         was made with `--approves`", held_words(.0), quoted(.1)
    )]
    MissingLabel(Vec<String>, Vec<String>),
    /// It holds another plan than the one that was looked at.
    #[error("the approval holds another plan than that, with the hash {0}; look at it again")]
    PlanMismatch(String),
}

impl From<MissingLabel> for DecisionError {
    fn from(MissingLabel { held, wanted }: MissingLabel) -> DecisionError {
        DecisionError::MissingLabel(held, wanted)
    }
}

impl From<StoreError> for DecisionError {
    fn from(error: StoreError) -> DecisionError {
        DecisionError::Engine(error.into())
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
        let stored = find_decidable(self.reads(), at, id, decision)?;
        if !approval_parts::completes(&stored.required, decision.labels) {
            return self.give_part(at, &stored, decision);
        }
        let question =
            formats::decision::read_question(&stored.priced.request, &stored.priced.contract).map_err(
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
        mark_approved(&mut evaluation, at, &stored, decision)?;
        let token_use =
            self.planner().client_token_use(at, account, &evaluation, &stored.resource_id, &command)?;
        if let Some(token_use) = token_use.as_ref().filter(|token_use| token_use.previous.is_some()) {
            return self.record_rejected_plan(at, &stored, &command, token_use.policy.mismatch.clone());
        }
        let plan = match evaluation.request_plan(&command)? {
            Ok(plan) => plan,
            Err(refusal) => return self.record_rejected_plan(at, &stored, &command, refusal),
        };
        let ruled = evaluation.rule(&command, plan, policies_of(&stored.required));
        if let Some(refusal) = refusal_of_approved(&ruled) {
            return self.record_rejected_plan(at, &stored, &command, refusal);
        }
        let PlanRuling { command, plan, .. } = ruled.clone();
        evaluation.batch.entries[0].record_rulings(member, &ruled);
        let priced = evaluation.batch.price_request(EntryIndex::FIRST, member, &command, &plan);
        if priced.plan_hash != stored.priced.plan_hash {
            let item = &evaluation.batch.entries[0];
            let id = apply::attempt_id(&plan, &item.walk.bundle, member);
            let attempt =
                id.map(|id| item.resource_row(&id.key.resource).map(|row| (row, id))).transpose()?;
            return self.reprice(at, &stored, &command, priced, attempt);
        }
        if let Some(refusal) = evaluation.apply(self.reads(), &command, Ok(plan))? {
            return self.record_rejected_plan(at, &stored, &command, refusal);
        }
        let token_result = token_use.map(TokenResult::approved);
        Ok(DecisionOutcome::Recorded(self.persist(at, account, evaluation, token_result)?))
    }

    /// Takes down that somebody gives the approvals that their labels are for; the plan waits for the others.
    fn give_part(
        &mut self,
        at: Timestamp,
        stored: &StoredApproval,
        decision: &ApprovalDecision<'_>,
    ) -> Result<DecisionOutcome, DecisionError> {
        let (required, given) = approval_parts::give(&stored.required, decision.labels, decision.decided_by);
        let mut changes = Changes::new(self.retention);
        changes.list.push(Change::SetRequired { approval: stored.row, required });
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
        let stored = find_decidable(self.reads(), at, id, decision)?;
        let summary = ApprovalSummary { state: State::Rejected, ..stored.summary(MemberIndex::PRIMARY) };
        let event = decision_event(at, &stored, State::Rejected, decision, summary.will_retry());
        let closing = resolution(at, decision);
        let events = self.resolve_approvals(vec![(stored, State::Rejected, closing, event)])?;
        Ok(DecisionOutcome::Recorded(events))
    }

    /// Expires the approvals that nobody decided on until `at`, at most [`EXPIRIES_AT_ONCE`].
    pub(super) fn expire_approvals(&mut self, at: Timestamp) -> Result<Vec<RecordedEvent>, EngineError> {
        let expiring = self.reads().expiring_approvals(at, EXPIRIES_AT_ONCE)?;
        let resolutions = expiring.into_iter().map(|stored| {
            let expiry_reason = Some(ExpiryReason::Undecided);
            let summary = ApprovalSummary {
                state: State::Expired,
                expiry_reason,
                ..stored.summary(MemberIndex::PRIMARY)
            };
            let resource = stored.resource_id.clone();
            let event = expired(at, resource, &stored.id, &summary, ExpiryReason::Undecided);
            (stored, State::Expired, Resolution { at, by: None, reason: None, expiry_reason }, event)
        });
        self.resolve_approvals(resolutions.collect())
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

    /// Says that what was approved of cannot be carried out; it stays as it was.
    fn record_rejected_plan(
        &mut self,
        at: Timestamp,
        stored: &StoredApproval,
        command: &Command,
        refusal: Refusal,
    ) -> Result<DecisionOutcome, DecisionError> {
        let event = refusal_event(at, &stored.resource_id, command, &refusal);
        let events = self.write_event(Some((stored.account, &stored.account_id)), event)?;
        Ok(DecisionOutcome::Refused { refusal, events })
    }

    /// Says what the command would do by now; somebody is to look at that.
    fn reprice(
        &mut self,
        at: Timestamp,
        stored: &StoredApproval,
        command: &Command,
        priced: PricedRequest,
        attempt: Option<(ResourceKey, AttemptId)>,
    ) -> Result<DecisionOutcome, DecisionError> {
        let mut summary = stored.summary(MemberIndex::PRIMARY);
        summary.attempt = attempt.as_ref().map(|(_, id)| id.clone());
        let hash = priced.plan_hash.clone();
        let request = ApprovalRequest {
            requested_at: at,
            requested_by: stored.requested_by.clone(),
            priced,
            expires_at: stored.expires_at,
        };
        let event = request_event(at, &stored.id, &stored.resource_id, command, &summary, &request);
        let mut changes = Changes::new(self.retention);
        let priced = request.priced;
        changes.list.extend(approval_parts::taken_back(stored));
        changes.list.push(Change::RepriceApproval { approval: stored.row, priced, attempt, at });
        changes.add_event(Some((stored.account, stored.account_id.as_str().into())), event);
        let events = self.commit(changes)?;
        Ok(DecisionOutcome::PlanChanged { hash, events })
    }
}

/// Says in what is in play that somebody agrees to `stored`, before the plan is carried out.
fn mark_approved(
    evaluation: &mut CommandEvaluation,
    at: Timestamp,
    stored: &StoredApproval,
    decision: &ApprovalDecision<'_>,
) -> Result<(), DecisionError> {
    let item = &mut evaluation.batch.entries[0];
    let approval = item.approvals.iter_mut().find(|approval| approval.row == Some(stored.row));
    // What was due before may have taken its ground away; the clock writes that down.
    let approval = approval.filter(|approval| approval.summary.obsolete_reason(&item.walk.bundle).is_none());
    let approval = approval.ok_or(DecisionError::Closed(State::Expired))?;
    approval.close(State::Approved, resolution(at, decision));
    item.walk.events.push(decision_event(at, stored, State::Approved, decision, true));
    Ok(())
}

/// Why what somebody approves of is not done all the same: a policy denies it or puts it off, or another one requires an
/// approval, too.
fn refusal_of_approved(ruled: &PlanRuling) -> Option<Refusal> {
    let more = ruled.required().first().map(|one| {
        let message = format!("the policy `{}` requires an approval by now, too: {}", one.policy, one.reason);
        Refusal { code: POLICY_REFUSAL.to_owned(), message }
    });
    ruled.verdict.refusal().or(more)
}

fn resolution(at: Timestamp, decision: &ApprovalDecision<'_>) -> Resolution {
    let (by, reason) = (Some(decision.decided_by.to_owned()), decision.reason.map(str::to_owned));
    Resolution { at, by, reason, expiry_reason: None }
}

/// The approval called `id`, if this decision on it is possible.
fn find_decidable(
    db: &dyn EngineReads,
    at: Timestamp,
    id: &str,
    decision: &ApprovalDecision<'_>,
) -> Result<StoredApproval, DecisionError> {
    let stored = db.find_approval(id)?.ok_or_else(|| DecisionError::Unknown(id.to_owned()))?;
    let requester = stored.requested_by.as_deref().map(|id| db.person_of(id)).transpose()?;
    if requester == Some(db.person_of(decision.decided_by)?) {
        Err(DecisionError::OwnRequest)
    } else if stored.state != State::Pending {
        Err(DecisionError::Closed(stored.state))
    } else if at > stored.expires_at {
        Err(DecisionError::Expired(stored.expires_at))
    } else if decision.plan_hash.is_some_and(|planned| planned != stored.priced.plan_hash) {
        Err(DecisionError::PlanMismatch(stored.priced.plan_hash))
    } else {
        approval_parts::check(&stored.required, decision.labels)?;
        Ok(stored)
    }
}

fn decision_event(
    at: Timestamp,
    stored: &StoredApproval,
    state: State,
    decision: &ApprovalDecision<'_>,
    will_retry: bool,
) -> Event {
    let what = EventKind::ApprovalDecided {
        approval: stored.id.clone(),
        decision: state,
        decided_by: decision.decided_by.to_owned(),
        reason: decision.reason.map(str::to_owned),
        will_retry,
    };
    Event { at, resource: Some(stored.resource_id.clone()), what }
}
