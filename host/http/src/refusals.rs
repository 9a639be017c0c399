//! Requests that are refused before they are read, in the audit log: who tried what without a token or with too little.
//!
//! [`crate::refusal_budget`] says how many are recorded.

use axum::extract::Request;
use perennial_domain::timestamp::Timestamp;
use perennial_service::admin_tokens::Caller;
use perennial_service::error::ServiceError;
use perennial_service::writer::Writer;
use perennial_store::audit;
use perennial_store::audit::Record;

use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::request_id::RequestId;
use crate::state::AppState;

/// Records that a request for `operation` was refused, if that is within the bound; the problem goes back to the client.
pub(crate) fn record(
    app: &AppState,
    request: &Request,
    operation: String,
    caller: Option<&Caller>,
    problem: Problem,
) -> impl Future<Output = Problem> + Send + use<> {
    let is_recorded = app.refusal_budget().take(caller.is_some());
    let record = is_recorded.then(|| record_of(app.now(), request, operation, caller, &problem));
    let writer = app.writer().clone();
    async move {
        if let Some(record) = record {
            write(&writer, record).await;
        }
        problem
    }
}

/// Records that a request for `operation` of a provider's own API proved nothing, if that is within the bound.
pub(crate) async fn record_unproved(app: &AppState, request: String, operation: String, status: u16) {
    if !app.refusal_budget().take(false) {
        return;
    }
    let record = Record {
        at: app.now(),
        token: "-".to_owned(),
        name: "-".to_owned(),
        request,
        account: None,
        resource: None,
        operation,
        reason: None,
        status,
        outcome: ProblemType::Unauthorized.slug().to_owned(),
        revision: None,
    };
    write(app.writer(), record).await;
}

async fn write(writer: &Writer, record: Record) {
    let written = writer.call(move |context| {
        context.engine.in_transaction(|engine| audit::insert(engine.tx(), &record))?;
        Ok::<_, ServiceError>(())
    });
    if let Err(error) = written.await {
        tracing::warn!(%error, "a refusal is not in the audit log");
    }
}

fn record_of(
    at: Timestamp,
    request: &Request,
    operation: String,
    caller: Option<&Caller>,
    problem: &Problem,
) -> Record {
    Record {
        at,
        token: caller.map_or("-".to_owned(), |caller| caller.id.to_string()),
        name: caller.map_or("-".to_owned(), |caller| caller.name.to_string()),
        request: request.extensions().get::<RequestId>().cloned().unwrap_or_default().0,
        account: None,
        resource: None,
        operation,
        reason: None,
        status: problem.kind.status().as_u16(),
        outcome: problem.kind.slug().to_owned(),
        revision: None,
    }
}
