//! The orders of the store in memory: paid, waiting to be paid, and closed.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use perennial_domain::order::Order;
use perennial_domain::order::OrderState;
use perennial_domain::order::PaidPeriod;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::unpaid_order::OrderLine;

use crate::keys::MemberKeys;
use crate::keys::ResourceKey;
use crate::orders::StoredUnpaidOrder;

/// The orders of every resource.
#[derive(Clone, Debug, Default)]
pub(super) struct OrderBooks {
    books: HashMap<ResourceKey, OrderBook>,
    /// The periods that wait to be paid, in the order in which they were ordered.
    waiting: BTreeMap<u64, WaitingPeriod>,
    /// The same, by when they can last be paid.
    deadlines: BTreeSet<(Timestamp, u64)>,
    last_number: u64,
}

/// The orders of one resource that do not wait.
#[derive(Clone, Debug, Default)]
struct OrderBook {
    /// Those that were paid and not refunded.
    paid: Vec<Order>,
    /// The ids of the others, and where they are.
    closed: Vec<(String, OrderState)>,
}

/// A period of one resource that waits to be paid.
#[derive(Clone, Debug)]
struct WaitingPeriod {
    resource: ResourceKey,
    line: OrderLine,
    /// Its order, without lines.
    order: StoredUnpaidOrder,
}

impl OrderBooks {
    /// The paid orders of these members that were not refunded, oldest first.
    pub(super) fn paid(&self, members: &MemberKeys) -> Vec<Order> {
        let books = members.iter().filter_map(|(_, key)| self.books.get(&key));
        let mut orders = books.flat_map(|book| book.paid.iter().cloned()).collect::<Vec<_>>();
        orders.sort_by_key(|order| (order.starts_at, order.member));
        orders
    }

    /// The orders of these members that wait to be paid.
    pub(super) fn unpaid(&self, members: &MemberKeys) -> Vec<StoredUnpaidOrder> {
        let mut orders = Vec::<StoredUnpaidOrder>::new();
        for (_, key) in members.iter() {
            for period in self.waiting.values().filter(|period| period.resource == key) {
                match orders.iter_mut().find(|order| order.id == period.order.id) {
                    Some(order) => order.lines.push(period.line),
                    None => {
                        orders.push(StoredUnpaidOrder { lines: vec![period.line], ..period.order.clone() })
                    }
                }
            }
        }
        orders
    }

    /// Where the order `id` of a resource is.
    pub(super) fn state(&self, resource: ResourceKey, id: &str) -> Option<OrderState> {
        let waits = |period: &WaitingPeriod| period.resource == resource && period.order.id == id;
        if self.waiting.values().any(waits) {
            return Some(OrderState::AwaitingPayment);
        }
        let book = self.books.get(&resource)?;
        let paid = book.paid.iter().any(|order| order.id == id).then_some(OrderState::Paid);
        paid.or_else(|| book.closed.iter().find(|(closed, _)| closed == id).map(|(_, state)| *state))
    }

    /// Whether an order of a resource was cancelled, expired or given back.
    pub(super) fn has_closed(&self, resource: ResourceKey) -> bool {
        self.books.get(&resource).is_some_and(|book| !book.closed.is_empty())
    }

    /// The next instant by `until` after which an order can no longer be paid, and a resource of it.
    pub(super) fn next_deadline(&self, until: Timestamp) -> Option<(Timestamp, ResourceKey)> {
        let (pay_until, number) = self.deadlines.first()?;
        (*pay_until <= until).then(|| (*pay_until, self.waiting[number].resource))
    }

    /// Adds a paid order; false when one that was not refunded is for the same.
    pub(super) fn insert(&mut self, resource: ResourceKey, mut order: Order) -> bool {
        let paid = &mut self.books.entry(resource).or_default().paid;
        order.reduces = order.reduces.filter(|reduced| paid.iter().any(|other| other.period() == *reduced));
        let is_new = !paid.iter().any(|other| pays_for_the_same(other, &order));
        if is_new {
            paid.push(order);
        }
        is_new
    }

    /// Makes a period that waits a paid one; gives the order back when none waits for it.
    pub(super) fn settle(&mut self, resource: ResourceKey, order: Order) -> Option<Order> {
        let is_it = |period: &WaitingPeriod| {
            period.resource == resource && period.order.id == order.id && period.line.cost == order.paid
        };
        let Some(number) = self.waiting.iter().find(|(_, period)| is_it(period)).map(|(number, _)| *number)
        else {
            return Some(order);
        };
        self.remove_waiting(number);
        self.books.entry(resource).or_default().paid.push(order);
        None
    }

    /// Adds an order that waits to be paid.
    pub(super) fn place(&mut self, members: &MemberKeys, mut order: StoredUnpaidOrder) {
        for line in std::mem::take(&mut order.lines) {
            self.last_number += 1;
            self.deadlines.insert((order.pay_until, self.last_number));
            let period = WaitingPeriod { resource: members[line.member], line, order: order.clone() };
            self.waiting.insert(self.last_number, period);
        }
    }

    /// Gives what still waits of an order of a resource another state.
    pub(super) fn close(&mut self, resource: ResourceKey, id: &str, state: OrderState) {
        let waits = |period: &WaitingPeriod| period.resource == resource && period.order.id == id;
        let numbers = self.waiting.iter().filter(|(_, period)| waits(period));
        for number in numbers.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.remove_waiting(number);
            self.add_closed(resource, id.to_owned(), state);
        }
    }

    /// Takes a period that is refunded out of those that were paid.
    pub(super) fn refund(&mut self, resource: ResourceKey, period: &PaidPeriod) {
        let book = self.books.entry(resource).or_default();
        book.paid.retain(|order| order.period() != *period);
        book.closed.push((period.order.clone(), OrderState::Paid));
    }

    /// Takes in the id of an order that neither waits nor can be refunded any more.
    pub(super) fn add_closed(&mut self, resource: ResourceKey, id: String, state: OrderState) {
        self.books.entry(resource).or_default().closed.push((id, state));
    }

    /// The same, each resource's in the books of its part.
    pub(super) fn split(self, count: usize, part_of: &HashMap<ResourceKey, usize>) -> Vec<OrderBooks> {
        let mut parts = (0..count).map(|_| OrderBooks::default()).collect::<Vec<_>>();
        for (resource, book) in self.books {
            parts[part_of[&resource]].books.insert(resource, book);
        }
        for (number, period) in self.waiting {
            let part = &mut parts[part_of[&period.resource]];
            part.deadlines.insert((period.order.pay_until, number));
            part.waiting.insert(number, period);
        }
        parts.iter_mut().for_each(|part| part.last_number = self.last_number);
        parts
    }

    fn remove_waiting(&mut self, number: u64) {
        if let Some(period) = self.waiting.remove(&number) {
            self.deadlines.remove(&(period.order.pay_until, number));
        }
    }
}

/// Whether two orders of one resource may not both be paid: purchases and renewals of one period, and changes of one
/// specification that stand in one order.
fn pays_for_the_same(one: &Order, other: &Order) -> bool {
    one.starts_at == other.starts_at
        && one.kind.pays_for_period() == other.kind.pays_for_period()
        && (one.kind.pays_for_period() || (&one.id, &one.reduces) == (&other.id, &other.reduces))
}
