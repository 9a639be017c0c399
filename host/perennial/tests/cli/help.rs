//! What the program says of itself, and of what it cannot do.

use crate::sample::folder;
use crate::support::Folder;

#[test]
fn every_command_has_help_with_an_example() {
    let folder = Folder::new();
    for command in [
        "demo",
        "simulate",
        "import",
        "run",
        "serve",
        "sandbox",
        "token",
        "approvals",
        "key",
        "resources",
        "resource",
        "account",
        "sync",
        "calls",
        "drift",
        "job",
        "orders",
        "attempts",
        "prices",
        "expiries",
        "forecast",
        "package",
        "webhook",
        "channel",
        "warning",
        "calendar",
        "clock",
        "audit",
        "events",
        "explain",
        "plugins",
        "plugin",
        "policy",
        "replay",
        "db",
        "completions",
    ] {
        let help = folder.run(&[command, "--help"]).succeeded().stdout();
        let example =
            help.lines().skip_while(|line| !line.starts_with("Examples:")).nth(1).unwrap_or_default();
        assert!(example.trim().starts_with("perennial ") && help.contains("Usage:"), "{command}:\n{help}");
        let overview = folder.run(&["--help"]).succeeded().stdout();
        assert!(
            overview.contains(&format!("  {command} ")) && overview.contains("Exit codes:"),
            "{overview}"
        );
    }
}

#[test]
fn wrong_input_ends_with_2_and_what_cannot_be_done_with_1() {
    let folder = folder();
    folder.write("broken.json", "{ \"accounts\": [");
    folder.write("plugin.wasm", "no plugin");
    let backwards = ["--from", "2026-03-10T00:00:00Z", "--until", "2026-01-10T00:00:00Z"];
    let backwards = [&["simulate", "--inventory", "inventory.json"], &backwards[..]].concat();
    let cases: [(&[&str], i32, &str); 11] = [
        (&["import", "missing.json"], 2, "cannot read `missing.json`"),
        (&["import", "broken.json"], 2, "`broken.json` cannot be used"),
        (&backwards, 2, "is before `--from"),
        (
            &["simulate", "--inventory", "inventory.json", "--from", "noon", "--until", "midnight"],
            2,
            "RFC 3339",
        ),
        (&["events", "--type", "party"], 2, "there is no such event type; there are stage_changed"),
        (&["resources", "--stage", "asleep"], 2, "there is no such stage; there are active, grace"),
        (&["run", "--batch", "0"], 2, "0 is not in 1.."),
        (&["dance"], 2, "unrecognized subcommand 'dance'"),
        (
            &["resources"],
            1,
            "there is no database at `perennial.db`; make one with `perennial import FILE` or `perennial account connect`",
        ),
        (
            &["run"],
            1,
            "there is no database at `perennial.db`; make one with `perennial import FILE` or `perennial account connect`",
        ),
        (&["--plugin", "plugin.wasm", "plugins"], 2, "`plugin.wasm` is not WebAssembly"),
    ];
    for (words, code, told) in cases {
        let ran = folder.run(words);
        assert_eq!(ran.code(), code, "{words:?}: {}", ran.stderr());
        assert!(ran.stderr().contains(told), "{words:?}: {}", ran.stderr());
        assert!(!folder.path("perennial.db").exists(), "{words:?} made a database");
    }
}

#[test]
fn options_of_every_command_stand_under_a_heading_of_their_own() {
    let folder = Folder::new();
    for words in [&["--help"][..], &["resources", "--help"], &["db", "check", "--help"]] {
        let help = folder.run(words).succeeded().stdout();
        let (own, global) =
            help.split_once("\nGlobal options:\n").unwrap_or_else(|| panic!("{words:?}: {help}"));
        for option in ["--db", "--plugin", "--cache", "--color", "--width"] {
            let names_it = |text: &str| text.lines().any(|line| line.trim_start().starts_with(option));
            assert!(names_it(global) && !names_it(own), "{words:?}: {option} in\n{help}");
        }
    }
}

#[test]
fn completions_know_every_command_and_its_options() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.run(&["completions", shell]).succeeded().stdout();
        for word in [
            "resources",
            "approvals",
            "time-zone",
            "expires-before",
            "completions",
            "backtest",
            "auto-renew",
            "token-file",
        ] {
            assert!(script.contains(word), "{word} is not in the script for {shell}");
        }
    }
    let bash = folder.run(&["completions", "bash"]).succeeded().stdout();
    for (option, values) in [
        ("stage", "active grace retention"),
        ("state", "pending approved rejected expired"),
        ("role", "viewer operator approver admin"),
        ("type", "stage_changed "),
        ("format", "table json csv"),
    ] {
        let line = format!("--{option})\n                    COMPREPLY=($(compgen -W \"{values}");
        assert!(bash.contains(&line), "{option}: {bash}");
    }
    // A name of a file is offered for what names one, and for nothing else.
    for (option, is_file) in [
        ("db", true),
        ("plugin", true),
        ("inventory", true),
        ("save", true),
        ("secrets-key-file", true),
        ("kind", false),
        ("account", false),
        ("limit", false),
        ("time-zone", false),
        ("name", false),
    ] {
        let completed = bash.split(&format!("--{option})\n")).nth(1).unwrap().split(";;").next().unwrap();
        assert_eq!(completed.contains("compgen -f"), is_file, "{option}: {completed}");
    }
    let none = folder.run(&["completions", "cmd"]);
    assert!(none.code() == 2 && none.stderr().contains("bash"), "{}", none.stderr());
}
