//! Secrets that are shown once: what cannot be shown is not kept.

use std::fs::File;
use std::process::Stdio;

use perennial_store::ReadTx;
use perennial_store::testing;

use crate::sample::folder;
use crate::support::Folder;
use crate::support::Ran;

/// A folder with a database of two accounts, and a key that secrets are kept with.
fn furnished() -> Folder {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    folder.run(&["key", "new-secrets-key", "secrets.key"]).succeeded();
    folder
}

/// An output that takes nothing: its name, how it is opened, and what is said of it.
type Unusable = (&'static str, fn() -> Stdio, &'static str);

/// A device without room.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// A pipe that nobody reads from.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

const CREATE_TOKEN: [&str; 6] = ["token", "create", "--name", "ops", "--role", "admin"];
const CREATE_KEY: [&str; 8] =
    ["key", "--secrets-key-file", "secrets.key", "create", "--account", "acme-hw", "--name", "terraform"];

const WEBHOOK: [&str; 3] = ["webhook", "create", "https://example.com/hook"];
const CALENDAR: [&str; 4] = ["calendar", "create", "--name", "renewals"];

/// What the database keeps of secrets and of who did what.
fn kept(folder: &Folder) -> [Vec<String>; 4] {
    let listed = |words: &[&str]| {
        let csv = folder.run(&[words, &["--format", "csv"]].concat()).succeeded().stdout();
        csv.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    ["token", "key", "webhook", "calendar"].map(|list| listed(&[list, "list"]))
}

fn audit_records(folder: &Folder) -> i64 {
    testing::row_count(&ReadTx::open(&folder.path("perennial.db")).unwrap(), "audit")
}

#[test]
fn a_secret_that_cannot_be_shown_is_not_kept() {
    let folder = furnished();
    let made = folder.run(&CREATE_KEY).succeeded().stdout();
    let access_key = made.lines().find_map(|line| line.strip_prefix("access key: ")).unwrap();
    let rotate = ["key", "--secrets-key-file", "secrets.key", "rotate", access_key, "--yes"];
    folder.run(&WEBHOOK).succeeded();
    folder.run(&CALENDAR).succeeded();
    let webhooks = folder.run(&["webhook", "list", "--format", "csv"]).succeeded().stdout();
    let webhook = webhooks.lines().nth(1).and_then(|line| line.split(',').next()).unwrap().to_owned();
    let (before, records) = (kept(&folder), audit_records(&folder));
    let outputs: [Unusable; 3] = [
        ("full", full, "No space left on device"),
        ("closed by its reader", closed_pipe, "Broken pipe"),
        ("nowhere", Stdio::null, "it is closed, or it is the null device"),
    ];
    for (name, output, reason) in outputs {
        for words in [
            &CREATE_TOKEN[..],
            &CREATE_KEY,
            &rotate,
            &["key", "new-secrets-key", "-"],
            &WEBHOOK,
            &["webhook", "rotate-secret", &webhook, "--yes"],
            &CALENDAR,
            &["calendar", "rotate", "cal-1", "--yes"],
        ] {
            let ran: Ran = folder.run_into(words, output());
            assert_eq!(ran.code(), 1, "{words:?} into an output that is {name}");
            let told = ran.stderr();
            let kept = "the secret could not be shown, so nothing was kept: cannot write the standard output";
            assert!(told.contains(kept) && told.contains(reason), "{words:?}, {name}: {told}");
        }
    }
    assert_eq!(kept(&folder), before);
    assert_eq!(audit_records(&folder), records, "and nobody is said to have made anything");
}

#[test]
fn the_first_token_makes_its_database_and_each_is_of_somebody_else() {
    let folder = Folder::new();
    // What cannot be had of a new database makes none.
    for (more, code) in [
        (&["--account", "acme-hw"][..], 1),
        (&["--expires-at", "2020-01-01"], 2),
        (&["--expires-at", "9999-01-01"], 2),
        (&["--role", "viewer", "--approves", "finance"], 2),
    ] {
        let words = ["token", "create", "--name", "ops"];
        let role = if more.contains(&"--role") { &[][..] } else { &["--role", "admin"] };
        assert_eq!(folder.run(&[&words[..], role, more].concat()).code(), code, "{more:?}");
        assert!(!folder.path("perennial.db").exists(), "{more:?}");
    }
    assert_eq!(folder.run_into(&CREATE_TOKEN, Stdio::null()).code(), 1);
    assert!(!folder.path("perennial.db").exists());
    let secret = folder.run(&CREATE_TOKEN).succeeded().stdout();
    assert!(secret.starts_with("pn_") && secret.lines().count() == 1, "{secret}");
    folder.run(&CREATE_TOKEN).succeeded();
    folder.run(&[&CREATE_TOKEN[..], &["--owner", "alice", "--approves", "finance"]].concat()).succeeded();
    let json = folder.run(&["token", "list", "--format", "json"]).succeeded().stdout();
    let made = serde_json::from_str::<Vec<serde_json::Value>>(&json).unwrap();
    assert!(made.iter().all(|token| token["created_by"] == "cli"), "{json}");
    assert_eq!((&made[0]["owner"], &made[1]["owner"]), (&made[0]["id"], &made[1]["id"]));
    assert_eq!((&made[2]["owner"], &made[2]["approves"][0]), (&"alice".into(), &"finance".into()));
    let audit = folder.run(&["audit", "--format", "csv"]).succeeded().stdout();
    assert_eq!(audit.matches("POST /v1/tokens").count(), 3, "{audit}");
}

#[test]
fn the_configuration_names_the_secrets_key_of_every_command() {
    let folder = furnished();
    folder.write("c.toml", "[secrets]\nkey_file = \"secrets.key\"\n");
    let create = ["--config", "c.toml", "key", "create", "--account", "acme-hw", "--name", "terraform"];
    assert!(folder.run(&create).succeeded().stdout().starts_with("access key: "));
}

#[test]
fn a_key_for_secrets_goes_through_standard_output_and_input() {
    let folder = furnished();
    let key = folder.run(&["key", "new-secrets-key", "-"]).succeeded().stdout();
    assert_eq!(key.trim().len(), 64);
    let words = ["key", "--secrets-key-file", "-", "create", "--account", "acme-hw", "--name", "piped"];
    let made = folder.run_with_input(&words, key.as_bytes()).succeeded();
    assert!(made.stdout().starts_with("access key: "));
    assert_eq!(folder.run_with_input(&words, b"no key").code(), 2);
}
