//! Where in its file a problem of an inventory is: the line, and the account or resource whose value it is.

use super::csv_tables::Tables;
use crate::diagnostics::Problems;
use crate::json_tree::Json;
use crate::json_tree::Node;
use crate::value_lines;
use crate::wording;

/// Locates the problems of a JSON file.
pub(super) fn in_json(problems: Problems, root: &Node<'_>, text: &str) -> Problems {
    let lines = value_lines::of(text);
    problems.located(|problem| {
        let id = item_at(root, &problem.path).and_then(|(_, item, _)| id_of(item));
        let id = id.map(|id| format!(", {}", wording::quote(id))).unwrap_or_default();
        format!("line {}{id}", value_lines::line(&lines, problem.position()))
    })
}

/// Locates the problems of tables. A table has lines where JSON has lists, so paths begin with a column.
pub(super) fn in_tables(problems: Problems, tables: &Tables<'_>) -> Problems {
    problems.located(|problem| {
        let position = problem.position();
        let line = value_lines::line(&tables.lines, position);
        let is_account = usize::try_from(position).is_ok_and(|position| position < tables.account_values);
        let table = if is_account { " of the accounts" } else { "" };
        problem.message = with_lines(&problem.message, tables);
        let Some((_, item, column)) = item_at(&tables.root, &problem.path) else {
            return format!("line {line}{table}");
        };
        let id = id_of(item).map(|id| format!(", {}", wording::quote(id))).unwrap_or_default();
        problem.path = if column.is_empty() { "the line".to_owned() } else { column.to_owned() };
        format!("line {line}{table}{id}")
    })
}

/// The list, the item of it and the rest of a path such as `resources[3].term.unit`.
fn item_at<'n, 'p>(root: &'n Node<'n>, path: &'p str) -> Option<(&'p str, &'n Node<'n>, &'p str)> {
    let (list, rest) = path.split_once('[')?;
    let (index, rest) = rest.split_once(']')?;
    let Json::Object(members) = &root.json else { return None };
    let (_, node) = members.iter().find(|(name, _)| name == list)?;
    let Json::List(items) = &node.json else { return None };
    let item = items.get(index.parse::<usize>().ok()?)?;
    Some((list, item, rest.strip_prefix('.').unwrap_or(rest)))
}

fn id_of<'n>(item: &'n Node<'n>) -> Option<&'n str> {
    let Json::Object(members) = &item.json else { return None };
    let (_, id) = members.iter().find(|(name, _)| name == "id")?;
    match &id.json {
        Json::Text(id) if !id.is_empty() => Some(id),
        Json::Text(_) | Json::Null | Json::Flag(_) | Json::Number(_) | Json::List(_) | Json::Object(_) => {
            None
        }
    }
}

/// A message that names another item, such as `resources[0]`, with its line instead.
fn with_lines(message: &str, tables: &Tables<'_>) -> String {
    let mut written = String::with_capacity(message.len());
    for (index, part) in message.split('`').enumerate() {
        let is_quoted = index % 2 == 1;
        match item_at(&tables.root, part).filter(|_| is_quoted) {
            Some((_, item, "")) => {
                written += &format!("line {}", value_lines::line(&tables.lines, item.position));
            }
            Some(_) | None if is_quoted => written += &format!("`{part}`"),
            Some(_) | None => written += part,
        }
    }
    written
}
