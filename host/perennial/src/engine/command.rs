//! Commands of people and programs: asked of the rules, priced, carried out, and remembered by their token.
//!
//! Knows one command at a time. A command takes part in the bundle's timeline: what was due before it has been done.

use perennial_domain::account::Account;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Bundle;
use perennial_domain::event::Event;
use perennial_domain::event::Happened;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Entry;
use perennial_domain::ledger::Reason;
use perennial_domain::manifest::Idempotency;
use perennial_domain::micros::Micros;
use perennial_domain::order::Order;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Purchase;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;

use crate::engine::Engine;
use crate::engine::Keep;
use crate::engine::batch;
use crate::engine::batch::Batch;
use crate::engine::batch::Item;
use crate::engine::error::EngineError;
use crate::engine::gather;
use crate::engine::proposal::PricedPlan;
use crate::engine::proposal::Proposal;
use crate::engine::rules::Providers;
use crate::engine::write;
use crate::engine::write::Recorded;
use crate::formats;
use crate::sandbox::Question;
use crate::store::accounts;
use crate::store::bundles;
use crate::store::bundles::StoredBundle;
use crate::store::error::StoreError;
use crate::store::ledger;
use crate::store::orders;
use crate::store::packages;
use crate::store::packages::DeferredPurchase;
use crate::store::tokens;
use crate::store::tokens::Seen;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Why it was not carried out; `None` when it was.
    pub refusal: Option<Refusal>,
    /// What happened.
    pub happened: Vec<Recorded>,
}

/// A command of a bundle that is in play, ready to be asked about.
struct Asked {
    batch: Batch,
    member: usize,
    orders: Vec<Order>,
    new_id: String,
    /// What the rules answered so far, priced.
    priced: Vec<PricedPlan>,
    /// The row of the order that this pays for, which is struck then.
    deferred: Option<i64>,
}

/// What looking at a command takes: nothing of it writes.
struct Desk<'a> {
    db: &'a Connection,
    providers: &'a Providers,
    keeps_decisions: bool,
}

/// What `command` would do to the resource called `resource` at `at`, with what was due before done first; `None` when
/// there is no such resource. Nothing is written, so any connection will do.
///
/// # Errors
///
/// [`EngineError`] when it cannot be decided.
pub fn propose(
    db: &Connection,
    providers: &Providers,
    at: Timestamp,
    resource: &str,
    command: &Command,
) -> Result<Option<Proposal>, EngineError> {
    let Some((stored, member)) = bundles::of_resource(db, resource)? else { return Ok(None) };
    let account = stored.account;
    let desk = Desk { db, providers, keeps_decisions: false };
    let mut asked = desk.asked(at, stored, member, command, None)?;
    let before = asked.snapshot();
    let refusal = match desk.seen(at, account, &asked, resource, command)? {
        Some(sent) if sent.seen.is_some() => sent.repeated(),
        Some(_) | None => asked.carry_out(command)?,
    };
    Ok(Some(asked.proposal(before, command, refusal)))
}

/// A command that carries a token, and what came under that token before.
struct Sent {
    how: Idempotency,
    token: String,
    fingerprint: String,
    seen: Option<Seen>,
}

impl Sent {
    /// What the same token again is answered: the same if it is the same command, else the provider's word for it.
    fn repeated(self) -> Option<Refusal> {
        match self.seen {
            Some(seen) if seen.fingerprint == self.fingerprint => seen.refusal,
            Some(_) | None => Some(self.how.mismatch),
        }
    }
}

impl Engine {
    /// Carries out `command` on the resource called `resource`, at `at`. What was due before has been done.
    ///
    /// A refusal is an ordinary answer, and an event. `account` is who asks, for a resource that does not exist.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when it could not be decided; nothing has changed then.
    pub fn command(
        &mut self,
        at: Timestamp,
        account: Option<&str>,
        resource: &str,
        command: &Command,
    ) -> Result<Answer, EngineError> {
        self.command_as_planned(at, account, resource, command, None)
    }

    /// The same, but only if it does what was planned: `planned` is the hash of a [`Proposal`].
    ///
    /// # Errors
    ///
    /// [`EngineError::PlanChanged`] when it would do something else; nothing has changed then. Otherwise as above.
    pub fn command_as_planned(
        &mut self,
        at: Timestamp,
        account: Option<&str>,
        resource: &str,
        command: &Command,
        planned: Option<&str>,
    ) -> Result<Answer, EngineError> {
        let Some((stored, member)) = bundles::of_resource(self.read(), resource)? else {
            return self.unknown_resource(at, account, resource, command);
        };
        let account = stored.account;
        let mut asked = self.desk().asked(at, stored, member, command, None)?;
        let sent = self.desk().seen(at, account, &asked, resource, command)?;
        let sent = match sent {
            Some(sent) if sent.seen.is_some() => return self.seen_before(at, &mut asked, command, sent),
            sent => sent,
        };
        let before = planned.map(|_| asked.snapshot());
        let refusal = asked.carry_out(command)?;
        if let (Some(before), Some(planned)) = (before, planned) {
            let found = asked.proposal(before, command, refusal.clone()).hash();
            if found != planned {
                return Err(EngineError::PlanChanged { found });
            }
        }
        if let Some(refusal) = &refusal {
            asked.refuse(command, refusal);
        }
        let seen =
            sent.map(|sent| (sent.token, Seen { fingerprint: sent.fingerprint, refusal: refusal.clone() }));
        let happened = self.write_asked(at, account, asked, seen)?;
        Ok(Answer { refusal, happened })
    }

    fn desk(&self) -> Desk<'_> {
        Desk { db: self.read(), providers: &self.providers, keeps_decisions: self.keeps_decisions() }
    }

    /// Adds money to an account.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownAccount`] when there is no such account; [`EngineError::Store`] when the database fails.
    pub fn top_up(
        &mut self,
        at: Timestamp,
        account: &str,
        amount: Micros,
    ) -> Result<Vec<Recorded>, EngineError> {
        let found = accounts::get(self.read(), account)?;
        let mut found = found.ok_or_else(|| EngineError::UnknownAccount(account.to_owned()))?;
        found.account.balance.credit(amount);
        let balance = found.account.balance;
        let what = Happened::BalanceChanged { amount, balance: balance.available(), reason: Reason::TopUp };
        let event = Event { at, resource: None, what };
        let entry = Entry {
            at,
            from: Book::Funding,
            to: Book::Cash,
            amount,
            reason: Reason::TopUp,
            resource: None,
            reference: None,
        };
        let keep = self.keep;
        self.store.write(|tx| {
            accounts::set_balance(tx, found.row, balance)?;
            ledger::insert(tx, found.row, &entry)?;
            if keep == Keep::Everything {
                write::event(tx, Some(found.row), &event)?;
            }
            Ok::<(), StoreError>(())
        })?;
        Ok(vec![Recorded { account: Some(account.into()), event }])
    }

    /// Sets an attribute of a resource, as the world does; the bundle's timeline is asked for anew. An unknown resource
    /// is passed over.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn set_attribute(
        &mut self,
        at: Timestamp,
        resource: &str,
        name: &str,
        value: &str,
    ) -> Result<Vec<Recorded>, EngineError> {
        let Some((stored, member)) = bundles::of_resource(self.read(), resource)? else {
            return Ok(Vec::new());
        };
        let is_behind = is_behind(&stored, at);
        let mut batch = self.batch(vec![stored], |_| at - 1)?;
        let item = &mut batch.items[0];
        let before = item.course.bundle.members[member].attributes.insert(name.to_owned(), value.to_owned());
        if before.as_deref() == Some(value) {
            return Ok(Vec::new());
        }
        let what = Happened::SettingChanged { setting: name.to_owned(), value: Some(value.to_owned()) };
        item.course.events.push(Event { at, resource: Some(resource.to_owned()), what });
        // What is overdue is for the clock to do, in its order; it asks for the timeline anyway.
        if !is_behind {
            item.course.skip_to(at - 1);
            batch.decide();
        }
        self.write(batch)
    }

    /// Pays for a package whose time to be paid has come: the same as buying it again now. One whose plugin gives no
    /// usable answer is paid later.
    pub(super) fn pay_deferred(
        &mut self,
        purchase: DeferredPurchase,
        at: Timestamp,
    ) -> Result<Vec<Recorded>, EngineError> {
        let (stored, member) = bundles::of_row(self.read(), purchase.resource)?;
        let (account, resource) = (stored.account, stored.bundle.members[member].id.clone());
        let effective_at = Some(purchase.effective_at).filter(|effective_at| *effective_at > at);
        let command = Command::BuyAgain(Purchase { pay_at: None, effective_at });
        let asked = self.desk().asked(at, stored, member, &command, Some(purchase.row));
        let carried_out = asked.and_then(|mut asked| Ok((asked.carry_out(&command)?, asked)));
        match carried_out {
            Ok((refusal, mut asked)) => {
                if let Some(refusal) = &refusal {
                    asked.refuse(&command, refusal);
                }
                self.write_asked(at, account, asked, None)
            }
            Err(error @ (EngineError::Plugin(_) | EngineError::Behind(_) | EngineError::NoPlugin { .. })) => {
                self.postpone(purchase, at, account, resource, error.to_string())
            }
            Err(
                error @ (EngineError::Store(_)
                | EngineError::UnknownAccount(_)
                | EngineError::PlanChanged { .. }),
            ) => Err(error),
        }
    }

    fn postpone(
        &mut self,
        purchase: DeferredPurchase,
        at: Timestamp,
        account: i64,
        resource: String,
        message: String,
    ) -> Result<Vec<Recorded>, EngineError> {
        let next_try_at = at + batch::BACK_OFF_MAX;
        let id = accounts::at(self.read(), account)?.account.id;
        let event =
            Event { at, resource: Some(resource), what: Happened::PluginFailed { message, next_try_at } };
        let keep = self.keep;
        self.store.write(|tx| {
            packages::postpone_deferred(tx, purchase.row, next_try_at)?;
            if keep == Keep::Everything {
                write::event(tx, Some(account), &event)?;
            }
            Ok::<(), StoreError>(())
        })?;
        Ok(vec![Recorded { account: Some(id.into()), event }])
    }

    /// The same token again: nothing is done, and the answer is the same or the provider's word for a mismatch.
    fn seen_before(
        &mut self,
        at: Timestamp,
        asked: &mut Asked,
        command: &Command,
        sent: Sent,
    ) -> Result<Answer, EngineError> {
        let account = asked.batch.accounts[0].row;
        let is_same = sent.seen.as_ref().is_some_and(|seen| seen.fingerprint == sent.fingerprint);
        if let Some(seen) = &sent.seen {
            self.store.write(|tx| tokens::put(tx, account, &sent.token, seen, at))?;
        }
        let refusal = sent.repeated();
        match refusal {
            Some(mismatch) if !is_same => {
                let resource = &asked.batch.items[0].course.bundle.members[asked.member].id;
                let event = refused(at, resource, command, &mismatch);
                let id = asked.batch.accounts[0].account.id.clone();
                let happened = self.write_event(Some(account), Some(&id), event)?;
                Ok(Answer { refusal: Some(mismatch), happened })
            }
            refusal => Ok(Answer { refusal, happened: Vec::new() }),
        }
    }

    fn unknown_resource(
        &mut self,
        at: Timestamp,
        account: Option<&str>,
        resource: &str,
        command: &Command,
    ) -> Result<Answer, EngineError> {
        let accounts = accounts::list(self.read())?;
        let account = match account {
            Some(id) => accounts.iter().find(|stored| stored.account.id == id),
            None if accounts.len() == 1 => accounts.first(),
            None => None,
        };
        // Who asks may not be known; what the provider would say is, if there is only one.
        let one_provider =
            accounts.windows(2).all(|pair| pair[0].account.provider == pair[1].account.provider);
        let provider =
            account.or(accounts.first().filter(|_| one_provider)).map(|stored| &stored.account.provider);
        let rules = provider.and_then(|provider| self.providers.get(provider));
        let refusal = match rules {
            Some(rules) => rules.manifest().unknown_resource.clone(),
            None => Refusal {
                code: "no_such_resource".to_owned(),
                message: format!("there is no resource `{resource}`"),
            },
        };
        let event = refused(at, resource, command, &refusal);
        let (row, id) = (account.map(|stored| stored.row), account.map(|stored| stored.account.id.clone()));
        let happened = self.write_event(row, id.as_deref(), event)?;
        Ok(Answer { refusal: Some(refusal), happened })
    }

    fn write_event(
        &mut self,
        row: Option<i64>,
        account: Option<&str>,
        event: Event,
    ) -> Result<Vec<Recorded>, EngineError> {
        if self.keep == Keep::Everything {
            self.store.write(|tx| write::event(tx, row, &event))?;
        }
        Ok(vec![Recorded { account: account.map(Into::into), event }])
    }

    fn write_asked(
        &mut self,
        at: Timestamp,
        account: i64,
        mut asked: Asked,
        seen: Option<(String, Seen)>,
    ) -> Result<Vec<Recorded>, EngineError> {
        // What is due at this very instant is still to come, so the clock goes on from the second before it.
        let item = &mut asked.batch.items[0];
        item.instant = at - 1;
        asked.batch.decide();
        asked.batch.items[0].instant = at;
        let keeps_events = self.keep == Keep::Everything;
        let happened = self.store.write(|tx| {
            if let Some((token, seen)) = &seen {
                tokens::put(tx, account, token, seen, at)?;
            }
            if let Some(deferred) = asked.deferred {
                packages::delete_deferred(tx, deferred)?;
            }
            write::batch(tx, asked.batch, keeps_events)
        })?;
        Ok(happened)
    }
}

impl Desk<'_> {
    /// Puts a bundle in play for a command.
    fn asked(
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
                orders.extend(item.carried.iter().flat_map(|carried| carried.orders.iter().cloned()));
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
    fn seen(
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
            item.course.skip_to(before);
        }
        Ok((batch, problem))
    }
}

impl Asked {
    /// The account and the bundle before the command.
    fn snapshot(&self) -> (Account, Bundle) {
        (self.batch.accounts[0].account.clone(), self.batch.items[0].course.bundle.clone())
    }

    /// What the command came to, once it was carried out.
    fn proposal(
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

    /// Asks what the command would do and does it; returns why not, if not.
    fn carry_out(&mut self, command: &Command) -> Result<Option<Refusal>, EngineError> {
        let plan = match self.plan(command)? {
            Ok(plan) => plan,
            Err(refusal) => return Ok(Some(refusal)),
        };
        self.price(self.member, &plan);
        if let Err(refusal) =
            self.batch.carry(0, self.member, Cause::Command, &plan, &self.orders, &self.new_id)
        {
            if matches!(command, Command::Renew(_)) {
                self.batch.decline(0, self.member, refusal.clone(), DeclineClass::Money, None, Some(&plan));
            }
            return Ok(Some(refusal));
        }
        if let Some(member) = plan.tries_at_once {
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
        self.batch.try_renewal(0, member, plan, None);
        Ok(())
    }

    fn price(&mut self, named: usize, plan: &Plan) {
        let item = &self.batch.items[0];
        self.priced.push(PricedPlan::new(named, plan, &item.course.bundle, item.instant));
    }

    fn plan(&mut self, command: &Command) -> Result<Result<Plan, Refusal>, EngineError> {
        let in_play = &self.batch.accounts[0];
        let item = &self.batch.items[0];
        let question = Question {
            at: item.instant,
            account: 0,
            command,
            member: self.member,
            bundle: &item.course.bundle,
            orders: &self.orders,
        };
        let rules = in_play.rules.as_ref().expect("a command is only asked of rules that are loaded");
        let answer = rules.make_plans(&[&in_play.account], &[question]).pop();
        let answer = answer.expect("rules give one answer per question")?;
        self.batch.keep(0, self.member, command, &self.orders, &answer);
        Ok(answer)
    }

    fn refuse(&mut self, command: &Command, refusal: &Refusal) {
        let item = &mut self.batch.items[0];
        let event = refused(item.instant, &item.course.bundle.members[self.member].id, command, refusal);
        item.course.events.push(event);
    }
}

/// Whether something that was due before `at` is not done: the host was busy or its plugin failed.
fn is_behind(stored: &StoredBundle, at: Timestamp) -> bool {
    stored.agenda.failures > 0 || stored.agenda.wake_at.is_some_and(|wake_at| wake_at < at)
}

fn refused(at: Timestamp, resource: &str, command: &Command, refusal: &Refusal) -> Event {
    let what = Happened::CommandRefused {
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
