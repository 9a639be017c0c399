//! Warnings about entries of a scenario that do nothing, or something else than they look like.

use std::collections::BTreeMap;

use perennial_domain::timestamp::Timestamp;
use perennial_formats::inventory::Inventory;
use perennial_formats::scenario::ScenarioAction;
use perennial_formats::scenario::ScenarioEntry;

/// Warns about the entries of a scenario that is played between two instants, both included.
pub(super) fn warn(scenario: &[ScenarioEntry], inventory: &Inventory, (from, until): (Timestamp, Timestamp)) {
    warn_about_entries_outside(scenario, from, until);
    warn_about_lost_commands(scenario);
    warn_about_resources(scenario, inventory);
}

fn warn_about_entries_outside(scenario: &[ScenarioEntry], from: Timestamp, until: Timestamp) {
    let outside = scenario.iter().filter(|entry| !(from..=until).contains(&entry.at)).count();
    if outside > 0 {
        tracing::warn!(
            outside,
            "entries of the scenario are not between `--from` and `--until`; they are not played"
        );
    }
    let last = scenario.iter().rev().find(|entry| entry.at <= until);
    if let Some(ScenarioAction::Outage { until: end }) = last.map(|entry| &entry.action)
        && *end > until
    {
        tracing::warn!(until = %end, "an outage ends after `--until`; from its beginning on nothing is played");
    }
}

/// Warns of commands while the host is down: nobody is there to carry them out.
fn warn_about_lost_commands(scenario: &[ScenarioEntry]) {
    let mut down_until = None::<Timestamp>;
    for entry in scenario {
        let is_down = down_until.is_some_and(|until| entry.at < until);
        match &entry.action {
            ScenarioAction::Outage { until } if !is_down => down_until = Some(*until),
            ScenarioAction::Command { resource, .. } if is_down => {
                tracing::warn!(at = %entry.at, resource, "the host is down then: the command is lost");
            }
            ScenarioAction::Outage { .. }
            | ScenarioAction::Command { .. }
            | ScenarioAction::TopUp { .. }
            | ScenarioAction::SetAttribute { .. }
            | ScenarioAction::Use { .. } => {}
        }
    }
}

/// Warns of entries about resources that the inventory does not have, or has for another account.
fn warn_about_resources(scenario: &[ScenarioEntry], inventory: &Inventory) {
    let members = inventory.bundles.iter().flat_map(|imported| {
        imported.bundle.members.iter().map(|member| (member.id.as_str(), imported.account.as_str()))
    });
    let account_of = members.collect::<BTreeMap<_, _>>();
    for entry in scenario {
        match &entry.action {
            ScenarioAction::SetAttribute { resource, .. } if !account_of.contains_key(resource.as_str()) => {
                tracing::warn!(at = %entry.at, resource, "the inventory has no such resource; if nothing buys it, nothing is set");
            }
            ScenarioAction::Command { account, resource, .. } => {
                match (account, account_of.get(resource.as_str())) {
                    (_, None) => {
                        tracing::warn!(at = %entry.at, resource, "the inventory has no such resource; if nothing buys it, the command is refused");
                    }
                    (Some(account), Some(owner)) if owner != account => {
                        tracing::warn!(at = %entry.at, resource, account, owner, "the resource is another account's, which the command is for");
                    }
                    (Some(_) | None, Some(_)) => {}
                }
            }
            ScenarioAction::SetAttribute { .. }
            | ScenarioAction::TopUp { .. }
            | ScenarioAction::Use { .. }
            | ScenarioAction::Outage { .. } => {}
        }
    }
}
