//! `perennial plugin bindings|bind|unbind|promote|roll-back|history`: which revision decides for which accounts.

use std::io::Write;

use perennial_domain::revision::ALL_ACCOUNTS;
use perennial_domain::revision::BindingMode;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::act::ActArguments;
use crate::cli::choice::Choice;
use crate::cli::confirm::WouldChange;
use crate::cli::confirm::confirm;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::plugin::evidence;
use crate::cli::plugin::revisions::resolve;
use crate::client::Client;
use crate::client::Request;
use crate::report::text::printable;

/// Whether a revision decides.
const MODE: Choice<BindingMode> = Choice { what: "mode", all: &BindingMode::ALL, name: BindingMode::name };

const BINDING: [Field; 7] = [
    Field::text("provider", "provider"),
    Field::text("accounts", "accounts"),
    Field::text("mode", "mode"),
    Field::text("digest", "revision"),
    Field::text("origin", "origin"),
    Field::instant("bound_at", "bound"),
    Field::text("bound_by", "by"),
];

const CHANGE: [Field; 9] = [
    Field::instant("at", "at"),
    Field::text("provider", "provider"),
    Field::text("accounts", "accounts"),
    Field::text("mode", "mode"),
    Field::text("before", "before"),
    Field::text("after", "after"),
    Field::flag("is_roll_back", "roll-back"),
    Field::text("changed_by", "by"),
    Field::sentence("reason", "reason"),
];

/// A revision to bind.
#[derive(Debug, clap::Args)]
pub(super) struct Bind {
    /// The digest of a revision that is installed, or its beginning.
    revision: String,
    /// The account, or a pattern of accounts in which `*` is any run of characters; left out, all of its provider.
    #[arg(long, value_name = "PATTERN", default_value = ALL_ACCOUNTS)]
    accounts: String,
    /// `active`: it decides; `shadow`: it is asked beside the one that does.
    #[arg(long, value_parser = MODE)]
    mode: BindingMode,
    #[command(flatten)]
    act: ActArguments,
}

/// A binding to remove.
#[derive(Debug, clap::Args)]
pub(super) struct Unbind {
    /// The provider whose accounts these are.
    provider: String,
    /// What it is bound to, as it was bound.
    #[arg(long, value_name = "PATTERN", default_value = ALL_ACCOUNTS)]
    accounts: String,
    /// `active` or `shadow`.
    #[arg(long, value_parser = MODE)]
    mode: BindingMode,
    #[command(flatten)]
    act: ActArguments,
}

/// Accounts for which another revision is to decide.
#[derive(Debug, clap::Args)]
pub(super) struct Accounts {
    /// The provider whose accounts these are.
    provider: String,
    /// The account or the pattern of accounts, as it was bound.
    #[arg(long, value_name = "PATTERN", default_value = ALL_ACCOUNTS)]
    accounts: String,
    #[command(flatten)]
    act: ActArguments,
}

pub(super) fn list(context: &Context, client: &Client, list: &ListArguments) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/plugins/bindings", &[]).to("list bindings");
    let found = items::whole(client, &request)?;
    context.write_items(
        client,
        &BINDING,
        &found,
        list,
        "nothing is bound yet; a host binds what it loads when it starts",
    )
}

pub(super) fn history(context: &Context, client: &Client, list: &ListArguments) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/plugins/bindings/history", &[]).to("list changes of bindings");
    let found = items::pages(client, &request, u32::MAX)?;
    context.write_items(client, &CHANGE, &found, list, "nothing was ever bound")
}

/// A change of what is bound: what is asked, how a question names it, and how it is carried out.
struct Change<'a> {
    route: &'static str,
    what: String,
    body: Value,
    act: &'a ActArguments,
}

impl Change<'_> {
    /// Shows what would change and what is known of the revision, asks, and changes it.
    fn run(mut self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let wanted = self.body.clone();
        let request = |body: &Value| {
            Request::new("POST", self.route, &[])
                .to(&self.what)
                .wants(&wanted)
                .body(body.clone())
                .reason(self.act.reason.as_deref())
        };
        self.body["dry_run"] = false.into();
        if self.act.answered(client, &request(&self.body))?.is_some() {
            return Ok(output::line(format_args!("done"))?);
        }
        self.body["dry_run"] = true.into();
        let looked = client.send(&request(&self.body).look().alone())?;
        let planned = looked.json()?;
        let changes = planned["changes"].as_array().cloned().unwrap_or_default();
        let mut out = Output::standard();
        if changes.is_empty() {
            writeln!(out, "nothing changes: it is so already")?;
        }
        for change in &changes {
            writeln!(out, "{}", printable(&change_words(change)))?;
        }
        if !changes.is_empty() {
            evidence::show(&mut out, context.stdout_style(), &planned["evidence"])?;
            show_not_followed(&mut out, &planned["not_followed"])?;
            if let Some(accounts) = accounts_words(&planned) {
                writeln!(out, "{accounts}")?;
            }
        }
        out.finish()?;
        if changes.is_empty() || self.act.dry_run {
            return WouldChange::check(!changes.is_empty());
        }
        confirm(&format!("{}?", self.what), self.act.yes)?;
        self.body["dry_run"] = false.into();
        // What was shown, and nothing else.
        let request = request(&self.body).if_match(looked.etag.as_deref()).once(&self.act.key()?);
        client.send(&request)?;
        let mut out = Output::standard();
        writeln!(out, "done")?;
        Ok(out.finish()?)
    }
}

/// What there is to say of the accounts for which something changes, unless that is every one that is matched.
fn accounts_words(planned: &Value) -> Option<String> {
    let number = |field: &str| planned[field].as_u64().unwrap_or_default();
    match (number("matched_accounts"), number("affected_accounts")) {
        (0, _) => Some("this matches no account that there is at present".to_owned()),
        (matched, 0) => Some(format!(
            "accounts that this matches: {matched}; each has a narrower binding, so nothing changes for any"
        )),
        (matched, affected) if affected < matched => Some(format!(
            "accounts that this matches: {matched}; it changes something for {affected}, the others have a narrower binding"
        )),
        (_, _) => None,
    }
}

fn change_words(change: &Value) -> String {
    let text = |field: &str| change[field].as_str().unwrap_or_default();
    let short = |digest: &Value| digest.as_str().map(|digest| digest.chars().take(12).collect::<String>());
    let of = format!("{} of {} for {}", text("mode"), text("provider"), text("accounts"));
    match (short(&change["before"]), short(&change["after"])) {
        (Some(before), Some(after)) => format!("{of}: {after} instead of {before}"),
        (None, Some(after)) => format!("{of}: {after}, where none of their own was bound"),
        (Some(before), None) => format!("{of}: {before} no longer"),
        (None, None) => of,
    }
}

/// Says which parts of the revision stay those of the plugin that the host loads.
fn show_not_followed(out: &mut Output, parts: &Value) -> std::io::Result<()> {
    let parts = parts.as_array().into_iter().flatten().filter_map(Value::as_str);
    let words = parts.map(|part| match part {
        "provider_api" => "its provider's own API",
        "connector" => "its connector",
        other => other,
    });
    let words = words.collect::<Vec<_>>().join(", ");
    if words.is_empty() {
        return Ok(());
    }
    writeln!(out, "not followed, and still of the plugin that the host loads: {}", printable(&words))
}

impl Bind {
    pub(super) fn run(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let digest = resolve(client, &self.revision)?;
        let what = format!("bind revision {} {} for `{}`", &digest[..12], self.mode.name(), self.accounts);
        let body = json!({ "digest": digest, "accounts": self.accounts, "mode": self.mode.name() });
        Change { route: "/v1/plugins/bindings", what, body, act: &self.act }.run(context, client)
    }
}

impl Unbind {
    pub(super) fn run(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let what = format!(
            "remove what is bound {} for `{}` of `{}`",
            self.mode.name(),
            self.accounts,
            self.provider
        );
        let body = json!({ "provider": self.provider, "accounts": self.accounts, "mode": self.mode.name() });
        Change { route: "/v1/plugins/bindings:unbind", what, body, act: &self.act }.run(context, client)
    }
}

impl Accounts {
    fn body(&self) -> Value {
        json!({ "provider": self.provider, "accounts": self.accounts })
    }

    pub(super) fn promote(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let what = format!("promote the shadow revision of `{}` for `{}`", self.provider, self.accounts);
        let (body, act) = (self.body(), &self.act);
        Change { route: "/v1/plugins/bindings:promote", what, body, act }.run(context, client)
    }

    pub(super) fn roll_back(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let what = format!("roll back the revision of `{}` for `{}`", self.provider, self.accounts);
        let (body, act) = (self.body(), &self.act);
        Change { route: "/v1/plugins/bindings:roll-back", what, body, act }.run(context, client)
    }
}
