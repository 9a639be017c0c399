//! Inventories as tables: one resource a line and, in a table of their own, one account a line.
//!
//! Knows CSV (RFC 4180), and how each kind of value is written in a cell. Turns the tables into what a JSON file would hold, so
//! that one reader checks both.

use std::borrow::Cow;
use std::collections::BTreeSet;

use perennial_domain::bundle::Resource;
use perennial_domain::field::FieldKind;

use super::account;
use crate::dates;
use crate::diagnostics::Diagnostics;
use crate::diagnostics::Problems;
use crate::inventory::csv_quotes;
use crate::json_tree::Json;
use crate::json_tree::Node;
use crate::resource::INVENTORY_FIELDS;
use crate::wording;

/// Columns of named values: `tags.env` is the tag `env`.
const GROUPS: [&str; 3] = ["settings", "attributes", "tags"];
/// Tables as a tree, and the line of each of its values.
pub(super) struct Tables<'t> {
    /// As a JSON file would hold them.
    pub(super) root: Node<'t>,
    /// By the number of the value.
    pub(super) lines: Vec<u32>,
    /// How many of the values are accounts'.
    pub(super) account_values: usize,
}

/// Reads the table of resources and, if there is one, that of accounts.
///
/// # Errors
///
/// Every line that has too many or too few fields, and every column that is unknown or there twice.
pub(super) fn read<'t>(resources: &'t str, accounts: Option<&'t str>) -> Result<Tables<'t>, Problems> {
    let problems = Diagnostics::new("the table");
    let mut tables = TableReader { lines: Vec::new(), problems: &problems };
    let root_position = tables.position(1);
    let accounts = accounts.map(|text| tables.table(text, "accounts", account::FIELDS));
    let account_values = tables.lines.len();
    let resources = tables.table(resources, "resources", INVENTORY_FIELDS);
    let lines = tables.lines;
    let members = accounts.into_iter().map(|list| (Cow::Borrowed("accounts"), list));
    let members = members.chain([(Cow::Borrowed("resources"), resources)]).collect();
    let root = Node { position: root_position, json: Json::Object(members) };
    let read = problems.is_empty().then_some(Tables { root, lines, account_values });
    problems.finish(read)
}

/// A field of a row.
type Member = (Cow<'static, str>, Node<'static>);

struct TableReader<'p> {
    lines: Vec<u32>,
    problems: &'p Diagnostics,
}

impl TableReader<'_> {
    /// The number of the next value, which is on `line`.
    fn position(&mut self, line: u32) -> u32 {
        self.lines.push(line);
        u32::try_from(self.lines.len() - 1).unwrap_or(u32::MAX)
    }

    fn node<'n>(&mut self, line: u32, json: Json<'n>) -> Node<'n> {
        Node { position: self.position(line), json }
    }

    fn report(&self, table: &str, line: u64, message: impl Into<String>) {
        let position = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        self.problems.add_at(position, format!("line {line} of the {table}"), message);
    }

    /// The rows of a table as objects.
    fn table<'t>(&mut self, text: &'t str, name: &str, columns: &[&str]) -> Node<'t> {
        let position = self.position(1);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let faults = csv_quotes::faults(text);
        if !faults.is_empty() {
            for (line, message) in faults {
                self.report(name, line, message);
            }
            return Node { position, json: Json::List(Vec::new()) };
        }
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut records = reader.records();
        let head = match records.next() {
            Some(Ok(head)) => head,
            Some(Err(error)) => {
                self.report(name, 1, format!("this is not CSV: {error}"));
                return Node { position, json: Json::List(Vec::new()) };
            }
            None => {
                let expected = wording::list_names(columns.iter().copied());
                self.report(name, 1, format!("the head is missing; its columns are among {expected}"));
                return Node { position, json: Json::List(Vec::new()) };
            }
        };
        self.check_head(&head, name, columns);
        let mut rows = Vec::new();
        for record in records {
            match record {
                Ok(record) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    if record.len() == head.len() {
                        rows.push(self.row(&head, &record, u32::try_from(line).unwrap_or(u32::MAX)));
                    } else {
                        let fields = dates::counted(record.len(), "field");
                        let expected = head.len();
                        self.report(name, line, format!("it has {fields}, and the head has {expected}"));
                    }
                }
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    self.report(name, line, format!("this is not CSV: {error}"));
                }
            }
        }
        Node { position, json: Json::List(rows) }
    }

    /// Notes columns that are unknown or there twice.
    fn check_head(&self, head: &csv::StringRecord, table: &str, columns: &[&str]) {
        let mut found = BTreeSet::new();
        for column in head {
            let shown = wording::quote(column);
            if !found.insert(column) {
                self.report(table, 1, format!("the column {shown} is there twice; keep one"));
                continue;
            }
            let (group, member) = column.split_once('.').unwrap_or((column, ""));
            let is_known = match GROUPS.contains(&group) {
                true => columns.contains(&group) && !member.is_empty(),
                false => columns.contains(&column),
            };
            if !is_known {
                let names = || columns.iter().copied().filter(|name| !GROUPS.contains(name));
                let meant = wording::did_you_mean(column, names());
                let groups = GROUPS.iter().filter(|group| columns.contains(group));
                let groups = groups.map(|group| format!("`{group}.NAME`")).collect::<Vec<_>>().join(", ");
                let expected = wording::list_names(names());
                self.report(
                    table,
                    1,
                    format!("unknown column {shown}{meant}; expected {expected}, or {groups}"),
                );
            }
        }
    }

    /// A row as an object; what is empty is left out.
    fn row(&mut self, head: &csv::StringRecord, record: &csv::StringRecord, line: u32) -> Node<'static> {
        let position = self.position(line);
        let mut members = Vec::new();
        let mut groups = Vec::<(String, Vec<Member>)>::new();
        let cells = head.iter().zip(record).filter(|(_, cell)| !cell.is_empty());
        for (column, cell) in cells {
            let text = Json::Text(Cow::Owned(cell.to_owned()));
            match column.split_once('.').filter(|(group, _)| GROUPS.contains(group)) {
                Some((group, member)) => {
                    let member = (Cow::Owned(member.to_owned()), self.node(line, text));
                    match groups.iter_mut().find(|(name, _)| name == group) {
                        Some((_, members)) => members.push(member),
                        None => groups.push((group.to_owned(), vec![member])),
                    }
                }
                None => {
                    let value = match Resource::FIELDS
                        .iter()
                        .find(|field| field.name == column)
                        .map(|field| field.kind)
                    {
                        Some(FieldKind::Count | FieldKind::Day) => self.node(line, number(cell)),
                        Some(FieldKind::Term) => self.term(line, cell),
                        Some(_) | None => self.node(line, text),
                    };
                    members.push((Cow::Owned(column.to_owned()), value));
                }
            }
        }
        for (name, inner) in groups {
            let node = self.node(line, Json::Object(inner));
            members.push((Cow::Owned(name), node));
        }
        Node { position, json: Json::Object(members) }
    }

    /// `1 month` or `12 months` as the object that it is in JSON.
    fn term(&mut self, line: u32, cell: &str) -> Node<'static> {
        let position = self.position(line);
        let (count, unit) = match cell.trim().split_once(' ') {
            Some((count, unit)) => (count, Some(unit.trim())),
            None => (cell, None),
        };
        let mut members = vec![(Cow::Borrowed("count"), self.node(line, number(count)))];
        if let Some(unit) = unit {
            let unit = unit.strip_suffix('s').unwrap_or(unit).to_owned();
            members.push((Cow::Borrowed("unit"), self.node(line, Json::Text(Cow::Owned(unit)))));
        }
        Node { position, json: Json::Object(members) }
    }
}

/// A whole number, or else the text that stands in its place.
fn number(cell: &str) -> Json<'static> {
    match cell.parse::<u64>() {
        Ok(number) => Json::Number(number.into()),
        Err(_) => Json::Text(Cow::Owned(cell.to_owned())),
    }
}
