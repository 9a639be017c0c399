//! `/v1/webhooks`: where events are sent to. What is sent when is the outbox's; what became of it, `deliveries`'.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_store::ReadTx;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::webhook_bodies::NewWebhook;
use crate::admin::webhook_bodies::WebhookChange;
use crate::input::EmptyBody;
use crate::input::Id;
use crate::input::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;
use crate::views;
use crate::views::to_text;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteResponse;
use perennial_service::admin_tokens::Caller;
use perennial_service::webhooks::secret::OVERLAP_SECONDS;
use perennial_service::webhooks::secret::Secret;
use perennial_service::webhooks::target::Target;
use perennial_store::list_queries;
use perennial_store::webhooks;
use perennial_store::webhooks::Disabled;
use perennial_store::webhooks::Previous;
use perennial_store::webhooks::StoredWebhook;

/// The most webhooks there are.
const HOOKS_MAX: usize = 100;

/// A webhook, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookView {
    /// What it is called by.
    id: String,
    /// Where events are sent to.
    url: String,
    /// What it is for.
    description: String,
    /// The accounts whose events are sent; null is all of them, and what concerns the host.
    accounts: Option<Vec<String>>,
    /// The types of event that are sent; null is all of them.
    types: Option<Vec<String>>,
    /// Whether anything is sent.
    enabled: bool,
    /// Since when it is disabled.
    disabled_at: Option<String>,
    /// Why it is disabled: `asked`; `gone`, its receiver answered 410; or `failing`, every try failed for five days.
    disabled_reason: Option<String>,
    /// The first of the tries that failed in a row; null after one that succeeded.
    failing_since: Option<String>,
    /// When it was made.
    created_at: String,
    /// By which token.
    created_by: String,
    /// Until when messages are also signed with the secret before; null when there is none.
    previous_secret_until: Option<String>,
}

impl From<StoredWebhook> for WebhookView {
    fn from(stored: StoredWebhook) -> WebhookView {
        WebhookView {
            id: stored.id,
            url: stored.url,
            description: stored.description,
            accounts: stored.accounts,
            types: stored.types,
            enabled: stored.disabled.is_none(),
            disabled_at: to_text(stored.disabled.as_ref().map(|disabled| disabled.at)),
            disabled_reason: stored.disabled.map(|disabled| disabled.reason),
            failing_since: to_text(stored.failing_since),
            created_at: stored.created_at.to_string(),
            created_by: stored.created_by,
            previous_secret_until: to_text(stored.previous.map(|previous| previous.until)),
        }
    }
}

/// The webhook called `id`, if the caller sees it: a bound one sees those that are bound to no other accounts.
pub(super) fn webhook(db: &ReadTx, caller: &Caller, id: &str) -> Result<StoredWebhook, Problem> {
    let stored = webhooks::get(db, id)?.filter(|webhook| caller.can_access_each(webhook.accounts.as_deref()));
    stored.ok_or_else(|| Problem::not_found("webhook", id))
}

/// Says what the audit log is to say that a write to `webhook` was about.
pub(super) fn about(work: &mut WriteContext<'_>, webhook: &StoredWebhook) {
    if let Some([account]) = webhook.accounts.as_deref() {
        work.set_audit_subject(account, None);
    }
}

/// Lists webhooks, also disabled ones, in the order in which they were made.
#[utoipa::path(get, path = "/v1/webhooks", tag = "webhooks", responses((status = 200, body = Page<WebhookView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Page<WebhookView>>, Problem> {
    query.finish()?;
    let stored = app.read(|db| Ok(webhooks::list(db)?)).await?;
    let items = stored.into_iter().filter(|webhook| caller.can_access_each(webhook.accounts.as_deref()));
    Ok(Json(Page { items: items.map(WebhookView::from).collect(), next_cursor: None }))
}

/// Gets a webhook.
#[utoipa::path(get, path = "/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 200, body = WebhookView, headers(("ETag" = String, description = "Its version.")))))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    query.finish()?;
    let webhook = app.read(move |db| webhook(db, &caller, &id)).await?;
    Ok(WriteResponse::ok_versioned(&WebhookView::from(webhook)).into_response())
}

/// Refuses a URL that this host does not send to.
fn check_url(app: &AppState, url: &str) -> Result<(), Problem> {
    let target = Target::read(url, app.webhooks().allow_private);
    target.map(drop).map_err(|why| Problem::field(ProblemType::InvalidFields, "url", why))
}

/// A webhook with its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookWithSecret {
    /// The webhook.
    webhook: WebhookView,
    /// What its messages are signed with. It is shown once; null for whoever asks again with the same key.
    secret: Option<String>,
}

impl WebhookWithSecret {
    fn new(webhook: &StoredWebhook, secret: Option<String>) -> WebhookWithSecret {
        WebhookWithSecret { webhook: WebhookView::from(webhook.clone()), secret }
    }
}

fn generate() -> Result<Secret, Problem> {
    Secret::generate().map_err(no_random_bits)
}

pub(super) fn no_random_bits(error: getrandom::Error) -> Problem {
    tracing::error!(%error, "there are no random bits");
    Problem::new(ProblemType::Internal, "the system has no random bits to give")
}

/// Six random bytes behind a prefix.
pub(super) fn new_id(prefix: &str) -> Result<String, Problem> {
    Ok(prefix.to_owned() + &perennial_service::random_hex::random_hex::<6>().map_err(no_random_bits)?)
}

/// Makes a webhook; its secret is shown once. Events are sent from now on: as CloudEvents 1.0 in the structured JSON
/// format, signed as Standard Webhooks says.
#[utoipa::path(post, path = "/v1/webhooks", tag = "webhooks", request_body = NewWebhook,
    responses((status = 201, body = WebhookWithSecret)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, body): Write<NewWebhook>,
) -> Result<WriteResponse, Problem> {
    let for_url = app.clone();
    let reply = app.write(request, move |work| {
        let caller = &work.request.caller;
        if let Some(accounts) = &body.accounts {
            for account in accounts {
                views::visible_account(work.db(), caller, account)?;
            }
        }
        check_url(&for_url, &body.url)?;
        if webhooks::list(work.db())?.len() >= HOOKS_MAX {
            let detail = format!("there are {HOOKS_MAX} webhooks already; delete one that is not needed");
            return Err(Problem::new(ProblemType::Conflict, detail));
        }
        let secret = generate()?;
        let webhook = StoredWebhook {
            row: 0,
            id: new_id("wh_")?,
            url: body.url,
            description: body.description,
            accounts: body.accounts.map(|accounts| accounts.into_iter().collect()).or(caller.accounts()),
            types: body.types.map(|types| types.into_iter().collect()),
            secret: secret.to_bytes(),
            previous: None,
            created_at: work.at,
            created_by: caller.id.to_string(),
            disabled: None,
            failing_since: None,
            cursor: list_queries::last_event(work.db())?,
        };
        webhooks::insert(work.tx(), &webhook)?;
        about(work, &webhook);
        let made = WebhookWithSecret::new(&webhook, Some(secret.to_text()));
        let again = WebhookWithSecret::new(&webhook, None);
        Ok(WriteResponse::created(&format!("/v1/webhooks/{}", webhook.id), &made)
            .with_one_time_secret(&again))
    });
    reply.await
}

/// Changes a webhook.
#[utoipa::path(patch, path = "/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    request_body = WebhookChange, responses((status = 200, body = WebhookView)))]
pub(super) async fn change(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<WebhookChange>,
) -> Result<WriteResponse, Problem> {
    let for_url = app.clone();
    let reply = app.write(request, move |work| {
        let mut webhook = webhook(work.db(), &work.request.caller, &id)?;
        work.check_version(&views::etag(&WebhookView::from(webhook.clone())))?;
        if let Some(url) = body.url {
            check_url(&for_url, &url)?;
            // What the old address answered says nothing of the new one.
            webhook.failing_since = webhook.failing_since.filter(|_| webhook.url == url);
            webhook.url = url;
        }
        webhook.description = body.description.unwrap_or(webhook.description);
        if let Some(types) = body.types {
            webhook.types = types.map(|types| types.into_iter().collect());
        }
        match body.enabled {
            Some(true) if webhook.disabled.is_some() => {
                webhook.disabled = None;
                webhook.failing_since = None;
            }
            Some(false) if webhook.disabled.is_none() => {
                webhook.disabled = Some(Disabled { at: work.at, reason: "requested".to_owned() });
            }
            Some(_) | None => {}
        }
        webhooks::update(work.tx(), &webhook)?;
        about(work, &webhook);
        Ok(WriteResponse::ok_versioned(&WebhookView::from(webhook)))
    });
    let reply = reply.await?;
    app.writer().wake();
    Ok(reply)
}

/// Deletes a webhook, and what is to be sent to it; answers with how it was. What is under way still arrives.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 200, body = WebhookView)))]
pub(super) async fn delete(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let webhook = webhook(work.db(), &work.request.caller, &id)?;
        work.check_version(&views::etag(&WebhookView::from(webhook.clone())))?;
        webhooks::delete(work.tx(), webhook.row)?;
        about(work, &webhook);
        Ok(WriteResponse::ok(&WebhookView::from(webhook)))
    })
    .await
}

/// Gives a webhook a new secret, which is shown once. For a day messages are signed with the one before, too; one that
/// was replaced before that signs no more.
#[utoipa::path(post, path = "/v1/webhooks/{id}:rotate-secret", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 200, body = WebhookWithSecret)))]
pub(super) async fn rotate_secret(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let mut webhook = webhook(work.db(), &work.request.caller, &id)?;
        work.check_version(&views::etag(&WebhookView::from(webhook.clone())))?;
        let secret = generate()?;
        let previous = std::mem::replace(&mut webhook.secret, secret.to_bytes());
        webhook.previous = Some(Previous { secret: previous, until: work.at + OVERLAP_SECONDS });
        webhooks::update(work.tx(), &webhook)?;
        about(work, &webhook);
        let rotated = WebhookWithSecret::new(&webhook, Some(secret.to_text()));
        Ok(WriteResponse::ok(&rotated).with_one_time_secret(&WebhookWithSecret::new(&webhook, None)))
    })
    .await
}
