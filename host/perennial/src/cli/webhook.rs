//! `perennial webhook`: where events are sent to, and what became of them.

use clap::Subcommand;
use perennial_domain::event::EventKind;
use perennial_domain::timestamp::Timestamp;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::choice::Choice;
use crate::cli::confirm::EndArguments;
use crate::cli::confirm::differences;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::secret;
use crate::cli::secret::Unshown;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::client::Request;

/// The types of events.
const TYPE: Choice<&'static str> = Choice { what: "event type", all: EventKind::TYPES, name: |name| name };
/// The states of a delivery.
const STATE: Choice<&'static str> =
    Choice { what: "state", all: &["pending", "delivered", "failed"], name: |name| name };

/// Lists, makes, changes, tries and deletes webhooks: addresses that events are sent to.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial webhook create https://example.com/hook --type renewal_declined > secret
  perennial webhook list
  perennial webhook set wh_0123456789ab --disable
  perennial webhook deliveries wh_0123456789ab --state failed
  perennial webhook test wh_0123456789ab
  perennial webhook replay wh_0123456789ab --since 2026-02-01
  perennial webhook rotate-secret wh_0123456789ab --yes > secret
  perennial webhook delete wh_0123456789ab

The secret that its messages are signed with is shown once, on the standard output.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists webhooks, oldest first.
    List(ListArguments),
    /// Shows a webhook.
    Show(WebhookArguments),
    /// Makes a webhook, and shows its secret.
    Create(Create),
    /// Changes a webhook.
    Set(Set),
    /// Gives a webhook another secret; the old one counts for a day more.
    RotateSecret {
        #[command(flatten)]
        named: WebhookArguments,
        #[command(flatten)]
        end: EndArguments,
    },
    /// Deletes a webhook.
    Delete {
        #[command(flatten)]
        named: WebhookArguments,
        #[command(flatten)]
        end: EndArguments,
    },
    /// Lists what became of the events that were sent, newest first.
    Deliveries {
        #[command(flatten)]
        named: WebhookArguments,
        /// Only in this state.
        #[arg(long, value_parser = STATE)]
        state: Option<&'static str>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = input::whole::<u32>(1..))]
        limit: u32,
    },
    /// Sends a test event.
    Test(WebhookArguments),
    /// Sends events again.
    Replay(Replay),
}

#[derive(Debug, clap::Args)]
struct WebhookArguments {
    /// The ID of the webhook.
    id: String,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Debug, clap::Args)]
struct Create {
    /// The URL that events are sent to.
    url: String,
    /// What the webhook is for, in words for people.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// An account whose events are sent; may be given again. Without, those of all that the token sees.
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,
    /// A type of event that is sent; may be given again. Without, all are.
    #[arg(long = "type", value_name = "TYPE", value_parser = TYPE, hide_possible_values = true)]
    types: Vec<&'static str>,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Debug, clap::Args)]
struct Set {
    #[command(flatten)]
    named: WebhookArguments,
    /// The URL that events are sent to from now on.
    #[arg(long)]
    url: Option<String>,
    /// What the webhook is for, in words for people.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A type of event that is sent from now on; may be given again.
    #[arg(long = "type", value_name = "TYPE", value_parser = TYPE, hide_possible_values = true)]
    types: Vec<&'static str>,
    /// Send events of every type.
    #[arg(long, conflicts_with = "types")]
    all_types: bool,
    /// Send events again, with those since it was disabled.
    #[arg(long)]
    enable: bool,
    /// Disable the webhook: nothing is sent until it is enabled.
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    #[command(flatten)]
    end: EndArguments,
}

#[derive(Debug, clap::Args)]
#[group(id = "which", required = true, multiple = false, args = ["after", "since", "delivery"])]
struct Replay {
    #[command(flatten)]
    named: WebhookArguments,
    /// Every event after the one with this id; `c0` is before the first.
    #[arg(long, value_name = "EVENT")]
    after: Option<String>,
    /// Every event since this instant, in RFC 3339; a date alone is midnight UTC.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    since: Option<Timestamp>,
    /// One delivery, by its id.
    #[arg(long, value_name = "ID")]
    delivery: Option<String>,
    #[command(flatten)]
    end: EndArguments,
}

const WEBHOOK: [Field; 11] = [
    Field::text("id", "webhook"),
    Field::text("url", "url"),
    Field::flag("enabled", "enabled"),
    Field::texts("types", "types").or("all"),
    Field::texts("accounts", "accounts").or("all"),
    Field::instant("failing_since", "failing since"),
    Field::instant("disabled_at", ""),
    Field::text("disabled_reason", "disabled"),
    Field::instant("created_at", ""),
    Field::text("created_by", ""),
    Field::sentence("description", "for"),
];

const DELIVERIES: [Field; 9] = [
    Field::text("id", "delivery"),
    Field::text("event", "event"),
    Field::text("state", "state"),
    Field::number("attempts", "tries"),
    Field::number("status", "status"),
    Field::instant("created_at", ""),
    Field::instant("tried_at", "tried"),
    Field::instant("next_try_at", "next"),
    Field::sentence("error", "error"),
];

const REPLAY: [Field; 2] = [Field::text("after", "after"), Field::text("delivery", "delivery")];

pub(super) fn webhook(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.client(&arguments.target)?;
    match &arguments.action {
        Action::List(list) => {
            let request = Request::new("GET", "/v1/webhooks", &[]).to("list webhooks");
            let found = items::whole(&client, &request)?;
            context.write_items(&client, &WEBHOOK, &found, list, "there are no webhooks yet")
        }
        Action::Show(named) => {
            named.show(context, &client, Request::new("GET", "/v1/webhooks/{id}", &[&named.id]), "show")
        }
        Action::Create(create) => make(&client, create),
        Action::Set(set) => change(context, &client, set),
        Action::RotateSecret { named, end } => rotate(&client, named, *end),
        Action::Delete { named, end } => {
            if !named.agree(&client, ("delete", "would be deleted"), *end, "Delete it?")? {
                return Ok(());
            }
            named.show(context, &client, Request::new("DELETE", "/v1/webhooks/{id}", &[&named.id]), "delete")
        }
        Action::Deliveries { named, state, limit } => {
            let request =
                Request::new("GET", "/v1/webhooks/{id}/deliveries", &[&named.id]).query("state", *state);
            let found = items::pages(&client, &named.of(request, "list the deliveries of"), *limit)?;
            context.write_items(&client, &DELIVERIES, &found, &named.list, "nothing was sent yet")
        }
        Action::Test(named) => {
            let request = named.of(Request::new("POST", "/v1/webhooks/{id}:test", &[&named.id]), "try");
            context.write_item(&client, &DELIVERIES, &client.send(&request)?.json()?, &named.list)
        }
        Action::Replay(replay) => {
            let Replay { named, after, since, delivery, end } = replay;
            let since = since.map(|since| since.to_string());
            let from = match (after, &since, delivery) {
                (Some(after), ..) => format!("every event after {after}"),
                (None, Some(since), _) => format!("every event since {since}"),
                (None, None, delivery) => format!("delivery {}", delivery.as_deref().unwrap_or_default()),
            };
            let line = format!("would be sent {from} again");
            if !named.agree(&client, ("send events again to", &line), *end, "Send that again?")? {
                return Ok(());
            }
            let body = given([("after", after), ("since", &since), ("delivery", delivery)]);
            let request = Request::new("POST", "/v1/webhooks/{id}:replay", &[&named.id]).body(body.into());
            let replayed = client.send(&named.of(request, "send events again to"))?.json()?;
            context.write_item(&client, &REPLAY, &replayed, &named.list)
        }
    }
}

impl WebhookArguments {
    fn of(&self, request: Request, what: &str) -> Request {
        request.to(format!("{what} `{}`", self.id)).reason(self.reason.as_deref())
    }

    /// Says what would become of the webhook, and asks; returns whether it is to be done.
    fn agree(
        &self,
        client: &Client,
        (what, would): (&str, &str),
        end: EndArguments,
        question: &str,
    ) -> anyhow::Result<bool> {
        let look = self.of(Request::new("GET", "/v1/webhooks/{id}", &[&self.id]), what);
        let found = client.send(&look)?.json()?;
        let to = found["url"].as_str().unwrap_or_default();
        end.agree(&[format!("webhook {}, {to}: {would}", self.id)], question)
    }

    fn show(&self, context: &Context, client: &Client, request: Request, what: &str) -> anyhow::Result<()> {
        let webhook = client.send(&self.of(request, what))?.json()?;
        context.write_item(client, &WEBHOOK, &webhook, &self.list)
    }
}

/// The fields that have a value.
fn given<const N: usize>(fields: [(&str, &Option<String>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?)))).collect()
}

fn make(client: &Client, create: &Create) -> anyhow::Result<()> {
    let Create { url, description, accounts, types, reason, list } = create;
    let mut body = given([("url", &Some(url.clone())), ("description", &Some(description.clone()))]);
    if !accounts.is_empty() {
        body.insert("accounts".to_owned(), json!(accounts));
    }
    if !types.is_empty() {
        body.insert("types".to_owned(), json!(types));
    }
    let request = Request::new("POST", "/v1/webhooks", &[])
        .to(format!("make a webhook for `{url}`"))
        .body(body.into())
        .reason(reason.as_deref());
    secret::show(client, &request, list.format, |made| {
        let id = made["webhook"]["id"].as_str().unwrap_or_default();
        Unshown::End(
            Request::new("DELETE", "/v1/webhooks/{id}", &[id]).to("delete the webhook"),
            String::new(),
        )
    })
}

fn rotate(client: &Client, named: &WebhookArguments, end: EndArguments) -> anyhow::Result<()> {
    let line = "would be signed with another secret as well and, in a day, with that alone";
    if !named.agree(client, ("rotate the secret of", line), end, "Give it another secret?")? {
        return Ok(());
    }
    let request = Request::new("POST", "/v1/webhooks/{id}:rotate-secret", &[&named.id]);
    secret::show(client, &named.of(request, "rotate the secret of"), named.list.format, |_| {
        Unshown::Stays(format!(
            "messages are signed with it and, for a day more, with the one before, which is the only one that the receiver knows. \
             Another `perennial webhook rotate-secret {}` takes the place of the one before at once: run it within the day, where \
             its output can be kept, and give the receiver that secret at once",
            named.id
        ))
    })
}

fn change(context: &Context, client: &Client, set: &Set) -> anyhow::Result<()> {
    let Set { named, url, description, types, all_types, enable, disable, end } = set;
    let mut body = given([("url", url), ("description", description)]);
    if *all_types || !types.is_empty() {
        body.insert("types".to_owned(), if *all_types { Value::Null } else { json!(types) });
    }
    if *enable || *disable {
        body.insert("enabled".to_owned(), json!(*enable));
    }
    if body.is_empty() {
        let message = "name something to change, such as `--url` or `--disable`";
        return Err(UserError::Argument(message.to_owned()).into());
    }
    let look = named.of(Request::new("GET", "/v1/webhooks/{id}", &[&named.id]), "change");
    let lines = differences(&client.send(&look)?.json()?, &body);
    if !end.agree(&lines, "Change this?")? {
        return Ok(());
    }
    let request = Request::new("PATCH", "/v1/webhooks/{id}", &[&named.id]).body(body.into());
    named.show(context, client, request, "change")
}
