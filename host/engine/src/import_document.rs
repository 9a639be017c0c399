//! Importing an inventory as a whole: what is new, and what a newer one changes of what exists.
//!
//! Decides nothing of a resource: [`perennial_domain::inventory_diff`] does. Deletes nothing, changes no balance.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::inventory_diff;
use perennial_domain::inventory_diff::FieldChange;
use perennial_domain::inventory_diff::GivenFields;
use perennial_domain::inventory_diff::KeptField;
use perennial_domain::inventory_diff::ResourceDiff;
use perennial_domain::order;
use perennial_domain::timestamp::Timestamp;

use crate::Engine;
use crate::EngineTx;
use crate::command_ruling::RENEWAL_SETTINGS;
use crate::error::EngineError;
use crate::import::Importer;
use crate::import_report::Change;
use crate::import_report::ImportReport;
use crate::import_report::KeptFieldEntry;
use crate::import_report::ResourceRef;
use crate::import_report::soon;
use crate::persist;
use crate::persist::RecordedEvent;
use perennial_formats::inventory::Document;
use perennial_formats::inventory::ImportedBundle;
use perennial_store::accounts;
use perennial_store::accounts::StoredAccount;
use perennial_store::bundles;
use perennial_store::bundles::BundleUpdater;
use perennial_store::bundles::Schedule;
use perennial_store::imports;
use perennial_store::orders;
use perennial_store::people;

impl Engine {
    /// What [`Engine::import_document`] would do, and what the first tick at `at` would do to it. Nothing is written.
    ///
    /// # Errors
    ///
    /// Those of [`Engine::import_document`].
    pub fn preview_import(
        &mut self,
        at: Timestamp,
        document: &Document,
    ) -> Result<ImportReport, EngineError> {
        self.preview(|engine| {
            let (mut report, _) = engine.write_document(at, document, None)?;
            let mut events = Vec::new();
            engine.start_new(at, &mut |more, _| events.extend(more))?;
            report.add_first_tick(engine.db(), at, &document.inventory, &events)?;
            report.renewing_soon = soon::count(engine, at, &document.inventory, &events)?;
            Ok(report)
        })
    }

    /// Takes an inventory in at `at`, all of it or nothing, in the name of `author`, the id of a token, or `cli`: who changes how
    /// something renews does not decide on its renewals. What is new or changed is looked at as soon as a clock runs:
    /// [`Engine::start_new`]. Returns what was done, without the first tick, and the events of what was changed.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when an account has no plugin, or the database fails.
    pub fn import_document(
        &mut self,
        at: Timestamp,
        document: &Document,
        author: &str,
    ) -> Result<(ImportReport, Vec<RecordedEvent>), EngineError> {
        self.in_transaction(|engine| engine.write_document(at, document, Some(author)))
    }
}

impl EngineTx<'_> {
    fn write_document(
        &mut self,
        at: Timestamp,
        document: &Document,
        author: Option<&str>,
    ) -> Result<(ImportReport, Vec<RecordedEvent>), EngineError> {
        let bound = self.bound()?;
        let mut import = DocumentImport {
            at,
            author: author.map(str::to_owned),
            report: ImportReport::default(),
            events: Vec::new(),
        };
        for account in &document.inventory.accounts {
            match accounts::get(self.db(), &account.id)? {
                Some(stored) => import.update_account(self, &stored, account)?,
                None => {
                    Importer::new(self.tx(), &bound).insert_account(account, at)?;
                    import.report.accounts.push(account.id.clone());
                }
            }
        }
        let mut importer = Importer::new(self.tx(), &bound);
        for imported in &document.inventory.bundles {
            if document.options.update {
                import.update_bundle(&mut importer, imported, &document.given)?;
            } else {
                import.insert_bundle(&mut importer, &imported.account, &imported.bundle)?;
            }
        }
        if document.options.update {
            import.find_missing(&mut importer, document)?;
        }
        Ok((import.report, import.events))
    }
}

/// An import under way.
struct DocumentImport {
    at: Timestamp,
    /// The id of the token of who imports, if that is known.
    author: Option<String>,
    report: ImportReport,
    events: Vec<RecordedEvent>,
}

impl DocumentImport {
    fn insert_bundle(
        &mut self,
        importer: &mut Importer<'_>,
        account: &str,
        bundle: &Bundle,
    ) -> Result<(), EngineError> {
        importer.insert_bundle(account, bundle, Schedule::AT_ONCE)?;
        bundle.members.iter().for_each(|member| self.report.count_named(None, member));
        self.report.resources.extend(bundle.members.iter().map(|member| named(account, &member.id)));
        Ok(())
    }

    /// Changes settings of an account that exists. A setting that the inventory does not name stays.
    fn update_account(
        &mut self,
        engine: &mut EngineTx<'_>,
        stored: &StoredAccount,
        there: &Account,
    ) -> Result<(), EngineError> {
        let here = &stored.account;
        let balance = |account: &Account| (account.balance.available() + account.balance.held()).to_string();
        self.keep(here, "currency", &here.currency, &there.currency, "an import does not change it");
        self.keep(here, "balance", &balance(here), &balance(there), "a balance is changed by top-ups");
        let wanted = there.settings.iter().filter(|(name, value)| here.settings.get(*name) != Some(value));
        let wanted =
            wanted.map(|(name, value)| (name.clone(), Some(value.clone()))).collect::<BTreeMap<_, _>>();
        if !wanted.is_empty() {
            match engine.change_settings(self.at, &here.id, &wanted)? {
                Ok(events) => {
                    imports::wake_account_at_once(engine.tx(), stored.row)?;
                    self.events.extend(events);
                    for (name, value) in wanted {
                        let from = here.settings.get(&name).cloned();
                        let change = FieldChange { field: format!("settings.{name}"), from, to: value };
                        self.report.changes.push(Change { account: here.id.clone(), resource: None, change });
                    }
                }
                Err(problems) => {
                    let (all_here, all_there) = (listed(&here.settings), listed(&there.settings));
                    self.keep(here, "settings", &all_here, &all_there, &problems.join("; "));
                }
            }
        }
        if let Some(limit) = there.approval_above.filter(|limit| here.approval_above != Some(*limit)) {
            self.events.extend(engine.set_approval_above(self.at, &here.id, Some(limit))?);
            let from = here.approval_above.map(|limit| limit.to_string());
            let change =
                FieldChange { field: "approval_above".to_owned(), from, to: Some(limit.to_string()) };
            self.report.changes.push(Change { account: here.id.clone(), resource: None, change });
        }
        if let Some(budget) = there.budget.filter(|budget| here.budget != Some(*budget)) {
            self.events.extend(engine.set_budget(self.at, &here.id, Some(budget))?);
            let (from, to) = (here.budget.map(|before| before.to_string()), Some(budget.to_string()));
            let change = FieldChange { field: "budget".to_owned(), from, to };
            self.report.changes.push(Change { account: here.id.clone(), resource: None, change });
        }
        Ok(())
    }

    fn keep(&mut self, account: &Account, field: &str, here: &str, there: &str, reason: &str) {
        if here != there {
            let field = KeptField {
                field: field.to_owned(),
                here: Some(here.to_owned()),
                there: Some(there.to_owned()),
                reason: reason.to_owned(),
            };
            self.report.kept.push(KeptFieldEntry { account: account.id.clone(), resource: None, field });
        }
    }

    /// Changes the members that exist and adds the others: those of a new primary with it, the rest to where what they are
    /// attached to is.
    fn update_bundle(
        &mut self,
        importer: &mut Importer<'_>,
        imported: &ImportedBundle,
        given: &BTreeMap<String, GivenFields>,
    ) -> Result<(), EngineError> {
        let members = &imported.bundle.members;
        let mut is_new = Vec::new();
        for member in members {
            is_new.push(!bundles::exists(importer.tx, &member.id)?);
        }
        let new = new_bundle(members, &is_new);
        if let Some(bundle) = &new {
            self.insert_bundle(importer, &imported.account, bundle)?;
        }
        let inserted = new.iter().flat_map(|bundle| &bundle.members).map(|member| member.id.as_str());
        let inserted = inserted.collect::<BTreeSet<_>>();
        let mut waiting = Vec::new();
        for (index, member) in members.iter().enumerate() {
            let parent = member.attached_to.map(|parent| members[parent.get()].id.as_str());
            if !is_new[index] {
                let given = given.get(&member.id).copied().unwrap_or_default();
                self.update_resource(importer, &imported.account, member, parent, given)?;
            } else if !inserted.contains(member.id.as_str()) {
                waiting.push((member, parent));
            }
        }
        // What is attached to something that is added itself comes after it.
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut later = Vec::new();
            for (member, parent) in waiting {
                if !self.attach(importer, &imported.account, member, parent)? {
                    later.push((member, parent));
                }
            }
            debug_assert!(later.len() < before, "attachments have no circles");
            waiting = if later.len() < before { later } else { Vec::new() };
        }
        Ok(())
    }

    /// Adds a member to the bundle of what it is attached to, if that is there.
    fn attach(
        &mut self,
        importer: &mut Importer<'_>,
        account: &str,
        member: &Resource,
        parent: Option<&str>,
    ) -> Result<bool, EngineError> {
        let Some(parent) = parent else { return Ok(false) };
        let Some((stored, index)) = bundles::find_by_resource(importer.tx, parent)? else { return Ok(false) };
        let (row, offset_minutes) = importer.account(account)?;
        let (primary, attached_to) = (stored.rows.bundle(), stored.rows[index]);
        let member_row = imports::insert_member(importer.tx, row, primary, member, attached_to)?;
        self.report.count_named(None, member);
        if let Some(order) =
            order::opening(member, MemberIndex::new(stored.bundle.members.len()), offset_minutes)
        {
            orders::insert(importer.tx, member_row, &member.id, &order)?;
        }
        if member.is_live() {
            imports::wake_at_once(importer.tx, primary)?;
        }
        self.report.resources.push(named(account, &member.id));
        Ok(true)
    }

    fn update_resource(
        &mut self,
        importer: &mut Importer<'_>,
        account: &str,
        there: &Resource,
        parent: Option<&str>,
        given: GivenFields,
    ) -> Result<(), EngineError> {
        let Some((stored, index)) = bundles::find_by_resource(importer.tx, &there.id)? else { return Ok(()) };
        let (_, offset_minutes) = importer.account(account)?;
        let here = &stored.bundle[index];
        let mut diff = inventory_diff::diff(here, there, given, offset_minutes);
        let parent_here = here.attached_to.map(|parent| stored.bundle[parent].id.as_str());
        if parent_here != parent {
            diff.kept.push(KeptField {
                field: "attached_to".to_owned(),
                here: parent_here.map(str::to_owned),
                there: parent.map(str::to_owned),
                reason: "an import does not change it".to_owned(),
            });
        }
        let of_resource = || (account.to_owned(), Some(there.id.clone()));
        self.report.kept.extend(diff.kept.drain(..).map(|field| {
            let (account, resource) = of_resource();
            KeptFieldEntry { account, resource, field }
        }));
        self.report.changes.extend(diff.changes.iter().cloned().map(|change| {
            let (account, resource) = of_resource();
            Change { account, resource, change }
        }));
        if diff.changes.is_empty() {
            return Ok(());
        }
        let (primary, schedule, account_row) = (stored.rows.bundle(), stored.schedule, stored.account);
        self.report.count_named(Some(here), &diff.after);
        for what in changes_as_events(here, &diff) {
            let event = Event { at: self.at, resource: Some(there.id.clone()), what };
            persist::event(importer.tx, Some(account_row), &event)?;
            self.events.push(RecordedEvent { account: Some(account.into()), event });
        }
        let (original, mut bundle) = stored.into_original();
        bundles::set_tags(importer.tx, original.rows[index], &diff.after.tags)?;
        bundle[index] = diff.after;
        if let Some(author) = &self.author {
            let changed = diff.changes.iter().map(|change| change.field.as_str());
            for setting in changed.filter(|field| RENEWAL_SETTINGS.contains(field)) {
                people::set_renewal_author(importer.tx, original.rows[index], setting, author)?;
            }
        }
        BundleUpdater::new(importer.tx)?.update(&original, &bundle, schedule)?;
        if bundle.is_live() && schedule.failures == 0 {
            imports::wake_at_once(importer.tx, primary)?;
        }
        Ok(())
    }

    fn find_missing(&mut self, importer: &mut Importer<'_>, document: &Document) -> Result<(), EngineError> {
        let inventory = &document.inventory;
        let accounts = inventory.accounts.iter().map(|account| account.id.as_str());
        let accounts = accounts.chain(inventory.bundles.iter().map(|imported| imported.account.as_str()));
        let members = inventory.bundles.iter().flat_map(|imported| &imported.bundle.members);
        let members = members.map(|member| member.id.as_str()).collect::<BTreeSet<_>>();
        for account in accounts.collect::<BTreeSet<_>>() {
            let (row, _) = importer.account(account)?;
            let here = imports::unfinished_ids(importer.tx, row)?;
            let missing = here.into_iter().filter(|id| !members.contains(id.as_str()));
            self.report.missing.extend(missing.map(|id| named(account, &id)));
        }
        Ok(())
    }
}

fn named(account: &str, resource: &str) -> ResourceRef {
    ResourceRef { account: account.to_owned(), resource: resource.to_owned() }
}

fn listed(settings: &BTreeMap<String, String>) -> String {
    settings.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
}

/// The new primary with those new members that hang on new ones all the way; `None` when the primary exists.
pub(crate) fn new_bundle(members: &[Resource], is_new: &[bool]) -> Option<Bundle> {
    let hangs_on_new = |index: usize| {
        let mut way = std::iter::successors(Some(index), |at| members[*at].attached_to.map(MemberIndex::get));
        way.all(|at| is_new[at])
    };
    let taken = (0..members.len()).filter(|index| hangs_on_new(*index)).collect::<Vec<_>>();
    let within =
        |index: MemberIndex| taken.iter().position(|taken| *taken == index.get()).map(MemberIndex::new);
    let members = taken.iter().map(|index| {
        let member = &members[*index];
        Resource { attached_to: member.attached_to.and_then(within), ..member.clone() }
    });
    let members = members.collect::<Vec<_>>();
    (!members.is_empty()).then_some(Bundle { members })
}

/// The events that tell what was changed of `here`.
pub(crate) fn changes_as_events(here: &Resource, diff: &ResourceDiff) -> Vec<EventKind> {
    let event = |change: &FieldChange| match change.field.as_str() {
        "stage" => EventKind::StageChanged { from: here.stage, to: diff.after.stage },
        field => {
            // An attribute is called by its name, as everywhere.
            let setting = field.strip_prefix("attributes.").unwrap_or(field).to_owned();
            EventKind::SettingChanged { setting, value: change.to.clone() }
        }
    };
    diff.changes.iter().map(event).collect()
}
