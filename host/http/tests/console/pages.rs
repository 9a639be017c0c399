//! Every page for every role, in both languages: what it is answered, what it weighs, and that it has no script inside.

use std::fmt::Write;

use expect_test::expect;
use perennial_http::console;

use crate::browser::Browser;
use crate::browser::location;
use crate::browser::served;
use crate::harness::Server;

/// The most that a page weighs, in bytes.
pub const WEIGHT_MAX: usize = 300_000;

/// Every page, with something that there is in the place of its ID.
pub const PAGES: [&str; 31] = [
    "/sign-in",
    "/",
    "/renewals",
    "/resources",
    "/resources/ecs-1",
    "/resources/ecs-1/plan?command=renew",
    "/resources/bcc-1",
    "/accounts",
    "/accounts/acme-hw",
    "/accounts/beta-bd",
    "/approvals",
    "/approvals/ecs-1~1",
    "/jobs",
    "/jobs/job-1",
    "/calendar",
    "/forecast?months=3",
    "/events",
    "/policies",
    "/policies/small-only",
    "/plugins",
    "/plugins/revisions/{revision}",
    "/plugins/change?do=promote&provider=volcengine&accounts=vol",
    "/webhooks",
    "/webhooks/{webhook}",
    "/webhooks/none",
    "/channels",
    "/channels/{channel}",
    "/channels/none",
    "/tokens",
    "/audit",
    "/clock",
];

/// The address of one of [`PAGES`], with the IDs of what [`lived_in`] made.
pub fn address(server: &Server, page: &str) -> String {
    let first = |list: &str, name: &str| {
        let list = server.get("admin", list).json();
        list["items"][0][name].as_str().unwrap().to_owned()
    };
    match page {
        "/webhooks/{webhook}" => format!("/webhooks/{}", first("/v1/webhooks", "id")),
        "/channels/{channel}" => format!("/channels/{}", first("/v1/channels", "id")),
        "/plugins/revisions/{revision}" => {
            format!("/plugins/revisions/{}", first("/v1/plugins/revisions", "digest"))
        }
        page => page.to_owned(),
    }
}

/// Whether a page is what is routed at `route`.
pub fn is_at(page: &str, route: &str) -> bool {
    let (page, route) = (page.split('?').next().unwrap().split('/'), route.split('/'));
    page.clone().count() == route.clone().count()
        && page.zip(route).all(|(word, known)| word == known || known.starts_with('{'))
}

/// A server on which there is something to see on every page.
pub fn lived_in() -> Server {
    let server = served();
    let limit = r#"{"approval_above": "50.00"}"#;
    assert_eq!(server.send("admin", "PATCH", "/v1/accounts/acme-hw", &[], limit).status, 200);
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:renew", "{}").status, 202);
    let job = r#"{"command": "cancel_auto_renew", "ids": ["ecs-1"], "dry_run": true}"#;
    assert_eq!(server.post("operator", "/v1/jobs", job).status, 202);
    let policy = serde_json::json!({
        "file": "[[policy]]\nname = \"small-only\"\nscript = \"small-only.rhai\"\nmode = \"shadow\"\n",
        "scripts": { "small-only.rhai": "fn rule(plan) {\n    approve()\n}\n" },
    });
    assert_eq!(server.post("admin", "/v1/policies", &policy.to_string()).status, 200);
    let webhook = r#"{"url": "https://example.com/hook"}"#;
    assert_eq!(server.post("admin", "/v1/webhooks", webhook).status, 201);
    let channel = r#"{"kind": "slack", "url": "https://hooks.slack.com/services/x"}"#;
    assert_eq!(server.post("admin", "/v1/channels", channel).status, 201);
    bind_shadow(&server, "vol");
    server.finish_jobs();
    server
}

/// Installs another table of Volcengine's rules, which tries late, and has it asked in shadow for `accounts`; returns its digest.
pub fn bind_shadow(server: &Server, accounts: &str) -> String {
    let table = include_str!("../../../../plugins/declared/tables/volcengine.toml");
    let table = table.replace("days = [7, 6, 5, 4, 3, 2, 1, 0]", "days = [3, 2, 1, 0]");
    let late = serde_json::json!({ "name": "late.toml", "table": table });
    let installed = server.post("admin", "/v1/plugins/revisions", &late.to_string());
    assert_eq!(installed.status, 200, "{}", installed.body);
    let digest = installed.json()["digest"].as_str().unwrap().to_owned();
    let bind = serde_json::json!({ "digest": digest, "accounts": accounts, "mode": "shadow" });
    let bound = server.post("admin", "/v1/plugins/bindings", &bind.to_string());
    assert_eq!(bound.status, 200, "{}", bound.body);
    digest
}

#[test]
fn every_page_that_is_routed_is_looked_at() {
    let forgotten =
        console::page_paths().into_iter().filter(|route| !PAGES.iter().any(|page| is_at(page, route)));
    assert_eq!(forgotten.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_page_asks_for_its_role_and_shows_nothing_outside_the_scope() {
    let server = lived_in();
    let roles = ["viewer", "operator", "approver", "admin", "bound-viewer", "bound-admin"];
    let mut table = "nobody | viewer operator approver admin | bound: viewer admin\n".to_owned();
    for page in PAGES {
        let path = &address(&server, page);
        write!(table, "{page:<38} {}", Browser::new(&server).open(path).status.as_u16()).unwrap();
        for role in roles {
            let bar = if ["viewer", "bound-viewer"].contains(&role) { " |" } else { "" };
            let answer = Browser::signed_in(&server, role).open(path);
            write!(table, "{bar} {}", answer.status.as_u16()).unwrap();
            if role.starts_with("bound") && answer.status.as_u16() == 200 {
                for hidden in ["beta-bd", "bcc-1"] {
                    assert!(!answer.body.contains(hidden), "{path} for {role}: {}", answer.body);
                }
            }
        }
        table.push('\n');
    }
    expect![[r#"
        nobody | viewer operator approver admin | bound: viewer admin
        /sign-in                               200 | 200 200 200 200 | 200 200
        /                                      303 | 200 200 200 200 | 200 200
        /renewals                              303 | 200 200 200 200 | 200 200
        /resources                             303 | 200 200 200 200 | 200 200
        /resources/ecs-1                       303 | 200 200 200 200 | 200 200
        /resources/ecs-1/plan?command=renew    303 | 403 200 200 200 | 403 200
        /resources/bcc-1                       303 | 200 200 200 200 | 404 404
        /accounts                              303 | 200 200 200 200 | 200 200
        /accounts/acme-hw                      303 | 200 200 200 200 | 200 200
        /accounts/beta-bd                      303 | 200 200 200 200 | 404 404
        /approvals                             303 | 200 200 200 200 | 200 200
        /approvals/ecs-1~1                     303 | 200 200 200 200 | 200 200
        /jobs                                  303 | 200 200 200 200 | 200 200
        /jobs/job-1                            303 | 200 200 200 200 | 404 404
        /calendar                              303 | 200 200 200 200 | 200 200
        /forecast?months=3                     303 | 200 200 200 200 | 200 200
        /events                                303 | 200 200 200 200 | 200 200
        /policies                              303 | 200 200 200 200 | 403 403
        /policies/small-only                   303 | 200 200 200 200 | 403 403
        /plugins                               303 | 200 200 200 200 | 200 200
        /plugins/revisions/{revision}          303 | 200 200 200 200 | 403 403
        /plugins/change?do=promote&provider=volcengine&accounts=vol 303 | 403 403 403 200 | 403 403
        /webhooks                              303 | 403 200 200 200 | 403 200
        /webhooks/{webhook}                    303 | 403 200 200 200 | 403 404
        /webhooks/none                         303 | 403 404 404 404 | 403 404
        /channels                              303 | 403 200 200 200 | 403 200
        /channels/{channel}                    303 | 403 200 200 200 | 403 404
        /channels/none                         303 | 403 404 404 404 | 403 404
        /tokens                                303 | 403 200 200 200 | 403 200
        /audit                                 303 | 403 403 403 200 | 403 200
        /clock                                 303 | 200 200 200 200 | 200 200
    "#]]
    .assert_eq(&table);
}

#[test]
fn every_page_is_light_whole_and_without_inline_script_or_style() {
    let server = lived_in();
    for chinese in [false, true] {
        let browser = Browser::signed_in(&server, "admin");
        let mut browser = if chinese { browser.in_chinese() } else { browser };
        for page in PAGES.iter().filter(|page| !page.ends_with("/none")) {
            let path = &address(&server, page);
            let answer = browser.open(path);
            let page = &answer.body;
            assert_eq!(answer.status.as_u16(), 200, "{path}: {page}");
            assert!(page.len() < WEIGHT_MAX, "{path} weighs {}", page.len());
            let language = if chinese { "<html lang=\"zh-CN\">" } else { "<html lang=\"en\">" };
            assert!(page.contains(language), "{path}: {page}");
            assert_eq!(page.matches("<h1>").count(), 1, "{path}: {page}");
            assert_eq!(
                page.matches("<script").count(),
                page.matches("<script src=\"/assets/").count(),
                "{path}"
            );
            for inline in [" style=", "<style", " onclick=", " onload=", " onerror=", "javascript:"] {
                assert!(!page.contains(inline), "{path} has {inline}");
            }
            let policy = answer.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            assert_eq!(answer.headers["cache-control"], "no-store");
        }
    }
}

#[test]
fn what_pages_load_is_kept_for_ever_under_its_digest() {
    let server = served();
    let mut browser = Browser::new(&server);
    let page = browser.page("/sign-in");
    let assets = page.split('"').filter(|text| text.starts_with("/assets/")).collect::<Vec<_>>();
    assert_eq!(assets.len(), 3, "{page}");
    for asset in assets {
        let answer = browser.open(asset);
        assert_eq!(answer.status.as_u16(), 200, "{asset}");
        assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

#[test]
fn the_admin_api_is_beside_the_console_as_it_was() {
    let server = served();
    for (path, status) in
        [("/healthz", 200), ("/docs", 200), ("/openapi.json", 200), ("/nowhere", 404), ("/v1/none", 404)]
    {
        let answer = server.get("admin", path);
        assert_eq!(answer.status.as_u16(), status, "{path}");
        if status == 404 {
            assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
        }
    }
    let described = server.get("", "/openapi.json").json();
    assert!(described["paths"].as_object().unwrap().keys().all(|path| path.starts_with("/v1/")
        || ["/healthz", "/readyz", "/metrics", "/calendars/{file}"].contains(&path.as_str())));
    // A token in a header signs nobody in to the console, and a session none in to the API.
    assert_eq!(server.get("admin", "/").status.as_u16(), 303);
    assert_eq!(Browser::signed_in(&server, "admin").open("/v1/accounts").status.as_u16(), 401);
}

#[test]
fn a_page_says_in_which_zone_its_times_are() {
    let server = lived_in();
    let mut browser = Browser::signed_in(&server, "viewer");
    let expiry = |page: &str| page.contains("2026-01-31 15:59 UTC");
    assert!(expiry(&browser.page("/resources/ecs-1")));
    for (zone, own) in [("provider", ""), ("own", "Asia/Shanghai"), ("own", "+08:00")] {
        let page = browser.follow(
            "/resources/ecs-1",
            "/preferences",
            &[("zone", zone), ("own_zone", own), ("language", "zh-CN"), ("back", "/resources/ecs-1")],
        );
        assert!(
            page.contains("2026-01-31 23:59 +08:00") && page.contains("lang=\"zh-CN\""),
            "{zone} {own}: {page}"
        );
    }
    let nowhere = browser.submit("/", "/preferences", &[("zone", "own"), ("own_zone", "Mars/<b>Olympus")]);
    assert_eq!(nowhere.status.as_u16(), 422);
    assert!(nowhere.body.contains("Mars/&lt;b&gt;Olympus"), "{}", nowhere.body);
}

#[test]
fn a_resource_is_drawn_as_it_was_is_and_will_be_in_both_languages() {
    let server = lived_in();
    let lane = |browser: Browser<'_>| {
        let mut browser = browser;
        let page = browser.page("/resources/ecs-1");
        let (_, lane) = page.split_once("id=\"lane\"").unwrap();
        lane.split_once("</section>").unwrap().0.to_owned()
    };
    let english = lane(Browser::signed_in(&server, "viewer"));
    let chinese = lane(Browser::signed_in(&server, "viewer").in_chinese());
    for drawn in [&english, &chinese] {
        for shape in [
            "bar active\"",
            "bar active ahead\"",
            "line class=\"now\"",
            "mark try ahead\"",
            "data-marks=\"try\"",
        ] {
            assert!(drawn.contains(shape), "{shape}: {drawn}");
        }
        assert!(drawn.contains("aria-current=\"page\">ecs-1</a>") && !drawn.contains(" style="), "{drawn}");
    }
    assert!(english.contains("its renewal is tried") && english.contains("active: paid for"), "{english}");
    assert!(chinese.contains("尝试续费") && chinese.contains("使用中：已付费"), "{chinese}");
    assert!(!chinese.contains("its renewal is tried") && !chinese.contains("active from"), "{chinese}");
}

#[test]
fn a_browser_is_told_on_a_page_that_there_is_no_such_page() {
    let server = served();
    for (chinese, title) in [(false, "There is no such page"), (true, "没有此页面")] {
        let browser = Browser::signed_in(&server, "viewer").saying("accept", "text/html,*/*;q=0.8");
        let mut browser = if chinese { browser.in_chinese() } else { browser };
        for path in ["/nope", "/resources/a/b/c", "/v1"] {
            let answer = browser.open(path);
            assert_eq!(answer.status.as_u16(), 404, "{path}");
            assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8", "{path}: {}", answer.body);
            assert!(
                answer.body.contains(title) && answer.body.contains("href=\"/renewals\""),
                "{}",
                answer.body
            );
            assert!(
                answer.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'")
            );
        }
    }
    let nobody = Browser::new(&server).saying("accept", "text/html").open("/nope");
    assert_eq!((nobody.status.as_u16(), location(&nobody)), (303, "/sign-in?next=%2Fnope"));
    for (path, accept) in [("/nope", "*/*"), ("/v1/nope", "text/html")] {
        let program = Browser::new(&server).saying("accept", accept).open(path);
        assert_eq!(program.headers["content-type"], "application/problem+json", "{path}: {}", program.body);
    }
}

#[test]
fn the_calendar_adds_up_each_currency_by_itself() {
    let server = served();
    let resource = |id: &str, account: &str, price: &str, expires_at: &str| {
        serde_json::json!({
            "id": id, "account": account, "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": expires_at,
            "term": { "count": 1, "unit": "month" }, "price": price,
        })
    };
    let inventory = serde_json::json!({
        "accounts": [{ "id": "abroad", "provider": "huawei", "currency": "USD", "balance": "1.00" }],
        "resources": [
            resource("us-1", "abroad", "1450.00", "2026-01-31T15:59:59Z"),
            resource("us-2", "abroad", "2000.00", "2026-02-03T15:59:59Z"),
        ],
    });
    let answer = server.post("admin", "/v1/resources:import", &inventory.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut browser = Browser::signed_in(&server, "viewer");
    let page = browser.page("/calendar?by=cost");
    assert!(page.contains("3 resources, 149.00 CNY, 1,450.00 USD") && !page.contains("1,599"), "{page}");
    // Each currency has its dearest day, which is as full as days become.
    let full = page.matches("class=\"level-5\"").count();
    assert_eq!(full, 2, "31 January is full in CNY, and 3 February in USD: {page}");
    assert!(
        page.contains("The most expensive days in CNY") && page.contains("The most expensive days in USD"),
        "{page}"
    );
    assert_eq!(page.matches("<abbr title=\"Monday\">Mon</abbr>").count(), 6, "{page}");
    let dark = ["darker", "Darker"].iter().any(|word| page.contains(word));
    assert!(!dark, "the fullest day is the brightest in dark mode: {page}");
    let page = Browser::signed_in(&server, "viewer").in_chinese().page("/calendar");
    assert!(page.contains("title=\"星期一\">一<") && !page.contains("越深"), "{page}");
}

#[test]
fn what_an_explanation_quotes_stands_as_code() {
    let server = served();
    let page = Browser::signed_in(&server, "viewer").page("/resources/ecs-1");
    let (_, why) = page.split_once("id=\"why\"").unwrap();
    let why = why.split_once("</section>").unwrap().0;
    assert!(why.contains("<code>ecs-1</code> is active") && !why.contains('`'), "{why}");
}
