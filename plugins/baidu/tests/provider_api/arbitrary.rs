//! For any request, the plugin does not panic, and every SDK can read the response.

use plugin_baidu::Baidu;
use plugin_sdk::provider_api::Failure;
use plugin_sdk::provider_api::Guest;
use plugin_sdk::provider_api::Request;
use proptest::prelude::*;

use crate::desk::furnished;
use crate::wire::identify;
use crate::wire::is_well_formed;
use crate::wire::show;

fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        Just("v1".to_owned()),
        Just("v2".to_owned()),
        Just("instance".to_owned()),
        Just("volume".to_owned()),
        Just("eip".to_owned()),
        Just("batch".to_owned()),
        Just("charging".to_owned()),
        Just("autoRenew".to_owned()),
        Just("batchCreateAutoRenewRules".to_owned()),
        Just("batchRefundResource".to_owned()),
        Just("listByInstanceId".to_owned()),
        Just("delete".to_owned()),
        Just("recycle".to_owned()),
        Just("renew".to_owned()),
        Just("resource".to_owned()),
        Just("list".to_owned()),
        Just("refund".to_owned()),
        Just("i-1".to_owned()),
        Just("v-alone".to_owned()),
        Just("180.76.1.1".to_owned()),
        "[ -~]{0,6}",
        "\\PC{0,4}",
    ];
    prop_oneof![
        proptest::collection::vec(segment, 0..5).prop_map(|segments| format!("/{}", segments.join("/"))),
        "\\PC{0,12}",
    ]
}

fn query() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("purchaseReserved".to_owned()),
        Just("modifyChargeType=".to_owned()),
        Just("toPostpay".to_owned()),
        Just("startAutoRenew".to_owned()),
        Just("clientToken=t".to_owned()),
        "(marker|maxKeys|instanceIds|status|tags|cdsIds|eip|authorization|relatedRenewFlag)=[ -~]{0,8}",
        "\\PC{0,6}",
    ];
    proptest::collection::vec(part, 0..5).prop_map(|parts| parts.join("&"))
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let json = prop_oneof![
        Just(crate::desk::MONTH.to_owned()),
        r#"\{"(billing|config|instanceId|volumeId|renewTime|cdsCustomPeriod|effectiveType)":[ -~]{0,10}\}"#,
        r#"\{"serviceType":"(BCC|cds|X)","region":"(bj|)","expiredDays":(0|91|-1|[0-9]{1,12}),"pageNo":[0-9]{1,12},"pageSize":[0-9]{1,6}\}"#,
        r#"\{"instanceIds":\["(i-1|i-expired|x|)"(,"i-2")?\],"instanceId":"(i-1|v-1|)","relatedReleaseFlag":(true|false|0)\}"#,
        r#"\{"config":\[\{"instanceId":"(i-1|i-ruled|x)","cdsList":\["(all|v-1|)"\]\}\]\}"#,
        "\\PC{0,20}",
    ];
    prop_oneof![json.prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..40)]
}

fn header() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        Just("host".to_owned()),
        Just("authorization".to_owned()),
        Just("content-md5".to_owned()),
        Just("x-bce-date".to_owned()),
        "[a-z-]{1,10}",
    ];
    let instant = "(1970-01-0[12]|\\PC{0,4})T00:00:00Z";
    let authorization = (instant, "[0-9]{0,6}", "(|host|x-bce-date)", "([0-9a-f]{64}|[ -~]{0,4})");
    let authorization = authorization.prop_map(|(instant, seconds, headers, signature)| {
        format!("bce-auth-v1/key/{instant}/{seconds}/{headers}/{signature}")
    });
    (name, prop_oneof![authorization, "\\PC{0,12}".boxed()])
}

prop_compose! {
    fn any_request()(
        method in "(GET|PUT|POST|[A-Z]{0,4})",
        path in path(),
        query in query(),
        headers in proptest::collection::vec(header(), 0..4),
        body in body(),
    ) -> Request {
        Request { id: "r-1".to_owned(), method, path, query, headers, body }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_request_is_answered_in_the_providers_own_shape(request in any_request(), at in any::<i64>()) {
        if let Err(response) = identify(at, &request) {
            prop_assert!(is_well_formed(&response), "{}", show(&response));
        }
        let _ = identify(0, &request);
        let mut world = furnished();
        let before = world.resources.clone();
        let response = world.handle(&request);
        prop_assert!(is_well_formed(&response), "{}", show(&response));
        if response.status != 200 {
            prop_assert_eq!(before, world.resources);
        }
        for failure in [Failure::Replayed, Failure::TimedOut, Failure::Busy(u32::MAX), Failure::Malformed] {
            let response = Baidu::fail(at, request.clone(), failure);
            prop_assert!(is_well_formed(&response), "{}", show(&response));
        }
    }
}
