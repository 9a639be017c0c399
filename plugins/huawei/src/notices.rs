//! The notices that owners get, and their days.
//!
//! The days are from the billing centre's manual, "Renewal Overview" (renewals_topic): plain expiry 7, 3 and 1 days
//! before, on the Chinese site also 15 days before; what is not to be renewed 3 days before; what becomes pay-per-use
//! not at all; a failed automatic renewal 5 and 2 days before expiry and on its day, and 6 and 2 days before release and
//! on its day. No document gives the hour: it is the setting `notice_hour`.

use plugin_sdk::OnExpiry;
use plugin_sdk::Timestamp;

use crate::family::CALENDAR;
use crate::family::Family;
use crate::family::will_convert;
use crate::lifecycle::Entry;
use crate::lifecycle::ResourceRules;
use crate::paths::first_try;

/// The notices of the manifest, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Notice {
    /// Some days before expiry.
    Expires,
    /// 15 days before the expiry of a CodeArts resource.
    CodeartsExpires,
    /// Automatic renewal has failed so far; 5 and 2 days before expiry and on its day.
    RenewalFailed,
    /// Automatic renewal failed; 6 and 2 days before release and on its day.
    Releases,
    /// The extension or feature expired.
    CodeartsFeaturesStopped,
    /// The package is frozen.
    CodeartsFrozen,
    /// The package is released.
    CodeartsDataLost,
}

/// The name and the label of every notice, in the order of the manifest.
pub const ALL: [(Notice, &str, &str); 7] = [
    (Notice::Expires, "expires-soon", "Expires in 15, 7, 3 or 1 days and is not renewed automatically"),
    (Notice::CodeartsExpires, "codearts-expires-soon", "Expires in 15 days and is not renewed automatically"),
    (
        Notice::RenewalFailed,
        "auto-renewal-failed",
        "Automatic renewal fails; expires in 5 or 2 days, or today",
    ),
    (Notice::Releases, "released-soon", "Automatic renewal failed; is released in 6 or 2 days, or today"),
    (
        Notice::CodeartsFeaturesStopped,
        "codearts-features-stopped",
        "Parallel job quotas and features cannot be used until the extension is renewed",
    ),
    (
        Notice::CodeartsFrozen,
        "codearts-frozen",
        "Tasks can only be viewed and deleted until the package is renewed",
    ),
    (
        Notice::CodeartsDataLost,
        "codearts-data-lost",
        "Code repositories, build and deployment tasks and other resources are released; their data cannot be restored",
    ),
];

const BEFORE_EXPIRY: [i64; 3] = [7, 3, 1];
const BEFORE_CHINESE_EXPIRY: [i64; 4] = [15, 7, 3, 1];
const BEFORE_END_WITHOUT_RENEWAL: [i64; 1] = [3];
const BEFORE_CODEARTS_EXPIRY: i64 = 15;
const FAILED_BEFORE_EXPIRY: [i64; 3] = [5, 2, 0];
const BEFORE_RELEASE: [i64; 3] = [6, 2, 0];

/// Calls `notify` for each notice that is some days before an expiry or a release, and still to come.
pub(crate) fn day_notices(
    rules: &ResourceRules,
    released_at: Timestamp,
    mut notify: impl FnMut(Timestamp, Notice),
) {
    let renews = rules.resource.on_expiry == OnExpiry::Renew;
    let mut before = |event: Timestamp, not_before: Timestamp, days: &[i64], notice: Notice| {
        for &days in days {
            let at = CALENDAR.at_hour(event, days, rules.settings.notice_hour).min(event);
            if at > rules.after && at >= not_before {
                notify(at, notice);
            }
        }
    };
    if rules.is_active() && renews {
        let tried_at = first_try(rules.settings, rules.expires_at);
        before(rules.expires_at, tried_at, &FAILED_BEFORE_EXPIRY, Notice::RenewalFailed);
    }
    if rules.is_active() && !renews && !will_convert(rules.resource) {
        let is_codearts = matches!(rules.family, Family::CodeartsPackage | Family::CodeartsExtension);
        let lapses = rules.resource.on_expiry != OnExpiry::Release;
        let days: &[i64] = match rules.settings.is_chinese_site {
            _ if !lapses => &BEFORE_END_WITHOUT_RENEWAL,
            // CodeArts has a notice of its own on the fifteenth day.
            true if !is_codearts => &BEFORE_CHINESE_EXPIRY,
            true | false => &BEFORE_EXPIRY,
        };
        before(rules.expires_at, Timestamp::MIN, days, Notice::Expires);
        if is_codearts && lapses {
            before(rules.expires_at, Timestamp::MIN, &[BEFORE_CODEARTS_EXPIRY], Notice::CodeartsExpires);
        }
    }
    // Without grace or retention, the notice on the day of expiry is the last.
    if renews && released_at > rules.expires_at {
        before(released_at, rules.expires_at, &BEFORE_RELEASE, Notice::Releases);
    }
}

/// The notice of the loss when a resource enters a stage: "Impact of Expiration" in Renewal Introduction of CodeArts.
pub(crate) fn stage_notice(family: Family, at_expiry: bool, entry: Entry) -> Option<Notice> {
    match (family, entry) {
        (Family::CodeartsPackage, Entry::Retention) => Some(Notice::CodeartsFrozen),
        (Family::CodeartsPackage, Entry::Released) => Some(Notice::CodeartsDataLost),
        (Family::CodeartsExtension, Entry::Retention) => Some(Notice::CodeartsFeaturesStopped),
        (Family::CodeartsExtension, Entry::Released) if at_expiry => Some(Notice::CodeartsFeaturesStopped),
        (
            Family::CodeartsPackage | Family::CodeartsExtension,
            Entry::Grace | Entry::Released | Entry::Converted,
        )
        | (Family::Common | Family::BandwidthAddOn | Family::Package, _) => None,
    }
}
