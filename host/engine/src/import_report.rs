//! What an import does, and what the first tick after it will: for the person who decides whether to import.

pub(crate) mod soon;

use std::collections::BTreeSet;
use std::collections::HashMap;

use perennial_domain::approval::is_raise;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::inventory_diff::FieldChange;
use perennial_domain::inventory_diff::KeptField;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;

use crate::persist::RecordedEvent;
use perennial_formats::inventory::Inventory;
use perennial_store::accounts;
use perennial_store::bundles;
use perennial_store::error::StoreError;

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The ids of the accounts that are new.
    pub accounts: Vec<String>,
    /// The resources that are new, in the order of the inventory.
    pub resources: Vec<ResourceRef>,
    /// What is changed of accounts and resources that exist.
    pub changes: Vec<Change>,
    /// What the inventory says of them and the import leaves as it is.
    pub kept: Vec<KeptFieldEntry>,
    /// Resources of the inventory's accounts that are not at their end here, and not in the inventory. They stay.
    pub missing: Vec<ResourceRef>,
    /// New and changed resources that had expired when the import was looked at.
    pub expired: Vec<FirstTickResource>,
    /// New and changed resources that had not expired, and that the first tick does something to.
    pub due: Vec<FirstTickResource>,
    /// How many resources of the inventory renew themselves within thirty days after the first tick.
    pub renewing_soon: usize,
    /// Of the resources that get tags, the one with the most afterwards.
    pub most_tags: MostNamed,
    /// Of the resources that get attributes, the one with the most afterwards.
    pub most_attributes: MostNamed,
}

/// The resource that has the most tags, or attributes, of those that an import gives some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MostNamed {
    /// How many it has afterwards.
    pub count: usize,
    /// The resource's id; empty when none gets any.
    pub resource: String,
}

impl MostNamed {
    fn raise(&mut self, resource: &Resource, before: usize, after: usize) {
        if after > before && after > self.count {
            *self = MostNamed { count: after, resource: resource.id.clone() };
        }
    }
}

/// A resource and its account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceRef {
    /// The account's id.
    pub account: String,
    /// The resource's id.
    pub resource: String,
}

/// A field of an account or resource that is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The account's id.
    pub account: String,
    /// The resource's id; `None` when it is about the account.
    pub resource: Option<String>,
    /// What becomes of the field.
    pub change: FieldChange,
}

/// A field of an account or resource that is left as it is, although the inventory says something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFieldEntry {
    /// The account's id.
    pub account: String,
    /// The resource's id; `None` when it is about the account.
    pub resource: Option<String>,
    /// The field, both values and the reason.
    pub field: KeptField,
}

/// A resource, and what it meets at the first tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstTickResource {
    /// The account and the id of the resource.
    pub named: ResourceRef,
    /// When it expires, before that tick; `None` for one that has nothing paid.
    pub expires_at: Option<Timestamp>,
    /// What happens to it at the first tick, in order.
    pub events: Vec<Event>,
}

impl FirstTickResource {
    /// Whether it is released or loses a stage at once.
    pub fn loses_stage(&self) -> bool {
        let is_loss =
            |event: &Event| matches!(event.what, EventKind::StageChanged { to, .. } if to != Stage::Active);
        self.events.iter().any(is_loss)
    }
}

impl ImportReport {
    /// Notes how many tags and attributes a resource has `after` an import, and before it if it was there.
    pub(crate) fn count_named(&mut self, before: Option<&Resource>, after: &Resource) {
        let (tags, attributes) = before.map_or((0, 0), |before| (before.tags.len(), before.attributes.len()));
        self.most_tags.raise(after, tags, after.tags.len());
        self.most_attributes.raise(after, attributes, after.attributes.len());
    }

    /// The ids of the accounts that need fewer approvals than before: their limit is raised.
    pub fn limit_raises(&self) -> impl Iterator<Item = &str> {
        let limit = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<Micros>().ok());
        let is_raised = move |one: &&Change| {
            one.resource.is_none()
                && one.change.field == "approval_above"
                && is_raise(limit(&one.change.from), limit(&one.change.to))
        };
        self.changes.iter().filter(is_raised).map(|one| one.account.as_str())
    }

    /// Whether anything is written.
    pub fn changes_something(&self) -> bool {
        !(self.accounts.is_empty() && self.resources.is_empty() && self.changes.is_empty())
    }

    /// Those that are released or lose a stage at the first tick.
    pub fn losing(&self) -> impl Iterator<Item = &FirstTickResource> {
        self.expired.iter().chain(&self.due).filter(|resource| resource.loses_stage())
    }

    /// Adds what the first tick at `at` did, `db` being as it left it.
    pub(crate) fn add_first_tick(
        &mut self,
        db: &ReadTx,
        at: Timestamp,
        inventory: &Inventory,
        events: &[RecordedEvent],
    ) -> Result<(), StoreError> {
        let changed = self.changes.iter().filter_map(|change| {
            Some(ResourceRef { account: change.account.clone(), resource: change.resource.clone()? })
        });
        let touched = self.resources.iter().cloned().chain(changed).collect::<BTreeSet<_>>();
        let mut events_of = HashMap::<&str, Vec<&Event>>::new();
        for RecordedEvent { event, .. } in events {
            events_of.entry(event.resource.as_deref().unwrap_or_default()).or_default().push(event);
        }
        for imported in &inventory.bundles {
            for member in &imported.bundle.members {
                let Some((stored, index)) = bundles::find_by_resource(db, &member.id)? else { continue };
                let named = ResourceRef { account: imported.account.clone(), resource: member.id.clone() };
                if !touched.contains(&named) {
                    continue;
                }
                let own = events_of.remove(member.id.as_str()).unwrap_or_default();
                let events = own.into_iter().cloned().collect::<Vec<_>>();
                // An update that would move an expiry back leaves it where it is.
                let stays = |kept: &KeptFieldEntry| {
                    kept.resource.as_ref() == Some(&member.id) && kept.field.field == "expires_at"
                };
                let is_kept = self.kept.iter().any(stays);
                let expires_at = if is_kept { stored.bundle[index].expires_at } else { member.expires_at };
                let had_expired = member.is_live() && expires_at.is_some_and(|expires_at| expires_at < at);
                let is_due = !events.is_empty();
                let resource = FirstTickResource { named, expires_at, events };
                if had_expired {
                    self.expired.push(resource);
                } else if is_due {
                    self.due.push(resource);
                }
            }
        }
        events_of.remove("");
        self.add_what_goes_along(db, &touched, &events_of)?;
        self.due.sort_by(|one, other| one.named.cmp(&other.named));
        Ok(())
    }

    /// Adds what the first tick did to what goes with something that is new or changed, or is of an account with other settings.
    fn add_what_goes_along(
        &mut self,
        db: &ReadTx,
        touched: &BTreeSet<ResourceRef>,
        events_of: &HashMap<&str, Vec<&Event>>,
    ) -> Result<(), StoreError> {
        let is_setting =
            |change: &&Change| change.resource.is_none() && change.change.field.starts_with("settings.");
        let changed_accounts = self.changes.iter().filter(is_setting);
        let changed_accounts = changed_accounts.map(|change| change.account.clone()).collect::<BTreeSet<_>>();
        for (resource, events) in events_of {
            let Some((stored, index)) = bundles::find_by_resource(db, resource)? else { continue };
            let account = accounts::get_by_row(db, stored.account)?.account.id;
            let is_touched = |member: &Resource| {
                touched.contains(&ResourceRef { account: account.clone(), resource: member.id.clone() })
            };
            if changed_accounts.contains(&account) || stored.bundle.members.iter().any(is_touched) {
                let named = ResourceRef { account, resource: (*resource).to_owned() };
                let expires_at = stored.bundle[index].expires_at;
                let events = events.iter().copied().cloned().collect::<Vec<_>>();
                self.due.push(FirstTickResource { named, expires_at, events });
            }
        }
        Ok(())
    }
}
