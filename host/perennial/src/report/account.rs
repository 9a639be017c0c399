//! What is kept of one account: its money over time and its lanes. Knows no pages and no other account.

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;

use crate::report::lane::Lane;
use crate::report::lane::Mark;
use crate::report::lane::Place;
use crate::report::topic::Row;
use crate::report::topic::Topic;
use crate::report::words::Wording;

/// One account.
#[derive(Clone, Debug)]
pub(super) struct AccountHistory {
    pub(super) id: String,
    /// The provider, for people.
    pub(super) provider: String,
    pub(super) currency: String,
    pub(super) opening: Micros,
    pub(super) closing: Micros,
    pub(super) paid: Micros,
    pub(super) refunded: Micros,
    pub(super) topped_up: Micros,
    /// Every change of the balance, in order, when there is a picture.
    pub(super) points: Vec<Point>,
    /// What happened to the account as a whole.
    pub(super) marks: Vec<Mark>,
    /// How often each sort of thing happened.
    pub(super) counts: BTreeMap<Topic, usize>,
    pub(super) lanes: Vec<Lane>,
    by_id: BTreeMap<String, usize>,
    purchases: usize,
    pub(super) notices: BTreeMap<String, String>,
    /// What the provider's kinds are called, for people.
    pub(super) kinds: BTreeMap<String, String>,
}

/// A change of the balance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) at: Timestamp,
    pub(super) amount: Micros,
    pub(super) balance: Micros,
    pub(super) reason: Reason,
}

impl AccountHistory {
    /// An account as it is when the history begins, without its resources.
    pub(super) fn new(account: &Account) -> AccountHistory {
        let balance = account.balance.available() + account.balance.held();
        AccountHistory {
            id: account.id.clone(),
            provider: account.provider.clone(),
            currency: account.currency.clone(),
            opening: balance,
            closing: balance,
            paid: Micros::ZERO,
            refunded: Micros::ZERO,
            topped_up: Micros::ZERO,
            points: Vec::new(),
            marks: Vec::new(),
            counts: BTreeMap::new(),
            lanes: Vec::new(),
            by_id: BTreeMap::new(),
            purchases: 0,
            notices: BTreeMap::new(),
            kinds: BTreeMap::new(),
        }
    }

    /// Adds a bundle, each member after what it is attached to.
    pub(super) fn add(&mut self, bundle: &Bundle, place: usize, with_story: bool) {
        let mut children = vec![Vec::new(); bundle.members.len()];
        for (member, resource) in bundle.members.iter().enumerate() {
            if let Some(parent) = resource.attached_to {
                children[parent].push(member);
            }
        }
        let roots = bundle.members.iter().enumerate().filter(|(_, resource)| resource.attached_to.is_none());
        let mut open = roots.map(|(member, _)| (member, Vec::new())).collect::<Vec<(usize, Vec<bool>)>>();
        open.reverse();
        let mut order = 0;
        while let Some((member, branches)) = open.pop() {
            for (nth, child) in children[member].iter().enumerate().rev() {
                let is_last = nth + 1 == children[member].len();
                open.push((*child, branches.iter().copied().chain([is_last]).collect()));
            }
            let place = Place { bundle: place, purchase: 0, member: order };
            self.insert(Lane::new(&bundle.members[member], place, branches, with_story));
            order += 1;
        }
    }

    fn insert(&mut self, lane: Lane) {
        self.by_id.insert(lane.id.clone(), self.lanes.len());
        self.lanes.push(lane);
    }

    /// Takes in what happened; `keeps_story` says whether there is a picture, and `has_room` whether it has room for
    /// one more lane. Returns whether a lane with a story was added.
    pub(super) fn record(&mut self, event: &Event, keeps_story: bool, has_room: bool) -> bool {
        let topic = Topic::of(&event.what);
        if let Some(topic) = topic {
            *self.counts.entry(topic).or_default() += 1;
        }
        if let EventKind::BalanceChanged { amount, balance, reason } = &event.what {
            let point = Point { at: event.at, amount: *amount, balance: *balance, reason: *reason };
            self.record_balance(point, keeps_story);
        }
        let added = self.add_bought(event, keeps_story && has_room);
        let wording = Wording { currency: &self.currency, notices: &self.notices };
        let words = || wording.of(event);
        match event.resource.as_ref().and_then(|id| self.by_id.get(id)) {
            Some(place) => self.lanes[*place].record(event, topic, &words),
            None => {
                if let Some(topic) = topic.filter(|topic| keeps_story && topic.row() != Row::Elsewhere) {
                    self.marks.push(Mark { at: event.at, topic, text: words() });
                }
            }
        }
        added
    }

    fn record_balance(&mut self, point: Point, keeps_story: bool) {
        self.closing = point.balance;
        match point.reason {
            Reason::Opening => self.opening = point.balance,
            Reason::TopUp => self.topped_up += point.amount,
            Reason::Renewal | Reason::Purchase => self.paid -= point.amount,
            Reason::Refund => self.refunded += point.amount,
        }
        if keeps_story {
            self.points.push(point);
        }
    }

    /// A bought package is a new resource, which stands beneath the one that it was bought like.
    fn add_bought(&mut self, event: &Event, with_story: bool) -> bool {
        let (EventKind::PackageBought { like, .. }, Some(id)) = (&event.what, &event.resource) else {
            return false;
        };
        let Some(model) = self.by_id.get(like).filter(|_| !self.by_id.contains_key(id)) else { return false };
        self.purchases += 1;
        let lane = self.lanes[*model].bought(event, id, self.purchases, with_story);
        self.insert(lane);
        with_story
    }

    /// The lanes in the order in which they are shown.
    pub(super) fn in_order(&self) -> Vec<&Lane> {
        let mut lanes = self.lanes.iter().collect::<Vec<_>>();
        lanes.sort_by_key(|lane| lane.place);
        lanes
    }

    /// How often something happened.
    pub(super) fn count(&self, topic: Topic) -> usize {
        self.counts.get(&topic).copied().unwrap_or(0)
    }

    /// How often something was renewed, whoever asked.
    pub(super) fn renewals(&self) -> usize {
        self.count(Topic::Renewed) + self.count(Topic::RenewedByCommand)
    }

    /// How the account's events are worded.
    pub(super) fn wording(&self) -> Wording<'_> {
        Wording { currency: &self.currency, notices: &self.notices }
    }
}
