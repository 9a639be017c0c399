//! Requests as they come off the wire: headers, queries and percent-encoding, with nothing taken for granted.
//!
//! Knows RFC 3986; knows no provider. What providers make of it differs: each canonical form is in its own plugin.

use std::fmt::Write;

use crate::provider_api::Request;

/// The first header called `name`, which is in lower case.
pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The names and values of a query, in order and still encoded; a name without `=` has an empty value. Empty parts, as
/// in `a&&b`, are passed over.
pub fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|part| !part.is_empty()).map(|part| part.split_once('=').unwrap_or((part, "")))
}

/// The decoded value that a query has for `name`; `None` if it has none, or one that cannot be decoded.
pub fn value(query: &str, name: &str) -> Option<String> {
    let named = |(known, _): &(&str, &str)| decode(known, true).as_deref() == Some(name);
    pairs(query).find(named).and_then(|(_, value)| decode(value, true))
}

/// `text` without its percent-encoding; in a form, `+` is a space. `None` when it is not well-formed, or no UTF-8.
pub fn decode(text: &str, is_form: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            b'+' if is_form => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// `text` with everything encoded but RFC 3986's unreserved characters and those of `also`.
pub fn encode(text: &str, also: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-._~".contains(character) || also.contains(character) {
            encoded.push(character);
        } else {
            write!(encoded, "%{byte:02X}").expect("text can always be written to");
        }
    }
    encoded
}

/// `bytes` as lower case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("text can always be written to");
    }
    text
}

/// The bytes of hexadecimal digits, in either case; `None` when they are none.
pub fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().map(digit).collect::<Option<Vec<_>>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        for text in ["", "a b", "a+b/c", "%", "\u{4f60}", "-._~"] {
            assert_eq!(decode(&encode(text, ""), true).as_deref(), Some(text), "{text}");
        }
        assert_eq!(encode("/a b", "/"), "/a%20b");
    }

    #[test]
    fn what_is_not_well_formed_is_not_decoded() {
        for text in ["%", "%4", "%zz", "%ff", "%+1"] {
            assert_eq!(decode(text, true), None, "{text}");
        }
        assert_eq!(decode("a+b", false).as_deref(), Some("a+b"));
        assert_eq!(decode("a+b", true).as_deref(), Some("a b"));
    }

    #[test]
    fn a_name_without_a_value_has_an_empty_one() {
        assert_eq!(pairs("a&b=1&&c=").collect::<Vec<_>>(), [("a", ""), ("b", "1"), ("c", "")]);
        assert_eq!(value("a%20b=c%2Fd", "a b").as_deref(), Some("c/d"));
        assert_eq!(value("a=1", "b"), None);
    }

    #[test]
    fn hexadecimal_digits_come_in_pairs() {
        assert_eq!(hexadecimal(&[0, 171]), "00ab");
        assert_eq!(from_hexadecimal("00AB"), Some(vec![0, 171]));
        assert_eq!(from_hexadecimal("0"), None);
        assert_eq!(from_hexadecimal("0g"), None);
    }
}
