//! When an order is paid: at once, or later by a request of its own.
//!
//! Sources: the field `is_auto_pay` of Renewing Subscriptions to Yearly/Monthly Resources (api_order_00018), and "How Long
//! Is an Order to Be Paid Valid?" of the billing centre's questions. Commands of this host pay at once unless they say
//! otherwise; the API's own default is another one, and `provider_api` says it.

use plugin_sdk::Refusal;
use plugin_sdk::Timestamp;

use crate::refusals::BAD_PARAMETER;
use crate::settings::Settings;

/// The option that says whether an order is paid at once (`1`, the default) or waits to be paid (`0`).
pub(crate) const IS_AUTO_PAY: &str = "is_auto_pay";

/// Checks that a command has no other option, and that this one has a value of the provider's.
pub(crate) fn check(options: &[(String, String)]) -> Result<(), Refusal> {
    let is_known = |(name, value): &&(String, String)| name == IS_AUTO_PAY && (value == "0" || value == "1");
    match options.iter().find(|option| !is_known(option)) {
        None => Ok(()),
        Some((name, value)) if name == IS_AUTO_PAY => Err(BAD_PARAMETER.because(format!(
            "`{IS_AUTO_PAY}` is 1, to pay at once, or 0, to pay the order later; not `{value}`"
        ))),
        Some((name, _)) => {
            Err(BAD_PARAMETER.because(format!("there is no option `{name}`; there is `{IS_AUTO_PAY}` alone")))
        }
    }
}

/// Until when the order of a command with these options waits to be paid; `None` when it is paid at once.
pub(crate) fn pay_until(
    settings: &Settings,
    at: Timestamp,
    options: &[(String, String)],
) -> Result<Option<Timestamp>, Refusal> {
    check(options)?;
    let waits = options.iter().any(|(name, value)| name == IS_AUTO_PAY && value == "0");
    Ok(waits.then_some(at + settings.order_valid_seconds))
}

/// Why an automatic renewal makes no order that waits to be paid.
pub(crate) fn automatic_is_paid() -> Refusal {
    BAD_PARAMETER.because(format!("an automatic renewal is paid at once: leave `{IS_AUTO_PAY}` out, or 1"))
}
