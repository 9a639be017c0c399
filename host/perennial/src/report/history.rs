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

use crate::report::account::AccountHistory;
use crate::report::months::Months;

/// The most resources that the picture shows; the rest are counted. Browsers stay usable up to about here.
pub(crate) const TRACKS_MAX: usize = 5_000;

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
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) accounts: Vec<AccountHistory>,
    by_id: BTreeMap<String, usize>,
    pub(super) months: Months,
    /// When the host was down: since when and until when.
    pub(super) outages: BTreeSet<(Timestamp, Timestamp)>,
    detail: Detail,
    tracks_max: usize,
    track_count: usize,
}

impl History {
    /// A history that begins at `from` with these accounts and bundles, each with its account's id, and ends at
    /// `until`.
    ///
    /// `manifests` say what providers, kinds and notices are called; what they leave out is shown by its id. Bundles of
    /// accounts that are not listed are left out.
    pub fn new<'a>(
        from: Timestamp,
        until: Timestamp,
        detail: Detail,
        accounts: &[Account],
        bundles: impl IntoIterator<Item = (&'a str, &'a Bundle)>,
        manifests: impl IntoIterator<Item = &'a Manifest>,
    ) -> History {
        History::with_limit(TRACKS_MAX, (from, until), detail, accounts, bundles, manifests)
    }

    /// The same with room for another number of lanes.
    pub(super) fn with_limit<'a>(
        tracks_max: usize,
        (from, until): (Timestamp, Timestamp),
        detail: Detail,
        accounts: &[Account],
        bundles: impl IntoIterator<Item = (&'a str, &'a Bundle)>,
        manifests: impl IntoIterator<Item = &'a Manifest>,
    ) -> History {
        let by_id = accounts.iter().enumerate().map(|(index, account)| (account.id.clone(), index)).collect();
        let mut history = History {
            from,
            until,
            accounts: accounts.iter().map(AccountHistory::new).collect(),
            by_id,
            months: Months::default(),
            outages: BTreeSet::new(),
            detail,
            tracks_max,
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
        let with_story =
            self.detail == Detail::Picture && self.track_count + bundle.members.len() <= self.tracks_max;
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

    /// How many resources the picture has no room for.
    pub(super) fn omitted_resources(&self) -> usize {
        self.accounts.iter().map(|account| account.tracks.len()).sum::<usize>() - self.track_count
    }

    /// How many resources the picture shows.
    pub(super) fn shown_resources(&self) -> usize {
        self.track_count
    }
}
