//! `perennial policy run`: asks the policies of a file about one plan.

use std::io::Write;
use std::path::PathBuf;

use perennial_domain::index::PolicyIndex;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::PolicyMode;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::chain::Chain;
use perennial_domain::policy::chain::ChainContext;
use perennial_domain::policy::chain::ChainStep;
use perennial_domain::policy::chain::Entry;
use perennial_domain::policy::chain::Postponement;
use perennial_domain::policy::chain::RulingKind;
use perennial_domain::policy::chain::Verdict;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::selector::Candidate;
use perennial_engine::plan_facts;
use perennial_formats::policy::plan;
use perennial_formats::policy::ruling_text;
use perennial_store::ReadTx;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::database;
use crate::cli::input;
use crate::cli::output::Output;
use crate::cli::policy::load::LoadedPolicies;
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
}

impl Arguments {
    /// Whether it asks about a resource of the database.
    pub(super) fn reads_database(&self) -> bool {
        self.resource.is_some()
    }
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let loaded = LoadedPolicies::read(context, &arguments.file)?;
    let (account, mut facts) = match (&arguments.plan, &arguments.resource) {
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
    let policies = loaded.set.policies.iter().enumerate();
    facts.policies = policies
        .filter(|(_, policy)| is_asked(policy, &account, &facts))
        .map(|(number, _)| PolicyIndex::new(number))
        .collect();
    let accounts = [account];
    let mut answered = loaded.interpreter.ask(&loaded.set, &accounts, &[&facts]);
    let answers = answered.pop().map(|plan| plan.answers).unwrap_or_default();
    let mut out = Output::standard();
    let mut asked = facts.policies.iter().zip(&answers);
    let mut active = Vec::<(&Policy, &PolicyAnswer)>::new();
    for (number, policy) in loaded.set.policies.iter().enumerate() {
        if !facts.policies.contains(&PolicyIndex::new(number)) {
            writeln!(out, "{:<24} is not asked: the plan does not match", policy.name)?;
            continue;
        }
        let Some((_, answer)) = asked.next() else { break };
        let shadow = if policy.mode == PolicyMode::Shadow { " (shadow)" } else { "" };
        writeln!(out, "{:<24}{shadow} {}", policy.name, printable(&ruling_text(&answer.ruling)))?;
        for note in &answer.notes {
            writeln!(out, "{:<24} notes: {}", "", printable(note))?;
        }
        if policy.mode == PolicyMode::Active {
            active.push((policy, answer));
        }
    }
    let mut chain = Chain::new(ChainContext::default());
    let next = chain.round(&facts, &active);
    for entry in chain.into_entries() {
        let Entry::Ruled { policy, kind: RulingKind::Failed, reason, .. } = entry else { continue };
        let gave_ruling = |(asked, answer): &&(&Policy, &PolicyAnswer)| {
            asked.name == policy && !matches!(answer.ruling, Ruling::Fail(_))
        };
        if active.iter().any(|pair| gave_ruling(&pair)) {
            writeln!(out, "{policy:<24} counts as failed: {}", printable(&reason))?;
        }
    }
    writeln!(out, "together: {}", printable(&next_text(&next)))?;
    Ok(out.finish()?)
}

fn is_asked(policy: &Policy, account: &AccountFacts, facts: &PlanFacts) -> bool {
    let (primary, _) = &facts.members[0];
    policy.selector.matches(&Candidate {
        account: &account.id,
        provider: &account.provider,
        kind: &primary.kind,
        tags: &primary.tags,
        command: &facts.command,
    })
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
        Some(Err(refusal)) => Err(UserError::Argument(format!(
            "the provider would refuse to renew `{id}`, so no policy is asked: {} ({})",
            refusal.message, refusal.code
        ))
        .into()),
        None => Err(UserError::Argument(format!("there is no resource `{id}` in the database")).into()),
    }
}

fn next_text(next: &ChainStep) -> String {
    match next {
        ChainStep::Amend { .. } => "amended; the new plan is made and all are asked again".to_owned(),
        ChainStep::Done(Verdict::Approve) => "approved".to_owned(),
        ChainStep::Done(Verdict::Deny { policy, .. }) => format!("denied by `{policy}`"),
        ChainStep::Done(Verdict::Defer(Postponement { policy, until, .. })) => {
            format!("deferred to {until} by `{policy}`")
        }
        ChainStep::Done(Verdict::RequireApproval { approvals, expires_at, postponement }) => {
            let approvals = approvals.iter().map(|one| match &one.by {
                Some(by) => format!("`{}` (by `{by}`)", one.policy),
                None => format!("`{}`", one.policy),
            });
            let until = expires_at.map(|at| format!(", until {at}")).unwrap_or_default();
            let then = postponement
                .as_ref()
                .map(|one| format!(", then deferred to {} by `{}`", one.until, one.policy));
            let then = then.unwrap_or_default();
            format!("waits for the approvals of {}{until}{then}", approvals.collect::<Vec<_>>().join(" and "))
        }
    }
}
