//! `/v1/audit`: the audit log.

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

/// A record of the audit log: a write, also a refused one, or a request that was refused before it was read. Of the latter
/// at most 60 a minute are recorded without a valid token, and 60 with one.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AuditRecord)]
pub(super) struct AuditRecordView {
    /// The instant of the write.
    at: String,
    /// The ID of the token; `cli` for the command line, `host` for what the host does by itself when it starts, `-` for a
    /// request without a valid token.
    token: String,
    /// The name of the token at that instant.
    name: String,
    /// The request ID.
    request: String,
    /// The account that it concerned; null when it concerned the host, or was refused before the account was known.
    account: Option<String>,
    /// The resource that it concerned.
    resource: Option<String>,
    /// The method and path.
    operation: String,
    /// The reason, from `X-Reason`.
    reason: Option<String>,
    /// The HTTP status of the response; 0 for a request to a provider's own API.
    status: u16,
    /// `done`, `dry_run` for a dry run with an idempotency key, or the type of the problem.
    outcome: String,
    /// The digest of the plugin's revision that it was about: installed, bound, or no longer bound; null for anything else.
    revision: Option<String>,
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
            revision: record.revision,
        }
    }
}

/// Lists the audit log, newest record first. A bound token gets the records of its accounts.
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
        let before = page_request.before();
        Ok(audit::list(db, caller.accounts_json().as_deref(), before, page_request.read_limit())?)
    });
    let rows = rows.await?.into_iter().map(|(row, record)| (row, record.into())).collect();
    Ok(Json(Page::new(page_request, rows)))
}
