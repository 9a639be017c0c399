//! Reading a provider's inventory, step by step: pages, then what was known and not listed, then prices.
//!
//! Each step is one call and one transaction, so a reading goes on where it stopped, after a failure and after a restart.
//! What was read is believed only once everything was: an empty or half answer is suspicious, not a deletion.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use perennial_domain::connector::CloudResource;
use perennial_domain::connector::Cursor;
use perennial_domain::connector::Query;
use perennial_domain::connector::QueryAnswer;
use perennial_domain::connector::QueryFailureReason;
use perennial_domain::connector::ResourcePage;
use perennial_domain::connector::SyncState;
use perennial_domain::connector::Target;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::error::EngineError;
use perennial_store::connections;
use perennial_store::connections::KnownResource;
use perennial_store::error::StoreError;
use perennial_store::syncs;
use perennial_store::syncs::Sync;

use crate::connections::caller::CallError;
use crate::connections::caller::Caller;
use crate::connections::caller::ConnectedAccount;
use crate::connections::reading::Options;
use crate::connections::reading::Progress;
use crate::connections::reading::Reading;
use crate::connections::reading::StepResult;
use crate::connections::reading::store;
use crate::connections::reading::term_of;
use crate::connections::staged;
use crate::error::ServiceError;
use crate::service::Service;

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
/// [`finish`](crate::connections::reading::finish) is next. `accept_missing` says that somebody looked at what is missing.
///
/// # Errors
///
/// [`SyncError`] when the provider does not answer, or the host fails.
pub async fn step(
    service: &Service,
    caller: &Caller,
    of: &Arc<ConnectedAccount>,
    accept_missing: bool,
    at: Timestamp,
) -> Result<Progress, SyncError> {
    let reading = begin(service, &of.account.id, at).await?;
    let found = match reading.sync.state {
        SyncState::Listing => list(caller, of, &reading, at).await,
        SyncState::Checking => check(service, caller, of, &reading, at).await,
        SyncState::Quoting => quote(service, caller, of, &reading, at).await,
        SyncState::Done | SyncState::Suspicious => Ok(StepResult::Nothing),
    };
    match found {
        Ok(found) => {
            let options = Options { can_quote: can_quote(of), accept_missing };
            let stored = service.writer().call(move |writer| {
                let stored =
                    writer.engine.in_transaction(|engine| store(engine, reading, found, options, at));
                stored.map_err(ServiceError::from)
            });
            Ok(stored.await?)
        }
        Err(error) => {
            let problem = error.to_string();
            let noted: Result<(), ServiceError> = service
                .writer()
                .call(move |writer| {
                    let sync = Sync { problem: Some(problem), changed_at: at, ..reading.sync };
                    let noted = writer.engine.in_transaction(|engine| {
                        syncs::update(engine.tx(), reading.row, &sync).map_err(EngineError::from)
                    });
                    noted.map_err(ServiceError::from)
                })
                .await;
            noted?;
            Err(error)
        }
    }
}

/// The reading that is under way, or a new one.
async fn begin(service: &Service, id: &str, at: Timestamp) -> Result<Reading, SyncError> {
    let id = id.to_owned();
    let reading = service.writer().call(move |writer| {
        let begun = writer.engine.in_transaction(|engine| {
            let db = engine.db();
            let stored = connections::get(db, &id)?;
            let stored = stored.ok_or_else(|| EngineError::UnknownAccount(id.clone()))?;
            let (row, sync) = match syncs::newest(db, stored.account)? {
                Some((row, sync)) if !sync.state.is_end() => (row, sync),
                Some(_) | None => {
                    let is_first = !syncs::has_done(db, stored.account)?;
                    let sync = new_sync(is_first, at);
                    (syncs::insert(engine.tx(), stored.account, &sync)?, sync)
                }
            };
            Ok::<_, EngineError>(Reading { account: stored.account, row, sync })
        });
        begun.map_err(ServiceError::from)
    });
    Ok(reading.await?)
}

fn new_sync(is_first: bool, at: Timestamp) -> Sync {
    Sync {
        state: SyncState::Listing,
        cursor: None,
        listed: 0,
        total: None,
        problem: None,
        started_at: at,
        changed_at: at,
        is_first,
        unknown: Vec::new(),
    }
}

async fn list(
    caller: &Caller,
    of: &Arc<ConnectedAccount>,
    reading: &Reading,
    at: Timestamp,
) -> Result<StepResult, SyncError> {
    let cursor = reading.sync.cursor.clone().map(Cursor);
    let answer = caller.ask(of, at, &Query::List { cursor, expires_until: None }).await?;
    Ok(if let QueryAnswer::Resources(page) = answer { StepResult::Page(page) } else { StepResult::Nothing })
}

/// Asks by its ids for what was known and not listed, as many at a time as the provider takes.
async fn check(
    service: &Service,
    caller: &Caller,
    of: &Arc<ConnectedAccount>,
    reading: &Reading,
    at: Timestamp,
) -> Result<StepResult, SyncError> {
    let most = of.rules.connector().map_or(1, |connector| connector.capabilities().find_targets_max);
    let Reading { account, row, sync } = reading.clone();
    let after = sync.cursor.unwrap_or_default();
    let missing = service.read(move |db| {
        let (staged, known) = (syncs::item_ids(db, row)?, connections::resources(db, account)?);
        let missing = known.into_iter().filter(|held| held.id > after && !staged.contains(&held.id));
        Ok::<_, ServiceError>(missing.collect::<Vec<_>>())
    });
    let mut missing = missing.await?;
    missing.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    let targets = missing.iter().take(most as usize).map(target_of_known).collect::<Vec<_>>();
    let Some(last) = targets.last().map(|target| target.id.clone()) else { return Ok(StepResult::Nothing) };
    let mut found = ResourcePage { resources: Vec::new(), unknown: Vec::new(), total: None, next: None };
    let mut cursor = None;
    loop {
        let query = Query::Find { targets: targets.clone(), cursor };
        let QueryAnswer::Resources(page) = caller.ask(of, at, &query).await? else { break };
        found.resources.extend(page.resources);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(StepResult::Checked { page: found, until: Some(last) })
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

/// Whether prices can be asked for: the provider has them, and the call was granted. A call that is not granted is refused
/// before it is signed, so the first one finds out.
fn can_quote(of: &ConnectedAccount) -> bool {
    of.rules.connector().is_some_and(|connector| connector.capabilities().quote_targets_max > 0)
}

/// Asks what the renewals of some resources would cost. What the provider does not price has no price.
async fn quote(
    service: &Service,
    caller: &Caller,
    of: &Arc<ConnectedAccount>,
    reading: &Reading,
    at: Timestamp,
) -> Result<StepResult, SyncError> {
    let most = of.rules.connector().map_or(0, |connector| connector.capabilities().quote_targets_max);
    let row = reading.row;
    let items = service.read(move |db| Ok::<_, ServiceError>(syncs::unquoted(db, row, most)?)).await?;
    let resources = items.iter().filter_map(|item| staged::read(&item.item)).collect::<Vec<_>>();
    let Some(term) = resources.first().map(term_of) else { return Ok(StepResult::Nothing) };
    let asked = resources.iter().filter(|resource| term_of(resource) == term).collect::<Vec<_>>();
    let targets = asked.iter().map(|resource| target_of(resource)).collect::<Vec<_>>();
    let ids = asked.iter().map(|resource| resource.id.clone()).collect::<BTreeSet<_>>();
    let quotes = match caller.ask(of, at, &Query::Quote { targets, term }).await {
        Ok(QueryAnswer::Quotes(quotes)) => quotes,
        Ok(QueryAnswer::Resources(_) | QueryAnswer::Orders(_) | QueryAnswer::Balance(_)) => Vec::new(),
        // These will be the same the next time: such resources have no price that anybody knows.
        Err(CallError::NoQuestion(_) | CallError::NotPermitted(_)) => Vec::new(),
        Err(CallError::Failed(failure))
            if [QueryFailureReason::Refused, QueryFailureReason::Permission].contains(&failure.reason) =>
        {
            Vec::new()
        }
        Err(error) => return Err(error.into()),
    };
    let items = items.into_iter().filter(|item| ids.contains(&item.id)).collect();
    Ok(StepResult::Quotes { items, quotes })
}

fn target_of(resource: &CloudResource) -> Target {
    Target {
        id: resource.id.clone(),
        kind: resource.kind.clone(),
        region: resource.region.clone(),
        expires_at: resource.expires_at,
        attached_to: resource.attached_to.clone(),
        attributes: resource.attributes.clone(),
    }
}
