//! `perennial plugin`: from an empty folder to a provider that is loaded, checked and tested; and the guide, whose commands
//! are run as they are printed.

#[path = "support/mod.rs"]
mod support;

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use expect_test::expect;
use perennial_sandbox::Limits;
use perennial_tests::guests;

use crate::support::Folder;

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
fn the_same_cases_are_written_for_every_language() {
    let cases = ["table", "rust"].map(|language| {
        let folder = Folder::new();
        folder.run(&["plugin", "new", "nimbus", "--language", language]).succeeded();
        std::fs::read_to_string(folder.path("nimbus/cases.toml")).unwrap()
    });
    assert_eq!(cases[0], cases[1]);
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
}

/// What a registry would be given: the kit builds outside of this workspace, because the contract is in it.
#[test]
fn the_kit_is_packaged_with_its_contract() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args([
        "package",
        "--package",
        "plugin-sdk",
        "--list",
        "--allow-dirty",
        "--offline",
    ]);
    let listed = cargo.output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout);
    for file in ["Cargo.toml", "README.md", "src/lib.rs", "src/provider_api/mod.rs", "wit/provider.wit"] {
        assert!(listed.lines().any(|line| line == file), "{file} is not in\n{listed}");
    }
    let kit = std::fs::read_to_string(root().join("plugins/sdk/src/lib.rs")).unwrap();
    assert!(
        !kit.contains("path: \"..") && kit.contains("path: \"wit\""),
        "the bindings read no file outside"
    );
}

/// What the guide says of limits is what the code has.
#[test]
fn the_limits_of_the_guide_are_those_of_the_code() {
    let guide = std::fs::read_to_string(root().join("docs/plugins.md")).unwrap();
    let Limits { fuel, fuel_per_item, time_max, memory_max_bytes, component_max_bytes, .. } = Limits::DEFAULT;
    let whole = |number: u64| perennial_formats::dates::whole(usize::try_from(number).unwrap());
    let rows = [
        format!("| fuel of a call | {}, and {} for each", whole(fuel), whole(fuel_per_item)),
        format!("| time of a call | {} second |", time_max.as_secs()),
        format!("| memory | {} MiB |", memory_max_bytes >> 20),
        format!(
            "| a component | {} MiB, {} functions |",
            component_max_bytes >> 20,
            whole(Limits::DEFAULT.functions_max as u64)
        ),
        format!("| instants within an hour | {} for each", Limits::DEFAULT.wakes_per_hour_max),
        format!("| an answer | {} MiB", Limits::DEFAULT.answer_max_bytes >> 20),
    ];
    for row in rows {
        assert!(guide.contains(&row), "the guide has no row `{row}`");
    }
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
