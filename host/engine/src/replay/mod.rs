//! Asks again what was decided, of the rules that decided it, and compares the answers bit for bit. Writes nothing.
//!
//! What a decision was made from is kept with it: the request and the digest of the revision that answered. So the same
//! revision must give the same answer, whatever has happened since; one that does not, or a kept answer that was changed, is
//! found. So it is with what policies ruled, whose scripts are kept by their digests.

mod plans;
mod rulings;

use std::collections::BTreeMap;

use perennial_store::ReadTx;
use perennial_store::decisions;
use perennial_store::decisions::Decision;
use perennial_store::error::StoreError;
use perennial_store::keys::DecisionKey;
use perennial_store::keys::RowKey;

use crate::rules::Providers;

pub(crate) use crate::replay::plans::account_of;

/// Decisions that are read and asked again together.
const PAGE: u32 = 1_024;
/// What the versions of the contract of policies begin with, where they are kept beside those of the provider contract.
const POLICY_CONTRACTS: &str = "policy/";

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
        /// The answer that is kept.
        kept: String,
        /// The answer that the rules give now.
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
    /// A script that was asked is not kept in this database.
    #[error("the script {0} is not kept")]
    Script(String),
    /// The plugin that is loaded is another revision.
    #[error("it was made by revision {digest} of `{plugin}`, which is neither loaded nor kept")]
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
    /// The number of all decisions.
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
        for (decision, replay) in page.iter().zip(replay(db, providers, &page)?) {
            tally.count(&replay);
            observe(decision, &replay)?;
        }
    }
}

/// Asks one decision again, and tells `observe` of it.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read; else that of `observe`.
pub fn replay_one<E: From<StoreError>>(
    db: &ReadTx,
    providers: &Providers,
    decision: Decision,
    observe: &mut dyn FnMut(&Decision, &Replay) -> Result<(), E>,
) -> Result<Tally, E> {
    let mut tally = Tally::default();
    for replay in replay(db, providers, std::slice::from_ref(&decision))? {
        tally.count(&replay);
        observe(&decision, &replay)?;
    }
    Ok(tally)
}

/// Asks decisions again; what became of each, in their order. Scripts of policies come from `db`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn replay(db: &ReadTx, providers: &Providers, decisions: &[Decision]) -> Result<Vec<Replay>, StoreError> {
    let of_plan = |decision: &&Decision| !is_of_policies(decision);
    let mut plans = plans::replay(db, providers, decisions.iter().filter(of_plan))?.into_iter();
    let ruled = decisions.iter().filter(|decision| !of_plan(decision));
    let mut rulings = rulings::replay(db, providers, ruled)?.into_iter();
    let next = |decision: &Decision| {
        let replay = if of_plan(&decision) { plans.next() } else { rulings.next() };
        replay.expect("each decision has an outcome")
    };
    Ok(decisions.iter().map(next).collect())
}

/// Whether it is what policies ruled, and not what a plugin planned.
pub(crate) fn is_of_policies(decision: &Decision) -> bool {
    decision.contract.starts_with(POLICY_CONTRACTS)
}

/// What the answer is that is kept, if it can be read.
fn response_of(decision: &Decision) -> Result<&str, Replay> {
    decision.response.as_deref().map_err(|error| damaged("answer", &error.to_string()))
}

/// What was asked, if it can be read.
fn request_of(decision: &Decision) -> Result<&str, Replay> {
    decision.request.as_deref().map_err(|error| damaged("request", &error.to_string()))
}

fn damaged(what: &str, why: &str) -> Replay {
    Replay::Damaged { why: format!("its {what} is damaged: {why}") }
}

/// What came of an answer, where `kept` is the one that is kept.
fn compared(kept: &str, answer: String, fuel: u64) -> Replay {
    match answer == kept {
        true => Replay::Matches { fuel },
        false => Replay::Differs { kept: kept.to_owned(), answer },
    }
}
