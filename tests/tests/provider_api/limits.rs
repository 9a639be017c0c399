//! Requests that are too much, and a plugin that fails: the answer has the provider's shape all the same.

use http::HeaderValue;
use http::Request;
use perennial_service::limits::Limits;
use perennial_store::testing;

use crate::world::World;
use crate::world::signed;

#[test]
fn a_body_is_read_up_to_its_limit() {
    let world = World::new();
    let limit = usize::try_from(Limits::DEFAULT.provider_body_bytes_max).unwrap();
    assert_eq!(world.post("/none", &"x".repeat(limit)).shown(), "404 nothing here");
    for length in [limit + 1, 5 << 20] {
        assert_eq!(world.post("/none", &"x".repeat(length)).shown(), format!("413 more than {limit}"));
    }
}

#[test]
fn a_header_that_is_not_utf_8_is_only_wrong_where_it_matters() {
    let world = World::new();
    let mut request = signed(&world.key, 0, "GET", "/purse", "");
    request.headers_mut().insert("x-name", HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(world.raw(request).status, 200);
}

#[test]
fn a_host_that_is_busy_says_when_to_ask_again() {
    let world = World::with(Limits { concurrency_max: 1, readers: 1, ..Limits::DEFAULT });
    let _taken = world.host.provider_permits("lantern").try_acquire_owned().unwrap();
    assert_eq!(world.get("/purse").shown(), "503 in 1");
}

#[test]
fn a_flood_of_a_providers_requests_leaves_readers_to_everybody_else() {
    let world = World::new();
    // Each of them takes all that a call may spend.
    let count = 16;
    let answered = world.answered_first("/forever", count);
    assert!(answered < count / 2, "{answered} of {count} came first");
}

#[test]
fn a_plugin_that_fails_hurts_the_request_and_nobody_else() {
    let world = World::new();
    for path in ["/crash", "/crash/twice", "/forever", "/bad", "/wrong-key"] {
        assert_eq!(world.get(path).shown(), "500 smoke", "{path}");
    }
    assert_eq!(world.get("/purse").status, 200);
}

#[test]
fn a_plugin_acts_once_for_a_request() {
    let world = World::new();
    assert_eq!(world.post("/twice", "").shown(), "500 smoke");
    assert_eq!(testing::token_hashes(&world.db()).len(), 1);
}

#[test]
fn every_method_and_path_is_the_plugins() {
    let world = World::new();
    for method in ["GET", "HEAD", "PUT", "OPTIONS", "PURGE"] {
        let answer = world.raw(signed(&world.key, 0, method, "/%2e%2e/a%2fb?%00", ""));
        assert_eq!(answer.status, 404, "{method}");
    }
    let empty = Request::builder().uri("*").method("OPTIONS").body(String::new()).unwrap();
    assert_eq!(world.raw(empty).shown(), "401 who");
}
