//! Revisions of plugins that a database keeps, and those that are bound to accounts in it.
//!
//! Loads them and finds the one of an account. What binds them is in `revision_changes`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use perennial_domain::plugin_limits::PluginLimits;
use perennial_domain::revision;
use perennial_domain::revision::ALL_ACCOUNTS;
use perennial_domain::revision::BindingMode;
use perennial_domain::revision::BindingOrigin;
use perennial_sandbox::LoadError;
use perennial_sandbox::Plugin;
use perennial_sandbox::PluginParts;
use perennial_sandbox::Plugins;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;
use perennial_store::plugin_bindings::StoredBinding;
use perennial_store::plugin_revisions::RevisionParts;

use crate::rules::DecidingRevision;
use crate::rules::Rules;

/// How many hexadecimal digits of a digest messages have.
const SHORT: usize = 12;

/// Puts something between the engine and rules that are loaded later.
type Wrap = Arc<dyn Fn(Arc<dyn Rules>) -> Arc<dyn Rules> + Send + Sync>;

/// What becomes of accounts that follow a revision of the host's when another version of the host brings another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// They follow the new one at once.
    #[default]
    Follow,
    /// They stay with the old one, and the new one is asked in shadow until somebody promotes it.
    Shadow,
}

impl Upgrade {
    /// Both, for parsing and for lists of choices.
    pub const ALL: [Upgrade; 2] = [Upgrade::Follow, Upgrade::Shadow];

    /// The word for it in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Upgrade::Follow => "follow",
            Upgrade::Shadow => "shadow",
        }
    }
}

/// Loaded revisions by digest and what they are granted; `None` for those that cannot be loaded.
type KeptRules = BTreeMap<(String, String), Option<Arc<dyn Rules>>>;

/// Loads revisions, each once, and remembers what was bound when it was last looked.
pub struct Revisions {
    plugins: Arc<Plugins>,
    wraps: Vec<Wrap>,
    upgrade: Upgrade,
    kept: Mutex<KeptRules>,
    /// The bindings when they were last read, with their digest.
    last: Mutex<Option<(String, Arc<BoundRevisions>)>>,
    /// What revisions say of their version, by their digests.
    versions: Mutex<BTreeMap<String, Option<String>>>,
}

impl fmt::Debug for Revisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revisions beside {:?}", self.plugins)
    }
}

impl Revisions {
    /// None is loaded beside these plugins yet.
    pub(crate) fn new(plugins: Arc<Plugins>) -> Revisions {
        Revisions {
            plugins,
            wraps: Vec::new(),
            upgrade: Upgrade::Follow,
            kept: Mutex::default(),
            last: Mutex::default(),
            versions: Mutex::default(),
        }
    }

    /// The same, with everything that is loaded wrapped once more.
    pub(crate) fn wrapped(&self, wrap: Wrap) -> Revisions {
        let wraps = self.wraps.iter().cloned().chain([wrap]).collect();
        Revisions { wraps, upgrade: self.upgrade, ..Revisions::new(Arc::clone(&self.plugins)) }
    }

    /// The same, with what becomes of accounts that follow the host when it brings another revision.
    pub(crate) fn upgraded(&self, upgrade: Upgrade) -> Revisions {
        let wraps = self.wraps.clone();
        Revisions { wraps, upgrade, ..Revisions::new(Arc::clone(&self.plugins)) }
    }

    pub(crate) fn upgrade(&self) -> Upgrade {
        self.upgrade
    }

    /// The plugins that the host loaded.
    pub fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    /// Loads a plugin that is called `name` in messages, and remembers it: binding it later compiles nothing.
    ///
    /// # Errors
    ///
    /// [`LoadError`] when it cannot be used.
    pub fn load(&self, name: &str, parts: PluginParts) -> Result<Arc<Plugin>, LoadError> {
        let plugin = Arc::new(self.plugins.load_parts(name, parts)?);
        let rules = self.wrap(plugin.clone());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert((plugin.digest().to_owned(), plugin.parts().granted.to_string()), Some(rules));
        Ok(plugin)
    }

    /// The revision with this digest, if it is kept in `db` and can be loaded.
    pub(crate) fn get(
        &self,
        db: &dyn EngineReads,
        digest: &str,
    ) -> Result<Option<Arc<dyn Rules>>, StoreError> {
        let key = (digest.to_owned(), db.revision_granted(digest)?.unwrap_or_default());
        let known = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let Some(parts) = db.revision_parts(digest)? else { return Ok(None) };
        let loaded = self.plugins.load_parts(&format!("revision {}", short(digest)), parts_of(parts));
        let loaded = loaded
            .inspect_err(|error| tracing::error!(digest, %error, "a revision that is kept cannot be loaded"));
        let is_named = |plugin: &Plugin| {
            let is_same = plugin.digest() == digest;
            if !is_same {
                tracing::error!(
                    digest,
                    found = plugin.digest(),
                    "a revision that is kept is not what was installed: run `perennial db check`, and restore a backup"
                );
            }
            is_same
        };
        let rules = loaded.ok().filter(is_named).map(|plugin| self.wrap(Arc::new(plugin)));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(key, rules.clone());
        Ok(rules)
    }

    /// What is bound in `db`, beside the rules that were `loaded`; `None` where nothing ever was.
    pub(crate) fn bound(
        &self,
        db: &dyn EngineReads,
        loaded: &BTreeMap<String, Arc<dyn Rules>>,
    ) -> Result<Option<Arc<BoundRevisions>>, StoreError> {
        let digest = db.plugin_binding_digest()?;
        if digest.is_empty() {
            return Ok(None);
        }
        let known = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, bound)) = known.filter(|(known, _)| *known == digest) {
            return Ok(Some(bound));
        }
        let mut bindings = Vec::new();
        for binding in db.plugin_bindings()? {
            let of_host = loaded.values().find(|rules| rules.digest() == binding.digest).cloned();
            let rules = match of_host {
                Some(rules) => Some(rules),
                None => self.get(db, &binding.digest)?,
            };
            bindings.push((binding, rules));
        }
        let bound = Arc::new(BoundRevisions::new(bindings, loaded));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((digest, Arc::clone(&bound)));
        Ok(Some(bound))
    }

    /// The version that a revision says it has, if it says one; read once of each.
    pub(crate) fn version_of(&self, rules: &Arc<dyn Rules>) -> Option<String> {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.entry(rules.digest().to_owned()).or_insert_with(|| rules.version()).clone()
    }

    fn wrap(&self, plugin: Arc<Plugin>) -> Arc<dyn Rules> {
        self.wraps.iter().fold(plugin as Arc<dyn Rules>, |rules, wrap| wrap(rules))
    }
}

/// What is kept, as it is loaded.
fn parts_of(parts: RevisionParts) -> PluginParts {
    PluginParts {
        component: parts.component.into(),
        table: parts.table.map(|text| text.into_bytes().into()),
        signed_by: None,
        // What this host wrote it also reads; where it does not, the revision fails to load and says what it lacks.
        granted: parts.granted.and_then(|text| PluginLimits::read(&text).ok()).unwrap_or_default(),
    }
}

/// The beginning of a digest, for messages.
pub(crate) fn short(digest: &str) -> &str {
    digest.get(..SHORT).unwrap_or(digest)
}

/// A binding with its rules; `None` where they cannot be loaded.
type BoundRules = (StoredBinding, Option<Arc<dyn Rules>>);

/// The revisions that are bound to accounts, as of a moment.
pub(crate) struct BoundRevisions {
    bindings: Vec<BoundRules>,
    /// For accounts without a binding of their own.
    defaults: Arc<BTreeMap<String, Arc<dyn Rules>>>,
    /// What the host loaded, for providers of which nothing is bound.
    loaded: BTreeMap<String, Arc<dyn Rules>>,
}

impl BoundRevisions {
    fn new(bindings: Vec<BoundRules>, loaded: &BTreeMap<String, Arc<dyn Rules>>) -> BoundRevisions {
        let mut defaults = loaded.clone();
        for (binding, rules) in &bindings {
            let subject = &binding.subject;
            if subject.mode != BindingMode::Active || subject.accounts != ALL_ACCOUNTS {
                continue;
            }
            match rules {
                Some(rules) => defaults.insert(subject.provider.clone(), Arc::clone(rules)),
                None => defaults.remove(&subject.provider),
            };
        }
        BoundRevisions { bindings, defaults: Arc::new(defaults), loaded: loaded.clone() }
    }

    pub(crate) fn defaults(&self) -> &Arc<BTreeMap<String, Arc<dyn Rules>>> {
        &self.defaults
    }

    /// The rules that decide for an account.
    pub(crate) fn active(&self, account: &str, provider: &str) -> Option<&Arc<dyn Rules>> {
        match narrowest(&self.bindings, account, provider, BindingMode::Active) {
            Some((_, rules)) => rules.as_ref(),
            None => self.loaded.get(provider),
        }
    }

    /// What is bound to an account and decides; `None` where nothing is.
    pub(crate) fn deciding(&self, account: &str, provider: &str) -> Option<DecidingRevision<'_>> {
        narrowest(&self.bindings, account, provider, BindingMode::Active).map(deciding_revision)
    }

    /// What is bound in shadow to an account, and is asked beside what decides.
    pub(crate) fn asked_beside(&self, account: &str, provider: &str) -> Option<DecidingRevision<'_>> {
        self.shadow(account, provider)?;
        narrowest(&self.bindings, account, provider, BindingMode::Shadow).map(deciding_revision)
    }

    /// Whether an operator bound one that can be loaded.
    pub(crate) fn is_pinned(&self, account: &str, provider: &str) -> bool {
        self.bindings.iter().any(|(binding, rules)| {
            rules.is_some()
                && binding.origin == BindingOrigin::Operator
                && binding.subject.mode == BindingMode::Active
                && binding.subject.is_for(provider, account)
        })
    }

    /// The revision that is asked beside them; the same one is asked once.
    pub(crate) fn shadow(&self, account: &str, provider: &str) -> Option<&Arc<dyn Rules>> {
        let shadow = narrowest(&self.bindings, account, provider, BindingMode::Shadow)?.1.as_ref()?;
        let is_same = self.active(account, provider).is_some_and(|active| active.digest() == shadow.digest());
        (!is_same).then_some(shadow)
    }
}

fn deciding_revision((binding, rules): &BoundRules) -> DecidingRevision<'_> {
    DecidingRevision { digest: &binding.digest, rules: rules.as_ref(), binding: Some(binding) }
}

/// The binding for an account that holds, with its rules.
fn narrowest<'b>(
    bindings: &'b [BoundRules],
    account: &str,
    provider: &str,
    mode: BindingMode,
) -> Option<&'b BoundRules> {
    let matching = bindings
        .iter()
        .filter(|(binding, _)| binding.subject.mode == mode && binding.subject.is_for(provider, account));
    matching.max_by_key(|(binding, _)| revision::narrowness(&binding.subject.accounts))
}
