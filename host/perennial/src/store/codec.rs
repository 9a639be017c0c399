//! How the domain's words become columns: small integers where the clock works, text where people look.

use std::collections::BTreeMap;

use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;
use rusqlite::RowIndex;

use crate::store::error::StoreError;

/// The place of `word` in the domain's list of such words.
pub fn code<T: PartialEq + Copy>(words: &[T], word: T) -> i64 {
    let place = words.iter().position(|other| *other == word).expect("the domain's list has every word");
    i64::try_from(place).expect("the domain's lists are short")
}

/// The word at a place in the domain's list.
pub fn word<T: Copy>(words: &[T], code: i64, what: &'static str) -> Result<T, StoreError> {
    let place = usize::try_from(code).ok();
    place
        .and_then(|place| words.get(place).copied())
        .ok_or_else(|| StoreError::Damaged { what, found: code.to_string() })
}

/// A term from its two columns.
pub fn term(count: Option<u32>, unit: Option<i64>) -> Result<Option<Term>, StoreError> {
    let (Some(count), Some(unit)) = (count, unit) else { return Ok(None) };
    let unit = word(&TermUnit::ALL, unit, "a term's unit")?;
    let damaged = || StoreError::Damaged { what: "a term", found: count.to_string() };
    Term::new(count, unit).ok_or_else(damaged).map(Some)
}

/// The two columns of a term.
pub fn term_columns(term: Option<Term>) -> (Option<u32>, Option<i64>) {
    (term.map(|term| term.count.get()), term.map(|term| code(&TermUnit::ALL, term.unit)))
}

/// The instant in a column; `None` when there is none.
pub fn instant(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_second))
}

/// A JSON object of strings.
pub fn strings(text: &str) -> Result<BTreeMap<String, String>, StoreError> {
    if text == "{}" { Ok(BTreeMap::new()) } else { Ok(serde_json::from_str(text)?) }
}

/// A JSON object of strings, as text.
pub fn strings_text(strings: &BTreeMap<String, String>) -> String {
    serde_json::to_string(strings).expect("strings are JSON")
}
