//! The rulings that a script can return, the functions that make them, and `note`.

use std::rc::Rc;

use rhai::Dynamic;
use rhai::Engine;
use rhai::ImmutableString;
use rhai::Map;

use crate::calendar::Instant;
use crate::context::Context;
use crate::failure::Outcome;
use crate::failure::error;
use crate::limits::LABEL_MAX_BYTES;
use crate::map::TextMap;
use crate::money;
use crate::notes::shortened;
use crate::rulings::Amendment;
use crate::rulings::Approval;
use crate::rulings::Deferral;
use crate::rulings::Ruling;
use crate::type_names::called;
use crate::types::Term;

/// A ruling as a script's value.
#[derive(Clone, Debug)]
pub struct RulingValue(pub Ruling);

/// The functions that a script has beside the language's own, with the numbers of their arguments.
pub const FUNCTIONS: [(&str, &[usize]); 17] = [
    ("approve", &[0]),
    ("deny", &[1]),
    ("require_approval", &[1, 2]),
    ("defer", &[2]),
    ("amend", &[2]),
    ("note", &[1]),
    ("money", &[1]),
    ("instant", &[1]),
    ("days_between", &[2]),
    ("add_days", &[2]),
    ("month_end", &[1]),
    ("is_working_day", &[1]),
    ("next_working_day", &[1]),
    ("in_calendar", &[2]),
    ("tag", &[2]),
    ("price_for", &[3]),
    ("to_string", &[1]),
];

/// Gives `engine` the rulings.
pub(crate) fn register(engine: &mut Engine, context: &Rc<Context>) {
    engine.register_type_with_name::<RulingValue>("ruling");
    engine.register_fn("approve", || RulingValue(Ruling::Approve));
    engine.register_fn("deny", |why: ImmutableString| RulingValue(Ruling::Deny(shortened(&why))));
    engine.register_fn("require_approval", |why: ImmutableString| require_approval(&why, Map::new()));
    engine.register_fn("require_approval", |why: ImmutableString, details: Map| {
        require_approval(&why, details)
    });
    engine.register_fn("defer", |until: Instant, why: ImmutableString| {
        RulingValue(Ruling::Defer(Deferral { until: until.0, reason: shortened(&why) }))
    });
    engine.register_fn("amend", |changes: Map, why: ImmutableString| amend(changes, &why));
    let context = Rc::clone(context);
    engine.register_fn("note", move |text: ImmutableString| context.notes.borrow_mut().add(&text));
}

fn require_approval(why: &str, details: Map) -> Outcome<RulingValue> {
    let mut approval = Approval { reason: shortened(why), by: None, expires_at: None };
    for (name, value) in details {
        match name.as_str() {
            "by" => approval.by = Some(label(text("`by`", &value)?)?),
            "expires_at" => approval.expires_at = Some(instant("`expires_at`", &value)?.0),
            _ => return Err(error(format!("an approval has no `{name}`; there are `by` and `expires_at`"))),
        }
    }
    Ok(RulingValue(Ruling::RequireApproval(approval)))
}

/// A label that a token can carry.
fn label(label: String) -> Outcome<String> {
    if label.is_empty() {
        return Err(error("`by` is empty; leave it out where any approver may decide".to_owned()));
    }
    if label.len() > LABEL_MAX_BYTES {
        return Err(error(format!(
            "`by` has at most {LABEL_MAX_BYTES} bytes, as the labels of tokens have; this one has {}",
            label.len()
        )));
    }
    Ok(label)
}

fn amend(changes: Map, why: &str) -> Outcome<RulingValue> {
    let mut amendment = Amendment { term: None, options: None, reason: shortened(why) };
    for (name, value) in changes {
        match name.as_str() {
            "term" => amendment.term = Some(term(value)?),
            "options" => amendment.options = Some(options(value)?),
            _ => return Err(error(format!("an amendment has no `{name}`; there are `term` and `options`"))),
        }
    }
    Ok(RulingValue(Ruling::Amend(amendment)))
}

fn term(value: Dynamic) -> Outcome<Term> {
    if let Some(term) = value.clone().try_cast::<Term>() {
        return Ok(term);
    }
    let kind = called(value.type_name());
    let map = value.try_cast::<Map>();
    let Some(map) = map.filter(|map| map.len() == 2 && map.contains_key("count") && map.contains_key("unit"))
    else {
        return Err(error(format!(
            "`term` is #{{ count: 1, unit: \"month\" }} or another plan's term, not {kind}"
        )));
    };
    let count = map["count"]
        .as_int()
        .map_err(|found| error(format!("`count` of a term is a whole number, not {}", called(found))))?;
    money::term(count, money::unit(&text("`unit` of a term", &map["unit"])?)?)
}

fn options(value: Dynamic) -> Outcome<Vec<(String, String)>> {
    if let Some(options) = value.clone().try_cast::<TextMap>() {
        return Ok(options.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect());
    }
    let kind = called(value.type_name());
    let Some(map) = value.try_cast::<Map>() else {
        return Err(error(format!("`options` is a map such as #{{ name: \"value\" }}, not {kind}")));
    };
    let pair = |(name, value): (rhai::Identifier, Dynamic)| {
        Ok((name.to_string(), text(&format!("the option `{name}`"), &value)?))
    };
    map.into_iter().map(pair).collect()
}

fn text(what: &str, value: &Dynamic) -> Outcome<String> {
    let text = value.clone().into_immutable_string();
    text.map(|text| text.to_string()).map_err(|found| error(format!("{what} is text, not {}", called(found))))
}

fn instant(what: &str, value: &Dynamic) -> Outcome<Instant> {
    let kind = called(value.type_name());
    value.clone().try_cast::<Instant>().ok_or_else(|| error(format!("{what} is an instant, not {kind}")))
}
