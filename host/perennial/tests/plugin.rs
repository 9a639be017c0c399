//! `perennial plugin`: from an empty folder to a provider that is loaded, checked and tested; and the guide, whose commands
//! are run as they are printed.

#[path = "support/limits.rs"]
mod limits;
#[path = "support/mod.rs"]
mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use expect_test::expect;
use perennial_tests::guests;

use crate::support::Folder;
use crate::support::memory_registry;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// A folder with a new table in it.
fn nimbus() -> Folder {
    let folder = Folder::new();
    folder.run(&["plugin", "new", "nimbus"]).succeeded();
    folder
}

#[test]
fn a_new_table_is_whole() {
    let folder = nimbus();
    let checked = folder.run(&["plugin", "check", "nimbus/nimbus.toml"]);
    let listed =
        folder.run(&["--plugin", "nimbus/nimbus.toml", "plugins", "--format", "csv"]).succeeded().stdout();
    assert!(listed.lines().any(|line| line.starts_with("nimbus,nimbus,nimbus/nimbus.toml,")), "{listed}");
    let revision = checked.stdout().lines().next().unwrap_or_default().rsplit(' ').next().unwrap().to_owned();
    assert_eq!(revision.len(), 64, "{}", checked.stdout());
    assert!(listed.contains(&revision), "{listed}");
    // The fuel depends on the compiler, so only what holds for every one is looked at.
    assert_eq!((checked.code(), checked.stderr()), (0, String::new()), "{}", checked.stdout());
    for ok in ["contract   ok", "timelines  ok", "commands   ok", "settings   ok", "limits     ok"] {
        assert!(checked.stdout().lines().any(|line| line.starts_with(ok)), "{ok}: {}", checked.stdout());
    }
    let tested = folder.run(&["plugin", "test", "nimbus/nimbus.toml"]).succeeded().stdout();
    expect![[r#"
        ok      five tries at two o'clock, then three days of grace
        ok      without auto-renew nothing is tried
        ok      what is overdue happens at once and in order
        ok      a renewal counts from the expiry
        ok      also one in grace
        ok      what was released is gone
        ok      auto-renew is set before the expiry
        ok      and not after it
        ok      nothing is given back
        9 cases, 0 failed
    "#]]
    .assert_eq(&tested);
    let built = folder.run(&["plugin", "build", "nimbus"]).succeeded().stdout();
    assert!(built.contains("nimbus/nimbus.toml is a table, and needs no build"), "{built}");
}

#[test]
fn new_overwrites_nothing_and_takes_no_odd_name() {
    let folder = nimbus();
    for name in ["nimbus", "Nimbus", "../nimbus", "", "9cloud"] {
        let ran = folder.run(&["plugin", "new", name]);
        assert_eq!(ran.code(), 2, "{name}: {}", ran.stderr());
    }
}

#[test]
fn a_case_that_does_not_hold_shows_both_answers() {
    let folder = nimbus();
    let table = std::fs::read_to_string(folder.path("nimbus/nimbus.toml")).unwrap();
    folder.write("nimbus/nimbus.toml", &table.replace("days = [5, 4, 3, 2, 1]", "days = [5, 1]"));
    let failed = folder.run(&["plugin", "test", "nimbus/nimbus.toml"]);
    assert_eq!(failed.code(), 1);
    let shown = failed.stdout();
    for told in [
        "FAILED  five tries at two o'clock, then three days of grace: `-` is what the case says",
        "        -2026-03-06T02:00:00Z web try_renewal\n        -2026-03-07T02:00:00Z web try_renewal\n",
        "ok      without auto-renew nothing is tried\n",
        "9 cases, 1 failed\n",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert!(!shown.contains("-2026-03-05") && !shown.contains("-2026-03-09"), "{shown}");
    assert!(failed.stderr().contains("1 of 9 cases does not hold"), "{}", failed.stderr());
    let blessed = folder.run(&["plugin", "test", "nimbus/nimbus.toml", "--bless"]).succeeded().stdout();
    assert!(blessed.contains("blessed five tries") && blessed.contains("wrote 1 answer into"), "{blessed}");
    let again = folder.run(&["plugin", "test", "nimbus/nimbus.toml"]).succeeded().stdout();
    assert!(again.ends_with("9 cases, 0 failed\n"), "{again}");
    let cases = std::fs::read_to_string(folder.path("nimbus/cases.toml")).unwrap();
    assert!(
        cases.contains("# What nimbus promises.") && !cases.contains("2026-03-06T02:00:00Z web try"),
        "{cases}"
    );
}

#[test]
fn a_question_is_answered_with_its_fuel() {
    let folder = nimbus();
    let words = ["plugin", "ask", "nimbus/nimbus.toml", "--case"];
    let asked =
        folder.run(&[&words[..], &["a renewal counts from the expiry"]].concat()).succeeded().stdout();
    let (answer, fuel) = asked.split_once("fuel ").unwrap();
    assert_eq!(answer, "web extend to 2026-02-28T12:00:00Z for 1 month\n");
    let fuel = fuel.trim().parse::<u64>().unwrap();
    assert!((10_000..20_000_000).contains(&fuel), "{fuel}");
    let unknown = folder.run(&[&words[..], &["a renewal counts"]].concat());
    assert_eq!(unknown.code(), 2);
    assert!(unknown.stderr().contains("it has\n  five tries at two o'clock"), "{}", unknown.stderr());
}

#[test]
fn more_fuel_than_the_baseline_is_told() {
    let folder = nimbus();
    let words = ["plugin", "bench", "nimbus/nimbus.toml", "--baseline", "bench.json"];
    folder.run(&words).succeeded();
    let first = std::fs::read_to_string(folder.path("bench.json")).unwrap();
    let again = folder.run(&words).succeeded().stdout();
    assert!(again.contains(" before; "), "{again}");
    for (figure, is_of_a_call) in [("timeline ", true), ("plan ", true), ("timeline_alone ", false)] {
        let line = again.lines().find(|line| line.starts_with(figure)).unwrap();
        assert!(["fuel ", "memory ", "time "].iter().all(|name| line.contains(name)), "{line}");
        assert_eq!(line.contains("; memory a bundle "), is_of_a_call, "{line}");
    }
    assert_eq!(std::fs::read_to_string(folder.path("bench.json")).unwrap(), first, "fuel does not vary");
    folder.write("bench.json", "{ \"timeline\": 1 }");
    let worse = folder.run(&words);
    assert_eq!(
        (worse.code(), worse.stderr().contains("timeline took more fuel")),
        (1, true),
        "{}",
        worse.stderr()
    );
    folder.write("bench.json", "[]");
    assert_eq!(folder.run(&words).code(), 2);
}

#[test]
fn a_table_with_mistakes_lists_them_and_ends_with_2() {
    let folder = nimbus();
    let table = std::fs::read_to_string(folder.path("nimbus/nimbus.toml")).unwrap();
    folder
        .write("nimbus/nimbus.toml", &table.replace("hour = 2", "hour = 25").replace("grace = ", "graze = "));
    let ran = folder.run(&["plugin", "check", "nimbus/nimbus.toml"]);
    assert_eq!(ran.code(), 2);
    for told in ["nimbus.toml:17: `hour`", "17 | hour = 25", "nimbus.toml:21: `graze` is no key of [stages]"]
    {
        assert!(ran.stderr().contains(told), "{told}: {}", ran.stderr());
    }
}

#[test]
fn the_bundled_plugins_pass_their_check() {
    let folder = Folder::new();
    for bundled in perennial_sandbox::BUNDLED {
        let name = match bundled.table {
            Some(table) => {
                folder.write("plugin.toml", table);
                "plugin.toml"
            }
            None => {
                std::fs::write(folder.path("plugin.wasm"), bundled.component).unwrap();
                "plugin.wasm"
            }
        };
        let ran = folder.run(&["plugin", "check", name]);
        assert_eq!(ran.code(), 0, "{}: {}{}", bundled.id, ran.stdout(), ran.stderr());
        assert!(ran.stdout().contains(" plans and "), "{}", ran.stdout());
    }
}

#[test]
fn a_plugin_that_answers_nonsense_fails_its_check() {
    let folder = Folder::new();
    std::fs::write(folder.path("lantern.wasm"), guests::LANTERN).unwrap();
    let ran = folder.run(&["plugin", "check", "lantern.wasm"]);
    assert_eq!(ran.code(), 1, "{}{}", ran.stdout(), ran.stderr());
    assert!(ran.stdout().contains("timelines  FAILED"), "{}", ran.stdout());
    assert!(ran.stderr().contains("a host would refuse these answers"), "{}", ran.stderr());
}

#[test]
fn a_plugin_that_answers_as_it_pleases_fails_its_check() {
    let folder = Folder::new();
    std::fs::write(folder.path("hostile.wasm"), guests::HOSTILE).unwrap();
    let ran = folder.run(&["plugin", "check", "hostile.wasm"]);
    assert_eq!(ran.code(), 1, "{}{}", ran.stdout(), ran.stderr());
    let told = ran.stdout();
    let (_, timelines) = told.split_once("timelines  FAILED").unwrap_or_else(|| panic!("{told}"));
    let (timelines, _) = timelines.split_once("\ncommands ").unwrap();
    assert!(timelines.contains(" has another answer "), "{told}");
}

#[test]
fn a_check_says_in_which_stages_each_command_is_refused() {
    let folder = nimbus();
    let told = folder.run(&["plugin", "check", "nimbus/nimbus.toml"]).succeeded().stdout();
    let (_, commands) = told.split_once("commands   ok").unwrap();
    let lines = commands.lines().skip(1).take_while(|line| line.starts_with(' '));
    let lines = lines.map(|line| format!("{}\n", line.trim())).collect::<String>();
    expect![[r#"
        buy_again: 0 planned; refused: 21 Refused (active, grace, retention, released, unsubscribed, converted)
        cancel_auto_renew: 4 planned (active, grace, retention); refused: 17 Refused (active, grace, retention, released, unsubscribed, converted)
        cancel_conversion: 0 planned; refused: 21 Refused (active, grace, retention, released, unsubscribed, converted)
        change: 0 planned; refused: 21 Refused (active, grace, retention, released, unsubscribed, converted)
        convert_now: 0 planned; refused: 21 Refused (active, grace, retention, released, unsubscribed, converted)
        convert_on_expiry: 0 planned; refused: 21 Refused (active, grace, retention, released, unsubscribed, converted)
        renew: 48 planned (active, grace, retention); refused: 36 Refused (released, unsubscribed, converted)
        set_auto_renew: 8 planned (active); refused: 13 Refused (grace, retention, released, unsubscribed, converted)
        subscribe: 0 planned; refused: 21 Refused (active, grace, retention, released, unsubscribed, converted)
        unsubscribe: 0 planned; refused: 42 Refused (active, grace, retention, released, unsubscribed, converted)
    "#]].assert_eq(&lines);
}

/// What is used of each limit, with the numbers taken out: they depend on the compiler.
fn shares(folder: &Folder, plugin: &str) -> String {
    let told = folder.run(&["plugin", "check", plugin]).succeeded().stdout();
    let (_, limits) = told.split_once("limits     ok").unwrap();
    let share = |line: &str| {
        let (percent, what) = line.split_once(" % of ").unwrap_or_else(|| panic!("{line}"));
        let percent = percent.trim().parse::<f64>().unwrap();
        assert!(percent > 0.0 && percent <= 100.0, "{line}");
        let (what, by) =
            what.split_once(", for ").map_or((what, ""), |(what, _)| (what, ", for one of the questions"));
        format!("{what}{by}\n")
    };
    limits.lines().skip(1).map(share).collect()
}

#[test]
fn a_check_says_what_share_is_used_of_each_limit() {
    let folder = nimbus();
    let huawei = perennial_sandbox::BUNDLED.iter().find(|bundled| bundled.id == "huawei").unwrap();
    std::fs::write(folder.path("huawei.wasm"), huawei.component).unwrap();
    expect![[r#"
        the fuel of a call with one question, for one of the questions
        the fuel of a full call, for one of the questions
        the occurrences that a timeline may have, for one of the questions
        the steps that a plan may have, for one of the questions
        the memory of a call
        the size of a table
    "#]]
    .assert_eq(&shares(&folder, "nimbus/nimbus.toml"));
    expect![[r#"
        the fuel of a call with one question, for one of the questions
        the fuel of a full call, for one of the questions
        the occurrences that a timeline may have, for one of the questions
        the steps that a plan may have, for one of the questions
        the packages that a use may be taken of, for one of the questions
        the memory of a call
        the size of a component
        the bytes of one function
        the locals and parameters of one function
        the values in a block or a result of one function
        the functions
        the bytes times values in its functions
    "#]]
    .assert_eq(&shares(&folder, "huawei.wasm"));
}

#[test]
fn the_same_cases_are_written_for_every_language() {
    let cases = ["table", "rust", "javascript", "python"].map(|language| {
        let folder = Folder::new();
        folder.run(&["plugin", "new", "nimbus", "--language", language]).succeeded();
        std::fs::read_to_string(folder.path("nimbus/cases.toml")).unwrap()
    });
    assert!(cases.iter().all(|of_language| *of_language == cases[0]));
}

/// What each language is built with is looked for first, and what is missing is told with where it comes from.
#[test]
fn a_build_without_its_tools_says_how_to_get_them() {
    let folder = Folder::new();
    for (language, told) in [
        (
            "javascript",
            ["node_modules/.bin/componentize-qjs` is not there", "run `npm install` in `cloud-javascript`"],
        ),
        ("python", ["cannot find `componentize-py`", "pip install -r requirements.txt` in `cloud-python`"]),
    ] {
        let name = format!("cloud-{language}");
        folder.run(&["plugin", "new", &name, "--language", language]).succeeded();
        let mut build = Command::new(env!("CARGO_BIN_EXE_perennial"));
        let nowhere = folder.path("nowhere");
        let ran = build.args(["plugin", "build", &name]).current_dir(folder.path("")).env("PATH", nowhere);
        let ran = ran.output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{said}");
        for told in told {
            assert!(said.contains(told), "{told}: {said}");
        }
        for file in ["limits.json", "wit/provider.wit", "wit/connector.wit", "README.md", ".gitignore"] {
            assert!(folder.path(&format!("{name}/{file}")).exists(), "{language} has no {file}");
        }
    }
}

/// The same for Rust: the compiler's own program, and the target that it compiles for.
#[test]
fn a_build_in_rust_says_whether_cargo_or_the_target_is_missing() {
    let folder = Folder::new();
    folder.run(&["plugin", "new", "mist", "--language", "rust"]).succeeded();
    let programs = folder.path("bin");
    std::fs::create_dir(&programs).unwrap();
    let build = |cargo: Option<&str>| {
        let path = programs.join("cargo");
        if let Some(says) = cargo {
            std::fs::write(&path, format!("#!/bin/sh\necho \"{says}\" >&2\nexit 101\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut build = Command::new(env!("CARGO_BIN_EXE_perennial"));
        build.args(["plugin", "build", "mist"]).current_dir(folder.path("")).env("PATH", &programs);
        let ran = build.output().unwrap();
        assert!(!folder.path("mist/mist.wasm").exists());
        format!("{}: {}", ran.status.code().unwrap(), String::from_utf8_lossy(&ran.stderr))
    };
    let told = [
        build(None),
        build(Some("error[E0463]: can't find crate for 'core'\n = note: the target may not be installed")),
        build(Some("error: could not execute process \\`rustc -vV\\` (never executed)")),
        build(Some("error: expected one of a dozen things")),
    ];
    expect![[r#"
        2: error: cannot find `cargo`: install Rust (https://rustup.rs), then run `rustup target add wasm32-unknown-unknown`
        2: error: cannot build `mist`: the compiler has no target `wasm32-unknown-unknown`: run `rustup target add wasm32-unknown-unknown`; `cargo` says:
        error[E0463]: can't find crate for 'core'
         = note: the target may not be installed

        2: error: cannot build `mist`: `cargo` finds no compiler: install Rust (https://rustup.rs), then run `rustup target add wasm32-unknown-unknown`; `cargo` says:
        error: could not execute process `rustc -vV` (never executed)

        1: error: `cargo build --release --lib --target wasm32-unknown-unknown` in `mist` failed:
        error: expected one of a dozen things

    "#]].assert_eq(&told.concat());
}

/// A plugin that asks for more is looked at by its author's tools as it asks, and loaded by nobody who did not grant that.
#[test]
fn a_plugin_is_granted_what_it_asks_for_by_whom_it_serves() {
    let folder = Folder::new();
    std::fs::write(folder.path("system.wasm"), guests::SYSTEM).unwrap();
    let plugins = ["--plugin", "system.wasm", "plugins", "--format", "csv"];
    let refused = folder.run(&plugins);
    assert_eq!(refused.code(), 2, "{}", refused.stderr());
    assert!(refused.stderr().contains("imports `wasi:cli/environment@0.2.9`"), "{}", refused.stderr());
    folder.write("perennial.toml", "[plugins.grants]\n\"system.wasm\" = \"wasi,memory=40MiB\"\n");
    let granted = folder.run(&[&["--config", "perennial.toml"][..], &plugins[..]].concat()).succeeded();
    assert!(granted.stdout().contains("system,System,system.wasm,"), "{}", granted.stdout());
    folder.write("perennial.toml", "[plugins.grants]\n\"system.wasm\" = \"wasi,memory=40GiB\"\n");
    let above = folder.run(&[&["--config", "perennial.toml"][..], &plugins[..]].concat());
    assert_eq!(above.code(), 2, "{}", above.stderr());
    assert!(
        above.stderr().contains("memory of 40GiB, and at most 256MiB may be granted"),
        "{}",
        above.stderr()
    );
}

#[test]
fn a_host_starts_with_no_granted_plugin_that_answers_in_two_ways() {
    let folder = Folder::new();
    std::fs::write(folder.path("hostile.wasm"), guests::HOSTILE).unwrap();
    folder.write(
        "one.json",
        r#"{ "accounts": [{ "id": "a", "provider": "huawei", "currency": "CNY", "balance": "1.00" }] }"#,
    );
    folder.run(&["import", "one.json"]).succeeded();
    let files = "[plugins]\nfiles = [\"hostile.wasm\"]\n";
    folder
        .write("perennial.toml", &format!("{files}[plugins.grants]\n\"hostile.wasm\" = \"memory=40MiB\"\n"));
    for words in [&["run"][..], &["serve", "--virtual-clock", "2026-01-01"]] {
        let ran = folder.run(&[&["--config", "perennial.toml"], words].concat());
        let told = ran.stderr();
        assert_eq!(ran.code(), 2, "{words:?}: {told}");
        let is_told = told.contains(
            "the plugin `hostile.wasm` of `hostile` does not answer the same question the same way: ",
        );
        assert!(is_told && told.contains(" has another answer when it is asked "), "{words:?}: {told}");
    }
}

/// The commands of the guide are run in one folder, without this repository, block by block, and print what stands below
/// them. Among them a plugin in Rust is built, which takes the compiler and a registry of crates.
#[test]
fn the_guide_works_from_nothing_to_a_provider_with_a_cascade() {
    let guide = std::fs::read_to_string(root().join("docs/plugins.md")).unwrap();
    let folder = Folder::new();
    let programs = folder.path("bin");
    std::fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_perennial"), programs.join("perennial")).unwrap();
    let (mut printed, mut commands) = (None, 0);
    // The guide's registry is one on this machine.
    let guide = guide.replace("localhost:5000", &memory_registry::start());
    for (language, text) in blocks_of(&guide) {
        match language {
            "sh" => {
                commands += text.lines().count();
                printed = Some(shell(&folder, &programs, text));
            }
            "text" => assert_eq!(printed.take().expect("a command is above it"), text, "of the guide"),
            _ => {}
        }
    }
    assert!(commands >= 10, "the guide has commands");
    let read = |name: &str| std::fs::read_to_string(folder.path(name)).unwrap();
    let tested = read("tested.txt");
    assert!(tested.contains("ok      a disk is renewed with its server"), "{tested}");
    for checked in [read("checked.txt"), read("rust.txt")] {
        assert!(checked.contains("timelines  ok") && checked.contains("commands   ok"), "{checked}");
    }
    assert!(read("plugins.csv").contains("nimbus/nimbus.toml"), "{}", read("plugins.csv"));
    assert!(read("inspected.txt").contains("Disk; attaches to server"), "{}", read("inspected.txt"));
    assert!(read("played.txt").contains("released"), "{}", read("played.txt"));
    assert!(read("again.txt").contains(" before; "), "{}", read("again.txt"));
    assert!(read("package.txt").contains("signature  by ed25519:"), "{}", read("package.txt"));
    assert!(read("pulled.txt").contains(", signed by ed25519:"), "{}", read("pulled.txt"));
    assert_eq!(
        std::fs::read(folder.path("pulled.wasm")).unwrap(),
        std::fs::read(folder.path("mist/mist-1.0.0.wasm")).unwrap()
    );
}

/// What a registry of crates would be given: the archive, unpacked in an empty folder, is all that a plugin depends on.
#[test]
fn a_plugin_builds_with_the_kit_as_it_would_be_published() {
    let folder = Folder::new();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args([
        "package",
        "--package",
        "plugin-sdk",
        "--allow-dirty",
        "--no-verify",
        "--offline",
    ]);
    let packaged = cargo.arg("--target-dir").arg(folder.path("target")).output().unwrap();
    assert!(packaged.status.success(), "{}", String::from_utf8_lossy(&packaged.stderr));
    let package = format!("plugin-sdk-{}", env!("CARGO_PKG_VERSION"));
    let archive = folder.path(&format!("target/package/{package}.crate"));
    let unpacked = Command::new("tar").arg("-xzf").arg(archive).current_dir(folder.path("")).status();
    assert!(unpacked.expect("this test takes `tar`").success());
    for file in ["wit/provider.wit", "wit/connector.wit", "src/lib.rs", "README.md"] {
        assert!(folder.path(&package).join(file).is_file(), "{file} is not in the archive");
    }
    folder.run(&["plugin", "new", "mist", "--language", "rust"]).succeeded();
    std::fs::remove_dir_all(folder.path("mist/plugin-sdk")).unwrap();
    std::fs::rename(folder.path(&package), folder.path("mist/plugin-sdk")).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut build = folder.program_with(&[("PATH", &path)]);
    for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        build.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    build.args(["plugin", "build", "mist"]);
    support::ran(build).succeeded();
    let tested = folder.run(&["plugin", "test", "mist/mist.wasm"]).succeeded().stdout();
    assert!(tested.ends_with("9 cases, 0 failed\n"), "{tested}");
}

/// What `wkg wit build` does: the folder is one package with a version, which needs no other one and is the same once it is encoded.
#[test]
fn each_contract_is_a_package_that_needs_no_other() {
    let contracts = [
        ("provider", "perennial:provider@0.2.0"),
        ("policy", "perennial:policy@0.1.0"),
        ("table", "perennial:table@0.1.0"),
    ];
    for (folder, name) in contracts {
        let mut resolve = wit_parser::Resolve::default();
        let (package, _) = resolve.push_path(root().join("wit").join(folder)).unwrap();
        let described = |resolve: &wit_parser::Resolve, id: wit_parser::PackageId| {
            let package = &resolve.packages[id];
            let (interfaces, worlds) = (package.interfaces.keys().cloned(), package.worlds.keys().cloned());
            (package.name.to_string(), interfaces.collect::<Vec<_>>(), worlds.collect::<Vec<_>>())
        };
        assert_eq!(resolve.packages.len(), 1, "{name} takes nothing that would have to be fetched");
        let before = described(&resolve, package);
        assert!(before.0 == name && !before.1.is_empty() && !before.2.is_empty(), "{before:?}");
        let encoded = wit_component::encode(&resolve, package).unwrap();
        let decoded = wit_component::decode(&encoded).unwrap();
        assert_eq!(described(decoded.resolve(), decoded.package()), before);
    }
}

/// The guide has one table of all limits, and it is this one.
#[test]
fn the_limits_of_the_guide_are_those_of_the_code() {
    let guide = std::fs::read_to_string(root().join("docs/plugins.md")).unwrap();
    let table = limits::table();
    assert!(guide.contains(&table), "the guide has another table than this:\n{table}");
    assert_eq!(limits::forgotten(), Vec::<String>::new(), "these limits are in no row");
}

/// Who reads the contract finds an example of every function in it, and who reads the guide what is checked of its answer.
#[test]
fn every_function_of_the_contract_has_an_example_and_a_line_in_the_guide() {
    let guide = std::fs::read_to_string(root().join("docs/plugins.md")).unwrap();
    let mut functions = 0;
    for file in ["wit/provider/provider.wit", "wit/provider/connector.wit"] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let mut documentation = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(comment) = line.strip_prefix("///") {
                documentation += comment;
            } else if let Some((name, _)) = line.split_once(": func(") {
                assert!(documentation.contains("Example: "), "`{name}` of {file} has no example");
                assert!(guide.contains(&format!("| `{name}` | ")), "`{name}` has no line in the guide");
                functions += 1;
            } else {
                documentation.clear();
            }
        }
    }
    assert_eq!(functions, 13);
}

fn shell(folder: &Folder, programs: &Path, commands: &str) -> String {
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins");
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", commands]).current_dir(folder.path("")).env_clear().env("PATH", path);
    for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        shell.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let ran = shell.env("PERENNIAL_CACHE", cache).output().expect("the guide needs `sh`");
    let printed = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{commands}\n{printed}{}", String::from_utf8_lossy(&ran.stderr));
    printed
}

/// The blocks of a page between fences, with the language of each.
fn blocks_of(page: &str) -> Vec<(&str, &str)> {
    let mut parts = page.split("```");
    let mut blocks = Vec::new();
    while let (Some(_), Some(block)) = (parts.next(), parts.next()) {
        blocks.push(block.split_once('\n').unwrap_or_default());
    }
    blocks
}
