//! Changes of policies that their makers cannot make use of: what they ask for takes somebody else's approval until another
//! person has confirmed the change. Asks and writes nothing.

use perennial_domain::policy::PolicyMode;
use perennial_domain::policy::selector::Candidate;
use perennial_domain::policy::selector::Selector;
use perennial_formats::policy::binding::PolicyBinding;
use perennial_store::policies::StoredPolicies;
use perennial_store::policy_changes::Subject;
use perennial_store::policy_changes::UnconfirmedChange;

/// A policy that somebody changed, or whose calendar they changed, and that nobody else has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnChange {
    /// The policy's name.
    pub(crate) policy: String,
    /// The person who changed it.
    pub(crate) person: String,
    /// The plans that it is asked about, and those that it was asked about before they began to change it.
    selectors: Vec<Selector>,
}

impl OwnChange {
    /// Whether the policy is asked about `candidate`, or was before the person began to change it.
    pub(crate) fn concerns(&self, candidate: &Candidate<'_>) -> bool {
        self.selectors.iter().any(|selector| selector.matches(candidate))
    }
}

/// The calendars that scripts ask for without naming them, through `is_working_day` and `next_working_day`.
const WORKING_DAYS: [&str; 2] = ["holidays", "working_days"];

/// The changes of `stored` that nobody else has confirmed, one for each policy that they are about.
pub(crate) fn of(stored: &StoredPolicies) -> Vec<OwnChange> {
    let changes = stored.unconfirmed.iter().flat_map(|one| match one.change.change.subject {
        Subject::Policy => vec![of_policy(one)],
        Subject::Calendar => of_calendar(stored, one),
    });
    changes.collect()
}

fn of_policy(one: &UnconfirmedChange) -> OwnChange {
    let change = &one.change.change;
    let bindings = [&one.before, &change.after].into_iter().flatten();
    let bindings = bindings.filter_map(|text| PolicyBinding::read(text));
    // What is asked in shadow approves of nothing.
    let bindings = bindings.filter(|binding| binding.mode == PolicyMode::Active.name());
    OwnChange {
        policy: change.name.clone(),
        person: one.person.clone(),
        selectors: bindings.map(|binding| binding.selector.to_selector()).collect(),
    }
}

/// The policies whose scripts have the calendar's name in them.
fn of_calendar(stored: &StoredPolicies, one: &UnconfirmedChange) -> Vec<OwnChange> {
    let name = one.change.change.name.as_str();
    let asks =
        |text: &str| text.contains(name) || (WORKING_DAYS.contains(&name) && text.contains("working_day"));
    let active = stored.policies.iter().filter(|stored| stored.policy.mode == PolicyMode::Active);
    let policies = active.filter(|stored| asks(&stored.policy.text));
    let own = policies.map(|stored| OwnChange {
        policy: stored.policy.name.clone(),
        person: one.person.clone(),
        selectors: vec![stored.policy.selector.clone()],
    });
    own.collect()
}
