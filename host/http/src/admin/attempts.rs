//! `/v1/attempts`: attempts at renewals, in any state.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::attempt::AttemptId;
use perennial_domain::attempt::Key;
use perennial_domain::attempt::State as AttemptState;
use serde::Serialize;
use utoipa::ToSchema;

use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::state::AppState;
use perennial_formats::plan::TermView;
use perennial_service::admin_tokens::Caller;
use perennial_store::list_queries;
use perennial_store::list_queries::ListedAttempt;

/// An attempt at a renewal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(super) struct AttemptView {
    /// The ID, as in events.
    id: String,
    /// The account's ID.
    account: String,
    /// The resource to renew.
    resource: String,
    /// The expiry of the resource before the renewal.
    expires_before: String,
    /// The term to pay for.
    term: TermView,
    /// The state, such as `settled` or `declined`.
    state: String,
    /// The class of a decline: `money`, `rule`, `throttled` or `provider`.
    class: Option<String>,
    /// When it entered the state.
    at: String,
    /// The number of tries.
    tries: u32,
}

impl From<ListedAttempt> for AttemptView {
    fn from(listed: ListedAttempt) -> AttemptView {
        let key = Key { resource: listed.resource.clone(), expires_before: listed.expires_before };
        AttemptView {
            id: AttemptId { key, term: listed.term }.to_string(),
            account: listed.account,
            resource: listed.resource,
            expires_before: listed.expires_before.to_string(),
            term: listed.term.into(),
            state: listed.state,
            class: listed.class,
            at: listed.at.to_string(),
            tries: listed.tries,
        }
    }
}

/// Lists attempts at renewals, in the order in which they were first made.
#[utoipa::path(get, path = "/v1/attempts", tag = "attempts",
    params(
        ("account" = Option<String>, Query, description = "Only of this account."),
        ("resource" = Option<String>, Query, description = "Only of this resource."),
        ("state" = Option<String>, Query, description = "Only in this state, such as `declined`."),
        PageParams,
    ),
    responses((status = 200, body = Page<AttemptView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<AttemptView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let filter = list_queries::AttemptFilter {
        accounts: caller.accounts_json(),
        account: query.take("account"),
        resource: query.take("resource"),
        state: query
            .one_of("state", &AttemptState::ALL, AttemptState::name)
            .map(|state| state.name().to_owned()),
    };
    query.finish()?;
    let attempts = app
        .read(move |db| {
            Ok(list_queries::attempts(db, &filter, page_request.after(), page_request.read_limit())?)
        })
        .await?;
    let rows = attempts.into_iter().map(|listed| (listed.row, AttemptView::from(listed))).collect();
    Ok(Json(Page::new(page_request, rows)))
}
