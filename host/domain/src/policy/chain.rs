//! The chain: what the rulings of all policies on one plan come to together.
//!
//! Any denial wins. Else the first amendment in order is applied, and all are asked again about the new plan, at most three
//! times; a policy that would go on has failed, and none of its amendments counts. Else an approval goes before a deferral, and
//! a deferral before going on. Knows failures, deferrals to the last try and approvals that were given. Asks nobody: the caller
//! asks, and hands every round to [`Chain::round`].

use std::collections::BTreeSet;

use crate::policy::Amendment;
use crate::policy::OnFailure;
use crate::policy::Policy;
use crate::policy::PolicyAnswer;
use crate::policy::Ruling;
use crate::policy::ScriptFailure;
use crate::policy::facts::PlanFacts;
use crate::timestamp::Timestamp;

pub use crate::policy::verdict::Postponement;
pub use crate::policy::verdict::RequiredApproval;
pub use crate::policy::verdict::Verdict;
pub use crate::ruling_kind::RulingKind;

/// How often a plan is amended at most before the money meets it.
const AMENDMENTS_MAX: usize = 3;

/// What the chain must know beside the plan and the rulings.
#[derive(Clone, Debug, Default)]
pub struct ChainContext {
    /// The account's setting `on_policy_failure`.
    pub on_policy_failure: OnFailure,
    /// Whether the plan was asked for through the provider's own API, which cannot amend what its client asked for.
    pub is_provider_api: bool,
    /// The names of the policies whose approvals were given for this plan.
    pub approved: Vec<String>,
    /// The names of the policies whose approvals were requested before, for the same period, and not given: that the instant
    /// has passed at which they were to end is no failure.
    pub requested: Vec<String>,
}

/// One thing to record, in the order of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A policy noted something.
    Note {
        /// The name of the policy.
        policy: String,
        /// The text that the policy noted.
        text: String,
    },
    /// A policy did not approve.
    Ruled {
        /// The name of the policy.
        policy: String,
        /// What the policy ruled.
        kind: RulingKind,
        /// Its words, or why it failed.
        reason: String,
        /// Until when the plan is put off; `None` when it is not.
        until: Option<Timestamp>,
    },
}

/// What the caller does after a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainStep {
    /// Make the plan anew with this change, and ask all policies again.
    Amend {
        /// The answer that it comes from, by its place among those of the round.
        answer: usize,
        /// The other term or options to plan with.
        amendment: Amendment,
    },
    /// Take the plan as it was at first, and ask all policies again: amendments that led to no end do not count.
    BeginAgain,
    /// Nothing more is asked.
    Done(Verdict),
}

/// The rounds of one plan.
#[derive(Clone, Debug)]
pub struct Chain {
    context: ChainContext,
    /// The policies that amended the plan, one for each amendment.
    amended_by: Vec<String>,
    /// The policies whose amendments led to no end.
    given_up: Vec<String>,
    entries: Vec<Entry>,
}

/// A ruling that can be followed, with the policy that gave it.
struct EffectiveRuling<'r> {
    policy: &'r str,
    notes: &'r [String],
    /// What is recorded of it; `None` of an approval.
    kind: Option<RulingKind>,
    reason: String,
    effect: Effect,
    /// Whether it would amend a plan that was amended as often as that may be.
    is_beyond_bound: bool,
}

enum Effect {
    Approve,
    Deny,
    RequireApproval { by: Option<String>, expires_at: Option<Timestamp> },
    Defer(Timestamp),
    Amend(Amendment),
}

impl Chain {
    /// A plan that was not asked about yet.
    pub fn new(context: ChainContext) -> Chain {
        Chain { context, amended_by: Vec::new(), given_up: Vec::new(), entries: Vec::new() }
    }

    /// What the answers of all policies that were asked about `plan` come to, in the order of the chain.
    pub fn round(&mut self, plan: &PlanFacts, answers: &[(&Policy, &PolicyAnswer)]) -> ChainStep {
        let rulings = answers.iter().map(|(policy, answer)| self.effective(plan, policy, answer));
        let rulings = rulings.collect::<Vec<_>>();
        let is_denied = rulings.iter().any(|ruling| matches!(ruling.effect, Effect::Deny));
        let amending = rulings.iter().enumerate().find_map(|(answer, ruling)| match &ruling.effect {
            Effect::Amend(amendment) if !is_denied => Some((answer, ruling, amendment)),
            Effect::Amend(_)
            | Effect::Approve
            | Effect::Deny
            | Effect::RequireApproval { .. }
            | Effect::Defer(_) => None,
        });
        if let Some((answer, ruling, amendment)) = amending {
            // The others are asked again, so only what this policy said is final.
            let amendment = amendment.clone();
            self.record(ruling);
            self.amended_by.push(ruling.policy.to_owned());
            return ChainStep::Amend { answer, amendment };
        }
        let endless = if is_denied { Vec::new() } else { self.endless(&rulings) };
        if !endless.is_empty() {
            self.give_up(endless);
            return ChainStep::BeginAgain;
        }
        rulings.iter().for_each(|ruling| self.record(ruling));
        ChainStep::Done(verdict(&rulings))
    }

    /// The policies that amend the plan without an end: those that would go on, and those that have done so again and again.
    /// Empty when none of them has amended it yet, so that there is nothing to take back.
    fn endless(&self, rulings: &[EffectiveRuling<'_>]) -> Vec<String> {
        let beyond = rulings.iter().filter(|ruling| ruling.is_beyond_bound);
        let beyond = beyond.map(|ruling| ruling.policy.to_owned()).collect::<Vec<_>>();
        if beyond.is_empty() {
            return beyond;
        }
        let count = |policy: &str| self.amended_by.iter().filter(|one| *one == policy).count();
        let repeated = self.amended_by.iter().filter(|policy| count(policy) > 1 && !beyond.contains(policy));
        let repeated = repeated.cloned().collect::<BTreeSet<_>>();
        let endless = beyond.into_iter().chain(repeated).collect::<Vec<_>>();
        if endless.iter().any(|policy| count(policy) > 0) { endless } else { Vec::new() }
    }

    /// Begins again with the plan as it was at first, on which the amendments of these policies fail. What they did stays
    /// recorded; the others do it again.
    fn give_up(&mut self, endless: Vec<String>) {
        self.given_up.extend(endless);
        self.amended_by.clear();
        self.entries.retain(|entry| {
            let (Entry::Note { policy, .. } | Entry::Ruled { policy, .. }) = entry;
            self.given_up.contains(policy)
        });
    }

    /// What is to be recorded so far, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What is to be recorded, in order.
    pub fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    fn record(&mut self, ruling: &EffectiveRuling<'_>) {
        let policy = || ruling.policy.to_owned();
        let notes = ruling.notes.iter().map(|text| Entry::Note { policy: policy(), text: text.clone() });
        self.entries.extend(notes);
        if let Some(kind) = ruling.kind {
            let until = match ruling.effect {
                Effect::Defer(until) => Some(until),
                Effect::Approve | Effect::Deny | Effect::RequireApproval { .. } | Effect::Amend(_) => None,
            };
            self.entries.push(Entry::Ruled { policy: policy(), kind, reason: ruling.reason.clone(), until });
        }
    }

    /// What a policy's answer comes to, when everything that cannot be followed is a failure.
    fn effective<'r>(
        &self,
        plan: &PlanFacts,
        policy: &'r Policy,
        answer: &'r PolicyAnswer,
    ) -> EffectiveRuling<'r> {
        let ruled = |kind, reason: &str, effect| EffectiveRuling {
            policy: &policy.name,
            notes: &answer.notes,
            kind,
            reason: reason.to_owned(),
            effect,
            is_beyond_bound: false,
        };
        let failed = |why: String| {
            let effect = self.of_failure(plan, policy);
            ruled(Some(RulingKind::Failed), &why, effect)
        };
        match &answer.ruling {
            Ruling::Approve => ruled(None, "", Effect::Approve),
            Ruling::Deny { reason } => ruled(Some(RulingKind::Denied), reason, Effect::Deny),
            Ruling::RequireApproval { .. } if self.context.approved.contains(&policy.name) => {
                ruled(None, "", Effect::Approve)
            }
            Ruling::RequireApproval { reason, by, expires_at: Some(expires_at) }
                if *expires_at <= plan.at && self.context.requested.contains(&policy.name) =>
            {
                let effect = Effect::RequireApproval { by: by.clone(), expires_at: None };
                ruled(Some(RulingKind::ApprovalRequired), reason, effect)
            }
            Ruling::RequireApproval { expires_at: Some(expires_at), .. } if *expires_at <= plan.at => {
                failed(format!("its approval would expire at {expires_at}, which is not after {}", plan.at))
            }
            Ruling::RequireApproval { reason, by, expires_at } => {
                let effect = Effect::RequireApproval { by: by.clone(), expires_at: *expires_at };
                ruled(Some(RulingKind::ApprovalRequired), reason, effect)
            }
            Ruling::Defer { until, reason } => match deferral(plan, *until) {
                Ok(until) => ruled(Some(RulingKind::Deferred), reason, Effect::Defer(until)),
                Err(why) => failed(why),
            },
            Ruling::Amend { amendment, .. } if plan.is_unchanged_by(amendment) => {
                ruled(None, "", Effect::Approve)
            }
            Ruling::Amend { .. } if plan.command != "renew" => {
                failed(format!("it amends the command `{}`; only renewals can be amended", plan.command))
            }
            Ruling::Amend { amendment, reason } if self.context.is_provider_api => {
                let reason = format!("{reason}; the policy would have it {amendment}");
                ruled(Some(RulingKind::Denied), &reason, Effect::Deny)
            }
            Ruling::Amend { amendment, reason } => match self.why_not_amend(policy) {
                Some((why, is_beyond_bound)) => EffectiveRuling { is_beyond_bound, ..failed(why) },
                None => ruled(Some(RulingKind::Amended), reason, Effect::Amend(amendment.clone())),
            },
            Ruling::Fail(failure) => failed(failure_words(policy, failure)),
        }
    }

    /// Why `policy` may not amend the plan any more, and whether that is because of how often it was amended; `None` when it may.
    fn why_not_amend(&self, policy: &Policy) -> Option<(String, bool)> {
        if self.given_up.contains(&policy.name) {
            let why = format!(
                "it amends again after {AMENDMENTS_MAX} amendments, so none of its amendments counts"
            );
            return Some((why, false));
        }
        let why = || format!("it amends a plan that was amended {AMENDMENTS_MAX} times already");
        (self.amended_by.len() >= AMENDMENTS_MAX).then(|| (why(), true))
    }

    /// What the failure of `policy` comes to: its own choice, else its account's, else what holds for the command.
    fn of_failure(&self, plan: &PlanFacts, policy: &Policy) -> Effect {
        let choices = [policy.on_failure, self.context.on_policy_failure];
        let choice = choices.into_iter().find(|choice| *choice != OnFailure::Default);
        match choice.unwrap_or_else(|| OnFailure::of_command(&plan.command)) {
            OnFailure::Default | OnFailure::RequireApproval
                if self.context.approved.contains(&policy.name) =>
            {
                Effect::Approve
            }
            OnFailure::Default | OnFailure::RequireApproval => {
                Effect::RequireApproval { by: None, expires_at: None }
            }
            OnFailure::Approve => Effect::Approve,
            OnFailure::Deny => Effect::Deny,
        }
    }
}

/// Where and why a script failed. A policy that is known by its decisions alone has no file.
fn failure_words(policy: &Policy, failure: &ScriptFailure) -> String {
    match policy.script.as_str() {
        "" => failure.to_string(),
        script => format!("{script}: {failure}"),
    }
}

/// The instant until which a plan is put off: at the latest the last try.
fn deferral(plan: &PlanFacts, until: Timestamp) -> Result<Timestamp, String> {
    if until <= plan.at {
        return Err(format!("it defers to {until}, which is not after {}", plan.at));
    }
    match plan.tries.last {
        Some(last) if plan.at >= last => {
            Err(format!("it defers at the last try, {last}, after which the provider does not renew"))
        }
        Some(last) => Ok(until.min(last)),
        None => Ok(until),
    }
}

fn verdict(rulings: &[EffectiveRuling<'_>]) -> Verdict {
    let (mut approvals, mut earliest) = (Vec::new(), None::<Timestamp>);
    let mut latest = None::<(Timestamp, &EffectiveRuling<'_>)>;
    for ruling in rulings {
        let policy = ruling.policy.to_owned();
        match &ruling.effect {
            Effect::Deny => return Verdict::Deny { policy, reason: ruling.reason.clone() },
            Effect::RequireApproval { by, expires_at } => {
                let by = by.clone();
                approvals.push(RequiredApproval {
                    policy,
                    reason: ruling.reason.clone(),
                    by,
                    given_by: None,
                    version: None,
                });
                earliest = earliest.into_iter().chain(*expires_at).min();
            }
            Effect::Defer(until) if latest.is_none_or(|(other, _)| *until > other) => {
                latest = Some((*until, ruling));
            }
            Effect::Defer(_) | Effect::Approve | Effect::Amend(_) => {}
        }
    }
    let postponement = latest.map(|(until, ruling)| Postponement {
        policy: ruling.policy.to_owned(),
        reason: ruling.reason.clone(),
        until,
    });
    match postponement {
        postponement if !approvals.is_empty() => {
            Verdict::RequireApproval { approvals, expires_at: earliest, postponement }
        }
        Some(postponement) => Verdict::Defer(postponement),
        None => Verdict::Approve,
    }
}

#[cfg(test)]
mod tests;
