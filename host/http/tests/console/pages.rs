//! Every page for every role, in both languages: what it is answered, what it weighs, and that it has no script inside.

use std::fmt::Write;

use expect_test::expect;

use crate::browser::Browser;
use crate::browser::served;
use crate::harness::Server;

/// The most that a page weighs, in bytes.
pub const WEIGHT_MAX: usize = 300_000;

/// Every page, with something that there is in the place of its ID.
pub const PAGES: [&str; 26] = [
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
    "/webhooks",
    "/webhooks/none",
    "/channels",
    "/channels/none",
    "/tokens",
    "/audit",
    "/clock",
];

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
    server.finish_jobs();
    server
}

#[test]
fn every_page_asks_for_its_role_and_shows_nothing_outside_the_scope() {
    let server = lived_in();
    let roles = ["viewer", "operator", "approver", "admin", "bound-viewer", "bound-admin"];
    let mut table = "nobody | viewer operator approver admin | bound: viewer admin\n".to_owned();
    for path in PAGES {
        write!(table, "{path:<38} {}", Browser::new(&server).open(path).status.as_u16()).unwrap();
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
        /webhooks                              303 | 403 200 200 200 | 403 200
        /webhooks/none                         303 | 403 404 404 404 | 403 404
        /channels                              303 | 403 200 200 200 | 403 200
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
        for path in PAGES.iter().filter(|path| !path.ends_with("/none")) {
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
