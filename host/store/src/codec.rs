//! How the domain's types become columns: codes where the clock works, text where people look.

use std::collections::BTreeMap;

use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;
use rusqlite::RowIndex;

use crate::error::StoreError;

/// What a code stands for, by the domain's `from_code`.
pub(crate) fn coded<T>(
    from_code: fn(i64) -> Option<T>,
    code: i64,
    what: &'static str,
) -> Result<T, StoreError> {
    from_code(code).ok_or_else(|| StoreError::Damaged { what, found: code.to_string() })
}

/// A term from its two columns.
pub fn term(count: Option<u32>, unit: Option<i64>) -> Result<Option<Term>, StoreError> {
    let (Some(count), Some(unit)) = (count, unit) else { return Ok(None) };
    let unit = coded(TermUnit::from_code, unit, "a term's unit")?;
    let damaged = || StoreError::Damaged { what: "a term", found: count.to_string() };
    Term::new(count, unit).ok_or_else(damaged).map(Some)
}

/// The two columns of a term.
pub(crate) fn term_columns(term: Option<Term>) -> (Option<u32>, Option<i64>) {
    (term.map(|term| term.count.get()), term.map(|term| term.unit.code()))
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
pub(crate) fn strings_text(strings: &BTreeMap<String, String>) -> String {
    serde_json::to_string(strings).expect("strings are JSON")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use perennial_domain::bundle::Charging;
    use perennial_domain::bundle::OnExpiry;
    use perennial_domain::bundle::Stage;
    use perennial_domain::ledger::Book;
    use perennial_domain::ledger::Reason;

    use super::*;

    /// A line with every code and its word; each code has to lead back to what it came from.
    fn line<T: Copy + PartialEq>(
        name: &str,
        all: &[T],
        code: fn(T) -> i64,
        from_code: fn(i64) -> Option<T>,
        word: fn(T) -> &'static str,
    ) -> String {
        let codes = all.iter().map(|one| {
            assert!(from_code(code(*one)) == Some(*one), "{name}: {} does not lead back", code(*one));
            format!(" {}={}", code(*one), word(*one))
        });
        let next = i64::try_from(all.len()).unwrap();
        assert!(from_code(next).is_none() && from_code(-1).is_none(), "{name}: a code without a word");
        format!("{name}:{}\n", codes.collect::<String>())
    }

    #[test]
    fn codes_in_databases_stay_what_they_are() {
        let table = [
            line("charging", &Charging::ALL, Charging::code, Charging::from_code, Charging::name),
            line("stage", &Stage::ALL, Stage::code, Stage::from_code, Stage::name),
            line("on_expiry", &OnExpiry::ALL, OnExpiry::code, OnExpiry::from_code, OnExpiry::name),
            line("term unit", &TermUnit::ALL, TermUnit::code, TermUnit::from_code, TermUnit::name),
            line("book", &Book::ALL, Book::code, Book::from_code, Book::name),
            line("reason", &Reason::ALL, Reason::code, Reason::from_code, Reason::name),
        ];
        expect![[r#"
            charging: 0=prepaid 1=postpaid
            stage: 0=active 1=grace 2=retention 3=released 4=unsubscribed 5=converted
            on_expiry: 0=lapse 1=renew 2=convert 3=release
            term unit: 0=day 1=month 2=year
            book: 0=funding 1=cash 2=held 3=spent
            reason: 0=opening 1=top_up 2=renewal 3=purchase 4=refund 5=upgrade 6=adjustment
        "#]]
        .assert_eq(&table.concat());
    }
}
