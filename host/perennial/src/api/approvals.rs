//! `/v1/approvals`: plans that were held, and the decisions on them.
//!
//! Whoever asked for what is held does not decide on it, whatever their role is.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::account::Account;
use perennial_domain::approval::Lapse;
use perennial_domain::approval::State as ApprovalState;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use rusqlite::Connection;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::auth::Caller;
use crate::api::host::Host;
use crate::api::input::Body;
use crate::api::input::Id;
use crate::api::input::Query;
use crate::api::page;
use crate::api::page::Page;
use crate::api::plans::PlanView;
use crate::api::plans::RefusalView;
use crate::api::problem::Kind;
use crate::api::problem::Problem;
use crate::api::shapes;
use crate::api::shapes::EventView;
use crate::api::shapes::ResourceView;
use crate::api::shapes::shown;
use crate::api::write::Reply;
use crate::api::write::Work;
use crate::api::write::Write;
use crate::engine::Engine;
use crate::engine::approval::Decision;
use crate::engine::approval::DecisionError;
use crate::engine::approval::Verdict;
use crate::engine::proposal::PricedPlan;
use crate::engine::proposal::Proposal;
use crate::formats;
use crate::formats::body::Spot;
use crate::store::accounts;
use crate::store::approvals;
use crate::store::approvals::Filter;
use crate::store::approvals::StoredApproval;
use crate::store::error::StoreError;

/// A plan that was held, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Approval)]
pub(crate) struct ApprovalView {
    /// What it is called by.
    id: String,
    /// Whose it is.
    account: String,
    /// The resource that the command names.
    resource: String,
    /// `open`, `approved`, `rejected` or `lapsed`.
    state: &'static str,
    /// The command.
    command: &'static str,
    /// `auto`: the clock asked; `command`: a person or program.
    cause: &'static str,
    /// What it costs, with what is to be paid later, a decimal.
    cost: String,
    /// The account's currency.
    currency: String,
    /// When it was asked for.
    asked_at: String,
    /// The id of the token, or of the key of a provider's own API, that asked and does not decide; null for the clock.
    asked_by: Option<String>,
    /// When it lapses, or would have.
    lapses_at: String,
    /// When it was decided on, or lapsed.
    closed_at: Option<String>,
    /// The id of the token that decided.
    decided_by: Option<String>,
    /// Why, if they said.
    reason: Option<String>,
    /// Why it lapsed: `undecided`, `ended`, `expiry_moved` or `auto_renew_off`.
    lapse: Option<&'static str>,
    /// The attempt's id, for a renewal.
    attempt: Option<String>,
    /// What is held, as it was made last. Its balances are those of then, and below nothing where money was missing.
    plan: PlanView,
}

impl ApprovalView {
    /// An approval as stored.
    pub(crate) fn stored(db: &Connection, stored: StoredApproval) -> Result<ApprovalView, StoreError> {
        let proposal = proposal(accounts::at(db, stored.account)?.account, &stored)?;
        let closing = stored.closing.as_ref();
        Ok(ApprovalView {
            state: stored.state.name(),
            command: proposal.command.name(),
            cause: stored.cause.name(),
            cost: stored.priced.cost.to_string(),
            currency: proposal.account.currency.clone(),
            asked_at: stored.asked_at.to_string(),
            lapses_at: stored.lapses_at.to_string(),
            closed_at: shown(closing.map(|closing| closing.at)),
            decided_by: closing.and_then(|closing| closing.by.clone()),
            reason: closing.and_then(|closing| closing.reason.clone()),
            lapse: closing.and_then(|closing| closing.lapse).map(Lapse::name),
            attempt: stored.attempt.as_ref().map(|(_, key)| key.to_string()),
            plan: PlanView::held(&proposal, stored.priced.hash),
            id: stored.id,
            account: stored.account_id,
            resource: stored.resource_id,
            asked_by: stored.asked_by,
        })
    }

    /// Where it is.
    pub(crate) fn location(&self) -> String {
        format!("/v1/approvals/{}", shapes::segment(&self.id))
    }
}

/// What is held, from what was kept of it.
fn proposal(account: Account, stored: &StoredApproval) -> Result<Proposal, StoreError> {
    let priced = &stored.priced;
    let damaged = |found: String| StoreError::Damaged { what: "a kept plan", found };
    let question = formats::decision::read_question(&priced.question, formats::decision::CONTRACT);
    let question = question.map_err(|problems| damaged(problems.to_string()))?;
    let answer = formats::decision::read_answer(&priced.answer, formats::decision::CONTRACT);
    let plan = answer.map_err(|problems| damaged(problems.to_string()))?;
    let plan = plan.map_err(|refusal| damaged(refusal.code))?;
    let plan = PricedPlan::new(question.member, &plan, &question.bundle, question.at);
    let balance = |available| Balance::new(available, Micros::ZERO);
    let mut proposal = Proposal {
        at: question.at,
        command: question.command,
        account: Account { balance: balance(priced.available), ..account },
        bundle: question.bundle,
        named: question.member,
        revision: priced.revision.clone(),
        plans: vec![plan],
        refusal: None,
        balance_after: balance(priced.available),
    };
    proposal.balance_after = balance(priced.available - proposal.cost() + proposal.refund());
    Ok(proposal)
}

/// The parameters of a list of approvals.
pub(super) fn filter(caller: &Caller, query: &mut Query) -> Filter {
    Filter {
        accounts: caller.accounts_json(),
        account: query.take("account"),
        resource: query.take("resource"),
        state: query.one_of("state", &ApprovalState::ALL, ApprovalState::name),
    }
}

/// A page of approvals.
pub(super) async fn page_of(
    host: &Host,
    filter: Filter,
    asked: page::Asked,
) -> Result<Json<Page<ApprovalView>>, Problem> {
    let rows = host
        .read(move |db| {
            let found = approvals::list(db, &filter, asked.after.unwrap_or(0), asked.read_limit())?;
            let view = |stored: StoredApproval| Ok((stored.row, ApprovalView::stored(db, stored)?));
            found.into_iter().map(view).collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    Ok(Json(Page::new(asked, rows)))
}

/// Lists approvals, in the order in which they were asked for.
#[utoipa::path(get, path = "/v1/approvals", tag = "approvals",
    params(
        ("account" = Option<String>, Query, description = "Only of this account."),
        ("resource" = Option<String>, Query, description = "Only of this resource."),
        ("state" = Option<String>, Query, description = "Only in this state: `open`, `approved`, `rejected` or `lapsed`."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many on a page; 100 if left out."),
    ),
    responses((status = 200, body = Page<ApprovalView>)))]
pub(super) async fn list(
    State(host): State<Host>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<ApprovalView>>, Problem> {
    let asked = page::Asked::read(&mut query);
    let filter = filter(&caller, &mut query);
    query.finish()?;
    page_of(&host, filter, asked).await
}

/// Gets an approval, with the whole plan that it is about.
#[utoipa::path(get, path = "/v1/approvals/{id}", tag = "approvals", params(("id" = String, Path)),
    responses((status = 200, body = ApprovalView, headers(("ETag" = String, description = "Its version.")))))]
pub(super) async fn get(
    State(host): State<Host>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    query.finish()?;
    let view = host.read(move |db| Ok(ApprovalView::stored(db, seen(db, &caller, &id)?)?)).await?;
    Ok(Reply::ok_versioned(&view).into_response())
}

/// The approval called `id`, if the caller sees it.
fn seen(db: &Connection, caller: &Caller, id: &str) -> Result<StoredApproval, Problem> {
    let found = approvals::get(db, id)?.filter(|stored| caller.sees(&stored.account_id));
    found.ok_or_else(|| Problem::not_found("approval", id))
}

/// A yes.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Approve {
    /// Why; what `X-Reason` says, if it is left out.
    #[schema(min_length = 1)]
    reason: Option<String>,
    /// The hash of the plan that was looked at: only that one is approved of.
    #[schema(min_length = 1)]
    plan_hash: Option<String>,
}

impl Body for Approve {
    fn read(spot: Spot<'_, '_>) -> Option<Approve> {
        let fields = spot.object(&["reason", "plan_hash"])?;
        let text = |name| fields.optional(name, |spot: Spot<'_, '_>| spot.name().map(str::to_owned)).option();
        let (reason, plan_hash) = (text("reason"), text("plan_hash"));
        Some(Approve { reason: reason?, plan_hash: plan_hash? })
    }
}

/// A no.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reject {
    /// Why; what `X-Reason` says, if it is left out.
    #[schema(min_length = 1)]
    reason: Option<String>,
}

impl Body for Reject {
    fn read(spot: Spot<'_, '_>) -> Option<Reject> {
        let fields = spot.object(&["reason"])?;
        Some(Reject { reason: fields.optional("reason", |spot| spot.name().map(str::to_owned)).option()? })
    }
}

/// What became of a decision.
#[derive(Serialize, ToSchema)]
#[schema(as = Decided)]
pub(super) struct DecidedView {
    /// The approval as it is now.
    approval: ApprovalView,
    /// The resource as it is now.
    resource: ResourceView,
    /// What happened.
    events: Vec<EventView>,
}

/// Carries out what is held, if it still is what the command would do; otherwise it is priced anew, to be looked at again.
#[utoipa::path(post, path = "/v1/approvals/{id}:approve", tag = "approvals", params(("id" = String, Path)),
    request_body = Approve, responses((status = 200, body = DecidedView)))]
pub(super) async fn approve(
    State(host): State<Host>,
    Id(id): Id,
    write: Write<Approve>,
) -> Result<Reply, Problem> {
    host.write(write, move |work, body| {
        decide(work, &id, body.reason, body.plan_hash, |engine, at, decision| {
            engine.approve(at, &id, decision)
        })
    })
    .await
}

/// Says no to what is held. An automatic renewal is not asked for again until its resource has another expiry.
#[utoipa::path(post, path = "/v1/approvals/{id}:reject", tag = "approvals", params(("id" = String, Path)),
    request_body = Reject, responses((status = 200, body = DecidedView)))]
pub(super) async fn reject(
    State(host): State<Host>,
    Id(id): Id,
    write: Write<Reject>,
) -> Result<Reply, Problem> {
    host.write(write, move |work, body| {
        decide(work, &id, body.reason, None, |engine, at, decision| engine.reject(at, &id, decision))
    })
    .await
}

fn decide(
    work: &mut Work<'_>,
    id: &str,
    reason: Option<String>,
    planned: Option<String>,
    decide: impl FnOnce(
        &mut Engine,
        perennial_domain::timestamp::Timestamp,
        &Decision<'_>,
    ) -> Result<Verdict, DecisionError>,
) -> Result<Reply, Problem> {
    let stored = seen(work.db(), &work.request.caller, id)?;
    let (account, resource) = (stored.account_id.clone(), stored.resource_id.clone());
    work.check_version(&shapes::etag(&ApprovalView::stored(work.db(), stored)?))?;
    work.about(&account, Some(&resource));
    let reason = reason.as_deref().or(work.request.reason.as_deref());
    let by = &work.request.caller.id;
    let decision = Decision { by, reason, planned: planned.as_deref() };
    let (problem, happened) = match decide(work.engine, work.at, &decision)? {
        Verdict::Done(happened) => (None, happened),
        Verdict::Refused { refusal, happened } => {
            let problem =
                Problem::new(Kind::CommandRefused, format!("{}: {}", refusal.code, refusal.message))
                    .with("refusal", serde_json::json!(RefusalView::from(&refusal)));
            (Some(problem), happened)
        }
        Verdict::Changed { hash, happened } => {
            let detail =
                "it would do something else by now, which the approval holds from now on; look at it again";
            (Some(Problem::new(Kind::PlanChanged, detail).with("plan_hash", hash.into())), happened)
        }
    };
    let events = happened.iter().map(EventView::recorded).collect::<Vec<_>>();
    work.tell(happened);
    let approval = ApprovalView::stored(work.db(), seen(work.db(), &work.request.caller, id)?)?;
    if let Some(problem) = problem {
        let problem = problem.with("approval", serde_json::json!(approval));
        return Ok(Reply::problem(&problem.with("events", serde_json::json!(events))));
    }
    let resource = shapes::resource(work.db(), &work.request.caller, &resource)?.view(work.db())?;
    let etag = shapes::etag(&approval);
    Ok(Reply::ok(&DecidedView { approval, resource, events }).with_etag(&etag))
}

impl From<DecisionError> for Problem {
    fn from(error: DecisionError) -> Problem {
        let detail = error.to_string();
        match error {
            DecisionError::Engine(error) => error.into(),
            DecisionError::Unknown(id) => Problem::not_found("approval", &id),
            DecisionError::Closed(_) | DecisionError::Late(_) => Problem::new(Kind::Conflict, detail),
            DecisionError::Own => Problem::new(Kind::OwnApproval, detail),
            DecisionError::OtherPlan(hash) => {
                Problem::new(Kind::PlanChanged, detail).with("plan_hash", hash.into())
            }
        }
    }
}
