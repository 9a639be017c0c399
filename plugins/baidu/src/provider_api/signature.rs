//! Reads the credentials of a request: `bce-auth-v1`, in the header or, pre-signed, in the query.
//!
//! Document: "Generate authentication string" (cloud.baidu.com/doc/Reference/s/njwvz1yfu). The authorization is
//! `bce-auth-v1/{access key}/{instant}/{seconds}/{signed headers}/{signature}`; the HMAC of its first four parts
//! under the secret key is the key that signs the canonical request. Knows the derivation; the host has the secrets.

use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::Authentication;
use plugin_sdk::provider_api::Credentials;
use plugin_sdk::provider_api::Derivation;
use plugin_sdk::provider_api::KeyEncoding;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::Signature;
use plugin_sdk::provider_api::SignatureCredentials;
use plugin_sdk::provider_api::request;
use plugin_sdk::provider_api::rfc3339;

use crate::options::CLIENT_TOKEN_SECONDS;
use crate::provider_api::canonical;
use crate::provider_api::canonical::SignedHeaders;
use crate::provider_api::digest;
use crate::provider_api::parameters::AUTHORIZATION;
use crate::provider_api::parameters::Parameters;
use crate::provider_api::problem::Problem;

/// The only version that is accepted.
const VERSION: &str = "bce-auth-v1";

/// How far a client's clock may be ahead of the host's, in seconds. A signature is valid from its instant on, so one
/// from the future is not valid yet. No document states the tolerance; this is the quarter of an hour of other
/// providers.
const AHEAD_MAX: Timestamp = 900;

/// The longest validity, in seconds; the default of every SDK is 1,800. No document has a limit. The host
/// remembers the client token of a request for a day, and the signature has to expire before that, even when the
/// client's clock is ahead.
const VALIDITY_MAX: Timestamp = CLIENT_TOKEN_SECONDS as Timestamp - AHEAD_MAX;

/// The longest access key id, in characters.
const ACCESS_KEY_MAX: usize = 128;

/// The index of the access key's secret, and of the key derived from it.
const SECRET: u32 = 0;
const SIGNING_KEY: u32 = 1;

/// The credentials of a request, which the host verifies.
///
/// # Errors
///
/// `InvalidHTTPAuthHeader` without a readable authorization, `RequestExpired` when it is not valid any more or not
/// valid yet, `InvalidURI` when the path or the query is not well encoded, and `BadDigest` for a digest that is not the
/// body's.
pub fn authentication(at: Timestamp, request: &Request) -> Result<Authentication, Problem> {
    let parameters = Parameters::of(request)?;
    let authorization = Authorization::read(authorization(request, &parameters)?)?;
    authorization.check_instant(at)?;
    digest::check(request)?;
    let message = canonical::form(request, &parameters, authorization.signed_headers)?;
    Ok(authorization.authentication(message))
}

/// The headers that are signed, of a request with an authorization.
///
/// # Errors
///
/// `InvalidHTTPAuthHeader` without a readable authorization.
pub fn signed_headers<'a>(
    request: &'a Request,
    parameters: &'a Parameters,
) -> Result<SignedHeaders<'a>, Problem> {
    Ok(Authorization::read(authorization(request, parameters)?)?.signed_headers)
}

fn authorization<'a>(request: &'a Request, parameters: &'a Parameters) -> Result<&'a str, Problem> {
    let mut headers = request.headers.iter().filter(|(name, _)| name == AUTHORIZATION);
    match (headers.next(), headers.next()) {
        (Some((_, value)), None) => Ok(value.trim()),
        (None, _) => parameters.authorization().ok_or_else(|| unreadable("there is none; sign the request")),
        (Some(_), Some(_)) => Err(unreadable("there is more than one")),
    }
}

struct Authorization<'a> {
    /// The authorization up to the validity, as it was sent.
    prefix: &'a str,
    access_key: &'a str,
    signed_at: Timestamp,
    valid_until: Timestamp,
    signed_headers: SignedHeaders<'a>,
    signature: Vec<u8>,
}

impl<'a> Authorization<'a> {
    fn read(text: &'a str) -> Result<Authorization<'a>, Problem> {
        let parts = text.split('/').collect::<Vec<_>>();
        let &[version, access_key, instant, seconds, signed_headers, signature] = &*parts else {
            return Err(unreadable(
                "it is `bce-auth-v1/{access key}/{instant}/{seconds}/{signed headers}/{signature}`",
            ));
        };
        if version != VERSION {
            return Err(unreadable("its version is not `bce-auth-v1`"));
        }
        let is_key = access_key.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_key || !(1..=ACCESS_KEY_MAX).contains(&access_key.len()) {
            return Err(unreadable("its access key is not one"));
        }
        let signed_at = rfc3339::read_utc(instant)
            .ok_or_else(|| unreadable("its instant is not of the form `2015-04-27T08:23:49Z`"))?;
        let validity = validity(seconds)
            .ok_or_else(|| unreadable(&format!("its validity is not 1 to {VALIDITY_MAX} seconds")))?;
        let signed_headers = SignedHeaders::of(signed_headers)
            .ok_or_else(|| unreadable("its signed headers leave `host` out"))?;
        let signature = bytes(signature)
            .ok_or_else(|| unreadable("its signature is not 64 lower case hexadecimal digits"))?;
        let prefix = version.len() + access_key.len() + instant.len() + seconds.len() + 3;
        Ok(Authorization {
            prefix: &text[..prefix],
            access_key,
            signed_at,
            valid_until: signed_at.saturating_add(validity),
            signed_headers,
            signature,
        })
    }

    /// The credentials: `message` is signed with the key derived from the secret and the first four parts.
    fn authentication(self, message: String) -> Authentication {
        let derivation = Derivation {
            key: SECRET,
            prefix: Vec::new(),
            message: self.prefix.as_bytes().to_vec(),
            encoding: KeyEncoding::Hexadecimal,
        };
        let signature = Signature {
            derivations: vec![derivation],
            key: SIGNING_KEY,
            message: message.into_bytes(),
            value: self.signature,
        };
        let access_key = self.access_key.to_owned();
        Authentication {
            credentials: Credentials::Signature(SignatureCredentials { access_key, signature }),
            valid_until: self.valid_until,
        }
    }

    fn check_instant(&self, at: Timestamp) -> Result<(), Problem> {
        let (signed_at, now) = (rfc3339::write(self.signed_at), rfc3339::write(at));
        if at >= self.valid_until {
            let until = rfc3339::write(self.valid_until);
            return Err(Problem::new(
                "RequestExpired",
                format!("signed at {signed_at} until {until}; now it is {now}"),
            ));
        }
        if self.signed_at > at.saturating_add(AHEAD_MAX) {
            return Err(Problem::new(
                "RequestExpired",
                format!("signed at {signed_at}, which is to come: now it is {now}; set the clock"),
            ));
        }
        Ok(())
    }
}

fn unreadable(problem: &str) -> Problem {
    Problem::new("InvalidHTTPAuthHeader", format!("the authorization cannot be used: {problem}"))
}

fn validity(seconds: &str) -> Option<Timestamp> {
    let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = seconds.parse::<Timestamp>().ok().filter(|_| is_number)?;
    (1..=VALIDITY_MAX).contains(&seconds).then_some(seconds)
}

fn bytes(signature: &str) -> Option<Vec<u8>> {
    let is_lower = signature.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    request::from_hexadecimal(signature).filter(|bytes| is_lower && bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use hmac::Hmac;
    use hmac::KeyInit;
    use hmac::Mac;
    use plugin_sdk::provider_api::Credentials;
    use plugin_sdk::provider_api::KeyEncoding;
    use plugin_sdk::provider_api::Request;
    use plugin_sdk::provider_api::request::hexadecimal;
    use sha2::Sha256;

    use crate::provider_api::canonical;
    use crate::provider_api::parameters::Parameters;
    use crate::provider_api::signature::Authorization;

    fn hmac(key: &[u8], message: &[u8]) -> String {
        let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        hmac.update(message);
        hexadecimal(&hmac.finalize().into_bytes())
    }

    /// The example of "Generate authentication string", whose body is not printed: only its digest is.
    #[test]
    fn the_recipe_makes_the_published_key_and_the_published_signature() {
        let prefix = "bce-auth-v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2015-04-27T08:23:49Z/1800";
        let signature = "d74a04362e6a848f5b39b15421cb449427f419c95a480fd6b8cf9fc783e2999e";
        let headers = [
            ("host", "bj.bcebos.com"),
            ("date", "Mon, 27 Apr 2015 16:23:49 +0800"),
            ("content-type", "text/plain"),
            ("content-length", "8"),
            ("content-md5", "NFzcPqhviddjRNnSOGo4rw=="),
            ("x-bce-date", "2015-04-27T08:23:49Z"),
        ];
        let request = Request {
            id: "r-1".to_owned(),
            method: "PUT".to_owned(),
            path: "/v1/test/myfolder/readme.txt".to_owned(),
            query: "partNumber=9&uploadId=a44cc9bab11cbd156984767aad637851".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: Vec::new(),
        };
        for signed_headers in ["", "content-length;content-md5;content-type;host;x-bce-date"] {
            let text = format!("{prefix}/{signed_headers}/{signature}");
            let authorization = Authorization::read(&text).unwrap();
            let parameters = Parameters::of(&request).unwrap();
            let form = canonical::form(&request, &parameters, authorization.signed_headers).unwrap();
            let Credentials::Signature(signed) = authorization.authentication(form).credentials else {
                unreachable!()
            };
            let [derivation] = &*signed.signature.derivations else { unreachable!() };
            assert_eq!(
                (derivation.key, derivation.encoding, &*derivation.prefix),
                (0, KeyEncoding::Hexadecimal, &[][..])
            );
            let key = hmac(&[b'b'; 32], &derivation.message);
            assert_eq!(key, "1d5ce5f464064cbee060330d973218821825ac6952368a482a592e6615aef479");
            assert_eq!(signed.signature.key, 1);
            assert_eq!(hmac(key.as_bytes(), &signed.signature.message), signature, "{signed_headers}");
            assert_eq!(hexadecimal(&signed.signature.value), signature);
            assert_eq!(signed.access_key, "a".repeat(32));
        }
    }
}
