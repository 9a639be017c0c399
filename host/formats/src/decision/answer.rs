//! A plugin's stored answer: a plan with every step, or a refusal. Reads and writes both; checks neither.

use perennial_domain::bundle::OnExpiry;
use perennial_domain::index::MemberIndex;
use perennial_domain::index::OrderIndex;
use perennial_domain::plan::Adjustment;
use perennial_domain::plan::Cancellation;
use perennial_domain::plan::Extension;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Plan;
use perennial_domain::plan::PurchaseDetails;
use perennial_domain::plan::Refund;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Scope;
use perennial_domain::plan::SkippedMember;
use perennial_domain::plan::Specification;
use perennial_domain::plan::Step;
use perennial_domain::plan::Subscription;

use crate::Problems;
use crate::command;
use crate::command::Writer;
use crate::decision::contract;
use crate::diagnostics::Diagnostics;
use crate::diagnostics::Path;
use crate::json_cursor::JsonCursor;
use crate::json_tree;
use crate::json_value;
use crate::json_value::JsonValue;
use crate::wording;

/// The answer as it is kept: `{"plan": …}` or `{"refusal": …}`.
pub fn answer(answer: &Result<Plan, Refusal>) -> JsonValue<'_> {
    match answer {
        Ok(plan) => json_value::object([("plan", plan_value(plan))]),
        Err(refused) => json_value::object([("refusal", refusal(refused))]),
    }
}

fn refusal(refusal: &Refusal) -> JsonValue<'_> {
    json_value::object([("code", (&refusal.code).into()), ("message", (&refusal.message).into())])
}

fn plan_value(plan: &Plan) -> JsonValue<'_> {
    json_value::object([
        ("steps", plan.steps.iter().map(step).collect()),
        ("skipped", plan.skipped.iter().map(skipped_member).collect()),
        ("retry_now", plan.retry_now.map(MemberIndex::get).into()),
        ("pay_until", plan.pay_until.into()),
    ])
}

fn step(step: &Step) -> JsonValue<'_> {
    json_value::object([("member", step.member.get().into()), ("operation", operation(&step.operation))])
}

fn skipped_member(left: &SkippedMember) -> JsonValue<'_> {
    json_value::object([("member", left.member.get().into()), ("reason", refusal(&left.reason))])
}

fn operation(operation: &Operation) -> JsonValue<'_> {
    match operation {
        Operation::Extend(extension) => json_value::object([(
            "extend",
            json_value::object([
                ("expires_at", extension.expires_at.into()),
                ("term", extension.term.into()),
                ("extra_days", extension.extra_days.into()),
                ("anchor_day", extension.anchor_day.into()),
            ]),
        )]),
        Operation::SetOnExpiry(choice) => json_value::object([("set_on_expiry", choice.name().into())]),
        Operation::SetAutoRenew(auto_renewal) => {
            json_value::object([("set_auto_renew", command::auto_renewal_value(*auto_renewal))])
        }
        Operation::EndSubscription(cancellation) => json_value::object([(
            "end_subscription",
            json_value::object([
                ("scope", cancellation.scope.name().into()),
                ("expires_at", cancellation.expires_at.into()),
                ("refunds", cancellation.refunds.iter().map(refund).collect()),
            ]),
        )]),
        Operation::Convert(refunds) => json_value::object([(
            "convert",
            json_value::object([("refunds", refunds.iter().map(refund).collect())]),
        )]),
        Operation::ChangeSpecification(specification) => json_value::object([(
            "change_specification",
            json_value::object([
                ("attributes", (&specification.attributes).into()),
                ("price", specification.price.into()),
                ("adjustments", specification.adjustments.iter().map(adjustment).collect()),
            ]),
        )]),
        Operation::Subscribe(subscription) => json_value::object([(
            "subscribe",
            json_value::object([
                ("expires_at", subscription.expires_at.into()),
                ("term", subscription.term.into()),
                ("extra_days", subscription.extra_days.into()),
                ("anchor_day", subscription.anchor_day.into()),
                ("price", subscription.price.into()),
            ]),
        )]),
        Operation::Buy(details) => json_value::object([(
            "buy",
            json_value::object([
                ("pay_at", details.pay_at.into()),
                ("effective_at", details.effective_at.into()),
                ("expires_at", details.expires_at.into()),
                ("anchor_day", details.anchor_day.into()),
            ]),
        )]),
        Operation::SetAttribute(name, value) => json_value::object([(
            "set_attribute",
            json_value::object([("name", name.into()), ("value", value.into())]),
        )]),
    }
}

fn adjustment(adjustment: &Adjustment) -> JsonValue<'_> {
    json_value::object([
        ("starts_at", adjustment.starts_at.into()),
        ("ends_at", adjustment.ends_at.into()),
        ("amount", adjustment.amount.into()),
        ("order", adjustment.order.map(OrderIndex::get).into()),
    ])
}

fn refund(refund: &Refund) -> JsonValue<'_> {
    json_value::object([
        ("order", refund.order.get().into()),
        ("amount", refund.amount.into()),
        ("fee", refund.fee.into()),
    ])
}

/// Reads back what [`answer`] gives, as JSON, from a decision that was kept under `contract`.
///
/// # Errors
///
/// Every problem of the text, each with its path, or that the contract is unknown.
pub fn read_answer(text: &str, contract: &str) -> Result<Result<Plan, Refusal>, Problems> {
    let problems = Diagnostics::default();
    let mut root = json_tree::parse(text, &problems)?;
    let is_known = contract::rename(&mut root, contract, &contract::ANSWER);
    let root = JsonCursor { node: &root, path: Path::Root, diagnostics: &problems };
    let answer = match is_known {
        true => root.only_field("an answer", |name, body| match name {
            "plan" => read_plan(body).map(Ok),
            "refusal" => read_refusal(body).map(Err),
            name => unknown("answer", name, body),
        }),
        false => super::unknown_contract(root, contract),
    };
    problems.finish(answer)
}

fn unknown<T>(what: &str, name: &str, cursor: JsonCursor<'_, '_>) -> Option<T> {
    cursor.report(format!("there is no {what} {}", wording::quote(name)));
    None
}

fn read_refusal(cursor: JsonCursor<'_, '_>) -> Option<Refusal> {
    let fields = cursor.object(&["code", "message"])?;
    Some(Refusal {
        code: fields.required("code", |cursor| cursor.text())?.to_owned(),
        message: fields.required("message", |cursor| cursor.text())?.to_owned(),
    })
}

fn read_plan(cursor: JsonCursor<'_, '_>) -> Option<Plan> {
    let fields = cursor.object(&["steps", "skipped", "retry_now", "pay_until"])?;
    Some(Plan {
        steps: fields.required("steps", |cursor| cursor.list(|_, step| read_step(step)))?,
        skipped: fields.required("skipped", |cursor| cursor.list(|_, left| read_skipped_member(left)))?,
        retry_now: fields.optional("retry_now", |cursor| cursor.member()).option()?,
        pay_until: fields.optional("pay_until", |cursor| cursor.instant()).option()?,
    })
}

fn read_step(cursor: JsonCursor<'_, '_>) -> Option<Step> {
    let fields = cursor.object(&["member", "operation"])?;
    let member = fields.required("member", |cursor| cursor.member())?;
    let operation =
        fields.required("operation", |cursor| cursor.only_field("an operation", read_operation))?;
    Some(Step { member, operation })
}

fn read_skipped_member(cursor: JsonCursor<'_, '_>) -> Option<SkippedMember> {
    let fields = cursor.object(&["member", "reason"])?;
    Some(SkippedMember {
        member: fields.required("member", |cursor| cursor.member())?,
        reason: fields.required("reason", read_refusal)?,
    })
}

fn read_operation(name: &str, body: JsonCursor<'_, '_>) -> Option<Operation> {
    match name {
        "extend" => read_extension(body).map(Operation::Extend),
        "set_on_expiry" => body.one_of(&OnExpiry::ALL, OnExpiry::name).map(Operation::SetOnExpiry),
        "set_auto_renew" => command::auto_renewal(body, Writer::Host).map(Operation::SetAutoRenew),
        "end_subscription" => read_cancellation(body).map(Operation::EndSubscription),
        "convert" => {
            let fields = body.object(&["refunds"])?;
            let refunds =
                fields.required("refunds", |cursor| cursor.list(|_, refund| read_refund(refund)))?;
            Some(Operation::Convert(refunds))
        }
        "change_specification" => read_specification(body).map(Operation::ChangeSpecification),
        "subscribe" => read_subscription(body).map(Operation::Subscribe),
        "buy" => read_purchase_details(body).map(Operation::Buy),
        "set_attribute" => {
            let fields = body.object(&["name", "value"])?;
            let name = fields.required("name", |cursor| cursor.text())?.to_owned();
            let value = fields.required("value", |cursor| cursor.text())?.to_owned();
            Some(Operation::SetAttribute(name, value))
        }
        name => unknown("operation", name, body),
    }
}

fn read_extension(cursor: JsonCursor<'_, '_>) -> Option<Extension> {
    let fields = cursor.object(&["expires_at", "term", "extra_days", "anchor_day"])?;
    // A plugin may answer any number, and what it answered is what is kept.
    let anchor_day = fields.optional("anchor_day", |cursor| cursor.integer(0, u8::MAX.into())).option()?;
    Some(Extension {
        expires_at: fields.required("expires_at", |cursor| cursor.instant())?,
        term: fields.required("term", |cursor| cursor.term())?,
        extra_days: fields.required("extra_days", |cursor| cursor.count())?,
        anchor_day: anchor_day.map(|day| u8::try_from(day).expect("it was held to that")),
    })
}

fn read_cancellation(cursor: JsonCursor<'_, '_>) -> Option<Cancellation> {
    let fields = cursor.object(&["scope", "expires_at", "refunds"])?;
    Some(Cancellation {
        scope: fields.required("scope", |cursor| cursor.one_of(&Scope::ALL, Scope::name))?,
        expires_at: fields.optional("expires_at", |cursor| cursor.instant()).option()?,
        refunds: fields.required("refunds", |cursor| cursor.list(|_, refund| read_refund(refund)))?,
    })
}

fn read_refund(cursor: JsonCursor<'_, '_>) -> Option<Refund> {
    let fields = cursor.object(&["order", "amount", "fee"])?;
    // Decisions that were kept before plans had it say none.
    let fee = fields.optional("fee", |cursor| cursor.stored_amount()).option()?;
    Some(Refund {
        order: fields.required("order", |cursor| cursor.index().map(OrderIndex::new))?,
        amount: fields.required("amount", |cursor| cursor.stored_amount())?,
        fee: fee.unwrap_or_default(),
    })
}

fn read_specification(cursor: JsonCursor<'_, '_>) -> Option<Specification> {
    let fields = cursor.object(&["attributes", "price", "adjustments"])?;
    Some(Specification {
        attributes: fields.required("attributes", |cursor| cursor.texts())?,
        price: fields.required("price", |cursor| cursor.stored_amount())?,
        adjustments: fields.required("adjustments", |cursor| cursor.list(|_, one| read_adjustment(one)))?,
    })
}

fn read_adjustment(cursor: JsonCursor<'_, '_>) -> Option<Adjustment> {
    let fields = cursor.object(&["starts_at", "ends_at", "amount", "order"])?;
    Some(Adjustment {
        starts_at: fields.required("starts_at", |cursor| cursor.instant())?,
        ends_at: fields.required("ends_at", |cursor| cursor.instant())?,
        amount: fields.required("amount", |cursor| cursor.stored_amount())?,
        order: fields.optional("order", |cursor| cursor.index()).option()?.map(OrderIndex::new),
    })
}

fn read_subscription(cursor: JsonCursor<'_, '_>) -> Option<Subscription> {
    let fields = cursor.object(&["expires_at", "term", "extra_days", "anchor_day", "price"])?;
    let anchor_day = fields.required("anchor_day", |cursor| cursor.integer(0, u8::MAX.into()))?;
    Some(Subscription {
        expires_at: fields.required("expires_at", |cursor| cursor.instant())?,
        term: fields.required("term", |cursor| cursor.term())?,
        // Decisions that were kept before there were any say none.
        extra_days: fields.optional("extra_days", |cursor| cursor.count()).option()?.unwrap_or(0),
        anchor_day: u8::try_from(anchor_day).expect("it was held to that"),
        price: fields.required("price", |cursor| cursor.stored_amount())?,
    })
}

fn read_purchase_details(cursor: JsonCursor<'_, '_>) -> Option<PurchaseDetails> {
    let fields = cursor.object(&["pay_at", "effective_at", "expires_at", "anchor_day"])?;
    let anchor_day = fields.required("anchor_day", |cursor| cursor.integer(0, u8::MAX.into()))?;
    Some(PurchaseDetails {
        anchor_day: u8::try_from(anchor_day).expect("it was held to that"),
        pay_at: fields.required("pay_at", |cursor| cursor.instant())?,
        effective_at: fields.required("effective_at", |cursor| cursor.instant())?,
        expires_at: fields.required("expires_at", |cursor| cursor.instant())?,
    })
}
