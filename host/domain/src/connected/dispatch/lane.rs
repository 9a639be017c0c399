//! What one account may send: a token bucket and a breaker for each API, and what it spent within the hour.
//!
//! Knows counts and instants of one account, and nothing of renewals.

use std::collections::VecDeque;

use crate::connected::dispatch::Health;
use crate::connected::dispatch::Obstacle;
use crate::connected::dispatch::SendingLimits;
use crate::connected::record::CallRecord;
use crate::micros::Micros;
use crate::timestamp::Timestamp;

/// The seconds that the ceiling on spending looks back.
const HOUR: i64 = 3_600;
/// A call in the unit of buckets, in which a call a minute is one a second.
const CALL: i64 = 60;
/// How long to wait where a cloud asks to and does not say for how long, in seconds.
const THROTTLED_SECONDS: i64 = 5;
/// The longest that a cloud can make an account wait, in seconds: a mistaken header must not stop it for a year.
const THROTTLED_SECONDS_MAX: i64 = HOUR;

/// What a provider counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    /// Calls that read.
    Read,
    /// Calls that pay.
    Pay,
}

impl Api {
    /// Both of them, for everything that is kept of each.
    pub const ALL: [Api; 2] = [Api::Read, Api::Pay];

    /// The number that stands for it in databases. A number is never given to anything else.
    pub const fn code(self) -> i64 {
        match self {
            Api::Read => 0,
            Api::Pay => 1,
        }
    }
}

/// The bucket and the breaker of one API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// What was left of the bucket when, in sixtieths of a call; `None` before the first call: it is full.
    pub level: Option<(Timestamp, i64)>,
    /// How many calls have failed in a row.
    pub failures: u32,
    /// Nothing is sent before this instant, and why.
    pub closed_until: Option<(Obstacle, Timestamp)>,
}

/// What one account may send.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    read: Gate,
    pay: Gate,
    spent: VecDeque<(Timestamp, Micros)>,
}

impl Lane {
    pub(super) fn gate(&mut self, api: Api) -> &mut Gate {
        match api {
            Api::Read => &mut self.read,
            Api::Pay => &mut self.pay,
        }
    }

    /// What keeps a call to `api` from being made at `now`, and until when.
    pub(super) fn obstacle(
        &mut self,
        api: Api,
        limits: &SendingLimits,
        now: Timestamp,
    ) -> Option<(Obstacle, Option<Timestamp>)> {
        self.gate(api).obstacle(limits, now).map(|(obstacle, until)| (obstacle, Some(until)))
    }

    /// Counts a call to `api`, for which [`Lane::obstacle`] found nothing at the same instant.
    pub(super) fn take(&mut self, api: Api) {
        if let Some((_, level)) = &mut self.gate(api).level {
            *level -= CALL;
        }
    }

    pub(super) fn observe(&mut self, api: Api, health: Health, limits: &SendingLimits, now: Timestamp) {
        let gate = self.gate(api);
        match health {
            Health::Answered => gate.failures = 0,
            Health::Throttled(seconds) => {
                let seconds = seconds.unwrap_or(THROTTLED_SECONDS).clamp(1, THROTTLED_SECONDS_MAX);
                gate.close(Obstacle::Quota, now + seconds);
            }
            Health::Failed => {
                gate.failures = gate.failures.saturating_add(1);
                // After the pause one call goes out, and its failure closes the gate again.
                if gate.failures >= limits.breaker_failures {
                    gate.close(Obstacle::Breaker, now + limits.breaker_seconds);
                }
            }
        }
    }

    /// Counts a payment of `cost` at `at`.
    pub(super) fn spend(&mut self, at: Timestamp, cost: Micros) {
        self.spent.push_back((at, cost));
    }

    /// What of `chosen` may be paid for together below the ceiling: the first one in any case, and of the others, in their order,
    /// those that fit behind it.
    pub(super) fn below_ceiling(
        &mut self,
        mut chosen: Vec<CallRecord>,
        limits: &SendingLimits,
        now: Timestamp,
    ) -> Vec<CallRecord> {
        let Some(ceiling) = limits.spending_per_hour else { return chosen };
        self.forget_spending(now);
        let mut total = self.spent.iter().map(|(_, spent)| *spent).sum::<Micros>();
        let mut is_first = true;
        chosen.retain(|record| {
            let fits = total + record.cost() <= ceiling;
            let is_kept = std::mem::take(&mut is_first) || fits;
            if is_kept {
                total += record.cost();
            }
            is_kept
        });
        chosen
    }

    fn forget_spending(&mut self, now: Timestamp) {
        self.spent.retain(|(at, _)| *at + HOUR > now);
    }

    /// Until when `cost` more would be above the ceiling. A single payment above it is never made.
    pub(super) fn ceiling_obstacle(
        &mut self,
        cost: Micros,
        limits: &SendingLimits,
        now: Timestamp,
    ) -> Option<(Obstacle, Option<Timestamp>)> {
        self.forget_spending(now);
        let ceiling = limits.spending_per_hour?;
        if cost > ceiling {
            return Some((Obstacle::SpendingCeiling, None));
        }
        let mut total = cost + self.spent.iter().map(|(_, spent)| *spent).sum();
        let mut until = None;
        for (at, spent) in &self.spent {
            if total <= ceiling {
                break;
            }
            total -= *spent;
            until = Some((Obstacle::SpendingCeiling, Some(*at + HOUR)));
        }
        until
    }
}

impl Gate {
    fn close(&mut self, obstacle: Obstacle, until: Timestamp) {
        if self.closed_until.is_none_or(|(_, before)| before < until) {
            self.closed_until = Some((obstacle, until));
        }
    }

    fn obstacle(&mut self, limits: &SendingLimits, now: Timestamp) -> Option<(Obstacle, Timestamp)> {
        if let Some((obstacle, until)) = self.closed_until {
            if now < until {
                return Some((obstacle, until));
            }
            self.closed_until = None;
        }
        let per_second = i64::from(limits.calls_per_minute.max(1));
        let full = i64::from(limits.burst.max(1)) * CALL;
        // A clock that was set back gives nothing.
        let level = self.level.map_or(full, |(since, level)| {
            level.saturating_add((now - since).max(0).saturating_mul(per_second)).min(full)
        });
        self.level = Some((now, level));
        if level >= CALL {
            return None;
        }
        let seconds = (CALL - level + per_second - 1) / per_second;
        Some((Obstacle::Quota, now + seconds))
    }
}
