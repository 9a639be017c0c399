//! `/v1/tokens`: the tokens of the admin API.

use std::collections::BTreeSet;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::timestamp::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::require_all_accounts;
use crate::input;
use crate::input::Body;
use crate::input::Id;
use crate::input::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::quotas;
use crate::quotas::Creation;
use crate::state::AppState;
use crate::views::check_accounts;
use crate::views::to_text;
use crate::write::Write;
use crate::write::WriteResponse;
use perennial_formats::body::JsonCursor;
use perennial_service::admin_tokens;
use perennial_service::admin_tokens::Caller;
use perennial_service::admin_tokens::CreateToken;
use perennial_service::admin_tokens::Role;
use perennial_store::ReadTx;
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
    /// The person behind it: a name that the command line gave, or the ID of their first token. Tokens that it creates are
    /// theirs, too.
    owner: String,
    /// The labels by which policies ask for approvers; tokens that it creates have some of them.
    approves: Vec<String>,
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
            owner: stored.owner,
            approves: stored.approves,
        }
    }
}

/// Whether the caller can access a token: a bound caller can if it can access every account of the token.
fn can_access(caller: &Caller, token: &StoredToken) -> bool {
    caller.can_access_each(token.accounts.as_deref())
}

/// Lists tokens, expired and revoked ones included, in the order in which they were created.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens",
    params(("created_by" = Option<String>, Query,
        description = "Only tokens that the token with this ID created, or that those created, and so on.")),
    responses((status = 200, body = Page<TokenView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<TokenView>>, Problem> {
    let maker = query.take("created_by");
    query.finish()?;
    let stored = app.read(|db| Ok(api_tokens::list(db)?)).await?;
    let stored = match maker {
        Some(maker) => admin_tokens::descendants(stored, &maker),
        None => stored,
    };
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
    /// The role of the new token.
    role: Role,
    /// The accounts that it can access, at least one; null is all of them.
    #[schema(min_items = 1)]
    accounts: Option<BTreeSet<String>>,
    /// When it expires, after the present; null is never or, if the token that creates it expires, when that one does.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The labels by which policies ask for approvers, each one that the token that creates it has; left out or null, all of
    /// those, if its role can approve.
    approves: Option<BTreeSet<String>>,
    /// The person behind it; left out or null, the one behind the token that creates it. Only the command line on the machine of
    /// the database names another one; where it names nobody, the token is of a person who has no other.
    #[schema(min_length = 1, max_length = 64)]
    owner: Option<String>,
}

impl Body for NewToken {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<NewToken> {
        let fields = cursor.object(&["name", "role", "accounts", "expires_at", "approves", "owner"])?;
        let name = fields.required("name", |cursor| cursor.new_name().map(str::to_owned));
        let role = fields.required("role", |cursor| cursor.one_of(&Role::ALL, Role::name));
        let accounts = fields.optional("accounts", input::accounts).option();
        let expires_at = fields.optional("expires_at", |cursor| cursor.given_instant()).option();
        let approves = fields.optional("approves", labels).option();
        let owner = fields.optional("owner", |cursor| cursor.new_name().map(str::to_owned)).option();
        Some(NewToken {
            name: name?,
            role: role?,
            accounts: accounts?,
            expires_at: expires_at?,
            approves: approves?,
            owner: owner?,
        })
    }
}

/// Labels of approvers: names, as the scripts of policies have them.
fn labels(cursor: JsonCursor<'_, '_>) -> Option<BTreeSet<String>> {
    let labels = cursor.list(|_, cursor| cursor.id().map(str::to_owned))?;
    Some(labels.into_iter().collect())
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
/// accounts, and one that expires none that outlives it. The new token belongs to the same person: neither approves of
/// what the other requested.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, body = CreatedToken)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, body): Write<NewToken>,
) -> Result<WriteResponse, Problem> {
    let limits = app.limits().clone();
    let write = app.write(request, move |work| {
        let caller = &work.request.caller;
        quotas::check_person(work.db(), caller, (&limits, work.at), Creation::Token)?;
        match &body.accounts {
            None => require_all_accounts(caller)?,
            Some(accounts) => check_accounts(work.db(), caller, accounts)?,
        }
        input::check_expiry(body.expires_at, work.at)?;
        let expires_at = expiry(work.db(), caller, body.expires_at)?;
        let owner = owner(caller, body.owner)?;
        let approves = inherited_labels(caller, body.role, body.approves)?;
        let NewToken { name, role, accounts, .. } = body;
        let spec = CreateToken { name, role, accounts, expires_at, owner, approves };
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

/// The person behind a new token; `None` is somebody who has no other.
fn owner(caller: &Caller, wanted: Option<String>) -> Result<Option<String>, Problem> {
    if caller.is_command_line() {
        return Ok(wanted);
    }
    let own = caller.owner.to_string();
    if wanted.is_none_or(|wanted| wanted == own) {
        return Ok(Some(own));
    }
    let detail = "a token belongs to the person whose token creates it; one of another person is made on the machine of the \
                  database, with `perennial token create --owner`";
    Err(Problem::new(ProblemType::Forbidden, detail))
}

/// The labels of a new token: those that are asked for, all of which its maker has, or all that its maker has.
fn inherited_labels(
    caller: &Caller,
    role: Role,
    wanted: Option<BTreeSet<String>>,
) -> Result<BTreeSet<String>, Problem> {
    let can_approve = role >= Role::Approver;
    let Some(wanted) = wanted else {
        let labels = caller.approves.as_deref().filter(|_| can_approve);
        return Ok(labels.cloned().unwrap_or_default());
    };
    if !can_approve && !wanted.is_empty() {
        let detail =
            format!("the role `{}` does not approve; labels are for `approver` and `admin`", role.name());
        return Err(Problem::field(ProblemType::InvalidFields, "approves", detail));
    }
    let labels = caller.approves.as_deref();
    match labels.and_then(|labels| wanted.difference(labels).next()) {
        None => Ok(wanted),
        Some(label) => {
            let detail = format!(
                "a token gives only labels that it has, and it does not have `{label}`; the first token with it is made with \
                 `perennial token create --approves {label}`"
            );
            Err(Problem::new(ProblemType::Forbidden, detail))
        }
    }
}

/// When a new token or key expires: as it is asked for, and not after the token that creates it.
pub(super) fn expiry(
    db: &ReadTx,
    caller: &Caller,
    wanted: Option<Timestamp>,
) -> Result<Option<Timestamp>, Problem> {
    let Some(limit) = api_tokens::get(db, &caller.id)?.and_then(|maker| maker.expires_at) else {
        return Ok(wanted);
    };
    if wanted.is_some_and(|wanted| wanted > limit) {
        let detail = format!("the token that creates it expires at {limit}; it cannot outlive that one");
        return Err(Problem::field(ProblemType::InvalidFields, "expires_at", detail));
    }
    Ok(wanted.or(Some(limit)))
}

/// How a token is revoked.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevokeToken {
    /// Also revoke the tokens that it created, those that they created, and so on; left out, false.
    cascade: Option<bool>,
}

impl Body for RevokeToken {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<RevokeToken> {
        let fields = cursor.object(&["cascade"])?;
        Some(RevokeToken { cascade: fields.optional("cascade", |cursor| cursor.flag()).option()? })
    }
}

/// A revoked token.
#[derive(Serialize, ToSchema)]
pub(super) struct RevokedToken {
    /// The token, with the instant of its revocation.
    token: TokenView,
    /// The tokens that were revoked with it: none without `cascade`, and none that was revoked before.
    cascaded: Vec<TokenView>,
}

/// Revokes a token. It stops working at once, also in requests that are under way. What it created goes on unless
/// `cascade` says otherwise: `GET /v1/tokens?created_by=` lists that.
#[utoipa::path(post, path = "/v1/tokens/{id}:revoke", tag = "tokens", params(("id" = String, Path)),
    request_body = RevokeToken, responses((status = 200, body = RevokedToken)))]
pub(super) async fn revoke(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<RevokeToken>,
) -> Result<WriteResponse, Problem> {
    let write = app.write(request, move |work| {
        let none = || Problem::not_found("token", &id);
        let caller = &work.request.caller;
        api_tokens::get(work.db(), &id)?.filter(|token| can_access(caller, token)).ok_or_else(none)?;
        let mut cascaded = match body.cascade {
            Some(true) => admin_tokens::descendants(api_tokens::list(work.db())?, &id),
            Some(false) | None => Vec::new(),
        };
        cascaded.retain(|token| token.revoked_at.is_none() && can_access(caller, token));
        api_tokens::revoke(work.tx(), &id, work.at)?;
        for token in &mut cascaded {
            api_tokens::revoke(work.tx(), &token.id, work.at)?;
            token.revoked_at = Some(work.at);
        }
        let token = api_tokens::get(work.db(), &id)?.ok_or_else(none)?;
        let cascaded = cascaded.into_iter().map(TokenView::from).collect();
        Ok(WriteResponse::ok(&RevokedToken { token: token.into(), cascaded }))
    });
    let response = write.await?;
    app.reload_tokens().await?;
    Ok(response)
}
