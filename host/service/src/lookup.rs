//! Finding a resource with its bundle and account, for whoever may see it.

use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::accounts::StoredAccount;
use perennial_store::bundles;
use perennial_store::bundles::StoredBundle;
use perennial_store::error::StoreError;

use crate::admin_tokens::Caller;
use crate::error::ServiceError;

/// A resource with its bundle and account.
#[derive(Clone, Debug)]
pub struct ResolvedResource {
    /// Its account.
    pub account: StoredAccount,
    /// Its bundle.
    pub stored: StoredBundle,
    /// Which member of the bundle it is.
    pub member: usize,
}

impl ResolvedResource {
    /// The row of the resource.
    pub fn row(&self) -> i64 {
        self.stored.rows[self.member]
    }
}

/// The resource called `id`, whoever sees it.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn find_resource(db: &ReadTx, id: &str) -> Result<Option<ResolvedResource>, StoreError> {
    let Some((stored, member)) = bundles::find_by_resource(db, id)? else { return Ok(None) };
    let account = accounts::get_by_row(db, stored.account)?;
    Ok(Some(ResolvedResource { account, stored, member }))
}

/// The resource called `id`, if the caller sees it.
///
/// # Errors
///
/// [`ServiceError::UnknownResource`] when there is none, or the caller does not see it.
pub fn resolve_resource(db: &ReadTx, caller: &Caller, id: &str) -> Result<ResolvedResource, ServiceError> {
    let found = find_resource(db, id)?.filter(|found| caller.can_access(&found.account.account.id));
    found.ok_or_else(|| ServiceError::UnknownResource(id.to_owned()))
}
