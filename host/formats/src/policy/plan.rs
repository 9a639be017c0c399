//! A made-up plan, for tests of policies and for trying them: what is stated, and defaults for everything else.
//!
//! FORMATS.md has the table of defaults. `()` is written `"()"`, or `null` in JSON.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::index::AccountIndex;
use perennial_domain::manifest::Manifest;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::Budget;
use perennial_domain::policy::facts::ExtensionPrice;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::facts::Tries;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;

use super::super::Problems;
use super::super::command;
use super::super::diagnostics::Diagnostics;
use super::super::diagnostics::Path;
use super::super::fields::Fields;
use super::super::json_cursor::JsonCursor;
use super::super::json_tree;
use super::super::json_tree::Json;
use super::super::toml_text;

/// Seconds of a day.
const DAY: i64 = 86_400;
/// The present of a plan that states none: 2026-02-20T19:00:00Z, 03:00 in UTC+8.
const AT: Timestamp = Timestamp::from_second(1_771_614_000);
/// The price of a resource that states none.
const PRICE: Micros = Micros::new(100_000_000);
/// The balance of an account that states none.
const BALANCE: Micros = Micros::new(10_000_000_000);
/// The limit of a budget that states none.
const LIMIT: Micros = Micros::new(1_000_000_000);

/// The fields of a plan.
const FIELDS: &[&str] = &[
    "command",
    "cause",
    "cost",
    "refund",
    "currency",
    "at",
    "first_try_at",
    "next_try_at",
    "last_try_at",
    "term",
    "options",
    "resource",
    "members",
    "expires_after",
    "account",
    "budget",
    "requested_by",
    "quotes",
];
/// The fields of a resource of a plan.
const RESOURCE_FIELDS: &[&str] = &[
    "id",
    "kind",
    "region",
    "tags",
    "attributes",
    "stage",
    "started_at",
    "expires_at",
    "term",
    "price",
    "renewals",
];

/// A plan with its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamplePlan {
    /// The account that pays.
    pub account: AccountFacts,
    /// The plan; its account is the first of one, and it names no policies.
    pub facts: PlanFacts,
}

/// Reads a plan of its own file, in JSON or TOML.
///
/// # Errors
///
/// Every problem of it, each with its path.
pub fn read(text: &str, manifests: &BTreeMap<String, &Manifest>) -> Result<SamplePlan, Problems> {
    let json = match text.trim_start().starts_with('{') {
        true => text.to_owned(),
        false => toml_text::to_json(text)?,
    };
    let problems = Diagnostics::new("the plan");
    let root = json_tree::parse(&json, &problems)?;
    let plan = read_table(JsonCursor { node: &root, path: Path::Root, diagnostics: &problems }, manifests);
    problems.finish(plan)
}

/// The plan that states nothing.
pub(super) fn default(manifests: &BTreeMap<String, &Manifest>) -> Option<SamplePlan> {
    let problems = Diagnostics::new("the plan");
    let root = json_tree::parse("{}", &problems).ok()?;
    read_table(JsonCursor { node: &root, path: Path::Root, diagnostics: &problems }, manifests)
}

/// Reads a plan within a file.
pub(super) fn read_table(
    cursor: JsonCursor<'_, '_>,
    manifests: &BTreeMap<String, &Manifest>,
) -> Option<SamplePlan> {
    let fields = cursor.object(FIELDS)?;
    let account = account(&fields, manifests);
    let command =
        fields.optional("command", |cursor| super::existing_name(cursor, "command", command::names()));
    let command = command.or("renew".to_owned());
    let is_renewal = command.as_deref().is_none_or(|command| command == "renew");
    let cause = fields.optional("cause", |cursor| cursor.one_of(&[Cause::Auto, Cause::Command], Cause::name));
    let cause = cause.or(if is_renewal { Cause::Auto } else { Cause::Command });
    let at = fields.optional("at", |cursor| cursor.instant()).or(AT);
    let base = at.unwrap_or(AT);
    let tries = tries(&fields, base, is_renewal);
    let term = maybe(&fields, "term", is_renewal.then_some(MONTH), |cursor| cursor.given_term());
    let options = maybe(&fields, "options", None, |cursor| cursor.texts());
    let stated = fields.get("cost").map(|cursor| unit_or(&cursor, |cursor| cursor.amount()));
    let price = stated.flatten().flatten().filter(|_| term.flatten() == Some(MONTH)).unwrap_or(PRICE);
    let members = members(&fields, base, price);
    let prices = members.as_deref().unwrap_or_default().iter().map(|(resource, _)| extension(resource));
    let extensions = prices.collect::<Option<Vec<_>>>().filter(|_| is_renewal).unwrap_or_default();
    let cost = match (stated, term.flatten()) {
        (Some(stated), _) => stated,
        (None, Some(term)) if is_renewal => Some(price_of(&extensions, term)),
        (None, _) => Some(Some(Micros::ZERO)),
    };
    let refund = maybe(&fields, "refund", Some(Micros::ZERO), |cursor| cursor.amount());
    let expiry = members.as_ref().and_then(|members| members.first()?.0.expires_at);
    let renewed = expiry.zip(term.flatten()).filter(|_| is_renewal).map(|(expiry, term)| later(expiry, term));
    let expires_after = maybe(&fields, "expires_after", renewed, |cursor| cursor.instant());
    let person = cause.filter(|cause| *cause == Cause::Command).map(|_| "operator".to_owned());
    let requested_by = maybe(&fields, "requested_by", person, |cursor| cursor.name().map(str::to_owned));
    let quotes = fields.optional("quotes", |cursor| cursor.list(|_, cursor| quote(cursor))).or(Vec::new());
    Some(SamplePlan {
        account: account?,
        facts: PlanFacts {
            account: AccountIndex::new(0),
            command: command?,
            cause: cause?,
            cost: cost?,
            refund: refund?,
            at: at?,
            tries: tries?,
            term: term?,
            options: options?,
            members: members?,
            expires_after: expires_after?,
            requested_by: requested_by?,
            extensions,
            quotes: quotes?,
            policies: Vec::new(),
            is_pending: false,
        },
    })
}

/// The term of a plan or resource that states none.
const MONTH: Term = Term { count: NonZeroU32::MIN, unit: TermUnit::Month };

/// The value, or `()`: `None` when it cannot be read.
fn unit_or<'n, 'p, T>(
    cursor: &JsonCursor<'n, 'p>,
    read: impl FnOnce(JsonCursor<'n, 'p>) -> Option<T>,
) -> Option<Option<T>> {
    match &cursor.node.json {
        Json::Null => Some(None),
        Json::Text(text) if text == "()" => Some(None),
        Json::Flag(_) | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => {
            read(*cursor).map(Some)
        }
    }
}

/// A field that may be `()`: its default where it is left out, `None` when it cannot be read.
fn maybe<'n, T>(
    fields: &Fields<'n, '_>,
    name: &'static str,
    default: Option<T>,
    read: impl FnOnce(JsonCursor<'n, '_>) -> Option<T>,
) -> Option<Option<T>> {
    match fields.get(name) {
        None => Some(default),
        Some(cursor) => unit_or(&cursor, read),
    }
}

fn tries(fields: &Fields<'_, '_>, at: Timestamp, is_renewal: bool) -> Option<Tries> {
    let default = |days: i64| is_renewal.then_some(at + days * DAY);
    let first = maybe(fields, "first_try_at", default(0), |cursor| cursor.instant());
    let next = maybe(fields, "next_try_at", default(1), |cursor| cursor.instant());
    let last = maybe(fields, "last_try_at", default(7), |cursor| cursor.instant());
    Some(Tries { first: first?, next: next?, last: last? })
}

fn account(fields: &Fields<'_, '_>, manifests: &BTreeMap<String, &Manifest>) -> Option<AccountFacts> {
    let ids = || manifests.keys().map(String::as_str);
    let usual = if manifests.contains_key("huawei") { Some("huawei") } else { ids().next() };
    let usual = usual.unwrap_or_default().to_owned();
    let currency = fields.optional("currency", |cursor| cursor.name().map(str::to_owned));
    let budget = maybe(fields, "budget", None, budget);
    let given = fields.optional("account", |cursor| {
        let fields = cursor.object(&["id", "provider", "balance", "settings"])?;
        let id = fields.optional("id", |cursor| cursor.id().map(str::to_owned)).option();
        let provider =
            fields.optional("provider", |cursor| super::existing_name(cursor, "provider", ids())).option();
        let balance = fields.optional("balance", |cursor| cursor.amount()).option();
        let settings = fields.optional("settings", |cursor| cursor.texts()).option();
        Some((id?, provider?, balance?, settings?))
    });
    let (id, provider, balance, settings) = given.or((None, None, None, None))?;
    let provider = provider.unwrap_or(usual);
    Some(AccountFacts {
        utc_offset_minutes: manifests.get(&provider).map_or(0, |manifest| manifest.utc_offset_minutes),
        id: id.unwrap_or_else(|| "account-1".to_owned()),
        provider,
        currency: currency.or("CNY".to_owned())?,
        settings: settings.unwrap_or_default(),
        balance: balance.unwrap_or(BALANCE),
        budget: budget?,
    })
}

fn budget(cursor: JsonCursor<'_, '_>) -> Option<Budget> {
    let fields = cursor.object(&["limit", "spent", "left"])?;
    let amount = |name| fields.optional(name, |cursor| cursor.amount()).option();
    let (limit, spent, left) = (amount("limit"), amount("spent"), amount("left"));
    match (limit?, spent?, left?) {
        (Some(_), Some(_), Some(_)) => {
            cursor.report("`limit`, `spent` and `left` follow from one another; state two of them");
            None
        }
        (limit, spent, None) => {
            Some(Budget { limit: limit.unwrap_or(LIMIT), spent: spent.unwrap_or(Micros::ZERO) })
        }
        (Some(limit), None, Some(left)) => Some(Budget { limit, spent: limit - left }),
        (None, spent, Some(left)) => {
            let spent = spent.unwrap_or(Micros::ZERO);
            Some(Budget { limit: left + spent, spent })
        }
    }
}

fn members(fields: &Fields<'_, '_>, at: Timestamp, price: Micros) -> Option<Vec<(Resource, u32)>> {
    match (fields.get("resource"), fields.get("members")) {
        (Some(_), Some(members)) => {
            members.report("`members` has the primary as its first item; leave `resource` out");
            None
        }
        (Some(cursor), None) => Some(vec![resource(&cursor.object(RESOURCE_FIELDS)?, 0, at, price)?]),
        (None, Some(cursor)) => {
            let members =
                cursor.list(|index, cursor| resource(&cursor.object(RESOURCE_FIELDS)?, index, at, price));
            let members = members?;
            if members.is_empty() {
                cursor.report("a bundle has at least one member");
                return None;
            }
            Some(members)
        }
        (None, None) => {
            let problems = Diagnostics::default();
            let nothing = Fields { members: &[], position: 0, path: Path::Root, diagnostics: &problems };
            Some(vec![resource(&nothing, 0, at, price)?])
        }
    }
}

fn resource(fields: &Fields<'_, '_>, index: usize, at: Timestamp, price: Micros) -> Option<(Resource, u32)> {
    let text = |name, default: &str| {
        fields.optional(name, |cursor| cursor.name().map(str::to_owned)).or(default.to_owned())
    };
    let id = text("id", &format!("resource-{}", index + 1));
    let (kind, region) = (text("kind", "ecs"), text("region", "region-1"));
    let texts = |name| fields.optional(name, |cursor| cursor.texts()).or(BTreeMap::new());
    let (tags, attributes) = (texts("tags"), texts("attributes"));
    let stage = fields.optional("stage", |cursor| cursor.one_of(&Stage::ALL, Stage::name)).or(Stage::Active);
    let started_at = fields.optional("started_at", |cursor| cursor.instant()).or(at - 60 * DAY);
    let expires_at = maybe(fields, "expires_at", Some(at + 8 * DAY), |cursor| cursor.instant());
    let term = maybe(fields, "term", Some(MONTH), |cursor| cursor.given_term());
    let price = maybe(fields, "price", Some(price), |cursor| cursor.amount());
    let renewals = fields.optional("renewals", |cursor| cursor.count()).or(0);
    let resource = Resource {
        id: id?,
        kind: kind?,
        region: region?,
        stage: stage?,
        started_at: started_at?,
        expires_at: expires_at?,
        term: term?,
        price: price?,
        on_expiry: OnExpiry::Renew,
        attributes: attributes?,
        tags: tags?,
        ..Resource::default()
    };
    Some((resource, renewals?))
}

fn extension(resource: &Resource) -> Option<ExtensionPrice> {
    Some(ExtensionPrice { price: resource.price?, per: resource.term?, extra_days: 0 })
}

/// What extending all members costs; `None` when a price is not known.
fn price_of(extensions: &[ExtensionPrice], term: Term) -> Option<Micros> {
    let prices = extensions.iter().map(|one| term.price(one.price, one.per, one.extra_days));
    (!extensions.is_empty()).then(|| prices.sum())
}

fn quote(cursor: JsonCursor<'_, '_>) -> Option<(Term, Micros)> {
    let fields = cursor.object(&["term", "cost"])?;
    let term = fields.required("term", |cursor| cursor.given_term());
    let cost = fields.required("cost", |cursor| cursor.amount());
    Some((term?, cost?))
}

/// One term later, in months of thirty days: near enough for a plan that is made up.
fn later(at: Timestamp, term: Term) -> Timestamp {
    let days = match term.unit {
        TermUnit::Day => 1,
        TermUnit::Month => 30,
        TermUnit::Year => 365,
    };
    at + i64::from(term.count.get()) * days * DAY
}
