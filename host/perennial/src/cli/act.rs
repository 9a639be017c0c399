//! Carries out a command on a resource: shows its plan, asks, and does exactly that plan, by its hash and once.

use std::io;
use std::io::Write;

use serde_json::Map;
use serde_json::Value;

use perennial_service::random_hex::random_hex;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::confirm::WouldChange;
use crate::cli::confirm::confirm;
use crate::cli::event_lines;
use crate::cli::events;
use crate::cli::items::ItemZones;
use crate::cli::list::ListArguments;
use crate::cli::on_host::events as on_host;
use crate::cli::output::Output;
use crate::cli::plan;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::client::ClientError;
use crate::client::Request;
use crate::client::Response;
use crate::report::listing::ListFormat;

/// How a command that changes something is carried out.
#[derive(Debug, clap::Args)]
pub(super) struct ActArguments {
    /// Only show what would be done; exit code 3 when something would change.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask.
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) yes: bool,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT", value_parser = header_text)]
    pub(super) reason: Option<String>,
    /// A key by which it is done once, however often it is run with this key; without it, one is made up.
    #[arg(long, value_name = "KEY", value_parser = header_text)]
    pub(super) idempotency_key: Option<String>,
}

/// What a command with a plan takes beside its own arguments.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    pub(super) act: ActArguments,
    /// Carry out the plan with this hash, which a dry run showed, or none. Nothing is asked.
    #[arg(long, value_name = "HASH", conflicts_with = "dry_run")]
    pub(super) plan_hash: Option<String>,
    #[command(flatten)]
    pub(super) list: ListArguments,
}

/// A text that goes into a header: something, and no control characters.
fn header_text(text: &str) -> Result<String, String> {
    match text.len() {
        0 => Err("it is empty".to_owned()),
        1..=255 if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        _ => Err("it has at most 255 bytes, and no control characters".to_owned()),
    }
}

impl ActArguments {
    /// The key by which a request is carried out once.
    pub(super) fn key(&self) -> anyhow::Result<String> {
        match &self.idempotency_key {
            Some(key) => Ok(key.clone()),
            None => {
                random_hex::<16>().map_err(|error| anyhow::anyhow!("the system has no random bits: {error}"))
            }
        }
    }

    /// What this command was answered when it was run under the same key before; `None` when it was not.
    pub(super) fn answered(&self, client: &Client, request: &Request) -> anyhow::Result<Option<Response>> {
        let Some(key) = self.idempotency_key.as_deref().filter(|_| !self.dry_run) else { return Ok(None) };
        let response = client.send(&request.clone().once(key).replay_only())?;
        Ok((!response.is_unanswered()).then_some(response))
    }
}

/// A command on a resource.
pub(super) struct PlannedCommand {
    /// The route of the API, as `/openapi.json` names it.
    pub(super) route: &'static str,
    /// The ID of the resource.
    pub(super) resource: String,
    /// The command in words, such as `renew`.
    pub(super) verb: &'static str,
    /// Its arguments, as the API takes them.
    pub(super) body: Map<String, Value>,
}

impl PlannedCommand {
    fn request(&self, options: &[(&str, Value)]) -> Request {
        let mut body = self.body.clone();
        body.extend(options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Request::new("POST", self.route, &[&self.resource])
            .to(format!("{} `{}`", self.verb, self.resource))
            .wants(&Value::Object(self.body.clone()))
            .body(body.into())
    }

    /// Shows the plan, asks, and carries it out. A plan that changes meanwhile is shown anew.
    pub(super) fn run(
        &self,
        context: &Context,
        target: &TargetArguments,
        arguments: &PlanArguments,
    ) -> anyhow::Result<()> {
        let client = context.client(target)?;
        let zones = context.item_zones(&client, arguments.list.zone.time_zone)?;
        let run = Run { context, client: &client, zones: &zones, arguments };
        if let Some(hash) = &arguments.plan_hash {
            return run.carry_out(self, hash);
        }
        if let Some(answered) = arguments.act.answered(&client, &self.request(&[]))? {
            return run.tell(&answered);
        }
        let mut planned = self.plan(&client)?;
        loop {
            if let Some(hash) = run.agree(&planned)? {
                match run.carry_out(self, &hash) {
                    Err(error) if is_changed(&error) && arguments.act.idempotency_key.is_none() => {
                        planned = self.plan(&client)?;
                        if arguments.act.yes {
                            run.show(&planned)?;
                            return Err(
                                error.context("the plan has changed meanwhile; this is what it is now")
                            );
                        }
                        tracing::warn!(
                            "the plan has changed meanwhile, and nothing was done; look at it again"
                        );
                    }
                    ended => return ended,
                }
            } else {
                return Ok(());
            }
        }
    }

    fn plan(&self, client: &Client) -> anyhow::Result<Value> {
        let mut answer = client.send(&self.request(&[("dry_run", true.into())]).look())?.json()?;
        Ok(answer["plan"].take())
    }
}

fn is_changed(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ClientError::Problem(problem)) if problem.slug == "plan-changed")
}

/// One run of a command.
struct Run<'a> {
    context: &'a Context,
    client: &'a Client,
    zones: &'a ItemZones,
    arguments: &'a PlanArguments,
}

impl Run<'_> {
    /// Shows a plan and asks whether it is to be carried out; returns its hash then, and `None` when it changes nothing.
    fn agree(&self, planned: &Value) -> anyhow::Result<Option<String>> {
        let ActArguments { dry_run, yes, .. } = self.arguments.act;
        self.show(planned)?;
        // What needs an approval waits for it, whatever stands against it at present.
        let is_refused = !planned["refusal"].is_null() && planned["needs_approval"] != true;
        if is_refused && !yes {
            anyhow::bail!("it would be refused, and nothing was done: {}", plan::reason(&planned["refusal"]));
        }
        // With `--yes` a plan that is refused is sent, too, so that the refusal and the rulings behind it are recorded.
        if !is_refused && planned["steps"].as_array().is_none_or(Vec::is_empty) {
            return Ok(None);
        }
        if dry_run {
            return Err(WouldChange::with(self.arguments.list.format).into());
        }
        confirm("Do this?", yes)?;
        let hash = planned["plan_hash"].as_str().map(str::to_owned);
        Ok(Some(hash.ok_or_else(|| anyhow::anyhow!("the plan has no hash to carry it out by"))?))
    }

    /// A plan is the output of a dry run; before a command is carried out, it is what people look at.
    fn show(&self, planned: &Value) -> anyhow::Result<()> {
        let is_output = self.arguments.act.dry_run;
        match self.arguments.list.format {
            ListFormat::Table => {
                let mut out = Output::standard();
                plan::write(planned, self.zones, self.context.stdout_style(), &mut out)?;
                out.finish()?;
            }
            ListFormat::Json if is_output => {
                let mut out = Output::standard();
                writeln!(out, "{planned:#}")?;
                out.finish()?;
            }
            ListFormat::Csv if is_output => {
                let mut out = Output::standard();
                plan::write_csv(planned, self.zones, &mut out)?;
                out.finish()?;
            }
            ListFormat::Json | ListFormat::Csv => {
                // What cannot be shown cannot be agreed to.
                let shown = plan::write(planned, self.zones, self.context.stderr_style(), &mut io::stderr());
                shown.map_err(|error| UserError::Argument(format!("the plan cannot be shown: {error}")))?;
            }
        }
        Ok(())
    }

    /// Carries out the plan with this hash, or nothing.
    fn carry_out(&self, command: &PlannedCommand, hash: &str) -> anyhow::Result<()> {
        let act = &self.arguments.act;
        let key = act.key()?;
        let request = command.request(&[("plan_hash", hash.into())]).once(&key).reason(act.reason.as_deref());
        let response = self.client.send(&request)?;
        self.tell(&response)
    }

    fn tell(&self, response: &Response) -> anyhow::Result<()> {
        let result = response.json()?;
        if self.arguments.list.format == ListFormat::Csv {
            return self.tell_csv(&result);
        }
        let mut out = Output::standard();
        let style = self.context.stdout_style();
        if self.arguments.list.format == ListFormat::Json {
            writeln!(out, "{result:#}")?;
            return Ok(out.finish()?);
        }
        if self.arguments.list.format == ListFormat::Csv {
            return self.tell_csv(&result);
        }
        let about = if response.is_accepted() { &result["approval"] } else { &result["resource"] };
        let currency = about["currency"].as_str().unwrap_or_default();
        for event in result["events"].as_array().into_iter().flatten() {
            event_lines::write(event, currency, self.zones.of(event), style, &mut out)?;
        }
        let call = &result["call"];
        if let Some(id) = call["id"].as_str() {
            writeln!(
                out,
                "it is written down as call {id} and will be sent to the provider: `perennial calls show {id}`"
            )?;
        } else if response.is_accepted() {
            let id = about["id"].as_str().unwrap_or_default();
            writeln!(out, "it waits for an approval: `perennial approvals approve {id}`, by somebody else")?;
        }
        Ok(out.finish()?)
    }

    /// The events of a command, as `perennial events` writes them.
    fn tell_csv(&self, result: &Value) -> anyhow::Result<()> {
        let events = result["events"].as_array().map_or(&[][..], Vec::as_slice);
        let how = (&events::COLUMNS[..], ListFormat::Csv, self.arguments.list.zone.time_zone);
        on_host::write(self.context, self.client, how, events, false)
    }
}
