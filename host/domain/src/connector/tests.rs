//! What a connector may say, and which of its requests are reads.

use std::collections::BTreeMap;

use crate::account::Account;
use crate::account::Mode;
use crate::connector::Api;
use crate::connector::ApiIndex;
use crate::connector::CallContext;
use crate::connector::Capabilities;
use crate::connector::Cursor;
use crate::connector::MutationLimit;
use crate::connector::MutationName;
use crate::connector::Query;
use crate::connector::QueryAnswer;
use crate::connector::Read;
use crate::connector::ResourcePage;
use crate::connector::SignatureEncoding;
use crate::connector::Signing;
use crate::connector::UnsignedRequest;
use crate::connector::check_capabilities;
use crate::connector::check_query_answer;
use crate::connector::check_request;
use crate::ledger::Balance;
use crate::provider_api::Derivation;
use crate::provider_api::KeyEncoding;
use crate::timestamp::Timestamp;

fn capabilities() -> Capabilities {
    let read = |name: &str, method: &str, path: &str, parameters: &[&str]| Read {
        name: name.to_owned(),
        label: "What is there".to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        parameters: parameters.iter().map(|&name| name.to_owned()).collect(),
    };
    Capabilities {
        hosts: vec!["api.acme.example".to_owned()],
        apis: vec![Api { name: "orders".to_owned(), calls: 10, seconds: 1 }],
        reads: vec![
            read("list", "POST", "/v2/resources/query", &[]),
            read("order", "GET", "/v2/orders/{order}", &["lang"]),
        ],
        mutations: vec![MutationLimit {
            mutation: MutationName::Renew,
            targets_max: 10,
            same_kind: false,
            same_region: false,
            takes_client_token: false,
            is_shown: true,
        }],
        find_targets_max: 50,
        changes: false,
        quote_targets_max: 10,
        balance: true,
    }
}

fn request(method: &str, path: &str, query: &str) -> UnsignedRequest {
    UnsignedRequest {
        api: ApiIndex::new(0),
        method: method.to_owned(),
        host: "api.acme.example".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: vec![("x-date".to_owned(), "20260101T000000Z".to_owned())],
        body: Vec::new(),
        signing: Signing {
            derivations: Vec::new(),
            key: 0,
            message: b"message".to_vec(),
            encoding: SignatureEncoding::Hexadecimal,
            header: "authorization".to_owned(),
            prefix: "ACME key=AK1, signature=".to_owned(),
            suffix: String::new(),
        },
    }
}

/// What is wrong with a request, for an account whose requests go to the provider's own hosts or to `endpoint`.
fn problem(request: &UnsignedRequest, endpoint: Option<&str>) -> Option<String> {
    let account = Account {
        id: "acme".to_owned(),
        provider: "acme".to_owned(),
        mode: Mode::Managed,
        currency: "USD".to_owned(),
        balance: Balance::default(),
        settings: BTreeMap::new(),
        approval_above: None,
        budget: None,
    };
    let at = Timestamp::from_second(0);
    let context = CallContext { at, account: &account, access_key: "AK1", endpoint };
    check_request(&capabilities(), &context, request).err()
}

#[test]
fn a_read_is_known_by_method_path_and_parameters() {
    let capabilities = capabilities();
    let read = |method, path, query| {
        capabilities.read_of(&request(method, path, query)).map(|read| read.name.as_str())
    };
    assert_eq!(read("POST", "/v2/resources/query", ""), Some("list"));
    assert_eq!(read("GET", "/v2/orders/CS-1", "lang=en"), Some("order"));
    for (method, path, query) in [
        ("PUT", "/v2/resources/query", ""),
        ("POST", "/v2/resources/query/", ""),
        ("POST", "/v2/resources/query", "renew"),
        ("POST", "/v2/resources/query", "%72enew="),
        ("GET", "/v2/orders/", ""),
        ("GET", "/v2/orders/CS-1/pay", ""),
        ("GET", "/v2/orders/..", ""),
        ("GET", "/v2/orders/CS%2Fpay", ""),
        ("GET", "/v2/orders/CS;a=b", ""),
        ("GET", "/v2/orders/CS-1", "lang=en&lang2=1"),
    ] {
        assert_eq!(read(method, path, query), None, "{method} {path} {query}");
    }
}

#[test]
fn a_request_goes_to_a_host_that_the_capabilities_name() {
    let mut sent = request("GET", "/v2/orders/1", "");
    assert_eq!(problem(&sent, None), None);
    assert!(problem(&sent, Some("127.0.0.1:8080")).unwrap().contains("does not name"));
    sent.host = "127.0.0.1:8080".to_owned();
    assert_eq!(problem(&sent, Some("127.0.0.1:8080")), None);
    for host in
        ["127.0.0.1:8080", "evil.example", "api.acme.example.", "api.acme.example:80", "API.acme.example"]
    {
        sent.host = host.to_owned();
        assert!(problem(&sent, None).unwrap().contains("does not name"), "{host}");
    }
}

#[test]
fn nothing_in_a_request_reads_as_something_else_on_the_way() {
    let with = |change: &dyn Fn(&mut UnsignedRequest)| {
        let mut sent = request("GET", "/v2/orders/1", "a=1");
        change(&mut sent);
        problem(&sent, None).expect("it is refused")
    };
    for path in
        ["", "v2", "/a/../b", "/a/./b", "/a//b", "/a%2e%2e/b", "/a%2Fb", "/a?b", "/a#b", "/a b", "/a\r\nb"]
    {
        assert!(with(&|sent| sent.path = path.to_owned()).starts_with("the path"), "{path}");
    }
    for query in ["a b", "a#b", "a\nb", "a\u{e9}"] {
        assert!(with(&|sent| sent.query = query.to_owned()).starts_with("the query"), "{query}");
    }
    for name in ["", "Host", "host", "content-length", "transfer-encoding", "a b", "a:"] {
        let problem = with(&|sent| sent.headers[0].0 = name.to_owned());
        assert!(problem.starts_with("the header name"), "{name}: {problem}");
    }
    assert!(with(&|sent| sent.headers[0].1 = "a\r\nb: c".to_owned()).starts_with("the header `x-date`"));
    assert!(with(&|sent| sent.signing.suffix = "\n".to_owned()).starts_with("the header `authorization`"));
    assert!(with(&|sent| sent.headers[0].0 = "authorization".to_owned()).contains("twice"));
    assert!(with(&|sent| sent.method = "get".to_owned()).starts_with("the method"));
    assert!(with(&|sent| sent.api = ApiIndex::new(1)).starts_with("the API 1"));
    assert!(with(&|sent| sent.signing.key = 1).starts_with("the key 1"));
    let early = Derivation { key: 1, prefix: Vec::new(), message: Vec::new(), encoding: KeyEncoding::Bytes };
    assert!(with(&|sent| sent.signing.derivations = vec![early.clone()]).starts_with("the key 1"));
}

#[test]
fn every_problem_of_capabilities_is_listed() {
    assert_eq!(check_capabilities(&capabilities()), Ok(()));
    let mut wrong = capabilities();
    wrong.hosts = ["localhost", "10.0.0.1", "*.acme.example", "acme.example:80"].map(str::to_owned).to_vec();
    wrong.apis[0].seconds = 0;
    wrong.reads[0].path = "v2".to_owned();
    wrong.reads[1].name = "list".to_owned();
    wrong.mutations.push(wrong.mutations[0]);
    wrong.find_targets_max = 0;
    assert_eq!(check_capabilities(&wrong).unwrap_err().len(), 9);
}

#[test]
fn a_page_is_no_endless_list_and_answers_its_own_query() {
    let page = |next: &str| {
        QueryAnswer::Resources(ResourcePage {
            resources: Vec::new(),
            unknown: Vec::new(),
            total: None,
            next: Some(Cursor(next.to_owned())),
        })
    };
    let from = |cursor: &str| Query::List { cursor: Some(Cursor(cursor.to_owned())), expires_until: None };
    assert_eq!(check_query_answer(&from("1"), &page("2")), Ok(()));
    let (since, expires_until) = (Timestamp::from_second(0), Timestamp::from_second(1));
    let changes = Query::Changes { since, expires_until, cursor: Some(Cursor("1".to_owned())) };
    assert_eq!(check_query_answer(&changes, &page("2")), Ok(()));
    assert!(check_query_answer(&changes, &page("1")).unwrap_err().contains("followed by itself"));
    assert!(check_query_answer(&from("1"), &page("1")).unwrap_err().contains("followed by itself"));
    assert!(check_query_answer(&from("1"), &page(&"2".repeat(1_001))).unwrap_err().contains("1001 bytes"));
    assert!(check_query_answer(&Query::Balance, &page("2")).unwrap_err().contains("`balance`"));
}
