//! What names a version of a script, and a set of policies: digests. Reads nothing.

use perennial_domain::policy::Policy;
use perennial_formats::policy::binding;
use perennial_formats::policy::binding::PolicyBinding;
use perennial_store::keys::RowKey;
use perennial_store::policies::StoredPolicies;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

/// The SHA-256 of a script, in hexadecimal.
pub(crate) fn of_script(source: &str) -> String {
    hex::encode(Sha256::digest(source))
}

/// The digest of a policy as it is bound: another one whenever somebody changes it.
pub(crate) fn of_policy(policy: &Policy, digest: &str) -> String {
    hex::encode(Sha256::digest(PolicyBinding::of(policy, digest).to_text()))
}

/// The digest of everything that holds: another one whenever a policy, a calendar or a confirmation changes.
pub(crate) fn of_set(stored: &StoredPolicies) -> String {
    let policies = stored.policies.iter();
    let policies = policies.map(|one| json!([one.policy.name, PolicyBinding::of(&one.policy, &one.digest)]));
    let calendars = stored.calendars.iter();
    let calendars = calendars.map(|one| json!([one.calendar.name, binding::days(&one.calendar)]));
    let unconfirmed = stored.unconfirmed.iter();
    let unconfirmed = unconfirmed.map(|one| json!([one.change.row.number(), one.person]));
    let whole = json!({
        "policies": policies.collect::<Vec<_>>(),
        "calendars": calendars.collect::<Vec<_>>(),
        "unconfirmed": unconfirmed.collect::<Vec<_>>(),
    });
    hex::encode(Sha256::digest(whole.to_string()))
}
