//! What `run` and `serve` make sure of before the clock starts.
//!
//! Knows why a host must not start. Does not start anything.

use std::collections::BTreeMap;

use perennial_domain::account::Account;

use crate::cli::UserError;
use perennial_engine::rules::Providers;
use perennial_sandbox::Plugins;
use perennial_sandbox::Trust;
use perennial_sandbox::purity;
use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::content_digests;

/// The most accounts or policies that a message names.
const NAMES_MAX: usize = 5;
/// The most questions with two answers that a message has.
const DIFFERENCES_MAX: usize = 3;

/// The options of `serve` and `run`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Arguments {
    /// Start although there are accounts whose provider has no plugin: their resources are left as they are, whatever is
    /// due, until one is loaded.
    #[arg(long)]
    allow_missing_plugins: bool,
}

impl Arguments {
    /// Refuses to start with policies whose scripts are not what was installed, with a plugin that was granted something and answers the same question in two ways, or while there are
    /// accounts without a plugin, of which it only warns where that is allowed.
    ///
    /// # Errors
    ///
    /// [`UserError::Argument`] with the plugin or every provider, and what to do; that of the store when it cannot be read.
    pub(super) fn check_plugins(
        self,
        db: &ReadTx,
        providers: &Providers,
        allowed_by_config: bool,
    ) -> anyhow::Result<()> {
        check_scripts(db)?;
        check_purity(providers)?;
        // A revision that an operator bound counts like one that is loaded; what a host loaded before is no longer bound then.
        let bound = providers.as_bound(db)?;
        let has_plugin = |account: &Account| {
            providers.contains_key(&account.provider) || bound.is_pinned(&account.id, &account.provider)
        };
        let mut missing = BTreeMap::<String, Vec<String>>::new();
        for stored in accounts::list(db)? {
            if !has_plugin(&stored.account) {
                missing.entry(stored.account.provider).or_default().push(stored.account.id);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        if self.allow_missing_plugins || allowed_by_config {
            for (provider, accounts) in &missing {
                tracing::warn!(
                    provider,
                    accounts = accounts.len(),
                    "no plugin is loaded: nothing that is due for these accounts is done"
                );
            }
            return Ok(());
        }
        let list = missing.iter().map(|(provider, accounts)| format!("`{provider}` ({})", named(accounts)));
        let list = list.collect::<Vec<_>>().join(", ");
        let message = format!(
            "no plugin is loaded for {list}; load it with `--plugin FILE` or `[plugins] files` of the configuration, or \
             leave these accounts' resources as they are with `--allow-missing-plugins`"
        );
        Err(UserError::Argument(message).into())
    }
}

/// Refuses policies whose scripts somebody changed in the database itself, past every list of who changed what.
fn check_scripts(db: &ReadTx) -> anyhow::Result<()> {
    let altered = content_digests::altered_policies(db)?;
    if altered.is_empty() {
        return Ok(());
    }
    Err(UserError::Argument(format!(
        "the database was changed past the host: what it keeps as the script of {} {} does not have the SHA-256 under which it was \
         installed; restore a backup with `perennial db restore FILE`, or remove the policy with `perennial policy remove NAME` \
         and install it again from its file",
        if altered.len() == 1 { "the policy" } else { "the policies" },
        few(&altered)
    ))
    .into())
}

/// Refuses a plugin of a file that was granted more than every plugin has and does not answer alike when it is asked again: what it
/// was granted, such as WASI, may be what it differs by. One that is installed is asked then.
fn check_purity(providers: &Providers) -> Result<(), UserError> {
    let plugins = providers.revisions().map(|revisions| revisions.plugins());
    let granted =
        plugins.into_iter().flat_map(Plugins::iter).filter(|plugin| !plugin.parts().granted.is_none());
    for plugin in granted {
        let differences = purity::differences(plugin, DIFFERENCES_MAX);
        if !differences.is_empty() {
            return Err(UserError::Argument(format!(
                "the plugin {} of `{}` does not answer the same question the same way: {}; tell its author, and load it no more",
                plugin.origin(),
                plugin.manifest().id,
                differences.join("; ")
            )));
        }
    }
    Ok(())
}

/// Says whose plugins can be installed, where it is anybody's.
pub(super) fn say_trust(trust: &Trust) {
    if trust.keys.is_empty() {
        tracing::info!(
            "no key is trusted, so plugins need no signature: whoever may install one may install any; `[trust] keys` of the \
             configuration names those whose plugins are"
        );
    }
}

/// Such as: account `a`; or: accounts `a`, `b` and 3 more.
fn named(accounts: &[String]) -> String {
    let plural = if accounts.len() == 1 { "" } else { "s" };
    format!("account{plural} {}", few(accounts))
}

/// Such as: `a`; or: `a`, `b` and 3 more.
fn few(names: &[String]) -> String {
    let shown = names.iter().take(NAMES_MAX).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(NAMES_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{shown}{more}")
}
