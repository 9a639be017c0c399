//! The refresher: while the host runs, the inventories and balances of connected accounts are read again now and then.
//!
//! Everything is read every few hours, and what can have changed meanwhile more often. A reading that a stop or a failure
//! interrupted goes on where it was. Only what somebody has read once is read again: the first sync is a person's. Knows no
//! inventory; [`sync`] reads and [`reading`] keeps.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use perennial_domain::connector::CloudBalance;
use perennial_domain::connector::Query;
use perennial_domain::connector::QueryAnswer;
use perennial_domain::connector::SyncScope;
use perennial_domain::connector::SyncState;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::EngineTx;
use perennial_engine::error::EngineError;
use perennial_engine::persist::RecordedEvent;
use perennial_store::ReadTx;
use perennial_store::calls::gates;
use perennial_store::connections;
use perennial_store::connections::StoredConnection;
use perennial_store::syncs;
use perennial_store::syncs::Sync;

use crate::connections::Connections;
use crate::connections::account;
use crate::connections::account::ConnectError;
use crate::connections::caller::ConnectedAccount;
use crate::connections::reading;
use crate::connections::sync;
use crate::connections::sync::SyncError;
use crate::connections::sync::SyncOptions;
use crate::either::first_ready;
use crate::error::ServiceError;
use crate::service::Service;

/// How long after a step that failed the next one is made, in seconds.
const FAILURE_INTERVAL: i64 = 600;
/// How often the refresher looks for what is due.
const POLL_INTERVAL: Duration = Duration::from_secs(30);

/// Why an account could not be refreshed.
#[derive(Debug, thiserror::Error)]
enum RefreshError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Sync(#[from] SyncError),
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Reads inventories again until the host stops.
pub async fn run(service: Service) {
    let mut stopping = service.shutdown_signal();
    let mut changes = service.writer().changes();
    while !*stopping.borrow() {
        changes.borrow_and_update();
        if !service.writer().is_advancing() {
            refresh_due(&service).await;
        }
        let timer = async { tokio::time::sleep(POLL_INTERVAL).await };
        let stopped = async { drop(stopping.changed().await) };
        let moved = async {
            // A virtual clock is moved at once by hours; on real time every commit would be one too many.
            match service.writer().is_virtual() {
                true => drop(changes.changed().await),
                false => pending().await,
            }
        };
        first_ready(first_ready(timer, moved), stopped).await;
    }
}

async fn refresh_due(service: &Service) {
    let now = service.now();
    let settings = service.connections().0.clone();
    let due = match service.read(move |db| due(db, &settings, now)).await {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(%error, "the inventories that are due cannot be looked up");
            return;
        }
    };
    for (stored, wanted) in due {
        if *service.shutdown_signal().borrow() {
            return;
        }
        if let Err(error) = refresh(service, &stored, wanted).await {
            tracing::warn!(account = stored.id, %error, "the inventory of an account is not read");
        }
    }
}

/// The connections whose inventory is to be read on or again, and how much of it.
fn due(
    db: &ReadTx,
    settings: &Connections,
    now: Timestamp,
) -> Result<Vec<(StoredConnection, SyncOptions)>, ServiceError> {
    if gates::paused(db)?.is_some() {
        return Ok(Vec::new());
    }
    let mut due = Vec::new();
    for stored in connections::list(db, None)? {
        let is_read_again = stored.paused.is_none() && syncs::has_done(db, stored.account)?;
        let newest = syncs::newest(db, stored.account)?;
        let full = syncs::newest_full(db, stored.account)?;
        if let (true, Some((_, newest)), Some(full)) = (is_read_again, newest, full)
            && let Some(incremental) = what_is_due(&newest, &full, settings, now)
        {
            due.push((stored, SyncOptions { incremental, accept_missing: false }));
        }
    }
    Ok(due)
}

/// Whether an incremental sync is due, or a full one; `None` for neither. A suspicious answer waits for somebody to look, or for
/// the next full one.
fn what_is_due(newest: &Sync, full: &Sync, settings: &Connections, now: Timestamp) -> Option<bool> {
    let is_past = |sync: &Sync, seconds: i64| now - sync.changed_at >= seconds;
    let is_full_due = is_past(full, i64::from(settings.full_sync_seconds));
    if !newest.state.is_end() {
        // One that never comes to its end does not keep everything from being read.
        let incremental = newest.scope != SyncScope::Full && !is_full_due;
        return is_past(newest, FAILURE_INTERVAL).then_some(incremental);
    }
    if is_full_due {
        return Some(false);
    }
    let incremental_seconds = i64::from(settings.incremental_sync_seconds);
    let is_watched = incremental_seconds > 0 && full.state == SyncState::Done;
    (is_watched && is_past(newest, incremental_seconds)).then_some(true)
}

/// Reads an inventory to its end, and then the balance.
async fn refresh(
    service: &Service,
    stored: &StoredConnection,
    wanted: SyncOptions,
) -> Result<(), RefreshError> {
    let connected = Arc::new(account::connect(service, &stored.id).await?);
    let (_, caller) = service.connections();
    loop {
        let progress = sync::step(service, caller, &connected, wanted, service.now()).await?;
        if progress.is_read {
            break;
        }
        if progress.sync.state == SyncState::Suspicious {
            let problem = progress.sync.problem.unwrap_or_default();
            tracing::error!(account = stored.id, problem, "what a provider listed is not believed");
            return Ok(());
        }
        if *service.shutdown_signal().borrow() {
            return Ok(());
        }
    }
    let balance = ask_balance(service, &connected).await;
    let id = stored.id.clone();
    let events = service.writer().call(move |writer| {
        let at = writer.now();
        let finished = writer.engine.in_transaction(|engine| finish(engine, &id, balance.as_ref(), at));
        let events = finished.map_err(ServiceError::from)?;
        writer.publisher().publish(&events);
        Ok::<_, ServiceError>(())
    });
    Ok(events.await?)
}

/// Takes an inventory over that was read to its end, and what the provider says of the money.
///
/// # Errors
///
/// [`EngineError`] when the account has no plugin, or the database fails.
pub fn finish(
    engine: &mut EngineTx<'_>,
    account: &str,
    balance: Option<&CloudBalance>,
    at: Timestamp,
) -> Result<Vec<RecordedEvent>, EngineError> {
    let stored = connections::get(engine.db(), account)?;
    let stored = stored.ok_or_else(|| EngineError::UnknownAccount(account.to_owned()))?;
    let mut events = reading::finish(engine, &stored, at)?.map_or_else(Vec::new, |adoption| adoption.events);
    if let Some(balance) = balance {
        connections::set_balance(engine.tx(), stored.account, balance, at)?;
        events.extend(mirror(engine, &stored, balance, at)?);
    }
    Ok(events)
}

/// Takes over what can be spent at the provider, where this host may renew. An amount in another currency is left alone.
///
/// # Errors
///
/// [`EngineError`] when the database fails.
pub fn mirror(
    engine: &mut EngineTx<'_>,
    stored: &StoredConnection,
    balance: &CloudBalance,
    at: Timestamp,
) -> Result<Vec<RecordedEvent>, EngineError> {
    let currency = perennial_store::accounts::get_by_row(engine.db(), stored.account)?.account.currency;
    if !stored.connection.driver.sends() {
        return Ok(Vec::new());
    }
    if balance.currency != currency {
        let (account, said) = (&stored.id, &balance.currency);
        tracing::warn!(account, currency, said, "the provider says its balance in another currency");
        return Ok(Vec::new());
    }
    engine.mirror_balance(at, &stored.id, balance.available)
}

/// The balance, if the provider says it. A sync is no failure because it does not.
pub async fn ask_balance(service: &Service, connected: &Arc<ConnectedAccount>) -> Option<CloudBalance> {
    let (_, caller) = service.connections();
    let has_balance = connected.rules.connector().is_some_and(|connector| connector.capabilities().balance);
    if !has_balance {
        return None;
    }
    match caller.ask(connected, service.now(), &Query::Balance).await {
        Ok(QueryAnswer::Balance(balance)) => Some(balance),
        Ok(QueryAnswer::Resources(_) | QueryAnswer::Orders(_) | QueryAnswer::Quotes(_)) => None,
        Err(error) => {
            tracing::info!(account = connected.account.id, %error, "the balance of an account is not known");
            None
        }
    }
}

#[cfg(test)]
mod tests;
