//! Dry runs: each command that has one answers on a database without a host, and says of what is not there that it is not.

use std::collections::BTreeSet;

use crate::endings::endings;
use crate::world::World;

/// A table of a provider that comes bundled.
const TABLE: &str = include_str!("../../../../plugins/declared/tables/volcengine.toml");

/// The columns of events.
const HEAD: &str = "at,account,resource,type,description,details";

/// Commands with a dry run, and how it ends.
const DRY_RUNS: [(&[&str], i32); 51] = [
    (&["account", "set", "acme-hw", "--budget", "7.00"], 3),
    (&["account", "top-up", "acme-hw", "7.00"], 3),
    (&["account", "drive", "acme-hw", "host"], 2),
    (&["account", "connect", "a", "--provider", "huawei", "--access-key", "k"], 3),
    (&["account", "grant", "acme-hw", "--read", "orders"], 2),
    (&["account", "rotate", "acme-hw", "--access-key", "k"], 2),
    (&["account", "limit-spending", "acme-hw", "5.00"], 2),
    (&["account", "pause", "acme-hw"], 2),
    (&["account", "pause", "--all"], 3),
    (&["account", "resume", "--all"], 3),
    (&["approvals", "approve", "evs-1~1"], 3),
    (&["approvals", "reject", "evs-1~1"], 3),
    (&["calendar", "revoke", "cal-1"], 3),
    (&["calendar", "rotate", "cal-1"], 3),
    (&["calls", "resolve", "1", "applied"], 2),
    (&["channel", "delete", "CHANNEL"], 3),
    (&["channel", "set", "CHANNEL", "--disable"], 3),
    (&["channel", "resend", "CHANNEL", "msg_0"], 2),
    (&["clock", "advance", "2026-01-13"], 3),
    (&["db", "restore", "backup.db"], 3),
    (&["import", "more.json"], 3),
    (&["job", "create", "--renew", "--id", "ecs-1"], 3),
    (&["job", "cancel", "job-1"], 0),
    (&["key", "revoke", "none"], 2),
    (&["key", "rotate", "none"], 2),
    (&["package", "use", "acme-hw", "cci", "1.5"], 3),
    (&["plugin", "install", "newer.toml"], 3),
    (&["plugin", "bind", "0123", "--mode", "shadow"], 2),
    (&["plugin", "unbind", "huawei", "--mode", "shadow"], 2),
    (&["plugin", "promote", "huawei"], 2),
    (&["plugin", "roll-back", "huawei"], 2),
    (&["plugin", "release", "--all"], 0),
    (&["policy", "install", "policies.toml", "--replace"], 0),
    (&["policy", "install", "other.toml"], 3),
    (&["policy", "remove", "small"], 3),
    (&["policy", "remove-calendar", "freeze"], 3),
    (&["resource", "renew", "ecs-1"], 3),
    (&["resource", "auto-renew", "ecs-1", "--off"], 3),
    (&["resource", "unsubscribe", "ecs-1", "--scope", "all"], 3),
    (&["resource", "convert", "ecs-1", "--on-expiry"], 3),
    (&["resource", "buy-again", "pkg-1"], 3),
    (&["resource", "change", "ecs-1", "--price", "120.00"], 3),
    (&["resource", "subscribe", "ecs-1"], 1),
    (&["resource", "pay-order", "ecs-1", "none"], 1),
    (&["resource", "cancel-order", "ecs-1", "none"], 1),
    (&["resource", "tag", "ecs-1", "env=prod"], 3),
    (&["resource", "attribute", "ecs-1", "status=frozen"], 3),
    (&["token", "revoke", "none"], 2),
    (&["webhook", "set", "WEBHOOK", "--disable"], 3),
    (&["webhook", "rotate-secret", "WEBHOOK"], 3),
    (&["webhook", "replay", "WEBHOOK", "--after", "c0"], 3),
];

#[test]
fn every_dry_run_answers_on_a_database_without_a_host() {
    let world = World::database();
    endings(&world);
    world.folder.run(&["--db", "test.db", "db", "backup", "backup.db"]).succeeded();
    let inventory = r#"{ "accounts": [{ "id": "more", "provider": "huawei", "currency": "CNY", "balance": "1.00" }], "resources": [] }"#;
    world.folder.write("more.json", inventory);
    world.folder.write("newer.toml", &TABLE.replace("days = [7, 6,", "days = [6,"));
    let file = "[[policy]]\nname = \"other\"\nscript = \"small.rhai\"\n";
    world.folder.write("other.toml", file);
    world.tells(&["account", "set", "acme-hw", "--approval-above", "5.00", "--yes"]);
    world.tells(&["resource", "renew", "evs-1", "--yes"]);
    world.tells(&["account", "set", "acme-hw", "--no-approval-above", "--yes"]);
    let id = |list: &str| world.json(&[list, "list"])[0]["id"].as_str().unwrap().to_owned();
    let (webhook, channel) = (id("webhook"), id("channel"));
    let mut wrong = Vec::new();
    for (words, code) in DRY_RUNS {
        let named = words.iter().map(|word| match *word {
            "WEBHOOK" => webhook.as_str(),
            "CHANNEL" => channel.as_str(),
            other => other,
        });
        let ran = world.run(&named.chain(["--dry-run"]).collect::<Vec<_>>());
        if ran.code() != code || ran.stderr().contains("too many writes") {
            wrong.push(format!("{words:?}: {}: {}{}", ran.code(), ran.stdout(), ran.stderr()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The commands below these words that have a dry run.
fn with_dry_run(world: &World, words: &[String], found: &mut BTreeSet<String>) {
    let named = words.iter().map(String::as_str).chain(["--help"]).collect::<Vec<_>>();
    let help = world.folder.run(&named).succeeded().stdout();
    let verbs = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let verbs = verbs.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    let verbs = verbs.filter_map(|line| line.split_whitespace().next()).filter(|verb| *verb != "help");
    for verb in verbs {
        with_dry_run(world, &[words, &[verb.to_owned()]].concat(), found);
    }
    if help.contains("--dry-run\n") || help.contains("--dry-run ") {
        found.insert(words.join(" "));
    }
}

#[test]
fn every_command_with_a_dry_run_is_among_those_that_are_tried() {
    let world = World::database();
    let mut found = BTreeSet::new();
    with_dry_run(&world, &[], &mut found);
    let tried = DRY_RUNS.iter().map(|(words, _)| words.join(" "));
    let tried = tried.chain(["webhook delete"].map(str::to_owned)).collect::<Vec<_>>();
    let untried = found.iter().filter(|command| !tried.iter().any(|words| words.starts_with(*command)));
    assert_eq!(untried.collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(found.len() > 30, "{found:?}");
}

#[test]
fn what_is_not_there_is_said_also_by_a_dry_run() {
    for world in World::both() {
        for words in [
            &["calendar", "revoke", "nope"][..],
            &["policy", "remove-calendar", "nope"],
            &["policy", "remove", "nope"],
            &["webhook", "delete", "nope"],
            &["channel", "delete", "nope"],
            &["token", "revoke", "nope"],
            &["job", "cancel", "nope"],
            &["account", "set", "nope", "--budget", "1.00"],
            &["account", "pause", "nope"],
            &["resource", "tag", "nope", "a=b"],
            &["package", "use", "nope", "cci", "1.0"],
        ] {
            let said = format!("cannot {}", if words[1] == "set" { "change the account `nope`" } else { "" });
            world.fails(&[words, &["--dry-run"]].concat(), 2, "`nope`");
            let told = world.run(words).stderr();
            assert!(!told.contains("cannot show") && !told.contains("cannot list"), "{words:?}: {told}");
            assert!(words[1] != "set" || told.contains(&said), "{words:?}: {told}");
        }
    }
}

#[test]
fn a_dry_run_refuses_what_would_be_refused() {
    for world in World::both() {
        let set = ["account", "set", "acme-hw", "--setting"];
        for how in [&["--dry-run"][..], &["--yes"], &[]] {
            world.fails(&[&set[..], &["foo=1"], how].concat(), 2, "foo");
            world.fails(&[&set[..], &["site=moon"], how].concat(), 2, "site");
            for amount in ["-5", "0", "0.00"] {
                let words = ["account", "top-up", "acme-hw", amount];
                let ran = world.run(&[&words[..], how].concat());
                assert_eq!((ran.code(), ran.stdout()), (2, String::new()), "{amount}");
                assert!(ran.stderr().contains("is not above 0.00"), "{amount}: {}", ran.stderr());
            }
            let budget = ["account", "set", "acme-hw", "--budget", "-3"];
            world.fails(&[&budget[..], how].concat(), 2, "-3.00 is negative");
            let buy = ["resource", "buy-again", "ecs-1"];
            world.fails(&[&buy[..], how].concat(), 2, "cannot buy again `ecs-1`: it is no package");
        }
        world.fails(&["account", "limit-spending", "acme-hw", "0"], 2, "is not above 0.00");
        world.fails(&["package", "use", "acme-hw", "cci", "-1", "--dry-run"], 2, "is not above 0.00");
        world.fails(&["resource", "auto-renew", "ecs-1", "--renewals", "-1"], 2, "no number of renewals");
        world.fails(&["account", "list", "--limit", "-1"], 2, "-1 is not in 1..");
        world.fails(&["account", "list", "--limit", "abc"], 2, "`abc` is no whole number");
        world.fails(&["account", "list", "--width", "abc"], 2, "`abc` is no whole number");
    }
}

#[test]
fn what_was_decided_on_is_no_dry_run_of_a_decision() {
    let world = World::with_approver();
    world.tells(&["account", "set", "acme-hw", "--approval-above", "5.00", "--yes"]);
    world.tells(&["resource", "renew", "evs-1", "--yes"]);
    let reject = ["approvals", "reject", "evs-1~1"];
    world.fails(&reject, 2, "approval evs-1~1 of `evs-1`, 10.00 CNY: would be rejected");
    let url = world.url();
    let as_boss = ["--yes", "--server", &url, "--token-file", "boss"];
    world.folder.run(&[&reject[..], &as_boss].concat()).succeeded();
    for decision in ["approve", "reject"] {
        world.fails(&["approvals", decision, "evs-1~1", "--dry-run"], 2, "it is rejected already");
    }
    let beside = world.folder.run(&["--db", "test.db", "approvals", "show", "evs-1~1"]).succeeded();
    assert_eq!(beside.stderr(), "", "nothing is said beside the answer");
}

#[test]
fn what_a_command_did_is_written_for_programs_as_events_are() {
    for world in World::both() {
        let renew = ["resource", "renew", "evs-1", "--yes", "--format", "csv"];
        let told = world.tells(&renew);
        assert_eq!(told.lines().next(), Some(HEAD), "{told}");
        assert!(told.contains(",acme-hw,evs-1,renewal_settled,"), "{told}");
        let used = world.tells(&["package", "use", "acme-hw", "cci", "1.5", "--format", "csv"]);
        assert_eq!(used.lines().next(), Some(HEAD), "{used}");
    }
}

#[test]
fn resources_are_listed_by_their_tag() {
    for world in World::both() {
        world.tells(&["resource", "tag", "ecs-1", "env=prod", "--yes"]);
        world.tells(&["resource", "tag", "rds-1", "env=test", "--yes"]);
        let ids = |tag: &str| {
            let found = world.json(&["resources", "--tag", tag]);
            found.as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            (ids("env"), ids("env=prod")),
            (vec!["ecs-1".into(), "rds-1".into()], vec!["ecs-1".into()])
        );
        assert!(world.tells(&["resources", "--tag", "env=none"]).contains("no"), "nothing passes");
        for words in [&["resources", "--tag", ""][..], &["job", "create", "--renew", "--tag", "=prod"]] {
            world.fails(words, 2, "it names no tag");
        }
        let days = world.tells(&["expiries", "--kind", "ecs"]);
        assert!(days.contains("2026-01-31") && !days.contains("00:00"), "{days}");
        let days = world.tells(&["account", "balances", "acme-hw"]);
        assert!(days.contains("day (UTC)") && !days.contains("00:00"), "{days}");
    }
}
