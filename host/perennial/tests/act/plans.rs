//! Commands with a plan: it is shown, agreed to, and carried out as it was shown, once.

use expect_test::expect;

#[cfg(target_os = "linux")]
use crate::support::at_a_terminal;
use crate::world::World;

const RENEW: [&str; 5] = ["resource", "renew", "evs-1", "--term", "1month"];

fn renew<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RENEW[..], more].concat()
}

#[test]
fn a_plan_is_shown_and_not_carried_out_until_somebody_agrees() {
    for world in World::both() {
        let before = world.expiry("evs-1");
        let asked = world.run(&renew(&[]));
        assert_eq!(asked.code(), 2, "{}", asked.stderr());
        assert!(asked.stderr().contains("nobody can be asked here"), "{}", asked.stderr());
        expect![[r#"
            renew evs-1  acme-hw, as of 2026-01-12 00:00 UTC
              resource  step         cost  term     expires               expires then
              evs-1     extend  10.00 CNY  1 month  2026-01-31 15:59 UTC  2026-02-28 15:59 UTC
              costs       10.00 CNY
              balance     260.00 CNY, then 250.00 CNY
        "#]]
        .assert_eq(&asked.stdout());
        assert_eq!(world.expiry("evs-1"), before);
    }
}

#[test]
fn a_dry_run_ends_with_3_where_something_would_change() {
    for world in World::both() {
        let before = world.expiry("evs-1");
        let planned = world.run(&renew(&["--dry-run", "--format", "json"]));
        assert_eq!(planned.code(), 3, "{}", planned.stderr());
        assert!(planned.stdout().contains("\"plan_hash\""), "{}", planned.stdout());
        assert!(
            planned.stdout().trim_end().ends_with('}'),
            "a program reads JSON alone: {}",
            planned.stdout()
        );
        let csv = world.run(&renew(&["--dry-run", "--format", "csv"]));
        assert!(csv.stdout().starts_with("resource,operation,cost,refund,term,"), "{}", csv.stdout());
        assert_eq!(csv.stdout().lines().count(), 2, "{}", csv.stdout());
        assert_eq!(world.run(&["resource", "tag", "evs-1", "a=b", "--dry-run"]).code(), 3);
        assert_eq!(world.run(&["account", "top-up", "acme-hw", "1.00", "--dry-run"]).code(), 3);
        assert_eq!(world.expiry("evs-1"), before);
        world.fails(&["resource", "tag", "evs-1", "a=b"], 2, "a: from none to b");
        world.tells(&["resource", "tag", "evs-1", "a=b", "--yes"]);
        assert_eq!(world.run(&["resource", "tag", "evs-1", "a=b", "--dry-run"]).code(), 0);
    }
}

#[test]
fn a_plan_that_was_agreed_to_is_carried_out_and_audited() {
    for world in World::both() {
        let told = world.tells(&renew(&["--yes", "--reason", "ticket 4711"]));
        assert!(told.contains("costs       10.00 CNY") && told.contains("renewed"), "{told}");
        assert_eq!(world.expiry("evs-1"), "2026-02-28T15:59:59Z");
        assert_eq!(world.json(&["account", "show", "acme-hw"])["balance"], "250.00");
        let result = world.json(&["resource", "auto-renew", "evs-1", "--off", "--yes"]);
        assert_eq!(result["resource"]["on_expiry"], "lapse");
    }
}

#[test]
fn the_same_key_and_plan_are_carried_out_once() {
    for world in World::both() {
        let planned = world.run(&renew(&["--dry-run", "--format", "json"])).stdout();
        let planned = serde_json::from_str::<serde_json::Value>(&planned).unwrap();
        let hash = planned["plan_hash"].as_str().unwrap();
        let once = renew(&["--plan-hash", hash, "--idempotency-key", "4711"]);
        let first = world.tells(&once);
        assert_eq!(world.tells(&once), first);
        assert_eq!(world.expiry("evs-1"), "2026-02-28T15:59:59Z");
        world.fails(&renew(&["--plan-hash", hash]), 1, "The plan of the command has changed");
        assert_eq!(world.expiry("evs-1"), "2026-02-28T15:59:59Z");
    }
}

#[test]
fn the_same_command_under_the_same_key_is_answered_as_at_first() {
    for world in World::both() {
        let once = renew(&["--yes", "--idempotency-key", "4711"]);
        let first = world.tells(&once);
        let again = world.run(&once);
        assert_eq!(again.code(), 0, "{}", again.stderr());
        assert!(again.stderr().contains("asked under its idempotency key before"), "{}", again.stderr());
        assert!(first.ends_with(&again.stdout()) && !again.stdout().contains("costs"), "{}", again.stdout());
        assert_eq!(world.expiry("evs-1"), "2026-02-28T15:59:59Z");
        assert_eq!(world.json(&["account", "show", "acme-hw"])["balance"], "250.00");
        // Another command is not the same, and neither is one for another resource.
        let other = ["resource", "auto-renew", "evs-1", "--off", "--yes", "--idempotency-key", "4711"];
        world.fails(&other, 2, "Another request has used this idempotency key");
        let longer =
            ["resource", "renew", "evs-1", "--term", "2months", "--yes", "--idempotency-key", "4711"];
        world.fails(&longer, 2, "Another request has used this idempotency key");
    }
}

#[test]
fn a_plan_that_has_changed_leaves_its_key_free() {
    for world in World::both() {
        let other_plan = "0".repeat(64);
        let stale = renew(&["--plan-hash", &other_plan, "--idempotency-key", "4711"]);
        world.fails(&stale, 1, "The plan of the command has changed");
        world.tells(&renew(&["--yes", "--idempotency-key", "4711"]));
        assert_eq!(world.expiry("evs-1"), "2026-02-28T15:59:59Z");
    }
}

#[test]
fn a_job_of_the_same_key_is_done_once() {
    for world in World::both() {
        let create = ["job", "create", "--renew", "--id", "evs-1", "--yes", "--idempotency-key", "k"];
        let first = world.json(&create);
        assert_eq!(world.json(&create), first);
        assert_eq!(world.expiry("evs-1"), "2026-02-28T15:59:59Z");
        let other = ["job", "create", "--renew", "--id", "ecs-1", "--yes", "--idempotency-key", "k"];
        world.fails(&other, 2, "Another request has used this idempotency key");
    }
}

#[test]
fn what_was_done_under_a_key_has_no_second_preview() {
    for world in World::both() {
        let pay = ["account", "top-up", "acme-hw", "5.00", "--yes", "--idempotency-key", "k"];
        assert!(world.tells(&pay).contains("balance then"));
        let again = world.tells(&pay);
        assert!(!again.contains("balance then"), "{again}");
        let move_on = ["clock", "advance", "2026-01-13", "--yes", "--idempotency-key", "c"];
        world.tells(&move_on);
        world.tells(&["clock", "advance", "2026-01-14", "--yes"]);
        world.tells(&move_on);
        assert_eq!(world.json(&["clock", "show"])["now"], "2026-01-14T00:00:00Z");
    }
}

#[test]
fn a_plan_that_would_be_refused_is_not_asked_about() {
    for world in World::both() {
        let convert = ["resource", "convert", "ecs-1", "--now"];
        let refused =
            |world: &World| world.json(&["events", "--resource", "ecs-1", "--type", "command_refused"]);
        world.fails(&convert, 1, "it would be refused, and nothing was done");
        world.fails(&[&convert[..], &["--dry-run"]].concat(), 1, "it would be refused");
        assert_eq!(refused(&world), serde_json::json!([]), "nobody asked for it yet");
        world.fails(&[&convert[..], &["--yes"]].concat(), 1, "cannot convert `ecs-1`");
        assert_eq!(refused(&world).as_array().map(Vec::len), Some(1), "it is on record");
    }
}

#[test]
fn a_plan_above_the_limit_waits_for_somebody_else() {
    for world in World::both() {
        world.tells(&["account", "set", "acme-hw", "--approval-above", "5.00", "--yes"]);
        let told = world.tells(&renew(&["--yes"]));
        assert!(told.contains("it waits until somebody else approves of it"), "{told}");
        assert!(told.contains("`perennial approvals approve evs-1~1`, by somebody else"), "{told}");
        assert_eq!(world.expiry("evs-1"), "2026-01-31T15:59:59Z");
    }
    // What the command line asked for, it does not approve of.
    let world = World::database();
    world.tells(&["account", "set", "acme-hw", "--approval-above", "5.00", "--yes"]);
    world.tells(&renew(&["--yes"]));
    world.fails(
        &["approvals", "approve", "evs-1~1", "--yes"],
        1,
        "whoever asked for an approval does not decide on it",
    );
}

#[test]
#[cfg(target_os = "linux")]
fn at_a_terminal_no_is_no_and_yes_is_yes() {
    let world = World::database();
    let words = "--db test.db resource renew evs-1 --term 1month";
    let answer = |answer: &str| at_a_terminal(&world.folder, words, &format!("{answer}\n"));
    for no in ["n", "", "perhaps"] {
        let (code, told) = answer(no);
        assert!(
            code == 2 && told.contains("Do this? [y/N]") && told.contains("the answer was no"),
            "{no}: {told}"
        );
    }
    assert_eq!(world.expiry("evs-1"), "2026-01-31T15:59:59Z");
    let (code, told) = answer("y");
    assert!(code == 0 && told.contains("renewed"), "{told}");
    assert_eq!(world.expiry("evs-1"), "2026-02-28T15:59:59Z");
}

#[test]
fn every_command_with_a_plan_says_what_is_wrong_with_its_input() {
    for world in World::both() {
        let cases: [(&[&str], &str); 24] = [
            (&["resource", "show", "nothing"], "there is no resource `nothing`"),
            (&["resource", "renew", "nothing", "--yes"], "cannot renew `nothing`"),
            (&["resource", "renew", "evs-1", "--term", "soon"], "write a number of days, months or years"),
            (&["resource", "auto-renew", "evs-1", "--off", "--term", "1month"], "cannot be used with"),
            (&["resource", "auto-renew", "evs-1", "--renewals", "0"], "none at all is `--off`"),
            (&["resource", "tag", "evs-1", "a=1", "a=2"], "the tag `a` is given twice"),
            (&["resource", "tag", "evs-1", "a=1", "--remove", "a"], "the tag `a` is given twice"),
            (&["resource", "attribute", "evs-1", "a=1", "a=2"], "the attribute `a` is given twice"),
            (
                &["resource", "renew", "evs-1", "--option", "k=0", "--option", "k=1"],
                "the option `k` is given twice",
            ),
            (
                &["account", "set", "acme-hw", "--setting", "a=1", "--setting", "a=2"],
                "the setting `a` is given twice",
            ),
            (
                &["resource", "unsubscribe", "evs-1", "--scope", "some"],
                "there is no such scope; there are all, future",
            ),
            (&["resource", "convert", "evs-1"], "--now|--on-expiry|--cancel"),
            (&["resource", "buy-again", "pkg-1", "--pay-at", "soon"], "is not an instant"),
            (&["resource", "change", "evs-1", "--price", "much"], "is not an amount; write a decimal"),
            (&["resource", "pay-order", "evs-1"], "<ORDER>"),
            (&["resource", "tag", "evs-1", "env"], "write `NAME=VALUE`"),
            (&["resource", "attribute", "evs-1"], "<NAME=VALUE>"),
            (&["resource", "renew", "evs-1", "--reason", ""], "it is empty"),
            (&["resource", "window", "nothing"], "there is no resource `nothing`"),
            (&["resource", "timeline", "nothing"], "there is no resource `nothing`"),
            (&["resource", "orders", "nothing"], "there is no resource `nothing`"),
            (&["resource", "decisions", "evs-1", "--limit", "0"], "0 is not in 1.."),
            (&["resource", "subscribe", "evs-1", "--option", "a"], "write `NAME=VALUE`"),
            (&["resource", "cancel-order", "nothing", "order", "--yes"], "there is no resource `nothing`"),
        ];
        for (words, told) in cases {
            world.fails(words, 2, told);
        }
    }
}

#[test]
fn a_resource_is_looked_at_from_every_side() {
    for world in World::both() {
        let shown = world.tells(&["resource", "show", "ecs-1", "--time-zone", "provider"]);
        assert!(shown.contains("expires        2026-01-31 23:59 +08:00"), "{shown}");
        assert!(world.tells(&["resource", "window", "ecs-1"]).contains("until   2026-01-"));
        assert!(!world.json(&["resource", "timeline", "ecs-1"]).as_array().unwrap().is_empty());
        assert_eq!(world.json(&["resource", "orders", "ecs-1"])[0]["kind"], "purchase");
        world.tells(&["resource", "renew", "ecs-1", "--yes"]);
        assert!(!world.json(&["resource", "decisions", "ecs-1"]).as_array().unwrap().is_empty());
        assert!(
            world
                .tells(&["resource", "orders", "ecs-1", "--format", "csv"])
                .starts_with("id,account,resource,")
        );
    }
}

#[test]
fn tags_and_attributes_are_set_and_tags_removed() {
    for world in World::both() {
        world.tells(&["resource", "tag", "ecs-1", "env=prod", "team=a=b", "--yes"]);
        let told = world.tells(&["resource", "tag", "ecs-1", "env=test", "--remove", "team", "--yes"]);
        assert_eq!(told, "tags of ecs-1: env=test\n");
        world.tells(&["resource", "attribute", "ecs-1", "status=frozen", "--reason", "ticket", "--yes"]);
        let shown = world.json(&["resource", "show", "ecs-1"]);
        assert_eq!(
            (&shown["tags"]["env"], &shown["attributes"]["status"]),
            (&"test".into(), &"frozen".into())
        );
    }
}

#[test]
fn automatic_renewal_without_a_limit_is_said() {
    for world in World::both() {
        world.tells(&["resource", "auto-renew", "evs-1", "--off", "--yes"]);
        let told = world.tells(&["resource", "auto-renew", "evs-1", "--yes"]);
        assert!(told.contains("renewals    without limit: evs-1"), "{told}");
        let told = world.tells(&["resource", "show", "evs-1"]);
        assert!(told.contains("without limit"), "{told}");
        assert_eq!(world.json(&["resource", "show", "evs-1"])["renewals_left"], serde_json::Value::Null);
    }
}
