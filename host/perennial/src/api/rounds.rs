//! Rounds: jobs of many commands, carried out a few items at a time between the clock's work and everybody else's.
//!
//! A round is one transaction: what its items did, what each was answered, and how far the job is. Killed before it is
//! written, none of it happened; after it, the job goes on with the next item. So each item is done once.

use perennial_domain::event::EventKind;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Command;
use perennial_domain::timestamp::Timestamp;
use serde_json::Value;

use crate::api::auth::Caller;
use crate::api::commands;
use crate::api::plans::PlanView;
use crate::api::problem::Kind;
use crate::api::problem::Problem;
use crate::api::shapes;
use crate::api::write;
use crate::api::write::Reply;
use crate::api::write::Request;
use crate::api::write::Work;
use crate::api::writer::Desk;
use crate::clock::Stopwatch;
use crate::engine::Engine;
use crate::engine::command;
use crate::engine::write::Recorded;
use crate::formats::decision;
use crate::store::jobs;
use crate::store::jobs::Answered;
use crate::store::jobs::Spent;
use crate::store::jobs::StoredItem;
use crate::store::jobs::StoredJob;

/// The most items of one round ...
const ITEMS_MAX: u32 = 32;
/// ... and how long it goes on with the next one, in seconds: what waits for the writer waits this long, and an item.
const PATIENCE: f64 = 0.1;

/// What may become of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Answer {
    /// The command was carried out.
    CarriedOut,
    /// Only looked at: this is its plan.
    Planned,
    /// Somebody has to approve of it first.
    Held,
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
    pub(crate) const ALL: [Answer; 8] = [
        Answer::CarriedOut,
        Answer::Planned,
        Answer::Held,
        Answer::Refused,
        Answer::Unknown,
        Answer::PlanChanged,
        Answer::Skipped,
        Answer::Failed,
    ];

    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Answer::CarriedOut => "carried_out",
            Answer::Planned => "planned",
            Answer::Held => "held",
            Answer::Refused => "refused",
            Answer::Unknown => "unknown",
            Answer::PlanChanged => "plan_changed",
            Answer::Skipped => "skipped",
            Answer::Failed => "failed",
        }
    }

    /// The answer with a code and words.
    pub(crate) fn because(self, code: &str, message: &str) -> Answered {
        let (code, message) = (Some(code.to_owned()), Some(message.to_owned()));
        Answered { answer: self.name().to_owned(), code, message, ..Answered::default() }
    }
}

/// Does the next items of a job that is running, if there is one; returns whether there was.
pub(crate) fn round(desk: &mut Desk) -> bool {
    match next(desk) {
        Ok(was_one) => was_one,
        Err(problem) => {
            // It is not lost: the job is tried again when the writer next has something to do.
            tracing::error!(detail = problem.detail, "a round of a job could not be written");
            false
        }
    }
}

fn next(desk: &mut Desk) -> Result<bool, Problem> {
    let Some(job) = jobs::next_running(desk.engine.read(), desk.last_job)? else { return Ok(false) };
    desk.last_job = job.row;
    let at = desk.now();
    let caller = desk.tokens().in_force(&job.began.token, at);
    let happened = desk.engine.atomically(|engine| match caller {
        Some(caller) => items(engine, &job, caller, at),
        None => {
            jobs::cancel(engine.read(), job.row, "the token that asked for it is no longer in force", at)?;
            Ok(Vec::new())
        }
    })?;
    desk.pulse().tell(&happened);
    Ok(true)
}

/// Does the items of one round.
fn items(
    engine: &mut Engine,
    job: &StoredJob,
    caller: Caller,
    at: Timestamp,
) -> Result<Vec<Recorded>, Problem> {
    let began = &job.began;
    let command = decision::read_command(&began.command)?;
    let request = Request::afterwards(caller, "POST /v1/jobs", began.request.clone(), began.reason.clone());
    let watch = Stopwatch::start();
    let (mut place, mut all) = (job.next_place, Vec::new());
    for item in jobs::items(engine.read(), job.row, None, i64::from(place), ITEMS_MAX)? {
        if item.answered.is_none() {
            let (answered, happened) = answer(engine, at, &request, &command, began.is_dry_run, &item);
            jobs::answer(engine.read(), job.row, item.place, at, &answered)?;
            all.extend(happened);
        }
        place = item.place + 1;
        if watch.seconds() > PATIENCE {
            break;
        }
    }
    jobs::advance(engine.read(), job.row, place, at)?;
    Ok(all)
}

/// What becomes of one item, and what happened with it. A failure of it undoes nothing else.
fn answer(
    engine: &mut Engine,
    at: Timestamp,
    request: &Request,
    command: &Command,
    is_dry_run: bool,
    item: &StoredItem,
) -> (Answered, Vec<Recorded>) {
    let done = write::apart(engine, at, request, |work| {
        let found = shapes::resource(work.db(), &work.request.caller, &item.resource)?;
        let account = &found.account.account;
        if is_dry_run {
            return looked_at(work, &item.resource, command).map(Done::LookedAt);
        }
        check_plan(work, &item.resource, command, item.planned.as_deref())?;
        let reply = commands::carried_out(work, &account.id, &item.resource, command, None)?;
        Ok(Done::Commanded(reply, account.currency.clone()))
    });
    match done {
        Ok((Done::LookedAt(answered), happened)) => (answered, happened),
        Ok((Done::Commanded(reply, currency), happened)) => {
            let spent = spent(&happened, at, currency);
            (replied(&reply, spent), happened)
        }
        Err(problem) => (failed(&problem), Vec::new()),
    }
}

/// What was done about an item.
enum Done {
    LookedAt(Answered),
    Commanded(Reply, String),
}

/// The plan of a command, priced as though it alone were carried out now.
fn looked_at(work: &Work<'_>, resource: &str, command: &Command) -> Result<Answered, Problem> {
    let proposal = command::propose(work.db(), work.engine.providers(), work.at, resource, command)?
        .ok_or_else(|| Problem::not_found("resource", resource))?;
    let mut answered = match &proposal.refusal {
        Some(refusal) => Answer::Refused.because(&refusal.code, &refusal.message),
        None => Answered { answer: Answer::Planned.name().to_owned(), ..Answered::default() },
    };
    answered.planned = (!proposal.plans.is_empty()).then(|| proposal.hash_without_balance());
    // What the balance alone stands against is counted: it is what there has to be.
    answered.spent = answered.planned.as_ref().map(|_| Spent {
        currency: proposal.account.currency.clone(),
        cost: proposal.cost(),
        refund: proposal.refund(),
    });
    let plan = serde_json::to_string(&PlanView::from(&proposal)).expect("answers have text as keys");
    answered.plan = Some(plan);
    Ok(answered)
}

/// Refuses to do something else than a dry run said.
fn check_plan(
    work: &Work<'_>,
    resource: &str,
    command: &Command,
    planned: Option<&str>,
) -> Result<(), Problem> {
    let Some(planned) = planned else { return Ok(()) };
    let proposal = command::propose(work.db(), work.engine.providers(), work.at, resource, command)?;
    let found = proposal.filter(|proposal| !proposal.plans.is_empty());
    let found = found.map(|proposal| proposal.hash_without_balance());
    if found.as_deref() == Some(planned) {
        return Ok(());
    }
    Err(Problem::new(Kind::PlanChanged, "the command would now do something else than the dry run said"))
}

/// What the answer to a single command says of an item.
fn replied(reply: &Reply, spent: Spent) -> Answered {
    let body = || serde_json::from_str::<Value>(reply.body()).unwrap_or_default();
    match reply.status().as_u16() {
        200 => {
            let answer = Answer::CarriedOut.name().to_owned();
            Answered { answer, spent: Some(spent), ..Answered::default() }
        }
        202 => Answered { answer: Answer::Held.name().to_owned(), ..Answered::default() },
        _ => {
            let body = body();
            let text = |name: &str| body["refusal"][name].as_str().unwrap_or_default().to_owned();
            Answer::Refused.because(&text("code"), &text("message"))
        }
    }
}

/// What a problem says of an item.
fn failed(problem: &Problem) -> Answered {
    let answer = if problem.kind == Kind::NotFound {
        Answer::Unknown
    } else if problem.kind == Kind::PlanChanged {
        Answer::PlanChanged
    } else {
        Answer::Failed
    };
    answer.because(problem.kind.slug(), &problem.detail)
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
