//! Approvals that a batch requests: whether a plan needs one, whether one exists, and the records to write.
//!
//! Knows bundles in play. Which plans need an approval, and when one becomes obsolete, is decided in the domain: see
//! [`perennial_domain::approval`].

use perennial_domain::account_settings;
use perennial_domain::account_settings::OnUndecided;
use perennial_domain::apply;
use perennial_domain::approval;
use perennial_domain::approval::ApprovalSummary;
use perennial_domain::approval::ExistingApproval;
use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::State;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::OnExpiry;
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
use crate::proposal::PricedPlan;
use crate::proposal::Proposal;
use crate::ruling::PlanRuling;
use crate::ruling_approvals::BUILT_IN;
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
                expires_at: stored.expires_at,
                required: stored.required,
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
        let reason = |summary: &ApprovalSummary, bundle: &Bundle| summary.obsolete_reason(bundle);
        self.expire_approvals_where(self.instant, reason);
    }

    /// Expires the pending approvals of the payment of `order`, which does not wait to be paid any more.
    pub(super) fn expire_payments_of(&mut self, order: &str, at: Timestamp) {
        let payment = formats::decision::command(&Command::PayOrder(order.to_owned())).to_text();
        self.expire_approvals_where(at, |summary, _| {
            let is_of_payment = summary.state == State::Pending && summary.command == payment;
            is_of_payment.then_some(ExpiryReason::OrderClosed)
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
        let limit =
            if item.is_held { Some(Micros::ZERO) } else { self.account(item.account).account.approval_above };
        limit.is_some()
            && approval::needs_approval(limit, approval::commitment(plan, &item.walk.bundle, item.instant))
    }

    /// Requests the approvals of the automatic renewal that was ruled on, unless they were requested before; returns
    /// whether they are given already.
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
        match approval::existing_renewal(&summaries, bundle, member, key) {
            ExistingApproval::Pending(_) | ExistingApproval::Decided => false,
            ExistingApproval::None => {
                self.request_approval(index, member, &ruled.command, ruled, (timeline, None));
                if self.grants_approvals {
                    self.entry_mut(index).grant_last();
                }
                self.grants_approvals
            }
        }
    }

    /// The policies whose approvals of the renewal of a member are given: those of a period that was approved but not paid,
    /// and those that nobody decided on in time, where the account renews then.
    pub(super) fn given_approvals(&mut self, index: EntryIndex, member: MemberIndex) -> Vec<String> {
        let (grants, renews) = (self.grants_approvals, self.renews_undecided(index));
        let item = self.entry_mut(index);
        let (instant, expires_before) = (item.instant, item.walk.bundle[member].expires_at);
        let mut given = Vec::new();
        let of_period = |approval: &&mut BatchApproval| {
            let summary = &approval.summary;
            summary.member == member
                && summary.cause == Cause::Auto
                && summary.expires_before == expires_before
        };
        for approval in item.approvals.iter_mut().filter(of_period) {
            let is_pending = approval.summary.state == State::Pending;
            if renews && is_pending && approval.expires_at <= instant {
                let reason = ExpiryReason::Undecided;
                let closing = Resolution { at: instant, by: None, reason: None, expiry_reason: Some(reason) };
                approval.close(State::Expired, closing);
                let resource = Some(item.walk.bundle[member].id.clone());
                let what =
                    EventKind::ApprovalExpired { approval: approval.id.clone(), reason, will_retry: true };
                item.walk.events.push(Event { at: instant, resource, what });
            }
            let summary = &approval.summary;
            let is_undecided = summary.expiry_reason == Some(ExpiryReason::Undecided);
            if grants && summary.state == State::Approved || renews && is_undecided {
                given.extend(policies_of(&approval.required));
            }
        }
        given
    }

    /// The tries at the instants at which approvals end undecided, where the account renews then.
    pub(super) fn undecided_tries(&self, index: EntryIndex) -> Vec<(MemberIndex, Timestamp)> {
        let item = self.entry(index);
        if item.approvals.is_empty() || !self.renews_undecided(index) {
            return Vec::new();
        }
        let bundle = &item.walk.bundle;
        let is_ahead = |approval: &&BatchApproval| {
            let (summary, member) = (&approval.summary, &bundle[approval.summary.member]);
            let waits =
                summary.state == State::Pending || summary.expiry_reason == Some(ExpiryReason::Undecided);
            summary.cause == Cause::Auto
                && waits
                && member.is_live()
                && member.on_expiry == OnExpiry::Renew
                && member.expires_at == summary.expires_before
                && approval.expires_at > item.walk.ask_after()
        };
        let ahead = item.approvals.iter().filter(is_ahead);
        ahead.map(|approval| (approval.summary.member, approval.expires_at)).collect()
    }

    fn renews_undecided(&self, index: EntryIndex) -> bool {
        let account = &self.account(self.entry(index).account).account;
        account_settings::on_undecided(&account.settings) == OnUndecided::Renew
    }

    /// Requests the approvals of a command that was ruled on, unless they are pending; returns the id of the approval, and
    /// whether it is new. `pay_until` is until
    /// when the order that the command pays can be paid.
    pub(super) fn request_for_command(
        &mut self,
        index: EntryIndex,
        member: MemberIndex,
        ruled: &PlanRuling,
        pay_until: Option<Timestamp>,
    ) -> Result<(String, bool), EngineError> {
        let item = self.entry(index);
        let command = &ruled.command;
        let attempt = apply::attempt_id(&ruled.plan, &item.walk.bundle, member);
        let key = attempt.as_ref().map(|attempt| &attempt.key);
        let summaries = item.approvals.iter().map(|approval| approval.summary.clone()).collect::<Vec<_>>();
        let text = formats::decision::command(command).to_text();
        match approval::existing_command(&summaries, member, &text, key) {
            ExistingApproval::Pending(one) => Ok((item.approvals[one].id.clone(), false)),
            ExistingApproval::None | ExistingApproval::Decided => {
                let timeline = self.request_timeline(index)?;
                Ok((self.request_approval(index, member, command, ruled, (&timeline, pay_until)), true))
            }
        }
    }

    /// What will happen to the bundle at `place` if nobody does anything.
    pub(super) fn request_timeline(&self, index: EntryIndex) -> Result<Vec<Occurrence>, EngineError> {
        let timeline = self.request_timelines(&[index]).pop();
        timeline.expect("one question has one answer").map_err(EngineError::Overdue)
    }

    /// Requests an approval, and returns its id. What limits its time is the timeline and, for the payment of an order,
    /// until when that can be paid.
    fn request_approval(
        &mut self,
        index: EntryIndex,
        member: MemberIndex,
        command: &Command,
        ruled: &PlanRuling,
        (timeline, pay_until): (&[Occurrence], Option<Timestamp>),
    ) -> String {
        let plan = &ruled.plan;
        let priced = self.price_request(index, member, command, plan);
        let item = &mut self.entries[index.get()];
        let bundle = &item.walk.bundle;
        let resource = &bundle[member];
        let number = item.approvals.iter().filter(|approval| approval.summary.member == member).count() + 1;
        let id = format!("{}~{number}", resource.id);
        let summary = ApprovalSummary {
            member,
            cause: command.cause(),
            command: priced.command.clone(),
            expires_before: resource.expires_at,
            attempt: apply::attempt_id(plan, bundle, member),
            state: State::Pending,
            expiry_reason: None,
        };
        let last = approval::expiry(item.instant, plan, member, resource.expires_at, timeline, pay_until);
        let expires_at = ruled.approval_expires_at().map_or(last, |expires_at| expires_at.min(last));
        let request = ApprovalRequest {
            requested_at: item.instant,
            requested_by: self.requested_by.clone(),
            priced,
            expires_at,
        };
        let event = request_event(item.instant, &id, &resource.id, command, &summary, &request);
        item.walk.events.push(event);
        let request = Some(Box::new(request));
        item.approvals.push(BatchApproval {
            row: None,
            id: id.clone(),
            summary,
            expires_at,
            required: ruled.required().to_vec(),
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
            balance_after: account_in_batch.account.balance,
        };
        PricedRequest {
            command: formats::decision::command(command).to_text(),
            contract: formats::decision::CONTRACT.to_owned(),
            request: request.to_text(),
            response: response.to_text(),
            revision: rules.digest().to_owned(),
            plan_hash: proposal.hash_without_balance(),
            cost: approval::commitment(plan, bundle, item.instant),
            available: account_in_batch.account.balance.available(),
        }
    }
}

/// The event of an approval that is requested, or priced again.
pub(super) fn request_event(
    at: Timestamp,
    id: &str,
    resource: &str,
    command: &Command,
    summary: &ApprovalSummary,
    request: &ApprovalRequest,
) -> Event {
    let what = EventKind::ApprovalRequested {
        approval: id.to_owned(),
        command: command.name().to_owned(),
        cause: summary.cause,
        requested_by: request.requested_by.clone(),
        cost: request.priced.cost,
        expires_at: request.expires_at,
        attempt: summary.attempt.as_ref().map(ToString::to_string),
    };
    Event { at, resource: Some(resource.to_owned()), what }
}
