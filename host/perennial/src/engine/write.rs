//! Writing down what a batch decided, in the transaction of the caller. Decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_domain::apply::PlanEffects;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::event::Event;
use perennial_domain::order;
use perennial_domain::order::Order;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;

use crate::engine::batch::Batch;
use crate::engine::batch::InPlay;
use crate::engine::batch::Item;
use crate::engine::hold::OnHold;
use crate::engine::parallel;
use crate::engine::rules::Rules;
use crate::formats;
use crate::store::accounts;
use crate::store::approvals;
use crate::store::approvals::NewApproval;
use crate::store::attempts;
use crate::store::bundles;
use crate::store::bundles::Agenda;
use crate::store::decisions;
use crate::store::error::StoreError;
use crate::store::ledger;
use crate::store::orders;
use crate::store::packages;
use crate::store::records;

/// An event and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The account's id; `None` when the event is about the host.
    pub account: Option<Arc<str>>,
    /// What happened.
    pub event: Event,
}

/// Writes down everything that `batch` decided, and returns what happened in the order in which it did.
///
/// # Errors
///
/// [`StoreError`] when something cannot be written; the caller's transaction must not be committed then.
pub fn batch(db: &Connection, mut batch: Batch, keeps_events: bool) -> Result<Vec<Recorded>, StoreError> {
    batch.items.iter_mut().for_each(Item::let_lapse);
    let mut happened = Vec::new();
    let ids = batch
        .accounts
        .iter()
        .map(|in_play| Arc::from(in_play.account.id.as_str()))
        .collect::<Vec<Arc<str>>>();
    let bodies = parallel::map(if keeps_events { batch.items.len() } else { 0 }, |place| {
        batch.items[place].walk.events.iter().map(|event| formats::event::body(event).1.to_text()).collect()
    });
    let mut bodies: std::vec::IntoIter<Vec<String>> = bodies.into_iter();
    let mut pen = Pen::new(db)?;
    for item in batch.items {
        let in_play = &batch.accounts[item.account];
        pen.item(in_play, &item)?;
        for (event, body) in item.walk.events.iter().zip(bodies.next().unwrap_or_default()) {
            pen.event(in_play.row, event, &body)?;
        }
        for event in item.walk.events {
            happened.push(Recorded { account: Some(ids[item.account].clone()), event });
        }
    }
    for in_play in &batch.accounts {
        accounts::set_balance(db, in_play.row, in_play.account.balance)?;
    }
    Ok(happened)
}

/// Writes an event down.
pub fn event(db: &Connection, account: Option<i64>, event: &Event) -> Result<(), StoreError> {
    let (kind, body) = formats::event::body(event);
    let mut events = records::Inserting::new(db)?;
    events.insert(event.at, account, event.resource.as_deref(), kind, &body.to_text())
}

/// What writes a batch: the statements that nearly every bundle takes, found once.
struct Pen<'c> {
    db: &'c Connection,
    bundles: bundles::Advancing<'c>,
    attempts: attempts::Recording<'c>,
    orders: orders::Inserting<'c>,
    entries: ledger::Inserting<'c>,
    events: records::Inserting<'c>,
    decisions: decisions::Inserting<'c>,
    /// The rows of the revisions that decided, by digest.
    revisions: BTreeMap<String, i64>,
}

impl<'c> Pen<'c> {
    fn new(db: &'c Connection) -> Result<Pen<'c>, StoreError> {
        Ok(Pen {
            db,
            bundles: bundles::Advancing::new(db)?,
            attempts: attempts::Recording::new(db)?,
            orders: orders::Inserting::new(db)?,
            entries: ledger::Inserting::new(db)?,
            events: records::Inserting::new(db)?,
            decisions: decisions::Inserting::new(db)?,
            revisions: BTreeMap::new(),
        })
    }

    fn event(&mut self, account: i64, event: &Event, body: &str) -> Result<(), StoreError> {
        let kind = formats::event::name(&event.what);
        self.events.insert(event.at, Some(account), event.resource.as_deref(), kind, body)
    }

    fn item(&mut self, in_play: &InPlay, item: &Item) -> Result<(), StoreError> {
        self.bundles.advance(&item.stored, &item.walk.bundle, item.agenda)?;
        if item.problem.is_some() || item.stored.agenda.failures > 0 {
            let problem = item.problem.as_deref().map(|message| (item.instant, message));
            bundles::set_problem(self.db, item.stored.rows[0], problem)?;
        }
        for attempt in &item.declined {
            self.attempts.record(row_of(item, &attempt.key.resource)?, attempt)?;
        }
        for effects in &item.effects {
            self.plan_effects(in_play, item, effects)?;
        }
        for on_hold in &item.on_hold {
            on_hold_changed(self.db, in_play, item, on_hold)?;
        }
        if let Some(rules) = in_play.rules.as_ref().filter(|_| !item.decisions.is_empty()) {
            let revision = self.revision(rules.as_ref())?;
            for decided in &item.decisions {
                let row = item.stored.rows[decided.member];
                self.decisions.insert(decided.at, row, revision, &decided.question, &decided.answer)?;
            }
        }
        Ok(())
    }

    fn revision(&mut self, rules: &dyn Rules) -> Result<i64, StoreError> {
        match self.revisions.get(rules.digest()) {
            Some(row) => Ok(*row),
            None => {
                let row = decisions::revision(self.db, &rules.manifest().id, rules.digest())?;
                self.revisions.insert(rules.digest().to_owned(), row);
                Ok(row)
            }
        }
    }

    fn plan_effects(
        &mut self,
        in_play: &InPlay,
        item: &Item,
        effects: &PlanEffects,
    ) -> Result<(), StoreError> {
        for (order, member) in &effects.refunded {
            let row = item.stored.rows[*member];
            if let Some(starts_at) = orders::refund(self.db, row, order, item.instant)? {
                attempts::void(self.db, row, starts_at, item.instant)?;
            }
        }
        if let Some(attempt) = &effects.attempt {
            self.attempts.record(row_of(item, &attempt.key.resource)?, attempt)?;
        }
        for order in &effects.orders {
            let resource = &item.walk.bundle.members[order.member].id;
            self.orders.insert(item.stored.rows[order.member], resource, order)?;
        }
        for entry in &effects.entries {
            self.entries.insert(in_play.row, entry)?;
        }
        for bought in &effects.bought {
            add_bought(self.db, in_play, bought, item.instant)?;
        }
        for (member, details) in &effects.deferred {
            packages::defer(self.db, item.stored.rows[*member], details.pay_at, details.effective_at)?;
        }
        Ok(())
    }
}

/// Adds a package that was just bought. It wakes at once, so that the clock finds out when it really wakes.
fn add_bought(db: &Connection, in_play: &InPlay, bought: &Resource, at: Timestamp) -> Result<(), StoreError> {
    let agenda = Agenda { cursor_at: at, wake_at: Some(at), failures: 0 };
    let bundle = Bundle { members: vec![bought.clone()] };
    let rows = bundles::insert(db, in_play.row, &bundle, agenda)?;
    let order = Order {
        id: order::purchase_id(&bought.id),
        member: 0,
        starts_at: bought.started_at,
        ends_at: bought.expires_at.unwrap_or(bought.started_at),
        paid: bought.price.unwrap_or_default(),
        paid_at: at,
        is_renewal: false,
    };
    orders::insert(db, rows[0], &bought.id, &order)
}

/// Writes what became of an approval, if anything did.
fn on_hold_changed(
    db: &Connection,
    in_play: &InPlay,
    item: &Item,
    on_hold: &OnHold,
) -> Result<(), StoreError> {
    let (row, attempt) = match (on_hold.row, &on_hold.asking) {
        (Some(row), _) => (row, on_hold.attempt),
        (None, None) => return Ok(()),
        (None, Some(asking)) => {
            let held = &on_hold.held;
            let attempt = match &held.key {
                Some(key) => Some(attempts::hold(db, row_of(item, &key.resource)?, key.clone(), asking.at)?),
                None => None,
            };
            let new = NewApproval {
                id: &on_hold.id,
                account: in_play.row,
                resource: item.stored.rows[held.member],
                cause: held.cause,
                priced: &asking.priced,
                attempt,
                expires_before: held.expires_before,
                asked_at: asking.at,
                asked_by: asking.by.as_deref(),
                lapses_at: asking.lapses_at,
            };
            (approvals::insert(db, &new)?, attempt)
        }
    };
    if let Some(closing) = &on_hold.closing {
        approvals::close(db, row, on_hold.held.state, closing)?;
        if let Some(attempt) = attempt {
            attempts::void_awaiting(db, attempt, closing.at)?;
        }
    }
    Ok(())
}

/// The row of the resource called `resource`, which is a member of the bundle.
pub(super) fn row_of(item: &Item, resource: &str) -> Result<i64, StoreError> {
    let place = item.walk.bundle.members.iter().position(|member| member.id == resource);
    let damaged = || StoreError::Damaged { what: "a member of the bundle", found: resource.to_owned() };
    Ok(item.stored.rows[place.ok_or_else(damaged)?])
}
