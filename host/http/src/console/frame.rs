//! What every page knows of its reader: who it is, in which language, and in which time zone instants are written.

use std::collections::BTreeMap;
use std::str::FromStr;

use maud::Markup;
use maud::html;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::time_zone::TimeZone;
use perennial_picture::html::fragment::Reader;
use perennial_service::admin_tokens::Caller;
use perennial_service::admin_tokens::Role;
use serde_json::Value;

use crate::console::submission::Submission;
use crate::console::texts as t;
use crate::console::words;
use perennial_formats::event_text;
use perennial_formats::language::Language;
use perennial_formats::language::Text;

/// In which time zone instants are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ZoneChoice {
    /// Coordinated universal time.
    Utc,
    /// That of the provider whose resource or account it is about; UTC where there is none.
    Provider,
    /// The reader's own, by its name.
    Own(String, TimeZone),
}

impl ZoneChoice {
    /// The choice of a cookie or a form; `None` when it names no zone.
    pub(super) fn read(text: &str) -> Option<ZoneChoice> {
        match text {
            "utc" => Some(ZoneChoice::Utc),
            "provider" => Some(ZoneChoice::Provider),
            name => TimeZone::from_str(name).ok().map(|zone| ZoneChoice::Own(name.to_owned(), zone)),
        }
    }

    /// The text that [`ZoneChoice::read`] reads.
    pub(super) fn name(&self) -> &str {
        match self {
            ZoneChoice::Utc => "utc",
            ZoneChoice::Provider => "provider",
            ZoneChoice::Own(name, _) => name,
        }
    }
}

/// What every page knows of its reader.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The token that was shown.
    pub(super) caller: Caller,
    /// What forms show.
    pub(super) form_token: String,
    /// The language of the page.
    pub(super) language: Language,
    /// How instants are written.
    pub(super) zone: ZoneChoice,
    /// The zones of the providers, by their IDs.
    pub(super) provider_zones: BTreeMap<String, TimeZone>,
    /// The path and the query of the page.
    pub(super) path: String,
    /// The present instant of the host's clock.
    pub(super) now: Timestamp,
    /// Whether that clock is virtual.
    pub(super) is_virtual: bool,
    /// What was just done, by the name of its text.
    pub(super) done: Option<Text>,
    /// What the reader sent, which stands below what is wrong with it.
    pub(super) submission: Submission,
}

impl Frame {
    /// A text in the reader's language.
    pub(super) const fn say(&self, text: Text) -> &'static str {
        text.of(self.language)
    }

    /// A text with `parts` in the places of `{}`, and the plural of what a part counts in that of `{s}`.
    pub(super) fn fill(&self, text: Text, parts: &[&str]) -> String {
        fill(self.say(text), parts)
    }

    /// A word of the API's, such as `auto_renew_off`, in the reader's language.
    pub(super) fn word(&self, word: &str) -> String {
        match words::find(word) {
            Some(text) => self.say(text).to_owned(),
            None => event_text::type_name(word, self.language).unwrap_or_else(|| word.replace('_', " ")),
        }
    }

    /// Whether the reader may do what takes `role`.
    pub(super) fn may(&self, role: Role) -> bool {
        self.caller.role >= role
    }

    /// An instant of the API's, in the reader's zone, which it says; `provider` is whose it is.
    pub(super) fn time(&self, at: &Value, provider: Option<&str>) -> Markup {
        let Some(text) = at.as_str() else { return html! { "–" } };
        match text.parse::<Timestamp>() {
            Ok(at) => html! { time datetime=(text) { (self.minute(at, provider)) } },
            Err(_) => html! { (text) },
        }
    }

    /// An instant in words, in the reader's zone.
    pub(super) fn minute(&self, at: Timestamp, provider: Option<&str>) -> String {
        self.zone_of(provider).minute(at)
    }

    /// How pictures are written for the reader; `provider` is whose they are.
    pub(super) fn reader(&self, provider: Option<&str>) -> Reader {
        Reader { now: self.now, zone: self.zone_of(provider), language: self.language }
    }

    fn zone_of(&self, provider: Option<&str>) -> TimeZone {
        match &self.zone {
            ZoneChoice::Utc => TimeZone::UTC,
            ZoneChoice::Provider => {
                provider.and_then(|provider| self.provider_zones.get(provider)).copied().unwrap_or_default()
            }
            ZoneChoice::Own(_, zone) => *zone,
        }
    }

    /// A count of days, months or years, as the API writes it.
    pub(super) fn term(&self, term: &Value) -> String {
        let Some(count) = term["count"].as_u64() else { return "–".to_owned() };
        let unit = match term["unit"].as_str().unwrap_or_default() {
            "day" => t::DAYS,
            "month" => t::MONTHS,
            _ => t::YEARS,
        };
        self.fill(unit, &[&count.to_string()])
    }

    /// What every form of the session has in it: its proof, and a key under which it is carried out once.
    pub(super) fn proof(&self) -> Markup {
        let once = perennial_service::random_hex::random_hex::<16>().unwrap_or_default();
        html! {
            input type="hidden" name="proof" value=(self.form_token);
            input type="hidden" name="once" value=(once);
        }
    }
}

fn fill(text: &str, parts: &[&str]) -> String {
    let mut parts = parts.iter();
    let mut pieces = text.split("{}");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let part = parts.next().unwrap_or(&"");
        filled += part;
        filled += &piece.replace("{s}", if *part == "1" { "" } else { "s" });
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_thing_is_no_plural() {
        let filled = ["0", "1", "2", "11"].map(|count| fill("{} plan{s}, {}", &[count, "1.00 CNY"]));
        assert_eq!(
            filled,
            ["0 plans, 1.00 CNY", "1 plan, 1.00 CNY", "2 plans, 1.00 CNY", "11 plans, 1.00 CNY"]
        );
        assert_eq!(fill("{} 个计划，{}", &["1", "1.00 CNY"]), "1 个计划，1.00 CNY");
        assert_eq!(fill("{} of {} plan{s}", &["0", "1"]), "0 of 1 plan");
    }
}
