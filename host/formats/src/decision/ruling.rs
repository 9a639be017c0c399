//! What policies were asked about a plan, and what they ruled, as it is kept: everything that the interpreter was told, so
//! that it can be asked again. Scripts are named by digest.
//!
//! Knows how questions are written and read back; `answers.rs`, how answers are.

mod answers;

use perennial_domain::index::AccountIndex;
use perennial_domain::index::PolicyIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::policy::Calendar;
use perennial_domain::policy::OnFailure;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::Budget;
use perennial_domain::policy::facts::ExtensionPrice;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::facts::Tries;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;

use crate::Problems;
use crate::diagnostics::Diagnostics;
use crate::diagnostics::Path;
use crate::fields::Fields;
use crate::json_cursor::JsonCursor;
use crate::json_tree;
use crate::json_value;
use crate::json_value::JsonValue;
use crate::resource;

pub use answers::answers;
pub use answers::read_answers;

/// The version of the policy contract that rulings are kept under now, told apart from those of the provider contract.
pub const CONTRACT: &str = "policy/0.1";

/// The seconds of a day.
const DAY: i64 = 86_400;

/// A policy that was asked: its name, and the digest of its script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyVersion {
    /// The name of the policy.
    pub name: String,
    /// The SHA-256 of its script, in hexadecimal.
    pub digest: String,
    /// What its failure comes to.
    pub on_failure: OnFailure,
}

/// How policies were asked about a plan: what their answers came to depends on it, and the answers do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RulingContext {
    /// Whether they were asked beside those whose rulings count.
    pub is_shadow: bool,
    /// Whether the plan was asked for through the provider's own API, which cannot amend what its client asked for.
    pub is_provider_api: bool,
    /// The names under which approvals were given for the plan.
    pub approved: Vec<String>,
}

/// What policies were asked about one plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulingRequest {
    /// The policies, in the order of the chain.
    pub policies: Vec<PolicyVersion>,
    /// The calendars of their set.
    pub calendars: Vec<Calendar>,
    /// The account, with the money that it was shown with.
    pub account: AccountFacts,
    /// The plan; its policies are the places of those above, and its account is the one above.
    pub plan: PlanFacts,
    /// How they were asked.
    pub context: RulingContext,
}

/// The question as it is kept. What is as usual of how it was asked is left out.
pub fn question<'a>(
    policies: &'a [PolicyVersion],
    calendars: &'a [Calendar],
    account: &'a AccountFacts,
    plan: &'a PlanFacts,
    context: &'a RulingContext,
) -> JsonValue<'a> {
    let mut fields = vec![
        ("at", plan.at.into()),
        ("policies", policies.iter().map(policy_value).collect()),
        ("calendars", calendars.iter().map(calendar).collect()),
        ("account", account_value(account)),
        ("plan", plan_value(plan)),
    ];
    let RulingContext { is_shadow, is_provider_api, approved } = context;
    let flags = [("shadow", *is_shadow), ("provider_api", *is_provider_api)];
    fields.extend(flags.into_iter().filter(|(_, is_so)| *is_so).map(|(name, is_so)| (name, is_so.into())));
    if !approved.is_empty() {
        fields.push(("approved", approved.iter().map(JsonValue::from).collect()));
    }
    JsonValue::Object(fields)
}

fn policy_value(policy: &PolicyVersion) -> JsonValue<'_> {
    let mut fields = vec![("name", (&policy.name).into()), ("script", (&policy.digest).into())];
    if policy.on_failure != OnFailure::Default {
        fields.push(("on_failure", policy.on_failure.name().into()));
    }
    JsonValue::Object(fields)
}

fn calendar(calendar: &Calendar) -> JsonValue<'_> {
    let day = |day: i32| JsonValue::At(Timestamp::from_second(i64::from(day) * DAY));
    let days = calendar.days.iter().map(|(first, last)| JsonValue::List(vec![day(*first), day(*last)]));
    json_value::object([("name", (&calendar.name).into()), ("days", days.collect())])
}

fn account_value(account: &AccountFacts) -> JsonValue<'_> {
    let budget = account
        .budget
        .map(|budget| json_value::object([("limit", budget.limit.into()), ("spent", budget.spent.into())]));
    // Minutes behind UTC are the other of the two.
    let offset = account.utc_offset_minutes;
    let (ahead, behind) = (offset.max(0).unsigned_abs(), offset.min(0).unsigned_abs());
    json_value::object([
        ("id", (&account.id).into()),
        ("provider", (&account.provider).into()),
        ("currency", (&account.currency).into()),
        ("settings", (&account.settings).into()),
        ("minutes_ahead", u32::from(ahead).into()),
        ("minutes_behind", u32::from(behind).into()),
        ("balance", account.balance.into()),
        ("budget", budget.into()),
    ])
}

fn plan_value(plan: &PlanFacts) -> JsonValue<'_> {
    let members = plan.members.iter().map(|(resource, renewals)| {
        json_value::object([("resource", resource::stored_value(resource)), ("renewals", (*renewals).into())])
    });
    let extension = |extension: &ExtensionPrice| {
        json_value::object([
            ("price", extension.price.into()),
            ("per", extension.per.into()),
            ("extra_days", extension.extra_days.into()),
        ])
    };
    let quote = |(term, price): &(Term, Micros)| {
        json_value::object([("term", (*term).into()), ("price", (*price).into())])
    };
    json_value::object([
        ("command", (&plan.command).into()),
        ("cause", plan.cause.name().into()),
        ("cost", plan.cost.into()),
        ("refund", plan.refund.into()),
        ("first_try_at", plan.tries.first.into()),
        ("next_try_at", plan.tries.next.into()),
        ("last_try_at", plan.tries.last.into()),
        ("term", plan.term.into()),
        ("options", plan.options.as_ref().into()),
        ("members", members.collect()),
        ("expires_after", plan.expires_after.into()),
        ("requested_by", plan.requested_by.as_ref().into()),
        ("extensions", plan.extensions.iter().map(extension).collect()),
        ("quotes", plan.quotes.iter().map(quote).collect()),
        ("is_pending", plan.is_pending.into()),
    ])
}

/// Reads back what [`question`] gives, as JSON.
///
/// # Errors
///
/// Every problem of the text, each with its path.
pub fn read_request(text: &str) -> Result<RulingRequest, Problems> {
    let problems = Diagnostics::default();
    let root = json_tree::parse(text, &problems)?;
    let question = read_root(JsonCursor { node: &root, path: Path::Root, diagnostics: &problems });
    problems.finish(question)
}

const QUESTION_FIELDS: &[&str] =
    &["at", "policies", "calendars", "account", "plan", "shadow", "provider_api", "approved"];

fn read_root(root: JsonCursor<'_, '_>) -> Option<RulingRequest> {
    let fields = root.object(QUESTION_FIELDS)?;
    let at = fields.required("at", |cursor| cursor.instant())?;
    let policy = |_, cursor: JsonCursor<'_, '_>| {
        let fields = cursor.object(&["name", "script", "on_failure"])?;
        let on_failure = |cursor: JsonCursor<'_, '_>| cursor.one_of(&OnFailure::ALL, OnFailure::name);
        Some(PolicyVersion {
            name: fields.required("name", |cursor| cursor.text())?.to_owned(),
            digest: fields.required("script", |cursor| cursor.text())?.to_owned(),
            on_failure: fields.optional("on_failure", on_failure).or(OnFailure::Default)?,
        })
    };
    let policies = fields.required("policies", |cursor| cursor.list(policy))?;
    let calendars = fields.required("calendars", |cursor| cursor.list(|_, cursor| read_calendar(cursor)))?;
    let account = fields.required("account", |cursor| read_account(cursor))?;
    let plan = fields.required("plan", |cursor| read_plan(cursor, at, policies.len()))?;
    let flag = |name: &'static str| fields.optional(name, |cursor| cursor.flag()).or(false);
    let names = |cursor: JsonCursor<'_, '_>| cursor.list(|_, name| name.text().map(str::to_owned));
    let context = RulingContext {
        is_shadow: flag("shadow")?,
        is_provider_api: flag("provider_api")?,
        approved: fields.optional("approved", names).or(Vec::new())?,
    };
    Some(RulingRequest { policies, calendars, account, plan, context })
}

fn read_calendar(cursor: JsonCursor<'_, '_>) -> Option<Calendar> {
    let fields = cursor.object(&["name", "days"])?;
    let day = |_, cursor: JsonCursor<'_, '_>| i32::try_from(cursor.instant()?.as_second() / DAY).ok();
    let range = |_, cursor: JsonCursor<'_, '_>| match cursor.list(day)?.as_slice() {
        [first, last] => Some((*first, *last)),
        _ => cursor.report_type("the first and the last day"),
    };
    Some(Calendar {
        name: fields.required("name", |cursor| cursor.text())?.to_owned(),
        days: fields.required("days", |cursor| cursor.list(range))?,
    })
}

fn read_account(cursor: JsonCursor<'_, '_>) -> Option<AccountFacts> {
    let fields = cursor.object(&[
        "id",
        "provider",
        "currency",
        "settings",
        "minutes_ahead",
        "minutes_behind",
        "balance",
        "budget",
    ])?;
    let budget = |cursor: JsonCursor<'_, '_>| {
        let fields = cursor.object(&["limit", "spent"])?;
        Some(Budget {
            limit: fields.required("limit", |cursor| cursor.stored_amount())?,
            spent: fields.required("spent", |cursor| cursor.stored_amount())?,
        })
    };
    let minutes = |name: &'static str| {
        let minutes = fields.required(name, |cursor| cursor.integer(0, 1_440))?;
        i16::try_from(minutes).ok()
    };
    Some(AccountFacts {
        id: fields.required("id", |cursor| cursor.text())?.to_owned(),
        provider: fields.required("provider", |cursor| cursor.text())?.to_owned(),
        currency: fields.required("currency", |cursor| cursor.text())?.to_owned(),
        settings: fields.required("settings", |cursor| cursor.texts())?,
        utc_offset_minutes: minutes("minutes_ahead")? - minutes("minutes_behind")?,
        balance: fields.required("balance", |cursor| cursor.stored_amount())?,
        budget: fields.optional("budget", budget).option()?,
    })
}

const PLAN_FIELDS: &[&str] = &[
    "command",
    "cause",
    "cost",
    "refund",
    "first_try_at",
    "next_try_at",
    "last_try_at",
    "term",
    "options",
    "members",
    "expires_after",
    "requested_by",
    "extensions",
    "quotes",
    "is_pending",
];

fn read_plan(cursor: JsonCursor<'_, '_>, at: Timestamp, policies: usize) -> Option<PlanFacts> {
    let fields = cursor.object(PLAN_FIELDS)?;
    let instant = |name: &'static str| fields.optional(name, |cursor| cursor.instant()).option();
    let amount = |name: &'static str| fields.optional(name, |cursor| cursor.stored_amount()).option();
    let member = |_, cursor: JsonCursor<'_, '_>| {
        let fields = cursor.object(&["resource", "renewals"])?;
        let read =
            |cursor: JsonCursor<'_, '_>| resource::read_stored(&cursor.object(resource::STORED_FIELDS)?);
        Some((fields.required("resource", read)?, fields.required("renewals", |cursor| cursor.count())?))
    };
    let members = fields.required("members", |cursor| cursor.list(member))?;
    if members.is_empty() {
        fields.report("members", "a bundle has at least one member; this one has none");
        return None;
    }
    Some(PlanFacts {
        account: AccountIndex::new(0),
        command: fields.required("command", |cursor| cursor.text())?.to_owned(),
        cause: fields.required("cause", |cursor| cursor.one_of(&Cause::ALL, Cause::name))?,
        cost: amount("cost")?,
        refund: amount("refund")?,
        at,
        tries: Tries {
            first: instant("first_try_at")?,
            next: instant("next_try_at")?,
            last: instant("last_try_at")?,
        },
        term: fields.optional("term", |cursor| cursor.term()).option()?,
        options: fields.optional("options", |cursor| cursor.texts()).option()?,
        members,
        expires_after: instant("expires_after")?,
        requested_by: fields.optional("requested_by", |cursor| cursor.text()).option()?.map(str::to_owned),
        extensions: fields
            .required("extensions", |cursor| cursor.list(|_, cursor| read_extension(cursor)))?,
        quotes: fields.required("quotes", |cursor| cursor.list(|_, cursor| read_quote(cursor)))?,
        policies: (0..policies).map(PolicyIndex::new).collect(),
        is_pending: fields.required("is_pending", |cursor| cursor.flag())?,
    })
}

fn read_extension(cursor: JsonCursor<'_, '_>) -> Option<ExtensionPrice> {
    let fields = cursor.object(&["price", "per", "extra_days"])?;
    Some(ExtensionPrice {
        price: fields.required("price", |cursor| cursor.stored_amount())?,
        per: fields.required("per", |cursor| cursor.term())?,
        extra_days: fields.required("extra_days", |cursor| cursor.count())?,
    })
}

fn read_quote(cursor: JsonCursor<'_, '_>) -> Option<(Term, Micros)> {
    let fields: Fields<'_, '_> = cursor.object(&["term", "price"])?;
    Some((
        fields.required("term", |cursor| cursor.term())?,
        fields.required("price", |cursor| cursor.stored_amount())?,
    ))
}

#[cfg(test)]
mod tests;
