//! Reads the credentials of a request: the signature `SDK-HMAC-SHA256`, or a token.
//!
//! Sources: "API Request Signing Guide" of Huawei Cloud, and what its official SDKs do where the guide is silent (the
//! module `huaweicloudsdkcore.signer`). Composes the signed message; the host has the secret, and computes and compares
//! the HMAC. Newer algorithms (V11-HMAC-SHA256, SDK-HMAC-SM3, SDK-ECDSA-P256-SHA256, SDK-SM2-SM3) are not supported,
//! and refused.

use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::Authentication;
use plugin_sdk::provider_api::Credentials;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::Signature;
use plugin_sdk::provider_api::SignatureCredentials;
use plugin_sdk::provider_api::request::QueryOrder;
use plugin_sdk::provider_api::request::canonical_query;
use plugin_sdk::provider_api::request::decode;
use plugin_sdk::provider_api::request::decoded_pairs;
use plugin_sdk::provider_api::request::encode;
use plugin_sdk::provider_api::request::from_hexadecimal;
use plugin_sdk::provider_api::request::header;
use plugin_sdk::provider_api::request::headers;
use plugin_sdk::provider_api::request::hexadecimal;
use plugin_sdk::provider_api::request::only;
use sha2::Digest;
use sha2::Sha256;

use crate::provider_api::instant;
use crate::provider_api::problem::Problem;

/// The only algorithm that is accepted.
const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// How far the client's clock and the host's may be apart, in seconds: 15 minutes.
pub(crate) const APART_MAX: Timestamp = 15 * 60;

/// How long a token is valid, in seconds: 24 hours. "Obtaining a User Token Through Password Authentication"
/// (iam_30_0001).
pub(crate) const TOKEN_VALID: u32 = 24 * 60 * 60;

/// The parts of the header `Authorization`.
#[derive(Debug)]
struct Authorization<'a> {
    access_key: &'a str,
    signed_headers: Vec<&'a str>,
    signature: Vec<u8>,
}

/// The credentials in the headers of a request.
pub fn authentication(at: Timestamp, request: &Request) -> Result<Authentication, Problem> {
    let header = |name| {
        let repeated = |_| Problem::unauthenticated("more than one signature or token");
        only(headers(request, name)).map_err(repeated)
    };
    match (header("authorization")?, header("x-auth-token")?) {
        (Some(authorization), _) => signed(at, request, authorization.trim()),
        (None, Some(token)) if !token.trim().is_empty() => Ok(Authentication {
            credentials: Credentials::BearerToken(token.trim().to_owned()),
            valid_until: at.saturating_add(Timestamp::from(TOKEN_VALID)),
        }),
        (None, _) => Err(Problem::unauthenticated("x-auth-token not found")),
    }
}

fn signed(at: Timestamp, request: &Request, authorization: &str) -> Result<Authentication, Problem> {
    let authorization = read(authorization)?;
    if header(request, "x-security-token").is_some() {
        return Err(Problem::unauthenticated("temporary access keys are not issued here"));
    }
    let date = date(at, request, &authorization.signed_headers)?;
    is_body_covered(request)?;
    let canonical = canonical_request(request, &authorization.signed_headers)?;
    let signature = Signature {
        derivations: Vec::new(),
        key: 0,
        message: string_to_sign(date, &canonical).into_bytes(),
        value: authorization.signature,
    };
    let access_key = authorization.access_key.to_owned();
    let signed_at = instant::from_compact(date).unwrap_or(at);
    Ok(Authentication {
        credentials: Credentials::Signature(SignatureCredentials { access_key, signature }),
        valid_until: signed_at.saturating_add(APART_MAX + 1),
    })
}

/// The parts of `SDK-HMAC-SHA256 Access=…, SignedHeaders=a;b, Signature=…`.
fn read(authorization: &str) -> Result<Authorization<'_>, Problem> {
    let wrong = || Problem::unauthenticated("the header Authorization is not well-formed");
    let (algorithm, parts) = authorization.split_once(' ').ok_or_else(wrong)?;
    if algorithm != ALGORITHM {
        return Err(Problem::unauthenticated("the signing algorithm is not supported; use SDK-HMAC-SHA256"));
    }
    let (mut access_key, mut signed_headers, mut signature) = (None, None, None);
    for part in parts.split(',') {
        let (name, value) = part.trim().split_once('=').ok_or_else(wrong)?;
        let field = match name {
            "Access" => &mut access_key,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => return Err(wrong()),
        };
        if field.replace(value).is_some() {
            return Err(wrong());
        }
    }
    let access_key = access_key.filter(|key| !key.is_empty()).ok_or_else(wrong)?;
    let signed_headers = signed_headers.ok_or_else(wrong)?.split(';').collect::<Vec<_>>();
    if !signed_headers.is_sorted_by(|name, next| name < next) {
        return Err(Problem::unauthenticated("the names of SignedHeaders are not in order, each once"));
    }
    let signature = signature
        .and_then(from_hexadecimal)
        .filter(|bytes| bytes.len() == 32)
        .ok_or_else(|| Problem::unauthenticated("verify aksk signature fail"))?;
    Ok(Authorization { access_key, signed_headers, signature })
}

/// The `X-Sdk-Date` of the request, which has to be signed and recent.
fn date<'a>(at: Timestamp, request: &'a Request, signed_headers: &[&str]) -> Result<&'a str, Problem> {
    let Ok(Some(date)) = only(headers(request, "x-sdk-date")) else {
        return Err(Problem::unauthenticated("x-sdk-date is not there once"));
    };
    if !signed_headers.contains(&"x-sdk-date") {
        return Err(Problem::unauthenticated("x-sdk-date is not signed"));
    }
    let date = date.trim();
    let signed_at = instant::from_compact(date)
        .ok_or_else(|| Problem::unauthenticated("x-sdk-date is not of the form 20191115T033655Z"))?;
    if signed_at.abs_diff(at) > APART_MAX.unsigned_abs() {
        return Err(Problem::expired(date, &instant::compact(at)));
    }
    Ok(date)
}

/// Checks that the signature covers the body. SDKs do not sign bodies that are not JSON: they send `UNSIGNED-PAYLOAD`
/// instead of the hash. This API has JSON bodies only, so an unsigned body could only serve to be changed on the way.
fn is_body_covered(request: &Request) -> Result<(), Problem> {
    let hash = || hexadecimal(&Sha256::digest(&request.body));
    match header(request, "x-sdk-content-sha256").map(str::trim) {
        None => Ok(()),
        Some(_) if request.body.is_empty() => Ok(()),
        Some(sent) if sent.eq_ignore_ascii_case(&hash()) => Ok(()),
        Some("UNSIGNED-PAYLOAD") => {
            Err(Problem::unauthenticated("the body has to be signed: UNSIGNED-PAYLOAD is not accepted"))
        }
        Some(_) => Err(Problem::unauthenticated("x-sdk-content-sha256 is not the hash of the body")),
    }
}

/// The message that is signed, for a canonical request with this date.
pub fn string_to_sign(date: &str, canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{date}\n{}", hexadecimal(&Sha256::digest(canonical_request)))
}

/// The canonical request, whose hash is signed.
pub fn canonical_request(request: &Request, signed_headers: &[&str]) -> Result<String, Problem> {
    let path =
        decode(&request.path, false).ok_or_else(|| Problem::unreadable("the path is not encoded well"))?;
    let parameters = decoded_pairs(&request.query, true)
        .ok_or_else(|| Problem::unreadable("the query is not encoded well"))?;
    let parameters = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let query = canonical_query(parameters, QueryOrder::Decoded);
    let mut canonical = format!("{}\n{}\n{query}\n", request.method.to_uppercase(), canonical_path(&path));
    for name in signed_headers {
        let mut values = headers(request, name).map(str::trim).collect::<Vec<_>>();
        if values.is_empty() {
            return Err(Problem::unauthenticated("a signed header is not there"));
        }
        values.sort_unstable();
        values.iter().for_each(|value| canonical.extend([name, ":", value, "\n"]));
    }
    let hash = hexadecimal(&Sha256::digest(&request.body));
    canonical.extend(["\n", &signed_headers.join(";"), "\n", &hash]);
    Ok(canonical)
}

/// A decoded path, encoded segment by segment, with a slash at its end. The path is decoded before it is split, so an
/// encoded slash becomes a separator.
fn canonical_path(path: &str) -> String {
    let mut canonical = encode(path, "/");
    if !canonical.ends_with('/') {
        canonical.push('/');
    }
    canonical
}
