//! Decisions that were kept under an earlier version of the provider contract: their fields get today's names before they
//! are read, so that there is one reader.

use std::borrow::Cow;

use crate::json_tree::Json;
use crate::json_tree::Node;

/// The version of the provider contract that decisions are kept under now. Kept beside each of them.
pub const CONTRACT: &str = "0.2";

/// A field that was renamed: the path of its object, its name in 0.1 and its name now.
type Rename = (&'static [&'static str], &'static str, &'static str);

/// What 0.2 renamed in questions.
pub(super) const QUESTION: [Rename; 1] = [(&[], "resource", "member")];

/// What 0.2 renamed in answers.
pub(super) const ANSWER: [Rename; 2] =
    [(&["plan"], "left_out", "skipped"), (&["plan"], "tries_at_once", "retry_now")];

/// Gives the fields of a decision kept under `contract` the names that they have now. False if this host does not know
/// that version.
pub(super) fn rename(root: &mut Node<'_>, contract: &str, renames: &[Rename]) -> bool {
    match contract {
        CONTRACT => true,
        "0.1" => {
            for (path, old, new) in renames {
                rename_field(root, path, old, new);
            }
            true
        }
        _ => false,
    }
}

fn rename_field(node: &mut Node<'_>, path: &[&str], old: &str, new: &'static str) {
    let Json::Object(fields) = &mut node.json else { return };
    let (wanted, rest) = path.split_first().map_or((old, None), |(first, rest)| (*first, Some(rest)));
    for (name, value) in fields.iter_mut().filter(|(name, _)| name == wanted) {
        match rest {
            Some(rest) => rename_field(value, rest, old, new),
            None => *name = Cow::Borrowed(new),
        }
    }
}
