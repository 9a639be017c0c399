//! `perennial job`: one command over many resources.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use clap::Subcommand;
use perennial_domain::micros::Micros;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::act::ActArguments;
use crate::cli::confirm::EndArguments;
use crate::cli::confirm::WouldChange;
use crate::cli::confirm::confirm;
use crate::cli::filter::Filter;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::output::Output;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::ListFormat;
use perennial_formats::dates;

/// How long to wait between two looks at a job.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Makes, shows and cancels jobs: one command over many resources, each of which is done once.
///
/// A job is tried first: the dry run shows what each resource would cost. Then it asks, and has exactly that done; a resource
/// whose plan is another one by then is left alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial job create --renew --tag env=prod --expires-before 2026-03-01
  perennial job create --command '{\"renew\": {\"term\": {\"count\": 1, \"unit\": \"year\"}}}' --id ecs-1 --id ecs-2
  perennial job create --command '\"cancel_auto_renew\"' --account acme-hw --dry-run
  perennial job create --from-dry-run job-1 --yes
  perennial job list
  perennial job show job-2 --watch
  perennial job items job-2 --outcome refused
  perennial job cancel job-2

Commands are written as in scenarios; FORMATS.md lists them.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Tries a command over resources, asks, and has it done.
    Create(Box<Create>),
    /// Lists jobs, newest first.
    List(ListPage),
    /// Shows how far a job is.
    Show {
        /// The ID of the job.
        id: String,
        /// Wait until it has ended.
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Lists the resources of a job, and what became of each.
    Items {
        /// The ID of the job.
        id: String,
        /// Only with this outcome, such as `refused`.
        #[arg(long)]
        outcome: Option<String>,
        #[command(flatten)]
        listed: ListPage,
    },
    /// Cancels a job: what it has not done yet, it does not do.
    Cancel {
        /// The ID of the job.
        id: String,
        #[command(flatten)]
        end: EndArguments,
        /// Why, for the audit log.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
}

#[derive(Debug, clap::Args)]
struct ListPage {
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = input::whole::<u32>(1..))]
    limit: u32,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Debug, clap::Args)]
#[group(id = "what", required = true, multiple = false, args = ["command", "renew", "from_dry_run"])]
struct Create {
    /// The command, in JSON, such as `"cancel_auto_renew"`.
    #[arg(long, value_name = "JSON")]
    command: Option<String>,
    /// Renew each for the term of its automatic renewal.
    #[arg(long)]
    renew: bool,
    /// Do what this dry run showed.
    #[arg(long, value_name = "JOB")]
    from_dry_run: Option<String>,
    /// A resource, in the order in which they are done; may be given again.
    #[arg(long = "id", value_name = "RESOURCE")]
    ids: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    act: ActArguments,
    #[command(flatten)]
    list: ListArguments,
}

const JOB: [Field; 19] = [
    Field::text("id", "job"),
    Field::text("state", "state"),
    Field::json("command", "command"),
    Field::flag("dry_run", "dry run"),
    Field::text("from_dry_run", ""),
    Field::number("total", "resources"),
    Field::number("waiting", "waiting"),
    Field::json("outcomes", "outcomes"),
    Field::worded("costs", "costs", costs_text),
    Field::text("cancel_reason", "cancelled"),
    Field::flag("has_more", ""),
    Field::number("unknown_ids", ""),
    Field::text("name", "by"),
    Field::text("token", ""),
    Field::text("request", ""),
    Field::instant("created_at", "created"),
    Field::instant("started_at", ""),
    Field::instant("ended_at", "ended"),
    Field::sentence("reason", "reason"),
];

const ITEMS: [Field; 8] = [
    Field::text("resource", "resource"),
    Field::text("outcome", "outcome"),
    Field::amount("cost", "cost", "/currency"),
    Field::amount("refund", "refund", "/currency"),
    Field::text("currency", ""),
    Field::instant("at", "at"),
    Field::text("code", "code"),
    Field::sentence("message", "why"),
];

pub(super) fn job(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.client(&arguments.target)?;
    match &arguments.action {
        Action::Create(create) => make(context, &client, create),
        Action::List(listed) => {
            let request = Request::new("GET", "/v1/jobs", &[]).to("list jobs");
            let jobs = items::pages(&client, &request, listed.limit)?;
            context.write_items(&client, &JOB, &jobs, &listed.list, "there are no jobs yet")
        }
        Action::Show { id, watch, list } => {
            let job = if *watch { ended(&client, id)? } else { get(&client, id)? };
            context.write_item(&client, &JOB, &job, list)
        }
        Action::Items { id, outcome, listed } => {
            let found = items::pages(&client, &of(id).query("outcome", outcome.as_ref()), listed.limit)?;
            context.write_items(&client, &ITEMS, &found, &listed.list, "no resource is like that")
        }
        Action::Cancel { id, end, reason, list } => {
            let what = format!("cancel `{id}`");
            let look = Request::new("GET", "/v1/jobs/{id}", &[id]).to(&what);
            let job = client.send(&look)?.json()?;
            let runs = job["state"] == "running";
            let lines = runs.then(|| format!("{id}: what it has not done yet would not be done"));
            if !end.agree(lines.as_slice(), "Cancel it?")? {
                return Ok(());
            }
            let request =
                Request::new("POST", "/v1/jobs/{id}:cancel", &[id]).to(what).reason(reason.as_deref());
            let job = client.send(&request)?.json()?;
            context.write_item(&client, &JOB, &job, list)?;
            if job["state"] != "cancelled" {
                anyhow::bail!("`{id}` had ended before, and nothing was cancelled");
            }
            Ok(())
        }
    }
}

/// What a job costs and gives back, in each currency.
fn costs_text(costs: &Value) -> String {
    let text = |cost: &Value| {
        let amount = |name: &str| items::amount(&cost[name]).unwrap_or_default();
        let currency = cost["currency"].as_str().unwrap_or_default();
        let refund = match amount("refund") {
            Micros::ZERO => String::new(),
            refund => format!(", gives back {} {currency}", dates::amount(refund)),
        };
        format!("{} {currency}{refund}", dates::amount(amount("cost")))
    };
    costs.as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join("; ")
}

/// Such as `2 refused, 1 unknown`: how many resources of a job did not come to one of the outcomes that are `done`.
fn left_over(job: &Value, done: &[&str]) -> Option<String> {
    let outcomes = job["outcomes"].as_object().into_iter().flatten();
    let others = outcomes.filter(|(name, _)| !done.contains(&name.as_str()));
    let others = others.filter_map(|(name, count)| Some((name.replace('_', " "), count.as_u64()?)));
    let others = others.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}"));
    let others = others.collect::<Vec<_>>();
    (!others.is_empty()).then(|| others.join(", "))
}

fn of(id: &str) -> Request {
    Request::new("GET", "/v1/jobs/{id}/items", &[id]).to(format!("list the resources of `{id}`"))
}

fn get(client: &Client, id: &str) -> anyhow::Result<Value> {
    client.send(&Request::new("GET", "/v1/jobs/{id}", &[id]).to(format!("show `{id}`")))?.json()
}

/// The job once it has ended.
fn ended(client: &Client, id: &str) -> anyhow::Result<Value> {
    let request = Request::new("GET", "/v1/jobs/{id}", &[id]).to(format!("wait for `{id}`")).alone();
    loop {
        let job = client.send(&request)?.json()?;
        if !job["ended_at"].is_null() {
            return Ok(job);
        }
        client.pause(LOOK_AGAIN);
    }
}

fn make(context: &Context, client: &Client, create: &Create) -> anyhow::Result<()> {
    let Create { from_dry_run, act, list, .. } = create;
    // What is wanted is the same whenever it is run; the dry run that it is tried in is another one.
    let wanted = match from_dry_run {
        Some(id) => from(id),
        None => create.body(true)?,
    };
    let wanted = Value::Object(wanted);
    let request = || job_request(act).wants(&wanted);
    if let Some(answered) = act.answered(client, &request().body(wanted.clone()))? {
        return follow(context, client, &id_of(&answered.json()?), list);
    }
    let tried = match from_dry_run {
        Some(id) => id.clone(),
        None => {
            create.filter.check(client)?;
            let tried = client.send(&job_request(act).body(wanted.clone()))?.json()?;
            let tried = ended(client, &id_of(&tried))?;
            let id = id_of(&tried);
            show(context, client, &tried, create)?;
            if tried["total"] == 0 {
                anyhow::bail!(
                    "no resource passes the filter, and nothing was done; look with `perennial resources`"
                );
            }
            if tried["outcomes"]["planned"] == 0 {
                let why = left_over(&tried, &["planned"]).unwrap_or_default();
                anyhow::bail!(
                    "nothing can be done, and nothing was: {why}; `perennial job items {id}` says why"
                );
            }
            if act.dry_run {
                return Err(WouldChange::with(list.format).into());
            }
            id
        }
    };
    confirm("Do this?", act.yes)?;
    let made = client.send(&request().body(from(&tried).into()).once(&act.key()?))?.json()?;
    follow(context, client, &id_of(&made), list)
}

/// Waits until a job has ended, and shows what became of it.
fn follow(context: &Context, client: &Client, made: &str, list: &ListArguments) -> anyhow::Result<()> {
    let job = ended(client, made)?;
    context.write_item(client, &JOB, &job, list)?;
    if job["state"] == "cancelled" {
        anyhow::bail!(
            "`{made}` was cancelled before its end; `perennial job items {made}` says what was done"
        );
    }
    match left_over(&job, &["applied", "pending_approval", "pending_call"]) {
        None => Ok(()),
        Some(left) => anyhow::bail!("not everything was done: {left}; `perennial job items {made}` says why"),
    }
}

impl Create {
    fn body(&self, dry_run: bool) -> anyhow::Result<Map<String, Value>> {
        let command = match (&self.command, self.renew) {
            (Some(command), _) => serde_json::from_str(command).map_err(|error| {
                UserError::Argument(format!(
                    "`--command {command}` is not JSON: {error}; write `\"cancel_auto_renew\"`, for example"
                ))
            })?,
            (None, _) => json!({ "renew": {} }),
        };
        let mut body =
            Map::from_iter([("command".to_owned(), command), ("dry_run".to_owned(), json!(dry_run))]);
        match (self.ids.is_empty(), self.filter.is_empty()) {
            (false, true) => {
                // What is named twice is done once.
                let mut named = BTreeSet::new();
                let ids = self.ids.iter().filter(|id| named.insert(*id)).collect::<Vec<_>>();
                body.insert("ids".to_owned(), json!(ids))
            }
            (true, false) => body.insert("filter".to_owned(), self.filter.body()),
            (true, true) => {
                let message =
                    "say which resources: with `--id`, or with a filter such as `--account` or `--tag`";
                return Err(UserError::Argument(message.to_owned()).into());
            }
            (false, false) => {
                let message = "`--id` names resources and a filter chooses them; say one of both";
                return Err(UserError::Argument(message.to_owned()).into());
            }
        };
        Ok(body)
    }
}

/// A request that makes a job, without its body.
fn job_request(act: &ActArguments) -> Request {
    Request::new("POST", "/v1/jobs", &[]).to("make a job").reason(act.reason.as_deref())
}

/// The body of a job that does what a dry run showed.
fn from(dry_run: &str) -> Map<String, Value> {
    Map::from_iter([("from_dry_run".to_owned(), json!(dry_run))])
}

fn id_of(job: &Value) -> String {
    job["id"].as_str().unwrap_or_default().to_owned()
}

/// What a dry run found: each resource, and the sums. Programs get the resources of a dry run, and else nothing yet.
fn show(context: &Context, client: &Client, tried: &Value, create: &Create) -> anyhow::Result<()> {
    let id = tried["id"].as_str().unwrap_or_default();
    if create.list.format != ListFormat::Table && !create.act.dry_run {
        return Ok(());
    }
    let found = items::pages(client, &of(id), u32::MAX)?;
    context.write_items(
        client,
        &ITEMS,
        &found,
        &create.list,
        "no resource passes the filter; there is nothing to do",
    )?;
    if create.list.format == ListFormat::Table {
        let mut out = Output::standard();
        for cost in tried["costs"].as_array().into_iter().flatten() {
            let amount = |name: &str| items::amount(&cost[name]).map(dates::amount).unwrap_or_default();
            let currency = cost["currency"].as_str().unwrap_or_default();
            let (cost, refund) = (amount("cost"), amount("refund"));
            writeln!(out, "costs {cost} {currency}, gives back {refund} {currency} ({id})")?;
        }
        out.finish()?;
    }
    Ok(())
}
