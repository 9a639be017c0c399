//! Putting a bundle and a command before the rules: what is asked, what it comes to, and what came under its token.
//!
//! Changes what is in memory and reads the database; writes nothing, so that a dry run and the real thing are one.

use perennial_domain::account::Account;
use perennial_domain::approval;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Bundle;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::manifest::Idempotency;
use perennial_domain::order::Order;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;

use crate::engine::batch;
use crate::engine::batch::Batch;
use crate::engine::batch::Item;
use crate::engine::error::EngineError;
use crate::engine::gather;
use crate::engine::proposal::PricedPlan;
use crate::engine::proposal::Proposal;
use crate::engine::rules::Providers;
use crate::formats;
use crate::sandbox::PlanRequest;
use crate::store::bundles;
use crate::store::bundles::StoredBundle;
use crate::store::error::StoreError;
use crate::store::orders;
use crate::store::tokens;
use crate::store::tokens::Seen;

/// A command of a bundle that is in play, ready to be asked about.
pub(super) struct Asked {
    pub(super) batch: Batch,
    pub(super) member: usize,
    pub(super) orders: Vec<Order>,
    pub(super) new_id: String,
    /// What the rules answered so far, priced.
    pub(super) priced: Vec<PricedPlan>,
    /// The row of the order that this pays for, which is struck then.
    pub(super) deferred: Option<i64>,
}

/// What looking at a command takes: nothing of it writes.
pub(super) struct Desk<'a> {
    pub(super) db: &'a Connection,
    pub(super) providers: &'a Providers,
    pub(super) keeps_decisions: bool,
}

/// A command that carries a token, and what came under that token before.
pub(super) struct Sent {
    pub(super) how: Idempotency,
    pub(super) token: String,
    pub(super) fingerprint: String,
    pub(super) seen: Option<Seen>,
}

impl Sent {
    /// What the same token again is answered: the same if it is the same command, else the provider's word for it.
    pub(super) fn repeated(self) -> Option<Refusal> {
        match self.seen {
            Some(seen) if seen.fingerprint == self.fingerprint => seen.refusal,
            Some(_) | None => Some(self.how.mismatch),
        }
    }
}

impl Desk<'_> {
    /// Puts a bundle in play for a command.
    pub(super) fn asked(
        &self,
        at: Timestamp,
        stored: StoredBundle,
        member: usize,
        command: &Command,
        deferred: Option<i64>,
    ) -> Result<Asked, EngineError> {
        let new_id = match command {
            Command::BuyAgain(_) => self.free_id(&stored.bundle.members[member].id)?,
            Command::Renew(_)
            | Command::SetAutoRenew(_)
            | Command::CancelAutoRenew
            | Command::Unsubscribe(_)
            | Command::ConvertOnExpiry
            | Command::CancelConversion => String::new(),
        };
        let (batch, problem) = self.in_play(stored, at)?;
        if batch.accounts[0].rules.is_none() {
            let account = &batch.accounts[0].account;
            return Err(EngineError::NoPlugin {
                account: account.id.clone(),
                provider: account.provider.clone(),
            });
        }
        match problem {
            Some(problem) => Err(EngineError::Behind(problem)),
            None => {
                let orders = self.orders(&batch.items[0], command)?;
                Ok(Asked { batch, member, orders, new_id, priced: Vec::new(), deferred })
            }
        }
    }

    /// The orders that go with a command's question, also those of renewals that are not written yet.
    fn orders(&self, item: &Item, command: &Command) -> Result<Vec<Order>, StoreError> {
        match command {
            Command::Unsubscribe(_) => {
                let mut orders = orders::list(self.db, &item.stored.rows)?;
                orders.extend(item.effects.iter().flat_map(|carried| carried.orders.iter().cloned()));
                orders.sort_by_key(|order| (order.starts_at, order.member));
                Ok(orders)
            }
            Command::Renew(_)
            | Command::SetAutoRenew(_)
            | Command::CancelAutoRenew
            | Command::ConvertOnExpiry
            | Command::CancelConversion
            | Command::BuyAgain(_) => Ok(Vec::new()),
        }
    }

    /// The first free one of `pkg-1.2`, `pkg-1.3` and so on, for another package like `pkg-1` or `pkg-1.2`.
    fn free_id(&self, like: &str) -> Result<String, StoreError> {
        let root = match like.rsplit_once('.') {
            Some((root, number)) if number.parse::<u32>().is_ok() => root,
            Some(_) | None => like,
        };
        for number in 2_u32.. {
            let id = format!("{root}.{number}");
            if !bundles::exists(self.db, &id)? {
                return Ok(id);
            }
        }
        Err(StoreError::Damaged { what: "a free id", found: root.to_owned() })
    }

    /// What the account sent before under the token that `command` carries; `None` if it carries none.
    pub(super) fn seen(
        &self,
        at: Timestamp,
        account: i64,
        asked: &Asked,
        resource: &str,
        command: &Command,
    ) -> Result<Option<Sent>, StoreError> {
        let rules = asked.batch.accounts[0].rules.as_ref();
        let Some(how) = rules.and_then(|rules| rules.manifest().idempotency.clone()) else { return Ok(None) };
        let Some(token) = token_of(command, &how) else { return Ok(None) };
        let fingerprint = format!("{resource} {}", formats::decision::command(command));
        let since = at - i64::from(how.valid_seconds);
        let seen = tokens::get(self.db, account, &token, since)?;
        Ok(Some(Sent { how, token, fingerprint, seen }))
    }

    /// Puts one bundle in play at `at`, with everything done that was due before; says why not, if that failed.
    fn in_play(&self, stored: StoredBundle, at: Timestamp) -> Result<(Batch, Option<String>), EngineError> {
        let before = at - 1;
        let is_behind = is_behind(&stored, at);
        let mut batch = gather(self.db, self.providers, self.keeps_decisions, vec![stored], |_| before)?;
        if is_behind {
            batch.decide();
        }
        let item = &mut batch.items[0];
        item.instant = at;
        let problem = item.problem.take();
        if problem.is_none() {
            item.walk.skip_to(before);
        }
        Ok((batch, problem))
    }
}

impl Asked {
    /// The account and the bundle before the command.
    pub(super) fn snapshot(&self) -> (Account, Bundle) {
        (self.batch.accounts[0].account.clone(), self.batch.items[0].walk.bundle.clone())
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
        let item = &self.batch.items[0];
        let balance_after = self.batch.accounts[0].account.balance;
        Proposal {
            at: item.instant,
            command: command.clone(),
            account,
            bundle,
            named: self.member,
            revision: rules.digest().to_owned(),
            plans: self.priced.clone(),
            refusal,
            balance_after,
        }
    }

    /// Does what the rules answered that the command would do; returns why not, if not.
    pub(super) fn carry_out(
        &mut self,
        command: &Command,
        answer: Result<Plan, Refusal>,
    ) -> Result<Option<Refusal>, EngineError> {
        let plan = match answer {
            Ok(plan) => plan,
            Err(refusal) => return Ok(Some(refusal)),
        };
        self.price(self.member, &plan);
        let cause = approval::cause(command);
        if let Err(refusal) = self.batch.apply(0, self.member, cause, &plan, &self.orders, &self.new_id) {
            if matches!(command, Command::Renew(_)) {
                self.batch.decline(0, self.member, refusal.clone(), DeclineClass::Money, None, Some(&plan));
            }
            return Ok(Some(refusal));
        }
        if let Some(member) = plan.retry_now {
            self.try_at_once(member)?;
        }
        Ok(None)
    }

    fn try_at_once(&mut self, member: usize) -> Result<(), EngineError> {
        let renewal = batch::automatic_renewal();
        let named = std::mem::replace(&mut self.member, member);
        let plan = self.plan(&renewal);
        self.member = named;
        let plan = plan?;
        if let Ok(plan) = &plan {
            self.price(member, plan);
        }
        let is_held = plan.as_ref().is_ok_and(|plan| self.batch.is_held(0, plan));
        let timeline = if is_held { self.batch.timeline(0)? } else { Vec::new() };
        self.batch.try_renewal(0, member, plan, None, &timeline);
        Ok(())
    }

    fn price(&mut self, named: usize, plan: &Plan) {
        let item = &self.batch.items[0];
        self.priced.push(PricedPlan::new(named, plan, &item.walk.bundle, item.instant));
    }

    /// Asks what the command would do.
    pub(super) fn plan(&mut self, command: &Command) -> Result<Result<Plan, Refusal>, EngineError> {
        let in_play = &self.batch.accounts[0];
        let item = &self.batch.items[0];
        let question = PlanRequest {
            at: item.instant,
            account: 0,
            command,
            member: self.member,
            bundle: &item.walk.bundle,
            orders: &self.orders,
        };
        let rules = in_play.rules.as_ref().expect("a command is only asked of rules that are loaded");
        let answer = rules.make_plans(&[&in_play.account], &[question]).pop();
        let answer = answer.expect("rules give one answer per question")?;
        self.batch.keep(0, self.member, command, &self.orders, &answer);
        Ok(answer)
    }

    pub(super) fn refuse(&mut self, command: &Command, refusal: &Refusal) {
        let item = &mut self.batch.items[0];
        let event = refused(item.instant, &item.walk.bundle.members[self.member].id, command, refusal);
        item.walk.events.push(event);
    }
}

/// Whether something that was due before `at` is not done: the host was busy or its plugin failed.
pub(super) fn is_behind(stored: &StoredBundle, at: Timestamp) -> bool {
    stored.agenda.failures > 0 || stored.agenda.wake_at.is_some_and(|wake_at| wake_at < at)
}

pub(super) fn refused(at: Timestamp, resource: &str, command: &Command, refusal: &Refusal) -> Event {
    let what = EventKind::CommandRefused {
        command: command.name().to_owned(),
        code: refusal.code.clone(),
        message: refusal.message.clone(),
    };
    Event { at, resource: Some(resource.to_owned()), what }
}

/// The token that a command carries, if it does.
fn token_of(command: &Command, how: &Idempotency) -> Option<String> {
    match command {
        Command::Renew(renewal) => renewal.options.get(&how.option_name).cloned(),
        Command::SetAutoRenew(_)
        | Command::CancelAutoRenew
        | Command::Unsubscribe(_)
        | Command::ConvertOnExpiry
        | Command::CancelConversion
        | Command::BuyAgain(_) => None,
    }
}
