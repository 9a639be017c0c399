//! What an explanation is made from: the resource and its bundle, what happened to it, what lies ahead, and what the rules say
//! of its next renewal. Reads and asks; finds no words.

use perennial_domain::account::Account;
use perennial_domain::approval::State;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::event::EventKind;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::policy::deferral::Deferral;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::event;
use perennial_sandbox::PlanRequest;
use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::approvals::StoredApproval;
use perennial_store::bundles;
use perennial_store::bundles::StoredBundle;
use perennial_store::decisions;
use perennial_store::decisions::Decision;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;
use perennial_store::events;
use perennial_store::orders::StoredUnpaidOrder;

use crate::explanation::reader::Reader;
use crate::proposal::PricedPlan;
use crate::rules::Providers;
use crate::rules::Rules;
use crate::rules::automatic_renewal;
use crate::upcoming;

/// How many events of a resource, the newest, are looked through for what happened to it last.
const EVENTS_MAX: u32 = 64;

/// Something that happened to the resource, or to one that it may be renewed with.
pub(super) struct PastEvent {
    pub(super) at: Timestamp,
    pub(super) resource: String,
    pub(super) what: EventKind,
}

/// The next try of its renewal, and what the rules say of it now.
pub(super) struct NextTry {
    pub(super) at: Timestamp,
    /// The member that is tried: the resource, or one that it is attached to.
    pub(super) tried: MemberIndex,
    /// What the try would do; `None` when the plugin gives no usable answer.
    pub(super) plan: Option<Result<Plan, Refusal>>,
    /// The cost of that plan.
    pub(super) cost: Option<Micros>,
}

/// Everything that an explanation is made from.
pub(super) struct Facts<'p> {
    pub(super) at: Timestamp,
    pub(super) reader: Reader,
    pub(super) account: Account,
    pub(super) stored: StoredBundle,
    pub(super) member: MemberIndex,
    pub(super) rules: Option<&'p dyn Rules>,
    /// Why the plugin gave no usable answer, if it did not: last, or just now.
    pub(super) plugin_failure: Option<String>,
    /// When the bundle was parked for that; `None` while it is not.
    pub(super) parked_at: Option<Timestamp>,
    /// What lies ahead of the bundle, with its tries as the host makes them.
    pub(super) timeline: Vec<Occurrence>,
    pub(super) next_try: Option<NextTry>,
    /// The approval that it waits for.
    pub(super) approval: Option<StoredApproval>,
    /// The renewal that is put off.
    pub(super) deferral: Option<Deferral>,
    /// The order of it that waits to be paid.
    pub(super) unpaid: Option<StoredUnpaidOrder>,
    /// What happened, the last first.
    pub(super) events: Vec<PastEvent>,
    /// The last decision of a plugin, and of policies, that is kept.
    pub(super) decision: Option<Decision>,
    pub(super) ruling: Option<Decision>,
    /// The policies that are asked before it is renewed.
    pub(super) policies: Vec<String>,
}

impl<'p> Facts<'p> {
    /// Finds out what there is to know of the resource called `id` as of `at`; `None` if there is no such resource.
    pub(super) fn gather(
        db: &ReadTx,
        providers: &'p Providers,
        id: &str,
        (at, reader): (Timestamp, Reader),
    ) -> Result<Option<Facts<'p>>, StoreError> {
        let Some((stored, member)) = bundles::find_by_resource(db, id)? else { return Ok(None) };
        let account = accounts::get_by_row(db, stored.account)?.account;
        let rules = providers.of_account(&account.id, &account.provider).map(AsRef::as_ref);
        let (timeline, failure_now) = match upcoming::timeline_as_made(db, providers, &stored, at)? {
            Ok(timeline) => (timeline, None),
            Err(error) => (Vec::new(), rules.map(|_| error.to_string())),
        };
        let failing = match stored.schedule.failures {
            0 => None,
            _ => db.failing_bundle(stored.rows.bundle())?,
        };
        let parked_at = failing.as_ref().and_then(|failing| failing.parked_at);
        let plugin_failure = failing.map(|failing| failing.message).or(failure_now);
        let next_try = rules.and_then(|rules| next_try(rules, &account, &stored.bundle, member, &timeline));
        let concerned = concerned(&stored.bundle, member);
        let is_of = |candidate: MemberIndex| concerned.contains(&candidate);
        let deferrals = db.deferrals(&stored.rows)?.into_iter();
        let deferral = deferrals.filter(|one| is_of(one.member)).find(|one| one.holds(&stored.bundle));
        let unpaid = db.unpaid_orders(&stored.rows)?;
        let unpaid = unpaid.into_iter().find(|order| order.lines.iter().any(|line| line.member == member));
        let active = providers.policies().map(|policies| policies.current(db)).transpose()?.flatten();
        let policies = active.map(|active| {
            let matching = active.matching(&account, &stored.bundle, automatic_renewal().name());
            matching.active.iter().map(|index| active.policy(*index).name.clone()).collect()
        });
        Ok(Some(Facts {
            approval: pending_approval(db, &stored, &concerned)?,
            events: past_events(db, &stored.bundle, &concerned)?,
            decision: last_decision(db, &stored, &concerned, false)?,
            ruling: last_decision(db, &stored, &concerned, true)?,
            policies: policies.unwrap_or_default(),
            at,
            reader,
            account,
            stored,
            member,
            rules,
            plugin_failure,
            parked_at,
            timeline,
            next_try,
            deferral,
            unpaid,
        }))
    }

    /// The bundle that is explained.
    pub(super) fn bundle(&self) -> &Bundle {
        &self.stored.bundle
    }

    /// The resource that is explained.
    pub(super) fn resource(&self) -> &Resource {
        &self.stored.bundle[self.member]
    }

    /// What happened to the resource itself, the last first.
    pub(super) fn own_events(&self) -> impl Iterator<Item = &PastEvent> {
        self.events.iter().filter(|event| event.resource == self.resource().id)
    }

    /// What happened in the present period: since it was renewed last, here or, as an inventory said, elsewhere.
    pub(super) fn period_events(&self) -> impl Iterator<Item = &PastEvent> {
        let id = &self.resource().id;
        let begins = move |event: &&PastEvent| {
            let is_update =
                matches!(&event.what, EventKind::SettingChanged { setting, .. } if setting == "expires_at");
            (is_update || matches!(event.what, EventKind::RenewalSettled { .. })) && event.resource == *id
        };
        self.events.iter().take_while(move |event| !begins(event))
    }

    /// What the next try would do to the resource itself: the instant that it would be paid until, or why it is left out.
    pub(super) fn part_of_next_try(&self) -> Option<Result<Option<Timestamp>, &Refusal>> {
        let next = self.next_try.as_ref()?;
        let plan = match next.plan.as_ref()? {
            Ok(plan) => plan,
            Err(refusal) => return Some(Err(refusal)),
        };
        let extended = plan.steps.iter().filter(|step| step.member == self.member);
        let extended = extended
            .filter_map(|step| step.operation.as_extend())
            .map(|extend| extend.expires_at)
            .next_back();
        if let Some(expires_at) = extended {
            return Some(Ok(Some(expires_at)));
        }
        let skipped = plan.skipped.iter().find(|skipped| skipped.member == self.member);
        Some(skipped.map_or(Ok(None), |skipped| Err(&skipped.reason)))
    }
}

/// The resource and those that it is attached to, directly and through one another.
fn concerned(bundle: &Bundle, member: MemberIndex) -> Vec<MemberIndex> {
    let above = |member: &MemberIndex| bundle[*member].attached_to;
    std::iter::successors(Some(member), above).take(bundle.members.len()).collect()
}

/// The next try of a renewal that may take the resource along: its own, or else that of the nearest that it is attached to.
fn next_try(
    rules: &dyn Rules,
    account: &Account,
    bundle: &Bundle,
    member: MemberIndex,
    timeline: &[Occurrence],
) -> Option<NextTry> {
    let first_of = |member: MemberIndex| {
        timeline.iter().find(|next| next.member == member && next.action == Action::TryRenewal)
    };
    let next = concerned(bundle, member).into_iter().find_map(first_of)?;
    let (at, tried, command) = (next.at, next.member, automatic_renewal());
    let account_index = AccountIndex::new(0);
    let request =
        PlanRequest { at, account: account_index, command: &command, member: tried, bundle, orders: &[] };
    let answer = rules.make_plans(&[account], &[request]).pop().and_then(Result::ok);
    let plan = answer.map(|answer| answer.plan);
    let cost = plan.as_ref().and_then(|plan| plan.as_ref().ok());
    let cost = cost.map(|plan| PricedPlan::new(tried, plan, bundle, at).costs.into_iter().sum());
    Some(NextTry { at, tried, plan, cost })
}

fn pending_approval(
    db: &ReadTx,
    stored: &StoredBundle,
    concerned: &[MemberIndex],
) -> Result<Option<StoredApproval>, StoreError> {
    for member in concerned {
        let approvals = db.approvals(stored.rows[*member])?;
        if let Some(pending) = approvals.into_iter().find(|approval| approval.state == State::Pending) {
            return Ok(Some(pending));
        }
    }
    Ok(None)
}

fn past_events(
    db: &ReadTx,
    bundle: &Bundle,
    concerned: &[MemberIndex],
) -> Result<Vec<PastEvent>, StoreError> {
    let mut stored = Vec::new();
    for member in concerned {
        stored.extend(events::last_of_resource(db, &bundle[*member].id, EVENTS_MAX)?);
    }
    stored.sort_by_key(|event| std::cmp::Reverse(event.row));
    // What a later version wrote, or what is damaged, is passed over: it explains nothing.
    let read = stored.into_iter().filter_map(|event| {
        let what = event::read_body(&event.kind, &event.body).ok()?;
        Some(PastEvent { at: event.at, resource: event.resource?, what })
    });
    Ok(read.collect())
}

/// The last decision on the resource or on one that it is attached to: whose plans are about both.
fn last_decision(
    db: &ReadTx,
    stored: &StoredBundle,
    concerned: &[MemberIndex],
    of_policies: bool,
) -> Result<Option<Decision>, StoreError> {
    let mut last: Option<Decision> = None;
    for member in concerned {
        let decision = decisions::last_for_resource(db, stored.rows[*member], of_policies)?;
        last = last.into_iter().chain(decision).max_by_key(|decision| decision.row);
    }
    Ok(last)
}
