//! Finding the resource that a request names, in its account and of the kind that the path is about.
//!
//! Knows how ids and addresses look, and how to ask the host for them; not what is done to what was found.

use plugin_sdk::Stage;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::Query;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::settings::get;

use crate::kinds::Kind;
use crate::provider_api::faults::Fault;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::shapes::ADDRESS;
use crate::provider_api::shapes::called;

/// The most resources that one look can find.
pub const LOOK_MAX: u32 = 1000;

/// How often a request looks at most: with an id, an action and its answer the host would go no further.
pub const LOOKS_MAX: usize = 5;

/// The longest id, in characters.
const ID_MAX: usize = 64;

/// The resource, or how to go on looking for it.
pub enum ResolvedResource<'a> {
    /// It is there, and not gone.
    Here(&'a ResourceView),
    /// The host has to look first.
    Look(NextStep),
}

/// Takes the resource out of a [`ResolvedResource`], or goes on looking.
macro_rules! found {
    ($found:expr) => {
        match $found? {
            $crate::provider_api::found::ResolvedResource::Here(subject) => subject,
            $crate::provider_api::found::ResolvedResource::Look(step) => return Ok(step),
        }
    };
}
pub(super) use found;

/// Whether it was released or unsubscribed, and so is not shown any more.
pub fn is_gone(subject: &ResourceView) -> bool {
    match subject.stage {
        Stage::Released | Stage::Unsubscribed => true,
        Stage::Active | Stage::Grace | Stage::Retention | Stage::Converted => false,
    }
}

/// Whether it is of that kind, and not gone.
pub fn is_there(subject: &ResourceView, kind: Kind) -> bool {
    subject.kind == kind.name() && !is_gone(subject)
}

/// Checks that the text can be an id.
///
/// # Errors
///
/// `BadRequest` when it is too long, or not of visible ASCII characters.
pub fn check_id(id: &str) -> Result<(), Fault> {
    if id.bytes().all(|byte| byte.is_ascii_graphic()) && (1..=ID_MAX).contains(&id.len()) {
        return Ok(());
    }
    Err(Fault::bad_request(format!("an id is 1 to {ID_MAX} visible ASCII characters")))
}

/// A selection of everything, to be narrowed.
pub fn everything() -> ResourceFilter {
    ResourceFilter {
        ids: Vec::new(),
        with_attached: false,
        only_primaries: false,
        kinds: Vec::new(),
        stages: Vec::new(),
        charging: None,
        expires_from: None,
        expires_until: None,
        offset: 0,
        limit: LOOK_MAX,
    }
}

/// Asks the host to look for this.
pub fn look(selection: ResourceFilter) -> NextStep {
    NextStep::Query(vec![Query::Resources(selection)])
}

/// The resource with this id.
///
/// # Errors
///
/// `BadRequest` when it can be nobody's id, `NoSuchObject` when there is none of the kind.
pub fn by_id<'a>(asked: &RequestContext<'a>, kind: Kind, id: &str) -> Result<ResolvedResource<'a>, Fault> {
    check_id(id)?;
    let Some(listing) = asked.listings().first().copied() else {
        return Ok(ResolvedResource::Look(look(ResourceFilter {
            ids: vec![id.to_owned()],
            limit: 1,
            ..everything()
        })));
    };
    let subject = listing.resources.iter().find(|subject| subject.id == id && is_there(subject, kind));
    subject.map(ResolvedResource::Here).ok_or_else(|| Fault::no_such_object(called(kind), id))
}

/// The public address that is called by its id or, as the API has it, by the address itself, which is an attribute: so
/// the account's addresses are looked through, up to [`LOOKS_MAX`] times [`LOOK_MAX`] of them.
///
/// # Errors
///
/// `BadRequest` when it can be neither, `NoSuchObject` when there is none.
pub fn address<'a>(asked: &RequestContext<'a>, name: &str) -> Result<ResolvedResource<'a>, Fault> {
    check_id(name)?;
    let listings = asked.listings();
    let Some((by_id, pages)) = listings.split_first() else {
        return Ok(ResolvedResource::Look(look(ResourceFilter {
            ids: vec![name.to_owned()],
            limit: 1,
            ..everything()
        })));
    };
    let mut resources =
        listings.iter().flat_map(|listing| &listing.resources).filter(|subject| is_there(subject, Kind::Eip));
    let is_called =
        |subject: &&ResourceView| subject.id == name || get(&subject.attributes, ADDRESS) == Some(name);
    if let Some(subject) = resources.find(is_called) {
        return Ok(ResolvedResource::Here(subject));
    }
    let seen = pages.iter().map(|page| page.resources.len()).sum::<usize>();
    let is_last = pages.last().is_some_and(|page| page.resources.is_empty() || seen >= page.total as usize);
    if is_last || pages.len() >= LOOKS_MAX || !by_id.resources.is_empty() {
        return Err(Fault::no_such_object(called(Kind::Eip), name));
    }
    let kinds = vec![Kind::Eip.name().to_owned()];
    let offset = u32::try_from(seen).unwrap_or(u32::MAX);
    Ok(ResolvedResource::Look(look(ResourceFilter { kinds, offset, ..everything() })))
}
