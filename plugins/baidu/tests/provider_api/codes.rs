//! Every code that the API documents and a managed account can produce is produced, with its status.

use std::collections::BTreeSet;

use plugin_baidu::Baidu;
use plugin_sdk::provider_api::Failure;
use plugin_sdk::provider_api::Guest;
use plugin_sdk::provider_api::Response;

use crate::desk::MONTH;
use crate::desk::furnished;
use crate::desk::send;
use crate::wire::identify;
use crate::wire::request;
use crate::wire::with;

fn code(response: &Response) -> String {
    let body = serde_json::from_slice::<serde_json::Value>(&response.body).unwrap();
    format!("{} {}", body["code"].as_str().unwrap(), response.status)
}

#[test]
fn every_documented_code_is_produced() {
    let mut codes = BTreeSet::new();
    let mut world = furnished();
    for (line, body) in [
        ("PUT /v2/instance/i-1?purchaseReserved&clientToken=a&relatedRenewFlag=ALL", MONTH),
        ("PUT /v2/instance/i-1?purchaseReserved&clientToken=b", "{}"),
        ("PUT /v2/instance/i-1?purchaseReserved&clientToken=c", "{"),
        ("PUT /v2/instance/i-none?purchaseReserved&clientToken=d", MONTH),
        ("PUT /v2/instance/i-scaling?purchaseReserved&clientToken=e", MONTH),
        ("POST /v2/instance/delete", r#"{"instanceId":"i-protected"}"#),
        ("PUT /v2/instance/i-1?purchaseReserved&clientToken=t", MONTH),
        ("PUT /v2/instance/i-ruled?purchaseReserved&clientToken=t", MONTH),
        ("PUT /v2/volume/v-ruled?modifyChargeType", "{}"),
        ("PUT /v2/volume/v-expired?modifyChargeType", "{}"),
        ("PUT /v2/volume/v-postpaid?modifyChargeType", r#"{"effectiveType":"AfterExpiration"}"#),
        ("GET /v2/nothing", ""),
        ("GET /v3/instance", ""),
        ("DELETE /v2/instance/i-1", ""),
    ] {
        let response = send(&mut world, line, body);
        if response.status != 200 {
            codes.insert(code(&response));
        }
    }
    let query = request("GET /v2/instance", &[("host", "localhost")], "");
    codes.insert(code(&identify(0, &query).unwrap_err()));
    let authorization = format!("bce-auth-v1/key/1970-01-01T00:00:00Z/60//{}", "0".repeat(64));
    let signed = with(query.clone(), "authorization", &authorization);
    codes.insert(code(&identify(60, &signed).unwrap_err()));
    codes.insert(code(&identify(0, &with(signed, "content-md5", "x")).unwrap_err()));
    for failure in [
        Failure::UnknownAccessKey,
        Failure::WrongCredentials,
        Failure::Replayed,
        Failure::Malformed,
        Failure::TooLarge(1),
        Failure::Busy(1),
        Failure::Internal,
    ] {
        codes.insert(code(&Baidu::fail(0, query.clone(), failure)));
    }
    let renewal = request("PUT /v2/instance/i-1?purchaseReserved", &[], MONTH);
    codes.insert(code(&Baidu::fail(0, renewal, Failure::TimedOut)));

    let readme = include_str!("../../README.md");
    let section = readme.split("### Errors").nth(1).unwrap();
    let row = |line: &str| {
        let cells = line.split('|').map(str::trim).collect::<Vec<_>>();
        let code = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?.to_owned();
        Some(format!("{code} {}", cells.get(2)?))
    };
    let documented = section.lines().filter_map(row).collect::<BTreeSet<_>>();
    assert_eq!(codes, documented);
}
