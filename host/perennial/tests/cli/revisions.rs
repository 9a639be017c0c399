//! `perennial plugin install|bind|promote|roll-back|…` on a database, and signatures.

use expect_test::expect;

use crate::sample::folder;
use crate::support::Folder;

/// The table that is bundled, with renewals first tried three days before the expiry.
fn late(folder: &Folder) {
    let table = include_str!("../../../../plugins/declared/tables/volcengine.toml");
    folder.write("late.toml", &table.replace("days = [7, 6, 5, 4, 3, 2, 1, 0]", "days = [3, 2, 1, 0]"));
}

/// The text with what is long and hexadecimal taken out.
pub fn masked(text: &str) -> String {
    let (mut shown, mut digits) = (String::new(), String::new());
    for character in text.chars().chain(['.']) {
        if character.is_ascii_digit() || ('a'..='f').contains(&character) {
            digits.push(character);
            continue;
        }
        shown += if digits.len() >= 12 { "[digest]" } else { &digits };
        digits.clear();
        shown.push(character);
    }
    shown.pop();
    shown
}

#[test]
fn a_revision_is_installed_bound_promoted_and_rolled_back_on_a_database() {
    let folder = folder();
    late(&folder);
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    let looked = folder.run(&["plugin", "install", "late.toml", "--dry-run"]);
    assert_eq!(looked.code(), 3, "{}", looked.stderr());
    let installed = folder.run(&["plugin", "install", "late.toml"]).succeeded().stdout();
    let digest = installed.split(' ').nth(1).unwrap().to_owned();
    let again = folder.run(&["plugin", "install", "late.toml"]).succeeded().stdout();
    let bound =
        folder.run(&["plugin", "bind", &digest[..8], "--mode", "shadow", "--yes"]).succeeded().stdout();
    let looked = folder.run(&["plugin", "promote", "volcengine", "--dry-run"]);
    assert_eq!(looked.code(), 3, "{}", looked.stderr());
    let promoted = folder.run(&["plugin", "promote", "volcengine", "--yes"]).succeeded().stdout();
    let back = folder.run(&["plugin", "roll-back", "volcengine", "--yes"]).succeeded().stdout();
    expect![[r#"
        revision [digest] of volcengine is installed; bind it with `perennial plugin bind`
        revision [digest] of volcengine is installed already
        shadow of volcengine for *: [digest], where none of their own was bound
        revision [digest] was never asked in shadow
        this matches no account that there is at present
        done
        shadow of volcengine for *: [digest] no longer
        active of volcengine for *: [digest] instead of [digest]
        revision [digest] was never asked in shadow
        this matches no account that there is at present
        nothing was written: this was a dry run
        shadow of volcengine for *: [digest] no longer
        active of volcengine for *: [digest] instead of [digest]
        revision [digest] was never asked in shadow
        this matches no account that there is at present
        done
        active of volcengine for *: [digest] instead of [digest]
        revision [digest] was never asked in shadow
        this matches no account that there is at present
        done
    "#]]
    .assert_eq(&masked(&[installed, again, bound, looked.stdout(), promoted, back].concat()));
    let listed = folder.run(&["plugin", "revisions", "--format", "csv"]).succeeded().stdout();
    assert!(listed.contains(&digest) && listed.contains("late.toml"), "{listed}");
    let one = folder.run(&["plugin", "revision", &digest, "--format", "json"]).succeeded().stdout();
    assert!(one.contains("\"kind\": \"table\"") || one.contains("\"kind\":\"table\""), "{one}");
    let bindings = folder.run(&["plugin", "bindings", "--format", "csv"]).succeeded().stdout();
    assert!(bindings.lines().any(|line| line.starts_with("volcengine,*,active,")), "{bindings}");
    let history = folder.run(&["plugin", "history", "--format", "csv"]).succeeded().stdout();
    assert_eq!(history.lines().filter(|line| line.contains(&digest)).count(), 4, "{history}");
    let unknown = folder.run(&["plugin", "bind", "zz", "--mode", "active", "--yes"]);
    assert_eq!(unknown.code(), 2);
    let nothing = folder.run(&["plugin", "differences", &digest]).succeeded();
    assert!(nothing.stdout().contains("it answered nothing otherwise"), "{}", nothing.stdout());
    let tested = folder.run(&["plugin", "backtest", "late.toml", "--since", "2020-01-01"]).succeeded();
    assert!(tested.stdout().contains("of 0 plans none would have been another"), "{}", tested.stdout());
}

#[test]
fn only_what_a_trusted_key_signed_is_installed_or_loaded() {
    let folder = folder();
    late(&folder);
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    let key = folder.run(&["plugin", "keygen", "ops.key"]).succeeded().stdout();
    assert_eq!(folder.run(&["plugin", "keygen", "ops.key"]).code(), 2, "a key is overwritten");
    folder.write("perennial.toml", &format!("[trust]\nkeys = [\"{}\"]\n", key.trim()));
    let trusting = |arguments: &[&str]| folder.run(&[&["--config", "perennial.toml"], arguments].concat());
    let unsigned = trusting(&["plugin", "install", "late.toml"]);
    assert!(
        unsigned.stderr().contains("signature: the plugin `late.toml` has no signature"),
        "{}",
        unsigned.stderr()
    );
    let unsigned = trusting(&["--plugin", "late.toml", "plugins"]);
    assert!(unsigned.stderr().contains("the plugin `late.toml` has no signature"), "{}", unsigned.stderr());
    folder.run(&["plugin", "sign", "late.toml", "--key", "ops.key"]).succeeded();
    folder.run(&["plugin", "verify", "late.toml", "--key", key.trim()]).succeeded();
    let installed = trusting(&["plugin", "install", "late.toml"]).succeeded().stdout();
    assert!(installed.contains(&format!("signed by {}", key.trim())), "{installed}");
    trusting(&["--plugin", "late.toml", "plugins"]).succeeded();
    let table = std::fs::read_to_string(folder.path("late.toml")).unwrap();
    folder.write("late.toml", &format!("{table}\n"));
    let changed = folder.run(&["plugin", "verify", "late.toml", "--key", key.trim()]);
    assert_eq!(changed.code(), 1, "{}", changed.stderr());
    assert!(
        trusting(&["plugin", "install", "late.toml"]).stderr().contains("was changed after it was signed")
    );
}

#[test]
fn a_revision_that_imports_wasi_is_installed_once_that_is_granted() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    std::fs::write(folder.path("system.wasm"), perennial_tests::guests::SYSTEM).unwrap();
    let install = |grant: &[&str]| folder.run(&[&["plugin", "install", "system.wasm"], grant].concat());
    let refused = install(&[]);
    assert!(refused.stderr().contains("contract: the plugin `system.wasm` imports"), "{}", refused.stderr());
    let wrong = install(&["--grant", "network"]);
    assert_eq!(wrong.code(), 2, "{}", wrong.stderr());
    assert!(wrong.stderr().contains("`network` is no limit that can be granted"), "{}", wrong.stderr());
    let above = install(&["--grant", "wasi,memory=40GiB"]);
    assert!(
        above.stderr().contains("memory of 40GiB, and at most 256MiB may be granted"),
        "{}",
        above.stderr()
    );
    let told = [
        install(&["--grant", "wasi", "--dry-run"]).stdout(),
        install(&["--grant", "wasi"]).succeeded().stdout(),
        install(&["--grant", "wasi"]).succeeded().stdout(),
        install(&["--grant", "memory=40MiB,wasi"]).succeeded().stdout(),
    ];
    expect![[r#"
        revision [digest] of system would be installed
        granted wasi
        nothing was written: this was a dry run
        revision [digest] of system is installed; bind it with `perennial plugin bind`
        granted wasi
        revision [digest] of system is installed already
        granted wasi
        revision [digest] of system is installed already, and is granted something else from now on
        granted memory=40MiB,wasi
    "#]]
    .assert_eq(&masked(&told.concat()));
    let listed =
        folder.run(&["plugin", "revisions", "--provider", "system", "--format", "csv"]).succeeded().stdout();
    assert!(listed.contains(",system.wasm,,,\"memory=40MiB,wasi\",,"), "{listed}");
    let events =
        folder.run(&["events", "--type", "revision_installed", "--format", "json"]).succeeded().stdout();
    for granted in ["wasi", "memory=40MiB,wasi"] {
        assert!(events.contains(&format!("\"granted\":\"{granted}\",\"changed_by\":\"cli\"")), "{events}");
    }
}

#[test]
fn a_year_is_played_with_what_is_bound_and_with_another_revision() {
    let folder = folder();
    late(&folder);
    let inventory = r#"{
        "accounts": [{ "id": "vol", "provider": "volcengine", "currency": "CNY", "balance": "250.00" }],
        "resources": [
            { "id": "srv-1", "account": "vol", "kind": "ecs", "region": "cn-beijing", "charging": "prepaid",
              "started_at": "2026-01-05T02:00:00Z", "expires_at": "2026-02-05T15:59:59Z",
              "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" },
            { "id": "srv-2", "account": "vol", "kind": "ecs", "region": "cn-beijing", "charging": "prepaid",
              "started_at": "2026-01-09T02:00:00Z", "expires_at": "2026-02-09T15:59:59Z",
              "term": { "count": 1, "unit": "month" }, "price": "60.00", "on_expiry": "renew" }
        ]
    }"#;
    folder.write("year.json", inventory);
    let played = ["plugin", "backtest", "late.toml", "--inventory", "year.json", "--from", "2026-01-20"];
    let until = [&played[..], &["--until", "2026-04-01"]].concat();
    expect![[r#"
        what      account  month    resource   as bound  with the new one
        renewals  vol      2026-01  -                 1                 0
        renewals  vol      2026-02  -                 1                 2
        paid      vol      2026-01  -         99.00 CNY          0.00 CNY
        paid      vol      2026-02  -         60.00 CNY        159.00 CNY
    "#]]
    .assert_eq(&folder.run(&until).succeeded().stdout());
    // What the database has is played with money enough.
    folder.run(&["import", "year.json", "--accept-expired"]).succeeded();
    let ahead =
        folder.run(&["plugin", "backtest", "late.toml", "--until", "9999-12-01", "--account", "none"]);
    assert_eq!(ahead.code(), 2, "{}", ahead.stderr());
    let ended = folder.run(&["plugin", "backtest", "late.toml", "--until", "2026-01-01"]);
    assert_eq!(ended.code(), 2);
    let both =
        folder.run(&["plugin", "backtest", "late.toml", "--since", "2026-01-01", "--until", "2026-01-01"]);
    assert_eq!(both.code(), 2, "{}", both.stderr());
    let neither = folder.run(&["plugin", "backtest", "late.toml"]);
    assert_eq!(neither.code(), 2, "{}", neither.stderr());
}

#[test]
fn what_is_parked_is_listed_and_released_on_a_database() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    let parked = folder.run(&["plugin", "parked"]).succeeded().stdout();
    let breakers = folder.run(&["plugin", "breakers"]).succeeded().stdout();
    let released = folder.run(&["plugin", "release", "--all"]).succeeded().stdout();
    expect![[r#"
        nothing is parked: no plugin fails over one bundle again and again
        no revision fails over one bundle after another
        nothing was parked
    "#]]
    .assert_eq(&[parked, breakers, released].concat());
    assert_eq!(folder.run(&["plugin", "release"]).code(), 2, "nothing was named");
    assert_eq!(folder.run(&["plugin", "release", "--revision", "zz"]).code(), 2);
    let unknown = folder.run(&["plugin", "release", "no-such", "--yes"]);
    assert_ne!(unknown.code(), 0);
}

/// The bundled table, in which a kind has another name.
fn without(kind: &str) -> String {
    let table = include_str!("../../../../plugins/declared/tables/volcengine.toml");
    let table = table.replace(&format!("[kinds.{kind}]"), "[kinds.vm]");
    table.replace(&format!("\"{kind}\""), "\"vm\"")
}

const ONE: &str = r#"{
  "accounts": [{ "id": "v", "provider": "volcengine", "currency": "CNY", "balance": "500.00" }],
  "resources": [{ "id": "s1", "account": "v", "kind": "ecs", "charging": "prepaid",
    "started_at": "2100-01-01T02:00:00Z", "expires_at": "2100-02-01T15:59:59Z",
    "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" }]
}"#;

#[test]
fn a_revision_that_lacks_a_kind_in_use_is_refused_wherever_it_is_named() {
    let folder = Folder::new();
    folder.write("one.json", ONE);
    folder.write("bad.toml", &without("ecs"));
    folder.write(
        "good.toml",
        &include_str!("../../../../plugins/declared/tables/volcengine.toml")
            .replace("days = [7, 6,", "days = [6,"),
    );
    folder.run(&["import", "one.json"]).succeeded();
    for words in [
        &["--plugin", "bad.toml", "run"][..],
        &["--plugin", "bad.toml", "serve", "--virtual-clock", "2100-01-02"],
        &["--plugin", "bad.toml", "resource", "tag", "s1", "a=b", "--yes"],
        &["plugin", "install", "bad.toml"],
    ] {
        let ran = folder.run(words);
        assert_ne!(ran.code(), 0, "{words:?}: {}", ran.stderr());
        let told = ran.stderr();
        let is_told = told.contains("no longer has the kind `ecs`, which 1 resource has (`s1`)");
        assert!(is_told && told.contains("bad.toml"), "{words:?}: {told}");
    }
    // The right file decides, and what is bound is not the wrong one.
    folder.run(&["--plugin", "good.toml", "resource", "tag", "s1", "a=b", "--yes"]).succeeded();
    let planned = folder.run(&["--plugin", "good.toml", "resource", "renew", "s1", "--dry-run"]);
    assert_eq!(planned.code(), 3, "{}", planned.stderr());
}

#[test]
fn a_command_on_a_database_leaves_what_is_bound_there() {
    let folder = folder();
    late(&folder);
    let table = include_str!("../../../../plugins/declared/tables/volcengine.toml");
    let named = |id: &str, days: &str| {
        let table = table.replace("id = \"volcengine\"", "id = \"cumulus\"");
        folder.write(id, &table.replace("days = [7, 6, 5, 4, 3, 2, 1, 0]", days));
        folder.write(&format!("{id}.cfg.toml"), &format!("[plugins]\nfiles = [\"{id}\"]\n"));
    };
    named("one.toml", "days = [3, 2, 1, 0]");
    named("other.toml", "days = [2, 1, 0]");
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    let with = |config: Option<&str>, words: &[&str]| {
        let config = config.map(|config| vec!["--config", config]).unwrap_or_default();
        folder.run(&[&config[..], words].concat())
    };
    // The first command finds nothing bound there.
    with(Some("one.toml.cfg.toml"), &["plugin", "install", "late.toml"]).succeeded();
    let bound =
        || with(Some("one.toml.cfg.toml"), &["plugin", "bindings", "--format", "csv"]).succeeded().stdout();
    let before = bound();
    assert!(before.contains("cumulus,*,active,"), "{before}");
    for config in [Some("other.toml.cfg.toml"), None] {
        let looked = with(config, &["plugin", "roll-back", "volcengine", "--dry-run"]);
        assert_eq!(looked.code(), 2, "{}", looked.stdout());
        with(config, &["plugin", "install", "late.toml"]).succeeded();
        assert_eq!(bound(), before, "{config:?}");
    }
}
