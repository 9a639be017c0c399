//! `/v1/plugins/parked` and `/v1/plugins/breakers`: bundles over which plugins fail, revisions that fail over everything, and asking
//! about either again.

use std::collections::BTreeMap;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::plugin_failure::Breaker;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::plugin_releases::ParkedSelection;
use perennial_formats::body::JsonCursor;
use perennial_formats::event_view::EventView;
use perennial_service::admin_tokens::Caller;
use perennial_service::lookup;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;
use perennial_store::plugin_breakers;
use perennial_store::plugin_failures;
use perennial_store::plugin_failures::ParkedBundle;
use perennial_store::plugin_revisions;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::require_all_accounts;
use crate::input::Body;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::state::AppState;
use crate::views::to_text;
use crate::write::Write;
use crate::write::WriteResponse;

/// A bundle over which its plugin failed alone, again and again. It stays as it is, and is asked about rarely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ParkedBundle)]
pub(super) struct ParkedView {
    /// The ID of its primary.
    resource: String,
    /// The account's ID.
    account: String,
    /// The ID of the provider.
    provider: String,
    /// The digest of the revision that fails over it.
    revision: String,
    /// What it is parked for: what went wrong last when it was asked about alone.
    reason: String,
    /// How many times in a row the revision failed over it alone.
    failures: u32,
    /// Since when it has no usable answer.
    #[schema(format = DateTime)]
    failing_since: String,
    /// When it was parked.
    #[schema(format = DateTime)]
    parked_at: String,
    /// When it is asked about next by itself; sooner if another revision decides, or somebody releases it.
    #[schema(format = DateTime)]
    next_try_at: Option<String>,
    /// When its primary expires; null if it does not.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The price of a term of its primary, a decimal; null where nobody knows it.
    price: Option<String>,
    /// The currency of the price.
    currency: String,
}

impl From<ParkedBundle> for ParkedView {
    fn from(parked: ParkedBundle) -> ParkedView {
        ParkedView {
            resource: parked.resource_id,
            account: parked.account_id,
            provider: parked.provider,
            revision: parked.revision,
            reason: parked.reason,
            failures: parked.failures,
            failing_since: parked.failing_since.to_string(),
            parked_at: parked.parked_at.to_string(),
            next_try_at: to_text(parked.next_try_at),
            expires_at: to_text(parked.expires_at),
            price: to_text(parked.price),
            currency: parked.currency,
        }
    }
}

/// What keeps a revision from being asked that fails over everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PluginBreaker)]
pub(super) struct BreakerView {
    /// The digest of the revision.
    revision: String,
    /// The ID of the provider.
    provider: String,
    /// `closed`: it is asked, and what it fails over in a row is counted; `open`: it is not asked before `next_try_at`;
    /// `half_open`: it is asked about one bundle next.
    state: &'static str,
    /// How many bundles it failed over in a row until the breaker opened, or up to now.
    failures: u32,
    /// How often the breaker opened without an answer in between.
    openings: u32,
    /// When it opened first; null while it is closed.
    #[schema(format = DateTime)]
    opened_at: Option<String>,
    /// When the revision is asked about one bundle; null while the breaker is closed.
    #[schema(format = DateTime)]
    next_try_at: Option<String>,
    /// What went wrong last.
    message: String,
}

impl BreakerView {
    fn new(revision: String, breaker: Breaker, now: Timestamp) -> BreakerView {
        let state = match breaker.open_until {
            None => "closed",
            Some(until) if now < until => "open",
            Some(_) => "half_open",
        };
        BreakerView {
            revision,
            provider: breaker.provider,
            state,
            failures: breaker.failures,
            openings: breaker.openings,
            opened_at: to_text(breaker.opened_at),
            next_try_at: to_text(breaker.open_until),
            message: breaker.message,
        }
    }

    /// The breakers at `now`, by the digests of their revisions.
    pub(super) fn all(db: &ReadTx, now: Timestamp) -> Result<BTreeMap<String, BreakerView>, StoreError> {
        let breakers = plugin_breakers::list(db)?.into_iter();
        let view = |(digest, breaker): (String, Breaker)| {
            let view = BreakerView::new(digest.clone(), breaker, now);
            (digest, view)
        };
        Ok(breakers.map(view).collect())
    }
}

/// Lists the parked bundles, in the order in which they were added. Each stays at risk until its plugin gives a usable answer.
#[utoipa::path(get, path = "/v1/plugins/parked", tag = "plugin-failures",
    params(("provider" = Option<String>, Query, description = "Only those of this provider."), PageParams),
    responses((status = 200, body = Page<ParkedView>)))]
pub(super) async fn parked(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<ParkedView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let provider = query.take("provider");
    query.finish()?;
    let accounts = caller.accounts_json();
    let rows = app.read(move |db| {
        let of = (provider.as_deref(), None, accounts.as_deref());
        let found = plugin_failures::parked(db, of, page_request.after(), page_request.read_limit())?;
        let view = |parked: ParkedBundle| (parked.row, ParkedView::from(parked));
        Ok::<_, Problem>(found.into_iter().map(view).collect::<Vec<_>>())
    });
    Ok(Json(Page::new(page_request, rows.await?)))
}

/// The parked bundles that are to be asked about again.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseParked {
    /// The ID of a resource: only the bundle that it belongs to; left out, all that fit.
    resource: Option<String>,
    /// The ID of a provider: only its bundles; left out, those of every provider.
    provider: Option<String>,
}

impl Body for ReleaseParked {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<ReleaseParked> {
        let fields = cursor.object(&["resource", "provider"])?;
        let resource = fields.optional("resource", |cursor| cursor.id().map(str::to_owned)).option();
        let provider = fields.optional("provider", |cursor| cursor.name().map(str::to_owned)).option();
        Some(ReleaseParked { resource: resource?, provider: provider? })
    }
}

/// The bundles that were released.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ReleaseResult {
    /// Each as it was parked.
    released: Vec<ParkedView>,
    /// The events of the change.
    events: Vec<EventView>,
}

/// Releases parked bundles: each is asked about at the next tick, and nothing counts any more that its plugin failed at before. If
/// it fails again, it is parked again in time. Those of a revision whose breaker is open wait for that.
#[utoipa::path(post, path = "/v1/plugins/parked:release", tag = "plugin-failures", request_body = ReleaseParked,
    responses((status = 200, body = ReleaseResult)))]
pub(super) async fn release_parked(
    State(app): State<AppState>,
    Write(request, body): Write<ReleaseParked>,
) -> Result<WriteResponse, Problem> {
    let write = app.write(request, move |work| {
        let caller = &work.request.caller;
        if let Some(id) = &body.resource {
            let found = lookup::resolve_resource(work.engine.db(), caller, id)?;
            work.set_audit_subject(&found.account.account.id, Some(id.as_str()));
        }
        let (accounts, at) = (work.request.caller.accounts_json(), work.at);
        let selection = ParkedSelection {
            provider: body.provider.as_deref(),
            resource: body.resource.as_deref(),
            accounts: accounts.as_deref(),
        };
        let author = work.request.caller.id.to_string();
        let (released, events) = work.engine.release_parked(at, selection, &author)?;
        if let (true, Some(id)) = (released.is_empty(), &body.resource) {
            return Err(Problem::not_found("parked bundle", id));
        }
        let result = ReleaseResult {
            released: released.into_iter().map(ParkedView::from).collect(),
            events: events.iter().map(RecordedEvent::view).collect(),
        };
        work.record_events(events);
        Ok(WriteResponse::ok(&result))
    });
    let response = write.await?;
    app.writer().wake();
    Ok(response)
}

/// Lists what keeps revisions of plugins from being asked. There is nothing of a revision that answers.
#[utoipa::path(get, path = "/v1/plugins/breakers", tag = "plugin-failures",
    responses((status = 200, body = Page<BreakerView>)))]
pub(super) async fn breakers(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Page<BreakerView>>, Problem> {
    query.finish()?;
    require_all_accounts(&caller)?;
    let now = app.now();
    let found = app.read(move |db| Ok::<_, Problem>(BreakerView::all(db, now)?)).await?;
    Ok(Json(Page { items: found.into_values().collect(), next_cursor: None }))
}

/// The revision whose breaker somebody closes.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseBreaker {
    /// The digest of the revision.
    revision: String,
}

impl Body for ReleaseBreaker {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<ReleaseBreaker> {
        let fields = cursor.object(&["revision"])?;
        let revision = fields.required("revision", |cursor| cursor.name().map(str::to_owned));
        Some(ReleaseBreaker { revision: revision? })
    }
}

/// The revision that is asked again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ReleaseBreakerResult {
    /// The digest of the revision.
    revision: String,
    /// The events of the change; none where the breaker is not open.
    events: Vec<EventView>,
}

/// Closes the breaker of a revision: it is asked at the next tick about everything that waits for it. If it still fails over one
/// bundle after the other, the breaker opens again.
#[utoipa::path(post, path = "/v1/plugins/breakers:release", tag = "plugin-failures", request_body = ReleaseBreaker,
    responses((status = 200, body = ReleaseBreakerResult)))]
pub(super) async fn release_breaker(
    State(app): State<AppState>,
    Write(request, body): Write<ReleaseBreaker>,
) -> Result<WriteResponse, Problem> {
    require_all_accounts(&request.caller)?;
    let write = app.write(request, move |work| {
        let (at, author) = (work.at, work.request.caller.id.to_string());
        if plugin_revisions::get(work.db(), &body.revision)?.is_none() {
            return Err(Problem::not_found("revision", &body.revision));
        }
        work.set_audit_revision(&body.revision);
        let events = work.engine.release_breaker(at, &body.revision, &author)?;
        let result = ReleaseBreakerResult {
            revision: body.revision,
            events: events.iter().map(RecordedEvent::view).collect(),
        };
        work.record_events(events);
        Ok(WriteResponse::ok(&result))
    });
    let response = write.await?;
    app.writer().wake();
    Ok(response)
}
