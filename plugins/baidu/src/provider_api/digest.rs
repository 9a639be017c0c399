//! Checks the digests of the body that a request may have: `content-md5` and `x-bce-content-sha256`.
//!
//! The signature covers a body only by its length, so a client that needs more sends a digest, which the signature
//! covers. Documents: RFC 1864 for `Content-MD5`, "Common header fields" (BOS) for the other, "Error Code" (BOS) for
//! `BadDigest`. Knows digests; not whether they are signed.

use md5::Digest;
use md5::Md5;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::request;
use sha2::Sha256;

use crate::provider_api::canonical::SignedHeaders;
use crate::provider_api::problem::Problem;

const CONTENT_MD5: &str = "content-md5";
const CONTENT_SHA256: &str = "x-bce-content-sha256";

/// Checks every digest that was sent.
///
/// # Errors
///
/// `BadDigest` for a digest that is not the body's.
pub fn check(request: &Request) -> Result<(), Problem> {
    for (name, value) in &request.headers {
        let fits = match name.as_str() {
            CONTENT_MD5 => value.trim() == base64(&Md5::digest(&request.body)),
            CONTENT_SHA256 => {
                value.trim().eq_ignore_ascii_case(&request::hexadecimal(&Sha256::digest(&request.body)))
            }
            _ => true,
        };
        if !fits {
            return Err(Problem::new("BadDigest", format!("`{name}` is not that of the body")));
        }
    }
    Ok(())
}

/// Checks that a body, if there is one, has a digest that the signature covers: the length alone lets it be swapped.
///
/// # Errors
///
/// `BadRequest` without such a digest.
pub fn require(request: &Request, signed: SignedHeaders<'_>) -> Result<(), Problem> {
    let is_digest = |name: &str| [CONTENT_MD5, CONTENT_SHA256].contains(&name) && signed.include(name);
    let has_digest = request.headers.iter().any(|(name, value)| is_digest(name) && !value.trim().is_empty());
    if has_digest || request.body.is_empty() {
        return Ok(());
    }
    Err(Problem::bad_request(format!(
        "this account takes a body with a signed digest only; send `{CONTENT_MD5}` or `{CONTENT_SHA256}`, and sign it"
    )))
}

/// RFC 4648's base64, padded.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let is_padding = index > chunk.len();
            let digit = DIGITS[bits >> (18 - 6 * index) & 63];
            text.push(if is_padding { '=' } else { char::from(digit) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::provider_api::digest::base64;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("\u{ff}~", "w79+"),
        ];
        for (text, expected) in vectors {
            assert_eq!(base64(text.as_bytes()), expected, "{text}");
        }
    }
}
