//! Plugins that the configuration names, and accounts whose provider has none.

use expect_test::expect;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_sandbox::BUNDLED;
use perennial_store::Store;

use crate::server::Served;
use crate::server::run;
use crate::support::Folder;

/// A database with an account of a provider whose plugin nobody has any more, and a resource of it that renews itself.
fn database_of_another_provider(folder: &Folder) {
    let bundled = folder.providers();
    let rules = bundled["huawei"].clone();
    let bundled = bundled.iter().map(|(id, rules)| (id.clone(), rules.clone()));
    let providers = bundled.chain([("acme".to_owned(), rules)]).collect();
    let inventory = r#"{
      "accounts": [{ "id": "a", "provider": "acme", "currency": "CNY", "balance": "500.00" }],
      "resources": [{ "id": "vm", "account": "a", "kind": "ecs", "charging": "prepaid",
        "started_at": "2025-12-10T00:00:00Z", "expires_at": "2026-01-10T00:00:00Z",
        "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" }] }"#;
    let inventory = folder.read_inventory(inventory, &providers);
    let store = Store::scratch(&folder.path("test.db")).unwrap();
    let mut engine = Engine::new(store, providers, Retention::Everything);
    let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    let from = "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap();
    engine.import(from, &inventory.accounts, bundles).unwrap();
}

/// What the program says when it ends with `code`.
fn said(folder: &Folder, environment: &[(&str, &str)], words: &[&str], code: i32) -> String {
    let ended = run(folder, environment, words);
    let said = String::from_utf8([&ended.stdout[..], &ended.stderr[..]].concat()).unwrap();
    assert_eq!(ended.status.code(), Some(code), "{said}");
    said
}

#[test]
fn a_host_whose_accounts_have_no_plugin_refuses_to_start() {
    let folder = Folder::new();
    database_of_another_provider(&folder);
    let refused = said(&folder, &[], &["run"], 2);
    expect![[r#"
        error: no plugin is loaded for `acme` (account `a`); load it with `--plugin FILE` or `[plugins] files` of the configuration, or leave these accounts' resources as they are with `--allow-missing-plugins`
    "#]]
    .assert_eq(&refused);
    assert_eq!(said(&folder, &[], &["serve"], 2), refused);
}

#[test]
fn a_forecast_without_the_plugin_is_no_row_of_nothing() {
    let folder = Folder::new();
    database_of_another_provider(&folder);
    let refused = said(&folder, &[], &["forecast"], 1);
    assert!(refused.contains("no plugin of `acme` is loaded") && refused.contains("`a`"), "{refused}");
    assert!(!refused.contains("0.00"), "{refused}");
}

#[test]
fn a_host_without_a_plugin_says_how_long_its_bundles_are_overdue() {
    for by_config in [false, true] {
        let folder = Folder::new();
        database_of_another_provider(&folder);
        let (environment, words): (&[_], &[_]) = match by_config {
            true => (&[("PERENNIAL_PLUGINS_ALLOW_MISSING", "true")], &[]),
            false => (&[], &["--allow-missing-plugins"]),
        };
        let words = [&["--virtual-clock", "2026-01-01T00:00:00Z"], words].concat();
        let (server, log) = Served::start_logged(&folder, environment, &words);
        assert!(log.contains("WARN no plugin is loaded"), "{log}");
        let mut last = 0;
        for day in ["02", "03", "04"] {
            let body = format!(r#"{{"to": "2026-01-{day}T00:00:00Z"}}"#);
            assert_eq!(server.send("POST", "/v1/clock:advance", &body).status, 200);
            let overdue = server.figure("perennial_overdue_seconds");
            assert!(overdue >= last + 86_400, "{overdue} after {last}: a day went by");
            last = overdue;
        }
        assert_eq!(server.figure("perennial_due"), 0, "the clock did its part");
        let ready = server.get("/readyz");
        assert_eq!((ready.status, &ready.json()["plugins"]), (200, &serde_json::json!(false)));
    }
}

#[test]
fn the_configuration_and_the_environment_name_plugins_by_digest() {
    let folder = Folder::new();
    let huawei = BUNDLED.iter().find(|bundled| bundled.id == "huawei").unwrap();
    std::fs::write(folder.path("mine.wasm"), huawei.component).unwrap();
    let digest = folder.providers()["huawei"].digest().to_owned();
    let mine = format!("mine.wasm@sha256:{digest}");
    folder.write("perennial.toml", &format!("[plugins]\nfiles = [\"{mine}\"]\n"));
    let by_file: &[&str] = &["--config", "perennial.toml", "plugins"];
    let environment = [("PERENNIAL_PLUGINS_FILES", mine.as_str())];
    let by_option: &[&str] = &["--plugin", &mine, "plugins"];
    for (environment, words) in [(&[][..], by_file), (&environment, &["plugins"]), (&[], by_option)] {
        let listed = said(&folder, environment, words, 0);
        assert!(listed.contains("  from      `mine.wasm`, "), "{words:?}: {listed}");
    }
    // Another revision is put where this one was.
    let baidu = BUNDLED.iter().find(|bundled| bundled.id == "baidu").unwrap();
    std::fs::write(folder.path("mine.wasm"), baidu.component).unwrap();
    let refused = said(&folder, &[], by_file, 1);
    let refused = refused.replace(&digest, "HUAWEI").replace(folder.providers()["baidu"].digest(), "BAIDU");
    expect![[r#"
        error: the plugin `mine.wasm` has the digest BAIDU, and HUAWEI was asked for; put that revision there, or name the other digest if the new one is meant
    "#]]
    .assert_eq(&refused);
}

#[test]
fn a_host_that_trusts_no_key_says_so_at_every_start() {
    let folder = Folder::new();
    let clock = ["--virtual-clock", "2026-01-01T00:00:00Z"];
    let key = said(&folder, &[], &["plugin", "keygen", "ops.key"], 0);
    let told = |environment: &[(&str, &str)]| {
        let (server, told) = Served::start_logged(&folder, environment, &clock);
        server.terminate();
        assert_eq!(server.exit_code(), Some(0));
        let line = told.lines().find(|line| line.contains("no key is trusted"));
        line.map(|line| line.split_once(" INFO ").unwrap().1.to_owned())
    };
    let (first, again) = (told(&[]).unwrap(), told(&[]).unwrap());
    assert_eq!(first, again);
    expect!["no key is trusted, so plugins need no signature: whoever may install one may install any; `[trust] keys` of the configuration names those whose plugins are"].assert_eq(&first);
    assert_eq!(told(&[("PERENNIAL_TRUST_KEYS", key.trim())]), None);
}

#[test]
fn what_a_host_that_runs_decided_is_recorded_from_it() {
    let folder = Folder::new();
    let huawei = BUNDLED.iter().find(|bundled| bundled.id == "huawei").unwrap();
    std::fs::write(folder.path("huawei.wasm"), huawei.component).unwrap();
    let server = Served::start(&folder, &[], &["--virtual-clock", "2026-01-01T00:00:00Z"]);
    let inventory = r#"{
      "accounts": [{ "id": "a", "provider": "huawei", "currency": "CNY", "balance": "500.00" }],
      "resources": [{ "id": "vm", "account": "a", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
        "started_at": "2025-12-10T00:00:00Z", "expires_at": "2026-01-10T15:59:59Z",
        "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" }] }"#;
    assert_eq!(server.send("POST", "/v1/resources:import", inventory).status, 200);
    let to = r#"{ "to": "2026-02-10T00:00:00Z" }"#;
    assert_eq!(server.send("POST", "/v1/clock:advance", to).status, 200);
    folder.write("token", &server.token);
    let url = format!("http://{}", server.address);
    let record = |more: &[&str]| {
        let words = ["plugin", "test", "huawei.wasm", "--cases", "cases.toml", "--record"];
        let of_host = ["--server", &url, "--token-file", "token"];
        folder.run(&[&words[..], &of_host, more].concat()).succeeded().stdout()
    };
    expect![[r#"
        recorded 2 decisions; 0 were there already, and 0 are about what no case states
        ok      decision 1
        ok      decision 2
        2 cases, 0 failed
    "#]]
    .assert_eq(&record(&[]));
    let again = record(&["--resource", "vm"]);
    assert!(again.starts_with("recorded 0 decisions; 2 were there already"), "{again}");
    let words = ["plugin", "test", "huawei.wasm", "--record", "--server", "http://127.0.0.1:1"];
    assert_eq!(folder.run(&words).code(), 2, "no case comes from a host that is not there");
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
}

/// A table that is the plugin of a provider of its own.
fn cumulus(folder: &Folder) {
    let table = include_str!("../../../../plugins/declared/tables/volcengine.toml");
    folder.write("cumulus.toml", &table.replace("id = \"volcengine\"", "id = \"cumulus\""));
}

/// What is bound, a line each.
fn bound(folder: &Folder, environment: &[(&str, &str)]) -> String {
    let listed = run(folder, environment, &["plugin", "bindings", "--format", "csv"]);
    String::from_utf8(listed.stdout).unwrap()
}

#[test]
fn a_host_does_not_start_without_the_file_of_a_plugin_that_it_had_before() {
    for clock in [&["--virtual-clock", "2026-01-01T00:00:00Z"][..], &[]] {
        let folder = Folder::new();
        cumulus(&folder);
        let with = [("PERENNIAL_PLUGINS_FILES", "cumulus.toml")];
        let (server, _) = Served::start_logged(&folder, &with, clock);
        let account = r#"{ "id": "a", "provider": "cumulus", "currency": "CNY", "balance": "500.00" }"#;
        assert_eq!(server.send("POST", "/v1/accounts", account).status, 201);
        server.terminate();
        assert_eq!(server.exit_code(), Some(0));
        let before = bound(&folder, &with);
        let again = if clock.is_empty() { &[][..] } else { &["--virtual-clock"] };
        for _ in 0..2 {
            let refused = said(&folder, &[], &[&["serve"], again].concat(), 2);
            assert!(refused.contains("no plugin is loaded for `cumulus` (account `a`)"), "{refused}");
        }
        assert_eq!(bound(&folder, &with), before);
        // Neither does a command take it away, on a database of either time.
        let top_up = said(&folder, &[], &["account", "top-up", "a", "5", "--yes"], 0);
        assert!(!top_up.contains("no plugin of the provider is loaded any more"), "{top_up}");
        assert_eq!(bound(&folder, &with), before);
        // A host that is told to go on without it takes it away, and that is kept.
        let allowed = [again, &["--allow-missing-plugins"]].concat();
        let (server, log) = Served::start_logged(&folder, &[], &allowed);
        assert!(log.contains("no plugin of the provider is loaded any more"), "{log}");
        let history = server.get("/v1/plugins/bindings/history?limit=1000").json();
        let last = history["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["provider"], &last["after"]), (&"cumulus".into(), &serde_json::Value::Null));
        server.terminate();
    }
}
