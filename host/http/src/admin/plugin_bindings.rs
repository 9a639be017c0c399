//! `/v1/plugins/bindings`: which revision of a plugin decides for which accounts, which is asked beside it, and changing that.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::revision::ALL_ACCOUNTS;
use perennial_domain::revision::BindingMode;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::EngineTx;
use perennial_engine::bind_error::BindError;
use perennial_engine::revision_changes::BindingChanges;
use perennial_engine::revision_changes::RevisionAuthor;
use perennial_formats::body::JsonCursor;
use perennial_service::admin_tokens::Caller;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;
use perennial_store::keys::RowKey;
use perennial_store::plugin_bindings;
use perennial_store::plugin_bindings::BindingSubject;
use utoipa::ToSchema;

use crate::admin::revision_evidence::BindingResult;
use crate::admin::revision_views::BindingChangeView;
use crate::admin::revision_views::BindingView;
use crate::auth::require_all_accounts;
use crate::input::Body;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteRequest;
use crate::write::WriteResponse;

/// Lists which revision of a plugin is bound to which accounts. Of those that match an account, the narrowest decides; an account
/// without any follows what the host loads.
#[utoipa::path(get, path = "/v1/plugins/bindings", tag = "plugin-bindings",
    responses((status = 200, body = Page<BindingView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Page<BindingView>>, Problem> {
    query.finish()?;
    require_all_accounts(&caller)?;
    let stored = app.read(|db| Ok::<_, Problem>(plugin_bindings::list(db)?)).await?;
    Ok(Json(Page { items: stored.into_iter().map(BindingView::from).collect(), next_cursor: None }))
}

/// Lists the changes of what is bound, oldest first.
#[utoipa::path(get, path = "/v1/plugins/bindings/history", tag = "plugin-bindings", params(PageParams),
    responses((status = 200, body = Page<BindingChangeView>)))]
pub(super) async fn history(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<BindingChangeView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    query.finish()?;
    require_all_accounts(&caller)?;
    let rows = app.read(move |db| {
        let changes = plugin_bindings::changes(db, page_request.after(), page_request.read_limit())?;
        let view = |change: plugin_bindings::BindingChange| (change.row, BindingChangeView::from(change));
        Ok::<_, Problem>(changes.into_iter().map(view).collect::<Vec<_>>())
    });
    Ok(Json(Page::new(page_request, rows.await?)))
}

/// A revision to bind.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BindRevision {
    /// The digest of a revision that is installed.
    digest: String,
    /// An account's ID, or a pattern in which `*` is any run of characters; left out, all accounts of its provider.
    accounts: Option<String>,
    /// `active`: it decides; `shadow`: it is asked the same beside the one that does.
    #[schema(value_type = String)]
    mode: BindingMode,
    /// Only say what would change; left out, false.
    dry_run: Option<bool>,
}

impl Body for BindRevision {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<BindRevision> {
        let fields = cursor.object(&["digest", "accounts", "mode", "dry_run"])?;
        let digest = fields.required("digest", |cursor| cursor.name().map(str::to_owned));
        let accounts = fields.optional("accounts", |cursor| cursor.name().map(str::to_owned)).option();
        let mode = fields.required("mode", |cursor| cursor.one_of(&BindingMode::ALL, BindingMode::name));
        let dry_run = fields.optional("dry_run", |cursor| cursor.flag()).option();
        Some(BindRevision { digest: digest?, accounts: accounts?, mode: mode?, dry_run: dry_run? })
    }
}

/// Binds a revision of a plugin to accounts, in place of the one that is bound to exactly these, from the next batch on. Nothing
/// that is due is lost: what it has due at another instant is found out at the next tick.
#[utoipa::path(post, path = "/v1/plugins/bindings", tag = "plugin-bindings", request_body = BindRevision,
    responses((status = 200, body = BindingResult)))]
pub(super) async fn bind(
    State(app): State<AppState>,
    Write(request, body): Write<BindRevision>,
) -> Result<WriteResponse, Problem> {
    let BindRevision { digest, accounts, mode, dry_run } = body;
    let accounts = accounts.unwrap_or_else(|| ALL_ACCOUNTS.to_owned());
    prepare(&app, &digest).await?;
    change(&app, request, (Some(digest.clone()), dry_run), move |engine, at, author| {
        engine.bind_revision(at, &digest, (&accounts, mode), author)
    })
    .await
}

/// A binding to remove.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UnbindRevision {
    /// The ID of the provider.
    provider: String,
    /// What it is bound to: an account's ID, or a pattern, as it was bound; left out, `*`.
    accounts: Option<String>,
    /// `active` or `shadow`.
    #[schema(value_type = String)]
    mode: BindingMode,
    /// Only say what would change; left out, false.
    dry_run: Option<bool>,
}

impl Body for UnbindRevision {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<UnbindRevision> {
        let fields = cursor.object(&["provider", "accounts", "mode", "dry_run"])?;
        let provider = fields.required("provider", |cursor| cursor.name().map(str::to_owned));
        let accounts = fields.optional("accounts", |cursor| cursor.name().map(str::to_owned)).option();
        let mode = fields.required("mode", |cursor| cursor.one_of(&BindingMode::ALL, BindingMode::name));
        let dry_run = fields.optional("dry_run", |cursor| cursor.flag()).option();
        Some(UnbindRevision { provider: provider?, accounts: accounts?, mode: mode?, dry_run: dry_run? })
    }
}

/// Removes a binding. Its accounts follow the next wider one from the next batch on; a shadow is not asked any more.
#[utoipa::path(post, path = "/v1/plugins/bindings:unbind", tag = "plugin-bindings", request_body = UnbindRevision,
    responses((status = 200, body = BindingResult)))]
pub(super) async fn unbind(
    State(app): State<AppState>,
    Write(request, body): Write<UnbindRevision>,
) -> Result<WriteResponse, Problem> {
    let UnbindRevision { provider, accounts, mode, dry_run } = body;
    let accounts = accounts.unwrap_or_else(|| ALL_ACCOUNTS.to_owned());
    let subject = BindingSubject { provider, accounts, mode };
    change(&app, request, (None, dry_run), move |engine, at, author| {
        engine.unbind_revision(at, &subject, author)
    })
    .await
}

/// The accounts of a provider for which another revision is to decide.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BoundAccounts {
    /// The ID of the provider.
    provider: String,
    /// An account's ID, or a pattern, as it was bound; left out, `*`.
    accounts: Option<String>,
    /// Only say what would change, and what is known of the revision; left out, false.
    dry_run: Option<bool>,
}

impl Body for BoundAccounts {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<BoundAccounts> {
        let fields = cursor.object(&["provider", "accounts", "dry_run"])?;
        let provider = fields.required("provider", |cursor| cursor.name().map(str::to_owned));
        let accounts = fields.optional("accounts", |cursor| cursor.name().map(str::to_owned)).option();
        let dry_run = fields.optional("dry_run", |cursor| cursor.flag()).option();
        Some(BoundAccounts { provider: provider?, accounts: accounts?, dry_run: dry_run? })
    }
}

/// Has the revision decide that is asked in shadow for these accounts, from the next batch on. The response has what is known of
/// it: how often it was asked, what it answered otherwise, and what it took; a dry run says so before.
#[utoipa::path(post, path = "/v1/plugins/bindings:promote", tag = "plugin-bindings", request_body = BoundAccounts,
    responses((status = 200, body = BindingResult)))]
pub(super) async fn promote(
    State(app): State<AppState>,
    Write(request, body): Write<BoundAccounts>,
) -> Result<WriteResponse, Problem> {
    let BoundAccounts { provider, accounts, dry_run } = body;
    let accounts = accounts.unwrap_or_else(|| ALL_ACCOUNTS.to_owned());
    change(&app, request, (None, dry_run), move |engine, at, author| {
        engine.promote_revision(at, (&provider, &accounts), author)
    })
    .await
}

/// Has the revision decide again that decided for these accounts before the last change, from the next batch on.
#[utoipa::path(post, path = "/v1/plugins/bindings:roll-back", tag = "plugin-bindings", request_body = BoundAccounts,
    responses((status = 200, body = BindingResult)))]
pub(super) async fn roll_back(
    State(app): State<AppState>,
    Write(request, body): Write<BoundAccounts>,
) -> Result<WriteResponse, Problem> {
    let BoundAccounts { provider, accounts, dry_run } = body;
    let accounts = accounts.unwrap_or_else(|| ALL_ACCOUNTS.to_owned());
    change(&app, request, (None, dry_run), move |engine, at, author| {
        engine.roll_back_revision(at, (&provider, &accounts), author)
    })
    .await
}

/// Has a revision loaded on a reader's thread, so that the writer's does not wait for a compiler.
async fn prepare(app: &AppState, digest: &str) -> Result<(), Problem> {
    let (providers, digest) = (app.providers().clone(), digest.to_owned());
    app.read(move |db| Ok::<_, Problem>(providers.revision(db, &digest).map(drop)?)).await
}

/// Carries out a change in the name of the caller, or says what would come of it. `named` is the revision that the request names.
async fn change(
    app: &AppState,
    request: WriteRequest,
    (named, dry_run): (Option<String>, Option<bool>),
    change: impl FnOnce(&mut EngineTx<'_>, Timestamp, RevisionAuthor<'_>) -> Result<BindingChanges, BindError>
    + Send
    + 'static,
) -> Result<WriteResponse, Problem> {
    require_all_accounts(&request.caller)?;
    app.write(request, move |work: &mut WriteContext<'_>| {
        named.iter().for_each(|digest| work.set_audit_revision(digest));
        let etag = etag(work.db())?;
        work.check_version(&etag)?;
        let (request, at) = (work.request, work.at);
        let author = RevisionAuthor { id: &request.caller.id, reason: request.reason.as_deref() };
        if dry_run.unwrap_or(false) {
            let result = work.engine.preview(|engine| {
                let changes = change(engine, at, author)?;
                let revision = changes.revision().map(str::to_owned);
                Ok::<_, BindError>((BindingResult::of(engine.db(), &changes)?, revision))
            });
            let (result, revision) = result.map_err(problem)?;
            revision.iter().for_each(|digest| work.set_audit_revision(digest));
            return Ok(WriteResponse::ok(&result.without_events()).with_etag(&etag).into_dry_run());
        }
        let changes = change(&mut work.engine, at, author).map_err(problem)?;
        changes.revision().iter().for_each(|digest| work.set_audit_revision(digest));
        let result = BindingResult::of(work.db(), &changes)?;
        work.record_events(changes.events);
        Ok(WriteResponse::ok(&result))
    })
    .await
}

/// The version of all that is bound, and of how it came to be so: that of a dry run, as `If-Match`, has the change carried out only
/// if it is still the one that was looked at.
fn etag(db: &ReadTx) -> Result<String, StoreError> {
    let (bound, last) = (plugin_bindings::set_digest(db)?, plugin_bindings::last_change(db)?);
    Ok(format!("\"{}-{}\"", bound.get(..16).unwrap_or("none"), last.number()))
}

fn problem(error: BindError) -> Problem {
    match error {
        BindError::Engine(error) => error.into(),
        BindError::UnknownRevision(_) => {
            Problem::field(ProblemType::InvalidFields, "digest", error.to_string())
        }
        BindError::NotBound(_) | BindError::NothingBefore(_) => {
            Problem::new(ProblemType::NotFound, error.to_string())
        }
        BindError::Unloadable(_)
        | BindError::Untrusted(_)
        | BindError::Loaded(_)
        | BindError::Undecided { .. }
        | BindError::MissingKinds(_)
        | BindError::Settings { .. } => Problem::new(ProblemType::Conflict, error.to_string()),
    }
}
