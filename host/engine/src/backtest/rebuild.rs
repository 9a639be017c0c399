//! What policies are told about a plan of the past: what they were told then or, where none was asked, the same put together
//! from what the plugin was asked, the orders and the ledger.
//!
//! Who asked for a command is kept with rulings only: without one it is [`UNKNOWN`].

use std::collections::BTreeMap;

use perennial_domain::account::Mode;
use perennial_domain::index::AccountIndex;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Plan;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::Budget;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::facts::Tries;
use perennial_formats::decision::DecisionRequest;
use perennial_sandbox::TimelineRequest;
use perennial_store::ReadTx;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

use crate::backtest::account_history::AccountHistory;
use crate::backtest::recorded::PlanExchange;
use crate::backtest::recorded::RecordedPlan;
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
        if let Some(RecordedRuling { request, .. }) = plan.rulings.first() {
            return Ok(Ok(Some((request.account.clone(), request.plan.clone()))));
        }
        let Some(PlanExchange { plugin, request, answer }) = &plan.planned else {
            return Ok(Err(NotTestable::Unreadable));
        };
        let Ok(answer) = answer else { return Ok(Ok(None)) };
        let Some(rules) = self.providers.get(plugin) else {
            return Ok(Err(NotTestable::NoPlugin(plugin.clone())));
        };
        let Some(account) = self.account(plugin, request, rules.manifest().utc_offset_minutes)? else {
            return Ok(Err(NotTestable::Unreadable));
        };
        let facts = self.plan(rules.as_ref(), plugin, request, answer)?;
        Ok(Ok(Some((account, facts))))
    }

    fn account(
        &mut self,
        plugin: &str,
        request: &DecisionRequest,
        utc_offset_minutes: i16,
    ) -> Result<Option<AccountFacts>, StoreError> {
        if !self.accounts.contains_key(&request.account) {
            let stored = self.db.find_account(&request.account)?;
            let history = stored.map(|account| AccountHistory::read(self.db, account)).transpose()?;
            self.accounts.insert(request.account.clone(), history);
        }
        let history = self.accounts.get_mut(&request.account).and_then(Option::as_mut);
        Ok(history.map(|history| {
            let month_start = request.at.month_start(utc_offset_minutes);
            let figures = history.next(request.at, &request.bundle, month_start);
            let account = &history.account.account;
            AccountFacts {
                id: request.account.clone(),
                provider: plugin.to_owned(),
                currency: account.currency.clone(),
                settings: request.settings.clone(),
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
        request: &DecisionRequest,
        plan: &Plan,
    ) -> Result<PlanFacts, StoreError> {
        let renewals = self.renewals_before(request)?;
        let members = request.bundle.members.iter().map(|member| {
            let count = renewals.get(&member.id).copied().unwrap_or_default();
            (member.clone(), count)
        });
        let command = &request.command;
        let stored = self.db.find_account(&request.account)?;
        let mode = stored.map_or(Mode::Managed, |stored| stored.account.mode);
        let mut facts =
            PlanFacts::of_plan(AccountIndex::new(0), mode, command, plan, members.collect(), request.at);
        let token = rules.manifest().idempotency.as_ref().map(|how| how.option_name.as_str());
        facts.options = policy_facts::options_without(command, token);
        facts.requested_by = (command.cause() == Cause::Command).then(|| UNKNOWN.to_owned());
        facts.tries = tries(rules, plugin, request);
        Ok(facts)
    }

    /// How often each member of the bundle, by its id, had been renewed before, less what was given back of it since.
    fn renewals_before(&self, request: &DecisionRequest) -> Result<BTreeMap<String, u32>, StoreError> {
        let mut counts = BTreeMap::new();
        let Some((stored, _)) = self.db.find_bundle(&request.bundle.primary().id)? else {
            return Ok(counts);
        };
        let orders = self.db.orders(&stored.rows)?;
        let renewals =
            orders.iter().filter(|order| order.kind == OrderKind::Renewal && order.paid_at < request.at);
        for order in renewals {
            *counts.entry(stored.bundle[order.member].id.clone()).or_default() += 1;
        }
        Ok(counts)
    }
}

/// The provider's tries for the present period of the member that was named.
fn tries(rules: &dyn Rules, plugin: &str, request: &DecisionRequest) -> Tries {
    let DecisionRequest { at, member, bundle, .. } = request;
    let account = replay::account_of(request, plugin);
    let after = policy_facts::before_period(&bundle[*member], *at);
    let request = TimelineRequest { after, account: AccountIndex::new(0), bundle };
    let timeline = rules.timelines(&[&account], &[request]).pop().and_then(Result::ok);
    policy_facts::tries(&timeline.unwrap_or_default(), bundle, *member, *at)
}
