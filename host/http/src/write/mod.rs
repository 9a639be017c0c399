//! Writes: each runs once per idempotency key, in one transaction with its stored response and its audit record.
//!
//! A handler takes a `Write` and passes its request to `AppState::write`, with a closure that does the work. The
//! closure runs on the writer's thread.

mod before_commit;
mod request;
mod response;

use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use perennial_store::WriteTx;

use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::quotas;
use crate::state::AppState;
use perennial_engine::EngineTx;
use perennial_engine::persist::RecordedEvent;
use perennial_service::limits::Limits;
use perennial_service::storage_state::StorageState;
use perennial_service::writer::WriterContext;
use perennial_store::audit;
use perennial_store::audit::Record;
use perennial_store::idempotency_keys;

pub use crate::write::before_commit::BeforeCommit;
pub(crate) use crate::write::request::Write;
pub use crate::write::request::WriteRequest;
pub use crate::write::response::WriteResponse;

/// What the work of one write can use, inside its transaction.
pub struct WriteContext<'a> {
    /// The engine, within the request's transaction.
    pub engine: EngineTx<'a>,
    /// The present instant of the host's clock.
    pub at: Timestamp,
    /// The request: its caller and reason.
    pub request: &'a WriteRequest,
    audit_subject: &'a mut AuditSubject,
    events: Vec<RecordedEvent>,
}

/// The account, the resource and the revision that the audit log records, also for a write that is refused.
#[derive(Clone, Debug, Default)]
struct AuditSubject {
    account: Option<String>,
    resource: Option<String>,
    revision: Option<String>,
}

impl WriteContext<'_> {
    /// The database, for reading.
    pub fn db(&self) -> &ReadTx {
        self.engine.db()
    }

    /// The database, for writing what the engine knows nothing of.
    pub fn tx(&self) -> &WriteTx {
        self.engine.tx()
    }

    /// Sets the account and resource of the audit record. Call it before anything can be refused, and only with what
    /// the caller can access.
    pub(crate) fn set_audit_subject(&mut self, account: &str, resource: Option<&str>) {
        self.audit_subject.account = Some(account.to_owned());
        self.audit_subject.resource = resource.map(str::to_owned);
    }

    /// Sets the revision of a plugin that the audit record is about, by its digest.
    pub(crate) fn set_audit_revision(&mut self, digest: &str) {
        self.audit_subject.revision = Some(digest.to_owned());
    }

    /// Sets the account of the audit record for what is about these accounts, if that is exactly one; `None` is all accounts.
    pub(crate) fn set_audit_accounts(&mut self, accounts: Option<&[String]>) {
        if let Some([account]) = accounts {
            self.set_audit_subject(account, None);
        }
    }

    /// Adds events that are published after the commit.
    pub(crate) fn record_events(&mut self, events: Vec<RecordedEvent>) {
        self.events.extend(events);
    }

    /// Checks `If-Match` against the present version, `etag`.
    ///
    /// # Errors
    ///
    /// [`ProblemType::PreconditionFailed`] when the request requires another version.
    pub fn check_version(&self, etag: &str) -> Result<(), Problem> {
        if self.request.matches_version(etag) {
            return Ok(());
        }
        let detail = format!("its version is {etag}; get it again and look at it");
        Err(Problem::new(ProblemType::PreconditionFailed, detail))
    }
}

impl AppState {
    /// Runs `work` in one transaction together with its idempotency record and audit record, at most once per
    /// idempotency key. A repeated request gets the stored response.
    pub(crate) async fn write(
        &self,
        request: WriteRequest,
        work: impl FnOnce(&mut WriteContext<'_>) -> Result<WriteResponse, Problem> + Send + 'static,
    ) -> Result<WriteResponse, Problem> {
        self.write_after(request, |_| Ok(()), work).await
    }

    /// Like [`AppState::write`], but runs `prepare` first, in transactions of its own. `prepare` must be idempotent: it
    /// runs again when the host is killed between the two.
    pub(crate) async fn write_after(
        &self,
        request: WriteRequest,
        prepare: impl FnOnce(&mut WriterContext) -> Result<(), Problem> + Send + 'static,
        work: impl FnOnce(&mut WriteContext<'_>) -> Result<WriteResponse, Problem> + Send + 'static,
    ) -> Result<WriteResponse, Problem> {
        let limits = self.limits().clone();
        let write = move |writer: &mut WriterContext| {
            if let Some(response) = answer_without_work(writer, &request, &limits)? {
                return Ok(response);
            }
            let mut subject = AuditSubject::default();
            let result = prepare(writer).and_then(|()| commit(writer, &request, &mut subject, work));
            match result {
                // The refusal rolled everything back. It is the response, so it is stored and audited like any other.
                Err(problem) if !problem.kind.status().is_server_error() => {
                    commit(writer, &request, &mut subject, |_| Ok(WriteResponse::problem(&problem)))
                }
                result => result,
            }
        };
        self.writer().call(write).await
    }

    /// The response of a request for which nothing is to be done, because it was answered before or only asks whether it was;
    /// `None` when [`AppState::write`] would do its work. For what is done before that in tasks of its own.
    pub(crate) async fn answer_without_work(
        &self,
        request: WriteRequest,
    ) -> Result<(WriteRequest, Option<WriteResponse>), Problem> {
        let limits = self.limits().clone();
        let answer = move |writer: &mut WriterContext| {
            let response = answer_without_work(writer, &request, &limits)?;
            Ok((request, response))
        };
        self.writer().call(answer).await
    }
}

/// The response of a request for which nothing is to be done; `None` for a new one, if another response can be kept for its
/// caller.
fn answer_without_work(
    writer: &mut WriterContext,
    request: &WriteRequest,
    limits: &Limits,
) -> Result<Option<WriteResponse>, Problem> {
    if let Some(response) = stored_response(writer, request)? {
        return Ok(Some(response));
    }
    if request.is_replay_only() {
        return Ok(Some(WriteResponse::no_content()));
    }
    if request.key().is_some() {
        quotas::check_answers(writer, &request.caller.id, limits)?;
    }
    Ok(None)
}

/// The response that an earlier request with the same idempotency key got, if there was one.
fn stored_response(writer: &WriterContext, request: &WriteRequest) -> Result<Option<WriteResponse>, Problem> {
    let Some(key) = request.key() else { return Ok(None) };
    match idempotency_keys::get(writer.engine.db(), &request.caller.id, key)? {
        None => Ok(None),
        Some(stored) if stored.fingerprint == request.fingerprint() => {
            WriteResponse::from_stored(stored).map(Some)
        }
        Some(_) => Err(Problem::new(ProblemType::KeyReused, "use another key for another request")),
    }
}

/// Runs `work` in a transaction, stores its response under the idempotency key, writes the audit record, and publishes
/// the events after the commit.
fn commit(
    writer: &mut WriterContext,
    request: &WriteRequest,
    audit_subject: &mut AuditSubject,
    work: impl FnOnce(&mut WriteContext<'_>) -> Result<WriteResponse, Problem>,
) -> Result<WriteResponse, Problem> {
    let (at, publisher) = (writer.now(), writer.publisher());
    let written = writer.engine.in_transaction(|engine| {
        let mut context =
            WriteContext { engine: engine.reborrow(), at, request, audit_subject, events: Vec::new() };
        let response = work(&mut context)?;
        let WriteContext { mut engine, audit_subject, events, .. } = context;
        engine.claim_time(at)?;
        audit::insert(engine.tx(), &audit_record(request, &response, at, audit_subject))?;
        if let Some(key) = stored_key(request, &response) {
            let stored = response.to_stored(request.fingerprint());
            idempotency_keys::insert(engine.tx(), &request.caller.id, key, &stored, at)?;
        }
        if request.before_commit.is_some() {
            // A secret that is shown and then not kept helps nobody.
            engine.tx().flush()?;
        }
        show_secret(request, &response)?;
        Ok::<_, Problem>((response, events))
    });
    match &written {
        Ok(_) => writer.set_storage_state(StorageState::Writable),
        Err(problem) if problem.kind == ProblemType::StorageFull => {
            writer.set_storage_state(StorageState::Full);
        }
        Err(problem) if problem.kind == ProblemType::StorageMoved => {
            // It finds out which file it is.
            if let Err(error) = writer.watch_storage() {
                tracing::error!(%error, "nobody knows whether the database is where it was");
            }
        }
        Err(_) => {}
    }
    let (response, events) = written?;
    if stored_key(request, &response).is_some() {
        writer.note_stored_response(&request.caller.id);
    }
    publisher.publish(&events);
    Ok(response)
}

/// Has a caller in this process show a secret, before anything is kept that belongs to it.
///
/// # Errors
///
/// When it could not be shown; the caller knows why.
fn show_secret(request: &WriteRequest, response: &WriteResponse) -> Result<(), Problem> {
    match (&request.before_commit, response.body_with_secret()) {
        (Some(before_commit), Some(body)) if !before_commit.takes(body) => {
            Err(Problem::new(ProblemType::Internal, "the secret could not be shown, so nothing was kept"))
        }
        (_, _) => Ok(()),
    }
}

/// The idempotency key under which a response is stored. When the plan has changed, nothing was done, and the same key is
/// good for the plan that it is now.
fn stored_key<'r>(request: &'r WriteRequest, response: &WriteResponse) -> Option<&'r str> {
    request.key().filter(|_| response.outcome() != ProblemType::PlanChanged.slug())
}

fn audit_record(
    request: &WriteRequest,
    response: &WriteResponse,
    at: Timestamp,
    subject: &AuditSubject,
) -> Record {
    Record {
        at,
        token: request.caller.id.to_string(),
        name: request.caller.name.to_string(),
        request: request.id.clone(),
        account: subject.account.clone(),
        resource: subject.resource.clone(),
        operation: request.operation.clone(),
        reason: request.reason.clone(),
        status: response.status().as_u16(),
        outcome: response.outcome().to_owned(),
        revision: subject.revision.clone(),
    }
}
