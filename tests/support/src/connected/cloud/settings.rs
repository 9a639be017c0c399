//! What a cloud does with commands that are no renewals: what happens on expiry, and the end of a resource.

use perennial_domain::bundle::OnExpiry;
use perennial_domain::connector::Change;
use perennial_domain::timestamp::Timestamp;

use crate::connected::cloud::Cloud;
use crate::connected::cloud::Later;
use crate::connected::cloud::SIGNATURE_SECONDS;
use crate::connected::cloud::Twist;
use crate::connected::cloud::Verdict;

/// A call of the host that switches something, or ends a resource.
#[derive(Clone, Debug)]
pub struct Switch {
    /// The resource that it names.
    pub resource: String,
    /// What it asks for.
    pub change: Change,
    /// What makes two calls the same. The cloud is not told: it only reports what it did under it.
    pub identity: String,
    /// The date of its signature.
    pub signed_at: Timestamp,
    /// How it is handled, beside what its parameters say.
    pub twist: Twist,
}

impl Cloud {
    /// A command that is under way for so many seconds.
    pub fn receive_switch_later(&mut self, switch: Switch, now: Timestamp, seconds: i64) {
        self.later.push((now + seconds, Later::ArriveSwitch(switch)));
    }

    /// A command arrives. It takes no token, and is carried out as often as it comes.
    pub fn receive_switch(&mut self, switch: Switch, now: Timestamp) -> Verdict {
        (self.received, self.events) = (self.received + 1, self.events + 1);
        if (now - switch.signed_at).abs() > SIGNATURE_SECONDS {
            return Verdict::Expired;
        }
        if let Some(class) = switch.twist.declined {
            return Verdict::Declined(class);
        }
        if self.is_ended(&switch.resource, now) {
            return Verdict::Declined(perennial_domain::attempt::DeclineClass::Rule);
        }
        *self.switched.entry(switch.identity.clone()).or_default() += 1;
        match switch.twist.delay {
            0 => self.apply_switch(&switch, now),
            delay => self.later.push((now + delay, Later::ApplySwitch(switch))),
        }
        Verdict::Accepted
    }

    pub(super) fn apply_switch(&mut self, switch: &Switch, now: Timestamp) {
        let on_expiry = match switch.change {
            Change::SetAutoRenew(_) => OnExpiry::Renew,
            Change::CancelAutoRenew | Change::CancelConversion => OnExpiry::Lapse,
            Change::ConvertOnExpiry => OnExpiry::Convert,
            Change::Unsubscribe(_) => {
                self.resources.get_mut(&switch.resource).unwrap().ended_at = Some(now);
                return;
            }
            Change::Renew(_) | Change::PayOrder(_) | Change::CancelOrder(_) => {
                panic!("no command: {:?}", switch.change)
            }
        };
        self.set_on_expiry(&switch.resource, on_expiry, now);
    }

    /// Somebody switches what happens on expiry in the console.
    pub fn switch_in_console(&mut self, resource: &str, on_expiry: OnExpiry, now: Timestamp) {
        self.switched_by_others.insert(resource.to_owned());
        self.set_on_expiry(resource, on_expiry, now);
    }

    fn set_on_expiry(&mut self, id: &str, on_expiry: OnExpiry, now: Timestamp) {
        self.events += 1;
        self.resources.get_mut(id).unwrap().on_expiry.push((now, on_expiry));
    }

    /// What happens when a resource expires, as of `at`.
    pub fn on_expiry(&self, id: &str, at: Timestamp) -> OnExpiry {
        let history = &self.resources[id].on_expiry;
        history.iter().rev().find(|(since, _)| *since <= at).unwrap().1
    }

    /// Whether a resource was given back by `at`.
    pub fn is_ended(&self, id: &str, at: Timestamp) -> bool {
        self.resources[id].ended_at.is_some_and(|ended_at| ended_at <= at)
    }
}
