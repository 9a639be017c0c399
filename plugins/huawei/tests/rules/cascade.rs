//! Attached resources: servers with disks and networks, shared and exclusive bandwidth, CodeArts.

use expect_test::expect;
use plugin_sdk::*;

use crate::world::*;

const AT: &str = "2026-02-10 12:00:00";

/// A server with a disk, a network, and an elastic IP that has a bandwidth of its own.
fn server() -> Vec<Resource> {
    vec![
        resource("ecs"),
        attached("evs", 0),
        attached("vpc", 0),
        attached("eip", 0),
        attached("bandwidth", 3),
    ]
}

fn renewing(bundle: Vec<Resource>) -> Vec<Resource> {
    bundle.into_iter().map(|one| Resource { on_expiry: OnExpiry::Renew, ..one }).collect()
}

fn print(bundle: &[Resource], named: u32, asked: Command) -> String {
    print_plan(&command(&[], time(AT), bundle, named, asked, &[])).replace("; ", "\n")
}

#[test]
fn renewing_a_server_renews_all_that_is_attached_to_it() {
    expect![[r#"
        #0 to 2026-03-31 23:59:59 for 1 month
        #1 to 2026-03-31 23:59:59 for 1 month
        #2 to 2026-03-31 23:59:59 for 1 month
        #3 to 2026-03-31 23:59:59 for 1 month
        #4 to 2026-03-31 23:59:59 for 1 month"#]]
    .assert_eq(&print(&server(), 0, renew(None)));
}

#[test]
fn members_are_renewed_from_their_own_expiry_or_skipped_with_a_reason() {
    let mut bundle = server();
    bundle[1].expires_at = Some(time("2026-06-30 08:00:00"));
    bundle[1].anchor_day = Some(30);
    bundle[2] = pay_per_use(bundle[2].clone());
    bundle[3].stage = Stage::Released;
    bundle[4].stage = Stage::Grace;
    bundle[4].expires_at = Some(time("2026-02-05 12:00:00"));
    bundle[4].anchor_day = Some(5);
    bundle.push(Resource { on_expiry: OnExpiry::Convert, ..attached("evs", 0) });
    bundle.push(Resource { stage: Stage::Unsubscribed, ..attached("evs", 0) });
    expect![[r#"
        #0 to 2027-02-28 23:59:59 for 1 year
        #1 to 2027-06-30 08:00:00 for 1 year
        #4 to 2027-02-05 12:00:00 for 1 year
        #2 left out CBC.30050013
        #3 left out CBC.99003016
        #5 left out CBC.30050013
        #6 left out CBC.99003016"#]]
    .assert_eq(&print(&bundle, 0, renew(Some(YEARLY))));
}

#[test]
fn by_hand_a_renewal_names_the_primary() {
    for member in 1..5 {
        assert_eq!(print(&server(), member, renew(None)), "CBC.30010036");
        assert_eq!(print(&server(), member, Command::ConvertOnExpiry), "CBC.30010036");
        assert_eq!(print(&server(), member, Command::Unsubscribe(Scope::Everything)), "CBC.99003185");
        assert_eq!(print(&server(), member, Command::Unsubscribe(Scope::FuturePeriods)), "CBC.99003185");
    }
}

#[test]
fn a_try_renews_an_attached_resource_with_what_is_attached_below_it() {
    expect![[r#"
        #3 to 2026-03-31 23:59:59 for 1 month
        #4 to 2026-03-31 23:59:59 for 1 month"#]]
    .assert_eq(&print(&renewing(server()), 3, automatic()));
}

#[test]
fn a_resource_that_lost_its_primary_is_its_own_primary() {
    for gone in [Stage::Released, Stage::Unsubscribed, Stage::Converted] {
        let mut bundle = server();
        bundle[0].stage = gone;
        expect!["#3 to 2026-03-31 23:59:59 for 1 month\n#4 to 2026-03-31 23:59:59 for 1 month"]
            .assert_eq(&print(&bundle, 3, renew(None)));
        assert_eq!(print(&bundle, 4, renew(None)), "CBC.30010036", "the elastic IP is still its primary");
        assert_eq!(print(&bundle, 1, Command::ConvertOnExpiry), "#1 on expiry convert");
    }
    let mut bundle = server();
    bundle[0] = pay_per_use(bundle[0].clone());
    assert_eq!(
        print(&bundle, 1, renew(None)),
        "#1 to 2026-03-31 23:59:59 for 1 month",
        "of a pay-per-use server"
    );
}

#[test]
fn a_shared_bandwidth_is_primary_over_its_elastic_ips() {
    let bundle = [resource("shared-bandwidth"), attached("eip", 0), attached("eip", 0)];
    expect![[r#"
        #0 to 2026-03-31 23:59:59 for 1 month
        #1 to 2026-03-31 23:59:59 for 1 month
        #2 to 2026-03-31 23:59:59 for 1 month"#]]
    .assert_eq(&print(&bundle, 0, renew(None)));
    assert_eq!(print(&bundle, 2, renew(None)), "CBC.30010036");
}

#[test]
fn an_elastic_ip_is_primary_over_its_exclusive_bandwidth() {
    let bundle = [resource("eip"), attached("bandwidth", 0)];
    expect![[r#"
        #0 to 2026-03-31 23:59:59 for 1 month
        #1 to 2026-03-31 23:59:59 for 1 month"#]]
    .assert_eq(&print(&bundle, 0, renew(None)));
    assert_eq!(print(&bundle, 1, renew(None)), "CBC.30010036");
}

#[test]
fn automatic_renewal_is_set_and_cancelled_for_all_whichever_is_named() {
    let set = |member: u32| print(&server(), member, set_auto_renew(None, None));
    let cancelled = |member: u32| print(&renewing(server()), member, Command::CancelAutoRenew);
    expect![[r#"
        #0 renews for own term, no limit
        #1 renews for own term, no limit
        #2 renews for own term, no limit
        #3 renews for own term, no limit
        #4 renews for own term, no limit"#]]
    .assert_eq(&set(0));
    expect![[r#"
        #0 on expiry lapse
        #1 on expiry lapse
        #2 on expiry lapse
        #3 on expiry lapse
        #4 on expiry lapse"#]]
    .assert_eq(&cancelled(0));
    for member in 1..5 {
        assert_eq!(set(member), set(0), "named on #{member}");
        assert_eq!(cancelled(member), cancelled(0), "named on #{member}");
    }
}

#[test]
fn a_setting_skips_attached_resources_but_is_refused_for_the_named_one() {
    let mut bundle = server();
    bundle[1].stage = Stage::Retention;
    bundle[2] = pay_per_use(bundle[2].clone());
    bundle[3].on_expiry = OnExpiry::Convert;
    expect![[r#"
        #0 renews for own term, 2 times
        #3 renews for own term, 2 times
        #4 renews for own term, 2 times
        #1 left out CBC.99003602
        #2 left out CBC.99003012"#]]
    .assert_eq(&print(&bundle, 0, set_auto_renew(None, Some(2))));
    expect![[r#"
        #0 on expiry convert
        #3 on expiry convert
        #4 on expiry convert
        #1 left out CBC.99003610
        #2 left out CBC.99003012"#]]
    .assert_eq(&print(&bundle, 0, Command::ConvertOnExpiry));
    expect![[r#"
        #0 renews for own term, no limit
        #3 renews for own term, no limit
        #4 renews for own term, no limit
        #1 left out CBC.99003602
        #2 left out CBC.99003012"#]]
    .assert_eq(&print(&bundle, 3, set_auto_renew(None, None)));
    assert_eq!(print(&bundle, 1, set_auto_renew(None, None)), "CBC.99003602");
    assert_eq!(print(&bundle, 2, set_auto_renew(None, None)), "CBC.99003012");
    assert_eq!(print(&bundle, 0, Command::CancelAutoRenew), "CBC.99003605");
    assert_eq!(print(&bundle, 0, Command::CancelConversion), "CBC.0100", "the server is not set to convert");
}

#[test]
fn unsubscribing_from_a_server_ends_all_that_is_attached_to_it() {
    let mut bundle = server();
    bundle[1].stage = Stage::Retention;
    bundle[2] = pay_per_use(bundle[2].clone());
    bundle.push(attached("bandwidth-add-on", 4));
    let order = |member: u32, paid: Micros| Order {
        member,
        starts_at: time("2026-01-31 23:59:59"),
        ends_at: time("2026-02-28 23:59:59"),
        paid,
        paid_at: time("2026-01-24 03:00:00"),
        kind: OrderKind::Purchase,
        reduces: None,
    };
    let orders = [order(0, 28_000_000), order(3, 14_000_000), order(4, 7_000_000), order(5, 7_000_000)];
    let answer = command(&[], time(AT), &bundle, 0, Command::Unsubscribe(Scope::Everything), &orders);
    expect![[r#"
        #0 ends everything, order 0: 18500000
        #3 ends everything, order 1: 9250000
        #4 ends everything, order 2: 4620000
        #5 ends everything, order 3: 0
        #1 left out CBC.99003656
        #2 left out CBC.99003012"#]]
    .assert_eq(&print_plan(&answer).replace("; ", "\n"));
}

#[test]
fn codearts_is_unsubscribed_from_in_no_part() {
    let bundle = [resource("codearts-package"), attached("codearts-extension", 0)];
    assert_eq!(print(&bundle, 0, Command::Unsubscribe(Scope::Everything)), "CBC.99003652");
    assert_eq!(print(&bundle, 1, Command::Unsubscribe(Scope::Everything)), "CBC.99003185");
    expect![[r#"
        #0 to 2026-03-31 23:59:59 for 1 month
        #1 to 2026-03-31 23:59:59 for 1 month"#]]
    .assert_eq(&print(&bundle, 0, renew(None)));
}

#[test]
fn a_unified_expiry_day_moves_every_member_to_it() {
    let mut bundle = server();
    bundle[1].expires_at = Some(time("2026-02-10 08:00:00"));
    bundle[1].anchor_day = Some(10);
    let moved = |day: &str| {
        let answer = command(
            &[("unified_expiry_day", day)],
            time("2026-02-05 00:00:00"),
            &bundle[..2],
            0,
            renew(None),
            &[],
        );
        print_plan(&answer)
    };
    expect![[r#"
        #0 to 2026-04-01 23:59:59 for 1 month and 1 days, anchor 1; #1 to 2026-04-01 08:00:00 for 1 month and 22 days, anchor 1
        #0 to 2026-04-10 23:59:59 for 1 month and 10 days, anchor 10; #1 to 2026-03-10 08:00:00 for 1 month
        #0 to 2026-04-28 23:59:59 for 1 month and 28 days, anchor 28; #1 to 2026-03-28 08:00:00 for 1 month and 18 days, anchor 28
        #0 to 2026-03-31 23:59:59 for 1 month; #1 to 2026-03-31 08:00:00 for 1 month and 21 days, anchor 31"#]].assert_eq(&["1", "10", "28", "-1"].map(moved).join("\n"));
}
