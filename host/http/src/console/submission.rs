//! What a reader sent: a form or an address, with its fields. Knows no page.

use axum::http::Method;

use crate::console::address::Parameters;

/// What stands before the name of a setting in the form of an account.
pub(super) const SETTING: &str = "setting.";

/// A form as it was sent.
#[derive(Clone, Debug)]
pub(super) struct Submission {
    /// How it was sent.
    pub(super) method: Method,
    /// Where to, without what stands behind a question mark.
    pub(super) path: String,
    /// What was sent in each field, in the order of the form.
    pub(super) fields: Parameters,
}

impl Submission {
    /// What was sent to `path`.
    pub(super) fn new(method: &Method, path: &str, fields: &Parameters) -> Submission {
        Submission { method: method.clone(), path: path.to_owned(), fields: fields.clone() }
    }
}
