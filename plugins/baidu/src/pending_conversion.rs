//! A change to pay-as-you-go that waits for the expiry: whether the resource takes other orders until then.

use plugin_sdk::OnExpiry;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;

use crate::kinds::Kind;
use crate::refusals::Code;
use crate::settings::Settings;

/// Checks that a resource which waits to become pay-as-you-go takes other orders until then. A cache does not: "预付费转后付费API"
/// (SCS). For the other kinds no document says so.
pub(crate) fn check_takes_orders(settings: &Settings, resource: &Resource) -> Result<(), Refusal> {
    let waits = resource.on_expiry == OnExpiry::Convert;
    if !waits || settings.takes_orders_while_converting(Kind::of(&resource.kind)) {
        return Ok(());
    }
    Err(Code::OperationDenied.because(format!(
        "`{}` is set to become pay-as-you-go and takes no other order until then; cancel that first",
        resource.id
    )))
}
