//! What a step of a reading leaves in the database, and what becomes of it once everything was read.
//!
//! Knows no network. What was read is believed only as a whole.

use std::collections::BTreeSet;

use perennial_domain::bundle::Charging;
use perennial_domain::connector::CloudResource;
use perennial_domain::connector::Quote;
use perennial_domain::connector::ResourcePage;
use perennial_domain::connector::SyncScope;
use perennial_domain::connector::SyncState;
use perennial_domain::connector::assumed_term;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::EngineTx;
use perennial_engine::adoption::Adoption;
use perennial_engine::adoption::CloudInventory;
use perennial_engine::error::EngineError;
use perennial_store::ReadTx;
use perennial_store::WriteTx;
use perennial_store::connections;
use perennial_store::connections::StoredConnection;
use perennial_store::error::StoreError;
use perennial_store::imports;
use perennial_store::keys::AccountKey;
use perennial_store::keys::SyncKey;
use perennial_store::syncs;
use perennial_store::syncs::Sync;
use perennial_store::syncs::SyncItem;

use crate::connections::staged;

/// Of what was known, the share that may be missing at once before the answer is suspicious: one in so many.
const MISSING_SHARE: usize = 2;
/// After how many requests an incremental sync becomes a full one, which needs fewer where so much has changed.
const INCREMENTAL_REQUESTS_MAX: u32 = 200;

/// A reading, and the account that it is of.
#[derive(Clone)]
pub(crate) struct Reading {
    pub(crate) account: AccountKey,
    pub(crate) row: SyncKey,
    pub(crate) sync: Sync,
}

impl Reading {
    /// Begins anew as a full sync: what was read so far does not say that it is still there.
    pub(crate) fn read_everything(&mut self, tx: &WriteTx) -> Result<(), StoreError> {
        syncs::clear_items(tx, self.row)?;
        let sync = &mut self.sync;
        (sync.scope, sync.state, sync.cursor) = (SyncScope::Full, SyncState::Listing, None);
        (sync.listed, sync.total, sync.problem) = (0, None, None);
        sync.unknown.clear();
        Ok(())
    }

    /// Whether it has taken more requests than an incremental sync may, with some still to come.
    fn is_too_long(&self) -> bool {
        let is_reading = matches!(self.sync.state, SyncState::Listing | SyncState::Checking);
        self.sync.scope != SyncScope::Full && is_reading && self.sync.requests >= INCREMENTAL_REQUESTS_MAX
    }
}

/// What a step read.
pub(crate) enum StepResult {
    Page(ResourcePage),
    Checked {
        page: ResourcePage,
        until: Option<String>,
        requests: u32,
    },
    Quotes {
        items: Vec<SyncItem>,
        quotes: Vec<Quote>,
        until: Option<String>,
    },
    /// The provider does not say what was ordered.
    NoChanges,
    /// There is nothing more to read in this state.
    Nothing,
}

/// Where a reading stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The reading as stored.
    pub sync: Sync,
    /// Whether everything was read, and is to be compared and taken over.
    pub is_read: bool,
}

/// The term of a renewal: the provider's, or the one that is assumed.
pub(crate) fn term_of(resource: &CloudResource) -> Term {
    resource.renewal_term.or(resource.term).unwrap_or_else(assumed_term)
}

/// How a step is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Whether prices can be asked for.
    pub(crate) can_quote: bool,
    /// Whether somebody looked, and knows that as much is missing as it seems.
    pub(crate) accept_missing: bool,
}

/// Keeps what a step read, and says what comes next.
pub(crate) fn store(
    engine: &mut EngineTx<'_>,
    mut reading: Reading,
    found: StepResult,
    options: Options,
    at: Timestamp,
) -> Result<Progress, EngineError> {
    (reading.sync.changed_at, reading.sync.problem) = (at, None);
    let mut is_read = false;
    match found {
        StepResult::Page(page) => store_page(engine, &mut reading, page, options)?,
        StepResult::Checked { page, until, requests } => {
            put(engine, &reading, &page.resources, options.can_quote)?;
            reading.sync.cursor = until;
            reading.sync.requests += requests;
            if reading.sync.scope != SyncScope::Full {
                reading.sync.listed += count(&page.resources);
            }
        }
        StepResult::NoChanges => {
            let sync = &mut reading.sync;
            if let SyncScope::Incremental { changes_since, .. } = &mut sync.scope {
                *changes_since = None;
            }
            (sync.state, sync.cursor) = (SyncState::Checking, None);
        }
        StepResult::Quotes { items, quotes, until } => {
            syncs::put_items(engine.tx(), reading.row, &priced(items, &quotes))?;
            reading.sync.cursor = until.or(reading.sync.cursor);
        }
        StepResult::Nothing => match reading.sync.state {
            SyncState::Listing | SyncState::Checking => {
                (reading.sync.state, reading.sync.cursor) = (SyncState::Quoting, None);
            }
            SyncState::Quoting => is_read = true,
            SyncState::Done | SyncState::Suspicious => {}
        },
    }
    if reading.is_too_long() {
        reading.read_everything(engine.tx())?;
    }
    syncs::update(engine.tx(), reading.row, &reading.sync)?;
    Ok(Progress { sync: reading.sync, is_read })
}

/// Keeps a page. After the last one, what was known and is on none is asked for by its ids.
fn store_page(
    engine: &EngineTx<'_>,
    reading: &mut Reading,
    page: ResourcePage,
    options: Options,
) -> Result<(), EngineError> {
    put(engine, reading, &page.resources, options.can_quote)?;
    let sync = &mut reading.sync;
    for unknown in page.unknown.into_iter().map(|unknown| (unknown.id, unknown.kind)) {
        // An incremental sync begins with what the full one before it found.
        if sync.scope == SyncScope::Full || !sync.unknown.contains(&unknown) {
            sync.unknown.push(unknown);
        }
    }
    sync.requests += 1;
    sync.listed += count(&page.resources);
    sync.total = page.total.or(sync.total);
    sync.cursor = page.next.map(|next| next.0);
    if sync.cursor.is_none() {
        sync.state = SyncState::Checking;
        if !options.accept_missing && sync.scope == SyncScope::Full {
            judge(engine.db(), reading)?;
        }
    }
    Ok(())
}

fn count(resources: &[CloudResource]) -> u32 {
    u32::try_from(resources.len()).unwrap_or(u32::MAX)
}

/// Keeps resources. Prices are asked for of primaries whose price nobody knows: that of a bundle is its primary's.
fn put(
    engine: &EngineTx<'_>,
    reading: &Reading,
    resources: &[CloudResource],
    can_quote: bool,
) -> Result<(), EngineError> {
    let item = |resource: &CloudResource| {
        let is_primary = resource.attached_to.is_none() && resource.charging == Charging::Prepaid;
        let is_quoted = !can_quote
            || !is_primary
            || resource.price.is_some()
            || connections::has_price(engine.db(), reading.account, &resource.id)?;
        Ok(SyncItem { id: resource.id.clone(), item: staged::write(resource), is_quoted })
    };
    let items = resources.iter().map(item).collect::<Result<Vec<_>, StoreError>>()?;
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
    let staged = syncs::item_ids(db, reading.row)?;
    let known = imports::unfinished_ids(db, reading.account)?;
    let missing = known.iter().filter(|id| !staged.contains(*id)).count();
    if missing > 0 && missing * MISSING_SHARE >= known.len() {
        reading.sync.state = SyncState::Suspicious;
        reading.sync.problem = Some(format!(
            "of {} resources that were known, {missing} were not listed; nothing was taken over. Look at the account and at \
             what its key may read; if it is so, sync again and accept it",
            known.len()
        ));
    }
    Ok(())
}

/// Compares what was read with what was known, and takes it over. Only once everything was read.
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
    let is_full = sync.scope == SyncScope::Full;
    // That an incremental sync did not find something proves nothing.
    let known = if is_full { imports::unfinished_ids(engine.db(), connection.account)? } else { Vec::new() };
    let gone = known.into_iter().filter(|id| !staged.contains(id.as_str()));
    let gone = gone.collect::<Vec<_>>();
    let inventory = CloudInventory {
        account: &connection.id,
        resources: &resources,
        gone: &gone,
        is_first: sync.is_first,
        is_whole: is_full,
    };
    let adoption = engine.adopt_inventory(at, inventory)?;
    syncs::clear_items(engine.tx(), row)?;
    syncs::forget_incremental(engine.tx(), connection.account, row)?;
    let done = Sync { state: SyncState::Done, changed_at: at, ..sync };
    syncs::update(engine.tx(), row, &done)?;
    Ok(Some(adoption))
}
