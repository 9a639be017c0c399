//! What was found about a call, in words for the person who looks at it: what the cloud shows, and what was expected.

use perennial_domain::connected::protocol::Finding;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::record::Slot;
use perennial_domain::plan::Refusal;

/// The word for a finding in events.
pub(super) const fn code(finding: Finding) -> &'static str {
    match finding {
        Finding::Doubt => "in_doubt",
        Finding::DoneAlready => "done_already",
        Finding::Drift => "drift",
        Finding::UnpaidOrder => "unpaid_order",
        Finding::PartialRenewal => "partial_renewal",
        Finding::PersonNeeded => "person_needed",
    }
}

/// Why a call is where it is now, and what to do about it; `None` where the provider's own words say more.
pub(super) fn in_words(record: &CallRecord, finding: Finding, read: Option<&ReadBack>) -> Option<Refusal> {
    let shown = || read.map_or("nothing that was read explains it".to_owned(), |read| shown(record, read));
    let message = match finding {
        Finding::Doubt | Finding::PartialRenewal => return None,
        Finding::DoneAlready => format!("{}: it was renewed already, and nothing was sent", shown()),
        Finding::Drift => format!("{}: that is neither how it was nor what was planned", shown()),
        Finding::UnpaidOrder => "an order waits to be paid at the provider".to_owned(),
        Finding::PersonNeeded => format!(
            "{}: look at the provider's console, then say `perennial calls resolve` with `applied` or `not_applied`",
            shown()
        ),
    };
    Some(Refusal { code: code(finding).to_owned(), message })
}

/// What the cloud shows of the resources of a call, beside what was expected.
fn shown(record: &CallRecord, read: &ReadBack) -> String {
    let one = |index: usize| {
        let extension = &record.extensions[index];
        let id = &extension.resource;
        match read.expiries.get(index).copied().flatten() {
            None => format!("`{id}` is not there"),
            Some(expiry) if record.slot() == Slot::Period => format!(
                "`{id}` expires {expiry} (before: {}, planned: {})",
                extension.expires_before, extension.expires_planned
            ),
            Some(expiry) => format!("`{id}` expires {expiry}"),
        }
    };
    let all = (0..record.extensions.len()).map(one).collect::<Vec<_>>();
    format!("the provider shows that {}", all.join(", "))
}
