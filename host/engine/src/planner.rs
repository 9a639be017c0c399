//! Plans a command without writing: loads the bundle, asks the plugin, prices the result, and looks up the client token.
//!
//! Changes what is in memory and reads the database; writes nothing, so that a dry run and the real thing are one.

use perennial_domain::account::Account;
use perennial_domain::apply;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Bundle;
use perennial_domain::connector::Driver;
use perennial_domain::connector::MutationName;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::manifest::Idempotency;
use perennial_domain::order::Order;
use perennial_domain::order::OrderState;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use perennial_store::keys::AccountKey;
use perennial_store::keys::DeferredPurchaseKey;

use crate::application::PlanApplication;
use crate::approval_requests::load_approvals;
use crate::batch::Batch;
use crate::batch_entry::BatchAccount;
use crate::batch_entry::BatchEntry;
use crate::batch_entry::EntryIndex;
use crate::client_token::ClientTokenUse;
use crate::error::EngineError;
use crate::load_batch::BatchOptions;
use crate::load_batch::assemble_batch;
use crate::load_batch::count_renewals;
use crate::orders as orders_to_pay;
use crate::orders::NamedOrder;
use crate::proposal::PricedPlan;
use crate::proposal::Proposal;
use crate::reservations;
use crate::rules::Providers;
use perennial_formats as formats;
use perennial_sandbox::PlanRequest;
use perennial_store::bundles::StoredBundle;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

/// A command of a bundle that is in play, ready to be asked about.
pub(super) struct CommandEvaluation {
    pub(super) batch: Batch,
    pub(super) member: MemberIndex,
    pub(super) orders: Vec<Order>,
    pub(super) new_id: String,
    /// The order that the command pays or cancels.
    pub(super) order: Option<NamedOrder>,
    /// What the rules answered so far, priced.
    pub(super) priced_plans: Vec<PricedPlan>,
    /// The row of the order that this pays for, which is struck then.
    pub(super) deferred_purchase: Option<DeferredPurchaseKey>,
}

/// What looking at a command takes: nothing of it writes.
pub(super) struct Planner<'a> {
    pub(super) db: &'a dyn EngineReads,
    pub(super) providers: &'a Providers,
    pub(super) options: BatchOptions,
}

impl Planner<'_> {
    /// Puts a bundle in play for a command.
    pub(super) fn evaluate(
        &self,
        at: Timestamp,
        stored: StoredBundle,
        member: MemberIndex,
        command: &Command,
        deferred: Option<DeferredPurchaseKey>,
    ) -> Result<CommandEvaluation, EngineError> {
        let new_id = if let Command::BuyAgain(_) = command {
            self.next_free_id(&stored.bundle[member].id)?
        } else {
            String::new()
        };
        let order = if let Command::PayOrder(id) | Command::CancelOrder(id) = command {
            Some(orders_to_pay::find(self.db, &stored.rows, id)?)
        } else {
            None
        };
        let member = match &order {
            Some(NamedOrder::Unpaid(order)) => order.member,
            Some(NamedOrder::Refused(_)) | None => member,
        };
        let (batch, problem) = self.load_bundle(stored, at)?;
        check_driver(&batch.accounts[0], command)?;
        if batch.accounts[0].rules.is_none() {
            let account = &batch.accounts[0].account;
            return Err(EngineError::NoPlugin {
                account: account.id.clone(),
                provider: account.provider.clone(),
            });
        }
        match problem {
            Some(problem) => Err(EngineError::Overdue(problem)),
            None => {
                let asked = orders_to_pay::asked(command, order.as_ref());
                let orders = self.orders_for_request(&batch.entries[0], asked)?;
                Ok(CommandEvaluation {
                    batch,
                    member,
                    orders,
                    new_id,
                    order,
                    priced_plans: Vec::new(),
                    deferred_purchase: deferred,
                })
            }
        }
    }

    /// The orders that go with a command's question, also those of renewals that are not written yet.
    fn orders_for_request(&self, item: &BatchEntry, command: &Command) -> Result<Vec<Order>, StoreError> {
        if !matches!(command, Command::Unsubscribe(_) | Command::Change(_) | Command::ConvertNow) {
            return Ok(Vec::new());
        }
        let mut orders = self.db.orders(&item.original.rows)?;
        orders.extend(item.effects.iter().flat_map(|effects| effects.orders.iter().cloned()));
        orders.sort_by_key(|order| (order.starts_at, order.member));
        Ok(orders)
    }

    /// The first free one of `pkg-1.2`, `pkg-1.3` and so on, for another package like `pkg-1` or `pkg-1.2`.
    fn next_free_id(&self, like: &str) -> Result<String, StoreError> {
        let root = match like.rsplit_once('.') {
            Some((root, number)) if number.parse::<u32>().is_ok() => root,
            Some(_) | None => like,
        };
        for number in 2_u32.. {
            let id = format!("{root}.{number}");
            if !self.db.has_resource(&id)? {
                return Ok(id);
            }
        }
        Err(StoreError::Damaged { what: "a free id", found: root.to_owned() })
    }

    /// What the account sent before under the token that `command` carries; `None` if it carries none.
    pub(super) fn client_token_use(
        &self,
        at: Timestamp,
        account: AccountKey,
        evaluation: &CommandEvaluation,
        resource: &str,
        command: &Command,
    ) -> Result<Option<ClientTokenUse>, StoreError> {
        let rules = evaluation.batch.accounts[0].rules.as_ref();
        let Some(how) = rules.and_then(|rules| rules.manifest().idempotency.clone()) else { return Ok(None) };
        let Some(token) = client_token(command, &how) else { return Ok(None) };
        let fingerprint = format!("{resource} {}", formats::decision::command(command));
        let since = at - i64::from(how.valid_seconds);
        let previous = self.db.client_token(account, &token, since)?;
        Ok(Some(ClientTokenUse { policy: how, token, fingerprint, previous }))
    }

    /// Puts one bundle in play at `at`, with everything done that was due before; says why not, if that failed.
    fn load_bundle(
        &self,
        stored: StoredBundle,
        at: Timestamp,
    ) -> Result<(Batch, Option<String>), EngineError> {
        let before = at - 1;
        let is_overdue = is_overdue(&stored, at);
        let mut batch = assemble_batch(self.db, self.providers, self.options, vec![stored], |_| before)?;
        if batch.policies.is_some() {
            // A policy may be asked about commands only.
            let item = &mut batch.entries[0];
            item.renewals = count_renewals(self.db, &item.original.rows)?;
            if item.approvals.is_empty() {
                item.approvals = load_approvals(self.db, &item.original.rows)?;
            }
        }
        if is_overdue {
            batch.decide();
        }
        let item = &mut batch.entries[0];
        item.instant = at;
        let problem = item.failing.take().map(|failing| failing.message);
        if problem.is_none() {
            item.walk.skip_to(before);
        }
        Ok((batch, problem))
    }
}

impl CommandEvaluation {
    /// The account and the bundle before the command.
    pub(super) fn snapshot(&self) -> (Account, Bundle) {
        (self.batch.accounts[0].account.clone(), self.batch.entries[0].walk.bundle.clone())
    }

    /// Until when the order can be paid that the command is about; `None` when it is about none that waits.
    pub(super) fn pay_until(&self) -> Option<Timestamp> {
        match &self.order {
            Some(NamedOrder::Unpaid(order)) => Some(order.pay_until),
            Some(NamedOrder::Refused(_)) | None => None,
        }
    }

    /// What the command came to, once it was carried out.
    pub(super) fn proposal(
        &self,
        (account, bundle): (Account, Bundle),
        command: &Command,
        refusal: Option<Refusal>,
    ) -> Proposal {
        let rules =
            self.batch.accounts[0].rules.as_ref().expect("a command is only asked of rules that are loaded");
        let item = &self.batch.entries[0];
        let balance_after = self.batch.accounts[0].account.balance;
        Proposal {
            at: item.instant,
            command: command.clone(),
            account,
            bundle,
            named: self.member,
            revision: rules.digest().to_owned(),
            plans: self.priced_plans.clone(),
            refusal,
            required: Vec::new(),
            rulings: Vec::new(),
            balance_after,
        }
    }

    /// Does what the rules answered that the command would do; returns why not, if not.
    pub(super) fn apply(
        &mut self,
        db: &dyn EngineReads,
        command: &Command,
        answer: Result<Plan, Refusal>,
    ) -> Result<Option<Refusal>, EngineError> {
        let plan = match answer {
            Ok(plan) => plan,
            Err(refusal) => return Ok(Some(refusal)),
        };
        self.add_priced_plan(self.member, &plan);
        let paying = match (command, self.order.take()) {
            (Command::CancelOrder(_), Some(NamedOrder::Unpaid(order))) => {
                let item = &mut self.batch.entries[0];
                let at = item.instant;
                orders_to_pay::close(item, order, OrderState::Cancelled, at);
                return Ok(None);
            }
            (_, Some(NamedOrder::Unpaid(order))) => Some(order),
            (_, Some(NamedOrder::Refused(_)) | None) => None,
        };
        let item = &self.batch.entries[0];
        let order_id = match apply::own_order_id(&plan, &item.walk.bundle, self.member, item.instant) {
            Some(id) => orders_to_pay::free_id(db, &item.original.rows, &id)?,
            None => String::new(),
        };
        let application = PlanApplication {
            named: self.member,
            command: paying.as_ref().map_or(command, |order| &order.command),
            plan: &plan,
            orders: &self.orders,
            new_id: &self.new_id,
            order_id: &order_id,
            paying: paying.as_ref(),
        };
        if let Err(refusal) = self.batch.apply(EntryIndex::FIRST, &application) {
            if matches!(command, Command::Renew(_)) && reservations::is_for_money(&refusal) {
                self.batch.record_decline(
                    EntryIndex::FIRST,
                    self.member,
                    refusal.clone(),
                    DeclineClass::Money,
                    None,
                    Some(&plan),
                );
            }
            return Ok(Some(refusal));
        }
        if let Some(order) = &paying {
            let item = &mut self.batch.entries[0];
            let at = item.instant;
            item.expire_approvals_of_order(&order.id, at);
        }
        // Where the provider renews, it does so itself once it is told.
        let renews_here = self.batch.driver(EntryIndex::FIRST) != Some(Driver::Provider);
        if let Some(member) = plan.retry_now.filter(|_| renews_here) {
            self.retry_all_now(&plan, member)?;
        }
        Ok(None)
    }

    pub(super) fn add_priced_plan(&mut self, named: MemberIndex, plan: &Plan) {
        let item = &self.batch.entries[0];
        self.priced_plans.push(PricedPlan::new(named, plan, &item.walk.bundle, item.instant));
    }

    /// Asks what the command would do. Of an order that is paid, what it is for, at the price that was ordered.
    pub(super) fn request_plan(&mut self, command: &Command) -> Result<Result<Plan, Refusal>, EngineError> {
        match (command, self.order.take()) {
            (Command::PayOrder(_), Some(NamedOrder::Unpaid(order))) => {
                orders_to_pay::set_unpaid(&mut self.batch.entries[0].walk.bundle, &order, false);
                let answer = self.ask(&order.command);
                let item = &mut self.batch.entries[0];
                let plan = answer.map(|answer| {
                    answer.and_then(|plan| {
                        orders_to_pay::plan_at_price(plan, &order, &item.walk.bundle, item.instant)
                    })
                });
                orders_to_pay::set_unpaid(&mut item.walk.bundle, &order, true);
                self.order = Some(NamedOrder::Unpaid(order));
                plan
            }
            (_, Some(NamedOrder::Refused(refusal))) => Ok(Err(refusal)),
            (_, Some(NamedOrder::Unpaid(order))) => {
                self.order = Some(NamedOrder::Unpaid(order));
                Ok(Ok(Plan::of(Vec::new())))
            }
            (_, None) => self.ask(command),
        }
    }

    /// Asks the rules.
    fn ask(&mut self, command: &Command) -> Result<Result<Plan, Refusal>, EngineError> {
        let account_in_batch = &self.batch.accounts[0];
        let item = &self.batch.entries[0];
        let question = PlanRequest {
            at: item.instant,
            account: AccountIndex::new(0),
            command,
            member: self.member,
            bundle: &item.walk.bundle,
            orders: &self.orders,
        };
        let rules =
            account_in_batch.rules.as_ref().expect("a command is only asked of rules that are loaded");
        let answer = rules.make_plans(&[&account_in_batch.account], &[question]).pop();
        let answer = answer.expect("rules give one answer per question")?;
        self.batch.ask_shadow_plan(EntryIndex::FIRST, &question, &answer);
        self.batch.record_decision(EntryIndex::FIRST, self.member, command, &self.orders, &answer);
        Ok(answer.plan)
    }

    pub(super) fn record_refusal(&mut self, command: &Command, refusal: &Refusal) {
        let item = &mut self.batch.entries[0];
        let event = refusal_event(item.instant, &item.walk.bundle[self.member].id, command, refusal);
        item.walk.events.push(event);
    }
}

/// Whether a command can be carried out on an account: on one that its provider keeps, only what is sent to it.
fn check_driver(account_in_batch: &BatchAccount, command: &Command) -> Result<(), EngineError> {
    let Some(driver) = account_in_batch.driver else { return Ok(()) };
    let account = account_in_batch.account.id.clone();
    if !driver.sends() {
        return Err(EngineError::Watched(account));
    }
    let connector = account_in_batch.rules.as_ref().and_then(|rules| rules.connector());
    let is_sent = |mutation| connector.is_none_or(|it| it.capabilities().limit(mutation).is_some());
    match reservations::mutation_of(command) {
        Some(mutation) if is_sent(mutation) => Ok(()),
        // Where this host renews, switching it on and off is this host's as well.
        Some(MutationName::SetAutoRenew | MutationName::CancelAutoRenew) if driver == Driver::Host => Ok(()),
        Some(_) | None => Err(EngineError::NotSent { account, command: command.name() }),
    }
}

/// Whether something that was due before `at` is not done: the host was busy or its plugin failed.
pub(super) fn is_overdue(stored: &StoredBundle, at: Timestamp) -> bool {
    stored.schedule.failures > 0 || stored.schedule.wake_at.is_some_and(|wake_at| wake_at < at)
}

pub(super) fn refusal_event(at: Timestamp, resource: &str, command: &Command, refusal: &Refusal) -> Event {
    let what = EventKind::CommandRefused {
        command: command.name().to_owned(),
        code: refusal.code.clone(),
        message: refusal.message.clone(),
    };
    Event { at, resource: Some(resource.to_owned()), what }
}

/// The token that a command carries, if it does.
fn client_token(command: &Command, how: &Idempotency) -> Option<String> {
    command.options()?.get(&how.option_name).cloned()
}
