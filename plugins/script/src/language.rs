//! The language of policies: Rhai without floats, modules, `eval` and clocks, with comparisons that never guess.
//!
//! `<`, `>`, `<=` and `>=` between unlike values are errors here, where Rhai says false: a rule that compares a cost with
//! `()` would otherwise quietly let everything pass.

use std::cmp::Ordering;
use std::rc::Rc;

use rhai::Dynamic;
use rhai::Engine;
use rhai::OptimizationLevel;
use rust_decimal::Decimal;

use crate::calendar;
use crate::calendar::Instant;
use crate::context::Context;
use crate::failure::Outcome;
use crate::failure::error;
use crate::limits;
use crate::map;
use crate::money;
use crate::records;
use crate::ruling;
use crate::type_names::called;
use crate::work;

/// Rhai's own words that a policy has no use for.
const SWITCHED_OFF: [&str; 5] = ["eval", "import", "export", "print", "debug"];
/// Functions of Rhai's that wait, end the script or tell what is not the script's business.
const REFUSED: [(&str, &str); 3] = [
    ("sleep", "a policy has no clock"),
    ("exit", "a policy ends by returning a ruling"),
    ("get_fn_metadata_list", "a policy cannot look at functions"),
];

/// An engine that runs policies; its functions share `context`.
pub fn engine(context: &Rc<Context>) -> Engine {
    let mut engine = uncounted(context);
    work::register(&mut engine, context, uncounted);
    engine
}

/// The same, which does not count what scripts look at.
fn uncounted(context: &Rc<Context>) -> Engine {
    // A fixed seed: the same script has the same tables, and the same fuel, in every sandbox. Who set it first wins.
    let _ = rhai::config::hashing::set_hashing_seed(Some([11, 12, 13, 14]));
    let mut engine = Engine::new();
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_strict_variables(true)
        .set_fast_operators(false)
        .set_max_operations(limits::OPERATIONS_MAX)
        .set_max_call_levels(limits::CALLS_MAX)
        .set_max_expr_depths(limits::DEPTH_MAX, limits::DEPTH_MAX)
        .set_max_string_size(limits::TEXT_MAX_BYTES)
        .set_max_array_size(limits::LIST_MAX)
        .set_max_map_size(limits::MAP_MAX)
        .set_max_variables(limits::VARIABLES_MAX)
        .set_max_functions(limits::FUNCTIONS_MAX)
        .set_max_modules(0);
    for word in SWITCHED_OFF {
        engine.disable_symbol(word);
    }
    for (name, why) in REFUSED {
        let refused = move || -> Outcome<()> { Err(error(format!("`{name}` is switched off: {why}"))) };
        engine.register_fn(name, refused);
        engine.register_fn(name, move |_: Dynamic| refused());
        engine.register_fn(name, move |_: i64| refused());
    }
    register_comparisons(&mut engine);
    calendar::register(&mut engine, context);
    map::register(&mut engine, context);
    money::register(&mut engine);
    records::register(&mut engine, context);
    ruling::register(&mut engine, context);
    engine
}

fn register_comparisons(engine: &mut Engine) {
    engine.register_fn("<", |a: Dynamic, b: Dynamic| compare("<", &a, &b).map(Ordering::is_lt));
    engine.register_fn("<=", |a: Dynamic, b: Dynamic| compare("<=", &a, &b).map(Ordering::is_le));
    engine.register_fn(">", |a: Dynamic, b: Dynamic| compare(">", &a, &b).map(Ordering::is_gt));
    engine.register_fn(">=", |a: Dynamic, b: Dynamic| compare(">=", &a, &b).map(Ordering::is_ge));
}

fn compare(operator: &str, a: &Dynamic, b: &Dynamic) -> Outcome<Ordering> {
    if let (Ok(a), Ok(b)) = (a.as_int(), b.as_int()) {
        return Ok(a.cmp(&b));
    }
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return Ok(a.cmp(&b));
    }
    if let (Some(a), Some(b)) = (a.clone().try_cast::<Instant>(), b.clone().try_cast::<Instant>()) {
        return Ok(a.cmp(&b));
    }
    if let (Ok(a), Ok(b)) = (a.as_immutable_string_ref(), b.as_immutable_string_ref()) {
        return Ok(a.as_str().cmp(b.as_str()));
    }
    if let (Ok(a), Ok(b)) = (a.as_char(), b.as_char()) {
        return Ok(a.cmp(&b));
    }
    Err(error(format!(
        "`{operator}` cannot compare {} with {}",
        called(a.type_name()),
        called(b.type_name())
    )))
}

fn number(value: &Dynamic) -> Option<Decimal> {
    value.as_decimal().ok().or_else(|| value.as_int().ok().map(Decimal::from))
}
