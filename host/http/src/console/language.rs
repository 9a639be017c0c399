//! Which language of the console a reader gets. Knows no text.

use axum::http::HeaderMap;
use axum::http::header;
use perennial_formats::language::Language;

/// The language that a browser likes best of those there are.
pub(super) fn of_browser(headers: &HeaderMap) -> Language {
    let wishes = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut best = (Language::English, 0);
    for wish in wishes.unwrap_or_default().split(',') {
        let mut parts = wish.split(';').map(str::trim);
        let language = parts.next().and_then(Language::of_tag);
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1000), thousandths);
        if let (Some(language), Some(weight)) = (language, weight)
            && weight > best.1
        {
            best = (language, weight);
        }
    }
    best.0
}

/// A weight such as `0.8` in thousandths: RFC 9110, section 12.4.2.
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let fraction = format!("{fraction:0<3}");
    let weight = whole.parse::<u32>().ok()?.checked_mul(1000)? + fraction.get(..3)?.parse::<u32>().ok()?;
    (weight <= 1000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_what_the_browser_likes_best() {
        let of = |wishes: &str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, wishes.parse().unwrap())]);
            of_browser(&headers)
        };
        for wishes in ["zh-CN,zh;q=0.9,en;q=0.8", "de,zh;q=0.5,en;q=0.4", "zh", "en;q=0.7, zh-TW;q=0.75"] {
            assert_eq!(of(wishes), Language::Chinese, "{wishes}");
        }
        for wishes in ["", "de", "en-GB,zh;q=0.9", "zh;q=0", "zh;q=9.9", "zh;q=é", "en,zh"] {
            assert_eq!(of(wishes), Language::English, "{wishes}");
        }
        assert_eq!(of_browser(&HeaderMap::new()), Language::English);
    }
}
