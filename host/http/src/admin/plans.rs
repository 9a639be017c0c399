//! `/v1/plans`: the plans that wait for an approval.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::approval::State as ApprovalState;

use crate::admin::approvals;
use crate::admin::approvals::ApprovalFilterParams;
use crate::admin::approvals::ApprovalView;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::state::AppState;
use perennial_service::admin_tokens::Caller;

/// Lists the plans of approvals, in the order in which they were requested; only pending ones unless `state` is given.
#[utoipa::path(get, path = "/v1/plans", tag = "plans", params(ApprovalFilterParams, PageParams),
    responses((status = 200, body = Page<ApprovalView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<ApprovalView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let mut filter = approvals::filter(&caller, &mut query);
    query.finish()?;
    filter.state = filter.state.or(Some(ApprovalState::Pending));
    approvals::page_of(&app, filter, page_request).await
}
