//! Held plans that are decided on, and those that nobody decides on in time.
//!
//! Knows one approval at a time. What is held, and who is asked, is in [`crate::engine::hold`].

use perennial_domain::apply;
use perennial_domain::approval::Held;
use perennial_domain::approval::Lapse;
use perennial_domain::approval::State;
use perennial_domain::attempt::Key;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Command;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;

use crate::engine::Engine;
use crate::engine::Keep;
use crate::engine::desk::Asked;
use crate::engine::desk::refused;
use crate::engine::error::EngineError;
use crate::engine::hold::Asking;
use crate::engine::hold::lapsed;
use crate::engine::hold::requested;
use crate::engine::write;
use crate::engine::write::Recorded;
use crate::formats;
use crate::store::accounts;
use crate::store::approvals;
use crate::store::approvals::Closing;
use crate::store::approvals::Priced;
use crate::store::approvals::StoredApproval;
use crate::store::attempts;
use crate::store::bundles;
use crate::store::error::StoreError;
use crate::store::tokens::Seen;

/// Approvals that lapse in one transaction.
const LAPSES_AT_ONCE: u32 = 1_000;

/// Somebody's decision on a held plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The id of the token that decides; `cli` for the command line.
    pub by: &'a str,
    /// Why, if they say.
    pub reason: Option<&'a str>,
    /// The hash of the plan that they looked at, if they say.
    pub planned: Option<&'a str>,
}

/// What became of an approval's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken down and, if it is a yes, the plan was carried out.
    Done(Vec<Recorded>),
    /// The plan cannot be carried out; the approval stays open.
    Refused {
        /// Why.
        refusal: Refusal,
        /// What happened.
        happened: Vec<Recorded>,
    },
    /// The command would do something else by now. The approval stays open, for that.
    Changed {
        /// The hash of what it would do now.
        hash: String,
        /// What happened.
        happened: Vec<Recorded>,
    },
}

/// Why a decision was not taken down; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No approval is called that.
    #[error("there is no approval `{0}`")]
    Unknown(String),
    /// It has ended.
    #[error("there is nothing to decide on any more: the approval is {}", .0.name())]
    Closed(State),
    /// Its time is over.
    #[error("there is nothing to decide on any more: the approval's time was over at {0}")]
    Late(Timestamp),
    /// Whoever asked for it does not decide on it.
    #[error("whoever asked for an approval does not decide on it; have somebody else do it")]
    Own,
    /// It holds another plan than the one that was looked at.
    #[error("the approval holds another plan than that, with the hash {0}; look at it again")]
    OtherPlan(String),
}

impl From<StoreError> for DecisionError {
    fn from(error: StoreError) -> DecisionError {
        DecisionError::Engine(error.into())
    }
}

impl Engine {
    /// Carries out the plan that the approval called `id` holds, if it still is what the command would do.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] when there is nothing to decide on, or not for them.
    pub fn approve(
        &mut self,
        at: Timestamp,
        id: &str,
        decision: &Decision<'_>,
    ) -> Result<Verdict, DecisionError> {
        let stored = decidable(self.read(), at, id, decision)?;
        let question =
            formats::decision::read_question(&stored.priced.question, formats::decision::CONTRACT).map_err(
                |problems| StoreError::Damaged { what: "a kept question", found: problems.to_string() },
            )?;
        let command = question.command;
        let (bundle, member) = bundles::of_row(self.read(), stored.resource)?;
        let account = bundle.account;
        let mut asked = self.desk().asked(at, bundle, member, &command, None)?;
        agree(&mut asked, at, &stored, decision)?;
        let sent = self.desk().seen(at, account, &asked, &stored.resource_id, &command)?;
        if let Some(sent) = sent.as_ref().filter(|sent| sent.seen.is_some()) {
            return self.not_carried_out(at, &stored, &command, sent.how.mismatch.clone());
        }
        let plan = match asked.plan(&command)? {
            Ok(plan) => plan,
            Err(refusal) => return self.not_carried_out(at, &stored, &command, refusal),
        };
        let priced = asked.batch.price(0, member, &command, &plan);
        if priced.hash != stored.priced.hash {
            let item = &asked.batch.items[0];
            let key = apply::attempt_key(&plan, &item.walk.bundle, member);
            let attempt =
                key.map(|key| write::row_of(item, &key.resource).map(|row| (key, row))).transpose()?;
            return self.price_anew(at, &stored, &command, priced, attempt);
        }
        if let Some(refusal) = asked.carry_out(&command, Ok(plan))? {
            return self.not_carried_out(at, &stored, &command, refusal);
        }
        let seen = sent.map(|sent| (sent.token, Seen { fingerprint: sent.fingerprint, refusal: None }));
        Ok(Verdict::Done(self.write_asked(at, account, asked, seen)?))
    }

    /// Takes down that somebody does not agree to what the approval called `id` holds.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] when there is nothing to decide on, or not for them.
    pub fn reject(
        &mut self,
        at: Timestamp,
        id: &str,
        decision: &Decision<'_>,
    ) -> Result<Verdict, DecisionError> {
        let stored = decidable(self.read(), at, id, decision)?;
        let held = Held { state: State::Rejected, ..stored.held(0) };
        let event = decided(at, &stored, State::Rejected, decision, held.may_be_asked_again());
        let closing = closing(at, decision);
        let happened = self.close(vec![(stored, State::Rejected, closing, event)])?;
        Ok(Verdict::Done(happened))
    }

    /// Lets the approvals lapse that nobody decided on until `at`, at most so many at once.
    pub(super) fn lapse(&mut self, at: Timestamp) -> Result<Vec<Recorded>, EngineError> {
        let lapsing = approvals::lapsing(self.read(), at, LAPSES_AT_ONCE)?;
        let ends = lapsing.into_iter().map(|stored| {
            let lapse = Some(Lapse::Undecided);
            let held = Held { state: State::Lapsed, lapse, ..stored.held(0) };
            let resource = stored.resource_id.clone();
            let event = lapsed(at, resource, &stored.id, &held, Lapse::Undecided);
            (stored, State::Lapsed, Closing { at, by: None, reason: None, lapse }, event)
        });
        self.close(ends.collect())
    }

    fn close(
        &mut self,
        ends: Vec<(StoredApproval, State, Closing, Event)>,
    ) -> Result<Vec<Recorded>, EngineError> {
        let keep = self.keep;
        self.store.write(|tx| {
            let mut happened = Vec::with_capacity(ends.len());
            for (stored, state, closing, event) in ends {
                approvals::close(tx, stored.row, state, &closing)?;
                if let Some((attempt, _)) = stored.attempt {
                    attempts::void_awaiting(tx, attempt, closing.at)?;
                }
                if keep == Keep::Everything {
                    write::event(tx, Some(stored.account), &event)?;
                }
                happened.push(Recorded { account: Some(stored.account_id.into()), event });
            }
            Ok(happened)
        })
    }

    /// Says that what was approved of cannot be carried out; it stays as it was.
    fn not_carried_out(
        &mut self,
        at: Timestamp,
        stored: &StoredApproval,
        command: &Command,
        refusal: Refusal,
    ) -> Result<Verdict, DecisionError> {
        let event = refused(at, &stored.resource_id, command, &refusal);
        let happened = self.write_event(Some(stored.account), Some(&stored.account_id), event)?;
        Ok(Verdict::Refused { refusal, happened })
    }

    /// Says what the command would do by now; somebody is to look at that.
    fn price_anew(
        &mut self,
        at: Timestamp,
        stored: &StoredApproval,
        command: &Command,
        priced: Priced,
        attempt: Option<(Key, i64)>,
    ) -> Result<Verdict, DecisionError> {
        let mut held = stored.held(0);
        held.key = attempt.as_ref().map(|(key, _)| key.clone());
        let hash = priced.hash.clone();
        let asking = Asking { at, by: stored.asked_by.clone(), priced, lapses_at: stored.lapses_at };
        let event = requested(at, &stored.id, &stored.resource_id, command, &held, &asking);
        self.store.write(|tx| {
            let row = match (&stored.attempt, attempt) {
                (Some((row, before)), Some((key, _))) if *before == key => Some(*row),
                (before, attempt) => {
                    if let Some((row, _)) = before {
                        attempts::void_awaiting(tx, *row, at)?;
                    }
                    attempt.map(|(key, resource)| attempts::hold(tx, resource, key, at)).transpose()?
                }
            };
            approvals::price_anew(tx, stored.row, &asking.priced, row)
        })?;
        let happened = self.write_event(Some(stored.account), Some(&stored.account_id), event)?;
        Ok(Verdict::Changed { hash, happened })
    }

    /// Sets above which cost an account's plans are held; `None` holds none. What is held already stays held.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownAccount`] when there is no such account; [`EngineError::Store`] when the database fails.
    pub fn set_approval_above(
        &mut self,
        at: Timestamp,
        account: &str,
        limit: Option<Micros>,
    ) -> Result<Vec<Recorded>, EngineError> {
        let found = accounts::get(self.read(), account)?;
        let found = found.ok_or_else(|| EngineError::UnknownAccount(account.to_owned()))?;
        if found.account.approval_above == limit {
            return Ok(Vec::new());
        }
        let setting = "approval_above".to_owned();
        let what = EventKind::SettingChanged { setting, value: limit.map(|limit| limit.to_string()) };
        self.store.write(|tx| accounts::set_approval_above(tx, found.row, limit))?;
        self.write_event(Some(found.row), Some(account), Event { at, resource: None, what })
    }
}

/// Says in what is in play that somebody agrees to `stored`, before the plan is carried out.
fn agree(
    asked: &mut Asked,
    at: Timestamp,
    stored: &StoredApproval,
    decision: &Decision<'_>,
) -> Result<(), DecisionError> {
    let item = &mut asked.batch.items[0];
    let on_hold = item.on_hold.iter_mut().find(|on_hold| on_hold.row == Some(stored.row));
    // What was due before may have taken its ground away; the clock writes that down.
    let on_hold = on_hold.filter(|on_hold| on_hold.held.lapse(&item.walk.bundle).is_none());
    let on_hold = on_hold.ok_or(DecisionError::Closed(State::Lapsed))?;
    on_hold.close(State::Approved, closing(at, decision));
    item.walk.events.push(decided(at, stored, State::Approved, decision, true));
    Ok(())
}

fn closing(at: Timestamp, decision: &Decision<'_>) -> Closing {
    let (by, reason) = (Some(decision.by.to_owned()), decision.reason.map(str::to_owned));
    Closing { at, by, reason, lapse: None }
}

/// The approval called `id`, if whoever decides can.
fn decidable(
    db: &Connection,
    at: Timestamp,
    id: &str,
    decision: &Decision<'_>,
) -> Result<StoredApproval, DecisionError> {
    let stored = approvals::get(db, id)?.ok_or_else(|| DecisionError::Unknown(id.to_owned()))?;
    if stored.asked_by.as_deref() == Some(decision.by) {
        Err(DecisionError::Own)
    } else if stored.state != State::Open {
        Err(DecisionError::Closed(stored.state))
    } else if at > stored.lapses_at {
        Err(DecisionError::Late(stored.lapses_at))
    } else if decision.planned.is_some_and(|planned| planned != stored.priced.hash) {
        Err(DecisionError::OtherPlan(stored.priced.hash))
    } else {
        Ok(stored)
    }
}

fn decided(
    at: Timestamp,
    stored: &StoredApproval,
    state: State,
    decision: &Decision<'_>,
    asked_again: bool,
) -> Event {
    let what = EventKind::ApprovalDecided {
        approval: stored.id.clone(),
        decision: state,
        by: decision.by.to_owned(),
        reason: decision.reason.map(str::to_owned),
        asked_again,
    };
    Event { at, resource: Some(stored.resource_id.clone()), what }
}
