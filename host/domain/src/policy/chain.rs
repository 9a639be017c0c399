//! The chain: what the rulings of all policies on one plan come to together.
//!
//! Any denial wins. Else the first amendment in order is applied, and all are asked again about the new plan, at most three
//! times. Else an approval goes before a deferral, and a deferral before going on. Knows failures, deferrals to the last
//! try and approvals that were given. Asks nobody: the caller asks, and hands every round to [`Chain::round`].

use crate::plan::Refusal;
use crate::policy::Amendment;
use crate::policy::OnFailure;
use crate::policy::Policy;
use crate::policy::PolicyAnswer;
use crate::policy::Ruling;
use crate::policy::facts::PlanFacts;
use crate::timestamp::Timestamp;

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

/// An approval that a plan waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredApproval {
    /// The policy that requires it.
    pub policy: String,
    /// The policy's reason, for people.
    pub reason: String,
    /// The label that the approver's token has; `None` is any approver.
    pub by: Option<String>,
    /// The token that gave it, while the plan waits for others.
    pub given_by: Option<String>,
}

/// That a policy puts a plan off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postponement {
    /// The policy that named the latest instant.
    pub policy: String,
    /// The policy's reason, for people.
    pub reason: String,
    /// The instant before which the plan is not carried out.
    pub until: Timestamp,
}

impl Postponement {
    /// What a person is told whose command is not done before the instant.
    pub fn refusal(&self) -> Refusal {
        let Postponement { policy, reason, until } = self;
        let message =
            format!("the policy `{policy}` allows it from {until} on, give the command again then: {reason}");
        Refusal { code: POLICY_REFUSAL.to_owned(), message }
    }
}

/// What the rulings come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The plan meets the money.
    Approve,
    /// The plan is not done.
    Deny {
        /// The first policy that denied it.
        policy: String,
        /// The policy's reason, for people.
        reason: String,
    },
    /// It waits until each of these is given.
    RequireApproval {
        /// In the order of the chain; never empty.
        approvals: Vec<RequiredApproval>,
        /// The earliest instant that a policy named; `None` leaves it to the host.
        expires_at: Option<Timestamp>,
        /// Once they are given, it is not done before an instant all the same.
        postponement: Option<Postponement>,
    },
    /// It is not done before an instant.
    Defer(Postponement),
}

/// The code of the refusal of a command that a policy denied or put off.
pub(crate) const POLICY_REFUSAL: &str = "policy";

impl Verdict {
    /// What a person is told whose command is not done; `None` of a command that is done, or waits for an approval.
    pub fn refusal(&self) -> Option<Refusal> {
        let message = match self {
            Verdict::Approve | Verdict::RequireApproval { .. } => return None,
            Verdict::Deny { policy, reason } => format!("the policy `{policy}` denies it: {reason}"),
            Verdict::Defer(postponement) => return Some(postponement.refusal()),
        };
        Some(Refusal { code: POLICY_REFUSAL.to_owned(), message })
    }

    /// Until when a policy puts the plan off, whether it waits for an approval besides or not.
    pub const fn postponement(&self) -> Option<&Postponement> {
        match self {
            Verdict::Defer(postponement) => Some(postponement),
            Verdict::RequireApproval { postponement, .. } => postponement.as_ref(),
            Verdict::Approve | Verdict::Deny { .. } => None,
        }
    }
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
    /// Nothing more is asked.
    Done(Verdict),
}

/// The rounds of one plan.
#[derive(Clone, Debug)]
pub struct Chain {
    context: ChainContext,
    amendments: usize,
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
        Chain { context, amendments: 0, entries: Vec::new() }
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
            self.amendments += 1;
            return ChainStep::Amend { answer, amendment };
        }
        rulings.iter().for_each(|ruling| self.record(ruling));
        ChainStep::Done(verdict(&rulings))
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
            Ruling::Amend { .. } if self.amendments >= AMENDMENTS_MAX => {
                failed(format!("it amends a plan that was amended {AMENDMENTS_MAX} times already"))
            }
            Ruling::Amend { amendment, reason } => {
                ruled(Some(RulingKind::Amended), reason, Effect::Amend(amendment.clone()))
            }
            Ruling::Fail(failure) => failed(format!("{}: {failure}", policy.script)),
        }
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
