//! The list of a resource's plain fields. Formats, storage, the API and its description take their fields from it.
//!
//! A new field is a line here and a column in the store's schema. What is not a plain value (what a resource is attached to,
//! a package, attributes, tags) is in [`crate::bundle::Resource`].

use crate::field::FieldKind;

/// A plain field of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceField {
    /// Its name in every format.
    pub name: &'static str,
    /// What it means, a sentence or two for people.
    pub meaning: &'static str,
    /// The kind of value that the field holds.
    pub kind: FieldKind,
    /// Whether it may have no value.
    pub is_optional: bool,
    /// How often the field changes, which decides on its table.
    pub changes: Changes,
}

/// How often a field of a resource changes, and so where it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// Never, once the resource exists.
    Never,
    /// When somebody changes or renews the resource.
    Rarely,
    /// As the clock goes on.
    Often,
}

/// Calls the macro `$with` with every plain field, in the order of every format: its meaning, name, type, and how often it
/// changes. An expansion has to have the types in scope.
#[macro_export]
macro_rules! resource_fields {
    ($with:ident) => {
        $with! {
            /// Unique among all resources.
            id: String, Never;
            /// One of the kinds of its provider's plugin.
            kind: String, Never;
            /// Where it runs, in the provider's word; may be empty.
            region: String, Rarely;
            /// How it is paid for: ahead for a term, or as it is used.
            charging: Charging, Often;
            /// Where it is in its life.
            stage: Stage, Often;
            /// When it was bought or, for a package bought ahead, takes effect.
            started_at: Timestamp, Never;
            /// When what was paid for ends; postpaid resources have none.
            expires_at: Option<Timestamp>, Often;
            /// The day of the month that periods are counted from; postpaid resources have none.
            anchor_day: Option<u8>, Rarely;
            /// The term that it was bought for; postpaid resources have none.
            term: Option<Term>, Rarely;
            /// The price of one term; postpaid resources have none.
            price: Option<Micros>, Rarely;
            /// What is set to happen when it expires.
            on_expiry: OnExpiry, Often;
            /// The automatic renewals that are left; without a value there is no limit.
            renewals_left: Option<u32>, Often;
            /// The term of an automatic renewal; without a value it is `term`.
            renewal_term: Option<Term>, Rarely;
        }
    };
}
