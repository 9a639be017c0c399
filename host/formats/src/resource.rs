//! Resources as this host writes them, into inventories and kept decisions, and how it reads its own writing back.
//!
//! Knows every field; does not check what outside programs write, which is the inventory's business.

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;

use super::fields::Fields;
use super::write::Value;

/// Every field of a resource that an inventory has, but for `account`; `attached_to` is given.
pub(super) fn fields<'a>(resource: &'a Resource, attached_to: Value<'a>) -> Vec<(&'a str, Value<'a>)> {
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
pub(super) fn kept(resource: &Resource) -> Value<'_> {
    let mut fields = fields(resource, resource.attached_to.into());
    if let Some(package) = &resource.package {
        fields.push(("bought_at", package.bought_at.into()));
    }
    Value::Object(fields)
}

/// The names of those fields.
pub(super) const KEPT: &[&str] = &[
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
    "bought_at",
];

/// Reads what [`kept`] wrote.
pub(super) fn read_kept(fields: &Fields<'_, '_>) -> Option<Resource> {
    let package = match fields.get("quota") {
        Some(_) => Some(read_kept_package(fields)?),
        None => None,
    };
    Some(Resource {
        id: fields.required("id", |spot| spot.text())?.to_owned(),
        kind: fields.required("kind", |spot| spot.text())?.to_owned(),
        region: fields.required("region", |spot| spot.text())?.to_owned(),
        attached_to: fields.optional("attached_to", |spot| spot.place()).option()?,
        charging: fields.required("charging", |spot| spot.one_of(&Charging::ALL, Charging::name))?,
        stage: fields.required("stage", |spot| spot.one_of(&Stage::ALL, Stage::name))?,
        started_at: fields.required("started_at", |spot| spot.instant())?,
        expires_at: fields.optional("expires_at", |spot| spot.instant()).option()?,
        anchor_day: fields.optional("anchor_day", |spot| spot.day()).option()?,
        term: fields.optional("term", |spot| spot.term()).option()?,
        price: fields.optional("price", |spot| spot.written_amount()).option()?,
        on_expiry: fields.required("on_expiry", |spot| spot.one_of(&OnExpiry::ALL, OnExpiry::name))?,
        renewals_left: fields.optional("renewals_left", |spot| spot.count()).option()?,
        renewal_term: fields.optional("renewal_term", |spot| spot.term()).option()?,
        package,
        attributes: fields.required("attributes", |spot| spot.texts())?,
        tags: fields.required("tags", |spot| spot.texts())?,
    })
}

fn read_kept_package(fields: &Fields<'_, '_>) -> Option<Package> {
    Some(Package {
        quota: fields.required("quota", |spot| spot.written_amount())?,
        used: fields.required("used", |spot| spot.written_amount())?,
        unit: fields.required("unit", |spot| spot.text())?.to_owned(),
        resource_type: fields.required("resource_type", |spot| spot.text())?.to_owned(),
        bought_at: fields.required("bought_at", |spot| spot.instant())?,
    })
}
