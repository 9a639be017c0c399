//! The operation of each method, path and action.
//!
//! Documents: the API references of BCC, CDS and EIP, "Automatic Renewal API" and "Account Balance Query" (Finance), and the
//! requests that the SDKs send.

use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::request;

use crate::provider_api::parameters::Parameters;
use crate::provider_api::problem::Problem;

/// The operation of a request. Ids and addresses are decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// "Query the instance list" (BCC).
    ListInstances,
    /// "Query the instance details" (BCC).
    ShowInstance(String),
    /// "Query the instance list by ids" (BCC).
    ListInstancesByIds,
    /// "Query the list of instances in the recycle bin" (BCC).
    ListRecycledInstances,
    /// "Instance Renewal" (BCC).
    RenewInstance(String),
    /// "Early Release of Prepaid Instances" (BCC).
    ReleaseInstance,
    /// "Unsubscribe from several prepaid instances" (BCC).
    ReleaseInstances,
    /// Baidu's operation batchCreateAutoRenewRules (BCC).
    CreateRules,
    /// Baidu's operation batchDeleteAutoRenewRules (BCC).
    DeleteRules,
    /// Change of several instances to pay-as-you-go (BCC).
    MakeInstancesPostpaid,
    /// Change of several instances to prepaid (BCC).
    MakeInstancesPrepaid,
    /// "Billing Change-Switch to Prepayment" (BCC).
    MakePrepaid(String),
    /// "Query the disk list" (CDS).
    ListDisks,
    /// "Query the disk details" (CDS).
    ShowDisk(String),
    /// "Disk Renewal" (CDS).
    RenewDisk(String),
    /// "Change the Disk Billing Mode" (CDS).
    ChangeDiskCharging(String),
    /// "Enable Auto Renewal" (CDS).
    CreateDiskRule,
    /// "Cancel Auto Renewal" (CDS).
    DeleteDiskRule,
    /// "Query EIP List" (EIP).
    ListAddresses,
    /// Renews an address (EIP).
    RenewAddress(String),
    /// Baidu's operation startAutoRenew (EIP).
    CreateAddressRule(String),
    /// Baidu's operation stopAutoRenew (EIP).
    DeleteAddressRule(String),
    /// Baidu's operation "EIP后付费转预付费" (EIP).
    MakeAddressPrepaid(String),
    /// "Unsubscribe from a prepaid EIP" (EIP).
    ReleaseAddress(String),
    /// Baidu's operation getRenewResourceList (Finance).
    ListRenewals,
    /// Baidu's operation createRenewResourceRule (Finance).
    CreateRule,
    /// "Account Balance Query" (Finance).
    ShowBalance,
}

/// The value of the query parameter `action` that makes an address prepaid.
const TO_PREPAID: &str = "TO_PREPAY";

/// The query parameters that name an action on the resource of the path.
const ACTIONS: [&str; 6] =
    ["purchaseReserved", "modifyChargeType", "toPostpay", "toPrepay", "startAutoRenew", "stopAutoRenew"];

/// The operation of a request.
///
/// # Errors
///
/// `InvalidURI` for a path or an action that this API does not have, `InvalidVersion` for a path of another version,
/// and `MethodNotAllowed` for a path with another method.
pub fn operation(request: &Request, parameters: &Parameters) -> Result<Operation, Problem> {
    let not_served = || Problem::new("InvalidURI", format!("nothing is served at `{}`", request.path));
    let path = request.path.strip_prefix('/').ok_or_else(not_served)?;
    let segments = path.split('/').map(|segment| request::decode(segment, false));
    let segments = segments.collect::<Option<Vec<_>>>().ok_or_else(not_served)?;
    let [version, family, rest @ ..] = &*segments else { return Err(not_served()) };
    let rest = rest.iter().map(String::as_str).collect::<Vec<_>>();
    let method = request.method.as_str();
    let action = action(parameters)?;
    let (versions, operation): (&[&str], _) = match family.as_str() {
        "instance" => (&["v1", "v2"], instance(method, &rest, action)),
        "volume" => (&["v1", "v2"], volume(method, &rest, action)),
        "eip" => (&["v1"], eip(method, &rest, action)),
        "recycle" => (&["v1", "v2"], recycle(method, &rest)),
        "renew" => (&["v1"], renew(method, &rest)),
        "finance" => (&["v1"], finance(method, &rest)),
        _ => return Err(not_served()),
    };
    if !versions.contains(&version.as_str()) {
        let versions = versions.join(" and ");
        return Err(Problem::new("InvalidVersion", format!("`{family}` is served as {versions}")));
    }
    operation.map_err(|missing| match missing {
        MissingPart::Path => not_served(),
        MissingPart::Method => {
            Problem::new("MethodNotAllowed", format!("`{}` has no {method}", request.path))
        }
        MissingPart::Transaction => {
            Problem::new("InvalidURI", format!("`{}` has no such action", request.path))
        }
    })
}

/// The part of a request that this API does not have.
enum MissingPart {
    Path,
    Method,
    Transaction,
}

/// The action that the query names; `None` when it names none.
fn action(parameters: &Parameters) -> Result<Option<&'static str>, Problem> {
    let mut actions = ACTIONS.into_iter().filter(|action| parameters.has(action));
    let named = parameters.get("action")?.filter(|action| *action == TO_PREPAID).map(|_| TO_PREPAID);
    match (actions.next(), actions.next().or(named)) {
        (None, named) => Ok(named),
        (action, None) => Ok(action),
        (_, Some(_)) => Err(Problem::new("InvalidURI", "the query names more than one action")),
    }
}

fn instance(method: &str, rest: &[&str], action: Option<&str>) -> Result<Operation, MissingPart> {
    match (rest, method, action) {
        ([], "GET", _) => Ok(Operation::ListInstances),
        (["batchCreateAutoRenewRules"], "POST", _) => Ok(Operation::CreateRules),
        (["batchDeleteAutoRenewRules"], "POST", _) => Ok(Operation::DeleteRules),
        (["batch", "charging"], "POST", Some("toPostpay")) => Ok(Operation::MakeInstancesPostpaid),
        (["batch", "charging"], "POST", Some("toPrepay")) => Ok(Operation::MakeInstancesPrepaid),
        (["batch", "charging"], "POST", _) => Err(MissingPart::Transaction),
        (["listByInstanceId"], "POST", _) => Ok(Operation::ListInstancesByIds),
        (["delete"], "POST", _) => Ok(Operation::ReleaseInstance),
        (["batchRefundResource"], "POST", _) => Ok(Operation::ReleaseInstances),
        ([id], "GET", _) => Ok(Operation::ShowInstance((*id).to_owned())),
        ([id], "PUT", Some("purchaseReserved")) => Ok(Operation::RenewInstance((*id).to_owned())),
        ([id], "POST", Some("toPrepay")) => Ok(Operation::MakePrepaid((*id).to_owned())),
        ([_], "PUT" | "POST", _) => Err(MissingPart::Transaction),
        ([] | [_] | ["batch", "charging"], _, _) => Err(MissingPart::Method),
        _ => Err(MissingPart::Path),
    }
}

fn volume(method: &str, rest: &[&str], action: Option<&str>) -> Result<Operation, MissingPart> {
    match (rest, method, action) {
        ([], "GET", _) => Ok(Operation::ListDisks),
        (["autoRenew"], "POST", _) => Ok(Operation::CreateDiskRule),
        (["cancelAutoRenew"], "POST", _) => Ok(Operation::DeleteDiskRule),
        ([id], "GET", _) => Ok(Operation::ShowDisk((*id).to_owned())),
        ([id], "PUT", Some("purchaseReserved")) => Ok(Operation::RenewDisk((*id).to_owned())),
        ([id], "PUT", Some("modifyChargeType")) => Ok(Operation::ChangeDiskCharging((*id).to_owned())),
        ([_], "PUT", _) => Err(MissingPart::Transaction),
        ([] | [_], _, _) => Err(MissingPart::Method),
        _ => Err(MissingPart::Path),
    }
}

fn recycle(method: &str, rest: &[&str]) -> Result<Operation, MissingPart> {
    match (rest, method) {
        (["instance"], "POST") => Ok(Operation::ListRecycledInstances),
        (["instance"], _) => Err(MissingPart::Method),
        _ => Err(MissingPart::Path),
    }
}

fn renew(method: &str, rest: &[&str]) -> Result<Operation, MissingPart> {
    match (rest, method) {
        (["resource", "list"], "POST") => Ok(Operation::ListRenewals),
        (["resource", "rule", "create"], "POST") => Ok(Operation::CreateRule),
        (["resource", "list"] | ["resource", "rule", "create"], _) => Err(MissingPart::Method),
        _ => Err(MissingPart::Path),
    }
}

fn finance(method: &str, rest: &[&str]) -> Result<Operation, MissingPart> {
    match (rest, method) {
        (["cash", "balance"], "POST") => Ok(Operation::ShowBalance),
        (["cash", "balance"], _) => Err(MissingPart::Method),
        _ => Err(MissingPart::Path),
    }
}

fn eip(method: &str, rest: &[&str], action: Option<&str>) -> Result<Operation, MissingPart> {
    match (rest, method, action) {
        ([], "GET", _) => Ok(Operation::ListAddresses),
        ([name], "PUT", Some("purchaseReserved")) => Ok(Operation::RenewAddress((*name).to_owned())),
        ([name], "PUT", Some("startAutoRenew")) => Ok(Operation::CreateAddressRule((*name).to_owned())),
        ([name], "PUT", Some("stopAutoRenew")) => Ok(Operation::DeleteAddressRule((*name).to_owned())),
        ([name], "PUT", Some(TO_PREPAID)) => Ok(Operation::MakeAddressPrepaid((*name).to_owned())),
        (["refund", name], "PUT", None) => Ok(Operation::ReleaseAddress((*name).to_owned())),
        ([_] | ["refund", _], "PUT", _) => Err(MissingPart::Transaction),
        ([] | [_] | ["refund", _], _, _) => Err(MissingPart::Method),
        _ => Err(MissingPart::Path),
    }
}
