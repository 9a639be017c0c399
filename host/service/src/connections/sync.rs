//! Reading a provider's inventory, step by step: pages, then what was known and not listed, then prices.
//!
//! Each step is one call and one transaction, so a reading goes on where it stopped, after a failure and after a restart.
//! What was read is believed only once everything was: an empty or half answer is suspicious, not a deletion.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use perennial_domain::bundle::Charging;
use perennial_domain::connector::Answer;
use perennial_domain::connector::CloudResource;
use perennial_domain::connector::Cursor;
use perennial_domain::connector::Query;
use perennial_domain::connector::QueryFailureReason;
use perennial_domain::connector::Quote;
use perennial_domain::connector::ResourcePage;
use perennial_domain::connector::SyncState;
use perennial_domain::connector::Target;
use perennial_domain::connector::assumed_term;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::EngineTx;
use perennial_engine::adoption::Adoption;
use perennial_engine::adoption::CloudInventory;
use perennial_engine::error::EngineError;
use perennial_store::ReadTx;
use perennial_store::connections;
use perennial_store::connections::HeldResource;
use perennial_store::connections::StoredConnection;
use perennial_store::error::StoreError;
use perennial_store::keys::AccountKey;
use perennial_store::keys::SyncKey;
use perennial_store::syncs;
use perennial_store::syncs::Sync;
use perennial_store::syncs::SyncItem;

use crate::connections::caller::CallError;
use crate::connections::caller::Caller;
use crate::connections::caller::Connected;
use crate::connections::staged;
use crate::error::ServiceError;
use crate::service::Service;

/// Of what was known, the share that may be missing at once before the answer is suspicious: one in so many.
const MISSING_SHARE: usize = 2;

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

/// A reading, with what it is read for.
#[derive(Clone)]
struct Reading {
    account: AccountKey,
    row: SyncKey,
    sync: Sync,
    /// What is known here, by id.
    known: Arc<BTreeMap<String, HeldResource>>,
}

/// What a step read.
enum Found {
    Page(ResourcePage),
    Checked {
        page: ResourcePage,
        until: Option<String>,
    },
    Quotes {
        items: Vec<SyncItem>,
        quotes: Vec<Quote>,
    },
    /// There is nothing more to read in this state.
    Nothing,
}

/// Makes the next step of an account's reading, or begins one; returns where it stands. In [`SyncState::Quoting`] with
/// nothing left to ask, [`finish`] is next.
///
/// # Errors
///
/// [`SyncError`] when the provider does not answer, or the host fails.
pub async fn step(
    service: &Service,
    caller: &Caller,
    of: &Arc<Connected>,
    at: Timestamp,
) -> Result<Progress, SyncError> {
    let reading = begin(service, &of.account.id, at).await?;
    let found = match reading.sync.state {
        SyncState::Listing => list(caller, of, &reading, at).await,
        SyncState::Checking => check(service, caller, of, &reading, at).await,
        SyncState::Quoting => quote(service, caller, of, &reading, at).await,
        SyncState::Done | SyncState::Suspicious => Ok(Found::Nothing),
    };
    match found {
        Ok(found) => {
            let can_quote = can_quote(of);
            let stored = service.writer().call(move |writer| {
                let stored =
                    writer.engine.in_transaction(|engine| store(engine, reading, found, can_quote, at));
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

/// Where a reading stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The reading.
    pub sync: Sync,
    /// Whether everything was read, and is to be compared and taken over.
    pub is_read: bool,
}

/// The reading that is under way, or a new one.
async fn begin(service: &Service, id: &str, at: Timestamp) -> Result<Reading, SyncError> {
    let id = id.to_owned();
    let reading = service.writer().call(move |writer| {
        let begun = writer.engine.in_transaction(|engine| {
            let db = engine.db();
            let stored = connections::get(db, &id)?;
            let stored = stored.ok_or_else(|| EngineError::UnknownAccount(id.clone()))?;
            let known = connections::resources(db, stored.account)?;
            let known = known.into_iter().map(|held| (held.id.clone(), held)).collect();
            let (row, sync) = match syncs::newest(db, stored.account)? {
                Some((row, sync)) if !sync.state.is_end() => (row, sync),
                Some(_) | None => {
                    let is_first = !syncs::has_done(db, stored.account)?;
                    let sync = new_sync(is_first, at);
                    (syncs::insert(engine.tx(), stored.account, &sync)?, sync)
                }
            };
            Ok::<_, EngineError>(Reading { account: stored.account, row, sync, known: Arc::new(known) })
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
    of: &Arc<Connected>,
    reading: &Reading,
    at: Timestamp,
) -> Result<Found, SyncError> {
    let cursor = reading.sync.cursor.clone().map(Cursor);
    let answer = caller.ask(of, at, &Query::List { cursor, expires_until: None }).await?;
    Ok(if let Answer::Resources(page) = answer { Found::Page(page) } else { Found::Nothing })
}

/// Asks by its ids for what was known and not listed, as many at a time as the provider takes.
async fn check(
    service: &Service,
    caller: &Caller,
    of: &Arc<Connected>,
    reading: &Reading,
    at: Timestamp,
) -> Result<Found, SyncError> {
    let most = of.rules.connector().map_or(1, |connector| connector.capabilities().find_targets_max);
    let row = reading.row;
    let staged = service.read(move |db| Ok::<_, ServiceError>(staged_ids(db, row)?)).await?;
    let after = reading.sync.cursor.as_deref().unwrap_or_default();
    let missing =
        reading.known.values().filter(|held| held.id.as_str() > after && !staged.contains(&held.id));
    let targets = missing.take(most as usize).map(target_of_held).collect::<Vec<_>>();
    let Some(last) = targets.last().map(|target| target.id.clone()) else { return Ok(Found::Nothing) };
    let mut found = ResourcePage { resources: Vec::new(), unknown: Vec::new(), total: None, next: None };
    let mut cursor = None;
    loop {
        let query = Query::Find { targets: targets.clone(), cursor };
        let Answer::Resources(page) = caller.ask(of, at, &query).await? else { break };
        found.resources.extend(page.resources);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(Found::Checked { page: found, until: Some(last) })
}

fn target_of_held(held: &HeldResource) -> Target {
    Target {
        id: held.id.clone(),
        kind: held.kind.clone(),
        region: String::new(),
        expires_at: held.expires_at,
        attached_to: held.primary.clone(),
        attributes: BTreeMap::new(),
    }
}

fn staged_ids(db: &ReadTx, row: SyncKey) -> Result<BTreeSet<String>, StoreError> {
    Ok(syncs::items(db, row)?.into_iter().map(|item| item.id).collect())
}

/// Whether prices can be asked for: the provider has them, and the call was granted. A call that is not granted is refused
/// before it is signed, so the first one finds out.
fn can_quote(of: &Connected) -> bool {
    of.rules.connector().is_some_and(|connector| connector.capabilities().quote_targets_max > 0)
}

/// Asks what the renewals of some resources would cost. What the provider does not price has no price.
async fn quote(
    service: &Service,
    caller: &Caller,
    of: &Arc<Connected>,
    reading: &Reading,
    at: Timestamp,
) -> Result<Found, SyncError> {
    let most = of.rules.connector().map_or(0, |connector| connector.capabilities().quote_targets_max);
    let row = reading.row;
    let items = service.read(move |db| Ok::<_, ServiceError>(syncs::unquoted(db, row, most)?)).await?;
    let resources = items.iter().filter_map(|item| staged::read(&item.item)).collect::<Vec<_>>();
    let Some(term) = resources.first().map(term_of) else { return Ok(Found::Nothing) };
    let asked = resources.iter().filter(|resource| term_of(resource) == term).collect::<Vec<_>>();
    let targets = asked.iter().map(|resource| target_of(resource)).collect::<Vec<_>>();
    let ids = asked.iter().map(|resource| resource.id.clone()).collect::<BTreeSet<_>>();
    let quotes = match caller.ask(of, at, &Query::Quote { targets, term }).await {
        Ok(Answer::Quotes(quotes)) => quotes,
        Ok(Answer::Resources(_) | Answer::Orders(_) | Answer::Balance(_)) => Vec::new(),
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
    Ok(Found::Quotes { items, quotes })
}

fn term_of(resource: &CloudResource) -> Term {
    resource.renewal_term.or(resource.term).unwrap_or_else(assumed_term)
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

/// Keeps what a step read, and says what comes next.
fn store(
    engine: &mut EngineTx<'_>,
    mut reading: Reading,
    found: Found,
    can_quote: bool,
    at: Timestamp,
) -> Result<Progress, EngineError> {
    (reading.sync.changed_at, reading.sync.problem) = (at, None);
    let mut is_read = false;
    match found {
        Found::Page(page) => {
            put(engine, &reading, &page.resources, can_quote)?;
            let unknown = page.unknown.into_iter().map(|unknown| (unknown.id, unknown.kind));
            let sync = &mut reading.sync;
            sync.unknown.extend(unknown);
            sync.listed += u32::try_from(page.resources.len()).unwrap_or(u32::MAX);
            sync.total = page.total.or(sync.total);
            sync.cursor = page.next.map(|next| next.0);
            if sync.cursor.is_none() {
                sync.state = SyncState::Checking;
                judge(engine.db(), &mut reading)?;
            }
        }
        Found::Checked { page, until } => {
            put(engine, &reading, &page.resources, can_quote)?;
            reading.sync.cursor = until;
        }
        Found::Quotes { items, quotes } => {
            syncs::put_items(engine.tx(), reading.row, &priced(items, &quotes))?;
        }
        Found::Nothing => match reading.sync.state {
            SyncState::Listing | SyncState::Checking => {
                (reading.sync.state, reading.sync.cursor) = (SyncState::Quoting, None);
            }
            SyncState::Quoting => is_read = true,
            SyncState::Done | SyncState::Suspicious => {}
        },
    }
    syncs::update(engine.tx(), reading.row, &reading.sync)?;
    Ok(Progress { sync: reading.sync, is_read })
}

/// Keeps resources. Prices are asked for of primaries whose price nobody knows: that of a bundle is its primary's.
fn put(
    engine: &EngineTx<'_>,
    reading: &Reading,
    resources: &[CloudResource],
    can_quote: bool,
) -> Result<(), EngineError> {
    let item = |resource: &CloudResource| {
        let has_price =
            resource.price.is_some() || reading.known.get(&resource.id).is_some_and(|held| held.has_price);
        let is_primary = resource.attached_to.is_none() && resource.charging == Charging::Prepaid;
        let is_quoted = !can_quote || has_price || !is_primary;
        SyncItem { id: resource.id.clone(), item: staged::write(resource), is_quoted }
    };
    let items = resources.iter().map(item).collect::<Vec<_>>();
    Ok(syncs::put_items(engine.tx(), reading.row, &items)?)
}

fn priced(items: Vec<SyncItem>, quotes: &[Quote]) -> Vec<SyncItem> {
    let with_price = |item: SyncItem| {
        let quote = quotes.iter().find(|quote| quote.resource == item.id);
        let resource = quote.and_then(|quote| {
            let resource = staged::read(&item.item)?;
            let term = Some(term_of(&resource));
            Some(CloudResource { price: Some(quote.amount), term: resource.term.or(term), ..resource })
        });
        let item_text = resource.map_or(item.item, |resource| staged::write(&resource));
        SyncItem { id: item.id, item: item_text, is_quoted: true }
    };
    items.into_iter().map(with_price).collect()
}

/// Ends a reading that lacks too much of what was known: that is no deletion.
fn judge(db: &ReadTx, reading: &mut Reading) -> Result<(), StoreError> {
    let staged = staged_ids(db, reading.row)?;
    let missing = reading.known.keys().filter(|id| !staged.contains(*id)).count();
    if missing > 0 && missing * MISSING_SHARE >= reading.known.len() {
        reading.sync.state = SyncState::Suspicious;
        reading.sync.problem = Some(format!(
            "of {} resources that were known, {missing} were not listed; nothing was taken over. Look at the account and at \
             what its key may read, then sync again",
            reading.known.len()
        ));
    }
    Ok(())
}

/// Compares what was read with what was known, and takes it over. Only after [`step`] said that everything was read.
///
/// # Errors
///
/// [`EngineError`] when the account has no plugin, or the database fails.
pub fn finish(
    engine: &mut EngineTx<'_>,
    connection: &StoredConnection,
    at: Timestamp,
) -> Result<Option<Adoption>, EngineError> {
    let Some((row, sync)) = syncs::newest(engine.db(), connection.account)? else { return Ok(None) };
    if sync.state != SyncState::Quoting {
        return Ok(None);
    }
    let items = syncs::items(engine.db(), row)?;
    let resources = items.iter().filter_map(|item| staged::read(&item.item)).collect::<Vec<_>>();
    let staged = items.iter().map(|item| item.id.as_str()).collect::<BTreeSet<_>>();
    let known = connections::resources(engine.db(), connection.account)?;
    let gone = known.into_iter().map(|held| held.id).filter(|id| !staged.contains(id.as_str()));
    let gone = gone.collect::<Vec<_>>();
    let inventory = CloudInventory {
        account: &connection.id,
        resources: &resources,
        gone: &gone,
        is_first: sync.is_first,
    };
    let adoption = engine.adopt_inventory(at, inventory)?;
    syncs::clear_items(engine.tx(), row)?;
    let done = Sync { state: SyncState::Done, changed_at: at, ..sync };
    syncs::update(engine.tx(), row, &done)?;
    Ok(Some(adoption))
}
