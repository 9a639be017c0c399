//! The canonical form of a request, which the client signs: method, path, query and headers, each on its own lines.
//!
//! Document: "Generate authentication string" (cloud.baidu.com/doc/Reference/s/njwvz1yfu). Knows the form;
//! `signature` knows who signs it, and for how long.

use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::request;
use plugin_sdk::provider_api::request::QueryOrder;

use crate::provider_api::parameters::AUTHORIZATION;
use crate::provider_api::parameters::Parameters;
use crate::provider_api::problem::Problem;

/// The header that has to be signed.
const HOST: &str = "host";

/// The headers that are signed when the authorization names none, beside those that begin with [`PREFIX`].
const BY_DEFAULT: [&str; 4] = [HOST, "content-length", "content-type", "content-md5"];

const PREFIX: &str = "x-bce-";

/// The headers that are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedHeaders<'a>(&'a str);

impl<'a> SignedHeaders<'a> {
    /// Reads the part of an authorization between the validity and the signature: names in lower case, separated by
    /// semicolons. `None` when `host` is not among them, which the document requires.
    pub fn of(names: &'a str) -> Option<SignedHeaders<'a>> {
        let is_complete = names.is_empty() || names.split(';').any(|name| name == HOST);
        is_complete.then_some(SignedHeaders(names))
    }

    /// Whether the header of this name, in lower case, is signed.
    pub(crate) fn include(self, name: &str) -> bool {
        match self.0 {
            "" => BY_DEFAULT.contains(&name) || name.starts_with(PREFIX),
            names => names.split(';').any(|signed| signed == name),
        }
    }
}

/// The canonical form. The body is represented by its length only, and by its digest if one was sent.
///
/// # Errors
///
/// `InvalidURI` when the path is not percent-encoded UTF-8.
pub fn form(request: &Request, parameters: &Parameters, signed: SignedHeaders) -> Result<String, Problem> {
    let Some(path) = request::decode(&request.path, false) else {
        return Err(Problem::new("InvalidURI", "the path is not percent-encoded UTF-8"));
    };
    let path = request::encode(&path, "/");
    Ok(format!("{}\n{path}\n{}\n{}", request.method, query(parameters), headers(request, signed)))
}

/// Every parameter except the authorization.
fn query(parameters: &Parameters) -> String {
    let signed = parameters.pairs().filter(|(name, _)| !name.eq_ignore_ascii_case(AUTHORIZATION));
    request::canonical_query(signed, QueryOrder::Encoded)
}

/// Every header that is signed and not empty, sorted by its encoded text, without a line end after the last.
fn headers(request: &Request, signed: SignedHeaders) -> String {
    let lines =
        request.headers.iter().filter(|(name, _)| signed.include(name)).filter_map(|(name, value)| {
            let value = value.trim();
            let line = || format!("{}:{}", request::encode(name, ""), request::encode(value, ""));
            (!value.is_empty()).then(line)
        });
    let mut lines = lines.collect::<Vec<_>>();
    lines.sort_unstable();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use plugin_sdk::provider_api::Request;

    use crate::provider_api::canonical::SignedHeaders;
    use crate::provider_api::canonical::form;
    use crate::provider_api::parameters::Parameters;

    fn canonical(path: &str, query: &str, headers: &[(&str, &str)], signed: &str) -> String {
        let request = Request {
            id: "r-1".to_owned(),
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: Vec::new(),
        };
        let signed = SignedHeaders::of(signed).unwrap();
        let form = Parameters::of(&request).and_then(|parameters| form(&request, &parameters, signed));
        form.unwrap_or_else(|problem| String::from_utf8(problem.response("r-1").body).unwrap())
    }

    #[test]
    fn paths_and_queries_have_one_form_however_they_were_sent() {
        let mut table = String::new();
        for (path, query) in [
            ("/v2/instance", ""),
            ("/v2/instance/i-1", "purchaseReserved"),
            ("/v2/instance/i-1", "purchaseReserved="),
            ("/", "text&text1=\u{6d4b}\u{8bd5}&text10=test"),
            ("/", "text&text1=%E6%B5%8B%e8%af%95&text10=test"),
            ("/", "b=2&a=1&&a=0"),
            ("/", "a=1&authorization=bce-auth-v1%2Fx&Authorization=y"),
            ("/", "a=b=c&d=e+f&g=h%20i&~-._=%7E"),
            ("/", "a%2fb%20c=1&a b=2"),
            ("/a%2Fb/%E6%B5%8B", ""),
            ("/a b/*", ""),
            ("", ""),
            ("/%E6", ""),
            ("/%", ""),
            ("/", "a=%zz"),
            ("/", "a=%ff"),
        ] {
            let form = canonical(path, query, &[], "");
            table += &format!("{path}?{query}\n  {}\n", form.replace('\n', " | "));
        }
        expect![[r#"
            /v2/instance?
              GET | /v2/instance |  | 
            /v2/instance/i-1?purchaseReserved
              GET | /v2/instance/i-1 | purchaseReserved= | 
            /v2/instance/i-1?purchaseReserved=
              GET | /v2/instance/i-1 | purchaseReserved= | 
            /?text&text1=测试&text10=test
              GET | / | text10=test&text1=%E6%B5%8B%E8%AF%95&text= | 
            /?text&text1=%E6%B5%8B%e8%af%95&text10=test
              GET | / | text10=test&text1=%E6%B5%8B%E8%AF%95&text= | 
            /?b=2&a=1&&a=0
              GET | / | a=0&a=1&b=2 | 
            /?a=1&authorization=bce-auth-v1%2Fx&Authorization=y
              GET | / | a=1 | 
            /?a=b=c&d=e+f&g=h%20i&~-._=%7E
              GET | / | a=b%3Dc&d=e%2Bf&g=h%20i&~-._=~ | 
            /?a%2fb%20c=1&a b=2
              GET | / | a%20b=2&a%2Fb%20c=1 | 
            /a%2Fb/%E6%B5%8B?
              GET | /a/b/%E6%B5%8B |  | 
            /a b/*?
              GET | /a%20b/%2A |  | 
            ?
              GET |  |  | 
            /%E6?
              {"code":"InvalidURI","message":"the path is not percent-encoded UTF-8","requestId":"r-1"}
            /%?
              {"code":"InvalidURI","message":"the path is not percent-encoded UTF-8","requestId":"r-1"}
            /?a=%zz
              {"code":"InvalidURI","message":"the query is not percent-encoded UTF-8","requestId":"r-1"}
            /?a=%ff
              {"code":"InvalidURI","message":"the query is not percent-encoded UTF-8","requestId":"r-1"}
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn headers_that_are_signed_are_trimmed_encoded_and_sorted() {
        let headers = [
            ("x-bce-date", " 2015-04-27T08:23:49Z\t"),
            ("host", "bcc.bj.baidubce.com:8080"),
            ("content-type", "application/json;charset=utf-8"),
            ("content-length", "0"),
            ("content-md5", "  "),
            ("user-agent", "bce-sdk-python"),
            ("authorization", "bce-auth-v1/\u{2026}"),
            ("x-bce-meta", "\u{e9}"),
            ("x-bce-meta", "a b"),
        ];
        let mut table = String::new();
        for signed in ["", "host", "host;x-bce-date", "content-length;host;x-none", "authorization;host"] {
            let form = canonical("/", "", &headers, signed);
            table += &format!("{signed:?}\n  {}\n", form.replace('\n', " | "));
        }
        expect![[r#"
            ""
              GET | / |  | content-length:0 | content-type:application%2Fjson%3Bcharset%3Dutf-8 | host:bcc.bj.baidubce.com%3A8080 | x-bce-date:2015-04-27T08%3A23%3A49Z | x-bce-meta:%C3%A9 | x-bce-meta:a%20b
            "host"
              GET | / |  | host:bcc.bj.baidubce.com%3A8080
            "host;x-bce-date"
              GET | / |  | host:bcc.bj.baidubce.com%3A8080 | x-bce-date:2015-04-27T08%3A23%3A49Z
            "content-length;host;x-none"
              GET | / |  | content-length:0 | host:bcc.bj.baidubce.com%3A8080
            "authorization;host"
              GET | / |  | authorization:bce-auth-v1%2F%E2%80%A6 | host:bcc.bj.baidubce.com%3A8080
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn a_signature_that_leaves_the_host_out_is_none() {
        for names in ["x-bce-date", "Host", "hosts", ";", "content-type;x-bce-date"] {
            assert_eq!(SignedHeaders::of(names), None, "{names}");
        }
    }
}
