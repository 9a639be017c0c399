//! Gives an engine the records of a plan: a getter for each field, and an error for what is no field.

use std::rc::Rc;

use rhai::Array;
use rhai::Dynamic;
use rhai::Engine;
use rhai::ImmutableString;

use crate::context::Context;
use crate::failure::Outcome;
use crate::failure::error;
use crate::fields;
use crate::fields::Record;
use crate::money;
use crate::plan::Account;
use crate::plan::Budget;
use crate::plan::Plan;
use crate::plan::Resource;
use crate::types::Term;

/// Gives `engine` every record.
pub(crate) fn register(engine: &mut Engine, context: &Rc<Context>) {
    register_plan(engine, context);
    register_resource(engine);
    register_account(engine);
    register_term(engine);
    engine.register_fn("tag", |resource: Resource, name: ImmutableString| resource.0.tags.get(&name));
    engine.register_fn("price_for", |plan: Plan, count: i64, unit: ImmutableString| -> Outcome<Dynamic> {
        let term = money::term(count, money::unit(&unit)?)?;
        Ok(money::optional(plan.price_for(&term)))
    });
}

fn register_plan(engine: &mut Engine, context: &Rc<Context>) {
    protect::<Plan>(engine, Record::Plan);
    engine.register_get("command", |plan: &mut Plan| plan.0.command.clone());
    engine.register_get("cause", |plan: &mut Plan| plan.0.cause.clone());
    engine.register_get("cost", |plan: &mut Plan| money::optional(plan.0.cost));
    engine.register_get("refund", |plan: &mut Plan| money::optional(plan.0.refund));
    engine.register_get("currency", |plan: &mut Plan| plan.0.account.0.currency.clone());
    engine.register_get("at", |plan: &mut Plan| plan.0.at);
    engine.register_get("first_try_at", |plan: &mut Plan| optional(plan.0.first_try_at));
    engine.register_get("next_try_at", |plan: &mut Plan| optional(plan.0.next_try_at));
    engine.register_get("last_try_at", |plan: &mut Plan| optional(plan.0.last_try_at));
    engine.register_get("term", |plan: &mut Plan| optional(plan.0.term));
    engine.register_get("options", |plan: &mut Plan| optional(plan.0.options.clone()));
    engine.register_get("resource", |plan: &mut Plan| plan.0.members[0].clone());
    let context = Rc::clone(context);
    engine.register_get("members", move |plan: &mut Plan| {
        context.work.add_items(plan.0.members.len());
        let members = plan.0.members.iter().cloned().map(Dynamic::from).collect::<Array>();
        Dynamic::from(members).into_read_only()
    });
    engine.register_get("expires_after", |plan: &mut Plan| optional(plan.0.expires_after));
    engine.register_get("account", |plan: &mut Plan| plan.0.account.clone());
    engine.register_get("budget", |plan: &mut Plan| optional(plan.0.account.0.budget));
    engine.register_get("requested_by", |plan: &mut Plan| optional(plan.0.requested_by.clone()));
}

fn register_resource(engine: &mut Engine) {
    protect::<Resource>(engine, Record::Resource);
    engine.register_get("id", |resource: &mut Resource| resource.0.id.clone());
    engine.register_get("kind", |resource: &mut Resource| resource.0.kind.clone());
    engine.register_get("region", |resource: &mut Resource| resource.0.region.clone());
    engine.register_get("tags", |resource: &mut Resource| resource.0.tags.clone());
    engine.register_get("attributes", |resource: &mut Resource| resource.0.attributes.clone());
    engine.register_get("stage", |resource: &mut Resource| resource.0.stage.clone());
    engine.register_get("started_at", |resource: &mut Resource| resource.0.started_at);
    engine.register_get("expires_at", |resource: &mut Resource| optional(resource.0.expires_at));
    engine.register_get("term", |resource: &mut Resource| optional(resource.0.term));
    engine.register_get("price", |resource: &mut Resource| money::optional(resource.0.price));
    engine.register_get("renewals", |resource: &mut Resource| i64::from(resource.0.renewals));
}

fn register_account(engine: &mut Engine) {
    protect::<Account>(engine, Record::Account);
    engine.register_get("id", |account: &mut Account| account.0.id.clone());
    engine.register_get("provider", |account: &mut Account| account.0.provider.clone());
    engine.register_get("balance", |account: &mut Account| money::decimal(account.0.balance));
    engine.register_get("settings", |account: &mut Account| account.0.settings.clone());
    protect::<Budget>(engine, Record::Budget);
    engine.register_get("limit", |budget: &mut Budget| money::decimal(budget.limit));
    engine.register_get("spent", |budget: &mut Budget| money::decimal(budget.spent));
    let left = |budget: &mut Budget| money::decimal(budget.limit.saturating_sub(budget.spent));
    engine.register_get("left", left);
}

fn register_term(engine: &mut Engine) {
    protect::<Term>(engine, Record::Term);
    engine.register_get("count", |term: &mut Term| i64::from(term.count));
    engine.register_get("unit", |term: &mut Term| ImmutableString::from(money::unit_name(term.unit)));
    engine.register_fn("==", |a: Term, b: Term| a == b);
    engine.register_fn("!=", |a: Term, b: Term| a != b);
    let text = |term: Term| {
        let plural = if term.count == 1 { "" } else { "s" };
        format!("{} {}{plural}", term.count, money::unit_name(term.unit))
    };
    engine.register_fn("to_string", text);
    engine.register_fn("to_debug", text);
}

/// Names the type, and answers what is no field with an error. Without setters, Rhai refuses what would change one.
fn protect<T: Clone + 'static>(engine: &mut Engine, record: Record) {
    engine.register_type_with_name::<T>(record.name());
    engine.register_indexer_get(move |_: &mut T, name: ImmutableString| -> Outcome<Dynamic> {
        Err(error(fields::unknown(record, &name)))
    });
    // Rhai has a property of this name for every value; here it is only ever a misspelling of `tags`.
    engine.register_get("tag", move |_: &mut T| -> Outcome<Dynamic> {
        Err(error(fields::unknown(record, "tag")))
    });
}

fn optional<T: Clone + 'static>(value: Option<T>) -> Dynamic {
    value.map_or(Dynamic::UNIT, Dynamic::from)
}
