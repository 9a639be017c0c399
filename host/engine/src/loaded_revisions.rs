//! What the host loads, as revisions like any other: kept and bound when it starts, so that there is one place that says which
//! revision decides.

use perennial_domain::revision::ALL_ACCOUNTS;
use perennial_domain::revision::BindingMode;
use perennial_domain::revision::BindingOrigin;
use perennial_domain::timestamp::Timestamp;
use perennial_sandbox::Origin;
use perennial_sandbox::Plugin;
use perennial_sandbox::Plugins;
use perennial_store::plugin_bindings;
use perennial_store::plugin_bindings::StoredBinding;

use crate::Engine;
use crate::EngineTx;
use crate::error::EngineError;
use crate::error::MissingKinds;
use crate::kept_revisions::digest_of;
use crate::kept_revisions::keep;
use crate::kept_revisions::origin_text;
use crate::kinds_in_use;
use crate::persist::RecordedEvent;
use crate::revision_changes::BindingChanges;
use crate::revision_changes::HOST;
use crate::revision_changes::RevisionAuthor;

use crate::revision_changes::subject;
use crate::revisions::Upgrade;
use crate::revisions::short;

impl Engine {
    /// Has what the host loaded be kept and bound: to all accounts of each provider, unless an operator has pinned another
    /// revision there. Call it when a host starts, before anything is decided. Does nothing where the rules are no plugins.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn bind_loaded(&mut self, at: Timestamp) -> Result<Vec<RecordedEvent>, EngineError> {
        let Some(revisions) = self.providers().revisions().cloned() else { return Ok(Vec::new()) };
        self.in_transaction(|engine| {
            let mut made = BindingChanges::default();
            for plugin in revisions.plugins().iter() {
                engine.follow(&mut made, at, plugin, revisions.upgrade())?;
            }
            let bindings = plugin_bindings::list(engine.tx())?;
            let is_gone = |bound: &&StoredBinding| {
                let is_loaded = revisions.plugins().get(&bound.subject.provider).is_some();
                bound.origin == BindingOrigin::Loaded && !is_loaded
            };
            let author = RevisionAuthor { id: HOST, reason: None };
            for bound in bindings.iter().filter(is_gone) {
                tracing::warn!(
                    provider = bound.subject.provider,
                    "no plugin of the provider is loaded any more"
                );
                engine.remove_binding(&mut made, at, bound, author)?;
            }
            for bound in &bindings {
                if !engine.is_trusted(&bound.digest)? {
                    tracing::error!(
                        provider = bound.subject.provider,
                        accounts = bound.subject.accounts,
                        revision = short(&bound.digest),
                        "a revision that is bound is not signed by a key that is trusted; bind another one, or name its key in \
                         `[trust] keys`"
                    );
                }
            }
            let digest = digest_of(engine.tx())?;
            if plugin_bindings::set_digest(engine.tx())? != digest {
                plugin_bindings::update_set_digest(engine.tx(), &digest)?;
            }
            engine.check_loaded(revisions.plugins())?;
            Ok(made.events)
        })
    }
}

impl Engine {
    /// Has what was loaded be kept and bound for providers of which nothing is bound that can be loaded, and leaves all else as a
    /// host left it. Call it for a command that works on a database without being a host.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn bind_loaded_where_nothing_is(&mut self, at: Timestamp) -> Result<(), EngineError> {
        let Some(revisions) = self.providers().revisions().cloned() else { return Ok(()) };
        let mut unbound = Vec::new();
        for plugin in revisions.plugins().iter() {
            let active = subject(&plugin.manifest().id, ALL_ACCOUNTS, BindingMode::Active);
            let bound = plugin_bindings::get(self.db(), &active)?;
            let rules = bound.map(|bound| self.providers().revision(self.db(), &bound.digest)).transpose()?;
            if rules.flatten().is_none() {
                unbound.push(plugin);
            }
        }
        if unbound.is_empty() {
            return Ok(());
        }
        self.in_transaction(|engine| {
            let mut made = BindingChanges::default();
            for plugin in unbound {
                engine.follow(&mut made, at, plugin, revisions.upgrade())?;
            }
            plugin_bindings::update_set_digest(engine.tx(), &digest_of(engine.tx())?)?;
            engine.check_loaded(revisions.plugins())
        })
    }
}

impl EngineTx<'_> {
    /// Refuses what the host loads when it does not know the kinds that resources have. Of what was bound before, only a person
    /// can say what decides instead.
    fn check_loaded(&self, plugins: &Plugins) -> Result<(), EngineError> {
        for (digest, found) in kinds_in_use::check(self.db(), self.providers(), |_| true)? {
            let Some(plugin) = plugins.iter().find(|plugin| plugin.digest() == digest) else {
                tracing::error!(error = %found, "a revision that is bound fails for these resources; bind another one");
                continue;
            };
            let revision = format!("the plugin {} of `{}`", plugin.origin(), plugin.manifest().id);
            return Err(MissingKinds { revision, ..found }.into());
        }
        Ok(())
    }

    /// Binds what the host loaded for a provider to all of its accounts, unless an operator has pinned another revision, or accounts
    /// have settings that it does not take.
    fn follow(
        &mut self,
        made: &mut BindingChanges,
        at: Timestamp,
        plugin: &Plugin,
        upgrade: Upgrade,
    ) -> Result<(), EngineError> {
        let author = RevisionAuthor { id: HOST, reason: None };
        let (provider, digest) = (plugin.manifest().id.as_str(), plugin.digest());
        let is_bundled = matches!(plugin.origin(), Origin::Bundled(_));
        keep(self, at, plugin, (&origin_text(plugin), plugin.parts().signer().as_deref()), HOST)?;
        let active = subject(provider, ALL_ACCOUNTS, BindingMode::Active);
        let bound = plugin_bindings::get(self.tx(), &active)?;
        let Some(bound) = bound.filter(|bound| bound.digest != digest) else {
            // Another version of the host may have brought one in shadow, which nobody brings any more.
            self.end_own_shadow(made, at, provider)?;
            return self.bind(made, at, (active, BindingOrigin::Loaded), digest, author);
        };
        let (before, now) = (short(&bound.digest), short(digest));
        if bound.origin == BindingOrigin::Operator {
            tracing::warn!(
                provider,
                pinned = before,
                loaded = now,
                "the host brings another revision than the one that is pinned, which goes on deciding"
            );
            return Ok(());
        }
        // What cannot be loaded any more decides nothing, whatever speaks against the new one.
        let can_go_on = self.providers().revision(self.db(), &bound.digest)?.is_some();
        if let Some(problems) = self.settings_problems(&active, plugin)? {
            tracing::error!(
                provider,
                before,
                now,
                problems,
                decides = if can_go_on { before } else { now },
                "the host brings another revision, which does not take the settings of accounts; change them, then bind it \
                 with `perennial plugin bind`"
            );
            if can_go_on {
                return Ok(());
            }
        }
        if is_bundled && upgrade == Upgrade::Shadow && can_go_on {
            let shadow = subject(provider, ALL_ACCOUNTS, BindingMode::Shadow);
            tracing::warn!(
                provider,
                before,
                now,
                "the host brings another revision, which is asked in shadow: promote it with `perennial plugin promote`"
            );
            return self.bind(made, at, (shadow, BindingOrigin::Loaded), digest, author);
        }
        tracing::warn!(provider, before, now, "the host brings another revision, which decides from now on");
        self.end_own_shadow(made, at, provider)?;
        self.bind(made, at, (active, BindingOrigin::Loaded), digest, author)
    }

    /// Removes what the host itself bound in shadow for all accounts of a provider, now that what it brings decides.
    fn end_own_shadow(
        &mut self,
        made: &mut BindingChanges,
        at: Timestamp,
        provider: &str,
    ) -> Result<(), EngineError> {
        let shadow = subject(provider, ALL_ACCOUNTS, BindingMode::Shadow);
        let bound = plugin_bindings::get(self.tx(), &shadow)?;
        match bound.filter(|bound| bound.origin == BindingOrigin::Loaded) {
            Some(bound) => self.remove_binding(made, at, &bound, RevisionAuthor { id: HOST, reason: None }),
            None => Ok(()),
        }
    }
}
