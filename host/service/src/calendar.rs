//! Calendar feeds: what is in them, and what has changed since they were last read.
//!
//! An entry is about a resource and one thing that happens to it: it moves when that moves. Reads the database and asks
//! the rules; [`refresh`] says what there is to write down, and writes nothing.

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
use perennial_store::ReadTx;
use sha2::Digest;
use sha2::Sha256;

use perennial_engine::error::EngineError;
use perennial_engine::rules::Providers;
use perennial_engine::upcoming;
use perennial_formats::icalendar;

use perennial_store::accounts;
use perennial_store::bundles;
use perennial_store::calendars;
use perennial_store::calendars::Key;
use perennial_store::calendars::StoredCalendar;
use perennial_store::calendars::StoredEntry;
use perennial_store::clock;
use perennial_store::error::StoreError;

/// How far ahead a feed looks, in seconds: 400 days, a year and what comes before and after it.
const HORIZON: i64 = 400 * 86_400;
/// The most entries that lie ahead.
const ENTRIES_MAX: usize = 10_000;
/// How long an entry is shown after its instant, or after it was cancelled, in seconds: 30 days.
const RETENTION: i64 = 30 * 86_400;
/// How many bundles are asked about at a time.
const BUNDLES_PER_READ: u32 = 1_000;
/// How often a feed should be read, in hours.
const REFRESH_HOURS: u32 = 1;

/// What a feed shows of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// The next try at its renewal.
    Renewal,
    /// Its expiry.
    Expiry,
    /// Its release, unless it renews itself before.
    Release,
}

impl EntryKind {
    /// Everything there is.
    pub const ALL: [EntryKind; 3] = [EntryKind::Renewal, EntryKind::Expiry, EntryKind::Release];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            EntryKind::Renewal => "try",
            EntryKind::Expiry => "expiry",
            EntryKind::Release => "release",
        }
    }
}

/// What changed about a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// What it is made of now.
    pub fingerprint: String,
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
pub fn refresh(
    db: &ReadTx,
    providers: &Providers,
    calendar: &StoredCalendar,
    at: Timestamp,
) -> Result<Option<Changes>, StoreError> {
    let stamp = fingerprint(db, providers, at)?;
    if calendar.fingerprint.as_ref() == Some(&stamp) {
        return Ok(None);
    }
    let known = calendars::entries(db, calendar.row)?.into_iter();
    let mut known = known.map(|entry| (entry.key.clone(), entry)).collect::<BTreeMap<_, _>>();
    let (ahead, undecided) = upcoming_entries(db, providers, calendar, at)?;
    let mut entries = Vec::new();
    for content in ahead {
        let previous = known.remove(&content.key);
        entries.extend(updated_entry(previous, content, at));
    }
    let ticked_at = clock::ticked_at(db)?.unwrap_or(Timestamp::MIN);
    for entry in known.into_values().filter(|entry| !entry.is_cancelled) {
        if !undecided.contains(&entry.key.0) && did_not_happen(db, &entry, at, ticked_at)? {
            let sequence = entry.sequence + 1;
            entries.push(StoredEntry { sequence, is_cancelled: true, modified_at: at, ..entry });
        }
    }
    Ok(Some(Changes { fingerprint: stamp, entries }))
}

/// Whether an entry that does not lie ahead any more did not and will not come true: nothing happened at its instant.
fn did_not_happen(
    db: &ReadTx,
    entry: &StoredEntry,
    at: Timestamp,
    ticked_at: Timestamp,
) -> Result<bool, StoreError> {
    if entry.starts_at > at {
        return Ok(true);
    }
    let is_past = entry.starts_at <= ticked_at && is_visible(entry, at);
    Ok(is_past && !calendars::has_happened(db, entry.key.0, entry.starts_at)?)
}

/// How an entry is shown from now on, if that is otherwise than before.
fn updated_entry(previous: Option<StoredEntry>, content: Content, at: Timestamp) -> Option<StoredEntry> {
    let Content { key, starts_at, summary, description } = content;
    let sequence = match &previous {
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
fn fingerprint(db: &ReadTx, providers: &Providers, at: Timestamp) -> Result<String, StoreError> {
    let mut digest = Sha256::new();
    let (event, resource) = calendars::latest_rows(db)?;
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
fn upcoming_entries(
    db: &ReadTx,
    providers: &Providers,
    calendar: &StoredCalendar,
    at: Timestamp,
) -> Result<(Vec<Content>, BTreeSet<i64>), StoreError> {
    let scope = calendar.began.accounts.as_ref().map(serde_json::to_string).transpose()?;
    let wanted = EntryKind::ALL
        .into_iter()
        .filter(|kind| calendar.began.occurrences.iter().any(|word| word == kind.name()));
    let wanted = wanted.collect::<Vec<_>>();
    let mut first = BTreeMap::new();
    let mut undecided = BTreeSet::new();
    let all = accounts::list(db)?.into_iter().map(|stored| (stored.row, stored.account));
    let all = all.collect::<BTreeMap<_, _>>();
    let mut after = 0;
    loop {
        let rows = calendars::live_bundles(db, scope.as_deref(), after, BUNDLES_PER_READ)?;
        let Some(last) = rows.last() else { break };
        after = *last;
        let stored = rows.iter().map(|row| bundles::get(db, *row)).collect::<Result<Vec<_>, _>>()?;
        let page_request = stored.iter().map(|stored| (stored.account, &stored.bundle)).collect::<Vec<_>>();
        for (stored, timeline) in
            stored.iter().zip(upcoming::upcoming_timelines(db, providers, at, &page_request)?)
        {
            let Some(timeline) = known_timeline(timeline)? else {
                undecided.extend(&stored.rows);
                continue;
            };
            let account = &all[&stored.account];
            for (member, row) in stored.rows.iter().enumerate() {
                for kind in &wanted {
                    let Some(starts_at) = next_instant(*kind, &timeline, &stored.bundle, member, at) else {
                        continue;
                    };
                    if starts_at > at + HORIZON {
                        continue;
                    }
                    let content = content(*kind, *row, &stored.bundle.members[member], account, starts_at);
                    first.insert((starts_at, *row, *kind), content);
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
fn known_timeline(
    timeline: Result<Vec<Occurrence>, EngineError>,
) -> Result<Option<Vec<Occurrence>>, StoreError> {
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
fn next_instant(
    kind: EntryKind,
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
    match kind {
        EntryKind::Renewal => of(Action::TryRenewal),
        EntryKind::Expiry => {
            let is_ahead = resource.is_live() && resource.stage == Stage::Active;
            resource.expires_at.filter(|expires_at| is_ahead && *expires_at >= at)
        }
        EntryKind::Release => {
            let renews = resource.stage == Stage::Active && resource.on_expiry == OnExpiry::Renew;
            of(Action::Enter(Stage::Released)).filter(|_| !renews)
        }
    }
}

fn content(
    kind: EntryKind,
    row: i64,
    resource: &Resource,
    account: &Account,
    starts_at: Timestamp,
) -> Content {
    let id = &resource.id;
    let summary = match kind {
        EntryKind::Renewal => format!("{id}: renewal is tried"),
        EntryKind::Expiry => format!("{id} expires"),
        EntryKind::Release => format!("{id} is released"),
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
    Content { key: (row, kind.name().to_owned()), starts_at, summary, description }
}

/// A feed as text: what lies ahead, and for a while what has been and what was cancelled.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn to_icalendar(db: &ReadTx, calendar: &StoredCalendar, at: Timestamp) -> Result<String, StoreError> {
    let visible = calendars::entries(db, calendar.row)?.into_iter().filter(|entry| is_visible(entry, at));
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
    Ok(icalendar::feed(&calendar.began.name, REFRESH_HOURS, &visible.map(entry).collect::<Vec<_>>()))
}

/// Whether an entry is still shown.
fn is_visible(entry: &StoredEntry, at: Timestamp) -> bool {
    let since = if entry.is_cancelled { entry.modified_at } else { entry.starts_at };
    since > at - RETENTION
}
