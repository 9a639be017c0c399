//! A changed deduction day: the tries that are due under it are made, each once, and none that is past.

use std::collections::BTreeMap;

use expect_test::expect;
use perennial_domain::timestamp::Timestamp;
use serde_json::json;

use crate::huawei::*;
use perennial_test_support::provider_server::Server;

/// A server without money, whose renewal is tried at 03:00 of the provider's time zone on the days before 31 March.
fn penniless() -> Server {
    let mut inventory =
        inventory(json!({}), vec![with(resource("ecs-1", "ecs"), json!({ "on_expiry": "renew" }))]);
    inventory["accounts"][0]["balance"] = json!("0.00");
    Server::start("huawei", NOW, &inventory)
}

fn advance(server: &Server, to: &str) {
    server.advance(to.parse().unwrap());
}

fn set_deduction_days(tool: &Tool<'_>, days: u32) {
    let body = json!({ "config_name": "DEDUCTION_DATE", "config_value": days.to_string() }).to_string();
    let answer = tool.ask("POST", CONFIGURE, &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// When renewals were tried, and when the deduction day was changed.
fn tries(server: &Server) -> String {
    let line = |event: String| {
        let words = event.split(' ').collect::<Vec<_>>();
        match words[1] {
            "renewal_declined" => Some(format!("{} tried\n", words[0])),
            "setting_changed" => Some(format!("{} {}\n", words[0], words[4])),
            _ => None,
        }
    };
    server.events().into_iter().filter_map(line).collect()
}

#[test]
fn changing_the_deduction_day_neither_misses_nor_doubles_a_try() {
    let server = penniless();
    let tool = Tool::new(&server, "acme");
    set_deduction_days(&tool, 3);
    advance(&server, "2026-03-26T12:00:00Z");
    set_deduction_days(&tool, 7);
    advance(&server, "2026-03-27T00:00:00Z");
    for days in [2, 7, 2] {
        set_deduction_days(&tool, days);
    }
    advance(&server, "2026-03-28T12:00:00Z");
    set_deduction_days(&tool, 7);
    // At the very instant of a try that is still to be made, and right after it.
    advance(&server, "2026-03-28T19:00:00Z");
    set_deduction_days(&tool, 6);
    advance(&server, "2026-03-28T19:00:01Z");
    set_deduction_days(&tool, 7);
    advance(&server, "2026-04-02T00:00:00Z");
    expect![[r#"
        2026-03-01T00:00:00Z {"setting":"deduction_days","value":"3"}
        2026-03-26T12:00:00Z {"setting":"deduction_days","value":"7"}
        2026-03-26T19:00:00Z tried
        2026-03-27T00:00:00Z {"setting":"deduction_days","value":"2"}
        2026-03-27T00:00:00Z {"setting":"deduction_days","value":"7"}
        2026-03-27T00:00:00Z {"setting":"deduction_days","value":"2"}
        2026-03-28T12:00:00Z {"setting":"deduction_days","value":"7"}
        2026-03-28T19:00:00Z {"setting":"deduction_days","value":"6"}
        2026-03-28T19:00:00Z tried
        2026-03-28T19:00:01Z {"setting":"deduction_days","value":"7"}
        2026-03-29T19:00:00Z tried
        2026-03-30T19:00:00Z tried
    "#]]
    .assert_eq(&tries(&server));
}

/// Changes the deduction day at `at`, whatever the clock has done by then.
fn change(server: &Server, at: Timestamp, days: u32) {
    server.on_writer(move |desk| {
        let changes = BTreeMap::from([("deduction_days".to_owned(), Some(days.to_string()))]);
        assert!(desk.engine.change_settings(at, "acme", &changes).unwrap().is_ok());
    });
}

#[test]
fn a_change_at_the_instant_of_a_try_that_was_made_does_not_repeat_it() {
    let server = penniless();
    let at = "2026-03-24T19:00:00Z".parse().unwrap();
    server.on_writer(move |desk| desk.engine.run_to(at, &mut |_, _| {}).unwrap());
    change(&server, at, 6);
    change(&server, at, 7);
    advance(&server, "2026-03-26T00:00:00Z");
    expect![[r#"
        2026-03-23T19:00:00Z tried
        2026-03-24T19:00:00Z tried
        2026-03-24T19:00:00Z {"setting":"deduction_days","value":"6"}
        2026-03-24T19:00:00Z {"setting":"deduction_days","value":"7"}
        2026-03-25T19:00:00Z tried
    "#]]
    .assert_eq(&tries(&server));
}

#[test]
fn a_bundle_that_is_behind_is_caught_up_on_under_the_new_setting() {
    for days in [2, 6] {
        let server = penniless();
        let at = "2026-03-27T00:00:00Z".parse().unwrap();
        // The clock has not come to the tries of these days yet.
        change(&server, at, days);
        advance(&server, "2026-04-01T00:00:00Z");
        let expected = match days {
            2 => expect![[r#"
                2026-03-27T00:00:00Z {"setting":"deduction_days","value":"2"}
                2026-03-28T19:00:00Z tried
                2026-03-29T19:00:00Z tried
                2026-03-30T19:00:00Z tried
            "#]],
            _ => expect![[r#"
                2026-03-27T00:00:00Z {"setting":"deduction_days","value":"6"}
                2026-03-24T19:00:00Z tried
                2026-03-25T19:00:00Z tried
                2026-03-26T19:00:00Z tried
                2026-03-27T19:00:00Z tried
                2026-03-28T19:00:00Z tried
                2026-03-29T19:00:00Z tried
                2026-03-30T19:00:00Z tried
            "#]],
        };
        expected.assert_eq(&tries(&server));
    }
}
