//! Asks plugins again about plans. Knows the provider contract, and nothing of policies.

use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::index::AccountIndex;
use perennial_domain::ledger::Balance;
use perennial_formats::decision;
use perennial_formats::decision::CONTRACT;
use perennial_formats::decision::DecisionRequest;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::PluginError;
use perennial_store::ReadTx;
use perennial_store::decisions::Decision;
use perennial_store::error::StoreError;

use crate::replay::NotReplayable;
use crate::replay::Replay;
use crate::replay::compared;
use crate::replay::damaged;
use crate::replay::request_of;
use crate::replay::response_of;
use crate::rules::Providers;
use crate::rules::Rules;

/// Asks again; what became of each decision, in their order.
pub(super) fn replay<'d>(
    db: &ReadTx,
    providers: &Providers,
    decisions: impl Iterator<Item = &'d Decision>,
) -> Result<Vec<Replay>, StoreError> {
    let mut replays = Vec::new();
    let mut by_revision = BTreeMap::<&str, (Arc<dyn Rules>, Vec<(usize, Case<'_>)>)>::new();
    for (place, decision) in decisions.enumerate() {
        let read = match revision_of(db, providers, decision)? {
            Ok(rules) => Case::read(decision).map(|case| {
                let (_, cases) = by_revision.entry(&decision.digest).or_insert((rules, Vec::new()));
                cases.push((place, case));
            }),
            Err(why) => Err(Replay::NotReplayable(why)),
        };
        replays.push(read.err());
    }
    for (rules, cases) in by_revision.into_values() {
        let (places, cases): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        for (place, replay) in places.into_iter().zip(ask(rules.as_ref(), &cases)) {
            replays[place] = Some(replay);
        }
    }
    Ok(replays.into_iter().map(|replay| replay.expect("each decision was read or asked")).collect())
}

/// The revision that made a decision: one that is loaded, or kept in the database.
fn revision_of(
    db: &ReadTx,
    providers: &Providers,
    decision: &Decision,
) -> Result<Result<Arc<dyn Rules>, NotReplayable>, StoreError> {
    let Decision { plugin, digest, contract, .. } = decision;
    if contract != CONTRACT {
        return Ok(Err(NotReplayable::Contract(contract.clone())));
    }
    Ok(match providers.revision(db, digest)? {
        Some(rules) => Ok(rules),
        None if !providers.contains_key(plugin) => Err(NotReplayable::NoPlugin(plugin.clone())),
        None => Err(NotReplayable::Revision { plugin: plugin.clone(), digest: digest.clone() }),
    })
}

/// A decision that can be asked again.
struct Case<'d> {
    question: DecisionRequest,
    account: Account,
    /// The answer that is kept.
    kept: &'d str,
}

impl<'d> Case<'d> {
    /// Reads a decision, or says why it cannot be asked again.
    fn read(decision: &'d Decision) -> Result<Case<'d>, Replay> {
        let Decision { plugin, contract, .. } = decision;
        let (request, kept) = (request_of(decision)?, response_of(decision)?);
        let question = decision::read_request(request, contract)
            .map_err(|problems| damaged("request", &problems.to_string()))?;
        let account = account_of(&question, plugin);
        Ok(Case { question, account, kept })
    }

    fn request(&self, account: AccountIndex) -> PlanRequest<'_> {
        PlanRequest {
            at: self.question.at,
            account,
            command: &self.question.command,
            member: self.question.member,
            bundle: &self.question.bundle,
            orders: &self.question.orders,
        }
    }
}

/// The account of a question that was kept: all that rules are told of one is in the question.
pub(crate) fn account_of(question: &DecisionRequest, provider: &str) -> Account {
    Account {
        id: question.account.clone(),
        provider: provider.to_owned(),
        mode: Mode::Managed,
        currency: String::new(),
        balance: Balance::default(),
        settings: question.settings.clone(),
        approval_above: None,
        budget: None,
    }
}

/// Asks one provider's rules again.
fn ask(rules: &dyn Rules, cases: &[Case<'_>]) -> Vec<Replay> {
    let accounts = cases.iter().map(|case| &case.account).collect::<Vec<_>>();
    let requests = cases
        .iter()
        .enumerate()
        .map(|(number, case)| case.request(AccountIndex::new(number)))
        .collect::<Vec<_>>();
    let answers = rules.make_plans(&accounts, &requests);
    let compare = |(case, answer): (&Case<'_>, Result<PlanAnswer, PluginError>)| match answer {
        Err(error) => Replay::Damaged { why: error.to_string() },
        Ok(PlanAnswer { plan, fuel }) => compared(case.kept, decision::answer(&plan).to_text(), fuel),
    };
    cases.iter().zip(answers).map(compare).collect()
}
