//! What operators do on the pages: look at a plan and carry it out, approve, command many, edit a policy, move the clock.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use perennial_test_support::fragile::fragile;
use perennial_test_support::plugins;

use crate::browser::Browser;
use crate::browser::hidden;
use crate::browser::location;
use crate::browser::served;
use crate::browser::with_console;
use crate::harness::Server;
use crate::pages::lived_in;
use crate::risk::at_risk;

#[test]
fn a_command_is_looked_at_and_exactly_that_plan_is_carried_out() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "operator");
    let plan = "/resources/ecs-1/plan?command=renew&term=2%20month";
    let page = browser.page(plan);
    assert!(page.contains("198.00") && page.contains("2026-03-31 15:59 UTC"), "{page}");
    let hash = hidden(&page, "plan_hash");
    let fields = [
        ("command", "renew"),
        ("term", "2 month"),
        ("plan_hash", hash.as_str()),
        ("reason", "for the launch"),
    ];
    let page = browser.follow(plan, "/resources/ecs-1/command", &fields);
    assert!(page.contains("The plan was carried out.") && page.contains("2026-03-31 15:59 UTC"), "{page}");
    let again = browser.submit(plan, "/resources/ecs-1/command", &fields);
    assert_eq!(again.status.as_u16(), 409, "{}", again.body);
    assert!(again.body.contains("plan"), "{}", again.body);
    let audit = server.get("admin", "/v1/audit").json();
    assert_eq!(audit["items"][1]["reason"], "for the launch", "{audit}");
}

#[test]
fn a_package_is_bought_again_at_once_or_at_a_time_of_ones_own() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "operator");
    let now = "/resources/pkg-1/plan?command=buy_again";
    let page = browser.page(now);
    assert!(page.contains("takes effect immediately after payment") && page.contains("120.00"), "{page}");
    let hash = hidden(&page, "plan_hash");
    browser.follow(now, "/resources/pkg-1/command", &[("command", "buy_again"), ("plan_hash", &hash)]);
    let later = "/resources/pkg-1/plan?command=buy_again&pay_at=2026-01-05T00%3A00%3A00Z&effective_at=2026-01-03T00%3A00%3A00Z";
    let hash = hidden(&browser.page(later), "plan_hash");
    let fields = [
        ("command", "buy_again"),
        ("pay_at", "2026-01-05T00:00:00Z"),
        ("effective_at", "2026-01-03T00:00:00Z"),
        ("plan_hash", hash.as_str()),
    ];
    let page = browser.follow(later, "/resources/pkg-1/command", &fields);
    assert!(page.contains("package ordered"), "{page}");
    assert_eq!(server.get("admin", "/v1/packages").json()["items"].as_array().unwrap().len(), 2);
}

#[test]
fn a_refusal_of_the_provider_is_said_instead_of_a_plan() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "operator");
    let page = browser.page("/resources/ecs-1/plan?command=cancel_conversion");
    assert!(page.contains("This would be refused:") && !page.contains("plan_hash"), "{page}");
    let page = browser.page("/resources/ecs-1/plan?command=renew&term=x%20month");
    assert!(page.contains("role=\"alert\"") && page.contains("term"), "{page}");
    assert_eq!(browser.open("/resources/ecs-1/plan?command=sell").status.as_u16(), 404);
}

#[test]
fn plans_are_approved_many_at_once_and_by_nobody_who_asked_for_them() {
    let server = lived_in();
    let mut approver = Browser::signed_in(&server, "approver");
    let page = approver.page("/approvals");
    assert!(page.contains("1 plan, 99.00 CNY"), "{page}");
    let plan = hidden(&page, "plan");
    let mut operator = Browser::signed_in(&server, "operator");
    let refused = operator.submit("/approvals", "/approvals", &[("decision", "approve"), ("plan", &plan)]);
    assert_eq!(refused.status.as_u16(), 409, "{}", refused.body);
    assert_eq!(approver.submit("/approvals", "/approvals", &[("decision", "approve")]).status.as_u16(), 422);
    let page = approver.follow("/approvals", "/approvals", &[("decision", "approve"), ("plan", &plan)]);
    assert!(page.contains("Approved and carried out."), "{page}");
    assert_eq!(server.get("admin", "/v1/approvals/ecs-1~1").json()["state"], "approved");
}

#[test]
fn a_warning_that_is_acknowledged_is_put_aside_and_can_be_shown_again() {
    let server = served();
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:cancel-auto-renew", "{}").status, 200);
    server.advance("2026-01-25T00:00:00Z");
    let mut operator = Browser::signed_in(&server, "operator");
    let page = operator.page("/");
    assert!(page.contains("name=\"acknowledge\" value=\"ecs-1\""), "{page}");
    let fields = [("acknowledge", "ecs-1"), ("until", "2026-01-26"), ("reason", "is to lapse")];
    let page = operator.follow("/", "/warnings", &fields);
    assert!(page.contains("acknowledged: 1") && page.contains("name=\"recall\" value=\"ecs-1\""), "{page}");
    let list = server.get("viewer", "/v1/acknowledgements").json();
    assert_eq!(
        (&list["items"][0]["until"], &list["items"][0]["reason"]),
        (&"2026-01-26T00:00:00Z".into(), &"is to lapse".into())
    );
    let page = operator.follow("/", "/warnings", &[("recall", "ecs-1")]);
    assert!(page.contains("name=\"acknowledge\" value=\"ecs-1\""), "{page}");
    operator.follow("/", "/warnings", &fields);
    server.advance("2026-01-26T00:00:00Z");
    assert!(operator.page("/").contains("name=\"acknowledge\" value=\"ecs-1\""), "its time is over");
    operator.follow("/", "/warnings", &[("acknowledge", "ecs-1"), ("for", "good")]);
    server.advance("2026-02-01T00:00:00Z");
    assert!(operator.page("/").contains("name=\"acknowledge\" value=\"ecs-1\""), "it is at a worse stage");
    let page = Browser::signed_in(&server, "viewer").page("/");
    assert!(!page.contains("name=\"acknowledge\"") && page.contains("ecs-1"), "{page}");
}

#[test]
fn a_job_over_a_filter_is_run_dry_first_and_carried_out_by_its_plans() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "operator");
    let list = "/resources?account=acme-hw&tag=env%3Dprod";
    let page = browser.page(list);
    assert!(page.contains("ecs-1") && !page.contains("pkg-1"), "{page}");
    let filter = [
        ("which", "filter"),
        ("command", "renew"),
        ("account", "acme-hw"),
        ("tag", "env=prod"),
        ("term", "1 month"),
    ];
    let answer = browser.submit(list, "/jobs", &filter);
    assert_eq!(
        (answer.status.as_u16(), location(&answer)),
        (303, "/jobs/job-1?done=dry-run"),
        "{}",
        answer.body
    );
    server.finish_jobs();
    let page = browser.page("/jobs/job-1");
    assert!(page.contains("Carry out 1 plan") && page.contains("99.00 CNY"), "{page}");
    assert_eq!(server.get("admin", "/v1/accounts/acme-hw").json()["balance"], "500.00");
    browser.follow("/jobs/job-1", "/jobs/job-1/carry-out", &[("reason", "as planned")]);
    server.finish_jobs();
    assert!(browser.page("/jobs/job-2").contains("applied"));
    assert_eq!(server.get("admin", "/v1/accounts/acme-hw").json()["balance"], "401.00");
    assert_eq!(
        browser.submit(list, "/jobs", &[("which", "chosen"), ("command", "renew")]).status.as_u16(),
        422
    );
}

#[test]
fn renewals_are_what_expires_soon_and_so_is_what_a_job_there_does() {
    let server = served();
    server.advance("2026-01-02T00:00:00Z");
    let mut browser = Browser::signed_in(&server, "operator");
    let page = browser.page("/renewals");
    let (due, packages) = page.split_once("id=\"packages\"").unwrap();
    assert!(due.contains("ecs-1") && !due.contains(">pkg-1<") && packages.contains(">pkg-1<"), "{page}");
    assert_eq!(hidden(&page, "expires_before"), "2026-02-02T00:00:00Z");
    let page = browser.page("/renewals?expires_before=2026-01-31");
    assert_eq!(hidden(&page, "expires_before"), "2026-01-31T00:00:00Z");
    assert!(!page.contains("ecs-1"), "{page}");
    let found = browser.open("/renewals?id=ecs-1&account=");
    assert_eq!((found.status.as_u16(), location(&found)), (303, "/resources/ecs-1"));
}

#[test]
fn a_policy_is_edited_with_its_errors_in_place() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "admin");
    let file = "[[policy]]\r\nname = \"dear\"\r\nscript = \"dear.rhai\"\r\nmode = \"shadow\"\r\n";
    let edit = |source: &'static str, action: &'static str| {
        [("file", file), ("script", "dear.rhai"), ("source", source), ("do", action)]
    };
    let broken = "fn rule(plan) {\r\n    deny(\"<b>dear</b>\"\r\n}\r\n";
    let answer = browser.submit("/policies", "/policies", &edit(broken, "install"));
    assert_eq!(answer.status.as_u16(), 422, "{}", answer.body);
    let (_, below) = answer.body.split_once("<ol class=\"source\"").unwrap();
    let (third, message) = ("<code>}</code>", "(line 3, column");
    assert!(answer.body.contains("1 problem") && below.contains("&lt;b&gt;dear"), "{}", answer.body);
    assert!(below.find(third).unwrap() < below.find(message).unwrap(), "{below}");
    assert!(!answer.body.contains("see `errors`"), "{}", answer.body);
    let sound = "fn rule(plan) {\r\n    deny(\"too dear\")\r\n}\r\n";
    let answer = browser.submit("/policies", "/policies", &edit(sound, "check"));
    assert!(answer.status.as_u16() == 200 && answer.body.contains("It can be installed."), "{}", answer.body);
    assert_eq!(server.get("admin", "/v1/policies").json()["items"].as_array().unwrap().len(), 0);
    browser.follow("/policies", "/policies", &edit(sound, "install"));
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:renew", "{}").status.as_u16(), 200);
    let page = browser.page("/policies/dear");
    assert!(page.contains("too dear") && page.contains("99.00"), "{page}");
    assert!(page.contains("mode = &quot;shadow&quot;"), "{page}");
    browser.follow("/policies/dear", "/policies/dear/remove", &[("reason", "it was a trial")]);
    assert_eq!(server.get("admin", "/v1/policies").json()["items"].as_array().unwrap().len(), 0);
}

#[test]
fn virtual_time_is_moved_from_the_page() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "admin");
    let page = browser.follow("/clock", "/clock", &[("days", "30")]);
    assert!(page.contains("2026-01-31 00:00 UTC"), "{page}");
    let page = browser.page("/events?type=renewal_settled&since=2026-01-01T00:00:00Z");
    assert!(page.contains(">ecs-1</a>"), "{page}");
    let back = browser.submit("/clock", "/clock", &[("to", "2026-01-01T00:00:00Z")]);
    assert!(back.status.is_client_error(), "{}", back.status);
}

#[test]
fn settings_change_only_where_the_form_says_otherwise() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "admin");
    let page = browser.follow(
        "/accounts/acme-hw",
        "/accounts/acme-hw/settings",
        &[("setting.deduction_days", "3"), ("budget", "900.00"), ("approval_above", "")],
    );
    assert!(page.contains("Saved.") && page.contains("900.00"), "{page}");
    let account = server.get("admin", "/v1/accounts/acme-hw").json();
    assert_eq!(account["settings"], serde_json::json!({ "deduction_days": "3" }));
    let wrong = browser.submit(
        "/accounts/acme-hw",
        "/accounts/acme-hw/settings",
        &[("setting.deduction_days", "99")],
    );
    assert_eq!(wrong.status.as_u16(), 422, "{}", wrong.body);
}

#[test]
fn tags_are_set_and_taken_away() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "operator");
    browser.follow("/resources/ecs-1", "/resources/ecs-1/tags", &[("tags", "team=shop\r\nlive\r\n")]);
    let tags = &server.get("admin", "/v1/resources/ecs-1").json()["tags"];
    assert_eq!(tags, &serde_json::json!({ "team": "shop", "live": "" }));
}

#[test]
fn events_are_followed_with_a_session() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "viewer");
    let answer = browser.open("/events/stream");
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    assert_eq!(Browser::new(&server).open("/events/stream").status.as_u16(), 303);
}

/// A host with the usual inventory, whose plugins fail about the bundles whose primaries `breaks` names.
fn failing(breaks: fn(&str) -> bool) -> (Server, Arc<AtomicBool>) {
    let (providers, is_broken) = fragile(plugins::bundled(), move |bundle| breaks(&bundle.primary().id));
    is_broken.store(false, Ordering::Relaxed);
    let server = with_console(Server::over(providers));
    let resource = |number: usize| {
        serde_json::json!({
            "id": format!("ecs-{number}"), "account": "acme-hw", "kind": "ecs", "region": "cn-north-4",
            "charging": "prepaid", "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "9.00", "on_expiry": "renew",
        })
    };
    let inventory = serde_json::json!({
        "accounts": [{ "id": "acme-hw", "provider": "huawei", "currency": "CNY", "balance": "900.00" }],
        "resources": (1..=10).map(resource).collect::<Vec<_>>(),
    });
    assert_eq!(server.post("admin", "/v1/resources:import", &inventory.to_string()).status, 200);
    server.advance("2026-01-10T00:00:00Z");
    is_broken.store(true, Ordering::Relaxed);
    (server, is_broken)
}

#[test]
fn a_parked_bundle_is_at_risk_and_released_on_the_page_of_plugins() {
    let (server, is_broken) = failing(|id| id == "ecs-1");
    server.advance("2026-01-25T00:00:00Z");
    let risk = at_risk(&server);
    assert!(risk.contains("ecs-1") && risk.contains("its plugin fails, and nothing of it is done"), "{risk}");
    assert!(!risk.contains("ecs-2"), "{risk}");
    let page = Browser::signed_in(&server, "viewer").page("/plugins");
    assert!(page.contains("Parked: the plugin fails over each of these alone"), "{page}");
    assert!(!page.contains("Ask again"), "who only looks has no button: {page}");
    is_broken.store(false, Ordering::Relaxed);
    let mut operator = Browser::signed_in(&server, "operator").in_chinese();
    assert!(operator.page("/plugins").contains("重新询问"));
    let page = operator.follow("/plugins", "/plugins", &[("resource", "ecs-1")]);
    assert!(!page.contains("已搁置：插件在以下每个资源上失败"), "{page}");
    server.advance("2026-01-25T00:00:01Z");
    assert!(!at_risk(&server).contains("ecs-1"));
}

#[test]
fn a_revision_that_is_not_asked_is_released_on_the_page_of_plugins() {
    let (server, is_broken) = failing(|_| true);
    server.advance("2026-01-23T19:30:00Z");
    let mut operator = Browser::signed_in(&server, "operator");
    let page = operator.page("/plugins");
    assert!(page.contains("Revisions that fail over everything") && page.contains("badge bad"), "{page}");
    assert!(at_risk(&server).contains("is not asked before"), "what waits is at risk");
    is_broken.store(false, Ordering::Relaxed);
    let breakers = server.get("admin", "/v1/plugins/breakers").json();
    let revision = breakers["items"][0]["revision"].as_str().unwrap();
    let page = operator.follow("/plugins", "/plugins", &[("revision", revision)]);
    assert!(!page.contains("Revisions that fail over everything"), "{page}");
    server.advance("2026-01-23T19:30:01Z");
    assert!(!at_risk(&server).contains("is not asked before"));
}

#[test]
fn a_chinese_page_explains_refuses_and_rules_in_chinese() {
    let server = lived_in();
    let mut browser = Browser::signed_in(&server, "admin").in_chinese();
    let page = browser.page("/resources/ecs-1");
    let (_, why) = page.split_once("id=\"why\"").unwrap();
    let why = why.split("</section>").next().unwrap();
    assert!(why.contains("使用中：已付费至") && why.contains("等待审批"), "{why}");
    for english in ["it is paid for until", "waits for the approval", "its renewal is tried"] {
        assert!(!why.contains(english), "{why}");
    }
    let answer = browser.submit("/accounts/acme-hw", "/accounts/acme-hw/top-up", &[("amount", "0")]);
    assert!(answer.status == 422 && answer.body.contains("金额为零；应大于 0.00"), "{}", answer.body);
    let nothing = browser.open("/accounts/none");
    assert!(
        nothing.body.contains("没有账户 <code>none</code>") && nothing.body.contains("没有此对象"),
        "{}",
        nothing.body
    );
    let fields = [
        ("file", "[[policy]]\nname = \"dear\"\nscript = \"dear.rhai\"\n"),
        ("script", "dear.rhai"),
        ("source", "fn rule(plan) {\n    deny(\"too dear\")\n}\n"),
        ("resource", "ecs-1"),
        ("do", "run"),
    ];
    let answer = browser.submit("/policies", "/policies", &fields);
    assert!(
        answer.body.contains("拒绝：too dear") && answer.body.contains("被 <code>dear</code> 拒绝"),
        "{}",
        answer.body
    );
    let of_none = fields.map(|(name, value)| (name, if name == "resource" { "ecs-99" } else { value }));
    let answer = browser.submit("/policies", "/policies", &of_none);
    let is_kept = answer.body.contains("too dear") && answer.body.contains("ecs-99");
    assert!(answer.status == 200 && is_kept, "what was entered is still there: {}", answer.body);
}

#[test]
fn every_command_that_is_offered_opens_without_a_problem() {
    let server = served();
    let mut operator = Browser::signed_in(&server, "operator");
    for resource in ["ecs-1", "pkg-1"] {
        let page = operator.page(&format!("/resources/{resource}"));
        let (_, commands) = page.split_once("class=\"commands\"").unwrap();
        let commands = commands.split_once("</nav>").unwrap().0;
        let paths = commands.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        for path in paths.map(|path| path.replace("&amp;", "&")) {
            let page = operator.page(&path);
            assert!(!page.contains("1 problem"), "{path}: {page}");
        }
        assert_eq!(commands.contains("convert"), resource == "ecs-1", "{commands}");
    }
    let path = "/resources/ecs-1/plan?command=unsubscribe";
    let page = operator.page(path);
    assert!(page.contains("value=\"all\" selected") && !page.contains("role=\"alert\""), "{page}");
    let hash = hidden(&page, "plan_hash");
    let scope = hidden(&page, "scope");
    let fields = [("command", "unsubscribe"), ("scope", &*scope), ("plan_hash", &*hash)];
    let page = operator.follow(path, "/resources/ecs-1/command", &fields);
    assert!(page.contains("The plan was carried out."), "{page}");
}

#[test]
fn a_shadow_is_installed_as_one_and_compared_as_if_it_were_active() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "admin");
    let text =
        |mode: &str| format!("[[policy]]\nname = \"dear\"\nscript = \"dear.rhai\"\nmode = \"{mode}\"\n");
    let source = "fn rule(plan) {\n    deny(\"too dear\")\n}\n";
    let shadow = text("shadow");
    let fields = [("file", &*shadow), ("script", "dear.rhai"), ("source", source), ("months", "2")];
    let answer = browser.submit("/policies", "/policy-comparison", &fields);
    assert!(answer.status == 200 && answer.body.contains("as if it were active"), "{}", answer.body);
    assert!(!answer.body.contains("Nothing: the same") && answer.body.contains("ecs-1"), "{}", answer.body);
    let install = [&fields[..3], &[("do", "install")]].concat();
    let page = browser.follow("/policies", "/policies", &install);
    let done = |page: &str| {
        page.split_once("class=\"done\" role=\"status\">").unwrap().1.split_once("</p>").unwrap().0.to_owned()
    };
    assert!(
        done(&page).contains("changes nothing") && !done(&page).contains("from the next plan on"),
        "{page}"
    );
    assert!(page.contains("admin</div>"), "who installed it is said by name: {page}");
    let active = text("active");
    let install = [("file", &*active), ("script", "dear.rhai"), ("source", source), ("do", "install")];
    let page = browser.follow("/policies", "/policies", &install);
    assert_eq!(done(&page), "The policies hold from the next plan on.");
    let page = browser.page("/policies/dear");
    let history = page.split_once("id=\"history\"").unwrap().1;
    let tokens = server.get("admin", "/v1/tokens").json();
    let id = tokens["items"].as_array().unwrap().iter().find(|token| token["name"] == "admin").unwrap();
    assert!(history.contains(" admin") && !history.contains(id["id"].as_str().unwrap()), "{history}");
}

#[test]
fn cancelling_a_job_that_has_ended_says_that_it_has() {
    let server = lived_in();
    let mut operator = Browser::signed_in(&server, "operator");
    let page = operator.follow("/jobs/job-1", "/jobs/job-1/cancel", &[]);
    assert!(page.contains("It had ended before") && !page.contains("was cancelled"), "{page}");
}

#[test]
fn what_was_entered_stands_below_what_is_wrong_with_it() {
    let server = served();
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:cancel-auto-renew", "{}").status, 200);
    server.advance("2026-01-25T00:00:00Z");
    let mut operator = Browser::signed_in(&server, "operator");
    let fields = [("acknowledge", "ecs-1"), ("until", "next <b>week"), ("reason", "is to lapse")];
    let answer = operator.submit("/", "/warnings", &fields);
    assert_eq!(answer.status.as_u16(), 422, "{}", answer.body);
    for kept in
        ["value=\"next &lt;b&gt;week\"", "value=\"is to lapse\"", "name=\"acknowledge\" value=\"ecs-1\""]
    {
        assert!(answer.body.contains(kept), "{kept}: {}", answer.body);
    }
    assert!(answer.body.contains("action=\"/warnings\""), "{}", answer.body);
    // It is sent again from there, put right.
    let (proof, once) = (hidden(&answer.body, "proof"), hidden(&answer.body, "once"));
    let right = [fields[0], ("until", "2026-01-26"), fields[2], ("proof", &proof), ("once", &once)];
    assert_eq!(operator.send("/warnings", &right).status.as_u16(), 303);
    let answer = operator.open("/resources?account=acme-hw&expires_before=soon");
    assert!(
        answer.status == 400 && answer.body.contains("name=\"account\" value=\"acme-hw\""),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("method=\"get\" action=\"/resources\""), "{}", answer.body);
    let secret = [("kind", "dingtalk"), ("url", "nowhere"), ("secret", "SEC-1"), ("description", "the ops")];
    let answer = Browser::signed_in(&server, "admin").submit("/channels", "/channels", &secret);
    assert!(answer.status == 422 && answer.body.contains("value=\"the ops\""), "{}", answer.body);
    assert!(!answer.body.contains("SEC-1"), "a secret is not shown again: {}", answer.body);
}

#[test]
fn a_warning_is_acknowledged_for_a_week_unless_somebody_says_otherwise() {
    let server = served();
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:cancel-auto-renew", "{}").status, 200);
    server.advance("2026-01-25T00:00:00Z");
    let mut operator = Browser::signed_in(&server, "operator");
    let mut until = |how_long: &str| {
        let fields = [("acknowledge", "ecs-1"), ("until", ""), ("for", how_long)];
        operator.follow("/", "/warnings", &fields);
        server.get("viewer", "/v1/acknowledgements").json()["items"][0]["until"].clone()
    };
    assert_eq!(until("day"), "2026-01-26T00:00:00Z");
    assert_eq!(until("week"), "2026-02-01T00:00:00Z");
    assert_eq!(until("good"), serde_json::Value::Null);
    assert_eq!(until(""), "2026-02-01T00:00:00Z");
    let page = operator.page("/");
    assert!(page.contains("value=\"week\" selected"), "{page}");
    assert!(
        page.contains("acknowledged: 1") && page.contains("until <time datetime=\"2026-02-01T00:00:00Z\""),
        "{page}"
    );
}
