//! `perennial approvals`: plans that need an approval, and the decisions on them.

use std::io::Write;

use perennial_domain::approval::State;
use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::audit_record;
use crate::cli::output;
use crate::report;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::approval::ApprovalDecision;
use perennial_engine::approval::DecisionError;
use perennial_engine::approval::DecisionOutcome;
use perennial_engine::clock;
use perennial_engine::persist::RecordedEvent;
use perennial_store as store;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::approvals;
use perennial_store::approvals::Filter;
use perennial_store::approvals::StoredApproval;
use perennial_store::audit;
use perennial_store::audit::Record;
use perennial_store::keys::RowKey;

/// Lists the plans that cost more than their account may spend without an approval, and decides on them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial approvals list --state pending
  perennial approvals approve ecs-1~1
  perennial approvals reject ecs-1~1 --reason 'it is to be replaced'

While `perennial run` or `perennial serve` works on the database, decisions are made through the latter:
POST /v1/approvals/ecs-1~1:approve.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Lists them, oldest first, also while `perennial run` works on the database.
    List {
        /// Only of this account.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Only in this state: pending, approved, rejected or expired.
        #[arg(long, value_parser = state)]
        state: Option<State>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 1000)]
        limit: u32,
    },
    /// Approves a plan and applies it, if the command would still do the same.
    Approve {
        /// The approval's id.
        id: String,
        /// The reason, which the audit log keeps.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Rejects a plan.
    Reject {
        /// The approval's id.
        id: String,
        /// The reason, which the audit log keeps.
        #[arg(long)]
        reason: Option<String>,
    },
}

pub(super) fn approvals(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.action {
        Action::List { account, state, limit } => {
            let filter = Filter { account: account.clone(), state: *state, ..Filter::default() };
            list(context, &filter, *limit)
        }
        Action::Approve { id, reason } => {
            decide(context, "approve", id, reason.as_deref(), |engine, at, decision| {
                engine.approve(at, id, decision)
            })
        }
        Action::Reject { id, reason } => {
            decide(context, "reject", id, reason.as_deref(), |engine, at, decision| {
                engine.reject(at, id, decision)
            })
        }
    }
}

fn list(context: &Context, filter: &Filter, limit: u32) -> anyhow::Result<()> {
    let listed = approvals::list(&ReadTx::open(&context.db)?, filter, RowKey::before_all(), limit)?;
    let mut out = output::writer(None)?;
    writeln!(
        out,
        "{:<20}  {:<8}  {:<12}  {:<20}  {:<7}  {:>12}  {:<20}  requested by",
        "id", "state", "account", "resource", "cause", "cost", "expires"
    )?;
    for stored in &listed {
        let StoredApproval { id, account_id, resource_id, requested_by, .. } = stored;
        let (state, cause) = (stored.state.name(), stored.cause.name());
        let (cost, expires) = (stored.priced.cost.to_string(), stored.expires_at.to_string());
        let requested_by = requested_by.as_deref().unwrap_or("the clock");
        writeln!(
            out,
            "{id:<20}  {state:<8}  {account_id:<12}  {resource_id:<20}  {cause:<7}  {cost:>12}  {expires:<20}  {requested_by}"
        )?;
    }
    out.flush()?;
    if listed.len() == usize::try_from(limit)? {
        tracing::warn!("only the first {limit} are shown; see `--limit`");
    }
    Ok(())
}

fn decide(
    context: &Context,
    verb: &str,
    id: &str,
    reason: Option<&str>,
    decide: impl FnOnce(&mut Engine, Timestamp, &ApprovalDecision<'_>) -> Result<DecisionOutcome, DecisionError>,
) -> anyhow::Result<()> {
    let at = clock::now();
    if !context.db.exists() {
        return Err(store::error::StoreError::Missing { path: context.db.clone() }.into());
    }
    let store = Store::open(&context.db)?;
    let mut engine = Engine::new(store, context.providers()?, Retention::Everything);
    let decision = ApprovalDecision { decided_by: audit_record::CLI, reason, plan_hash: None };
    let outcome = engine.in_transaction(|engine| {
        let outcome = decide(engine, at, &decision)?;
        let stored = approvals::get(engine.db(), id)?;
        audit::insert(engine.tx(), &record(at, verb, id, stored, reason, &outcome))?;
        Ok(outcome)
    });
    let outcome = outcome.map_err(|error: DecisionError| match error {
        DecisionError::Unknown(_) => anyhow::Error::from(UserError::Argument(error.to_string())),
        DecisionError::Engine(_)
        | DecisionError::Closed(_)
        | DecisionError::Expired(_)
        | DecisionError::OwnRequest
        | DecisionError::PlanMismatch(_) => error.into(),
    })?;
    match outcome {
        DecisionOutcome::Recorded(events) => print_events(&events),
        DecisionOutcome::Refused { refusal, .. } => {
            anyhow::bail!("it cannot be carried out, and stays pending: {} {}", refusal.code, refusal.message)
        }
        DecisionOutcome::PlanChanged { .. } => {
            anyhow::bail!(
                "it would do something else by now, which it holds from now on; look at it with `perennial approvals list`"
            )
        }
    }
}

fn print_events(events: &[RecordedEvent]) -> anyhow::Result<()> {
    let mut out = output::writer(None)?;
    for recorded in events {
        let resource = recorded.event.resource.as_deref().unwrap_or_default();
        writeln!(out, "{} {resource} {}", recorded.event.at, report::words(&recorded.event))?;
    }
    out.flush()?;
    Ok(())
}

fn record(
    at: Timestamp,
    verb: &str,
    id: &str,
    stored: Option<StoredApproval>,
    reason: Option<&str>,
    decision_outcome: &DecisionOutcome,
) -> Record {
    let outcome = match decision_outcome {
        DecisionOutcome::Recorded(_) => "done",
        DecisionOutcome::Refused { .. } => "command-refused",
        DecisionOutcome::PlanChanged { .. } => "plan-changed",
    };
    let about = stored.map(|stored| (stored.account_id, stored.resource_id));
    let (account, resource) = about.unzip();
    Record {
        resource,
        reason: reason.map(str::to_owned),
        outcome: outcome.to_owned(),
        ..audit_record::audit_record(at, &format!("approvals {verb} {id}"), account.as_deref())
    }
}

fn state(text: &str) -> Result<State, String> {
    let found = State::ALL.into_iter().find(|state| state.name() == text);
    let names = State::ALL.map(State::name).join(", ");
    found.ok_or_else(|| format!("there is no such state; there are {names}"))
}
