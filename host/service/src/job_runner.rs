//! Executes jobs of many commands in slices: a few items at a time, between the clock's work and queued tasks.
//!
//! A slice is one transaction: the effects of its items, their outcomes and the position of the job. A host that is
//! killed before the commit loses the whole slice; after it, the job goes on with the next item. So each item is
//! executed once.

use perennial_domain::event::EventKind;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Command;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::EngineTx;
use perennial_engine::clock::Stopwatch;
use perennial_engine::command;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::preconditions::Preconditions;
use perennial_formats::decision;
use perennial_store::error::StoreError;
use perennial_store::jobs;
use perennial_store::jobs::ItemCost;
use perennial_store::jobs::ItemResult;
use perennial_store::jobs::StoredItem;
use perennial_store::jobs::StoredJob;

use crate::admin_tokens::Caller;
use crate::error::ServiceError;
use crate::lookup;
use crate::writer_context::WriterContext;

/// The most items of one slice.
const SLICE_ITEMS_MAX: u32 = 32;
/// How long a slice begins further items, in seconds. A queued task waits at most this long, plus one item.
const SLICE_SECONDS: f64 = 0.1;

/// The outcome of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemOutcome {
    /// The command was applied.
    Applied,
    /// A dry run: the item has its plan.
    Planned,
    /// The command waits for an approval.
    PendingApproval,
    /// The call to the provider that carries it out is written down, and what becomes of it is not known yet.
    PendingCall,
    /// The provider's rules refuse the command, or the balance does not suffice.
    Refused,
    /// There is no such resource, or the token cannot access it.
    Unknown,
    /// The plan differs from that of the dry run.
    PlanChanged,
    /// The item needed no command: its ID was repeated, its dry run had no plan, or the job was cancelled.
    Skipped,
    /// The host or a plugin failed.
    Failed,
}

impl ItemOutcome {
    /// Every outcome, for parsing and for lists of choices.
    pub const ALL: [ItemOutcome; 9] = [
        ItemOutcome::Applied,
        ItemOutcome::Planned,
        ItemOutcome::PendingApproval,
        ItemOutcome::PendingCall,
        ItemOutcome::Refused,
        ItemOutcome::Unknown,
        ItemOutcome::PlanChanged,
        ItemOutcome::Skipped,
        ItemOutcome::Failed,
    ];

    /// The name in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            ItemOutcome::Applied => "applied",
            ItemOutcome::Planned => "planned",
            ItemOutcome::PendingApproval => "pending_approval",
            ItemOutcome::PendingCall => "pending_call",
            ItemOutcome::Refused => "refused",
            ItemOutcome::Unknown => "unknown",
            ItemOutcome::PlanChanged => "plan_changed",
            ItemOutcome::Skipped => "skipped",
            ItemOutcome::Failed => "failed",
        }
    }

    /// The result with this outcome, a code and a message.
    pub fn with_reason(self, code: &str, message: &str) -> ItemResult {
        let (code, message) = (Some(code.to_owned()), Some(message.to_owned()));
        ItemResult { outcome: self.name().to_owned(), code, message, ..ItemResult::default() }
    }
}

/// Runs one slice of the next running job. Returns whether there was one.
pub(crate) fn run_slice(context: &mut WriterContext) -> bool {
    match run_next_job(context) {
        Ok(had_work) => had_work,
        Err(error) => {
            // The slice was rolled back; it runs again when the writer next wakes.
            tracing::error!(%error, "a slice of a job could not be written");
            false
        }
    }
}

fn run_next_job(context: &mut WriterContext) -> Result<bool, ServiceError> {
    let Some(job) = jobs::next_running(context.engine.db(), context.last_job)? else { return Ok(false) };
    context.last_job = job.row;
    let at = context.now();
    let caller = context.tokens().active_caller(&job.began.token, at);
    let events = context.engine.in_transaction(|engine| match caller {
        Some(caller) => run_items(engine, &job, &caller, at),
        None => {
            jobs::cancel(engine.tx(), job.row, "the token that created it is no longer in force", at)?;
            Ok(Vec::new())
        }
    })?;
    context.publisher().publish(&events);
    Ok(true)
}

/// Runs the items of one slice.
fn run_items(
    engine: &mut EngineTx<'_>,
    job: &StoredJob,
    caller: &Caller,
    at: Timestamp,
) -> Result<Vec<RecordedEvent>, ServiceError> {
    let spec = &job.began;
    let damaged = |_| StoreError::Damaged { what: "a job's command", found: spec.command.clone() };
    let command = decision::read_command(&spec.command).map_err(damaged)?;
    let item_command = ItemCommand { at, caller, command: &command, is_dry_run: spec.is_dry_run };
    let elapsed = Stopwatch::start();
    let (mut position, mut all) = (job.next_position, Vec::new());
    for item in jobs::items(engine.db(), job.row, None, position, SLICE_ITEMS_MAX)? {
        if item.answered.is_none() {
            let (result, events) = item_command.run(engine, &item);
            jobs::record_result(engine.tx(), job.row, item.position, at, &result)?;
            all.extend(events);
        }
        position = item.position.next();
        if elapsed.seconds() > SLICE_SECONDS {
            break;
        }
    }
    jobs::advance(engine.tx(), job.row, position, at)?;
    Ok(all)
}

/// The command that a job runs on each of its items.
struct ItemCommand<'a> {
    at: Timestamp,
    caller: &'a Caller,
    command: &'a Command,
    is_dry_run: bool,
}

impl ItemCommand<'_> {
    /// Runs the command on one item and returns its result and events. A failure rolls back this item only.
    fn run(&self, engine: &mut EngineTx<'_>, item: &StoredItem) -> (ItemResult, Vec<RecordedEvent>) {
        let run = engine.in_transaction(|engine| {
            let resource = lookup::resolve_resource(engine.db(), self.caller, &item.resource)?;
            let account = resource.account.account;
            if self.is_dry_run {
                return Ok((self.plan(engine, &item.resource)?, Vec::new()));
            }
            self.check_plan(engine, &item.resource, item.plan_hash.as_deref())?;
            self.execute(engine, &account.id, &item.resource, account.currency)
        });
        run.unwrap_or_else(|error: ServiceError| (result_of_error(&error), Vec::new()))
    }

    fn preconditions(&self) -> Preconditions<'_> {
        Preconditions { requested_by: Some(&self.caller.id), ..Preconditions::default() }
    }

    /// Applies the command. A refusal, a pending approval and a call under way are ordinary outcomes.
    fn execute(
        &self,
        engine: &mut Engine,
        account: &str,
        resource: &str,
        currency: String,
    ) -> Result<(ItemResult, Vec<RecordedEvent>), ServiceError> {
        let terms = self.preconditions();
        let executed =
            engine.command_with_preconditions(self.at, Some(account), resource, self.command, &terms)?;
        let result = match (&executed.refusal, &executed.approval) {
            (Some(refusal), _) => ItemOutcome::Refused.with_reason(&refusal.code, &refusal.message),
            (None, Some(_)) => ItemResult {
                outcome: ItemOutcome::PendingApproval.name().to_owned(),
                ..ItemResult::default()
            },
            (None, None) if executed.call.is_some() => {
                ItemResult { outcome: ItemOutcome::PendingCall.name().to_owned(), ..ItemResult::default() }
            }
            (None, None) => {
                let outcome = ItemOutcome::Applied.name().to_owned();
                let cost = cost_of_events(&executed.events, self.at, currency);
                ItemResult { outcome, cost: Some(cost), ..ItemResult::default() }
            }
        };
        Ok((result, executed.events))
    }

    /// Plans and prices the command as though it alone were applied now.
    fn plan(&self, engine: &Engine, resource: &str) -> Result<ItemResult, ServiceError> {
        let (providers, asked) = (engine.providers(), self.preconditions());
        let proposal = command::propose(engine.db(), providers, self.at, resource, self.command, &asked)?
            .ok_or_else(|| ServiceError::UnknownResource(resource.to_owned()))?;
        let mut result = match &proposal.refusal {
            Some(refusal) => ItemOutcome::Refused.with_reason(&refusal.code, &refusal.message),
            None => ItemResult { outcome: ItemOutcome::Planned.name().to_owned(), ..ItemResult::default() },
        };
        result.plan_hash = (!proposal.plans.is_empty()).then(|| proposal.hash_without_balance());
        // A plan that only the balance stands against is priced too: the sum is the balance that the job needs.
        result.cost = result.plan_hash.as_ref().map(|_| ItemCost {
            currency: proposal.account.currency.clone(),
            cost: proposal.cost(),
            refund: proposal.refund(),
        });
        let plan = serde_json::to_string(&proposal.view()).expect("plans have text as keys");
        result.plan = Some(plan);
        Ok(result)
    }

    /// Checks that the plan still is that of the dry run.
    fn check_plan(
        &self,
        engine: &Engine,
        resource: &str,
        plan_hash: Option<&str>,
    ) -> Result<(), ServiceError> {
        let Some(plan_hash) = plan_hash else { return Ok(()) };
        let (providers, asked) = (engine.providers(), self.preconditions());
        let proposal = command::propose(engine.db(), providers, self.at, resource, self.command, &asked)?;
        let proposal = proposal.filter(|proposal| !proposal.plans.is_empty());
        let present = proposal.map(|proposal| proposal.hash_without_balance());
        if present.as_deref() == Some(plan_hash) { Ok(()) } else { Err(ServiceError::PlanChanged) }
    }
}

/// The result of an item that failed.
fn result_of_error(error: &ServiceError) -> ItemResult {
    let outcome = match error.code() {
        "not-found" => ItemOutcome::Unknown,
        "plan-changed" => ItemOutcome::PlanChanged,
        _ => ItemOutcome::Failed,
    };
    outcome.with_reason(error.code(), &error.public_message())
}

/// The cost of a command, from the events at its instant. Overdue work that was done first has earlier events.
fn cost_of_events(events: &[RecordedEvent], at: Timestamp, currency: String) -> ItemCost {
    let mut total = ItemCost { currency, cost: Micros::ZERO, refund: Micros::ZERO };
    for recorded in events.iter().filter(|recorded| recorded.event.at == at) {
        if let EventKind::BalanceChanged { amount, .. } = &recorded.event.what {
            if *amount < Micros::ZERO {
                total.cost += -*amount;
            } else {
                total.refund += *amount;
            }
        }
    }
    total
}
