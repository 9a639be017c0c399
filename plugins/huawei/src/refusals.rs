//! Every code of a refusal, with its message and its document. The rules decide when a code is given.

use plugin_sdk::Refusal;

/// A refusal of Huawei Cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Huawei Cloud's own code.
    pub code: &'static str,
    /// The message: the problem, and how to solve it.
    pub message: &'static str,
    /// The document with the code in its table.
    pub document: &'static str,
}

impl Code {
    const fn new(code: &'static str, document: &'static str, message: &'static str) -> Code {
        Code { code, message, document }
    }

    /// The refusal in the type of the contract.
    pub fn refusal(self) -> Refusal {
        self.because(self.message)
    }

    /// The refusal with a message that says more than the code's own: the parameter, or what is possible instead.
    pub(crate) fn because(self, message: impl Into<String>) -> Refusal {
        Refusal { code: self.code.to_owned(), message: message.into() }
    }
}

const RENEW: &str = "Renewing Subscriptions to Yearly/Monthly Resources (api_order_00018)";
const RENEW_OLD: &str = "Renewing Subscriptions to Yearly/Monthly Resources (Old)";
const PRICE: &str = "Querying the Renewal Amount of Yearly/Monthly Resources (renew-rate)";
const UNSUBSCRIBE: &str = "Unsubscribing from Yearly/Monthly Resources (api_order_00019)";
const ENABLE: &str = "Enabling Automatic Subscription Renewal for Yearly/Monthly Resources (api_order_00022)";
const DISABLE: &str =
    "Disabling Automatic Subscription Renewal for Yearly/Monthly Resources (api_order_00023)";
const PRICING: &str = "Pricing of a Changed Specification (renewals_topic_60000001)";
const PAY: &str = "Paying Yearly/Monthly Product Orders (api_order_00016)";
const CANCEL: &str = "Canceling Unpaid Orders";
const CONVERT: &str =
    "Enabling/Canceling the Change from Yearly/Monthly to Pay-per-Use upon Expiration (api_order_00024)";

// Of any command.

/// A parameter of the command is not valid.
pub(crate) const BAD_PARAMETER: Code =
    Code::new("CBC.0100", RENEW, "the command has a parameter that is not valid");
/// No such prepaid resource, for every command but a renewal on the present API.
pub(crate) const UNKNOWN: Code =
    Code::new("CBC.99003012", ENABLE, "there is no such yearly/monthly resource");
/// An order of the resource waits to be paid.
pub(crate) const UNPAID_ORDER: Code = Code::new(
    "CBC.99003100",
    RENEW,
    "the resource is in an order that is not paid; pay or cancel that order first",
);

/// A policy of the operator's is against it. The API's own word for a right that is lacking.
pub(crate) const AGAINST_POLICY: Code = Code::new("CBC.0151", RENEW, "access denied");
/// A policy of the operator's does not allow it yet.
pub(crate) const NOT_YET: Code = Code::new("CBC.0151", RENEW, "access denied for now");

// Of a renewal.

/// The balance does not suffice.
pub(crate) const PAYMENT_FAILED: Code =
    Code::new("CBC.30050006", RENEW, "the payment failed: the balance does not suffice; top up the account");
/// The command names an attached resource.
pub(crate) const NOT_PRIMARY: Code =
    Code::new("CBC.30010036", RENEW, "the resource is attached to another one; name the primary resource");
/// The term is not sold.
pub(crate) const TERM_NOT_SOLD: Code =
    Code::new("CBC.30010069", RENEW, "the resource is not sold for this term; choose another term");
/// The renewed period would be over already.
pub(crate) const PERIOD_OVER: Code = Code::new(
    "CBC.99000092",
    RENEW,
    "counted from the original expiry, the renewed period would be over already; choose a longer term",
);
/// The resource expired and was deleted.
pub(crate) const DELETED: Code =
    Code::new("CBC.99003016", RENEW, "the resource has expired and was deleted; buy it again");
/// A renewal names no prepaid resource. The present API has one code for what expired, what is over and what never was.
pub(crate) const UNKNOWN_FOR_RENEWAL: Code = Code::new(
    "CBC.99003016",
    RENEW,
    "there is no such yearly/monthly resource: it has expired and was deleted, or it never was",
);
/// A renewal names a resource that was unsubscribed from.
pub(crate) const UNSUBSCRIBED: Code =
    Code::new("CBC.99003016", RENEW, "the resource was unsubscribed from and is deleted; buy it again");
/// An order of the resource is being carried out.
pub(crate) const PROCESSING_ORDER: Code =
    Code::new("CBC.99003144", RENEW, "an order of the resource is being processed; wait until it is done");
/// It would be paid for longer than the provider allows.
pub(crate) const TOO_LONG: Code =
    Code::new("CBC.99003154", RENEW, "the total duration would exceed the maximum; choose a shorter term");
/// The resource was unsubscribed from; on the old API only.
pub(crate) const GONE: Code = Code::new(
    "CBC.99003631",
    RENEW_OLD,
    "the resource was unsubscribed from and cannot be renewed; buy it again",
);
/// The account is frozen.
pub(crate) const ACCOUNT_FROZEN: Code =
    Code::new("CBC.7281", RENEW_OLD, "the account is frozen: nothing can be renewed or unsubscribed from");
/// This resource is never renewed: pay-per-use, about to be, or off sale.
pub(crate) const NOT_RENEWABLE: Code = Code::new(
    "CBC.30050013",
    PRICE,
    "the resource cannot be renewed: it is pay-per-use, is set to become it on expiry, or is no longer sold",
);

// Why an attached resource stays out of the automatic renewal of its primary. No document has codes for these; they
// stand under that of a period that does not fit.

const STAYS_OUT: &str = "CBC.99000092";
/// It has tries of its own.
pub(crate) const RENEWS_ITSELF: Code = Code::new(
    STAYS_OUT,
    RENEW,
    "it is renewed automatically by itself, because it expires at another instant",
);
/// Something nearer to it renews it.
pub(crate) const RENEWED_WITH_ANOTHER: Code = Code::new(
    STAYS_OUT,
    RENEW,
    "it is renewed together with another resource that it is attached to, which renews itself",
);
/// It needs no renewal yet.
pub(crate) const LASTS_AS_LONG: Code = Code::new(
    STAYS_OUT,
    RENEW,
    "it lasts as long as the resource that it is attached to, without this renewal",
);

// Of automatic renewal.

/// It is expired or frozen.
pub(crate) const EXPIRED_OR_FROZEN: Code = Code::new(
    "CBC.99003602",
    ENABLE,
    "the resource has expired or is frozen: automatic renewal cannot be set; renew it by hand first",
);
/// Automatic renewal is off already.
pub(crate) const ALREADY_OFF: Code = Code::new("CBC.99003605", DISABLE, "automatic renewal is off already");

// Of a change of specification.

/// It is expired or frozen.
pub(crate) const EXPIRED_FOR_CHANGE: Code = Code::new(
    EXPIRED_OR_FROZEN.code,
    PRICING,
    "the resource has expired or is frozen: renew it before its specification is changed",
);

// Of a purchase of what was pay-per-use.

/// It is prepaid already.
pub(crate) const PREPAID_ALREADY: Code = Code::new(
    UNKNOWN.code,
    ENABLE,
    "the resource is yearly/monthly already: only a pay-per-use resource is paid ahead; renew it instead",
);

// Of the payment of an order.

/// There is no such order.
pub(crate) const NO_ORDER: Code = Code::new("CBC.30000010", PAY, "there is no such order");
/// The order is paid or cancelled.
pub(crate) const ORDER_STATE_CHANGED: Code =
    Code::new("CBC.99003106", PAY, "the state of the order has changed: it cannot be paid any more");
/// The order was not paid in time.
pub(crate) const ORDER_EXPIRED: Code =
    Code::new("CBC.99003110", PAY, "the time to pay the order is over: order again");
/// The balance does not suffice.
pub(crate) const ORDER_UNDERFUNDED: Code =
    Code::new("CBC.99005003", PAY, "the balance does not suffice; top up the account");
/// Only an order that waits to be paid is cancelled.
pub(crate) const NOT_CANCELLABLE: Code =
    Code::new("CBC.99005010", CANCEL, "the order does not wait to be paid: it cannot be cancelled");

// Of unsubscription.

/// The subscription was ended before.
pub(crate) const ALREADY_DELETED: Code =
    Code::new("CBC.30000067", UNSUBSCRIBE, "the resource is deleted already");
/// There is no renewed period to give back.
pub(crate) const NO_FUTURE_PERIOD: Code =
    Code::new("CBC.99003128", UNSUBSCRIBE, "the resource has no renewed period, or it has begun already");
/// Its renewed periods lie before or between time that another system paid for. The same code: to the provider they are one.
pub(crate) const NOT_PAID_HERE: Code = Code::new(
    NO_FUTURE_PERIOD.code,
    UNSUBSCRIBE,
    "an inventory added time behind a renewed period that was not paid for here; the periods can be given back only with \
     the whole resource",
);
/// It can only be unsubscribed from together with its primary.
pub(crate) const AS_A_WHOLE: Code = Code::new(
    "CBC.99003185",
    UNSUBSCRIBE,
    "the resource can only be unsubscribed from together with the primary that it is attached to; name that one",
);
/// An invoice was issued for it.
pub(crate) const INVOICED: Code = Code::new(
    "CBC.99003643",
    UNSUBSCRIBE,
    "an invoice was issued for the resource; return the invoice first",
);
/// It is a resource package in force.
pub(crate) const PACKAGE_KEPT: Code = Code::new(
    "CBC.99003647",
    UNSUBSCRIBE,
    "a resource package that has taken effect cannot be unsubscribed from",
);
/// The resource is a trial.
pub(crate) const TRIAL: Code =
    Code::new("CBC.99003649", UNSUBSCRIBE, "a trial resource cannot be unsubscribed from");
/// It was bought at the marketplace.
pub(crate) const MARKETPLACE: Code =
    Code::new("CBC.99003650", UNSUBSCRIBE, "a marketplace product is not unsubscribed from here");
/// A transaction of the resource is in progress.
pub(crate) const TRANSACTION_RUNNING: Code = Code::new(
    "CBC.99003651",
    UNSUBSCRIBE,
    "a transaction of the resource is in progress; wait until it is done",
);
/// It is a CodeArts package.
pub(crate) const CODEARTS_KEPT: Code =
    Code::new("CBC.99003652", UNSUBSCRIBE, "a CodeArts package cannot be unsubscribed from");
/// It is a bandwidth add-on package.
pub(crate) const ADD_ON_KEPT: Code =
    Code::new("CBC.99003654", UNSUBSCRIBE, "a bandwidth add-on package cannot be unsubscribed from");
/// A bandwidth keeps its renewed periods while it has an add-on package. The same code as that of the add-on itself.
pub(crate) const KEPT_FOR_ADD_ON: Code = Code::new(
    "CBC.99003654",
    UNSUBSCRIBE,
    "the bandwidth has an add-on package, so its renewed periods cannot be unsubscribed from",
);
/// The resource is frozen.
pub(crate) const FROZEN: Code =
    Code::new("CBC.99003656", UNSUBSCRIBE, "the resource is frozen and cannot be unsubscribed from");

// Of the change to pay-per-use on expiry.

/// It is a product of the curated marketplace.
pub(crate) const CURATED: Code =
    Code::new("CBC.99003608", CONVERT, "a curated marketplace product cannot become pay-per-use");
/// This kind never becomes pay-per-use.
pub(crate) const NO_PAY_PER_USE: Code =
    Code::new("CBC.99003609", CONVERT, "resources of this type cannot become pay-per-use");
/// It is in its grace or retention period.
pub(crate) const EXPIRED_FOR_CONVERSION: Code = Code::new(
    "CBC.99003610",
    CONVERT,
    "the resource is in its grace or retention period: what happens on expiry can no longer be changed",
);
/// A package is pay-per-use bought ahead.
pub(crate) const PACKAGE_CONVERSION: Code =
    Code::new("CBC.99003611", CONVERT, "a resource package is for pay-per-use already and cannot become it");
/// It is a part of a solution.
pub(crate) const SOLUTION: Code =
    Code::new("CBC.99003622", CONVERT, "a solution product cannot become pay-per-use");
/// Another transaction of the resource is in progress.
pub(crate) const OTHER_TRANSACTION: Code = Code::new(
    "CBC.99003623",
    CONVERT,
    "another transaction of the resource is in progress; wait until it is done",
);
/// It is frozen for a violation.
pub(crate) const VIOLATION_FREEZE: Code =
    Code::new("CBC.99003624", CONVERT, "the resource is frozen for a violation");
/// It is frozen by the police.
pub(crate) const POLICE_FREEZE: Code =
    Code::new("CBC.99003625", CONVERT, "the resource is frozen by the police");
/// The account is frozen.
pub(crate) const ACCOUNT_FROZEN_CONVERSION: Code =
    Code::new("CBC.99003626", CONVERT, "the account is frozen: nothing can become pay-per-use");

/// Every code, in the order of this file.
pub const ALL: &[Code] = &[
    BAD_PARAMETER,
    UNKNOWN,
    UNPAID_ORDER,
    PAYMENT_FAILED,
    NOT_PRIMARY,
    TERM_NOT_SOLD,
    PERIOD_OVER,
    DELETED,
    PROCESSING_ORDER,
    TOO_LONG,
    GONE,
    ACCOUNT_FROZEN,
    NOT_RENEWABLE,
    EXPIRED_OR_FROZEN,
    ALREADY_OFF,
    NO_ORDER,
    ORDER_STATE_CHANGED,
    ORDER_EXPIRED,
    ORDER_UNDERFUNDED,
    NOT_CANCELLABLE,
    ALREADY_DELETED,
    NO_FUTURE_PERIOD,
    AS_A_WHOLE,
    INVOICED,
    PACKAGE_KEPT,
    TRIAL,
    MARKETPLACE,
    TRANSACTION_RUNNING,
    CODEARTS_KEPT,
    ADD_ON_KEPT,
    FROZEN,
    CURATED,
    NO_PAY_PER_USE,
    EXPIRED_FOR_CONVERSION,
    PACKAGE_CONVERSION,
    SOLUTION,
    OTHER_TRANSACTION,
    VIOLATION_FREEZE,
    POLICE_FREEZE,
    ACCOUNT_FROZEN_CONVERSION,
];
