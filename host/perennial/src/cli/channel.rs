//! `perennial channel`: where people are told of events, and what became of each message.

use std::path::PathBuf;

use clap::Subcommand;
use perennial_domain::channel::ChannelKind;
use perennial_domain::event::EventKind;
use perennial_domain::severity::Severity;
use perennial_formats::language::Language;
use perennial_store::channel_deliveries::DeliveryState;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::choice::Choice;
use crate::cli::choice::LANGUAGE;
use crate::cli::confirm::EndArguments;
use crate::cli::confirm::differences;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::named;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::client::Request;

/// The kinds of channels.
const KIND: Choice<ChannelKind> =
    Choice { what: "kind of channel", all: &ChannelKind::ALL, name: ChannelKind::name };
/// The types of events.
const TYPE: Choice<&'static str> = Choice { what: "event type", all: EventKind::TYPES, name: |name| name };
/// How bad events are.
const SEVERITY: Choice<Severity> = Choice { what: "severity", all: &Severity::ALL, name: Severity::name };
/// The states of a message.
const STATE: Choice<DeliveryState> =
    Choice { what: "state", all: &DeliveryState::ALL, name: DeliveryState::name };

/// Lists, makes, changes, tries and deletes channels: e-mail and the robots of groups, through which people are told of
/// events.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial channel create email --to ops@example.com --severity critical
  perennial channel create email --to boss@example.com --digest-at 08:00 --readers-zone Asia/Shanghai --language zh-CN
  perennial channel create dingtalk --url-file robot.url --secret-file robot.secret --quiet-hours 22:00-07:00
  perennial channel list
  perennial channel set ch_0123456789ab --type renewal_declined --type stage_changed
  perennial channel test ch_0123456789ab
  perennial channel deliveries ch_0123456789ab --state in_doubt
  perennial channel resend ch_0123456789ab msg_0123456789abcdef
  perennial channel delete ch_0123456789ab

The URL of a robot has its key in it, so it is read from a file, or from the standard input as `-`.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists channels, oldest first.
    List(ListArguments),
    /// Shows a channel.
    Show(ChannelArguments),
    /// Makes a channel.
    Create(Create),
    /// Changes a channel.
    Set(Set),
    /// Deletes a channel.
    Delete {
        #[command(flatten)]
        named: ChannelArguments,
        #[command(flatten)]
        end: EndArguments,
    },
    /// Lists the messages of a channel and what became of them, newest first.
    Deliveries {
        #[command(flatten)]
        named: ChannelArguments,
        /// Only in this state.
        #[arg(long, value_parser = STATE)]
        state: Option<DeliveryState>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = input::whole::<u32>(1..))]
        limit: u32,
    },
    /// Sends a test to every reader.
    Test(ChannelArguments),
    /// Sends a message again that failed or is in doubt.
    Resend {
        #[command(flatten)]
        named: ChannelArguments,
        /// The ID of the message.
        delivery: String,
        #[command(flatten)]
        end: EndArguments,
    },
}

#[derive(Debug, clap::Args)]
struct ChannelArguments {
    /// The ID of the channel.
    id: String,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

/// What readers choose, of a new channel and of one that is changed.
#[derive(Debug, clap::Args)]
struct Choices {
    /// What the channel is for, in words for people.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// An address of e-mail; may be given again.
    #[arg(long = "to", value_name = "ADDRESS")]
    to: Vec<String>,
    /// The file with the URL of the robot.
    #[arg(long, value_name = "FILE")]
    url_file: Option<PathBuf>,
    /// The file with the secret that signs messages.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The language of messages.
    #[arg(long, value_parser = LANGUAGE)]
    language: Option<Language>,
    /// The time zone of the readers, such as `Asia/Shanghai`.
    #[arg(long = "readers-zone", value_name = "ZONE")]
    readers_zone: Option<String>,
    /// A type of event that is sent; may be given again. Without, all are.
    #[arg(long = "type", value_name = "TYPE", value_parser = TYPE, hide_possible_values = true)]
    types: Vec<&'static str>,
    /// The least severity that is sent.
    #[arg(long, value_parser = SEVERITY)]
    severity: Option<Severity>,
    /// One digest a day at this time, such as `08:00`; `off` sends at once.
    #[arg(long, value_name = "TIME")]
    digest_at: Option<String>,
    /// The hours in which nothing is sent, such as `22:00-07:00`; `off` for none.
    #[arg(long, value_name = "FROM-UNTIL")]
    quiet_hours: Option<String>,
    /// Whether what is critical waits for neither.
    #[arg(long, value_name = "BOOL")]
    critical_at_once: Option<bool>,
}

#[derive(Debug, clap::Args)]
struct Create {
    /// The kind of channel.
    #[arg(value_parser = KIND)]
    kind: ChannelKind,
    #[command(flatten)]
    choices: Choices,
    /// An account whose events are sent; may be given again. Without, those of all that the token sees.
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Debug, clap::Args)]
struct Set {
    #[command(flatten)]
    named: ChannelArguments,
    #[command(flatten)]
    choices: Choices,
    /// Send events of every type.
    #[arg(long, conflicts_with = "types")]
    all_types: bool,
    /// Send messages again, also of the events since it was disabled.
    #[arg(long)]
    enable: bool,
    /// Disable the channel: nothing is sent until it is enabled.
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    #[command(flatten)]
    end: EndArguments,
}

const CHANNEL: [Field; 16] = [
    Field::text("id", "channel"),
    Field::text("kind", "kind"),
    Field::text("address", "to"),
    Field::flag("enabled", "enabled"),
    Field::text("severity", "from"),
    Field::texts("types", "types").or("all"),
    Field::texts("accounts", "accounts").or("all"),
    Field::text("language", "language"),
    Field::text("time_zone", "zone"),
    Field::text("digest_at", "digest").or("at once"),
    Field::json("quiet_hours", ""),
    Field::flag("critical_at_once", ""),
    Field::instant("failing_since", "failing since"),
    Field::instant("created_at", ""),
    Field::text("created_by", ""),
    Field::sentence("description", "for"),
];

const DELIVERIES: [Field; 12] = [
    Field::text("id", "delivery"),
    Field::text("reader", "reader").or("the group"),
    Field::number("events", "events"),
    Field::text("state", "state"),
    Field::number("attempts", "tries"),
    Field::number("status", "status"),
    Field::instant("created_at", ""),
    Field::instant("tried_at", "tried"),
    Field::instant("next_try_at", "next"),
    Field::sentence("title", "title"),
    Field::sentence("text", ""),
    Field::sentence("error", "error"),
];

pub(super) fn channel(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.client(&arguments.target)?;
    match &arguments.action {
        Action::List(list) => {
            let request = Request::new("GET", "/v1/channels", &[]).to("list channels");
            let found = items::whole(&client, &request)?;
            context.write_items(&client, &CHANNEL, &found, list, "there are no channels yet")
        }
        Action::Show(named) => {
            named.show(context, &client, Request::new("GET", "/v1/channels/{id}", &[&named.id]), "show")
        }
        Action::Create(create) => make(context, &client, create),
        Action::Set(set) => change(context, &client, set),
        Action::Delete { named, end } => {
            if !named.agree(&client, ("delete", "would be deleted"), *end, "Delete it?")? {
                return Ok(());
            }
            named.show(context, &client, Request::new("DELETE", "/v1/channels/{id}", &[&named.id]), "delete")
        }
        Action::Deliveries { named, state, limit } => {
            let request = Request::new("GET", "/v1/channels/{id}/deliveries", &[&named.id])
                .query("state", state.map(DeliveryState::name));
            let found = items::pages(&client, &named.of(request, "list the messages of"), *limit)?;
            context.write_items(&client, &DELIVERIES, &found, &named.list, "nothing was sent yet")
        }
        Action::Test(named) => {
            let request = named.of(Request::new("POST", "/v1/channels/{id}:test", &[&named.id]), "try");
            let sent = client.send(&request)?.json()?;
            let items = sent["items"].as_array().cloned().unwrap_or_default();
            context.write_items(&client, &DELIVERIES, &items, &named.list, "it has no reader")
        }
        Action::Resend { named, delivery, end } => {
            let look = Request::new("GET", "/v1/channels/{id}/deliveries", &[&named.id]);
            let sent = items::pages(&client, &named.of(look, "send a message again to"), u32::MAX)?;
            let what = format!("send a message again to `{}`", named.id);
            named::in_list(sent, ("id", "delivery"), delivery, &what)?;
            let line = format!("would be sent message {delivery} again");
            if !named.agree(&client, ("send a message again to", &line), *end, "Send it again?")? {
                return Ok(());
            }
            let request = Request::new("POST", "/v1/channels/{id}:resend", &[&named.id])
                .body(json!({ "delivery": delivery }));
            let sent = client.send(&named.of(request, "send a message again to"))?.json()?;
            context.write_item(&client, &DELIVERIES, &sent, &named.list)
        }
    }
}

impl ChannelArguments {
    fn of(&self, request: Request, what: &str) -> Request {
        request.to(format!("{what} `{}`", self.id)).reason(self.reason.as_deref())
    }

    /// Says what would become of the channel, and asks; returns whether it is to be done.
    fn agree(
        &self,
        client: &Client,
        (what, would): (&str, &str),
        end: EndArguments,
        question: &str,
    ) -> anyhow::Result<bool> {
        let look = self.of(Request::new("GET", "/v1/channels/{id}", &[&self.id]), what);
        let found = client.send(&look)?.json()?;
        let to = found["address"].as_str().unwrap_or_default();
        end.agree(&[format!("channel {}, {to}: {would}", self.id)], question)
    }

    fn show(&self, context: &Context, client: &Client, request: Request, what: &str) -> anyhow::Result<()> {
        let channel = client.send(&self.of(request, what))?.json()?;
        context.write_item(client, &CHANNEL, &channel, &self.list)
    }
}

impl Choices {
    /// The fields that were given, with what the files hold.
    fn body(&self) -> Result<Map<String, Value>, UserError> {
        let file = |path: &Option<PathBuf>| {
            path.as_ref().map(|path| Ok(input::read(path)?.trim().to_owned())).transpose()
        };
        let unless_off = |text: &String| if text == "off" { Value::Null } else { json!(text) };
        let quiet_hours = self.quiet_hours.as_ref().map(|text| match text.split_once('-') {
            Some((from, until)) => json!({ "from": from, "until": until }),
            None => unless_off(text),
        });
        let fields = [
            ("description", self.description.as_ref().map(|text| json!(text))),
            ("to", (!self.to.is_empty()).then(|| json!(self.to))),
            ("url", file(&self.url_file)?.map(Value::from)),
            ("secret", file(&self.secret_file)?.map(Value::from)),
            ("language", self.language.map(|language| json!(language.tag()))),
            ("time_zone", self.readers_zone.as_ref().map(|zone| json!(zone))),
            ("types", (!self.types.is_empty()).then(|| json!(self.types))),
            ("severity", self.severity.map(|severity| json!(severity.name()))),
            ("digest_at", self.digest_at.as_ref().map(unless_off)),
            ("quiet_hours", quiet_hours),
            ("critical_at_once", self.critical_at_once.map(Value::from)),
        ];
        Ok(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }
}

fn make(context: &Context, client: &Client, create: &Create) -> anyhow::Result<()> {
    let mut body = create.choices.body()?;
    body.insert("kind".to_owned(), json!(create.kind.name()));
    if !create.accounts.is_empty() {
        body.insert("accounts".to_owned(), json!(create.accounts));
    }
    let request = Request::new("POST", "/v1/channels", &[])
        .to(format!("make a channel of kind `{}`", create.kind.name()))
        .body(body.into())
        .reason(create.reason.as_deref());
    context.write_item(client, &CHANNEL, &client.send(&request)?.json()?, &create.list)
}

fn change(context: &Context, client: &Client, set: &Set) -> anyhow::Result<()> {
    let mut body = set.choices.body()?;
    if set.all_types {
        body.insert("types".to_owned(), Value::Null);
    }
    if set.enable || set.disable {
        body.insert("enabled".to_owned(), json!(set.enable));
    }
    if body.is_empty() {
        let message = "name something to change, such as `--severity` or `--disable`";
        return Err(UserError::Argument(message.to_owned()).into());
    }
    let look = set.named.of(Request::new("GET", "/v1/channels/{id}", &[&set.named.id]), "change");
    let mut lines = differences(&client.send(&look)?.json()?, &body);
    // What is secret is not shown, neither the present one nor the new one.
    let secrets = ["url", "secret"].into_iter().filter(|name| body.contains_key(*name));
    lines.retain(|line| !line.starts_with("url: ") && !line.starts_with("secret: "));
    lines.extend(secrets.map(|name| format!("{name}: would be another one")));
    if !set.end.agree(&lines, "Change this?")? {
        return Ok(());
    }
    let request = Request::new("PATCH", "/v1/channels/{id}", &[&set.named.id]).body(body.into());
    set.named.show(context, client, request, "change")
}
