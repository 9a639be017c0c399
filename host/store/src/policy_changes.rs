//! The `policy_change` table: who changed which policy or calendar when, and who confirmed it.

use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::PolicyChangeKey;
use crate::people;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// The kind of thing that was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A policy with its script.
    Policy,
    /// A calendar of policies.
    Calendar,
}

impl Subject {
    /// Both subjects, for parsing and for lists of choices.
    pub const ALL: [Subject; 2] = [Subject::Policy, Subject::Calendar];

    /// `policy` or `calendar`.
    pub const fn name(self) -> &'static str {
        match self {
            Subject::Policy => "policy",
            Subject::Calendar => "calendar",
        }
    }
}

/// A change that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPolicyChange {
    /// When it was made.
    pub at: Timestamp,
    /// What was changed ...
    pub subject: Subject,
    /// ... and its name.
    pub name: String,
    /// As it was, in JSON; `None` when there was none.
    pub before: Option<String>,
    /// As it is, in JSON; `None` when it was removed.
    pub after: Option<String>,
    /// The token that made it; `cli` for the command line.
    pub changed_by: String,
    /// Why, if they say.
    pub reason: Option<String>,
}

/// A change as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyChange {
    /// Its row; later ones have larger ones.
    pub row: PolicyChangeKey,
    /// The change as it was made.
    pub change: NewPolicyChange,
    /// When another person confirmed it, and with which token.
    pub confirmed: Option<(Timestamp, String)>,
}

/// What one person made of a policy or calendar, while nobody else has confirmed or changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnconfirmedChange {
    /// Their last change.
    pub change: PolicyChange,
    /// As it was before the first of their changes that nobody else has looked at; `None` when there was none.
    pub before: Option<String>,
    /// The person behind the tokens that made them.
    pub person: String,
}

/// Keeps a change.
pub fn insert(db: &WriteTx, new: &NewPolicyChange) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert into policy_change (at, subject, name, before, after, changed_by, reason)
             values (:at, :subject, :name, :before, :after, :changed_by, :reason)",
        )?
        .execute(named_params! {
            ":at": new.at.as_second(),
            ":subject": new.subject.name(),
            ":name": new.name,
            ":before": new.before,
            ":after": new.after,
            ":changed_by": new.changed_by,
            ":reason": new.reason,
        })?;
    Ok(())
}

/// Says that another person confirmed a change.
pub fn confirm(db: &WriteTx, row: PolicyChangeKey, at: Timestamp, by: &str) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update policy_change set confirmed_at = ?2, confirmed_by = ?3 where row = ?1")?
        .execute((row, at.as_second(), by))?;
    Ok(())
}

/// The changes of a policy or calendar above the row `after`, oldest first, at most `limit`.
pub fn list(
    db: &ReadTx,
    subject: Subject,
    name: &str,
    after: PolicyChangeKey,
    limit: u32,
) -> Result<Vec<PolicyChange>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from policy_change where subject = ?1 and name = ?2 and row > ?3 order by row limit ?4",
    )?;
    let changes = statement.query_and_then((subject.name(), name, after, limit), stored)?;
    changes.collect()
}

/// The last change of a policy or calendar, if there ever was one.
pub fn last(db: &ReadTx, subject: Subject, name: &str) -> Result<Option<PolicyChange>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from policy_change where subject = ?1 and name = ?2 order by row desc limit 1",
    )?;
    let mut changes = statement.query_and_then((subject.name(), name), stored)?;
    changes.next().transpose()
}

/// The last change of each policy and calendar that nobody else has confirmed, with the ones before it of the same person.
pub(crate) fn unconfirmed(db: &ReadTx) -> Result<Vec<UnconfirmedChange>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from policy_change where confirmed_by is null
             and row in (select max(row) from policy_change group by subject, name) order by subject, name",
    )?;
    let changes = statement.query_and_then([], stored)?;
    let unconfirmed = changes.map(|change| {
        let change = change?;
        let person = people::person_of(db, &change.change.changed_by)?;
        let before = before_all_of(db, &change, &person)?;
        Ok(UnconfirmedChange { change, before, person })
    });
    unconfirmed.collect()
}

/// What a policy or calendar was before `person` began to change it, `last` being their last change: before the changes that
/// are directly in front of it, as long as they are theirs and nobody else has confirmed them.
fn before_all_of(db: &ReadTx, last: &PolicyChange, person: &str) -> Result<Option<String>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from policy_change where subject = ?1 and name = ?2 and row < ?3 order by row desc",
    )?;
    let mut before = last.change.before.clone();
    let subject = last.change.subject.name();
    for earlier in statement.query_and_then((subject, &last.change.name, last.row), stored)? {
        let earlier = earlier?;
        if earlier.confirmed.is_some() || people::person_of(db, &earlier.change.changed_by)? != person {
            break;
        }
        before = earlier.change.before;
    }
    Ok(before)
}

fn stored(row: &Row<'_>) -> Result<PolicyChange, StoreError> {
    let subject: String = row.get("subject")?;
    let found = Subject::ALL.into_iter().find(|one| one.name() == subject);
    let confirmed_by: Option<String> = row.get("confirmed_by")?;
    Ok(PolicyChange {
        row: row.get("row")?,
        change: NewPolicyChange {
            at: Timestamp::from_second(row.get("at")?),
            subject: found.ok_or(StoreError::Damaged { what: "a change of a policy", found: subject })?,
            name: row.get("name")?,
            before: row.get("before")?,
            after: row.get("after")?,
            changed_by: row.get("changed_by")?,
            reason: row.get("reason")?,
        },
        confirmed: codec::instant(row, "confirmed_at")?.zip(confirmed_by),
    })
}
