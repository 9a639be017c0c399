//! A value of a file and its path. Each reader reports a value that it cannot read, and the expected form.
//!
//! Knows how instants, amounts, terms and ids are written; not which field has which.

use std::collections::BTreeMap;
use std::str::FromStr;

use perennial_domain::index::MemberIndex;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;

use super::amount;
use super::diagnostics::Diagnostics;
use super::diagnostics::Path;
use super::fields::Fields;
use super::json_tree::Json;
use super::json_tree::Node;
use super::safe_text;
use super::visible_id;
use super::wording;

/// The longest id, in characters.
pub const ID_MAX: usize = 64;

/// What somebody gives is before this instant, 9000-01-01T00:00:00Z, so that every term fits behind it.
pub const LATEST: Timestamp = Timestamp::from_second(221_845_392_000);

/// The longest term that somebody gives: a hundred years, in each unit.
const fn longest(unit: TermUnit) -> u32 {
    match unit {
        TermUnit::Day => 36_500,
        TermUnit::Month => 1_200,
        TermUnit::Year => 100,
    }
}

/// A value, and where it is. Every reading of it gives `None` when it does not fit, and says so in the problems.
#[derive(Clone, Copy)]
pub struct JsonCursor<'n, 'p> {
    /// The value that the cursor points to.
    pub node: &'n Node<'n>,
    /// The way to it.
    pub path: Path<'p>,
    /// Collects the problems that are found.
    pub diagnostics: &'p Diagnostics,
}

impl<'n, 'p> JsonCursor<'n, 'p> {
    /// Notes that something is wrong with the value.
    pub fn report(&self, message: impl Into<String>) {
        self.diagnostics.add(self.node.position, self.path, message);
    }

    /// Notes that the value is of another type than `expected`.
    pub fn report_type<T>(&self, expected: &str) -> Option<T> {
        let found = match &self.node.json {
            Json::Null => "null".to_owned(),
            Json::Flag(flag) => flag.to_string(),
            Json::Number(number) => format!("the number {number}"),
            Json::Text(text) => format!("the text {}", wording::quote(text)),
            Json::List(_) => "a list".to_owned(),
            Json::Object(_) => "an object".to_owned(),
        };
        self.report(format!("expected {expected}, found {found}"));
        None
    }

    /// Whether it is text.
    pub fn is_text(&self) -> bool {
        matches!(self.node.json, Json::Text(_))
    }

    /// Reads text of any kind.
    pub fn text(&self) -> Option<&'n str> {
        match &self.node.json {
            Json::Text(text) => Some(text),
            Json::Null | Json::Flag(_) | Json::Number(_) | Json::List(_) | Json::Object(_) => {
                self.report_type("text")
            }
        }
    }

    /// Text that is not empty.
    pub fn name(&self) -> Option<&'n str> {
        let text = self.text()?;
        if text.is_empty() {
            self.report("it is empty; expected some text");
            return None;
        }
        Some(text)
    }

    /// An id: 1 to 64 characters, none of them a control character.
    pub fn id(&self) -> Option<&'n str> {
        let id = self.name()?;
        let characters = id.chars().count();
        if characters > ID_MAX {
            self.report(format!("an id has at most {ID_MAX} characters; this one has {characters}"));
            return None;
        }
        if id.chars().any(char::is_control) {
            self.report(format!("the id {} has a control character", wording::quote(id)));
            return None;
        }
        Some(id)
    }

    /// The id or name of something new, as [`JsonCursor::id`] reads it, in which nothing is invisible. What exists is named as
    /// it is called.
    pub fn new_name(&self) -> Option<&'n str> {
        let name = self.id()?;
        if let Some(fault) = visible_id::fault("name", name) {
            self.report(fault);
            return None;
        }
        Some(name)
    }

    fn parse<T: FromStr<Err: std::fmt::Display>>(&self, expected: &str) -> Option<T> {
        let Json::Text(text) = &self.node.json else {
            return self.report_type(expected);
        };
        if text.len() > 100 {
            return self.report_type(expected);
        }
        text.parse().map_err(|error: T::Err| self.report(safe_text::on_one_line(&error.to_string()))).ok()
    }

    /// Reads an instant in RFC 3339.
    pub fn instant(&self) -> Option<Timestamp> {
        self.parse("an instant in RFC 3339 such as \"2026-02-28T15:59:59Z\"")
    }

    /// An instant that somebody gives, which is before the year 9000: the rules count on from it, and there is no year 10000.
    pub fn given_instant(&self) -> Option<Timestamp> {
        let instant = self.instant()?;
        if instant >= LATEST {
            self.report(format!("{instant} is not before {LATEST}; nothing can be counted from there"));
            return None;
        }
        Some(instant)
    }

    /// An amount that is not negative.
    pub fn amount(&self) -> Option<Micros> {
        let amount = self.parse::<Micros>("a decimal in quotes such as \"1200.00\"")?;
        if amount < Micros::ZERO {
            self.report(format!("{amount} is negative; expected 0.00 or more"));
            return None;
        }
        Some(amount)
    }

    /// An amount above zero.
    pub fn amount_above_zero(&self) -> Option<Micros> {
        let amount = self.amount()?;
        if amount == Micros::ZERO {
            self.report("it is zero; expected an amount above 0.00");
            return None;
        }
        Some(amount)
    }

    /// An amount of any size and sign, as this host writes them.
    pub(crate) fn stored_amount(&self) -> Option<Micros> {
        let text = self.text()?;
        amount::parse_stored(text).or_else(|| self.report_type("an amount such as \"1200.00\""))
    }

    /// A whole number from `least` to `most`.
    pub fn integer(&self, min: u32, max: u32) -> Option<u32> {
        let expected = format!("a whole number from {min} to {max}");
        let Json::Number(number) = &self.node.json else {
            return self.report_type(&expected);
        };
        let integer = number.as_u64().and_then(|number| u32::try_from(number).ok());
        match integer.filter(|integer| (min..=max).contains(integer)) {
            Some(integer) => Some(integer),
            None => self.report_type(&expected),
        }
    }

    /// Reads a whole number from 0 to `u32::MAX`.
    pub fn count(&self) -> Option<u32> {
        self.integer(0, u32::MAX)
    }

    /// The place of a member or order.
    pub fn index(&self) -> Option<usize> {
        self.count().map(|place| usize::try_from(place).expect("a place fits in memory"))
    }

    /// The place of a member in its bundle.
    pub fn member(&self) -> Option<MemberIndex> {
        self.index().map(MemberIndex::new)
    }

    /// A day of the month, 1 to 31.
    pub fn day(&self) -> Option<u8> {
        self.integer(1, 31).map(|day| u8::try_from(day).expect("31 fits"))
    }

    /// Reads `true` or `false`.
    pub fn flag(&self) -> Option<bool> {
        match &self.node.json {
            Json::Flag(flag) => Some(*flag),
            Json::Null | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => {
                self.report_type("true or false")
            }
        }
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(&self, all: &[T], name: impl Fn(T) -> &'static str) -> Option<T> {
        let names = all.iter().map(|choice| name(*choice));
        let Json::Text(text) = &self.node.json else {
            return self.report_type(&wording::list_names(names));
        };
        let found = all.iter().copied().find(|choice| name(*choice) == text.as_ref());
        if found.is_none() {
            let meant = wording::did_you_mean(text, names.clone());
            self.report(format!(
                "there is no {}{meant}; expected {}",
                wording::quote(text),
                wording::list_names(names)
            ));
        }
        found
    }

    /// A term, such as `{"count": 1, "unit": "month"}`.
    pub fn term(&self) -> Option<Term> {
        let fields = self.object(&["count", "unit"])?;
        let count = fields.required("count", |cursor| cursor.integer(1, u32::MAX));
        let unit = fields.required("unit", |cursor| cursor.one_of(&TermUnit::ALL, TermUnit::name));
        Term::new(count?, unit?)
    }

    /// A term that somebody gives, which is at most a hundred years, so that no expiry comes to the end of the calendar.
    pub fn given_term(&self) -> Option<Term> {
        let fields = self.object(&["count", "unit"])?;
        let unit = fields.required("unit", |cursor| cursor.one_of(&TermUnit::ALL, TermUnit::name));
        let most = unit.map_or(longest(TermUnit::Day), longest);
        let count = fields.required("count", |cursor| cursor.integer(1, most));
        Term::new(count?, unit?)
    }

    /// An object with no fields but `names`; others are noted.
    pub fn object(&self, names: &'static [&'static str]) -> Option<Fields<'n, 'p>> {
        let fields = self.any_object()?;
        fields.allow(names);
        Some(fields)
    }

    /// An object with whatever fields.
    pub(crate) fn any_object(&self) -> Option<Fields<'n, 'p>> {
        match &self.node.json {
            Json::Object(members) => Some(Fields {
                members,
                position: self.node.position,
                path: self.path,
                diagnostics: self.diagnostics,
            }),
            Json::Null | Json::Flag(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => {
                self.report_type("an object")
            }
        }
    }

    /// The only field of an object, whose name says what the object is; `what` is what that is called.
    pub(crate) fn only_field<T>(
        &self,
        what: &str,
        read: impl FnOnce(&'n str, JsonCursor<'n, '_>) -> Option<T>,
    ) -> Option<T> {
        let fields = self.any_object()?;
        let mut all = fields.all();
        match (all.next(), all.next()) {
            (Some((name, body)), None) => read(name, body),
            (None, _) | (Some(_), Some(_)) => {
                let found = fields.members.len();
                self.report(format!("{what} is an object with one field, its name; this one has {found}"));
                None
            }
        }
    }

    /// A list with at least one value, as [`JsonCursor::list`] reads it; of an empty one, `advice` says what to do instead.
    pub fn list_of_some<T>(
        &self,
        advice: &str,
        read: impl FnMut(usize, JsonCursor<'n, '_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        if matches!(&self.node.json, Json::List(nodes) if nodes.is_empty()) {
            self.report(format!("it is empty; {advice}"));
            return None;
        }
        self.list(read)
    }

    /// The items of a list, those that can be read as `read` reads them; `None` when it is no list. Once there are as many
    /// problems as are listed, the rest is left unread.
    pub fn list<T>(&self, mut read: impl FnMut(usize, JsonCursor<'n, '_>) -> Option<T>) -> Option<Vec<T>> {
        match &self.node.json {
            Json::List(nodes) => {
                let is_read = |_: &(usize, &Node<'_>)| {
                    let is_full = self.diagnostics.is_full();
                    if is_full {
                        self.diagnostics.stop();
                    }
                    !is_full
                };
                let items = nodes.iter().enumerate().take_while(is_read).filter_map(|(place, node)| {
                    let path = Path::Item(&self.path, place);
                    read(place, JsonCursor { node, path, diagnostics: self.diagnostics })
                });
                Some(items.collect())
            }
            Json::Null | Json::Flag(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) => {
                self.report_type("a list")
            }
        }
    }

    /// Names with values, both text; a name that is empty is noted.
    pub fn named_texts(&self) -> Option<BTreeMap<String, String>> {
        for (name, value) in self.any_object()?.all().filter(|(name, _)| name.is_empty()) {
            value.report(format!("its name is \"{name}\"; expected one that is not empty"));
        }
        self.texts()
    }

    /// Names with values, both text.
    pub fn texts(&self) -> Option<BTreeMap<String, String>> {
        self.named(|cursor| cursor.text().map(str::to_owned))
    }

    /// Names with values, each text or null; a name that is empty is noted.
    pub fn optional_texts(&self) -> Option<BTreeMap<String, Option<String>>> {
        for (name, value) in self.any_object()?.all().filter(|(name, _)| name.is_empty()) {
            value.report(format!("its name is \"{name}\"; expected one that is not empty"));
        }
        self.named(|cursor| match &cursor.node.json {
            Json::Null => Some(None),
            Json::Text(text) => Some(Some(text.to_string())),
            Json::Flag(_) | Json::Number(_) | Json::List(_) | Json::Object(_) => {
                cursor.report_type("text or null")
            }
        })
    }

    /// Names with values as text: text as it is, anything else as its JSON.
    pub fn options(&self) -> Option<BTreeMap<String, String>> {
        self.named(|cursor| match &cursor.node.json {
            Json::Text(text) => Some(text.to_string()),
            json @ (Json::Null | Json::Flag(_) | Json::Number(_) | Json::List(_) | Json::Object(_)) => {
                Some(serde_json::to_string(json).expect("what was JSON can be written as JSON"))
            }
        })
    }

    /// Names with values, each as `read` reads it.
    pub fn named<T>(&self, read: impl Fn(JsonCursor<'n, '_>) -> Option<T>) -> Option<BTreeMap<String, T>> {
        let mut named = BTreeMap::new();
        let mut is_whole = true;
        for (name, value) in self.any_object()?.all() {
            match read(value) {
                Some(text) => drop(named.insert(name.to_owned(), text)),
                None => is_whole = false,
            }
        }
        is_whole.then_some(named)
    }
}
