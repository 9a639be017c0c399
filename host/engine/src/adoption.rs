//! Taking a provider's inventory over: what is new, what differs from what was known, and what is gone.
//!
//! The provider keeps such accounts, so what it says holds; every difference is written down first, by its kind. Decides
//! nothing of a resource: [`perennial_domain::connector`] does.

use std::collections::BTreeMap;

use perennial_domain::attempt::Key;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::connected::protocol::State;
use perennial_domain::connector;
use perennial_domain::connector::CloudResource;
use perennial_domain::connector::Drift;
use perennial_domain::connector::DriftKind;
use perennial_domain::connector::Driver;
use perennial_domain::connector::MutationName;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::inventory_diff::ResourceDiff;
use perennial_domain::order::OrderKind;
use perennial_domain::timestamp::Timestamp;
use perennial_store::WriteTx;
use perennial_store::accounts;
use perennial_store::bundles;
use perennial_store::bundles::BundleUpdater;
use perennial_store::bundles::Schedule;
use perennial_store::bundles::StoredBundle;
use perennial_store::calls::StoredCall;
use perennial_store::connections::drifts;
use perennial_store::engine_store::EngineReads;
use perennial_store::imports;
use perennial_store::keys::AccountKey;

use crate::EngineTx;
use crate::error::EngineError;
use crate::import::Importer;
use crate::import_document::changes_as_events;
use crate::import_document::new_bundle;
use crate::persist;
use crate::persist::RecordedEvent;
use crate::reservations::provider_driver::OnExpiryKnown;

/// How long it is until a contradiction that is still there is said again, in seconds.
const REPEATED_AFTER: i64 = 86_400;
/// The code of a renewal that was read back and is not seen any more.
const SHORTENED: &str = "shortened";

/// What a provider says of an account.
#[derive(Clone, Copy, Debug)]
pub struct CloudInventory<'a> {
    /// The account's id.
    pub account: &'a str,
    /// Everything that it has, or what of it was read.
    pub resources: &'a [CloudResource],
    /// The ids of what was known and is proven not to be there.
    pub gone: &'a [String],
    /// Whether nothing was read of the account before, so that what is new is no drift.
    pub is_first: bool,
    /// Whether everything was read: what is not among the resources is then not there.
    pub is_whole: bool,
}

/// What was taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adoption {
    /// How many resources are new.
    pub new: u32,
    /// Every difference, with the id of its resource.
    pub drifts: Vec<(String, Drift)>,
    /// The ids of resources that another account of this host has, and that were left alone.
    pub foreign: Vec<String>,
    /// The events of what was changed.
    pub events: Vec<RecordedEvent>,
}

impl EngineTx<'_> {
    /// Takes over what a provider says of an account at `at`. What is new or changed is looked at as soon as a clock runs.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the account has no plugin, or the database fails.
    pub fn adopt_inventory(
        &mut self,
        at: Timestamp,
        inventory: CloudInventory<'_>,
    ) -> Result<Adoption, EngineError> {
        let bound = self.bound()?;
        let mut importer = Importer::new(self.tx(), &bound);
        let (account, offset_minutes) = importer.account(inventory.account)?;
        let provider = accounts::get(self.tx(), inventory.account)?.map(|stored| stored.account.provider);
        let rules = provider.and_then(|provider| bound.of_account(inventory.account, &provider));
        let connector = rules.and_then(|rules| rules.connector());
        let conversion = connector.and_then(|it| it.capabilities().limit(MutationName::ConvertOnExpiry));
        let by_id = inventory.resources.iter().map(|resource| (resource.id.as_str(), resource));
        let mut adopter = Adopter {
            tx: self.tx(),
            at,
            id: inventory.account,
            account,
            offset_minutes,
            is_first: inventory.is_first,
            is_whole: inventory.is_whole,
            hides_conversion: conversion.is_some_and(|limit| !limit.is_shown),
            driver: self.reads().driver(account)?,
            by_id: by_id.collect(),
            adoption: Adoption::default(),
        };
        for bundle in connector::bundles(inventory.resources, offset_minutes) {
            adopter.adopt_bundle(&mut importer, &bundle.members)?;
        }
        for id in inventory.gone {
            adopter.let_go(id)?;
        }
        Ok(adopter.adoption)
    }
}

/// An inventory that is being taken over.
struct Adopter<'a> {
    tx: &'a WriteTx,
    at: Timestamp,
    id: &'a str,
    account: AccountKey,
    offset_minutes: i16,
    is_first: bool,
    is_whole: bool,
    /// Whether the provider does not show that something is set to become pay-as-you-go.
    hides_conversion: bool,
    driver: Option<Driver>,
    by_id: BTreeMap<&'a str, &'a CloudResource>,
    adoption: Adoption,
}

impl Adopter<'_> {
    /// Adds a new primary with what is new of its bundle, then compares what is known, then adds what is new and attached to
    /// it.
    fn adopt_bundle(&mut self, importer: &mut Importer<'_>, members: &[Resource]) -> Result<(), EngineError> {
        let mut is_new = Vec::new();
        for member in members {
            let owner = bundles::account_of(self.tx, &member.id)?;
            if owner.as_ref().is_some_and(|owner| owner != self.id) {
                self.adoption.foreign.push(member.id.clone());
                // What hangs on it is another account's as well, or will be read again once it is not.
                return Ok(());
            }
            is_new.push(owner.is_none());
        }
        let mut inserted = Vec::new();
        if let (true, Some(parent)) = (is_new[0], self.unread_parent(&members[0].id)) {
            // What it is attached to was not read: it is known, or the next reading of everything will tell.
            if !self.has_live(&parent)? {
                return Ok(());
            }
            self.attach(&members[0], &parent)?;
            inserted.push(members[0].id.clone());
        } else if let Some(bundle) = new_bundle(members, &is_new) {
            importer.insert_bundle(self.id, &bundle, Schedule::AT_ONCE)?;
            inserted.extend(bundle.members.iter().map(|member| member.id.clone()));
        }
        for (member, is_new) in members.iter().zip(&is_new) {
            if !is_new {
                self.adopt_resource(&member.id)?;
            }
        }
        // Members come after what they are attached to.
        for (member, is_new) in members.iter().zip(&is_new) {
            let is_there = !is_new || inserted.contains(&member.id);
            if let Some(parent) = member.attached_to.filter(|_| !is_there) {
                self.attach(member, &members[parent.get()].id)?;
                inserted.push(member.id.clone());
            }
        }
        for id in inserted {
            self.adoption.new += 1;
            if !self.is_first {
                let there = self.by_id.get(id.as_str()).and_then(|it| it.expires_at).map(|at| at.to_string());
                self.note(id, Drift { kind: DriftKind::New, here: None, there })?;
            }
        }
        Ok(())
    }

    /// What a resource is attached to that was not read, where not everything was.
    fn unread_parent(&self, id: &str) -> Option<String> {
        let parent = self.by_id.get(id)?.attached_to.clone()?;
        (!self.is_whole && !self.by_id.contains_key(parent.as_str())).then_some(parent)
    }

    /// Whether this account has a resource that is not over, as far as this host knows.
    fn has_live(&self, id: &str) -> Result<bool, EngineError> {
        let is_own = bundles::account_of(self.tx, id)?.is_some_and(|owner| owner == self.id);
        let found = bundles::find_by_resource(self.tx, id)?;
        Ok(is_own && found.is_some_and(|(stored, index)| !stored.bundle[index].stage.is_final()))
    }

    fn attach(&mut self, member: &Resource, parent: &str) -> Result<(), EngineError> {
        let Some((stored, index)) = bundles::find_by_resource(self.tx, parent)? else { return Ok(()) };
        let (primary, attached_to) = (stored.rows.bundle(), stored.rows[index]);
        imports::insert_member(self.tx, self.account, primary, member, attached_to)?;
        if member.is_live() {
            imports::wake_at_once(self.tx, primary)?;
        }
        Ok(())
    }

    /// Writes down how a known resource differs, and believes the provider.
    fn adopt_resource(&mut self, id: &str) -> Result<(), EngineError> {
        let Some(there) = self.by_id.get(id).copied() else { return Ok(()) };
        let Some((stored, index)) = bundles::find_by_resource(self.tx, id)? else { return Ok(()) };
        let here = &stored.bundle[index];
        if self.is_under_way(here)? {
            return Ok(());
        }
        let is_silent = self.hides_conversion
            && here.on_expiry == OnExpiry::Convert
            && there.on_expiry == Some(OnExpiry::Lapse)
            && here.expires_at == there.expires_at;
        let there = &CloudResource { on_expiry: there.on_expiry.filter(|_| !is_silent), ..there.clone() };
        let parent = here.attached_to.map(|parent| stored.bundle[parent].id.as_str());
        // What is attached to something that is not listed, such as another account's, stands alone.
        let is_known = match self.unread_parent(id) {
            Some(parent) => self.has_live(&parent)?,
            None => false,
        };
        let listed =
            there.attached_to.as_deref().filter(|parent| is_known || self.by_id.contains_key(parent));
        let mut drifts = connector::drift(here, there, (parent, listed));
        let shortened = drifts.iter().find(|drift| drift.kind == DriftKind::Shortened);
        if let Some(drift) = shortened
            && let Some(call) = self.settled_renewal(&stored, index)?
        {
            return self.contradict(id, drift.clone(), &call);
        }
        let mut adopted = there.clone();
        let newest_setting = self.tx.newest_setting(stored.rows[index])?;
        let known = OnExpiryKnown::of(newest_setting.as_ref());
        if self.driver == Some(Driver::Host) || known != OnExpiryKnown::ByProvider {
            // Whether something is renewed is this host's to know. That the provider would renew what is to lapse is said once.
            let said = drifts::newest(self.tx, self.account, id)?.map(|(kind, _)| kind);
            let is_switched = known == OnExpiryKnown::UnderWay;
            let is_news = |drift: &Drift| match drift.kind {
                DriftKind::AutoRenewOff | DriftKind::OnExpiryChanged => false,
                DriftKind::AutoRenewOn => !is_switched && said != Some(DriftKind::AutoRenewOn),
                DriftKind::Renewed
                | DriftKind::RenewedByProvider
                | DriftKind::Shortened
                | DriftKind::Converted
                | DriftKind::PrimaryChanged
                | DriftKind::StageChanged
                | DriftKind::Gone
                | DriftKind::New => true,
            };
            drifts.retain(is_news);
            (adopted.on_expiry, adopted.renewals_left, adopted.renewal_term) = (None, None, None);
        }
        let diff = connector::adoption(here, &adopted, self.offset_minutes);
        for drift in drifts {
            self.note(id.to_owned(), drift)?;
        }
        self.change(stored, index, diff)
    }

    /// Whether a call for the present period of a resource has not come to its end: what the provider shows is then for the
    /// call to explain, and for a later sync.
    fn is_under_way(&self, here: &Resource) -> Result<bool, EngineError> {
        let Some(expires_before) = here.expires_at else { return Ok(false) };
        let period = Key { resource: here.id.clone(), expires_before };
        let call = self.tx.paying_call(&period)?;
        Ok(call.is_some_and(|call| call.record.locks_its_keys()))
    }

    /// The call of this host that gave a resource its present expiry, which was read back; `None` where that is from elsewhere, or
    /// was given back since.
    fn settled_renewal(
        &self,
        stored: &StoredBundle,
        index: MemberIndex,
    ) -> Result<Option<StoredCall>, EngineError> {
        let here = &stored.bundle[index];
        let orders = self.tx.orders(&stored.rows)?;
        let mut orders = orders.into_iter().filter(|order| {
            order.member == index
                && order.kind == OrderKind::Renewal
                && Some(order.ends_at) == here.expires_at
        });
        let Some(order) = orders.next() else { return Ok(None) };
        let period = Key { resource: here.id.clone(), expires_before: order.starts_at };
        Ok(self.tx.paying_call(&period)?.filter(|call| call.record.state == State::Settled))
    }

    /// Says that the provider shows an earlier expiry than it did after `call`, and believes none of what it shows of the resource:
    /// the reading may be from before the renewal, and to go by it would pay for the period twice. A person who finds that it
    /// was given back says so of the call.
    fn contradict(&mut self, id: &str, drift: Drift, call: &StoredCall) -> Result<(), EngineError> {
        let said = drifts::newest(self.tx, self.account, id)?;
        let is_news = said.is_none_or(|(kind, at)| kind != drift.kind || self.at - at >= REPEATED_AFTER);
        if !is_news {
            return Ok(());
        }
        self.note(id.to_owned(), drift)?;
        let what = EventKind::RenewalInDoubt { attempt: call.record.name(), code: SHORTENED.to_owned() };
        self.record(id, what)
    }

    /// Ends a resource that the provider does not have any more.
    fn let_go(&mut self, id: &str) -> Result<(), EngineError> {
        let Some((stored, index)) = bundles::find_by_resource(self.tx, id)? else { return Ok(()) };
        let here = &stored.bundle[index];
        if here.stage.is_final() || self.is_under_way(here)? {
            return Ok(());
        }
        let known = here.expires_at.map(|at| at.to_string());
        let diff = connector::departure(here, self.at);
        self.note(id.to_owned(), Drift { kind: DriftKind::Gone, here: known, there: None })?;
        self.change(stored, index, diff)
    }

    fn note(&mut self, resource: String, drift: Drift) -> Result<(), EngineError> {
        drifts::insert(self.tx, self.account, &resource, &drift, self.at)?;
        self.adoption.drifts.push((resource, drift));
        Ok(())
    }

    /// Writes down what happened to a resource.
    fn record(&mut self, id: &str, what: EventKind) -> Result<(), EngineError> {
        let event = Event { at: self.at, resource: Some(id.to_owned()), what };
        persist::event(self.tx, Some(self.account), &event)?;
        self.adoption.events.push(RecordedEvent { account: Some(self.id.into()), event });
        Ok(())
    }

    fn change(
        &mut self,
        stored: StoredBundle,
        index: MemberIndex,
        diff: ResourceDiff,
    ) -> Result<(), EngineError> {
        if diff.changes.is_empty() {
            return Ok(());
        }
        let here = &stored.bundle[index];
        for what in changes_as_events(here, &diff) {
            self.record(&here.id, what)?;
        }
        let (primary, schedule) = (stored.rows.bundle(), stored.schedule);
        let (original, mut bundle) = stored.into_original();
        bundles::set_tags(self.tx, original.rows[index], &diff.after.tags)?;
        bundle[index] = diff.after;
        BundleUpdater::new(self.tx)?.update(&original, &bundle, schedule)?;
        if bundle.is_live() && schedule.failures == 0 {
            imports::wake_at_once(self.tx, primary)?;
        }
        Ok(())
    }
}
