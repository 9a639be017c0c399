//! Lists: rows with named cells, as a table for people, and as JSON and CSV for programs. Knows no contents.
//!
//! There is one way to write an amount and one to write an instant: for people `1,299.00 CNY` and
//! `2026-02-28 15:59 UTC`, for programs `1299.00` and RFC 3339.

use std::io;
use std::io::Write;

use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates;
use perennial_formats::time_zone::TimeZone;

use crate::report::columns;
use crate::report::columns::Align;
use crate::report::style::Style;
use crate::report::style::Tone;
use crate::report::text::printable;

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ListFormat {
    /// Columns, for people.
    Table,
    /// An array of objects.
    Json,
    /// Comma-separated values as RFC 4180 has them, with a line of names.
    Csv,
}

/// A column of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// What programs call it, the same as in the admin API; empty for what only people are shown.
    pub(crate) name: &'static str,
    /// Its heading; empty for what only programs are shown.
    pub(crate) heading: &'static str,
    /// How its cells are set.
    pub(crate) align: Align,
}

impl Column {
    /// A column of words or instants.
    pub(crate) const fn new(name: &'static str, heading: &'static str) -> Column {
        Column { name, heading, align: Align::Left }
    }

    /// A column of numbers.
    pub(crate) const fn number(name: &'static str, heading: &'static str) -> Column {
        Column { name, heading, align: Align::Right }
    }

    /// A column of sentences.
    pub(crate) const fn sentence(name: &'static str, heading: &'static str) -> Column {
        Column { name, heading, align: Align::Sentence }
    }
}

/// What stands in a cell.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// An empty cell: `null` in JSON.
    None,
    /// Words, as they are.
    Text(String),
    /// An amount, and its currency where the table does not say that elsewhere.
    Amount(Micros, Option<String>),
    /// An instant, written in the time zone of the list.
    Instant(Timestamp),
    /// A number of things.
    Count(usize),
    /// Several words: a list in JSON.
    Texts(Vec<String>),
    /// A JSON object or array.
    Json(serde_json::Value),
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Value {
        Value::Instant(at)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::None, Into::into)
    }
}

impl Value {
    fn for_people(&self, zone: TimeZone) -> String {
        match self {
            Value::None => "-".to_owned(),
            Value::Text(text) => printable(text),
            Value::Amount(amount, None) => dates::amount(*amount),
            Value::Amount(amount, Some(currency)) => {
                format!("{} {}", dates::amount(*amount), printable(currency))
            }
            Value::Instant(at) => zone.minute(*at),
            Value::Count(count) => dates::whole(*count),
            Value::Texts(texts) => printable(&texts.join(", ")),
            Value::Json(json) => printable(&json.to_string()),
        }
    }

    fn to_json(&self, zone: TimeZone) -> serde_json::Value {
        match self {
            Value::None => serde_json::Value::Null,
            Value::Text(text) => text.as_str().into(),
            Value::Amount(amount, _) => amount.to_string().into(),
            Value::Instant(at) => zone.rfc_3339(*at).into(),
            Value::Count(count) => (*count).into(),
            Value::Texts(texts) => texts.as_slice().into(),
            Value::Json(json) => json.clone(),
        }
    }

    fn to_csv(&self, zone: TimeZone) -> String {
        match self {
            Value::None => String::new(),
            Value::Text(text) => text.clone(),
            Value::Amount(amount, _) => amount.to_string(),
            Value::Instant(at) => zone.rfc_3339(*at),
            Value::Count(count) => count.to_string(),
            Value::Texts(texts) => texts.join(","),
            Value::Json(json) => json.to_string(),
        }
    }
}

/// A cell of a row.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    value: Value,
    shown: Option<String>,
    tone: Tone,
}

impl Cell {
    /// A cell with this in it.
    pub(crate) fn new(value: impl Into<Value>) -> Cell {
        Cell { value: value.into(), shown: None, tone: Tone::Plain }
    }

    /// The same in a tone.
    pub(crate) fn tone(self, tone: Tone) -> Cell {
        Cell { tone, ..self }
    }

    /// The same, with something else for people.
    pub(crate) fn shown(self, shown: impl Into<String>) -> Cell {
        Cell { shown: Some(shown.into()), ..self }
    }

    /// The same, with something else for people where there is nothing.
    pub(crate) fn or(self, shown: &str) -> Cell {
        if matches!(self.value, Value::None) { self.shown(shown) } else { self }
    }
}

/// A row, and where its instants are written.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The time zone of its instants.
    pub(crate) zone: TimeZone,
    /// A cell for each column.
    pub(crate) cells: Vec<Cell>,
}

/// A list that is written as a table, JSON or CSV.
#[derive(Clone, Debug)]
pub(crate) struct Listing<'a> {
    /// The columns, in order.
    pub(crate) columns: &'a [Column],
    /// The rows, in order.
    pub(crate) rows: Vec<Row>,
}

impl Listing<'_> {
    /// Writes it; `nothing` is what people are told when it has no rows.
    ///
    /// # Errors
    ///
    /// Whatever `out` says.
    pub(crate) fn write(
        &self,
        format: ListFormat,
        nothing: &str,
        style: Style,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match format {
            ListFormat::Table if self.rows.is_empty() => writeln!(out, "{nothing}"),
            ListFormat::Table => self.table("", style, out),
            ListFormat::Json => self.json(out),
            ListFormat::Csv => self.csv(out),
        }
    }

    /// Writes the table alone, set in by `indent`.
    ///
    /// # Errors
    ///
    /// Whatever `out` says.
    pub(crate) fn table(&self, indent: &str, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let shown = || self.columns.iter().enumerate().filter(|(_, column)| !column.heading.is_empty());
        let headings = shown().map(|(_, column)| (column.heading, column.align)).collect::<Vec<_>>();
        let rows = self.rows.iter().map(|row| {
            let cell = |index: usize| {
                let cell = &row.cells[index];
                let shown = cell.shown.as_deref().map(printable);
                (shown.unwrap_or_else(|| cell.value.for_people(row.zone)), cell.tone)
            };
            shown().map(|(index, _)| cell(index)).collect()
        });
        columns::write(&headings, &rows.collect::<Vec<_>>(), indent, style, out)
    }

    /// Writes each row as a block: a line for each column, with its heading and its value. Empty values are left out.
    ///
    /// # Errors
    ///
    /// Whatever `out` says.
    pub(crate) fn facts(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        for row in &self.rows {
            let cells = self.columns.iter().zip(&row.cells).map(|(column, cell)| {
                let text = cell.shown.as_deref().map(printable);
                (column.heading, text.unwrap_or_else(|| cell.value.for_people(row.zone)), cell.tone)
            });
            let facts =
                cells.filter(|(heading, text, _)| !heading.is_empty() && !["", "-"].contains(&text.as_str()));
            let facts = facts.collect::<Vec<_>>();
            let width = facts.iter().map(|(heading, ..)| heading.chars().count()).max().unwrap_or(0);
            for (heading, text, tone) in facts {
                let (first, hanging) = (format!("{heading:<width$}  "), " ".repeat(width + 2));
                columns::paragraph(&text, (&first, &hanging), tone, style, out)?;
            }
        }
        Ok(())
    }

    fn named(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let names = self.columns.iter().enumerate().map(|(index, column)| (index, column.name));
        names.filter(|(_, name)| !name.is_empty())
    }

    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut between = "[\n";
        for row in &self.rows {
            write!(out, "{between}{{")?;
            for (number, (index, name)) in self.named().enumerate() {
                let comma = if number == 0 { "" } else { "," };
                let value = row.cells[index].value.to_json(row.zone);
                write!(out, "{comma}\"{name}\":{value}")?;
            }
            write!(out, "}}")?;
            between = ",\n";
        }
        writeln!(out, "{}", if self.rows.is_empty() { "[]" } else { "\n]" })
    }

    fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let names = self.named().map(|(_, name)| name.to_owned()).collect::<Vec<_>>();
        write!(out, "{}\r\n", names.join(","))?;
        for row in &self.rows {
            let fields = self.named().map(|(index, _)| quoted(&row.cells[index].value.to_csv(row.zone)));
            write!(out, "{}\r\n", fields.collect::<Vec<_>>().join(","))?;
        }
        Ok(())
    }
}

/// A field of a line, in quotes if it needs them.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
