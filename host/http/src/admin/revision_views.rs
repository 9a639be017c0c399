//! What clients see of plugins' revisions: what is kept, what is bound, and how that changed. What shadows answered otherwise is
//! in `revision_evidence`.

use perennial_store::plugin_bindings::BindingChange;
use perennial_store::plugin_bindings::StoredBinding;
use perennial_store::plugin_revisions::StoredRevision;
use serde::Serialize;
use utoipa::ToSchema;

/// A revision of a plugin that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PluginRevision)]
pub(super) struct RevisionView {
    /// The digest that names it: the SHA-256 of the component or, of a table, of its interpreter and it.
    digest: String,
    /// The ID of the provider whose rules it has.
    provider: String,
    /// `component` or `table`.
    kind: &'static str,
    /// The size of what its author made, in bytes.
    size_bytes: u64,
    /// `bundled`, or the file that it came from.
    origin: String,
    /// The trusted key that signed it; null where none was asked for.
    signed_by: Option<String>,
    /// What its package asks for beyond every plugin, as limits are written; null for nothing.
    asked: Option<String>,
    /// What it is granted beyond every plugin, as limits are written; null for nothing.
    granted: Option<String>,
    /// When it was first kept.
    installed_at: String,
    /// The ID of the token that installed it; `cli` for the command line, `host` for what the host loads itself.
    installed_by: String,
    /// What it is bound to, such as `active for acme-*`; empty when it decides nothing.
    bound: Vec<String>,
}

impl RevisionView {
    /// The view of a revision that asks for this, with those of `bindings` that are its own.
    pub(super) fn of(
        stored: StoredRevision,
        asked: Option<String>,
        bindings: &[StoredBinding],
    ) -> RevisionView {
        let own = bindings.iter().filter(|binding| binding.digest == stored.digest);
        let bound =
            own.map(|binding| format!("{} for {}", binding.subject.mode.name(), binding.subject.accounts));
        RevisionView {
            bound: bound.collect(),
            digest: stored.digest,
            provider: stored.provider,
            kind: if stored.is_table { "table" } else { "component" },
            size_bytes: stored.size_bytes,
            origin: stored.origin,
            signed_by: stored.signed_by,
            asked,
            granted: stored.granted,
            installed_at: stored.installed_at.to_string(),
            installed_by: stored.installed_by,
        }
    }
}

/// A revision of a plugin that is bound to accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PluginBinding)]
pub(super) struct BindingView {
    /// The ID of the provider.
    provider: String,
    /// An account's ID, or a pattern in which `*` is any run of characters. Of those that match an account, the narrowest holds.
    accounts: String,
    /// `active`: it decides; `shadow`: it is asked the same, and nothing of its answers is followed.
    mode: &'static str,
    /// The digest of the revision.
    digest: String,
    /// `loaded`: what the program or the configuration brings, followed; `operator`: the accounts are pinned.
    origin: &'static str,
    /// Since when it is bound.
    bound_at: String,
    /// The ID of the token that bound it; `cli` for the command line, `host` for what the host loads itself.
    bound_by: String,
}

impl From<StoredBinding> for BindingView {
    fn from(stored: StoredBinding) -> BindingView {
        BindingView {
            provider: stored.subject.provider,
            accounts: stored.subject.accounts,
            mode: stored.subject.mode.name(),
            digest: stored.digest,
            origin: stored.origin.name(),
            bound_at: stored.bound_at.to_string(),
            bound_by: stored.bound_by,
        }
    }
}

/// A change of what is bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PluginBindingChange)]
pub(super) struct BindingChangeView {
    /// When it was made.
    at: String,
    /// The ID of the provider.
    provider: String,
    /// The account, or the pattern of accounts.
    accounts: String,
    /// `active` or `shadow`.
    mode: &'static str,
    /// The digest of the revision before; null when none was bound.
    before: Option<String>,
    /// The digest of the revision from then on; null when none is.
    after: Option<String>,
    /// Whether it took an earlier change back.
    is_roll_back: bool,
    /// The ID of the token that made it; `cli` for the command line, `host` for what the host loads itself.
    changed_by: String,
    /// The reason given.
    reason: Option<String>,
}

impl From<BindingChange> for BindingChangeView {
    fn from(change: BindingChange) -> BindingChangeView {
        BindingChangeView {
            at: change.at.to_string(),
            provider: change.subject.provider,
            accounts: change.subject.accounts,
            mode: change.subject.mode.name(),
            before: change.before,
            after: change.after,
            is_roll_back: change.is_roll_back,
            changed_by: change.changed_by,
            reason: change.reason,
        }
    }
}
