//! `perennial warning`: warnings about resources that somebody has seen to, or has put aside until an instant.

use clap::Subcommand;
use perennial_domain::timestamp::Timestamp;
use serde_json::json;

use crate::cli::Context;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::output;
use crate::cli::target::TargetArguments;
use crate::client::Request;
use crate::report::listing::ListFormat;
use crate::report::text::printable;

/// Acknowledges warnings about resources, for good or until an instant, and lists what was acknowledged.
///
/// What is at risk on the console's first page leaves acknowledged resources out until they are at another stage or have
/// another expiry.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial warning acknowledge ecs-1 --reason 'is to lapse'
  perennial warning acknowledge ecs-1 --until 2026-03-01
  perennial warning list
  perennial warning recall ecs-1")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists the acknowledgements that count.
    List(ListArguments),
    /// Acknowledges the warnings about a resource.
    Acknowledge {
        #[command(flatten)]
        named: ResourceArguments,
        /// The instant from which they are shown again, in RFC 3339; a date alone is midnight UTC.
        #[arg(long, value_name = "T", value_parser = input::instant)]
        until: Option<Timestamp>,
    },
    /// Takes an acknowledgement back.
    Recall(ResourceArguments),
}

#[derive(Debug, clap::Args)]
struct ResourceArguments {
    /// The ID of the resource.
    id: String,
    /// Why, for the audit log and the list.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

const ACKNOWLEDGEMENT: [Field; 6] = [
    Field::text("resource", "resource"),
    Field::text("account", "account"),
    Field::instant("until", "until"),
    Field::text("acknowledged_by", ""),
    Field::instant("acknowledged_at", "acknowledged"),
    Field::sentence("reason", "because"),
];

pub(super) fn warning(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.client(&arguments.target)?;
    let (request, named) = match &arguments.action {
        Action::List(list) => {
            let request = Request::new("GET", "/v1/acknowledgements", &[]).to("list acknowledgements");
            let found = items::whole(&client, &request)?;
            return context.write_items(&client, &ACKNOWLEDGEMENT, &found, list, "nothing was acknowledged");
        }
        Action::Acknowledge { named, until } => {
            let until = until.map(|until| until.to_string());
            let body = json!({ "resource": named.id, "until": until });
            let request = Request::new("POST", "/v1/acknowledgements", &[]).body(body);
            (request.to(format!("acknowledge the warnings about `{}`", named.id)), named)
        }
        Action::Recall(named) => {
            let request = Request::new("DELETE", "/v1/acknowledgements/{id}", &[&named.id]);
            (request.to(format!("take back the acknowledgement of `{}`", named.id)), named)
        }
    };
    let answer = client.send(&request.reason(named.reason.as_deref()))?.json()?;
    if matches!(arguments.action, Action::Recall(_)) && named.list.format == ListFormat::Table {
        return output::done(format_args!("the warnings about `{}` are shown again", printable(&named.id)));
    }
    context.write_item(&client, &ACKNOWLEDGEMENT, &answer, &named.list)
}
