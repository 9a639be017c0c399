//! Asks another revision of a plugin about the plans of the past, and compares its answers with those that were followed.
//! Writes nothing.
//!
//! Each plan is asked about as it was: its question is kept whole. What another answer would have changed for the plans behind it
//! is not played on; a simulation does that.

use std::collections::HashSet;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;

use perennial_domain::index::AccountIndex;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::decision;
use perennial_formats::decision::CONTRACT;
use perennial_formats::decision::DecisionRequest;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PlanRequest;
use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::decisions;
use perennial_store::decisions::Decision;
use perennial_store::error::StoreError;
use perennial_store::keys::DecisionKey;
use perennial_store::keys::RowKey;
use perennial_store::revision_differences::RevisionTotal;

use crate::batch_entry::EntryIndex;
use crate::replay;
use crate::revision_shadow::FoundDifference;
use crate::revision_shadow::Question;
use crate::revision_shadow::ShadowLog;
use crate::rules::Rules;

/// Decisions that are read and asked again together.
const PAGE: u32 = 1_024;

/// A plan that the other revision would have made otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherPlan {
    /// When the plan was made.
    pub at: Timestamp,
    /// The account's id.
    pub account: String,
    /// The resource that was named.
    pub resource: String,
    /// The name of the command.
    pub command: &'static str,
    /// How the answers differ, and what both cost; one plan.
    pub total: RevisionTotal,
    /// The answer that was followed, in lines ...
    pub followed_answer: String,
    /// ... and that of the other revision.
    pub answer: String,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The plans that were asked about.
    pub asked: u64,
    /// Those among them that are answered otherwise.
    pub differed: u64,
    /// Those that cannot be asked about: of another contract, or damaged.
    pub skipped: u64,
}

/// A question that was kept, and the answer that was followed.
struct Case {
    decision: Decision,
    request: DecisionRequest,
    answer: Result<Plan, Refusal>,
}

impl Tally {
    /// Adds what came of other plans.
    pub fn add(&mut self, more: Tally) {
        self.asked += more.asked;
        self.differed += more.differed;
        self.skipped += more.skipped;
    }
}

/// The plans that were asked about before: one that is tried each day is asked about once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedPlans(HashSet<u64>);

impl AskedPlans {
    /// Whether the plan of a case is asked about for the first time: the same answer to this command at this expiry of the resource.
    fn is_first(&mut self, case: &Case) -> bool {
        let mut hasher = DefaultHasher::new();
        let named = case.request.bundle.members.get(case.request.member.get());
        let expires_at = named.and_then(|named| named.expires_at).map(Timestamp::as_second);
        let plan = format!("{:?} {:?}", case.request.command, case.answer);
        (&case.decision.account, &case.decision.resource, plan, expires_at).hash(&mut hasher);
        self.0.insert(hasher.finish())
    }
}

/// What came of some plans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BacktestPage {
    /// How many they are.
    pub tally: Tally,
    /// Those that are answered otherwise, the oldest first.
    pub others: Vec<OtherPlan>,
    /// The decision behind which to go on; `None` at the end.
    pub next: Option<DecisionKey>,
}

/// Asks `rules` about every plan of their provider that is kept and was made at `since` or later, the oldest first, of one account
/// if it is named, and hands to `observe` what they answer otherwise.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read; else that of `observe`.
pub fn run<E: From<StoreError>>(
    db: &ReadTx,
    rules: &dyn Rules,
    since: Timestamp,
    account: Option<&str>,
    observe: &mut dyn FnMut(OtherPlan) -> Result<(), E>,
) -> Result<Tally, E> {
    let (mut tally, mut after) = (Tally::default(), Some(DecisionKey::before_all()));
    let mut asked_before = AskedPlans::default();
    while let Some(from) = after {
        let page = page(db, rules, (since, from), account, &mut asked_before)?;
        tally.add(page.tally);
        page.others.into_iter().try_for_each(&mut *observe)?;
        after = page.next;
    }
    Ok(tally)
}

/// Does the same for the next plans behind the decision `after` that were not `asked_before`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn page(
    db: &ReadTx,
    rules: &dyn Rules,
    (since, after): (Timestamp, DecisionKey),
    account: Option<&str>,
    asked_before: &mut AskedPlans,
) -> Result<BacktestPage, StoreError> {
    let page = decisions::list_since(db, since, after, PAGE)?;
    let next = page.last().map(|last| last.row);
    let is_asked = |one: &Decision| {
        one.plugin == rules.manifest().id && account.is_none_or(|account| one.account == account)
    };
    let asked = page.into_iter().filter(is_asked).collect::<Vec<_>>();
    let count = asked.len();
    let mut cases = asked.into_iter().filter_map(Case::read).collect::<Vec<_>>();
    let skipped = (count - cases.len()) as u64;
    cases.retain(|case| asked_before.is_first(case));
    let others = compare(db, rules, &cases)?;
    let tally = Tally { asked: cases.len() as u64, differed: others.len() as u64, skipped };
    Ok(BacktestPage { tally, others, next })
}

impl Case {
    fn read(decision: Decision) -> Option<Case> {
        if decision.contract != CONTRACT {
            return None;
        }
        let request = decision::read_request(decision.request.as_deref().ok()?, CONTRACT).ok()?;
        let answer = decision::read_answer(decision.response.as_deref().ok()?, CONTRACT).ok()?;
        let members = request.bundle.members.len();
        let is_whole =
            answer.as_ref().map_or(true, |plan| plan.steps.iter().all(|step| step.member.get() < members));
        is_whole.then_some(Case { decision, request, answer })
    }

    fn question(&self, place: usize) -> Question<'_> {
        Question {
            entry: EntryIndex::new(place),
            member: self.request.member,
            bundle: &self.request.bundle,
            orders: &self.request.orders,
            at: self.request.at,
            command: Some(self.request.command.name()),
        }
    }
}

/// What `rules` answer otherwise, in the order of the cases.
fn compare(db: &ReadTx, rules: &dyn Rules, cases: &[Case]) -> Result<Vec<OtherPlan>, StoreError> {
    let provider = rules.manifest().id.as_str();
    let accounts = cases.iter().map(|case| replay::account_of(&case.request, provider)).collect::<Vec<_>>();
    let accounts = accounts.iter().collect::<Vec<_>>();
    let requests = cases.iter().enumerate().map(|(place, case)| PlanRequest {
        at: case.request.at,
        account: AccountIndex::new(place),
        command: &case.request.command,
        member: case.request.member,
        bundle: &case.request.bundle,
        orders: &case.request.orders,
    });
    let requests = requests.collect::<Vec<_>>();
    let answers = rules.make_plans(&accounts, &requests);
    let mut log = ShadowLog::default();
    for (place, (case, answer)) in cases.iter().zip(&answers).enumerate() {
        let followed = PlanAnswer { plan: case.answer.clone(), fuel: case.decision.fuel.unwrap_or_default() };
        log.add((rules, rules), &case.question(place), &followed, answer);
    }
    let (_, differences) = log.into_parts();
    differences.into_iter().map(|found| other_plan(db, cases, found)).collect()
}

fn other_plan(db: &ReadTx, cases: &[Case], found: FoundDifference) -> Result<OtherPlan, StoreError> {
    let case = &cases[found.entry.get()];
    let account = accounts::get(db, &case.decision.account)?;
    let total = RevisionTotal {
        kind: found.kind,
        currency: account.map(|stored| stored.account.currency).unwrap_or_default(),
        questions: 1,
        followed_cost: found.followed_cost.unwrap_or_default(),
        cost: found.cost.unwrap_or_default(),
    };
    Ok(OtherPlan {
        at: found.at,
        account: case.decision.account.clone(),
        resource: case.decision.resource.clone(),
        command: case.request.command.name(),
        total,
        followed_answer: found.followed_answer,
        answer: found.answer,
    })
}

/// Adds a difference to those of its kind and currency.
pub fn add_total(totals: &mut Vec<RevisionTotal>, more: &RevisionTotal) {
    let is_alike = |total: &&mut RevisionTotal| total.kind == more.kind && total.currency == more.currency;
    match totals.iter_mut().find(is_alike) {
        Some(total) => {
            total.questions += more.questions;
            total.followed_cost += more.followed_cost;
            total.cost += more.cost;
        }
        None => totals.push(more.clone()),
    }
    totals.sort_by(|one, other| (one.kind, &one.currency).cmp(&(other.kind, &other.currency)));
}
