//! Approvals that were requested before, when their renewal is tried again: which of them count, what they wait for by now, and
//! what becomes of those that nobody had time to give.
//!
//! Knows bundles in play, and approvals that expire without one; requests nothing that is new.

use perennial_domain::account_settings;
use perennial_domain::account_settings::OnUndecided;
use perennial_domain::approval;
use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::State;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::ApprovalIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Cause;
use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::policy::deferral::Deferral;
use perennial_domain::timestamp::Timestamp;
use perennial_store::approvals::Resolution;
use perennial_store::approvals::StoredApproval;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

use crate::approval_parts;
use crate::approval_requests::RequestDetails;
use crate::approval_requests::policies_of;
use crate::approval_requests::request_event;
use crate::batch::Batch;
use crate::batch_approval::BatchApproval;
use crate::batch_entry::EntryIndex;
use crate::ruling_subject::PlanRuling;
use crate::set_back;
use crate::set_back::BUILT_IN;

impl Batch {
    /// Has the pending approval at `approval` wait for what policies require of the same plan by now; returns whether that is
    /// something else than before.
    pub(super) fn extend_approval(
        &mut self,
        index: EntryIndex,
        approval: ApprovalIndex,
        ruled: &PlanRuling,
    ) -> bool {
        let policies = self.policies.clone();
        let holds = |one: &RequiredApproval| policies.as_ref().is_some_and(|all| all.still_holds(one));
        let item = self.entry_mut(index);
        let (instant, bundle) = (item.instant, &item.walk.bundle);
        let approval = &mut item.approvals[approval.get()];
        if approval.summary.cause != ruled.command.cause() {
            return false;
        }
        let required = approval_parts::with_kept(&approval.required, ruled.required(), holds);
        let takes_others = approval_parts::takes_others(&approval.required, &required);
        let is_of_version = |one: &RequiredApproval| {
            let mut before = approval.required.iter();
            one.version.is_none()
                || before.any(|other| other.policy == one.policy && other.version == one.version)
        };
        if !takes_others && required.iter().all(is_of_version) {
            return false;
        }
        approval.required = required;
        approval.is_extended = true;
        if !takes_others {
            return false;
        }
        let earlier = ruled.approval_expires_at().filter(|expires_at| *expires_at > instant);
        approval.expires_at = earlier.map_or(approval.expires_at, |earlier| earlier.min(approval.expires_at));
        let asked = RequestDetails {
            requested_by: approval.requested_by.as_deref(),
            cost: approval::whole_cost(&ruled.plan, bundle, instant),
            expires_at: approval.expires_at,
        };
        let resource = &bundle[approval.summary.member].id;
        let event = request_event(instant, &approval.id, resource, &ruled.command, &approval.summary, &asked);
        item.walk.events.push(event);
        true
    }

    /// Ends the approval that was requested last undecided; returns whether the account renews then.
    pub(super) fn end_undecided(&mut self, index: EntryIndex) -> bool {
        let renews = self.renews_undecided(index);
        let item = self.entry_mut(index);
        let (instant, bundle) = (item.instant, &item.walk.bundle);
        let renews = renews && item.approvals.last().is_some_and(BatchApproval::can_be_undecided);
        if let Some(approval) = item.approvals.last_mut() {
            let reason = ExpiryReason::Undecided;
            let closing = Resolution { at: instant, by: None, reason: None, expiry_reason: Some(reason) };
            approval.close(State::Expired, closing);
            let resource = bundle[approval.summary.member].id.clone();
            let what =
                EventKind::ApprovalExpired { approval: approval.id.clone(), reason, will_retry: renews };
            item.walk.events.push(Event { at: instant, resource: Some(resource), what });
        }
        renews
    }

    /// The policies whose approvals for the present period of a member were requested, and not given.
    pub(super) fn requested_of(&self, index: EntryIndex, member: MemberIndex, cause: Cause) -> Vec<String> {
        let item = self.entry(index);
        let expires_before = item.walk.bundle[member].expires_at;
        let of_period = item.approvals.iter().filter(|approval| {
            let summary = &approval.summary;
            summary.member == member
                && summary.cause == cause
                && summary.expires_before == expires_before
                && summary.state != State::Approved
        });
        of_period.flat_map(|approval| policies_of(&approval.required)).collect()
    }

    /// The policies whose approvals of the renewal of a member are given: those of a period that was approved and put off,
    /// and those that nobody decided on in time, where the account renews then.
    pub(super) fn given_approvals(&mut self, index: EntryIndex, member: MemberIndex) -> Vec<String> {
        let (grants, renews) = (self.grants_approvals, self.renews_undecided(index));
        let item = self.entry_mut(index);
        let (instant, expires_before) = (item.instant, item.walk.bundle[member].expires_at);
        let of_member =
            |deferral: &Deferral| deferral.member == member && deferral.expires_before == expires_before;
        let is_put_off = item.deferrals.iter().any(of_member);
        let needs_review = item.needs_review;
        let mut given = Vec::new();
        let of_period = |approval: &&mut BatchApproval| {
            let summary = &approval.summary;
            summary.member == member
                && summary.cause == Cause::Auto
                && summary.expires_before == expires_before
        };
        for approval in item.approvals.iter_mut().filter(of_period) {
            let is_pending = approval.summary.state == State::Pending;
            let renews = renews && approval.can_be_undecided();
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
            let is_approved = summary.state == State::Approved && (grants || is_put_off);
            if is_approved || renews && is_undecided {
                // What was approved before the database was set back may have been paid since then.
                let is_outdated = needs_review && approval.can_be_undecided();
                let names = policies_of(&approval.required).into_iter();
                given.extend(names.filter(|name| !(is_outdated && name == BUILT_IN)));
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
                && approval.can_be_undecided()
                && member.is_live()
                && (member.on_expiry == OnExpiry::Renew || member.attached_to.is_some())
                && member.expires_at == summary.expires_before
                && approval.expires_at > item.walk.ask_after()
        };
        let ahead = item.approvals.iter().filter(is_ahead);
        ahead.map(|approval| (approval.summary.member, approval.expires_at)).collect()
    }

    pub(super) fn renews_undecided(&self, index: EntryIndex) -> bool {
        let account = &self.account(self.entry(index).account).account;
        account_settings::on_undecided(&account.settings) == OnUndecided::Renew
    }
}

/// Whether the clock renews what `stored` is about once it has expired undecided: where its account says so, for as long as the
/// resource renews by itself and has the expiry that it had.
///
/// # Errors
///
/// [`StoreError`] when the account or the resource cannot be read.
pub(super) fn renews_undecided(db: &dyn EngineReads, stored: &StoredApproval) -> Result<bool, StoreError> {
    if stored.cause != Cause::Auto || set_back::requires(&stored.required) {
        return Ok(false);
    }
    let account = db.account(stored.account)?.account;
    if account_settings::on_undecided(&account.settings) != OnUndecided::Renew {
        return Ok(false);
    }
    let (bundle, member) = db.bundle(stored.resource)?;
    let resource = &bundle.bundle[member];
    let renews = resource.on_expiry == OnExpiry::Renew || resource.attached_to.is_some();
    Ok(resource.is_live() && renews && resource.expires_at == stored.expires_before)
}
