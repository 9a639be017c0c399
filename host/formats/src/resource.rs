//! Resources in inventories and stored decisions: the list of their fields, a writer, and a reader for stored ones.
//!
//! Knows every field; does not check what outside programs write, which is the inventory's business.

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::index::MemberIndex;

use super::fields::Fields;
use super::json_value::JsonValue;

/// Every field of a resource that an inventory has, but for `account`; `attached_to` is given.
pub(super) fn fields<'a>(
    resource: &'a Resource,
    attached_to: JsonValue<'a>,
) -> Vec<(&'a str, JsonValue<'a>)> {
    let mut fields = vec![
        ("id", (&resource.id).into()),
        ("kind", (&resource.kind).into()),
        ("region", (&resource.region).into()),
        ("charging", resource.charging.name().into()),
        ("stage", resource.stage.name().into()),
        ("started_at", resource.started_at.into()),
        ("expires_at", resource.expires_at.into()),
        ("anchor_day", resource.anchor_day.into()),
        ("term", resource.term.into()),
        ("price", resource.price.into()),
        ("on_expiry", resource.on_expiry.name().into()),
        ("renewals_left", resource.renewals_left.into()),
        ("renewal_term", resource.renewal_term.into()),
        ("attached_to", attached_to),
        ("attributes", (&resource.attributes).into()),
        ("tags", (&resource.tags).into()),
    ];
    if let Some(package) = &resource.package {
        fields.extend([
            ("quota", package.quota.into()),
            ("used", package.used.into()),
            ("unit", (&package.unit).into()),
            ("resource_type", (&package.resource_type).into()),
        ]);
    }
    fields
}

/// Every field of a member of a kept bundle; `attached_to` is a place there, and a package says when it was bought.
pub(super) fn stored_value(resource: &Resource) -> JsonValue<'_> {
    let mut fields = fields(resource, resource.attached_to.map(MemberIndex::get).into());
    if let Some(package) = &resource.package {
        fields.push(("bought_at", package.bought_at.into()));
    }
    if resource.has_unpaid_order {
        fields.push(("has_unpaid_order", true.into()));
    }
    JsonValue::Object(fields)
}

/// The names of the fields that every format of a resource has.
pub(super) const FIELDS: [&str; 20] = [
    "id",
    "kind",
    "region",
    "charging",
    "stage",
    "started_at",
    "expires_at",
    "anchor_day",
    "term",
    "price",
    "on_expiry",
    "renewals_left",
    "renewal_term",
    "attached_to",
    "attributes",
    "tags",
    "quota",
    "used",
    "unit",
    "resource_type",
];

/// The names of the fields that [`stored_value`] writes.
pub(super) const STORED_FIELDS: &[&str] = &{
    let mut names = ["has_unpaid_order"; 22];
    let written = with(FIELDS.len(), "bought_at");
    let mut next = 0;
    while next < written.len() {
        names[next] = written[next];
        next += 1;
    }
    names
};

/// [`FIELDS`] with one more name at `index`.
pub(super) const fn with(index: usize, name: &'static str) -> [&'static str; 21] {
    let mut names = [name; 21];
    let mut next = 0;
    while next < FIELDS.len() {
        names[if next < index { next } else { next + 1 }] = FIELDS[next];
        next += 1;
    }
    names
}

/// Reads what [`stored_value`] wrote.
pub(super) fn read_stored(fields: &Fields<'_, '_>) -> Option<Resource> {
    let package = match fields.get("quota") {
        Some(_) => Some(read_stored_package(fields)?),
        None => None,
    };
    Some(Resource {
        id: fields.required("id", |cursor| cursor.text())?.to_owned(),
        kind: fields.required("kind", |cursor| cursor.text())?.to_owned(),
        region: fields.required("region", |cursor| cursor.text())?.to_owned(),
        attached_to: fields.optional("attached_to", |cursor| cursor.member()).option()?,
        charging: fields.required("charging", |cursor| cursor.one_of(&Charging::ALL, Charging::name))?,
        stage: fields.required("stage", |cursor| cursor.one_of(&Stage::ALL, Stage::name))?,
        started_at: fields.required("started_at", |cursor| cursor.instant())?,
        expires_at: fields.optional("expires_at", |cursor| cursor.instant()).option()?,
        anchor_day: fields.optional("anchor_day", |cursor| cursor.day()).option()?,
        term: fields.optional("term", |cursor| cursor.term()).option()?,
        price: fields.optional("price", |cursor| cursor.stored_amount()).option()?,
        on_expiry: fields.required("on_expiry", |cursor| cursor.one_of(&OnExpiry::ALL, OnExpiry::name))?,
        renewals_left: fields.optional("renewals_left", |cursor| cursor.count()).option()?,
        renewal_term: fields.optional("renewal_term", |cursor| cursor.term()).option()?,
        has_unpaid_order: fields.optional("has_unpaid_order", |cursor| cursor.flag()).or(false)?,
        package,
        attributes: fields.required("attributes", |cursor| cursor.texts())?,
        tags: fields.required("tags", |cursor| cursor.texts())?,
    })
}

fn read_stored_package(fields: &Fields<'_, '_>) -> Option<Package> {
    Some(Package {
        quota: fields.required("quota", |cursor| cursor.stored_amount())?,
        used: fields.required("used", |cursor| cursor.stored_amount())?,
        unit: fields.required("unit", |cursor| cursor.text())?.to_owned(),
        resource_type: fields.required("resource_type", |cursor| cursor.text())?.to_owned(),
        bought_at: fields.required("bought_at", |cursor| cursor.instant())?,
    })
}
