//! Commands on a database that lives on virtual time: they work at the instant where its clock stands.

use perennial_store::clock::ClockKind;
use serde_json::Value;

use crate::sample::INVENTORY;
use crate::support::Folder;

/// A database whose virtual clock stands at the second after this day's first one.
const STANDS: &str = "2026-01-26T00:00:01Z";
const SECRETS: [&str; 2] = ["--secrets-key-file", "secrets.key"];

fn on_virtual_time() -> Folder {
    let folder = Folder::new();
    let mut engine = folder.engine("perennial.db", INVENTORY).with_clock(ClockKind::Virtual);
    engine.run_to("2026-01-26T00:00:00Z".parse().unwrap(), &mut |_, _| {}).unwrap();
    drop(engine);
    folder.run(&["key", "new-secrets-key", "secrets.key"]).succeeded();
    folder
}

fn listed(folder: &Folder, words: &[&str]) -> Vec<Value> {
    let json = folder.run(&[words, &["list", "--format", "json"]].concat()).succeeded().stdout();
    serde_json::from_str::<Vec<Value>>(&json).unwrap()
}

#[test]
fn tokens_and_keys_are_made_and_end_by_the_clock_of_their_database() {
    let folder = on_virtual_time();
    let token = ["token", "create", "--name", "a", "--role", "viewer", "--expires-at"];
    let key = ["create", "--account", "acme-hw", "--name", "a", "--expires-at"];
    let key = [&["key"], &SECRETS[..], &key].concat();
    for create in [&token[..], &key] {
        let past = folder.run(&[create, &["2026-01-26T00:00:01Z"]].concat());
        assert_eq!(past.code(), 2, "{}", past.stderr());
        assert!(
            past.stderr().contains(&format!("it is {STANDS}; name a later instant")),
            "{}",
            past.stderr()
        );
        let never = folder.run(&[create, &["9999-12-31T23:59:58Z"]].concat());
        assert_eq!(never.code(), 2, "{}", never.stderr());
        assert!(never.stderr().contains("is not before 9000-01-01T00:00:00Z"), "{}", never.stderr());
        folder.run(&[create, &["2026-01-26T00:00:02Z"]].concat()).succeeded();
    }
    for list in ["token", "key"] {
        let made = listed(&folder, &[list]);
        assert_eq!(made.len(), 1);
        assert_eq!(made[0]["created_at"], STANDS);
    }
    let [id, access_key] = [("token", "id"), ("key", "access_key")]
        .map(|(list, id)| listed(&folder, &[list])[0][id].as_str().unwrap().to_owned());
    folder.run(&["token", "revoke", &id, "--yes"]).succeeded();
    folder.run(&["key", "revoke", &access_key, "--yes"]).succeeded();
    assert_eq!(listed(&folder, &["token"])[0]["revoked_at"], STANDS);
    assert_eq!(listed(&folder, &["key"])[0]["revoked_at"], STANDS);
}

#[test]
fn a_key_is_rotated_at_the_instant_of_its_database() {
    let folder = on_virtual_time();
    let create = [&["key"], &SECRETS[..], &["create", "--account", "acme-hw", "--name", "a"]].concat();
    folder.run(&create).succeeded();
    let old = listed(&folder, &["key"])[0]["access_key"].as_str().unwrap().to_owned();
    folder
        .run(&[&["key"], &SECRETS[..], &["rotate", &old, "--overlap-seconds", "59", "--yes"]].concat())
        .succeeded();
    let keys = listed(&folder, &["key"]);
    assert_eq!(keys[0]["expires_at"], "2026-01-26T00:01:00Z");
    assert_eq!(keys[1]["created_at"], STANDS);
}

#[test]
fn policies_are_asked_at_the_instant_of_the_database() {
    let folder = on_virtual_time();
    folder.write("at.rhai", "fn rule(plan) { deny(`it is ${plan.at}`) }\n");
    let told = folder.run(&["policy", "run", "at.rhai", "--resource", "ecs-1"]).succeeded().stdout();
    assert!(told.contains(&format!("it is {STANDS}")), "{told}");
}
