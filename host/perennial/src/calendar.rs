//! Calendar feeds: what is in them, and what has changed since they were last read.
//!
//! An entry is about a resource and one thing that happens to it: it moves when that moves. Reads the database and asks
//! the rules; [`refreshed`] says what there is to write down, and writes nothing.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;
use sha2::Digest;
use sha2::Sha256;

use crate::engine::error::EngineError;
use crate::engine::outlook;
use crate::engine::rules::Providers;
use crate::formats::icalendar;
use crate::hex;
use crate::store::accounts;
use crate::store::bundles;
use crate::store::calendars;
use crate::store::calendars::Key;
use crate::store::calendars::StoredCalendar;
use crate::store::calendars::StoredEntry;
use crate::store::clock;
use crate::store::error::StoreError;

/// How far ahead a feed looks, in seconds: 400 days, a year and what comes before and after it.
const AHEAD: i64 = 400 * 86_400;
/// The most entries that lie ahead.
const ENTRIES_MAX: usize = 10_000;
/// How long an entry is shown after its instant, or after it was cancelled, in seconds: 30 days.
const KEPT: i64 = 30 * 86_400;
/// How many bundles are asked about at a time.
const BUNDLES_AT_ONCE: u32 = 1_000;
/// How often a feed should be read, in hours.
const REFRESH_HOURS: u32 = 1;

/// What a feed shows of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The next try at its renewal.
    Try,
    /// Its expiry.
    Expiry,
    /// Its release, unless it renews itself before.
    Release,
}

impl What {
    /// Everything there is.
    pub const ALL: [What; 3] = [What::Try, What::Expiry, What::Release];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            What::Try => "try",
            What::Expiry => "expiry",
            What::Release => "release",
        }
    }
}

/// What changed about a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// What it is made of now.
    pub stamp: String,
    /// The entries that are shown otherwise from now on.
    pub entries: Vec<StoredEntry>,
}

/// What is in a feed, of an entry that lies ahead.
struct Content {
    key: Key,
    starts_at: Timestamp,
    summary: String,
    description: String,
}

/// What changed about a feed since it was last read; `None` when nothing can have.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read. Bundles whose plugin gives no usable answer are left as they were.
pub fn refreshed(
    db: &Connection,
    providers: &Providers,
    calendar: &StoredCalendar,
    at: Timestamp,
) -> Result<Option<Changes>, StoreError> {
    let stamp = stamp(db, providers, at)?;
    if calendar.stamp.as_ref() == Some(&stamp) {
        return Ok(None);
    }
    let known = calendars::entries(db, calendar.row)?.into_iter();
    let mut known = known.map(|entry| (entry.key.clone(), entry)).collect::<BTreeMap<_, _>>();
    let (ahead, undecided) = ahead(db, providers, calendar, at)?;
    let mut entries = Vec::new();
    for content in ahead {
        let before = known.remove(&content.key);
        entries.extend(changed(before, content, at));
    }
    let ticked_at = clock::ticked_at(db)?.unwrap_or(Timestamp::MIN);
    for entry in known.into_values().filter(|entry| !entry.is_cancelled) {
        if !undecided.contains(&entry.key.0) && is_off(db, &entry, at, ticked_at)? {
            let sequence = entry.sequence + 1;
            entries.push(StoredEntry { sequence, is_cancelled: true, modified_at: at, ..entry });
        }
    }
    Ok(Some(Changes { stamp, entries }))
}

/// Whether an entry that does not lie ahead any more did not and will not come true: nothing happened at its instant.
fn is_off(
    db: &Connection,
    entry: &StoredEntry,
    at: Timestamp,
    ticked_at: Timestamp,
) -> Result<bool, StoreError> {
    if entry.starts_at > at {
        return Ok(true);
    }
    let is_told = entry.starts_at <= ticked_at && is_kept(entry, at);
    Ok(is_told && !calendars::has_happened(db, entry.key.0, entry.starts_at)?)
}

/// How an entry is shown from now on, if that is otherwise than before.
fn changed(before: Option<StoredEntry>, content: Content, at: Timestamp) -> Option<StoredEntry> {
    let Content { key, starts_at, summary, description } = content;
    let sequence = match &before {
        None => 0,
        Some(entry) => {
            let is_same = !entry.is_cancelled
                && (entry.starts_at, &entry.summary, &entry.description)
                    == (starts_at, &summary, &description);
            if is_same {
                return None;
            }
            entry.sequence + 1
        }
    };
    Some(StoredEntry { key, sequence, starts_at, summary, description, is_cancelled: false, modified_at: at })
}

/// Equal as long as nothing has changed that entries are made of: what happened, what there is, the rules, and the day,
/// which says how far ahead is looked.
fn stamp(db: &Connection, providers: &Providers, at: Timestamp) -> Result<String, StoreError> {
    let mut digest = Sha256::new();
    let (event, resource) = calendars::newest(db)?;
    digest.update(format!("{event} {resource} {}", at.as_second().div_euclid(86_400)));
    for (id, rules) in providers {
        digest.update(format!(" {id} {}", rules.digest()));
    }
    for stored in accounts::list(db)? {
        digest.update(format!(" {:?} {:?}", stored.account.id, stored.account.settings));
    }
    Ok(hex::encode(&digest.finalize()))
}

/// What lies ahead, the first of it in the order of time, and the rows of resources of which nobody knows.
fn ahead(
    db: &Connection,
    providers: &Providers,
    calendar: &StoredCalendar,
    at: Timestamp,
) -> Result<(Vec<Content>, BTreeSet<i64>), StoreError> {
    let scope = calendar.began.accounts.as_ref().map(serde_json::to_string).transpose()?;
    let wanted = What::ALL
        .into_iter()
        .filter(|what| calendar.began.occurrences.iter().any(|word| word == what.name()));
    let wanted = wanted.collect::<Vec<_>>();
    let mut first = BTreeMap::new();
    let mut undecided = BTreeSet::new();
    let all = accounts::list(db)?.into_iter().map(|stored| (stored.row, stored.account));
    let all = all.collect::<BTreeMap<_, _>>();
    let mut after = 0;
    loop {
        let rows = calendars::live(db, scope.as_deref(), after, BUNDLES_AT_ONCE)?;
        let Some(last) = rows.last() else { break };
        after = *last;
        let stored = rows.iter().map(|row| bundles::at(db, *row)).collect::<Result<Vec<_>, _>>()?;
        let asked = stored.iter().map(|stored| (stored.account, &stored.bundle)).collect::<Vec<_>>();
        for (stored, timeline) in stored.iter().zip(outlook::ahead(db, providers, at, &asked)?) {
            let Some(timeline) = decided(timeline)? else {
                undecided.extend(&stored.rows);
                continue;
            };
            let account = &all[&stored.account];
            for (member, row) in stored.rows.iter().enumerate() {
                for what in &wanted {
                    let Some(starts_at) = next(*what, &timeline, &stored.bundle, member, at) else {
                        continue;
                    };
                    if starts_at > at + AHEAD {
                        continue;
                    }
                    let content = content(*what, *row, &stored.bundle.members[member], account, starts_at);
                    first.insert((starts_at, *row, *what), content);
                    if first.len() > ENTRIES_MAX {
                        first.pop_last();
                    }
                }
            }
        }
    }
    Ok((first.into_values().collect(), undecided))
}

/// A timeline, if there is one.
fn decided(timeline: Result<Vec<Occurrence>, EngineError>) -> Result<Option<Vec<Occurrence>>, StoreError> {
    match timeline {
        Ok(timeline) => Ok(Some(timeline)),
        Err(EngineError::Store(error)) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "a calendar leaves a bundle as it was");
            Ok(None)
        }
    }
}

/// When something next happens to a member.
fn next(
    what: What,
    timeline: &[Occurrence],
    bundle: &Bundle,
    member: usize,
    at: Timestamp,
) -> Option<Timestamp> {
    let resource = &bundle.members[member];
    let of = |happening: Action| {
        let is_it = |occurrence: &&Occurrence| occurrence.member == member && occurrence.action == happening;
        timeline.iter().find(is_it).map(|occurrence| occurrence.at)
    };
    match what {
        What::Try => of(Action::TryRenewal),
        What::Expiry => {
            let is_ahead = resource.is_live() && resource.stage == Stage::Active;
            resource.expires_at.filter(|expires_at| is_ahead && *expires_at >= at)
        }
        What::Release => {
            let renews = resource.stage == Stage::Active && resource.on_expiry == OnExpiry::Renew;
            of(Action::Enter(Stage::Released)).filter(|_| !renews)
        }
    }
}

fn content(what: What, row: i64, resource: &Resource, account: &Account, starts_at: Timestamp) -> Content {
    let id = &resource.id;
    let summary = match what {
        What::Try => format!("{id}: renewal is tried"),
        What::Expiry => format!("{id} expires"),
        What::Release => format!("{id} is released"),
    };
    let mut description = format!(
        "{} in {}, account {} with {}.",
        resource.kind, resource.region, account.id, account.provider
    );
    let term = resource.renewal_term.or(resource.term);
    if let (Some(price), Some(of), Some(term)) = (resource.price, resource.term, term) {
        description += &format!("\n{term}: {} {}.", term.price(price, of, 0), account.currency);
    }
    description += match resource.on_expiry {
        OnExpiry::Renew => "\nAuto-renew is on.",
        OnExpiry::Lapse => "\nAuto-renew is off.",
        OnExpiry::Convert => "\nIt goes on as pay-per-use once it expires.",
        OnExpiry::Release => "\nIt is released once it expires.",
    };
    Content { key: (row, what.name().to_owned()), starts_at, summary, description }
}

/// A feed as text: what lies ahead, and for a while what has been and what was cancelled.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn text(db: &Connection, calendar: &StoredCalendar, at: Timestamp) -> Result<String, StoreError> {
    let shown = calendars::entries(db, calendar.row)?.into_iter().filter(|entry| is_kept(entry, at));
    let entry = |entry: StoredEntry| icalendar::Entry {
        uid: format!("{}-{}@cal-{}.perennial", entry.key.1, entry.key.0, calendar.row),
        sequence: entry.sequence,
        modified_at: entry.modified_at,
        starts_at: entry.starts_at,
        summary: entry.summary,
        description: entry.description,
        category: entry.key.1,
        is_cancelled: entry.is_cancelled,
    };
    Ok(icalendar::feed(&calendar.began.name, REFRESH_HOURS, &shown.map(entry).collect::<Vec<_>>()))
}

/// Whether an entry is still shown.
fn is_kept(entry: &StoredEntry, at: Timestamp) -> bool {
    let since = if entry.is_cancelled { entry.modified_at } else { entry.starts_at };
    since > at - KEPT
}
