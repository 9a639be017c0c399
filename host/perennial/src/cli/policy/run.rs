//! `perennial policy run`: asks the policies of a file about one plan.

use std::io::Write;
use std::path::PathBuf;

use perennial_engine::policy_trial;
use perennial_engine::policy_trial::Trial;
use perennial_formats::policy::plan;
use perennial_formats::policy::ruling_text;
use perennial_formats::policy::step_text;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::items::ItemZones;
use crate::cli::output::Output;
use crate::cli::policy::load::LoadedPolicies;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::ListFormat;
use crate::report::listing::Listing;
use crate::report::text::printable;

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
    /// What to write.
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    format: ListFormat,
}

/// What each policy ruled, for programs that read lines.
const RULINGS: [Field; 5] = [
    Field::text("name", "policy"),
    Field::text("mode", "mode"),
    Field::text("ruling", "ruling"),
    Field::texts("notes", "notes"),
    Field::text("failure", "failure"),
];

impl Arguments {
    /// Whether it asks about a resource of a host or a database.
    pub(super) fn reads_database(&self) -> bool {
        self.resource.is_some()
    }

    /// Asks about the plan of a file.
    pub(super) fn run(&self, context: &Context) -> anyhow::Result<()> {
        let loaded = LoadedPolicies::read(context, &self.file)?;
        let Some(path) = &self.plan else {
            let message = "there is no plan to ask about: name a file with `--plan FILE`, or a resource of the database \
                           with `--resource ID`";
            return Err(UserError::Argument(message.to_owned()).into());
        };
        let sample = plan::read(&input::read(path)?, &loaded.manifests());
        let sample = sample.map_err(|problems| UserError::File { path: path.clone(), problems })?;
        let trial = policy_trial::ask(&loaded.set, &loaded.interpreter, sample.account, sample.facts);
        self.write(context, &view(&trial))
    }

    /// Asks about the renewal of a resource by the clock, as it would be made now.
    pub(super) fn ask(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let id = self.resource.as_deref().unwrap_or_default();
        let loaded = LoadedPolicies::read(context, &self.file)?;
        let mut body = loaded.body();
        body["resource"] = id.into();
        let request = Request::new("POST", "/v1/policies:run", &[])
            .to(format!("ask the policies of `{}` about `{id}`", self.file.display()))
            .body(body)
            .look();
        let trial = client.send(&request)?.json()?;
        if trial["refusal"].is_object() {
            let said = |name: &str| trial["refusal"][name].as_str().unwrap_or_default();
            let problem = format!(
                "the provider would refuse to renew `{id}`, so no policy is asked: {} ({})",
                said("message"),
                said("code")
            );
            return Err(UserError::Argument(problem).into());
        }
        self.write(context, &trial)
    }

    /// Writes what the policies ruled: for people in lines, for programs the whole of it or a line each.
    fn write(&self, context: &Context, trial: &Value) -> anyhow::Result<()> {
        let mut out = Output::standard();
        let policies = trial["policies"].as_array().map(Vec::as_slice).unwrap_or_default();
        match self.format {
            ListFormat::Table => {
                for policy in policies {
                    write_policy(policy, &mut out)?;
                }
                let together = trial["together"].as_str().unwrap_or_default();
                writeln!(out, "together: {}", printable(together))?;
            }
            ListFormat::Json => writeln!(out, "{trial:#}")?,
            ListFormat::Csv => {
                let rows = items::rows(&RULINGS, policies, &ItemZones::utc());
                let listing = Listing { columns: &items::columns(&RULINGS), rows };
                listing.write(self.format, "", context.stdout_style(), &mut out)?;
            }
        }
        Ok(out.finish()?)
    }
}

fn write_policy(policy: &Value, out: &mut Output) -> std::io::Result<()> {
    let text = |value: &Value| printable(value.as_str().unwrap_or_default());
    let name = text(&policy["name"]);
    if policy["ruling"].is_null() {
        return writeln!(out, "{name:<24} is not asked: the plan does not match");
    }
    let shadow = if policy["mode"] == "shadow" { " (shadow)" } else { "" };
    writeln!(out, "{name:<24}{shadow} {}", text(&policy["ruling"]))?;
    for note in policy["notes"].as_array().into_iter().flatten() {
        writeln!(out, "{:<24} notes: {}", "", text(note))?;
    }
    if policy["failure"].is_string() {
        writeln!(out, "{name:<24} counts as failed: {}", text(&policy["failure"]))?;
    }
    Ok(())
}

/// What the policies ruled on a plan of a file, as `POST /v1/policies:run` says it of a resource.
fn view(trial: &Trial) -> Value {
    let policies = trial.policies.iter().map(|tried| {
        let answer = tried.answer.as_ref();
        json!({
            "name": tried.name,
            "mode": if tried.is_shadow { "shadow" } else { "active" },
            "ruling": answer.map(|answer| ruling_text(&answer.ruling)),
            "notes": answer.map(|answer| answer.notes.clone()).unwrap_or_default(),
            "failure": tried.failure,
        })
    });
    json!({ "policies": policies.collect::<Vec<_>>(), "together": step_text(&trial.together) })
}
