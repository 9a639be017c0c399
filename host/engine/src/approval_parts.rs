//! An approval that several policies require, each of somebody with its label: which of them a token gives, and what is left.
//!
//! Knows labels; carries nothing out.

use std::collections::BTreeSet;

use perennial_domain::policy::chain::RequiredApproval;
use perennial_store::approvals::StoredApproval;
use perennial_store::change::Change;

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
    pub(crate) held: Vec<String>,
    pub(crate) wanted: Vec<String>,
}

/// Checks that somebody with these labels has a say: that something is left for them to give.
///
/// # Errors
///
/// [`MissingLabel`] when everything that is left takes other labels.
pub(crate) fn check(required: &[RequiredApproval], labels: ApproverLabels<'_>) -> Result<(), MissingLabel> {
    let left = || required.iter().filter(|one| one.given_by.is_none());
    let ApproverLabels::Of(held) = labels else { return Ok(()) };
    if required.is_empty() || left().any(|one| labels.gives(one)) {
        return Ok(());
    }
    let wanted = left().filter_map(|one| one.by.clone()).collect::<BTreeSet<_>>();
    Err(MissingLabel { held: held.iter().cloned().collect(), wanted: wanted.into_iter().collect() })
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

/// Takes back what was given of `stored`, which holds another plan from now on.
pub(crate) fn taken_back(stored: &StoredApproval) -> Option<Change> {
    if stored.required.iter().all(|one| one.given_by.is_none()) {
        return None;
    }
    let all = stored.required.iter().cloned();
    let required = all.map(|one| RequiredApproval { given_by: None, ..one }).collect();
    Some(Change::SetRequired { approval: stored.row, required })
}

/// Labels for people, such as `finance` or nothing.
pub(crate) fn held_words(labels: &[String]) -> String {
    if labels.is_empty() { "no label".to_owned() } else { quoted(labels) }
}

/// Such as: `finance`, `security`.
pub(crate) fn quoted(labels: &[String]) -> String {
    labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ")
}
