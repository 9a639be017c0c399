//! `/v1/resources`: the resources that the host keeps renewed.

use std::collections::BTreeMap;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::bundle::Stage;
use perennial_domain::manifest::Manifest;
use perennial_store::ReadTx;
use perennial_store::keys::ResourceKey;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

use crate::admin::accounts::NewAccount;
use crate::admin::command_bodies::NewTerm;
use crate::auth::require_all_accounts;
use crate::input::Body;
use crate::input::Document;
use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;
use crate::views;
use crate::views::ResourceView;
use crate::write::Write;
use crate::write::WriteResponse;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::rules::Providers;
use perennial_formats::body::JsonCursor;
use perennial_formats::event_view::EventView;
use perennial_formats::inventory;
use perennial_service::admin_tokens::Caller;
use perennial_service::admin_tokens::Role;
use perennial_service::lookup;
use perennial_store::accounts;
use perennial_store::bundles;
use perennial_store::list_queries;

/// The parameters that [`filter`] reads, as the API describes them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `filter` reads")]
pub(super) struct ResourceFilterParams {
    /// Only of this account.
    account: Option<String>,
    /// Only of this provider.
    provider: Option<String>,
    /// Only of this kind.
    kind: Option<String>,
    /// Only at this stage, such as `grace`.
    #[param(pattern = "^(active|grace|retention|released|unsubscribed|converted)$")]
    stage: Option<String>,
    /// Only with this tag: `name`, or `name=value`.
    tag: Option<String>,
    /// Only resources that expire at this instant or later.
    #[param(format = DateTime)]
    expires_from: Option<String>,
    /// Only resources that expire before this instant.
    #[param(format = DateTime)]
    expires_before: Option<String>,
}

/// Lists the resources that pass every given filter, in the order in which they were added.
#[utoipa::path(get, path = "/v1/resources", tag = "resources",
    params(ResourceFilterParams, PageParams),
    responses((status = 200, body = Page<ResourceView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<ResourceView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let filter = filter(&mut query, &caller);
    query.finish()?;
    let rows = app.read(move |db| page_of(db, &filter, page_request)).await?;
    Ok(Json(Page::new(page_request, rows)))
}

/// Reads the filter of a list of resources: `account`, `provider`, `kind`, `stage`, `tag`, `expires_from`,
/// `expires_before`.
pub(crate) fn filter(query: &mut Query, caller: &Caller) -> list_queries::Filter {
    let (tag, tag_value) = split_tag(query.take("tag"));
    list_queries::Filter {
        accounts: caller.accounts_json(),
        account: query.take("account"),
        provider: query.take("provider"),
        kind: query.take("kind"),
        stage: query.one_of("stage", &Stage::ALL, Stage::name),
        tag,
        tag_value,
        expires_from: query.instant("expires_from"),
        expires_before: query.instant("expires_before"),
        packages: false,
    }
}

/// Splits a tag into its name and optional value: `name` or `name=value`.
pub(crate) fn split_tag(tag: Option<String>) -> (Option<String>, Option<String>) {
    match tag.as_deref().map(|tag| tag.split_once('=')) {
        Some(Some((name, value))) => (Some(name.to_owned()), Some(value.to_owned())),
        Some(None) => (tag, None),
        None => (None, None),
    }
}

/// Reads a page of resources, by row.
pub(crate) fn page_of(
    db: &ReadTx,
    filter: &list_queries::Filter,
    page_request: page::PageRequest,
) -> Result<Vec<(ResourceKey, ResourceView)>, Problem> {
    let mut rows = Vec::new();
    for (row, id) in list_queries::resources(db, filter, page_request.after(), page_request.read_limit())? {
        if let Some(resource) = lookup::find_resource(db, &id)? {
            rows.push((row, views::resource_view(db, &resource)?));
        }
    }
    Ok(rows)
}

/// Gets a resource.
#[utoipa::path(get, path = "/v1/resources/{id}", tag = "resources", params(("id" = String, Path)),
    responses((status = 200, body = ResourceView, headers(("ETag" = String, description = "Its version.")))))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    query.finish()?;
    let view = app
        .read(move |db| Ok(views::resource_view(db, &lookup::resolve_resource(db, &caller, &id)?)?))
        .await?;
    Ok(WriteResponse::ok_versioned(&view).into_response())
}

/// The result of an import.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportResult {
    /// The number of accounts.
    accounts: usize,
    /// The number of resources.
    resources: usize,
}

/// An inventory, as `perennial import` reads it; see FORMATS.md.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what an inventory is read as")]
pub(super) struct InventoryDocument {
    /// New accounts; they require the role `admin`.
    accounts: Option<Vec<NewAccount>>,
    /// New resources, of these accounts or of existing ones.
    resources: Option<Vec<NewResource>>,
}

/// A new resource.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what an inventory's resource is read as")]
struct NewResource {
    /// The ID, unique among all resources; 1 to 64 characters.
    #[schema(min_length = 1, max_length = 64)]
    id: String,
    /// The account's ID.
    #[schema(min_length = 1, max_length = 64)]
    account: String,
    /// One of the plugin's kinds.
    #[schema(min_length = 1, example = "ecs")]
    kind: String,
    /// The provider's name of the region.
    #[schema(min_length = 1)]
    region: String,
    /// `prepaid` or `postpaid`; a postpaid resource has no `term`, `price`, `expires_at` or `anchor_day`.
    #[schema(pattern = "^(prepaid|postpaid)$")]
    charging: String,
    /// The stage; left out, `active`.
    #[schema(pattern = "^(active|grace|retention|released|unsubscribed|converted)$")]
    stage: Option<String>,
    /// When it was bought, or takes effect.
    #[schema(format = DateTime)]
    started_at: String,
    /// When the paid period ends.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The day of the month that periods are counted from; that of `expires_at` when it is left out.
    #[schema(minimum = 1, maximum = 31)]
    anchor_day: Option<u8>,
    /// The term that it was bought for.
    term: Option<NewTerm>,
    /// The price of one term, a decimal.
    #[schema(pattern = "^[0-9]{1,10}([.][0-9]{1,6})?$")]
    price: Option<String>,
    /// `lapse`, `renew`, `convert` or `release`; left out, `lapse`.
    #[schema(pattern = "^(lapse|renew|convert|release)$")]
    on_expiry: Option<String>,
    /// The automatic renewals left; null is no limit.
    renewals_left: Option<u32>,
    /// The term of an automatic renewal; null is the same as `term`.
    renewal_term: Option<NewTerm>,
    /// The primary's id.
    attached_to: Option<String>,
    /// Of a package: the quota, a decimal.
    #[schema(pattern = "^[0-9]{1,10}([.][0-9]{1,6})?$")]
    quota: Option<String>,
    /// Of a package: the used part of the quota, a decimal.
    #[schema(pattern = "^[0-9]{1,10}([.][0-9]{1,6})?$")]
    used: Option<String>,
    /// Of a package: the unit of the quota.
    unit: Option<String>,
    /// Of a package: the type of resource whose usage it covers.
    resource_type: Option<String>,
    /// Attributes that the provider's rules may read.
    attributes: Option<BTreeMap<String, String>>,
    /// Tags, for people.
    tags: Option<BTreeMap<String, String>>,
}

/// Imports the accounts and resources of an inventory: all of them or, if there is any problem, none.
#[utoipa::path(post, path = "/v1/resources:import", tag = "resources", request_body = InventoryDocument,
    responses((status = 200, body = ImportResult)))]
pub(super) async fn import(
    State(app): State<AppState>,
    Write(request, Document(text)): Write<Document>,
) -> Result<WriteResponse, Problem> {
    let providers = app.providers().clone();
    app.write(request, move |work| {
        let caller = &work.request.caller;
        let known = VisibleRecords { db: work.db(), caller };
        let inventory = inventory::read(&text, &manifests(&providers), &check_settings(&providers), &known)?;
        if !inventory.accounts.is_empty() {
            if caller.role < Role::Admin {
                return Err(Problem::new(
                    ProblemType::Forbidden,
                    "creating accounts requires the role `admin`",
                ));
            }
            require_all_accounts(caller)?;
        }
        let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
        work.engine.import(work.at, &inventory.accounts, bundles)?;
        let mut accounts = inventory.bundles.iter().map(|imported| &imported.account).collect::<Vec<_>>();
        accounts.dedup();
        if let [account] = accounts.as_slice() {
            work.set_audit_subject(account, None);
        }
        let resources = inventory.bundles.iter().map(|imported| imported.bundle.members.len()).sum();
        Ok(WriteResponse::ok(&ImportResult { accounts: inventory.accounts.len(), resources }))
    })
    .await
}

/// The manifests of all plugins, by provider.
pub(crate) fn manifests(providers: &Providers) -> BTreeMap<String, &Manifest> {
    providers.iter().map(|(id, rules)| (id.clone(), rules.manifest())).collect()
}

/// The check of settings by the plugin of their provider.
pub(crate) fn check_settings(
    providers: &Providers,
) -> impl Fn(&str, &BTreeMap<String, String>) -> Result<Vec<String>, String> + '_ {
    |provider, settings| match providers.get(provider) {
        Some(rules) => rules.check_settings(settings).map_err(|error| error.to_string()),
        None => Ok(Vec::new()),
    }
}

/// The existing accounts and resources that the caller can access. IDs of resources are unique among all of them.
pub(crate) struct VisibleRecords<'a> {
    pub(crate) db: &'a ReadTx,
    pub(crate) caller: &'a Caller,
}

impl inventory::ExistingRecords for VisibleRecords<'_> {
    fn provider_of(&self, account: &str) -> Option<String> {
        let resource =
            accounts::get(self.db, account).ok().flatten().filter(|_| self.caller.can_access(account));
        resource.map(|stored| stored.account.provider)
    }

    fn has_resource(&self, resource: &str) -> bool {
        bundles::exists(self.db, resource).unwrap_or(false)
    }

    fn can_show_resource(&self, resource: &str) -> bool {
        lookup::resolve_resource(self.db, self.caller, resource).is_ok()
    }
}

/// A change of a resource.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceChange {
    /// Tags to set; null removes one. Other tags stay.
    tags: Option<BTreeMap<String, Option<String>>>,
    /// Attributes to set. Other attributes stay.
    attributes: Option<BTreeMap<String, String>>,
}

impl Body for ResourceChange {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<ResourceChange> {
        let fields = cursor.object(&["tags", "attributes"])?;
        let tags = fields.optional("tags", |cursor| cursor.optional_texts()).option();
        let attributes = fields.optional("attributes", |cursor| cursor.named_texts()).option();
        Some(ResourceChange { tags: tags?, attributes: attributes? })
    }
}

/// A resource after a change.
#[derive(Serialize, ToSchema)]
pub(super) struct ResourceState {
    /// The resource after the change.
    resource: ResourceView,
    /// The events of the change.
    events: Vec<EventView>,
}

/// Changes tags and attributes of a resource.
#[utoipa::path(patch, path = "/v1/resources/{id}", tag = "resources", params(("id" = String, Path)),
    request_body = ResourceChange, responses((status = 200, body = ResourceState)))]
pub(super) async fn change(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<ResourceChange>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let resolved = lookup::resolve_resource(work.db(), &work.request.caller, &id)?;
        work.set_audit_subject(&resolved.account.account.id, Some(&id));
        work.check_version(&views::etag(&views::resource_view(work.db(), &resolved)?))?;
        let mut events = Vec::new();
        for (name, value) in body.attributes.unwrap_or_default() {
            let recorded = work.engine.set_attribute(work.at, &id, &name, &value)?;
            events.extend(recorded.iter().map(RecordedEvent::view));
            work.record_events(recorded);
        }
        if let Some(changes) = body.tags {
            let mut tags = resolved.stored.bundle[resolved.member].tags.clone();
            for (name, value) in changes {
                match value {
                    Some(value) => drop(tags.insert(name, value)),
                    None => drop(tags.remove(&name)),
                }
            }
            bundles::set_tags(work.tx(), resolved.row(), &tags)?;
        }
        let resolved = lookup::resolve_resource(work.db(), &work.request.caller, &id)?;
        let resource = views::resource_view(work.db(), &resolved)?;
        let etag = views::etag(&resource);
        Ok(WriteResponse::ok(&ResourceState { resource, events }).with_etag(&etag))
    })
    .await
}
