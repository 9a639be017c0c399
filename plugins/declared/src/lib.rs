//! The interpreter of tables: a provider whose rules are a text in TOML.
//!
//! Knows what FORMATS.md says of tables, and the contract of `wit/provider`; knows no provider. `read` makes a [`Table`] of
//! a text, `lifecycle` has the rules of time, `commands` those of commands. In a component the host gives the table with
//! `wit/table` before anything else; natively it is an argument.

mod commands;
mod lifecycle;
mod profile;
mod read;
mod refusals;
mod renewal;
mod rules;
mod table;
mod target;
mod unsubscription;
mod values;
mod words;

use plugin_sdk::Attributes;
use plugin_sdk::Manifest;
use plugin_sdk::Occurrence;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Timestamp;

use crate::rules::Rules;

pub use crate::read::Problem;
pub use crate::table::Table;

impl Table {
    /// What the provider says of itself.
    pub fn describe(&self) -> Manifest {
        profile::manifest(self)
    }

    /// Every problem of an account's settings, as one sentence each.
    pub fn check_settings(&self, settings: &Attributes) -> Vec<String> {
        Rules::of(self, settings).1
    }

    /// The timeline of a bundle of an account with these settings.
    pub fn timeline(
        &self,
        settings: &[(String, String)],
        after: Timestamp,
        bundle: &[Resource],
    ) -> Vec<Occurrence> {
        lifecycle::timeline(&Rules::of(self, settings).0, after, bundle)
    }

    /// The plan of a command.
    ///
    /// # Errors
    ///
    /// The provider's refusal.
    pub fn plan(&self, settings: &[(String, String)], request: &PlanRequest) -> Result<Plan, Refusal> {
        commands::plan(&Rules::of(self, settings).0, request)
    }
}

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, missing_docs, clippy::all, reason = "the calls from outside, generated from wit")]
mod component {
    use std::sync::OnceLock;

    use plugin_sdk::Allocation;
    use plugin_sdk::Attributes;
    use plugin_sdk::Consumption;
    use plugin_sdk::Manifest;
    use plugin_sdk::Occurrence;
    use plugin_sdk::Plan;
    use plugin_sdk::PlanRequest;
    use plugin_sdk::Refusal;
    use plugin_sdk::Resource;
    use plugin_sdk::Timestamp;

    use crate::commands;
    use crate::lifecycle;
    use crate::rules::Rules;
    use crate::table::Table;

    wit_bindgen::generate!({ path: "../../wit/table", world: "interpreter" });

    use exports::perennial::table::tables;

    /// The table of this instance.
    static TABLE: OnceLock<Table> = OnceLock::new();

    fn table() -> &'static Table {
        TABLE.get().expect("the host loads a table before it asks anything")
    }

    struct Interpreter;

    impl tables::Guest for Interpreter {
        fn load(text: String) -> Vec<tables::Problem> {
            match Table::read(&text) {
                Ok(table) => {
                    drop(TABLE.set(table));
                    Vec::new()
                }
                Err(problems) => {
                    let sent = |problem: crate::Problem| tables::Problem {
                        line: problem.line,
                        message: problem.message,
                    };
                    problems.into_iter().map(sent).collect()
                }
            }
        }
    }

    impl plugin_sdk::profile::Guest for Interpreter {
        fn describe() -> Manifest {
            table().describe()
        }

        fn check_settings(settings: Attributes) -> Vec<String> {
            table().check_settings(&settings)
        }
    }

    impl plugin_sdk::Rules for Interpreter {
        type Settings = Rules<'static>;

        fn settings(values: &[(String, String)]) -> Rules<'static> {
            Rules::of(table(), values).0
        }

        fn timeline(rules: &Rules<'static>, after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
            lifecycle::timeline(rules, after, bundle)
        }

        fn plan(rules: &Rules<'static>, request: &PlanRequest) -> Result<Plan, Refusal> {
            commands::plan(rules, request)
        }

        /// Allocates nothing: a table has no packages.
        fn allocate(_: &Rules<'static>, _: &Consumption) -> Vec<Allocation> {
            Vec::new()
        }
    }

    export!(Interpreter);
    plugin_sdk::export_provider!(Interpreter with_types_in plugin_sdk);
}
