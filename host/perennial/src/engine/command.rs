//! Commands of people and programs: asked of the rules, priced, carried out, and remembered by their token.
//!
//! Knows one command at a time. A command takes part in the bundle's timeline: what was due before it has been done.

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Entry;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Purchase;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;

use crate::engine::Engine;
use crate::engine::Keep;
use crate::engine::batch;
use crate::engine::desk::Asked;
use crate::engine::desk::Desk;
use crate::engine::desk::Sent;
use crate::engine::desk::is_behind;
use crate::engine::desk::refused;
use crate::engine::error::EngineError;
use crate::engine::proposal::Proposal;
use crate::engine::rules::Providers;
use crate::engine::write;
use crate::engine::write::Recorded;
use crate::store::accounts;
use crate::store::bundles;
use crate::store::bundles::StoredBundle;
use crate::store::error::StoreError;
use crate::store::ledger;
use crate::store::packages;
use crate::store::packages::DeferredPurchase;
use crate::store::tokens;
use crate::store::tokens::Seen;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Why it was not carried out; `None` when it was, or waits.
    pub refusal: Option<Refusal>,
    /// The id of the approval that it waits for, if it does.
    pub approval: Option<String>,
    /// What happened.
    pub happened: Vec<Recorded>,
}

/// On which terms a command is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms<'a> {
    /// The hash of the [`Proposal`] that was looked at: it is only carried out if it does what was planned.
    pub planned: Option<&'a str>,
    /// The id of the token, or of the key of a provider's own API, that asks; it cannot approve of it.
    pub asked_by: Option<&'a str>,
}

/// Refuses to go on if what was planned is something else.
fn as_planned(proposal: &Proposal, terms: &Terms<'_>) -> Result<(), EngineError> {
    let found = proposal.hash();
    match terms.planned {
        Some(planned) if planned != found => Err(EngineError::PlanChanged { found }),
        Some(_) | None => Ok(()),
    }
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
    propose_to(db, providers, at, (stored, member), command).map(Some)
}

/// The same, of a resource that was found: a bundle and a place in it.
///
/// # Errors
///
/// [`EngineError`] when it cannot be decided.
pub fn propose_to(
    db: &Connection,
    providers: &Providers,
    at: Timestamp,
    (stored, member): (StoredBundle, usize),
    command: &Command,
) -> Result<Proposal, EngineError> {
    let account = stored.account;
    let resource = stored.bundle.members[member].id.clone();
    let desk = Desk { db, providers, keeps_decisions: false };
    let mut asked = desk.asked(at, stored, member, command, None)?;
    let before = asked.snapshot();
    let refusal = match desk.seen(at, account, &asked, &resource, command)? {
        Some(sent) if sent.seen.is_some() => sent.repeated(),
        Some(_) | None => {
            let answer = asked.plan(command)?;
            asked.carry_out(command, answer)?
        }
    };
    Ok(asked.proposal(before, command, refusal))
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
        self.command_as_planned(at, account, resource, command, &Terms::default())
    }

    /// The same on somebody's terms.
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
        terms: &Terms<'_>,
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
        asked.batch.asked_by = terms.asked_by.map(str::to_owned);
        let answer = asked.plan(command)?;
        if let Ok(plan) = &answer
            && asked.batch.is_held(0, plan)
        {
            if terms.planned.is_some()
                && let Some(proposal) = propose(self.read(), &self.providers, at, resource, command)?
            {
                as_planned(&proposal, terms)?;
            }
            return self.hold(at, account, asked, command, plan);
        }
        let before = terms.planned.map(|_| asked.snapshot());
        let refusal = asked.carry_out(command, answer)?;
        if let Some(before) = before {
            as_planned(&asked.proposal(before, command, refusal.clone()), terms)?;
        }
        if let Some(refusal) = &refusal {
            asked.refuse(command, refusal);
        }
        let seen =
            sent.map(|sent| (sent.token, Seen { fingerprint: sent.fingerprint, refusal: refusal.clone() }));
        let happened = self.write_asked(at, account, asked, seen)?;
        Ok(Answer { refusal, approval: None, happened })
    }

    /// Holds what a command would do until somebody approves of it; the same command again waits for the same.
    fn hold(
        &mut self,
        at: Timestamp,
        account: i64,
        mut asked: Asked,
        command: &Command,
        plan: &Plan,
    ) -> Result<Answer, EngineError> {
        let (approval, is_new) = asked.batch.hold_command(0, asked.member, command, plan)?;
        let happened = if is_new { self.write_asked(at, account, asked, None)? } else { Vec::new() };
        Ok(Answer { refusal: None, approval: Some(approval), happened })
    }

    pub(super) fn desk(&self) -> Desk<'_> {
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
        let what = EventKind::BalanceChanged { amount, balance: balance.available(), reason: Reason::TopUp };
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
        let before = item.walk.bundle.members[member].attributes.insert(name.to_owned(), value.to_owned());
        if before.as_deref() == Some(value) {
            return Ok(Vec::new());
        }
        let what = EventKind::SettingChanged { setting: name.to_owned(), value: Some(value.to_owned()) };
        item.walk.events.push(Event { at, resource: Some(resource.to_owned()), what });
        // What is overdue is for the clock to do, in its order; it asks for the timeline anyway.
        if !is_behind {
            item.walk.skip_to(at - 1);
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
        // Whoever ordered it had it approved of then, where that was needed.
        let carried_out = asked.and_then(|mut asked| {
            let answer = asked.plan(&command)?;
            Ok((asked.carry_out(&command, answer)?, asked))
        });
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
            Event { at, resource: Some(resource), what: EventKind::PluginFailed { message, next_try_at } };
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
                let resource = &asked.batch.items[0].walk.bundle.members[asked.member].id;
                let event = refused(at, resource, command, &mismatch);
                let id = asked.batch.accounts[0].account.id.clone();
                let happened = self.write_event(Some(account), Some(&id), event)?;
                Ok(Answer { refusal: Some(mismatch), approval: None, happened })
            }
            refusal => Ok(Answer { refusal, approval: None, happened: Vec::new() }),
        }
    }

    /// What a command on a resource that does not exist is answered; `account` is who asks, if that is known.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn unknown_resource(
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
        Ok(Answer { refusal: Some(refusal), approval: None, happened })
    }

    /// Writes down that `account` was refused a command, by a plan that was to be carried out whole or not at all.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn refuse(
        &mut self,
        at: Timestamp,
        (row, account): (i64, &str),
        resource: &str,
        command: &Command,
        refusal: &Refusal,
    ) -> Result<Vec<Recorded>, EngineError> {
        self.write_event(Some(row), Some(account), refused(at, resource, command, refusal))
    }

    pub(super) fn write_event(
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

    pub(super) fn write_asked(
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
