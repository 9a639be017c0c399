//! Who may ask: requests as the SDK signs them, the seed's example, and whatever an authorization can get wrong.
//!
//! The published vector is beside the recipe, in `src/endpoint/signature.rs`.

use expect_test::expect;
use plugin_sdk::provider_api::Authentication;
use plugin_sdk::provider_api::Credentials;
use plugin_sdk::provider_api::Request;
use plugin_sdk::request::hexadecimal;

use crate::desk::MONTH;
use crate::desk::furnished;
use crate::wire::ACCESS_KEY;
use crate::wire::SECRET;
use crate::wire::hmac;
use crate::wire::identify;
use crate::wire::proves;
use crate::wire::request;
use crate::wire::show;
use crate::wire::with;
use crate::world::instant;

/// Signs a request as the SDK does, with everything that it signs when it is not told what to.
fn signed(request: Request, prefix: &str, signed_headers: &str) -> Request {
    let draft =
        with(request.clone(), "authorization", &format!("{prefix}/{signed_headers}/{}", "0".repeat(64)));
    let at = instant(prefix.split('/').nth(2).unwrap());
    let message = match identify(at, &draft) {
        Ok(Authentication { credentials: Credentials::Signature(signed), .. }) => signed.signature.message,
        other => panic!("{other:?}"),
    };
    let key = hexadecimal(&hmac(SECRET.as_bytes(), prefix.as_bytes()));
    let signature = hexadecimal(&hmac(key.as_bytes(), &message));
    with(request, "authorization", &format!("{prefix}/{signed_headers}/{signature}"))
}

const NOW: &str = "2026-03-01T00:00:00Z";

/// What `bce-python-sdk` sends to renew an instance.
fn renewal() -> Request {
    request(
        "PUT /v2/instance/i-1?clientToken=t-1&purchaseReserved=",
        &[
            ("user-agent", "bce-sdk-python/0.9.79/3.11/linux"),
            ("host", "127.0.0.1:8181"),
            ("content-length", "81"),
            ("x-bce-date", NOW),
        ],
        MONTH,
    )
}

fn prefix(instant: &str, seconds: &str) -> String {
    format!("bce-auth-v1/{ACCESS_KEY}/{instant}/{seconds}")
}

#[test]
fn a_request_signed_by_the_sdk_is_valid_until_it_is_tampered_with() {
    let at = instant(NOW);
    let request = signed(renewal(), &prefix(NOW, "1800"), "");
    let authentication = identify(at, &request).unwrap();
    assert!(proves(&authentication, SECRET));
    assert!(!proves(&authentication, "another secret"));
    assert_eq!(authentication.valid_until, at + 1800);
    let tampered = |change: fn(&mut Request)| {
        let mut request = request.clone();
        change(&mut request);
        identify(at, &request).is_ok_and(|authentication| proves(&authentication, SECRET))
    };
    assert!(tampered(|request| request.id = "r-2".to_owned()));
    assert!(tampered(|request| request.query = "purchaseReserved&clientToken=t-1".to_owned()));
    assert!(tampered(|request| request.path = "/v2/instance/%69-1".to_owned()));
    assert!(tampered(|request| request.headers[0].1.push('x')));
    assert!(!tampered(|request| request.method = "POST".to_owned()));
    assert!(!tampered(|request| request.path = "/v2/instance/i-2".to_owned()));
    assert!(!tampered(|request| request.query.push_str("&relatedRenewFlag=CDS")));
    assert!(!tampered(|request| request.query = "clientToken=t-2&purchaseReserved=".to_owned()));
    assert!(!tampered(|request| request.headers[1].1 = "127.0.0.1".to_owned()));
    assert!(!tampered(|request| request.headers[2].1 = "82".to_owned()));
    assert!(!tampered(|request| request.headers.push(("x-bce-more".to_owned(), "1".to_owned()))));
    assert!(!tampered(|request| request.headers.push(("content-type".to_owned(), "text/plain".to_owned()))));
    assert!(!tampered(|request| request.headers.retain(|(name, _)| name != "x-bce-date")));
}

#[test]
fn a_request_may_be_signed_in_its_query() {
    let at = instant(NOW);
    let header = signed(renewal(), &prefix(NOW, "600"), "host");
    let (_, authorization) = header.headers.last().unwrap().clone();
    let authorization = authorization.replace('/', "%2F");
    for name in ["authorization", "Authorization"] {
        let mut request = renewal();
        request.query += &format!("&{name}={authorization}");
        assert!(proves(&identify(at, &request).unwrap(), SECRET), "{name}");
    }
}

#[test]
fn the_example_of_the_renewal_api_is_answered_as_documented() {
    let body = "{\n\t\"billing\":{\n\t    \"reservation\":{\n\t        \"reservationLength\":1,\n\t        \"reservationTimeUnit\":\"Month\"\n\t    }\n\t}\n}";
    let example = request(
        "PUT /v2/instance/i-1?purchaseReserved&clientToken=be31b98c-5e41-4838-9830-9be700de5a20&relatedRenewFlag=CDS_EIP_MKT",
        &[("host", "bcc.bj.baidubce.com")],
        body,
    );
    let key = "f81d3b34e48048fbb2634dc7882d7e21";
    let example = signed(example, &format!("bce-auth-v1/{key}/2015-08-11T04:17:29Z/3600"), "host");
    let authentication = identify(instant("2015-08-11T05:17:28Z"), &example).unwrap();
    assert!(proves(&authentication, SECRET));
    let mut world = furnished();
    let response = world.handle(&example);
    expect![[r#"
        Response {
            status: 200,
            headers: [
                (
                    "x-bce-request-id",
                    "r-1",
                ),
                (
                    "content-type",
                    "application/json;charset=UTF-8",
                ),
            ],
            body: [],
        }"#]]
    .assert_eq(&format!("{response:#?}"));
    let renewed = world.resources.iter().filter(|subject| subject.last_renewal.is_some());
    assert_eq!(renewed.map(|subject| &*subject.id).collect::<Vec<_>>(), ["i-1", "v-1", "v-2", "ip-1", "m-1"]);
}

#[test]
fn a_signature_is_valid_from_15_minutes_before_its_date_until_it_expires() {
    let at = instant(NOW);
    let mut table = String::new();
    for (now, seconds) in [
        (at - 901, "1800"),
        (at - 900, "1800"),
        (at, "1800"),
        (at + 960, "900"),
        (at + 960, "1800"),
        (at + 1799, "1800"),
        (at + 1800, "1800"),
        (at + 85_499, "85500"),
    ] {
        let request = signed(renewal(), &prefix(NOW, seconds), "");
        let answer = match identify(now, &request) {
            Ok(authentication) => format!("until {}", authentication.valid_until - at),
            Err(response) => show(&response),
        };
        table += &format!("{:+} of {seconds}: {answer}\n", now - at);
    }
    expect![[r#"
        -901 of 1800: 400 x-bce-request-id=r-1 {"code":"RequestExpired","message":"signed at 2026-03-01T00:00:00Z, which is to come: now it is 2026-02-28T23:44:59Z; set the clock","requestId":"r-1"}
        -900 of 1800: until 1800
        +0 of 1800: until 1800
        +960 of 900: 400 x-bce-request-id=r-1 {"code":"RequestExpired","message":"signed at 2026-03-01T00:00:00Z until 2026-03-01T00:15:00Z; now it is 2026-03-01T00:16:00Z","requestId":"r-1"}
        +960 of 1800: until 1800
        +1799 of 1800: until 1800
        +1800 of 1800: 400 x-bce-request-id=r-1 {"code":"RequestExpired","message":"signed at 2026-03-01T00:00:00Z until 2026-03-01T00:30:00Z; now it is 2026-03-01T00:30:00Z","requestId":"r-1"}
        +85499 of 85500: until 85500
    "#]].assert_eq(&table);
}

#[test]
fn every_authorization_that_cannot_be_read_is_said_to_be_so() {
    let (key, zeros) = (ACCESS_KEY, "0".repeat(64));
    let mut table = String::new();
    for authorization in [
        String::new(),
        "Basic dXNlcjpwYXNz".to_owned(),
        format!("bce-auth-v1/{key}/{NOW}/1800/{zeros}"),
        format!("bce-auth-v1/{key}/{NOW}/1800//{zeros}/"),
        format!("bce-auth-v2/{key}/{NOW}/1800//{zeros}"),
        format!("bce-auth-v1//{NOW}/1800//{zeros}"),
        format!("bce-auth-v1/{}/{NOW}/1800//{zeros}", "k".repeat(129)),
        format!("bce-auth-v1/\u{94a5}/{NOW}/1800//{zeros}"),
        format!("bce-auth-v1/{key}/2026-03-01 00:00:00/1800//{zeros}"),
        format!("bce-auth-v1/{key}/{NOW}/0//{zeros}"),
        format!("bce-auth-v1/{key}/{NOW}/-1//{zeros}"),
        format!("bce-auth-v1/{key}/{NOW}/+60//{zeros}"),
        format!("bce-auth-v1/{key}/{NOW}/85501//{zeros}"),
        format!("bce-auth-v1/{key}/{NOW}/99999999999999999999//{zeros}"),
        format!("bce-auth-v1/{key}/{NOW}/1800/x-bce-date/{zeros}"),
        format!("bce-auth-v1/{key}/{NOW}/1800//{}", "0".repeat(63)),
        format!("bce-auth-v1/{key}/{NOW}/1800//{}", "A".repeat(64)),
        format!("bce-auth-v1/{key}/{NOW}/1800//{}", "g".repeat(64)),
    ] {
        let request = with(renewal(), "authorization", &authorization);
        let response = identify(instant(NOW), &request).unwrap_err();
        table += &format!("{authorization}\n  {}\n", show(&response));
    }
    let missing = identify(instant(NOW), &renewal()).unwrap_err();
    let request = signed(renewal(), &prefix(NOW, "1800"), "");
    let twice = with(request.clone(), "authorization", "x");
    let twice = identify(instant(NOW), &twice).unwrap_err();
    let mut no_path = request;
    no_path.path = "/%zz".to_owned();
    let no_path = identify(instant(NOW), &no_path).unwrap_err();
    table += &format!("none\n  {}\ntwo\n  {}\nno path\n  {}\n", show(&missing), show(&twice), show(&no_path));
    expect![[r#"

          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: it is `bce-auth-v1/{access key}/{instant}/{seconds}/{signed headers}/{signature}`","requestId":"r-1"}
        Basic dXNlcjpwYXNz
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: it is `bce-auth-v1/{access key}/{instant}/{seconds}/{signed headers}/{signature}`","requestId":"r-1"}
        bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01T00:00:00Z/1800/0000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: it is `bce-auth-v1/{access key}/{instant}/{seconds}/{signed headers}/{signature}`","requestId":"r-1"}
        bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01T00:00:00Z/1800//0000000000000000000000000000000000000000000000000000000000000000/
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: it is `bce-auth-v1/{access key}/{instant}/{seconds}/{signed headers}/{signature}`","requestId":"r-1"}
        bce-auth-v2/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01T00:00:00Z/1800//0000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its version is not `bce-auth-v1`","requestId":"r-1"}
        bce-auth-v1//2026-03-01T00:00:00Z/1800//0000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its access key is not one","requestId":"r-1"}
        bce-auth-v1/kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk/2026-03-01T00:00:00Z/1800//0000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its access key is not one","requestId":"r-1"}
        bce-auth-v1/钥/2026-03-01T00:00:00Z/1800//0000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its access key is not one","requestId":"r-1"}
        bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01 00:00:00/1800//0000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its instant is not of the form `2015-04-27T08:23:49Z`","requestId":"r-1"}
        bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01T00:00:00Z/0//0000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its validity is not 1 to 85500 seconds","requestId":"r-1"}
        bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01T00:00:00Z/-1//0000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its validity is not 1 to 85500 seconds","requestId":"r-1"}
        bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01T00:00:00Z/+60//0000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its validity is not 1 to 85500 seconds","requestId":"r-1"}
        bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01T00:00:00Z/85501//0000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its validity is not 1 to 85500 seconds","requestId":"r-1"}
        bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01T00:00:00Z/99999999999999999999//0000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its validity is not 1 to 85500 seconds","requestId":"r-1"}
        bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01T00:00:00Z/1800/x-bce-date/0000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its signed headers leave `host` out","requestId":"r-1"}
        bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01T00:00:00Z/1800//000000000000000000000000000000000000000000000000000000000000000
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its signature is not 64 lower case hexadecimal digits","requestId":"r-1"}
        bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01T00:00:00Z/1800//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its signature is not 64 lower case hexadecimal digits","requestId":"r-1"}
        bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2026-03-01T00:00:00Z/1800//gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: its signature is not 64 lower case hexadecimal digits","requestId":"r-1"}
        none
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: there is none; sign the request","requestId":"r-1"}
        two
          400 x-bce-request-id=r-1 {"code":"InvalidHTTPAuthHeader","message":"the authorization cannot be used: there is more than one","requestId":"r-1"}
        no path
          400 x-bce-request-id=r-1 {"code":"InvalidURI","message":"the path is not percent-encoded UTF-8","requestId":"r-1"}
    "#]].assert_eq(&table);
}

#[test]
fn a_digest_that_is_sent_is_that_of_the_body() {
    let digests = [
        ("content-md5", "4sbVzAMWEsJLzUBwmLG/wQ=="),
        ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ("content-md5", ""),
        ("x-bce-content-sha256", "3f1e"),
        ("x-bce-content-sha256", "71BA5A824A236A58B5845FB7B0B2E44781A023204C4A9017B79520AEB252B401"),
    ];
    let mut table = String::new();
    for (name, value) in digests {
        let request = with(renewal(), name, value);
        let request = with(request, "authorization", &format!("{}//{}", prefix(NOW, "1800"), "0".repeat(64)));
        let answer = identify(instant(NOW), &request);
        table +=
            &format!("{name}: {value}\n  {}\n", answer.map_or_else(|no| show(&no), |_| "fits".to_owned()));
    }
    expect![[r#"
        content-md5: 4sbVzAMWEsJLzUBwmLG/wQ==
          fits
        content-md5: 1B2M2Y8AsgTpgAmY7PhCfg==
          400 x-bce-request-id=r-1 {"code":"BadDigest","message":"`content-md5` is not that of the body","requestId":"r-1"}
        content-md5: 
          400 x-bce-request-id=r-1 {"code":"BadDigest","message":"`content-md5` is not that of the body","requestId":"r-1"}
        x-bce-content-sha256: 3f1e
          400 x-bce-request-id=r-1 {"code":"BadDigest","message":"`x-bce-content-sha256` is not that of the body","requestId":"r-1"}
        x-bce-content-sha256: 71BA5A824A236A58B5845FB7B0B2E44781A023204C4A9017B79520AEB252B401
          fits
    "#]].assert_eq(&table);
}

#[test]
fn with_a_digest_another_body_is_another_request() {
    use md5::Digest;
    let sha256 = hexadecimal(&sha2::Sha256::digest(MONTH));
    let request = signed(with(renewal(), "x-bce-content-sha256", &sha256), &prefix(NOW, "1800"), "");
    assert!(proves(&identify(instant(NOW), &request).unwrap(), SECRET));
    let other = Request { body: MONTH.replace('1', "9").into_bytes(), ..request };
    assert_eq!(other.body.len(), MONTH.len());
    expect![[r#"400 x-bce-request-id=r-1 {"code":"BadDigest","message":"`x-bce-content-sha256` is not that of the body","requestId":"r-1"}"#]].assert_eq(&show(&identify(instant(NOW), &other).unwrap_err()));
}
