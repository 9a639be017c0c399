//! Resources in inventories and stored decisions: the names of their fields, a writer, and a reader for stored ones.
//!
//! The plain fields are listed in [`mod@perennial_domain::resource_fields`]. Does not check what outside programs write, which
//! is the inventory's business.

use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::index::MemberIndex;

use super::fields::Fields;
use super::json_value::JsonValue;
use super::stored_fields::StoredFields;

/// Every field of a resource that an inventory has, but for `account`; `attached_to` is given.
pub(super) fn fields<'a>(
    resource: &'a Resource,
    attached_to: JsonValue<'a>,
) -> Vec<(&'a str, JsonValue<'a>)> {
    let mut fields = Vec::with_capacity(STORED_FIELDS.len());
    resource.visit_fields(|name, value| fields.push((name, value.into())));
    fields.extend([
        ("attached_to", attached_to),
        ("attributes", (&resource.attributes).into()),
        ("tags", (&resource.tags).into()),
    ]);
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

/// What a resource has beside its plain fields, in every format.
const OTHER_FIELDS: [&str; 7] =
    ["attached_to", "attributes", "tags", "quota", "used", "unit", "resource_type"];

/// The names of the fields of a resource of an inventory.
pub(super) const INVENTORY_FIELDS: &[&str] = &names::<{ FIELDS + 1 }>(&["account"]);

/// The names of the fields that [`stored_value`] writes.
pub(super) const STORED_FIELDS: &[&str] = &names::<{ FIELDS + 2 }>(&["bought_at", "has_unpaid_order"]);

/// How many fields every format of a resource has.
const FIELDS: usize = Resource::FIELDS.len() + OTHER_FIELDS.len();

/// The names of the fields that every format has, the id first, then `more`, then the rest.
const fn names<const N: usize>(more: &[&'static str]) -> [&'static str; N] {
    let mut names = [Resource::FIELDS[0].name; N];
    let mut index = 1;
    while index < N {
        let plain = index - 1;
        names[index] = if plain < more.len() {
            more[plain]
        } else if index - more.len() < Resource::FIELDS.len() {
            Resource::FIELDS[index - more.len()].name
        } else {
            OTHER_FIELDS[index - more.len() - Resource::FIELDS.len()]
        };
        index += 1;
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
        attached_to: fields.optional("attached_to", |cursor| cursor.member()).option()?,
        has_unpaid_order: fields.optional("has_unpaid_order", |cursor| cursor.flag()).or(false)?,
        package,
        attributes: fields.required("attributes", |cursor| cursor.texts())?,
        tags: fields.required("tags", |cursor| cursor.texts())?,
        ..Resource::read(&mut StoredFields { fields })?
    })
}

/// Reads a package as kept decisions and the API have it.
pub(super) fn read_stored_package(fields: &Fields<'_, '_>) -> Option<Package> {
    Some(Package {
        quota: fields.required("quota", |cursor| cursor.stored_amount())?,
        used: fields.required("used", |cursor| cursor.stored_amount())?,
        unit: fields.required("unit", |cursor| cursor.text())?.to_owned(),
        resource_type: fields.required("resource_type", |cursor| cursor.text())?.to_owned(),
        bought_at: fields.required("bought_at", |cursor| cursor.instant())?,
    })
}
