//! Lists, jobs, packages, webhooks, calendars and the clock.

use serde_json::Value;

use crate::world::World;

fn items(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

#[test]
fn what_only_the_api_had_is_listed_in_every_format() {
    for world in World::both() {
        for (words, column, told) in [
            (&["orders", "--account", "acme-hw", "--state", "paid"][..], "id", "purchase/ecs-1"),
            (&["prices", "--kind", "ecs"], "account", "99.00 CNY"),
            (&["expiries", "--kind", "ecs"], "day", "99.00 CNY"),
            (&["package", "list"], "account", "vCPU-hour"),
            (&["forecast", "--account", "acme-hw", "--months", "2"], "account", "2026-02"),
            (&["forecast", "--payments", "--months", "1"], "at", "ecs-1"),
        ] {
            let table = world.tells(words);
            assert!(table.contains(told), "{words:?}: {table}");
            let csv = world.tells(&[words, &["--format", "csv"]].concat());
            assert!(csv.starts_with(&format!("{column},")) && csv.lines().count() > 1, "{words:?}: {csv}");
            let json = world.json(words);
            assert!(json.is_array() || json["accounts"].is_array(), "{words:?}: {json}");
        }
        assert!(world.tells(&["attempts"]).contains("no renewal was tried yet"));
        world.tells(&["resource", "renew", "evs-1", "--yes", "--reason", "ticket 4711"]);
        assert_eq!(world.json(&["attempts", "--resource", "evs-1"])[0]["state"], "settled");
        let audit = world.json(&["audit"]);
        assert_eq!(audit[0]["operation"], "POST /v1/resources/{id}:renew");
        assert_eq!(audit[0]["reason"], "ticket 4711");
        let by = if world.server.is_some() { "test" } else { "cli" };
        assert_eq!(audit[0]["name"], by);
    }
}

#[test]
fn lists_say_what_is_wrong_with_their_conditions() {
    for world in World::both() {
        for (words, told) in [
            (&["orders", "--state", "lost"][..], "there is no such state"),
            (&["prices", "--stage", "asleep"], "there is no such stage"),
            (&["attempts", "--limit", "0"], "0 is not in 1.."),
            (&["forecast", "--account", "nobody"], "there is no account `nobody`"),
            (&["forecast", "--months", "99"], "99 is not in 1..=36"),
            (&["audit", "--format", "xml"], "invalid value 'xml'"),
            (&["package", "use", "nobody", "cci", "1.0"], "there is no account `nobody`"),
            (&["job", "show", "job-99"], "there is no job `job-99`"),
            (&["job", "create", "--renew"], "say which resources"),
            (&["job", "create", "--renew", "--id", "a", "--account", "b"], "say one of both"),
            (&["job", "create", "--command", "renew", "--id", "a"], "is not JSON"),
            (&["job", "create", "--account", "a"], "--command <JSON>|--renew|--from-dry-run <JOB>"),
            (&["webhook", "show", "wh_0"], "there is no webhook `wh_0`"),
            (&["webhook", "create", "nowhere"], "\n  url: "),
            (&["webhook", "set", "wh_0"], "name something to change"),
            (&["calendar", "rotate", "cal-9"], "there is no calendar `cal-9`"),
            (&["clock", "advance", "soon"], "is not an instant"),
            (&["clock", "show", "--time-zone", "Mars"], "Mars"),
            (&["package", "list", "--stage", "asleep"], "there is no such stage"),
            (&["job", "items", "job-99"], "there is no job `job-99`"),
            (&["job", "cancel", "job-99"], "there is no job `job-99`"),
            (&["job", "list", "--limit", "none"], "invalid value 'none'"),
            (&["job", "create", "--from-dry-run", "job-99", "--yes"], "there is no job `job-99`"),
            (&["webhook", "test", "wh_0"], "there is no webhook `wh_0`"),
            (&["webhook", "replay", "wh_0", "--after", "x"], "there is no webhook `wh_0`"),
            (&["webhook", "rotate-secret", "wh_0"], "there is no webhook `wh_0`"),
            (&["webhook", "deliveries", "wh_0", "--state", "lost"], "there is no such state"),
            (&["webhook", "delete", "wh_0", "--yes"], "there is no webhook `wh_0`"),
            (&["channel", "create", "email", "--to", "nobody"], "\n  to[0]: "),
            (&["channel", "create", "pigeon"], "there is no such kind of channel"),
            (&["channel", "create", "wecom", "--url-file", "none.url"], "none.url"),
            (&["channel", "set", "ch_0"], "name something to change"),
            (&["channel", "show", "ch_0"], "there is no channel `ch_0`"),
            (&["channel", "test", "ch_0"], "there is no channel `ch_0`"),
            (&["channel", "deliveries", "ch_0", "--state", "lost"], "there is no such state"),
            (&["channel", "resend", "ch_0", "msg_0"], "there is no channel `ch_0`"),
            (&["channel", "delete", "ch_0", "--yes"], "there is no channel `ch_0`"),
            (&["calendar", "create", "--name", "a", "--occurrence", "party"], "party"),
            (&["calendar", "revoke", "cal-9", "--yes"], "there is no calendar `cal-9`"),
            (&["approvals", "show", "none~1"], "there is no approval `none~1`"),
            (&["events", "--resource", "none"], "there is no resource `none`"),
            (&["policy", "calendar-history", "none"], "none"),
            (&["policy", "remove-calendar", "none"], "none"),
        ] {
            world.fails(words, 2, told);
        }
    }
}

#[test]
fn a_job_is_tried_first_and_then_done_as_it_was_shown() {
    for world in World::both() {
        let create = ["job", "create", "--renew", "--account", "acme-hw", "--kind", "evs"];
        let tried = world.run(&[&create[..], &["--dry-run"]].concat());
        assert_eq!(tried.code(), 3, "{}", tried.stderr());
        assert!(
            tried.stdout().contains("planned  10.00 CNY") && tried.stdout().contains("(job-1)"),
            "{}",
            tried.stdout()
        );
        world.fails(&create, 2, "nobody can be asked here");
        assert_eq!(world.expiry("evs-1"), "2026-01-31T15:59:59Z");
        let done = world.json(&["job", "create", "--from-dry-run", "job-1", "--yes"]);
        assert_eq!((&done["state"], &done["outcomes"]["applied"]), (&"done".into(), &1.into()));
        assert_eq!(world.expiry("evs-1"), "2026-02-28T15:59:59Z");
        let id = done["id"].as_str().unwrap();
        assert_eq!(world.json(&["job", "show", id, "--watch"])["state"], "done");
        assert_eq!(world.json(&["job", "items", id, "--outcome", "applied"])[0]["resource"], "evs-1");
        assert_eq!(items(&world.json(&["job", "list"])).len(), 3);
        world.fails(&["job", "cancel", id], 1, "had ended before, and nothing was cancelled");
        let shown = world.tells(&["job", "show", id]);
        assert!(shown.contains("renew\n") && shown.contains("10.00 CNY\n"), "{shown}");
    }
}

#[test]
fn a_job_that_does_not_do_everything_ends_with_1() {
    for world in World::both() {
        let create = ["job", "create", "--renew", "--yes"];
        let with = |words: &[&'static str]| [&create[..], words].concat();
        world.fails(&with(&["--id", "nothing"]), 1, "nothing can be done, and nothing was: 1 unknown");
        world.fails(&with(&["--stage", "retention"]), 1, "no resource passes the filter");
        let one_of_two = with(&["--id", "evs-1", "--id", "nothing"]);
        world.fails(&one_of_two, 1, "not everything was done: 1 skipped; `perennial job items job-");
        assert_eq!(world.expiry("evs-1"), "2026-02-28T15:59:59Z");
    }
}

#[test]
fn a_list_about_an_account_that_there_is_not_is_refused() {
    for world in World::both() {
        for words in [
            &["resources"][..],
            &["events"],
            &["orders"],
            &["attempts"],
            &["prices"],
            &["package", "list"],
            &["approvals", "list"],
            &["key", "list"],
            &["forecast"],
            &["job", "create", "--renew"],
            &["webhook", "create", "https://example.com/hook"],
            &["calendar", "create", "--name", "a"],
            &["token", "create", "--name", "a", "--role", "viewer"],
        ] {
            let named = [words, &["--account", "nope"]].concat();
            world.fails(&named, 2, "there is no account `nope`");
        }
    }
}

#[test]
fn use_is_written_down_and_covered_by_packages() {
    for world in World::both() {
        let told = world.tells(&["package", "use", "acme-hw", "cci", "2.5", "--idempotency-key", "k"]);
        assert!(told.contains("pkg-1"), "{told}");
        world.tells(&["package", "use", "acme-hw", "cci", "2.5", "--idempotency-key", "k"]);
        assert_eq!(world.json(&["package", "list"])[0]["left"], "7.50");
    }
}

#[test]
fn warnings_are_acknowledged_until_an_instant_and_recalled() {
    for world in World::both() {
        let until = ["warning", "acknowledge", "ecs-1", "--until", "2027-01-01", "--reason", "is to lapse"];
        let made = world.json(&until);
        assert_eq!(
            (&made["until"], &made["reason"]),
            (&"2027-01-01T00:00:00Z".into(), &"is to lapse".into())
        );
        assert_eq!(world.json(&["warning", "list"])[0]["resource"], "ecs-1");
        world.fails(&["warning", "acknowledge", "ecs-1", "--until", "2020-01-01"], 2, "has passed");
        world.fails(&["warning", "acknowledge", "none"], 2, "there is no resource `none`");
        world.tells(&["warning", "recall", "ecs-1"]);
        world.fails(&["warning", "recall", "ecs-1"], 2, "there is no acknowledgement `ecs-1`");
        assert!(items(&world.json(&["warning", "list"])).is_empty());
    }
}

#[test]
fn a_channel_is_made_of_files_changed_tried_and_deleted() {
    for world in World::both() {
        world.folder.write("robot.url", "https://robot.invalid/robot/send?access_token=hidden\n");
        world.folder.write("robot.secret", "SEChidden\n");
        let create =
            ["channel", "create", "dingtalk", "--url-file", "robot.url", "--secret-file", "robot.secret"];
        let made =
            world.json(&[&create[..], &["--quiet-hours", "22:00-07:00", "--language", "zh-CN"]].concat());
        assert_eq!(
            (&made["address"], &made["quiet_hours"]["from"]),
            (&"robot.invalid".into(), &"22:00".into())
        );
        let id = made["id"].as_str().unwrap().to_owned();
        let set = [
            "channel",
            "set",
            &id,
            "--quiet-hours",
            "off",
            "--digest-at",
            "08:00",
            "--readers-zone",
            "+08:00",
            "--yes",
        ];
        let set = world.json(&set);
        assert_eq!(
            (&set["digest_at"], &set["quiet_hours"], &set["time_zone"]),
            (&"08:00".into(), &Value::Null, &"+08:00".into())
        );
        assert!(!world.tells(&["channel", "list"]).contains("hidden"));
        let sent = world.json(&["channel", "test", &id]);
        let message = sent[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(world.json(&["channel", "deliveries", &id])[0]["id"], sent[0]["id"]);
        world.json(&["channel", "set", &id, "--disable", "--yes"]);
        world.fails(&["channel", "test", &id], 1, "enable it, then test it");
        world.fails(&["channel", "resend", &id, "msg_0", "--yes"], 2, "there is no delivery `msg_0`");
        assert!(message.starts_with("msg_"), "{message}");
        world.fails(&["channel", "delete", &id], 2, "nobody can be asked here");
        world.tells(&["channel", "delete", &id, "--yes"]);
        assert!(items(&world.json(&["channel", "list"])).is_empty());
    }
}

#[test]
fn a_webhook_shows_its_secret_once_and_is_changed_and_deleted() {
    for world in World::both() {
        let create = ["webhook", "create", "https://example.com/hook", "--type", "renewal_declined"];
        assert!(world.tells(&create).starts_with("whsec_"));
        let id = world.json(&["webhook", "list"])[0]["id"].as_str().unwrap().to_owned();
        assert!(world.tells(&["webhook", "rotate-secret", &id, "--yes"]).starts_with("whsec_"));
        assert_eq!(world.json(&["webhook", "test", &id])["state"], "pending");
        assert_eq!(world.json(&["webhook", "replay", &id, "--after", "c0", "--yes"])["after"], "c0");
        let late = ["webhook", "replay", &id, "--after", "c99999", "--yes"];
        world.fails(&late, 2, "there is no event `c99999` yet");
        world.fails(&["webhook", "replay", &id, "--after", "x", "--yes"], 2, "\n  after: ");
        world.fails(&["webhook", "replay", &id, "--after", "c0"], 2, "nobody can be asked here");
        assert_eq!(items(&world.json(&["webhook", "deliveries", &id, "--state", "pending"])).len(), 1);
        let set = world.json(&["webhook", "set", &id, "--disable", "--all-types", "--yes"]);
        assert_eq!((&set["enabled"], &set["types"]), (&false.into(), &Value::Null));
        world.fails(&["webhook", "test", &id], 1, "enable it, then test it");
        world.fails(&["webhook", "delete", &id], 2, "nobody can be asked here");
        world.tells(&["webhook", "delete", &id, "--yes"]);
        assert!(items(&world.json(&["webhook", "list"])).is_empty());
    }
}

#[test]
fn a_calendar_shows_its_address_once() {
    for world in World::both() {
        let address = world.tells(&["calendar", "create", "--name", "Renewals", "--occurrence", "try"]);
        let host = if world.server.is_some() { world.url() } else { String::new() };
        assert!(address.starts_with(&format!("{host}/calendars/")), "{address}");
        let rotated = world.tells(&["calendar", "rotate", "cal-1", "--yes"]);
        assert!(rotated.contains("/calendars/") && rotated != address, "{rotated}");
        world.fails(&["calendar", "revoke", "cal-1"], 2, "nobody can be asked here");
        assert!(world.tells(&["calendar", "revoke", "cal-1", "--yes"]).contains("revoked"));
        assert_eq!(world.json(&["calendar", "list"])[0]["name"], "Renewals");
    }
}

#[test]
fn a_virtual_clock_is_moved_by_agreement_and_a_real_one_not_at_all() {
    for world in World::both() {
        assert_eq!(world.json(&["clock", "show"])["now"], "2026-01-12T00:00:01Z");
        world.fails(&["clock", "advance", "2026-02-01"], 2, "nobody can be asked here");
        assert_eq!(world.run(&["clock", "advance", "2026-02-01", "--dry-run"]).code(), 3);
        world.tells(&["clock", "advance", "2026-02-01", "--yes"]);
        let back = world.run(&["clock", "advance", "2026-01-20", "--yes"]);
        assert_eq!((back.code(), back.stdout()), (2, String::new()), "{}", back.stderr());
        assert_eq!(world.json(&["clock", "show"])["now"], "2026-02-01T00:00:00Z");
        assert_eq!(world.expiry("ecs-1"), "2026-02-28T15:59:59Z");
    }
    let real = crate::support::Folder::new();
    drop(real.engine("perennial.db", crate::sample::INVENTORY));
    let ran = real.run(&["clock", "advance", "2099-01-01", "--yes"]);
    assert!(ran.code() == 1 && ran.stderr().contains("real time"), "{}", ran.stderr());
}

#[test]
fn what_a_condition_names_and_nothing_has_is_refused() {
    for world in World::both() {
        for (words, told) in [
            (&["attempts", "--resource", "nothing"][..], "there is no resource `nothing`"),
            (&["orders", "--resource", "nothing"], "there is no resource `nothing`"),
            (&["orders", "--account", "nobody"], "there is no account `nobody`"),
            (&["prices", "--kind", "esc"], "there is no kind `esc` (did you mean `ecs`?)"),
            (&["prices", "--provider", "huawai"], "there is no provider `huawai` (did you mean `huawei`?)"),
            (&["expiries", "--kind", "none"], "there is no kind `none`"),
            (&["package", "list", "--provider", "none"], "there is no provider `none`"),
            (&["account", "list", "--provider", "none"], "there is no provider `none`"),
            (&["calls", "list", "--account", "nobody"], "there is no account `nobody`"),
            (&["job", "create", "--renew", "--kind", "none"], "there is no kind `none`"),
        ] {
            world.fails(words, 2, told);
        }
        world.tells(&["prices", "--kind", "evs", "--provider", "huawei"]);
        world.tells(&["account", "list", "--provider", "volcengine"]);
    }
}
