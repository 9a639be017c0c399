//! The bodies of commands on a resource.

use std::collections::BTreeMap;

use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Change;
use perennial_domain::plan::Command;
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

/// The body of one kind of command. The route calls [`CommandBody::into_command`] once, after the body was read.
pub(super) trait CommandBody {
    /// The command and its options.
    fn into_command(self) -> (Command, CommandOptions);
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
#[expect(dead_code, reason = "it describes what `RenewBody` is read from")]
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

pub(super) struct RenewBody(Renewal, CommandOptions);

impl Body for RenewBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<RenewBody> {
        let fields = cursor.object(&["term", "options", "dry_run", "plan_hash"])?;
        let term = fields.optional("term", |cursor| cursor.given_term()).option();
        let options = fields.optional("options", |cursor| cursor.options()).or(BTreeMap::new());
        let terms = CommandOptions::read(&fields);
        Some(RenewBody(Renewal { term: term?, cause: Cause::Command, options: options? }, terms?))
    }
}

impl CommandBody for RenewBody {
    fn into_command(self) -> (Command, CommandOptions) {
        (Command::Renew(self.0), self.1)
    }
}

/// How a resource renews automatically from now on.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `AutoRenewBody` is read from")]
pub(super) struct SetAutoRenew {
    /// The term of each renewal; null is the term that the resource was bought for.
    term: Option<NewTerm>,
    /// The most renewals; null is no limit.
    renewals: Option<u32>,
    /// Return the plan and apply nothing.
    dry_run: Option<bool>,
    /// Apply the command only if its plan has this hash.
    plan_hash: Option<String>,
}

pub(super) struct AutoRenewBody(AutoRenewal, CommandOptions);

impl Body for AutoRenewBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<AutoRenewBody> {
        let fields = cursor.object(&["term", "renewals", "dry_run", "plan_hash"])?;
        let term = fields.optional("term", |cursor| cursor.given_term()).option();
        let renewals = fields.optional("renewals", |cursor| cursor.count()).option();
        let options = CommandOptions::read(&fields);
        Some(AutoRenewBody(AutoRenewal { term: term?, renewals: renewals? }, options?))
    }
}

impl CommandBody for AutoRenewBody {
    fn into_command(self) -> (Command, CommandOptions) {
        (Command::SetAutoRenew(self.0), self.1)
    }
}

/// Which periods to cancel.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `UnsubscribeBody` is read from")]
pub(super) struct Unsubscribe {
    /// `all`: the resource and every paid period; `future`: only the periods that have not begun.
    #[schema(pattern = "^(all|future)$")]
    scope: String,
    /// Return the plan and apply nothing.
    dry_run: Option<bool>,
    /// Apply the command only if its plan has this hash.
    plan_hash: Option<String>,
}

pub(super) struct UnsubscribeBody(Scope, CommandOptions);

impl Body for UnsubscribeBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<UnsubscribeBody> {
        let fields = cursor.object(&["scope", "dry_run", "plan_hash"])?;
        let scope = fields.required("scope", |cursor| cursor.one_of(&Scope::ALL, Scope::name));
        let options = CommandOptions::read(&fields);
        Some(UnsubscribeBody(scope?, options?))
    }
}

impl CommandBody for UnsubscribeBody {
    fn into_command(self) -> (Command, CommandOptions) {
        (Command::Unsubscribe(self.0), self.1)
    }
}

/// When to buy a package again.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `BuyAgainBody` is read from")]
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

pub(super) struct BuyAgainBody(Purchase, CommandOptions);

impl Body for BuyAgainBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<BuyAgainBody> {
        let fields = cursor.object(&["pay_at", "effective_at", "dry_run", "plan_hash"])?;
        let pay_at = fields.optional("pay_at", |cursor| cursor.given_instant()).option();
        let effective_at = fields.optional("effective_at", |cursor| cursor.given_instant()).option();
        let options = CommandOptions::read(&fields);
        Some(BuyAgainBody(Purchase { pay_at: pay_at?, effective_at: effective_at? }, options?))
    }
}

impl CommandBody for BuyAgainBody {
    fn into_command(self) -> (Command, CommandOptions) {
        (Command::BuyAgain(self.0), self.1)
    }
}

/// Another specification for the rest of the resource's time.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `ChangeBody` is read from")]
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

pub(super) struct ChangeBody(Change, CommandOptions);

impl Body for ChangeBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<ChangeBody> {
        let fields = cursor.object(&["attributes", "price", "options", "dry_run", "plan_hash"])?;
        let attributes = fields.optional("attributes", |cursor| cursor.named_texts()).or(BTreeMap::new());
        let price = fields.required("price", |cursor| cursor.amount());
        let options = fields.optional("options", |cursor| cursor.options()).or(BTreeMap::new());
        let terms = CommandOptions::read(&fields);
        Some(ChangeBody(Change { attributes: attributes?, price: price?, options: options? }, terms?))
    }
}

impl CommandBody for ChangeBody {
    fn into_command(self) -> (Command, CommandOptions) {
        (Command::Change(self.0), self.1)
    }
}

/// How a pay-per-use resource is paid ahead.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `SubscribeBody` is read from")]
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

pub(super) struct SubscribeBody(Subscribe, CommandOptions);

impl Body for SubscribeBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<SubscribeBody> {
        let fields = cursor.object(&["term", "price", "options", "dry_run", "plan_hash"])?;
        let term = fields.optional("term", |cursor| cursor.given_term()).option();
        let price = fields.optional("price", |cursor| cursor.amount()).option();
        let options = fields.optional("options", |cursor| cursor.options()).or(BTreeMap::new());
        let terms = CommandOptions::read(&fields);
        Some(SubscribeBody(Subscribe { term: term?, price: price?, options: options? }, terms?))
    }
}

impl CommandBody for SubscribeBody {
    fn into_command(self) -> (Command, CommandOptions) {
        (Command::Subscribe(self.0), self.1)
    }
}

/// An order that waits to be paid.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `OrderBody` is read from")]
pub(super) struct NamedOrder {
    /// The ID of the order.
    order: String,
    /// Return the plan and apply nothing.
    dry_run: Option<bool>,
    /// Apply the command only if its plan has this hash.
    plan_hash: Option<String>,
}

pub(super) struct OrderBody(String, CommandOptions);

impl Body for OrderBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<OrderBody> {
        let fields = cursor.object(&["order", "dry_run", "plan_hash"])?;
        let order = fields.required("order", |cursor| cursor.name().map(str::to_owned));
        let options = CommandOptions::read(&fields);
        Some(OrderBody(order?, options?))
    }
}

impl OrderBody {
    /// The command on the order.
    pub(super) fn with(self, command: impl Fn(String) -> Command) -> (Command, EmptyCommandBody) {
        (command(self.0), EmptyCommandBody(self.1))
    }
}

/// A command without arguments.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `BareBody` is read from")]
pub(super) struct EmptyCommand {
    /// Return the plan and apply nothing.
    dry_run: Option<bool>,
    /// Apply the command only if its plan has this hash.
    plan_hash: Option<String>,
}

pub(super) struct EmptyCommandBody(CommandOptions);

impl Body for EmptyCommandBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<EmptyCommandBody> {
        CommandOptions::read(&cursor.object(&["dry_run", "plan_hash"])?).map(EmptyCommandBody)
    }
}

/// A command without arguments.
impl CommandBody for (Command, EmptyCommandBody) {
    fn into_command(self) -> (Command, CommandOptions) {
        (self.0, self.1.0)
    }
}
