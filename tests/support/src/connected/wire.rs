//! What is between the host and the model: requests that get lost, come late or twice as slow, and answers that lie about
//! nothing but say nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Stage;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connector::Change;
use perennial_domain::connector::CloudOrder;
use perennial_domain::connector::CloudOrderState;
use perennial_domain::connector::CloudResource;
use perennial_domain::connector::Decline;
use perennial_domain::connector::Outcome;
use perennial_domain::connector::QueryFailure;
use perennial_domain::connector::QueryFailureReason;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Refusal;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::connected;
use perennial_engine::connected::Interruption;
use perennial_engine::connected::ReadFailure;
use perennial_engine::connected::Response;
use perennial_engine::connected::translation;
use perennial_engine::connected::translation::OrderList;

use crate::connected::bug::Bug;
use crate::connected::cloud::Call;
use crate::connected::cloud::Cloud;
use crate::connected::cloud::OrderState;
use crate::connected::cloud::Switch;
use crate::connected::cloud::TOKEN_SECONDS;
use crate::connected::cloud::Twist;
use crate::connected::cloud::Verdict;
use crate::connected::random::Random;
use crate::connected::store::Crashes;

/// How far a reading lags behind at most, in seconds.
pub const LAG_MAX: i64 = 1_500;

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
    /// Calls that left the host.
    pub sent: u64,
    /// How many of the next renewals leave out what is attached.
    pub partials: u32,
    /// Until when nothing that changes something arrives.
    pub lost_until: Timestamp,
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
    /// It arrives, the cloud is stuck with it for hours, and no answer comes.
    Stuck(i64),
    Partial,
}

/// What leaves the host.
enum Sent {
    Renewal(Call),
    Switch(Switch),
}

impl Sent {
    fn twist(&mut self) -> &mut Twist {
        match self {
            Sent::Renewal(call) => &mut call.twist,
            Sent::Switch(switch) => &mut switch.twist,
        }
    }
}

impl Wire {
    fn fault(&mut self) -> Option<Fault> {
        if !self.random.happens(self.faults, 9) {
            return None;
        }
        self.faults_met += 1;
        Some(match self.random.below(14) {
            0 => Fault::NotConnected,
            1 => Fault::Throttled,
            2 | 3 => Fault::Lost,
            4 | 5 => Fault::Late(60 + self.random.below(840)),
            6..=8 => Fault::Unanswered,
            9 => Fault::Declined(DeclineClass::Provider),
            10 => Fault::Slow(60 + self.random.below(2_340)),
            11 => Fault::Partial,
            12 => Fault::Stuck(1_800 + self.random.below(172_800)),
            _ => Fault::Declined(DeclineClass::Rule),
        })
    }

    /// The idempotency token of a renewal.
    fn token(&self, renewal: &CallRecord) -> String {
        let identity = renewal.call_identity();
        match self.bug {
            Some(Bug::MovedToken) => format!("{identity}/{:?}", renewal.called_at),
            Some(Bug::TokenOutlivesDecline) => format!("{}/{}", identity.resource, identity.expires_before),
            Some(_) | None => translation::client_token(&identity),
        }
    }

    /// The call of one renewal, as it leaves at `at`.
    pub fn call(&self, renewal: &CallRecord, at: Timestamp) -> Call {
        let term = renewal.renewal().expect("a renewal").term;
        assert_eq!(term.unit, TermUnit::Day, "the model counts in days");
        Call {
            resource: renewal.named().resource.clone(),
            days: i64::from(term.count.get()),
            token: self.token(renewal),
            signed_at: at,
            meant: renewal.extensions.iter().map(|one| (one.resource.clone(), one.expires_before)).collect(),
            twist: Twist::default(),
        }
    }

    /// The call of one record of the host, as it leaves at `at`.
    fn sent(&self, record: &CallRecord, at: Timestamp) -> Sent {
        if record.renewal().is_some() {
            return Sent::Renewal(self.call(record, at));
        }
        Sent::Switch(Switch {
            resource: record.named().resource.clone(),
            change: record.change.clone(),
            identity: record.call_identity().to_string(),
            signed_at: at,
            twist: Twist::default(),
        })
    }

    fn send(&mut self, mut call: Sent, at: Timestamp) -> Response {
        let fault = match self.fault() {
            _ if at < self.lost_until => Some(Fault::Lost),
            // What is switched or ended shows no order, so that nobody could ever tell.
            Some(Fault::Stuck(_)) if matches!(call, Sent::Switch(_)) => Some(Fault::Unanswered),
            fault => fault,
        };
        let is_partial = self.partials > 0 && matches!(call, Sent::Renewal(_));
        self.partials -= u32::from(is_partial);
        let is_hidden = matches!(&call, Sent::Switch(switch) if self.hides(&switch.change));
        let twist = call.twist();
        twist.is_partial = is_partial;
        match fault {
            Some(Fault::NotConnected) => return Response::NotConnected,
            Some(Fault::Throttled) => twist.declined = Some(DeclineClass::Throttled),
            Some(Fault::Lost) => return Response::Unproven,
            Some(Fault::Late(seconds)) => {
                let mut cloud = self.cloud.borrow_mut();
                match call {
                    Sent::Renewal(call) => cloud.receive_later(call, at, seconds),
                    Sent::Switch(switch) => cloud.receive_switch_later(switch, at, seconds),
                }
                return Response::Unproven;
            }
            Some(Fault::Declined(class)) => twist.declined = Some(class),
            Some(Fault::Slow(seconds)) => twist.delay = seconds,
            Some(Fault::Stuck(seconds)) => {
                twist.delay = seconds;
                // Whoever is stuck is often not reached, too: for longer than a token is remembered.
                if self.random.happens(1, 2) {
                    self.lost_until = at + 1 + self.random.below(129_600);
                }
            }
            Some(Fault::Partial) => twist.is_partial = true,
            Some(Fault::Unanswered) | None => {}
        }
        let is_at_once = twist.delay == 0;
        let verdict = match call {
            Sent::Renewal(call) => self.cloud.borrow_mut().receive(call, at),
            Sent::Switch(switch) => self.cloud.borrow_mut().receive_switch(switch, at),
        };
        let decline = |class: DeclineClass| {
            let retry_after = (class == DeclineClass::Throttled).then_some(7);
            let refusal = Refusal { code: "no".to_owned(), message: "no".to_owned() };
            Outcome::Declined(Decline { class, refusal, retry_after, has_unpaid_order: false })
        };
        let outcome = match (fault, verdict) {
            (Some(Fault::Unanswered | Fault::Stuck(_)), _) => Outcome::InDoubt("no response".to_owned()),
            // Nothing will show it, so only what is done is said to be done.
            (_, Verdict::Accepted) if is_hidden && is_at_once => Outcome::Applied(Vec::new()),
            (_, Verdict::Accepted) => Outcome::Submitted(Vec::new()),
            (_, Verdict::Expired) => decline(DeclineClass::Provider),
            (_, Verdict::Declined(class)) => decline(class),
        };
        translation::response_of(&outcome, !is_hidden)
    }

    /// Whether no reading shows that a change was made: a cloud without a list of orders does not show conversions either.
    fn hides(&self, change: &Change) -> bool {
        !self.lists_orders && *change == Change::ConvertOnExpiry
    }

    fn read_one(&self, renewal: &CallRecord, at: Timestamp, shown_at: Timestamp) -> ReadBack {
        let cloud = self.cloud.borrow();
        let resource = |id: &String| {
            let is_there = !cloud.is_ended(id, shown_at);
            let shown = || shown_resource(id, cloud.expiry(id, shown_at), cloud.on_expiry(id, shown_at));
            is_there.then(shown)
        };
        let resources = renewal.extensions.iter().filter_map(|one| resource(&one.resource));
        let resources = resources.collect::<Vec<_>>();
        let named = &renewal.named().resource;
        let orders = cloud.orders(named, shown_at).into_iter().map(|(made_at, state)| CloudOrder {
            id: String::new(),
            state: match state {
                OrderState::Unpaid => CloudOrderState::Unpaid,
                OrderState::Paid => CloudOrderState::InProgress,
                OrderState::Completed => CloudOrderState::Completed,
                OrderState::Cancelled => CloudOrderState::Cancelled,
            },
            kind: Some(OrderKind::Renewal),
            created_at: Some(made_at),
            resources: vec![named.clone()],
            amount: None,
            currency: None,
            is_automatic: false,
        });
        let orders = orders.collect::<Vec<_>>();
        let takes_token = cloud.takes_tokens && renewal.renewal().is_some();
        let list = match self.lists_orders {
            true => OrderList::Listed(&orders),
            false => OrderList::Unlisted { token_seconds: takes_token.then_some(TOKEN_SECONDS) },
        };
        let read = translation::read_back_of(renewal, &resources, list, at);
        if self.hides(&renewal.change) {
            return ReadBack { on_expiry: vec![None; read.on_expiry.len()], ..read };
        }
        read
    }
}

/// A query that the cloud does not answer, as a connector would say it.
fn read_failure(reason: QueryFailureReason) -> ReadFailure {
    let refusal = Refusal { code: "no".to_owned(), message: "no".to_owned() };
    translation::read_failure_of(&QueryFailure { reason, refusal, retry_after: Some(3) })
}

/// A resource as a connector would show it, of which only the expiry and what happens then counts.
fn shown_resource(id: &str, expiry: Timestamp, on_expiry: OnExpiry) -> CloudResource {
    CloudResource {
        id: id.to_owned(),
        kind: "vm".to_owned(),
        name: String::new(),
        attached_to: None,
        region: String::new(),
        charging: Charging::Prepaid,
        stage: Stage::Active,
        started_at: None,
        expires_at: Some(expiry),
        term: None,
        on_expiry: Some(on_expiry),
        renewals_left: None,
        renewal_term: None,
        price: None,
        has_unpaid_order: None,
        attributes: BTreeMap::new(),
        tags: BTreeMap::new(),
    }
}

impl connected::Cloud for Wire {
    fn read(
        &mut self,
        _account: &str,
        records: &[CallRecord],
        at: Timestamp,
    ) -> Result<Vec<ReadBack>, ReadFailure> {
        if self.crashes.pass() {
            return Err(ReadFailure::Stopped);
        }
        let mut shown_at = at;
        if self.random.happens(self.faults, 9) {
            self.faults_met += 1;
            match self.random.below(4) {
                0 => return Err(read_failure(QueryFailureReason::Provider)),
                1 => return Err(read_failure(QueryFailureReason::Throttled)),
                2 => return Ok(Vec::new()),
                _ => shown_at = at - self.random.below(LAG_MAX),
            }
        }
        Ok(records.iter().map(|record| self.read_one(record, at, shown_at)).collect())
    }

    fn change(
        &mut self,
        _account: &str,
        records: &[CallRecord],
        at: Timestamp,
    ) -> Result<Vec<Response>, Interruption> {
        // The process may end before anything leaves, or with the call under way.
        if self.crashes.pass() {
            return Err(Interruption);
        }
        let calls = records.iter().map(|record| self.sent(record, at)).collect::<Vec<_>>();
        self.sent += u64::try_from(calls.len()).unwrap();
        let responses = calls.into_iter().map(|call| self.send(call, at)).collect();
        if self.crashes.pass() { Err(Interruption) } else { Ok(responses) }
    }
}
