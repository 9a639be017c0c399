//! The attribute `condition` of a resource: its words, and the commands that each word forbids.
//!
//! It is one attribute with several words, because each attribute costs time to copy and most resources have none.

use plugin_sdk::Resource;
use plugin_sdk::settings::get;

use crate::refusals::ACCOUNT_FROZEN;
use crate::refusals::ACCOUNT_FROZEN_CONVERSION;
use crate::refusals::BAD_PARAMETER;
use crate::refusals::CURATED;
use crate::refusals::Code;
use crate::refusals::EXPIRED_OR_FROZEN;
use crate::refusals::FROZEN;
use crate::refusals::INVOICED;
use crate::refusals::MARKETPLACE;
use crate::refusals::NOT_RENEWABLE;
use crate::refusals::OTHER_TRANSACTION;
use crate::refusals::POLICE_FREEZE;
use crate::refusals::PROCESSING_ORDER;
use crate::refusals::SOLUTION;
use crate::refusals::TRANSACTION_RUNNING;
use crate::refusals::TRIAL;
use crate::refusals::UNPAID_ORDER;
use crate::refusals::VIOLATION_FREEZE;

/// The attribute with the words, separated by spaces.
pub const ATTRIBUTE: &str = "condition";

/// The word for an order that waits to be paid.
const UNPAID_WORD: &str = "unpaid-order";

/// A word, and the refusal that it causes for each command; `None` where it allows the command.
#[derive(Debug)]
pub struct Condition {
    /// The word in the attribute.
    pub word: &'static str,
    /// The refusal of a renewal by hand.
    pub renew: Option<Code>,
    /// The refusal of an automatic renewal, when a try is due.
    pub automatic: Option<Code>,
    /// The refusal to switch automatic renewal on.
    pub set_auto_renew: Option<Code>,
    /// The refusal to switch automatic renewal off.
    pub cancel_auto_renew: Option<Code>,
    /// The refusal to unsubscribe.
    pub unsubscribe: Option<Code>,
    /// The refusal of the change to pay-per-use.
    pub convert: Option<Code>,
}

const NONE: Condition = Condition {
    word: "",
    renew: None,
    automatic: None,
    set_auto_renew: None,
    cancel_auto_renew: None,
    unsubscribe: None,
    convert: None,
};

/// Every condition that an attribute can name.
pub const ALL: [Condition; 10] = [
    Condition {
        word: UNPAID_WORD,
        renew: Some(UNPAID_ORDER),
        automatic: Some(UNPAID_ORDER),
        set_auto_renew: Some(UNPAID_ORDER),
        unsubscribe: Some(UNPAID_ORDER),
        convert: Some(OTHER_TRANSACTION),
        ..NONE
    },
    Condition {
        word: "processing-order",
        renew: Some(PROCESSING_ORDER),
        automatic: Some(PROCESSING_ORDER),
        unsubscribe: Some(TRANSACTION_RUNNING),
        convert: Some(OTHER_TRANSACTION),
        ..NONE
    },
    Condition {
        word: "account-frozen",
        renew: Some(ACCOUNT_FROZEN),
        automatic: Some(ACCOUNT_FROZEN),
        set_auto_renew: Some(EXPIRED_OR_FROZEN),
        unsubscribe: Some(ACCOUNT_FROZEN),
        convert: Some(ACCOUNT_FROZEN_CONVERSION),
        ..NONE
    },
    Condition {
        word: "violation-freeze",
        set_auto_renew: Some(EXPIRED_OR_FROZEN),
        unsubscribe: Some(FROZEN),
        convert: Some(VIOLATION_FREEZE),
        ..NONE
    },
    Condition {
        word: "police-freeze",
        set_auto_renew: Some(EXPIRED_OR_FROZEN),
        unsubscribe: Some(FROZEN),
        convert: Some(POLICE_FREEZE),
        ..NONE
    },
    // What is no longer sold cannot be renewed by hand or set otherwise, but automatic renewal goes on.
    Condition {
        word: "off-sale",
        renew: Some(NOT_RENEWABLE),
        set_auto_renew: Some(NOT_RENEWABLE),
        cancel_auto_renew: Some(NOT_RENEWABLE),
        ..NONE
    },
    Condition { word: "trial", unsubscribe: Some(TRIAL), ..NONE },
    Condition { word: "invoiced", unsubscribe: Some(INVOICED), ..NONE },
    Condition { word: "marketplace", unsubscribe: Some(MARKETPLACE), convert: Some(CURATED), ..NONE },
    // Solution portfolios have no automatic renewal; the document names no code for it.
    Condition { word: "solution", set_auto_renew: Some(BAD_PARAMETER), convert: Some(SOLUTION), ..NONE },
];

/// The first refusal among the words of the resource's condition, in the column that `command` selects.
///
/// Words that are not in the table have no effect. An order of this host that waits to be paid counts as the word for it.
pub(crate) fn refuses(resource: &Resource, command: impl Fn(&Condition) -> Option<Code>) -> Option<Code> {
    let unpaid = resource.has_unpaid_order.then_some(UNPAID_WORD);
    let words = get(&resource.attributes, ATTRIBUTE).unwrap_or_default().split_whitespace();
    let known = |word: &str| ALL.iter().find(|known| known.word == word);
    unpaid.into_iter().chain(words).find_map(|word| known(word).and_then(&command))
}

/// Why a condition of the resource refuses its renewal; a condition passes.
pub(crate) fn refused_for_now(resource: &Resource, automatic: bool) -> Option<Code> {
    refuses(resource, |known| if automatic { known.automatic } else { known.renew })
}
