//! The bodies of channels: what a new one is made of, and what of one can be changed.

use std::collections::BTreeSet;

use perennial_domain::channel::ChannelKind;
use perennial_domain::severity::Severity;
use perennial_formats::body::Fields;
use perennial_formats::body::JsonCursor;
use perennial_formats::language::Language;
use perennial_formats::time_zone::TimeZone;
use perennial_service::channels::email;
use perennial_store::channels::QuietHours;
use utoipa::ToSchema;

use crate::admin::webhook_bodies;
use crate::admin::webhook_bodies::DESCRIPTION_MAX;
use crate::admin::webhook_bodies::short;
use crate::input;
use crate::input::Body;

/// The longest secret of a robot, in characters.
const SECRET_MAX: usize = 200;
/// The most addresses of one channel.
const READERS_MAX: usize = 50;
/// The minutes of a day.
const MINUTES: u16 = 24 * 60;

/// The hours of each day, in the zone of the readers, in which nothing is sent. They may go over midnight.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what quiet hours are read as")]
pub(super) struct QuietHoursDocument {
    /// The time of day from which nothing is sent, such as `22:00`.
    from: String,
    /// The time of day from which messages are sent again, such as `07:00`.
    until: String,
}

/// A new channel.
#[derive(ToSchema)]
#[schema(as = NewChannel)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what a new channel is read as")]
pub(super) struct NewChannelDocument {
    /// `email`, or the robot of a group: `dingtalk`, `wecom`, `feishu` or `slack`.
    kind: String,
    /// The purpose, for people.
    #[schema(max_length = 500, required = false)]
    description: String,
    /// The addresses of e-mail, each of which gets a message of its own; for `email` only.
    #[schema(min_items = 1, max_items = 50)]
    to: Option<Vec<String>>,
    /// The URL of the robot, with its key: `https` and a public address, unless the host allows private ones. It is not
    /// shown again.
    #[schema(format = "uri", max_length = 2048)]
    url: Option<String>,
    /// The secret with which messages are signed, for `dingtalk` and `feishu` where the robot asks for that. It is not
    /// shown again.
    #[schema(max_length = 200)]
    secret: Option<String>,
    /// The accounts whose events are sent; left out, all accounts that the token can access. For a token that is bound
    /// to accounts these are its present ones.
    #[schema(min_items = 1)]
    accounts: Option<Vec<String>>,
    /// The language of messages: `en`, or `zh-CN`; `en` if left out.
    language: Option<String>,
    /// The time zone of the readers, such as `Asia/Shanghai` or `+08:00`; UTC if left out.
    time_zone: Option<String>,
    /// The types of event that are sent, such as `renewal_declined`; left out or null, all of them.
    #[schema(min_items = 1)]
    types: Option<Vec<String>>,
    /// The least severity that is sent: `info`, `warning` or `critical`; `warning` if left out.
    severity: Option<String>,
    /// The time of day at which one digest is sent, such as `08:00`; left out or null, events are sent at once.
    digest_at: Option<String>,
    /// The hours in which nothing is sent; left out or null, there are none.
    quiet_hours: Option<QuietHoursDocument>,
    /// Whether what is critical waits for neither the digest nor the end of the quiet hours; true if left out.
    critical_at_once: Option<bool>,
}

/// A new channel as it was read.
pub(super) struct NewChannel {
    pub(super) kind: ChannelKind,
    pub(super) description: String,
    pub(super) to: Option<Vec<String>>,
    pub(super) url: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) accounts: Option<BTreeSet<String>>,
    pub(super) choices: ChannelChoices,
}

/// What a reader chooses; what is left out is as it was, or as [`NewChannelDocument`] says. The outer option of those that
/// may be null is whether they were given.
pub(super) struct ChannelChoices {
    pub(super) language: Option<Language>,
    pub(super) time_zone: Option<TimeZone>,
    pub(super) types: Option<Option<BTreeSet<String>>>,
    pub(super) severity: Option<Severity>,
    pub(super) digest_at: Option<Option<u16>>,
    pub(super) quiet_hours: Option<Option<QuietHours>>,
    pub(super) critical_at_once: Option<bool>,
}

impl Body for NewChannel {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<NewChannel> {
        let fields = cursor.object(&[
            "kind",
            "description",
            "to",
            "url",
            "secret",
            "accounts",
            "language",
            "time_zone",
            "types",
            "severity",
            "digest_at",
            "quiet_hours",
            "critical_at_once",
        ])?;
        let kind = fields.required("kind", |cursor| cursor.one_of(&ChannelKind::ALL, ChannelKind::name));
        let description = fields.optional("description", |cursor| short(cursor, DESCRIPTION_MAX));
        let description = description.or(String::new());
        let to = fields.optional("to", readers).option();
        let url = fields.optional("url", webhook_bodies::url).option();
        let secret = fields.optional("secret", |cursor| short(cursor, SECRET_MAX)).option();
        let accounts = fields.optional("accounts", input::accounts).option();
        let choices = choices(&fields);
        let (kind, to, url, secret) = (kind?, to?, url?, secret?);
        for (name, problem) in mismatches(kind, to.is_some(), url.is_some(), secret.is_some()) {
            fields.report(name, problem);
        }
        Some(NewChannel {
            kind,
            description: description?,
            to,
            url,
            secret,
            accounts: accounts?,
            choices: choices?,
        })
    }
}

/// What of these a kind of channel lacks or does not have, by field.
pub(super) fn mismatches(
    kind: ChannelKind,
    has_readers: bool,
    has_url: bool,
    has_secret: bool,
) -> Vec<(&'static str, String)> {
    let name = kind.name();
    let mut problems = Vec::new();
    match kind {
        ChannelKind::Email => {
            if !has_readers {
                problems.push(("to", "name the addresses of e-mail that messages go to".to_owned()));
            }
            if has_url {
                problems.push(("url", "e-mail has no URL; leave it out".to_owned()));
            }
        }
        ChannelKind::DingTalk | ChannelKind::WeCom | ChannelKind::Feishu | ChannelKind::Slack => {
            if has_readers {
                problems.push(("to", format!("the readers of `{name}` are its group; leave it out")));
            }
            if !has_url {
                problems.push(("url", format!("name the URL that `{name}` shows for the robot")));
            }
        }
    }
    if has_secret && !kind.takes_secret() {
        problems.push(("secret", format!("messages of `{name}` are not signed; leave it out")));
    }
    problems
}

/// Reads what a reader chooses.
fn choices(fields: &Fields<'_, '_>) -> Option<ChannelChoices> {
    let is_there = |name: &str| fields.get(name).is_some();
    let language =
        fields.optional("language", |cursor| cursor.one_of(&Language::ALL, Language::tag)).option();
    let time_zone = fields.optional("time_zone", time_zone).option();
    let types = fields.optional("types", webhook_bodies::types).option();
    let severity =
        fields.optional("severity", |cursor| cursor.one_of(&Severity::ALL, Severity::name)).option();
    let digest_at = fields.optional("digest_at", minute).option();
    let quiet_hours = fields.optional("quiet_hours", quiet_hours).option();
    let critical_at_once = fields.optional("critical_at_once", |cursor| cursor.flag()).option();
    Some(ChannelChoices {
        language: language?,
        time_zone: time_zone?,
        types: given(is_there("types"), types?),
        severity: severity?,
        digest_at: given(is_there("digest_at"), digest_at?),
        quiet_hours: given(is_there("quiet_hours"), quiet_hours?),
        critical_at_once: critical_at_once?,
    })
}

/// A value that may be null, as it was given; `None` when it was left out.
fn given<T>(is_there: bool, value: Option<T>) -> Option<Option<T>> {
    is_there.then_some(value)
}

fn readers(cursor: JsonCursor<'_, '_>) -> Option<Vec<String>> {
    let address = |_, cursor: JsonCursor<'_, '_>| {
        let text = cursor.name()?;
        if email::is_address(text) {
            return Some(text.to_owned());
        }
        cursor.report_type("an address of e-mail such as \"ops@example.com\"")
    };
    let addresses = cursor.list_of_some("name at least one address", address)?;
    if addresses.len() > READERS_MAX {
        cursor.report(format!("it has {} addresses; at most {READERS_MAX} are taken", addresses.len()));
        return None;
    }
    let unique = addresses.iter().cloned().collect::<BTreeSet<_>>();
    Some(unique.into_iter().collect())
}

fn time_zone(cursor: JsonCursor<'_, '_>) -> Option<TimeZone> {
    match cursor.name()?.parse::<TimeZone>() {
        Ok(zone) => Some(zone),
        Err(error) => {
            cursor.report(error.to_string());
            None
        }
    }
}

/// A time of day, in minutes after midnight.
fn minute(cursor: JsonCursor<'_, '_>) -> Option<u16> {
    let digits = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
    let time = cursor.text()?.split_once(':');
    let minute = time.and_then(|(hours, minutes)| Some((digits(hours)?, digits(minutes)?)));
    let minute = minute.filter(|(_, minutes)| *minutes < 60).map(|(hours, minutes)| hours * 60 + minutes);
    minute
        .filter(|minute| *minute < MINUTES)
        .or_else(|| cursor.report_type("a time of day such as \"08:00\""))
}

fn quiet_hours(cursor: JsonCursor<'_, '_>) -> Option<QuietHours> {
    let fields = cursor.object(&["from", "until"])?;
    let (from, until) = (fields.required("from", minute), fields.required("until", minute));
    let hours = QuietHours { from: from?, until: until? };
    if hours.from == hours.until {
        cursor.report("they begin and end at one time; leave them out to have none");
        return None;
    }
    Some(hours)
}

/// A change of a channel. Fields that are left out stay.
#[derive(ToSchema)]
#[schema(as = ChannelChange)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what a change of a channel is read as")]
pub(super) struct ChannelChangeDocument {
    /// The purpose, for people.
    #[schema(max_length = 500)]
    description: Option<String>,
    /// The addresses of e-mail that messages go to from now on, for `email` only.
    #[schema(min_items = 1, max_items = 50)]
    to: Option<Vec<String>>,
    /// Another URL of the robot. Its secret stays unless another one is given.
    #[schema(format = "uri", max_length = 2048)]
    url: Option<String>,
    /// Another secret, or null for none.
    #[schema(max_length = 200)]
    secret: Option<String>,
    /// False stops messages; true resumes them, and tells of the events since then.
    enabled: Option<bool>,
    /// The language of messages: `en`, or `zh-CN`.
    language: Option<String>,
    /// The time zone of the readers, such as `Asia/Shanghai` or `+08:00`.
    time_zone: Option<String>,
    /// The types of event that are sent, such as `renewal_declined`; null is all of them.
    #[schema(min_items = 1)]
    types: Option<Vec<String>>,
    /// The least severity that is sent: `info`, `warning` or `critical`.
    severity: Option<String>,
    /// The time of day at which one digest is sent, such as `08:00`; null sends at once.
    digest_at: Option<String>,
    /// The hours in which nothing is sent; null is none.
    quiet_hours: Option<QuietHoursDocument>,
    /// Whether what is critical waits for neither the digest nor the end of the quiet hours.
    critical_at_once: Option<bool>,
}

/// A change of a channel as it was read. The outer option of the secret is whether it was given.
pub(super) struct ChannelChange {
    pub(super) description: Option<String>,
    pub(super) to: Option<Vec<String>>,
    pub(super) url: Option<String>,
    pub(super) secret: Option<Option<String>>,
    pub(super) enabled: Option<bool>,
    pub(super) choices: ChannelChoices,
}

impl Body for ChannelChange {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<ChannelChange> {
        let fields = cursor.object(&[
            "description",
            "to",
            "url",
            "secret",
            "enabled",
            "language",
            "time_zone",
            "types",
            "severity",
            "digest_at",
            "quiet_hours",
            "critical_at_once",
        ])?;
        let description = fields.optional("description", |cursor| short(cursor, DESCRIPTION_MAX)).option();
        let to = fields.optional("to", readers).option();
        let url = fields.optional("url", webhook_bodies::url).option();
        let has_secret = fields.get("secret").is_some();
        let secret = fields.optional("secret", |cursor| short(cursor, SECRET_MAX)).option();
        let enabled = fields.optional("enabled", |cursor| cursor.flag()).option();
        let choices = choices(&fields);
        Some(ChannelChange {
            description: description?,
            to: to?,
            url: url?,
            secret: given(has_secret, secret?),
            enabled: enabled?,
            choices: choices?,
        })
    }
}
