//! `/v1/calendars` and the feeds that it makes.

use expect_test::expect;
use icalendar::Calendar;
use icalendar::CalendarComponent;
use icalendar::Component;
use serde_json::Value;
use serde_json::json;

use crate::harness::ApiResponse;
use crate::harness::Server;
use crate::jobs::crowd;

/// Makes a feed and returns its path.
fn make(server: &Server, token: &str, body: &Value) -> String {
    let made = server.post(token, "/v1/calendars", &body.to_string());
    assert_eq!(made.status, 201, "{}", made.body);
    made.json()["path"].as_str().unwrap().to_owned()
}

/// A feed as another program reads it: each entry's properties, checked for what every feed promises.
fn parsed(answer: &ApiResponse) -> Vec<icalendar::Event> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])));
    let calendar = answer.body.parse::<Calendar>().unwrap();
    let events = calendar.components.iter().filter_map(CalendarComponent::as_event).cloned();
    let events = events.collect::<Vec<_>>();
    let uids = events.iter().map(|event| event.get_uid().unwrap()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(uids.len(), events.len(), "no two entries have one UID");
    events
}

/// The text with 32 hexadecimal digits, such as a UID's or a version's, taken out.
fn settled(text: &str) -> String {
    let is_digit = |character: char| character.is_ascii_digit() || ('a'..='f').contains(&character);
    let mut settled = text.to_owned();
    let runs = text.split(|character| !is_digit(character)).filter(|run| run.len() == 32);
    for run in runs {
        settled = settled.replace(run, "[random]");
    }
    settled
}

/// Each entry in a line.
fn brief(answer: &ApiResponse) -> String {
    let mut text = String::new();
    for event in parsed(answer) {
        let of = |name: &str| event.property_value(name).unwrap().to_owned();
        text += &format!(
            "{} #{} {} {} {:?} as of {}\n",
            settled(&of("UID")),
            of("SEQUENCE"),
            of("STATUS"),
            of("DTSTART"),
            of("SUMMARY"),
            of("LAST-MODIFIED"),
        );
    }
    text
}

#[test]
fn a_feed_is_made_and_its_address_shown_once() {
    let server = Server::furnished();
    let body = r#"{"name": "Renewals, all", "occurrences": ["expiry", "try"]}"#;
    let send = || server.send("admin", "POST", "/v1/calendars", &["idempotency-key: k"], body);
    let made = send();
    let token = made.json()["calendar"]["created_by"].as_str().unwrap().to_owned();
    expect![[r#"
        201 Created
        content-type: application/json
        location: /v1/calendars/cal-1
        {
          "calendar": {
            "accounts": null,
            "created_at": "2026-01-01T00:00:00Z",
            "created_by": "[token]",
            "id": "cal-1",
            "name": "Renewals, all",
            "occurrences": [
              "try",
              "expiry"
            ],
            "revoked_at": null,
            "rotated_at": null
          },
          "path": "/calendars/[digest].ics"
        }"#]]
    .assert_eq(&made.shown().replace(&token, "[token]"));
    assert_eq!(send().json()["path"], Value::Null);
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "items": [
            {
              "accounts": null,
              "created_at": "2026-01-01T00:00:00Z",
              "created_by": "[token]",
              "id": "cal-1",
              "name": "Renewals, all",
              "occurrences": [
                "try",
                "expiry"
              ],
              "revoked_at": null,
              "rotated_at": null
            }
          ],
          "next_cursor": null
        }"#]]
    .assert_eq(&server.get("admin", "/v1/calendars").shown().replace(&token, "[token]"));
}

#[test]
fn a_feed_is_an_icalendar_file() {
    let server = Server::furnished();
    let path = make(&server, "admin", &json!({ "name": "Renewals; 续订\\", "accounts": ["acme-hw"] }));
    let feed = server.get("", &path);
    expect![[r#"
        200 OK
        cache-control: private, max-age=300
        content-type: text/calendar; charset=utf-8
        etag: "[random]"
        BEGIN:VCALENDAR[CR]
        VERSION:2.0[CR]
        PRODID:-//Perennial//Perennial//EN[CR]
        CALSCALE:GREGORIAN[CR]
        NAME:Renewals\; 续订\\[CR]
        X-WR-CALNAME:Renewals\; 续订\\[CR]
        REFRESH-INTERVAL;VALUE=DURATION:PT1H[CR]
        X-PUBLISHED-TTL:PT1H[CR]
        BEGIN:VEVENT[CR]
        UID:try-1@[random].perennial[CR]
        SEQUENCE:0[CR]
        DTSTAMP:20260101T000000Z[CR]
        LAST-MODIFIED:20260101T000000Z[CR]
        DTSTART:20260123T190000Z[CR]
        SUMMARY:ecs-1: renewal is tried[CR]
        DESCRIPTION:ecs in cn-north-4\, account acme-hw with huawei.\n1 month: 99.0[CR]
         0 CNY.\nAuto-renew is on.[CR]
        CATEGORIES:try[CR]
        STATUS:CONFIRMED[CR]
        TRANSP:TRANSPARENT[CR]
        END:VEVENT[CR]
        BEGIN:VEVENT[CR]
        UID:expiry-1@[random].perennial[CR]
        SEQUENCE:0[CR]
        DTSTAMP:20260101T000000Z[CR]
        LAST-MODIFIED:20260101T000000Z[CR]
        DTSTART:20260131T155959Z[CR]
        SUMMARY:ecs-1 expires[CR]
        DESCRIPTION:ecs in cn-north-4\, account acme-hw with huawei.\n1 month: 99.0[CR]
         0 CNY.\nAuto-renew is on.[CR]
        CATEGORIES:expiry[CR]
        STATUS:CONFIRMED[CR]
        TRANSP:TRANSPARENT[CR]
        END:VEVENT[CR]
        BEGIN:VEVENT[CR]
        UID:expiry-2@[random].perennial[CR]
        SEQUENCE:0[CR]
        DTSTAMP:20260101T000000Z[CR]
        LAST-MODIFIED:20260101T000000Z[CR]
        DTSTART:20261231T155959Z[CR]
        SUMMARY:pkg-1 expires[CR]
        DESCRIPTION:package in cn-north-4\, account acme-hw with huawei.\n1 year: 1[CR]
         20.00 CNY.\nAuto-renew is off.[CR]
        CATEGORIES:expiry[CR]
        STATUS:CONFIRMED[CR]
        TRANSP:TRANSPARENT[CR]
        END:VEVENT[CR]
        BEGIN:VEVENT[CR]
        UID:release-2@[random].perennial[CR]
        SEQUENCE:0[CR]
        DTSTAMP:20260101T000000Z[CR]
        LAST-MODIFIED:20260101T000000Z[CR]
        DTSTART:20261231T155959Z[CR]
        SUMMARY:pkg-1 is released[CR]
        DESCRIPTION:package in cn-north-4\, account acme-hw with huawei.\n1 year: 1[CR]
         20.00 CNY.\nAuto-renew is off.[CR]
        CATEGORIES:release[CR]
        STATUS:CONFIRMED[CR]
        TRANSP:TRANSPARENT[CR]
        END:VEVENT[CR]
        END:VCALENDAR[CR]
    "#]]
    .assert_eq(&settled(&feed.shown()).replace('\r', "[CR]"));
    let calendar = feed.body.parse::<Calendar>().unwrap();
    // This parser leaves a calendar's name as it is written.
    assert_eq!(calendar.get_name(), Some("Renewals\\; 续订\\\\"));
    let descriptions =
        parsed(&feed).iter().map(|event| event.get_description().unwrap().to_owned()).collect::<Vec<_>>();
    assert!(
        descriptions[0].contains("account acme-hw with huawei.\n1 month: 99.00 CNY."),
        "{descriptions:?}"
    );
}

#[test]
fn what_is_long_and_what_needs_escaping_comes_out_as_it_went_in() {
    let server = Server::furnished();
    let id = "续".repeat(20) + ", \"a\"; b\\n🗓" + &"é".repeat(20);
    let resource = json!({
        "id": id, "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
        "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
        "term": { "count": 1, "unit": "month" }, "price": "99.00",
    });
    let answer =
        server.post("admin", "/v1/resources:import", &json!({ "resources": [resource] }).to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    let path = make(&server, "admin", &json!({ "name": "n", "occurrences": ["expiry"] }));
    let summaries = parsed(&server.get("", &path))
        .iter()
        .map(|event| event.get_summary().unwrap().to_owned())
        .collect::<Vec<_>>();
    assert!(summaries.contains(&format!("{id} expires")), "{summaries:?}");
}

#[test]
fn entries_move_are_cancelled_and_come_back_with_a_sequence_that_grows() {
    let server = Server::furnished();
    let path = make(&server, "admin", &json!({ "name": "n", "accounts": ["acme-hw"] }));
    let mut text = String::new();
    let mut show = |what: &str| text += &format!("{what}\n{}", brief(&server.get("", &path)));
    show("at first");
    server.advance("2026-01-02T00:00:00Z");
    show("a day later: nothing has changed");
    server.post("operator", "/v1/resources/ecs-1:renew", "{}");
    show("renewed: its entries have moved");
    server.advance("2026-01-03T00:00:00Z");
    server.post("operator", "/v1/resources/ecs-1:cancel-auto-renew", "{}");
    show("auto-renew off: it is not tried any more, and will be released");
    server.post("operator", "/v1/resources/ecs-1:set-auto-renew", "{}");
    show("and on again");
    server.post("operator", "/v1/resources/ecs-1:unsubscribe", r#"{"scope": "all"}"#);
    show("given back: nothing of it comes true");
    server.advance("2026-02-02T00:00:00Z");
    show("thirty days later: it is not shown any more");
    expect![[r#"
        at first
        try-1@[random].perennial #0 CONFIRMED 20260123T190000Z "ecs-1: renewal is tried" as of 20260101T000000Z
        expiry-1@[random].perennial #0 CONFIRMED 20260131T155959Z "ecs-1 expires" as of 20260101T000000Z
        expiry-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 expires" as of 20260101T000000Z
        release-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 is released" as of 20260101T000000Z
        a day later: nothing has changed
        try-1@[random].perennial #0 CONFIRMED 20260123T190000Z "ecs-1: renewal is tried" as of 20260101T000000Z
        expiry-1@[random].perennial #0 CONFIRMED 20260131T155959Z "ecs-1 expires" as of 20260101T000000Z
        expiry-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 expires" as of 20260101T000000Z
        release-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 is released" as of 20260101T000000Z
        renewed: its entries have moved
        try-1@[random].perennial #1 CONFIRMED 20260220T190000Z "ecs-1: renewal is tried" as of 20260102T000000Z
        expiry-1@[random].perennial #1 CONFIRMED 20260228T155959Z "ecs-1 expires" as of 20260102T000000Z
        expiry-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 expires" as of 20260101T000000Z
        release-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 is released" as of 20260101T000000Z
        auto-renew off: it is not tried any more, and will be released
        try-1@[random].perennial #2 CANCELLED 20260220T190000Z "ecs-1: renewal is tried" as of 20260103T000000Z
        expiry-1@[random].perennial #2 CONFIRMED 20260228T155959Z "ecs-1 expires" as of 20260103T000000Z
        release-1@[random].perennial #0 CONFIRMED 20260330T155959Z "ecs-1 is released" as of 20260103T000000Z
        expiry-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 expires" as of 20260101T000000Z
        release-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 is released" as of 20260101T000000Z
        and on again
        try-1@[random].perennial #3 CONFIRMED 20260220T190000Z "ecs-1: renewal is tried" as of 20260103T000000Z
        expiry-1@[random].perennial #3 CONFIRMED 20260228T155959Z "ecs-1 expires" as of 20260103T000000Z
        release-1@[random].perennial #1 CANCELLED 20260330T155959Z "ecs-1 is released" as of 20260103T000000Z
        expiry-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 expires" as of 20260101T000000Z
        release-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 is released" as of 20260101T000000Z
        given back: nothing of it comes true
        try-1@[random].perennial #4 CANCELLED 20260220T190000Z "ecs-1: renewal is tried" as of 20260103T000000Z
        expiry-1@[random].perennial #4 CANCELLED 20260228T155959Z "ecs-1 expires" as of 20260103T000000Z
        release-1@[random].perennial #1 CANCELLED 20260330T155959Z "ecs-1 is released" as of 20260103T000000Z
        expiry-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 expires" as of 20260101T000000Z
        release-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 is released" as of 20260101T000000Z
        thirty days later: it is not shown any more
        expiry-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 expires" as of 20260101T000000Z
        release-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 is released" as of 20260101T000000Z
    "#]]
    .assert_eq(&text);
}

#[test]
fn what_came_true_stays_for_thirty_days_and_moves_if_it_is_to_be_again() {
    let server = Server::furnished();
    server.post("operator", "/v1/resources/ecs-1:cancel-auto-renew", "{}");
    let path = make(
        &server,
        "admin",
        &json!({ "name": "n", "accounts": ["acme-hw"], "occurrences": ["expiry", "release"] }),
    );
    let of_ecs = || {
        brief(&server.get("", &path))
            .lines()
            .filter(|line| line.contains("ecs-1"))
            .map(|line| line.to_owned() + "\n")
            .collect::<String>()
    };
    let mut text = String::new();
    for at in [
        "2026-01-01T00:00:00Z",
        "2026-02-01T00:00:00Z",
        "2026-03-02T15:00:00Z",
        "2026-03-03T00:00:00Z",
        "2026-04-02T00:00:00Z",
    ] {
        server.advance(at);
        text += &format!("at {at}\n{}", of_ecs());
    }
    expect![[r#"
        at 2026-01-01T00:00:00Z
        expiry-1@[random].perennial #0 CONFIRMED 20260131T155959Z "ecs-1 expires" as of 20260101T000000Z
        release-1@[random].perennial #0 CONFIRMED 20260302T155959Z "ecs-1 is released" as of 20260101T000000Z
        at 2026-02-01T00:00:00Z
        expiry-1@[random].perennial #0 CONFIRMED 20260131T155959Z "ecs-1 expires" as of 20260101T000000Z
        release-1@[random].perennial #0 CONFIRMED 20260302T155959Z "ecs-1 is released" as of 20260101T000000Z
        at 2026-03-02T15:00:00Z
        expiry-1@[random].perennial #0 CONFIRMED 20260131T155959Z "ecs-1 expires" as of 20260101T000000Z
        release-1@[random].perennial #0 CONFIRMED 20260302T155959Z "ecs-1 is released" as of 20260101T000000Z
        at 2026-03-03T00:00:00Z
        release-1@[random].perennial #0 CONFIRMED 20260302T155959Z "ecs-1 is released" as of 20260101T000000Z
        at 2026-04-02T00:00:00Z
    "#]]
    .assert_eq(&text);
    let late = Server::furnished();
    late.post("operator", "/v1/resources/ecs-1:cancel-auto-renew", "{}");
    let path =
        make(&late, "admin", &json!({ "name": "n", "accounts": ["acme-hw"], "occurrences": ["expiry"] }));
    let before = brief(&late.get("", &path));
    late.advance("2026-02-01T00:00:00Z");
    assert_eq!(brief(&late.get("", &path)), before);
    assert_eq!(late.post("operator", "/v1/resources/ecs-1:renew", "{}").status, 200);
    expect![[r#"
        expiry-1@[random].perennial #1 CONFIRMED 20260228T155959Z "ecs-1 expires" as of 20260201T000000Z
        expiry-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 expires" as of 20260101T000000Z
    "#]]
    .assert_eq(&brief(&late.get("", &path)));
}

#[test]
fn entries_that_no_longer_apply_are_cancelled_even_if_nobody_read_them() {
    let server = Server::furnished();
    let body = json!({ "name": "n", "accounts": ["acme-hw"], "occurrences": ["try", "expiry"] });
    let path = make(&server, "admin", &body);
    assert!(brief(&server.get("", &path)).contains("try-1@[random].perennial #0 CONFIRMED 20260123T190000Z"));
    server.post("operator", "/v1/resources/ecs-1:cancel-auto-renew", "{}");
    server.advance("2026-02-01T00:00:00Z");
    expect![[r#"
        try-1@[random].perennial #1 CANCELLED 20260123T190000Z "ecs-1: renewal is tried" as of 20260201T000000Z
        expiry-1@[random].perennial #0 CONFIRMED 20260131T155959Z "ecs-1 expires" as of 20260101T000000Z
        expiry-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 expires" as of 20260101T000000Z
    "#]]
    .assert_eq(&brief(&server.get("", &path)));
}

#[test]
fn a_feed_that_has_not_changed_is_not_sent_again() {
    let server = Server::furnished();
    let path = make(&server, "admin", &json!({ "name": "n" }));
    let first = server.get("", &path);
    let etag = first.headers["etag"].to_str().unwrap().to_owned();
    let again = |held: &str| server.send("", "GET", &path, &[&format!("if-none-match: {held}")], "");
    for held in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
        let answer = again(&held);
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (304, ""), "{held}");
        assert_eq!(answer.headers["etag"], etag.as_str());
    }
    assert_eq!(again("\"x\"").body, first.body);
    // What happens to others than resources changes nothing.
    server.post("operator", "/v1/accounts/acme-hw:top-up", r#"{"amount": "1.00"}"#);
    server.advance("2026-01-09T00:00:00Z");
    assert_eq!(again(&etag).status, 304);
    server.post("operator", "/v1/resources/ecs-1:renew", "{}");
    assert_eq!(again(&etag).status, 200);
}

#[test]
fn a_feed_shows_its_accounts_and_nothing_else() {
    let server = Server::furnished();
    let ours = make(&server, "bound-admin", &json!({ "name": "ours" }));
    let feed = server.get("", &ours).body;
    assert!(feed.contains("ecs-1") && !feed.contains("bcc-1"), "{feed}");
    let all = make(&server, "admin", &json!({ "name": "all" }));
    let feed = server.get("", &all).body;
    assert!(feed.contains("ecs-1") && feed.contains("bcc-1"), "{feed}");
    let names = |token| {
        let list = server.get(token, "/v1/calendars").json();
        list["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("admin"), ["ours", "all"]);
    assert_eq!(names("bound-admin"), ["ours"]);
    let hidden = server.post("bound-admin", "/v1/calendars", r#"{"name": "n", "accounts": ["beta-bd"]}"#);
    let none = server.post("bound-admin", "/v1/calendars", r#"{"name": "n", "accounts": ["none"]}"#);
    assert_eq!(hidden.status, 404);
    assert_eq!(hidden.body.replace("beta-bd", "none"), none.body);
    for verb in ["rotate", "revoke"] {
        assert_eq!(server.post("bound-admin", &format!("/v1/calendars/cal-2:{verb}"), "{}").status, 404);
    }
}

#[test]
fn an_address_leads_nowhere_once_it_is_changed_or_revoked() {
    let server = Server::furnished();
    let first = make(&server, "admin", &json!({ "name": "n" }));
    let before = brief(&server.get("", &first));
    let rotated = server.post("admin", "/v1/calendars/cal-1:rotate", "{}");
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "calendar": {
            "accounts": null,
            "created_at": "2026-01-01T00:00:00Z",
            "created_by": "[token]",
            "id": "cal-1",
            "name": "n",
            "occurrences": [
              "try",
              "expiry",
              "release"
            ],
            "revoked_at": null,
            "rotated_at": "2026-01-01T00:00:00Z"
          },
          "path": "/calendars/[digest].ics"
        }"#]]
    .assert_eq(
        &rotated.shown().replace(rotated.json()["calendar"]["created_by"].as_str().unwrap(), "[token]"),
    );
    let second = rotated.json()["path"].as_str().unwrap().to_owned();
    assert_eq!(brief(&server.get("", &second)), before, "the entries are the same ones");
    let gone = server.get("", &first);
    expect![[r#"
        404 Not Found
        content-type: application/problem+json
        {
          "detail": "there is no such calendar",
          "status": 404,
          "title": "There is no such object",
          "type": "urn:perennial:problem:not-found"
        }"#]]
    .assert_eq(&gone.shown());
    let revoked = server.post("admin", "/v1/calendars/cal-1:revoke", "{}");
    assert_eq!(revoked.json()["revoked_at"], "2026-01-01T00:00:00Z");
    assert_eq!(server.post("admin", "/v1/calendars/cal-1:revoke", "{}").json(), revoked.json());
    assert_eq!(server.get("", &second).body, gone.body);
    assert_eq!(server.get("", "/calendars/none.ics").body, gone.body);
    assert_eq!(server.get("", &second.replace(".ics", "")).body, gone.body);
    assert_eq!(server.post("admin", "/v1/calendars/cal-1:rotate", "{}").status, 409);
}

#[test]
fn a_feed_looks_four_hundred_days_ahead() {
    let server = Server::furnished();
    let path =
        make(&server, "admin", &json!({ "name": "n", "accounts": ["acme-hw"], "occurrences": ["expiry"] }));
    let years = r#"{"term": {"count": 2, "unit": "year"}}"#;
    server.post("operator", "/v1/accounts/acme-hw:top-up", r#"{"amount": "9000.00"}"#);
    let mut text = brief(&server.get("", &path));
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:renew", years).status, 200);
    text += "renewed for two years\n";
    text += &brief(&server.get("", &path));
    server.advance("2026-12-28T00:00:00Z");
    text += "when that is nearer\n";
    text += &brief(&server.get("", &path));
    expect![[r#"
        expiry-1@[random].perennial #0 CONFIRMED 20260131T155959Z "ecs-1 expires" as of 20260101T000000Z
        expiry-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 expires" as of 20260101T000000Z
        renewed for two years
        expiry-1@[random].perennial #1 CANCELLED 20260131T155959Z "ecs-1 expires" as of 20260101T000000Z
        expiry-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 expires" as of 20260101T000000Z
        when that is nearer
        expiry-2@[random].perennial #0 CONFIRMED 20261231T155959Z "pkg-1 expires" as of 20260101T000000Z
        expiry-1@[random].perennial #2 CONFIRMED 20280131T155959Z "ecs-1 expires" as of 20261228T000000Z
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_feed_has_ten_thousand_entries_ahead_and_no_more() {
    // Each expires, and is released a month later.
    let server = crowd(5_001);
    let path = make(&server, "admin", &json!({ "name": "n" }));
    let count = || {
        let feed = parsed(&server.get("", &path));
        let of = |status| feed.iter().filter(|event| event.property_value("STATUS") == Some(status)).count();
        (of("CONFIRMED"), of("CANCELLED"))
    };
    assert_eq!(count(), (10_000, 0));
    let body = r#"{"scope": "all"}"#;
    assert_eq!(server.post("operator", "/v1/resources/ecs-00000:unsubscribe", body).status, 200);
    assert_eq!(count(), (10_000, 2));
}

#[test]
fn a_body_that_makes_no_sense_is_told_everything() {
    let server = Server::furnished();
    let body = r#"{"accounts": "all", "occurrences": ["tries"], "colour": "red"}"#;
    expect![[r#"
        422 Unprocessable Entity
        content-type: application/problem+json
        {
          "detail": "4 problems; see `errors`",
          "errors": [
            {
              "detail": "the field is missing",
              "field": "name"
            },
            {
              "detail": "expected a list, found the text `all`",
              "field": "accounts"
            },
            {
              "detail": "there is no `tries`; expected `try`, `expiry` or `release`",
              "field": "occurrences[0]"
            },
            {
              "detail": "unknown field `colour`; expected `name`, `accounts` or `occurrences`",
              "field": "colour"
            }
          ],
          "status": 422,
          "title": "Some fields are invalid",
          "type": "urn:perennial:problem:invalid-fields"
        }"#]]
    .assert_eq(&server.post("admin", "/v1/calendars", body).shown());
}

/// The UIDs of a feed.
fn uids(server: &Server, path: &str) -> std::collections::BTreeSet<String> {
    let events = parsed(&server.get("", path));
    events.iter().map(|event| event.get_uid().unwrap().to_owned()).collect()
}

#[test]
fn no_feed_of_any_host_has_the_uid_of_another() {
    let (one, other) = (Server::furnished(), Server::furnished());
    let feed = json!({ "name": "n" });
    let paths = [make(&one, "admin", &feed), make(&one, "admin", &feed)];
    let feeds = [uids(&one, &paths[0]), uids(&one, &paths[1]), uids(&other, &make(&other, "admin", &feed))];
    assert!(feeds.iter().all(|feed| !feed.is_empty()));
    for (place, feed) in feeds.iter().enumerate() {
        assert!(feeds[..place].iter().all(|earlier| earlier.is_disjoint(feed)), "{feeds:#?}");
    }
    // They stay the same, whatever becomes of the address and of the host.
    let rotated = one.post("admin", "/v1/calendars/cal-1:rotate", "").json();
    let one = one.restarted();
    assert_eq!(uids(&one, rotated["path"].as_str().unwrap()), feeds[0]);
}
