//! What is not the same when the months ahead are played twice, as clients see it.

use std::collections::BTreeMap;

use perennial_engine::policy_comparison::Difference;
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::to_text;

/// Something that is not the same with other policies, or with another revision of a plugin.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ComparedDifference {
    /// `renewals`, their number in a month; `paid`, what they and all else cost in a month; or `lapsed`, when a resource
    /// first is without a period that is paid for.
    what: &'static str,
    /// The account's ID.
    account: String,
    /// The month in UTC, such as `2026-01`; null for `lapsed`.
    month: Option<String>,
    /// The resource's ID; null for the others.
    resource: Option<String>,
    /// With what is installed at present: a number, a decimal or an instant; null for a resource that does not lapse.
    current: Option<String>,
    /// With what is tried.
    compared: Option<String>,
    /// The account's currency.
    currency: String,
}

impl ComparedDifference {
    /// A difference, with the currency of each account by its ID.
    pub(super) fn new(difference: Difference, currencies: &BTreeMap<String, String>) -> ComparedDifference {
        let (what, account, month, resource, [current, compared]) = match difference {
            Difference::Renewals { account, month, counts } => {
                ("renewals", account, Some(month), None, counts.map(|count| Some(count.to_string())))
            }
            Difference::Paid { account, month, amounts } => {
                ("paid", account, Some(month), None, amounts.map(|amount| Some(amount.to_string())))
            }
            Difference::Lapsed { account, resource, at } => {
                ("lapsed", account, None, Some(resource), at.map(to_text))
            }
        };
        let currency = currencies.get(&account).cloned().unwrap_or_default();
        ComparedDifference { what, account, month, resource, current, compared, currency }
    }
}
