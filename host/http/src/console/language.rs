//! The languages of the console, which of them a reader gets, and texts in both. Knows no text.

use axum::http::HeaderMap;
use axum::http::header;

/// A language of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// English, where nothing else is asked for.
    English,
    /// Chinese, in simplified characters.
    Chinese,
}

/// A text in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// The text in English.
    pub(super) english: &'static str,
    /// The text in Chinese.
    pub(super) chinese: &'static str,
}

impl Text {
    /// The text in a language.
    pub(super) const fn of(self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::Chinese => self.chinese,
        }
    }
}

impl Language {
    /// Every language, in the order in which they are offered.
    pub(super) const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// The tag of the language in HTML and in cookies.
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    /// What the language calls itself.
    pub(super) const fn own_name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Chinese => "中文",
        }
    }

    /// The language of a tag such as `zh-Hans-CN`.
    pub(super) fn of_tag(tag: &str) -> Option<Language> {
        match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "en" => Some(Language::English),
            "zh" => Some(Language::Chinese),
            _ => None,
        }
    }

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
            Language::of_browser(&headers)
        };
        for wishes in ["zh-CN,zh;q=0.9,en;q=0.8", "de,zh;q=0.5,en;q=0.4", "zh", "en;q=0.7, zh-TW;q=0.75"] {
            assert_eq!(of(wishes), Language::Chinese, "{wishes}");
        }
        for wishes in ["", "de", "en-GB,zh;q=0.9", "zh;q=0", "zh;q=9.9", "zh;q=é", "en,zh"] {
            assert_eq!(of(wishes), Language::English, "{wishes}");
        }
        assert_eq!(Language::of_browser(&HeaderMap::new()), Language::English);
    }
}
