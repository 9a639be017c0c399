//! `/v1/tokens`: the tokens of the admin API.

use std::collections::BTreeSet;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::timestamp::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::require_account;
use crate::auth::require_all_accounts;
use crate::input::Body;
use crate::input::EmptyBody;
use crate::input::Id;
use crate::input::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::state::AppState;
use crate::views::to_text;
use crate::write::Write;
use crate::write::WriteResponse;
use perennial_formats::body::JsonCursor;
use perennial_service::admin_tokens;
use perennial_service::admin_tokens::Caller;
use perennial_service::admin_tokens::CreateToken;
use perennial_service::admin_tokens::Role;
use perennial_store::api_tokens;
use perennial_store::api_tokens::StoredToken;

/// A token, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct TokenView {
    /// The ID, as in the audit log.
    id: String,
    /// The purpose, for people.
    name: String,
    /// `viewer`, `operator`, `approver` or `admin`.
    role: String,
    /// The accounts that it can access; null is all of them.
    accounts: Option<Vec<String>>,
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

impl From<StoredToken> for TokenView {
    fn from(stored: StoredToken) -> TokenView {
        TokenView {
            id: stored.id,
            name: stored.name,
            role: stored.role,
            accounts: stored.accounts,
            created_at: stored.created_at.to_string(),
            created_by: stored.created_by,
            expires_at: to_text(stored.expires_at),
            revoked_at: to_text(stored.revoked_at),
            last_used_at: to_text(stored.last_used_at),
        }
    }
}

/// Whether the caller can access a token: a bound caller can if it can access every account of the token.
fn can_access(caller: &Caller, token: &StoredToken) -> bool {
    caller.can_access_each(token.accounts.as_deref())
}

/// Lists tokens, expired and revoked ones included, in the order in which they were created.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens", responses((status = 200, body = Page<TokenView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Page<TokenView>>, Problem> {
    query.finish()?;
    let stored = app.read(|db| Ok(api_tokens::list(db)?)).await?;
    let view = |mut token: StoredToken| {
        token.last_used_at = app.tokens().last_used_at(&token.id).max(token.last_used_at);
        TokenView::from(token)
    };
    let items = stored.into_iter().filter(|token| can_access(&caller, token)).map(view).collect();
    Ok(Json(Page { items, next_cursor: None }))
}

/// A new token.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// The purpose, for people.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// The role.
    role: Role,
    /// The accounts that it can access; null is all of them.
    accounts: Option<BTreeSet<String>>,
    /// When it expires; null is never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl Body for NewToken {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<NewToken> {
        let fields = cursor.object(&["name", "role", "accounts", "expires_at"])?;
        let name = fields.required("name", |cursor| cursor.id().map(str::to_owned));
        let role = fields.required("role", |cursor| cursor.one_of(&Role::ALL, Role::name));
        let accounts = fields
            .optional("accounts", |cursor| cursor.list(|_, cursor| cursor.id().map(str::to_owned)))
            .option();
        let expires_at = fields.optional("expires_at", |cursor| cursor.instant()).option();
        let accounts = accounts?.map(|accounts| accounts.into_iter().collect());
        Some(NewToken { name: name?, role: role?, accounts, expires_at: expires_at? })
    }
}

/// A created token.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedToken {
    /// The token, without its secret.
    token: TokenView,
    /// The secret for `Authorization: Bearer …`. It is shown once; null in the response to a repeated request.
    secret: Option<String>,
}

/// Creates a token. Its secret is shown once. A bound token can only create tokens that are bound to some of its
/// accounts.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, body = CreatedToken)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, body): Write<NewToken>,
) -> Result<WriteResponse, Problem> {
    let write = app.write(request, move |work| {
        let caller = &work.request.caller;
        match &body.accounts {
            None => require_all_accounts(caller)?,
            Some(accounts) => accounts.iter().try_for_each(|account| require_account(caller, account))?,
        }
        let spec = CreateToken {
            name: body.name,
            role: body.role,
            accounts: body.accounts,
            expires_at: body.expires_at,
        };
        let issued = admin_tokens::issue(spec, &caller.id, work.at)?;
        api_tokens::insert(work.tx(), &issued.stored)?;
        let location = format!("/v1/tokens/{}", issued.stored.id);
        let token = TokenView::from(issued.stored);
        let replay = CreatedToken { token: token.clone(), secret: None };
        Ok(WriteResponse::created(&location, &CreatedToken { token, secret: Some(issued.secret) })
            .with_one_time_secret(&replay))
    });
    let response = write.await?;
    app.reload_tokens().await?;
    Ok(response)
}

/// Revokes a token. It stops working at once.
#[utoipa::path(post, path = "/v1/tokens/{id}:revoke", tag = "tokens", params(("id" = String, Path)),
    responses((status = 200, body = TokenView)))]
pub(super) async fn revoke(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    let write = app.write(request, move |work| {
        api_tokens::get(work.db(), &id)?
            .filter(|token| can_access(&work.request.caller, token))
            .ok_or_else(|| Problem::not_found("token", &id))?;
        api_tokens::revoke(work.tx(), &id, work.at)?;
        let token = api_tokens::get(work.db(), &id)?.ok_or_else(|| Problem::not_found("token", &id))?;
        Ok(WriteResponse::ok(&TokenView::from(token)))
    });
    let response = write.await?;
    app.reload_tokens().await?;
    Ok(response)
}
