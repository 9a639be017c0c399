//! The policies that hold, which of them are asked about a plan, and what runs them.
//!
//! Knows no plan's way: that is in `ruling.rs`.

use std::sync::Arc;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyMode;
use perennial_domain::policy::PolicySet;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::selector::Candidate;
use perennial_sandbox::Interpreter;
use perennial_sandbox::PlanAnswers;

/// Where the policies come from, and what runs them.
#[derive(Debug)]
pub struct Policies {
    interpreter: Arc<Interpreter>,
    set: Arc<PolicySet>,
}

impl Policies {
    /// These policies, whatever the database says.
    pub fn fixed(interpreter: Interpreter, set: PolicySet) -> Policies {
        Policies { interpreter: Arc::new(interpreter), set: Arc::new(set) }
    }

    /// Those that hold at present; `None` when there are none.
    pub(crate) fn current(&self) -> Option<ActivePolicies> {
        let (interpreter, set) = (Arc::clone(&self.interpreter), Arc::clone(&self.set));
        (!set.policies.is_empty()).then_some(ActivePolicies { interpreter, set })
    }
}

/// The policies that hold while a batch is decided on.
#[derive(Clone, Debug)]
pub(crate) struct ActivePolicies {
    interpreter: Arc<Interpreter>,
    set: Arc<PolicySet>,
}

/// The policies that are asked about a plan, by their places in the set, in the order of the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Matching {
    /// Those whose rulings count.
    pub(crate) active: Vec<usize>,
    /// Those that are asked beside them.
    pub(crate) shadow: Vec<usize>,
}

impl Matching {
    /// Whether nobody is asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.active.is_empty() && self.shadow.is_empty()
    }
}

impl ActivePolicies {
    /// The policies that are asked about what `command` would do to a bundle of `account`.
    pub(crate) fn matching(&self, account: &Account, bundle: &Bundle, command: &str) -> Matching {
        let primary = bundle.primary();
        let candidate = Candidate {
            account: &account.id,
            provider: &account.provider,
            kind: &primary.kind,
            tags: &primary.tags,
            command,
        };
        let mut matching = Matching::default();
        for (place, policy) in self.set.policies.iter().enumerate() {
            if policy.selector.matches(&candidate) {
                match policy.mode {
                    PolicyMode::Active => matching.active.push(place),
                    PolicyMode::Shadow => matching.shadow.push(place),
                }
            }
        }
        matching
    }

    /// The policy at this place.
    pub(crate) fn policy(&self, place: usize) -> &Policy {
        &self.set.policies[place]
    }

    /// The place of the policy called `name`.
    pub(crate) fn place(&self, name: &str) -> usize {
        let found = self.set.policies.iter().position(|policy| policy.name == name);
        found.expect("only policies of the set are recorded")
    }

    /// Asks about each plan the policies that it names.
    pub(crate) fn ask(&self, accounts: &[AccountFacts], plans: &[&PlanFacts]) -> Vec<PlanAnswers> {
        self.interpreter.ask(&self.set, accounts, plans)
    }
}
