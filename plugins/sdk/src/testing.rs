//! What native tests of rules are written with: a resource in one line. Rules themselves have no use for it.

use crate::Charging;
use crate::OnExpiry;
use crate::Resource;
use crate::Stage;
use crate::Term;
use crate::TermUnit;
use crate::Timestamp;
use crate::calendar::Calendar;

/// The usual day and hour: that of UTC.
const CALENDAR: Calendar = Calendar::ahead_of_utc(0);
const MONTH: Term = Term { count: 1, unit: TermUnit::Month };

/// A resource of this kind, with the kind's name for an id: paid ahead for the month up to `expires_at`, in seconds since 1970,
/// active, alone, and left to lapse. Its periods are counted from the day of its expiry in UTC. What a test is about is changed in
/// it: `Resource { on_expiry: OnExpiry::Renew, ..resource("server", expires_at) }`.
pub fn resource(kind: &str, expires_at: Timestamp) -> Resource {
    let anchor_day = CALENDAR.day_of_month(expires_at);
    Resource {
        id: kind.to_owned().into(),
        kind: kind.to_owned().into(),
        attached_to: None,
        charging: Charging::Prepaid,
        stage: Stage::Active,
        started_at: CALENDAR.minus(expires_at, anchor_day, MONTH),
        expires_at: Some(expires_at),
        anchor_day: Some(anchor_day),
        term: Some(MONTH),
        on_expiry: OnExpiry::Lapse,
        renewals_left: None,
        renewal_term: None,
        has_unpaid_order: false,
        attributes: Vec::new(),
    }
}
