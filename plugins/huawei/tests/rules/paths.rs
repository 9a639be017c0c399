//! One path renews one thing: what goes along with an automatic renewal, what stays out, and until when it is tried.

use expect_test::expect;
use plugin_sdk::*;
use proptest::prelude::*;

use plugin_huawei::family::CALENDAR;

use crate::world::*;

fn until(text: &str, anchor_day: u8, on_expiry: OnExpiry, one: Resource) -> Resource {
    Resource { expires_at: Some(time(text)), anchor_day: Some(anchor_day), on_expiry, ..one }
}

/// A server that renews itself, with disks that expire with it, before it, after it, and ones that renew themselves.
fn server() -> Vec<Resource> {
    let disk = || attached("evs", 0);
    vec![
        until("2026-02-28 23:59:59", 31, OnExpiry::Renew, resource("ecs")),
        until("2026-02-28 23:59:59", 28, OnExpiry::Lapse, disk()),
        until("2026-02-28 23:59:59", 31, OnExpiry::Renew, disk()),
        until("2026-02-25 12:00:00", 25, OnExpiry::Lapse, disk()),
        until("2026-02-25 12:00:00", 25, OnExpiry::Renew, disk()),
        until("2026-03-30 12:00:00", 30, OnExpiry::Lapse, disk()),
        until("2026-03-31 23:59:59", 31, OnExpiry::Lapse, disk()),
        until("2027-01-05 12:00:00", 5, OnExpiry::Lapse, disk()),
        until("2027-01-05 12:00:00", 5, OnExpiry::Renew, disk()),
        Resource { stage: Stage::Grace, ..until("2026-02-10 12:00:00", 10, OnExpiry::Renew, disk()) },
    ]
}

fn print(said: Said, bundle: &[Resource], named: u32, asked: Command) -> String {
    print_plan(&command(said, time("2026-02-21 03:00:00"), bundle, named, asked, &[])).replace("; ", "\n")
}

#[test]
fn a_try_renews_what_is_due_and_what_has_no_tries_of_its_own() {
    expect![[r#"
        #0 to 2026-03-31 23:59:59 for 1 month
        #1 to 2026-03-28 23:59:59 for 1 month
        #2 to 2026-03-31 23:59:59 for 1 month
        #3 to 2026-03-25 12:00:00 for 1 month
        #5 to 2026-04-30 12:00:00 for 1 month
        #9 to 2026-03-10 12:00:00 for 1 month
        #4 left out CBC.99000092
        #6 left out CBC.99000092
        #7 left out CBC.99000092
        #8 left out CBC.99000092"#]]
    .assert_eq(&print(&[], &server(), 0, automatic()));
    expect![[r#"
        #0 to 2026-03-31 23:59:59 for 1 month
        #1 to 2026-03-28 23:59:59 for 1 month
        #2 to 2026-03-31 23:59:59 for 1 month
        #3 to 2026-03-25 12:00:00 for 1 month
        #4 to 2026-03-25 12:00:00 for 1 month
        #5 to 2026-04-30 12:00:00 for 1 month
        #6 to 2026-04-30 23:59:59 for 1 month
        #7 to 2027-02-05 12:00:00 for 1 month
        #8 to 2027-02-05 12:00:00 for 1 month
        #9 to 2026-03-10 12:00:00 for 1 month"#]]
    .assert_eq(&print(&[("auto_renewal_takes", "bundle")], &server(), 0, automatic()));
}

#[test]
fn a_renewal_by_hand_takes_the_whole_bundle() {
    expect![[r#"
        #0 to 2026-03-31 23:59:59 for 1 month
        #1 to 2026-03-28 23:59:59 for 1 month
        #2 to 2026-03-31 23:59:59 for 1 month
        #3 to 2026-03-25 12:00:00 for 1 month
        #4 to 2026-03-25 12:00:00 for 1 month
        #5 to 2026-04-30 12:00:00 for 1 month
        #6 to 2026-04-30 23:59:59 for 1 month
        #7 to 2027-02-05 12:00:00 for 1 month
        #8 to 2027-02-05 12:00:00 for 1 month
        #9 to 2026-03-10 12:00:00 for 1 month"#]]
    .assert_eq(&print(&[], &server(), 0, renew(Some(MONTHLY))));
}

#[test]
fn what_stays_out_of_a_try_says_why() {
    let plan = command(&[], time("2026-02-21 03:00:00"), &server(), 0, automatic(), &[]).unwrap();
    let reasons = plan.skipped.iter().map(|one| format!("#{} {}\n", one.member, one.reason.message));
    expect![[r#"
        #4 it is renewed automatically by itself, because it expires at another instant
        #6 it lasts as long as the resource that it is attached to, without this renewal
        #7 it lasts as long as the resource that it is attached to, without this renewal
        #8 it is renewed automatically by itself, because it expires at another instant
    "#]]
    .assert_eq(&reasons.collect::<String>());
}

#[test]
fn below_an_address_with_tries_of_its_own_its_bandwidth_waits_for_it() {
    let address = until("2026-03-10 12:00:00", 10, OnExpiry::Renew, attached("eip", 0));
    let below = until("2026-03-05 12:00:00", 5, OnExpiry::Lapse, attached("bandwidth", 1));
    let together = until("2026-02-28 23:59:59", 31, OnExpiry::Renew, attached("bandwidth", 1));
    let server = until("2026-02-28 23:59:59", 31, OnExpiry::Renew, resource("ecs"));
    let bundle = [server, address, below, together];
    expect![[r#"
        #0 to 2026-03-31 23:59:59 for 1 month
        #3 to 2026-03-31 23:59:59 for 1 month
        #1 left out CBC.99000092
        #2 left out CBC.99000092"#]]
    .assert_eq(&print(&[], &bundle, 0, automatic()));
    expect![[r#"
        #1 to 2026-04-10 12:00:00 for 1 month
        #2 to 2026-04-05 12:00:00 for 1 month
        #3 left out CBC.99000092"#]]
    .assert_eq(&print(&[], &bundle, 1, automatic()));
}

#[test]
fn tries_go_on_until_the_last_day_of_retention_where_the_setting_says_so() {
    let said: Said = &[("tries_until", "retention"), ("grace_days", "2"), ("retention_days", "2")];
    let server = [until("2026-02-28 23:59:59", 31, OnExpiry::Renew, resource("ecs"))];
    expect![[r#"
        2026-02-28 03:00:00 #0 try
        2026-02-28 09:00:00 #0 notice auto-renewal-failed
        2026-02-28 23:59:59 #0 enter grace
        2026-03-01 03:00:00 #0 try
        2026-03-02 03:00:00 #0 try
        2026-03-02 09:00:00 #0 notice released-soon
        2026-03-02 23:59:59 #0 enter retention
        2026-03-03 03:00:00 #0 try
        2026-03-04 03:00:00 #0 try
        2026-03-04 09:00:00 #0 notice released-soon
        2026-03-04 23:59:59 #0 enter released
    "#]]
    .assert_eq(&print_timeline(&timeline(said, time("2026-02-27 12:00:00"), &server)));
    for stage in [Stage::Grace, Stage::Retention] {
        let expired = [Resource { stage, ..server[0].clone() }];
        let at = time("2026-03-03 03:00:00");
        let renewed = print_plan(&command(said, at, &expired, 0, automatic(), &[]));
        assert_eq!(renewed, "#0 to 2026-03-31 23:59:59 for 1 month");
        assert_eq!(
            print_plan(&command(&[], at, &expired, 0, automatic(), &[])),
            "CBC.99003602",
            "by default"
        );
    }
}

#[test]
fn the_longest_stages_fit_into_the_contract_with_all_their_tries() {
    let said: Said = &[("tries_until", "retention"), ("grace_days", "365"), ("retention_days", "365")];
    let server = [until("2026-02-28 23:59:59", 31, OnExpiry::Renew, resource("ecs"))];
    let occurrences = timeline(said, time("2026-01-01 00:00:00"), &server);
    assert!(occurrences.len() <= 128, "{}", occurrences.len());
    // Those that did not fit are there when the host asks again.
    let last = occurrences.iter().rfind(|one| one.action == Action::TryRenewal).unwrap().at;
    let expired = [Resource { stage: Stage::Grace, ..server[0].clone() }];
    let later = timeline(said, last, &expired);
    assert_eq!(later[0].action, Action::TryRenewal);
    assert_eq!(later[0].at, last + 24 * 3600);
}

/// The tries of a server that expires then and of its disk, and what a try of the disk does.
fn tries(said: Said, after: &str, bundle: &[Resource]) -> String {
    let mut tries = timeline(said, time(after), bundle);
    tries.retain(|one| one.action == Action::TryRenewal);
    let answer = command(said, time("2026-02-22 03:00:00"), bundle, 1, automatic(), &[]);
    format!("{}disk: {}\n", print_timeline(&tries), print_plan(&answer))
}

fn renews(resource: Resource) -> Resource {
    Resource { on_expiry: OnExpiry::Renew, ..resource }
}

#[test]
fn nobody_is_left_to_a_primary_that_the_rules_refuse() {
    let said: Said = &[("total_years_max", "1"), ("deduction_days", "2")];
    let since = |day: &str| {
        let attributes = vec![("prepaid_since".into(), day.to_owned().into())];
        Resource { attributes, ..renews(resource("ecs")) }
    };
    let disk = renews(attached("evs", 0));
    let lapsing = attached("evs", 0);
    let shown = [
        tries(said, "2026-02-01 00:00:00", &[since("2025-03-01"), disk.clone()]),
        tries(said, "2026-02-01 00:00:00", &[since("2025-12-31"), disk]),
        tries(said, "2026-02-01 00:00:00", &[since("2025-03-01"), lapsing]),
    ];
    expect![[r#"
        2026-02-26 03:00:00 #0 try
        2026-02-26 03:00:00 #1 try
        2026-02-27 03:00:00 #0 try
        2026-02-27 03:00:00 #1 try
        2026-02-28 03:00:00 #0 try
        2026-02-28 03:00:00 #1 try
        disk: #1 to 2026-03-31 23:59:59 for 1 month

        2026-02-26 03:00:00 #0 try
        2026-02-27 03:00:00 #0 try
        2026-02-28 03:00:00 #0 try
        disk: #1 to 2026-03-31 23:59:59 for 1 month

        2026-02-26 03:00:00 #0 try
        2026-02-27 03:00:00 #0 try
        2026-02-28 03:00:00 #0 try
        disk: CBC.99003605
    "#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn tries_in_retention_renew_period_by_period() {
    let said: Said = &[("tries_until", "retention")];
    let asked = |stage: Stage, at: &str, asked: Command| {
        let expired =
            Resource { stage, expires_at: Some(time("2026-01-31 23:59:59")), ..renews(resource("ecs")) };
        print_plan(&command(said, time(at), &[expired], 0, asked, &[]))
    };
    let shown = [
        asked(Stage::Retention, "2026-03-01 03:00:00", automatic()),
        asked(Stage::Grace, "2026-03-16 12:00:00", automatic()),
        asked(Stage::Retention, "2026-03-01 03:00:00", renew(Some(MONTHLY))),
    ];
    expect![[r#"
        #0 to 2026-02-28 23:59:59 for 1 month
        #0 to 2026-02-28 23:59:59 for 1 month
        CBC.99000092"#]]
    .assert_eq(&shown.join("\n"));
}

/// A server's tree in which each member is attached to one before it, with expiries of the next five weeks.
fn trees() -> impl Strategy<Value = Vec<Resource>> {
    let on_expiry = prop_oneof![Just(OnExpiry::Renew), Just(OnExpiry::Lapse)];
    let member = (0..6_i64, on_expiry, any::<prop::sample::Index>());
    prop::collection::vec(member, 1..7).prop_map(|members| {
        let tree = members.into_iter().enumerate().map(|(place, (weeks, on_expiry, to))| {
            let expires_at = time("2026-03-03 12:00:00") + weeks * 7 * 24 * 3600;
            Resource {
                attached_to: (place > 0).then(|| u32::try_from(to.index(place)).unwrap()),
                expires_at: Some(expires_at),
                anchor_day: Some(CALENDAR.day_of_month(expires_at)),
                on_expiry,
                ..resource("ecs")
            }
        });
        tree.collect()
    })
}

proptest! {
    #[test]
    fn whatever_renews_itself_is_renewed_by_exactly_one_of_the_tries(tree in trees()) {
        let occurrences = timeline(&[], time("2026-02-01 00:00:00"), &tree);
        let tried = occurrences.iter().filter(|one| one.action == Action::TryRenewal).map(|one| one.member);
        let mut tried = tried.collect::<Vec<_>>();
        tried.sort_unstable();
        tried.dedup();
        let mut renewed = vec![Vec::new(); tree.len()];
        for member in tried {
            let plan = command(&[], time("2026-02-21 03:00:00"), &tree, member, automatic(), &[]).unwrap();
            let extends = |step: &&Step| matches!(step.operation, Operation::Extend(_));
            for step in plan.steps.iter().filter(extends) {
                renewed[step.member as usize].push(member);
            }
            // Everything attached is in the plan, extended or with the reason why not.
            let named = plan.steps.iter().map(|step| step.member).chain(plan.skipped.iter().map(|one| one.member));
            let mut named = named.collect::<Vec<_>>();
            named.sort_unstable();
            named.dedup();
            prop_assert_eq!(named, below(&tree, member));
        }
        for (member, by) in renewed.iter().enumerate() {
            prop_assert!(by.len() <= 1, "#{} is renewed by the tries of {:?}", member, by);
            prop_assert!(by.len() == 1 || tree[member].on_expiry != OnExpiry::Renew, "nothing renews #{}", member);
        }
    }
}

/// The member, and what is attached to it directly or through others.
fn below(tree: &[Resource], member: u32) -> Vec<u32> {
    let mut below = vec![member];
    for (place, one) in (0..).zip(tree) {
        if one.attached_to.is_some_and(|to| below.contains(&to)) {
            below.push(place);
        }
    }
    below.sort_unstable();
    below.dedup();
    below
}
