//! The interpreter of policies: runs Rhai scripts that rule on plans, as `wit/policy` says.
//!
//! Start with [`interpreter`] (a batch of plans and the scripts that are asked about them) and `language` (what a script
//! can say); `check` looks at scripts without running them. It compiles natively as well, for tests and benchmarks.

mod calendar;
mod check;
mod comments;
mod compile;
mod context;
mod failure;
mod fields;
pub mod interpreter;
mod items;
mod language;
pub mod limits;
mod lines;
mod map;
mod money;
mod notes;
mod plan;
mod records;
mod ruling;
mod type_names;
mod work;

#[allow(
    missing_docs,
    clippy::all,
    clippy::wildcard_enum_match_arm,
    unsafe_code,
    reason = "generated from wit/policy"
)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/policy",
        world: "policy",
        pub_export_macro: true,
        export_macro_name: "export_policy",
        default_bindings_module: "plugin_script",
        additional_derives: [Clone, PartialEq],
        generate_all,
    });
}

pub use bindings::exports::perennial::policy::rulings;
pub use bindings::exports::perennial::policy::scripts;
pub use bindings::exports::perennial::policy::types;
#[doc(hidden)]
pub use bindings::*;

/// The interpreter, as the contract has it.
#[derive(Debug)]
pub struct Script;

impl scripts::Guest for Script {
    fn check(scripts: Vec<types::Script>, calendars: Vec<String>) -> Vec<scripts::Report> {
        scripts.iter().map(|script| check::report(compile::text_of(script), &calendars)).collect()
    }
}

impl rulings::Guest for Script {
    fn rule(
        scripts: Vec<types::Script>,
        calendars: Vec<types::Calendar>,
        batch: rulings::Batch,
    ) -> rulings::Results {
        interpreter::rule(&scripts, &calendars, &batch)
    }

    fn trace(
        scripts: Vec<types::Script>,
        calendars: Vec<types::Calendar>,
        batch: rulings::Batch,
    ) -> (rulings::Results, Vec<Vec<u32>>) {
        interpreter::trace(&scripts, &calendars, &batch)
    }
}

/// Scripts allocate in small pieces and free them again, and the allocator of the standard library is slower at that.
#[cfg(target_family = "wasm")]
#[global_allocator]
static MEMORY: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, missing_docs, reason = "the calls from outside, generated from wit/policy")]
mod export {
    use super::Script;

    crate::export_policy!(Script with_types_in crate);
}
