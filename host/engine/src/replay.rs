//! Asks again what was decided, of the rules that decided it, and compares the answers bit for bit. Writes nothing.
//!
//! What a decision was made from is kept with it: the request and the digest of the revision that answered. So the same
//! revision must give the same answer, whatever has happened since; one that does not, or a kept answer that was changed, is
//! found.

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::index::AccountIndex;
use perennial_domain::ledger::Balance;
use perennial_formats::decision;
use perennial_formats::decision::CONTRACT;
use perennial_formats::decision::Question;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::PluginError;
use perennial_store::ReadTx;
use perennial_store::decisions;
use perennial_store::decisions::Decision;
use perennial_store::error::StoreError;
use perennial_store::keys::DecisionKey;
use perennial_store::keys::RowKey;

use crate::rules::Providers;
use crate::rules::Rules;

/// Decisions that are read and asked again together.
const PAGE: u32 = 1_024;

/// What became of a decision that was asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The same answer, bit for bit.
    Matches {
        /// The fuel that it took now, asked by itself or with others.
        fuel: u64,
    },
    /// Another answer than the one that is kept.
    Differs {
        /// What is kept.
        kept: String,
        /// What the rules answer.
        answer: String,
    },
    /// What is kept cannot be read, or the rules give no usable answer to it.
    Damaged {
        /// What is wrong, in words.
        why: String,
    },
    /// It cannot be asked again here.
    NotReplayable(NotReplayable),
}

/// Why a decision cannot be asked again here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotReplayable {
    /// It was made under another version of the contract.
    #[error("it was made under contract {0}")]
    Contract(String),
    /// No plugin of its id is loaded.
    #[error("no plugin `{0}` is loaded")]
    NoPlugin(String),
    /// The plugin that is loaded is another revision.
    #[error("it was made by revision {digest} of `{plugin}`, and another one is loaded")]
    Revision {
        /// The plugin's id.
        plugin: String,
        /// The digest of the revision that decided.
        digest: String,
    },
}

/// What became of many decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those whose answer is the same.
    pub matching: u64,
    /// Those whose answer is another one, or that are damaged.
    pub different: u64,
    /// Those that cannot be asked again here, by the reason.
    pub not_replayable: BTreeMap<NotReplayable, u64>,
}

impl Tally {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.matching + self.different + self.not_replayable.values().sum::<u64>()
    }

    fn count(&mut self, replay: &Replay) {
        match replay {
            Replay::Matches { .. } => self.matching += 1,
            Replay::Differs { .. } | Replay::Damaged { .. } => self.different += 1,
            Replay::NotReplayable(why) => *self.not_replayable.entry(why.clone()).or_default() += 1,
        }
    }
}

/// Asks every decision of the database again, the oldest first, and tells `observe` of each; also while a host runs.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read; else that of `observe`.
pub fn replay_all<E: From<StoreError>>(
    db: &ReadTx,
    providers: &Providers,
    observe: &mut dyn FnMut(&Decision, &Replay) -> Result<(), E>,
) -> Result<Tally, E> {
    let (mut tally, mut after) = (Tally::default(), DecisionKey::before_all());
    loop {
        let page = decisions::list(db, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(tally) };
        after = last.row;
        for (decision, replay) in page.iter().zip(replay(providers, &page)) {
            tally.count(&replay);
            observe(decision, &replay)?;
        }
    }
}

/// Asks one decision again, and tells `observe` of it.
///
/// # Errors
///
/// That of `observe`.
pub fn replay_one<E>(
    providers: &Providers,
    decision: Decision,
    observe: &mut dyn FnMut(&Decision, &Replay) -> Result<(), E>,
) -> Result<Tally, E> {
    let mut tally = Tally::default();
    for replay in replay(providers, std::slice::from_ref(&decision)) {
        tally.count(&replay);
        observe(&decision, &replay)?;
    }
    Ok(tally)
}

/// Asks decisions again; what became of each, in their order.
pub fn replay(providers: &Providers, decisions: &[Decision]) -> Vec<Replay> {
    let mut replays = decisions.iter().map(|_| None).collect::<Vec<_>>();
    let mut by_plugin = BTreeMap::<&str, Vec<(usize, Case<'_>)>>::new();
    for (place, decision) in decisions.iter().enumerate() {
        match Case::read(providers, decision) {
            Ok(case) => by_plugin.entry(&decision.plugin).or_default().push((place, case)),
            Err(replay) => replays[place] = Some(replay),
        }
    }
    for (plugin, cases) in by_plugin {
        let (places, cases): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        for (place, replay) in places.into_iter().zip(ask(providers[plugin].as_ref(), &cases)) {
            replays[place] = Some(replay);
        }
    }
    replays.into_iter().map(|replay| replay.expect("each decision was read or asked")).collect()
}

/// A decision that can be asked again.
struct Case<'d> {
    question: Question,
    account: Account,
    /// The answer that is kept.
    kept: &'d str,
}

impl<'d> Case<'d> {
    /// Reads a decision, or says why it cannot be asked again.
    fn read(providers: &Providers, decision: &'d Decision) -> Result<Case<'d>, Replay> {
        let Decision { plugin, digest, contract, .. } = decision;
        let not_replayable = |why| Err(Replay::NotReplayable(why));
        match providers.get(plugin) {
            _ if contract != CONTRACT => return not_replayable(NotReplayable::Contract(contract.clone())),
            None => return not_replayable(NotReplayable::NoPlugin(plugin.clone())),
            Some(rules) if rules.digest() != digest => {
                let (plugin, digest) = (plugin.clone(), digest.clone());
                return not_replayable(NotReplayable::Revision { plugin, digest });
            }
            Some(_) => {}
        }
        let damaged =
            |what: &str, why: String| Replay::Damaged { why: format!("its {what} is damaged: {why}") };
        let request = decision.request.as_ref().map_err(|error| damaged("request", error.to_string()))?;
        let kept = decision.response.as_ref().map_err(|error| damaged("answer", error.to_string()))?;
        let question = decision::read_question(request, contract)
            .map_err(|problems| damaged("request", problems.to_string()))?;
        // All that rules are told of an account is in the request.
        let account = Account {
            id: question.account.clone(),
            provider: plugin.clone(),
            mode: Mode::Managed,
            currency: String::new(),
            balance: Balance::default(),
            settings: question.settings.clone(),
            approval_above: None,
            budget: None,
        };
        Ok(Case { question, account, kept })
    }

    fn request(&self, place: usize) -> PlanRequest<'_> {
        PlanRequest {
            at: self.question.at,
            account: AccountIndex::new(place),
            command: &self.question.command,
            member: self.question.member,
            bundle: &self.question.bundle,
            orders: &self.question.orders,
        }
    }
}

/// Asks one provider's rules again.
fn ask(rules: &dyn Rules, cases: &[Case<'_>]) -> Vec<Replay> {
    let accounts = cases.iter().map(|case| &case.account).collect::<Vec<_>>();
    let requests = cases.iter().enumerate().map(|(place, case)| case.request(place)).collect::<Vec<_>>();
    let answers = rules.make_plans(&accounts, &requests);
    let compare = |(case, answer): (&Case<'_>, Result<PlanAnswer, PluginError>)| match answer {
        Err(error) => Replay::Damaged { why: error.to_string() },
        Ok(PlanAnswer { plan, fuel }) => {
            let answer = decision::answer(&plan).to_text();
            match answer == case.kept {
                true => Replay::Matches { fuel },
                false => Replay::Differs { kept: case.kept.to_owned(), answer },
            }
        }
    };
    cases.iter().zip(answers).map(compare).collect()
}
