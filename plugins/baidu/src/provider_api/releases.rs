//! The early release of prepaid instances, one or several, and of an address.
//!
//! Documents: "Early Release of Prepaid Instances" (BCC: cloud.baidu.com/doc/BCC/s/qlozpzy93), "Unsubscribe from several
//! prepaid instances" (BCC: 9ltfkyv8p), "Unsubscribe from a prepaid EIP" (EIP: 1lxk6gbpk). Knows parameters and
//! responses; `crate::unsubscription` decides what is released along with an instance, and what is paid back.

use plugin_sdk::Charging;
use plugin_sdk::Command;
use plugin_sdk::Refusal;
use plugin_sdk::Scope;
use plugin_sdk::Stage;
use plugin_sdk::provider_api::CommandRequest;
use plugin_sdk::provider_api::Mutation;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::ResourcePage;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::filter;
use plugin_sdk::provider_api::mutation;
use plugin_sdk::settings::get;
use serde::Deserialize;
use serde::Serialize;

use crate::kinds::Kind;
use crate::members::RELATED_RELEASE;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::body;
use crate::provider_api::body::required;
use crate::provider_api::changes;
use crate::provider_api::changes::InPlace;
use crate::provider_api::changes::TransactionResult;
use crate::provider_api::lookup;
use crate::provider_api::lookup::check_id;
use crate::provider_api::problem::Problem;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::response;
use crate::provider_api::shapes::ADDRESS;
use crate::refusals::Code;

/// The most instances of one request.
const INSTANCES_MAX: usize = 20;

/// Snapshots and network interfaces are not known here, so the flags for them have no effect.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Release {
    instance_id: Option<String>,
    instance_ids: Option<Vec<String>>,
    related_release_flag: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReleaseResponse<'a> {
    success_resources: ReleasedInstance<'a>,
    fail_resources: ReleasedInstance<'a>,
    instance_refund_flag: bool,
}

/// The resources of one instance: `InstanceDeleteResultModel`.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReleasedInstance<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eip: Option<&'a str>,
    volume_ids: Vec<&'a str>,
    snapshot_ids: [&'static str; 0],
    insnap_ids: [&'static str; 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchReleaseResponse<'a> {
    failed_instance_ids: Vec<&'a str>,
}

/// `POST /v2/instance/delete`. The document has the id in the body, the newer SDK in the query.
pub(crate) fn instance(context: &RequestContext, replay: &mut Replay) -> OperationResult {
    let release = body::read::<Release>(context.request)?;
    let named = match release.instance_id {
        Some(id) => Some(id),
        None => context.parameters.filled("instanceId")?.map(str::to_owned),
    };
    let id = required("instanceId", named)?;
    let with_related = release.related_release_flag.unwrap_or(false);
    let before = find(replay, std::slice::from_ref(&id))?;
    let instance = find_instance(before, &id)?;
    if instance.stage == Stage::Unsubscribed {
        check_sent_again(context, &id)?;
        return Ok(response::object(context.id(), &reply(before, before, instance, with_related)));
    }
    match changes::execute(replay, changes::all_or_nothing(mutations(instance, with_related)))? {
        TransactionResult::Refused(refusal) => Err(Stop::from(Problem::from(refusal))),
        TransactionResult::Applied(_) => {
            let after = find(replay, std::slice::from_ref(&id))?;
            Ok(response::object(context.id(), &reply(before, after, instance, with_related)))
        }
    }
}

/// `POST /v2/instance/batchRefundResource`. Instances that the rules refuse are named in the response; when they refuse
/// every one, the request is refused.
pub(crate) fn instances(context: &RequestContext, replay: &mut Replay) -> OperationResult {
    let release = body::read::<Release>(context.request)?;
    let ids = required("instanceIds", release.instance_ids)?;
    if !(1..=INSTANCES_MAX).contains(&ids.len()) {
        let message = format!("`instanceIds` names 1 to {INSTANCES_MAX} instances");
        return Err(Problem::bad_request(message).into());
    }
    if let Some(id) = ids.iter().enumerate().find_map(|(index, id)| ids[..index].contains(id).then_some(id)) {
        return Err(Problem::bad_request(format!("`instanceIds` names `{id}` twice")).into());
    }
    let with_related = release.related_release_flag.unwrap_or(false);
    let page = find(replay, &ids)?;
    let mut instances = Vec::new();
    for id in &ids {
        let instance = find_instance(page, id)?;
        match instance.stage {
            Stage::Unsubscribed => check_sent_again(context, id)?,
            Stage::Active | Stage::Grace | Stage::Retention | Stage::Released | Stage::Converted => {
                instances.push(instance);
            }
        }
    }
    let command = |instance: &&ResourceView| CommandRequest {
        resource: instance.id.clone(),
        command: Command::Unsubscribe(Scope::Everything),
    };
    let proposals = replay.proposals(instances.iter().map(command).collect())?;
    let refusals = instances
        .iter()
        .zip(proposals)
        .filter_map(|(instance, proposal)| Some((instance.id.as_str(), proposal.refusal.as_ref()?)));
    let refusals = refusals.collect::<Vec<_>>();
    if let Some((_, refusal)) = refusals.first().filter(|_| refusals.len() == ids.len()) {
        return Err(Stop::from(batch_problem(refusal)));
    }
    instances.retain(|instance| refusals.iter().all(|(id, _)| *id != instance.id));
    let changes = instances.iter().flat_map(|instance| mutations(instance, with_related)).collect();
    match changes::execute(replay, changes::all_or_nothing(changes))? {
        TransactionResult::Refused(refusal) => Err(Stop::from(batch_problem(refusal))),
        TransactionResult::Applied(_) => {
            let failed_instance_ids = refusals.into_iter().map(|(id, _)| id).collect();
            Ok(response::object(context.id(), &BatchReleaseResponse { failed_instance_ids }))
        }
    }
}

/// Handles `PUT /v1/eip/refund/{eip}`.
pub(crate) fn address(context: &RequestContext, replay: &mut Replay, name: &str) -> OperationResult {
    let resource = lookup::address(replay, name)?;
    let command = mutation::command(&resource.id, Command::Unsubscribe(Scope::Everything));
    changes::change(context, replay, InPlace::No, vec![command])
}

/// The refusal of several instances: there, a wrong state is `BadRequest`.
fn batch_problem(refusal: &Refusal) -> Problem {
    match refusal.code == Code::OperationDenied.name() {
        true => Problem::bad_request(&*refusal.message),
        false => Problem::from(refusal),
    }
}

/// The instances with these ids, and what is attached to them.
fn find<'a>(replay: &mut Replay<'a>, ids: &[String]) -> Result<&'a ResourcePage, Stop> {
    ids.iter().try_for_each(|id| check_id(id))?;
    replay.resources(ResourceFilter { with_attached: true, ..filter::by_ids(ids.to_vec()) })
}

/// The instance with this id; one that was unsubscribed is found, too.
fn find_instance<'a>(page: &'a ResourcePage, id: &str) -> Result<&'a ResourceView, Problem> {
    let is_named = |resource: &&ResourceView| {
        let is_instance = resource.id == id && resource.kind == Kind::Bcc.name();
        is_instance && resource.stage != Stage::Released
    };
    page.resources.iter().find(is_named).ok_or_else(|| Problem::no_such_object("instance", id))
}

/// Checks that the request has a client token: then an instance that was released already was released by the same
/// request, sent before.
fn check_sent_again(context: &RequestContext, id: &str) -> Result<(), Problem> {
    match context.parameters.token()? {
        Some(_) => Ok(()),
        None => Err(Problem::no_such_object("instance", id)),
    }
}

/// The attribute decides, for the command that follows in the same transaction, what is released along.
fn mutations(instance: &ResourceView, with_related: bool) -> Vec<Mutation> {
    let is_set = get(&instance.attributes, RELATED_RELEASE) == Some("true");
    let value = if with_related { "true" } else { "false" };
    let attribute = mutation::set_attribute(&instance.id, RELATED_RELEASE, value);
    let command = mutation::command(&instance.id, Command::Unsubscribe(Scope::Everything));
    (is_set != with_related).then_some(attribute).into_iter().chain([command]).collect()
}

/// What became of the resources that were to be released.
fn reply<'a>(
    before: &ResourcePage,
    after: &'a ResourcePage,
    instance: &ResourceView,
    with_related: bool,
) -> ReleaseResponse<'a> {
    let was_there = |id: &str| {
        let known = before.resources.iter().find(|resource| resource.id == id);
        // When the request was sent again, what it released before is gone already.
        let is_sent_again = instance.stage == Stage::Unsubscribed;
        known.is_some_and(|resource| {
            !lookup::is_gone(resource) || is_sent_again && resource.stage == Stage::Unsubscribed
        })
    };
    let (mut success, mut fail) = (ReleasedInstance::default(), ReleasedInstance::default());
    for resource in after.resources.iter().filter(|resource| was_there(&resource.id)) {
        let is_released = resource.stage == Stage::Unsubscribed;
        let list = if is_released { &mut success } else { &mut fail };
        let is_prepaid = resource.charging == Charging::Prepaid && resource.stage != Stage::Converted;
        if resource.id == instance.id {
            list.instance_id = Some(&resource.id);
        } else if resource.kind == Kind::Cds.name() && (is_prepaid || with_related) {
            list.volume_ids.push(&resource.id);
        } else if resource.kind == Kind::Eip.name() && with_related {
            list.eip = Some(get(&resource.attributes, ADDRESS).unwrap_or(&resource.id));
        }
    }
    let instance_refund_flag = success.instance_id.is_some();
    ReleaseResponse { success_resources: success, fail_resources: fail, instance_refund_flag }
}
