//! Executes jobs of many commands in slices: a few items at a time, between the clock's work and everybody else's.
//!
//! A slice is one transaction: what its items did, what each was answered, and how far the job is. Killed before it is
//! written, none of it happened; after it, the job goes on with the next item. So each item is done once.

use perennial_domain::event::EventKind;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Command;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::clock::Stopwatch;
use perennial_engine::command;
use perennial_engine::write::Recorded;
use perennial_formats::decision;
use perennial_store::error::StoreError;
use perennial_store::jobs;
use perennial_store::jobs::Answered;
use perennial_store::jobs::Spent;
use perennial_store::jobs::StoredItem;
use perennial_store::jobs::StoredJob;

use crate::admin_tokens::Caller;
use crate::error::ServiceError;
use crate::lookup;
use crate::writer::Desk;

/// The most items of one slice ...
const ITEMS_MAX: u32 = 32;
/// ... and how long it goes on with the next one, in seconds: what waits for the writer waits this long, and an item.
const PATIENCE: f64 = 0.1;

/// What may become of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// The command was carried out.
    CarriedOut,
    /// Only looked at: this is its plan.
    Planned,
    /// It waits for an approval.
    PendingApproval,
    /// The provider's rules refuse it, or the balance does not suffice.
    Refused,
    /// There is no such resource, or the token does not see it.
    Unknown,
    /// It would do something else than the dry run said.
    PlanChanged,
    /// Nothing was to be done about it.
    Skipped,
    /// It could not be decided.
    Failed,
}

impl Answer {
    /// Every answer.
    pub const ALL: [Answer; 8] = [
        Answer::CarriedOut,
        Answer::Planned,
        Answer::PendingApproval,
        Answer::Refused,
        Answer::Unknown,
        Answer::PlanChanged,
        Answer::Skipped,
        Answer::Failed,
    ];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Answer::CarriedOut => "carried_out",
            Answer::Planned => "planned",
            Answer::PendingApproval => "pending_approval",
            Answer::Refused => "refused",
            Answer::Unknown => "unknown",
            Answer::PlanChanged => "plan_changed",
            Answer::Skipped => "skipped",
            Answer::Failed => "failed",
        }
    }

    /// The answer with a code and words.
    pub fn because(self, code: &str, message: &str) -> Answered {
        let (code, message) = (Some(code.to_owned()), Some(message.to_owned()));
        Answered { outcome: self.name().to_owned(), code, message, ..Answered::default() }
    }
}

/// Does the next items of a job that is running, if there is one; returns whether there was.
pub(crate) fn run_slice(desk: &mut Desk) -> bool {
    match next(desk) {
        Ok(was_one) => was_one,
        Err(error) => {
            // It is not lost: the job is tried again when the writer next has something to do.
            tracing::error!(%error, "a slice of a job could not be written");
            false
        }
    }
}

fn next(desk: &mut Desk) -> Result<bool, ServiceError> {
    let Some(job) = jobs::next_running(desk.engine.read(), desk.last_job)? else { return Ok(false) };
    desk.last_job = job.row;
    let at = desk.now();
    let caller = desk.tokens().in_force(&job.began.token, at);
    let happened = desk.engine.atomically(|engine| match caller {
        Some(caller) => items(engine, &job, &caller, at),
        None => {
            jobs::cancel(engine.read(), job.row, "the token that asked for it is no longer in force", at)?;
            Ok(Vec::new())
        }
    })?;
    desk.pulse().tell(&happened);
    Ok(true)
}

/// Does the items of one slice.
fn items(
    engine: &mut Engine,
    job: &StoredJob,
    caller: &Caller,
    at: Timestamp,
) -> Result<Vec<Recorded>, ServiceError> {
    let began = &job.began;
    let damaged = |_| StoreError::Damaged { what: "a job's command", found: began.command.clone() };
    let command = decision::read_command(&began.command).map_err(damaged)?;
    let item_command = ItemCommand { at, caller, command: &command, is_dry_run: began.is_dry_run };
    let watch = Stopwatch::start();
    let (mut position, mut all) = (job.next_position, Vec::new());
    for item in jobs::items(engine.read(), job.row, None, i64::from(position), ITEMS_MAX)? {
        if item.answered.is_none() {
            let (answered, happened) = item_command.run(engine, &item);
            jobs::answer(engine.read(), job.row, item.position, at, &answered)?;
            all.extend(happened);
        }
        position = item.position + 1;
        if watch.seconds() > PATIENCE {
            break;
        }
    }
    jobs::advance(engine.read(), job.row, position, at)?;
    Ok(all)
}

/// What a job does with each of its items.
struct ItemCommand<'a> {
    at: Timestamp,
    caller: &'a Caller,
    command: &'a Command,
    is_dry_run: bool,
}

impl ItemCommand<'_> {
    /// What becomes of one item, and what happened with it. A failure of it undoes nothing else.
    fn run(&self, engine: &mut Engine, item: &StoredItem) -> (Answered, Vec<Recorded>) {
        let run = engine.atomically(|engine| {
            let found = lookup::resolve_resource(engine.read(), self.caller, &item.resource)?;
            let account = found.account.account;
            if self.is_dry_run {
                return Ok((self.plan(engine, &item.resource)?, Vec::new()));
            }
            self.check_plan(engine, &item.resource, item.plan_hash.as_deref())?;
            self.execute(engine, &account.id, &item.resource, account.currency)
        });
        run.unwrap_or_else(|error: ServiceError| (failed(&error), Vec::new()))
    }

    /// Carries the command out; that it is refused, or waits for an approval, is an ordinary outcome.
    fn execute(
        &self,
        engine: &mut Engine,
        account: &str,
        resource: &str,
        currency: String,
    ) -> Result<(Answered, Vec<Recorded>), ServiceError> {
        let terms = command::Terms { planned: None, requested_by: Some(&self.caller.id) };
        let executed = engine.command_as_planned(self.at, Some(account), resource, self.command, &terms)?;
        let answered = match (&executed.refusal, &executed.approval) {
            (Some(refusal), _) => Answer::Refused.because(&refusal.code, &refusal.message),
            (None, Some(_)) => Answered { outcome: Answer::PendingApproval.name().to_owned(), ..Answered::default() },
            (None, None) => {
                let outcome = Answer::CarriedOut.name().to_owned();
                let spent = spent(&executed.happened, self.at, currency);
                Answered { outcome, spent: Some(spent), ..Answered::default() }
            }
        };
        Ok((answered, executed.happened))
    }

    /// The plan of the command, priced as though it alone were carried out now.
    fn plan(&self, engine: &Engine, resource: &str) -> Result<Answered, ServiceError> {
        let proposal = command::propose(engine.read(), engine.providers(), self.at, resource, self.command)?
            .ok_or_else(|| ServiceError::UnknownResource(resource.to_owned()))?;
        let mut answered = match &proposal.refusal {
            Some(refusal) => Answer::Refused.because(&refusal.code, &refusal.message),
            None => Answered { outcome: Answer::Planned.name().to_owned(), ..Answered::default() },
        };
        answered.plan_hash = (!proposal.plans.is_empty()).then(|| proposal.hash_without_balance());
        // What the balance alone stands against is counted: it is what there has to be.
        answered.spent = answered.plan_hash.as_ref().map(|_| Spent {
            currency: proposal.account.currency.clone(),
            cost: proposal.cost(),
            refund: proposal.refund(),
        });
        let plan = serde_json::to_string(&proposal.view()).expect("plans have text as keys");
        answered.plan = Some(plan);
        Ok(answered)
    }

    /// Refuses to do something else than a dry run said.
    fn check_plan(&self, engine: &Engine, resource: &str, planned: Option<&str>) -> Result<(), ServiceError> {
        let Some(planned) = planned else { return Ok(()) };
        let proposal = command::propose(engine.read(), engine.providers(), self.at, resource, self.command)?;
        let found = proposal.filter(|proposal| !proposal.plans.is_empty());
        let found = found.map(|proposal| proposal.hash_without_balance());
        if found.as_deref() == Some(planned) { Ok(()) } else { Err(ServiceError::PlanChanged) }
    }
}

/// What an error says of an item.
fn failed(error: &ServiceError) -> Answered {
    let answer = match error.code() {
        "not-found" => Answer::Unknown,
        "plan-changed" => Answer::PlanChanged,
        _ => Answer::Failed,
    };
    answer.because(error.code(), &error.public_message())
}

/// What a command cost, by what happened at its instant: what was overdue and done first has earlier ones.
fn spent(happened: &[Recorded], at: Timestamp, currency: String) -> Spent {
    let mut spent = Spent { currency, cost: Micros::ZERO, refund: Micros::ZERO };
    for recorded in happened.iter().filter(|recorded| recorded.event.at == at) {
        if let EventKind::BalanceChanged { amount, .. } = &recorded.event.what {
            if *amount < Micros::ZERO {
                spent.cost += -*amount;
            } else {
                spent.refund += *amount;
            }
        }
    }
    spent
}
