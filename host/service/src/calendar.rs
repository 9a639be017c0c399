//! Calendar feeds: their entries, and the changes since they were last read.
//!
//! An entry stands for a resource and one kind of occurrence, and moves with it. This module reads the database and
//! calls the rules; [`refresh`] returns the changes to store, and writes nothing.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::index::MemberIndex;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use perennial_store::keys::ResourceKey;
use perennial_store::keys::RowKey;
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
use perennial_store::plugin_bindings;
use perennial_store::resource_query;
use perennial_store::resource_query::ResourceFilter;
use perennial_store::resource_query::ResourcePage;

/// How far ahead a feed reaches, in seconds: 400 days, a year with a margin.
const HORIZON: i64 = 400 * 86_400;
/// The most future entries of a feed.
const ENTRIES_MAX: usize = 10_000;
/// How long a feed has an entry after its instant or its cancellation, in seconds: 30 days.
const RETENTION: i64 = 30 * 86_400;
/// The number of bundles in one request for timelines.
const BUNDLES_PER_READ: u32 = 1_000;
/// The suggested interval between reads of a feed, in hours.
const REFRESH_HOURS: u32 = 1;

/// The kind of occurrence that an entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// The next attempt to renew the resource.
    Renewal,
    /// The expiry of the resource.
    Expiry,
    /// The release of the resource, unless it renews automatically before.
    Release,
}

impl EntryKind {
    /// Every kind, for parsing and for lists of choices.
    pub const ALL: [EntryKind; 3] = [EntryKind::Renewal, EntryKind::Expiry, EntryKind::Release];

    /// The name in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            EntryKind::Renewal => "try",
            EntryKind::Expiry => "expiry",
            EntryKind::Release => "release",
        }
    }
}

/// The changes of a feed since it was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The fingerprint of the data that the feed is now made of.
    pub fingerprint: String,
    /// The entries that were added, changed or cancelled.
    pub entries: Vec<StoredEntry>,
}

/// A future entry.
struct Content {
    key: Key,
    starts_at: Timestamp,
    summary: String,
    description: String,
}

/// Computes the changes of a feed since it was last read; `None` when its fingerprint is the same.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read. Entries of bundles whose plugin fails stay as they are.
pub fn refresh(
    db: &ReadTx,
    providers: &Providers,
    calendar: &StoredCalendar,
    at: Timestamp,
) -> Result<Option<Changes>, StoreError> {
    let providers = &providers.as_bound(db)?;
    let fingerprint = fingerprint(db, providers, at)?;
    if calendar.fingerprint.as_ref() == Some(&fingerprint) {
        return Ok(None);
    }
    let stored = calendars::entries(db, calendar.row)?.into_iter();
    let mut known = stored.map(|entry| (entry.key.clone(), entry)).collect::<BTreeMap<_, _>>();
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
    Ok(Some(Changes { fingerprint, entries }))
}

/// Whether a stored entry that is no longer ahead did not come true: its instant is in the future, or nothing happened
/// at it.
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
    Ok(is_past && !calendars::has_event_at(db, entry.key.0, entry.starts_at)?)
}

/// The entry to store, with the next sequence number; `None` when it is unchanged.
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

/// Equal as long as the entries cannot have changed. Covers the last event and resource, the rules, the settings of
/// accounts, and the day, which the horizon depends on.
fn fingerprint(db: &ReadTx, providers: &Providers, at: Timestamp) -> Result<String, StoreError> {
    let mut digest = Sha256::new();
    let (event, resource) = calendars::latest_rows(db)?;
    digest.update(format!("{event} {resource} {}", at.as_second().div_euclid(86_400)));
    for (id, rules) in providers.iter() {
        digest.update(format!(" {id} {}", rules.digest()));
    }
    digest.update(plugin_bindings::set_digest(db)?);
    for stored in accounts::list(db)? {
        digest.update(format!(" {:?} {:?}", stored.account.id, stored.account.settings));
    }
    Ok(hex::encode(digest.finalize()))
}

/// The future entries in the order of time, and the rows of resources whose timeline is unknown because their plugin
/// failed.
fn upcoming_entries(
    db: &ReadTx,
    providers: &Providers,
    calendar: &StoredCalendar,
    at: Timestamp,
) -> Result<(Vec<Content>, BTreeSet<ResourceKey>), StoreError> {
    let accounts = calendar.began.accounts.as_ref().map(serde_json::to_string).transpose()?;
    let filter = ResourceFilter { accounts, only_waking: true, ..ResourceFilter::default() };
    let kinds = EntryKind::ALL
        .into_iter()
        .filter(|kind| calendar.began.occurrences.iter().any(|word| word == kind.name()));
    let kinds = kinds.collect::<Vec<_>>();
    let mut first = BTreeMap::new();
    let mut undecided = BTreeSet::new();
    let all = accounts::list(db)?.into_iter().map(|stored| (stored.row, stored.account));
    let all = all.collect::<BTreeMap<_, _>>();
    let mut after = ResourceKey::before_all();
    loop {
        let page = ResourcePage::after(after, BUNDLES_PER_READ);
        let primaries = resource_query::find(db, &filter, page)?.resources;
        let Some(last) = primaries.last() else { break };
        after = last.row;
        let stored =
            primaries.iter().map(|found| bundles::get(db, found.bundle)).collect::<Result<Vec<_>, _>>()?;
        let requests = stored.iter().map(|stored| (stored.account, &stored.bundle)).collect::<Vec<_>>();
        for (stored, timeline) in
            stored.iter().zip(upcoming::upcoming_timelines(db, providers, at, &requests)?)
        {
            let Some(timeline) = known_timeline(timeline)? else {
                undecided.extend(stored.rows.iter().map(|(_, row)| row));
                continue;
            };
            let account = &all[&stored.account];
            for (member, row) in stored.rows.iter() {
                for kind in &kinds {
                    let Some(starts_at) = next_instant(*kind, &timeline, &stored.bundle, member, at) else {
                        continue;
                    };
                    if starts_at > at + HORIZON {
                        continue;
                    }
                    let content = content(*kind, row, &stored.bundle[member], account, starts_at);
                    first.insert((starts_at, row, *kind), content);
                    if first.len() > ENTRIES_MAX {
                        first.pop_last();
                    }
                }
            }
        }
    }
    Ok((first.into_values().collect(), undecided))
}

/// The timeline, or `None` when the plugin failed.
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

/// The next instant of a kind of occurrence for a member.
fn next_instant(
    kind: EntryKind,
    timeline: &[Occurrence],
    bundle: &Bundle,
    member: MemberIndex,
    at: Timestamp,
) -> Option<Timestamp> {
    let resource = &bundle[member];
    let next = |action: Action| {
        let matches = |occurrence: &&Occurrence| occurrence.member == member && occurrence.action == action;
        timeline.iter().find(matches).map(|occurrence| occurrence.at)
    };
    match kind {
        EntryKind::Renewal => next(Action::TryRenewal),
        EntryKind::Expiry => {
            let is_ahead = resource.is_live() && resource.stage == Stage::Active;
            resource.expires_at.filter(|expires_at| is_ahead && *expires_at >= at)
        }
        EntryKind::Release => {
            let renews = resource.stage == Stage::Active && resource.on_expiry == OnExpiry::Renew;
            next(Action::Enter(Stage::Released)).filter(|_| !renews)
        }
    }
}

fn content(
    kind: EntryKind,
    row: ResourceKey,
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

/// Renders a feed: the future entries, and for a while the past and cancelled ones.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn to_icalendar(db: &ReadTx, calendar: &StoredCalendar, at: Timestamp) -> Result<String, StoreError> {
    let visible = calendars::entries(db, calendar.row)?.into_iter().filter(|entry| is_visible(entry, at));
    let entry = |entry: StoredEntry| icalendar::Entry {
        uid: format!("{}-{}@{}.perennial", entry.key.1, entry.key.0, calendar.began.uid),
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

/// Whether a feed still has an entry.
fn is_visible(entry: &StoredEntry, at: Timestamp) -> bool {
    let since = if entry.is_cancelled { entry.modified_at } else { entry.starts_at };
    since > at - RETENTION
}
