//! The pages of plugins: revisions, what is known of them, and changes of what is bound that are looked at first.

use serde_json::json;

use crate::browser::Browser;
use crate::browser::hidden;
use crate::browser::location;
use crate::browser::with_console;
use crate::harness::Server;
use crate::pages::bind_shadow;

/// A host on which another revision has been asked in shadow for a month; with its digest.
fn tried() -> (Server, String) {
    let server = with_console(Server::new());
    let account = json!({ "id": "vol", "provider": "volcengine", "currency": "CNY", "balance": "500.00" });
    assert_eq!(server.post("admin", "/v1/accounts", &account.to_string()).status, 201);
    let resources = json!({ "resources": [{ "id": "srv", "account": "vol", "kind": "ecs", "region": "cn-beijing",
        "charging": "prepaid", "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
        "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" }] });
    assert_eq!(server.post("operator", "/v1/resources:import", &resources.to_string()).status, 200);
    let digest = bind_shadow(&server, "vol");
    server.advance("2026-01-28T00:00:00Z");
    (server, digest)
}

/// What is bound for `vol`: the mode, and whether it is the revision that was tried.
fn bound(server: &Server, digest: &str) -> Vec<(String, bool)> {
    let bindings = server.get("admin", "/v1/plugins/bindings").json();
    let own = bindings["items"].as_array().unwrap().iter().filter(|one| one["accounts"] == "vol");
    own.map(|one| (one["mode"].as_str().unwrap().to_owned(), one["digest"] == digest)).collect()
}

#[test]
fn a_revision_is_promoted_and_rolled_back_with_its_evidence_shown_first() {
    let (server, digest) = tried();
    let mut admin = Browser::signed_in(&server, "admin");
    let page = admin.page("/plugins");
    let promote = "/plugins/change?do=promote&amp;provider=volcengine&amp;accounts=vol";
    assert!(page.contains(promote) && page.contains(&format!("/plugins/revisions/{digest}")), "{page}");
    for senseless in ["do=roll_back&amp;provider=huawei", "do=unbind&amp;provider=huawei"] {
        assert!(!page.contains(senseless), "what would be refused is not offered: {senseless}: {page}");
    }
    let promote = promote.replace("&amp;", "&");
    let page = admin.page(&promote);
    assert!(page.contains("try_renewal") && page.contains("Fuel a question"), "{page}");
    assert_eq!(bound(&server, &digest), [("shadow".to_owned(), true)], "looking changes nothing");
    let seen = hidden(&page, "seen");
    let form = |action: &'static str, seen: &str| {
        [
            ("do", action),
            ("provider", "volcengine"),
            ("accounts", "vol"),
            ("seen", seen),
            ("reason", "it did well"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let send = |browser: &mut Browser<'_>, page: &str, fields: [(String, String); 5]| {
        let fields = fields.iter().map(|(name, value)| (&**name, &**value)).collect::<Vec<_>>();
        browser.submit(page, "/plugins/change", &fields)
    };
    let other = send(&mut admin, &promote, form("promote", "another"));
    assert!(other.status == 409 && other.body.contains("has changed since this was shown"), "{}", other.body);
    assert_eq!(bound(&server, &digest), [("shadow".to_owned(), true)]);
    let done = send(&mut admin, &promote, form("promote", &seen));
    assert_eq!(
        (done.status.as_u16(), location(&done)),
        (303, "/plugins?done=binding-changed"),
        "{}",
        done.body
    );
    assert_eq!(bound(&server, &digest), [("active".to_owned(), true)]);
    let page = admin.page("/plugins");
    assert!(page.contains("Changes of what is bound") && page.contains("it did well"), "{page}");

    // Who operates rolls back, and does nothing else.
    let mut operator = Browser::signed_in(&server, "operator").in_chinese();
    let page = operator.page("/plugins");
    assert!(
        page.contains("do=roll_back") && !page.contains("do=unbind") && !page.contains("do=promote"),
        "{page}"
    );
    assert_eq!(
        operator.open("/plugins/change?do=unbind&provider=volcengine&accounts=vol&mode=active").status,
        403
    );
    let roll_back = "/plugins/change?do=roll_back&provider=volcengine&accounts=vol";
    let page = operator.page(roll_back);
    assert!(page.contains("它在此之后不再做决定。"), "{page}");
    let seen = hidden(&page, "seen");
    assert_eq!(send(&mut operator, roll_back, form("roll_back", &seen)).status, 303);
    assert_eq!(bound(&server, &digest), []);
    let viewer = Browser::signed_in(&server, "viewer").page("/plugins");
    assert!(!viewer.contains("/plugins/change"), "{viewer}");
}

#[test]
fn a_revision_is_bound_from_its_page_and_unbound() {
    let (server, digest) = tried();
    let mut admin = Browser::signed_in(&server, "admin");
    let page = admin.page(&format!("/plugins/revisions/{digest}"));
    assert!(page.contains("late.toml") && page.contains("shadow for vol") && page.contains("srv"), "{page}");
    assert!(page.contains("action=\"/plugins/change\"") && page.contains("try_renewal"), "{page}");
    let look = format!("/plugins/change?do=bind&digest={digest}&accounts=vol&mode=active");
    let seen = hidden(&admin.page(&look), "seen");
    let fields =
        [("do", "bind"), ("digest", &digest), ("accounts", "vol"), ("mode", "active"), ("seen", &seen)];
    assert_eq!(admin.submit(&look, "/plugins/change", &fields).status, 303);
    assert_eq!(bound(&server, &digest).len(), 2);
    for mode in ["active", "shadow"] {
        let look = format!("/plugins/change?do=unbind&provider=volcengine&accounts=vol&mode={mode}");
        let seen = hidden(&admin.page(&look), "seen");
        let fields = [
            ("do", "unbind"),
            ("provider", "volcengine"),
            ("accounts", "vol"),
            ("mode", mode),
            ("seen", &seen),
        ];
        assert_eq!(admin.submit(&look, "/plugins/change", &fields).status, 303);
    }
    assert_eq!(bound(&server, &digest), []);
    let page = Browser::signed_in(&server, "viewer").page(&format!("/plugins/revisions/{digest}"));
    assert!(!page.contains("action=\"/plugins/change\""), "{page}");
    assert_eq!(
        Browser::signed_in(&server, "bound-viewer").open(&format!("/plugins/revisions/{digest}")).status,
        403
    );
}
