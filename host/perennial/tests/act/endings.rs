//! What ends something or changes it for good: it is shown and asked about, a dry run says it and does nothing, `--yes` does it.

use crate::world::World;

/// A world in which there is something to end of each kind, and its commands, each with what is said before it is carried out.
pub fn endings(world: &World) -> Vec<(Vec<String>, String)> {
    let file = "[[policy]]\nname = \"small\"\nscript = \"small.rhai\"\n\n[[calendar]]\nname = \"freeze\"\ndays = [\"2026-12-24..2027-01-02\"]\n";
    world.folder.write("policies.toml", file);
    world.folder.write("small.rhai", "fn rule(plan) { approve() }\n");
    world.tells(&["policy", "install", "policies.toml"]);
    world.tells(&["webhook", "create", "https://example.com/hook"]);
    world.folder.write("url", "https://hooks.slack.com/services/x");
    world.tells(&["channel", "create", "slack", "--url-file", "url"]);
    world.tells(&["calendar", "create", "--name", "Renewals"]);
    let secret = world.tells(&["token", "create", "--name", "shop", "--role", "viewer"]);
    let token = secret.split('_').nth(1).unwrap();
    let id = |list: &str| world.json(&[list, "list"])[0]["id"].as_str().unwrap().to_owned();
    let (webhook, channel) = (id("webhook"), id("channel"));
    let line = |words: &[&str], said: &str| {
        (words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), said.to_owned())
    };
    vec![
        line(&["token", "revoke", token], &format!("token {token}, shop, viewer: would be revoked")),
        line(&["account", "set", "acme-hw", "--budget", "7.0"], "budget: from none to 7.0"),
        line(
            &["account", "set", "acme-hw", "--setting", "on_undecided=renew"],
            "on_undecided: from its default to renew",
        ),
        line(&["policy", "remove-calendar", "freeze"], "calendar freeze: would be removed"),
        line(&["policy", "remove", "small"], "policy small: would be removed"),
        line(&["account", "set", "acme-hw", "--setting", "site=eu"], "site: from intl to eu"),
        line(&["account", "set", "acme-hw", "--default", "site"], "site: from eu to its default"),
        line(&["webhook", "set", &webhook, "--disable"], "enabled: from true to false"),
        line(&["channel", "set", &channel, "--disable"], "enabled: from true to false"),
        line(&["resource", "tag", "ecs-1", "env=prod"], "env"),
        line(&["webhook", "delete", &webhook], "https://example.com/hook: would be deleted"),
        line(&["channel", "delete", &channel], &format!("channel {channel}, ")),
        line(&["calendar", "revoke", "cal-1"], "calendar cal-1, Renewals: would be revoked"),
    ]
}

#[test]
fn what_ends_something_asks_and_its_dry_run_says_so_with_3() {
    for world in World::both() {
        for (words, said) in endings(&world) {
            let words = words.iter().map(String::as_str).collect::<Vec<_>>();
            let dry_run = [&words[..], &["--dry-run"]].concat();
            for _ in 0..2 {
                world.fails(&words, 2, "nobody can be asked here");
                assert!(world.run(&words).stderr().contains(&said), "{words:?} is shown before it is asked");
                let dry = world.run(&dry_run);
                assert_eq!(dry.code(), 3, "{words:?}: {}", dry.stderr());
                assert!(dry.stdout().contains(&said), "{words:?}: {}", dry.stdout());
            }
            world.tells(&[&words[..], &["--yes"]].concat());
            assert_ne!(world.run(&dry_run).code(), 3, "{words:?} is done: nothing is left to do");
        }
    }
}

#[test]
fn an_agreement_is_given_at_a_terminal_once() {
    let world = World::database();
    world.fails(
        &["account", "set", "acme-hw", "--budget", "7.00", "--yes", "--dry-run"],
        2,
        "cannot be used with",
    );
    world.tells(&["account", "set", "acme-hw", "--budget", "7.00", "--yes"]);
    // What is so already asks nobody.
    world.tells(&["account", "set", "acme-hw", "--budget", "7.0"]);
}

#[test]
fn policies_are_read_by_programs_as_by_people() {
    for world in World::both() {
        world.folder.write(
            "policies.toml",
            "[[policy]]\nname = \"dear\"\nscript = \"dear.rhai\"\nmode = \"shadow\"\n",
        );
        world.folder.write("dear.rhai", "fn rule(plan) {\n    note(\"seen\");\n    deny(\"too dear\")\n}\n");
        let run = ["policy", "run", "policies.toml", "--resource", "evs-1"];
        assert!(world.tells(&run).contains("deny: too dear"));
        let ruled = world.json(&run);
        assert_eq!(
            (&ruled["policies"][0]["name"], &ruled["policies"][0]["notes"][0]),
            (&"dear".into(), &"seen".into())
        );
        let lines = world.tells(&[&run[..], &["--format", "csv"]].concat());
        assert_eq!(lines.lines().nth(1), Some("dear,shadow,deny: too dear,seen,"), "{lines}");
        world.tells(&["policy", "install", "policies.toml"]);
        let shown = world.json(&["policy", "show", "dear"]);
        assert_eq!(shown["policy"]["mode"], "shadow");
        assert!(shown["source"].as_str().unwrap().contains("too dear"));
        let lines = world.tells(&["policy", "show", "dear", "--format", "csv"]);
        assert!(lines.lines().nth(1).unwrap().contains(",dear,shadow,"), "{lines}");
        world.tells(&["resource", "renew", "evs-1", "--yes"]);
        let totals = world.json(&["policy", "differences", "dear", "--totals"]);
        assert_eq!(totals[0]["examples"], "evs-1");
    }
    // A plan of a file is asked about alike.
    let world = World::database();
    world.folder.write("policies.toml", "[[policy]]\nname = \"dear\"\nscript = \"dear.rhai\"\n");
    world.folder.write("dear.rhai", "fn rule(plan) { deny(\"too dear\") }\n");
    world.folder.write("plan.toml", "command = \"renew\"\n");
    let run = ["policy", "run", "policies.toml", "--plan", "plan.toml", "--format", "json"];
    let ran = world.folder.run(&run).succeeded().stdout();
    let ruled = serde_json::from_str::<serde_json::Value>(&ran).unwrap();
    assert_eq!(
        (&ruled["policies"][0]["ruling"], &ruled["together"]),
        (&"deny: too dear".into(), &"denied by `dear`".into())
    );
}
