//! How much there may be to compile: each kind of code that costs more than its bytes, just within its bound and just over.

use perennial_sandbox::Limits;

use crate::world;
use crate::world::LIMITS;

/// So many values of a function's type.
fn values(count: usize) -> String {
    "i32 ".repeat(count)
}

/// Why a component with this module is no plugin. That it exports nothing is found once it was compiled.
fn refusal(module: &str) -> String {
    let component = wat::parse_str(format!("(component (core module {module}))")).unwrap();
    let (_folder, path) = world::file("plugin.wasm", &component);
    world::load(std::slice::from_ref(&path), LIMITS).unwrap_err().to_string()
}

/// Code with so many values that a block takes and gives.
fn block(kind: &str, count: usize) -> String {
    let (takes, gives) = (values(count), "i32.const 1 ".repeat(count));
    let condition = if kind == "if" { "i32.const 1" } else { "" };
    let other = if kind == "if" { "else" } else { "" };
    format!(
        "(type $t (func (param {takes}) (result {takes})))
         (func (export \"f\") (param i32) {gives} {condition} {kind} (type $t) {other} end {})",
        "drop ".repeat(count)
    )
}

/// A call of a function that returns so many values.
fn call(declared: &str, called: &str, count: usize) -> String {
    let results = values(count);
    let dropped = "drop ".repeat(count);
    format!("(type $t (func (result {results}))) {declared} (func $f {called} {dropped})")
}

/// What each kind of module is, of so many values.
fn modules(parameters: usize, wide: usize) -> Vec<(&'static str, String, String)> {
    let locals = parameters - 100;
    let in_function = |place: usize| format!("in function {place} of its module 0; at most");
    let wide_at = |place| format!("{wide} values in a block or a result {}", in_function(place));
    let many_at = |place| format!("{parameters} locals and parameters {}", in_function(place));
    let returned = values(wide);
    vec![
        ("parameters", format!("(func (param {}))", values(parameters)), many_at(0)),
        (
            "parameters and locals",
            format!("(func) (func (param {}) (local {}))", values(100), values(locals)),
            many_at(1),
        ),
        ("a block", block("block", wide), wide_at(0)),
        ("a loop", block("loop", wide), wide_at(0)),
        ("an if", block("if", wide), wide_at(0)),
        ("results", format!("(func (result {returned}) unreachable)"), wide_at(0)),
        (
            "an imported function's results",
            call("(import \"a\" \"b\" (func $g (type $t)))", "call $g", wide),
            wide_at(1),
        ),
        (
            "the results of a function that is called by its place",
            call("(table 1 funcref)", "i32.const 0 call_indirect (type $t)", wide),
            wide_at(0),
        ),
    ]
}

#[test]
fn code_that_takes_long_to_compile_is_refused_by_its_function() {
    let Limits { function_locals_max, block_values_max, .. } = LIMITS;
    for (kind, module, told) in modules(function_locals_max + 1, block_values_max + 1) {
        let refusal = refusal(&module);
        assert!(refusal.contains(&told), "{kind}: {refusal}");
    }
    for (kind, module, _) in modules(function_locals_max, block_values_max) {
        let refusal = refusal(&module);
        assert!(refusal.contains(" exports nothing, imports nothing"), "{kind}: {refusal}");
    }
}

#[test]
fn what_is_broken_at_its_end_is_refused_before_its_beginning_is_compiled() {
    // A function with code that is none, behind one that is refused by the compiler.
    let mut component =
        wat::parse_str("(component (core module (func i32.add) (func nop nop nop)))").unwrap();
    let nops = component.windows(3).position(|code| code == [1, 1, 1]).unwrap();
    component[nops] = 0xff;
    let (_folder, path) = world::file("plugin.wasm", &component);
    let refusal = world::load(std::slice::from_ref(&path), LIMITS).unwrap_err().to_string();
    assert!(refusal.contains("illegal opcode: 0xff"), "{refusal}");
}
