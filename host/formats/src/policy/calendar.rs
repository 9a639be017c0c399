//! The calendars of a policy file: names with days and ranges of days.

use chrono::Datelike;
use chrono::NaiveDate;
use perennial_domain::policy::Calendar;

use super::super::json_cursor::JsonCursor;
use super::super::json_tree::Json;
use super::super::wording;

/// Reads a calendar; `name` reads its name.
pub fn read<'n>(
    cursor: JsonCursor<'n, '_>,
    name: impl FnOnce(JsonCursor<'n, '_>) -> Option<String>,
) -> Option<Calendar> {
    let fields = cursor.object(&["name", "days"])?;
    let name = fields.required("name", name);
    let days = fields.required("days", |cursor| {
        if matches!(&cursor.node.json, Json::List(items) if items.is_empty()) {
            cursor.report("the list is empty, so no day would be in it; leave the calendar out if no script asks for it");
            return None;
        }
        cursor.list(|_, cursor| range(cursor))
    });
    Some(Calendar { name: name?, days: days? })
}

/// `2026-10-01`, or `2026-12-24..2027-01-02` with both days: first and last, in days since 1970-01-01.
fn range(cursor: JsonCursor<'_, '_>) -> Option<(i32, i32)> {
    let text = cursor.text()?;
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (Some(first), Some(last)) = (day(first), day(last)) else {
        return cursor
            .report_type("a day such as \"2026-10-01\" or a range such as \"2026-12-24..2027-01-02\"");
    };
    if last < first {
        cursor.report(format!("the range {} ends before it begins", wording::quote(text)));
        return None;
    }
    Some((first, last))
}

fn day(text: &str) -> Option<i32> {
    let is_plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| is_plain)?;
    let epoch = NaiveDate::default();
    Some(date.num_days_from_ce() - epoch.num_days_from_ce())
}
