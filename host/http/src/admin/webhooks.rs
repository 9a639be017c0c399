//! `/v1/webhooks`: the receivers of events. [`perennial_service::webhooks::dispatcher`] sends the events, and
//! `deliveries` has the results.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_store::ReadTx;
use perennial_store::keys::RowKey;
use perennial_store::keys::WebhookKey;
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
use crate::quotas;
use crate::quotas::Creation;
use crate::state::AppState;
use crate::views;
use crate::views::to_text;
use crate::write::Write;
use crate::write::WriteResponse;
use perennial_service::admin_tokens::Caller;
use perennial_service::limits::Limit;
use perennial_service::outbound::Reach;
use perennial_service::outbound::target::Target;
use perennial_service::secrets::SecretsError;
use perennial_service::webhooks::secret::OVERLAP_SECONDS;
use perennial_service::webhooks::secret::Secret;
use perennial_store::list_queries;
use perennial_store::webhooks;
use perennial_store::webhooks::Disablement;
use perennial_store::webhooks::PreviousSecret;
use perennial_store::webhooks::StoredWebhook;

/// A webhook, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookView {
    /// Public ID of the webhook.
    id: String,
    /// The URL that events are sent to.
    url: String,
    /// The purpose, for people.
    description: String,
    /// The accounts whose events are sent; null is all of them, and events of the host.
    accounts: Option<Vec<String>>,
    /// The types of event that are sent; null is all of them.
    types: Option<Vec<String>>,
    /// Whether events are sent.
    enabled: bool,
    /// When it was disabled.
    disabled_at: Option<String>,
    /// The reason why it is disabled: `requested`; `gone`: its receiver answered 410; or `failing`: every attempt
    /// failed for five days.
    disabled_reason: Option<String>,
    /// The first attempt since which all have failed; null after a success.
    failing_since: Option<String>,
    /// When it was created.
    created_at: String,
    /// The ID of the token that created it.
    created_by: String,
    /// Until when messages are also signed with the previous secret; null without one.
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

/// Finds the webhook `id`, if the caller can access it: a bound caller can if it can access every account of the
/// webhook.
pub(super) fn visible_webhook(db: &ReadTx, caller: &Caller, id: &str) -> Result<StoredWebhook, Problem> {
    let stored = webhooks::get(db, id)?.filter(|webhook| caller.can_access_each(webhook.accounts.as_deref()));
    stored.ok_or_else(|| Problem::not_found("webhook", id))
}

/// Lists webhooks, disabled ones included, in the order in which they were created.
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
    let webhook = app.read(move |db| visible_webhook(db, &caller, &id)).await?;
    Ok(WriteResponse::ok_versioned(&WebhookView::from(webhook)).into_response())
}

/// Checks that the configuration of the host allows a URL.
fn check_url(app: &AppState, url: &str) -> Result<(), Problem> {
    let target = Target::read(url, Reach::webhooks(app.webhooks().allow_private));
    target.map(drop).map_err(|why| Problem::field(ProblemType::InvalidFields, "url", why))
}

/// A webhook with its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookWithSecret {
    /// The webhook as it is listed.
    webhook: WebhookView,
    /// The secret that signs its messages. It is shown once; null in the response to a repeated request.
    secret: Option<String>,
}

impl WebhookWithSecret {
    fn new(webhook: &StoredWebhook, secret: Option<String>) -> WebhookWithSecret {
        WebhookWithSecret { webhook: WebhookView::from(webhook.clone()), secret }
    }
}

/// A new ID: the prefix and six random bytes.
pub(super) fn new_id(prefix: &str) -> Result<String, Problem> {
    Ok(prefix.to_owned() + &perennial_service::random_hex::random_hex::<6>()?)
}

/// Creates a webhook. Its secret is shown once. It is sent events from now on, as CloudEvents 1.0 in the structured
/// JSON format, signed according to Standard Webhooks.
#[utoipa::path(post, path = "/v1/webhooks", tag = "webhooks", request_body = NewWebhook,
    responses((status = 201, body = WebhookWithSecret)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, body): Write<NewWebhook>,
) -> Result<WriteResponse, Problem> {
    let (target_policy, limits) = (app.clone(), app.limits().clone());
    let write = app.write(request, move |work| {
        let caller = &work.request.caller;
        quotas::check_person(work.db(), caller, (&limits, work.at), Creation::Webhook)?;
        if let Some(accounts) = &body.accounts {
            for account in accounts {
                views::visible_account(work.db(), caller, account)?;
            }
        }
        check_url(&target_policy, &body.url)?;
        let would_be = i64::try_from(webhooks::list(work.db())?.len()).unwrap_or(i64::MAX).saturating_add(1);
        quotas::check(&limits, Limit::webhooks_max(), "webhooks of the host", would_be)?;
        let secret = Secret::generate()?;
        let id = new_id("wh_")?;
        let webhook = StoredWebhook {
            row: WebhookKey::unassigned(),
            secret: secret.to_bytes(target_policy.secret_box(), &id).map_err(not_sealed)?,
            id,
            url: body.url,
            description: body.description,
            accounts: body.accounts.map(|accounts| accounts.into_iter().collect()).or(caller.accounts()),
            types: body.types.map(|types| types.into_iter().collect()),
            previous: None,
            created_at: work.at,
            created_by: caller.id.to_string(),
            disabled: None,
            failing_since: None,
            cursor: list_queries::last_event(work.db())?,
        };
        webhooks::insert(work.tx(), &webhook)?;
        work.set_audit_accounts(webhook.accounts.as_deref());
        let created = WebhookWithSecret::new(&webhook, Some(secret.to_text()));
        let replay = WebhookWithSecret::new(&webhook, None);
        Ok(WriteResponse::created(&format!("/v1/webhooks/{}", webhook.id), &created)
            .with_one_time_secret(&replay))
    });
    write.await
}

/// The problem for a secret that cannot be sealed.
fn not_sealed(error: SecretsError) -> Problem {
    tracing::error!(%error, "the secret of a webhook cannot be sealed");
    Problem::new(ProblemType::Internal, error.to_string())
}

/// Changes a webhook.
#[utoipa::path(patch, path = "/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    request_body = WebhookChange, responses((status = 200, body = WebhookView)))]
pub(super) async fn change(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<WebhookChange>,
) -> Result<WriteResponse, Problem> {
    let target_policy = app.clone();
    let write = app.write(request, move |work| {
        let mut webhook = visible_webhook(work.db(), &work.request.caller, &id)?;
        work.check_version(&views::etag(&WebhookView::from(webhook.clone())))?;
        if let Some(url) = body.url {
            check_url(&target_policy, &url)?;
            // The response of the old URL says nothing about the new one.
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
                webhook.disabled = Some(Disablement { at: work.at, reason: "requested".to_owned() });
            }
            Some(_) | None => {}
        }
        webhooks::update(work.tx(), &webhook)?;
        work.set_audit_accounts(webhook.accounts.as_deref());
        Ok(WriteResponse::ok_versioned(&WebhookView::from(webhook)))
    });
    let response = write.await?;
    app.writer().wake();
    Ok(response)
}

/// Deletes a webhook and its pending deliveries. Returns the deleted webhook. Messages in flight still arrive.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 200, body = WebhookView)))]
pub(super) async fn delete(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let webhook = visible_webhook(work.db(), &work.request.caller, &id)?;
        work.check_version(&views::etag(&WebhookView::from(webhook.clone())))?;
        webhooks::delete(work.tx(), webhook.row)?;
        work.set_audit_accounts(webhook.accounts.as_deref());
        Ok(WriteResponse::ok(&WebhookView::from(webhook)))
    })
    .await
}

/// Gives a webhook a new secret, which is shown once. For a day, messages are also signed with the previous secret;
/// older secrets sign no more.
#[utoipa::path(post, path = "/v1/webhooks/{id}:rotate-secret", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 200, body = WebhookWithSecret)))]
pub(super) async fn rotate_secret(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    let secrets = app.clone();
    app.write(request, move |work| {
        let mut webhook = visible_webhook(work.db(), &work.request.caller, &id)?;
        work.check_version(&views::etag(&WebhookView::from(webhook.clone())))?;
        let secret = Secret::generate()?;
        let sealed = secret.to_bytes(secrets.secret_box(), &webhook.id).map_err(not_sealed)?;
        let previous = std::mem::replace(&mut webhook.secret, sealed);
        webhook.previous = Some(PreviousSecret { secret: previous, until: work.at + OVERLAP_SECONDS });
        webhooks::update(work.tx(), &webhook)?;
        work.set_audit_accounts(webhook.accounts.as_deref());
        let rotated = WebhookWithSecret::new(&webhook, Some(secret.to_text()));
        Ok(WriteResponse::ok(&rotated).with_one_time_secret(&WebhookWithSecret::new(&webhook, None)))
    })
    .await
}
