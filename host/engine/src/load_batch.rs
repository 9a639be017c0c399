//! Reading what a batch needs: accounts, rules and approvals of the bundles that are to be decided on.

use std::collections::HashMap;

use perennial_domain::timestamp::Timestamp;

use crate::approval_requests::load_approvals;
use crate::batch::Batch;
use crate::batch_entry::BatchAccount;
use crate::batch_entry::BatchAccountIndex;
use crate::batch_entry::BatchEntry;
use crate::rules::Providers;
use perennial_store::bundles::StoredBundle;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;
use perennial_store::keys::AccountKey;

/// A batch of these bundles with their accounts, each to be decided on at the instant that `instant_of` gives.
pub(crate) fn assemble_batch(
    db: &dyn EngineReads,
    providers: &Providers,
    keeps_decisions: bool,
    due: Vec<StoredBundle>,
    instant_of: impl Fn(&StoredBundle) -> Timestamp,
) -> Result<Batch, StoreError> {
    let mut indexes = HashMap::<AccountKey, BatchAccountIndex>::new();
    let mut batch = Batch::new(keeps_decisions);
    batch.entries.reserve(due.len());
    let with_pending = db.accounts_with_pending_approvals()?;
    for stored in due {
        let account = match indexes.get(&stored.account) {
            Some(index) => *index,
            None => {
                let account = db.account(stored.account)?;
                let index = BatchAccountIndex::new(batch.accounts.len());
                batch.accounts.push(BatchAccount::new(account, providers));
                indexes.insert(stored.account, index);
                index
            }
        };
        let instant = instant_of(&stored);
        let has_approvals = batch.account(account).account.approval_above.is_some()
            || with_pending.binary_search(&stored.account).is_ok();
        let approvals = if has_approvals { load_approvals(db, &stored.rows)? } else { Vec::new() };
        batch.entries.push(BatchEntry { approvals, ..BatchEntry::new(stored, account, instant) });
    }
    Ok(batch)
}
