//! `/v1/provider-keys`: with what the tools of managed accounts sign requests of their provider's own API.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::timestamp::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::kit::input::Body;
use crate::kit::input::Id;
use crate::kit::input::Nothing;
use crate::kit::input::Query;
use crate::kit::page::Page;
use crate::kit::problem::Kind;
use crate::kit::problem::Problem;
use crate::kit::views;
use crate::kit::views::shown;
use crate::kit::write::Reply;
use crate::kit::write::Work;
use crate::kit::write::Write;
use crate::state::AppState;
use perennial_formats::body::Spot;
use perennial_service::admin_tokens::Caller;
use perennial_service::provider_keys as keys;
use perennial_service::provider_keys::OVERLAP_SECONDS;
use perennial_service::provider_keys::OVERLAP_SECONDS_MAX;
use perennial_service::provider_keys::Wanted;
use perennial_service::secrets::Sealer;
use perennial_service::secrets::SecretsError;
use perennial_store::provider_keys;
use perennial_store::provider_keys::StoredKey;

/// A provider key, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ProviderKey)]
pub(super) struct KeyView {
    /// What requests call it by.
    access_key: String,
    /// The account that it is for.
    account: String,
    /// Whose API it is for.
    provider: String,
    /// What it is for, in words.
    name: String,
    /// When it was made.
    created_at: String,
    /// By which token; `cli` for the command line.
    created_by: String,
    /// From when on it is refused; null is never.
    expires_at: Option<String>,
    /// Since when it is refused.
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
            expires_at: shown(stored.expires_at),
            revoked_at: shown(stored.revoked_at),
            last_used_at: shown(stored.last_used_at),
        }
    }
}

/// Lists provider keys, also expired and revoked ones, in the order in which they were made.
#[utoipa::path(get, path = "/v1/provider-keys", tag = "provider_keys", responses((status = 200, body = Page<KeyView>)))]
pub(super) async fn list(
    State(host): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Page<KeyView>>, Problem> {
    query.finish()?;
    let accounts = caller.accounts_json();
    let stored = host.read(move |db| Ok(provider_keys::list(db, accounts.as_deref())?)).await?;
    let view = |mut key: StoredKey| {
        key.last_used_at = host.keys_used().at(&key.access_key).max(key.last_used_at);
        KeyView::from(key)
    };
    Ok(Json(Page { items: stored.into_iter().map(view).collect(), next_cursor: None }))
}

/// A provider key that is to be made.
#[derive(ToSchema)]
#[schema(as = NewProviderKey)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    /// The account that it is for.
    account: String,
    /// What it is for, in words.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// From when on it is refused; null is never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl Body for NewKey {
    fn read(spot: Spot<'_, '_>) -> Option<NewKey> {
        let fields = spot.object(&["account", "name", "expires_at"])?;
        let account = fields.required("account", |spot| spot.id().map(str::to_owned));
        let name = fields.required("name", |spot| spot.id().map(str::to_owned));
        let expires_at = fields.optional("expires_at", |spot| spot.instant()).option();
        Some(NewKey { account: account?, name: name?, expires_at: expires_at? })
    }
}

/// How a key is replaced.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateKey {
    /// For how many seconds more the old key is honoured; a day unless given.
    #[schema(value_type = Option<u32>, maximum = 2_592_000)]
    overlap_seconds: u32,
}

impl Body for RotateKey {
    fn read(spot: Spot<'_, '_>) -> Option<RotateKey> {
        let fields = spot.object(&["overlap_seconds"])?;
        let overlap = fields.optional("overlap_seconds", |spot| spot.whole(0, OVERLAP_SECONDS_MAX));
        Some(RotateKey { overlap_seconds: overlap.or(OVERLAP_SECONDS)? })
    }
}

/// A provider key that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeProviderKey)]
pub(super) struct MadeKey {
    /// The key, without its secret.
    key: KeyView,
    /// What to sign with. It is shown once; null for whoever asks again with the same idempotency key.
    secret: Option<String>,
}

/// Makes a provider key; its secret is shown once.
#[utoipa::path(post, path = "/v1/provider-keys", tag = "provider_keys", request_body = NewKey,
    responses((status = 201, body = MadeKey)))]
pub(super) async fn create(State(host): State<AppState>, write: Write<NewKey>) -> Result<Reply, Problem> {
    let sealer = sealer(&host)?;
    host.write(write, move |work, body| {
        let account = views::account(work.db(), &work.request.caller, &body.account)?;
        let wanted = Wanted {
            account: account.account.id,
            provider: account.account.provider,
            name: body.name,
            expires_at: body.expires_at,
        };
        made(work, &sealer, wanted)
    })
    .await
}

/// Replaces a provider key by a new one for the same account; the old one is honoured for a while, so that tools can be
/// told.
#[utoipa::path(post, path = "/v1/provider-keys/{id}:rotate", tag = "provider_keys", params(("id" = String, Path)),
    request_body = RotateKey, responses((status = 201, body = MadeKey)))]
pub(super) async fn rotate(
    State(host): State<AppState>,
    Id(id): Id,
    write: Write<RotateKey>,
) -> Result<Reply, Problem> {
    let sealer = sealer(&host)?;
    host.write(write, move |work, body| {
        let old = find(work, &id)?;
        if !old.is_in_force(work.at) {
            let detail = format!("the key {id} is no longer in force; make a new one");
            return Err(Problem::new(Kind::Conflict, detail));
        }
        provider_keys::expire(work.db(), &id, work.at + i64::from(body.overlap_seconds))?;
        let wanted = Wanted {
            account: old.account,
            provider: old.provider,
            name: old.name,
            expires_at: old.expires_at,
        };
        made(work, &sealer, wanted)
    })
    .await
}

/// Revokes a provider key, and every token that it asked for: they are refused from now on.
#[utoipa::path(post, path = "/v1/provider-keys/{id}:revoke", tag = "provider_keys", params(("id" = String, Path)),
    responses((status = 200, body = KeyView)))]
pub(super) async fn revoke(
    State(host): State<AppState>,
    Id(id): Id,
    write: Write<Nothing>,
) -> Result<Reply, Problem> {
    host.write(write, move |work, Nothing| {
        find(work, &id)?;
        provider_keys::revoke(work.db(), &id, work.at)?;
        Ok(Reply::ok(&KeyView::from(find(work, &id)?)))
    })
    .await
}

/// The key called `id`, if the caller sees its account.
fn find(work: &mut Work<'_>, id: &str) -> Result<StoredKey, Problem> {
    let found = provider_keys::get(work.db(), id)?.filter(|key| work.request.caller.sees(&key.account));
    let found = found.ok_or_else(|| Problem::not_found("provider key", id))?;
    work.about(&found.account, None);
    Ok(found)
}

fn made(work: &mut Work<'_>, sealer: &Sealer, wanted: Wanted) -> Result<Reply, Problem> {
    let account = views::account(work.db(), &work.request.caller, &wanted.account)?;
    work.about(&wanted.account, None);
    let minted = keys::mint(sealer, wanted, &work.request.caller.id, work.at).map_err(|error| {
        tracing::error!(%error, "a provider key could not be made");
        Problem::new(Kind::Internal, error.to_string())
    })?;
    provider_keys::insert(work.db(), account.row, &minted.stored)?;
    let location = format!("/v1/provider-keys/{}", minted.stored.access_key);
    let key = KeyView::from(minted.stored);
    let again = MadeKey { key: key.clone(), secret: None };
    Ok(Reply::created(&location, &MadeKey { key, secret: Some(minted.secret) }).shown_once(&again))
}

fn sealer(host: &AppState) -> Result<Sealer, Problem> {
    let none = || Problem::new(Kind::Conflict, SecretsError::NoKey.to_string());
    host.sealer().cloned().ok_or_else(none)
}
