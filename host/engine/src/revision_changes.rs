//! Changes of what revisions of plugins are kept and bound: whole or not at all, each one kept and told.
//!
//! A binding is one row. The next batch is decided by what is bound then, so no bundle is decided by two revisions or by none,
//! and nothing that is due is lost: what the new revision has due at another instant is found out at the next tick.

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::revision::ALL_ACCOUNTS;
use perennial_domain::revision::BindingMode;
use perennial_domain::revision::BindingOrigin;
use perennial_domain::timestamp::Timestamp;
use perennial_sandbox::Plugin;
use perennial_store::accounts::StoredAccount;
use perennial_store::audit;
use perennial_store::audit::Record;
use perennial_store::engine_store::EngineReads;
use perennial_store::keys::PluginBindingChangeKey;
use perennial_store::keys::RowKey;
use perennial_store::kinds_in_use::KindInUse;
use perennial_store::plugin_bindings;
use perennial_store::plugin_bindings::BindingChange;
use perennial_store::plugin_bindings::BindingSubject;
use perennial_store::plugin_bindings::StoredBinding;
use perennial_store::plugin_revisions;

use crate::EngineTx;
use crate::bind_error::BindError;
use crate::error::EngineError;
use crate::kept_revisions::digest_of;
use crate::kept_revisions::granted_text;
use crate::kept_revisions::keep;
use crate::kept_revisions::origin_text;
use crate::kinds_in_use;
use crate::persist::RecordedEvent;

/// The author of what the host does by itself when it starts.
pub(crate) const HOST: &str = "host";

/// The person or program that changes what is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevisionAuthor<'a> {
    /// The id of their token; `cli` for the command line.
    pub id: &'a str,
    /// Why, if they say.
    pub reason: Option<&'a str>,
}

/// What was changed, and what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindingChanges {
    /// The changes, in their order; none where everything was so already.
    pub changes: Vec<BindingChange>,
    /// The events that were recorded.
    pub events: Vec<RecordedEvent>,
    /// The parts of the revision that is bound which are not followed, `connector` and `provider_api`: they stay those of the plugin
    /// that the host loads.
    pub not_followed: Vec<&'static str>,
    /// How many accounts there are at present that the changes are about.
    pub matched_accounts: usize,
    /// The ids of those of them that no narrower binding takes out.
    pub affected_accounts: Vec<String>,
    /// Whether they take changes back.
    is_roll_back: bool,
}

impl BindingChanges {
    /// The change that they are made for: the last that binds a revision, or the last that takes one away.
    pub fn concerned(&self) -> Option<&BindingChange> {
        let bound = self.changes.iter().rev().find(|change| change.after.is_some());
        bound.or(self.changes.last())
    }

    /// The digest of the revision that is bound from now on, or no longer is.
    pub fn revision(&self) -> Option<&str> {
        let change = self.concerned()?;
        change.after.as_deref().or(change.before.as_deref())
    }
}

impl EngineTx<'_> {
    /// Keeps a revision that was loaded, with what it is granted; returns what happened, which is nothing where it was kept
    /// already and is granted the same.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn keep_revision(
        &mut self,
        at: Timestamp,
        plugin: &Plugin,
        (origin, signed_by): (&str, Option<&str>),
        author: RevisionAuthor<'_>,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        if !keep(self, at, plugin, (origin, signed_by), author.id)? {
            return Ok(Vec::new());
        }
        let what = EventKind::RevisionInstalled {
            provider: plugin.manifest().id.clone(),
            digest: plugin.digest().to_owned(),
            origin: origin.to_owned(),
            signed_by: signed_by.map(str::to_owned),
            granted: granted_text(plugin),
            changed_by: author.id.to_owned(),
        };
        self.write_event(None, Event { at, resource: None, what })
    }

    /// Binds a revision that is kept to the accounts of its provider that `accounts` names: an id, or a pattern.
    ///
    /// # Errors
    ///
    /// [`BindError`] when it is not kept, or accounts that it would decide for have settings that it does not take.
    pub fn bind_revision(
        &mut self,
        at: Timestamp,
        digest: &str,
        (accounts, mode): (&str, BindingMode),
        author: RevisionAuthor<'_>,
    ) -> Result<BindingChanges, BindError> {
        let mut made = BindingChanges::default();
        let stored = plugin_revisions::get(self.tx(), digest)?;
        let stored = stored.ok_or_else(|| BindError::UnknownRevision(digest.to_owned()))?;
        let subject = BindingSubject { provider: stored.provider, accounts: accounts.to_owned(), mode };
        self.check_bindable(&subject, digest)?;
        self.bind(&mut made, at, (subject, BindingOrigin::Operator), digest, author)?;
        self.finish_bindings(made)
    }

    /// Removes a binding: its accounts follow the next wider one. What decided for all accounts gives way to what the host loads,
    /// which is bound in its place.
    ///
    /// # Errors
    ///
    /// [`BindError`] when there is no such binding, or it is the host's own; and as [`EngineTx::bind_revision`] of what the host
    /// loads.
    pub fn unbind_revision(
        &mut self,
        at: Timestamp,
        subject: &BindingSubject,
        author: RevisionAuthor<'_>,
    ) -> Result<BindingChanges, BindError> {
        let mut made = BindingChanges::default();
        let is_widest = subject.accounts == ALL_ACCOUNTS && subject.mode == BindingMode::Active;
        let held = plugin_bindings::get(self.tx(), subject)?;
        let is_pinned = held.is_some_and(|held| held.origin == BindingOrigin::Operator);
        let loaded = self.providers().revisions().filter(|_| is_widest && is_pinned).cloned();
        match loaded.as_ref().and_then(|loaded| loaded.plugins().get(&subject.provider)) {
            Some(plugin) => {
                keep(self, at, plugin, (&origin_text(plugin), plugin.parts().signer().as_deref()), HOST)?;
                self.check_bindable(subject, plugin.digest())?;
                let follows = (subject.clone(), BindingOrigin::Loaded);
                self.bind(&mut made, at, follows, plugin.digest(), author)?;
            }
            None => self.unbind(&mut made, at, subject, author)?,
        }
        self.finish_bindings(made)
    }

    /// Has the shadow revision of these accounts decide from now on: both changes together.
    ///
    /// # Errors
    ///
    /// [`BindError`] when none is asked in shadow there, and as [`EngineTx::bind_revision`].
    pub fn promote_revision(
        &mut self,
        at: Timestamp,
        (provider, accounts): (&str, &str),
        author: RevisionAuthor<'_>,
    ) -> Result<BindingChanges, BindError> {
        let mut made = BindingChanges::default();
        let shadow = subject(provider, accounts, BindingMode::Shadow);
        let held = plugin_bindings::get(self.tx(), &shadow)?;
        let digest = held.ok_or_else(|| BindError::NotBound(shadow.clone()))?.digest;
        let active = subject(provider, accounts, BindingMode::Active);
        self.check_bindable(&active, &digest)?;
        self.unbind(&mut made, at, &shadow, author)?;
        let origin = self.origin_of(provider, accounts, &digest);
        self.bind(&mut made, at, (active, origin), &digest, author)?;
        self.finish_bindings(made)
    }

    /// Has the revision decide again that decided for these accounts before the last change, or none of their own. Said twice it
    /// goes back twice: what was taken back does not come again.
    ///
    /// # Errors
    ///
    /// [`BindError`] when there is no change to take back, and as [`EngineTx::bind_revision`].
    pub fn roll_back_revision(
        &mut self,
        at: Timestamp,
        (provider, accounts): (&str, &str),
        author: RevisionAuthor<'_>,
    ) -> Result<BindingChanges, BindError> {
        let mut made = BindingChanges { is_roll_back: true, ..BindingChanges::default() };
        let active = subject(provider, accounts, BindingMode::Active);
        let last = last_effective(plugin_bindings::changes_of(self.tx(), &active)?);
        let last = last.ok_or_else(|| BindError::NothingBefore(active.clone()))?;
        match last.before {
            Some(digest) => {
                self.check_bindable(&active, &digest)?;
                let origin = self.origin_of(provider, accounts, &digest);
                self.bind(&mut made, at, (active, origin), &digest, author)?;
            }
            None if accounts == ALL_ACCOUNTS => return Err(BindError::NothingBefore(active)),
            None => self.unbind(&mut made, at, &active, author)?,
        }
        self.finish_bindings(made)
    }

    /// Who says so when this revision decides: the host, if it is for all accounts and the one that the host loads.
    fn origin_of(&self, provider: &str, accounts: &str, digest: &str) -> BindingOrigin {
        let loaded = self.providers().loaded().get(provider);
        match accounts == ALL_ACCOUNTS && loaded.is_some_and(|rules| rules.digest() == digest) {
            true => BindingOrigin::Loaded,
            false => BindingOrigin::Operator,
        }
    }

    pub(crate) fn bind(
        &mut self,
        made: &mut BindingChanges,
        at: Timestamp,
        (subject, origin): (BindingSubject, BindingOrigin),
        digest: &str,
        author: RevisionAuthor<'_>,
    ) -> Result<(), EngineError> {
        let held = plugin_bindings::get(self.tx(), &subject)?;
        if held.as_ref().is_some_and(|held| held.digest == digest && held.origin == origin) {
            return Ok(());
        }
        plugin_bindings::upsert(
            self.tx(),
            &StoredBinding {
                subject: subject.clone(),
                digest: digest.to_owned(),
                origin,
                bound_at: at,
                bound_by: author.id.to_owned(),
            },
        )?;
        let before = held.map(|held| held.digest);
        if before.as_deref() == Some(digest) {
            // It is pinned now, or follows the host again; what decides is the same.
            return Ok(());
        }
        let what = EventKind::RevisionBound {
            provider: subject.provider.clone(),
            accounts: subject.accounts.clone(),
            mode: subject.mode.name().to_owned(),
            digest: digest.to_owned(),
            digest_before: before.clone(),
            changed_by: author.id.to_owned(),
        };
        self.keep_change(made, at, subject, (before, Some(digest.to_owned())), author, what)
    }

    fn unbind(
        &mut self,
        made: &mut BindingChanges,
        at: Timestamp,
        subject: &BindingSubject,
        author: RevisionAuthor<'_>,
    ) -> Result<(), BindError> {
        let held = plugin_bindings::get(self.tx(), subject)?;
        let held = held.ok_or_else(|| BindError::NotBound(subject.clone()))?;
        if held.origin == BindingOrigin::Loaded && author.id != HOST && subject.mode == BindingMode::Active {
            return Err(BindError::Loaded(subject.provider.clone()));
        }
        Ok(self.remove_binding(made, at, &held, author)?)
    }

    /// Removes a binding that there is.
    pub(crate) fn remove_binding(
        &mut self,
        made: &mut BindingChanges,
        at: Timestamp,
        bound: &StoredBinding,
        author: RevisionAuthor<'_>,
    ) -> Result<(), EngineError> {
        let subject = bound.subject.clone();
        plugin_bindings::delete(self.tx(), &subject)?;
        let what = EventKind::RevisionUnbound {
            provider: subject.provider.clone(),
            accounts: subject.accounts.clone(),
            mode: subject.mode.name().to_owned(),
            digest_before: bound.digest.clone(),
            changed_by: author.id.to_owned(),
        };
        self.keep_change(made, at, subject, (Some(bound.digest.clone()), None), author, what)
    }

    fn keep_change(
        &mut self,
        made: &mut BindingChanges,
        at: Timestamp,
        subject: BindingSubject,
        (before, after): (Option<String>, Option<String>),
        author: RevisionAuthor<'_>,
        what: EventKind,
    ) -> Result<(), EngineError> {
        let change = BindingChange {
            row: PluginBindingChangeKey::before_all(),
            at,
            subject,
            before,
            after,
            changed_by: author.id.to_owned(),
            reason: author.reason.map(str::to_owned),
            is_roll_back: made.is_roll_back,
        };
        plugin_bindings::insert_change(self.tx(), &change)?;
        // What the host has decide first is no news: nothing else decided before.
        let is_first = change.before.is_none() && change.subject.mode == BindingMode::Active;
        if author.id != HOST || !is_first {
            made.events.extend(self.write_event(None, Event { at, resource: None, what })?);
        }
        if author.id == HOST && !is_first {
            audit::insert(self.tx(), &audit_record(&change))?;
        }
        if let Some(before) = &change.before {
            let is_bound = plugin_bindings::list(self.tx())?.iter().any(|bound| bound.digest == *before);
            if !is_bound {
                made.events.extend(self.close_breaker(at, before, author.id)?);
            }
        }
        made.changes.push(change);
        Ok(())
    }

    /// Says what holds from now on.
    fn finish_bindings(&mut self, mut made: BindingChanges) -> Result<BindingChanges, BindError> {
        made.not_followed = self.not_followed(&made)?;
        let is_matched = |account: &StoredAccount| {
            let (id, provider) = (&account.account.id, &account.account.provider);
            let mut subjects = made.changes.iter().map(|change| &change.subject);
            subjects.any(|to| to.is_for(provider, id))
        };
        let matched = self.reads().accounts()?.into_iter().filter(is_matched);
        let matched = matched.map(|stored| stored.account.id).collect::<Vec<_>>();
        made.matched_accounts = matched.len();
        made.affected_accounts = self.affected(&made, matched)?;
        plugin_bindings::update_set_digest(self.tx(), &digest_of(self.tx())?)?;
        let is_removed =
            |change: &&BindingChange| change.after.is_none() && change.subject.mode == BindingMode::Active;
        made.changes.iter().filter(is_removed).try_for_each(|change| self.check_decided(&change.subject))?;
        // A revision that is asked about other accounts only is no concern of this change.
        let is_concerned = |used: &KindInUse| {
            let mut subjects = made.changes.iter().map(|change| &change.subject);
            subjects.any(|to| to.is_for(&used.provider, &used.account))
        };
        match kinds_in_use::check(self.db(), self.providers(), is_concerned)?.pop() {
            Some((_, found)) => Err(BindError::MissingKinds(found)),
            None => Ok(made),
        }
    }
}

/// What the host did by itself, as the audit log has it: no request asked for it.
fn audit_record(change: &BindingChange) -> Record {
    Record {
        at: change.at,
        token: HOST.to_owned(),
        name: HOST.to_owned(),
        request: String::new(),
        account: None,
        resource: None,
        operation: format!("{HOST} plugin {}", if change.after.is_some() { "bind" } else { "unbind" }),
        reason: change.reason.clone(),
        status: 0,
        outcome: "done".to_owned(),
        revision: change.after.clone().or_else(|| change.before.clone()),
    }
}

/// The last of some changes that no later roll-back took back.
fn last_effective(changes: Vec<BindingChange>) -> Option<BindingChange> {
    let mut effective = Vec::<BindingChange>::new();
    for change in changes {
        match change.is_roll_back {
            true => drop(effective.pop()),
            false => effective.push(change),
        }
    }
    effective.pop()
}

pub(crate) fn subject(provider: &str, accounts: &str, mode: BindingMode) -> BindingSubject {
    BindingSubject { provider: provider.to_owned(), accounts: accounts.to_owned(), mode }
}
