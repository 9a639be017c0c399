//! Mistakes that people make, and what they are told to do about them.

use std::fs::File;

use crate::sample::INVENTORY;
use crate::sample::WINDOW;
use crate::sample::folder;
use crate::support::Folder;

/// Runs it, and looks for the exit code and for words on the standard error.
fn refused(folder: &Folder, words: &[&str], code: i32, told: &str) {
    let ran = folder.run(words);
    assert_eq!(ran.code(), code, "{words:?}: {}{}", ran.stdout(), ran.stderr());
    assert!(ran.stderr().contains(told), "{words:?}: {told} is not in {}", ran.stderr());
}

#[test]
fn every_command_refuses_a_configuration_that_it_cannot_read() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    folder.write("broken.toml", "[limits\n");
    for words in [
        &["resources"][..],
        &["events"],
        &["plugins"],
        &["approvals", "list"],
        &["token", "list"],
        &["key", "list"],
        &["db", "check"],
        &["completions", "bash"],
    ] {
        refused(&folder, &[&["--config", "none.toml"], words].concat(), 2, "cannot read `none.toml`");
        refused(&folder, &[&["--config", "broken.toml"], words].concat(), 2, "`broken.toml` cannot be used");
    }
    let piped = folder.run_with_input(&["--config", "-", "plugins"], b"[limits]\nreaders = 2\n");
    assert_eq!(piped.code(), 0, "{}", piped.stderr());
}

#[test]
fn an_empty_variable_names_no_configuration() {
    let folder = Folder::new();
    let ran = folder.program_with(&[("PERENNIAL_CONFIG", "")]).args(["plugins", "--format", "csv"]).output();
    let ran = ran.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn no_row_at_all_is_no_limit() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    for words in [&["resources"][..], &["events"], &["approvals", "list"]] {
        refused(&folder, &[words, &["--limit", "0"]].concat(), 2, "0 is not in 1..");
    }
    let backwards = ["events", "--since", "2026-02-01", "--until", "2026-02-01"];
    refused(&folder, &backwards, 2, "is not after `--since");
}

#[test]
fn what_has_no_end_in_the_calendar_is_refused_where_it_comes_in() {
    let folder = folder();
    folder.write("long.json", &INVENTORY.replace(r#""count": 1"#, r#""count": 100000"#));
    refused(&folder, &["import", "long.json"], 2, "expected a whole number from 1 to 1200");
    let late =
        r#"[{ "at": "9000-01-01T00:00:00Z", "do": "top_up", "account": "acme-hw", "amount": "5.00" }]"#;
    folder.write("late.json", late);
    let simulate = ["simulate", "--inventory", "inventory.json"];
    let words = [&simulate[..], &["--scenario", "late.json"], &WINDOW].concat();
    refused(&folder, &words, 2, "is not before 9000-01-01T00:00:00Z");
    let until = ["--from", "2026-01-10", "--until", "9999-12-31"];
    refused(&folder, &[&simulate[..], &until].concat(), 2, "is not before 9000-01-01T00:00:00Z");
    refused(&folder, &["serve", "--virtual-clock", "9500-01-01"], 2, "is not before 9000-01-01T00:00:00Z");
}

#[test]
fn a_message_says_what_to_do_next() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    folder.write("empty.json", "");
    folder.write("empty.toml", "");
    folder.write("empty.pem", "");
    folder.write("tls.toml", "[tls]\ncertificate = \"empty.pem\"\nkey = \"empty.pem\"\n");
    folder.write("webhooks.toml", "[webhooks]\ncertificates = \"empty.pem\"\n");
    folder.write("always.rhai", "fn rule(plan) { approve() }\n");
    folder.run(&["key", "new-secrets-key", "secrets.key"]).succeeded();
    let check_config = |file| ["serve", "--check-config", "--config", file];
    for (words, code, told) in [
        (
            &["policy", "run", "always.rhai"][..],
            2,
            "`--plan FILE`, or a resource of the database with `--resource ID`",
        ),
        (
            &["key", "new-secrets-key", "secrets.key"],
            2,
            "`secrets.key` exists already, and what was kept with it",
        ),
        (&["db", "restore", "secrets.key"], 2, "nothing was restored: "),
        (&["key", "new-secrets-key", "none/secrets.key"], 2, "is its folder there and writable?"),
        (&["--plugin", "none.wasm", "plugins"], 2, "cannot read the plugin `none.wasm`"),
        (&["--db", "empty.json", "db", "check"], 1, "`perennial db restore FILE`"),
        (&["replay"], 2, "--all"),
        (&["--config", "", "plugins"], 2, "names no file"),
        (&["db", "restore", "."], 2, "`.` is a folder; name the file of a backup in it"),
        (&["db", "restore", "./perennial.db"], 2, "is the database itself; name a backup of it"),
        (
            &["--db", ".", "resources"],
            2,
            "is a folder; name the file of a database, such as `./perennial.db`",
        ),
        (&["import", "empty.json"], 2, "there is nothing in it; expected JSON"),
        (&check_config("tls.toml"), 2, "there is no certificate in `empty.pem`"),
        (&check_config("webhooks.toml"), 2, "there is no certificate in `empty.pem`"),
        (
            &["resources", "--time-zone", "Mars/Base"],
            2,
            "there is no time zone `Mars/Base`; write one of the IANA's",
        ),
        (&["policy", "new", "a", "--file", "-"], 2, "`--file -`: a policy is added to a file"),
        (
            &["policy", "test", "empty.toml"],
            2,
            "there is no policy in `empty.toml`, and no calendar; `perennial policy new NAME",
        ),
        (&["policy", "check", "empty.toml"], 2, "there is no policy in `empty.toml`"),
        (&["policy", "install", "empty.toml", "--replace"], 2, "there is no policy in `empty.toml`"),
    ] {
        refused(&folder, words, code, told);
    }
    let words = ["demo", "--out", "none/picture.html"];
    let ran = folder.run(&words);
    assert_eq!(ran.code(), 2);
    let told = ran.stderr();
    assert!(
        told.contains("cannot write `none/picture.html`") && told.contains("is its folder there"),
        "{told}"
    );
    assert!(!told.contains(".part"), "{told}");
}

#[test]
fn the_standard_input_is_named_once() {
    let folder = Folder::new();
    let words = ["policy", "run", "-", "--plan", "-"];
    let ran = folder.run_with_input(&words, b"[[policy]]\n");
    assert_eq!(ran.code(), 2);
    folder.write("always.rhai", "fn rule(plan) { approve() }\n");
    let policies = b"[[policy]]\nname = \"always\"\nscript = \"always.rhai\"\n";
    let ran = folder.run_with_input(&words, policies);
    assert_eq!(ran.code(), 2);
    assert!(ran.stderr().contains("`-` can be named once"), "{}", ran.stderr());
}

#[test]
fn an_inventory_of_nothing_has_a_simulation_that_says_so() {
    let folder = Folder::new();
    folder.write("none.json", r#"{ "accounts": [], "resources": [] }"#);
    let words = [&["simulate", "--inventory", "none.json"], &WINDOW[..]].concat();
    let told = folder.run(&words).succeeded().stdout();
    assert_eq!(told, "the inventory has no accounts: there is nothing that could happen\n");
}

#[test]
fn the_demo_does_not_write_over_files_that_were_changed() {
    let folder = Folder::new();
    let save = ["demo", "--save", ".", "--out", "-"];
    folder.run(&save).succeeded();
    folder.run(&save).succeeded();
    let saved = std::fs::read_to_string(folder.path("demo-inventory.json")).unwrap();
    folder.write("demo-inventory.json", "mine");
    std::fs::remove_file(folder.path("demo-scenario.json")).unwrap();
    refused(
        &folder,
        &save,
        2,
        "`./demo-inventory.json` says something else than the demo, and nothing was written",
    );
    assert_eq!(std::fs::read_to_string(folder.path("demo-inventory.json")).unwrap(), "mine");
    assert!(!folder.path("demo-scenario.json").exists());
    folder.run(&[&save[..], &["--force"]].concat()).succeeded();
    assert_eq!(std::fs::read_to_string(folder.path("demo-inventory.json")).unwrap(), saved);
}

#[test]
#[cfg(target_os = "linux")]
fn what_was_done_and_cannot_be_shown_is_said() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    let token = ["token", "create", "--name", "a", "--role", "viewer"];
    let secret = folder.run(&token).succeeded().stdout();
    let id = secret.split('_').nth(1).unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ran = folder.run_into(&["token", "revoke", id, "--yes"], full);
    assert_eq!(ran.code(), 1);
    let told = ran.stderr();
    assert!(told.contains(&format!("this was done, and could not be shown: revoked {id}")), "{told}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_never_ends_is_read_as_far_as_a_bound() {
    let folder = folder();
    for words in [
        &["--config", "/dev/zero", "plugins"][..],
        &["policy", "check", "/dev/zero"],
        &["--plugin", "/dev/zero", "plugins"],
        &["plugin", "verify", "/dev/zero", "--key", "k"],
        &[
            "simulate",
            "--inventory",
            "inventory.json",
            "--scenario",
            "/dev/zero",
            "--from",
            "2026-01-01",
            "--until",
            "2027-01-01",
        ],
    ] {
        let ran = folder.run(words);
        assert_eq!(ran.code(), 2, "{words:?}: {}", ran.stderr());
        let is_named = ran.stderr().contains("/dev/zero") && ran.stderr().contains("more than 64 MiB");
        assert!(is_named || words[1] == "verify", "{words:?}: {}", ran.stderr());
    }
}

#[test]
fn what_is_written_to_a_file_of_its_own_is_no_standard_output() {
    let folder = folder();
    refused(&folder, &["plugin", "keygen", "-"], 2, "the private key stays in a file of its own");
    assert!(!folder.path("-").exists());
    refused(&folder, &["import", "r.txt", "--accounts", "a.csv"], 2, "whose name ends in `.csv`");
}

#[test]
fn an_id_that_nobody_can_see_is_refused_in_every_file() {
    let folder = folder();
    for (id, told) in [
        ("ecs-1 ", "U+0020 at its end"),
        (" ecs-1", "U+0020 at its beginning"),
        ("ecs\u{200b}-1", "U+200B as character 4"),
        ("\u{2066}ecs-1", "U+2066 at its beginning"),
    ] {
        folder.write("seen.json", &INVENTORY.replace("\"ecs-1\"", &format!("\"{id}\"")));
        refused(&folder, &["import", "seen.json", "--accept-expired"], 2, told);
        folder.write("seen.json", &INVENTORY.replace("\"acme-bd\"", &format!("\"{id}\"")));
        refused(&folder, &["import", "seen.json", "--accept-expired"], 2, told);
    }
    assert!(!folder.path("perennial.db").exists());
    let header = "id,account,kind,charging,started_at,expires_at,term,price\n";
    folder.write(
        "r.csv",
        &format!("{header}ecs-1 ,a,ecs,prepaid,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,1 month,9.00\n"),
    );
    folder.write("a.csv", "id,provider,currency,balance\na,huawei,CNY,1.00\n");
    refused(&folder, &["import", "r.csv", "--accounts", "a.csv", "--accept-expired"], 2, "U+0020 at its end");
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    let create = ["account", "create", "a1 ", "--provider", "huawei", "--currency", "CNY"];
    refused(&folder, &create, 2, "U+0020 at its end");
    refused(&folder, &["token", "create", "--name", "ops ", "--role", "viewer"], 2, "U+0020 at its end");
}

#[test]
fn every_file_that_a_configuration_names_and_is_not_there_is_said() {
    let folder = Folder::new();
    let text = "[tls]\ncertificate = \"host.pem\"\nkey = \"host.key\"\n[secrets]\nkey_file = \"secrets.key\"\n[email]\n\
                server = \"mail.example.com\"\nsecurity = \"tls\"\nfrom = \"p@example.com\"\nuser = \"p\"\n\
                password_file = \"mail.password\"\n";
    folder.write("perennial.toml", text);
    let ran = folder.run(&["serve", "--config", "perennial.toml", "--check-config"]);
    assert_eq!(ran.code(), 2, "{}", ran.stderr());
    for file in ["host.pem", "host.key", "secrets.key", "mail.password"] {
        assert!(ran.stderr().contains(&format!("cannot read `{file}`")), "{file}: {}", ran.stderr());
    }
}

#[test]
fn a_demo_begins_in_its_year_and_ends_in_it() {
    for until in ["2020-01-01", "2027-01-01"] {
        let ran = Folder::new().run(&["demo", "--serve", "--listen", "127.0.0.1:0", "--until", until]);
        assert_eq!(ran.code(), 2, "{}", ran.stderr());
        assert!(ran.stderr().contains("is not in the demo's year"), "{}", ran.stderr());
    }
}
