//! Histories: take every event in order and keep the figures that tables, months and the picture need.
//!
//! Memory grows with the number of resources; with the number of events only where a picture is wanted, and then for
//! at most `TRACKS_MAX` resources. Knows nothing of how anything looks.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::manifest::Manifest;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::language::Language;
use perennial_formats::time_zone::TimeZone;

use crate::account::AccountHistory;
use crate::months::Months;

/// The most resources that the picture shows; the rest are counted. Browsers stay usable up to about here.
pub const TRACKS_MAX: usize = 5_000;

/// How much a history keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Totals per resource, account and month: enough for tables and months.
    Totals,
    /// Every mark as well: enough for the picture.
    Picture,
}

/// What happened to some accounts between two instants.
#[derive(Clone, Debug)]
pub struct History {
    /// The first instant of the history.
    pub from: Timestamp,
    /// The last instant of the history.
    pub until: Timestamp,
    /// The accounts, in the order in which they were given.
    pub accounts: Vec<AccountHistory>,
    by_id: BTreeMap<String, usize>,
    /// What happened in each month.
    pub months: Months,
    /// When the host was down: since when and until when.
    pub(crate) outages: BTreeSet<(Timestamp, Timestamp)>,
    detail: Detail,
    /// In which language the picture is.
    pub(crate) language: Language,
    tracks_max: usize,
    /// The bundles that the picture shows, by their places; `None` is the first ones.
    drawn: Option<BTreeSet<usize>>,
    track_count: usize,
}

/// What a history is of: from when, until when, and how much of it is kept.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The first instant.
    pub from: Timestamp,
    /// The last instant.
    pub until: Timestamp,
    /// How much is kept.
    pub detail: Detail,
    /// The most resources that a picture shows.
    pub tracks_max: usize,
    /// The bundles that a picture shows, by their places, if there is no room for all; see [`History::worst`].
    pub drawn: Option<&'a BTreeSet<usize>>,
}

impl History {
    /// A history of these accounts and bundles, each with its account's id.
    ///
    /// `manifests` say what providers, kinds and notices are called; what they leave out is shown by its id. Bundles of
    /// accounts that are not listed are left out.
    pub fn new<'a>(
        frame: Frame<'_>,
        accounts: &[Account],
        bundles: impl IntoIterator<Item = (&'a str, &'a Bundle)>,
        manifests: impl IntoIterator<Item = &'a Manifest>,
    ) -> History {
        let Frame { from, until, detail, tracks_max, drawn } = frame;
        let by_id = accounts.iter().enumerate().map(|(index, account)| (account.id.clone(), index)).collect();
        let mut history = History {
            from,
            until,
            accounts: accounts.iter().map(AccountHistory::new).collect(),
            by_id,
            months: Months::default(),
            outages: BTreeSet::new(),
            detail,
            language: Language::English,
            tracks_max,
            drawn: drawn.cloned(),
            track_count: 0,
        };
        for manifest in manifests {
            history.name(manifest, accounts);
        }
        for (index, (account, bundle)) in bundles.into_iter().enumerate() {
            history.add(account, bundle, index);
        }
        history
    }

    /// Writes the instants of each account in the time zone that `zone_of` says of its id. Comes before the first event.
    pub fn set_zones(&mut self, zone_of: impl Fn(&str) -> TimeZone) {
        for account in &mut self.accounts {
            account.zone = zone_of(&account.id);
        }
    }

    /// Draws the picture in a language. Comes before the first event.
    pub fn set_language(&mut self, language: Language) {
        self.language = language;
        for account in &mut self.accounts {
            account.language = language;
        }
    }

    fn name(&mut self, manifest: &Manifest, accounts: &[Account]) {
        let of_provider = accounts.iter().zip(&mut self.accounts);
        for (_, account) in of_provider.filter(|(account, _)| account.provider == manifest.id) {
            account.provider.clone_from(&manifest.name);
            account.notices =
                manifest.notices.iter().map(|notice| (notice.name.clone(), notice.label.clone())).collect();
            account.kind_names =
                manifest.kinds.iter().map(|(name, kind)| (name.clone(), kind.label.clone())).collect();
        }
    }

    /// Bundles are in the picture whole or not at all.
    fn add(&mut self, account: &str, bundle: &Bundle, index: usize) {
        let Some(account) = self.by_id.get(account) else { return };
        let has_room = self.track_count + bundle.members.len() <= self.tracks_max;
        let is_drawn = self.drawn.as_ref().is_none_or(|drawn| drawn.contains(&index));
        let with_story = self.detail == Detail::Picture && has_room && is_drawn;
        self.accounts[*account].add(bundle, index, with_story);
        if with_story {
            self.track_count += bundle.members.len();
        }
    }

    /// Takes in the next event of an account; events of accounts that are not listed are left out.
    pub fn record(&mut self, account: &str, event: &Event) {
        let Some(index) = self.by_id.get(account) else { return };
        if let EventKind::HostResumed { down_since } = &event.what {
            self.outages.insert((*down_since, event.at));
        }
        let account = &mut self.accounts[*index];
        self.months.record(*index, event, account.wording());
        let keeps_story = self.detail == Detail::Picture;
        if account.record(event, keeps_story, self.track_count < self.tracks_max) {
            self.track_count += 1;
        }
    }

    /// The bundles that a picture of this history should show if it has room for `tracks_max` resources: the worst first,
    /// then those that come first; `None` when it has room for all.
    pub fn worst(&self, tracks_max: usize) -> Option<BTreeSet<usize>> {
        let mut bundles: BTreeMap<usize, (u8, usize)> = BTreeMap::new();
        for track in self.accounts.iter().flat_map(|account| &account.tracks) {
            let (severity, count) = bundles.entry(track.position.bundle).or_default();
            (*severity, *count) = (track.severity.max(*severity), *count + 1);
        }
        let mut left = tracks_max;
        if bundles.values().map(|(_, count)| count).sum::<usize>() <= left {
            return None;
        }
        let mut ranked = bundles.into_iter().collect::<Vec<_>>();
        ranked.sort_by_key(|(index, (severity, _))| (std::cmp::Reverse(*severity), *index));
        ranked.retain(|(_, (_, count))| {
            let has_room = *count <= left;
            left -= if has_room { *count } else { 0 };
            has_room
        });
        Some(ranked.into_iter().map(|(index, _)| index).collect())
    }

    /// Whether the picture shows those that fared worst, and not those that come first.
    pub(crate) fn shows_worst(&self) -> bool {
        self.drawn.is_some()
    }

    /// How many resources the picture has no room for.
    pub(crate) fn omitted_resources(&self) -> usize {
        self.accounts.iter().map(|account| account.tracks.len()).sum::<usize>() - self.track_count
    }

    /// How many resources the picture shows.
    pub(crate) fn shown_resources(&self) -> usize {
        self.track_count
    }
}
