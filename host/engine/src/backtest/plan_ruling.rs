//! What the rulings on one plan come to, in the words in which two of them are compared.

use perennial_domain::micros::Micros;
use perennial_domain::policy::Amendment;
use perennial_domain::policy::chain::Chain;
use perennial_domain::policy::chain::ChainContext;
use perennial_domain::policy::chain::Entry;
use perennial_domain::policy::chain::Postponement;
use perennial_domain::policy::chain::RulingKind;
use perennial_domain::policy::chain::Verdict;
use perennial_domain::policy::difference::Effect;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::timestamp::Timestamp;

/// What the rulings on a plan come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRuling {
    /// In one word.
    pub effect: Effect,
    /// The policy that decided it; `None` of what none has anything against.
    pub policy: Option<String>,
    /// The policy's reason, for people.
    pub reason: String,
    /// Until when the plan is put off; `None` when it is not.
    pub until: Option<Timestamp>,
    /// What the plan costs, as it was amended; `None` when nobody knows.
    pub cost: Option<Micros>,
    /// What it gives back; `None` when nobody knows.
    pub refund: Option<Micros>,
    /// The policies that failed, each with why.
    pub failures: Vec<(String, String)>,
    /// The term and options of an amended plan; `None` when no policy amended it.
    amended_to: Option<Amendment>,
}

impl PlanRuling {
    /// Of a plan that no policy is asked about.
    pub(super) fn without_policies(facts: &PlanFacts) -> PlanRuling {
        PlanRuling::new(&Verdict::Approve, false, facts, &Chain::new(ChainContext::default()))
    }

    /// What `chain` came to: `verdict`, on the plan of `facts`, which was amended or not.
    pub(super) fn new(verdict: &Verdict, is_amended: bool, facts: &PlanFacts, chain: &Chain) -> PlanRuling {
        let effect = Effect::of_verdict(verdict, is_amended);
        let ruled = |wanted: RulingKind| {
            chain.entries().iter().filter_map(move |entry| match entry {
                Entry::Ruled { policy, kind, reason, .. } if *kind == wanted => {
                    Some((policy.clone(), reason.clone()))
                }
                Entry::Ruled { .. } | Entry::Note { .. } => None,
            })
        };
        let decided = match verdict {
            Verdict::Approve => ruled(RulingKind::Amended).next_back(),
            Verdict::Deny { policy, reason } | Verdict::Defer(Postponement { policy, reason, .. }) => {
                Some((policy.clone(), reason.clone()))
            }
            Verdict::RequireApproval { approvals, .. } => {
                approvals.first().map(|one| (one.policy.clone(), one.reason.clone()))
            }
        };
        let (policy, reason) = decided.unzip();
        PlanRuling {
            effect,
            policy,
            reason: reason.unwrap_or_default(),
            until: if let Verdict::Defer(postponement) = verdict { Some(postponement.until) } else { None },
            cost: facts.cost,
            refund: facts.refund,
            failures: ruled(RulingKind::Failed).collect(),
            amended_to: is_amended.then(|| Amendment { term: facts.term, options: facts.options.clone() }),
        }
    }

    /// Whether it lets the plan meet the money.
    pub(super) fn is_allowed(&self) -> bool {
        matches!(self.effect, Effect::Approved | Effect::Amended)
    }

    /// Whether something else is done than by `other`.
    pub fn differs(&self, other: &PlanRuling) -> bool {
        self.effect != other.effect || self.until != other.until || self.amended_to != other.amended_to
    }
}
