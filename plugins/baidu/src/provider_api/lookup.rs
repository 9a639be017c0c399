//! Looks up the resource that a request names, in its account and of the kind that the path is for.

use plugin_sdk::Stage;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::filter;
use plugin_sdk::provider_api::filter::Pages;
use plugin_sdk::settings::get;

use crate::kinds::Kind;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::problem::Problem;
use crate::provider_api::shapes::ADDRESS;
use crate::provider_api::shapes::called;

/// The most pages that one request reads: together with the lookup of an id, a transaction and the response, the host
/// would not allow more steps.
pub(crate) const PAGES_MAX: usize = 5;

/// The longest id, in characters.
const ID_MAX: usize = 64;

/// Whether it was released or unsubscribed, and so is not shown any more.
pub(crate) fn is_gone(resource: &ResourceView) -> bool {
    match resource.stage {
        Stage::Released | Stage::Unsubscribed => true,
        Stage::Active | Stage::Grace | Stage::Retention | Stage::Converted => false,
    }
}

/// Whether it is of that kind, and not gone.
pub fn is_there(resource: &ResourceView, kind: Kind) -> bool {
    resource.kind == kind.name() && !is_gone(resource)
}

/// Checks that the text can be an id.
///
/// # Errors
///
/// `BadRequest` when it is too long, or has other than visible ASCII characters.
pub(crate) fn check_id(id: &str) -> Result<(), Problem> {
    if id.bytes().all(|byte| byte.is_ascii_graphic()) && (1..=ID_MAX).contains(&id.len()) {
        return Ok(());
    }
    Err(Problem::bad_request(format!("an id is 1 to {ID_MAX} visible ASCII characters")))
}

/// Every resource of the kind.
pub(crate) fn of_kind(kind: Kind) -> ResourceFilter {
    ResourceFilter { kinds: vec![kind.name().to_owned()], ..filter::all(0, filter::LIMIT_MAX) }
}

/// The resource with this id.
///
/// # Errors
///
/// `BadRequest` when it cannot be an id, `NoSuchObject` when there is none of the kind.
pub fn by_id<'a>(replay: &mut Replay<'a>, kind: Kind, id: &str) -> Result<&'a ResourceView, Stop> {
    let resource = any_by_id(replay, id)?.filter(|resource| is_there(resource, kind));
    resource.ok_or_else(|| Problem::no_such_object(called(kind), id).into())
}

/// The public address with this name: its id or, as the API has it, the address itself. The address is an attribute, so
/// this reads up to [`PAGES_MAX`] pages of the account's addresses.
///
/// # Errors
///
/// `BadRequest` when it can be neither, `NoSuchObject` when there is none.
pub fn address<'a>(replay: &mut Replay<'a>, name: &str) -> Result<&'a ResourceView, Stop> {
    let no_such_object = || Problem::no_such_object(called(Kind::Eip), name).into();
    if let Some(resource) = any_by_id(replay, name)? {
        return Some(resource).filter(|resource| is_there(resource, Kind::Eip)).ok_or_else(no_such_object);
    }
    let mut pages = Pages::new(of_kind(Kind::Eip), PAGES_MAX);
    let is_named = |resource: &&ResourceView| {
        is_there(resource, Kind::Eip) && get(&resource.attributes, ADDRESS) == Some(name)
    };
    while let Some(page) = pages.next(replay)? {
        if let Some(resource) = page.resources.iter().find(is_named) {
            return Ok(resource);
        }
    }
    Err(no_such_object())
}

/// The resource with this id, of any kind and in any stage.
fn any_by_id<'a>(replay: &mut Replay<'a>, id: &str) -> Result<Option<&'a ResourceView>, Stop> {
    check_id(id)?;
    let filter = ResourceFilter { limit: 1, ..filter::by_ids(vec![id.to_owned()]) };
    Ok(replay.resources(filter)?.resources.first())
}
