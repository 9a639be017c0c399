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
fn masked(text: &str) -> String {
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
        shadow of volcengine for *: [digest], where none was bound
        it was never asked in shadow
        done
        shadow of volcengine for *: [digest] no longer
        active of volcengine for *: [digest] instead of [digest]
        it was never asked in shadow
        nothing was written: this was a dry run
        shadow of volcengine for *: [digest] no longer
        active of volcengine for *: [digest] instead of [digest]
        it was never asked in shadow
        done
        active of volcengine for *: [digest] instead of [digest]
        it was never asked in shadow
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
