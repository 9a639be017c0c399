//! Requests as a client sends them, signed as the SDK signs them, and responses printed for people.

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use plugin_baidu::Baidu;
use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::Authentication;
use plugin_sdk::provider_api::Credentials;
use plugin_sdk::provider_api::Guest;
use plugin_sdk::provider_api::KeyEncoding;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::Response;
use plugin_sdk::provider_api::request::hexadecimal;
use sha2::Sha256;

pub const ACCESS_KEY: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const SECRET: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A request line, such as `GET /v2/instance?maxKeys=1`, with headers and a body.
pub fn request(line: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Request {
        id: "r-1".to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    }
}

/// The same request with one more header.
pub fn with(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.push((name.to_owned(), value.to_owned()));
    request
}

pub fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    hmac.update(message);
    hmac.finalize().into_bytes().to_vec()
}

/// Verifies an authentication as the host does: the signature has to be that of the secret.
pub fn proves(authentication: &Authentication, secret: &str) -> bool {
    let Credentials::Signature(signed) = &authentication.credentials else { return false };
    let mut keys = vec![secret.as_bytes().to_vec()];
    for derivation in &signed.signature.derivations {
        let key = [&*derivation.prefix, &*keys[derivation.key as usize]].concat();
        let made = hmac(&key, &derivation.message);
        keys.push(match derivation.encoding {
            KeyEncoding::Bytes => made,
            KeyEncoding::Hexadecimal => hexadecimal(&made).into_bytes(),
        });
    }
    let signature = &signed.signature;
    hmac(&keys[signature.key as usize], &signature.message) == signature.value
}

pub fn identify(at: Timestamp, request: &Request) -> Result<Authentication, Response> {
    Baidu::identify(at, request.clone())
}

/// Prints a response in lines: status, headers, body.
pub fn show(response: &Response) -> String {
    let mut text = response.status.to_string();
    for (name, value) in &response.headers {
        if (name.as_str(), value.as_str()) != ("content-type", "application/json;charset=UTF-8") {
            text += &format!(" {name}={value}");
        }
    }
    let body = String::from_utf8(response.body.clone()).unwrap();
    format!("{text} {body}").trim_end().to_owned()
}

/// Whether the SDK can read a response: an object, and for an error one with all three fields, or nothing at all.
pub fn is_well_formed(response: &Response) -> bool {
    let id = response.headers.iter().find(|(name, _)| name == "x-bce-request-id").map(|(_, id)| id);
    let is_json = response
        .headers
        .iter()
        .any(|(name, value)| name == "content-type" && value == "application/json;charset=UTF-8");
    let body = serde_json::from_slice::<serde_json::Value>(&response.body);
    let is_answer = match response.status {
        200 if response.body.is_empty() => true,
        200 => body.is_ok_and(|body| body.is_object()),
        400..=599 => body.is_ok_and(|body| {
            ["code", "message"].iter().all(|field| body[field].as_str().is_some_and(|text| !text.is_empty()))
                && body["requestId"].as_str() == id.map(String::as_str)
        }),
        _ => false,
    };
    is_json && is_answer && id.is_some()
}
