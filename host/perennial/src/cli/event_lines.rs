//! Events of the admin API in words, a line each.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use perennial_formats::event;
use perennial_formats::event_text::Wording;
use perennial_formats::read_back;
use perennial_formats::time_zone::TimeZone;
use serde_json::Value;

use crate::cli::items;
use crate::report::Style;
use crate::report::columns;
use crate::report::event_tone;
use crate::report::style::Tone;
use crate::report::text::printable;

/// What an event says, and how bad that is. Of an event that only a newer host knows, its type and its fields.
pub(super) fn words(view: &Value, currency: &str, zone: TimeZone) -> (String, Tone) {
    match read_back::event(view) {
        Ok((_, event)) => {
            let wording = Wording { currency, notices: &BTreeMap::new(), zone };
            (wording.of(&event), event_tone::tone(&event))
        }
        Err(_) => (format!("{}: {}", view["type"].as_str().unwrap_or_default(), details(view)), Tone::Plain),
    }
}

/// What the type of an event adds, as JSON, in the order in which the database has it.
pub(super) fn details(view: &Value) -> String {
    if let Ok((_, event)) = read_back::event(view)
        && let Ok(body) = serde_json::to_string(&event::body(&event).1)
    {
        return body;
    }
    let fields = view.as_object().into_iter().flatten();
    let added =
        fields.filter(|(name, _)| !["id", "at", "account", "resource", "type"].contains(&name.as_str()));
    let added = added.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>();
    Value::Object(added).to_string()
}

/// Writes an event as a line.
///
/// # Errors
///
/// Whatever `out` says.
pub(super) fn write(
    view: &Value,
    currency: &str,
    zone: TimeZone,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let at = items::instant(&view["at"]).map(|at| zone.minute(at)).unwrap_or_default();
    let about = view["resource"].as_str().or_else(|| view["account"].as_str()).unwrap_or_default();
    let (words, tone) = words(view, currency, zone);
    let line = printable(&format!("{at}  {about}  {words}"));
    columns::paragraph(&line, ("", "    "), tone, style, out)
}
