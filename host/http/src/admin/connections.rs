//! `/v1/connections` and `/v1/drift`: accounts that their provider keeps. Connecting one proves its key by a harmless call.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::connector::CloudBalance;
use perennial_domain::connector::Driver;
use perennial_domain::connector::SyncState;
use perennial_domain::ledger::Balance;
use perennial_service::admin_tokens::Caller;
use perennial_service::connections::caller::CallError;
use perennial_service::connections::caller::ConnectedAccount;
use perennial_service::connections::refresher;
use perennial_service::connections::sync;
use perennial_service::connections::sync::SyncOptions;
use perennial_store::accounts;
use perennial_store::connections;
use perennial_store::connections::Connection;
use perennial_store::connections::SecretLocation;
use perennial_store::connections::drifts;

use crate::admin::connection_bodies::Grants;
use crate::admin::connection_bodies::NewConnection;
use crate::admin::connection_bodies::RotateConnection;
use crate::admin::connection_bodies::SyncRequest;
use crate::admin::connection_calls::call_problem;
use crate::admin::connection_calls::checked_grants;
use crate::admin::connection_calls::connect;
use crate::admin::connection_calls::given;
use crate::admin::connection_calls::load;
use crate::admin::connection_calls::prove;
use crate::admin::connection_calls::rules_of;
use crate::admin::connection_calls::sync_problem;
use crate::admin::connection_calls::view;
use crate::admin::connection_calls::visible;
use crate::admin::connection_views::ConnectionView;
use crate::admin::connection_views::DriftView;
use crate::auth::require_all_accounts;
use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;
use crate::views;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteResponse;

/// For how long one request reads an inventory before it says how far it has come.
const STEP_TIME: Duration = Duration::from_secs(2);

/// Lists connected accounts, by ID.
#[utoipa::path(get, path = "/v1/connections", tag = "connections",
    responses((status = 200, body = Page<ConnectionView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Page<ConnectionView>>, Problem> {
    query.finish()?;
    let providers = app.clone();
    let items = app.read(move |db| {
        let stored = connections::list(db, caller.accounts_json().as_deref())?;
        stored.into_iter().map(|stored| view(&providers, db, stored)).collect::<Result<Vec<_>, _>>()
    });
    Ok(Json(Page { items: items.await?, next_cursor: None }))
}

/// Gets a connected account: what is granted, how far its sync has come, and what will lapse.
#[utoipa::path(get, path = "/v1/connections/{id}", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = ConnectionView)))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    query: Query,
) -> Result<Json<ConnectionView>, Problem> {
    query.finish()?;
    let providers = app.clone();
    let view = app.read(move |db| view(&providers, db, visible(db, &caller, &id)?));
    Ok(Json(view.await?))
}

/// Connects an account that its provider keeps. The key is proven by a harmless call first; then the account is watched:
/// only the reads that are granted leave the host.
#[utoipa::path(post, path = "/v1/connections", tag = "connections", request_body = NewConnection,
    responses((status = 201, body = ConnectionView)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, body): Write<NewConnection>,
) -> Result<WriteResponse, Problem> {
    require_all_accounts(&request.caller)?;
    let rules = rules_of(&app, &body.provider)?;
    let grants = checked_grants(&*rules, body.grants.clone())?;
    let problems = rules.check_settings(&body.settings).map_err(CallError::Plugin).map_err(call_problem)?;
    if !problems.is_empty() {
        return Err(Problem::field(ProblemType::InvalidFields, "settings", problems.join("; ")));
    }
    let (id, exists) = (body.account.clone(), body.account.clone());
    if app.read(move |db| Ok(accounts::get(db, &exists)?.is_some())).await? {
        return Err(Problem::new(ProblemType::Conflict, format!("there is an account `{id}` already")));
    }
    let (location, secret) = given(&app, &body.account, body.secret).await?;
    let account = Account {
        id: body.account,
        provider: body.provider,
        mode: Mode::Connected,
        currency: body.currency.clone().unwrap_or_default(),
        balance: Balance::default(),
        settings: body.settings,
        approval_above: None,
        budget: None,
    };
    let (access_key, endpoint) = (body.access_key, body.endpoint);
    let connected = Arc::new(ConnectedAccount { account, rules, access_key, secret, endpoint, grants });
    let proven = prove(&app, &connected).await?;
    let said = proven.as_ref().map(|balance| balance.currency.clone());
    let Some(currency) = body.currency.or(said) else {
        let why = "the provider does not say in which currency the account is; say it";
        return Err(Problem::field(ProblemType::InvalidFields, "currency", why));
    };
    let state = app.clone();
    app.write(request, move |work| {
        insert(work, &connected, location, currency, proven.as_ref())?;
        let stored = visible(work.db(), &work.request.caller, &connected.account.id)?;
        let location = format!("/v1/connections/{}", views::path_segment(&connected.account.id));
        Ok(WriteResponse::created(&location, &view(&state, work.db(), stored)?))
    })
    .await
}

/// Adds the account, its connection, its grants, and what is known of its money.
fn insert(
    work: &mut WriteContext<'_>,
    connected: &ConnectedAccount,
    secret: SecretLocation,
    currency: String,
    balance: Option<&CloudBalance>,
) -> Result<(), Problem> {
    let account = Account { currency, ..connected.account.clone() };
    if accounts::get(work.db(), &account.id)?.is_some() {
        let detail = format!("there is an account `{}` already", account.id);
        return Err(Problem::new(ProblemType::Conflict, detail));
    }
    let none = std::iter::empty::<(&str, &perennial_domain::bundle::Bundle)>();
    work.engine.import(work.at, std::slice::from_ref(&account), none)?;
    work.set_audit_subject(&account.id, None);
    let row = views::visible_account(work.db(), &work.request.caller, &account.id)?.row;
    let connection = Connection {
        driver: Driver::Watch,
        endpoint: connected.endpoint.clone(),
        access_key: connected.access_key.clone(),
        secret,
        created_at: work.at,
        created_by: work.request.caller.id.to_string(),
    };
    connections::insert(work.tx(), row, &connection)?;
    connections::set_grants(work.tx(), row, &connected.grants, (&work.request.caller.id, work.at))?;
    if let Some(balance) = balance {
        connections::set_balance(work.tx(), row, balance, work.at)?;
    }
    Ok(())
}

/// Replaces the key of a connected account. The new one is proven first; calls under way are made with the old one.
#[utoipa::path(post, path = "/v1/connections/{id}:rotate", tag = "connections", params(("id" = String, Path)),
    request_body = RotateConnection, responses((status = 200, body = ConnectionView)))]
pub(super) async fn rotate(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<RotateConnection>,
) -> Result<WriteResponse, Problem> {
    let before = load(&app, &request.caller, &id).await?;
    let (location, secret) = given(&app, &id, body.secret).await?;
    let access_key = body.access_key;
    let connected =
        ConnectedAccount { access_key: access_key.clone(), secret, ..connect(&app, &before).await? };
    prove(&app, &Arc::new(connected)).await?;
    let state = app.clone();
    app.write(request, move |work| {
        let stored = visible(work.db(), &work.request.caller, &id)?;
        work.set_audit_subject(&id, None);
        connections::set_secret(work.tx(), stored.account, (&access_key, &location), work.at)?;
        let stored = visible(work.db(), &work.request.caller, &id)?;
        Ok(WriteResponse::ok(&view(&state, work.db(), stored)?))
    })
    .await
}

/// Grants reads of a connected account, and takes those back that are not named.
#[utoipa::path(post, path = "/v1/connections/{id}:grant", tag = "connections", params(("id" = String, Path)),
    request_body = Grants, responses((status = 200, body = ConnectionView)))]
pub(super) async fn grant(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<Grants>,
) -> Result<WriteResponse, Problem> {
    let state = app.clone();
    app.write(request, move |work| {
        let stored = visible(work.db(), &work.request.caller, &id)?;
        work.set_audit_subject(&id, None);
        let account = views::visible_account(work.db(), &work.request.caller, &id)?.account;
        let grants = checked_grants(&*rules_of(&state, &account.provider)?, Some(body.reads))?;
        connections::set_grants(work.tx(), stored.account, &grants, (&work.request.caller.id, work.at))?;
        Ok(WriteResponse::ok(&view(&state, work.db(), stored)?))
    })
    .await
}

/// Reads the inventory of a connected account on: for about two seconds, then it says how far it has come. Send it again until
/// `sync.state` is `done` or `suspicious`; what was read is kept meanwhile.
#[utoipa::path(post, path = "/v1/connections/{id}:sync", tag = "connections", params(("id" = String, Path)),
    request_body = SyncRequest, responses((status = 200, body = ConnectionView)))]
pub(super) async fn sync(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<SyncRequest>,
) -> Result<WriteResponse, Problem> {
    let stored = load(&app, &request.caller, &id).await?;
    let connected = Arc::new(connect(&app, &stored).await?);
    let (started, at) = (Instant::now(), app.now());
    let (_, caller) = app.service().connections();
    let wanted = SyncOptions { incremental: body.incremental, accept_missing: body.accept_missing };
    let is_read = loop {
        let progress = sync::step(app.service(), caller, &connected, wanted, at).await;
        let progress = progress.map_err(sync_problem)?;
        if progress.is_read || progress.sync.state == SyncState::Suspicious {
            break progress.is_read;
        }
        if started.elapsed() >= STEP_TIME {
            break false;
        }
    };
    let balance = if is_read { refresher::ask_balance(app.service(), &connected).await } else { None };
    let state = app.clone();
    app.write(request, move |work| {
        let stored = visible(work.db(), &work.request.caller, &id)?;
        work.set_audit_subject(&id, None);
        if is_read {
            let events = refresher::finish(&mut work.engine, &stored.id, balance.as_ref(), work.at)?;
            work.record_events(events);
        }
        let stored = visible(work.db(), &work.request.caller, &id)?;
        Ok(WriteResponse::ok(&view(&state, work.db(), stored)?))
    })
    .await
}

/// Lists differences between what this host knew and what providers said, newest first. A bound token gets those of its
/// accounts.
#[utoipa::path(get, path = "/v1/drift", tag = "connections", params(PageParams),
    responses((status = 200, body = Page<DriftView>)))]
pub(super) async fn drift(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<DriftView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    query.finish()?;
    let rows = app.read(move |db| {
        let before = page_request.before();
        Ok(drifts::list(db, caller.accounts_json().as_deref(), before, page_request.read_limit())?)
    });
    let rows = rows.await?.into_iter().map(|(row, drift)| (row, drift.into())).collect();
    Ok(Json(Page::new(page_request, rows)))
}
