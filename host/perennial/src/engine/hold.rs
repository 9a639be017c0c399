//! Plans that are held: whether one is, who is asked about it, and what there is to write down of that.
//!
//! Knows bundles in play. What is held, and when there is nothing left to decide on, is the domain's: see
//! [`perennial_domain::approval`].

use perennial_domain::apply;
use perennial_domain::approval;
use perennial_domain::approval::Held;
use perennial_domain::approval::Known;
use perennial_domain::approval::Lapse;
use perennial_domain::approval::State;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;

use crate::engine::batch::Batch;
use crate::engine::batch::Item;
use crate::engine::batch::automatic_renewal;
use crate::engine::error::EngineError;
use crate::engine::proposal::PricedPlan;
use crate::engine::proposal::Proposal;
use crate::formats;
use crate::store::approvals;
use crate::store::approvals::Closing;
use crate::store::approvals::Priced;
use crate::store::error::StoreError;

/// An approval of a bundle that is in play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnHold {
    /// Its row; `None` for one that is asked for now.
    pub row: Option<i64>,
    /// What people call it by.
    pub id: String,
    /// What matters of it.
    pub held: Held,
    /// The row of the attempt of one that was asked for before.
    pub attempt: Option<i64>,
    /// What there is to write down about one that is asked for now.
    pub asking: Option<Box<Asking>>,
    /// What there is to write down about one that ends now.
    pub closing: Option<Closing>,
}

/// What there is to write down about an approval that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// When.
    pub at: Timestamp,
    /// By which token; `None` for the clock.
    pub by: Option<String>,
    /// What is held.
    pub priced: Priced,
    /// When it lapses.
    pub lapses_at: Timestamp,
}

impl OnHold {
    /// Says how it ends.
    pub(super) fn close(&mut self, state: State, closing: Closing) {
        (self.held.state, self.held.lapse) = (state, closing.lapse);
        self.closing = Some(closing);
    }
}

/// Every approval that a member of the bundle was named in, `rows` being its members' rows.
///
/// # Errors
///
/// [`StoreError`] when they cannot be read.
pub(super) fn on_hold(db: &Connection, rows: &[i64]) -> Result<Vec<OnHold>, StoreError> {
    let mut all = Vec::new();
    for (member, row) in rows.iter().enumerate() {
        for stored in approvals::of_resource(db, *row)? {
            all.push(OnHold {
                row: Some(stored.row),
                held: stored.held(member),
                attempt: stored.attempt.as_ref().map(|(row, _)| *row),
                id: stored.id,
                asking: None,
                closing: None,
            });
        }
    }
    Ok(all)
}

impl Item {
    /// Lets what there is nothing left to decide on lapse.
    pub(super) fn let_lapse(&mut self) {
        for on_hold in &mut self.on_hold {
            let Some(lapse) = on_hold.held.lapse(&self.walk.bundle) else { continue };
            on_hold.close(
                State::Lapsed,
                Closing { at: self.instant, by: None, reason: None, lapse: Some(lapse) },
            );
            let resource = self.walk.bundle.members[on_hold.held.member].id.clone();
            self.walk.events.push(lapsed(self.instant, resource, &on_hold.id, &on_hold.held, lapse));
        }
    }
}

/// It lapsed.
pub(super) fn lapsed(at: Timestamp, resource: String, approval: &str, held: &Held, reason: Lapse) -> Event {
    let asked_again = held.may_be_asked_again();
    let what = EventKind::ApprovalLapsed { approval: approval.to_owned(), reason, asked_again };
    Event { at, resource: Some(resource), what }
}

impl Batch {
    /// Whether `plan`, on the bundle at `place`, is not to be carried out unless somebody approves of it.
    pub(super) fn is_held(&self, place: usize, plan: &Plan) -> bool {
        let item = &self.items[place];
        let limit = self.accounts[item.account].account.approval_above;
        limit.is_some()
            && approval::is_held(limit, approval::commitment(plan, &item.walk.bundle, item.instant))
    }

    /// Holds the automatic renewal that `plan` is, and asks for an approval if nobody has been asked yet.
    pub(super) fn hold_try(&mut self, place: usize, member: usize, plan: &Plan, timeline: &[Occurrence]) {
        let item = &self.items[place];
        let bundle = &item.walk.bundle;
        let key = apply::attempt_key(plan, bundle, member);
        let held = item.on_hold.iter().map(|on_hold| on_hold.held.clone()).collect::<Vec<_>>();
        match approval::known_try(&held, bundle, member, key.as_ref()) {
            Known::Waits(_) | Known::Answered => {}
            Known::No => {
                self.ask_approval(place, member, &automatic_renewal(), plan, timeline);
            }
        }
    }

    /// Holds what `command` would do; returns the id of the approval that it waits for, and whether that is a new one.
    pub(super) fn hold_command(
        &mut self,
        place: usize,
        member: usize,
        command: &Command,
        plan: &Plan,
    ) -> Result<(String, bool), EngineError> {
        let item = &self.items[place];
        let key = apply::attempt_key(plan, &item.walk.bundle, member);
        let held = item.on_hold.iter().map(|on_hold| on_hold.held.clone()).collect::<Vec<_>>();
        let text = formats::decision::command(command).to_text();
        match approval::known_command(&held, member, &text, key.as_ref()) {
            Known::Waits(one) => Ok((item.on_hold[one].id.clone(), false)),
            Known::No | Known::Answered => {
                let timeline = self.timeline(place)?;
                Ok((self.ask_approval(place, member, command, plan, &timeline), true))
            }
        }
    }

    /// What will happen to the bundle at `place` if nobody does anything.
    pub(super) fn timeline(&self, place: usize) -> Result<Vec<Occurrence>, EngineError> {
        let timeline = self.timelines(&[place]).pop();
        timeline.expect("one question has one answer").map_err(EngineError::Behind)
    }

    /// Asks for an approval, and returns its id.
    fn ask_approval(
        &mut self,
        place: usize,
        member: usize,
        command: &Command,
        plan: &Plan,
        timeline: &[Occurrence],
    ) -> String {
        let priced = self.price(place, member, command, plan);
        let item = &mut self.items[place];
        let bundle = &item.walk.bundle;
        let resource = &bundle.members[member];
        let number = item.on_hold.iter().filter(|on_hold| on_hold.held.member == member).count() + 1;
        let id = format!("{}~{number}", resource.id);
        let held = Held {
            member,
            cause: approval::cause(command),
            command: priced.command.clone(),
            expires_before: resource.expires_at,
            key: apply::attempt_key(plan, bundle, member),
            state: State::Open,
            lapse: None,
        };
        let lapses_at = approval::lapses_at(item.instant, plan, member, resource.expires_at, timeline);
        let asking = Asking { at: item.instant, by: self.asked_by.clone(), priced, lapses_at };
        let event = requested(item.instant, &id, &resource.id, command, &held, &asking);
        item.walk.events.push(event);
        let asking = Some(Box::new(asking));
        item.on_hold.push(OnHold { row: None, id: id.clone(), held, attempt: None, asking, closing: None });
        id
    }

    /// What is held of `plan`, and what it costs by now.
    pub(super) fn price(&self, place: usize, member: usize, command: &Command, plan: &Plan) -> Priced {
        let item = &self.items[place];
        let in_play = &self.accounts[item.account];
        let rules = in_play.rules.as_ref().expect("a plan came from the account's rules");
        let bundle = &item.walk.bundle;
        let decided = self.decided(place, member, command, &[], &Ok(plan.clone()));
        let proposal = Proposal {
            at: item.instant,
            command: command.clone(),
            account: in_play.account.clone(),
            bundle: bundle.clone(),
            named: member,
            revision: rules.digest().to_owned(),
            plans: vec![PricedPlan::new(member, plan, bundle, item.instant)],
            refusal: None,
            balance_after: in_play.account.balance,
        };
        Priced {
            command: formats::decision::command(command).to_text(),
            question: decided.question,
            answer: decided.answer,
            revision: rules.digest().to_owned(),
            hash: proposal.hash_without_balance(),
            cost: approval::commitment(plan, bundle, item.instant),
            available: in_play.account.balance.available(),
        }
    }
}

/// It is asked for, or priced anew.
pub(super) fn requested(
    at: Timestamp,
    id: &str,
    resource: &str,
    command: &Command,
    held: &Held,
    asking: &Asking,
) -> Event {
    let what = EventKind::ApprovalRequested {
        approval: id.to_owned(),
        command: command.name().to_owned(),
        cause: held.cause,
        asked_by: asking.by.clone(),
        cost: asking.priced.cost,
        lapses_at: asking.lapses_at,
        attempt: held.key.as_ref().map(ToString::to_string),
    };
    Event { at, resource: Some(resource.to_owned()), what }
}
