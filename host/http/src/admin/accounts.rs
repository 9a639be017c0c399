//! `/v1/accounts`: accounts with providers, their settings and their ledger.

use std::collections::BTreeMap;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::micros::Micros;
use perennial_store::keys::AccountKey;
use perennial_store::keys::LedgerEntryKey;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::limit_raises;
use crate::admin::limit_raises::LimitChange;
use crate::auth::require_all_accounts;
use crate::import_check;
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
use crate::state::AppState;
use crate::views;
use crate::views::AccountView;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteRequest;
use crate::write::WriteResponse;
use perennial_engine::error::EngineError;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::rules::Providers;
use perennial_formats::body;
use perennial_formats::body::JsonCursor;
use perennial_formats::event_view::EventView;
use perennial_formats::inventory;
use perennial_service::admin_tokens::Caller;
use perennial_store::accounts;
use perennial_store::list_queries;
use perennial_store::list_queries::Behind;

/// Lists accounts, in the order in which they were created.
#[utoipa::path(get, path = "/v1/accounts", tag = "accounts",
    params(
        ("provider" = Option<String>, Query, description = "Only of this provider."),
        PageParams,
    ),
    responses((status = 200, body = Page<AccountView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<AccountView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let provider = query.take("provider");
    query.finish()?;
    let (providers, at) = (app.providers().clone(), app.now());
    let rows = app
        .read(move |db| {
            let providers = providers.as_bound(db)?;
            let (visible, after) = (caller.accounts_json(), page_request.after());
            let stored = list_queries::accounts(
                db,
                visible.as_deref(),
                provider.as_deref(),
                after,
                page_request.read_limit(),
            )?;
            let view = |(row, id): (AccountKey, String)| {
                Ok((row, views::account_view(db, &caller, &id, (&providers, at))?))
            };
            stored.into_iter().map(view).collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    Ok(Json(Page::new(page_request, rows)))
}

/// A new account.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what an inventory's account is read as")]
pub(super) struct NewAccount {
    /// The ID, unique among all accounts; 1 to 64 characters.
    #[schema(min_length = 1, max_length = 64)]
    id: String,
    /// The ID of a loaded plugin.
    #[schema(min_length = 1, example = "huawei")]
    provider: String,
    /// `managed`; left out, `managed`.
    #[schema(pattern = "^managed$")]
    mode: Option<String>,
    /// The currency, such as `CNY`.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// The opening balance, a decimal.
    #[schema(pattern = "^[0-9]{1,10}([.][0-9]{1,6})?$")]
    balance: String,
    /// The settings of the provider's rules, which the plugin checks, and the host's own: `on_policy_failure` (`default`,
    /// `approve`, `deny` or `require_approval`: what the failure of a policy comes to) and `on_undecided` (`lapse` or
    /// `renew`: what becomes of an automatic renewal whose approval nobody decides on). Bundled providers have
    /// `policy_denied_code` and `policy_deferred_code`: what their own API answers to a command that a policy denies or puts
    /// off.
    settings: Option<BTreeMap<String, String>>,
    /// Plans that cost more than this, a decimal, need an approval; null is no limit.
    approval_above: Option<String>,
    /// What may be spent in a month of the provider's, a decimal, for policies to look at; null is no budget.
    budget: Option<String>,
}

/// Creates an account. The provider's plugin checks its settings.
#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", request_body = NewAccount,
    responses((status = 201, body = AccountView)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, Document(text)): Write<Document>,
) -> Result<WriteResponse, Problem> {
    require_all_accounts(&request.caller)?;
    let (providers, limits) = (app.providers().clone(), app.limits().body_limits());
    app.write(request, move |work| {
        let providers = providers.as_bound(work.db())?;
        let manifests = providers.manifests();
        let check = |provider: &str, settings: &BTreeMap<String, String>| {
            providers.settings_problems(provider, settings)
        };
        let records = import_check::VisibleRecords::new(work.db(), &work.request.caller, &providers);
        let read = |cursor: JsonCursor<'_, '_>| inventory::account(cursor, &manifests, &check, &records);
        let account = body::read(&text, limits, read)?;
        let none = std::iter::empty::<(&str, &perennial_domain::bundle::Bundle)>();
        work.engine.import(work.at, std::slice::from_ref(&account), none)?;
        work.set_audit_subject(&account.id, None);
        let now = (&providers, work.at);
        let view = views::account_view(work.db(), &work.request.caller, &account.id, now)?;
        let location = format!("/v1/accounts/{}", views::path_segment(&account.id));
        Ok(WriteResponse::created(&location, &view).with_etag(&views::etag(&view)))
    })
    .await
}

/// Gets an account.
#[utoipa::path(get, path = "/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = AccountView, headers(("ETag" = String, description = "Its version.")))))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    query.finish()?;
    let (providers, at) = (app.providers().clone(), app.now());
    let view =
        app.read(move |db| views::account_view(db, &caller, &id, (&providers.as_bound(db)?, at))).await?;
    Ok(WriteResponse::ok_versioned(&view).into_response())
}

/// A change of an account. Fields that are left out stay.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountChange {
    /// Plans that cost more than this, a decimal, need an approval; null is no limit.
    #[schema(value_type = Option<String>)]
    approval_above: Option<Option<Micros>>,
    /// What may be spent in a month of the provider's, a decimal, for policies to look at; null is no budget.
    #[schema(value_type = Option<String>)]
    budget: Option<Option<Micros>>,
    /// Settings of the provider's rules, and the host's own, with their new values; null is the default. Other settings
    /// stay.
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    settings: BTreeMap<String, Option<String>>,
    /// Only check it, and return the account as it is; left out, false.
    #[schema(value_type = Option<bool>)]
    dry_run: bool,
}

impl Body for AccountChange {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<AccountChange> {
        let fields = cursor.object(&["approval_above", "budget", "settings", "dry_run"])?;
        let amount = |name| {
            let amount = fields.optional(name, |cursor| cursor.amount()).option()?;
            Some(fields.get(name).is_some().then_some(amount))
        };
        let (approval_above, budget) = (amount("approval_above"), amount("budget"));
        let settings = fields.optional("settings", |cursor| cursor.optional_texts()).or(BTreeMap::new());
        let dry_run = fields.optional("dry_run", |cursor| cursor.flag()).or(false);
        let (approval_above, budget) = (approval_above?, budget?);
        Some(AccountChange { approval_above, budget, settings: settings?, dry_run: dry_run? })
    }
}

/// Changes the approval limit, the budget and the settings of an account. Pending approvals stay pending. After a change of
/// settings the rules plan the timelines of its resources anew. A higher limit, or none, takes two people: the first
/// request is a 202 and waits as `limit_raise`, until another person requests the same.
#[utoipa::path(patch, path = "/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    request_body = AccountChange, responses((status = 200, body = AccountState), (status = 202, body = AccountState)))]
pub(super) async fn change(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<AccountChange>,
) -> Result<WriteResponse, Problem> {
    if body.dry_run {
        return check(app, id, request, body).await;
    }
    let people = app.limits().limit_raise_people;
    let providers = app.providers().clone();
    app.write(request, move |work| {
        let providers = providers.as_bound(work.db())?;
        let stored = views::visible_account(work.db(), &work.request.caller, &id)?;
        let before =
            AccountView::read(work.db(), &work.request.caller, stored.clone(), (&providers, work.at))?;
        work.check_version(&views::etag(&before))?;
        work.set_audit_subject(&id, None);
        let limit_change = match body.approval_above {
            Some(limit) => limit_raises::change_limit(work, &stored, limit, people)?,
            None => LimitChange::Done(Vec::new()),
        };
        let (mut events, waits) = match limit_change {
            LimitChange::Done(events) => (events, false),
            LimitChange::Waits => (Vec::new(), true),
        };
        if let Some(budget) = body.budget {
            events.extend(work.engine.set_budget(work.at, &id, budget)?);
        }
        if !body.settings.is_empty() {
            let changed = work.engine.change_settings(work.at, &id, &body.settings)?;
            events.extend(changed.map_err(invalid_settings)?);
        }
        let response = account_response(work, &id, &providers, events)?;
        Ok(if waits { response.waiting() } else { response })
    })
    .await
}

/// Refuses a change that would be refused, on a reader's connection: nothing is written.
async fn check(
    app: AppState,
    id: String,
    request: WriteRequest,
    change: AccountChange,
) -> Result<WriteResponse, Problem> {
    let (providers, at) = (app.providers().clone(), app.now());
    app.read(move |db| {
        let providers = providers.as_bound(db)?;
        let stored = views::visible_account(db, &request.caller, &id)?;
        let mut settings = stored.account.settings.clone();
        for (name, value) in change.settings {
            settings.remove(&name);
            settings.extend(value.map(|value| (name, value)));
        }
        if settings != stored.account.settings {
            let provider = &stored.account.provider;
            let no_plugin = || EngineError::NoPlugin { account: id.clone(), provider: provider.clone() };
            let rules = providers.of_account(&id, provider).ok_or_else(no_plugin)?;
            let problems = rules.check_settings(&settings).map_err(EngineError::from)?;
            if !problems.is_empty() {
                return Err(invalid_settings(problems));
            }
        }
        let account = AccountView::read(db, &request.caller, stored, (&providers, at))?;
        let etag = views::etag(&account);
        Ok(WriteResponse::ok(&AccountState { account, events: Vec::new() }).with_etag(&etag))
    })
    .await
}

/// The problem for settings that the plugin refuses.
fn invalid_settings(problems: Vec<String>) -> Problem {
    let error = |detail| FieldError { field: "settings".to_owned(), detail };
    Problem::fields(ProblemType::InvalidFields, problems.into_iter().map(error).collect())
}

/// An entry of the ledger.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub(super) struct EntryView {
    /// The instant of the entry.
    at: String,
    /// The debited book: `funding`, `cash`, `held` or `spent`.
    from: &'static str,
    /// The credited book.
    to: &'static str,
    /// The amount, a decimal.
    amount: String,
    /// `opening`, `top_up`, `renewal`, `purchase`, `upgrade`, `refund` or, for what a change of specification gives back,
    /// `adjustment`.
    reason: &'static str,
    /// The resource that was paid for or refunded.
    resource: Option<String>,
    /// The ID of the attempt or order.
    reference: Option<String>,
}

/// In which order a ledger is listed.
const ORDERS: [&str; 2] = ["oldest", "newest"];

/// Lists the ledger of an account: the oldest entry first or, with `order=newest`, the newest.
#[utoipa::path(get, path = "/v1/accounts/{id}/ledger", tag = "accounts",
    params(
        ("id" = String, Path),
        ("order" = Option<String>, Query, description = "`oldest` or `newest`: which entry is the first; `oldest` if left \
            out. A cursor is of the order in which its page was."),
        PageParams,
    ),
    responses((status = 200, body = Page<EntryView>)))]
pub(super) async fn ledger(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    mut query: Query,
) -> Result<Json<Page<EntryView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let behind = match query.one_of("order", &ORDERS, |name| name) {
        Some("newest") => Behind::Newest(page_request.before()),
        Some(_) | None => Behind::Oldest(page_request.after()),
    };
    query.finish()?;
    let entries = app
        .read(move |db| {
            let account = views::visible_account(db, &caller, &id)?;
            Ok(list_queries::entries(db, account.row, behind, page_request.read_limit())?)
        })
        .await?;
    let view = |(row, entry): (LedgerEntryKey, perennial_domain::ledger::Entry)| {
        let entry = EntryView {
            at: entry.at.to_string(),
            from: entry.from.name(),
            to: entry.to.name(),
            amount: entry.amount.to_string(),
            reason: entry.reason.name(),
            resource: entry.resource,
            reference: entry.reference,
        };
        (row, entry)
    };
    Ok(Json(Page::new(page_request, entries.into_iter().map(view).collect())))
}

/// A top-up of an account's balance.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TopUp {
    /// The amount, a decimal above zero such as `500.00`.
    #[schema(value_type = String, pattern = "^[0-9]{1,10}([.][0-9]{1,6})?$")]
    amount: Micros,
}

impl Body for TopUp {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<TopUp> {
        let fields = cursor.object(&["amount"])?;
        Some(TopUp { amount: fields.required("amount", |cursor| cursor.amount_above_zero())? })
    }
}

/// An account after a change.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountState {
    /// The account after the change.
    account: AccountView,
    /// The events of the change.
    events: Vec<EventView>,
}

fn account_response(
    work: &mut WriteContext<'_>,
    id: &str,
    providers: &Providers,
    recorded: Vec<RecordedEvent>,
) -> Result<WriteResponse, Problem> {
    let events = recorded.iter().map(RecordedEvent::view).collect();
    work.record_events(recorded);
    let after = accounts::get(work.db(), id)?.ok_or_else(|| Problem::not_found("account", id))?;
    let account = AccountView::read(work.db(), &work.request.caller, after, (providers, work.at))?;
    let etag = views::etag(&account);
    Ok(WriteResponse::ok(&AccountState { account, events }).with_etag(&etag))
}

/// Tops up an account.
#[utoipa::path(post, path = "/v1/accounts/{id}:top-up", tag = "accounts", params(("id" = String, Path)),
    request_body = TopUp, responses((status = 200, body = AccountState)))]
pub(super) async fn top_up(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<TopUp>,
) -> Result<WriteResponse, Problem> {
    let providers = app.providers().clone();
    app.write(request, move |work| {
        let providers = providers.as_bound(work.db())?;
        let before = views::account_view(work.db(), &work.request.caller, &id, (&providers, work.at))?;
        work.set_audit_subject(&id, None);
        work.check_version(&views::etag(&before))?;
        let events = work.engine.top_up(work.at, &id, body.amount)?;
        account_response(work, &id, &providers, events)
    })
    .await
}
