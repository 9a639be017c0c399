//! The languages in which people are told things, and texts in both. Knows no text.

/// A language of the console and of messages to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English, where nothing else is asked for.
    English,
    /// Chinese, in simplified characters.
    Chinese,
}

/// A text in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text in English.
    pub english: &'static str,
    /// The text in Chinese.
    pub chinese: &'static str,
}

impl Text {
    /// The text in a language.
    pub const fn of(self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::Chinese => self.chinese,
        }
    }

    /// The text in a language, with `parts` in the places of `{0}`, `{1}` and so on, which each language orders as it has to.
    pub fn fill(self, language: Language, parts: &[&str]) -> String {
        let mut pieces = self.of(language).split('{');
        let mut filled = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (place, rest) = piece.split_once('}').unwrap_or(("", piece));
            let part = place.parse::<usize>().ok().and_then(|place| parts.get(place));
            filled.push_str(part.copied().unwrap_or_default());
            filled.push_str(rest);
        }
        filled
    }
}

impl Language {
    /// Every language, in the order in which they are offered.
    pub const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// The tag of the language in HTML, in cookies and in every format.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    /// What the language calls itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Chinese => "中文",
        }
    }

    /// The language of a tag such as `zh-Hans-CN`.
    pub fn of_tag(tag: &str) -> Option<Language> {
        match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "en" => Some(Language::English),
            "zh" => Some(Language::Chinese),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_orders_the_parts_of_a_text_as_it_has_to() {
        let text = Text { english: "{0} of {1}", chinese: "{1} 的 {0}" };
        assert_eq!(text.fill(Language::English, &["{1}", "b"]), "{1} of b");
        assert_eq!(text.fill(Language::Chinese, &["a", "b"]), "b 的 a");
        assert_eq!(text.fill(Language::English, &["a"]), "a of ");
    }
}
