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

use plugin_sdk::Account;
use plugin_sdk::Attributes;
use plugin_sdk::Manifest;
use plugin_sdk::Occurrence;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::TimelineRequest;

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

    /// The timeline of each bundle.
    pub fn timelines(&self, accounts: &[Account], requests: &[TimelineRequest]) -> Vec<Vec<Occurrence>> {
        let rules = Rules::of_all(self, accounts);
        let timeline = |request: &TimelineRequest| {
            lifecycle::timeline(&rules[request.account as usize], request.after, &request.bundle)
        };
        requests.iter().map(timeline).collect()
    }

    /// The plan of each command, or the refusal.
    pub fn make_plans(&self, accounts: &[Account], requests: &[PlanRequest]) -> Vec<Result<Plan, Refusal>> {
        let rules = Rules::of_all(self, accounts);
        requests.iter().map(|request| commands::plan(&rules[request.account as usize], request)).collect()
    }
}

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, missing_docs, clippy::all, reason = "the calls from outside, generated from wit")]
mod component {
    use std::sync::OnceLock;

    use plugin_sdk::Account;
    use plugin_sdk::Allocation;
    use plugin_sdk::Attributes;
    use plugin_sdk::Consumption;
    use plugin_sdk::Manifest;
    use plugin_sdk::Occurrence;
    use plugin_sdk::Plan;
    use plugin_sdk::PlanRequest;
    use plugin_sdk::Refusal;
    use plugin_sdk::TimelineRequest;

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

    impl plugin_sdk::lifecycle::Guest for Interpreter {
        fn timeline(accounts: Vec<Account>, requests: Vec<TimelineRequest>) -> Vec<Vec<Occurrence>> {
            table().timelines(&accounts, &requests)
        }
    }

    impl plugin_sdk::commands::Guest for Interpreter {
        fn make_plans(accounts: Vec<Account>, requests: Vec<PlanRequest>) -> Vec<Result<Plan, Refusal>> {
            table().make_plans(&accounts, &requests)
        }
    }

    impl plugin_sdk::usage::Guest for Interpreter {
        /// Allocates nothing: a table has no packages.
        fn allocate(_: Vec<Account>, consumptions: Vec<Consumption>) -> Vec<Vec<Allocation>> {
            consumptions.iter().map(|_| Vec::new()).collect()
        }
    }

    export!(Interpreter);
    plugin_sdk::export_provider!(Interpreter with_types_in plugin_sdk);
}
