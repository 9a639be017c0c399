//! Asks other policies about the plans that a database keeps, and says what they rule otherwise than was ruled. Writes
//! nothing.
//!
//! Each plan is asked about as it was: with its resources, its price, and the money that its account had. What another ruling
//! would have changed for the plans behind it is not played on; a simulation does that. `recorded.rs` puts together what is
//! kept of a plan, `rebuild.rs` what policies would have been told where none was asked, and `ask.rs` asks.

mod account_history;
mod ask;
mod plan_ruling;
mod rebuild;
mod recorded;
mod tested_plan;

use std::collections::BTreeMap;

use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use perennial_store::decisions;
use perennial_store::error::StoreError;
use perennial_store::keys::DecisionKey;
use perennial_store::keys::RowKey;

use crate::backtest::ask::Case;
use crate::backtest::rebuild::Rebuilder;
use crate::backtest::recorded::RecordedPlan;
use crate::backtest::recorded::Recorder;
use crate::policies::ActivePolicies;
use crate::rules::Providers;

pub use crate::backtest::plan_ruling::PlanRuling;
pub(crate) use crate::backtest::recorded::policy as policy_of_version;
pub use crate::backtest::tested_plan::NotTestable;
pub use crate::backtest::tested_plan::TestedPlan;

/// Decisions that are read together, and the most plans that are asked about in one call.
const PAGE: u32 = 1_024;

/// How many plans were asked about, and what became of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that were asked about.
    pub tested: u64,
    /// Those among them that no policy was asked about then: the money and the tries that policies are told of were worked
    /// out again.
    pub rebuilt: u64,
    /// Those that the provider refused, so that no policy is asked.
    pub refused: u64,
    /// Those that cannot be asked about, by the reason.
    pub not_testable: BTreeMap<NotTestable, u64>,
}

/// Asks the policies of `providers` about every plan that is kept and was made at `since` or later, the oldest first, of one
/// account if it is named, and hands each to `observe`. Shadow policies are not asked.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read; else that of `observe`.
pub fn run<E: From<StoreError>>(
    db: &ReadTx,
    providers: &Providers,
    since: Timestamp,
    account: Option<&str>,
    observe: &mut dyn FnMut(TestedPlan) -> Result<(), E>,
) -> Result<Tally, E> {
    let providers = &providers.as_bound(db)?;
    let Some(policies) = current(db, providers)? else { return Ok(Tally::default()) };
    let mut backtest = Backtest {
        policies,
        providers,
        rebuilder: Rebuilder::new(db, providers),
        tally: Tally::default(),
        waiting: Vec::new(),
    };
    let (mut recorder, mut after) = (Recorder::default(), DecisionKey::before_all());
    loop {
        let page = decisions::list_since(db, since, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.row;
        let of_account = page.iter().filter(|one| account.is_none_or(|account| one.account == account));
        for decision in of_account {
            if let Some(plan) = recorder.add(decision) {
                backtest.take(plan, observe)?;
            }
        }
    }
    if let Some(plan) = recorder.finish() {
        backtest.take(plan, observe)?;
    }
    backtest.ask(observe)?;
    Ok(backtest.tally)
}

fn current(db: &ReadTx, providers: &Providers) -> Result<Option<ActivePolicies>, StoreError> {
    providers.policies().map_or(Ok(None), |policies| policies.current(db))
}

struct Backtest<'a> {
    policies: ActivePolicies,
    providers: &'a Providers,
    rebuilder: Rebuilder<'a>,
    tally: Tally,
    /// Plans that are still to be asked about.
    waiting: Vec<Case>,
}

impl Backtest<'_> {
    /// Takes a plan in; asks as soon as there are enough.
    fn take<E: From<StoreError>>(
        &mut self,
        plan: RecordedPlan,
        observe: &mut dyn FnMut(TestedPlan) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.rebuilder.facts(&plan)? {
            Err(why) => *self.tally.not_testable.entry(why).or_default() += 1,
            Ok(None) => self.tally.refused += 1,
            Ok(Some(facts)) => {
                self.tally.tested += 1;
                self.tally.rebuilt += u64::from(plan.rulings.is_empty());
                self.waiting.push(Case::new(&self.policies, plan, facts));
            }
        }
        if self.waiting.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX) {
            self.ask(observe)
        } else {
            Ok(())
        }
    }

    /// Asks about everything that was taken in.
    fn ask<E>(&mut self, observe: &mut dyn FnMut(TestedPlan) -> Result<(), E>) -> Result<(), E> {
        let mut cases = std::mem::take(&mut self.waiting);
        ask::ask(&self.policies, self.providers, &mut cases);
        cases.into_iter().try_for_each(|case| observe(case.tested()))
    }
}
