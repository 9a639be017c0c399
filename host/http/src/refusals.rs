//! Requests that are refused before they are read, in the audit log: who tried what without a token or with too little.
//!
//! [`crate::refusal_budget`] says how many are recorded.

use axum::extract::Request;
use perennial_domain::timestamp::Timestamp;
use perennial_service::admin_tokens::Caller;
use perennial_service::error::ServiceError;
use perennial_store::audit;
use perennial_store::audit::Record;

use crate::problem::Problem;
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
        let Some(record) = record else { return problem };
        let written = writer.call(move |context| {
            context.engine.in_transaction(|engine| audit::insert(engine.tx(), &record))?;
            Ok::<_, ServiceError>(())
        });
        if let Err(error) = written.await {
            tracing::warn!(%error, "a refusal is not in the audit log");
        }
        problem
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
    }
}
