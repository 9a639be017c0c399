//! Reads the fields of events and resources that the host itself wrote.

use perennial_domain::field::FieldSource;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;

use super::fields::Fields;
use super::json_cursor::JsonCursor;

/// The fields of a JSON object; reports what is wrong with each.
pub(super) struct StoredFields<'f, 'n, 'd> {
    /// The fields of the object.
    pub(super) fields: &'f Fields<'n, 'd>,
}

impl FieldSource for StoredFields<'_, '_, '_> {
    fn is_absent(&mut self, name: &str) -> bool {
        self.fields.is_absent(name)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.fields.required(name, |cursor| cursor.text()).map(str::to_owned)
    }

    fn word(&mut self, name: &str, words: &[&'static str]) -> Option<usize> {
        let word = self.fields.required(name, |cursor| cursor.one_of(words, |word| word))?;
        words.iter().position(|other| *other == word)
    }

    fn amount(&mut self, name: &str) -> Option<Micros> {
        self.fields.required(name, |cursor| cursor.stored_amount())
    }

    fn instant(&mut self, name: &str) -> Option<Timestamp> {
        self.fields.required(name, |cursor| cursor.instant())
    }

    fn term(&mut self, name: &str) -> Option<Term> {
        self.fields.required(name, |cursor| cursor.term())
    }

    fn count(&mut self, name: &str) -> Option<u32> {
        self.fields.required(name, |cursor| cursor.count())
    }

    fn day(&mut self, name: &str) -> Option<u8> {
        self.fields.required(name, |cursor| cursor.day())
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        self.fields.required(name, |cursor| cursor.flag())
    }

    fn refunds(&mut self, name: &str) -> Option<Vec<(String, Micros)>> {
        self.fields.required(name, |cursor| cursor.list(|_, refund| refunded(refund)))
    }
}

fn refunded(cursor: JsonCursor<'_, '_>) -> Option<(String, Micros)> {
    let fields = cursor.object(&["order", "amount"])?;
    let order = fields.required("order", |cursor| cursor.text());
    let amount = fields.required("amount", |cursor| cursor.stored_amount());
    Some((order?.to_owned(), amount?))
}
