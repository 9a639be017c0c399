//! Resources of an inventory, one at a time. Checks which fields go together; checks no attachments.

use std::collections::BTreeMap;

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::inventory_diff::Given;
use perennial_domain::manifest::Kind;
use perennial_domain::manifest::Manifest;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;

use super::account::Accounts;
use crate::fields::FieldValue;
use crate::fields::Fields;
use crate::json_cursor::JsonCursor;
use crate::resource;
use crate::wording;

/// The fields of a resource of the file: those of every format, and its account.
pub(super) const FIELDS: &[&str] = &resource::with(1, "account");

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
    /// Its id.
    pub(super) id: Option<&'n str>,
    /// The account it names.
    pub(super) account: Option<&'n str>,
    /// The id of the resource that it is attached to.
    pub(super) attached_to: Option<&'n str>,
    /// Its kind's name, and what the plugin says of it.
    pub(super) kind: Option<(&'n str, &'c Kind)>,
    /// Which of the fields that have a default are there.
    pub(super) given: Given,
    /// All of it, when nothing is wrong; `attached_to` is not set yet.
    pub(super) resource: Option<Resource>,
}

/// Reads the resource at `index` of the list; `None` when it is no object.
pub(super) fn read<'c, 'n>(
    index: usize,
    cursor: JsonCursor<'n, '_>,
    accounts: &mut Accounts<'c, 'n>,
) -> Option<Draft<'c, 'n>> {
    let fields = cursor.object(FIELDS)?;
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
        given: given(&fields),
        kind,
        resource: resource(&fields, id, kind, manifest),
    })
}

fn given(fields: &Fields<'_, '_>) -> Given {
    let is_given = |name| fields.get(name).is_some();
    Given {
        region: is_given("region"),
        stage: is_given("stage"),
        anchor_day: is_given("anchor_day"),
        on_expiry: is_given("on_expiry"),
        renewals_left: is_given("renewals_left"),
        renewal_term: is_given("renewal_term"),
    }
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
    let region = fields.optional("region", |cursor| cursor.text()).or("");
    let charging = fields.required("charging", |cursor| cursor.one_of(&Charging::ALL, Charging::name));
    let stage = fields.optional("stage", |cursor| cursor.one_of(&Stage::ALL, Stage::name)).or(Stage::Active);
    let started_at = fields.required("started_at", |cursor| cursor.given_instant());
    let period = period(fields, charging, started_at, manifest.map(|it| it.utc_offset_minutes));
    let on_expiry = fields.optional("on_expiry", |cursor| cursor.one_of(&OnExpiry::ALL, OnExpiry::name));
    let renewals_left = fields.optional("renewals_left", |cursor| cursor.count()).option();
    let renewal_term = fields.optional("renewal_term", |cursor| cursor.given_term()).option();
    let package = match kind {
        Some((name, kind)) => package(fields, name, kind, charging, started_at),
        None => None,
    };
    let attributes = fields.optional("attributes", |cursor| cursor.named_texts()).or(BTreeMap::new());
    let tags = fields.optional("tags", |cursor| cursor.named_texts()).or(BTreeMap::new());
    let period = period?;
    Some(Resource {
        id: id?.to_owned(),
        kind: kind?.0.to_owned(),
        region: region?.to_owned(),
        attached_to: None,
        charging: charging?,
        stage: stage?,
        started_at: started_at?,
        expires_at: period.expires_at,
        anchor_day: period.anchor_day,
        term: period.term,
        price: period.price,
        on_expiry: effective(on_expiry.or(OnExpiry::Lapse)?, renewals_left?),
        renewals_left: renewals_left?,
        renewal_term: renewal_term?,
        has_unpaid_order: false,
        package: package?,
        attributes: attributes?,
        tags: tags?,
    })
}

/// No automatic renewal left is auto-renew turned off.
fn effective(on_expiry: OnExpiry, renewals_left: Option<u32>) -> OnExpiry {
    match (on_expiry, renewals_left) {
        (OnExpiry::Renew, Some(0)) => OnExpiry::Lapse,
        (OnExpiry::Lapse | OnExpiry::Renew | OnExpiry::Convert | OnExpiry::Release, _) => on_expiry,
    }
}

/// What was paid for: all of it for prepaid resources, none of it for postpaid ones.
#[derive(Default)]
struct Period {
    expires_at: Option<Timestamp>,
    anchor_day: Option<u8>,
    term: Option<Term>,
    price: Option<Micros>,
}

fn period(
    fields: &Fields<'_, '_>,
    charging: Option<Charging>,
    started_at: Option<Timestamp>,
    utc_offset_minutes: Option<i16>,
) -> Option<Period> {
    let expires_at = fields.optional("expires_at", |cursor| cursor.given_instant());
    let anchor_day = fields.optional("anchor_day", |cursor| cursor.day());
    let term = fields.optional("term", |cursor| cursor.given_term());
    let price = fields.optional("price", |cursor| cursor.amount());
    if let (FieldValue::Present(expires_at), Some(started_at)) = (expires_at, started_at)
        && expires_at <= started_at
    {
        fields.report("expires_at", format!("{expires_at} is not after `started_at`, which is {started_at}"));
    }
    if let (FieldValue::Present(expires_at), FieldValue::Present(anchor_day), Some(offset_minutes)) =
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
    match charging? {
        Charging::Postpaid => {
            let given =
                [term != FieldValue::Absent, price != FieldValue::Absent, expires_at != FieldValue::Absent];
            let given = given.into_iter().chain([anchor_day != FieldValue::Absent]);
            for (name, _) in PERIOD.into_iter().zip(given).filter(|(_, is_given)| *is_given) {
                fields
                    .report(name, format!("a postpaid resource has no `{name}`; leave it out or write null"));
            }
            Some(Period::default())
        }
        Charging::Prepaid => {
            let absent =
                [term == FieldValue::Absent, price == FieldValue::Absent, expires_at == FieldValue::Absent];
            for (name, _) in PERIOD.into_iter().zip(absent).filter(|(_, is_absent)| *is_absent) {
                fields.report(name, format!("a prepaid resource needs `{name}`; it is missing or null"));
            }
            let expires_at = expires_at.value()?;
            Some(Period {
                expires_at: Some(expires_at),
                anchor_day: Some(anchor_day.or(expires_at.day_of_month(utc_offset_minutes.unwrap_or(0)))?),
                term: Some(term.value()?),
                price: Some(price.value()?),
            })
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
