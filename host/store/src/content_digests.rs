//! What is kept under the SHA-256 of its contents: scripts of policies, and components of plugins. Whether it is still what that
//! names is looked up here; what follows from it, elsewhere.

use rusqlite::types::ValueRef;
use sha2::Digest;
use sha2::Sha256;

use crate::error::StoreError;
use crate::tx::ReadTx;

/// Whether `contents` have the SHA-256 `digest`, which is in hexadecimal.
pub fn is_named(contents: &[u8], digest: &str) -> bool {
    hex::encode(Sha256::digest(contents)) == digest
}

/// The policies that hold and whose scripts are not what was installed: what is kept under the digest has another one. In the
/// order of their names.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn altered_policies(db: &ReadTx) -> Result<Vec<String>, StoreError> {
    altered(
        db,
        "select p.name, p.digest, s.source from policy p join policy_script s on s.digest = p.digest order by p.name",
    )
}

/// What is kept of scripts and of components of plugins and does not have the digest that it is kept under, in words.
pub(crate) fn violations(db: &ReadTx) -> Result<Vec<String>, StoreError> {
    let scripts = altered(db, "select digest, digest, source from policy_script order by digest")?;
    let components = altered(db, "select digest, digest, bytes from plugin_component order by digest")?;
    let scripts = scripts.into_iter().map(|digest| format!("the script {digest} of a policy"));
    let components = components.into_iter().map(|digest| format!("the component {digest} of a plugin"));
    Ok(scripts.chain(components).collect())
}

/// The names, which `query` has in its first column, of what is not named by the digest in the second one.
fn altered(db: &ReadTx, query: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = db.connection().prepare(query)?;
    let mut rows = statement.query([])?;
    let mut names = Vec::new();
    while let Some(row) = rows.next()? {
        let digest: String = row.get(1)?;
        let contents = match row.get_ref(2)? {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
        };
        if !is_named(contents, &digest) {
            names.push(row.get(0)?);
        }
    }
    Ok(names)
}
