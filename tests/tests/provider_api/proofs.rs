//! Who may ask: wrong, late, repeated and revoked proofs are answered in the provider's own shape and change nothing.

use http::Request;
use perennial_domain::timestamp::Timestamp;
use perennial_store::WriteTx;
use perennial_store::error::StoreError;
use perennial_store::provider_keys;
use perennial_store::testing;

use crate::world::Key;
use crate::world::NOW;
use crate::world::World;
use crate::world::signed;

const RENEW: &str = "/lamps/hall/oil";

#[test]
fn only_who_has_the_secret_is_obeyed() {
    let world = World::new();
    let wrong = Key { secret: "0".repeat(64), ..world.key.clone() };
    let unknown = Key { access_key: "PN0".to_owned(), ..world.key.clone() };
    let tampered = |from: &str, to: &str| {
        let mut request = signed(&world.key, 0, "POST", from, "a");
        *request.uri_mut() = to.parse().unwrap();
        request
    };
    let mut body = signed(&world.key, 0, "POST", RENEW, "a");
    *body.body_mut() = "b".to_owned();
    for (request, answer) in [
        (signed(&wrong, 0, "POST", RENEW, ""), "401 forger"),
        (signed(&unknown, 0, "POST", RENEW, ""), "401 stranger"),
        (signed(&world.key, 301, "POST", RENEW, ""), "401 late"),
        (signed(&world.key, -301, "POST", RENEW, ""), "401 late"),
        (tampered(RENEW, "/lamps/porch/oil"), "401 forger"),
        (tampered(RENEW, "/lamps/hall/oil?months=2"), "401 forger"),
        (body, "401 forger"),
        (Request::post(RENEW).body(String::new()).unwrap(), "401 who"),
        (Request::post(RENEW).header("authorization", "x").body(String::new()).unwrap(), "400 mumble"),
        (Request::post(RENEW).header("authorization", "Token x").body(String::new()).unwrap(), "401 token"),
    ] {
        assert_eq!(world.raw(request).shown(), answer);
    }
    assert_eq!(world.events(), [""; 0]);
    assert_eq!(world.post(RENEW, "").status, 200);
}

#[test]
fn a_request_that_was_recorded_is_not_obeyed_again() {
    let world = World::new();
    assert_eq!(world.post(RENEW, "").status, 200);
    assert_eq!(world.post(RENEW, "").shown(), "409 echo");
    // What only looks may be sent again.
    assert_eq!(world.get("/purse"), world.get("/purse"));
    // What was refused was obeyed, too.
    assert_eq!(world.post("/lamps/oil", "none").status, 200);
    assert_eq!(world.post("/lamps/oil", "none").shown(), "409 echo");
    assert_eq!(world.get("/purse").body, "CNY 70000000 and 0\n");
    // Another second, another request.
    assert_eq!(world.signed(&world.key, 1, "POST", RENEW, "").status, 200);
}

#[test]
fn a_token_is_asked_for_with_the_secret_and_honoured_until_it_expires() {
    let world = World::new();
    let session = |secret: &str| {
        let body = format!("{} {secret}", world.key.access_key);
        world.raw(Request::post("/session").body(body).unwrap())
    };
    assert_eq!(session("guess").shown(), "401 forger");
    let issued = session(&world.key.secret);
    assert_eq!(issued.status, 200);
    let token = issued.body.split(' ').next().unwrap().to_owned();
    assert_eq!(issued.body, format!("{token} {}\n", NOW + 60));
    let ask = || {
        let request = Request::post(RENEW).header("authorization", format!("Token {token}"));
        world.raw(request.body(String::new()).unwrap()).status
    };
    // A token is made to be sent again.
    assert_eq!((ask(), ask()), (200, 200));
    let hashes = testing::token_hashes(&world.db());
    assert_eq!(hashes.len(), 1);
    assert_ne!(hashes[0], token.as_bytes());
    advance(&world, NOW + 59);
    assert_eq!(ask(), 200);
    advance(&world, NOW + 60);
    assert_eq!(ask(), 401);
}

#[test]
fn a_revoked_or_expired_key_and_its_tokens_are_refused() {
    let world = World::new();
    let body = format!("{} {}", world.key.access_key, world.key.secret);
    let issued = world.raw(Request::post("/session").body(body).unwrap()).body;
    let token = issued.split(' ').next().unwrap().to_owned();
    let with_token = || {
        let request = Request::get("/purse").header("authorization", format!("Token {token}"));
        world.raw(request.body(String::new()).unwrap()).shown()
    };
    assert_eq!(world.get("/purse").status, 200);
    let (key, at) = (world.key.access_key.clone(), Timestamp::from_second(NOW));
    write(&world, move |db| provider_keys::expire(db, &key, at + 10).unwrap());
    assert_eq!(world.get("/purse").status, 200);
    advance(&world, NOW + 10);
    assert_eq!(world.get("/purse").shown(), "401 stranger");
    assert_eq!(with_token(), "401 token");
    assert_eq!(world.signed(&world.other, 0, "GET", "/purse", "").status, 200);
    let key = world.other.access_key.clone();
    write(&world, move |db| provider_keys::revoke(db, &key, at).unwrap());
    assert_eq!(world.signed(&world.other, 0, "GET", "/purse", "").shown(), "401 stranger");
}

#[test]
fn the_database_does_not_have_the_secret() {
    let world = World::new();
    let sealed = provider_keys::get(&world.db(), &world.key.access_key).unwrap().unwrap().sealed;
    assert!(!sealed.windows(8).any(|window| window == &world.key.secret.as_bytes()[..8]));
}

fn advance(world: &World, to: i64) {
    write(world, move |_| ());
    let moved = world.host.writer().call(move |desk| desk.advance(Timestamp::from_second(to)));
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(moved).unwrap();
}

fn write<T: Send + 'static>(world: &World, work: impl FnOnce(&WriteTx) -> T + Send + 'static) -> T {
    let written = world.host.writer().call(move |desk| {
        Ok::<_, perennial_service::error::ServiceError>(
            desk.engine.in_transaction(|engine| Ok::<_, StoreError>(work(engine.tx())))?,
        )
    });
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(written).unwrap()
}
