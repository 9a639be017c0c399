//! Every command in every stage for each family of kinds, and every condition: a plan or a refusal.

use expect_test::expect;
use expect_test::expect_file;
use plugin_huawei::condition;
use plugin_sdk::*;

use crate::world::*;

/// A state of a resource, and the instant of the command.
fn states(kind: &str) -> Vec<(&'static str, &'static str, Resource)> {
    let active = resource(kind);
    let with_stage = |stage: Stage| Resource { stage, ..active.clone() };
    let with_on_expiry = |on_expiry: OnExpiry| Resource { on_expiry, ..active.clone() };
    let ahead = Resource { started_at: time("2026-01-28 23:59:59"), ..active.clone() };
    vec![
        ("not begun", "2026-01-10 12:00:00", ahead),
        ("active", "2026-02-10 12:00:00", active.clone()),
        ("active, renews", "2026-02-21 03:00:00", with_on_expiry(OnExpiry::Renew)),
        ("active, converts", "2026-02-10 12:00:00", with_on_expiry(OnExpiry::Convert)),
        ("active, releases", "2026-02-10 12:00:00", with_on_expiry(OnExpiry::Release)),
        ("active, last day", "2026-02-28 12:00:00", active.clone()),
        ("grace", "2026-03-05 12:00:00", with_stage(Stage::Grace)),
        ("retention", "2026-03-20 12:00:00", with_stage(Stage::Retention)),
        ("released", "2026-04-20 12:00:00", with_stage(Stage::Released)),
        ("unsubscribed", "2026-02-10 12:00:00", with_stage(Stage::Unsubscribed)),
        ("converted", "2026-03-05 12:00:00", with_stage(Stage::Converted)),
        ("pay-per-use", "2026-02-10 12:00:00", pay_per_use(active)),
    ]
}

fn commands() -> [(&'static str, Command); 14] {
    let two_years = Term { count: 2, unit: TermUnit::Year };
    [
        ("renew", renew(None)),
        ("renew 2 years", renew(Some(two_years))),
        ("renew automatically", automatic()),
        ("set auto-renew", set_auto_renew(None, None)),
        ("set auto-renew 3x", set_auto_renew(Some(MONTHLY), Some(3))),
        ("cancel auto-renew", Command::CancelAutoRenew),
        ("unsubscribe all", Command::Unsubscribe(Scope::Everything)),
        ("unsubscribe future", Command::Unsubscribe(Scope::FuturePeriods)),
        ("convert on expiry", Command::ConvertOnExpiry),
        ("cancel conversion", Command::CancelConversion),
        ("buy again", Command::BuyAgain(Purchase { pay_at: None, effective_at: None })),
        (
            "change",
            Command::Change(Change {
                attributes: vec![("flavor".to_owned(), "large".to_owned())],
                price: 62_000_000,
                present_price: Some(31_000_000),
                options: Vec::new(),
            }),
        ),
        (
            "subscribe",
            Command::Subscribe(Subscribe {
                term: Some(MONTHLY),
                price: Some(31_000_000),
                options: Vec::new(),
            }),
        ),
        ("convert now", Command::ConvertNow),
    ]
}

/// The orders of the purchase and of one renewal, a month for 31.00 each.
pub fn two_orders() -> [Order; 2] {
    let first = Order {
        member: 0,
        starts_at: time("2025-12-31 10:00:00"),
        ends_at: time("2026-01-31 23:59:59"),
        paid: 31_000_000,
        paid_at: time("2025-12-31 10:00:00"),
        kind: OrderKind::Purchase,
        reduces: None,
    };
    let renewal = Order {
        starts_at: time("2026-01-31 23:59:59"),
        ends_at: time("2026-02-28 23:59:59"),
        paid_at: time("2026-01-24 03:00:00"),
        kind: OrderKind::Renewal,
        reduces: None,
        ..first
    };
    [first, renewal]
}

#[test]
fn every_command_meets_every_stage() {
    let mut table = String::new();
    for kind in ["ecs", "bandwidth-add-on", "codearts-package", "codearts-extension", "package"] {
        for (state, at, resource) in states(kind) {
            table += &format!("{kind} | {state} | {at}\n");
            for (title, asked) in commands() {
                let answer = command(&[], time(at), std::slice::from_ref(&resource), 0, asked, &two_orders());
                table += &format!("  {title:<19} → {}\n", print_plan(&answer));
            }
        }
        table += "\n";
    }
    expect_file!["tables/commands.txt"].assert_eq(&table);
}

#[test]
fn every_command_meets_every_condition() {
    let mut table = String::new();
    for known in condition::ALL {
        table += &format!("{}\n", known.word);
        for (title, asked) in commands() {
            // Each command in a state in which nothing else forbids it.
            let on_expiry = match asked {
                Command::CancelConversion => OnExpiry::Convert,
                Command::CancelAutoRenew => OnExpiry::Renew,
                Command::Renew(ref renewal) if renewal.automatic => OnExpiry::Renew,
                Command::Renew(_)
                | Command::SetAutoRenew(_)
                | Command::Unsubscribe(_)
                | Command::ConvertOnExpiry
                | Command::ConvertNow
                | Command::BuyAgain(_)
                | Command::Change(_)
                | Command::Subscribe(_)
                | Command::PayOrder(_)
                | Command::CancelOrder(_) => OnExpiry::Lapse,
            };
            let attributes = vec![(condition::ATTRIBUTE.into(), format!("imported {}", known.word).into())];
            let bundle = [Resource { on_expiry, attributes, ..resource("ecs") }];
            let answer = command(&[], time("2026-01-10 12:00:00"), &bundle, 0, asked, &two_orders());
            table += &format!("  {title:<19} → {}\n", print_plan(&answer));
        }
    }
    expect_file!["tables/conditions.txt"].assert_eq(&table);
}

#[test]
fn only_terms_that_are_sold_can_be_named() {
    let mut table = String::new();
    for unit in [TermUnit::Day, TermUnit::Month, TermUnit::Year] {
        for count in [1, 3, 4, 9, 10, 11, 12, 30] {
            let asked = Some(Term { count, unit });
            let at = time("2026-02-10 12:00:00");
            let renewed = command(&[], at, &[resource("ecs")], 0, renew(asked), &[]);
            let set = command(&[], at, &[resource("ecs")], 0, set_auto_renew(asked, None), &[]);
            let package = command(&[], at, &[resource("package")], 0, renew(asked), &[]);
            let verdict =
                |answer: Result<Plan, Refusal>| answer.map_or_else(|no| no.code, |_| "sold".to_owned());
            let row = [verdict(renewed), verdict(set), verdict(package)]
                .map(|cell| format!("{cell:<13}"))
                .join(" ");
            table += &format!("{count:>2} {:<5} {}\n", name(&unit), row.trim_end());
        }
    }
    expect![[r#"
         1 day   CBC.30010069  CBC.0100      CBC.30010069
         3 day   CBC.30010069  CBC.0100      CBC.30010069
         4 day   CBC.30010069  CBC.0100      CBC.30010069
         9 day   CBC.30010069  CBC.0100      CBC.30010069
        10 day   CBC.30010069  CBC.0100      CBC.30010069
        11 day   CBC.30010069  CBC.0100      CBC.30010069
        12 day   CBC.30010069  CBC.0100      CBC.30010069
        30 day   CBC.30010069  CBC.0100      CBC.30010069
         1 month sold          sold          sold
         3 month sold          sold          sold
         4 month sold          sold          sold
         9 month sold          sold          sold
        10 month sold          sold          CBC.30010069
        11 month sold          sold          CBC.30010069
        12 month CBC.30010069  CBC.0100      CBC.30010069
        30 month CBC.30010069  CBC.0100      CBC.30010069
         1 year  sold          sold          CBC.30010069
         3 year  sold          sold          CBC.30010069
         4 year  CBC.30010069  CBC.0100      CBC.30010069
         9 year  CBC.30010069  CBC.0100      CBC.30010069
        10 year  CBC.30010069  CBC.0100      CBC.30010069
        11 year  CBC.30010069  CBC.0100      CBC.30010069
        12 year  CBC.30010069  CBC.0100      CBC.30010069
        30 year  CBC.30010069  CBC.0100      CBC.30010069
    "#]]
    .assert_eq(&table);
}

#[test]
fn unknown_options_and_too_many_renewals_are_refused() {
    let options = vec![("relatedRenewFlag".to_owned(), "CDS".to_owned())];
    let asked = Command::Renew(Renewal { term: None, automatic: false, options });
    let answer = command(&[], time("2026-02-10 12:00:00"), &[resource("ecs")], 0, asked, &[]);
    assert_eq!(print_plan(&answer), "CBC.0100");
    let answer = command(
        &[],
        time("2026-02-10 12:00:00"),
        &[resource("ecs")],
        0,
        set_auto_renew(None, Some(100)),
        &[],
    );
    assert_eq!(print_plan(&answer), "CBC.0100", "at most 99 renewals");
}

#[test]
fn a_limit_stays_when_none_is_sent_and_zero_lifts_it() {
    let limited = Resource { on_expiry: OnExpiry::Renew, renewals_left: Some(5), ..resource("ecs") };
    let set = |renewals: Option<u32>| {
        let answer = command(
            &[],
            time("2026-02-10 12:00:00"),
            std::slice::from_ref(&limited),
            0,
            set_auto_renew(None, renewals),
            &[],
        );
        print_plan(&answer)
    };
    assert_eq!(set(None), "#0 renews for own term, 5 times");
    assert_eq!(set(Some(0)), "#0 renews for own term, no limit");
    assert_eq!(set(Some(99)), "#0 renews for own term, 99 times");
}

#[test]
fn switched_on_after_the_last_try_it_is_tried_at_once() {
    let at_once = |at: &str, on_expiry: OnExpiry| {
        let bundle = [Resource { on_expiry, ..resource("ecs") }, attached("evs", 0)];
        command(&[], time(at), &bundle, 1, set_auto_renew(None, None), &[]).unwrap().retry_now
    };
    assert_eq!(at_once("2026-02-28 02:59:59", OnExpiry::Lapse), None, "03:00 is still to come");
    assert_eq!(at_once("2026-02-28 03:00:00", OnExpiry::Lapse), Some(0));
    assert_eq!(at_once("2026-02-28 23:59:58", OnExpiry::Convert), Some(0));
    assert_eq!(at_once("2026-02-28 23:59:58", OnExpiry::Renew), None, "it was on, and tried");
    // What the primary is refused for is no reason to leave the rest untried.
    let attributes = vec![(condition::ATTRIBUTE.into(), "off-sale".into())];
    let bundle = [Resource { attributes, ..resource("ecs") }, attached("evs", 0)];
    let answer = command(&[], time("2026-02-28 12:00:00"), &bundle, 1, set_auto_renew(None, None), &[]);
    expect!["#1 renews for own term, no limit; #0 left out CBC.30050013; #1 tried at once"]
        .assert_eq(&print_plan(&answer));
}

#[test]
fn a_renewal_takes_the_term_named_then_the_term_set_then_its_own() {
    let at = time("2026-02-10 12:00:00");
    let quarterly = Term { count: 3, unit: TermUnit::Month };
    let mut quarter = Resource { term: Some(quarterly), ..resource("ecs") };
    let term = |said: Said, bundle: &Resource, asked: Option<Term>| {
        let plan = command(said, at, std::slice::from_ref(bundle), 0, renew(asked), &[]).unwrap();
        let Operation::Extend(extension) = &plan.steps[0].operation else { panic!("a renewal extends") };
        print_term(extension.term)
    };
    assert_eq!(term(&[], &quarter, None), "3 month");
    assert_eq!(term(&[("auto_renew_period", "smallest")], &quarter, None), "1 month");
    quarter.renewal_term = Some(YEARLY);
    assert_eq!(term(&[("auto_renew_period", "smallest")], &quarter, None), "1 year");
    assert_eq!(term(&[], &quarter, Some(MONTHLY)), "1 month");
}

#[test]
fn nothing_is_renewed_into_the_past_or_beyond_the_longest_duration() {
    let expired = Resource { stage: Stage::Retention, ..resource("ecs") };
    let late = |term: Option<Term>| {
        let bundle = [Resource { expires_at: Some(time("2026-01-31 12:00:00")), ..expired.clone() }];
        print_plan(&command(&[], time("2026-03-01 12:00:00"), &bundle, 0, renew(term), &[]))
    };
    assert_eq!(late(Some(MONTHLY)), "CBC.99000092");
    assert_eq!(late(Some(Term { count: 2, ..MONTHLY })), "#0 to 2026-03-31 12:00:00 for 2 month");

    let capped = |count: u32| {
        let asked = renew(Some(Term { count, ..MONTHLY }));
        print_plan(&command(
            &[("total_years_max", "1")],
            time("2026-02-10 12:00:00"),
            &[resource("ecs")],
            0,
            asked,
            &[],
        ))
    };
    assert_eq!(capped(10), "#0 to 2026-12-31 23:59:59 for 10 month");
    assert_eq!(capped(11), "CBC.99003154");
}

#[test]
fn a_try_that_comes_late_still_renews_what_is_active() {
    let bundle = [Resource { on_expiry: OnExpiry::Renew, ..resource("ecs") }];
    let answer = command(&[], time("2026-06-01 12:00:00"), &bundle, 0, automatic(), &[]);
    assert_eq!(print_plan(&answer), "#0 to 2026-03-31 23:59:59 for 1 month");
}

#[test]
fn the_disk_of_the_manual_that_expired_in_april_ends_in_may() {
    let expires_at = Some(time("2026-04-30 23:59:59"));
    let disk = Resource { stage: Stage::Retention, expires_at, ..resource("evs") };
    let answer = command(&[], time("2026-05-10 12:00:00"), &[disk], 0, renew(Some(MONTHLY)), &[]);
    assert_eq!(print_plan(&answer), "#0 to 2026-05-31 23:59:59 for 1 month");
}

#[test]
fn a_renewal_by_hand_keeps_automatic_renewal_and_moves_its_tries() {
    let renewing = Resource { on_expiry: OnExpiry::Renew, renewals_left: Some(2), ..resource("ecs") };
    let at = time("2026-02-10 12:00:00");
    let plan = command(&[], at, std::slice::from_ref(&renewing), 0, renew(Some(YEARLY)), &[]).unwrap();
    let [Step { operation: Operation::Extend(extension), .. }] = &plan.steps[..] else {
        panic!("only an extension")
    };
    let renewed = Resource { expires_at: Some(extension.expires_at), ..renewing };
    let first = &timeline(&[], at, &[renewed])[0];
    assert_eq!((show(first.at).as_str(), &first.action), ("2027-02-21 03:00:00", &Action::TryRenewal));
}
