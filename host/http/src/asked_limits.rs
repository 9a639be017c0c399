//! What the packages of revisions ask for, read once of each: a revision never changes, and its component may be large.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use perennial_formats::package::PackageManifest;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;
use perennial_store::plugin_revisions;

/// What was read, by the digests of revisions; `None` of one that asks for nothing.
#[derive(Default)]
pub(crate) struct AskedLimits(Mutex<BTreeMap<String, Option<String>>>);

impl AskedLimits {
    /// What the revision with this digest asks for beyond every plugin, as limits are written; `None` for nothing, and where it is
    /// not kept.
    pub(crate) fn of(&self, db: &ReadTx, digest: &str) -> Result<Option<String>, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let Some(parts) = plugin_revisions::parts(db, digest)? else { return Ok(None) };
        // Tables ask for nothing, whatever their interpreter is.
        let asked = parts.table.is_none().then(|| PackageManifest::read(&parts.component, false).0.limits);
        let asked = asked.filter(|asked| !asked.is_none()).map(|asked| asked.to_string());
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(read.entry(digest.to_owned()).or_insert(asked).clone())
    }
}
