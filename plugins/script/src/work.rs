//! What running a script takes beyond the steps that Rhai counts: looking at a long list or text is more than one operation.
//!
//! Rhai counts a step, whatever it works on, and a copy of four thousand items is one. So each use of a variable counts as
//! many operations as its value is long, and functions that look at much say so. The limit of operations is then a limit
//! of work, which a script meets whatever else is asked in the same call.

use std::any::TypeId;
use std::cell::OnceCell;
use std::rc::Rc;

use rhai::AST;
use rhai::ASTNode;
use rhai::Array;
use rhai::Dynamic;
use rhai::Engine;
use rhai::EvalContext;
use rhai::Expr;
use rhai::Map;
use rhai::NativeCallContext;

use crate::context::Context;
use crate::failure::Outcome;
use crate::limits::BYTES_PER_ITEM;
use crate::limits::CALLS_PER_ITEM;

/// Has `engine` count what scripts look at, and stop those that look at too much; `plain` makes an engine that does not.
#[expect(deprecated, reason = "rhai marks what may change so; its version is pinned")]
pub(crate) fn register(engine: &mut Engine, context: &Rc<Context>, plain: fn(&Rc<Context>) -> Engine) {
    register_costly(engine, context, plain);
    let counted = Rc::clone(context);
    engine.on_progress(move |steps| counted.work.is_too_much(steps).then_some(Dynamic::UNIT));
    let counted = Rc::clone(context);
    engine.on_var(move |name, index, evaluation: EvalContext<'_, '_, '_, '_, '_, '_>| {
        let scope = evaluation.scope();
        // Places are counted from the newest variable, which is the first of the iterator.
        let value = match index.checked_sub(1) {
            Some(place) => scope.iter_raw().nth(place).map(|(_, _, value)| value),
            None => scope.get(name),
        };
        if let Some(value) = value {
            counted.work.add_items(size(value));
        }
        Ok(None)
    });
}

/// The items of a value and of the lists and maps in it. A record is none, and a text in a list is one: copies share them.
fn size(value: &Dynamic) -> usize {
    match value.as_immutable_string_ref() {
        Ok(text) => text.len() / BYTES_PER_ITEM,
        Err(_) => items(value),
    }
}

fn items(value: &Dynamic) -> usize {
    if !(value.is_array() || value.is_map() || value.is_blob()) {
        return 0;
    }
    if let Ok(list) = value.as_array_ref() {
        return list.iter().map(|item| 1 + items(item)).sum();
    }
    if let Ok(map) = value.as_map_ref() {
        return map.values().map(|item| 1 + items(item)).sum();
    }
    value.as_blob_ref().map_or(0, |blob| blob.len() / BYTES_PER_ITEM)
}

/// Has the functions of Rhai's that call others for each item count them; `plain` makes an engine that has them as they are.
fn register_costly(engine: &mut Engine, context: &Rc<Context>, plain: fn(&Rc<Context>) -> Engine) {
    let (list, map, any) = (TypeId::of::<Array>(), TypeId::of::<Map>(), TypeId::of::<Dynamic>());
    let costly: [(&'static str, &[TypeId]); 11] = [
        ("contains", &[list, any]),
        ("index_of", &[list, any]),
        ("index_of", &[list, any, TypeId::of::<i64>()]),
        ("==", &[list, list]),
        ("!=", &[list, list]),
        ("to_string", &[list]),
        ("to_debug", &[list]),
        ("==", &[map, map]),
        ("!=", &[map, map]),
        ("to_string", &[map]),
        ("to_debug", &[map]),
    ];
    let inner = Rc::new(OnceCell::new());
    for (name, types) in costly {
        let (context, inner) = (Rc::clone(context), Rc::clone(&inner));
        engine.register_raw_fn(name, types, move |call, args| -> Outcome<Dynamic> {
            let looked_at = args.iter().map(|arg| items(arg)).sum::<usize>();
            context.work.add_items(looked_at.saturating_mul(CALLS_PER_ITEM));
            // A state of its own, which is copied for each item: that of a script under the debugger is long.
            let (inner, state) = inner.get_or_init(|| {
                let engine = plain(&context);
                let state = engine.new_global_runtime_state();
                (engine, state)
            });
            let call = NativeCallContext::new_with_all_fields(inner, name, None, state, call.call_position());
            call.call_native_fn_raw(name, true, args)
        });
    }
}

/// The items of the longest literal of a script.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other expressions are short, or made of some")]
pub(crate) fn longest_literal(ast: &AST) -> u64 {
    let mut longest = 0;
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Expr(expression)) = path.last() {
            longest = longest.max(match expression {
                Expr::StringConstant(text, _) => text.len() / BYTES_PER_ITEM,
                Expr::Array(items, _) => items.len(),
                Expr::Map(fields, _) => fields.0.len(),
                _ => 0,
            });
        }
        true
    });
    u64::try_from(longest).unwrap_or(u64::MAX)
}
