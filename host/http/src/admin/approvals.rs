//! `/v1/approvals`: plans that need an approval, and the decisions on them.
//!
//! The requester of an approval cannot decide on it, whatever its role.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::account::Account;
use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::State as ApprovalState;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_store::ReadTx;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

use crate::admin::approval_bodies::Approve;
use crate::admin::approval_bodies::Reject;
use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::resource_view;
use crate::resource_view::ResourceView;
use crate::state::AppState;
use crate::views;
use crate::views::to_text;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteResponse;
use perennial_engine::EngineTx;
use perennial_engine::approval::ApprovalDecision;
use perennial_engine::approval::DecisionError;
use perennial_engine::approval::DecisionOutcome;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::proposal::PricedPlan;
use perennial_engine::proposal::Proposal;
use perennial_formats as formats;
use perennial_formats::event_view::EventView;
use perennial_formats::plan::PlanView;
use perennial_formats::plan::RefusalView;
use perennial_formats::plan::RequiredApprovalView;
use perennial_service::admin_tokens::Caller;
use perennial_service::lookup;
use perennial_store::accounts;
use perennial_store::approvals;
use perennial_store::approvals::Filter;
use perennial_store::approvals::StoredApproval;
use perennial_store::error::StoreError;

/// A plan that needs an approval, and the decision on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Approval)]
pub(crate) struct ApprovalView {
    /// Public ID, such as `ecs-1~2`.
    id: String,
    /// The account's ID.
    account: String,
    /// The resource of the command.
    resource: String,
    /// `pending`, `approved`, `rejected` or `expired`.
    state: &'static str,
    /// The command, such as `renew`.
    command: &'static str,
    /// `auto` for the clock, `command` for a person or program.
    cause: &'static str,
    /// The cost of the plan, later payments included, a decimal.
    cost: String,
    /// The account's currency.
    currency: String,
    /// When it was requested.
    requested_at: String,
    /// The ID of the token or provider key that requested it and cannot decide on it; null for the clock.
    requested_by: Option<String>,
    /// When it expires or, once decided, would have expired.
    expires_at: String,
    /// When it was decided or expired.
    closed_at: Option<String>,
    /// The ID of the token that decided.
    decided_by: Option<String>,
    /// The reason for the decision.
    reason: Option<String>,
    /// The reason for its expiry: `undecided`, `ended`, `expiry_moved`, `auto_renew_off` or
    /// `order_closed`.
    expiry_reason: Option<&'static str>,
    /// The attempt's ID, for a renewal.
    attempt: Option<String>,
    /// The policies that require an approval. Each takes an approver of its label; one decision gives all that its token
    /// can give.
    required: Vec<RequiredApprovalView>,
    /// The plan as it was last made. Its balances are of that instant, and negative if money was missing.
    plan: PlanView,
}

impl ApprovalView {
    /// The view of a stored approval.
    pub(crate) fn from_stored(db: &ReadTx, stored: StoredApproval) -> Result<ApprovalView, StoreError> {
        let proposal = proposal(accounts::get_by_row(db, stored.account)?.account, &stored)?;
        let closing = stored.closing.as_ref();
        Ok(ApprovalView {
            state: stored.state.name(),
            command: proposal.command.name(),
            cause: stored.cause.name(),
            cost: stored.priced.cost.to_string(),
            currency: proposal.account.currency.clone(),
            requested_at: stored.requested_at.to_string(),
            expires_at: stored.expires_at.to_string(),
            closed_at: to_text(closing.map(|closing| closing.at)),
            decided_by: closing.and_then(|closing| closing.by.clone()),
            reason: closing.and_then(|closing| closing.reason.clone()),
            expiry_reason: closing.and_then(|closing| closing.expiry_reason).map(ExpiryReason::name),
            attempt: stored.attempt.as_ref().map(ToString::to_string),
            required: stored.required.iter().map(RequiredApprovalView::from).collect(),
            plan: proposal.pending_view(stored.priced.plan_hash),
            id: stored.id,
            account: stored.account_id,
            resource: stored.resource_id,
            requested_by: stored.requested_by,
        })
    }

    /// The path of the approval.
    pub(crate) fn location(&self) -> String {
        format!("/v1/approvals/{}", views::path_segment(&self.id))
    }
}

/// Rebuilds the plan from its stored request and response.
fn proposal(account: Account, stored: &StoredApproval) -> Result<Proposal, StoreError> {
    let priced = &stored.priced;
    let damaged = |found: String| StoreError::Damaged { what: "a stored plan", found };
    let request = formats::decision::read_request(&priced.request, &priced.contract);
    let request = request.map_err(|problems| damaged(problems.to_string()))?;
    let response = formats::decision::read_answer(&priced.response, &priced.contract);
    let plan = response.map_err(|problems| damaged(problems.to_string()))?;
    let plan = plan.map_err(|refusal| damaged(refusal.code))?;
    let plan = PricedPlan::new(request.member, &plan, &request.bundle, request.at);
    let balance = |available| Balance::new(available, Micros::ZERO);
    let mut proposal = Proposal {
        at: request.at,
        command: request.command,
        account: Account { balance: balance(priced.available), ..account },
        bundle: request.bundle,
        named: request.member,
        revision: priced.revision.clone(),
        plans: vec![plan],
        refusal: None,
        required: stored.required.clone(),
        rulings: Vec::new(),
        balance_after: balance(priced.available),
    };
    proposal.balance_after = balance(priced.available - proposal.cost() + proposal.refund());
    Ok(proposal)
}

/// The parameters that [`filter`] reads, as the API describes them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `filter` reads")]
pub(super) struct ApprovalFilterParams {
    /// Only of this account.
    account: Option<String>,
    /// Only of this resource.
    resource: Option<String>,
    /// Only in this state: `pending`, `approved`, `rejected` or `expired`.
    state: Option<String>,
}

/// Reads the filter of a list of approvals: `account`, `resource`, `state`.
pub(super) fn filter(caller: &Caller, query: &mut Query) -> Filter {
    Filter {
        accounts: caller.accounts_json(),
        account: query.take("account"),
        resource: query.take("resource"),
        state: query.one_of("state", &ApprovalState::ALL, ApprovalState::name),
    }
}

/// Reads a page of approvals.
pub(super) async fn page_of(
    app: &AppState,
    filter: Filter,
    page_request: page::PageRequest,
) -> Result<Json<Page<ApprovalView>>, Problem> {
    let rows = app
        .read(move |db| {
            let stored = approvals::list(db, &filter, page_request.after(), page_request.read_limit())?;
            let view = |stored: StoredApproval| Ok((stored.row, ApprovalView::from_stored(db, stored)?));
            stored.into_iter().map(view).collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    Ok(Json(Page::new(page_request, rows)))
}

/// Lists approvals, in the order in which they were requested.
#[utoipa::path(get, path = "/v1/approvals", tag = "approvals",
    params(ApprovalFilterParams, PageParams),
    responses((status = 200, body = Page<ApprovalView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<ApprovalView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let filter = filter(&caller, &mut query);
    query.finish()?;
    page_of(&app, filter, page_request).await
}

/// Gets an approval with its plan.
#[utoipa::path(get, path = "/v1/approvals/{id}", tag = "approvals", params(("id" = String, Path)),
    responses((status = 200, body = ApprovalView, headers(("ETag" = String, description = "Its version.")))))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    query.finish()?;
    let view =
        app.read(move |db| Ok(ApprovalView::from_stored(db, visible_approval(db, &caller, &id)?)?)).await?;
    Ok(WriteResponse::ok_versioned(&view).into_response())
}

/// Finds the approval `id`, if the caller can access it.
fn visible_approval(db: &ReadTx, caller: &Caller, id: &str) -> Result<StoredApproval, Problem> {
    let approval = approvals::get(db, id)?.filter(|stored| caller.can_access(&stored.account_id));
    approval.ok_or_else(|| Problem::not_found("approval", id))
}

/// The result of a decision.
#[derive(Serialize, ToSchema)]
#[schema(as = DecisionResult)]
pub(super) struct DecisionResultView {
    /// The approval after the decision.
    approval: ApprovalView,
    /// The resource after the decision.
    resource: ResourceView,
    /// The events of the decision.
    events: Vec<EventView>,
}

/// Approves a plan and applies it, once every policy that requires an approval has one of an approver with its label; until
/// then it stays pending. If the command would now have another plan, nothing is applied and the approval
/// stays pending with the new plan.
#[utoipa::path(post, path = "/v1/approvals/{id}:approve", tag = "approvals", params(("id" = String, Path)),
    request_body = Approve, responses((status = 200, body = DecisionResultView)))]
pub(super) async fn approve(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<Approve>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        decide(work, &id, body.reason, body.plan_hash, |engine, at, decision| {
            engine.approve(at, &id, decision)
        })
    })
    .await
}

/// Rejects a plan. An automatic renewal is not requested again until the expiry of its resource changes.
#[utoipa::path(post, path = "/v1/approvals/{id}:reject", tag = "approvals", params(("id" = String, Path)),
    request_body = Reject, responses((status = 200, body = DecisionResultView)))]
pub(super) async fn reject(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<Reject>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        decide(work, &id, body.reason, None, |engine, at, decision| engine.reject(at, &id, decision))
    })
    .await
}

fn decide(
    work: &mut WriteContext<'_>,
    id: &str,
    reason: Option<String>,
    plan_hash: Option<String>,
    decide: impl FnOnce(
        &mut EngineTx<'_>,
        perennial_domain::timestamp::Timestamp,
        &ApprovalDecision<'_>,
    ) -> Result<DecisionOutcome, DecisionError>,
) -> Result<WriteResponse, Problem> {
    let stored = visible_approval(work.db(), &work.request.caller, id)?;
    let (account, resource) = (stored.account_id.clone(), stored.resource_id.clone());
    work.check_version(&views::etag(&ApprovalView::from_stored(work.db(), stored)?))?;
    work.set_audit_subject(&account, Some(&resource));
    let reason = reason.as_deref().or(work.request.reason.as_deref());
    let caller = &work.request.caller;
    let decision = ApprovalDecision {
        decided_by: &caller.id,
        reason,
        plan_hash: plan_hash.as_deref(),
        labels: caller.labels(),
    };
    let (problem, recorded) = match decide(&mut work.engine, work.at, &decision)? {
        DecisionOutcome::Recorded(recorded) => (None, recorded),
        DecisionOutcome::Refused { refusal, events: recorded } => {
            let problem =
                Problem::new(ProblemType::CommandRefused, format!("{}: {}", refusal.code, refusal.message))
                    .with("refusal", serde_json::json!(RefusalView::from(&refusal)));
            (Some(problem), recorded)
        }
        DecisionOutcome::PlanChanged { hash, events: recorded } => {
            let detail = "the plan has changed; the approval now has the new one, look at it again";
            (Some(Problem::new(ProblemType::PlanChanged, detail).with("plan_hash", hash.into())), recorded)
        }
    };
    let events = recorded.iter().map(RecordedEvent::view).collect::<Vec<_>>();
    work.record_events(recorded);
    let approval =
        ApprovalView::from_stored(work.db(), visible_approval(work.db(), &work.request.caller, id)?)?;
    if let Some(problem) = problem {
        let problem = problem.with("approval", serde_json::json!(approval));
        return Ok(WriteResponse::problem(&problem.with("events", serde_json::json!(events))));
    }
    let resolved = lookup::resolve_resource(work.db(), &work.request.caller, &resource)?;
    let resource = resource_view::resource_view(work.db(), &resolved)?;
    let etag = views::etag(&approval);
    Ok(WriteResponse::ok(&DecisionResultView { approval, resource, events }).with_etag(&etag))
}

impl From<DecisionError> for Problem {
    fn from(error: DecisionError) -> Problem {
        let detail = error.to_string();
        match error {
            DecisionError::Engine(error) => error.into(),
            DecisionError::Unknown(id) => Problem::not_found("approval", &id),
            DecisionError::Closed { .. } | DecisionError::Expired(..) => {
                Problem::new(ProblemType::Conflict, detail)
            }
            DecisionError::OwnRequest | DecisionError::OwnRenewal => {
                Problem::new(ProblemType::OwnApproval, detail)
            }
            DecisionError::MissingLabel(..) => Problem::new(ProblemType::Forbidden, detail),
            DecisionError::PlanMismatch(hash) => {
                Problem::new(ProblemType::PlanChanged, detail).with("plan_hash", hash.into())
            }
        }
    }
}
