//! What a set of policies rules on one plan, each by itself and all together. Nothing follows from it.

use perennial_domain::index::PolicyIndex;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::PolicyMode;
use perennial_domain::policy::PolicySet;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::chain::Chain;
use perennial_domain::policy::chain::ChainContext;
use perennial_domain::policy::chain::ChainStep;
use perennial_domain::policy::chain::Entry;
use perennial_domain::policy::chain::RulingKind;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::selector::Candidate;
use perennial_sandbox::Interpreter;

/// What policies rule on a plan.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Each policy of the set, in order.
    pub policies: Vec<TriedPolicy>,
    /// What the active ones come to. An amendment is not followed.
    pub together: ChainStep,
}

/// What one policy said.
#[derive(Clone, Debug)]
pub struct TriedPolicy {
    /// The name of the policy.
    pub name: String,
    /// Whether it is only asked beside the others.
    pub is_shadow: bool,
    /// What it answered; `None` when it is not asked about such a plan.
    pub answer: Option<PolicyAnswer>,
    /// Why its ruling counts as failed although it gave one.
    pub failure: Option<String>,
}

/// Asks the policies of `set` about a plan of an account.
pub fn ask(set: &PolicySet, interpreter: &Interpreter, account: AccountFacts, mut facts: PlanFacts) -> Trial {
    let policies = set.policies.iter().enumerate();
    facts.policies = policies
        .filter(|(_, policy)| is_asked(policy, &account, &facts))
        .map(|(number, _)| PolicyIndex::new(number))
        .collect();
    let mut answered = interpreter.ask(set, &[account], &[&facts]);
    let mut answers = answered.pop().map(|plan| plan.answers).unwrap_or_default().into_iter();
    let mut tried = Vec::new();
    for (number, policy) in set.policies.iter().enumerate() {
        let is_asked = facts.policies.contains(&PolicyIndex::new(number));
        tried.push(TriedPolicy {
            name: policy.name.clone(),
            is_shadow: policy.mode == PolicyMode::Shadow,
            answer: if is_asked { answers.next() } else { None },
            failure: None,
        });
    }
    let mut chain = Chain::new(ChainContext::default());
    let active = set.policies.iter().zip(&tried).filter(|(_, tried)| !tried.is_shadow);
    let active = active.filter_map(|(policy, tried)| Some((policy, tried.answer.as_ref()?)));
    let together = chain.round(&facts, &active.collect::<Vec<_>>());
    for entry in chain.into_entries() {
        let Entry::Ruled { policy, kind: RulingKind::Failed, reason, .. } = entry else { continue };
        for tried in tried.iter_mut().filter(|tried| tried.name == policy && !tried.is_shadow) {
            let gave_ruling =
                tried.answer.as_ref().is_some_and(|answer| !matches!(answer.ruling, Ruling::Fail(_)));
            tried.failure = gave_ruling.then(|| reason.clone());
        }
    }
    Trial { policies: tried, together }
}

fn is_asked(policy: &Policy, account: &AccountFacts, facts: &PlanFacts) -> bool {
    let (primary, _) = &facts.members[0];
    policy.selector.matches(&Candidate {
        account: &account.id,
        provider: &account.provider,
        kind: &primary.kind,
        tags: &primary.tags,
        command: &facts.command,
    })
}
