//! What is between the host and the model: requests that get lost, come late or twice as slow, and answers that lie about
//! nothing but say nothing.

use std::cell::RefCell;
use std::rc::Rc;

use perennial_domain::attempt::DeclineClass;
use perennial_domain::connected::read_back::OrderView;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::renewal::Renewal;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::connected;
use perennial_engine::connected::Interruption;
use perennial_engine::connected::ReadFailure;
use perennial_engine::connected::Response;

use crate::connected::bug::Bug;
use crate::connected::cloud::Call;
use crate::connected::cloud::Cloud;
use crate::connected::cloud::OrderState;
use crate::connected::cloud::Twist;
use crate::connected::cloud::Verdict;
use crate::connected::random::Random;
use crate::connected::store::Crashes;

/// How far a reading lags behind at most, in seconds.
pub const LAG_MAX: i64 = 1_500;
/// How far the cloud's clock may be off, in seconds.
const SKEW_MAX: i64 = 120;

/// The wire between one host and one cloud.
pub struct Wire {
    /// The cloud behind it.
    pub cloud: Rc<RefCell<Cloud>>,
    /// What decides about faults.
    pub random: Random,
    /// In how many of nine calls something goes wrong.
    pub faults: i64,
    /// Whether the cloud shows orders.
    pub lists_orders: bool,
    /// How the host is broken.
    pub bug: Option<Bug>,
    /// Where the process may end.
    pub crashes: Rc<Crashes>,
    /// Faults that came.
    pub faults_met: u64,
    /// Renewals that left the host.
    pub sent: u64,
}

/// What becomes of a call on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NotConnected,
    Throttled,
    /// It never arrives, and no answer comes.
    Lost,
    /// It arrives minutes later, and no answer comes.
    Late(i64),
    /// It arrives, and what comes back proves nothing: a time-out, a cut connection, a 500 or garbage.
    Unanswered,
    Declined(DeclineClass),
    Slow(i64),
    Partial,
}

impl Wire {
    fn fault(&mut self) -> Option<Fault> {
        if !self.random.happens(self.faults, 9) {
            return None;
        }
        self.faults_met += 1;
        Some(match self.random.below(13) {
            0 => Fault::NotConnected,
            1 => Fault::Throttled,
            2 | 3 => Fault::Lost,
            4 | 5 => Fault::Late(60 + self.random.below(840)),
            6..=8 => Fault::Unanswered,
            9 => Fault::Declined(DeclineClass::Provider),
            10 => Fault::Slow(60 + self.random.below(2_340)),
            11 => Fault::Partial,
            _ => Fault::Declined(DeclineClass::Rule),
        })
    }

    /// The idempotency token of a renewal.
    fn token(&self, renewal: &Renewal) -> String {
        let identity = renewal.call_identity();
        match self.bug {
            Some(Bug::MovedToken) => format!("{identity}/{:?}", renewal.called_at),
            Some(Bug::TokenOutlivesDecline) => format!("{}/{}", identity.resource, identity.expires_before),
            Some(_) | None => identity.to_string(),
        }
    }

    /// The call of one renewal, as it leaves at `at`.
    pub fn call(&self, renewal: &Renewal, at: Timestamp) -> Call {
        assert_eq!(renewal.term.unit, TermUnit::Day, "the model counts in days");
        Call {
            resource: renewal.named().resource.clone(),
            days: i64::from(renewal.term.count.get()),
            token: self.token(renewal),
            signed_at: at,
            meant: renewal.extensions.iter().map(|one| (one.resource.clone(), one.expires_before)).collect(),
            twist: Twist::default(),
        }
    }

    fn send(&mut self, mut call: Call, at: Timestamp) -> Response {
        let fault = self.fault();
        match fault {
            Some(Fault::NotConnected) => return Response::NotConnected,
            Some(Fault::Throttled) => call.twist.declined = Some(DeclineClass::Throttled),
            Some(Fault::Lost) => return Response::Unproven,
            Some(Fault::Late(seconds)) => {
                self.cloud.borrow_mut().receive_later(call, at, seconds);
                return Response::Unproven;
            }
            Some(Fault::Declined(class)) => call.twist.declined = Some(class),
            Some(Fault::Slow(seconds)) => call.twist.delay = seconds,
            Some(Fault::Partial) => call.twist.is_partial = true,
            Some(Fault::Unanswered) | None => {}
        }
        let verdict = self.cloud.borrow_mut().receive(call, at);
        match (fault, verdict) {
            (Some(Fault::Unanswered), _) => Response::Unproven,
            (_, Verdict::Accepted) => Response::Accepted,
            (_, Verdict::Expired) => Response::Declined { class: DeclineClass::Provider, retry_after: None },
            (_, Verdict::Declined(class)) => {
                let retry_after = (class == DeclineClass::Throttled).then_some(7);
                Response::Declined { class, retry_after }
            }
        }
    }

    fn read_one(&self, renewal: &Renewal, at: Timestamp, shown_at: Timestamp) -> ReadBack {
        let cloud = self.cloud.borrow();
        let expiries =
            renewal.extensions.iter().map(|one| Some(cloud.expiry(&one.resource, shown_at))).collect();
        let since = renewal.called_at.map(|called_at| called_at - SKEW_MAX);
        let states = cloud.orders(&renewal.named().resource, shown_at, since);
        let has = |state| states.contains(&state);
        let orders = match () {
            () if !self.lists_orders => OrderView::Unknown,
            () if has(OrderState::Unpaid) => OrderView::Unpaid,
            () if has(OrderState::Paid) => OrderView::Paid,
            () if has(OrderState::Completed) => OrderView::Completed,
            () if has(OrderState::Cancelled) => OrderView::Cancelled { is_own: false },
            () => OrderView::Absent,
        };
        ReadBack { at, expiries, orders }
    }
}

impl connected::Cloud for Wire {
    fn read(
        &mut self,
        _account: &str,
        renewals: &[Renewal],
        at: Timestamp,
    ) -> Result<Vec<ReadBack>, ReadFailure> {
        if self.crashes.pass() {
            return Err(ReadFailure::Stopped);
        }
        let mut shown_at = at;
        if self.random.happens(self.faults, 9) {
            self.faults_met += 1;
            match self.random.below(4) {
                0 => return Err(ReadFailure::Failed),
                1 => return Err(ReadFailure::Throttled(Some(3))),
                2 => return Ok(Vec::new()),
                _ => shown_at = at - self.random.below(LAG_MAX),
            }
        }
        Ok(renewals.iter().map(|renewal| self.read_one(renewal, at, shown_at)).collect())
    }

    fn renew(
        &mut self,
        _account: &str,
        renewals: &[Renewal],
        at: Timestamp,
    ) -> Result<Vec<Response>, Interruption> {
        // The process may end before anything leaves, or with the call under way.
        if self.crashes.pass() {
            return Err(Interruption);
        }
        let calls = renewals.iter().map(|renewal| self.call(renewal, at)).collect::<Vec<_>>();
        self.sent += u64::try_from(calls.len()).unwrap();
        let responses = calls.into_iter().map(|call| self.send(call, at)).collect();
        if self.crashes.pass() { Err(Interruption) } else { Ok(responses) }
    }
}
