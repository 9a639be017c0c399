//! Baidu's own API, for the accounts that the host manages: requests signed with `bce-auth-v1`, answered as BCC, CDS,
//! EIP and Finance answer them.
//!
//! Turns requests into queries and commands, and their outcomes into responses; the rules decide what a command does.
//! Start with `routes` for the operations, `signature` for the credentials, and `problem` for the errors. The README's
//! section "The provider's own API" lists what each operation supports.

mod auto_renewals;
mod balance;
mod body;
pub(crate) mod canonical;
mod changes;
mod charging;
mod charging_batch;
mod digest;
mod filters;
mod finance;
mod lists;
mod lookup;
pub(crate) mod parameters;
mod prepaid;
mod problem;
mod recycle_bin;
mod releases;
mod renewals;
mod request_context;
mod response;
mod routes;
pub(crate) mod shapes;
mod signature;
mod views;

use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::Authentication;
use plugin_sdk::provider_api::Context;
use plugin_sdk::provider_api::Failure;
use plugin_sdk::provider_api::Guest;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::Response;
use plugin_sdk::provider_api::replay;

use crate::Baidu;
use crate::provider_api::problem::Problem;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::routes::Operation;

/// The outcomes of a request, for an operation that fails with a [`Problem`].
type Replay<'a> = replay::Replay<'a, Problem>;

/// Why an operation stops before its end.
type Stop = replay::Stop<Problem>;

/// The response of an operation, or why it stopped before.
type OperationResult = replay::OperationResult<Problem>;

impl Guest for Baidu {
    fn identify(at: Timestamp, request: Request) -> Result<Authentication, Response> {
        signature::authentication(at, &request).map_err(|problem| problem.response(&request.id))
    }

    fn handle(context: Context) -> NextStep {
        let step = replay::run(&context.outcomes, |replay| operate(&context, replay));
        step.unwrap_or_else(|problem| NextStep::Respond(problem.response(&context.request.id)))
    }

    fn fail(_at: Timestamp, request: Request, failure: Failure) -> Response {
        problem::failed(&request, failure)
    }
}

fn operate(context: &Context, replay: &mut Replay) -> OperationResult {
    let context = &RequestContext::of(context)?;
    match routes::operation(context.request, &context.parameters)? {
        Operation::ListInstances => lists::instances(context, replay),
        Operation::ShowInstance(id) => lists::instance(context, replay, &id),
        Operation::ListInstancesByIds => lists::instances_by_ids(context, replay),
        Operation::ListRecycledInstances => recycle_bin::instances(context, replay),
        Operation::ReleaseInstance => releases::instance(context, replay),
        Operation::ReleaseInstances => releases::instances(context, replay),
        Operation::RenewInstance(id) => renewals::instance(context, replay, &id),
        Operation::CreateRules => auto_renewals::create(context, replay),
        Operation::DeleteRules => auto_renewals::delete(context, replay),
        Operation::MakeInstancesPostpaid => charging::to_postpaid(context, replay),
        Operation::MakeInstancesPrepaid => prepaid::instances(context, replay),
        Operation::MakePrepaid(id) => prepaid::instance(context, replay, &id),
        Operation::MakeAddressPrepaid(name) => prepaid::address(context, replay, &name),
        Operation::ListDisks => lists::disks(context, replay),
        Operation::ShowDisk(id) => lists::disk(context, replay, &id),
        Operation::RenewDisk(id) => renewals::disk(context, replay, &id),
        Operation::ChangeDiskCharging(id) => charging::disk(context, replay, &id),
        Operation::CreateDiskRule => auto_renewals::create_for_disk(context, replay),
        Operation::DeleteDiskRule => auto_renewals::delete_for_disk(context, replay),
        Operation::ListAddresses => lists::addresses(context, replay),
        Operation::RenewAddress(name) => renewals::address(context, replay, &name),
        Operation::CreateAddressRule(name) => auto_renewals::create_for_address(context, replay, &name),
        Operation::DeleteAddressRule(name) => auto_renewals::delete_for_address(context, replay, &name),
        Operation::ReleaseAddress(name) => releases::address(context, replay, &name),
        Operation::ListRenewals => finance::list(context, replay),
        Operation::CreateRule => finance::create_rule(context, replay),
        Operation::ShowBalance => balance::show(context, replay),
    }
}
