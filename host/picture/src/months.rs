//! What happened in each month: counts, money in and out, and notable events in words. Months begin in UTC; knows no lay-out.

use std::collections::BTreeMap;

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::AccountIndex;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates::Month;
use perennial_formats::event_text::Wording;

use crate::event_category::EventCategory;

/// How many happenings of one sort a month tells of in words; the rest are in its counts.
const LISTED_MAX: usize = 2;

/// What happened in each month to each account, by its place.
#[derive(Clone, Debug, Default)]
pub struct Months(BTreeMap<(Month, usize), AccountMonth>);

/// What happened to an account in a month.
#[derive(Clone, Debug, Default)]
pub struct AccountMonth {
    /// How many events of each category there were.
    pub counts: BTreeMap<EventCategory, usize>,
    /// The first few notable events of each category, in the order in which they were recorded.
    pub listed: BTreeMap<EventCategory, Vec<ListedEvent>>,
    /// What was paid, in the account's currency.
    pub paid: Micros,
    /// What was given back, in the account's currency.
    pub refunded: Micros,
    /// What was topped up, in the account's currency.
    pub topped_up: Micros,
    /// The balance after its last change in the month; `None` when it did not change.
    pub closing: Option<Micros>,
}

/// A notable event in words.
#[derive(Clone, Debug)]
pub struct ListedEvent {
    /// The instant at which it happened.
    pub at: Timestamp,
    /// The id of the resource; `None` when the event concerns the account.
    pub resource: Option<String>,
    /// What happened, without the instant and the resource.
    pub words: String,
}

impl Months {
    /// What happened in a month to the account at a place of its history; `None` when nothing did.
    pub fn of_account(&self, month: Month, account: AccountIndex) -> Option<&AccountMonth> {
        self.0.get(&(month, account.get()))
    }

    /// Takes in an event of the account at `place`.
    pub(crate) fn record(&mut self, index: usize, event: &Event, wording: Wording<'_>) {
        let account = self.0.entry((Month::of(event.at), index)).or_default();
        if let EventKind::BalanceChanged { amount, balance, reason } = &event.what {
            account.closing = Some(*balance);
            match reason {
                Reason::Opening => {}
                Reason::TopUp => account.topped_up += *amount,
                Reason::Renewal | Reason::Purchase | Reason::Upgrade => account.paid -= *amount,
                Reason::Refund | Reason::Adjustment => account.refunded += *amount,
            }
        }
        let Some(category) = EventCategory::for_event(&event.what) else { return };
        *account.counts.entry(category).or_default() += 1;
        let listed = account.listed.entry(category).or_default();
        // The third decline of one resource in a month says nothing that the first did not.
        let is_told = listed.iter().any(|earlier| earlier.resource == event.resource);
        if category.is_notable() && listed.len() < LISTED_MAX && !is_told {
            listed.push(ListedEvent {
                at: event.at,
                resource: event.resource.clone(),
                words: wording.of(event),
            });
        }
    }
}
