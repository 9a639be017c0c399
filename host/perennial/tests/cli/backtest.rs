//! `perennial policy backtest`: what other policies would have ruled on what a database recorded.

use std::fmt::Write as _;

use expect_test::expect;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_store::Store;
use perennial_store::clock::ClockKind;
use perennial_store::decisions;
use perennial_store::keys::RowKey;
use perennial_store::testing;
use serde_json::Value;

use crate::support::Folder;

/// Policies with each ruling, a failure and a shadow. Each is asked about one resource.
const HELD: [(&str, &str, &str); 7] = [
    ("no-tests", r#"tags = ["env=test"]"#, r#"deny("for tests")"#),
    ("large", "", r#"if plan.cost > 500.00 { return require_approval("large"); } approve()"#),
    (
        "later",
        r#"kinds = ["rds"]"#,
        r#"if plan.at == plan.first_try_at { return defer(add_days(plan.at, 3), "not yet"); } approve()"#,
    ),
    (
        "quarter",
        r#"tags = ["term=quarter"]"#,
        r#"amend(#{ term: #{ count: 3, unit: "month" } }, "by the quarter")"#,
    ),
    (
        "never",
        r#"tags = ["term=century"]"#,
        r#"amend(#{ term: #{ count: 99, unit: "year" } }, "once for all")"#,
    ),
    ("broken", "tags = [\"env=odd\"]\non_failure = \"deny\"", "plan.resource.price + plan.command"),
    ("watch", r#"mode = "shadow""#, r#"deny("watched")"#),
];

/// An account with a budget, and a resource for each of the policies above and one for none.
fn inventory() -> String {
    let resource = |id: &str, kind: &str, price: &str, tags: &str| {
        format!(
            r#"{{ "id": "{id}", "account": "acme", "kind": "{kind}", "region": "r", "charging": "prepaid",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z", "anchor_day": 31,
            "term": {{ "count": 1, "unit": "month" }}, "price": "{price}", "on_expiry": "renew",
            "tags": {{ {tags} }} }}"#
        )
    };
    let resources = [
        resource("web", "ecs", "99.00", ""),
        resource("try", "ecs", "40.00", r#""env": "test""#),
        resource("gpu", "ecs", "600.00", ""),
        resource("data", "rds", "30.00", ""),
        resource("long", "ecs", "20.00", r#""term": "quarter""#),
        resource("eternal", "ecs", "5.00", r#""term": "century""#),
        resource("odd", "ecs", "7.00", r#""env": "odd""#),
    ];
    format!(
        r#"{{ "accounts": [{{ "id": "acme", "provider": "huawei", "mode": "managed", "currency": "CNY",
        "balance": "5000.00", "budget": "2000.00" }}], "resources": [{}] }}"#,
        resources.join(",")
    )
}

/// Writes a policy file with its scripts.
fn write(folder: &Folder, file: &str, policies: &[(&str, &str, &str)]) {
    let mut text = String::new();
    for (name, more, body) in policies {
        let _ = write!(text, "[[policy]]\nname = \"{name}\"\nscript = \"{name}.rhai\"\n{more}\n");
        folder.write(&format!("{name}.rhai"), &format!("fn rule(plan) {{ {body} }}"));
    }
    folder.write(file, &text);
}

/// The engine of a folder's database, on virtual time.
fn engine(folder: &Folder) -> Engine {
    let store = Store::open_existing(&folder.path("perennial.db")).unwrap();
    Engine::new(store, folder.providers(), Retention::Everything).with_clock(ClockKind::Virtual)
}

fn play(folder: &Folder, until: &str) {
    engine(folder).run_to(until.parse().unwrap(), &mut |_, _| {}).unwrap();
}

/// A folder with a database in which these policies held from the beginning, if there are any.
fn imported(policies: &[(&str, &str, &str)]) -> Folder {
    let folder = Folder::new();
    drop(folder.engine("perennial.db", &inventory()));
    if !policies.is_empty() {
        write(&folder, "held.toml", policies);
        folder.run(&["policy", "install", "held.toml"]).succeeded();
    }
    folder
}

/// What a backtest of a file prints in a wide terminal.
fn tested(folder: &Folder, file: &str) -> String {
    let words = ["--width", "300", "policy", "backtest", file, "--since", "2026-01-01"];
    let ran = folder.run(&words);
    assert_eq!((ran.code(), ran.stderr()), (0, String::new()));
    ran.stdout().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn the_policies_that_held_would_have_ruled_as_they_did() {
    let folder = imported(&HELD);
    play(&folder, "2026-01-26T00:00:00Z");
    let waiting = folder.run(&["approvals", "list", "--format", "json"]).succeeded().stdout();
    let waiting: Value = serde_json::from_str(&waiting).unwrap();
    let approval = waiting[0]["id"].as_str().unwrap();
    assert!(approval.starts_with("gpu"), "{waiting}");
    folder.run(&["approvals", "approve", approval, "--yes"]).succeeded();
    play(&folder, "2026-04-10T00:00:00Z");
    let renewals = folder.run(&["events", "--type", "renewal_settled", "--format", "jsonl"]).succeeded();
    for renewed in ["gpu", "data", "long", "web", "eternal"] {
        assert!(renewals.stdout().contains(&format!("\"resource\":\"{renewed}\"")), "{}", renewals.stdout());
    }
    expect![[r#"
        what    account  policy  month  resource  done  would be  plans  cost  amended  examples  reason
        tested                                                       41                           each is ruled on as it was
        failed           broken                                       1                 odd       broken.rhai: `rule` returned text, which is no ruling such as approve() or deny("why") (in `rule`)
        failed           never                                        3                 eternal   never.rhai: it amends to what the provider refuses: the resource is not sold for this term; choose 1 to 11 months, or 1 to 3 years (CBC.30010069)
    "#]].assert_eq(&tested(&folder, "held.toml"));
}

#[test]
fn a_backtest_counts_what_other_policies_would_have_done_otherwise() {
    let folder = imported(&HELD);
    play(&folder, "2026-03-10T00:00:00Z");
    write(
        &folder,
        "other.toml",
        &[
            ("cheap", "order = 1", r#"if plan.cost > 90.00 { return deny("dear"); } approve()"#),
            ("look", r#"kinds = ["rds"]"#, r#"require_approval("databases")"#),
            ("month-end", r#"tags = ["term=century"]"#, r#"defer(add_days(plan.first_try_at, 5), "wait")"#),
            ("half", r#"tags = ["env=odd"]"#, r#"amend(#{ term: #{ count: 6, unit: "month" } }, "half")"#),
        ],
    );
    expect![[r#"
        what        account  policy     month    resource  done                  would be              plans        cost    amended  examples  reason
        tested                                                                                            33
        ruled       acme     cheap                         approved              denied                    2  198.00 CNY             web       dear
        ruled       acme     look                          approved              approval_required         2   60.00 CNY             data      databases
        ruled       acme     month-end                     approved              deferred                  2   10.00 CNY             eternal   wait
        ruled       acme     no-tests                      denied                approved                  1   40.00 CNY             try       for tests
        ruled       acme     half                          denied                amended                   1    7.00 CNY  42.00 CNY  odd       half
        ruled       acme     cheap                         approval_required     denied                    1  600.00 CNY             gpu       dear
        ruled       acme     look                          deferred              approval_required         2   60.00 CNY             data      databases
        ruled       acme     quarter                       amended               approved                  1   60.00 CNY             long      by the quarter
        renewals    acme                2026-02            3                     1
        paid        acme                2026-01            194.00 CNY            107.00 CNY
        paid        acme                2026-02            134.00 CNY            5.00 CNY
        to_approve  acme                2026-01            0.00 CNY              30.00 CNY
        to_approve  acme                2026-02            0.00 CNY              30.00 CNY
        lapsed      acme                         odd       2026-01-31 15:59 UTC
        lapsed      acme                         try       2026-01-31 15:59 UTC
        lapsed      acme                         web                             2026-01-31 15:59 UTC
    "#]].assert_eq(&tested(&folder, "other.toml"));
}

#[test]
fn plans_that_no_policy_was_asked_about_are_told_as_they_would_have_been() {
    let told = r#"deny(`${plan.account.balance} ${plan.budget.spent} ${plan.budget.left} ${plan.first_try_at}
        ${plan.next_try_at} ${plan.last_try_at} ${plan.resource.renewals} ${plan.cost} ${plan.term} ${plan.at}`)"#;
    let told = told.replace("\n        ", " ");
    let plans = |held: &[(&str, &str, &str)]| {
        let folder = imported(held);
        play(&folder, "2026-04-10T00:00:00Z");
        // One resource after the other, because a row has the reason of its first plan.
        let ids = ["web", "gpu", "data"];
        ids.map(|id| {
            let body = format!("if plan.resource.id == \"{id}\" {{ return {told}; }} approve()");
            write(&folder, "telling.toml", &[("telling", "", &body)]);
            let words = ["policy", "backtest", "telling.toml", "--since", "2026-03-01", "--format", "json"];
            let rows: Value = serde_json::from_str(&folder.run(&words).succeeded().stdout()).unwrap();
            let rows = rows.as_array().unwrap().iter();
            let of = |what: &str| {
                let found = rows.clone().find(|row| row["what"] == what);
                found.map_or(Value::Null, |row| row["reason"].clone())
            };
            (of("ruled"), of("rebuilt").is_string())
        })
    };
    let asked = plans(&[("nothing", "", "approve()")]);
    let unasked = plans(&[]);
    for ((asked, was_rebuilt), (unasked, is_rebuilt)) in asked.iter().zip(&unasked) {
        assert!(!was_rebuilt && *is_rebuilt && asked.as_str().is_some_and(|told| told.len() > 100));
        assert_eq!(asked, unasked);
    }
}

#[test]
fn a_backtest_for_programs_has_the_same_columns_in_json_and_csv() {
    let folder = imported(&[]);
    play(&folder, "2026-02-10T00:00:00Z");
    write(&folder, "none.toml", &[("none", r#"tags = ["env=test"]"#, r#"deny("for tests")"#)]);
    let words = ["policy", "backtest", "none.toml", "--since", "2026-01-01", "--account", "acme", "--format"];
    let csv = folder.run(&[&words[..], &["csv"]].concat()).succeeded().stdout();
    expect![[r#"
        what,account,policy,month,resource,done,backtest,plans,cost,amended_cost,currency,examples,reason
        tested,,,,,,,7,,,,,
        rebuilt,,,,,,,7,,,,,no policy was asked then: money and tries are worked out from ledger and rules
        ruled,acme,none,,,approved,denied,1,40.00,,CNY,try,for tests
        renewals,acme,,2026-01,,7,6,,,,,,
        paid,acme,,2026-01,,801.00,761.00,,,,CNY,,
        lapsed,acme,,,try,,2026-01-31T15:59:59Z,,,,,,
    "#]]
    .assert_eq(&csv.replace('\r', ""));
    let json = folder.run(&[&words[..], &["json"]].concat()).succeeded().stdout();
    let json: Value = serde_json::from_str(&json).unwrap();
    let names = json[0].as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    let header = csv.lines().next().unwrap().split(',').map(str::to_owned).collect();
    assert_eq!((names, json.as_array().unwrap().len()), (header, csv.lines().count() - 1));
}

#[test]
fn a_kept_plan_that_was_damaged_is_counted_and_hurts_no_other() {
    let folder = imported(&[]);
    play(&folder, "2026-02-10T00:00:00Z");
    let db = testing::open(&folder.path("perennial.db"));
    let first = decisions::list(&db, RowKey::before_all(), 1).unwrap().remove(0);
    testing::set_response(&db, first.row, b"");
    drop(db);
    write(&folder, "none.toml", &[("none", "", "approve()")]);
    expect![[r#"
        what          account  policy  month  resource  done  would be  plans  cost  amended  examples  reason
        tested                                                              6                           each is ruled on as it was
        rebuilt                                                             6                           no policy was asked then: money and tries are worked out from ledger and rules
        not_testable                                                        1                           what is kept of it cannot be read; see `perennial replay --all`
    "#]].assert_eq(&tested(&folder, "none.toml"));
}

#[test]
fn a_backtest_says_which_plans_are_not_kept_any_more() {
    let folder = imported(&[]);
    write(&folder, "none.toml", &[("none", "", "approve()")]);
    let words = ["policy", "backtest", "none.toml", "--since", "2026-01-01"];
    let ran = folder.run(&words).succeeded();
    assert!(ran.stderr().contains("no plan is kept in this database"), "{}", ran.stderr());
    play(&folder, "2026-04-10T00:00:00Z");
    engine(&folder).delete_old_records("2026-05-20T00:00:00Z".parse().unwrap()).unwrap();
    let ran = folder.run(&words).succeeded();
    assert!(ran.stderr().contains("plans before that are not kept any more"), "{}", ran.stderr());
    assert!(ran.stdout().contains("each is ruled on as it was"), "{}", ran.stdout());
}

#[test]
fn a_backtest_that_cannot_be_made_says_why() {
    let folder = imported(&[]);
    play(&folder, "2026-02-10T00:00:00Z");
    write(&folder, "fine.toml", &[("fine", "", "approve()")]);
    write(&folder, "shadow.toml", &[("beside", r#"mode = "shadow""#, "approve()")]);
    folder.write("broken.toml", "[[policy]]\nname = \"gone\"\nscript = \"gone.rhai\"\n");
    let cases: [(&[&str], &str); 6] = [
        (&["fine.toml"], "--since <T>"),
        (&["fine.toml", "--since", "noon"], "RFC 3339"),
        (&["fine.toml", "--since", "2026-02-11"], "lies ahead: it is 2026-02-10T00:00:01Z by the clock"),
        (&["fine.toml", "--since", "2026-01-01", "--account", "acne"], "there is no account `acne`"),
        (&["shadow.toml", "--since", "2026-01-01"], "every policy in `shadow.toml` is a shadow"),
        (&["broken.toml", "--since", "2026-01-01"], "cannot read the script `gone.rhai`"),
    ];
    for (words, message) in cases {
        let ran = folder.run(&[&["policy", "backtest"], words].concat());
        assert_eq!((ran.code(), ran.stdout()), (2, String::new()), "{words:?}: {}", ran.stderr());
        assert!(ran.stderr().contains(message), "{words:?}: {}", ran.stderr());
    }
}

#[test]
fn the_clock_deletes_old_differences_of_shadow_policies() {
    let folder = imported(&HELD);
    play(&folder, "2026-02-10T00:00:00Z");
    let kept = |folder: &Folder| folder.run(&["policy", "differences", "watch"]).succeeded().stdout();
    assert!(kept(&folder).contains("gpu"), "{}", kept(&folder));
    let mut engine = engine(&folder);
    engine.delete_old_records("2026-04-20T00:00:00Z".parse().unwrap()).unwrap();
    assert!(kept(&folder).contains("gpu"), "they are kept for ninety days: {}", kept(&folder));
    engine.delete_old_records("2026-08-01T00:00:00Z".parse().unwrap()).unwrap();
    assert!(!kept(&folder).contains("gpu"), "{}", kept(&folder));
}
