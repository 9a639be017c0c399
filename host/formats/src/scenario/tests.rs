//! What a scenario may say, and what is said of one that it may not.

use std::collections::BTreeSet;

use expect_test::Expect;
use expect_test::expect;

fn check(text: &str, expected: Expect) {
    let accounts = BTreeSet::from(["acme-hw", "acme-bd"]);
    let found = match super::read(text, &accounts) {
        Ok(entries) => entries.iter().map(|entry| format!("{entry:?}\n")).collect(),
        Err(problems) => problems.to_string(),
    };
    expected.assert_eq(&found);
}

fn check_command(command: &str, expected: Expect) {
    let entry = r#"[{"at": "2026-02-25T00:00:00Z", "do": "command", "resource": "e", "command": "#;
    check(&format!("{entry}{command}}}]"), expected);
}

#[test]
fn the_printed_example_reads_as_it_says() {
    let text = r#"[
      { "at": "2026-02-24T00:00:00Z", "do": "top_up", "account": "acme-hw", "amount": "500.00" },
      { "at": "2026-02-25T00:00:00Z", "do": "command", "resource": "ecs-1",
        "command": { "renew": { "term": { "count": 1, "unit": "year" } } } },
      { "at": "2026-03-01T00:00:00Z", "do": "set_attribute", "resource": "ecs-1", "name": "status", "value": "scaling" },
      { "at": "2026-03-02T00:00:00Z", "do": "use", "account": "acme-hw", "resource_type": "cci", "amount": "12.5" },
      { "at": "2026-03-03T00:00:00Z", "do": "outage", "until": "2026-03-09T12:00:00Z" }
    ]"#;
    check(
        text,
        expect![[r#"
            ScenarioEntry { at: Timestamp(1771891200), action: TopUp { account: "acme-hw", amount: Micros(500000000) } }
            ScenarioEntry { at: Timestamp(1771977600), action: Command { account: None, resource: "ecs-1", command: Renew(Renewal { term: Some(Term { count: 1, unit: Year }), cause: Command, options: {} }) } }
            ScenarioEntry { at: Timestamp(1772323200), action: SetAttribute { resource: "ecs-1", name: "status", value: "scaling" } }
            ScenarioEntry { at: Timestamp(1772409600), action: Use { account: "acme-hw", resource_type: "cci", amount: Micros(12500000) } }
            ScenarioEntry { at: Timestamp(1772496000), action: Outage { until: Timestamp(1773057600) } }
        "#]],
    );
}

#[test]
fn every_command_reads() {
    check_command(
        r#"{"renew": {}}"#,
        expect![[r#"
            ScenarioEntry { at: Timestamp(1771977600), action: Command { account: None, resource: "e", command: Renew(Renewal { term: None, cause: Command, options: {} }) } }
        "#]],
    );
    check_command(
        r#"{"renew": {"term": null, "options": {"flag": "CDS_EIP", "n": 3, "list": [1, {"a": null}], "no": false}}}"#,
        expect![[r#"
            ScenarioEntry { at: Timestamp(1771977600), action: Command { account: None, resource: "e", command: Renew(Renewal { term: None, cause: Command, options: {"flag": "CDS_EIP", "list": "[1,{\"a\":null}]", "n": "3", "no": "false"} }) } }
        "#]],
    );
    check_command(
        r#"{"set_auto_renew": {"term": null, "renewals": null}}"#,
        expect![[r#"
            ScenarioEntry { at: Timestamp(1771977600), action: Command { account: None, resource: "e", command: SetAutoRenew(AutoRenewal { term: None, renewals: None }) } }
        "#]],
    );
    check_command(
        r#"{"set_auto_renew": {"term": {"count": 7, "unit": "day"}, "renewals": 3}}"#,
        expect![[r#"
            ScenarioEntry { at: Timestamp(1771977600), action: Command { account: None, resource: "e", command: SetAutoRenew(AutoRenewal { term: Some(Term { count: 7, unit: Day }), renewals: Some(3) }) } }
        "#]],
    );
    check_command(
        r#""cancel_auto_renew""#,
        expect![[r#"
            ScenarioEntry { at: Timestamp(1771977600), action: Command { account: None, resource: "e", command: CancelAutoRenew } }
        "#]],
    );
    check_command(
        r#"{"unsubscribe": {"scope": "all"}}"#,
        expect![[r#"
            ScenarioEntry { at: Timestamp(1771977600), action: Command { account: None, resource: "e", command: Unsubscribe(All) } }
        "#]],
    );
    check_command(
        r#"{"unsubscribe": {"scope": "future"}}"#,
        expect![[r#"
            ScenarioEntry { at: Timestamp(1771977600), action: Command { account: None, resource: "e", command: Unsubscribe(Future) } }
        "#]],
    );
    check_command(
        r#""convert_on_expiry""#,
        expect![[r#"
            ScenarioEntry { at: Timestamp(1771977600), action: Command { account: None, resource: "e", command: ConvertOnExpiry } }
        "#]],
    );
    check_command(
        r#""cancel_conversion""#,
        expect![[r#"
            ScenarioEntry { at: Timestamp(1771977600), action: Command { account: None, resource: "e", command: CancelConversion } }
        "#]],
    );
    check_command(
        r#"{"buy_again": {"pay_at": "2026-03-01T00:00:00+08:00", "effective_at": null}}"#,
        expect![[r#"
            ScenarioEntry { at: Timestamp(1771977600), action: Command { account: None, resource: "e", command: BuyAgain(Purchase { pay_at: Some(Timestamp(1772294400)), effective_at: None }) } }
        "#]],
    );
}

#[test]
fn what_is_no_command_is_refused() {
    check_command(
        "7",
        expect![[r#"
            1 problem:
              [0].command (line 1): expected a command such as "cancel_auto_renew" or {"unsubscribe": {"scope": "all"}}, found the number 7"#]],
    );
    check_command(
        r#""renew""#,
        expect![[r#"
            1 problem:
              [0].command (line 1): write `renew` as an object: {"renew": {…}}"#]],
    );
    check_command(
        r#"{"cancel_auto_renew": {}}"#,
        expect![[r#"
            1 problem:
              [0].command.cancel_auto_renew (line 1): `cancel_auto_renew` has no fields; write it as text: "cancel_auto_renew""#]],
    );
    check_command(
        r#""cancel_auto_renewal""#,
        expect![[r#"
            1 problem:
              [0].command (line 1): there is no command `cancel_auto_renewal` (did you mean `cancel_auto_renew`?); expected `renew`, `set_auto_renew`, `unsubscribe`, `buy_again`, `change`, `subscribe`, `pay_order`, `cancel_order`, `cancel_auto_renew`, `convert_on_expiry`, `cancel_conversion` or `convert_now`"#]],
    );
    check_command(
        r#"{"buy": {}}"#,
        expect![[r#"
            1 problem:
              [0].command.buy (line 1): there is no command `buy`; expected `renew`, `set_auto_renew`, `unsubscribe`, `buy_again`, `change`, `subscribe`, `pay_order`, `cancel_order`, `cancel_auto_renew`, `convert_on_expiry`, `cancel_conversion` or `convert_now`"#]],
    );
    check_command(
        "{}",
        expect![[r#"
            1 problem:
              [0].command (line 1): a command is an object with one field, its name; this one has 0"#]],
    );
    check_command(
        r#"{"renew": {}, "buy_again": {}}"#,
        expect![[r#"
            1 problem:
              [0].command (line 1): a command is an object with one field, its name; this one has 2"#]],
    );
    check_command(
        r#"{"renew": {"cause": "auto", "term": {"count": 1}}}"#,
        expect![[r#"
            2 problems:
              [0].command.renew.cause (line 1): unknown field `cause`; expected `term` or `options`
              [0].command.renew.term.unit (line 1): the field is missing"#]],
    );
    check_command(
        r#"{"unsubscribe": {}}"#,
        expect![[r#"
            1 problem:
              [0].command.unsubscribe.scope (line 1): the field is missing"#]],
    );
    check_command(
        r#"{"unsubscribe": {"scope": "everything"}}"#,
        expect![[r#"
            1 problem:
              [0].command.unsubscribe.scope (line 1): there is no `everything`; expected `all` or `future`"#]],
    );
    check_command(
        r#"{"set_auto_renew": {"renewals": -1, "times": 3}}"#,
        expect![[r#"
            2 problems:
              [0].command.set_auto_renew.renewals (line 1): expected a whole number from 0 to 4294967295, found the number -1
              [0].command.set_auto_renew.times (line 1): unknown field `times`; expected `term` or `renewals`"#]],
    );
    check_command(
        r#"{"buy_again": {"pay_at": "tomorrow"}}"#,
        expect![[r#"
            1 problem:
              [0].command.buy_again.pay_at (line 1): `tomorrow` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`"#]],
    );
}

#[test]
fn every_problem_of_an_entry_is_listed() {
    let text = r#"[
      7,
      {},
      {"at": "2026-02-24", "do": "topup", "account": "acme-hw"},
      {"at": "2026-02-24T00:00:00Z", "do": "top_up", "account": "acme-wh", "amount": "0.00", "resource": "e"},
      {"at": "2026-02-24T00:00:00Z", "do": "command", "account": "", "resource": ""},
      {"at": "2026-02-24T00:00:00Z", "do": "set_attribute", "resource": "e", "name": "", "value": null},
      {"at": "2026-02-24T00:00:00Z", "do": "use", "account": null, "amount": "-1"},
      {"at": "2026-02-24T00:00:00Z", "at": "2026-02-25T00:00:00Z", "do": "outage"}
    ]"#;
    check(
        text,
        expect![[r#"
            18 problems:
              [0] (line 2): expected an object, found the number 7
              [1].do (line 3): the field is missing
              [1].at (line 3): the field is missing
              [2].at (line 4): `2026-02-24` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`
              [2].do (line 4): there is no `topup` (did you mean `top_up`?); expected `top_up`, `command`, `set_attribute`, `use` or `outage`
              [3].account (line 5): there is no account `acme-wh` (did you mean `acme-hw`?); there is `acme-bd` or `acme-hw`
              [3].amount (line 5): it is zero; expected an amount above 0.00
              [3].resource (line 5): unknown field `resource`; expected `at`, `do`, `account` or `amount`
              [4].command (line 6): the field is missing
              [4].account (line 6): it is empty; expected some text
              [4].resource (line 6): it is empty; expected some text
              [5].name (line 7): it is empty; expected some text
              [5].value (line 7): expected text, found null
              [6].resource_type (line 8): the field is missing
              [6].account (line 8): expected text, found null
              [6].amount (line 8): -1.00 is negative; expected 0.00 or more
              [7].until (line 9): the field is missing
              [7].at (line 9): the field is written twice in one object; keep one"#]],
    );
    check(
        "{}",
        expect![[r#"
            1 problem:
              the file (line 1): expected a list, found an object"#]],
    );
    check(
        "[",
        expect![[r#"
        1 problem:
          line 1, column 1: this is not JSON: EOF while parsing a list"#]],
    );
}

#[test]
fn entries_stand_in_time_order_and_outages_do_not_overlap() {
    let text = r#"[
      {"at": "2026-03-03T00:00:00Z", "do": "outage", "until": "2026-03-09T12:00:00Z"},
      {"at": "2026-03-04T00:00:00Z", "do": "top_up", "account": "acme-hw", "amount": "1.00"},
      {"at": "2026-03-03T12:00:00Z", "do": "top_up", "account": "acme-hw", "amount": "1.00"},
      {"at": "2026-03-05T00:00:00Z", "do": "outage", "until": "2026-03-06T00:00:00Z"},
      {"at": "2026-03-09T11:59:59Z", "do": "outage", "until": "2026-03-09T11:59:59Z"},
      {"at": "2026-03-09T12:00:00Z", "do": "outage", "until": "2026-03-10T00:00:00Z"}
    ]"#;
    check(
        text,
        expect![[r#"
            3 problems:
              [2].at (line 4): 2026-03-03T12:00:00Z is before `[1]`, which is at 2026-03-04T00:00:00Z; entries stand in time order
              [3].at (line 5): the host is still down then: the outage of `[0]` ends at 2026-03-09T12:00:00Z
              [4].until (line 6): 2026-03-09T11:59:59Z is not after `at`, which is 2026-03-09T11:59:59Z"#]],
    );
}
