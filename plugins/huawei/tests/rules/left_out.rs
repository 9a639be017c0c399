//! What a renewal leaves out for a reason that passes: what it says of that, and the tries that follow from it.

use expect_test::expect;
use plugin_sdk::*;

use crate::world::*;

/// The tries of a server and its disk, and what a try of the disk does.
fn tries(said: Said, after: &str, bundle: &[Resource]) -> String {
    let mut tries = timeline(said, time(after), bundle);
    tries.retain(|one| one.action == Action::TryRenewal);
    let answer = command(said, time("2026-02-22 03:00:00"), bundle, 1, automatic(), &[]);
    format!("{}disk: {}\n", print_timeline(&tries), print_plan(&answer))
}

fn server() -> Resource {
    Resource { on_expiry: OnExpiry::Renew, ..resource("ecs") }
}

fn until(text: &str, one: Resource) -> Resource {
    Resource { expires_at: Some(time(text)), ..one }
}

fn with(name: &str, value: &str, one: Resource) -> Resource {
    Resource { attributes: vec![(name.to_owned().into(), value.to_owned().into())], ..one }
}

fn held() -> Resource {
    with("condition", "processing-order", attached("evs", 0))
}

fn left_out(value: &str) -> Resource {
    with("left_out", value, attached("evs", 0))
}

#[test]
fn only_a_reason_that_passes_is_said_of_what_is_left_out() {
    let at = time("2026-02-21 03:00:00");
    let too_long = with("prepaid_since", "2025-02-28", attached("evs", 0));
    let renews = Resource { on_expiry: OnExpiry::Renew, ..held() };
    let frozen = with("condition", "account-frozen", attached("evs", 0));
    let unpaid = Resource { has_unpaid_order: true, ..attached("evs", 0) };
    let expired = Resource { stage: Stage::Grace, ..until("2026-02-20 23:59:59", held()) };
    let later = until("2026-04-10 23:59:59", held());
    let bundle = [server(), held(), frozen, unpaid, renews, too_long, expired, later];
    let asked = |asked: Command| {
        print_plan(&command(&[("total_years_max", "1")], at, &bundle, 0, asked, &[])).replace("; ", "\n")
    };
    expect![[r#"
        #0 to 2026-03-31 23:59:59 for 1 month
        #1 left_out becomes 2026-03-31 1 month
        #2 left_out becomes 2026-03-31 1 month
        #3 left_out becomes 2026-03-31 1 month
        #7 left_out becomes 2026-03-31 1 month
        #1 left out CBC.99003144
        #2 left out CBC.7281
        #3 left out CBC.99003100
        #4 left out CBC.99003144
        #5 left out CBC.99003154
        #6 left out CBC.99003144
        #7 left out CBC.99000092"#]]
    .assert_eq(&asked(automatic()));
    expect![[r#"
        #0 to 2026-05-31 23:59:59 for 3 month
        #1 left_out becomes 2026-05-31 3 month
        #2 left_out becomes 2026-05-31 3 month
        #3 left_out becomes 2026-05-31 3 month
        #7 left_out becomes 2026-05-31 3 month
        #1 left out CBC.99003144
        #2 left out CBC.7281
        #3 left out CBC.99003100
        #4 left out CBC.99003144
        #5 left out CBC.99003154
        #6 left out CBC.99003144
        #7 left out CBC.99003144"#]]
    .assert_eq(&asked(Command::Renew(Renewal {
        term: Some(Term { count: 3, unit: TermUnit::Month }),
        automatic: false,
        options: Vec::new(),
    })));
}

#[test]
fn what_a_try_left_out_is_tried_until_it_expires() {
    let said: Said = &[("deduction_days", "2")];
    let renewed = || until("2026-05-31 23:59:59", server());
    let ended = || Resource { on_expiry: OnExpiry::Lapse, renewals_left: Some(0), ..renewed() };
    let quarter = || left_out("2026-02-28 3 month");
    let still_held = Resource { attributes: [quarter().attributes, held().attributes].concat(), ..held() };
    let shown = [
        tries(said, "2026-02-26 03:00:00", &[renewed(), quarter()]),
        tries(said, "2026-02-26 03:00:00", &[ended(), quarter()]),
        tries(said, "2026-02-26 03:00:00", &[renewed(), still_held]),
        tries(
            &[("unified_expiry_day", "15")],
            "2026-02-26 03:00:00",
            &[ended(), left_out("2026-02-28 1 month")],
        ),
    ];
    expect![[r#"
        2026-02-27 03:00:00 #1 try
        2026-02-28 03:00:00 #1 try
        2026-05-29 03:00:00 #0 try
        2026-05-30 03:00:00 #0 try
        2026-05-31 03:00:00 #0 try
        disk: #1 to 2026-05-31 23:59:59 for 3 month; #1 left_out becomes 2026-02-28 3 month, 2026-05-31 none

        2026-02-27 03:00:00 #1 try
        2026-02-28 03:00:00 #1 try
        disk: #1 to 2026-05-31 23:59:59 for 3 month; #1 left_out becomes 2026-02-28 3 month, 2026-05-31 none

        2026-02-27 03:00:00 #1 try
        2026-02-28 03:00:00 #1 try
        2026-05-29 03:00:00 #0 try
        2026-05-30 03:00:00 #0 try
        2026-05-31 03:00:00 #0 try
        disk: CBC.99003144

        2026-02-27 03:00:00 #1 try
        2026-02-28 03:00:00 #1 try
        disk: #1 to 2026-04-15 23:59:59 for 1 month and 15 days, anchor 15
    "#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn what_is_left_out_of_nothing_has_no_tries_of_its_own() {
    let said: Said = &[("deduction_days", "2")];
    let renewed = || until("2026-03-31 23:59:59", server());
    let quarter = || left_out("2026-02-28 3 month");
    let no_tries = "disk: CBC.99003605\n";
    for (why, bundle) in [
        ("nobody said so", [renewed(), attached("evs", 0)]),
        ("it is no word of the rules", [renewed(), left_out("2026-02-28 many")]),
        ("it is set to be released", [renewed(), Resource { on_expiry: OnExpiry::Release, ..quarter() }]),
        ("its server is to be released", [Resource { on_expiry: OnExpiry::Release, ..renewed() }, quarter()]),
        ("its server is gone", [Resource { stage: Stage::Released, ..renewed() }, quarter()]),
        ("its server takes it", [until("2026-02-28 23:59:59", server()), quarter()]),
    ] {
        let tries = tries(said, "2026-02-01 00:00:00", &bundle);
        assert!(!tries.contains("#1 try") && tries.ends_with(no_tries), "{why}: {tries}");
    }
}

#[test]
fn a_renewal_or_a_change_of_automatic_renewal_takes_it_back() {
    let renewed = || until("2026-05-31 23:59:59", server());
    let ended = || Resource { on_expiry: OnExpiry::Lapse, ..renewed() };
    let disk = || left_out("2026-02-28 3 month");
    let asked = |bundle: &[Resource], named: u32, asked: Command| {
        print_plan(&command(&[], time("2026-02-22 12:00:00"), bundle, named, asked, &[])) + "\n"
    };
    let shown = [
        asked(&[renewed(), disk()], 1, automatic()),
        asked(&[renewed(), disk()], 0, renew(Some(MONTHLY))),
        asked(&[renewed(), disk()], 0, Command::CancelAutoRenew),
        asked(&[ended(), disk()], 1, Command::CancelAutoRenew),
        asked(&[ended(), disk()], 0, Command::CancelAutoRenew),
        asked(&[ended(), disk()], 0, set_auto_renew(None, None)),
    ];
    expect![[r#"
        #1 to 2026-05-31 23:59:59 for 3 month; #1 left_out becomes 2026-02-28 3 month, 2026-05-31 none
        #0 to 2026-06-30 23:59:59 for 1 month; #1 to 2026-03-31 23:59:59 for 1 month; #1 left_out becomes 2026-02-28 3 month, 2026-06-30 1 month
        #0 on expiry lapse; #1 on expiry lapse; #1 left_out becomes 
        #1 on expiry lapse; #1 left_out becomes ; #0 left out CBC.99003605
        CBC.99003605
        #0 renews for own term, no limit; #1 renews for own term, no limit; #1 left_out becomes 
    "#]]
    .assert_eq(&shown.concat());
}

#[test]
fn what_was_left_behind_is_tried_wherever_its_expiry_is_moved() {
    let said: Said = &[("deduction_days", "2")];
    for expires in ["2026-02-15 23:59:59", "2026-03-28 23:59:59"] {
        let bundle = [until("2026-03-31 23:59:59", server()), until(expires, left_out("2026-02-28 3 month"))];
        let tries = tries(said, "2026-02-01 00:00:00", &bundle);
        assert!(tries.contains("#1 try") && tries.contains("disk: #1 to"), "{expires}: {tries}");
    }
}

#[test]
fn what_is_renewed_along_and_ends_before_the_next_tries_is_left_behind() {
    let behind = until("2026-02-22 23:59:59", attached("evs", 0));
    let server = || until("2026-03-01 23:59:59", server());
    let at = time("2026-02-22 03:00:00");
    let ask = |bundle: &[Resource], asked| print_plan(&command(&[], at, bundle, 0, asked, &[])) + "\n";
    let lapsing = Resource { on_expiry: OnExpiry::Lapse, ..server() };
    let shown = [
        ask(&[server(), behind.clone()], automatic()),
        ask(&[server(), behind.clone()], renew(Some(MONTHLY))),
        // Nobody renews what is attached to what does not renew itself.
        ask(&[lapsing, behind], renew(Some(MONTHLY))),
    ];
    expect![[r#"
        #0 to 2026-04-30 23:59:59 for 1 month; #1 to 2026-03-31 23:59:59 for 1 month; #1 left_out becomes 2026-04-30 1 month
        #0 to 2026-04-30 23:59:59 for 1 month; #1 to 2026-03-31 23:59:59 for 1 month; #1 left_out becomes 2026-04-30 1 month
        #0 to 2026-04-30 23:59:59 for 1 month; #1 to 2026-03-31 23:59:59 for 1 month
    "#]].assert_eq(&shown.concat());
}

#[test]
fn what_goes_along_is_tried_twice_when_the_other_one_is_kept_from_it() {
    let said: Said = &[("deduction_days", "2")];
    let kept = || with("condition", "processing-order", until("2026-03-01 23:59:59", server()));
    let far = with("condition", "processing-order", until("2026-03-31 23:59:59", server()));
    let shown = [
        tries(said, "2026-02-01 00:00:00", &[far, attached("evs", 0)]),
        tries(said, "2026-02-01 00:00:00", &[kept(), attached("evs", 0)]),
        tries(said, "2026-02-28 03:00:00", &[kept(), attached("evs", 0)]),
        tries(said, "2026-02-01 00:00:00", &[kept(), left_out("2026-02-28 3 month")]),
    ];
    expect![[r#"
        2026-03-29 03:00:00 #0 try
        2026-03-30 03:00:00 #0 try
        2026-03-31 03:00:00 #0 try
        disk: CBC.99003605

        2026-02-27 03:00:00 #0 try
        2026-02-27 03:00:00 #1 try
        2026-02-28 03:00:00 #0 try
        2026-02-28 03:00:00 #1 try
        2026-03-01 03:00:00 #0 try
        disk: #1 to 2026-03-31 23:59:59 for 1 month

        2026-03-01 03:00:00 #0 try
        disk: #1 to 2026-03-31 23:59:59 for 1 month

        2026-02-26 03:00:00 #1 try
        2026-02-27 03:00:00 #0 try
        2026-02-27 03:00:00 #1 try
        2026-02-28 03:00:00 #0 try
        2026-02-28 03:00:00 #1 try
        2026-03-01 03:00:00 #0 try
        disk: #1 to 2026-05-31 23:59:59 for 3 month; #1 left_out becomes 2026-02-28 3 month, 2026-03-01 none
    "#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn what_is_still_behind_after_it_was_extended_goes_on_to_catch_up() {
    let at = time("2026-03-24 03:00:00");
    let expired = || Resource { stage: Stage::Grace, ..left_out("2026-02-28 1 month") };
    let ahead = |expires: &str| until(expires, server());
    let shown = [
        print_plan(&command(&[], at, &[ahead("2026-03-31 23:59:59"), expired()], 0, automatic(), &[])),
        tries(&[], "2026-02-26 03:00:00", &[ahead("2026-05-31 23:59:59"), left_out("2026-02-28 1 month")]),
        tries(&[], "2026-02-26 03:00:00", &[ahead("2026-03-31 23:59:59"), left_out("2026-02-28 1 month")]),
    ];
    expect![[r#"
        #0 to 2026-04-30 23:59:59 for 1 month; #1 to 2026-03-31 23:59:59 for 1 month
        2026-02-27 03:00:00 #1 try
        2026-02-28 03:00:00 #1 try
        2026-05-24 03:00:00 #0 try
        2026-05-25 03:00:00 #0 try
        2026-05-26 03:00:00 #0 try
        2026-05-27 03:00:00 #0 try
        2026-05-28 03:00:00 #0 try
        2026-05-29 03:00:00 #0 try
        2026-05-30 03:00:00 #0 try
        2026-05-31 03:00:00 #0 try
        disk: #1 to 2026-03-31 23:59:59 for 1 month

        2026-02-27 03:00:00 #1 try
        2026-02-28 03:00:00 #1 try
        2026-03-24 03:00:00 #0 try
        2026-03-25 03:00:00 #0 try
        2026-03-26 03:00:00 #0 try
        2026-03-27 03:00:00 #0 try
        2026-03-28 03:00:00 #0 try
        2026-03-29 03:00:00 #0 try
        2026-03-30 03:00:00 #0 try
        2026-03-31 03:00:00 #0 try
        disk: #1 to 2026-03-31 23:59:59 for 1 month; #1 left_out becomes 2026-02-28 1 month, 2026-03-31 none
    "#]]
    .assert_eq(&shown.join("\n"));
}
