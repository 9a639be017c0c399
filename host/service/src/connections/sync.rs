//! Reading a provider's inventory, step by step: pages, then what was known and not listed, then prices.
//!
//! A full sync lists everything. An incremental one reads what can have changed since another one: what was ordered since, where
//! the provider says that, and what expires soon or has expired. What it does not find proves nothing, so it ends nothing.
//!
//! Each step is one call and one transaction, so a reading goes on where it stopped, after a failure and after a restart. Only
//! prices are asked for by several calls at once: no answer says what the next question is.
//! What was read is believed only once everything was: an empty or half answer is suspicious, not a deletion.

use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_domain::connector::Cursor;
use perennial_domain::connector::Query;
use perennial_domain::connector::QueryAnswer;
use perennial_domain::connector::ResourcePage;
use perennial_domain::connector::SyncScope;
use perennial_domain::connector::SyncState;
use perennial_domain::connector::Target;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::EngineTx;
use perennial_engine::error::EngineError;
use perennial_engine::persist::RecordedEvent;
use perennial_store::ReadTx;
use perennial_store::connections;
use perennial_store::connections::KnownResource;
use perennial_store::error::StoreError;
use perennial_store::keys::AccountKey;
use perennial_store::keys::ResourceKey;
use perennial_store::keys::RowKey;
use perennial_store::syncs;
use perennial_store::syncs::Sync;

use crate::connections::caller::CallError;
use crate::connections::caller::Caller;
use crate::connections::caller::ConnectedAccount;
use crate::connections::quoting;
use crate::connections::reading::Options;
use crate::connections::reading::Progress;
use crate::connections::reading::Reading;
use crate::connections::reading::StepResult;
use crate::connections::reading::store;
use crate::error::ServiceError;
use crate::service::Service;

/// How far ahead an incremental sync looks for what expires, in seconds: ten days. Providers begin to renew by themselves seven to
/// nine days before an expiry.
const SOON: i64 = 10 * 86_400;
/// How long before the sync before it an incremental sync begins to look for orders, in seconds: an order may take that long.
const ORDER_OVERLAP: i64 = 3_600;
/// The beginning of a cursor of a sync that checks, before the number of the last row that was asked for.
const CHECKED: &str = "row ";

/// What is wanted of a sync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncOptions {
    /// What can have changed is enough, once everything was read and believed.
    pub incremental: bool,
    /// Somebody looked, and knows that as much is missing as it seems.
    pub accept_missing: bool,
}

/// Why a step could not be made. What was read so far is kept.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The provider did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The host failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> SyncError {
        SyncError::Service(error.into())
    }
}

/// Makes the next step of an account's reading, or begins one; returns where it stands. Once everything was read,
/// [`finish`](crate::connections::reading::finish) is next. A full sync that is under way goes on whatever is wanted; an
/// incremental one begins anew as a full one where that is wanted.
///
/// # Errors
///
/// [`SyncError`] when the provider does not answer, or the host fails.
pub async fn step(
    service: &Service,
    caller: &Caller,
    of: &Arc<ConnectedAccount>,
    wanted: SyncOptions,
    at: Timestamp,
) -> Result<Progress, SyncError> {
    let reading = begin(service, of, wanted.incremental, at).await?;
    let found = match reading.sync.state {
        SyncState::Listing => list(caller, of, &reading, at).await,
        SyncState::Checking => check(service, caller, of, &reading, at).await,
        SyncState::Quoting => quote(service, of, &reading, at).await,
        SyncState::Done | SyncState::Suspicious => Ok(StepResult::Nothing),
    };
    match found {
        Ok(found) => {
            let options =
                Options { can_quote: quoting::can_quote(of), accept_missing: wanted.accept_missing };
            let (id, had_failed) = (of.account.id.clone(), reading.sync.problem.is_some());
            let stored = service.writer().call(move |writer| {
                let stored = writer.engine.in_transaction(|engine| {
                    let account = reading.account;
                    let progress = store(engine, reading, found, options, at)?;
                    let problem = progress.sync.problem.clone();
                    let what = match problem.filter(|_| progress.sync.state == SyncState::Suspicious) {
                        Some(problem) => Some(EventKind::ConnectionFailed { problem }),
                        None => had_failed.then_some(EventKind::ConnectionRestored),
                    };
                    Ok((progress, write_event(engine, (account, &id), what, at)?))
                });
                let (progress, events) = stored.map_err(|error: EngineError| ServiceError::from(error))?;
                writer.publisher().publish(&events);
                Ok::<_, ServiceError>(progress)
            });
            Ok(stored.await?)
        }
        Err(error) => {
            note_problem(service, of.account.id.clone(), reading, error.to_string(), at).await?;
            Err(error)
        }
    }
}

/// Writes down why a step of a sync failed; says so in an event when the step before it did not fail.
async fn note_problem(
    service: &Service,
    id: String,
    reading: Reading,
    problem: String,
    at: Timestamp,
) -> Result<(), ServiceError> {
    let noted = service.writer().call(move |writer| {
        let is_new = reading.sync.problem.is_none();
        let what = is_new.then(|| EventKind::ConnectionFailed { problem: problem.clone() });
        let sync = Sync { problem: Some(problem), changed_at: at, ..reading.sync };
        let noted = writer.engine.in_transaction(|engine| {
            syncs::update(engine.tx(), reading.row, &sync)?;
            write_event(engine, (reading.account, &id), what, at)
        });
        writer.publisher().publish(&noted.map_err(ServiceError::from)?);
        Ok::<_, ServiceError>(())
    });
    noted.await
}

/// Writes down what happened to the connection of an account, if anything did.
fn write_event(
    engine: &mut EngineTx<'_>,
    (account, id): (AccountKey, &str),
    what: Option<EventKind>,
    at: Timestamp,
) -> Result<Vec<RecordedEvent>, EngineError> {
    let Some(what) = what else { return Ok(Vec::new()) };
    engine.write_event(Some((account, id)), Event { at, resource: None, what })
}

/// The reading that is under way, or a new one.
async fn begin(
    service: &Service,
    of: &Arc<ConnectedAccount>,
    incremental: bool,
    at: Timestamp,
) -> Result<Reading, SyncError> {
    let id = of.account.id.clone();
    let finds_changes = of.rules.connector().is_some_and(|connector| connector.capabilities().changes);
    let reading = service.writer().call(move |writer| {
        let begun = writer.engine.in_transaction(|engine| {
            let stored = connections::get(engine.db(), &id)?;
            let account = stored.ok_or_else(|| EngineError::UnknownAccount(id.clone()))?.account;
            match syncs::newest(engine.db(), account)? {
                Some((row, sync)) if !sync.state.is_end() => {
                    let mut reading = Reading { account, row, sync };
                    if !incremental && reading.sync.scope != SyncScope::Full {
                        reading.read_everything(engine.tx())?;
                        syncs::update(engine.tx(), row, &reading.sync)?;
                    }
                    Ok(reading)
                }
                Some(_) | None => insert(engine, account, (incremental, finds_changes), at),
            }
        });
        begun.map_err(ServiceError::from)
    });
    Ok(reading.await?)
}

/// A new reading: an incremental one, where that is wanted and something is known that it can go on from.
fn insert(
    engine: &EngineTx<'_>,
    account: AccountKey,
    (incremental, finds_changes): (bool, bool),
    at: Timestamp,
) -> Result<Reading, EngineError> {
    let db = engine.db();
    let is_first = !syncs::has_done(db, account)?;
    // What somebody has to look at stays the newest until everything was read again.
    let full = syncs::newest_full(db, account)?.filter(|full| incremental && full.state == SyncState::Done);
    let (scope, state, unknown) = match full {
        None => (SyncScope::Full, SyncState::Listing, Vec::new()),
        Some(full) => {
            let changes_since = orders_from(db, account, finds_changes)?;
            let scope = SyncScope::Incremental { changes_since, expires_until: at + SOON };
            let state = if changes_since.is_some() { SyncState::Listing } else { SyncState::Checking };
            (scope, state, full.unknown)
        }
    };
    let sync = Sync {
        scope,
        state,
        cursor: None,
        listed: 0,
        total: None,
        problem: None,
        started_at: at,
        changed_at: at,
        is_first,
        unknown,
        requests: 0,
    };
    let row = syncs::insert(engine.tx(), account, &sync)?;
    Ok(Reading { account, row, sync })
}

/// Since when orders are asked for; `None` where they cannot be.
fn orders_from(
    db: &ReadTx,
    account: AccountKey,
    finds_changes: bool,
) -> Result<Option<Timestamp>, StoreError> {
    let read_at = if finds_changes { syncs::orders_read_at(db, account)? } else { None };
    Ok(read_at.map(|read_at| read_at - ORDER_OVERLAP))
}

async fn list(
    caller: &Caller,
    of: &Arc<ConnectedAccount>,
    reading: &Reading,
    at: Timestamp,
) -> Result<StepResult, SyncError> {
    let cursor = reading.sync.cursor.clone().map(Cursor);
    let query = match reading.sync.scope {
        SyncScope::Incremental { changes_since: Some(since), expires_until } => {
            Query::Changes { since, expires_until, cursor }
        }
        SyncScope::Full | SyncScope::Incremental { changes_since: None, .. } => {
            Query::List { cursor, expires_until: None }
        }
    };
    match caller.ask(of, at, &query).await {
        Ok(QueryAnswer::Resources(page)) => Ok(StepResult::Page(page)),
        Ok(QueryAnswer::Orders(_) | QueryAnswer::Quotes(_) | QueryAnswer::Balance(_)) => {
            Ok(StepResult::Nothing)
        }
        // Not every key may read orders: what expires soon is read all the same.
        Err(error) if reading.sync.scope != SyncScope::Full && error.is_refusal() => {
            Ok(StepResult::NoChanges)
        }
        Err(error) => Err(error.into()),
    }
}

/// Asks by its ids for what was known and not listed, as many at a time as the provider takes. An incremental sync asks for what
/// is known to expire soon only.
async fn check(
    service: &Service,
    caller: &Caller,
    of: &Arc<ConnectedAccount>,
    reading: &Reading,
    at: Timestamp,
) -> Result<StepResult, SyncError> {
    let most = of.rules.connector().map_or(1, |connector| connector.capabilities().find_targets_max);
    let (account, row, after) = (reading.account, reading.row, checked_until(reading.sync.cursor.as_deref()));
    let expires_until = match reading.sync.scope {
        SyncScope::Full => None,
        SyncScope::Incremental { expires_until, .. } => Some(expires_until),
    };
    let missing = service.read(move |db| {
        let limit = usize::try_from(most.max(1)).unwrap_or(usize::MAX);
        Ok::<_, ServiceError>(connections::unlisted(db, (account, row), after, expires_until, limit)?)
    });
    let missing = missing.await?;
    let Some((last, _)) = missing.last() else { return Ok(StepResult::Nothing) };
    let until = format!("{CHECKED}{last}");
    let targets = missing.iter().map(|(_, held)| target_of_known(held)).collect::<Vec<_>>();
    let mut found = ResourcePage { resources: Vec::new(), unknown: Vec::new(), total: None, next: None };
    let (mut cursor, mut requests) = (None, 0);
    loop {
        requests += 1;
        let query = Query::Find { targets: targets.clone(), cursor };
        let QueryAnswer::Resources(page) = caller.ask(of, at, &query).await? else { break };
        found.resources.extend(page.resources);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(StepResult::Checked { page: found, until: Some(until), requests })
}

/// The row of the last resource that was asked for by its id, by the cursor of a sync that checks.
fn checked_until(cursor: Option<&str>) -> ResourceKey {
    let number = cursor.and_then(|cursor| cursor.strip_prefix(CHECKED)?.parse().ok());
    number.map_or_else(ResourceKey::before_all, ResourceKey::from_number)
}

fn target_of_known(held: &KnownResource) -> Target {
    Target {
        id: held.id.clone(),
        kind: held.kind.clone(),
        region: held.region.clone(),
        expires_at: held.expires_at,
        attached_to: held.primary.clone(),
        attributes: BTreeMap::new(),
    }
}

/// Asks for prices of some of what was read.
async fn quote(
    service: &Service,
    of: &Arc<ConnectedAccount>,
    reading: &Reading,
    at: Timestamp,
) -> Result<StepResult, SyncError> {
    let (row, after) = (reading.row, reading.sync.cursor.clone().unwrap_or_default());
    let most = quoting::resources_max(of);
    let items =
        service.read(move |db| Ok::<_, ServiceError>(syncs::unquoted(db, row, &after, most)?)).await?;
    Ok(quoting::quote(service, of, items, at).await?)
}
