//! The policies that hold, which of them are asked about a plan, and what runs them.
//!
//! Does not know how a plan is ruled on: that is in `ruling.rs`.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::index::PolicyIndex;
use perennial_domain::policy::Calendar;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyMode;
use perennial_domain::policy::PolicySet;
use perennial_domain::policy::ScriptFailure;
use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::selector::Candidate;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::decision::ruling::PolicyVersion;
use perennial_sandbox::Interpreter;
use perennial_sandbox::PolicyAnswers;
use perennial_sandbox::ScriptReport;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

use crate::own_changes;
use crate::own_changes::OwnChange;
use crate::policy_digest;

/// Where the policies come from, and what runs them.
#[derive(Debug)]
pub struct Policies {
    interpreter: Arc<Interpreter>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// These, whatever the database says.
    Fixed(Arc<PolicySnapshot>),
    /// Those of the database.
    Stored {
        /// The last ones that were read, with their digest.
        last: Mutex<Option<(String, Arc<PolicySnapshot>)>>,
        /// How many people a change takes until it counts for the one who made it.
        people: usize,
    },
}

/// The policies that hold together.
#[derive(Debug, Default)]
struct PolicySnapshot {
    set: PolicySet,
    /// The digest of each policy's script, in the order of the set.
    digests: Vec<String>,
    /// The version of each policy, in the order of the set: equal as long as nobody changes it.
    versions: Vec<String>,
    /// The changes that count for everybody but the person who made them.
    own_changes: Vec<OwnChange>,
}

impl PolicySnapshot {
    /// Policies that no database has, and that nobody has changed.
    fn of(set: PolicySet) -> PolicySnapshot {
        let digests = set.policies.iter().map(|policy| policy_digest::of_script(&policy.text)).collect();
        PolicySnapshot::new(set, digests, Vec::new())
    }

    fn new(set: PolicySet, digests: Vec<String>, own_changes: Vec<OwnChange>) -> PolicySnapshot {
        let policies = set.policies.iter().zip(&digests);
        let versions = policies.map(|(policy, digest)| policy_digest::of_policy(policy, digest)).collect();
        PolicySnapshot { set, digests, versions, own_changes }
    }
}

impl Policies {
    /// These policies, whatever the database says.
    pub fn fixed(interpreter: Interpreter, set: PolicySet) -> Policies {
        let snapshot = PolicySnapshot::of(set);
        Policies { interpreter: Arc::new(interpreter), source: Source::Fixed(Arc::new(snapshot)) }
    }

    /// The policies of the database, as they are when a batch is read. Where a change takes two `people`, it does not count
    /// for commands of the person who made it until another one has confirmed it.
    pub fn stored(interpreter: Interpreter, people: usize) -> Policies {
        let source = Source::Stored { last: Mutex::default(), people };
        Policies { interpreter: Arc::new(interpreter), source }
    }

    /// These policies, whatever the database says, run by the same component.
    pub fn with_set(&self, set: PolicySet) -> Policies {
        let snapshot = PolicySnapshot::of(set);
        Policies { interpreter: Arc::clone(&self.interpreter), source: Source::Fixed(Arc::new(snapshot)) }
    }

    /// The component that runs the scripts.
    pub fn interpreter(&self) -> &Interpreter {
        &self.interpreter
    }

    /// What the interpreter makes of the script of each policy of `set`.
    pub fn check(&self, set: &PolicySet) -> Vec<ScriptReport> {
        self.interpreter.check(set)
    }

    /// What is wrong with the scripts of a policy file that cannot be read itself.
    pub fn check_without_calendars(&self, set: &PolicySet) -> Vec<ScriptFailure> {
        self.interpreter.check_without_calendars(set)
    }

    /// Whether `at` is on a day of the calendar called `name`; not where there is none.
    pub(crate) fn is_on(
        &self,
        db: &dyn EngineReads,
        name: &str,
        at: Timestamp,
        offset_minutes: i16,
    ) -> Result<bool, StoreError> {
        let snapshot = match &self.source {
            Source::Fixed(snapshot) => Some(Arc::clone(snapshot)),
            Source::Stored { last, people } => read(db, last, *people)?,
        };
        let calendars = snapshot.iter().flat_map(|snapshot| &snapshot.set.calendars);
        Ok(calendars.filter(|one| one.name == name).any(|one| one.has_day_of(at, offset_minutes)))
    }

    /// Those that hold at present; `None` when there are none.
    pub(crate) fn current(&self, db: &dyn EngineReads) -> Result<Option<ActivePolicies>, StoreError> {
        let snapshot = match &self.source {
            Source::Fixed(snapshot) => Some(Arc::clone(snapshot)),
            Source::Stored { last, people } => read(db, last, *people)?,
        };
        let snapshot =
            snapshot.filter(|snapshot| !snapshot.set.policies.is_empty() || !snapshot.own_changes.is_empty());
        let interpreter = || Arc::clone(&self.interpreter);
        Ok(snapshot.map(|snapshot| ActivePolicies {
            interpreter: interpreter(),
            snapshot,
            stop: Arc::default(),
        }))
    }
}

/// The policies of the database: those of the last time while their digest is the same. `None` when there never were any.
fn read(
    db: &dyn EngineReads,
    last: &Mutex<Option<(String, Arc<PolicySnapshot>)>>,
    people: usize,
) -> Result<Option<Arc<PolicySnapshot>>, StoreError> {
    let digest = db.policy_set_digest()?;
    if digest.is_empty() {
        return Ok(None);
    }
    let known = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((_, snapshot)) = known.filter(|(known, _)| *known == digest) {
        return Ok(Some(snapshot));
    }
    let stored = db.policies()?;
    let own_changes = if people > 1 { own_changes::of(&stored) } else { Vec::new() };
    let (policies, digests) = stored.policies.into_iter().map(|one| (one.policy, one.digest)).unzip();
    let calendars = stored.calendars.into_iter().map(|one| one.calendar).collect();
    let snapshot = Arc::new(PolicySnapshot::new(PolicySet { policies, calendars }, digests, own_changes));
    *last.lock().unwrap_or_else(PoisonError::into_inner) = Some((digest, Arc::clone(&snapshot)));
    Ok(Some(snapshot))
}

/// The policies that hold while a batch is decided on.
#[derive(Clone, Debug)]
pub(crate) struct ActivePolicies {
    interpreter: Arc<Interpreter>,
    snapshot: Arc<PolicySnapshot>,
    /// Set once nobody waits for their rulings any more.
    stop: Arc<AtomicBool>,
}

/// The policies that are asked about a plan, by their places in the set, in the order of the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Matching {
    /// Those whose rulings count.
    pub(crate) active: Vec<PolicyIndex>,
    /// Those that are asked beside them.
    pub(crate) shadow: Vec<PolicyIndex>,
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
        let candidate = candidate(account, bundle, command);
        let mut matching = Matching::default();
        for (number, policy) in self.snapshot.set.policies.iter().enumerate() {
            if policy.selector.matches(&candidate) {
                match policy.mode {
                    PolicyMode::Active => matching.active.push(PolicyIndex::new(number)),
                    PolicyMode::Shadow => matching.shadow.push(PolicyIndex::new(number)),
                }
            }
        }
        matching
    }

    /// The places of the policies whose rulings count on a plan of which these are the facts, in the order of the chain.
    pub(crate) fn active_for(&self, account: &AccountFacts, plan: &PlanFacts) -> Vec<PolicyIndex> {
        let (primary, _) = &plan.members[0];
        let candidate = Candidate {
            account: &account.id,
            provider: &account.provider,
            kind: &primary.kind,
            tags: &primary.tags,
            command: &plan.command,
        };
        let policies = self.snapshot.set.policies.iter().enumerate();
        let is_asked =
            |policy: &Policy| policy.mode == PolicyMode::Active && policy.selector.matches(&candidate);
        policies.filter(|(_, policy)| is_asked(policy)).map(|(number, _)| PolicyIndex::new(number)).collect()
    }

    /// The policies of whose changes `person` cannot make use for `command` on a bundle of `account`.
    pub(crate) fn changed_by(
        &self,
        person: &str,
        account: &Account,
        bundle: &Bundle,
        command: &str,
    ) -> Vec<&str> {
        let candidate = candidate(account, bundle, command);
        let is_theirs = |change: &&OwnChange| change.person == person && change.concerns(&candidate);
        let theirs = self.snapshot.own_changes.iter().filter(is_theirs);
        theirs.map(|change| change.policy.as_str()).collect()
    }

    /// The policy at this place.
    pub(crate) fn policy(&self, index: PolicyIndex) -> &Policy {
        &self.snapshot.set.policies[index.get()]
    }

    /// The digest of its script.
    pub(crate) fn digest(&self, index: PolicyIndex) -> &str {
        &self.snapshot.digests[index.get()]
    }

    /// Writes down of each of `approvals` which version of its policy requires it.
    pub(crate) fn name_versions(&self, approvals: &mut [RequiredApproval]) {
        for approval in approvals {
            approval.version = self.version(&approval.policy).map(str::to_owned);
        }
    }

    /// Whether the policy that required `approval` is what it was then: nobody has changed or removed it since.
    pub(crate) fn still_holds(&self, approval: &RequiredApproval) -> bool {
        approval.version.is_some() && self.version(&approval.policy) == approval.version.as_deref()
    }

    fn version(&self, name: &str) -> Option<&str> {
        let place = self.snapshot.set.policies.iter().position(|policy| policy.name == name)?;
        Some(&self.snapshot.versions[place])
    }

    /// The versions of the policies at these places.
    pub(crate) fn versions(&self, indexes: &[PolicyIndex]) -> Vec<PolicyVersion> {
        let version = |index: &PolicyIndex| PolicyVersion {
            name: self.policy(*index).name.clone(),
            digest: self.digest(*index).to_owned(),
            on_failure: self.policy(*index).on_failure,
        };
        indexes.iter().map(version).collect()
    }

    /// The calendars that their scripts see.
    pub(crate) fn calendars(&self) -> &[Calendar] {
        &self.snapshot.set.calendars
    }

    /// What runs them: its name, and the digest of its revision.
    pub(crate) fn interpreter(&self) -> (String, String) {
        (self.interpreter.name().to_owned(), self.interpreter.digest().to_owned())
    }

    /// The place of the policy called `name`.
    pub(crate) fn index(&self, name: &str) -> PolicyIndex {
        let found = self.snapshot.set.policies.iter().position(|policy| policy.name == name);
        PolicyIndex::new(found.expect("only policies of the set are recorded"))
    }

    /// Has scripts that are asked end once `stop` is set. What they have answered by then counts for nothing.
    pub(crate) fn heed(&mut self, stop: &Arc<AtomicBool>) {
        self.stop = Arc::clone(stop);
    }

    /// Asks about each plan the policies that it names.
    pub(crate) fn ask(&self, accounts: &[AccountFacts], plans: &[&PlanFacts]) -> Vec<PolicyAnswers> {
        self.interpreter.ask_unless_stopped(&self.snapshot.set, accounts, plans, &self.stop)
    }
}

/// What selectors look at.
fn candidate<'a>(account: &'a Account, bundle: &'a Bundle, command: &'a str) -> Candidate<'a> {
    let primary = bundle.primary();
    Candidate {
        account: &account.id,
        provider: &account.provider,
        kind: &primary.kind,
        tags: &primary.tags,
        command,
    }
}
