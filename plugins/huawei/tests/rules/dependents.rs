//! What cannot outlive something else: an add-on its bandwidth, a CodeArts extension its package.

use expect_test::expect;
use plugin_sdk::*;

use crate::world::*;

fn later(one: Resource) -> Resource {
    Resource { expires_at: Some(time("2026-06-30 23:59:59")), ..one }
}

fn print(bundle: &[Resource], after: &str) -> String {
    let said: Said = &[("grace_days", "1"), ("retention_days", "2")];
    print_timeline(&timeline(said, time(after), bundle))
}

#[test]
fn an_add_on_package_is_released_with_its_bandwidth_at_the_latest() {
    for bandwidth in ["bandwidth", "shared-bandwidth"] {
        let bundle = [resource(bandwidth), later(attached("bandwidth-add-on", 0))];
        let end = print(&bundle, "2026-03-02 00:00:00");
        let end = end.lines().map(str::trim).collect::<Vec<_>>();
        assert_eq!(
            end[end.len() - 2..],
            ["2026-03-03 23:59:59 #0 enter released", "2026-03-03 23:59:59 #1 enter released"]
        );
    }
    let released = Resource { stage: Stage::Released, ..resource("bandwidth") };
    expect![[r#"
        2026-03-04 00:00:00 #1 enter released
    "#]]
    .assert_eq(&print(&[released, later(attached("bandwidth-add-on", 0))], "2026-03-03 23:59:59"));
}

#[test]
fn an_add_on_package_goes_on_with_a_bandwidth_that_becomes_pay_per_use() {
    let bandwidth = Resource { on_expiry: OnExpiry::Convert, ..resource("bandwidth") };
    expect![[r#"
        2026-02-28 23:59:59 #0 convert
        2026-06-23 09:00:00 #1 notice expires-soon
        2026-06-27 09:00:00 #1 notice expires-soon
        2026-06-29 09:00:00 #1 notice expires-soon
        2026-06-30 23:59:59 #1 enter grace
        2026-07-01 23:59:59 #1 enter retention
        2026-07-03 23:59:59 #1 enter released
    "#]]
    .assert_eq(&print(&[bandwidth, later(attached("bandwidth-add-on", 0))], "2026-02-28 00:00:00"));
}

#[test]
fn a_codearts_extension_stops_when_its_package_expires() {
    let bundle = [resource("codearts-package"), later(attached("codearts-extension", 0))];
    expect![[r#"
        2026-02-28 23:59:59 #1 notice codearts-features-stopped
        2026-02-28 23:59:59 #0 enter grace
        2026-02-28 23:59:59 #1 enter retention
        2026-03-01 23:59:59 #0 notice codearts-frozen
        2026-03-01 23:59:59 #0 enter retention
        2026-03-03 23:59:59 #0 notice codearts-data-lost
        2026-03-03 23:59:59 #0 enter released
        2026-03-03 23:59:59 #1 enter released
    "#]]
    .assert_eq(&print(&bundle, "2026-02-28 12:00:00"));
    // One that stands alone has nothing to end with.
    expect![[r#"
        2026-06-30 23:59:59 #0 notice codearts-features-stopped
        2026-06-30 23:59:59 #0 enter retention
        2026-07-03 23:59:59 #0 enter released
    "#]]
    .assert_eq(&print(&[later(resource("codearts-extension"))], "2026-06-30 12:00:00"));
}

#[test]
fn a_codearts_extension_comes_back_when_its_package_is_renewed_by_hand() {
    let stopped = Resource { stage: Stage::Retention, ..later(attached("codearts-extension", 0)) };
    let bundle = [Resource { stage: Stage::Grace, ..resource("codearts-package") }, stopped];
    let plan = command(&[], time("2026-03-01 12:00:00"), &bundle, 0, renew(Some(MONTHLY)), &[]);
    expect!["#0 to 2026-03-31 23:59:59 for 1 month; #1 to 2026-07-31 23:59:59 for 1 month"]
        .assert_eq(&print_plan(&plan));
}

#[test]
fn a_codearts_extension_that_is_paid_for_goes_on_with_its_package() {
    let stopped = || Resource { stage: Stage::Retention, ..later(attached("codearts-extension", 0)) };
    let renewing = |one: Resource| Resource { on_expiry: OnExpiry::Renew, ..one };
    let package =
        || Resource { expires_at: Some(time("2026-08-31 23:59:59")), ..resource("codearts-package") };
    let shown = print(&[package(), renewing(stopped())], "2026-03-02 12:00:00");
    let of_extension = shown.lines().map(str::trim).filter(|line| line.contains(" #1 ")).collect::<Vec<_>>();
    expect![[r#"
        2026-03-02 12:00:01 #1 enter active
        2026-06-23 03:00:00 #1 try
        2026-06-24 03:00:00 #1 try
        2026-06-25 03:00:00 #1 try
        2026-06-25 09:00:00 #1 notice auto-renewal-failed
        2026-06-26 03:00:00 #1 try
        2026-06-27 03:00:00 #1 try
        2026-06-28 03:00:00 #1 try
        2026-06-28 09:00:00 #1 notice auto-renewal-failed
        2026-06-29 03:00:00 #1 try
        2026-06-30 03:00:00 #1 try
        2026-06-30 09:00:00 #1 notice auto-renewal-failed
        2026-06-30 23:59:59 #1 notice codearts-features-stopped
        2026-06-30 23:59:59 #1 enter retention
        2026-07-01 09:00:00 #1 notice released-soon
        2026-07-03 09:00:00 #1 notice released-soon
        2026-07-03 23:59:59 #1 enter released"#]]
    .assert_eq(&of_extension.join("\n"));
    // Not while its package is stopped itself, and not when it is past its own expiry.
    for package in
        [Resource { stage: Stage::Grace, ..resource("codearts-package") }, resource("codearts-package")]
    {
        assert!(!print(&[package, stopped()], "2026-03-01 12:00:00").contains("enter active"));
    }
    let over = Resource { expires_at: Some(time("2026-03-01 23:59:59")), ..stopped() };
    assert!(!print(&[package(), over], "2026-03-02 12:00:00").contains("enter active"));
}

#[test]
fn a_codearts_extension_is_not_tried_while_its_package_is_stopped() {
    let said: Said = &[("tries_until", "retention"), ("grace_days", "15"), ("retention_days", "15")];
    let extension = Resource {
        on_expiry: OnExpiry::Renew,
        expires_at: Some(time("2026-03-08 23:59:59")),
        ..attached("codearts-extension", 0)
    };
    let bundle = [resource("codearts-package"), extension];
    let shown = print_timeline(&timeline(said, time("2026-02-28 00:00:00"), &bundle));
    let tries = shown.lines().filter(|line| line.contains("#1 try") && line.trim() > "2026-02-28 23:59:59");
    assert_eq!(tries.count(), 0, "{shown}");
}

#[test]
fn a_bandwidth_with_an_add_on_package_keeps_its_renewed_periods() {
    let future = || Command::Unsubscribe(Scope::FuturePeriods);
    let order = |member| Order {
        member,
        starts_at: time("2026-02-28 23:59:59"),
        ends_at: time("2026-03-31 23:59:59"),
        paid: 31_000_000,
        paid_at: time("2026-02-01 12:00:00"),
        kind: OrderKind::Renewal,
        reduces: None,
    };
    let renewed = |one: Resource| Resource { expires_at: Some(time("2026-03-31 23:59:59")), ..one };
    let print = |bundle: &[Resource]| {
        let orders =
            (0..3).map(order).filter(|order| (order.member as usize) < bundle.len()).collect::<Vec<_>>();
        print_plan(&command(&[], time("2026-02-03 12:00:00"), bundle, 0, future(), &orders))
    };
    let shared = || renewed(resource("shared-bandwidth"));
    let add_on = renewed(attached("bandwidth-add-on", 0));
    expect!["CBC.99003654"].assert_eq(&print(&[shared(), add_on.clone()]));
    let over = Resource { stage: Stage::Released, ..add_on };
    expect![
        "#0 ends futureperiods, left to 2026-02-28 23:59:59, order 0: 31000000; #1 left out CBC.30000067"
    ]
    .assert_eq(&print(&[shared(), over]));
    let address = [
        renewed(resource("eip")),
        renewed(attached("bandwidth", 0)),
        renewed(attached("bandwidth-add-on", 1)),
    ];
    expect!["#0 ends futureperiods, left to 2026-02-28 23:59:59, order 0: 31000000; #1 left out CBC.99003654; #2 left out CBC.99003654"].assert_eq(&print(&address));
}
