//! What an import says that the first tick does is what the first tick does, also where money is short.

use std::collections::BTreeMap;

use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::inventory_diff::GivenFields;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::clock;
use perennial_engine::clock::LastActive;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::simulation;
use perennial_formats::event;
use perennial_formats::inventory::Document;
use perennial_formats::inventory::ImportOptions;
use perennial_store::Store;
use perennial_store::bundles;
use perennial_store::integrity;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use crate::host::at;
use crate::host::check;
use crate::host::providers;
use crate::host::read;
use crate::world;
use crate::world::DAY;
use crate::world::FROM;
use crate::world::Money;
use crate::world::World;

/// Seconds of an hour.
const HOUR: i64 = 3_600;

/// Events of these resources, in order, as lines.
fn lines<'a>(named: &[String], events: impl Iterator<Item = &'a Event>) -> Vec<String> {
    let is_named = |happened: &&Event| happened.resource.as_ref().is_some_and(|id| named.contains(id));
    let mut lines = events.filter(is_named).map(|happened| event::line(None, happened)).collect::<Vec<_>>();
    lines.sort();
    lines
}

#[test]
fn the_summary_of_an_import_is_the_first_tick() {
    let mut expired = 0;
    for money in [Money::Short, Money::Plenty] {
        let found = std::cell::Cell::new(0);
        check(60, world::quiet(money), |world| {
            let providers = providers();
            let (inventory, _) = read(&world, &providers);
            let options = ImportOptions::default();
            let document = Document { inventory, given: BTreeMap::new(), options };
            let folder = tempfile::tempdir().unwrap();
            let store = Store::scratch(&folder.path().join("host.db")).unwrap();
            let mut engine = Engine::new(store, providers, Retention::Everything);
            let now = at(FROM);
            let said = engine.preview_import(now, &document).unwrap();
            engine.import_document(now, &document, "cli").unwrap();
            let mut ticked = Vec::new();
            let observe = &mut |recorded: &RecordedEvent| ticked.push(recorded.event.clone());
            clock::tick(&mut engine, now, LastActive::default(), observe).unwrap();
            let named = said.resources.iter().map(|named| named.resource.clone()).collect::<Vec<_>>();
            found.set(found.get() + said.expired.len());
            let said = said.expired.iter().chain(&said.due).flat_map(|resource| &resource.events);
            prop_assert_eq!(lines(&named, said), lines(&named, ticked.iter()));
            Ok(())
        });
        expired += found.get();
    }
    assert!(expired > 20, "only {expired} had expired: the worlds prove nothing");
}

/// The same world, in which everything that can renew itself does, and each account has money for a cheap renewal.
fn all_renewing(world: &World) -> World {
    let mut inventory: Value = serde_json::from_str(&world.inventory).unwrap();
    for account in inventory["accounts"].as_array_mut().unwrap() {
        account["balance"] = "30.00".into();
    }
    for resource in inventory["resources"].as_array_mut().unwrap() {
        if resource["on_expiry"] == "lapse" {
            resource["on_expiry"] = "renew".into();
        }
    }
    World { inventory: inventory.to_string(), scenario: world.scenario.clone() }
}

#[test]
fn the_first_tick_of_a_simulation_is_the_first_real_tick() {
    let mut declined = 0;
    // Away from tries, and seconds after those of the providers.
    let nows = [0, 12 * HOUR + HOUR / 2 + 20, 18 * HOUR + HOUR / 2 + 59].map(|offset| at(FROM + offset));
    for (money, now) in
        [Money::Short, Money::Plenty].into_iter().flat_map(|money| nows.map(|now| (money, now)))
    {
        let found = std::cell::Cell::new(0);
        check(40, world::quiet(money), |world| {
            let world = if money == Money::Short { all_renewing(&world) } else { world };
            let [mut simulated, mut real] = [Vec::new(), Vec::new()];
            let folder = tempfile::tempdir().unwrap();
            let imported = |name: &str| {
                let providers = providers();
                let (inventory, _) = read(&world, &providers);
                let document =
                    Document { inventory, given: BTreeMap::new(), options: ImportOptions::default() };
                let store = Store::scratch(&folder.path().join(name)).unwrap();
                let mut engine = Engine::new(store, providers, Retention::Everything);
                engine.import_document(now, &document, "cli").unwrap();
                engine
            };
            let observe = &mut |recorded: RecordedEvent| simulated.push(recorded.event);
            simulation::run_scenario(&mut imported("simulated.db"), &[], now, now, observe).unwrap();
            let observe = &mut |recorded: &RecordedEvent| real.push(recorded.event.clone());
            clock::tick(&mut imported("real.db"), now, LastActive::default(), observe).unwrap();
            let was_declined = |event: &&Event| matches!(event.what, EventKind::RenewalDeclined { .. });
            found.set(found.get() + real.iter().filter(was_declined).count());
            let [mut simulated, mut real] = [simulated, real]
                .map(|events| events.iter().map(|event| event::line(None, event)).collect::<Vec<_>>());
            simulated.sort();
            real.sort();
            prop_assert_eq!(simulated, real);
            Ok(())
        });
        declined += found.get();
    }
    assert!(declined > 20, "only {declined} were declined: the worlds prove nothing");
}

/// The same world without any money, in which everything expires so many seconds earlier.
fn broke(world: &World, earlier: i64) -> World {
    let mut inventory: Value = serde_json::from_str(&world.inventory).unwrap();
    for account in inventory["accounts"].as_array_mut().unwrap() {
        account["balance"] = "0.00".into();
        account["approval_above"] = Value::Null;
    }
    for resource in inventory["resources"].as_array_mut().unwrap() {
        if let Some(expires_at) = resource["expires_at"].as_str() {
            let expires_at: Timestamp = expires_at.parse().unwrap();
            resource["expires_at"] = (expires_at - earlier).to_string().into();
            resource["started_at"] = "2020-01-01T00:00:00Z".into();
            resource.as_object_mut().unwrap().remove("anchor_day");
        }
    }
    World { inventory: inventory.to_string(), scenario: world.scenario.clone() }
}

#[test]
fn what_an_update_says_is_past_comes_to_the_same_as_in_a_first_import() {
    let compared = std::cell::Cell::new(0);
    check(80, world::quiet(Money::Short), |world| {
        let folder = tempfile::tempdir().unwrap();
        let host = |name: &str| {
            let store = Store::scratch(&folder.path().join(name)).unwrap();
            Engine::new(store, providers(), Retention::Everything)
        };
        let import = |engine: &mut Engine, world: &World, now: Timestamp, update: bool| {
            let (inventory, _) = read(world, &providers());
            let given = inventory.bundles.iter().flat_map(|imported| &imported.bundle.members);
            let given = given.map(|member| (member.id.clone(), GivenFields::new(|_| true))).collect();
            let options = ImportOptions { update, ..ImportOptions::default() };
            engine.import_document(now, &Document { inventory, given, options }, "cli").unwrap();
            clock::tick(engine, now, LastActive::default(), &mut |_: &RecordedEvent| {}).unwrap();
        };
        let stages = |engine: &Engine| {
            let (stored, _) = read(&world, &providers());
            let ids = stored.bundles.into_iter().flat_map(|imported| imported.bundle.members);
            let stage = |id: String| {
                let (stored, index) = bundles::find_by_resource(engine.db(), &id).unwrap().unwrap();
                (id, stored.bundle[index].stage)
            };
            ids.map(|member| stage(member.id)).collect::<BTreeMap<_, _>>()
        };
        let (mut updated, mut fresh) = (host("updated.db"), host("fresh.db"));
        import(&mut updated, &broke(&world, DAY), at(FROM - 3_600), false);
        let before = stages(&updated);
        import(&mut updated, &broke(&world, 0), at(FROM), true);
        import(&mut fresh, &broke(&world, 0), at(FROM), false);
        let (after, fresh) = (stages(&updated), stages(&fresh));
        prop_assert_eq!(integrity::check(updated.db()).unwrap(), []);
        for (id, stage) in before.iter().filter(|(_, stage)| !stage.is_final()) {
            prop_assert_eq!(after[id], fresh[id], "{} was {:?}", id, stage);
            compared.set(compared.get() + usize::from(after[id] != Stage::Active));
        }
        Ok(())
    });
    assert!(compared.get() > 20, "only {} were past: the worlds prove nothing", compared.get());
}

#[test]
fn what_was_imported_while_the_clock_was_ahead_is_tried_in_time() {
    let inventory = json!({
        "accounts": [{
            "id": "a", "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": "500.00",
            "settings": { "site": "intl" },
        }],
        "resources": [{
            "id": "ecs-1", "account": "a", "kind": "ecs", "region": "r", "charging": "prepaid",
            "started_at": "2026-01-31T02:00:00Z", "expires_at": "2026-02-28T15:59:59Z", "anchor_day": 31,
            "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew",
        }],
    });
    let [imported, ticked, later]: [Timestamp; 3] =
        ["2027-02-20T18:50:00Z", "2026-02-20T19:00:05Z", "2026-02-28T16:30:00Z"]
            .map(|at| at.parse().unwrap());
    let world = World { inventory: inventory.to_string(), scenario: "[]".to_owned() };
    let providers = providers();
    let (inventory, _) = read(&world, &providers);
    let document = Document { inventory, given: BTreeMap::new(), options: ImportOptions::default() };
    let folder = tempfile::tempdir().unwrap();
    let mut engine = Engine::new(
        Store::scratch(&folder.path().join("host.db")).unwrap(),
        providers,
        Retention::Everything,
    );
    engine.import_document(imported, &document, "cli").unwrap();
    let mut settled = Vec::new();
    for now in [ticked, later] {
        let observe = &mut |recorded: &RecordedEvent| {
            if let EventKind::RenewalSettled { expires_at, .. } = recorded.event.what {
                settled.push((recorded.event.at, expires_at.to_string()));
            }
        };
        clock::tick(&mut engine, now, LastActive::default(), observe).unwrap();
    }
    assert_eq!(settled, [(ticked - 1, "2026-03-31T15:59:59Z".to_owned())]);
}
