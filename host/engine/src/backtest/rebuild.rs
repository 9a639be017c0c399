//! What policies are told about a plan of the past: what they were told then or, where none was asked, the same put together
//! from what the plugin was asked, the orders and the ledger.
//!
//! Who asked for a command is kept with rulings only: without one it is [`UNKNOWN`].

use std::collections::BTreeMap;

use perennial_domain::index::AccountIndex;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Plan;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::Budget;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::facts::Tries;
use perennial_formats::decision::Question;
use perennial_sandbox::TimelineRequest;
use perennial_store::ReadTx;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

use crate::backtest::account_history::AccountHistory;
use crate::backtest::recorded::RecordedPlan;
use crate::backtest::recorded::RecordedPlanAnswer;
use crate::backtest::recorded::RecordedRuling;
use crate::backtest::tested_plan::NotTestable;
use crate::policy_facts;
use crate::replay;
use crate::rules::Providers;
use crate::rules::Rules;

/// Who asked for a command of which that is not kept.
const UNKNOWN: &str = "unknown";

/// What policies are told about a plan and its account; `None` of a plan that the provider refused.
pub(super) type Facts = Result<Option<(AccountFacts, PlanFacts)>, NotTestable>;

/// Puts together what policies are told.
pub(super) struct Rebuilder<'a> {
    db: &'a ReadTx,
    providers: &'a Providers,
    accounts: BTreeMap<String, Option<AccountHistory>>,
}

impl<'a> Rebuilder<'a> {
    /// For plans of this database.
    pub(super) fn new(db: &'a ReadTx, providers: &'a Providers) -> Rebuilder<'a> {
        Rebuilder { db, providers, accounts: BTreeMap::new() }
    }

    /// What policies are told about a plan.
    pub(super) fn facts(&mut self, plan: &RecordedPlan) -> Result<Facts, StoreError> {
        if plan.is_damaged {
            return Ok(Err(NotTestable::Unreadable));
        }
        if let Some(RecordedRuling { question, .. }) = plan.rulings.first() {
            return Ok(Ok(Some((question.account.clone(), question.plan.clone()))));
        }
        let Some(RecordedPlanAnswer { plugin, question, answer }) = &plan.planned else {
            return Ok(Err(NotTestable::Unreadable));
        };
        let Ok(answer) = answer else { return Ok(Ok(None)) };
        let Some(rules) = self.providers.get(plugin) else {
            return Ok(Err(NotTestable::NoPlugin(plugin.clone())));
        };
        let Some(account) = self.account(plugin, question, rules.manifest().utc_offset_minutes)? else {
            return Ok(Err(NotTestable::Unreadable));
        };
        let facts = self.plan(rules.as_ref(), plugin, question, answer)?;
        Ok(Ok(Some((account, facts))))
    }

    fn account(
        &mut self,
        plugin: &str,
        question: &Question,
        utc_offset_minutes: i16,
    ) -> Result<Option<AccountFacts>, StoreError> {
        if !self.accounts.contains_key(&question.account) {
            let stored = self.db.find_account(&question.account)?;
            let history = stored.map(|account| AccountHistory::read(self.db, account)).transpose()?;
            self.accounts.insert(question.account.clone(), history);
        }
        let history = self.accounts.get_mut(&question.account).and_then(Option::as_mut);
        Ok(history.map(|history| {
            let month_start = question.at.month_start(utc_offset_minutes);
            let figures = history.next(question.at, &question.bundle, month_start);
            let account = &history.account.account;
            AccountFacts {
                id: question.account.clone(),
                provider: plugin.to_owned(),
                currency: account.currency.clone(),
                settings: question.settings.clone(),
                utc_offset_minutes,
                balance: figures.balance,
                budget: account.budget.map(|limit| Budget { limit, spent: figures.spent }),
            }
        }))
    }

    fn plan(
        &self,
        rules: &dyn Rules,
        plugin: &str,
        question: &Question,
        plan: &Plan,
    ) -> Result<PlanFacts, StoreError> {
        let renewals = self.renewals_before(question)?;
        let members = question.bundle.members.iter().map(|member| {
            let count = renewals.get(&member.id).copied().unwrap_or_default();
            (member.clone(), count)
        });
        let command = &question.command;
        let mut facts =
            PlanFacts::of_plan(AccountIndex::new(0), command, plan, members.collect(), question.at);
        let token = rules.manifest().idempotency.as_ref().map(|how| how.option_name.as_str());
        facts.options = policy_facts::options_without(command, token);
        facts.requested_by = (command.cause() == Cause::Command).then(|| UNKNOWN.to_owned());
        facts.tries = tries(rules, plugin, question);
        Ok(facts)
    }

    /// How often each member of the bundle, by its id, had been renewed before, less what was given back of it since.
    fn renewals_before(&self, question: &Question) -> Result<BTreeMap<String, u32>, StoreError> {
        let mut counts = BTreeMap::new();
        let Some((stored, _)) = self.db.find_bundle(&question.bundle.primary().id)? else {
            return Ok(counts);
        };
        let orders = self.db.orders(&stored.rows)?;
        let renewals =
            orders.iter().filter(|order| order.kind == OrderKind::Renewal && order.paid_at < question.at);
        for order in renewals {
            *counts.entry(stored.bundle[order.member].id.clone()).or_default() += 1;
        }
        Ok(counts)
    }
}

/// The provider's tries for the present period of the member that was named.
fn tries(rules: &dyn Rules, plugin: &str, question: &Question) -> Tries {
    let Question { at, member, bundle, .. } = question;
    let account = replay::account_of(question, plugin);
    let after = policy_facts::before_period(&bundle[*member], *at);
    let request = TimelineRequest { after, account: AccountIndex::new(0), bundle };
    let timeline = rules.timelines(&[&account], &[request]).pop().and_then(Result::ok);
    policy_facts::tries(&timeline.unwrap_or_default(), bundle, *member, *at)
}
