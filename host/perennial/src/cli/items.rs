//! What the admin API answers, as lists and as facts: which fields of its objects are shown, under which headings.
//!
//! Knows how an amount, an instant or a term is written in JSON, and no command.

use std::collections::BTreeMap;
use std::io::Write;

use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates;
use perennial_formats::time_zone::TimeZone;
use perennial_formats::time_zone::ZoneChoice;
use serde_json::Value as Json;

use crate::cli::Context;
use crate::cli::list;
use crate::cli::list::ListArguments;
use crate::cli::list::Zones;
use crate::cli::output::Output;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::ListFormat;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::listing::Value;
use crate::report::style::Tone;

/// The most items that the API puts on a page.
const PAGE_MAX: usize = 1000;

/// A field of an object of the API, and the column that shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    column: Column,
    /// Where it is; empty for the column's name.
    pointer: &'static str,
    kind: Kind,
    /// What people read where there is nothing.
    or: Option<&'static str>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Instant,
    /// The first instant of a day in UTC.
    Day,
    /// A decimal; the field that says its currency.
    Amount(&'static str),
    Texts,
    Requirements,
    Term,
    Flag,
    Json,
    /// An object or a list that people read in words.
    Worded(fn(&Json) -> String),
}

impl Field {
    const fn new(column: Column, kind: Kind) -> Field {
        Field { column, pointer: "", kind, or: None }
    }

    /// Words or a number, as they are.
    pub(super) const fn text(name: &'static str, heading: &'static str) -> Field {
        Field::new(Column::new(name, heading), Kind::Text)
    }

    /// A number of things.
    pub(super) const fn number(name: &'static str, heading: &'static str) -> Field {
        Field::new(Column::number(name, heading), Kind::Text)
    }

    /// A sentence for people.
    pub(super) const fn sentence(name: &'static str, heading: &'static str) -> Field {
        Field::new(Column::sentence(name, heading), Kind::Text)
    }

    /// An instant, in the time zone of the list.
    pub(super) const fn instant(name: &'static str, heading: &'static str) -> Field {
        Field::new(Column::new(name, heading), Kind::Instant)
    }

    /// A day in UTC, whatever the time zone of the list: programs get its first instant.
    pub(super) const fn day(name: &'static str, heading: &'static str) -> Field {
        Field::new(Column::new(name, heading), Kind::Day)
    }

    /// An amount, and the field of its currency.
    pub(super) const fn amount(name: &'static str, heading: &'static str, currency: &'static str) -> Field {
        Field::new(Column::number(name, heading), Kind::Amount(currency))
    }

    /// Several words, separated by commas.
    pub(super) const fn texts(name: &'static str, heading: &'static str) -> Field {
        Field::new(Column::new(name, heading), Kind::Texts)
    }

    /// The policies that require an approval.
    pub(super) const fn requirements(name: &'static str, heading: &'static str) -> Field {
        Field::new(Column::sentence(name, heading), Kind::Requirements)
    }

    /// A length of time.
    pub(super) const fn term(name: &'static str, heading: &'static str) -> Field {
        Field::new(Column::new(name, heading), Kind::Term)
    }

    /// True or false.
    pub(super) const fn flag(name: &'static str, heading: &'static str) -> Field {
        Field::new(Column::new(name, heading), Kind::Flag)
    }

    /// An object or a list, as it is.
    pub(super) const fn json(name: &'static str, heading: &'static str) -> Field {
        Field::new(Column::new(name, heading), Kind::Json)
    }

    /// An object or a list, in words for people.
    pub(super) const fn worded(
        name: &'static str,
        heading: &'static str,
        words: fn(&Json) -> String,
    ) -> Field {
        Field::new(Column::new(name, heading), Kind::Worded(words))
    }

    /// The same, found elsewhere in the object, such as at `/package/used`.
    pub(super) const fn at(self, pointer: &'static str) -> Field {
        Field { pointer, ..self }
    }

    /// The same, with something else for people where there is nothing.
    pub(super) const fn or(self, or: &'static str) -> Field {
        Field { or: Some(or), ..self }
    }

    /// What programs call it.
    pub(super) const fn name(&self) -> &'static str {
        self.column.name
    }

    fn found<'a>(&self, item: &'a Json) -> Option<&'a Json> {
        let found =
            if self.pointer.is_empty() { item.get(self.column.name) } else { item.pointer(self.pointer) };
        found.filter(|found| !found.is_null())
    }

    fn cell(&self, item: &Json) -> Cell {
        let Some(found) = self.found(item) else {
            let none = Cell::new(Value::None);
            return self.or.map_or(none.clone(), |or| none.or(or));
        };
        let text = || found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        let cell = match self.kind {
            Kind::Text if found.is_number() => Cell::new(Value::Json(found.clone())),
            // In a table, the lines of a text stand behind one another.
            Kind::Text if text().contains('\n') => Cell::new(text()).shown(text().replace('\n', "; ")),
            Kind::Text => Cell::new(text()),
            Kind::Instant => Cell::new(instant(found).map_or_else(|| Value::Text(text()), Value::Instant)),
            Kind::Day => match instant(found) {
                Some(day) => Cell::new(Value::Instant(day)).shown(TimeZone::UTC.day(day)),
                None => Cell::new(text()),
            },
            Kind::Amount(currency) => {
                let currency = item.pointer(currency).and_then(Json::as_str).map(str::to_owned);
                Cell::new(
                    amount(found)
                        .map_or_else(|| Value::Text(text()), |amount| Value::Amount(amount, currency)),
                )
            }
            Kind::Texts => {
                let texts = found.as_array().into_iter().flatten().filter_map(Json::as_str);
                let texts = texts.map(str::to_owned).collect::<Vec<_>>();
                let is_empty = texts.is_empty();
                let cell = Cell::new(Value::Texts(texts));
                if is_empty { cell.shown(self.or.unwrap_or("-")) } else { cell }
            }
            Kind::Requirements => {
                let text = |required: &Json| {
                    let text = |name: &str| required[name].as_str();
                    requirement(
                        text("policy").unwrap_or_default(),
                        text("by"),
                        text("reason").unwrap_or_default(),
                    )
                };
                Cell::new(Value::Texts(found.as_array().into_iter().flatten().map(text).collect()))
            }
            Kind::Term => Cell::new(Value::Json(found.clone())).shown(term_text(found)),
            Kind::Flag => Cell::new(Value::Json(found.clone())).shown(if found == &Json::Bool(true) {
                "yes"
            } else {
                "no"
            }),
            Kind::Json => worded(found, plain),
            Kind::Worded(words) => worded(found, words),
        };
        cell.tone(self.tone(found))
    }

    fn tone(&self, found: &Json) -> Tone {
        let Some(word) = found.as_str().filter(|_| self.column.name == "stage") else { return Tone::Plain };
        let stage = Stage::ALL.into_iter().find(|stage| stage.name() == word);
        stage.map_or(Tone::Plain, Tone::for_stage)
    }
}

/// An object or a list in words; `-` where they say nothing.
fn worded(found: &Json, words: impl Fn(&Json) -> String) -> Cell {
    let text = words(found);
    let text = if text.is_empty() { "-".to_owned() } else { text };
    Cell::new(Value::Json(found.clone())).shown(text)
}

/// What an object or a list says, for people: `name=value` of each value that says something, those of a value that has parts
/// in brackets, and the name alone where none of them does.
pub(super) fn plain(value: &Json) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    let term = term_text(value);
    match value {
        Json::Object(_) if !term.is_empty() => term,
        Json::Object(object) => {
            joined(object.iter().filter(|(_, value)| !is_nothing(value)).map(pair).collect())
        }
        Json::Array(items) => joined(items.iter().map(plain).collect()),
        Json::String(text) => text.clone(),
        Json::Null | Json::Bool(_) | Json::Number(_) => value.to_string(),
    }
}

fn pair((name, value): (&String, &Json)) -> String {
    match (value, plain(value)) {
        (_, text) if text.is_empty() => name.clone(),
        (Json::Object(_), text) if text == term_text(value) => format!("{name}={text}"),
        (Json::Object(_), text) => format!("{name} ({text})"),
        (_, text) => format!("{name}={text}"),
    }
}

/// Whether a value of an object is as good as none.
fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Number(number) => number.as_i64() == Some(0),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        Json::Bool(_) | Json::String(_) => false,
    }
}

/// What requires an approval, with the label that its approver has and its reason: `finance-first (finance): costs a lot`.
pub(super) fn requirement(policy: &str, by: Option<&str>, reason: &str) -> String {
    let by = by.map_or(String::new(), |by| format!(" ({by})"));
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    format!("{policy}{by}{reason}")
}

/// An instant of the API.
pub(super) fn instant(value: &Json) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// An amount of the API, which may be below zero and larger than one that is given.
pub(super) fn amount(value: &Json) -> Option<Micros> {
    perennial_formats::amount::parse_stored(value.as_str()?)
}

/// Such as `3 months`; empty for what is no term.
pub(super) fn term_text(value: &Json) -> String {
    let count = value["count"].as_u64().and_then(|count| usize::try_from(count).ok());
    match (count, value["unit"].as_str()) {
        (Some(count), Some(unit)) => dates::counted(count, unit),
        _ => String::new(),
    }
}

/// Where the instants of each item are written.
pub(super) struct ItemZones {
    zones: Zones,
    /// The provider of each account, if that matters.
    providers: BTreeMap<String, String>,
}

impl ItemZones {
    /// UTC for everything.
    pub(super) fn utc() -> ItemZones {
        ItemZones { zones: Zones::new(ZoneChoice::UTC, std::iter::empty()), providers: BTreeMap::new() }
    }

    /// The zone of an item, by its provider or its account.
    pub(super) fn of(&self, item: &Json) -> TimeZone {
        let account = || self.providers.get(item["account"].as_str()?).map(String::as_str);
        self.zones.of(item["provider"].as_str().or_else(account))
    }
}

impl Context {
    /// Where instants are written. Asks for accounts only when their providers' days are wanted.
    pub(super) fn item_zones(&self, client: &Client, choice: ZoneChoice) -> anyhow::Result<ItemZones> {
        let mut providers = BTreeMap::new();
        if choice == ZoneChoice::Provider {
            for account in
                pages(client, &Request::new("GET", "/v1/accounts", &[]).to("list accounts"), u32::MAX)?
            {
                if let (Some(id), Some(provider)) = (account["id"].as_str(), account["provider"].as_str()) {
                    providers.insert(id.to_owned(), provider.to_owned());
                }
            }
        }
        Ok(ItemZones { zones: self.zones(choice)?, providers })
    }

    /// Writes items as a list; `nothing` is what people read when there is none.
    pub(super) fn write_items(
        &self,
        client: &Client,
        fields: &[Field],
        items: &[Json],
        list: &ListArguments,
        nothing: &str,
    ) -> anyhow::Result<()> {
        let zones = self.item_zones(client, list.zone.time_zone)?;
        let columns = columns(fields);
        let listing = Listing { columns: &columns, rows: rows(fields, items, &zones) };
        self.write_list(&listing, list.format, nothing)
    }

    /// Writes one object: for people its fields a line each, as JSON the whole of it, and as CSV its fields in a line.
    pub(super) fn write_item(
        &self,
        client: &Client,
        fields: &[Field],
        item: &Json,
        list: &ListArguments,
    ) -> anyhow::Result<()> {
        let mut out = Output::standard();
        if list.format == ListFormat::Json {
            writeln!(out, "{item:#}")?;
            return Ok(out.finish()?);
        }
        let zones = self.item_zones(client, list.zone.time_zone)?;
        let columns = columns(fields);
        let listing = Listing { columns: &columns, rows: rows(fields, std::slice::from_ref(item), &zones) };
        match list.format {
            ListFormat::Table => listing.facts(self.stdout_style(), &mut out)?,
            ListFormat::Csv | ListFormat::Json => {
                listing.write(list.format, "", self.stdout_style(), &mut out)?
            }
        }
        Ok(out.finish()?)
    }
}

/// The columns of these fields.
pub(super) fn columns(fields: &[Field]) -> Vec<Column> {
    fields.iter().map(|field| field.column).collect()
}

/// The rows of these items.
pub(super) fn rows(fields: &[Field], items: &[Json], zones: &ItemZones) -> Vec<Row> {
    let row = |item: &Json| Row {
        zone: zones.of(item),
        cells: fields.iter().map(|field| field.cell(item)).collect(),
    };
    items.iter().map(row).collect()
}

/// The items of a list, page by page, and no more than `limit`; it warns if there are more.
pub(super) fn pages(client: &Client, request: &Request, limit: u32) -> anyhow::Result<Vec<Json>> {
    let most = usize::try_from(limit)?;
    let (mut items, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = most.saturating_add(1).saturating_sub(items.len()).min(PAGE_MAX);
        let request = request.clone().query("limit", Some(page)).query("cursor", cursor.as_deref());
        let mut answer = client.send(&request)?.json()?;
        items.extend(answer["items"].as_array_mut().map(std::mem::take).unwrap_or_default());
        cursor = answer["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() || items.len() > most {
            break;
        }
    }
    list::cut_off(&mut items, limit);
    Ok(items)
}

/// The items of a list that comes whole.
pub(super) fn whole(client: &Client, request: &Request) -> anyhow::Result<Vec<Json>> {
    let mut answer = client.send(request)?.json()?;
    Ok(answer["items"].as_array_mut().map(std::mem::take).unwrap_or_default())
}
