//! Events of a running host: listed, and followed as they happen.

use std::collections::BTreeMap;
use std::io::Write;

use perennial_formats::read_back;
use perennial_formats::time_zone::ZoneChoice;
use serde_json::Value;

use crate::cli::Context;
use crate::cli::event_lines;
use crate::cli::items::ItemZones;
use crate::cli::list;
use crate::cli::output::Output;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::Listing;
use crate::report::listing::Row;

/// The most events on a page.
const PAGE: usize = 1000;

/// Every account's currency.
fn currencies(client: &Client) -> anyhow::Result<BTreeMap<String, String>> {
    let request = Request::new("GET", "/v1/accounts", &[]).to("list accounts");
    let accounts = crate::cli::items::pages(client, &request, u32::MAX)?;
    let text = |account: &Value, name: &str| account[name].as_str().unwrap_or_default().to_owned();
    Ok(accounts.iter().map(|account| (text(account, "id"), text(account, "currency"))).collect())
}

/// The last `limit` events that the request lists, as the database has them: by time, then by account and resource. The API
/// lists them as they were recorded, and what was due while the host was down is recorded late.
pub(in crate::cli) fn last(client: &Client, request: &Request, limit: u32) -> anyhow::Result<Vec<Value>> {
    let most = usize::try_from(limit)?;
    let text = |event: &Value, name: &str| event[name].as_str().map(str::to_owned);
    let (mut kept, mut cursor) = (Vec::new(), None::<String>);
    let mut is_cut = false;
    loop {
        let page = request.clone().query("limit", Some(PAGE)).query("cursor", cursor.as_deref());
        let mut answer = client.send(&page)?.json()?;
        kept.extend(answer["items"].as_array_mut().map(std::mem::take).unwrap_or_default());
        if kept.len() > most {
            is_cut = true;
            kept.sort_by_cached_key(|event| text(event, "at"));
            kept.drain(..kept.len() - most);
        }
        cursor = answer["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    if is_cut {
        tracing::warn!("only the last {limit} are shown; see `--limit`");
    }
    kept.sort_by_cached_key(|event| ["at", "account", "resource"].map(|name| text(event, name)));
    Ok(kept)
}

/// An event as the lines of the database have it: without its id.
pub(in crate::cli) fn line(event: &Value) -> String {
    match read_back::event(event) {
        Ok((account, event)) => perennial_formats::event::line(account.as_deref(), &event),
        Err(_) => event.to_string(),
    }
}

/// The rows of a list of events, in these columns: at, account, resource, type, what and details.
pub(in crate::cli) fn write(
    context: &Context,
    client: &Client,
    (columns, format, zone): (&[Column], crate::report::listing::ListFormat, ZoneChoice),
    events: &[Value],
    has_conditions: bool,
) -> anyhow::Result<()> {
    let (zones, currencies) = (context.item_zones(client, zone)?, currencies(client)?);
    let row = |event: &Value| {
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        let currency =
            text("account").and_then(|account| currencies.get(&account)).cloned().unwrap_or_default();
        let zone = zones.of(event);
        let (words, tone) = event_lines::words(event, &currency, zone);
        let at = crate::cli::items::instant(&event["at"]);
        let cells = vec![
            Cell::new(at),
            Cell::new(text("account")),
            Cell::new(text("resource")),
            Cell::new(text("type")),
            Cell::new(words).tone(tone),
            Cell::new(event_lines::details(event)),
        ];
        Row { zone, cells }
    };
    let rows = events.iter().map(row).collect();
    context.write_list(
        &Listing { columns, rows },
        format,
        list::nothing(has_conditions, "nothing has happened yet"),
    )
}

/// How events that are followed are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Followed {
    /// In words, as a table has them.
    Words,
    /// One JSON object a line, with its `id`.
    Json,
}

/// Writes events as they happen, each at once, until the host or the reader has enough; `most` ends it after so many.
pub(in crate::cli) fn follow(
    context: &Context,
    client: &Client,
    request: &Request,
    (after, zone, followed, most): (Option<String>, ZoneChoice, Followed, Option<u32>),
) -> anyhow::Result<()> {
    let zones: ItemZones = context.item_zones(client, zone)?;
    let currencies = currencies(client)?;
    let mut left = most;
    client.follow(request, after, &mut |data| {
        let mut out = Output::standard();
        match (followed, serde_json::from_str::<Value>(data)) {
            (Followed::Json, _) | (Followed::Words, Err(_)) => writeln!(out, "{data}")?,
            (Followed::Words, Ok(event)) => {
                let account = event["account"].as_str().unwrap_or_default();
                let currency = currencies.get(account).map(String::as_str).unwrap_or_default();
                event_lines::write(&event, currency, zones.of(&event), context.stdout_style(), &mut out)?;
            }
        }
        out.finish()?;
        left = left.map(|left| left.saturating_sub(1));
        Ok(left != Some(0))
    })
}
