//! `perennial key`: what it makes and shows, and what it says of each wrong input.

#[path = "support/mod.rs"]
mod support;

use expect_test::expect;

use crate::support::Folder;
use crate::support::Ran;

const SECRETS: [&str; 2] = ["--secrets-key-file", "secrets.key"];

/// A folder with a database that has the account `acme-hw`, and with a key for secrets.
fn furnished() -> Folder {
    let folder = Folder::new();
    let account = r#"{ "id": "acme-hw", "provider": "huawei", "currency": "CNY", "balance": "1.00" }"#;
    folder.write("inventory.json", &format!("{{ \"accounts\": [{account}], \"resources\": [] }}"));
    folder.run(&["--db", "test.db", "import", "inventory.json"]).succeeded();
    folder.run(&["key", "new-secrets-key", "secrets.key"]).succeeded();
    folder
}

fn key(folder: &Folder, words: &[&str]) -> Ran {
    folder.run(&[&["--db", "test.db", "key"], words, &SECRETS].concat())
}

/// The two halves of a key that was shown.
fn halves(shown: &Ran) -> [String; 2] {
    let shown = shown.stdout();
    let half = |name| shown.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    [half("access key: "), half("secret key: ")]
}

#[test]
fn a_key_is_made_shown_once_rotated_and_revoked() {
    let folder = furnished();
    let made = key(&folder, &["create", "--account", "acme-hw", "--name", "terraform"]).succeeded();
    let [old, old_secret] = halves(&made);
    let rotated = key(&folder, &["rotate", &old, "--overlap-seconds", "3600", "--yes"]).succeeded();
    let [new, new_secret] = halves(&rotated);
    let again = key(&folder, &["rotate", &old, "--overlap-seconds", "3600", "--yes"]);
    assert_eq!(again.code(), 1);
    assert!(again.stderr().contains(&format!("was replaced by {new} already")), "{}", again.stderr());
    key(&folder, &["revoke", &new, "--yes"]).succeeded();
    let listed = key(&folder, &["list"]).succeeded().stdout();
    let line =
        |access_key: &str| listed.lines().find(|line| line.starts_with(access_key)).unwrap().to_owned();
    assert!(line(&old).ends_with("terraform"), "{listed}");
    let json = key(&folder, &["list", "--format", "json"]).succeeded().stdout();
    let keys = serde_json::from_str::<Vec<serde_json::Value>>(&json).unwrap();
    let is_revoked =
        |name: &str| !keys.iter().find(|key| key["access_key"] == name).unwrap()["revoked_at"].is_null();
    assert!(is_revoked(&new) && !is_revoked(&old), "{json}");
    let stored = std::fs::read(folder.path("test.db")).unwrap();
    for secret in [old_secret, new_secret] {
        assert!(!listed.contains(&secret));
        assert!(!stored.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

#[test]
fn nothing_is_served_with_a_secrets_key_that_does_not_read_what_was_kept() {
    let folder = furnished();
    let [access_key, _] =
        halves(&key(&folder, &["create", "--account", "acme-hw", "--name", "a"]).succeeded());
    folder.run(&["key", "new-secrets-key", "other.key"]).succeeded();
    let serve = |secrets: &str| {
        // Nobody can listen there, so it ends in any case.
        let listen = "[listen]\nadmin = \"192.0.2.1:1\"\nhuawei = \"127.0.0.1:0\"\n";
        folder.write("serve.toml", &format!("{listen}[secrets]\nkey_file = \"{secrets}\"\n"));
        let ran = folder.run(&["--db", "test.db", "serve", "--config", "serve.toml"]);
        assert_eq!(ran.code(), 2, "{}", ran.stderr());
        ran.stderr().replace(&access_key, "[the key]")
    };
    expect![[r#"
        error: `listen.huawei` cannot be served: the secret of [the key]: a secret cannot be read with this secrets key; was it kept with another one? Name that one, or revoke the key: `perennial key revoke [the key]`
    "#]].assert_eq(&serve("other.key"));
    assert!(!serve("secrets.key").contains("secrets key"));
    key(&folder, &["revoke", &access_key, "--yes"]).succeeded();
    assert!(!serve("other.key").contains("secrets key"));
}

#[test]
fn what_is_wrong_is_said_and_makes_no_key() {
    let folder = furnished();
    let long = "x".repeat(65);
    let create = |account, name| ["create", "--account", account, "--name", name];
    let mut told = String::new();
    for words in [
        create("nobody", "terraform").as_slice(),
        &create("acme-hw", ""),
        &create("acme-hw", &long),
        &create("acme-hw", "two\nlines"),
        &["rotate", "PN00"],
        &["rotate", "PN00", "--overlap-seconds", "2592001"],
        &["revoke", "PN00"],
    ] {
        let ran = key(&folder, words);
        assert_eq!(ran.code(), 2, "{words:?}");
        told += &format!("{}\n", ran.stderr().lines().next().unwrap());
    }
    let without = folder.run(&["--db", "test.db", "key", "create", "--account", "acme-hw", "--name", "a"]);
    told += &without.stderr();
    expect![[r#"
        error: cannot make a key of `nobody` on `test.db`: There is no such object: there is no account `nobody`
        error: invalid value '' for '--name <NAME>': it is empty; say what it is for
        error: invalid value '[65 times x]' for '--name <NAME>': a name has at most 64 characters, and no control characters
        error: invalid value 'two
        error: cannot rotate `PN00`: there is no key `PN00` that is in force; see `perennial key list`
        error: invalid value '2592001' for '--overlap-seconds <SECONDS>': 2592001 is not in 0..=2592000
        error: cannot revoke `PN00`: there is no key `PN00` that is in force; see `perennial key list`
        error: there is no key to keep secrets with; make one with `perennial key new-secrets-key FILE`, and name it in PERENNIAL_SECRETS_KEY_FILE or, in the configuration of `serve`, as `key_file` in [secrets]; what was kept before takes the key that it was kept with
    "#]].assert_eq(&told.replace(&long, "[65 times x]"));
    assert_eq!(key(&folder, &["list"]).succeeded().stdout().lines().count(), 1);
}
