//! `/v1/expiries`: how much expires on each day.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_service::admin_tokens::Caller;
use perennial_store::resource_query;
use perennial_store::resource_query::ExpiryDay;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::resources;
use crate::admin::resources::ResourceFilterParams;
use crate::input::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::state::AppState;

/// What expires on one day, in one currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ExpiryDay)]
pub(super) struct ExpiryDayView {
    /// The first instant of the day, in UTC.
    #[schema(format = DateTime)]
    day: String,
    /// The currency of the price.
    currency: String,
    /// How many resources expire.
    resources: u32,
    /// What one term of each costs, together, a decimal.
    price: String,
}

impl From<ExpiryDay> for ExpiryDayView {
    fn from(day: ExpiryDay) -> ExpiryDayView {
        ExpiryDayView {
            day: day.day.to_string(),
            currency: day.currency,
            resources: day.count,
            price: day.price.to_string(),
        }
    }
}

/// Counts what expires on each day, of the resources that pass every given filter and have not ended: by day and currency.
/// It is one page, however many resources there are.
#[utoipa::path(get, path = "/v1/expiries", tag = "expiries", params(ResourceFilterParams),
    responses((status = 200, body = Page<ExpiryDayView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<ExpiryDayView>>, Problem> {
    let filter = resources::filter(&mut query, &caller);
    query.finish()?;
    let days = app.read(move |db| Ok(resource_query::expiry_days(db, &filter)?)).await?;
    Ok(Json(Page { items: days.into_iter().map(ExpiryDayView::from).collect(), next_cursor: None }))
}
