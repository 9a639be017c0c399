//! What decides: the rules of each provider as they were loaded, those that are bound to accounts, and the policies.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use perennial_domain::manifest::Manifest;
use perennial_sandbox::Plugins;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

use crate::policies::Policies;
use crate::revisions::BoundRevisions;
use crate::revisions::Revisions;
use crate::revisions::Upgrade;
use crate::rules::DecidingRevision;
use crate::rules::Rules;

/// What decides: the rules of each provider, by its id, and the policies that rule on their plans.
///
/// Where rules come from plugins, a database may say that other revisions decide for some accounts, or for all:
/// [`Providers::as_bound`] are those of a moment. For an account, ask for [`Providers::of_account`].
#[derive(Clone, Default)]
pub struct Providers {
    /// As they were loaded.
    loaded: Arc<BTreeMap<String, Arc<dyn Rules>>>,
    /// The rules for accounts without a binding of their own.
    rules: Arc<BTreeMap<String, Arc<dyn Rules>>>,
    policies: Option<Arc<Policies>>,
    revisions: Option<Arc<Revisions>>,
    bound: Option<Arc<BoundRevisions>>,
    /// What is asked in place of all of them, for one provider.
    instead: Option<Arc<dyn Rules>>,
}

impl Providers {
    /// The rules of these plugins, beside which other revisions can be loaded from a database.
    pub fn of_plugins(plugins: Arc<Plugins>) -> Providers {
        let rules = plugins.iter();
        let rules = rules.map(|plugin| (plugin.manifest().id.clone(), plugin.clone() as Arc<dyn Rules>));
        let providers = rules.collect::<Providers>();
        Providers { revisions: Some(Arc::new(Revisions::new(plugins))), ..providers }
    }

    /// The same, with what becomes of accounts that follow the host when another version of it brings another revision.
    pub fn with_upgrade(self, upgrade: Upgrade) -> Providers {
        let revisions = self.revisions.map(|revisions| Arc::new(revisions.upgraded(upgrade)));
        Providers { revisions, ..self }
    }

    /// The same rules, with policies that rule on every plan before it meets the money.
    pub fn with_policies(self, policies: Arc<Policies>) -> Providers {
        Providers { policies: Some(policies), ..self }
    }

    /// The policies, if there are any.
    pub fn policies(&self) -> Option<&Arc<Policies>> {
        self.policies.as_ref()
    }

    /// What loads other revisions; `None` where the rules are no plugins.
    pub fn revisions(&self) -> Option<&Arc<Revisions>> {
        self.revisions.as_ref()
    }

    /// The rules as they were loaded, whatever is bound.
    pub fn loaded(&self) -> &BTreeMap<String, Arc<dyn Rules>> {
        &self.loaded
    }

    /// The same, with the rules of each provider wrapped, also those of revisions that are loaded later.
    pub fn map(self, wrap: impl Fn(Arc<dyn Rules>) -> Arc<dyn Rules> + Send + Sync + 'static) -> Providers {
        let wrapped = |rules: &BTreeMap<String, Arc<dyn Rules>>| {
            Arc::new(rules.iter().map(|(id, rules)| (id.clone(), wrap(Arc::clone(rules)))).collect())
        };
        let loaded: Arc<BTreeMap<_, _>> = wrapped(&self.loaded);
        let rules = Arc::clone(&loaded);
        let revisions = self.revisions.map(|revisions| Arc::new(revisions.wrapped(Arc::new(wrap))));
        Providers { loaded, rules, policies: self.policies, revisions, bound: None, instead: None }
    }

    /// The same as they are bound to accounts in `db` at present. A database in which nothing was ever bound leaves them as they
    /// are.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub fn as_bound(&self, db: &dyn EngineReads) -> Result<Providers, StoreError> {
        let Some(revisions) = &self.revisions else { return Ok(self.clone()) };
        let Some(bound) = revisions.bound(db, &self.loaded)? else { return Ok(self.clone()) };
        Ok(Providers { rules: Arc::clone(bound.defaults()), bound: Some(bound), ..self.clone() })
    }

    /// The same, with these rules for every account of their provider, whatever is bound: to find out what would come of it.
    pub fn with_instead(&self, instead: &Arc<dyn Rules>) -> Providers {
        let mut rules = BTreeMap::clone(&self.rules);
        rules.insert(instead.manifest().id.clone(), Arc::clone(instead));
        Providers { rules: Arc::new(rules), instead: Some(Arc::clone(instead)), ..self.clone() }
    }

    /// The rules that decide for the account with this id, of this provider.
    pub fn of_account(&self, account: &str, provider: &str) -> Option<&Arc<dyn Rules>> {
        if let Some(instead) = self.instead.as_ref().filter(|instead| instead.manifest().id == provider) {
            return Some(instead);
        }
        match &self.bound {
            Some(bound) => bound.active(account, provider),
            None => self.rules.get(provider),
        }
    }

    /// Whether an operator bound a revision to the account with this id, of this provider, that can be loaded: it decides whatever
    /// the host loads.
    pub fn is_pinned(&self, account: &str, provider: &str) -> bool {
        self.bound.as_ref().is_some_and(|bound| bound.is_pinned(account, provider))
    }

    /// The revision that decides for the account with this id, of this provider; `None` where the provider has no plugin.
    pub fn deciding(&self, account: &str, provider: &str) -> Option<DecidingRevision<'_>> {
        if let Some(bound) = self.bound.as_ref().and_then(|bound| bound.deciding(account, provider)) {
            return Some(bound);
        }
        let rules = self.of_account(account, provider)?;
        Some(DecidingRevision { digest: rules.digest(), rules: Some(rules), binding: None })
    }

    /// The revision that is asked beside that one, if there is one.
    pub fn asked_beside(&self, account: &str, provider: &str) -> Option<DecidingRevision<'_>> {
        self.bound.as_ref()?.asked_beside(account, provider)
    }

    /// The version that a revision says it has, if it says one; read once of each.
    pub fn version_of(&self, rules: &Arc<dyn Rules>) -> Option<String> {
        match &self.revisions {
            Some(revisions) => revisions.version_of(rules),
            None => rules.version(),
        }
    }

    /// The manifests, by provider, as readers of files and bodies want them.
    pub fn manifests(&self) -> BTreeMap<String, &Manifest> {
        self.iter().map(|(id, rules)| (id.clone(), rules.manifest())).collect()
    }

    /// What the rules of a provider say of settings: every problem in words, or why they could not say.
    ///
    /// # Errors
    ///
    /// The failure of the plugin, in words.
    pub fn settings_problems(
        &self,
        provider: &str,
        settings: &BTreeMap<String, String>,
    ) -> Result<Vec<String>, String> {
        self.get(provider).map_or_else(|| Ok(Vec::new()), |rules| problems_by(rules, settings))
    }

    /// The manifest of the revision that decides for this account of the provider, if it is another one than decides for the
    /// provider's other accounts.
    pub fn manifest_apart(&self, account: &str, provider: &str) -> Option<&Manifest> {
        Some(self.bound_apart(account, provider)?.manifest())
    }

    /// What that revision says of settings, as [`Providers::settings_problems`].
    pub fn settings_problems_apart(
        &self,
        account: &str,
        provider: &str,
        settings: &BTreeMap<String, String>,
    ) -> Option<Result<Vec<String>, String>> {
        Some(problems_by(self.bound_apart(account, provider)?, settings))
    }

    /// The rules that decide for this account of the provider, if they are others than decide for the provider's other accounts.
    fn bound_apart(&self, account: &str, provider: &str) -> Option<&Arc<dyn Rules>> {
        let rules = self.of_account(account, provider)?;
        let others = self.rules.get(provider);
        Some(rules).filter(|rules| others.is_none_or(|others| others.digest() != rules.digest()))
    }

    /// The revision that is asked beside them, if there is one.
    pub(crate) fn shadow_of(&self, account: &str, provider: &str) -> Option<&Arc<dyn Rules>> {
        self.bound.as_ref().and_then(|bound| bound.shadow(account, provider))
    }

    /// The rules with this digest: loaded, bound, or kept in `db`. `None` if they are none of these, or cannot be loaded, which
    /// is logged.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub fn revision(&self, db: &dyn EngineReads, digest: &str) -> Result<Option<Arc<dyn Rules>>, StoreError> {
        if let Some(rules) = self.loaded.values().find(|rules| rules.digest() == digest) {
            return Ok(Some(Arc::clone(rules)));
        }
        self.revisions.as_ref().map_or(Ok(None), |revisions| revisions.get(db, digest))
    }
}

impl Deref for Providers {
    type Target = BTreeMap<String, Arc<dyn Rules>>;

    fn deref(&self) -> &BTreeMap<String, Arc<dyn Rules>> {
        &self.rules
    }
}

impl FromIterator<(String, Arc<dyn Rules>)> for Providers {
    fn from_iter<I: IntoIterator<Item = (String, Arc<dyn Rules>)>>(rules: I) -> Providers {
        let rules = Arc::new(rules.into_iter().collect::<BTreeMap<_, _>>());
        Providers {
            loaded: Arc::clone(&rules),
            rules,
            policies: None,
            revisions: None,
            bound: None,
            instead: None,
        }
    }
}

fn problems_by(rules: &Arc<dyn Rules>, settings: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    rules.check_settings(settings).map_err(|error| error.to_string())
}
