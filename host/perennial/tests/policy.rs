//! `perennial policy`, and everything about policies that ships: the ten policies with their tests, and the guide, whose
//! commands are run as they are printed.

#[path = "support/mod.rs"]
mod support;

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use expect_test::expect;

use crate::support::Folder;

const FILE: &str = r#"
[[policy]]
name = "approve-large"
script = "approve-large.rhai"
order = 10
kinds = ["ecs"]

[[policy]]
name = "watch"
script = "watch.rhai"
mode = "shadow"
"#;

const APPROVE_LARGE: &str = r#"fn rule(plan) {
    if plan.cost != () && plan.cost > 500.00 {
        return require_approval("above 500", #{ by: "finance" });
    }
    approve()
}
"#;

/// A folder with two policies.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("policies.toml", FILE);
    folder.write("approve-large.rhai", APPROVE_LARGE);
    folder.write(
        "watch.rhai",
        "fn rule(plan) {\n    if plan.cost > 5.00 { note(\"dear\"); }\n    deny(\"watched\")\n}\n",
    );
    folder
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

#[test]
fn a_check_lists_the_policies_and_warns_of_what_may_fail() {
    let ran = folder().run(&["policy", "check", "policies.toml"]);
    assert_eq!((ran.code(), ran.stderr()), (0, String::new()));
    expect![[r#"
        approve-large            ok       order 10, active, `approve-large.rhai`
        watch                    ok       order 100, shadow, `watch.rhai`
          warning
          watch.rhai:2:8: `plan.cost` may be (): `>` then fails; compare it with () first
               2 |     if plan.cost > 5.00 { note("dear"); }
                 |        ^
        2 policies, 0 calendars, 1 warning
    "#]]
    .assert_eq(&ran.stdout());
}

#[test]
fn a_check_lists_every_problem_of_the_file_and_then_of_the_scripts() {
    let folder = folder();
    folder.write("watch.rhai", "fn rule(plan) {\n    deny(plan.prise)\n}\n");
    folder.write("approve-large.rhai", "fn rule(plan) {\n    let limit = ;\n}\n");
    let ran = folder.run(&["policy", "check", "policies.toml"]);
    assert_eq!(ran.code(), 2);
    expect![[r#"
        error: 2 problems in scripts:
          approve-large.rhai:2:17: Unexpected ';'
               2 |     let limit = ;
                 |                 ^
          watch.rhai:2:15: a plan has no field `prise`; there are `command`, `cause`, `cost`, `refund`, `currency`, `at`, `first_try_at`, `next_try_at`, `last_try_at`, `term`, `options`, `resource`, `members`, `expires_after`, `account`, `budget`, `requested_by`
               2 |     deny(plan.prise)
                 |               ^
    "#]].assert_eq(&ran.stderr());
    folder.write("policies.toml", "[[policy]]\nname = \"a b\"\nscript = \"gone.rhai\"\nkinds = [\"ec\"]\n");
    let ran = folder.run(&["policy", "check", "policies.toml"]);
    assert_eq!(ran.code(), 2);
    expect![[r#"
        error: `policies.toml` cannot be used:
        3 problems:
          policy[0].kinds[0]: there is no kind `ec` (did you mean `ecs`?); expected `bandwidth`, `bandwidth-add-on`, `bandwidth-package`, `bbc`, `bcc`, `bms`, `cce`, `cds`, `clb`, `codearts-extension`, `codearts-package`, `dcs`, `dds`, `direct-connect`, `dms`, `ebs`, `ecs`, `eip`, `elb`, `et`, `evs`, `mkt`, `nat`, `package` or 6 more
          policy[0].name: the name `a b` is not one of lower case letters, digits and dashes
          policy[0].script: cannot read the script `gone.rhai`: No such file or directory (os error 2)
    "#]].assert_eq(&ran.stderr());
}

#[test]
fn problems_of_the_file_hide_none_of_its_scripts() {
    let folder = folder();
    folder.write("policies.toml", "[[policy]]\nname = \"a b\"\nscript = \"watch.rhai\"\n");
    folder.write("watch.rhai", "fn rule(plan) {\n    let limit = ;\n}\n");
    let ran = folder.run(&["policy", "check", "policies.toml"]);
    assert_eq!(ran.code(), 2, "{}", ran.stderr());
    let told = ran.stderr();
    assert!(
        told.contains("the name `a b` is not one of") && told.contains("watch.rhai:2:17: Unexpected ';'"),
        "{told}"
    );
}

#[test]
fn a_long_script_hides_no_problem_of_another() {
    let folder = folder();
    let lets = (0..2_000).map(|number| format!("let v{number} = 1;\n")).collect::<String>();
    folder.write("watch.rhai", &format!("fn rule(plan) {{\n{lets}approve()\n}}\n"));
    folder.write("approve-large.rhai", "fn rule(plan) {\n    let limit = ;\n}\n");
    let ran = folder.run(&["policy", "check", "policies.toml"]);
    assert_eq!(ran.code(), 2, "{}", ran.stderr());
    assert!(ran.stderr().contains("approve-large.rhai:2:17: Unexpected ';'"), "{}", ran.stderr());
    folder.write("approve-large.rhai", APPROVE_LARGE);
    folder.run(&["policy", "check", "policies.toml"]).succeeded();
}

#[test]
fn what_a_script_says_cannot_steer_the_terminal() {
    let folder = folder();
    folder.write("plan.json", r#"{ "cost": "600.00" }"#);
    folder.write(
        "evil.rhai",
        "fn rule(plan) { note(\"a\\n\\x1b[2Jb\"); deny(\"c\\n2026-01-01 INFO \\u202ed\") }",
    );
    let ran = folder.run(&["policy", "run", "evil.rhai", "--plan", "plan.json"]).succeeded().stdout();
    assert_eq!(ran.lines().count(), 3, "{ran:?}");
    assert!(!ran.contains('\u{1b}') && !ran.contains('\u{202e}'), "{ran:?}");
}

#[test]
fn tests_say_which_cases_hold_and_which_lines_they_reach() {
    let folder = folder();
    folder.write(
        "approve-large.test.toml",
        "[[case]]\nname = \"a small one passes\"\nplan = { cost = \"5.00\" }\nruling = \"approve\"\n",
    );
    let ran = folder.run(&["policy", "test", "policies.toml"]);
    assert_eq!((ran.code(), ran.stderr()), (0, String::new()));
    expect![[r#"
        ok      approve-large: a small one passes
                approve-large: 2 of 3 lines (66 %); never run: 3
        watch: no tests; write them into `watch.test.toml`
        1 case, 0 failed
    "#]]
    .assert_eq(&ran.stdout());
    folder.write(
        "approve-large.test.toml",
        "[[case]]\nname = \"a large one waits\"\nplan = { cost = \"600.00\" }\nruling = { require_approval = \"above 500\", by = \"boss\" }\n",
    );
    let ran = folder.run(&["policy", "test", "policies.toml"]);
    assert_eq!(ran.code(), 1);
    expect![[r#"
        FAILED  approve-large: a large one waits
                expected require approval by `boss`: above 500, got require approval by `finance`: above 500
                approve-large: 2 of 3 lines (66 %); never run: 5
        watch: no tests; write them into `watch.test.toml`
        1 case, 1 failed
    "#]]
    .assert_eq(&ran.stdout());
    folder.write("approve-large.test.toml", "[[case]]\nname = \"x\"\nplan = { prize = \"5\" }\n");
    let ran = folder.run(&["policy", "test", "policies.toml"]);
    assert_eq!(ran.code(), 2);
    expect![[r#"
        error: `approve-large.test.toml` cannot be used:
        2 problems:
          case[0].ruling: the field is missing
          case[0].plan.prize: unknown field `prize`; expected `command`, `cause`, `cost`, `refund`, `currency`, `at`, `first_try_at`, `next_try_at`, `last_try_at`, `term`, `options`, `resource`, `members`, `expires_after`, `account`, `budget`, `requested_by` or `quotes`
    "#]].assert_eq(&ran.stderr());
}

#[test]
fn a_run_prints_every_ruling_and_what_they_come_to() {
    let folder = folder();
    folder.write("plan.json", r#"{ "cost": "600.00" }"#);
    folder.write("other.toml", "resource = { kind = \"evs\" }\n");
    let large = folder.run(&["policy", "run", "policies.toml", "--plan", "plan.json"]);
    assert_eq!((large.code(), large.stderr()), (0, String::new()));
    expect![[r#"
        approve-large            require approval by `finance`: above 500
        watch                    (shadow) deny: watched
                                 notes: dear
        together: waits for the approvals of `approve-large` (by `finance`)
    "#]]
    .assert_eq(&large.stdout());
    let other = folder.run(&["policy", "run", "policies.toml", "--plan", "other.toml"]);
    expect![[r#"
        approve-large            is not asked: the plan does not match
        watch                    (shadow) deny: watched
                                 notes: dear
        together: approved
    "#]]
    .assert_eq(&other.stdout());
    folder.write("late.rhai", "fn rule(plan) { defer(plan.at, \"now\") }");
    let late = folder.run(&["policy", "run", "late.rhai", "--plan", "plan.json"]);
    expect![[r#"
        late                     defer to 2026-02-20T19:00:00Z: now
        late                     counts as failed: it defers to 2026-02-20T19:00:00Z, which is not after 2026-02-20T19:00:00Z
        together: approved
    "#]].assert_eq(&late.stdout());
    let neither = folder.run(&["policy", "run", "policies.toml"]);
    assert_eq!(neither.code(), 2);
}

#[test]
fn a_run_asks_about_a_resource_of_the_database_as_a_dry_run_does() {
    let folder = folder();
    let inventory = r#"{
      "accounts": [{ "id": "acme-hw", "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": "9000.00" }],
      "resources": [{ "id": "ecs-1", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
        "started_at": "2026-01-31T02:00:00Z", "expires_at": "2999-02-28T15:59:59Z", "anchor_day": 31,
        "term": { "count": 1, "unit": "month" }, "price": "600.00", "on_expiry": "renew" }]
    }"#;
    folder.write("inventory.json", inventory);
    assert_eq!(folder.run(&["import", "inventory.json"]).code(), 0);
    let ran = folder.run(&["policy", "run", "policies.toml", "--resource", "ecs-1"]);
    assert_eq!(ran.code(), 0, "{}", ran.stderr());
    expect![[r#"
        approve-large            require approval by `finance`: above 500
        watch                    (shadow) deny: watched
                                 notes: dear
        together: waits for the approvals of `approve-large` (by `finance`)
    "#]]
    .assert_eq(&ran.stdout());
    let ran = folder.run(&["policy", "run", "policies.toml", "--resource", "ecs-2"]);
    assert_eq!(ran.code(), 2);
    expect![[r#"
        error: cannot ask the policies of `policies.toml` about `ecs-2` on `perennial.db`: There is no such object: there is no resource `ecs-2`
    "#]]
    .assert_eq(&ran.stderr());
}

#[test]
fn a_new_policy_passes_its_own_tests_and_overwrites_nothing() {
    let folder = Folder::new();
    for name in ["first", "second"] {
        assert_eq!(folder.run(&["policy", "new", name]).code(), 0);
    }
    let ran = folder.run(&["policy", "test", "policies.toml"]);
    assert_eq!(ran.code(), 0, "{}{}", ran.stdout(), ran.stderr());
    assert!(ran.stdout().contains("6 cases, 0 failed"), "{}", ran.stdout());
    assert!(ran.stdout().contains("100 %"), "{}", ran.stdout());
    for name in ["first", "Third", "a b", ""] {
        assert_eq!(folder.run(&["policy", "new", name]).code(), 2, "{name}");
    }
}

#[test]
fn every_shipped_policy_passes_its_tests_and_they_reach_every_line() {
    let file = root().join("policies/policies.toml");
    let ran = Folder::new().run(&["policy", "test", file.to_str().unwrap()]);
    assert_eq!(ran.code(), 0, "{}{}", ran.stdout(), ran.stderr());
    let covered = ran.stdout().lines().filter(|line| line.contains("(100 %)")).count();
    assert_eq!(covered, 10, "{}", ran.stdout());
    let checked = Folder::new().run(&["policy", "check", file.to_str().unwrap()]);
    assert!(checked.stdout().ends_with("10 policies, 3 calendars, 0 warnings\n"), "{}", checked.stdout());
}

#[test]
fn every_shipped_policy_has_a_page() {
    let folder = root().join("policies");
    let scripts = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let scripts = scripts.filter(|path| path.extension().is_some_and(|extension| extension == "rhai"));
    let missing = scripts.filter(|script| {
        let page = std::fs::read_to_string(script.with_extension("md")).unwrap_or_default();
        page.lines().count() < 5
    });
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

/// The commands of the guide are run in one folder, block by block, and print what stands below them.
#[test]
fn the_guide_works_from_nothing_to_a_policy_that_holds() {
    let guide = std::fs::read_to_string(root().join("docs/policies.md")).unwrap();
    let folder = Folder::new();
    let programs = folder.path("bin");
    std::fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_perennial"), programs.join("perennial")).unwrap();
    let mut printed = None;
    let mut blocks = 0;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (language, text) in blocks_of(&guide) {
        match language {
            "sh" => {
                blocks += 1;
                let typed = text.replace("localhost:8420", &free.to_string());
                printed = Some(shell(&folder, &programs, &typed, &free.to_string()));
            }
            "text" => assert_eq!(printed.take().expect("a command is above it"), text, "of the guide"),
            _ => {}
        }
    }
    assert!(blocks >= 10, "the guide has commands");
    let read = |name: &str| std::fs::read_to_string(folder.path(name)).unwrap();
    let (held, ruled) = (read("held.json"), read("ruled.jsonl"));
    assert!(held.contains("\"approve-large\"") && held.contains("\"no-tests\""), "{held}");
    assert!(ruled.contains("approval_required") && ruled.contains("costs more than 500.00 CNY"), "{ruled}");
    assert!(read("approvals.json").contains("\"pending\""), "{}", read("approvals.json"));
    assert!(read("changed.json").contains("\"replaced\""), "{}", read("changed.json"));
    assert!(read("history.json").contains("a lower limit"), "{}", read("history.json"));
    let (tested, differences) = (read("backtest.txt"), read("differences.txt"));
    for told in ["tested", "above 100", "renewals", "paid", "lapsed"] {
        assert!(tested.contains(told), "{told}: {tested}");
    }
    assert!(differences.contains("approved") && differences.contains("denied"), "{differences}");
}

fn shell(folder: &Folder, programs: &Path, commands: &str, listen: &str) -> String {
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins");
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", commands]).current_dir(folder.path("")).env_clear().env("PATH", path);
    let ran = shell
        .env("PERENNIAL_CACHE", cache)
        .env("PERENNIAL_LISTEN", listen)
        .output()
        .expect("the guide needs `sh`");
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
