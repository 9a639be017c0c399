//! Calls to Baidu AI Cloud: what is sent, how it is signed, and what responses prove.
//!
//! `fixtures/responses.json` has what the models of `baiducloud-python-sdk-bcc` 0.0.9 and `-eip` 0.0.11 make; the signatures
//! are those that `bce-python-sdk` 0.9.79 makes of the same requests.

use expect_test::expect;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use plugin_baidu::Baidu;
use plugin_sdk::AutoRenewal;
use plugin_sdk::Scope;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::connector::Account;
use plugin_sdk::connector::CallContext;
use plugin_sdk::connector::Change;
use plugin_sdk::connector::ChangeQuery;
use plugin_sdk::connector::CloudRenewal;
use plugin_sdk::connector::FindQuery;
use plugin_sdk::connector::Guest;
use plugin_sdk::connector::ListQuery;
use plugin_sdk::connector::Mutation;
use plugin_sdk::connector::MutationLimit;
use plugin_sdk::connector::MutationName;
use plugin_sdk::connector::OrderQuery;
use plugin_sdk::connector::Outcome;
use plugin_sdk::connector::Query;
use plugin_sdk::connector::QueryAnswer;
use plugin_sdk::connector::QuoteQuery;
use plugin_sdk::connector::ReceivedResponse;
use plugin_sdk::connector::ResourcePage;
use plugin_sdk::connector::Target;
use plugin_sdk::connector::UnsignedRequest;
use plugin_sdk::provider_api::request::hexadecimal;
use serde_json::Value;
use sha2::Sha256;

/// The instant of every call: 2026-03-01T00:00:00Z.
const AT: i64 = 1_772_323_200;

fn context(endpoint: Option<&str>) -> CallContext {
    let account = Account { id: "acme".to_owned(), settings: Vec::new() };
    CallContext { at: AT, account, access_key: "AK1".to_owned(), endpoint: endpoint.map(str::to_owned) }
}

fn target(kind: &str) -> Target {
    Target {
        id: "i-1".to_owned(),
        kind: kind.to_owned(),
        region: "bj".to_owned(),
        expires_at: None,
        attached_to: None,
        attributes: vec![("eip".to_owned(), "203.0.113.7".to_owned())],
    }
}

fn mutation(kind: &str, change: Change) -> Mutation {
    let targets = vec![target(kind)];
    Mutation { targets, along: Vec::new(), change, client_token: "token".to_owned() }
}

fn renewal(count: u32, unit: TermUnit) -> Change {
    Change::Renew(CloudRenewal { term: Term { count, unit }, options: Vec::new() })
}

fn list(cursor: Option<&str>) -> Query {
    Query::List(ListQuery { cursor: cursor.map(str::to_owned), expires_until: None })
}

fn find(kind: &str) -> Query {
    Query::Find(FindQuery { targets: vec![target(kind)], cursor: None })
}

fn response(status: u16, body: &str) -> ReceivedResponse {
    ReceivedResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

fn fixture(name: &str) -> ReceivedResponse {
    let all = serde_json::from_str::<Value>(include_str!("fixtures/responses.json")).unwrap();
    response(200, &all[name].to_string())
}

fn page(endpoint: Option<&str>, cursor: Option<&str>, response: ReceivedResponse) -> ResourcePage {
    match Baidu::decode_query(context(endpoint), list(cursor), response) {
        Ok(QueryAnswer::Resources(page)) => page,
        Ok(_) | Err(_) => panic!("it is a page"),
    }
}

/// The signature with the secret `hush`.
fn signature(request: &UnsignedRequest) -> String {
    let hmac = |key: &[u8], message: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(message);
        hexadecimal(&mac.finalize().into_bytes())
    };
    let key = hmac(b"hush", &request.signing.derivations[0].message);
    hmac(key.as_bytes(), &request.signing.message)
}

fn line(request: &UnsignedRequest) -> String {
    let (path, query) = (&request.path, &request.query);
    format!("{} {}{path}?{query} {}", request.method, request.host, String::from_utf8_lossy(&request.body))
}

#[test]
fn requests_are_signed_as_the_official_sdk_signs_them() {
    let listed = Baidu::encode_query(context(None), list(None)).unwrap();
    assert_eq!(
        signature(&listed),
        "4b53507f0e335394c668f3bcacacd3f9ec83abb6ec24a3e7a3ae2009debc6c42",
        "{}",
        line(&listed)
    );
    let renewed = mutation("bcc", renewal(1, TermUnit::Month));
    let renewed = Baidu::encode_mutation(context(None), renewed).unwrap();
    assert_eq!(
        signature(&renewed),
        "17fdfa198abc31a3f8d229cd127140a3862792f2c17a1a13f69e4c62ba0b1c9d",
        "{}",
        line(&renewed)
    );
    for (kind, expected) in [
        ("bcc", "5db285434885bec024fb1b955b0daf1e10b69e4ce06bb9c7bfd5d049406aa403"),
        ("cds", "925ab268f878c1ba22714061fd4b1a4a86097247707aafcca6b904f54e7c7ed4"),
    ] {
        let converted = mutation(kind, Change::ConvertOnExpiry);
        let converted = Baidu::encode_mutation(context(None), converted).unwrap();
        assert_eq!(signature(&converted), expected, "{}", line(&converted));
    }
    assert_eq!(
        renewed.signing.prefix,
        "bce-auth-v1/AK1/2026-03-01T00:00:00Z/1800/content-type;host;x-bce-content-sha256;x-bce-date/"
    );
}

#[test]
fn every_question_and_change_is_the_documented_request() {
    let mut table = String::new();
    for query in [
        list(None),
        list(Some("0/0/i-4")),
        list(Some("1/5/")),
        list(Some("2/0/")),
        list(Some("3/0/")),
        find("bcc"),
        find("cds"),
        find("eip"),
        find("scs"),
        Query::Balance,
        Query::Quote(QuoteQuery {
            targets: vec![target("bcc")],
            term: Term { count: 1, unit: TermUnit::Month },
        }),
        Query::Orders(OrderQuery { orders: Vec::new(), target: None, created_from: None, cursor: None }),
        Query::Changes(ChangeQuery { since: AT, expires_until: AT, cursor: None }),
    ] {
        table += &match Baidu::encode_query(context(None), query) {
            Ok(request) => format!("{}\n", line(&request)),
            Err(refusal) => format!("refused: {}\n", refusal.message),
        };
    }
    let rule = || AutoRenewal { term: Some(Term { count: 3, unit: TermUnit::Month }), renewals: None };
    for kind in ["bcc", "cds", "eip"] {
        for change in [
            renewal(2, TermUnit::Year),
            renewal(1, TermUnit::Day),
            Change::SetAutoRenew(rule()),
            Change::CancelAutoRenew,
            Change::Unsubscribe(Scope::Everything),
            Change::Unsubscribe(Scope::FuturePeriods),
            Change::ConvertOnExpiry,
            Change::CancelConversion,
            Change::PayOrder("o-1".to_owned()),
            Change::CancelOrder("o-1".to_owned()),
        ] {
            table += &match Baidu::encode_mutation(context(None), mutation(kind, change)) {
                Ok(request) => format!("{}\n", line(&request)),
                Err(refusal) => format!("refused: {}\n", refusal.message),
            };
        }
    }
    expect![[r#"
        GET bcc.bj.baidubce.com/v2/instance?maxKeys=1000 
        GET bcc.bj.baidubce.com/v2/instance?marker=i-4&maxKeys=1000 
        GET bcc.hkg.baidubce.com/v2/volume?maxKeys=1000 
        GET eip.bj.baidubce.com/v1/eip?maxKeys=1000 
        refused: the list does not go on there
        GET bcc.bj.baidubce.com/v2/instance/i-1? 
        GET bcc.bj.baidubce.com/v2/volume/i-1? 
        GET eip.bj.baidubce.com/v1/eip?eipIds=i-1 
        refused: `scs` is not called by this API
        POST billing.baidubce.com/v1/finance/cash/balance? 
        refused: this API has no such question
        refused: this API has no such question
        refused: this API has no such question
        PUT bcc.bj.baidubce.com/v2/instance/i-1?clientToken=token&purchaseReserved=&relatedRenewFlag= {"billing":{"reservation":{"reservationLength":24,"reservationTimeUnit":"Month"}}}
        refused: renewals are for months or years
        POST bcc.bj.baidubce.com/v2/instance/batchCreateAutoRenewRules? {"instanceId":"i-1","renewTime":3,"renewTimeUnit":"month"}
        POST bcc.bj.baidubce.com/v2/instance/batchDeleteAutoRenewRules? {"instanceId":"i-1"}
        POST bcc.bj.baidubce.com/v2/instance/delete? {"deleteCdsSnapshotFlag":false,"instanceId":"i-1","relatedReleaseFlag":false}
        refused: no document of Baidu AI Cloud has a call that gives back periods that have not begun; do it in the console
        POST bcc.bj.baidubce.com/v2/instance/batch/charging?toPostpay= {"config":[{"effectiveType":"AfterExpiration","instanceId":"i-1"}]}
        refused: no document of Baidu AI Cloud has a call that takes the change of an instance, disk or address to pay-as-you-go back; do it in the console
        refused: no document of Baidu AI Cloud has a call that pays or cancels an order; do it in the console
        refused: no document of Baidu AI Cloud has a call that pays or cancels an order; do it in the console
        PUT bcc.bj.baidubce.com/v2/volume/i-1?clientToken=token&purchaseReserved= {"billing":{"reservation":{"reservationLength":24,"reservationTimeUnit":"Month"}}}
        refused: renewals are for months or years
        POST bcc.bj.baidubce.com/v2/volume/autoRenew? {"renewTime":3,"renewTimeUnit":"month","volumeId":"i-1"}
        POST bcc.bj.baidubce.com/v2/volume/cancelAutoRenew? {"volumeId":"i-1"}
        refused: a disk is released with its instance
        refused: no document of Baidu AI Cloud has a call that gives back periods that have not begun; do it in the console
        PUT bcc.bj.baidubce.com/v2/volume/i-1?modifyChargeType= {"effectiveType":"AfterExpiration"}
        refused: no document of Baidu AI Cloud has a call that takes the change of an instance, disk or address to pay-as-you-go back; do it in the console
        refused: no document of Baidu AI Cloud has a call that pays or cancels an order; do it in the console
        refused: no document of Baidu AI Cloud has a call that pays or cancels an order; do it in the console
        PUT eip.bj.baidubce.com/v1/eip/203.0.113.7?clientToken=token&purchaseReserved= {"billing":{"reservation":{"reservationLength":24,"reservationTimeUnit":"Month"}}}
        refused: renewals are for months or years
        PUT eip.bj.baidubce.com/v1/eip/203.0.113.7?startAutoRenew= {"autoRenewTime":3,"autoRenewTimeUnit":"month"}
        PUT eip.bj.baidubce.com/v1/eip/203.0.113.7?stopAutoRenew= {}
        PUT eip.bj.baidubce.com/v1/eip/refund/203.0.113.7? {}
        refused: no document of Baidu AI Cloud has a call that gives back periods that have not begun; do it in the console
        refused: no document of Baidu AI Cloud has a call that has an address become pay-as-you-go; do it in the console
        refused: no document of Baidu AI Cloud has a call that takes the change of an instance, disk or address to pay-as-you-go back; do it in the console
        refused: no document of Baidu AI Cloud has a call that pays or cancels an order; do it in the console
        refused: no document of Baidu AI Cloud has a call that pays or cancels an order; do it in the console
    "#]].assert_eq(&table);
}

#[test]
fn what_the_plan_renews_along_is_named_unless_a_person_named_it() {
    let cases: [(&[&str], Option<&str>); 7] = [
        (&[], None),
        (&["cds", "cds"], None),
        (&["eip"], None),
        (&["eip", "cds"], None),
        (&["mkt", "cds", "eip"], None),
        (&["cds", "eip"], Some("CDS")),
        (&[], Some("EIP")),
    ];
    let mut table = String::new();
    for (kinds, flag) in cases {
        let options = flag.map(|flag| ("relatedRenewFlag".to_owned(), flag.to_owned()));
        let term = Term { count: 1, unit: TermUnit::Month };
        let change = Change::Renew(CloudRenewal { term, options: options.into_iter().collect() });
        let along = kinds.iter().map(|kind| target(kind)).collect();
        let request =
            Baidu::encode_mutation(context(None), Mutation { along, ..mutation("bcc", change) }).unwrap();
        let sent = request.query.split_once("relatedRenewFlag=").unwrap().1;
        table += &format!("{kinds:?} {flag:?}: {sent}\n");
    }
    expect![[r#"
        [] None: 
        ["cds", "cds"] None: CDS
        ["eip"] None: EIP
        ["eip", "cds"] None: CDS_EIP
        ["mkt", "cds", "eip"] None: CDS_EIP_MKT
        ["cds", "eip"] Some("CDS"): CDS
        [] Some("EIP"): EIP
    "#]]
    .assert_eq(&table);
}

/// What the limits of a mutation are, where there are any.
fn limit(wanted: MutationName) -> Option<MutationLimit> {
    Baidu::describe_connector().mutations.into_iter().find(|limit| limit.mutation == wanted)
}

#[test]
fn a_conversion_takes_the_disks_of_its_plan_along_and_is_not_shown() {
    let (disk, address) = (target("cds"), target("eip"));
    let along = vec![Target { id: "v-1".to_owned(), ..disk }, address];
    let change = Mutation { along, ..mutation("bcc", Change::ConvertOnExpiry) };
    let request = Baidu::encode_mutation(context(None), change).unwrap();
    assert_eq!(
        line(&request),
        r#"POST bcc.bj.baidubce.com/v2/instance/batch/charging?toPostpay= {"config":[{"cdsList":["v-1"],"effectiveType":"AfterExpiration","instanceId":"i-1"}]}"#
    );
    // Nothing shows afterwards that it is set, and no call takes it back.
    assert!(limit(MutationName::ConvertOnExpiry).is_some_and(|limit| !limit.is_shown));
    assert!(limit(MutationName::SetAutoRenew).is_some_and(|limit| limit.is_shown));
    assert!(
        [MutationName::CancelConversion, MutationName::PayOrder].into_iter().all(|one| limit(one).is_none())
    );
}

#[test]
fn a_conversion_is_done_when_the_response_has_no_code() {
    let decoded = |kind: &str, status, body: &str| {
        let change = mutation(kind, Change::ConvertOnExpiry);
        match &Baidu::decode_mutation(context(None), change, response(status, body))[..] {
            [Outcome::Applied(receipt)] => format!("applied {:?}", receipt.orders),
            [Outcome::Declined(decline)] => format!("{:?} {}", decline.class, decline.refusal.code),
            [Outcome::InDoubt(_)] => "in doubt".to_owned(),
            _ => panic!("one outcome"),
        }
    };
    let code = |code: &str| format!(r#"{{"code": "{code}", "message": "m", "requestId": "r"}}"#);
    let mut table = String::new();
    for (kind, status, body) in [
        ("bcc", 200, r#"{"orderId": "5c001b, 6c001b"}"#.to_owned()),
        ("bcc", 200, r#"{"orderId": ""}"#.to_owned()),
        ("cds", 200, String::new()),
        ("cds", 403, code("Volume.AutoRenewNotSupportToPostpay")),
        ("cds", 403, code("Volume.PaymentTypeNotSupportToPostpay")),
        ("bcc", 409, code("OperationDenied")),
        ("bcc", 500, code("InternalError")),
        ("bcc", 502, "<html>".to_owned()),
    ] {
        table += &format!("{kind} {status} {body}\n    {}\n", decoded(kind, status, &body));
    }
    expect![[r#"
        bcc 200 {"orderId": "5c001b, 6c001b"}
            applied ["5c001b", "6c001b"]
        bcc 200 {"orderId": ""}
            applied []
        cds 200 
            applied []
        cds 403 {"code": "Volume.AutoRenewNotSupportToPostpay", "message": "m", "requestId": "r"}
            DeclineClass::Rule Volume.AutoRenewNotSupportToPostpay
        cds 403 {"code": "Volume.PaymentTypeNotSupportToPostpay", "message": "m", "requestId": "r"}
            DeclineClass::Rule Volume.PaymentTypeNotSupportToPostpay
        bcc 409 {"code": "OperationDenied", "message": "m", "requestId": "r"}
            DeclineClass::Rule OperationDenied
        bcc 500 {"code": "InternalError", "message": "m", "requestId": "r"}
            in doubt
        bcc 502 <html>
            in doubt
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_balance_is_counted_exactly_and_in_yuan() {
    let balance =
        |status, body: &str| match Baidu::decode_query(context(None), Query::Balance, response(status, body))
        {
            Ok(QueryAnswer::Balance(balance)) => format!("{} {}", balance.available, balance.currency),
            Ok(_) => panic!("it is a balance"),
            Err(failure) => failure.refusal.code,
        };
    let mut table = String::new();
    for (status, body) in [
        (200, r#"{"cashBalance": 850.0000}"#),
        (200, r#"{"cashBalance": 1234.56}"#),
        (200, r#"{"cashBalance": 9007199254740.993}"#),
        (200, r#"{"cashBalance": -0.1}"#),
        (200, r#"{"cashBalance": "12.50"}"#),
        (200, r#"{"cashBalance": null}"#),
        (200, r#"{"cashBalance": true}"#),
        (200, "{}"),
        (403, r#"{"code": "AccessDenied", "message": "m", "requestId": "r"}"#),
    ] {
        table += &format!("{status} {body}: {}\n", balance(status, body));
    }
    expect![[r#"
        200 {"cashBalance": 850.0000}: 850000000 CNY
        200 {"cashBalance": 1234.56}: 1234560000 CNY
        200 {"cashBalance": 9007199254740.993}: 9007199254740993000 CNY
        200 {"cashBalance": -0.1}: -100000 CNY
        200 {"cashBalance": "12.50"}: 12500000 CNY
        200 {"cashBalance": null}: unreadable
        200 {"cashBalance": true}: unreadable
        200 {}: unreadable
        403 {"code": "AccessDenied", "message": "m", "requestId": "r"}: AccessDenied
    "#]]
    .assert_eq(&table);
    let read = Baidu::describe_connector();
    assert!(read.balance && read.hosts.contains(&"billing.baidubce.com".to_owned()));
    let mut seen = std::collections::BTreeSet::new();
    assert!(read.hosts.iter().all(|host| seen.insert(host)), "each host once");
}

#[test]
fn a_list_goes_through_pages_regions_and_kinds_to_its_end() {
    assert_eq!(page(None, None, fixture("instances")).next.as_deref(), Some("0/0/i-4"));
    let last = response(200, r#"{"isTruncated": false, "instances": []}"#);
    assert_eq!(page(None, None, last.clone()).next.as_deref(), Some("0/1/"));
    assert_eq!(page(None, Some("0/5/"), last.clone()).next.as_deref(), Some("1/0/"));
    // An endpoint of the operator's has every region.
    assert_eq!(page(Some("127.0.0.1:1"), None, last).next.as_deref(), Some("1/0/"));
    assert_eq!(page(None, Some("2/5/"), fixture("addresses")).next, None);
    let nowhere = response(200, r#"{"isTruncated": true, "instances": []}"#);
    assert!(Baidu::decode_query(context(None), list(None), nowhere).is_err());
}

#[test]
fn resources_are_read_as_the_sdk_has_them() {
    let mut resources = page(None, None, fixture("instances")).resources;
    resources.extend(page(None, Some("1/0/"), fixture("volumes")).resources);
    resources.extend(page(None, Some("2/0/"), fixture("addresses")).resources);
    let shown = resources.iter().map(|it| {
        format!(
            "{} {} {:?} {:?} {:?} {:?} {:?} {:?}\n",
            it.kind,
            it.id,
            it.attached_to,
            it.charging,
            it.stage,
            it.expires_at,
            it.on_expiry,
            it.renewal_term
        )
    });
    expect![[r#"
        bcc i-1 None Charging::Prepaid Stage::Active Some(1774022399) Some(OnExpiry::Renew) None
        bcc i-2 None Charging::Prepaid Stage::Retention Some(1771603199) Some(OnExpiry::Lapse) None
        bcc i-3 None Charging::Postpaid Stage::Active None None None
        cds v-1 Some("i-1") Charging::Prepaid Stage::Active Some(1774022399) Some(OnExpiry::Renew) Some(Term { count: 3, unit: TermUnit::Month })
        eip ip-1 Some("i-1") Charging::Prepaid Stage::Active Some(1775059199) None None
    "#]].assert_eq(&shown.collect::<String>());
    assert_eq!(resources[0].tags, [("env".to_owned(), "prod".to_owned())]);
}

#[test]
fn a_resource_that_is_not_there_is_an_empty_answer() {
    let none = response(404, r#"{"code": "NoSuchObject", "message": "m", "requestId": "r"}"#);
    assert!(
        matches!(Baidu::decode_query(context(None), find("bcc"), none), Ok(QueryAnswer::Resources(page)) if page.resources.is_empty())
    );
    let one = response(
        200,
        r#"{"instance": {"id": "i-1", "status": "Running", "paymentTiming": "Prepaid", "expireTime": "2026-03-20T15:59:59Z"}}"#,
    );
    assert!(
        matches!(Baidu::decode_query(context(None), find("bcc"), one), Ok(QueryAnswer::Resources(page)) if page.resources.len() == 1)
    );
}

#[test]
fn a_response_proves_what_its_code_says_whatever_its_status_is() {
    let mut table = String::new();
    let code = |code: &str| format!(r#"{{"code": "{code}", "message": "m", "requestId": "r"}}"#);
    for (status, body) in [
        (409, code("OperationDenied")),
        (200, code("OperationDenied")),
        (404, code("NoSuchObject")),
        (400, code("InsufficientCreditException")),
        (403, code("AccessDenied")),
        (403, code("IdempotentParameterMismatch")),
        (500, code("InternalError")),
        (400, code("NeverHeardOf")),
        (200, r#"{"orderId": "o-1"}"#.to_owned()),
        (200, String::new()),
        (200, "<html>".to_owned()),
        (503, String::new()),
    ] {
        let renewed = mutation("bcc", renewal(1, TermUnit::Month));
        let outcome = Baidu::decode_mutation(context(None), renewed, response(status, &body));
        let outcome = match &outcome[..] {
            [Outcome::Applied(receipt)] => format!("applied {:?}", receipt.orders),
            [Outcome::Submitted(receipt)] => format!("submitted {:?}", receipt.orders),
            [Outcome::Declined(decline)] => format!("{:?}", decline.class),
            [Outcome::InDoubt(_)] => "in doubt".to_owned(),
            _ => panic!("one outcome"),
        };
        table += &format!("{status} {body}\n    {outcome}\n");
    }
    expect![[r#"
        409 {"code": "OperationDenied", "message": "m", "requestId": "r"}
            DeclineClass::Rule
        200 {"code": "OperationDenied", "message": "m", "requestId": "r"}
            DeclineClass::Rule
        404 {"code": "NoSuchObject", "message": "m", "requestId": "r"}
            DeclineClass::Rule
        400 {"code": "InsufficientCreditException", "message": "m", "requestId": "r"}
            DeclineClass::Money
        403 {"code": "AccessDenied", "message": "m", "requestId": "r"}
            DeclineClass::Provider
        403 {"code": "IdempotentParameterMismatch", "message": "m", "requestId": "r"}
            in doubt
        500 {"code": "InternalError", "message": "m", "requestId": "r"}
            in doubt
        400 {"code": "NeverHeardOf", "message": "m", "requestId": "r"}
            in doubt
        200 {"orderId": "o-1"}
            submitted ["o-1"]
        200 
            submitted []
        200 <html>
            in doubt
        503 
            in doubt
    "#]]
    .assert_eq(&table);
}
