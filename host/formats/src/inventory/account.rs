//! Accounts of an inventory. Reads each one, and finds the provider of an account by its id.

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::ledger::Balance;
use perennial_domain::manifest::Manifest;
use perennial_domain::micros::Micros;

use super::CheckSettings;
use super::ExistingRecords;
use crate::fields::Fields;
use crate::json_cursor::JsonCursor;
use crate::visible_id;
use crate::wording;

/// The fields of an account of the file.
pub(super) const FIELDS: &[&str] =
    &["id", "provider", "mode", "currency", "balance", "settings", "approval_above", "budget"];

type Settings = BTreeMap<String, String>;

/// The accounts of the file that is being read, and those that exist already.
pub(super) struct Accounts<'c, 'n> {
    manifests: &'c BTreeMap<String, &'c Manifest>,
    check_settings: &'c CheckSettings<'c>,
    existing_records: &'c dyn ExistingRecords,
    /// Whether accounts that exist may be named again.
    is_update: bool,
    read: Vec<Account>,
    /// By id: where in the file, and the manifest if its provider is known.
    named: BTreeMap<&'n str, (usize, Option<&'c Manifest>)>,
    /// By id: the provider, of accounts that exist already.
    existing: BTreeMap<String, Option<String>>,
    /// What the plugins said of settings; most accounts of a file have the same.
    checked: BTreeMap<(String, Settings), Result<Vec<String>, String>>,
}

impl<'c, 'n> Accounts<'c, 'n> {
    /// None read yet.
    pub(super) fn new(
        manifests: &'c BTreeMap<String, &'c Manifest>,
        check_settings: &'c CheckSettings<'c>,
        existing: &'c dyn ExistingRecords,
        is_update: bool,
    ) -> Accounts<'c, 'n> {
        Accounts {
            manifests,
            check_settings,
            existing_records: existing,
            is_update,
            read: Vec::new(),
            named: BTreeMap::new(),
            existing: BTreeMap::new(),
            checked: BTreeMap::new(),
        }
    }

    /// The accounts read, in the order of their ids.
    pub(super) fn finish(mut self) -> Vec<Account> {
        self.read.sort_by(|one, other| one.id.cmp(&other.id));
        self.read
    }

    /// Reads the account at `place` of the list.
    pub(super) fn read(&mut self, index: usize, cursor: JsonCursor<'n, '_>) -> Option<()> {
        let fields = cursor.object(FIELDS)?;
        let provider = fields.required("provider", |cursor| cursor.name());
        let manifest = provider.and_then(|provider| self.manifest(provider, &fields));
        let id = fields.required("id", |cursor| cursor.id());
        let manifest = manifest.map(|manifest| self.bound_to(id.unwrap_or_default(), manifest));
        if let Some(id) = id {
            self.register_id(id, index, manifest, &fields);
        }
        let mode = fields.optional("mode", mode).or(Mode::Managed);
        let (currency, balance) = money(&fields);
        let settings = fields.optional("settings", |cursor| cursor.named_texts()).or(BTreeMap::new());
        if let (Some(provider), Some(_), Some(settings)) = (provider, manifest, &settings) {
            self.check((id.unwrap_or_default(), provider), settings, &fields);
        }
        let approval_above = fields.optional("approval_above", |cursor| cursor.amount()).option();
        let budget = fields.optional("budget", |cursor| cursor.amount()).option();
        self.read.push(Account {
            id: id?.to_owned(),
            provider: provider?.to_owned(),
            mode: mode?,
            currency: currency?.to_owned(),
            balance: Balance::new(balance?, Micros::ZERO),
            settings: settings?,
            approval_above: approval_above?,
            budget: budget?,
        });
        Some(())
    }

    fn manifest(&self, provider: &str, fields: &Fields<'_, '_>) -> Option<&'c Manifest> {
        let manifest = self.manifests.get(provider).copied();
        if manifest.is_none() {
            let names = || self.manifests.keys().map(String::as_str);
            let meant = wording::did_you_mean(provider, names());
            let provider = wording::quote(provider);
            let there = wording::list_names(names());
            fields.report("provider", format!("no plugin {provider} is loaded{meant}; loaded: {there}"));
        }
        manifest
    }

    /// The manifest of the revision that decides for an account of the provider whose manifest this is.
    fn bound_to(&self, account: &str, manifest: &'c Manifest) -> &'c Manifest {
        self.existing_records.manifest_of(account, &manifest.id).unwrap_or(manifest)
    }

    fn register_id(
        &mut self,
        id: &'n str,
        index: usize,
        manifest: Option<&'c Manifest>,
        fields: &Fields<'n, '_>,
    ) {
        if let Some((first, _)) = self.named.get(id) {
            let id = wording::quote(id);
            fields.report("id", format!("{id} is already the id of `accounts[{first}]`; an id is used once"));
            return;
        }
        self.named.insert(id, (index, manifest));
        let Some(provider) = self.existing(id) else {
            if let Some(fault) = visible_id::fault("id", id) {
                fields.report("id", fault);
            }
            return;
        };
        let shown = wording::quote(id);
        if !self.is_update {
            fields.report("id", format!("an account {shown} exists already; an id is used once"));
        } else if let Some(manifest) = manifest.filter(|manifest| manifest.id != provider) {
            let (here, there) = (wording::quote(&provider), wording::quote(&manifest.id));
            fields
                .report("provider", format!("the account {shown} is with {here} here, and not with {there}"));
        }
    }

    fn existing(&mut self, id: &str) -> Option<String> {
        if !self.existing.contains_key(id) {
            self.existing.insert(id.to_owned(), self.existing_records.provider_of(id));
        }
        self.existing[id].clone()
    }

    fn check(&mut self, (account, provider): (&str, &str), settings: &Settings, fields: &Fields<'_, '_>) {
        let mut own = self.existing_records.check_settings(account, provider, settings);
        let key = (provider.to_owned(), settings.clone());
        let check = || (self.check_settings)(provider, settings);
        match own.as_mut().unwrap_or_else(|| self.checked.entry(key).or_insert_with(check)) {
            Ok(found) => found.iter().for_each(|problem| fields.report("settings", problem)),
            Err(failure) => fields.report(
                "settings",
                format!("the plugin `{provider}` could not check the settings: {failure}"),
            ),
        }
    }

    /// The manifest of the account `id`, which a resource names at `spot`; `None` when there is no such account or plugin.
    pub(super) fn manifest_of(&mut self, id: &str, cursor: JsonCursor<'n, '_>) -> Option<&'c Manifest> {
        if let Some((_, manifest)) = self.named.get(id) {
            return *manifest;
        }
        let Some(provider) = self.existing(id) else {
            let names = || self.named.keys().copied();
            let meant = wording::did_you_mean(id, names());
            let there = wording::list_names(names());
            cursor
                .report(format!("there is no account {}{meant}; in this file: {there}", wording::quote(id)));
            return None;
        };
        let manifest = self.manifests.get(&provider).map(|manifest| self.bound_to(id, manifest));
        if manifest.is_none() {
            let (id, provider) = (wording::quote(id), wording::quote(&provider));
            cursor.report(format!("the account {id} is of provider {provider}, whose plugin is not loaded"));
        }
        manifest
    }
}

fn mode(cursor: JsonCursor<'_, '_>) -> Option<Mode> {
    let mode = cursor.text()?;
    if mode != Mode::Managed.name() {
        let mode = wording::quote(mode);
        cursor
            .report(format!("mode {mode} is not supported; expected `managed`: this host keeps the account"));
        return None;
    }
    Some(Mode::Managed)
}

/// The currency and the balance: neither means anything without the other.
fn money<'n>(fields: &Fields<'n, '_>) -> (Option<&'n str>, Option<Micros>) {
    let has = |name| fields.get(name).is_some();
    let (without_currency, without_balance) = match (has("currency"), has("balance")) {
        (false, true) => ("; the balance is an amount without a currency, write one such as \"CNY\"", ""),
        (true, false) => ("", "; the currency comes without an amount, write one such as \"0.00\""),
        (false, false) | (true, true) => ("", ""),
    };
    let currency = fields.required_because("currency", without_currency, currency);
    let balance = fields.required_because("balance", without_balance, |cursor| cursor.amount());
    (currency, balance)
}

fn currency<'n>(cursor: JsonCursor<'n, '_>) -> Option<&'n str> {
    let currency = cursor.text()?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return cursor.report_type("a currency of three capital letters such as \"CNY\"");
    }
    Some(currency)
}
