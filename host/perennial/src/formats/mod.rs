//! f
pub mod event { //! x
use perennial_domain::event::Event;
/// x
pub fn body(_: &Event) -> (&'static str, serde_json::Map<String, serde_json::Value>) { panic!() } }
pub mod decision { //! x
use crate::sandbox::Question; use perennial_domain::plan::*; use perennial_domain::account::Account; use serde_json::Value;
/// x
pub fn question(_: &Account, _: &Question<'_>) -> Value { panic!() }
/// x
pub fn answer(_: &Result<Plan, Refusal>) -> Value { panic!() }
/// x
pub fn command(_: &Command) -> Value { panic!() }
/// x
pub fn verdict(_: Option<&Refusal>) -> String { panic!() }
/// x
pub fn read_verdict(_: &str) -> Result<Option<Refusal>, serde_json::Error> { panic!() }
}
