//! Policies rule on what the command line asks for, on a database and on a host, as on every other way in.

use expect_test::expect;

use crate::world::World;

/// Each ruling, and a script that comes to it.
const RULINGS: [(&str, &str); 6] = [
    ("approve", "approve()"),
    ("deny", r#"deny("not this one")"#),
    ("require_approval", r#"require_approval("ask first")"#),
    ("defer", r#"defer(add_days(plan.at, 2), "wait")"#),
    ("amend", r#"amend(#{ term: #{ count: 2, unit: "month" } }, "longer")"#),
    ("failed", "1 + plan.options"),
];

/// The types of the events of `evs-1`, with what a policy ruled.
fn events(world: &World) -> String {
    let events = world.json(&["events", "--resource", "evs-1"]);
    let of_event = |event: &serde_json::Value| match event["ruling"].as_str() {
        Some(ruling) => format!("policy_ruled {ruling}"),
        None => event["type"].as_str().unwrap().to_owned(),
    };
    events.as_array().unwrap().iter().map(of_event).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_plan_for_approval_says_the_same_looked_at_and_carried_out() {
    for world in [World::ruled(RULINGS[2].1), World::ruled(RULINGS[2].1).served()] {
        // What it costs, the balance does not cover; whoever approves may pay in before.
        let renew = ["resource", "renew", "evs-1", "--term", "3years"];
        let looked = world.run(&[&renew[..], &["--dry-run"]].concat());
        assert_eq!(looked.code(), 3, "{}{}", looked.stdout(), looked.stderr());
        assert!(looked.stdout().contains("it would be refused once it is approved"), "{}", looked.stdout());
        let done = world.tells(&[&renew[..], &["--yes"]].concat());
        assert!(done.contains("it waits for an approval"), "{done}");
    }
}

#[test]
fn commands_go_through_every_ruling() {
    let mut table = String::new();
    for (ruling, script) in RULINGS {
        for (way, world) in
            ["database", "host"].into_iter().zip([World::ruled(script), World::ruled(script).served()])
        {
            let ran = world.run(&["resource", "renew", "evs-1", "--term", "1month", "--yes"]);
            let told = ran.stderr().replace(&format!(" on {}", world.name()), "");
            let error = told.lines().find(|line| line.starts_with("error")).unwrap_or_default();
            table += format!("{ruling:<16} {way:<8} {} {error}", ran.code()).trim_end();
            table += &format!("\n{:26}{}\n", "", events(&world));
        }
    }
    expect![[r#"
        approve          database 0
                                  approval_requested
        approve          host     0
                                  balance_changed, renewal_settled
        deny             database 1 error: cannot renew `evs-1`: The command is refused: policy: the policy `p` denies it: not this one
                                  policy_ruled denied, command_refused
        deny             host     1 error: cannot renew `evs-1`: The command is refused: policy: the policy `p` denies it: not this one
                                  policy_ruled denied, command_refused
        require_approval database 0
                                  policy_ruled approval_required, approval_requested
        require_approval host     0
                                  policy_ruled approval_required, approval_requested
        defer            database 0
                                  policy_ruled deferred, approval_requested
        defer            host     1 error: cannot renew `evs-1`: The command is refused: policy: the policy `p` allows it from 2026-01-14T00:00:01Z on, give the command again then: wait
                                  policy_ruled deferred, command_refused
        amend            database 0
                                  policy_ruled amended, approval_requested
        amend            host     0
                                  policy_ruled amended, balance_changed, renewal_settled
        failed           database 0
                                  policy_ruled failed, approval_requested
        failed           host     0
                                  policy_ruled failed, balance_changed, renewal_settled
    "#]].assert_eq(&table);
}
