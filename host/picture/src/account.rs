//! The history of one account: its money over time and its tracks. Knows no pages and no other account.

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;

use crate::attachments;
use crate::event_category::EventCategory;
use crate::event_category::MarkerRow;
use crate::resource_track::Mark;
use crate::resource_track::ResourceTrack;
use crate::resource_track::TrackPosition;
use perennial_formats::event_text::Wording;
use perennial_formats::language::Language;
use perennial_formats::time_zone::TimeZone;

/// The history of one account.
#[derive(Clone, Debug)]
pub struct AccountHistory {
    /// The id of the account.
    pub id: String,
    /// The provider, for people.
    pub provider: String,
    /// Where its instants are written.
    pub zone: TimeZone,
    /// In which language marks say what happened.
    pub(crate) language: Language,
    /// The currency of every amount of the account.
    pub currency: String,
    /// The balance when the history begins.
    pub opening: Micros,
    /// The balance when it ends.
    pub closing: Micros,
    /// What was paid in all.
    pub paid: Micros,
    /// What was given back in all.
    pub refunded: Micros,
    /// What was topped up in all.
    pub topped_up: Micros,
    /// Every change of the balance, in order, when there is a picture.
    pub(crate) changes: Vec<BalanceChange>,
    /// What happened to the account as a whole.
    pub(crate) marks: Vec<Mark>,
    /// How often each sort of thing happened.
    pub(crate) counts: BTreeMap<EventCategory, usize>,
    /// Its resources, in the order in which they were added.
    pub tracks: Vec<ResourceTrack>,
    by_id: BTreeMap<String, usize>,
    purchases: usize,
    pub(crate) notices: BTreeMap<String, String>,
    /// What the provider's kinds are called, for people.
    pub(crate) kind_names: BTreeMap<String, String>,
}

/// A change of the balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceChange {
    /// The instant from which the new balance holds.
    pub at: Timestamp,
    /// By how much it changed, in the account's currency.
    pub amount: Micros,
    /// The new balance, in the account's currency.
    pub balance: Micros,
    /// Why it changed; `None` for all changes until that instant together.
    pub reason: Option<Reason>,
}

impl AccountHistory {
    /// An account as it is when the history begins, without its resources.
    pub(crate) fn new(account: &Account) -> AccountHistory {
        let balance = account.balance.available() + account.balance.held();
        AccountHistory {
            id: account.id.clone(),
            provider: account.provider.clone(),
            zone: TimeZone::UTC,
            language: Language::English,
            currency: account.currency.clone(),
            opening: balance,
            closing: balance,
            paid: Micros::ZERO,
            refunded: Micros::ZERO,
            topped_up: Micros::ZERO,
            changes: Vec::new(),
            marks: Vec::new(),
            counts: BTreeMap::new(),
            tracks: Vec::new(),
            by_id: BTreeMap::new(),
            purchases: 0,
            notices: BTreeMap::new(),
            kind_names: BTreeMap::new(),
        }
    }

    /// Adds a bundle, each member after what it is attached to.
    pub(crate) fn add(&mut self, bundle: &Bundle, index: usize, with_details: bool) {
        let parents = bundle.members.iter().map(|member| member.attached_to.map(MemberIndex::get));
        let ordered = attachments::in_order(&parents.collect::<Vec<_>>());
        for (order, (member, branches)) in ordered.into_iter().enumerate() {
            let position = TrackPosition { bundle: index, purchase: 0, member: order };
            self.insert(ResourceTrack::new(&bundle.members[member], position, branches, with_details));
        }
    }

    fn insert(&mut self, track: ResourceTrack) {
        self.by_id.insert(track.id.clone(), self.tracks.len());
        self.tracks.push(track);
    }

    /// Takes in what happened; `keeps_story` says whether there is a picture, and `has_room` whether it has room for
    /// one more lane. Returns whether a lane with a story was added.
    pub(crate) fn record(&mut self, event: &Event, with_details: bool, has_room: bool) -> bool {
        let category = EventCategory::for_event(&event.what);
        if let Some(category) = category {
            *self.counts.entry(category).or_default() += 1;
        }
        if let EventKind::BalanceChanged { amount, balance, reason } = &event.what {
            self.record_balance(event.at, (*amount, *balance, *reason), with_details);
        }
        let added = self.add_purchased(event, with_details && has_room);
        let wording = Wording { currency: &self.currency, notices: &self.notices, zone: self.zone };
        let words = || wording.in_language(self.language, event);
        match event.resource.as_ref().and_then(|id| self.by_id.get(id)) {
            Some(index) => self.tracks[*index].record(event, category, &words),
            None => {
                if let Some(category) =
                    category.filter(|category| with_details && category.marker_row() != MarkerRow::Elsewhere)
                {
                    self.marks.push(Mark { at: event.at, category, text: words() });
                }
            }
        }
        added
    }

    fn record_balance(
        &mut self,
        at: Timestamp,
        (amount, balance, reason): (Micros, Micros, Reason),
        with_details: bool,
    ) {
        self.closing = balance;
        match reason {
            Reason::Opening => self.opening = balance,
            Reason::TopUp => self.topped_up += amount,
            Reason::Renewal | Reason::Purchase | Reason::Upgrade => self.paid -= amount,
            Reason::Refund | Reason::Adjustment => self.refunded += amount,
        }
        if with_details {
            self.changes.push(BalanceChange { at, amount, balance, reason: Some(reason) });
        }
    }

    /// A bought package is a new resource, which stands beneath the one that it was bought like.
    fn add_purchased(&mut self, event: &Event, with_details: bool) -> bool {
        let (EventKind::PackageBought { like, .. }, Some(id)) = (&event.what, &event.resource) else {
            return false;
        };
        let Some(model) = self.by_id.get(like).filter(|_| !self.by_id.contains_key(id)) else { return false };
        self.purchases += 1;
        let track = self.tracks[*model].purchased_like(event, id, self.purchases, with_details);
        self.insert(track);
        with_details
    }

    /// The lanes in the order in which they are shown.
    pub fn ordered_tracks(&self) -> Vec<&ResourceTrack> {
        let mut lanes = self.tracks.iter().collect::<Vec<_>>();
        lanes.sort_by_key(|track| track.position);
        lanes
    }

    /// How many resources met with trouble.
    pub(crate) fn troubled(&self) -> usize {
        self.tracks.iter().filter(|track| track.severity > 0).count()
    }

    /// How bad the worst was that happened to a resource; 0 is no trouble.
    pub(crate) fn severity(&self) -> u8 {
        self.tracks.iter().map(|track| track.severity).max().unwrap_or(0)
    }

    /// The number of events of a category.
    pub fn count(&self, category: EventCategory) -> usize {
        self.counts.get(&category).copied().unwrap_or(0)
    }

    /// The number of renewals by the clock and by commands.
    pub fn renewals(&self) -> usize {
        self.count(EventCategory::Renewed) + self.count(EventCategory::RenewedByCommand)
    }

    /// How the account's events are worded.
    pub(crate) fn wording(&self) -> Wording<'_> {
        Wording { currency: &self.currency, notices: &self.notices, zone: self.zone }
    }
}
