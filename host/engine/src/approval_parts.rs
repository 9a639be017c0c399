//! An approval that several policies require, each of somebody with its label: which of them a token gives, and what is left.
//!
//! Knows labels; carries nothing out.

use std::collections::BTreeSet;

use perennial_domain::policy::chain::RequiredApproval;
use perennial_store::approvals::StoredApproval;
use perennial_store::change::Change;

use crate::set_back::BUILT_IN;

/// What somebody may approve of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApproverLabels<'a> {
    /// Everything: the command line, which belongs to the owner of the database.
    All,
    /// What any approver may, and what takes one of these labels.
    Of(&'a BTreeSet<String>),
}

impl ApproverLabels<'_> {
    fn gives(self, required: &RequiredApproval) -> bool {
        match (self, &required.by) {
            (ApproverLabels::All, _) | (_, None) => true,
            (ApproverLabels::Of(labels), Some(label)) => labels.contains(label),
        }
    }
}

/// The labels that somebody has, none of which is among those that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissingLabel {
    pub(crate) owned: Vec<String>,
    pub(crate) wanted: Vec<String>,
}

/// Checks that somebody with these labels has a say: that something is left for them to give.
///
/// # Errors
///
/// [`MissingLabel`] when everything that is left takes other labels.
pub(crate) fn check(required: &[RequiredApproval], labels: ApproverLabels<'_>) -> Result<(), MissingLabel> {
    let left = || required.iter().filter(|one| one.given_by.is_none());
    let ApproverLabels::Of(owned) = labels else { return Ok(()) };
    if required.is_empty() || left().any(|one| labels.gives(one)) {
        return Ok(());
    }
    let wanted = left().filter_map(|one| one.by.clone()).collect::<BTreeSet<_>>();
    Err(MissingLabel { owned: owned.iter().cloned().collect(), wanted: wanted.into_iter().collect() })
}

/// Whether nothing is left once somebody with these labels has given what they can.
pub(crate) fn completes(required: &[RequiredApproval], labels: ApproverLabels<'_>) -> bool {
    required.iter().all(|one| one.given_by.is_some() || labels.gives(one))
}

/// All that is required once `by` has given what their labels are for, and the policies whose approvals that were.
pub(crate) fn give(
    required: &[RequiredApproval],
    labels: ApproverLabels<'_>,
    by: &str,
) -> (Vec<RequiredApproval>, Vec<String>) {
    let mut given = Vec::new();
    let all = required.iter().cloned().map(|mut one| {
        if one.given_by.is_none() && labels.gives(&one) {
            given.push(one.policy.clone());
            one.given_by = Some(by.to_owned());
        }
        one
    });
    (all.collect(), given)
}

/// What is required from now on, where policies require `present` of a plan of which `before` was required: what was given
/// counts as long as the same policy takes the same label.
pub(crate) fn with_given(before: &[RequiredApproval], present: &[RequiredApproval]) -> Vec<RequiredApproval> {
    let given = |one: &RequiredApproval| before.iter().find(|other| is_same(one, other))?.given_by.clone();
    present.iter().map(|one| RequiredApproval { given_by: given(one), ..one.clone() }).collect()
}

/// What is required of a plan that waits: what policies require at `present`, and what was required `before` of policies that
/// `hold` as they were then. Only who may change policies lifts what is waited for.
pub(crate) fn with_kept(
    before: &[RequiredApproval],
    present: &[RequiredApproval],
    holds: impl Fn(&RequiredApproval) -> bool,
) -> Vec<RequiredApproval> {
    let is_gone = |one: &&RequiredApproval| !present.iter().any(|other| other.policy == one.policy);
    let kept = before.iter().filter(is_gone).filter(|one| holds(one)).cloned();
    with_given(before, present).into_iter().chain(kept).collect()
}

/// Whether `present` takes an approval that `before` does not: of another policy, or with another label.
pub(crate) fn takes_others(before: &[RequiredApproval], present: &[RequiredApproval]) -> bool {
    let is_new = |one: &RequiredApproval| !before.iter().any(|other| is_same(one, other));
    // One that is older than policies is that of the limit.
    let is_limit = |one: &RequiredApproval| before.is_empty() && one.policy == BUILT_IN;
    present.iter().any(|one| is_new(one) && !is_limit(one))
}

fn is_same(one: &RequiredApproval, other: &RequiredApproval) -> bool {
    one.policy == other.policy && one.by == other.by
}

/// Has `stored` wait for `present`, with nothing of it given: it holds another plan from now on.
pub(crate) fn begun_again(stored: &StoredApproval, present: &[RequiredApproval]) -> Option<Change> {
    let required = with_given(&[], present);
    (required != stored.required).then(|| set_required(stored, required))
}

/// The change after which `stored` waits for `required`.
pub(crate) fn set_required(stored: &StoredApproval, required: Vec<RequiredApproval>) -> Change {
    Change::SetRequired { approval: stored.row, required, expires_at: stored.expires_at }
}

/// Labels for people, such as `finance` or nothing.
pub(crate) fn pending_words(labels: &[String]) -> String {
    if labels.is_empty() { "no label".to_owned() } else { quoted(labels) }
}

/// Such as: `finance`, `security`.
pub(crate) fn quoted(labels: &[String]) -> String {
    labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ")
}
