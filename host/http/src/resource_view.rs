//! Resources as clients see them, and as the API describes those that it shows and those that it takes.
//!
//! The plain fields come from [`mod@perennial_domain::resource_fields`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use perennial_domain::bundle::Resource;
use perennial_domain::field::FieldKind;
use perennial_domain::resource_fields::ResourceField;
use perennial_formats::JsonValue;
use perennial_formats::body::ID_MAX;
use perennial_formats::inventory;
use perennial_formats::plan::TermView;
use perennial_service::lookup;
use perennial_service::lookup::ResolvedResource;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;
use serde::Serialize;
use serde::Serializer;
use utoipa::PartialSchema;
use utoipa::ToSchema;
use utoipa::openapi::KnownFormat;
use utoipa::openapi::ObjectBuilder;
use utoipa::openapi::OneOfBuilder;
use utoipa::openapi::Ref;
use utoipa::openapi::RefOr;
use utoipa::openapi::Schema;
use utoipa::openapi::SchemaFormat;
use utoipa::openapi::Type;
use utoipa::openapi::schema::SchemaType;

use crate::admin::command_bodies::NewTerm;
use crate::views;

/// The fields of a resource package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PackageContents)]
pub(crate) struct PackageView {
    /// The type of resource whose usage it covers.
    resource_type: String,
    /// The quota, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    quota: String,
    /// The used part of the quota, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    used: String,
    /// The rest of the quota, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    left: String,
    /// The unit of the quota.
    unit: String,
    /// The instant of its payment.
    #[schema(format = DateTime)]
    bought_at: String,
}

/// A resource that a provider bills.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ResourceView {
    #[serde(flatten, serialize_with = "plain_fields")]
    resource: Resource,
    #[serde(flatten)]
    others: OtherFields,
}

/// What a resource has beside its plain fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct OtherFields {
    /// The account's ID.
    account: String,
    /// The id of the plugin that has the rules.
    provider: String,
    /// The account's currency.
    currency: String,
    /// The ID of the primary that it is attached to.
    attached_to: Option<String>,
    /// The fields of a resource package; null for other resources.
    package: Option<PackageView>,
    /// Attributes that the provider's rules may read.
    attributes: BTreeMap<String, String>,
    /// Tags, for people.
    tags: BTreeMap<String, String>,
    /// When the clock next acts on its bundle; null when it never does, and while what was imported waits for the clock.
    #[schema(format = DateTime)]
    next_wake_at: Option<String>,
    /// The last failure of its plugin, until the plugin succeeds.
    problem: Option<String>,
}

/// The view of a resource, with the last failure of its plugin.
pub(crate) fn resource_view(db: &ReadTx, resolved: &ResolvedResource) -> Result<ResourceView, StoreError> {
    let bundle = &resolved.stored.bundle;
    let resource = resolved.resource();
    let account = &resolved.account.account;
    let package = resource.package.as_ref().map(|package| PackageView {
        resource_type: package.resource_type.clone(),
        quota: package.quota.to_string(),
        used: package.used.to_string(),
        left: package.left().to_string(),
        unit: package.unit.clone(),
        bought_at: package.bought_at.to_string(),
    });
    let others = OtherFields {
        account: account.id.clone(),
        provider: account.provider.clone(),
        currency: account.currency.clone(),
        attached_to: resource.attached_to.map(|primary| bundle[primary].id.clone()),
        package,
        attributes: resource.attributes.clone(),
        tags: resource.tags.clone(),
        next_wake_at: views::to_text(resolved.stored.schedule.known_wake()),
        problem: lookup::plugin_problem(db, resolved)?,
    };
    Ok(ResourceView { resource: resource.clone(), others })
}

fn plain_fields<S: Serializer>(resource: &Resource, serializer: S) -> Result<S::Ok, S::Error> {
    let mut fields = Vec::with_capacity(Resource::FIELDS.len());
    resource.visit_fields(|name, value| fields.push((name, JsonValue::from(value))));
    serializer.collect_map(fields)
}

impl PartialSchema for ResourceView {
    fn schema() -> RefOr<Schema> {
        with_plain_fields(OtherFields::schema(), "A resource.", Direction::Out)
    }
}

impl ToSchema for ResourceView {
    fn name() -> Cow<'static, str> {
        "Resource".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        OtherFields::schemas(schemas);
        schemas.push((TermView::name().into_owned(), TermView::schema()));
    }
}

/// A new resource, as an inventory has it. Only described here: [`inventory`] reads it.
pub(crate) struct NewResource;

/// What a new resource has beside its plain fields.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what an inventory's resource is read as")]
struct NewFields {
    /// The account's ID.
    #[schema(min_length = 1, max_length = 64)]
    account: String,
    /// The primary's id.
    attached_to: Option<String>,
    /// Of a package: the quota, a decimal.
    #[schema(pattern = "^[0-9]{1,10}([.][0-9]{1,6})?$")]
    quota: Option<String>,
    /// Of a package: the used part of the quota, a decimal.
    #[schema(pattern = "^[0-9]{1,10}([.][0-9]{1,6})?$")]
    used: Option<String>,
    /// Of a package: the unit of the quota.
    unit: Option<String>,
    /// Of a package: the type of resource whose usage it covers.
    resource_type: Option<String>,
    /// Attributes that the provider's rules may read.
    attributes: Option<BTreeMap<String, String>>,
    /// Tags, for people.
    tags: Option<BTreeMap<String, String>>,
}

impl PartialSchema for NewResource {
    fn schema() -> RefOr<Schema> {
        with_plain_fields(NewFields::schema(), "A new resource.", Direction::In)
    }
}

impl ToSchema for NewResource {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        NewFields::schemas(schemas);
        schemas.push((NewTerm::name().into_owned(), NewTerm::schema()));
    }
}

/// Whether a client gets a resource or gives one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Out,
    In,
}

/// The description of an object with the plain fields of a resource beside those that it has.
fn with_plain_fields(others: RefOr<Schema>, meaning: &str, direction: Direction) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut object)) = others else { return others };
    object.description = Some(meaning.to_owned());
    for field in Resource::FIELDS {
        let has_default = direction == Direction::In && inventory::default_value(field.name).is_some();
        if !field.is_optional && !has_default {
            object.required.push(field.name.to_owned());
        }
        object.properties.insert(field.name.to_owned(), property(field, direction));
    }
    Schema::Object(object).into()
}

/// The description of a plain field.
fn property(field: &ResourceField, direction: Direction) -> RefOr<Schema> {
    let mut meaning = field.meaning.trim().to_owned();
    let default = inventory::default_value(field.name).filter(|_| direction == Direction::In);
    if let Some(default) = default.filter(|default| !default.is_empty()) {
        meaning.push_str(&format!(" Left out, `{default}`."));
    }
    let is_optional = field.is_optional || default.is_some();
    let object = match field.kind {
        FieldKind::Term => return term(meaning, is_optional, direction),
        FieldKind::Text if direction == Direction::In && default.is_none() => {
            let is_id = field.name == "id";
            ObjectBuilder::new().min_length(Some(1)).max_length(is_id.then_some(ID_MAX))
        }
        FieldKind::Text | FieldKind::Flag | FieldKind::Refunds => ObjectBuilder::new(),
        FieldKind::Word(words) => {
            let listed = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            meaning.push_str(&format!(" One of {listed}."));
            ObjectBuilder::new().pattern(Some(format!("^({})$", words.join("|"))))
        }
        FieldKind::Amount => ObjectBuilder::new().pattern(Some(match direction {
            Direction::Out => "^-?[0-9]+[.][0-9]{2,6}$",
            Direction::In => "^[0-9]{1,10}([.][0-9]{1,6})?$",
        })),
        FieldKind::Instant => {
            ObjectBuilder::new().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        }
        FieldKind::Count => ObjectBuilder::new().minimum(Some(0)),
        FieldKind::Day => ObjectBuilder::new().minimum(Some(1)).maximum(Some(31)),
    };
    let holds = match field.kind {
        FieldKind::Count | FieldKind::Day => Type::Integer,
        FieldKind::Flag => Type::Boolean,
        FieldKind::Text
        | FieldKind::Word(_)
        | FieldKind::Amount
        | FieldKind::Instant
        | FieldKind::Term
        | FieldKind::Refunds => Type::String,
    };
    let schema_type = if is_optional { SchemaType::from_iter([holds, Type::Null]) } else { holds.into() };
    object.schema_type(schema_type).description(Some(meaning)).into()
}

/// The description of a term, in the words of those that go the same way.
fn term(meaning: String, is_optional: bool, direction: Direction) -> RefOr<Schema> {
    let name = match direction {
        Direction::Out => TermView::name(),
        Direction::In => NewTerm::name(),
    };
    let term = Ref::from_schema_name(name);
    let choices = OneOfBuilder::new().description(Some(meaning));
    let choices = match is_optional {
        true => choices.item(ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null))),
        false => choices,
    };
    choices.item(term).into()
}
