//! Settings of an account: what its provider's rules are told about it, its budget, and above which cost plans need an
//! approval. The plugin checks each change; then every timeline of the account is asked for anew. And attributes of a resource.

use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;

use crate::Engine;
use crate::error::EngineError;
use crate::persist::Changes;
use crate::persist::RecordedEvent;
use crate::planner::is_overdue;
use perennial_store::change::AccountChange;
use perennial_store::change::Change;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;

impl<S: EngineStore> Engine<S> {
    /// Sets an attribute of a resource, as the world does; the bundle's timeline is asked for anew. An unknown resource
    /// is passed over.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn set_attribute(
        &mut self,
        at: Timestamp,
        resource: &str,
        name: &str,
        value: &str,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        self.set_attributes(at, resource, [(name, value)])
    }

    /// Sets several attributes of a resource as one change: the bundle is loaded, its timeline asked for, and the result
    /// written once, however many there are.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn set_attributes<'n>(
        &mut self,
        at: Timestamp,
        resource: &str,
        attributes: impl IntoIterator<Item = (&'n str, &'n str)>,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let Some((stored, member)) = self.reads().find_bundle(resource)? else {
            return Ok(Vec::new());
        };
        let is_overdue = is_overdue(&stored, at);
        let mut batch = self.load_batch(vec![stored], |_| at - 1)?;
        let item = &mut batch.entries[0];
        for (name, value) in attributes {
            let before = item.walk.bundle[member].attributes.insert(name.to_owned(), value.to_owned());
            if before.as_deref() != Some(value) {
                let what =
                    EventKind::SettingChanged { setting: name.to_owned(), value: Some(value.to_owned()) };
                item.walk.events.push(Event { at, resource: Some(resource.to_owned()), what });
            }
        }
        if item.walk.events.is_empty() {
            return Ok(Vec::new());
        }
        // What is overdue is for the clock to do, in its order; it asks for the timeline anyway.
        if !is_overdue {
            item.walk.skip_to(at - 1);
            batch.decide();
        }
        self.write(batch)
    }

    /// Sets what `account` may spend in a month of its provider's, for policies to look at; `None`: there is no budget.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownAccount`] when there is no such account; [`EngineError::Store`] when the database fails.
    pub fn set_budget(
        &mut self,
        at: Timestamp,
        account: &str,
        budget: Option<Micros>,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let stored = self.reads().find_account(account)?;
        let stored = stored.ok_or_else(|| EngineError::UnknownAccount(account.to_owned()))?;
        if stored.account.budget == budget {
            return Ok(Vec::new());
        }
        let value = budget.map(|budget| budget.to_string());
        let what = EventKind::SettingChanged { setting: "budget".to_owned(), value };
        let mut changes = Changes::new(self.retention);
        changes.list.push(Change::Account(stored.row, AccountChange::Budget(budget)));
        changes.add_event(Some((stored.row, account.into())), Event { at, resource: None, what });
        Ok(self.commit(changes)?)
    }

    /// Sets the cost above which an account's plans need an approval; `None`: none does. Pending approvals stay pending.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownAccount`] when there is no such account; [`EngineError::Store`] when the database fails.
    pub fn set_approval_above(
        &mut self,
        at: Timestamp,
        account: &str,
        limit: Option<Micros>,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let stored = self.reads().find_account(account)?;
        let stored = stored.ok_or_else(|| EngineError::UnknownAccount(account.to_owned()))?;
        if stored.account.approval_above == limit {
            return Ok(Vec::new());
        }
        let setting = "approval_above".to_owned();
        let what = EventKind::SettingChanged { setting, value: limit.map(|limit| limit.to_string()) };
        let mut changes = Changes::new(self.retention);
        changes.list.push(Change::Account(stored.row, AccountChange::ApprovalAbove(limit)));
        changes.add_event(Some((stored.row, account.into())), Event { at, resource: None, what });
        Ok(self.commit(changes)?)
    }

    /// Sets settings of `account`, or takes them back to their defaults, at `at`; the inner error is every problem that
    /// its plugin has with the result, in words, and nothing has changed then.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when there is no such account, no plugin for it, or one that gave no usable answer.
    pub fn change_settings(
        &mut self,
        at: Timestamp,
        account: &str,
        changes: &BTreeMap<String, Option<String>>,
    ) -> Result<Result<Vec<RecordedEvent>, Vec<String>>, EngineError> {
        let stored = self.reads().find_account(account)?;
        let stored = stored.ok_or_else(|| EngineError::UnknownAccount(account.to_owned()))?;
        let mut settings = stored.account.settings.clone();
        let mut events = Vec::new();
        for (name, value) in changes {
            let before = match value {
                Some(value) => settings.insert(name.clone(), value.clone()),
                None => settings.remove(name),
            };
            if before != *value {
                let what = EventKind::SettingChanged { setting: name.clone(), value: value.clone() };
                events.push(Event { at, resource: None, what });
            }
        }
        let provider = &stored.account.provider;
        let bound = self.bound()?;
        let rules = bound.of_account(account, provider).ok_or_else(|| EngineError::NoPlugin {
            account: account.to_owned(),
            provider: provider.clone(),
        })?;
        let problems = rules.check_settings(&settings)?;
        if !problems.is_empty() {
            return Ok(Err(problems));
        }
        let mut recorded = Changes::new(self.retention);
        if !events.is_empty() {
            recorded.list.push(Change::Account(stored.row, AccountChange::Settings { settings, at }));
        }
        let id = Arc::<str>::from(account);
        events.into_iter().for_each(|event| recorded.add_event(Some((stored.row, id.clone())), event));
        Ok(Ok(self.commit(recorded)?))
    }
}
