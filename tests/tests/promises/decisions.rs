//! Promise 8: what was decided can be decided again, and comes out the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use perennial_domain::policy::PolicySet;
use perennial_engine::EngineTx;
use perennial_engine::policies::Policies;
use perennial_engine::policy_changes::PolicyAuthor;
use perennial_engine::replay;
use perennial_engine::replay::NotReplayable;
use perennial_engine::replay::Replay;
use perennial_formats::decision;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::decisions;
use perennial_store::decisions::Decision;
use perennial_store::error::StoreError;
use perennial_store::keys::RowKey;
use perennial_store::testing;
use perennial_test_support::plugins;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use crate::host;
use crate::host::Host;
use crate::host::check;
use crate::host::providers;
use crate::world::DAY;
use crate::world::FROM;
use crate::world::Money;
use crate::world::UNTIL;
use crate::world::World;
use crate::world::busy;

/// The decisions of a database that are not answered the same, and what became of all of them.
fn replayed(db: &ReadTx) -> (Vec<(Decision, Replay)>, replay::Tally) {
    let mut others = Vec::new();
    let mut observe = |decision: &Decision, replay: &Replay| {
        if !matches!(replay, Replay::Matches { .. }) {
            others.push((decision.clone(), replay.clone()));
        }
        Ok::<(), StoreError>(())
    };
    let tally = replay::replay_all(db, &providers(), &mut observe).unwrap();
    (others, tally)
}

#[test]
fn every_kept_decision_is_answered_the_same_when_it_is_asked_again() {
    let asked = std::cell::Cell::new(0);
    check(50, busy(Money::Short), |world| {
        let mut host = Host::new(&world);
        host.play(FROM, UNTIL);
        for kept in decisions::list(host.db(), RowKey::before_all(), u32::MAX).unwrap() {
            let (request, response) = (kept.request.unwrap(), kept.response.unwrap());
            let question = decision::read_request(&request, &kept.contract).unwrap();
            prop_assert_eq!(decision::question(&question.as_input()).to_text(), request);
            let answer = decision::read_answer(&response, &kept.contract).unwrap();
            prop_assert_eq!(decision::answer(&answer).to_text(), response);
            prop_assert!(
                kept.fuel.is_some_and(|fuel| fuel > 1_000),
                "it ran in the sandbox: {:?}",
                kept.fuel
            );
        }
        let (others, tally) = replayed(host.db());
        prop_assert!(others.is_empty(), "{others:?}");
        asked.set(asked.get() + tally.matching);
        Ok(())
    });
    assert!(asked.get() > 100, "only {} decisions were asked again", asked.get());
}

/// A year of two accounts: what is renewed, short of money, bought again, upgraded, put out and unsubscribed.
fn year() -> World {
    let resource = |id: &str, account: &str, kind: &str, rest: Value| {
        let mut resource = json!({
            "id": id, "account": account, "kind": kind, "region": "r", "charging": "prepaid",
            "started_at": "2026-01-10T02:00:00Z", "expires_at": "2026-02-10T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "30.00", "on_expiry": "renew",
        });
        resource.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        resource
    };
    let accounts = json!([
        { "id": "h", "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": "900.00" },
        { "id": "b", "provider": "baidu", "mode": "managed", "currency": "CNY", "balance": "400.00",
          "settings": { "client_token": "optional" } },
    ]);
    let resources = json!([
        resource("ecs-1", "h", "ecs", json!({})),
        resource("evs-1", "h", "evs", json!({ "attached_to": "ecs-1", "price": "10.00" })),
        resource("rds-1", "h", "rds", json!({ "on_expiry": "lapse" })),
        resource(
            "eip-1",
            "h",
            "eip",
            json!({ "renewals_left": 3, "renewal_term": { "count": 2, "unit": "month" } })
        ),
        resource("bcc-1", "b", "bcc", json!({})),
        resource("cds-1", "b", "cds", json!({ "attached_to": "bcc-1", "price": "5.00" })),
        resource("rds-2", "b", "rds", json!({})),
    ]);
    let command = |at: &str, resource: &str, command: Value| json!({ "at": at, "do": "command", "resource": resource, "command": command });
    let month = json!({ "renew": { "term": { "count": 1, "unit": "month" } } });
    let scenario = json!([
        command("2026-02-12T00:00:00Z", "rds-1", month.clone()),
        command("2026-04-01T00:00:00Z", "ecs-1", json!({ "change": { "price": "45.00", "attributes": {} } })),
        { "at": "2026-08-01T00:00:00Z", "do": "top_up", "account": "h", "amount": "300.00" },
        { "at": "2026-08-20T00:00:00Z", "do": "outage", "until": "2026-09-12T12:00:00Z" },
        command("2026-10-01T00:00:00Z", "ecs-1", json!({ "unsubscribe": { "scope": "all" } })),
        command("2026-10-02T00:00:00Z", "nobody", month),
    ]);
    World {
        inventory: json!({ "accounts": accounts, "resources": resources }).to_string(),
        scenario: scenario.to_string(),
    }
}

#[test]
fn a_year_is_replayed_after_a_restart_and_a_changed_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("year.db");
    let mut host = Host::at(&path, &year());
    host.play(FROM, FROM + 365 * DAY);
    drop(host);
    let db = ReadTx::open(&path).unwrap();
    let (others, tally) = replayed(&db);
    assert!(others.is_empty(), "{others:?}");
    assert!(tally.matching > 30 && tally.total() == tally.matching, "{tally:?}");
    let last = decisions::list(&db, RowKey::before_all(), u32::MAX).unwrap().pop().unwrap();
    drop(db);
    let store = Store::open(&path).unwrap();
    let bytes = testing::response(store.db(), last.row);
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        testing::set_response(store.db(), last.row, &changed);
        let damaged = decisions::get(store.db(), last.row).unwrap().unwrap();
        let replay = replay::replay(store.db(), &providers(), &[damaged]).unwrap().pop().unwrap();
        let is_found = matches!(replay, Replay::Differs { .. } | Replay::Damaged { .. });
        assert!(is_found, "byte {place} of {}: {replay:?}", bytes.len());
    }
    let (others, found) = replayed(store.db());
    assert_eq!((others[0].0.row, found.different, found.matching), (last.row, 1, tally.matching - 1));
    testing::set_response(store.db(), last.row, &bytes);
    assert_eq!(replayed(store.db()).1, tally);
}

/// Denies, amends, asks, puts off and fails, by what it sees.
const SCRIPT: &str = r#"
fn rule(plan) {
    let june = instant("2026-06-01T00:00:00Z");
    let id = plan.resource.id;
    if plan.command == "change" { throw "no rule for changes"; }
    if id == "eip-1" && plan.at > instant("2026-03-01T00:00:00Z") { return require_approval("look"); }
    if id == "eip-1" && plan.term.count > 1 { return amend(#{ term: #{ count: 1, unit: "month" } }, "shorter"); }
    if id == "rds-2" && plan.at > june { return deny("not any more"); }
    if id == "bcc-1" && plan.at < june && plan.at < plan.last_try_at { return defer(plan.last_try_at, "late"); }
    approve()
}
"#;

#[test]
fn a_year_under_a_policy_is_replayed_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("year.db");
    let set = PolicySet::of_script("p".to_owned(), "p.rhai".to_owned(), SCRIPT.to_owned());
    let ruled = providers().with_policies(Arc::new(Policies::stored(plugins::interpreter(), 1)));
    let mut host = Host::ruled_at(&path, &year(), ruled.clone());
    let author = PolicyAuthor { id: "admin", reason: None };
    let installed = |engine: &mut EngineTx<'_>| engine.install_policies(host::at(FROM), &set, false, author);
    host.engine.in_transaction(installed).unwrap();
    host.play(FROM, FROM + 365 * DAY);
    let rulings = host.events("policy_ruled");
    let kinds = rulings.iter().filter_map(|event| event["ruling"].as_str()).collect::<BTreeSet<_>>();
    assert_eq!(kinds.len(), 5, "every kind of ruling is among them: {kinds:?}");
    drop(host);
    let db = ReadTx::open(&path).unwrap();
    let mut others = Vec::new();
    let mut observe = |decision: &Decision, replay: &Replay| {
        if !matches!(replay, Replay::Matches { .. }) {
            others.push((decision.row, format!("{replay:?}")));
        }
        Ok::<(), StoreError>(())
    };
    let tally = replay::replay_all(&db, &ruled, &mut observe).unwrap();
    assert!(others.is_empty(), "{others:?}");
    assert!(tally.matching > 60 && tally.total() == tally.matching, "{tally:?}");
}

#[test]
fn what_other_revisions_and_contracts_decided_is_counted_apart() {
    let mut host = Host::new(&year());
    host.play(FROM, FROM + 30 * DAY);
    let listed = decisions::list(host.db(), RowKey::before_all(), u32::MAX).unwrap();
    let huawei = listed.iter().find(|decision| decision.plugin == "huawei").unwrap();
    let outcome = |change: &dyn Fn(&mut Decision)| {
        let mut decision = huawei.clone();
        change(&mut decision);
        replay::replay(host.db(), &providers(), &[decision]).unwrap().pop().unwrap()
    };
    let contract = NotReplayable::Contract("0.1".to_owned());
    assert_eq!(outcome(&|one| one.contract = "0.1".to_owned()), Replay::NotReplayable(contract));
    let none = NotReplayable::NoPlugin("acme".to_owned());
    let unknown = |one: &mut Decision| (one.plugin, one.digest) = ("acme".to_owned(), "0".repeat(64));
    assert_eq!(outcome(&unknown), Replay::NotReplayable(none));
    let revision = NotReplayable::Revision { plugin: "huawei".to_owned(), digest: "0".repeat(64) };
    assert_eq!(outcome(&|one| one.digest = "0".repeat(64)), Replay::NotReplayable(revision));
    assert!(matches!(outcome(&|_| {}), Replay::Matches { fuel } if fuel > 1_000));
}

#[test]
fn old_decisions_are_deleted_a_few_at_a_time_and_the_newest_stays() {
    let mut host = Host::new(&year());
    host.play(FROM, FROM + 90 * DAY);
    let count = |host: &Host| testing::row_count(host.db(), "decision");
    let all = count(&host);
    let rows = |host: &Host| decisions::list(host.db(), RowKey::before_all(), u32::MAX).unwrap();
    let newest = rows(&host).pop().unwrap();
    host.engine.delete_old_records(host::at(FROM)).unwrap();
    assert_eq!(count(&host), all, "none is older than it may be");
    // Those of the first month are older than ninety days now.
    let now = FROM + 120 * DAY;
    host.engine.delete_old_records(host::at(now)).unwrap();
    let left = rows(&host);
    assert!(
        left.len() < usize::try_from(all).unwrap()
            && left.iter().all(|one| one.at >= host::at(now - 90 * DAY))
    );
    host.engine.delete_old_records(host::at(FROM + 900 * DAY)).unwrap();
    assert_eq!(rows(&host), [newest]);
}

#[test]
fn every_renewal_settled_or_declined_by_the_clock_has_its_decision() {
    check(20, busy(Money::Short), |world| {
        let mut host = Host::new(&world);
        host.play(FROM, UNTIL);
        let decided = testing::decided(host.db());
        for event in host.events("renewal_settled").iter().chain(&host.events("renewal_declined")) {
            let named = event["primary"].as_str().or(event["resource"].as_str()).unwrap();
            let at = event["at"].as_str().unwrap().parse::<perennial_domain::timestamp::Timestamp>().unwrap();
            let row = format!("{named} {}", at.as_second());
            prop_assert!(decided.contains(&row), "nothing is kept about {event}");
        }
        Ok(())
    });
}
