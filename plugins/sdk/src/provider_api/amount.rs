//! Amounts as providers write them in JSON: every digit that is counted, and none that is not.

use crate::Micros;

/// An amount in decimals, without trailing zeros: `-12.5`, `0`.
///
/// ```
/// use plugin_sdk::provider_api::amount::decimal;
///
/// assert_eq!(decimal(12_500_000), "12.5");
/// assert_eq!(decimal(-1), "-0.000001");
/// assert_eq!(decimal(99_000_000), "99");
/// ```
pub fn decimal(amount: Micros) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let (whole, rest) = (amount.unsigned_abs() / 1_000_000, amount.unsigned_abs() % 1_000_000);
    let decimals = format!("{rest:06}");
    match decimals.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        decimals => format!("{sign}{whole}.{decimals}"),
    }
}
