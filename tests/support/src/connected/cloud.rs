//! A model of a cloud: its bank, expiries, orders and the calls that it received. It knows nothing of the host's protocol.
//!
//! A renewal prolongs from the present expiry, is paid when it is accepted, and is applied then, up to forty minutes later or,
//! when the cloud is stuck, up to two days. A resource with an open order is not renewed. Orders that nobody pays are
//! cancelled after a day. Where the cloud takes tokens, a token that comes again gets the answer that it got first, for a day
//! since it came last.

mod settings;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::timestamp::Timestamp;

pub use settings::Switch;

/// For how long a signature holds, in seconds.
pub const SIGNATURE_SECONDS: i64 = 900;
/// For how long an order can be paid, in seconds.
const UNPAID_SECONDS: i64 = 86_400;

/// For how long a token is remembered after it came last, in seconds.
pub const TOKEN_SECONDS: i64 = 86_400;

/// A resource of the cloud, with every expiry that it had.
#[derive(Clone, Debug)]
pub struct Resource {
    /// What is renewed along with it.
    pub attached: Vec<String>,
    /// What one day of it costs, in whole units.
    pub price: i64,
    history: Vec<(Timestamp, Timestamp)>,
    on_expiry: Vec<(Timestamp, OnExpiry)>,
    ended_at: Option<Timestamp>,
}

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// It waits to be paid.
    Unpaid,
    /// It is paid and not applied yet.
    Paid,
    /// It is applied.
    Completed,
    /// Nobody paid it.
    Cancelled,
}

/// An order for a resource.
#[derive(Clone, Debug)]
pub struct Order {
    /// The resource that it names.
    pub resource: String,
    /// When it was made.
    pub made_at: Timestamp,
    history: Vec<(Timestamp, OrderState)>,
}

/// A call that the host makes: it names a resource, and the renewal that it is meant for.
#[derive(Clone, Debug)]
pub struct Call {
    /// The resource that it names.
    pub resource: String,
    /// Days that it lasts longer.
    pub days: i64,
    /// The idempotency token; empty where the cloud takes none.
    pub token: String,
    /// The date of its signature.
    pub signed_at: Timestamp,
    /// What the host means to renew with it. The cloud is not told: it only reports what it did under it.
    pub meant: Vec<(String, Timestamp)>,
    /// How it is handled, beside what its parameters say.
    pub twist: Twist,
}

/// What else happens to a call that arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Twist {
    /// Declined for this reason.
    pub declined: Option<DeclineClass>,
    /// Applied so many seconds after it was accepted.
    pub delay: i64,
    /// What is attached is left out.
    pub is_partial: bool,
}

/// What the cloud decides about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is taken.
    Accepted,
    /// It is not, and nothing was done.
    Declined(DeclineClass),
    /// The signature is too old.
    Expired,
}

/// What a token came with, and what it was answered.
#[derive(Clone, Debug)]
struct Token {
    resource: String,
    days: i64,
    verdict: Verdict,
    seen_at: Timestamp,
}

/// What comes later.
#[derive(Clone, Debug)]
enum Later {
    Arrive(Call),
    ArriveSwitch(Switch),
    ApplySwitch(Switch),
    Apply { order: usize, call: Call, members: Vec<String> },
    CancelUnpaid(usize),
}

/// The cloud of one account.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    /// What the account may spend there, in whole units.
    pub bank: i64,
    /// Whether it takes idempotency tokens.
    pub takes_tokens: bool,
    /// How often a call prolonged a resource, by what the host meant to renew with it.
    pub applied: BTreeMap<(String, Timestamp), u32>,
    /// How often a command of the host was carried out, by what makes its calls the same.
    pub switched: BTreeMap<String, u32>,
    /// What somebody switched in the console.
    pub switched_by_others: BTreeSet<String>,
    /// What calls of the host cost, in whole units.
    pub spent: i64,
    /// The calls that arrived.
    pub received: u64,
    /// How much happened in it, whoever did it.
    pub events: u64,
    resources: BTreeMap<String, Resource>,
    orders: Vec<Order>,
    tokens: BTreeMap<String, Token>,
    later: Vec<(Timestamp, Later)>,
}

impl Cloud {
    /// Adds a resource that expires at `expiry`.
    pub fn add(&mut self, id: &str, expiry: Timestamp, price: i64, attached: &[String]) {
        let history = vec![(Timestamp::MIN, expiry)];
        let on_expiry = vec![(Timestamp::MIN, OnExpiry::Lapse)];
        let attached = attached.to_vec();
        let resource = Resource { attached, price, history, on_expiry, ended_at: None };
        self.resources.insert(id.to_owned(), resource);
    }

    /// When something happens in it by itself.
    pub fn next_event(&self) -> Option<Timestamp> {
        self.later.iter().map(|(at, _)| *at).min()
    }

    /// Lets everything happen that is due at `now`, in its order.
    pub fn run(&mut self, now: Timestamp) {
        loop {
            let due = self.later.iter().enumerate().filter(|(_, (at, _))| *at <= now);
            let Some((index, at)) = due.map(|(index, (at, _))| (index, *at)).min_by_key(|(_, at)| *at) else {
                return;
            };
            self.events += 1;
            match self.later.remove(index).1 {
                Later::Arrive(call) => {
                    self.receive(call, at);
                }
                Later::ArriveSwitch(switch) => {
                    self.receive_switch(switch, at);
                }
                Later::ApplySwitch(switch) => self.apply_switch(&switch, at),
                Later::Apply { order, call, members } => self.apply(order, &call, &members, at),
                Later::CancelUnpaid(order) => self.cancel_unpaid(order, at),
            }
        }
    }

    /// A call that is under way for so many seconds.
    pub fn receive_later(&mut self, call: Call, now: Timestamp, seconds: i64) {
        self.later.push((now + seconds, Later::Arrive(call)));
    }

    /// A call arrives.
    pub fn receive(&mut self, call: Call, now: Timestamp) -> Verdict {
        (self.received, self.events) = (self.received + 1, self.events + 1);
        if (now - call.signed_at).abs() > SIGNATURE_SECONDS {
            return Verdict::Expired;
        }
        if call.twist.declined == Some(DeclineClass::Throttled) {
            // The gateway turned it away: nothing behind it saw the token.
            return Verdict::Declined(DeclineClass::Throttled);
        }
        if self.takes_tokens
            && let Some(known) = self.tokens.get_mut(&call.token)
            && now - known.seen_at < TOKEN_SECONDS
        {
            known.seen_at = now;
            let is_same = known.resource == call.resource && known.days == call.days;
            return if is_same { known.verdict } else { Verdict::Declined(DeclineClass::Rule) };
        }
        let (token, resource, days) = (call.token.clone(), call.resource.clone(), call.days);
        let verdict = self.decide(call, now);
        if self.takes_tokens {
            self.tokens.insert(token, Token { resource, days, verdict, seen_at: now });
        }
        verdict
    }

    /// Whether an order for a resource is paid and not applied yet, as its support would say.
    pub fn is_working(&self, resource: &str, now: Timestamp) -> bool {
        let is_its = |order: &&Order| order.resource == resource;
        self.orders.iter().filter(is_its).any(|order| order.state_at(now) == Some(OrderState::Paid))
    }

    fn decide(&mut self, call: Call, now: Timestamp) -> Verdict {
        if let Some(class) = call.twist.declined {
            return Verdict::Declined(class);
        }
        let is_open = |order: &Order| {
            order.resource == call.resource
                && matches!(order.state_at(now), Some(OrderState::Unpaid | OrderState::Paid))
        };
        if self.orders.iter().any(is_open) || self.is_ended(&call.resource, now) {
            return Verdict::Declined(DeclineClass::Rule);
        }
        let members = self.members(&call, now);
        let cost = members.iter().map(|id| self.resources[id].price).sum::<i64>() * call.days;
        let mut order =
            Order { resource: call.resource.clone(), made_at: now, history: vec![(now, OrderState::Unpaid)] };
        let index = self.orders.len();
        if cost > self.bank {
            self.orders.push(order);
            self.later.push((now + UNPAID_SECONDS, Later::CancelUnpaid(index)));
            return Verdict::Declined(DeclineClass::Money);
        }
        self.bank -= cost;
        self.spent += cost;
        order.history.push((now, OrderState::Paid));
        self.orders.push(order);
        let delay = call.twist.delay;
        if delay == 0 {
            self.apply(index, &call, &members, now);
        } else {
            self.later.push((now + delay, Later::Apply { order: index, call, members }));
        }
        Verdict::Accepted
    }

    /// What a call prolongs: the named resource, and what is attached to it and expires with it.
    fn members(&self, call: &Call, now: Timestamp) -> Vec<String> {
        let named = self.expiry(&call.resource, now);
        let attached = &self.resources[&call.resource].attached;
        let attached = if call.twist.is_partial { &[][..] } else { attached };
        let along = attached.iter().filter(|id| self.expiry(id, now) == named);
        std::iter::once(&call.resource).chain(along).cloned().collect()
    }

    fn apply(&mut self, order: usize, call: &Call, members: &[String], now: Timestamp) {
        for id in members {
            let expiry = self.expiry(id, now);
            self.set_expiry(id, expiry + call.days * 86_400, now);
            for meant in call.meant.iter().filter(|(meant, _)| meant == id) {
                *self.applied.entry(meant.clone()).or_default() += 1;
            }
        }
        self.orders[order].history.push((now, OrderState::Completed));
    }

    fn cancel_unpaid(&mut self, order: usize, now: Timestamp) {
        if self.orders[order].state_at(now) == Some(OrderState::Unpaid) {
            self.orders[order].history.push((now, OrderState::Cancelled));
        }
    }

    /// Somebody makes an order in the console and leaves it unpaid.
    pub fn order_in_console(&mut self, resource: &str, now: Timestamp) {
        let index = self.orders.len();
        let history = vec![(now, OrderState::Unpaid)];
        self.orders.push(Order { resource: resource.to_owned(), made_at: now, history });
        self.later.push((now + UNPAID_SECONDS, Later::CancelUnpaid(index)));
    }

    /// Somebody prolongs a resource in the console.
    pub fn move_in_console(&mut self, resource: &str, seconds: i64, now: Timestamp) {
        let expiry = self.expiry(resource, now) + seconds;
        self.set_expiry(resource, expiry, now);
    }

    fn set_expiry(&mut self, id: &str, expiry: Timestamp, now: Timestamp) {
        self.events += 1;
        let resource = self.resources.get_mut(id).unwrap();
        let before = resource.history.last().unwrap().1;
        assert!(expiry > before, "the model itself moved an expiry backwards");
        resource.history.push((now, expiry));
    }

    /// The expiry of a resource as of `at`.
    pub fn expiry(&self, id: &str, at: Timestamp) -> Timestamp {
        let history = &self.resources[id].history;
        history.iter().rev().find(|(since, _)| *since <= at).unwrap().1
    }

    /// A resource's orders as of `at`: when each was made, and its state.
    pub fn orders(&self, resource: &str, at: Timestamp) -> Vec<(Timestamp, OrderState)> {
        let of_resource = self.orders.iter().filter(|order| order.resource == resource);
        of_resource.filter_map(|order| Some((order.made_at, order.state_at(at)?))).collect()
    }

    /// The ids of its resources.
    pub fn ids(&self) -> Vec<String> {
        self.resources.keys().cloned().collect()
    }
}

impl Order {
    fn state_at(&self, at: Timestamp) -> Option<OrderState> {
        self.history.iter().rev().find(|(since, _)| *since <= at).map(|(_, state)| *state)
    }
}
