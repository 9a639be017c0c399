//! Reading requests as the client sent them: headers, queries, percent-encoding and hexadecimal digits.
//!
//! Knows RFC 3986 and the parts of a canonical request that providers share; knows no provider. Each provider's
//! canonical request is in its own plugin.

use std::fmt::Write;

use crate::provider_api::Request;

/// A header, a parameter or another part of a request occurs more than once, and no document says which one is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepeatedPart;

/// The only value; `None` when there is no value.
///
/// # Errors
///
/// [`RepeatedPart`] when there is more than one.
pub fn only<T>(mut values: impl Iterator<Item = T>) -> Result<Option<T>, RepeatedPart> {
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(RepeatedPart),
    }
}

/// The first header with this name, which is in lower case.
pub fn header<'a>(request: &'a Request, name: &'a str) -> Option<&'a str> {
    headers(request, name).next()
}

/// The values of every header with this name, which is in lower case, in the order in which they were sent.
pub fn headers<'a>(request: &'a Request, name: &'a str) -> impl Iterator<Item = &'a str> {
    request.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The names and values of a query, in order and still encoded; a name without `=` has an empty value. Empty parts, as
/// in `a&&b`, are skipped.
pub fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|part| !part.is_empty()).map(|part| part.split_once('=').unwrap_or((part, "")))
}

/// The names and values of a query, in order and decoded; in a form, `+` is a space. `None` when a part cannot be
/// decoded.
pub fn decoded_pairs(query: &str, is_form: bool) -> Option<Vec<(String, String)>> {
    pairs(query).map(|(name, value)| Some((decode(name, is_form)?, decode(value, is_form)?))).collect()
}

/// How the parameters of a canonical query are sorted. The two differ for names such as `text` and `text10`, because
/// `=` sorts after the digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryOrder {
    /// By the decoded name, then by the decoded value.
    Decoded,
    /// By the encoded text of the whole parameter: `text10=b` comes before `text1=a`.
    Encoded,
}

/// The query that is signed: every parameter encoded anew as `name=value`, sorted, and joined with `&`.
pub fn canonical_query<'a>(
    parameters: impl Iterator<Item = (&'a str, &'a str)>,
    order: QueryOrder,
) -> String {
    let mut parameters = parameters.collect::<Vec<_>>();
    parameters.sort_unstable();
    let encoded =
        parameters.iter().map(|(name, value)| format!("{}={}", encode(name, ""), encode(value, "")));
    let mut encoded = encoded.collect::<Vec<_>>();
    if order == QueryOrder::Encoded {
        encoded.sort_unstable();
    }
    encoded.join("&")
}

/// The first value that a query has for `name`, decoded as in a form; `None` when there is none, or when it cannot be
/// decoded.
pub fn value(query: &str, name: &str) -> Option<String> {
    let named = |(known, _): &(&str, &str)| decode(known, true).as_deref() == Some(name);
    pairs(query).find(named).and_then(|(_, value)| decode(value, true))
}

/// `text` without its percent-encoding; in a form, `+` is a space. `None` when it is not well-formed, or not UTF-8.
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

/// `text` with every character encoded except RFC 3986's unreserved characters and those of `except`.
pub fn encode(text: &str, except: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-._~".contains(character) || except.contains(character) {
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

/// The bytes of hexadecimal digits in upper or lower case; `None` for any other text.
pub fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().map(digit).collect::<Option<Vec<_>>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_text_decodes_to_itself() {
        for text in ["", "a b", "a+b/c", "%", "\u{4f60}", "-._~"] {
            assert_eq!(decode(&encode(text, ""), true).as_deref(), Some(text), "{text}");
        }
        assert_eq!(encode("/a b", "/"), "/a%20b");
    }

    #[test]
    fn text_that_is_not_well_formed_is_not_decoded() {
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
    fn a_canonical_query_is_sorted_by_decoded_or_encoded_text() {
        let decoded = decoded_pairs("text&text1=%E6%B5%8B&text10=te+st&a=2&a=1", true).unwrap();
        let query = |order| {
            let parameters = decoded.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            canonical_query(parameters, order)
        };
        assert_eq!(query(QueryOrder::Decoded), "a=1&a=2&text=&text1=%E6%B5%8B&text10=te%20st");
        assert_eq!(query(QueryOrder::Encoded), "a=1&a=2&text10=te%20st&text1=%E6%B5%8B&text=");
        assert_eq!(decoded_pairs("a=1&b=%zz", false), None);
        assert_eq!(decoded_pairs("a+b=c", false), Some(vec![("a+b".to_owned(), "c".to_owned())]));
    }

    #[test]
    fn a_repeated_header_has_no_only_value() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let request = Request {
            id: String::new(),
            method: String::new(),
            path: String::new(),
            query: String::new(),
            headers: vec![header("a", "1"), header("b", "2"), header("a", "3")],
            body: Vec::new(),
        };
        assert_eq!(super::header(&request, "a"), Some("1"));
        assert_eq!(only(headers(&request, "a")), Err(RepeatedPart));
        assert_eq!(only(headers(&request, "b")), Ok(Some("2")));
        assert_eq!(only(headers(&request, "c")), Ok(None));
    }

    #[test]
    fn hexadecimal_digits_come_in_pairs() {
        assert_eq!(hexadecimal(&[0, 171]), "00ab");
        assert_eq!(from_hexadecimal("00AB"), Some(vec![0, 171]));
        assert_eq!(from_hexadecimal("0"), None);
        assert_eq!(from_hexadecimal("0g"), None);
    }
}
