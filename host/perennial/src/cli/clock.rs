//! `perennial clock`: what time it is for a host or a database, and moving a virtual clock.

use clap::Subcommand;
use perennial_domain::timestamp::Timestamp;
use perennial_service::error::ServiceError;
use perennial_service::writer::ADVANCE_MAX;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::act::ActArguments;
use crate::cli::confirm::WouldChange;
use crate::cli::confirm::confirm;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::output;
use crate::cli::target::TargetArguments;
use crate::client::Request;
use crate::report::listing::ListFormat;

/// Shows the clock, and moves a virtual one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial clock show
  perennial clock advance 2026-02-01

Moving a clock does everything that is due until then.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Shows the present instant, and up to when everything is done.
    Show(ListArguments),
    /// Moves a virtual clock, and does everything that is due before that instant.
    Advance {
        /// The instant, in RFC 3339; a date alone is midnight UTC.
        #[arg(value_name = "T", value_parser = input::clock_instant)]
        to: Timestamp,
        #[command(flatten)]
        act: ActArguments,
        #[command(flatten)]
        list: ListArguments,
    },
}

const CLOCK: [Field; 3] = [
    Field::instant("now", "now"),
    Field::instant("ticked_at", "done until"),
    Field::flag("is_virtual", "virtual"),
];

/// Refuses what cannot be done before anything is said of it.
fn check(clock: &Value, to: Timestamp) -> anyhow::Result<()> {
    if clock["is_virtual"] == false {
        anyhow::bail!("the clock runs on real time and moves by itself; only a virtual one is moved");
    }
    let message = match items::instant(&clock["now"]) {
        Some(now) if to < now => {
            format!("the clock stands at {now}, and goes forward only; name an instant after that")
        }
        Some(now) if to - now > ADVANCE_MAX => {
            ServiceError::ClockTooFar { now, latest: now + ADVANCE_MAX }.to_string()
        }
        Some(_) | None => return Ok(()),
    };
    Err(UserError::Argument(message).into())
}

pub(super) fn clock(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.client(&arguments.target)?;
    let get = || client.send(&Request::new("GET", "/v1/clock", &[]).to("show the clock"))?.json();
    match &arguments.action {
        Action::Show(list) => context.write_item(&client, &CLOCK, &get()?, list),
        Action::Advance { to, act, list } => {
            let request = Request::new("POST", "/v1/clock:advance", &[])
                .to(format!("move the clock to {to}"))
                .body(json!({ "to": to.to_string() }))
                .reason(act.reason.as_deref());
            if act.answered(&client, &request)?.is_some() {
                return context.write_item(&client, &CLOCK, &get()?, list);
            }
            let before = get()?;
            let now = before["now"].as_str().unwrap_or_default().to_owned();
            check(&before, *to)?;
            if list.format == ListFormat::Table {
                output::line(format_args!(
                    "the clock goes from {now} to {to}, and what is due before that is done"
                ))?;
            }
            if act.dry_run {
                if list.format != ListFormat::Table {
                    context.write_item(&client, &CLOCK, &before, list)?;
                }
                let is_there = now == to.to_string();
                return if is_there { Ok(()) } else { Err(WouldChange::with(list.format).into()) };
            }
            confirm("Move it?", act.yes)?;
            client.send(&request.once(&act.key()?))?;
            context.write_item(&client, &CLOCK, &get()?, list)
        }
    }
}
