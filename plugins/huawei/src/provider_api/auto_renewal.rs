//! Switches automatic renewal on and off, for one resource.
//!
//! Sources: Enabling Automatic Subscription Renewal for Yearly/Monthly Resources (api_order_00022, and api_order_00002
//! on the old API) and Disabling it (api_order_00023, and api_order_00003).

use plugin_sdk::AutoRenewal;
use plugin_sdk::Command;
use plugin_sdk::Refusal;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::provider_api::Atomicity;
use serde::Deserialize;

use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::body;
use crate::provider_api::mutations;
use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;
use crate::refusals::AGAINST_POLICY;
use crate::refusals::BAD_PARAMETER;
use crate::refusals::UNKNOWN;

/// The most automatic renewals that can be set.
const TIMES_MAX: u32 = 99;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    auto_renew_times: Option<i64>,
    period_type: Option<String>,
}

/// Switches automatic renewal on for the resource in the path.
pub fn set(call: &Call, replay: &mut Replay) -> OperationResult {
    let auto_renewal = match call.route.dialect {
        Dialect::Present => read_rule(body::read::<Body>(call.request)?)?,
        Dialect::Old => AutoRenewal { term: None, renewals: None },
    };
    carry_out(call, replay, Command::SetAutoRenew(auto_renewal))
}

/// Switches automatic renewal off for the resource in the path.
pub fn cancel(call: &Call, replay: &mut Replay) -> OperationResult {
    carry_out(call, replay, Command::CancelAutoRenew)
}

fn read_rule(body: Body) -> Result<AutoRenewal, Problem> {
    let unit = match body.period_type.as_deref() {
        None => None,
        Some("MONTH") => Some(TermUnit::Month),
        Some("YEAR") => Some(TermUnit::Year),
        Some(_) => return Err(Problem::parameter("period_type is neither MONTH nor YEAR.")),
    };
    let renewals = match body.auto_renew_times {
        None => None,
        times => Some(body::within("auto_renew_times", times, 0, 0, TIMES_MAX)?),
    };
    Ok(AutoRenewal { term: unit.map(|unit| Term { count: 1, unit }), renewals })
}

fn carry_out(call: &Call, replay: &mut Replay, command: Command) -> OperationResult {
    let resource = call.resource()?.to_owned();
    if call.route.dialect == Dialect::Old {
        let action = body::parameter(call.request, "action_id")?;
        if action.as_deref() != Some("autorenew") {
            return Err(Problem::parameter("action_id can only be autorenew.").into());
        }
    }
    let resources = [resource];
    let results = replay.execute(mutations::commands(&resources, &command, Atomicity::AllOrNothing))?;
    if let Some((resource, refusal)) = mutations::first_refused(&resources, &results) {
        return Err(refused(call.route.dialect, resource, refusal).into());
    }
    call.answered(Vec::new())
}

/// The problem of a refusal. The old documents have four codes: success, invalid parameter, access denied, and other
/// errors. An unknown id is an invalid parameter, and what a policy of the operator's denies is denied access, unless the
/// account's setting gives it another code. A refusal of the rules is another error: its status 200 shows that the request
/// was understood, and that sending it again is useless.
fn refused(dialect: Dialect, resource: &str, refusal: &Refusal) -> Problem {
    let as_old = |code: &str| Refusal { code: code.to_owned(), message: refusal.message.clone() };
    match dialect {
        Dialect::Present => Problem::refused(dialect, resource, refusal),
        Dialect::Old if [BAD_PARAMETER.code, UNKNOWN.code].contains(&refusal.code.as_str()) => {
            Problem::refused(dialect, resource, &as_old("CBC.0100"))
        }
        Dialect::Old if refusal.code == AGAINST_POLICY.code => Problem::refused(dialect, resource, refusal),
        Dialect::Old => Problem::refused(dialect, resource, &as_old("CBC.0999")).with_status(200),
    }
}
