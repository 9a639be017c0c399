//! Which renewals of an account leave next, as one call, and which are queried: quotas, back-off, breakers, pauses and a
//! ceiling on spending.
//!
//! Knows the present and what is due, both as arguments. Sends nothing and keeps nothing that a crash may not lose: what
//! was spent within the hour is counted again from the records.

mod lane;
mod lateness;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::connected::protocol::State;
use crate::connected::record::CallRecord;
use crate::micros::Micros;
use crate::timestamp::Timestamp;

pub use lane::Api;
pub use lane::Gate;
use lane::Lane;
pub use lateness::Lateness;
use lateness::lateness;

/// What an account's calls are held to: the provider's quotas, and the operator's ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendingLimits {
    /// Calls a minute to each API.
    pub calls_per_minute: u32,
    /// Calls that may leave at once after a pause.
    pub burst: u32,
    /// The most resources of one call.
    pub batch: u32,
    /// Failures in a row after which nothing is sent to an API for a while.
    pub breaker_failures: u32,
    /// How long nothing is sent then, in seconds.
    pub breaker_seconds: i64,
    /// The most that calls within an hour may cost; `None` for no ceiling.
    pub spending_per_hour: Option<Micros>,
}

/// How often what waits for an account is counted, in seconds.
const BACKLOG_SECONDS: i64 = 60;

impl SendingLimits {
    /// Ten calls a second with ten resources each, and no ceiling.
    pub const DEFAULT: SendingLimits = SendingLimits {
        calls_per_minute: 600,
        burst: 10,
        batch: 10,
        breaker_failures: 5,
        breaker_seconds: 60,
        spending_per_hour: None,
    };
}

/// Why nothing is sent although something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// An operator paused the account, or all accounts.
    Paused,
    /// The quota of the API is used up, or the cloud asked to wait.
    Quota,
    /// The API failed too often in a row.
    Breaker,
    /// More would be spent within an hour than the operator allows. Said loudly.
    SpendingCeiling,
    /// A freeze window holds, and there is time until it ends.
    Freeze,
}

impl Obstacle {
    /// Every obstacle, for reading what is stored.
    pub const ALL: [Obstacle; 5] =
        [Obstacle::Paused, Obstacle::Quota, Obstacle::Breaker, Obstacle::SpendingCeiling, Obstacle::Freeze];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Obstacle::Paused => "paused",
            Obstacle::Quota => "quota",
            Obstacle::Breaker => "breaker",
            Obstacle::SpendingCeiling => "spending_ceiling",
            Obstacle::Freeze => "freeze",
        }
    }

    /// The number that stands for it in databases. A number is never given to anything else.
    pub const fn code(self) -> i64 {
        match self {
            Obstacle::Paused => 0,
            Obstacle::Quota => 1,
            Obstacle::Breaker => 2,
            Obstacle::SpendingCeiling => 3,
            Obstacle::Freeze => 4,
        }
    }

    /// What `code` stands for; `None` for a number that stands for nothing.
    pub fn from_code(code: i64) -> Option<Obstacle> {
        Obstacle::ALL.into_iter().find(|obstacle| obstacle.code() == code)
    }
}

/// What is done next for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Read these, and pay for those that are as they were before, in one call.
    Pay(Vec<CallRecord>),
    /// Read these, which were called before.
    Query(Vec<CallRecord>),
    /// Nothing before this instant; `None` when only an operator can change it.
    Wait(Obstacle, Option<Timestamp>),
    /// Nothing is due.
    Nothing,
}

/// How the cloud answered a call or a query, as far as quotas and breakers care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answered, also with a no.
    Answered,
    /// It asked to wait for so many seconds, if it said for how many.
    Throttled(Option<i64>),
    /// It failed, or was not reached.
    Failed,
}

/// The lanes of all accounts, and the switches of the operator.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    limits: SendingLimits,
    /// Those of accounts that have limits of their own.
    limits_of: BTreeMap<String, SendingLimits>,
    lanes: BTreeMap<String, Lane>,
    paused: BTreeSet<String>,
    is_paused: bool,
    /// The deadline of each account that an alarm was given about.
    alarms: BTreeMap<String, Timestamp>,
    /// The same of deadlines that the ceiling on spending does not let it keep.
    ceiling_alarms: BTreeMap<String, Timestamp>,
    /// What waits to be paid for of each account, as of when: how many renewals have each deadline, the earliest first.
    backlogs: BTreeMap<String, (Timestamp, Vec<(Timestamp, u64)>)>,
}

impl Dispatcher {
    /// A dispatcher that has sent nothing yet.
    pub fn new(limits: SendingLimits) -> Dispatcher {
        Dispatcher {
            limits,
            limits_of: BTreeMap::new(),
            lanes: BTreeMap::new(),
            paused: BTreeSet::new(),
            is_paused: false,
            alarms: BTreeMap::new(),
            ceiling_alarms: BTreeMap::new(),
            backlogs: BTreeMap::new(),
        }
    }

    /// Holds `account` to limits of its own: its provider's quotas, and what its operator allows.
    pub fn set_limits(&mut self, account: &str, limits: SendingLimits) {
        self.limits_of.insert(account.to_owned(), limits);
    }

    /// What the calls of `account` to `api` are at, to be stored: it holds after a restart.
    pub fn gate(&mut self, account: &str, api: Api) -> Gate {
        self.lane(account).gate(api).clone()
    }

    /// Goes on from where the calls of `account` to `api` were.
    pub fn restore_gate(&mut self, account: &str, api: Api, gate: Gate) {
        *self.lane(account).gate(api) = gate;
    }

    fn limits(&self, account: &str) -> SendingLimits {
        self.limits_of.get(account).copied().unwrap_or(self.limits)
    }

    /// Pauses or resumes all sending.
    pub fn pause_all(&mut self, is_paused: bool) {
        self.is_paused = is_paused;
    }

    /// Pauses or resumes all sending for `account`.
    pub fn pause(&mut self, account: &str, is_paused: bool) {
        if is_paused {
            self.paused.insert(account.to_owned());
        } else {
            self.paused.remove(account);
        }
    }

    /// Whether it is time to count what waits for `account` again.
    pub fn needs_backlog(&self, account: &str, now: Timestamp) -> bool {
        let counted = self.backlogs.get(account);
        counted.is_none_or(|(at, _)| now < *at || now - *at >= BACKLOG_SECONDS)
    }

    /// Learns how many renewals of `account` wait for each deadline, the earliest first; returns what of them cannot leave before
    /// its deadline any more, once for each deadline.
    pub fn count_backlog(
        &mut self,
        account: &str,
        waiting: Vec<(Timestamp, u64)>,
        now: Timestamp,
    ) -> Option<Lateness> {
        let late = lateness(&waiting, &self.limits(account), now);
        self.backlogs.insert(account.to_owned(), (now, waiting));
        let late = late?;
        let known = self.alarms.insert(account.to_owned(), late.deadline);
        (known != Some(late.deadline)).then_some(late)
    }

    /// The first deadline that the ceiling on spending does not let renewals of `due` keep, which wait below it until `until`; once
    /// for each deadline. A renewal that alone is above the ceiling keeps none.
    pub fn late_by_ceiling(
        &mut self,
        account: &str,
        due: &[CallRecord],
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Lateness> {
        let ceiling = self.limits(account).spending_per_hour?;
        let is_late = |record: &&CallRecord| {
            let is_reserved = record.state == State::Reserved && record.renewal().is_some();
            is_reserved && (record.cost() > ceiling || until.is_some_and(|until| until >= record.deadline))
        };
        let late = due.iter().filter(is_late).collect::<Vec<_>>();
        let deadline = late.iter().map(|record| record.deadline).min()?;
        let renewals = late.iter().filter(|record| record.deadline == deadline).count();
        let known = self.ceiling_alarms.insert(account.to_owned(), deadline);
        let renewals = u64::try_from(renewals).unwrap_or(u64::MAX);
        (known != Some(deadline)).then_some(Lateness { deadline, renewals, safe_start: now })
    }

    /// Counts a call of `account` that the records say was sent at `at`: after a start, the ceiling goes on from there.
    pub fn restore_spending(&mut self, account: &str, at: Timestamp, cost: Micros) {
        self.lane(account).spend(at, cost);
    }

    /// What is done next for `account` at `now`, of `due`. What is paid for or queried counts against the quotas.
    pub fn choose(&mut self, account: &str, due: &[CallRecord], is_frozen: bool, now: Timestamp) -> Choice {
        let mut due =
            due.iter().filter(|renewal| renewal.act_at.is_some_and(|at| at <= now)).collect::<Vec<_>>();
        due.retain(|renewal| renewal.state == State::Reserved || renewal.state.is_queried());
        // What ends first goes first; evidence before payments of the same hour.
        due.sort_by_cached_key(|record| {
            (record.deadline, !record.state.is_queried(), record.key(), record.slot())
        });
        if due.is_empty() {
            return Choice::Nothing;
        }
        if self.is_paused || self.paused.contains(account) {
            return Choice::Wait(Obstacle::Paused, None);
        }
        let limits = self.limits(account);
        let thaw = is_frozen.then(|| self.must_start(account, &due, now)).flatten();
        let mut obstacle = None;
        for first in &due {
            let is_payment = first.state == State::Reserved;
            let mut chosen = batch_with(first, &due, limits.batch);
            if is_payment {
                chosen = self.lane(account).below_ceiling(chosen, &limits, now);
            }
            let found = match is_payment {
                true => self.obstacle_to_sending(account, &chosen, thaw, now),
                false => self.lane(account).obstacle(Api::Read, &limits, now),
            };
            match found {
                Some(found) => obstacle = earlier(obstacle, found),
                None => return self.take(account, chosen, is_payment, now),
            }
        }
        obstacle.map_or(Choice::Nothing, |(obstacle, until)| Choice::Wait(obstacle, until))
    }

    /// Learns how the cloud answered.
    pub fn observe(&mut self, account: &str, api: Api, health: Health, now: Timestamp) {
        let limits = self.limits(account);
        self.lane(account).observe(api, health, &limits, now);
    }

    fn lane(&mut self, account: &str) -> &mut Lane {
        self.lanes.entry(account.to_owned()).or_default()
    }

    fn take(&mut self, account: &str, chosen: Vec<CallRecord>, is_payment: bool, now: Timestamp) -> Choice {
        let lane = self.lane(account);
        lane.take(Api::Read);
        if is_payment {
            lane.take(Api::Pay);
            lane.spend(now, chosen.iter().map(CallRecord::cost).sum());
            Choice::Pay(chosen)
        } else {
            Choice::Query(chosen)
        }
    }

    /// When work on what waits must begin although a freeze window holds; `None` when that is now.
    fn must_start(&self, account: &str, due: &[&CallRecord], now: Timestamp) -> Option<Timestamp> {
        let limits = self.limits(account);
        let known = self.backlogs.get(account).map(|(_, waiting)| waiting.clone());
        let waiting = known.unwrap_or_else(|| {
            let renewals = due.iter().filter(|record| record.renewal().is_some());
            renewals.map(|record| (record.deadline, 1)).collect()
        });
        lateness::safe_start(&waiting, &limits).filter(|start| *start >= now)
    }

    /// What keeps `chosen` from being sent now. It takes a reading first, so it needs both APIs. Until `thaw` nothing is paid for;
    /// what costs nothing may leave.
    fn obstacle_to_sending(
        &mut self,
        account: &str,
        chosen: &[CallRecord],
        thaw: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<(Obstacle, Option<Timestamp>)> {
        let limits = self.limits(account);
        let pays = chosen.first().is_some_and(|first| first.renewal().is_some());
        if let Some(thaw) = thaw.filter(|_| pays) {
            return Some((Obstacle::Freeze, Some(thaw)));
        }
        let cost = chosen.iter().map(CallRecord::cost).sum();
        let lane = self.lane(account);
        lane.obstacle(Api::Read, &limits, now)
            .or_else(|| lane.obstacle(Api::Pay, &limits, now))
            .or_else(|| lane.ceiling_obstacle(cost, &limits, now))
    }
}

/// `first` and what can go in one call with it: the same kind, for a payment the same term, in order of urgency.
fn batch_with(first: &CallRecord, due: &[&CallRecord], most: u32) -> Vec<CallRecord> {
    let is_alike = |other: &&&CallRecord| {
        let is_payment = first.state == State::Reserved;
        (other.state == State::Reserved) == is_payment && (!is_payment || other.change == first.change)
    };
    let most = usize::try_from(most.max(1)).unwrap_or(usize::MAX);
    let others = due
        .iter()
        .filter(is_alike)
        .filter(|other| other.key() != first.key() || other.slot() != first.slot());
    std::iter::once(first).chain(others.copied()).take(most).cloned().collect()
}

/// The obstacle that ends first.
fn earlier(
    one: Option<(Obstacle, Option<Timestamp>)>,
    other: (Obstacle, Option<Timestamp>),
) -> Option<(Obstacle, Option<Timestamp>)> {
    match one {
        Some((obstacle, until)) if until.is_some() && other.1.is_none_or(|other| until < Some(other)) => {
            Some((obstacle, until))
        }
        Some(_) | None => Some(other),
    }
}

#[cfg(test)]
mod tests;
