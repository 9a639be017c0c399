//! One input with what it has to lead to, and how it is played: as `perennial simulate` does it.

use std::collections::BTreeSet;

use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::simulation;
use perennial_formats::event;
use perennial_formats::inventory;
use perennial_formats::inventory::NoRecords;
use perennial_formats::scenario;
use perennial_store::Store;
use perennial_test_support::plugins::bundled;
use serde::Deserialize;
use serde_json::Value;

/// A file of `tests/cases`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What is right, and why.
    pub(crate) why: String,
    /// The accounts and resources to begin with.
    pub(crate) inventory: Value,
    /// What people and the world do.
    #[serde(default)]
    pub(crate) scenario: Value,
    /// The first instant.
    from: String,
    /// The last instant.
    until: String,
    /// Events that come in this order, maybe with others between them; each has these fields, maybe with others.
    #[serde(default)]
    expect: Vec<Value>,
    /// Types of events, and resources, that do not come together.
    #[serde(default)]
    absent: Vec<(String, String)>,
    /// 2 when the input is refused.
    #[serde(default)]
    expect_exit: u8,
}

impl Case {
    /// Reads a case.
    pub(crate) fn read(text: &str) -> serde_json::Result<Case> {
        serde_json::from_str(text)
    }

    /// Plays it, and says what is not as it has to be.
    pub(crate) fn check(&self) -> Result<(), String> {
        let played = play(&self.inventory, &self.scenario, &self.from, &self.until);
        let events = match (self.expect_exit, played) {
            (0, Ok(events)) => events,
            (0, Err(problems)) => return Err(format!("it is refused: {problems}")),
            (2, Ok(_)) => return Err("it is not refused".to_owned()),
            (2, Err(problems)) => return names_every_resource(&self.inventory, &problems),
            (code, _) => return Err(format!("no case can exit with {code}")),
        };
        let mut rest = events.iter();
        for expected in &self.expect {
            if !rest.any(|event| is_like(event, expected)) {
                let lines = events.iter().map(|event| format!("  {event}\n")).collect::<String>();
                return Err(format!("there is no {expected} in its place among\n{lines}"));
            }
        }
        let is_absent = |event: &&Value| {
            self.absent
                .iter()
                .any(|(name, resource)| event["type"] == **name && event["resource"] == **resource)
        };
        events.iter().find(is_absent).map_or(Ok(()), |event| Err(format!("there is {event}")))
    }
}

/// Plays an inventory and a scenario; the events, or the problems of the files.
pub(crate) fn play(
    inventory: &Value,
    scenario: &Value,
    from: &str,
    until: &str,
) -> Result<Vec<Value>, String> {
    let providers = bundled();
    let manifests = providers.iter().map(|(id, rules)| (id.clone(), rules.manifest())).collect();
    let check = |provider: &str, settings: &_| {
        providers[provider].check_settings(settings).map_err(|error| error.to_string())
    };
    let inventory = inventory::read(&inventory.to_string(), &manifests, &check, &NoRecords)
        .map_err(|problems| problems.to_string())?;
    let accounts = inventory.accounts.iter().map(|account| account.id.as_str()).collect::<BTreeSet<_>>();
    let scenario = if scenario.is_null() { "[]".to_owned() } else { scenario.to_string() };
    let scenario = scenario::read(&scenario, &accounts).map_err(|problems| problems.to_string())?;
    let (from, until) = (instant(from), instant(until));
    let folder = tempfile::tempdir().unwrap();
    let store = Store::scratch(&folder.path().join("case.db")).unwrap();
    let mut engine = Engine::new(store, providers.clone(), Retention::State);
    let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    engine.import(from, &inventory.accounts, bundles).unwrap();
    let mut events = Vec::new();
    simulation::run_scenario(&mut engine, &scenario, from, until, &mut |recorded| {
        let line = event::line(recorded.account.as_deref(), &recorded.event);
        events.push(serde_json::from_str(&line).unwrap());
    })
    .unwrap();
    Ok(events)
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An input that is refused is refused for each of its resources: every problem is listed.
fn names_every_resource(inventory: &Value, problems: &str) -> Result<(), String> {
    let resources = inventory["resources"].as_array().map_or(0, Vec::len);
    let missing = (0..resources).find(|index| !problems.contains(&format!("resources[{index}]")));
    missing.map_or(Ok(()), |index| Err(format!("no problem of resources[{index}] is listed: {problems}")))
}

/// Whether the event has the fields of `expected`. Amounts are compared as numbers.
fn is_like(event: &Value, expected: &Value) -> bool {
    let expected = expected.as_object().expect("an expected event is an object");
    expected.iter().all(|(name, value)| match (amount(&event[name]), amount(value)) {
        (Some(found), Some(wanted)) => found == wanted,
        _ => event[name] == *value,
    })
}

/// The amount of a text such as `60.670`, in millionths; `None` for what is no amount.
pub(crate) fn amount(value: &Value) -> Option<i64> {
    Some(value.as_str()?.parse::<perennial_domain::micros::Micros>().ok()?.as_micros())
}
