//! What a shadow policy would have done otherwise than was done, on the way from its ruling to the store.
//!
//! Knows one plan. Which plans are ruled on, and what the amendment of a shadow would cost, the batch knows.

use perennial_domain::index::MemberIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::policy::Amendment;
use perennial_domain::policy::chain::ChainStep;
use perennial_domain::policy::chain::Entry;
use perennial_domain::policy::chain::Verdict;
use perennial_domain::policy::difference::Effect;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::timestamp::Timestamp;

/// What a shadow policy ruled.
#[derive(Clone, Debug)]
pub(crate) struct ShadowRuling {
    /// Its name ...
    pub(crate) policy: String,
    /// ... and the digest of its script.
    pub(crate) digest: String,
    /// What it would have done.
    pub(crate) effect: Effect,
    /// The policy's reason, for people.
    pub(crate) reason: String,
    /// Until when it would have put the plan off.
    pub(crate) until: Option<Timestamp>,
    /// What it would change about the plan ...
    pub(crate) amendment: Option<Amendment>,
    /// ... and what the plan would cost then; `None` when nobody knows.
    pub(crate) amended_cost: Option<Micros>,
}

impl ShadowRuling {
    /// What became of the one round of a shadow policy, whose chain recorded `entries`.
    pub(crate) fn of(policy: &str, digest: &str, next: &ChainStep, entries: &[Entry]) -> ShadowRuling {
        let ruled = entries.iter().find_map(|entry| match entry {
            Entry::Ruled { kind, reason, until, .. } => Some((*kind, reason.clone(), *until)),
            Entry::Note { .. } => None,
        });
        let (effect, reason, until) = match ruled {
            Some((kind, reason, until)) => (Effect::of_ruling(kind), reason, until),
            None => (Effect::Approved, String::new(), None),
        };
        let amendment = match next {
            ChainStep::Amend { amendment, .. } => Some(amendment.clone()),
            ChainStep::BeginAgain | ChainStep::Done(_) => None,
        };
        let (policy, digest) = (policy.to_owned(), digest.to_owned());
        ShadowRuling { policy, digest, effect, reason, until, amendment, amended_cost: None }
    }

    /// Whether something else was done: `followed`, by `verdict` on the plan that `facts` are of.
    pub(crate) fn differs(&self, followed: Effect, verdict: &Verdict, facts: &PlanFacts) -> bool {
        match (self.effect, verdict) {
            (Effect::Failed, _) => true,
            (Effect::Deferred, Verdict::Defer(postponement)) => self.until != Some(postponement.until),
            (Effect::Amended, Verdict::Approve) => {
                self.amendment.as_ref().is_none_or(|amendment| !facts.is_unchanged_by(amendment))
            }
            (effect, _) => effect != followed,
        }
    }
}

/// A ruling of a shadow policy that differs from what was done.
#[derive(Clone, Debug)]
pub(crate) struct ShadowDifference {
    /// What the shadow policy ruled.
    pub(crate) ruling: ShadowRuling,
    /// The member that was named.
    pub(crate) member: MemberIndex,
    /// When the plan was ruled on.
    pub(crate) at: Timestamp,
    /// The name of the command.
    pub(crate) command: &'static str,
    /// The clock or a command.
    pub(crate) cause: Cause,
    /// The member's expiry then.
    pub(crate) expires_before: Option<Timestamp>,
    /// The effect of the policies that are followed.
    pub(crate) followed: Effect,
    /// What the plan that was followed costs.
    pub(crate) cost: Option<Micros>,
}
