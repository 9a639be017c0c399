//! What a database that was set back asks for before it pays again. Knows the words by which such an approval is recognised.

use perennial_domain::policy::chain::RequiredApproval;

/// The name of the policy that every account has with `approval_above`: it requires an approval above that, and of whatever may
/// be paid already.
pub(crate) const BUILT_IN: &str = "approval_above";

/// Why a renewal of any price needs an approval for once.
pub(crate) const MAY_BE_PAID: &str = "the database was set back since it was due: it may be paid already";

/// Whether an approval is required because the database was set back. Only a person knows whether the renewal was paid, so
/// nothing but a decision lets it pass: `on_undecided` does not.
pub(crate) fn requires(required: &[RequiredApproval]) -> bool {
    required.iter().any(|one| one.reason == MAY_BE_PAID)
}

/// The approval that is required of whatever may be paid already.
pub(crate) fn approval() -> RequiredApproval {
    let (policy, reason) = (BUILT_IN.to_owned(), MAY_BE_PAID.to_owned());
    RequiredApproval { policy, reason, by: None, given_by: None, version: None }
}
