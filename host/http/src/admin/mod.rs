//! The admin API: everything that the command line can do, over HTTP. One file per path.
//!
//! Handlers read on a reader's thread with `AppState::read`, and write on the writer's thread with `AppState::write`.
//! [`fn@routes`] has every route and the role that it requires.

mod accounts;
mod acknowledgements;
mod approval_bodies;
mod approvals;
mod attempts;
mod audit;
mod balances;
mod calendars;
mod calls;
mod channel_bodies;
mod channel_deliveries;
mod channels;
mod clock;
pub(crate) mod command_bodies;
mod commands;
mod comparison;
mod connection_bodies;
mod connection_calls;
mod connection_views;
mod connections;
mod decisions;
mod deliveries;
mod driving;
mod events;
mod expiries;
mod explanations;
pub(crate) mod forecast;
mod forecast_pool;
mod health;
mod import_views;
mod job_bodies;
mod job_views;
mod jobs;
mod limit_raises;
mod orders;
mod packages;
mod plans;
mod plugin_bindings;
mod plugin_failures;
mod plugin_revisions;
mod plugins;
mod policies;
mod policy_calendars;
pub(crate) mod policy_trials;
mod policy_views;
mod prices;
mod provider_keys;
mod resources;
pub(crate) mod revision_backtest;
mod revision_evidence;
mod revision_views;
mod stream;
mod timelines;
mod tokens;
mod webhook_bodies;
mod webhooks;
mod windows;

use axum::Router;
use utoipa_axum::routes;

use crate::middleware;
use crate::openapi;
use crate::route_table;
use crate::route_table::Access;
use crate::route_table::RouteTable;
use crate::state::AppState;
use perennial_service::admin_tokens::Role;

/// The router of the admin API, with its middleware and description.
pub fn router(app: &AppState) -> Router {
    let (router, verbs) = described(app);
    middleware::wrap(app, router, verbs)
}

/// The same for requests in this process that are part of another one, which has an ID, a permit and a time limit.
pub(crate) fn inner_router(app: &AppState) -> Router {
    let (router, verbs) = described(app);
    middleware::api(router, verbs)
}

/// The routes with their description, and the verbs that a path may end with.
fn described(app: &AppState) -> (Router, Vec<String>) {
    let table = routes(app);
    let verbs = route_table::verbs(table.routes());
    let (router, api) = table.finish();
    (openapi::serve(router, api), verbs)
}

/// Every route, with the access that it requires.
pub fn routes(app: &AppState) -> RouteTable {
    let viewer = Access::Role(Role::Viewer);
    let operator = Access::Role(Role::Operator);
    let approver = Access::Role(Role::Approver);
    let admin = Access::Role(Role::Admin);
    RouteTable::new(app)
        .add(Access::Open, routes!(health::liveness))
        .add(Access::Open, routes!(health::readiness))
        .add(Access::Open, routes!(health::scrape))
        .add(viewer, routes!(accounts::list))
        .add(admin, routes!(accounts::create))
        .add(viewer, routes!(accounts::get))
        .add(admin, routes!(accounts::change))
        .add(viewer, routes!(accounts::ledger))
        .add(viewer, routes!(balances::balances_by_day))
        .add(operator, routes!(accounts::top_up))
        .add(viewer, routes!(resources::list))
        .add(operator, routes!(resources::import))
        .add(viewer, routes!(resources::get))
        .add(operator, routes!(resources::change))
        .add(viewer, routes!(windows::get))
        .add(viewer, routes!(explanations::get))
        .add(viewer, routes!(timelines::list))
        .add(viewer, routes!(orders::list_of_resource))
        .add(viewer, routes!(decisions::list))
        .add(operator, routes!(commands::renew))
        .add(operator, routes!(commands::set_auto_renew))
        .add(operator, routes!(commands::cancel_auto_renew))
        .add(operator, routes!(commands::unsubscribe))
        .add(operator, routes!(commands::convert_on_expiry))
        .add(operator, routes!(commands::cancel_conversion))
        .add(operator, routes!(commands::buy_again))
        .add(operator, routes!(commands::change))
        .add(operator, routes!(commands::convert_now))
        .add(operator, routes!(commands::subscribe))
        .add(operator, routes!(commands::pay_order))
        .add(operator, routes!(commands::cancel_order))
        .add(viewer, routes!(orders::list))
        .add(operator, routes!(jobs::create))
        .add(viewer, routes!(jobs::list))
        .add(viewer, routes!(jobs::get))
        .add(viewer, routes!(jobs::items))
        .add(operator, routes!(jobs::cancel))
        .add(viewer, routes!(attempts::list))
        .add(viewer, routes!(plans::list))
        .add(viewer, routes!(approvals::list))
        .add(viewer, routes!(approvals::get))
        .add(approver, routes!(approvals::approve))
        .add(approver, routes!(approvals::reject))
        .add(viewer, routes!(packages::list))
        .add(operator, routes!(packages::record_use))
        .add(viewer, routes!(events::list))
        .add(viewer, routes!(stream::stream))
        .add(viewer, routes!(forecast::get))
        .add(viewer, routes!(prices::list))
        .add(viewer, routes!(expiries::list))
        .add(admin, routes!(calendars::list))
        .add(admin, routes!(calendars::create))
        .add(admin, routes!(calendars::rotate))
        .add(admin, routes!(calendars::revoke))
        .add(Access::Open, routes!(calendars::feed))
        .add(viewer, routes!(connections::list))
        .add(admin, routes!(connections::create))
        .add(viewer, routes!(connections::get))
        .add(admin, routes!(connections::grant))
        .add(admin, routes!(connections::rotate))
        .add(operator, routes!(connections::sync))
        .add(admin, routes!(driving::drive))
        .add(operator, routes!(driving::pause))
        .add(operator, routes!(driving::resume))
        .add(admin, routes!(driving::limit_spending))
        .add(operator, routes!(driving::pause_all))
        .add(operator, routes!(driving::resume_all))
        .add(viewer, routes!(calls::list))
        .add(viewer, routes!(calls::get))
        .add(operator, routes!(calls::resolve))
        .add(viewer, routes!(connections::drift))
        .add(viewer, routes!(plugins::list))
        .add(viewer, routes!(plugin_failures::parked))
        .add(operator, routes!(plugin_failures::release_parked))
        .add(viewer, routes!(plugin_failures::breakers))
        .add(operator, routes!(plugin_failures::release_breaker))
        .add(viewer, routes!(plugin_revisions::list))
        .add(admin, routes!(plugin_revisions::install))
        .add(viewer, routes!(plugin_revisions::get))
        .add(viewer, routes!(plugin_revisions::differences))
        .add(operator, routes!(revision_backtest::backtest))
        .add(viewer, routes!(plugin_bindings::list))
        .add(admin, routes!(plugin_bindings::bind))
        .add(admin, routes!(plugin_bindings::unbind))
        .add(admin, routes!(plugin_bindings::promote))
        .add(operator, routes!(plugin_bindings::roll_back))
        .add(viewer, routes!(plugin_bindings::history))
        .add(viewer, routes!(policies::list))
        .add(admin, routes!(policies::install))
        .add(viewer, routes!(policies::get))
        .add(admin, routes!(policies::remove))
        .add(viewer, routes!(policies::history))
        .add(viewer, routes!(policies::differences))
        .add(operator, routes!(policy_trials::run))
        .add(operator, routes!(policy_trials::compare))
        .add(viewer, routes!(policy_calendars::list))
        .add(admin, routes!(policy_calendars::remove))
        .add(viewer, routes!(policy_calendars::history))
        .add(admin, routes!(tokens::list))
        .add(admin, routes!(tokens::create))
        .add(admin, routes!(tokens::revoke))
        .add(operator, routes!(provider_keys::list))
        .add(admin, routes!(provider_keys::create))
        .add(admin, routes!(provider_keys::rotate))
        .add(admin, routes!(provider_keys::revoke))
        .add(admin, routes!(audit::list))
        .add(operator, routes!(webhooks::list))
        .add(admin, routes!(webhooks::create))
        .add(operator, routes!(webhooks::get))
        .add(admin, routes!(webhooks::change))
        .add(admin, routes!(webhooks::delete))
        .add(admin, routes!(webhooks::rotate_secret))
        .add(operator, routes!(deliveries::list))
        .add(operator, routes!(deliveries::test))
        .add(operator, routes!(deliveries::replay))
        .add(operator, routes!(channels::list))
        .add(admin, routes!(channels::create))
        .add(operator, routes!(channels::get))
        .add(admin, routes!(channels::change))
        .add(admin, routes!(channels::delete))
        .add(operator, routes!(channel_deliveries::list))
        .add(operator, routes!(channel_deliveries::test))
        .add(operator, routes!(channel_deliveries::resend))
        .add(viewer, routes!(acknowledgements::list))
        .add(operator, routes!(acknowledgements::create))
        .add(operator, routes!(acknowledgements::delete))
        .add(viewer, routes!(clock::get))
        .add(admin, routes!(clock::advance))
}
