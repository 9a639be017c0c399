//! Tries of renewals that are due: planned, ruled on, and carried out, held, put off or declined.
//!
//! Knows bundles in play. The order in which tries meet the money is that of the batch.

use std::iter;

use perennial_domain::apply;
use perennial_domain::approval;
use perennial_domain::attempt::Attempt;
use perennial_domain::attempt::AttemptId;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::attempt::Key;
use perennial_domain::attempt::State;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::policy::chain::Postponement;
use perennial_domain::policy::chain::Verdict;
use perennial_domain::policy::deferral::Deferral;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timeline_walk::Yield;

use crate::application::PlanApplication;
use crate::batch::Batch;
use crate::batch::RenewalTry;
use crate::batch_entry::BatchEntry;
use crate::batch_entry::EntryIndex;
use crate::reservations;
use crate::rules::automatic_renewal;
use crate::ruling_subject::PlanRuling;
use crate::ruling_subject::Subject;

impl Batch {
    /// Makes these tries; returns the bundles that are to be walked on, in the order of the tries.
    pub(crate) fn attempt_renewals(&mut self, tries: Vec<RenewalTry>) -> Vec<EntryIndex> {
        let command = automatic_renewal();
        let evaluation =
            tries.iter().map(|renewal_try| (renewal_try.entry, renewal_try.member)).collect::<Vec<_>>();
        let plans = self.request_plans(&evaluation, &command);
        let mut record = self.decision_records(&evaluation, &command, &plans).into_iter();
        let (mut subjects, mut planned, mut pending) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (renewal_try, plan)) in tries.iter().zip(plans).enumerate() {
            let record = record.next().flatten();
            match plan {
                Err(failure) => self.fail(renewal_try.entry, failure),
                // What is not tried leaves no decision behind.
                Ok(answer) if answer.plan.is_ok() && self.refuses_only => {
                    self.entry_mut(renewal_try.entry).pause();
                }
                Ok(answer) if self.comes_too_late(renewal_try, &answer.plan) => {
                    if self.resume_after_decline(renewal_try) {
                        pending.push(number);
                    }
                }
                Ok(answer) => {
                    self.entry_mut(renewal_try.entry).decisions.extend(record);
                    match answer.plan {
                        Ok(plan) => {
                            subjects.push(self.try_subject(renewal_try, plan));
                            planned.push(number);
                        }
                        Err(refusal) => {
                            self.refuse_try(renewal_try, refusal);
                            if self.resume_after_decline(renewal_try) {
                                pending.push(number);
                            }
                        }
                    }
                }
            }
        }
        self.rule_in_order(subjects, &mut |batch, number, ruled| {
            let renewal_try = &tries[planned[number]];
            if batch.settle_try(renewal_try, ruled) {
                batch.entry_mut(renewal_try.entry).walk.settle();
                pending.push(planned[number]);
            } else if batch.resume_after_decline(renewal_try) {
                pending.push(planned[number]);
            }
        });
        pending.sort_unstable();
        pending.into_iter().map(|number| tries[number].entry).collect()
    }

    /// Whether a missed try could not have kept its member: with the renewal, too, the member came to its end before now, and
    /// without a later try. What it depends on has ended, for example.
    fn comes_too_late(&mut self, renewal_try: &RenewalTry, plan: &Result<Plan, Refusal>) -> bool {
        let RenewalTry { entry: index, member, timeline, .. } = renewal_try;
        let instant = self.entry(*index).instant;
        let ends = |occurrence: &Occurrence| {
            let is_end = matches!(occurrence.action, Action::Enter(Stage::Released) | Action::Convert);
            is_end && occurrence.member == *member && occurrence.at < instant
        };
        let Ok(plan) = plan else { return false };
        if !timeline.iter().any(ends) {
            return false;
        }
        let item = self.entry_mut(*index);
        let before = item.walk.bundle.clone();
        for step in &plan.steps {
            if let Operation::Extend(extension) = &step.operation {
                let renewed = &mut item.walk.bundle[step.member];
                renewed.expires_at = Some(extension.expires_at);
                renewed.anchor_day = extension.anchor_day.or(renewed.anchor_day);
            }
        }
        let after = item.walk.ask_after();
        let renewed = self.request_timelines_after(&[(*index, after)]).pop();
        self.entry_mut(*index).walk.bundle = before;
        let Some(Ok(renewed)) = renewed else { return false };
        let bundle = &self.entry(*index).walk.bundle;
        let expires_at = bundle[*member].expires_at;
        let above = iter::successors(Some(*member), |here| bundle[*here].attached_to).collect::<Vec<_>>();
        // What is above it may take it along then. Tries before its present expiry are those that this one is of.
        let is_tried_again = |occurrence: &Occurrence| {
            let is_later = expires_at.is_none_or(|expires_at| occurrence.at > expires_at);
            occurrence.action == Action::TryRenewal && is_later && above.contains(&occurrence.member)
        };
        let end = renewed.iter().position(ends);
        end.is_some_and(|end| !renewed[..end].iter().any(is_tried_again))
    }

    /// What is ruled on when a try is planned.
    pub(crate) fn try_subject(&mut self, renewal_try: &RenewalTry, plan: Plan) -> Subject {
        let RenewalTry { entry, member, .. } = *renewal_try;
        let approved = self.given_approvals(entry, member);
        Subject { entry, member, command: automatic_renewal(), plan, approved }
    }

    /// Walks a bundle on whose try was declined, along the same timeline: nothing has changed. Returns whether it is to be looked
    /// at again: it paused for another try, or came back from tries that it had missed.
    fn resume_after_decline(&mut self, renewal_try: &RenewalTry) -> bool {
        self.entry_mut(renewal_try.entry).walk.decline();
        match self.walk_along(renewal_try.entry, &renewal_try.timeline) {
            Yield::Idle { .. } if self.entry_mut(renewal_try.entry).walk.leave_missed_tries() => true,
            Yield::Idle { wake } => {
                self.entry_mut(renewal_try.entry).idle_until(wake);
                false
            }
            Yield::Renewal { .. } => true,
        }
    }

    /// Carries out what a try would do, as it was ruled on, or holds it, puts it off, or writes down why not; returns
    /// whether it was carried out.
    pub(crate) fn settle_try(&mut self, renewal_try: &RenewalTry, ruled: PlanRuling) -> bool {
        let RenewalTry { entry: index, member, next_try_at, .. } = *renewal_try;
        let item = self.entry_mut(index);
        item.deferrals.retain(|deferral| deferral.member != member);
        item.record_rulings(member, &ruled);
        let only_asks = self.only_asks(index, next_try_at);
        if only_asks && !matches!(ruled.verdict, Verdict::Approve) {
            self.keep_provider_from_renewing(index, member);
        }
        match &ruled.verdict {
            Verdict::Approve => {}
            Verdict::Deny { .. } => return false,
            Verdict::Defer(postponement) => {
                self.entry_mut(index).put_off(member, postponement);
                return false;
            }
            Verdict::RequireApproval { postponement, .. } => {
                if !self.request_for_renewal(index, member, &ruled, &renewal_try.timeline) {
                    return false;
                }
                if let Some(postponement) = postponement {
                    // The approvals that are given count when it is tried then.
                    self.entry_mut(index).put_off(member, postponement);
                    return false;
                }
            }
        }
        if only_asks {
            self.let_provider_renew(index, member);
            return false;
        }
        let application = PlanApplication::of_try(member, &ruled.plan, &ruled.command);
        let is_kept_here = self.driver(index).is_none();
        let applied = match is_kept_here {
            true => self.apply(index, &application),
            false => self.reserve(index, &application, &renewal_try.timeline),
        };
        match applied {
            // What is reserved has changed nothing yet: the walk goes on along the same timeline.
            Ok(()) => is_kept_here,
            Err(refusal) if !reservations::is_for_money(&refusal) => false,
            Err(refusal) => {
                let plan = Some(&ruled.plan);
                self.record_decline(index, member, refusal, DeclineClass::Money, next_try_at, plan);
                false
            }
        }
    }

    /// Writes down that the rules refuse what a try would do.
    pub(crate) fn refuse_try(&mut self, renewal_try: &RenewalTry, refusal: Refusal) {
        let RenewalTry { entry, member, next_try_at, .. } = *renewal_try;
        self.entry_mut(entry).deferrals.retain(|deferral| deferral.member != member);
        self.record_decline(entry, member, refusal, DeclineClass::Rule, next_try_at, None);
    }

    /// Writes down that a renewal was declined; `plan` is what could not be paid.
    pub(crate) fn record_decline(
        &mut self,
        index: EntryIndex,
        member: MemberIndex,
        refusal: Refusal,
        class: DeclineClass,
        next_try_at: Option<perennial_domain::timestamp::Timestamp>,
        plan: Option<&Plan>,
    ) {
        let item = self.entry_mut(index);
        let resource = &item.walk.bundle[member];
        let what =
            EventKind::RenewalDeclined { code: refusal.code, message: refusal.message, class, next_try_at };
        item.walk.events.push(Event { at: item.instant, resource: Some(resource.id.clone()), what });
        let planned = plan.and_then(|plan| apply::attempt_id(plan, &item.walk.bundle, member));
        let without_plan = || {
            let key = Key { resource: resource.id.clone(), expires_before: resource.expires_at? };
            Some(AttemptId { key, term: resource.renewal_term.or(resource.term)? })
        };
        // An attempt whose plan waits for an approval goes on waiting for it.
        let awaits = |id: &AttemptId| {
            let mut pending =
                item.approvals.iter().filter(|one| one.summary.state == approval::State::Pending);
            pending.any(|one| one.summary.attempt.as_ref() == Some(id))
        };
        if let Some(id) = planned.or_else(without_plan).filter(|id| !awaits(id)) {
            item.declined_attempts.push(Attempt { id, state: State::Declined(class), at: item.instant });
        }
    }
}

impl BatchEntry {
    /// Puts the renewal of `member` off, instead of until when it was before.
    pub(crate) fn put_off(&mut self, member: MemberIndex, postponement: &Postponement) {
        let Postponement { policy, reason, until } = postponement.clone();
        let expires_before = self.walk.bundle[member].expires_at;
        self.deferrals.retain(|deferral| deferral.member != member);
        self.deferrals.push(Deferral { member, expires_before, until, policy, reason });
    }

    /// Records what policies ruled on a plan that names `member`.
    pub(crate) fn record_rulings(&mut self, member: MemberIndex, ruled: &PlanRuling) {
        let resource = &self.walk.bundle[member].id;
        let event = |what: &EventKind| Event {
            at: self.instant,
            resource: Some(resource.clone()),
            what: what.clone(),
        };
        let events = ruled.events.iter().map(event).collect::<Vec<_>>();
        self.walk.events.extend(events);
    }
}
