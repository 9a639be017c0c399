//! `/v1/provider-keys`: the keys with which tools sign requests to the provider's own API of managed accounts.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::timestamp::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::tokens;
use crate::input;
use crate::input::Body;
use crate::input::EmptyBody;
use crate::input::Id;
use crate::input::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::quotas;
use crate::state::AppState;
use crate::views;
use crate::views::to_text;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteResponse;
use perennial_formats::body::JsonCursor;
use perennial_service::admin_tokens::Caller;
use perennial_service::limits::Limits;
use perennial_service::provider_keys as keys;
use perennial_service::provider_keys::CreateKey;
use perennial_service::provider_keys::OVERLAP_SECONDS;
use perennial_service::provider_keys::OVERLAP_SECONDS_MAX;
use perennial_service::secrets::SecretBox;
use perennial_service::secrets::SecretsError;
use perennial_store::provider_keys;
use perennial_store::provider_keys::StoredKey;

/// A provider key, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ProviderKey)]
pub(super) struct KeyView {
    /// The access key, which requests name.
    access_key: String,
    /// The account's ID.
    account: String,
    /// The provider's ID.
    provider: String,
    /// The purpose, for people.
    name: String,
    /// When it was created.
    created_at: String,
    /// The ID of the token that created it; `cli` for the command line.
    created_by: String,
    /// When it expires; null is never.
    expires_at: Option<String>,
    /// When it was revoked.
    revoked_at: Option<String>,
    /// When it was last used.
    last_used_at: Option<String>,
}

impl From<StoredKey> for KeyView {
    fn from(stored: StoredKey) -> KeyView {
        KeyView {
            access_key: stored.access_key,
            account: stored.account,
            provider: stored.provider,
            name: stored.name,
            created_at: stored.created_at.to_string(),
            created_by: stored.created_by,
            expires_at: to_text(stored.expires_at),
            revoked_at: to_text(stored.revoked_at),
            last_used_at: to_text(stored.last_used_at),
        }
    }
}

/// Lists provider keys, expired and revoked ones included, in the order in which they were created.
#[utoipa::path(get, path = "/v1/provider-keys", tag = "provider_keys", responses((status = 200, body = Page<KeyView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Page<KeyView>>, Problem> {
    query.finish()?;
    let accounts = caller.accounts_json();
    let stored = app.read(move |db| Ok(provider_keys::list(db, accounts.as_deref())?)).await?;
    let view = |mut key: StoredKey| {
        key.last_used_at = app.key_usage().last_used_at(&key.access_key).max(key.last_used_at);
        KeyView::from(key)
    };
    Ok(Json(Page { items: stored.into_iter().map(view).collect(), next_cursor: None }))
}

/// A new provider key.
#[derive(ToSchema)]
#[schema(as = NewProviderKey)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    /// The account's ID.
    account: String,
    /// The purpose, for people.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// When it expires, after the present; null is never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl Body for NewKey {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<NewKey> {
        let fields = cursor.object(&["account", "name", "expires_at"])?;
        let account = fields.required("account", |cursor| cursor.id().map(str::to_owned));
        let name = fields.required("name", |cursor| cursor.new_name().map(str::to_owned));
        let expires_at = fields.optional("expires_at", |cursor| cursor.given_instant()).option();
        Some(NewKey { account: account?, name: name?, expires_at: expires_at? })
    }
}

/// A rotation of a key.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateKey {
    /// How long the old key stays valid, in seconds; left out, a day.
    #[schema(value_type = Option<u32>, maximum = 2_592_000)]
    overlap_seconds: u32,
}

impl Body for RotateKey {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<RotateKey> {
        let fields = cursor.object(&["overlap_seconds"])?;
        let overlap = fields.optional("overlap_seconds", |cursor| cursor.integer(0, OVERLAP_SECONDS_MAX));
        Some(RotateKey { overlap_seconds: overlap.or(OVERLAP_SECONDS)? })
    }
}

/// A created provider key.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedProviderKey)]
pub(super) struct CreatedKey {
    /// The key, without its secret.
    key: KeyView,
    /// The secret to sign with. It is shown once; null in the response to a repeated request.
    secret: Option<String>,
}

/// Creates a provider key. Its secret is shown once. A token that expires makes no key that outlives it, here and by
/// `:rotate`.
#[utoipa::path(post, path = "/v1/provider-keys", tag = "provider_keys", request_body = NewKey,
    responses((status = 201, body = CreatedKey)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, body): Write<NewKey>,
) -> Result<WriteResponse, Problem> {
    let secret_box = secret_box(&app)?;
    let limits = app.limits().clone();
    app.write(request, move |work| {
        let account = views::visible_account(work.db(), &work.request.caller, &body.account)?;
        input::check_expiry(body.expires_at, work.at)?;
        let spec = CreateKey {
            account: account.account.id,
            provider: account.account.provider,
            name: body.name,
            expires_at: tokens::expiry(work.db(), &work.request.caller, body.expires_at)?,
        };
        issue_response(work, &limits, &secret_box, spec)
    })
    .await
}

/// Replaces a provider key by a new one for the same account. The old one stays valid for a while, so that tools can
/// switch, and is not replaced again.
#[utoipa::path(post, path = "/v1/provider-keys/{id}:rotate", tag = "provider_keys", params(("id" = String, Path)),
    request_body = RotateKey, responses((status = 201, body = CreatedKey)))]
pub(super) async fn rotate(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<RotateKey>,
) -> Result<WriteResponse, Problem> {
    let secret_box = secret_box(&app)?;
    let limits = app.limits().clone();
    app.write(request, move |work| {
        let old = find(work, &id)?;
        if !old.is_in_force(work.at) {
            let detail = format!("the key {id} is no longer in force; make a new one");
            return Err(Problem::new(ProblemType::Conflict, detail));
        }
        let all = provider_keys::list(work.db(), None)?;
        let successor = keys::successor(&all, &old);
        if let Some(successor) = successor.filter(|successor| successor.revoked_at.is_none()) {
            let successor = &successor.access_key;
            let detail = format!(
                "the key {id} was replaced by {successor} already; rotate that one, or make another one"
            );
            return Err(Problem::new(ProblemType::Conflict, detail));
        }
        provider_keys::expire(work.tx(), &id, work.at + i64::from(body.overlap_seconds))?;
        let wanted = successor.map_or(old.expires_at, |successor| successor.expires_at);
        let latest = tokens::expiry(work.db(), &work.request.caller, None)?;
        let spec = CreateKey {
            account: old.account,
            provider: old.provider,
            name: old.name,
            expires_at: wanted.into_iter().chain(latest).min(),
        };
        issue_response(work, &limits, &secret_box, spec)
    })
    .await
}

/// Revokes a provider key and every token that was issued for it. They stop working at once.
#[utoipa::path(post, path = "/v1/provider-keys/{id}:revoke", tag = "provider_keys", params(("id" = String, Path)),
    responses((status = 200, body = KeyView)))]
pub(super) async fn revoke(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        find(work, &id)?;
        provider_keys::revoke(work.tx(), &id, work.at)?;
        Ok(WriteResponse::ok(&KeyView::from(find(work, &id)?)))
    })
    .await
}

/// Finds the key `id`, if the caller can access its account, and sets the audit subject.
fn find(work: &mut WriteContext<'_>, id: &str) -> Result<StoredKey, Problem> {
    let key = provider_keys::get(work.db(), id)?.filter(|key| work.request.caller.can_access(&key.account));
    let key = key.ok_or_else(|| Problem::not_found("provider key", id))?;
    work.set_audit_subject(&key.account, None);
    Ok(key)
}

fn issue_response(
    work: &mut WriteContext<'_>,
    limits: &Limits,
    secret_box: &SecretBox,
    spec: CreateKey,
) -> Result<WriteResponse, Problem> {
    let account = views::visible_account(work.db(), &work.request.caller, &spec.account)?;
    work.set_audit_subject(&spec.account, None);
    quotas::check_keys(work.db(), account.row, limits, work.at)?;
    let issued = keys::issue(secret_box, spec, &work.request.caller.id, work.at).map_err(|error| {
        tracing::error!(%error, "a provider key could not be created");
        Problem::new(ProblemType::Internal, error.to_string())
    })?;
    provider_keys::insert(work.tx(), account.row, &issued.stored)?;
    let location = format!("/v1/provider-keys/{}", issued.stored.access_key);
    let key = KeyView::from(issued.stored);
    let replay = CreatedKey { key: key.clone(), secret: None };
    Ok(WriteResponse::created(&location, &CreatedKey { key, secret: Some(issued.secret) })
        .with_one_time_secret(&replay))
}

/// The box that seals secrets.
fn secret_box(app: &AppState) -> Result<SecretBox, Problem> {
    let none = || Problem::new(ProblemType::Conflict, SecretsError::NoKey.to_string());
    app.secret_box().cloned().ok_or_else(none)
}
