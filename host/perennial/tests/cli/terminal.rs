//! What a terminal shows: colours, and lines that fit.

use expect_test::expect;

use crate::sample::INVENTORY;
use crate::sample::folder;
use crate::sample::simulate;

#[test]
fn colours_are_there_when_asked_for_and_never_otherwise() {
    let folder = folder();
    let (plain, bright) = (simulate(&["--color", "never"]), simulate(&["--color", "always"]));
    assert!(!folder.run(&plain).succeeded().stdout().contains('\u{1b}'));
    assert!(folder.run(&bright).succeeded().stdout().contains('\u{1b}'));
    assert!(!folder.run(&simulate(&[])).succeeded().stdout().contains('\u{1b}'), "this is no terminal");
    let wrong = folder.run(&["--color", "never", "import", "missing.json"]);
    assert!(!wrong.stderr().contains('\u{1b}'), "{}", wrong.stderr());
}

/// The widest line, in columns of a terminal; signs of Chinese take two.
fn widest(text: &str) -> usize {
    let width = |line: &str| line.chars().map(|sign| if sign > '\u{2e80}' { 2 } else { 1 }).sum::<usize>();
    text.lines().map(width).max().unwrap_or(0)
}

#[test]
fn everything_for_people_fits_sixty_columns() {
    let folder = folder();
    let inventory = INVENTORY.replace("bcc-1", "服务器-北京-生产-一号").replace("rds-1", &"long-".repeat(12));
    folder.write("wide.json", &inventory);
    let mut engine = folder.engine("perennial.db", &inventory);
    engine.run_to("2026-03-10T00:00:00Z".parse().unwrap(), &mut |_, _| {}).unwrap();
    drop(engine);
    folder
        .run(&["token", "create", "--name", "for the people of the night", "--role", "operator"])
        .succeeded();
    let simulation = ["simulate", "--inventory", "wide.json", "--from=2026-01-10", "--until=2026-03-10"];
    for words in [
        &["resources"][..],
        &["events", "--limit", "1000", "--time-zone", "provider"],
        &["approvals", "list"],
        &["token", "list"],
        &["key", "list"],
        &["plugins"],
        &["demo"],
        &simulation,
    ] {
        for width in [60, 80, 100] {
            let width = width.to_string();
            let ran = folder.run(&[&["--width", &width], words].concat()).succeeded();
            let told = ran.stdout();
            assert!(widest(&told) <= width.parse().unwrap(), "{words:?} at {width}:\n{told}");
        }
    }
}

#[test]
fn every_row_of_every_list_begins_on_its_own_line_at_every_width() {
    let folder = folder();
    let mut engine = folder.engine("perennial.db", INVENTORY);
    engine.run_to("2026-01-26T00:00:00Z".parse().unwrap(), &mut |_, _| {}).unwrap();
    drop(engine);
    folder.run(&["key", "new-secrets-key", "secrets.key"]).succeeded();
    for _ in 0..3 {
        folder.run(&["token", "create", "--name", "night", "--role", "operator"]).succeeded();
        let key = ["create", "--account", "acme-hw", "--name", "night", "--secrets-key-file", "secrets.key"];
        folder.run(&[&["key"], &key[..]].concat()).succeeded();
    }
    for words in [&["resources"][..], &["events"], &["token", "list"], &["key", "list"]] {
        let json = folder.run(&[words, &["--format", "json"]].concat()).succeeded().stdout();
        let rows = serde_json::from_str::<Vec<serde_json::Value>>(&json).unwrap().len();
        assert!(rows > 2, "{words:?}");
        for width in 20..=120 {
            let ran = folder.run(&[&["--width", &width.to_string()], words].concat()).succeeded();
            let told = ran.stdout();
            assert!(widest(&told) <= width, "{words:?} at {width}:\n{told}");
            let begun = told.lines().filter(|line| !line.starts_with(' ')).count();
            assert_eq!(begun, rows + 1, "{words:?} at {width}:\n{told}");
        }
    }
}

#[test]
fn what_does_not_fit_is_folded_below_its_row_and_not_cut_off() {
    let folder = folder();
    let inventory = INVENTORY.replace("bcc-1", "服务器-北京-生产-一号");
    folder.write("wide.json", &inventory);
    drop(folder.engine("perennial.db", &inventory));
    let words = ["--width", "60", "resources", "--expires-before", "2026-02-01"];
    expect![[r#"
        account  resource               kind     stage
        acme-bd  服务器-北京-生产-一号  bcc      active
            expires: 2026-01-25 04:00 UTC  on expiry: renew
            price: 60.00 CNY  next: 2026-01-09 23:59 UTC
        acme-hw  ecs-1                  ecs      active
            expires: 2026-01-31 15:59 UTC  on expiry: renew
            price: 99.00 CNY  next: 2026-01-09 23:59 UTC
        acme-hw    evs-1                evs      active
            expires: 2026-01-31 15:59 UTC  on expiry: renew
            price: 10.00 CNY  next: 2026-01-09 23:59 UTC
        acme-hw  pkg-1                  package  active
            expires: 2026-01-31 15:59 UTC  on expiry: lapse
            price: 20.00 CNY  next: 2026-01-09 23:59 UTC
    "#]]
    .assert_eq(&folder.run(&words).succeeded().stdout());
    let words = ["--width", "60", "--color=always", "resources", "--account", "acme-bd"];
    expect![[r#"
        ^[2maccount^[0m  ^[2mresource             ^[0m  ^[2mkind^[0m  ^[2mstage^[0m
        acme-bd  服务器-北京-生产-一号  bcc   ^[32mactive^[0m
            expires: 2026-01-25 04:00 UTC  on expiry: renew
            price: 60.00 CNY  next: 2026-01-09 23:59 UTC
    "#]]
    .assert_eq(&folder.run(&words).succeeded().stdout().replace('\u{1b}', "^"));
    let folded = folder.run(&["--width", "60", "resources"]).succeeded().stdout();
    let whole = folder.run(&["resources"]).succeeded().stdout();
    for word in whole.lines().skip(1).flat_map(|line| line.split("  ")).map(str::trim) {
        assert!(word == "-" || folded.contains(word), "{word} is not in\n{folded}");
    }
}
