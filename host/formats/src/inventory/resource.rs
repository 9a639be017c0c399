//! Resources of an inventory, one at a time. Checks which fields go together; checks no attachments.

use std::collections::BTreeMap;

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::field::FieldSource;
use perennial_domain::inventory_diff::GivenFields;
use perennial_domain::manifest::Kind;
use perennial_domain::manifest::Manifest;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;

use super::account::Accounts;
use crate::diagnostics::Diagnostics;
use crate::fields::FieldValue;
use crate::fields::Fields;
use crate::json_cursor::JsonCursor;
use crate::resource;
use crate::stored_fields::StoredFields;
use crate::wording;

/// What a plain field that must have a value is when the file leaves it out. Others must be there.
const DEFAULTS: [(&str, &str); 3] = [("region", ""), ("stage", "active"), ("on_expiry", "lapse")];

/// What only a prepaid resource has.
const PERIOD: [&str; 4] = ["term", "price", "expires_at", "anchor_day"];

/// What only a resource package has.
const PACKAGE: [&str; 4] = ["quota", "used", "unit", "resource_type"];

/// A resource of the file, as far as it could be read.
pub(super) struct Draft<'c, 'n> {
    /// Its place in the list.
    pub(super) index: usize,
    /// The place of the value that holds its id.
    pub(super) id_place: u32,
    /// The place of the value that says what it is attached to.
    pub(super) attached_place: u32,
    /// The resource's id, if it could be read.
    pub(super) id: Option<&'n str>,
    /// The account it names.
    pub(super) account: Option<&'n str>,
    /// The id of the resource that it is attached to.
    pub(super) attached_to: Option<&'n str>,
    /// Its kind's name, and what the plugin says of it.
    pub(super) kind: Option<(&'n str, &'c Kind)>,
    /// Which of the plain fields are there.
    pub(super) given: GivenFields,
    /// All of it, when nothing is wrong; `attached_to` is not set yet.
    pub(super) resource: Option<Resource>,
}

/// Reads the resource at `index` of the list; `None` when it is no object.
pub(super) fn read<'c, 'n>(
    index: usize,
    cursor: JsonCursor<'n, '_>,
    accounts: &mut Accounts<'c, 'n>,
) -> Option<Draft<'c, 'n>> {
    let fields = cursor.object(resource::INVENTORY_FIELDS)?;
    let id = fields.required("id", |cursor| cursor.id());
    let account = fields.required("account", |cursor| cursor.id());
    let manifest =
        fields.get("account").zip(account).and_then(|(cursor, id)| accounts.manifest_of(id, cursor));
    let kind = fields.required("kind", |cursor| kind(cursor, manifest));
    let attached_to = fields.optional("attached_to", |cursor| cursor.id());
    let place = |name| fields.get(name).map_or(fields.position, |cursor| cursor.node.position);
    Some(Draft {
        index,
        id_place: place("id"),
        attached_place: place("attached_to"),
        id,
        account,
        attached_to: attached_to.value(),
        given: GivenFields::new(|name| fields.get(name).is_some()),
        kind,
        resource: resource(&fields, id, kind, manifest),
    })
}

fn kind<'c, 'n>(cursor: JsonCursor<'n, '_>, manifest: Option<&'c Manifest>) -> Option<(&'n str, &'c Kind)> {
    let name = cursor.name()?;
    let manifest = manifest?;
    let kind = manifest.kinds.get(name);
    if kind.is_none() {
        let names = || manifest.kinds.keys().map(String::as_str);
        let meant = wording::did_you_mean(name, names());
        let there = wording::list_names(names());
        cursor.report(format!(
            "`{}` has no kind {}{meant}; it has {there}",
            manifest.id,
            wording::quote(name)
        ));
    }
    Some((name, kind?))
}

fn resource(
    fields: &Fields<'_, '_>,
    id: Option<&str>,
    kind: Option<(&str, &Kind)>,
    manifest: Option<&Manifest>,
) -> Option<Resource> {
    let resource = Resource::read(&mut PlainFields { fields, id, kind: kind.map(|(name, _)| name) });
    // What cannot be read was reported just now.
    let silent = Diagnostics::default();
    let quiet = Fields { diagnostics: &silent, ..*fields };
    let charging = quiet.optional("charging", |cursor| cursor.one_of(&Charging::ALL, Charging::name)).value();
    let started_at = quiet.optional("started_at", |cursor| cursor.given_instant()).value();
    check_expiry(fields, &quiet, charging, started_at, manifest.map(|manifest| manifest.utc_offset_minutes));
    let is_whole = check_period(fields, charging);
    let package = match kind {
        Some((name, kind)) => package(fields, name, kind, charging, started_at),
        None => None,
    };
    let attributes = fields.optional("attributes", |cursor| cursor.named_texts()).or(BTreeMap::new());
    let tags = fields.optional("tags", |cursor| cursor.named_texts()).or(BTreeMap::new());
    let mut resource = Resource {
        package: package?,
        attributes: attributes?,
        tags: tags?,
        ..resource.filter(|_| is_whole)?
    };
    if let (None, Some(expires_at)) = (resource.anchor_day, resource.expires_at) {
        let offset_minutes = manifest.map_or(0, |manifest| manifest.utc_offset_minutes);
        resource.anchor_day = Some(expires_at.day_of_month(offset_minutes));
    }
    if let (OnExpiry::Renew, Some(0)) = (resource.on_expiry, resource.renewals_left) {
        // No automatic renewal left is auto-renew turned off.
        resource.on_expiry = OnExpiry::Lapse;
    }
    Some(resource)
}

/// The plain fields of a resource of the file. What names it was read before.
struct PlainFields<'f, 'n, 'd, 'i> {
    fields: &'f Fields<'n, 'd>,
    id: Option<&'i str>,
    kind: Option<&'i str>,
}

impl FieldSource for PlainFields<'_, '_, '_, '_> {
    fn is_absent(&mut self, name: &str) -> bool {
        self.fields.is_absent(name)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let text = match name {
            "id" => self.id,
            "kind" => self.kind,
            name => match default_value(name) {
                Some(default) => self.fields.optional(name, |cursor| cursor.text()).or(default),
                None => self.fields.required(name, |cursor| cursor.text()),
            },
        };
        text.map(str::to_owned)
    }

    fn word(&mut self, name: &str, words: &[&'static str]) -> Option<usize> {
        let word = match default_value(name) {
            Some(default) => {
                self.fields.optional(name, |cursor| cursor.one_of(words, |word| word)).or(default)?
            }
            None => self.fields.required(name, |cursor| cursor.one_of(words, |word| word))?,
        };
        words.iter().position(|other| *other == word)
    }

    fn amount(&mut self, name: &str) -> Option<Micros> {
        self.fields.required(name, |cursor| cursor.amount())
    }

    fn instant(&mut self, name: &str) -> Option<Timestamp> {
        self.fields.required(name, |cursor| cursor.given_instant())
    }

    fn term(&mut self, name: &str) -> Option<Term> {
        self.fields.required(name, |cursor| cursor.given_term())
    }

    fn count(&mut self, name: &str) -> Option<u32> {
        self.stored().count(name)
    }

    fn day(&mut self, name: &str) -> Option<u8> {
        self.stored().day(name)
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        self.stored().flag(name)
    }

    fn refunds(&mut self, name: &str) -> Option<Vec<(String, Micros)>> {
        self.stored().refunds(name)
    }
}

impl<'f, 'n, 'd> PlainFields<'f, 'n, 'd, '_> {
    /// The same fields as the host itself writes them: what is written in one way only is read by one piece of code.
    fn stored(&self) -> StoredFields<'f, 'n, 'd> {
        StoredFields { fields: self.fields }
    }
}

/// What the plain field called `name` is when a file leaves it out; `None` for one that must be there or may have no value.
pub fn default_value(name: &str) -> Option<&'static str> {
    DEFAULTS.iter().find(|(field, _)| *field == name).map(|(_, default)| *default)
}

/// Checks the expiry against the purchase and the anchor day.
fn check_expiry(
    fields: &Fields<'_, '_>,
    quiet: &Fields<'_, '_>,
    charging: Option<Charging>,
    started_at: Option<Timestamp>,
    utc_offset_minutes: Option<i16>,
) {
    let expires_at = quiet.optional("expires_at", |cursor| cursor.given_instant()).value();
    let anchor_day = quiet.optional("anchor_day", |cursor| cursor.day()).value();
    if let (Some(expires_at), Some(started_at)) = (expires_at, started_at)
        && expires_at <= started_at
    {
        fields.report("expires_at", format!("{expires_at} is not after `started_at`, which is {started_at}"));
    }
    if let (Some(expires_at), Some(anchor_day), Some(offset_minutes)) =
        (expires_at, anchor_day, utc_offset_minutes)
        && charging != Some(Charging::Postpaid)
        && !expires_at.is_anchored_to(anchor_day, offset_minutes)
    {
        let day = expires_at.day_of_month(offset_minutes);
        fields.report(
            "anchor_day",
            format!(
                "{anchor_day} does not fit `expires_at`: {expires_at} is on day {day} of its month in the provider's \
                 days; write {day}, a later day if that is the month's last, or leave it out"
            ),
        );
    }
}

/// Whether what was paid for is there: all of it for prepaid resources, none of it for postpaid ones.
fn check_period(fields: &Fields<'_, '_>, charging: Option<Charging>) -> bool {
    let (given, absent) = PERIOD.into_iter().partition::<Vec<_>, _>(|name| !fields.is_absent(name));
    match charging {
        None => false,
        Some(Charging::Postpaid) => {
            for name in &given {
                fields
                    .report(name, format!("a postpaid resource has no `{name}`; leave it out or write null"));
            }
            given.is_empty()
        }
        Some(Charging::Prepaid) => {
            for name in absent.iter().filter(|name| **name != "anchor_day") {
                fields.report(name, format!("a prepaid resource needs `{name}`; it is missing or null"));
            }
            absent.iter().all(|name| *name == "anchor_day")
        }
    }
}

fn package(
    fields: &Fields<'_, '_>,
    name: &str,
    kind: &Kind,
    charging: Option<Charging>,
    started_at: Option<Timestamp>,
) -> Option<Option<Package>> {
    let quota = fields.optional("quota", |cursor| cursor.amount_above_zero());
    let used = fields.optional("used", |cursor| cursor.amount());
    let unit = fields.optional("unit", |cursor| cursor.name());
    let resource_type = fields.optional("resource_type", |cursor| cursor.name());
    let absent = [
        quota == FieldValue::Absent,
        used == FieldValue::Absent,
        unit == FieldValue::Absent,
        resource_type == FieldValue::Absent,
    ];
    if !kind.is_package {
        for (field, _) in PACKAGE.into_iter().zip(absent).filter(|(_, is_absent)| !is_absent) {
            fields.report(field, format!("only a resource package has `{field}`, and `{name}` is none"));
        }
        return Some(None);
    }
    for (field, _) in PACKAGE.into_iter().zip(absent).filter(|(_, is_absent)| *is_absent) {
        fields.report(field, format!("a resource package needs `{field}`; it is missing or null"));
    }
    if charging == Some(Charging::Postpaid) {
        fields.report("charging", format!("`{name}` is a resource package, which is always `prepaid`"));
    }
    if let (FieldValue::Present(quota), FieldValue::Present(used)) = (quota, used)
        && used > quota
    {
        fields.report("used", format!("{used} is more than the quota, which is {quota}"));
    }
    Some(Some(Package {
        quota: quota.value()?,
        used: used.value()?,
        unit: unit.value()?.to_owned(),
        resource_type: resource_type.value()?.to_owned(),
        bought_at: started_at?,
    }))
}
