//! Approvals that a batch requests: whether a plan needs one, whether one exists, and the records to write.
//!
//! Knows bundles in play. Which plans need an approval, and when one becomes obsolete, is decided in the domain: see
//! [`perennial_domain::approval`].

use std::borrow::Cow;

use perennial_domain::apply;
use perennial_domain::approval;
use perennial_domain::approval::ApprovalSummary;
use perennial_domain::approval::ExistingApproval;
use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::Needs;
use perennial_domain::approval::State;
use perennial_domain::bundle::Bundle;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_store::keys::MemberKeys;

use crate::batch::Batch;
use crate::batch_approval::ApprovalRequest;
use crate::batch_approval::BatchApproval;
use crate::batch_entry::BatchEntry;
use crate::batch_entry::EntryIndex;
use crate::error::EngineError;
use crate::policy_facts::UNNAMED;
use crate::proposal::PricedPlan;
use crate::proposal::Proposal;
use crate::ruling_subject::PlanRuling;
use crate::set_back::BUILT_IN;
use perennial_formats as formats;
use perennial_store::approvals::PricedRequest;
use perennial_store::approvals::Resolution;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

/// Every approval that a member of the bundle was named in, `rows` being its members' rows.
///
/// # Errors
///
/// [`StoreError`] when they cannot be read.
pub(super) fn load_approvals(
    db: &dyn EngineReads,
    rows: &MemberKeys,
) -> Result<Vec<BatchApproval>, StoreError> {
    let mut all = Vec::new();
    for (member, row) in rows.iter() {
        for stored in db.approvals(row)? {
            all.push(BatchApproval {
                row: Some(stored.row),
                summary: stored.summary(member),
                id: stored.id,
                requested_by: stored.requested_by,
                expires_at: stored.expires_at,
                required: stored.required,
                is_extended: false,
                request: None,
                closing: None,
            });
        }
    }
    Ok(all)
}

/// The names of the policies that require an approval; `required` is empty of one that is older than policies.
pub(super) fn policies_of(required: &[RequiredApproval]) -> Vec<String> {
    match required {
        [] => vec![BUILT_IN.to_owned()],
        required => required.iter().map(|one| one.policy.clone()).collect(),
    }
}

impl BatchEntry {
    /// Gives the approval that was requested last.
    pub(super) fn grant_last(&mut self) {
        let Some(approval) = self.approvals.last_mut() else { return };
        let by = "simulation".to_owned();
        let closing =
            Resolution { at: self.instant, by: Some(by.clone()), reason: None, expiry_reason: None };
        approval.close(State::Approved, closing);
        let what = EventKind::ApprovalDecided {
            approval: approval.id.clone(),
            decision: State::Approved,
            decided_by: by,
            reason: None,
            will_retry: true,
        };
        let resource = Some(self.walk.bundle[approval.summary.member].id.clone());
        self.walk.events.push(Event { at: self.instant, resource, what });
    }

    /// Expires the pending approvals that are obsolete.
    pub(super) fn expire_obsolete(&mut self) {
        if self.approvals.is_empty() {
            return;
        }
        let renewing = self.original.renewing().to_vec();
        self.expire_approvals_where(self.instant, |summary, bundle| {
            summary.obsolete_reason(bundle, |member| renewing[member.get()])
        });
    }

    /// Expires the pending approvals of paying or cancelling `order`, which does not wait to be paid any more.
    pub(super) fn expire_approvals_of_order(&mut self, order: &str, at: Timestamp) {
        let commands = [Command::PayOrder(order.to_owned()), Command::CancelOrder(order.to_owned())];
        let commands = commands.map(|command| formats::decision::command(&command).to_text());
        self.expire_approvals_where(at, |summary, _| {
            let is_of_order = summary.state == State::Pending && commands.contains(&summary.command);
            is_of_order.then_some(ExpiryReason::OrderClosed)
        });
    }

    fn expire_approvals_where(
        &mut self,
        at: Timestamp,
        reason_of: impl Fn(&ApprovalSummary, &Bundle) -> Option<ExpiryReason>,
    ) {
        for approval in &mut self.approvals {
            let Some(reason) = reason_of(&approval.summary, &self.walk.bundle) else { continue };
            approval.close(
                State::Expired,
                Resolution { at, by: None, reason: None, expiry_reason: Some(reason) },
            );
            let resource = self.walk.bundle[approval.summary.member].id.clone();
            self.walk.events.push(expired(at, resource, &approval.id, &approval.summary, reason));
        }
    }
}

/// The event of an approval that expired.
pub(super) fn expired(
    at: Timestamp,
    resource: String,
    approval: &str,
    summary: &ApprovalSummary,
    reason: ExpiryReason,
) -> Event {
    let will_retry = summary.will_retry();
    let what = EventKind::ApprovalExpired { approval: approval.to_owned(), reason, will_retry };
    Event { at, resource: Some(resource), what }
}

impl Batch {
    /// Whether `plan`, on the bundle at `place`, may only be applied once somebody approves it.
    pub(super) fn needs_approval(&self, index: EntryIndex, plan: &Plan) -> bool {
        let item = self.entry(index);
        let limit = match self.may_be_paid(index, plan) {
            true => Some(Micros::ZERO),
            false => self.account(item.account).account.approval_above,
        };
        let (mode, bundle) = (self.account(item.account).account.mode, &item.walk.bundle);
        // What nobody knows the price of may cost more than any limit.
        limit.is_some()
            && (apply::is_unquoted(plan, mode, |member| &bundle[member])
                || approval::needs_approval(limit, approval::commitment(plan, bundle, item.instant)))
    }

    /// Requests the approvals of the automatic renewal that was ruled on, unless they were requested before; returns
    /// whether they are given already. At the last try nobody has time to give them: they end undecided at once.
    pub(super) fn request_for_renewal(
        &mut self,
        index: EntryIndex,
        member: MemberIndex,
        ruled: &PlanRuling,
        timeline: &[Occurrence],
    ) -> bool {
        let item = self.entry(index);
        let bundle = &item.walk.bundle;
        let attempt = apply::attempt_id(&ruled.plan, bundle, member);
        let key = attempt.as_ref().map(|attempt| &attempt.key);
        let summaries = item.approvals.iter().map(|approval| approval.summary.clone()).collect::<Vec<_>>();
        let instant = item.instant;
        // Where silence renews, it does so in time for everything that the plan renews.
        let expires_at = match self.renews_undecided(index) {
            true => approval::first_expiry(&ruled.plan, bundle, instant).or(bundle[member].expires_at),
            false => bundle[member].expires_at,
        };
        match approval::existing_renewal(&summaries, bundle, member, key) {
            ExistingApproval::Pending(approval) => {
                self.extend_approval(index, approval, ruled);
                false
            }
            ExistingApproval::Decided => false,
            ExistingApproval::None => {
                let is_late = !self.may_be_paid(index, &ruled.plan)
                    && approval::is_last_try(instant, member, expires_at, timeline);
                if is_late && !self.grants_approvals {
                    self.add_request(index, member, ruled, instant - 1);
                    return self.end_undecided(index);
                }
                let last = approval::expiry(instant, &ruled.plan, member, expires_at, timeline, None);
                self.add_request(index, member, ruled, last);
                if self.grants_approvals {
                    self.entry_mut(index).grant_last();
                }
                self.grants_approvals
            }
        }
    }

    /// Requests the approvals of a command that was ruled on, unless they are pending; returns the id of the approval, and
    /// whether it is new or waits for others than before. `pay_until` is until when the order that the command pays can be
    /// paid.
    pub(super) fn request_for_command(
        &mut self,
        index: EntryIndex,
        member: MemberIndex,
        ruled: &PlanRuling,
        pay_until: Option<Timestamp>,
    ) -> Result<(String, bool), EngineError> {
        let text = self.request_text(index, &ruled.command);
        let item = self.entry(index);
        let summaries = item.approvals.iter().map(|approval| approval.summary.clone()).collect::<Vec<_>>();
        match approval::existing_command(&summaries, member, &text) {
            ExistingApproval::Pending(approval) => {
                let is_changed = self.extend_approval(index, approval, ruled);
                Ok((self.entry(index).approvals[approval.get()].id.clone(), is_changed))
            }
            ExistingApproval::None | ExistingApproval::Decided => {
                let timeline = self.request_timeline(index)?;
                let item = self.entry(index);
                let (instant, expires_at) = (item.instant, item.walk.bundle[member].expires_at);
                let last = approval::expiry(instant, &ruled.plan, member, expires_at, &timeline, pay_until);
                Ok((self.add_request(index, member, ruled, last), true))
            }
        }
    }

    /// What tells one request from others: the command, without the token under which it is sent.
    pub(super) fn request_text(&self, index: EntryIndex, command: &Command) -> String {
        let account_in_batch = self.account(self.entry(index).account);
        let command = match account_in_batch.token_option() {
            Some(token) => Cow::Owned(command.without_option(token)),
            None => Cow::Borrowed(command),
        };
        formats::decision::command(&command).to_text()
    }

    /// What will happen to the bundle at `place` if nobody does anything.
    pub(super) fn request_timeline(&self, index: EntryIndex) -> Result<Vec<Occurrence>, EngineError> {
        let timeline = self.request_timelines(&[index]).pop();
        timeline.expect("one question has one answer").map_err(EngineError::overdue)
    }

    /// Adds the request of an approval that ends at `last`, or earlier where a policy says so; returns its id.
    fn add_request(
        &mut self,
        index: EntryIndex,
        member: MemberIndex,
        ruled: &PlanRuling,
        last: Timestamp,
    ) -> String {
        let PlanRuling { command, plan, .. } = ruled;
        let priced = self.price_request(index, member, command, plan);
        let is_unnamed = command.cause() == Cause::Command && self.requested_by.is_none();
        let requested_by = self.requested_by.clone().or_else(|| is_unnamed.then(|| UNNAMED.to_owned()));
        let item = &mut self.entries[index.get()];
        let bundle = &item.walk.bundle;
        let resource = &bundle[member];
        let number = item.approvals.iter().filter(|approval| approval.summary.member == member).count() + 1;
        let id = format!("{}~{number}", resource.id);
        let summary = ApprovalSummary {
            member,
            cause: command.cause(),
            command: priced.command.clone(),
            needs: Needs::of(command),
            expires_before: resource.expires_at,
            attempt: apply::attempt_id(plan, bundle, member),
            state: State::Pending,
            expiry_reason: None,
        };
        let expires_at = ruled.approval_expires_at().map_or(last, |expires_at| expires_at.min(last));
        let asked = RequestDetails { requested_by: requested_by.as_deref(), cost: priced.cost, expires_at };
        let event = request_event(item.instant, &id, &resource.id, command, &summary, &asked);
        item.walk.events.push(event);
        let request = Some(Box::new(ApprovalRequest { requested_at: item.instant, priced }));
        item.approvals.push(BatchApproval {
            row: None,
            id: id.clone(),
            summary,
            requested_by,
            expires_at,
            required: ruled.required().to_vec(),
            is_extended: false,
            request,
            closing: None,
        });
        id
    }

    /// The record of `plan` and its present price.
    pub(super) fn price_request(
        &self,
        index: EntryIndex,
        member: MemberIndex,
        command: &Command,
        plan: &Plan,
    ) -> PricedRequest {
        let item = self.entry(index);
        let account_in_batch = self.account(item.account);
        let rules = account_in_batch.rules.as_ref().expect("a plan came from the account's rules");
        let bundle = &item.walk.bundle;
        let request = formats::decision::question(&self.decision_input(index, member, command, &[]));
        let answer = Ok(plan.clone());
        let response = formats::decision::answer(&answer);
        let proposal = Proposal {
            at: item.instant,
            command: command.clone(),
            account: account_in_batch.account.clone(),
            bundle: bundle.clone(),
            named: member,
            revision: rules.digest().to_owned(),
            plans: vec![PricedPlan::new(member, plan, bundle, item.instant)],
            refusal: None,
            required: Vec::new(),
            rulings: Vec::new(),
            balance_after: account_in_batch.account.balance,
        };
        PricedRequest {
            command: self.request_text(index, command),
            contract: formats::decision::CONTRACT.to_owned(),
            request: request.to_text(),
            response: response.to_text(),
            revision: rules.digest().to_owned(),
            plan_hash: proposal.hash_without_balance(),
            cost: approval::whole_cost(plan, bundle, item.instant),
            available: account_in_batch.account.balance.available(),
        }
    }
}

/// What the event of a request says beside the request.
pub(super) struct RequestDetails<'a> {
    /// The token that asks; `None` for the clock.
    pub(super) requested_by: Option<&'a str>,
    /// What the plan costs.
    pub(super) cost: Micros,
    /// When the approval expires.
    pub(super) expires_at: Timestamp,
}

/// The event of an approval that is requested, priced again, or waits for others than before.
pub(super) fn request_event(
    at: Timestamp,
    id: &str,
    resource: &str,
    command: &Command,
    summary: &ApprovalSummary,
    asked: &RequestDetails<'_>,
) -> Event {
    let what = EventKind::ApprovalRequested {
        approval: id.to_owned(),
        command: command.name().to_owned(),
        cause: summary.cause,
        requested_by: asked.requested_by.map(str::to_owned),
        cost: asked.cost,
        expires_at: asked.expires_at,
        attempt: summary.attempt.as_ref().map(ToString::to_string),
    };
    Event { at, resource: Some(resource.to_owned()), what }
}
