//! What is looked at before a revision is bound: whether it is trusted, takes the settings of the accounts that it
//! decides for, and which parts of it are not followed.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::revision;
use perennial_store::accounts;
use perennial_store::accounts::StoredAccount;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;
use perennial_store::plugin_bindings;
use perennial_store::plugin_bindings::BindingSubject;
use perennial_store::plugin_revisions;
use perennial_store::plugin_revisions::StoredRevision;

use crate::EngineTx;
use crate::bind_error::BindError;
use crate::error::EngineError;
use crate::kept_revisions::BUNDLED;
use crate::revision_changes::BindingChanges;
use crate::revisions::short;
use crate::rules::Rules;

/// The most accounts of which a message says what is wrong with their settings.
const ACCOUNTS_MAX: usize = 10;

impl EngineTx<'_> {
    /// Checks that a revision may be bound to what `subject` names: it is trusted, can be loaded, and takes the settings of every
    /// account there.
    pub(crate) fn check_bindable(&self, subject: &BindingSubject, digest: &str) -> Result<(), BindError> {
        if !self.is_trusted(digest)? {
            return Err(BindError::Untrusted(short(digest).to_owned()));
        }
        let rules = self.providers().revision(self.db(), digest)?;
        let rules = rules.ok_or_else(|| BindError::Unloadable(short(digest).to_owned()))?;
        match self.settings_problems(subject, rules.as_ref())? {
            None => Ok(()),
            Some(problems) => Err(BindError::Settings { digest: short(digest).to_owned(), problems }),
        }
    }

    /// Those of these accounts for which the last of the changes makes a difference: nothing narrower is bound to them.
    pub(crate) fn affected(
        &self,
        made: &BindingChanges,
        matched: Vec<String>,
    ) -> Result<Vec<String>, StoreError> {
        let Some(BindingSubject { provider, accounts, mode }) =
            made.changes.last().map(|change| &change.subject)
        else {
            return Ok(Vec::new());
        };
        let mut bindings = plugin_bindings::list(self.tx())?;
        let own = revision::narrowness(accounts);
        bindings.retain(|bound| {
            bound.subject.mode == *mode && revision::narrowness(&bound.subject.accounts) > own
        });
        let is_taken = |id: &str| bindings.iter().any(|bound| bound.subject.is_for(provider, id));
        Ok(matched.into_iter().filter(|id| !is_taken(id)).collect())
    }

    /// Checks that a revision that is trusted decides for every account that `subject` names.
    pub(crate) fn check_decided(&self, subject: &BindingSubject) -> Result<(), BindError> {
        let bound = self.bound()?;
        let accounts = self.reads().accounts()?;
        let is_concerned =
            |stored: &&StoredAccount| subject.is_for(&stored.account.provider, &stored.account.id);
        let rules = |stored: &StoredAccount| bound.of_account(&stored.account.id, &stored.account.provider);
        let decides = accounts.iter().filter(is_concerned).filter_map(rules);
        for digest in decides.map(|rules| rules.digest().to_owned()).collect::<BTreeSet<_>>() {
            if !self.is_trusted(&digest)? {
                return Err(BindError::Untrusted(short(&digest).to_owned()));
            }
        }
        let mut undecided = accounts.iter().filter(is_concerned).filter(|stored| rules(stored).is_none());
        match undecided.next() {
            None => Ok(()),
            Some(first) => Err(BindError::Undecided {
                provider: subject.provider.clone(),
                account: first.account.id.clone(),
                others: undecided.count(),
            }),
        }
    }

    /// Whether a revision is what the host loads or brings, or is signed by a key that is trusted at present. Where no key is named,
    /// every one is.
    pub(crate) fn is_trusted(&self, digest: &str) -> Result<bool, StoreError> {
        let Some(revisions) = self.providers().revisions() else { return Ok(true) };
        let keys = &revisions.plugins().trust().keys;
        if keys.is_empty() || revisions.plugins().iter().any(|plugin| plugin.digest() == digest) {
            return Ok(true);
        }
        let stored = plugin_revisions::get(self.tx(), digest)?;
        let is_signed = |stored: &StoredRevision| {
            stored.signed_by.as_ref().is_some_and(|by| keys.iter().any(|key| key.to_string() == *by))
        };
        Ok(stored.is_some_and(|stored| stored.origin == BUNDLED || is_signed(&stored)))
    }

    /// Each account that a binding would be for and that has settings which `rules` do not take, and what is wrong with them.
    pub(crate) fn settings_problems(
        &self,
        subject: &BindingSubject,
        rules: &dyn Rules,
    ) -> Result<Option<String>, EngineError> {
        let accounts = accounts::list(self.db())?.into_iter().map(|stored| stored.account);
        let concerned = accounts.filter(|account| subject.is_for(&account.provider, &account.id));
        let mut known = BTreeMap::new();
        let mut problems = Vec::new();
        for account in concerned {
            let found = match known.get(&account.settings) {
                Some(found) => Vec::clone(found),
                None => {
                    let found = rules.check_settings(&account.settings)?;
                    known.insert(account.settings.clone(), found.clone());
                    found
                }
            };
            if !found.is_empty() {
                problems.push(format!("`{}`: {}", account.id, found.join(", ")));
            }
        }
        if problems.is_empty() {
            return Ok(None);
        }
        let more = problems.len().saturating_sub(ACCOUNTS_MAX);
        problems.truncate(ACCOUNTS_MAX);
        if more > 0 {
            problems.push(format!("and {more} more"));
        }
        Ok(Some(problems.join("; ")))
    }

    /// The parts of the revision that decides from now on which are not followed.
    pub(crate) fn not_followed(&self, made: &BindingChanges) -> Result<Vec<&'static str>, StoreError> {
        let bound = made.changes.iter().rev().find_map(|change| change.after.as_deref());
        let Some(digest) = bound else { return Ok(Vec::new()) };
        if self.providers().loaded().values().any(|rules| rules.digest() == digest) {
            return Ok(Vec::new());
        }
        let Some(rules) = self.providers().revision(self.db(), digest)? else { return Ok(Vec::new()) };
        let connector = rules.connector().map(|_| "connector");
        let provider_api = rules.provider_api().map(|_| "provider_api");
        Ok(connector.into_iter().chain(provider_api).collect())
    }
}
