//! Who drives a connected account, and what its operator allows: `:drive`, `:pause`, `:resume` and `:limit-spending` of
//! `/v1/connections`.

use axum::extract::State;
use perennial_domain::connected::protocol;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::connector::Driver;
use perennial_domain::micros::Micros;
use perennial_engine::connected::CallId;
use perennial_engine::connected::run::Decision;
use perennial_formats::body::JsonCursor;
use perennial_service::connections::refresher;
use perennial_store::calls::gates;
use perennial_store::calls::listing;
use perennial_store::calls::listing::CallFilter;
use perennial_store::connections;
use perennial_store::connections::StoredConnection;
use perennial_store::imports;
use perennial_store::keys::CallKey;
use perennial_store::keys::RowKey;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::connection_calls::view;
use crate::admin::connection_calls::visible;
use crate::admin::connection_views::ConnectionView;
use crate::auth::require_all_accounts;
use crate::input::Body;
use crate::input::EmptyBody;
use crate::input::Id;
use crate::problem::Problem;
use crate::state::AppState;
use crate::views;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteRequest;
use crate::write::WriteResponse;

/// Who renews what an account has from now on.
#[derive(Clone, Copy, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Drive {
    /// `watch`: nobody here, and nothing is sent that changes anything. `provider`: the provider's own auto-renew, which this host
    /// sets as people and policies say, and whose last try it makes up for. `host`: this host's clock.
    #[schema(value_type = String, example = "host")]
    driver: Driver,
}

impl Body for Drive {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<Drive> {
        let fields = cursor.object(&["driver"])?;
        let driver = fields.required("driver", |cursor| cursor.one_of(&Driver::ALL, Driver::name));
        Some(Drive { driver: driver? })
    }
}

/// The most that calls within an hour may cost.
#[derive(Clone, Copy, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SpendingLimit {
    /// A decimal such as `5000.00`; left out, there is no ceiling.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{1,10}([.][0-9]{1,6})?$")]
    per_hour: Option<Micros>,
}

impl Body for SpendingLimit {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<SpendingLimit> {
        let fields = cursor.object(&["per_hour"])?;
        let per_hour = fields.optional("per_hour", |cursor| cursor.amount_above_zero()).option();
        Some(SpendingLimit { per_hour: per_hour? })
    }
}

/// Whether anything is sent to any provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Sending)]
pub(super) struct SendingView {
    /// Since when nothing is sent for any account; null while calls are sent.
    #[schema(format = DateTime)]
    paused_at: Option<String>,
    /// The ID of the token that paused it.
    paused_by: Option<String>,
}

/// Says who renews what a connected account has. Where the provider is to go on from this host, what renews has its auto-renew
/// switched on there. What was reserved and not sent is given up when it is only watched again.
#[utoipa::path(post, path = "/v1/connections/{id}:drive", tag = "connections", params(("id" = String, Path)),
    request_body = Drive, responses((status = 200, body = ConnectionView)))]
pub(super) async fn drive(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<Drive>,
) -> Result<WriteResponse, Problem> {
    change(app, id, request, move |work, stored| {
        connections::set_driver(work.tx(), stored.account, body.driver)?;
        if body.driver == Driver::Watch {
            return give_up(work, &stored.id);
        }
        if body.driver == Driver::Provider {
            if stored.connection.driver == Driver::Host {
                let at = work.at;
                work.engine.hand_over_to_provider(stored.account, at)?;
            }
            // Policies are asked before the provider's tries, which is earlier than anything wakes for now.
            imports::wake_account_at_once(work.tx(), stored.account)?;
        }
        let driven = visible(work.db(), &work.request.caller, &stored.id)?;
        if let Some((balance, _)) = &driven.balance {
            let events = refresher::mirror(&mut work.engine, &driven, balance, work.at)?;
            work.record_events(events);
        }
        Ok(())
    })
    .await
}

/// Gives up what is reserved of an account and was not sent, and what was proven not to be applied and would be tried again.
fn give_up(work: &mut WriteContext<'_>, account: &str) -> Result<(), Problem> {
    let is_left = |state: &protocol::State| *state == protocol::State::Reserved || state.is_open_to_retry();
    let states = protocol::State::ALL.into_iter().filter(is_left).map(protocol::State::code);
    let states = serde_json::json!(states.collect::<Vec<_>>()).to_string();
    let filter =
        CallFilter { account: Some(account.to_owned()), states: Some(states), ..CallFilter::default() };
    for listed in listing::calls(work.db(), &filter, CallKey::before_all(), u32::MAX)? {
        let (at, call) = (work.at, CallId::of(&listed.call));
        let (_, events) = work.engine.resolve_call(call, Decision::GiveUp, at, Schedule::DEFAULT)?;
        work.record_events(events);
    }
    Ok(())
}

/// Stops sending for a connected account: nothing is read or paid until it is resumed.
#[utoipa::path(post, path = "/v1/connections/{id}:pause", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = ConnectionView)))]
pub(super) async fn pause(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    change(app, id, request, |work, stored| {
        let by = work.request.caller.id.to_string();
        Ok(connections::set_paused(work.tx(), stored.account, Some((work.at, &by)))?)
    })
    .await
}

/// Sends for a connected account again.
#[utoipa::path(post, path = "/v1/connections/{id}:resume", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = ConnectionView)))]
pub(super) async fn resume(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    change(app, id, request, |work, stored| Ok(connections::set_paused(work.tx(), stored.account, None)?))
        .await
}

/// Sets the most that calls of a connected account within an hour may cost. What would be above it waits, and is logged.
#[utoipa::path(post, path = "/v1/connections/{id}:limit-spending", tag = "connections", params(("id" = String, Path)),
    request_body = SpendingLimit, responses((status = 200, body = ConnectionView)))]
pub(super) async fn limit_spending(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<SpendingLimit>,
) -> Result<WriteResponse, Problem> {
    change(app, id, request, move |work, stored| {
        Ok(connections::set_spending_per_hour(work.tx(), stored.account, body.per_hour)?)
    })
    .await
}

/// Changes a connection that the caller can access, and shows it.
async fn change(
    app: AppState,
    id: String,
    request: WriteRequest,
    change: impl FnOnce(&mut WriteContext<'_>, &StoredConnection) -> Result<(), Problem> + Send + 'static,
) -> Result<WriteResponse, Problem> {
    let state = app.clone();
    app.write(request, move |work| {
        let stored = visible(work.db(), &work.request.caller, &id)?;
        work.set_audit_subject(&id, None);
        change(work, &stored)?;
        let stored = visible(work.db(), &work.request.caller, &id)?;
        Ok(WriteResponse::ok(&view(&state, work.db(), stored)?))
    })
    .await
}

/// Stops sending for every connected account.
#[utoipa::path(post, path = "/v1/connections:pause", tag = "connections",
    responses((status = 200, body = SendingView)))]
pub(super) async fn pause_all(
    State(app): State<AppState>,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    require_all_accounts(&request.caller)?;
    app.write(request, |work| {
        let by = work.request.caller.id.to_string();
        gates::set_paused(work.tx(), Some((work.at, &by)))?;
        sending(work)
    })
    .await
}

/// Sends for connected accounts again, but for those that are paused themselves.
#[utoipa::path(post, path = "/v1/connections:resume", tag = "connections",
    responses((status = 200, body = SendingView)))]
pub(super) async fn resume_all(
    State(app): State<AppState>,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    require_all_accounts(&request.caller)?;
    app.write(request, |work| {
        gates::set_paused(work.tx(), None)?;
        sending(work)
    })
    .await
}

fn sending(work: &WriteContext<'_>) -> Result<WriteResponse, Problem> {
    let (paused_at, paused_by) = gates::paused(work.db())?.unzip();
    Ok(WriteResponse::ok(&SendingView { paused_at: views::to_text(paused_at), paused_by }))
}
