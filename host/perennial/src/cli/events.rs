//! `perennial events`: lists events.

use std::collections::BTreeMap;
use std::io::Write;

use clap::ValueEnum;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::event;
use perennial_formats::event_text::Wording;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::choice::Choice;
use crate::cli::input;
use crate::cli::list;
use crate::cli::list::ZoneArguments;
use crate::cli::list::Zones;
use crate::cli::named;
use crate::cli::on_host::events as on_host;
use crate::cli::on_host::events::Followed;
use crate::cli::output::Output;
use crate::cli::target::TargetArguments;
use crate::cli::validate;
use crate::client::Client;
use crate::client::Request;
use crate::report::event_tone;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::ListFormat;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use perennial_formats::time_zone::ZoneChoice;
use perennial_store::ReadTx;
use perennial_store::events;
use perennial_store::events::StoredEvent;

/// The types of events.
const TYPE: Choice<&'static str> = Choice { what: "event type", all: EventKind::TYPES, name: |name| name };

/// Lists the events of the database in the order in which they happened, also while `perennial run` works on it.
///
/// Where there are more than `--limit`, the last ones are listed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial events
  perennial events --resource ecs-1 --time-zone provider
  perennial events --type renewal_declined --since 2026-11-01 --format jsonl
  perennial events --follow --server http://127.0.0.1:8420 --token-file token")]
pub(super) struct Arguments {
    /// Only of this account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only of this resource.
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
    /// Only of this type, such as `renewal_settled`.
    #[arg(long = "type", value_name = "TYPE", value_parser = TYPE, hide_possible_values = true)]
    kind: Option<&'static str>,
    /// Not before this instant, in RFC 3339; a date alone is midnight UTC.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    since: Option<Timestamp>,
    /// Before this instant, in RFC 3339; a date alone is midnight UTC.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    until: Option<Timestamp>,
    /// At most so many, the last ones.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = input::whole::<u32>(1..))]
    limit: u32,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    zone: ZoneArguments,
    /// Write events as they happen, from a running host, until Ctrl-C; `json` and `jsonl` are both one object a line then.
    #[arg(long, conflicts_with_all = ["since", "until"])]
    follow: bool,
    /// Follow from behind the event with this id; `c0` is before the first. A stream that breaks off goes on by itself.
    #[arg(long, value_name = "EVENT", requires = "follow")]
    after: Option<String>,
    /// End after so many events.
    #[arg(long, value_name = "N", requires = "follow", value_parser = input::whole::<u32>(1..))]
    count: Option<u32>,
    #[command(flatten)]
    target: TargetArguments,
}

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, in words.
    Table,
    /// An array of the objects that `jsonl` writes.
    Json,
    /// Comma-separated values; what an event's type adds is a JSON object in the last one.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// What is listed of an event.
pub(super) const COLUMNS: [Column; 6] = [
    Column::new("at", "at"),
    Column::new("account", "account"),
    Column::new("resource", "resource"),
    Column::new("type", ""),
    Column::sentence("description", "what"),
    Column::new("details", ""),
];

pub(super) fn events(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { account, resource, kind, since, until, limit, format, zone, .. } = arguments;
    check(arguments)?;
    if let Some(client) = context.host_client(&arguments.target)? {
        return arguments.ask(context, &client);
    }
    if arguments.follow {
        let message = "events are followed on a running host: name it with `--server`";
        return Err(UserError::Argument(message.to_owned()).into());
    }
    let db = ReadTx::open(&context.db)?;
    validate::check_account(&db, account.as_deref())?;
    validate::check_resource(&db, resource.as_deref())?;
    let filter = events::Filter {
        account: account.clone(),
        resource: resource.clone(),
        kind: kind.map(str::to_owned),
        since: *since,
        until: *until,
    };
    let listed = events::list(&db, &filter, limit.saturating_add(1))?;
    let skipped = listed.len().saturating_sub(usize::try_from(*limit)?);
    if skipped > 0 {
        tracing::warn!("only the last {limit} are shown; see `--limit`");
    }
    let listed = listed.into_iter().skip(skipped).collect::<Vec<_>>();
    let has_conditions =
        account.is_some() || resource.is_some() || kind.is_some() || since.is_some() || until.is_some();
    let nothing = list::nothing(has_conditions, "nothing has happened yet");
    let format = match format {
        Format::Table => ListFormat::Table,
        Format::Csv => ListFormat::Csv,
        Format::Json | Format::Jsonl => return lines(&listed, *format),
    };
    let facts = list::account_facts(&db)?;
    let zones = context.zones(zone.time_zone)?;
    let rows = listed.iter().map(|stored| row(stored, &facts, &zones)).collect::<anyhow::Result<_>>()?;
    context.write_list(&Listing { columns: &COLUMNS, rows }, format, nothing)
}

impl Arguments {
    fn request(&self, route: &'static str) -> Request {
        Request::new("GET", route, &[])
            .to(if self.follow { "follow events" } else { "list events" })
            .query("account", self.account.as_ref())
            .query("resource", self.resource.as_ref())
            .query("type", self.kind)
            .query("since", self.since)
            .query("until", self.until)
    }

    /// The same on a running host.
    fn ask(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let zone = self.zone.time_zone;
        if self.follow {
            let followed = match self.format {
                Format::Table => Followed::Words,
                Format::Json | Format::Jsonl => Followed::Json,
                Format::Csv => {
                    let message = "`--follow` writes words or JSON; say `--format jsonl`, or leave it out";
                    return Err(UserError::Argument(message.to_owned()).into());
                }
            };
            let request = self.request("/v1/events:stream");
            return on_host::follow(
                context,
                client,
                &request,
                (self.after.clone(), zone, followed, self.count),
            );
        }
        named::check_account(client, self.account.as_deref())?;
        let listed = on_host::last(client, &self.request("/v1/events"), self.limit)?;
        if listed.is_empty() {
            named::check_resource(client, self.resource.as_deref())?;
        }
        let format = match self.format {
            Format::Table => ListFormat::Table,
            Format::Csv => ListFormat::Csv,
            Format::Json | Format::Jsonl => {
                return write_lines(listed.iter().map(|event| Ok(on_host::line(event))), self.format);
            }
        };
        let has_conditions = self.account.is_some()
            || self.resource.is_some()
            || self.kind.is_some()
            || self.since.is_some()
            || self.until.is_some();
        on_host::write(context, client, (&COLUMNS, format, zone), &listed, has_conditions)
    }
}

fn check(arguments: &Arguments) -> Result<(), UserError> {
    if let (Some(since), Some(until)) = (arguments.since, arguments.until)
        && until <= since
    {
        let message = format!("`--until {until}` is not after `--since {since}`: nothing is between them");
        return Err(UserError::Argument(message));
    }
    let is_json = matches!(arguments.format, Format::Json | Format::Jsonl);
    if is_json && arguments.zone.time_zone != ZoneChoice::UTC {
        let message = "events in JSON are in UTC; `--time-zone` is for `--format table` and `csv`";
        return Err(UserError::Argument(message.to_owned()));
    }
    Ok(())
}

fn read(stored: &StoredEvent) -> anyhow::Result<Event> {
    let what = event::read_body(&stored.kind, &stored.body)?;
    Ok(Event { at: stored.at, resource: stored.resource.clone(), what })
}

/// Writes events as JSON: one a line and, for an array, with commas between the lines.
fn lines(listed: &[StoredEvent], format: Format) -> anyhow::Result<()> {
    let line = |stored: &StoredEvent| Ok(event::line(stored.account.as_deref(), &read(stored)?));
    write_lines(listed.iter().map(line), format)
}

fn write_lines(lines: impl Iterator<Item = anyhow::Result<String>>, format: Format) -> anyhow::Result<()> {
    let mut out = Output::standard();
    let is_array = format == Format::Json;
    if is_array {
        writeln!(out, "[")?;
    }
    let mut between = "";
    for line in lines {
        write!(out, "{between}{}", line?)?;
        between = if is_array { ",\n" } else { "\n" };
    }
    if !between.is_empty() {
        writeln!(out)?;
    }
    if is_array {
        writeln!(out, "]")?;
    }
    Ok(out.finish()?)
}

fn row(
    stored: &StoredEvent,
    facts: &BTreeMap<String, (String, String)>,
    zones: &Zones,
) -> anyhow::Result<Row> {
    let event = read(stored)?;
    let facts = stored.account.as_ref().and_then(|account| facts.get(account));
    let (provider, currency) =
        facts.map(|(provider, currency)| (provider.as_str(), currency.as_str())).unzip();
    let zone = zones.of(provider);
    let wording = Wording { currency: currency.unwrap_or_default(), notices: &BTreeMap::new(), zone };
    let cells: [Cell; COLUMNS.len()] = [
        Cell::new(event.at),
        Cell::new(stored.account.clone()),
        Cell::new(stored.resource.clone()),
        Cell::new(stored.kind.as_str()),
        Cell::new(wording.of(&event)).tone(event_tone::tone(&event)),
        Cell::new(stored.body.as_str()),
    ];
    Ok(Row { zone, cells: cells.into() })
}
