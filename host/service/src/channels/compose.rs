//! What the next message of a channel says, and how far the channel is then. Reads events; writes nothing.
//!
//! All events that are due together are one message, because the robots of groups take twenty messages a minute. It counts
//! them all and shows the worst.

use std::collections::BTreeMap;

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::severity::Severity;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::rules::Providers;
use perennial_formats::event;
use perennial_formats::event_text::Wording;
use perennial_formats::safe_text;
use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::channels::ChannelProgress;
use perennial_store::channels::StoredChannel;
use perennial_store::error::StoreError;
use perennial_store::events::StoredEvent;
use perennial_store::keys::EventKey;
use perennial_store::list_queries;
use perennial_store::list_queries::EventFilter;

use crate::channels::message::MessageText;
use crate::channels::robots;
use crate::channels::schedule::Due;
use crate::channels::texts;
use crate::channels::texts::Counts;

/// The most events that a message shows; it counts the others.
const LINES_MAX: usize = 20;
/// How many events are read at a time.
const PAGE: u32 = 500;
/// How many events are looked at for one message; the next message goes on from there.
const EVENTS_MAX: usize = 20_000;
/// The number of events outside a channel's filter after which its cursor is moved without a message.
const CURSOR_LAG_MAX: i64 = 1000;
/// The longest line of one event, in bytes.
const LINE_BYTES_MAX: usize = 600;

/// A message that is to be sent, and how far the channel is with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Composition {
    pub(super) from: ChannelProgress,
    pub(super) to: ChannelProgress,
    /// `None` where nothing happened that passes the filter.
    pub(super) message: Option<MessageText>,
}

/// The events that pass a channel's filter, counted, and the worst of them.
#[derive(Default)]
struct Digest {
    counts: Counts,
    worst: Vec<(Severity, StoredEvent, Option<EventKind>)>,
}

impl Digest {
    fn add(&mut self, severity: Severity, event: StoredEvent, what: Option<EventKind>) {
        self.counts.add(severity);
        self.worst.push((severity, event, what));
        if self.worst.len() > 2 * LINES_MAX {
            self.sort();
            self.worst.truncate(LINES_MAX);
        }
    }

    /// The worst first; of equally bad ones, the oldest.
    fn sort(&mut self) {
        self.worst.sort_by_key(|(severity, event, _)| (std::cmp::Reverse(*severity), event.row));
    }
}

/// What a channel may send at `now`, when `due` may be; `None` when there is nothing to note.
pub(super) fn compose(
    db: &ReadTx,
    providers: &Providers,
    channel: &StoredChannel,
    due: Due,
    now: Timestamp,
) -> Result<Option<Composition>, StoreError> {
    let from = channel.progress();
    let after = match due {
        Due::Nothing => return Ok(None),
        Due::All => from.cursor,
        Due::Critical => from.cursor.max(from.critical_cursor),
    };
    let last = list_queries::last_event(db)?;
    let is_digest = channel.settings.digest_at.is_some() && due == Due::All;
    if last <= after && !is_digest {
        return Ok(None);
    }
    let (mut digest, reached) = collect(db, channel, due, after, last)?;
    digest.counts.is_digest = is_digest;
    let to = match due {
        Due::Critical | Due::Nothing => ChannelProgress { critical_cursor: reached, ..from },
        Due::All => ChannelProgress {
            cursor: reached,
            critical_cursor: from.critical_cursor.max(reached),
            composed_at: if reached == last { now } else { from.composed_at },
        },
    };
    let message = (digest.counts.total() > 0).then(|| text(db, providers, channel, digest)).transpose()?;
    let is_worthwhile = message.is_some() || is_digest || reached.distance_from(after) >= CURSOR_LAG_MAX;
    Ok(is_worthwhile.then_some(Composition { from, to, message }))
}

/// The events above `after` that pass the filter, and up to where they were looked at.
fn collect(
    db: &ReadTx,
    channel: &StoredChannel,
    due: Due,
    after: EventKey,
    last: EventKey,
) -> Result<(Digest, EventKey), StoreError> {
    let json = |list: &Vec<String>| serde_json::to_string(list);
    let filter = EventFilter {
        accounts: channel.accounts.as_ref().map(json).transpose()?,
        kinds: channel.settings.types.as_ref().map(json).transpose()?,
        ..EventFilter::default()
    };
    let least = match due {
        Due::Critical => Severity::Critical,
        Due::All | Due::Nothing => channel.settings.severity,
    };
    let (mut digest, mut reached, mut looked_at) = (Digest::default(), after, 0);
    loop {
        let events = list_queries::events(db, &filter, reached, PAGE)?;
        let is_last = events.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        looked_at += events.len();
        for event in events {
            reached = event.row;
            // An event that cannot be read is shown by its type rather than passed over.
            let what = event::read_body(&event.kind, &event.body).ok();
            let severity = what.as_ref().map_or(Severity::Warning, Severity::of);
            let is_sent_already = severity == Severity::Critical && event.row <= channel.critical_cursor;
            if severity >= least && !is_sent_already {
                digest.add(severity, event, what);
            }
        }
        if is_last {
            return Ok((digest, last.max(reached)));
        }
        if looked_at >= EVENTS_MAX {
            return Ok((digest, reached));
        }
    }
}

fn text(
    db: &ReadTx,
    providers: &Providers,
    channel: &StoredChannel,
    mut digest: Digest,
) -> Result<MessageText, StoreError> {
    digest.sort();
    digest.worst.truncate(LINES_MAX);
    let (language, total) = (channel.settings.language, digest.counts.total());
    let title = texts::title(language, &digest.counts);
    // The last line says how many more there are.
    let room = robots::text_bytes_max(channel.kind) - title.len() - 200;
    let mut body = String::new();
    let mut shown = 0;
    let mut known = BTreeMap::new();
    for (severity, stored, what) in digest.worst {
        let line = line(db, providers, channel, severity, stored, what, &mut known)?;
        if body.len() + line.len() > room {
            break;
        }
        body += &line;
        body.push('\n');
        shown += 1;
    }
    if shown < total {
        body += &texts::more(language, total - shown);
    }
    Ok(MessageText { title, body: body.trim_end().to_owned(), events: total })
}

/// What the words of an account's events take: its currency, and the notices of its provider.
type AccountWords = (String, BTreeMap<String, String>);

fn line(
    db: &ReadTx,
    providers: &Providers,
    channel: &StoredChannel,
    severity: Severity,
    stored: StoredEvent,
    what: Option<EventKind>,
    known: &mut BTreeMap<String, AccountWords>,
) -> Result<String, StoreError> {
    let (language, zone) = (channel.settings.language, channel.settings.time_zone);
    let nothing = AccountWords::default();
    if let Some(id) = stored.account.as_deref().filter(|id| !known.contains_key(*id)) {
        known.insert(id.to_owned(), account_words(db, providers, id)?);
    }
    let (currency, notices) = stored.account.as_ref().and_then(|id| known.get(id)).unwrap_or(&nothing);
    let about = (stored.account.as_deref(), stored.resource.as_deref());
    let words = match what {
        Some(what) => {
            let event = Event { at: stored.at, resource: stored.resource.clone(), what };
            Wording { currency, notices, zone }.in_language(language, &event)
        }
        None => stored.kind.clone(),
    };
    let line =
        safe_text::on_one_line(&texts::line(language, severity, &zone.minute(stored.at), about, &words));
    Ok(shortened(&line))
}

fn account_words(db: &ReadTx, providers: &Providers, id: &str) -> Result<AccountWords, StoreError> {
    let Some(stored) = accounts::get(db, id)? else { return Ok(AccountWords::default()) };
    let rules = providers.get(&stored.account.provider);
    let notices = rules.into_iter().flat_map(|rules| rules.manifest().notices.clone());
    let notices = notices.map(|notice| (notice.name, notice.label)).collect();
    Ok((stored.account.currency, notices))
}

/// The line, or as much of it as a message has room for.
fn shortened(line: &str) -> String {
    if line.len() <= LINE_BYTES_MAX {
        return line.to_owned();
    }
    let end = line.floor_char_boundary(LINE_BYTES_MAX);
    format!("{}…", &line[..end])
}
