//! Baidu's own API, for the accounts that the host manages: requests signed with `bce-auth-v1`, answered as BCC, CDS and
//! EIP answer them.
//!
//! Knows how a request becomes questions and commands, and how their outcome becomes a response; what a command does
//! is decided by the same rules as everywhere else. Start reading at `routes` for what is served, at `signature` for
//! who may ask, and at `faults` for what is answered otherwise. The README's section "The provider's own API" says what
//! each operation supports.

mod answers;
mod auto_renewals;
mod bodies;
mod canonical;
mod changes;
mod charging;
mod digests;
mod faults;
mod filters;
mod found;
mod instants;
mod lists;
mod parameters;
mod renewals;
mod request_context;
mod routes;
mod shapes;
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

use crate::Baidu;
use crate::provider_api::faults::Fault;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::routes::Operation;

impl Guest for Baidu {
    fn identify(at: Timestamp, request: Request) -> Result<Authentication, Response> {
        signature::authentication(at, &request).map_err(|fault| fault.response(&request.id))
    }

    fn handle(context: Context) -> NextStep {
        next(&context).unwrap_or_else(|fault| NextStep::Respond(fault.response(&context.request.id)))
    }

    fn fail(_at: Timestamp, request: Request, failure: Failure) -> Response {
        faults::failed(&request, failure)
    }
}

/// What the host does next for an operation, or why it is not carried out.
fn next(context: &Context) -> Result<NextStep, Fault> {
    let asked = RequestContext::of(context)?;
    match routes::operation(&context.request, &asked.parameters)? {
        Operation::ListInstances => lists::instances(&asked),
        Operation::ShowInstance(id) => lists::instance(&asked, &id),
        Operation::RenewInstance(id) => renewals::instance(&asked, &id),
        Operation::CreateRules => auto_renewals::create(&asked),
        Operation::DeleteRules => auto_renewals::delete(&asked),
        Operation::ChangeCharging(target) => charging::instances(&asked, target),
        Operation::MakePrepaid(id) => charging::make_prepaid(&asked, &id),
        Operation::ListDisks => lists::disks(&asked),
        Operation::ShowDisk(id) => lists::disk(&asked, &id),
        Operation::RenewDisk(id) => renewals::disk(&asked, &id),
        Operation::ChangeDiskCharging(id) => charging::disk(&asked, &id),
        Operation::CreateDiskRule => auto_renewals::create_for_disk(&asked),
        Operation::DeleteDiskRule => auto_renewals::delete_for_disk(&asked),
        Operation::ListAddresses => lists::addresses(&asked),
        Operation::RenewAddress(name) => renewals::address(&asked, &name),
        Operation::CreateAddressRule(name) => auto_renewals::create_for_address(&asked, &name),
        Operation::DeleteAddressRule(name) => auto_renewals::delete_for_address(&asked, &name),
    }
}
