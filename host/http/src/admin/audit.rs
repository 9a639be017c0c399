//! `/v1/audit`: who did what, when and why.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::state::AppState;
use perennial_service::admin_tokens::Caller;
use perennial_store::audit;
use perennial_store::audit::Record;

/// Something that somebody did, or tried to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AuditRecord)]
pub(super) struct AuditRecordView {
    /// When.
    at: String,
    /// The id of the token; `cli` for the command line.
    token: String,
    /// What the token was called then.
    name: String,
    /// The request's id.
    request: String,
    /// The account that it was about; null when it was about the host, or came to nothing.
    account: Option<String>,
    /// The resource that it was about.
    resource: Option<String>,
    /// What was asked for.
    operation: String,
    /// Why, if they said.
    reason: Option<String>,
    /// The HTTP status of the answer.
    status: u16,
    /// `done`, `dry_run` for a dry run with an idempotency key, or the type of the problem.
    outcome: String,
}

impl From<Record> for AuditRecordView {
    fn from(record: Record) -> AuditRecordView {
        AuditRecordView {
            at: record.at.to_string(),
            token: record.token,
            name: record.name,
            request: record.request,
            account: record.account,
            resource: record.resource,
            operation: record.operation,
            reason: record.reason,
            status: record.status,
            outcome: record.outcome,
        }
    }
}

/// Lists every write, newest first; a bound token sees those that were about its accounts.
#[utoipa::path(get, path = "/v1/audit", tag = "audit",
    params(PageParams),
    responses((status = 200, body = Page<AuditRecordView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<AuditRecordView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    query.finish()?;
    let rows = app.read(move |db| {
        let before = page_request.after.unwrap_or(i64::MAX);
        Ok(audit::list(db, caller.accounts_json().as_deref(), before, page_request.read_limit())?)
    });
    let rows = rows.await?.into_iter().map(|(row, record)| (row, record.into())).collect();
    Ok(Json(Page::new(page_request, rows)))
}
