//! `/v1/resources`: the resources that the host keeps renewed.

use std::collections::BTreeMap;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::bundle::Stage;
use perennial_store::ReadTx;
use perennial_store::keys::ResourceKey;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

use crate::admin::accounts::NewAccount;
use crate::admin::import_views::ImportResult;
use crate::auth::require_all_accounts;
use crate::import_check::CheckedInventory;
use crate::input::Body;
use crate::input::Document;
use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::FieldError;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::quotas;
use crate::resource_view;
use crate::resource_view::NewResource;
use crate::resource_view::ResourceView;
use crate::state::AppState;
use crate::views;
use crate::write::Write;
use crate::write::WriteResponse;
use perennial_engine::import_report::ImportReport;
use perennial_engine::persist::RecordedEvent;
use perennial_formats::body::JsonCursor;
use perennial_formats::event_view::EventView;
use perennial_service::admin_tokens::Caller;
use perennial_service::admin_tokens::Role;
use perennial_service::lookup;
use perennial_store::accounts;
use perennial_store::bundles;
use perennial_store::resource_query;
use perennial_store::resource_query::RenewalRisk;
use perennial_store::resource_query::ResourceFilter;
use perennial_store::resource_query::ResourcePage;
use perennial_store::resource_query::ResourceSort;

/// The parameters that [`filter`] reads, as the API describes them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `filter` reads")]
pub(super) struct ResourceFilterParams {
    /// Only these, each once: `id=a&id=b`; at most 200.
    #[param(max_items = 200)]
    id: Option<Vec<String>>,
    /// Only of this account.
    account: Option<String>,
    /// Only of this provider.
    provider: Option<String>,
    /// Only of this kind.
    kind: Option<String>,
    /// Only at this stage, such as `grace`.
    #[param(pattern = "^(active|grace|retention|released|unsubscribed|converted)$")]
    stage: Option<String>,
    /// Only what will be lost: `unprotected` is what nothing renews, `orphaned` what expires before what it is attached to.
    #[param(pattern = "^(unprotected|orphaned)$")]
    risk: Option<String>,
    /// Only with this tag: `name`, or `name=value`.
    tag: Option<String>,
    /// Only resources that expire at this instant or later.
    #[param(format = DateTime)]
    expires_from: Option<String>,
    /// Only resources that expire before this instant.
    #[param(format = DateTime)]
    expires_before: Option<String>,
}

/// How many resources a list may be asked about by their IDs.
const IDS_MAX: usize = 200;

/// What a list of resources can be sorted by.
const SORTS: [(&str, Option<ResourceSort>); 4] = [
    ("added", None),
    ("expires_at", Some(ResourceSort::ExpiresAt)),
    ("price", Some(ResourceSort::Price)),
    ("id", Some(ResourceSort::Id)),
];

/// Lists the resources that pass every given filter: in the order in which they were added or, with `sort`, all of them by
/// their expiry, their price, the highest first, or their ID. What changes its place between two pages may be missed.
#[utoipa::path(get, path = "/v1/resources", tag = "resources",
    params(
        ResourceFilterParams,
        ("sort" = Option<String>, Query, description = "`added`, `expires_at`, `price` or `id`; `added` if left out."),
        PageParams,
    ),
    responses((status = 200, body = Page<ResourceView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<ResourceView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let filter = filter(&mut query, &caller);
    let sort = query.one_of("sort", &SORTS, |(name, _)| name).and_then(|(_, sort)| sort);
    query.finish()?;
    let rows = app.read(move |db| page_of(db, &filter, sort, page_request)).await?;
    Ok(Json(Page::new(page_request, rows)))
}

/// Reads the filter of a list of resources: `id`, `account`, `provider`, `kind`, `stage`, `risk`, `tag`, `expires_from`,
/// `expires_before`.
pub(crate) fn filter(query: &mut Query, caller: &Caller) -> ResourceFilter {
    let (tag, tag_value) = split_tag(query.take("tag"));
    let ids = query.take_all("id");
    if ids.len() > IDS_MAX {
        query.reject("id", format!("it is given {} times; ask about at most {IDS_MAX} at once", ids.len()));
    }
    ResourceFilter {
        accounts: caller.accounts_json(),
        ids,
        account: query.take("account"),
        provider: query.take("provider"),
        kinds: query.take("kind").into_iter().collect(),
        stages: query.one_of("stage", &Stage::ALL, Stage::name).into_iter().collect(),
        risk: query.one_of("risk", &RenewalRisk::ALL, RenewalRisk::name),
        tag,
        tag_value,
        expires_from: query.instant("expires_from"),
        expires_before: query.instant("expires_before"),
        ..ResourceFilter::default()
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

/// Reads a page of resources, by row or by what they are sorted by.
pub(crate) fn page_of(
    db: &ReadTx,
    filter: &ResourceFilter,
    sort: Option<ResourceSort>,
    page_request: page::PageRequest,
) -> Result<Vec<(ResourceKey, ResourceView)>, Problem> {
    let mut rows = Vec::new();
    let (after, limit) = (page_request.after(), page_request.read_limit());
    let in_order = || ResourcePage::after(after, limit);
    let page = sort.map_or_else(in_order, |sort| ResourcePage::sorted(sort, after, limit));
    for found in resource_query::find(db, filter, page)?.resources {
        if let Some(resource) = lookup::find_resource(db, &found.id)? {
            rows.push((found.row, resource_view::resource_view(db, &resource)?));
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
        .read(move |db| Ok(resource_view::resource_view(db, &lookup::resolve_resource(db, &caller, &id)?)?))
        .await?;
    Ok(WriteResponse::ok_versioned(&view).into_response())
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
    /// Only say what would come of it.
    dry_run: Option<bool>,
    /// Also import what is released or loses a stage at once.
    accept_expired: Option<bool>,
    /// The inventory is a newer one: existing accounts and resources are changed. Those that it does not have stay, an
    /// expiry never moves back, and no balance changes.
    update: Option<bool>,
}

/// Imports the accounts and resources of an inventory: all of them or, if there is any problem, none. What is new is looked
/// at by the clock at once.
#[utoipa::path(post, path = "/v1/resources:import", tag = "resources", request_body = InventoryDocument,
    responses((status = 200, body = ImportResult)))]
pub(super) async fn import(
    State(app): State<AppState>,
    Write(request, Document(text)): Write<Document>,
) -> Result<WriteResponse, Problem> {
    let limits = app.limits().clone();
    let checked = CheckedInventory::read(&app, request.caller.clone(), &text).await?;
    app.write(request, move |work| {
        let document = checked.document(work.db())?;
        let caller = &work.request.caller;
        if !document.inventory.accounts.is_empty() {
            if caller.role < Role::Admin {
                return Err(Problem::new(
                    ProblemType::Forbidden,
                    "creating and changing accounts requires the role `admin`",
                ));
            }
            require_all_accounts(caller)?;
        }
        let at = work.at;
        let report = work.engine.preview_import(at, &document)?;
        refuse_raises(&report, limits.limit_raise_people)?;
        let bundles = &document.inventory.bundles;
        let mut accounts = bundles.iter().map(|imported| &imported.account).collect::<Vec<_>>();
        accounts.dedup();
        if let [account] = accounts.as_slice() {
            work.set_audit_subject(account, None);
        }
        quotas::check_import(&limits, &report)?;
        let result = ImportResult::new(&report);
        if document.options.dry_run {
            return Ok(WriteResponse::ok(&result));
        }
        if !document.options.accept_expired && report.losing().next().is_some() {
            return Err(result.refused());
        }
        let (_, changed) = work.engine.import_document(at, &document, &work.request.caller.id)?;
        for account in accounts {
            if let Some(stored) = accounts::get(work.db(), account)? {
                quotas::check_resources(work.db(), stored.row, &limits)?;
            }
        }
        work.record_events(changed);
        let mut started = Vec::new();
        work.engine.start_new(at, &mut |events, _| started.extend(events))?;
        work.record_events(started);
        Ok(WriteResponse::ok(&result))
    })
    .await
}

/// Refuses accounts whose approval limit an import would raise, if that takes more than one person.
fn refuse_raises(report: &ImportReport, people: usize) -> Result<(), Problem> {
    let refused = |account: &str| FieldError {
        field: format!("accounts.{account}.approval_above"),
        detail: "a higher limit takes two people: leave it out, and have both `PATCH` the account".to_owned(),
    };
    let errors = report.limit_raises().filter(|_| people > 1).map(refused).collect::<Vec<_>>();
    if errors.is_empty() { Ok(()) } else { Err(Problem::fields(ProblemType::InvalidFields, errors)) }
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
    let limits = app.limits().clone();
    app.write(request, move |work| {
        let resolved = lookup::resolve_resource(work.db(), &work.request.caller, &id)?;
        work.set_audit_subject(&resolved.account.account.id, Some(&id));
        work.check_version(&views::etag(&resource_view::resource_view(work.db(), &resolved)?))?;
        let attributes = body.attributes.unwrap_or_default();
        let mut after = resolved.resource().clone();
        after.attributes.extend(attributes.clone());
        for (name, value) in body.tags.unwrap_or_default() {
            match value {
                Some(value) => drop(after.tags.insert(name, value)),
                None => drop(after.tags.remove(&name)),
            }
        }
        quotas::check_named(&limits, resolved.resource(), &after)?;
        let named = attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let recorded = work.engine.set_attributes(work.at, &id, named)?;
        let events = recorded.iter().map(RecordedEvent::view).collect();
        work.record_events(recorded);
        if after.tags != resolved.resource().tags {
            bundles::set_tags(work.tx(), resolved.row(), &after.tags)?;
        }
        let resolved = lookup::resolve_resource(work.db(), &work.request.caller, &id)?;
        let resource = resource_view::resource_view(work.db(), &resolved)?;
        let etag = views::etag(&resource);
        Ok(WriteResponse::ok(&ResourceState { resource, events }).with_etag(&etag))
    })
    .await
}
