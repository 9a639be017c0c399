//! `perennial policy run`: asks the policies of a file about one plan.

use std::io::Write;
use std::path::PathBuf;

use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::PlanFacts;
use perennial_engine::plan_facts;
use perennial_engine::policy_trial;
use perennial_formats::policy::plan;
use perennial_formats::policy::ruling_text;
use perennial_formats::policy::step_text;
use perennial_store::ReadTx;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::database;
use crate::cli::input;
use crate::cli::output::Output;
use crate::cli::policy::load::LoadedPolicies;
use crate::client::Client;
use crate::client::Request;
use crate::report::text::printable;
use serde_json::Value;

/// Asks the policies of a file about one plan, and prints what each of them rules and what that comes to.
///
/// An amendment is printed and not followed: the plan is not made anew.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The policy file, or a script alone.
    file: PathBuf,
    /// A plan in TOML or JSON, as the tests of a policy have it; `-` is the standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "resource")]
    plan: Option<PathBuf>,
    /// A resource of the database: its renewal by the clock, as it would be made now, by the
    /// clock of the database.
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
}

impl Arguments {
    /// Whether it asks about a resource of the database.
    pub(super) fn reads_database(&self) -> bool {
        self.resource.is_some()
    }
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let loaded = LoadedPolicies::read(context, &arguments.file)?;
    let (account, facts) = match (&arguments.plan, &arguments.resource) {
        (Some(path), _) => {
            let sample = plan::read(&input::read(path)?, &loaded.manifests());
            let sample = sample.map_err(|problems| UserError::File { path: path.clone(), problems })?;
            (sample.account, sample.facts)
        }
        (None, Some(id)) => of_resource(context, id)?,
        (None, None) => {
            let message = "there is no plan to ask about: name a file with `--plan FILE`, or a resource of the database \
                           with `--resource ID`";
            return Err(UserError::Argument(message.to_owned()).into());
        }
    };
    let trial = policy_trial::ask(&loaded.set, &loaded.interpreter, account, facts);
    let mut out = Output::standard();
    for tried in &trial.policies {
        let Some(answer) = &tried.answer else {
            writeln!(out, "{:<24} is not asked: the plan does not match", tried.name)?;
            continue;
        };
        let shadow = if tried.is_shadow { " (shadow)" } else { "" };
        writeln!(out, "{:<24}{shadow} {}", tried.name, printable(&ruling_text(&answer.ruling)))?;
        for note in &answer.notes {
            writeln!(out, "{:<24} notes: {}", "", printable(note))?;
        }
    }
    for tried in &trial.policies {
        if let Some(reason) = &tried.failure {
            writeln!(out, "{:<24} counts as failed: {}", tried.name, printable(reason))?;
        }
    }
    writeln!(out, "together: {}", printable(&step_text(&trial.together)))?;
    Ok(out.finish()?)
}

/// The same of a running host, for a resource that it has.
pub(super) fn run_on(context: &Context, client: &Client, arguments: &Arguments) -> anyhow::Result<()> {
    let Some(id) = &arguments.resource else { return run(context, arguments) };
    let loaded = LoadedPolicies::read(context, &arguments.file)?;
    let mut body = loaded.body();
    body["resource"] = id.as_str().into();
    let request = Request::new("POST", "/v1/policies:run", &[])
        .to(format!("ask the policies of `{}` about `{id}`", arguments.file.display()))
        .body(body)
        .look();
    let trial = client.send(&request)?.json()?;
    if trial["refusal"].is_object() {
        let said = |name: &str| trial["refusal"][name].as_str().unwrap_or_default().to_owned();
        return Err(refused(id, &said("message"), &said("code")).into());
    }
    let mut out = Output::standard();
    let text = |value: &Value| printable(value.as_str().unwrap_or_default());
    for policy in trial["policies"].as_array().into_iter().flatten() {
        let name = text(&policy["name"]);
        if policy["ruling"].is_null() {
            writeln!(out, "{name:<24} is not asked: the plan does not match")?;
            continue;
        }
        let shadow = if policy["mode"] == "shadow" { " (shadow)" } else { "" };
        writeln!(out, "{name:<24}{shadow} {}", text(&policy["ruling"]))?;
        for note in policy["notes"].as_array().into_iter().flatten() {
            writeln!(out, "{:<24} notes: {}", "", text(note))?;
        }
        if policy["failure"].is_string() {
            writeln!(out, "{name:<24} counts as failed: {}", text(&policy["failure"]))?;
        }
    }
    writeln!(out, "together: {}", text(&trial["together"]))?;
    Ok(out.finish()?)
}

/// The facts of a renewal by the clock, as it would be made now.
fn of_resource(context: &Context, id: &str) -> anyhow::Result<(AccountFacts, PlanFacts)> {
    let db = ReadTx::open(&context.db)?;
    let renewal = Renewal { term: None, cause: Cause::Auto, options: std::collections::BTreeMap::new() };
    let facts = plan_facts::of_command(
        &db,
        &context.providers()?,
        database::now(&db)?,
        id,
        &Command::Renew(renewal),
    )?;
    match facts {
        Some(Ok(facts)) => Ok(facts),
        Some(Err(refusal)) => Err(refused(id, &refusal.message, &refusal.code).into()),
        None => Err(UserError::Argument(format!("there is no resource `{id}` in the database")).into()),
    }
}

fn refused(id: &str, message: &str, code: &str) -> UserError {
    let problem =
        format!("the provider would refuse to renew `{id}`, so no policy is asked: {message} ({code})");
    UserError::Argument(problem)
}
