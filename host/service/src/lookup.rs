//! Finds a resource with its bundle and account, for callers that may access it.

use perennial_domain::bundle::Resource;
use perennial_domain::index::MemberIndex;
use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::accounts::StoredAccount;
use perennial_store::bundles;
use perennial_store::bundles::StoredBundle;
use perennial_store::error::StoreError;
use perennial_store::keys::ResourceKey;
use perennial_store::plugin_failures;

use crate::admin_tokens::Caller;
use crate::error::ServiceError;

/// A resource with its bundle and account.
#[derive(Clone, Debug)]
pub struct ResolvedResource {
    /// The account that it belongs to.
    pub account: StoredAccount,
    /// The bundle that it is a member of.
    pub stored: StoredBundle,
    /// Which member of the bundle it is.
    pub member: MemberIndex,
}

impl ResolvedResource {
    /// The resource that was looked up.
    pub fn resource(&self) -> &Resource {
        &self.stored.bundle[self.member]
    }

    /// The row of the resource in the database.
    pub fn row(&self) -> ResourceKey {
        self.stored.rows[self.member]
    }
}

/// Why the plugin of the resource's bundle gave no usable answer, until it does.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn plugin_problem(db: &ReadTx, resolved: &ResolvedResource) -> Result<Option<String>, StoreError> {
    match resolved.stored.schedule.failures {
        0 => Ok(None),
        _ => {
            let failing = plugin_failures::get(db, resolved.stored.rows.bundle())?;
            Ok(failing.map(|failing| failing.message))
        }
    }
}

/// Finds the resource `id`, without a check of access.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn find_resource(db: &ReadTx, id: &str) -> Result<Option<ResolvedResource>, StoreError> {
    let Some((stored, member)) = bundles::find_by_resource(db, id)? else { return Ok(None) };
    let account = accounts::get_by_row(db, stored.account)?;
    Ok(Some(ResolvedResource { account, stored, member }))
}

/// Finds the resource `id`, if the caller can access it.
///
/// # Errors
///
/// [`ServiceError::UnknownResource`] when there is none, or the caller cannot access it.
pub fn resolve_resource(db: &ReadTx, caller: &Caller, id: &str) -> Result<ResolvedResource, ServiceError> {
    let resource = find_resource(db, id)?;
    let resource = resource.filter(|resource| caller.can_access(&resource.account.account.id));
    resource.ok_or_else(|| ServiceError::UnknownResource(id.to_owned()))
}
