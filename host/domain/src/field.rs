//! The kinds of fields that events and resources have, and how a format hands them over. Knows no format.

use crate::micros::Micros;
use crate::term::Term;
use crate::timestamp::Timestamp;

/// The value of a field, for a format to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// An optional field without a value.
    Nothing,
    /// Text, or the word for a value of an enumeration.
    Text(&'a str),
    /// An exact amount, in the account's currency or the package's unit.
    Amount(Micros),
    /// An instant, in whole seconds.
    Instant(Timestamp),
    /// A count of days, months or years.
    Term(Term),
    /// A number of things.
    Count(u32),
    /// A value that is true or false.
    Flag(bool),
    /// Orders, each with the part of it that was refunded.
    Refunds(&'a [(String, Micros)]),
}

impl FieldValue<'_> {
    /// The value for people; `None` for nothing, and for a list.
    pub(crate) fn to_text(self) -> Option<String> {
        match self {
            FieldValue::Nothing | FieldValue::Refunds(_) => None,
            FieldValue::Text(text) => Some(text.to_owned()),
            FieldValue::Amount(amount) => Some(amount.to_string()),
            FieldValue::Instant(at) => Some(at.to_string()),
            FieldValue::Term(term) => Some(term.to_string()),
            FieldValue::Count(count) => Some(count.to_string()),
            FieldValue::Flag(flag) => Some(flag.to_string()),
        }
    }
}

/// What a field holds, for a format to describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text of any kind.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An exact amount, with up to six decimals.
    Amount,
    /// An instant, in whole seconds.
    Instant,
    /// A count of days, months or years.
    Term,
    /// A number of things.
    Count,
    /// A day of the month, 1 to 31.
    Day,
    /// A value that is true or false.
    Flag,
    /// Orders, each with the part of it that was refunded.
    Refunds,
}

/// What a format has read: the fields of one event or resource by name. Each method returns `None` when the field is missing or has
/// another kind of value, which the format reports.
pub trait FieldSource {
    /// Whether the field is missing or null: an optional one has no value then.
    fn is_absent(&mut self, name: &str) -> bool;
    /// Reads text of any kind.
    fn text(&mut self, name: &str) -> Option<String>;
    /// The index of the word among `words`.
    fn word(&mut self, name: &str, words: &[&'static str]) -> Option<usize>;
    /// Reads an exact amount.
    fn amount(&mut self, name: &str) -> Option<Micros>;
    /// Reads an instant in whole seconds.
    fn instant(&mut self, name: &str) -> Option<Timestamp>;
    /// Reads a count of days, months or years.
    fn term(&mut self, name: &str) -> Option<Term>;
    /// A number of things.
    fn count(&mut self, name: &str) -> Option<u32>;
    /// A day of the month, 1 to 31.
    fn day(&mut self, name: &str) -> Option<u8>;
    /// Reads a value that is true or false.
    fn flag(&mut self, name: &str) -> Option<bool>;
    /// Orders, each with the part of it that was refunded.
    fn refunds(&mut self, name: &str) -> Option<Vec<(String, Micros)>>;
}

/// A type of a field of an event or a resource.
pub(crate) trait Field: Sized {
    /// The kind of value that such a field holds.
    const KIND: FieldKind;
    /// Whether it may have no value.
    const IS_OPTIONAL: bool = false;

    /// The value, for a format to write.
    fn value(&self) -> FieldValue<'_>;

    /// The field called `name`, from what a format has read.
    fn read(name: &str, source: &mut impl FieldSource) -> Option<Self>;
}

impl<T: Field> Field for Option<T> {
    const KIND: FieldKind = T::KIND;
    const IS_OPTIONAL: bool = true;

    fn value(&self) -> FieldValue<'_> {
        self.as_ref().map_or(FieldValue::Nothing, T::value)
    }

    fn read(name: &str, source: &mut impl FieldSource) -> Option<Option<T>> {
        if source.is_absent(name) { Some(None) } else { T::read(name, source).map(Some) }
    }
}

macro_rules! plain_fields {
    ($( $type:ty: $variant:ident($value:ident => $written:expr), $kind:ident, $read:ident; )+) => {
        $(
            impl Field for $type {
                const KIND: FieldKind = FieldKind::$kind;

                fn value(&self) -> FieldValue<'_> {
                    let $value = self;
                    FieldValue::$variant($written)
                }

                fn read(name: &str, source: &mut impl FieldSource) -> Option<$type> {
                    source.$read(name)
                }
            }
        )+
    };
}

plain_fields! {
    String: Text(text => text), Text, text;
    Micros: Amount(amount => *amount), Amount, amount;
    Timestamp: Instant(at => *at), Instant, instant;
    Term: Term(term => *term), Term, term;
    u32: Count(count => *count), Count, count;
    u8: Count(day => u32::from(*day)), Day, day;
    bool: Flag(flag => *flag), Flag, flag;
    Vec<(String, Micros)>: Refunds(refunds => refunds), Refunds, refunds;
}

/// Makes an enumeration a type of field: it has `ALL` and a word for each value, `name`.
macro_rules! word_field {
    ($type:ty) => {
        impl $crate::field::Field for $type {
            const KIND: $crate::field::FieldKind = $crate::field::FieldKind::Word(&{
                let mut words = [""; <$type>::ALL.len()];
                let mut index = 0;
                while index < words.len() {
                    words[index] = <$type>::ALL[index].name();
                    index += 1;
                }
                words
            });

            fn value(&self) -> $crate::field::FieldValue<'_> {
                $crate::field::FieldValue::Text(self.name())
            }

            fn read(name: &str, source: &mut impl $crate::field::FieldSource) -> Option<$type> {
                let index = source.word(name, &<$type>::ALL.map(<$type>::name))?;
                <$type>::ALL.get(index).copied()
            }
        }
    };
}

pub(crate) use word_field;
