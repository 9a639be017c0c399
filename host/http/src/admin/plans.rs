//! `/v1/plans`, and what a command would do, as clients see it: every step of the cascade with its price, and what is left
//! out and why.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::approval::State as ApprovalState;

use crate::admin::approvals;
use crate::admin::approvals::ApprovalView;
use crate::kit::input::Query;
use crate::kit::page;
use crate::kit::page::Page;
use crate::kit::problem::Problem;
use crate::state::AppState;
use perennial_service::admin_tokens::Caller;

/// Lists the plans that wait to be carried out: those of the approvals that are open, or in the `state` that is asked for.
#[utoipa::path(get, path = "/v1/plans", tag = "plans",
    params(
        ("account" = Option<String>, Query, description = "Only of this account."),
        ("resource" = Option<String>, Query, description = "Only of this resource."),
        ("state" = Option<String>, Query, description = "Those of approvals in this state; `open` if left out."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many on a page; 100 if left out."),
    ),
    responses((status = 200, body = Page<ApprovalView>)))]
pub(super) async fn list(
    State(host): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<ApprovalView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let mut filter = approvals::filter(&caller, &mut query);
    query.finish()?;
    filter.state = filter.state.or(Some(ApprovalState::Pending));
    approvals::page_of(&host, filter, page_request).await
}
