//! The day on which automatic renewals are deducted, and the day on which renewed resources expire: settings of the
//! account.
//!
//! Source: Setting a Deduction Date for Auto-Renewal of Yearly/Monthly Resources and a Same Expiration Date for Renewed
//! Resources (api_order_00031).

use plugin_sdk::provider_api::Atomicity;
use plugin_sdk::provider_api::Mutation;
use serde::Deserialize;

use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::body;
use crate::provider_api::mutations;
use crate::provider_api::problem::Problem;
use crate::provider_api::response::success;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    config_name: Option<String>,
    config_value: Option<String>,
}

/// Changes the setting that the request names.
pub fn configure(call: &Call, replay: &mut Replay) -> OperationResult {
    let body = body::read::<Body>(call.request)?;
    let value = body.config_value.unwrap_or_default();
    let (setting, is_good) = match body.config_name.as_deref() {
        Some("DEDUCTION_DATE") => ("deduction_days", is_day(&value, 2, 7)),
        Some("EXPIRE_DATE") => ("unified_expiry_day", is_day(&value, 1, 28) || value == "-1"),
        Some(_) | None => {
            return Err(Problem::parameter("config_name is neither DEDUCTION_DATE nor EXPIRE_DATE.").into());
        }
    };
    if !is_good {
        let range = "2 to 7 for DEDUCTION_DATE, 1 to 28 or -1 for EXPIRE_DATE";
        return Err(Problem::parameter(format!("config_value is not one of {range}.")).into());
    }
    let mutation = Mutation::ChangeSettings(vec![(setting.to_owned(), Some(value))]);
    let results = replay.execute(mutations::transaction(vec![mutation], Atomicity::AllOrNothing))?;
    match mutations::first_refused(&[setting.to_owned()], &results) {
        Some((_, refusal)) => Err(Problem::parameter(refusal.message.clone()).into()),
        None => call.answered(success()),
    }
}

/// Whether the text is a number from `least` to `most`, without leading zeros or signs.
fn is_day(value: &str, least: u8, most: u8) -> bool {
    (least..=most).any(|day| day.to_string() == value)
}
