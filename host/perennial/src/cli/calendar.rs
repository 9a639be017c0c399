//! `perennial calendar`: feeds of what lies ahead, at addresses that are their secrets.

use clap::Subcommand;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::confirm::EndArguments;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::named;
use crate::cli::secret;
use crate::cli::secret::Unshown;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::client::Request;

/// Lists, makes and revokes calendars: feeds of tries, expiries and releases for any calendar program.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial calendar create --name Renewals
  perennial calendar create --name Tries --account acme-hw --occurrence try
  perennial calendar list
  perennial calendar rotate cal-1 --yes
  perennial calendar revoke cal-1

The address of a calendar is shown once; whoever has it reads the calendar.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists calendars, also revoked ones.
    List(ListArguments),
    /// Makes a calendar, and shows its address.
    Create {
        /// A name for people.
        #[arg(long)]
        name: String,
        /// An account that it shows; may be given again. Without, all that the token sees.
        #[arg(long = "account", value_name = "ID")]
        accounts: Vec<String>,
        /// A type of entry that it shows, such as `try`; may be given again. Without, it shows all types.
        #[arg(long = "occurrence", value_name = "KIND")]
        occurrences: Vec<String>,
        /// Why, for the audit log.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Gives a calendar another address, and shows it. The old one ends.
    Rotate {
        #[command(flatten)]
        named: CalendarArguments,
        #[command(flatten)]
        end: EndArguments,
    },
    /// Ends a calendar.
    Revoke {
        #[command(flatten)]
        named: CalendarArguments,
        #[command(flatten)]
        end: EndArguments,
    },
}

#[derive(Debug, clap::Args)]
struct CalendarArguments {
    /// The ID of the calendar.
    id: String,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

const CALENDAR: [Field; 8] = [
    Field::text("id", "calendar"),
    Field::text("name", "name"),
    Field::texts("accounts", "accounts").or("all"),
    Field::texts("occurrences", "shows"),
    Field::instant("created_at", "created"),
    Field::text("created_by", ""),
    Field::instant("rotated_at", ""),
    Field::instant("revoked_at", "revoked"),
];

pub(super) fn calendar(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.client(&arguments.target)?;
    match &arguments.action {
        Action::List(list) => {
            let found =
                items::whole(&client, &Request::new("GET", "/v1/calendars", &[]).to("list calendars"))?;
            context.write_items(&client, &CALENDAR, &found, list, "there are no calendars yet")
        }
        Action::Create { name, accounts, occurrences, reason, list } => {
            let mut body = Map::from_iter([("name".to_owned(), json!(name))]);
            for (field, values) in [("accounts", accounts), ("occurrences", occurrences)] {
                if !values.is_empty() {
                    body.insert(field.to_owned(), json!(values));
                }
            }
            let request = Request::new("POST", "/v1/calendars", &[])
                .to(format!("make the calendar `{name}`"))
                .body(body.into())
                .reason(reason.as_deref());
            secret::show(&client, &request, list.format, |made| {
                let id = made["calendar"]["id"].as_str().unwrap_or_default();
                let request = Request::new("POST", "/v1/calendars/{id}:revoke", &[id]);
                Unshown::End(request.to("revoke the calendar"), String::new())
            })
        }
        Action::Rotate { named, end } => rotate(&client, named, *end),
        Action::Revoke { named, end } => {
            let what = format!("revoke `{}`", named.id);
            let found = find(&client, named, &what)?;
            let name = found["name"].as_str().unwrap_or_default();
            let line = format!("calendar {}, {name}: would be revoked", named.id);
            let lines = found["revoked_at"].is_null().then_some(line);
            if !end.agree(lines.as_slice(), "Revoke it?")? {
                return Ok(());
            }
            let request = Request::new("POST", "/v1/calendars/{id}:revoke", &[&named.id])
                .to(what)
                .reason(named.reason.as_deref());
            context.write_item(&client, &CALENDAR, &client.send(&request)?.json()?, &named.list)
        }
    }
}

/// Gives a calendar another address, and shows it.
fn rotate(client: &Client, named: &CalendarArguments, end: EndArguments) -> anyhow::Result<()> {
    let (id, what) = (&named.id, format!("rotate `{}`", named.id));
    let found = find(client, named, &what)?;
    let name = found["name"].as_str().unwrap_or_default();
    let line = format!("calendar {id}, {name}: its address would end, and another one be shown");
    if !end.agree(&[line], "Give it another address?")? {
        return Ok(());
    }
    let request = Request::new("POST", "/v1/calendars/{id}:rotate", &[id]).to(what);
    secret::show(client, &request.reason(named.reason.as_deref()), named.list.format, |_| {
        Unshown::Stays(format!(
            "the address before is gone, and nobody knows the new one; run `perennial calendar rotate {id}` again where its \
             output can be kept, and give that address to whoever reads the calendar"
        ))
    })
}

/// The calendar that is named, as a part of what messages call `what`.
fn find(client: &Client, named: &CalendarArguments, what: &str) -> anyhow::Result<Value> {
    let calendars = items::whole(client, &Request::new("GET", "/v1/calendars", &[]).to(what))?;
    Ok(named::in_list(calendars, ("id", "calendar"), &named.id, what)?)
}
