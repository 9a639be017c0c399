//! The bodies of commands on a resource.

use std::collections::BTreeMap;

use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Change;
use perennial_domain::plan::Purchase;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;
use perennial_domain::plan::Subscribe;
use serde_json::Value;
use utoipa::ToSchema;

use crate::input::Body;
use perennial_formats::body::Fields;
use perennial_formats::body::JsonCursor;

/// The fields that the body of every command may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandOptions {
    /// Whether to return the plan without applying it.
    pub(crate) dry_run: bool,
    /// The hash that the plan must have for the command to be applied.
    pub(crate) plan_hash: Option<String>,
}

impl CommandOptions {
    fn read(fields: &Fields<'_, '_>) -> Option<CommandOptions> {
        let dry_run = fields.optional("dry_run", |cursor| cursor.flag()).or(false);
        let plan_hash = fields.optional("plan_hash", |cursor| cursor.name().map(str::to_owned)).option();
        Some(CommandOptions { dry_run: dry_run?, plan_hash: plan_hash? })
    }
}

/// The arguments of one kind of command. [`Body::read`] of [`CommandBody`] calls [`CommandArguments::read`] once, with the
/// fields of the body. The type that implements it describes the body; a value of it is never made.
pub(super) trait CommandArguments: 'static {
    /// What is read from the fields.
    type Value: Send + 'static;

    /// The names of the fields, with those of [`CommandOptions`].
    const FIELDS: &'static [&'static str];

    /// Reads the fields. `None` when one of them is wrong: it is reported then.
    fn read(fields: &Fields<'_, '_>) -> Option<Self::Value>;
}

/// The body of a command with the arguments that `A` describes.
pub(super) struct CommandBody<A: CommandArguments> {
    /// What was read from the fields of `A`.
    pub(super) arguments: A::Value,
    /// How the command is run.
    pub(super) options: CommandOptions,
}

impl<A: CommandArguments> Body for CommandBody<A> {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<CommandBody<A>> {
        let fields = cursor.object(A::FIELDS)?;
        let arguments = A::read(&fields);
        let options = CommandOptions::read(&fields);
        Some(CommandBody { arguments: arguments?, options: options? })
    }
}

/// A count of days, months or years.
#[derive(ToSchema)]
#[schema(as = NewTerm)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what a term is read as")]
pub(crate) struct NewTerm {
    /// At least 1.
    #[schema(minimum = 1)]
    count: u32,
    /// `day`, `month` or `year`.
    #[schema(pattern = "^(day|month|year)$")]
    unit: String,
}

/// How to extend a resource.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes a body")]
pub(super) struct Renew {
    /// The term to extend by; null is the term of an automatic renewal.
    term: Option<NewTerm>,
    /// The provider's own options, such as `relatedRenewFlag`.
    options: Option<BTreeMap<String, Value>>,
    /// Return the plan and apply nothing.
    dry_run: Option<bool>,
    /// Apply the command only if its plan has this hash.
    plan_hash: Option<String>,
}

impl CommandArguments for Renew {
    type Value = Renewal;

    const FIELDS: &'static [&'static str] = &["term", "options", "dry_run", "plan_hash"];

    fn read(fields: &Fields<'_, '_>) -> Option<Renewal> {
        let term = fields.optional("term", |cursor| cursor.given_term()).option();
        let options = fields.optional("options", |cursor| cursor.options()).or(BTreeMap::new());
        Some(Renewal { term: term?, cause: Cause::Command, options: options? })
    }
}

/// How a resource renews automatically from now on.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes a body")]
pub(super) struct SetAutoRenew {
    /// The term of each renewal; null is the term that the resource was bought for.
    term: Option<NewTerm>,
    /// The most renewals. Null is no limit or, on Huawei Cloud, the one that is there; 0 is no limit on Huawei Cloud, off in a
    /// table, and refused like every number on Baidu AI Cloud.
    renewals: Option<u32>,
    /// Return the plan and apply nothing.
    dry_run: Option<bool>,
    /// Apply the command only if its plan has this hash.
    plan_hash: Option<String>,
}

impl CommandArguments for SetAutoRenew {
    type Value = AutoRenewal;

    const FIELDS: &'static [&'static str] = &["term", "renewals", "dry_run", "plan_hash"];

    fn read(fields: &Fields<'_, '_>) -> Option<AutoRenewal> {
        let term = fields.optional("term", |cursor| cursor.given_term()).option();
        let renewals = fields.optional("renewals", |cursor| cursor.count()).option();
        Some(AutoRenewal { term: term?, renewals: renewals? })
    }
}

/// Which periods to cancel.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes a body")]
pub(super) struct Unsubscribe {
    /// `all`: the resource and every paid period; `future`: only the periods that have not begun.
    #[schema(pattern = "^(all|future)$")]
    scope: String,
    /// Return the plan and apply nothing.
    dry_run: Option<bool>,
    /// Apply the command only if its plan has this hash.
    plan_hash: Option<String>,
}

impl CommandArguments for Unsubscribe {
    type Value = Scope;

    const FIELDS: &'static [&'static str] = &["scope", "dry_run", "plan_hash"];

    fn read(fields: &Fields<'_, '_>) -> Option<Scope> {
        fields.required("scope", |cursor| cursor.one_of(&Scope::ALL, Scope::name))
    }
}

/// When to buy a package again.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes a body")]
pub(super) struct BuyAgain {
    /// When to pay for it; null is now.
    #[schema(format = DateTime)]
    pay_at: Option<String>,
    /// When it takes effect; null is when it is paid.
    #[schema(format = DateTime)]
    effective_at: Option<String>,
    /// Return the plan and apply nothing.
    dry_run: Option<bool>,
    /// Apply the command only if its plan has this hash.
    plan_hash: Option<String>,
}

impl CommandArguments for BuyAgain {
    type Value = Purchase;

    const FIELDS: &'static [&'static str] = &["pay_at", "effective_at", "dry_run", "plan_hash"];

    fn read(fields: &Fields<'_, '_>) -> Option<Purchase> {
        let pay_at = fields.optional("pay_at", |cursor| cursor.given_instant()).option();
        let effective_at = fields.optional("effective_at", |cursor| cursor.given_instant()).option();
        Some(Purchase { pay_at: pay_at?, effective_at: effective_at? })
    }
}

/// Another specification for the rest of the resource's time.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes a body")]
pub(super) struct ChangeSpecification {
    /// The attributes that get another value.
    attributes: Option<BTreeMap<String, String>>,
    /// What one of the resource's terms costs from then on, a decimal.
    price: String,
    /// The provider's own options, such as `is_auto_pay`.
    options: Option<BTreeMap<String, Value>>,
    /// Return the plan and apply nothing.
    dry_run: Option<bool>,
    /// Apply the command only if its plan has this hash.
    plan_hash: Option<String>,
}

impl CommandArguments for ChangeSpecification {
    type Value = Change;

    const FIELDS: &'static [&'static str] = &["attributes", "price", "options", "dry_run", "plan_hash"];

    fn read(fields: &Fields<'_, '_>) -> Option<Change> {
        let attributes = fields.optional("attributes", |cursor| cursor.named_texts()).or(BTreeMap::new());
        let price = fields.required("price", |cursor| cursor.amount());
        let options = fields.optional("options", |cursor| cursor.options()).or(BTreeMap::new());
        Some(Change { attributes: attributes?, price: price?, options: options? })
    }
}

/// How a pay-per-use resource is paid ahead.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes a body")]
pub(super) struct NewSubscription {
    /// For how long; null leaves it to the provider's rules.
    term: Option<NewTerm>,
    /// What that term costs, a decimal; null leaves it to the provider's rules.
    price: Option<String>,
    /// The provider's own options.
    options: Option<BTreeMap<String, Value>>,
    /// Return the plan and apply nothing.
    dry_run: Option<bool>,
    /// Apply the command only if its plan has this hash.
    plan_hash: Option<String>,
}

impl CommandArguments for NewSubscription {
    type Value = Subscribe;

    const FIELDS: &'static [&'static str] = &["term", "price", "options", "dry_run", "plan_hash"];

    fn read(fields: &Fields<'_, '_>) -> Option<Subscribe> {
        let term = fields.optional("term", |cursor| cursor.given_term()).option();
        let price = fields.optional("price", |cursor| cursor.amount()).option();
        let options = fields.optional("options", |cursor| cursor.options()).or(BTreeMap::new());
        Some(Subscribe { term: term?, price: price?, options: options? })
    }
}

/// An order that waits to be paid.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes a body")]
pub(super) struct NamedOrder {
    /// The ID of the order.
    order: String,
    /// Return the plan and apply nothing.
    dry_run: Option<bool>,
    /// Apply the command only if its plan has this hash.
    plan_hash: Option<String>,
}

impl CommandArguments for NamedOrder {
    type Value = String;

    const FIELDS: &'static [&'static str] = &["order", "dry_run", "plan_hash"];

    fn read(fields: &Fields<'_, '_>) -> Option<String> {
        fields.required("order", |cursor| cursor.name().map(str::to_owned))
    }
}

/// A command without arguments.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes a body")]
pub(super) struct EmptyCommand {
    /// Return the plan and apply nothing.
    dry_run: Option<bool>,
    /// Apply the command only if its plan has this hash.
    plan_hash: Option<String>,
}

impl CommandArguments for EmptyCommand {
    type Value = ();

    const FIELDS: &'static [&'static str] = &["dry_run", "plan_hash"];

    fn read(_: &Fields<'_, '_>) -> Option<()> {
        Some(())
    }
}
