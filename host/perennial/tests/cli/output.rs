//! Outputs that are full or closed, files that are whole or not there, and `-`.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::Value;

use crate::sample::INVENTORY;
use crate::sample::folder;
use crate::sample::simulate;
use crate::support::Folder;

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// The commands that list or show something, in any format.
const LISTS: [&[&str]; 31] = [
    &["account", "list"],
    &["account", "show", "acme-hw"],
    &["account", "connections"],
    &["account", "ledger", "acme-hw"],
    &["account", "balances", "acme-hw"],
    &["resource", "show", "ecs-1"],
    &["resource", "window", "ecs-1"],
    &["resource", "timeline", "ecs-1"],
    &["resource", "orders", "ecs-1"],
    &["resource", "decisions", "ecs-1"],
    &["calls", "list"],
    &["drift"],
    &["job", "list"],
    &["orders"],
    &["attempts"],
    &["prices"],
    &["expiries"],
    &["forecast", "--months", "1"],
    &["package", "list"],
    &["policy", "list"],
    &["policy", "calendars"],
    &["plugin", "revisions"],
    &["plugin", "bindings"],
    &["plugin", "history"],
    &["plugin", "parked"],
    &["webhook", "list"],
    &["channel", "list"],
    &["calendar", "list"],
    &["warning", "list"],
    &["clock", "show"],
    &["audit"],
];

/// Every command that writes to the standard output and ends by itself.
fn writing_commands() -> Vec<Vec<&'static str>> {
    let simulations = ["table", "json", "csv", "jsonl", "html"].map(|format| simulate(&["--format", format]));
    let others: [&[&str]; 22] = [
        &["demo"],
        &["demo", "--out", "-"],
        &["resources"],
        &["resources", "--format", "json"],
        &["events"],
        &["events", "--format", "csv"],
        &["events", "--format", "json"],
        &["explain", "ecs-1"],
        &["replay", "--all"],
        &["replay", "--all", "--format", "json"],
        &["approvals", "list"],
        &["token", "list"],
        &["key", "list"],
        &["key", "new-secrets-key", "new.key"],
        &["plugins"],
        &["db", "check"],
        &["db", "migrate"],
        &["db", "migrate", "--check"],
        &["db", "backup", "-"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
    ];
    let lists = LISTS.iter().flat_map(|list| {
        ["table", "json", "csv"].map(|format| list.iter().copied().chain(["--format", format]).collect())
    });
    others.iter().map(|words| words.to_vec()).chain(simulations).chain(lists).collect()
}

#[test]
fn a_full_output_is_an_error_that_names_it() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    for words in writing_commands() {
        drop(std::fs::remove_file(folder.path("new.key")));
        let ran = folder.run_into(&words, full());
        assert_eq!(ran.code(), 1, "{words:?}: {}", ran.stderr());
        let told = ran.stderr();
        let named = told.contains("cannot write the standard output: No space left on device");
        assert!(named && told.lines().count() == 1, "{words:?}: {told}");
    }
}

#[test]
fn an_output_that_its_reader_closed_ends_the_program_quietly() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    for words in writing_commands() {
        drop(std::fs::remove_file(folder.path("new.key")));
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = folder.run_into(&words, writer);
        assert_eq!((ran.code(), ran.stderr().as_str()), (141, ""), "{words:?}");
    }
}

#[test]
fn a_full_log_is_no_panic() {
    let folder = folder();
    let words = [&["--width", "60"], &simulate(&["--from", "2026-01-13"])[..]].concat();
    for words in [&words[..], &["import", "missing.json"], &["dance"], &["token", "create", "--name", ""]] {
        let mut program = folder.program();
        let ended = program.args(words).stdout(Stdio::null()).stderr(full()).status().unwrap();
        assert!(matches!(ended.code(), Some(0 | 2)), "{words:?}: {ended}");
    }
}

#[test]
fn a_file_is_there_whole_or_as_it_was_before() {
    let folder = folder();
    folder.write("out", "as it was");
    let plugin = ["--plugin", "missing.wasm"];
    let ran = folder.run(&[&plugin, &simulate(&["--out", "out"])[..]].concat());
    assert_eq!(ran.code(), 2);
    assert_eq!(std::fs::read_to_string(folder.path("out")).unwrap(), "as it was");
    let whole = folder.run(&simulate(&["--format", "jsonl"])).succeeded().stdout();
    let link = folder.path("link");
    std::os::unix::fs::symlink(folder.path("out"), &link).unwrap();
    std::fs::set_permissions(folder.path("out"), PermissionsExt::from_mode(0o640)).unwrap();
    folder.run(&simulate(&["--format", "jsonl", "--out", "link"])).succeeded();
    assert_eq!(std::fs::read_to_string(folder.path("out")).unwrap(), whole);
    assert!(link.symlink_metadata().unwrap().is_symlink(), "a link stays one");
    let mode = |name: &str| std::fs::metadata(folder.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("out"), 0o640, "and so do permissions");
    folder.run(&simulate(&["--out", "new"])).succeeded();
    assert_eq!(mode("new"), mode("inventory.json"), "a new file is like any other");
    let left = std::fs::read_dir(folder.path(".")).unwrap().map(|entry| entry.unwrap().file_name());
    let left = left.filter(|name| name.to_string_lossy().ends_with(".part")).collect::<Vec<_>>();
    assert!(left.is_empty(), "left behind: {left:?}");
    for (out, told) in [("/dev/full", "cannot write `/dev/full`: No space left"), (".", "cannot write `.`")] {
        let ran = folder.run(&simulate(&["--out", out]));
        assert!(ran.code() != 0 && ran.stderr().contains(told), "{out}: {}", ran.stderr());
    }
}

#[test]
fn a_dash_is_the_standard_input_or_output() {
    let folder = folder();
    let inventory = INVENTORY.as_bytes();
    let whole = folder.run(&simulate(&["--format", "jsonl"])).succeeded().stdout();
    let words = ["simulate", "--inventory", "-", "--scenario", "scenario.json", "--out", "-"];
    let window = ["--from", "2026-01-10", "--until", "2026-03-10", "--format", "jsonl"];
    let piped = folder.run_with_input(&[&words[..], &window].concat(), inventory).succeeded().stdout();
    assert_eq!(piped, whole);
    folder.run_with_input(&["import", "-", "--accept-expired"], inventory).succeeded();
    let again = folder.run_with_input(&["import", "-", "--accept-expired"], inventory);
    assert!(again.stderr().contains("the standard input cannot be used"), "{}", again.stderr());
    let page = folder.run(&["demo", "--out", "-"]).succeeded().stdout();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    let resources = folder.run(&["resources"]).succeeded().stdout();
    let backup = folder.run(&["db", "backup", "-"]).succeeded();
    let restore = ["--db", "other.db", "db", "restore", "-", "--yes"];
    folder.run_with_input(&restore, backup.stdout_bytes()).succeeded();
    assert_eq!(folder.run(&["--db", "other.db", "resources"]).succeeded().stdout(), resources);
    let plugin = folder.run_with_input(&["--plugin", "-", "plugins"], b"no plugin");
    assert!(plugin.stderr().contains("the table `-` cannot be used"), "{}", plugin.stderr());
    folder.run(&["plugin", "new", "mist", "--language", "table"]).succeeded();
    let table = std::fs::read(folder.path("mist/mist.toml")).unwrap();
    folder.run_with_input(&["plugin", "check", "-"], &table).succeeded();
    let words = ["key", "create", "--account", "acme-hw", "--name", "x", "--secrets-key-file", "-"];
    let key = folder.run_with_input(&words, b"no key");
    assert!(key.stderr().contains("the standard input is no secrets key"), "{}", key.stderr());
    for (words, told) in [
        (&["--db", "-", "resources"][..], "a database is a file"),
        (
            &["simulate", "--inventory=-", "--scenario=-", "--from=2026-01-01", "--until=2026-01-01"],
            "one file",
        ),
        (&["plugin", "sign", "-", "--key", "key.pem"], "has its signature beside it"),
        (&["plugin", "bench", "volcengine", "--baseline", "-"], "is read and written"),
        (&["plugin", "test", "volcengine", "--cases", "-", "--bless"], "is read and written"),
        (&["plugin", "install", "-"], "the table"),
        (&["plugin", "inspect", "-"], "cannot inspect the standard input: it is not TOML"),
    ] {
        let ran = folder.run_with_input(words, inventory);
        assert_eq!(ran.code(), 2, "{words:?}");
        assert!(ran.stderr().contains(told), "{words:?}: {}", ran.stderr());
    }
}

#[test]
fn a_simulation_is_an_array_with_an_object_for_each_resource() {
    let folder = folder();
    let json = folder.run(&simulate(&["--format", "json"])).succeeded().stdout();
    let rows = serde_json::from_str::<Value>(&json).unwrap();
    let row = |id: &str| {
        let rows = rows.as_array().unwrap().iter();
        rows.filter(|row| row["resource"] == id).cloned().collect::<Vec<_>>()
    };
    assert_eq!(row("ecs-1").len(), 1, "{json}");
    assert_eq!(row("ecs-1")[0]["stage"], "unsubscribed");
    let none = Folder::new();
    none.write("inventory.json", r#"{ "accounts": [], "resources": [] }"#);
    let words = ["simulate", "--inventory", "inventory.json", "--from=2026-01-01", "--until=2026-01-02"];
    none.run(&words).succeeded();
}

#[test]
fn an_output_never_replaces_what_the_command_reads() {
    let folder = folder();
    std::fs::create_dir(folder.path("other")).unwrap();
    std::os::unix::fs::symlink(folder.path("scenario.json"), folder.path("other/link.json")).unwrap();
    for out in ["inventory.json", "./inventory.json", "other/../scenario.json", "other/link.json"] {
        let ran = folder.run(&simulate(&["--format", "jsonl", "--out", out]));
        assert_eq!(ran.code(), 2, "{out}: {}", ran.stderr());
        assert!(ran.stderr().contains("which this command reads or saves"), "{}", ran.stderr());
    }
    assert_eq!(std::fs::read_to_string(folder.path("inventory.json")).unwrap(), INVENTORY);
    let ran = folder.run(&["demo", "--save", "other", "--out", "other/demo-inventory.json"]);
    assert_eq!(ran.code(), 2, "{}", ran.stderr());
    let saved = std::fs::read_to_string(folder.path("other/demo-inventory.json")).unwrap();
    assert!(saved.starts_with('{'), "{saved}");
}

#[test]
fn a_file_in_another_encoding_is_named_with_its_line() {
    let folder = folder();
    std::fs::write(folder.path("gbk.csv"), b"id,kind\necs-1,\xb7\xfe\xce\xf1\n").unwrap();
    let ran = folder.run(&["import", "gbk.csv"]);
    assert_eq!(ran.code(), 2);
    assert_eq!(
        ran.stderr(),
        "error: cannot read `gbk.csv`: line 2 is not in UTF-8; save the file in that encoding\n"
    );
}
