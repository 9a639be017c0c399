//! The lists that tools read first: the caller's account, the cloud services, and the types of resources.
//!
//! Sources: Querying the Accounts that the User Can Access (`/v3/auth/domains` of Identity and Access Management, which
//! the official SDKs call for the account's id), Querying Cloud Service Types and Querying Resource Types (qct_00001,
//! qct_00002; the Terraform provider finds its site by the former). The lists
//! contain only the services and types of this plugin's kinds.

use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::body;
use crate::provider_api::json::Json;
use crate::provider_api::problem::Problem;
use crate::provider_api::response;
use crate::provider_api::types::TYPES;
use crate::provider_api::types::Type;

/// The most types on a page.
const LIMIT_MAX: u32 = 100;

/// The account of the caller.
pub fn domains(call: &Call) -> OperationResult {
    let id = call.account.id.as_str();
    let itself = Json::Object(vec![("self", Json::from("/v3/auth/domains"))]);
    let domain = Json::Object(vec![
        ("description", Json::from("")),
        ("enabled", Json::Flag(true)),
        ("id", Json::from(id)),
        ("name", Json::from(id)),
        ("links", itself.clone()),
    ]);
    let body = Json::Object(vec![("domains", Json::List(vec![domain])), ("links", itself)]);
    Ok(response::json(&call.request.id, 200, &body))
}

/// The cloud services of this plugin's kinds.
pub(crate) fn service_types(call: &Call) -> OperationResult {
    let name = body::parameter(call.request, "service_type_name")?.filter(|name| !name.is_empty());
    let is_first =
        |&(index, of): &(usize, &Type)| TYPES[..index].iter().all(|other| other.service != of.service);
    let is_named = |(_, of): &(usize, &Type)| name.as_ref().is_none_or(|name| of.service_name.contains(name));
    let services = TYPES.iter().enumerate().filter(is_first).filter(is_named);
    let rows = services.map(|(_, of)| {
        Json::Object(vec![
            ("service_type_name", Json::from(of.service_name)),
            ("service_type_code", Json::from(of.service)),
            ("abbreviation", Json::from(of.abbreviation)),
        ])
    });
    page(call, "service_types", rows.collect())
}

/// The types of resources of this plugin's kinds.
pub(crate) fn resource_types(call: &Call) -> OperationResult {
    let rows = TYPES.iter().map(|of| {
        Json::Object(vec![
            ("resource_type_code", Json::from(of.resource)),
            ("resource_type_name", Json::from(of.resource_name)),
            ("resource_type_desc", Json::from(of.resource_name)),
            ("service_type_code", Json::from(of.service)),
        ])
    });
    page(call, "resource_types", rows.collect())
}

fn page(call: &Call, name: &'static str, rows: Vec<Json>) -> OperationResult {
    let offset = body::within("offset", body::number(call.request, "offset")?, 0, 0, u32::MAX)?;
    let limit = body::within("limit", body::number(call.request, "limit")?, 10, 1, LIMIT_MAX)?;
    let total = i64::try_from(rows.len()).map_err(|_| Problem::internal())?;
    let rows = rows.into_iter().skip(offset as usize).take(limit as usize).collect();
    call.answered(vec![("total_count", Json::Whole(total)), (name, Json::List(rows))])
}
