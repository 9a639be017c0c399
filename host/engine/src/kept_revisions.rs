//! What is kept of a revision that was loaded: its bytes, where it is from, and what it was granted; and the digest of all that
//! is bound.

use perennial_domain::timestamp::Timestamp;
use perennial_sandbox::Origin;
use perennial_sandbox::Plugin;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;
use perennial_store::plugin_bindings;
use perennial_store::plugin_bindings::BindingSubject;
use perennial_store::plugin_revisions;
use perennial_store::plugin_revisions::NewRevision;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use crate::EngineTx;

/// The origin of a revision that is part of the program.
pub(crate) const BUNDLED: &str = "bundled";

/// Where a plugin of the host is from, as it is kept: `bundled`, or its file.
pub(crate) fn origin_text(plugin: &Plugin) -> String {
    match plugin.origin() {
        Origin::Bundled(_) => BUNDLED.to_owned(),
        origin @ (Origin::File(_) | Origin::Kept(_)) => origin.to_string().replace('`', ""),
    }
}

/// What a plugin is granted, as limits are written; `None` for nothing.
pub(crate) fn granted_text(plugin: &Plugin) -> Option<String> {
    let granted = plugin.parts().granted;
    (!granted.is_none()).then(|| granted.to_string())
}

/// Keeps a revision that was loaded; returns whether it is new, or granted something else than before.
pub(crate) fn keep(
    engine: &EngineTx<'_>,
    at: Timestamp,
    plugin: &Plugin,
    (origin, signed_by): (&str, Option<&str>),
    by: &str,
) -> Result<bool, StoreError> {
    let (parts, granted) = (plugin.parts(), granted_text(plugin));
    let is_new = plugin_revisions::insert(
        engine.tx(),
        &NewRevision {
            digest: plugin.digest(),
            provider: &plugin.manifest().id,
            component_digest: &parts.component_digest(),
            component: &parts.component,
            table: parts.table_text(),
            origin,
            signed_by,
            granted: granted.as_deref(),
            at,
            by,
        },
    )?;
    if let Some(signed_by) = signed_by.filter(|_| !is_new) {
        plugin_revisions::sign(engine.tx(), plugin.digest(), signed_by)?;
    }
    if is_new || !plugin_revisions::grant(engine.tx(), plugin.digest(), granted.as_deref())? {
        return Ok(is_new);
    }
    // Where it is bound, it is asked with the other grant from the next batch on.
    if !plugin_bindings::set_digest(engine.tx())?.is_empty() {
        plugin_bindings::update_set_digest(engine.tx(), &digest_of(engine.tx())?)?;
    }
    Ok(true)
}

/// The digest of everything that is bound, with what revisions are granted: another one whenever any of it changes, also back.
pub(crate) fn digest_of(db: &ReadTx) -> Result<String, StoreError> {
    let bindings = plugin_bindings::list(db)?.into_iter().map(|binding| {
        let BindingSubject { provider, accounts, mode } = &binding.subject;
        json!([provider, accounts, mode.name(), binding.digest, binding.origin.name()])
    });
    let grants = plugin_revisions::grants(db)?.into_iter().map(|(digest, granted)| json!([digest, granted]));
    Ok(hex::encode(Sha256::digest(bindings.chain(grants).collect::<serde_json::Value>().to_string())))
}
