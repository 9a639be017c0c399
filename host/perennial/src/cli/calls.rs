//! `perennial calls`: renewals and commands on clouds, where each is, and what a person says of one that is in doubt.

use clap::Subcommand;
use perennial_engine::connected::run::Decision;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::choice::Choice;
use crate::cli::confirm::EndArguments;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list;
use crate::cli::list::ListArguments;
use crate::cli::named;
use crate::cli::target::TargetArguments;
use crate::client::Request;
use crate::report::listing::ListFormat;

/// What a person can say of a call.
const DECISION: Choice<Decision> = Choice {
    what: "decision",
    all: &[Decision::Applied, Decision::NotApplied, Decision::GiveUp, Decision::GivenBack],
    name: decision_name,
};

const fn decision_name(decision: Decision) -> &'static str {
    match decision {
        Decision::Applied => "applied",
        Decision::NotApplied => "not_applied",
        Decision::GiveUp => "give_up",
        Decision::GivenBack => "given_back",
    }
}

/// Lists renewals and commands on clouds, shows where each is, and takes down what a person found out about one that is in doubt.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial calls list --state in_doubt
  perennial calls show 7
  perennial calls resolve 7 not_applied --reason 'no order in the console'

A call in doubt is only ever read, never sent again. Say `applied` or `not_applied` only after you looked at the provider's
console: what was not applied is tried again. `give_up` is for what was not sent yet. `given_back` is for a settled renewal that
somebody gave back in the provider's console: the next sync believes its earlier expiry, and the period is paid for again.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists calls, in the order in which they were first reserved.
    List {
        /// Only of this account.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Only those that change this resource.
        #[arg(long, value_name = "ID")]
        resource: Option<String>,
        /// Only in this state, such as `in_doubt`.
        #[arg(long)]
        state: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 1000, value_parser = input::whole::<u32>(1..))]
        limit: u32,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Shows the states that a call has been in, and what its provider said.
    Show {
        /// The number of the call.
        id: String,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Takes down what a person found out about a call: applied, not applied, given back; or gives up one that was not sent.
    Resolve {
        /// The number of the call.
        id: String,
        /// `applied`, `not_applied`, `give_up` or `given_back`.
        #[arg(value_parser = DECISION)]
        decision: Decision,
        #[command(flatten)]
        end: EndArguments,
        /// Why, for the audit log.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
}

const CALLS: [Field; 10] = [
    Field::text("id", "call"),
    Field::text("account", "account"),
    Field::text("resource", "resource"),
    Field::text("change", "call for"),
    Field::text("state", "state"),
    Field::text("class", "class"),
    Field::instant("since", "since"),
    Field::text("cost", "cost"),
    Field::text("code", "said").at("/said/code"),
    Field::instant("act_at", "next"),
];

const STEPS: [Field; 5] = [
    Field::instant("at", "at"),
    Field::text("state", "state"),
    Field::text("class", "class"),
    Field::text("code", "said").at("/said/code"),
    Field::sentence("message", "in words").at("/said/message"),
];

pub(super) fn calls(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.client(&arguments.target)?;
    match &arguments.action {
        Action::List { account, resource, state, limit, list: listed } => {
            let request = Request::new("GET", "/v1/calls", &[])
                .to("list calls")
                .query("account", account.as_ref())
                .query("resource", resource.as_ref())
                .query("state", state.as_ref());
            named::check_account(&client, account.as_deref())?;
            named::check_resource(&client, resource.as_deref())?;
            let found = items::pages(&client, &request, *limit)?;
            let has_conditions = account.is_some() || resource.is_some() || state.is_some();
            let nothing = list::nothing(has_conditions, "nothing was sent to a provider yet");
            context.write_items(&client, &CALLS, &found, listed, nothing)
        }
        Action::Show { id, list } => {
            let request = Request::new("GET", "/v1/calls/{id}", &[id]).to(format!("show the call {id}"));
            let history = client.send(&request)?.json()?;
            if list.format == ListFormat::Json {
                return context.write_item(&client, &CALLS, &history, list);
            }
            if list.format == ListFormat::Table {
                context.write_item(&client, &CALLS, &history["call"], list)?;
            }
            context.write_items(&client, &STEPS, &steps(&history), list, "nothing has become of it yet")
        }
        Action::Resolve { id, decision, end, reason, list } => {
            let name = decision_name(*decision);
            let what = format!("resolve the call {id}");
            let look = Request::new("GET", "/v1/calls/{id}", &[id]).to(&what);
            let call = client.send(&look)?.json()?;
            let state = call["call"]["state"].as_str().unwrap_or_default();
            let line = format!("call {id}, now {state}: would be `{name}`, for good");
            if !end.agree(&[line], "Say so?")? {
                return Ok(());
            }
            let request = Request::new("POST", "/v1/calls/{id}:resolve", &[id])
                .to(what)
                .body(json!({ "decision": name }))
                .reason(reason.as_deref());
            let history = client.send(&request)?.json()?;
            context.write_item(&client, &CALLS, &history["call"], list)
        }
    }
}

/// The steps of a call, each with the account, in whose time zone its instants are shown.
fn steps(history: &Value) -> Vec<Value> {
    let mut steps = history["steps"].as_array().cloned().unwrap_or_default();
    for step in &mut steps {
        step["account"] = history["call"]["account"].clone();
    }
    steps
}
