//! `/v1/resources/{id}:…`: commands on a resource, each with a dry run.
//!
//! A command with `dry_run` writes nothing and returns the priced plan and its hash. A command with that `plan_hash` is
//! applied only if its plan is still the same.

use axum::extract::State;
use perennial_domain::plan::Command;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::approvals::ApprovalView;
use crate::admin::calls::CallView;
use crate::admin::command_bodies::BuyAgain;
use crate::admin::command_bodies::ChangeSpecification;
use crate::admin::command_bodies::CommandArguments;
use crate::admin::command_bodies::CommandBody;
use crate::admin::command_bodies::EmptyCommand;
use crate::admin::command_bodies::NamedOrder;
use crate::admin::command_bodies::NewSubscription;
use crate::admin::command_bodies::Renew;
use crate::admin::command_bodies::SetAutoRenew;
use crate::admin::command_bodies::Unsubscribe;
use crate::input::Id;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::resource_view;
use crate::resource_view::ResourceView;
use crate::state::AppState;
use crate::views;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteRequest;
use crate::write::WriteResponse;
use perennial_engine::command;
use perennial_engine::connected::CallId;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::preconditions::Preconditions;
use perennial_engine::proposal::Proposal;
use perennial_formats::event_view::EventView;
use perennial_formats::plan::PlanView;
use perennial_formats::plan::RefusalView;
use perennial_service::lookup;
use perennial_store::approvals;
use perennial_store::calls::listing;

/// The result of a command.
#[derive(Serialize, ToSchema)]
#[schema(as = CommandResult)]
pub(crate) struct CommandResultView {
    /// The plan of a dry run; null when the command was applied.
    pub(crate) plan: Option<PlanView>,
    /// The resource after the command; null for a dry run.
    pub(crate) resource: Option<ResourceView>,
    /// The events of the command.
    pub(crate) events: Vec<EventView>,
}

/// A command that waits for an approval.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingApproval)]
pub(crate) struct PendingApprovalView {
    /// The approval. The same command again waits for the same approval; a renewal for another term has one of its own.
    pub(crate) approval: ApprovalView,
    /// The events of the request; empty if the approval was pending already.
    pub(crate) events: Vec<EventView>,
}

/// A renewal or command that is written down and will be sent to the provider: what became of it, events and the call tell.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingCall)]
pub(crate) struct PendingCallView {
    /// The call, which waits to be sent.
    pub(crate) call: CallView,
    /// The events of the command.
    pub(crate) events: Vec<EventView>,
}

/// What waits after a command: somebody's approval, or a provider's word.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes the responses of commands")]
pub(crate) enum PendingView {
    /// The plan waits for an approval.
    Approval(Box<PendingApprovalView>),
    /// The call waits to be sent.
    Call(Box<PendingCallView>),
}

/// Renews a resource. On an account that its provider keeps, the renewal is written down and sent afterwards.
#[utoipa::path(post, path = "/v1/resources/{id}:renew", tag = "commands", params(("id" = String, Path)),
    request_body = Renew, responses((status = 200, body = CommandResultView), (status = 202, body = PendingView)))]
pub(super) async fn renew(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<CommandBody<Renew>>,
) -> Result<WriteResponse, Problem> {
    run(app, id, request, body, Command::Renew).await
}

/// Turns auto-renew on, or changes its terms.
#[utoipa::path(post, path = "/v1/resources/{id}:set-auto-renew", tag = "commands", params(("id" = String, Path)),
    request_body = SetAutoRenew, responses((status = 200, body = CommandResultView), (status = 202, body = PendingView)))]
pub(super) async fn set_auto_renew(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<CommandBody<SetAutoRenew>>,
) -> Result<WriteResponse, Problem> {
    run(app, id, request, body, Command::SetAutoRenew).await
}

/// Turns auto-renew off.
#[utoipa::path(post, path = "/v1/resources/{id}:cancel-auto-renew", tag = "commands", params(("id" = String, Path)),
    request_body = EmptyCommand, responses((status = 200, body = CommandResultView), (status = 202, body = PendingView)))]
pub(super) async fn cancel_auto_renew(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<CommandBody<EmptyCommand>>,
) -> Result<WriteResponse, Problem> {
    run(app, id, request, body, |()| Command::CancelAutoRenew).await
}

/// Cancels a resource for a refund, or only the periods that have not begun.
#[utoipa::path(post, path = "/v1/resources/{id}:unsubscribe", tag = "commands", params(("id" = String, Path)),
    request_body = Unsubscribe, responses((status = 200, body = CommandResultView), (status = 202, body = PendingView)))]
pub(super) async fn unsubscribe(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<CommandBody<Unsubscribe>>,
) -> Result<WriteResponse, Problem> {
    run(app, id, request, body, Command::Unsubscribe).await
}

/// Converts a resource to pay-per-use when it expires.
#[utoipa::path(post, path = "/v1/resources/{id}:convert-on-expiry", tag = "commands", params(("id" = String, Path)),
    request_body = EmptyCommand, responses((status = 200, body = CommandResultView), (status = 202, body = PendingView)))]
pub(super) async fn convert_on_expiry(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<CommandBody<EmptyCommand>>,
) -> Result<WriteResponse, Problem> {
    run(app, id, request, body, |()| Command::ConvertOnExpiry).await
}

/// Cancels a conversion.
#[utoipa::path(post, path = "/v1/resources/{id}:cancel-conversion", tag = "commands", params(("id" = String, Path)),
    request_body = EmptyCommand, responses((status = 200, body = CommandResultView), (status = 202, body = PendingView)))]
pub(super) async fn cancel_conversion(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<CommandBody<EmptyCommand>>,
) -> Result<WriteResponse, Problem> {
    run(app, id, request, body, |()| Command::CancelConversion).await
}

/// Buys a package like this one.
#[utoipa::path(post, path = "/v1/resources/{id}:buy-again", tag = "commands", params(("id" = String, Path)),
    request_body = BuyAgain, responses((status = 200, body = CommandResultView), (status = 202, body = PendingView)))]
pub(super) async fn buy_again(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<CommandBody<BuyAgain>>,
) -> Result<WriteResponse, Problem> {
    run(app, id, request, body, Command::BuyAgain).await
}

/// Gives a resource another specification for the rest of its time.
#[utoipa::path(post, path = "/v1/resources/{id}:change", tag = "commands", params(("id" = String, Path)),
    request_body = ChangeSpecification, responses((status = 200, body = CommandResultView), (status = 202, body = PendingView)))]
pub(super) async fn change(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<CommandBody<ChangeSpecification>>,
) -> Result<WriteResponse, Problem> {
    run(app, id, request, body, Command::Change).await
}

/// Converts a resource to pay-per-use at once.
#[utoipa::path(post, path = "/v1/resources/{id}:convert-now", tag = "commands", params(("id" = String, Path)),
    request_body = EmptyCommand, responses((status = 200, body = CommandResultView), (status = 202, body = PendingView)))]
pub(super) async fn convert_now(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<CommandBody<EmptyCommand>>,
) -> Result<WriteResponse, Problem> {
    run(app, id, request, body, |()| Command::ConvertNow).await
}

/// Pays a pay-per-use resource ahead for a term: it is prepaid from then on.
#[utoipa::path(post, path = "/v1/resources/{id}:subscribe", tag = "commands", params(("id" = String, Path)),
    request_body = NewSubscription, responses((status = 200, body = CommandResultView), (status = 202, body = PendingView)))]
pub(super) async fn subscribe(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<CommandBody<NewSubscription>>,
) -> Result<WriteResponse, Problem> {
    run(app, id, request, body, Command::Subscribe).await
}

/// Pays an order of a resource that waits to be paid.
#[utoipa::path(post, path = "/v1/resources/{id}:pay-order", tag = "commands", params(("id" = String, Path)),
    request_body = NamedOrder, responses((status = 200, body = CommandResultView), (status = 202, body = PendingView)))]
pub(super) async fn pay_order(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<CommandBody<NamedOrder>>,
) -> Result<WriteResponse, Problem> {
    run(app, id, request, body, Command::PayOrder).await
}

/// Cancels an order of a resource that waits to be paid.
#[utoipa::path(post, path = "/v1/resources/{id}:cancel-order", tag = "commands", params(("id" = String, Path)),
    request_body = NamedOrder, responses((status = 200, body = CommandResultView), (status = 202, body = PendingView)))]
pub(super) async fn cancel_order(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<CommandBody<NamedOrder>>,
) -> Result<WriteResponse, Problem> {
    run(app, id, request, body, Command::CancelOrder).await
}

/// Runs or previews the command with the arguments of `body`.
async fn run<A: CommandArguments>(
    app: AppState,
    id: String,
    request: WriteRequest,
    body: CommandBody<A>,
    command: impl FnOnce(A::Value) -> Command,
) -> Result<WriteResponse, Problem> {
    let (command, options) = (command(body.arguments), body.options);
    match (options.dry_run, request.key()) {
        (false, _) => execute(app, id, request, command, options.plan_hash).await,
        (true, Some(_)) => preview_once(app, id, request, command, options.plan_hash).await,
        (true, None) => preview(app, id, request, command, options.plan_hash).await,
    }
}

/// Applies a command in one transaction.
async fn execute(
    app: AppState,
    id: String,
    request: WriteRequest,
    command: Command,
    plan_hash: Option<String>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let resource = lookup::resolve_resource(work.db(), &work.request.caller, &id)?;
        work.set_audit_subject(&resource.account.account.id, Some(&id));
        work.check_version(&views::etag(&resource_view::resource_view(work.db(), &resource)?))?;
        execute_command(work, &resource.account.account.id, &id, &command, plan_hash.as_deref())
    })
    .await
}

/// Applies a command and describes the result. A refusal is an ordinary response, and its event is kept.
fn execute_command(
    work: &mut WriteContext<'_>,
    account: &str,
    id: &str,
    command: &Command,
    plan_hash: Option<&str>,
) -> Result<WriteResponse, Problem> {
    work.set_audit_subject(account, Some(id));
    let requested_by = work.request.caller.id.to_string();
    let preconditions =
        Preconditions { plan_hash, requested_by: Some(&requested_by), ..Preconditions::default() };
    let result =
        work.engine.command_with_preconditions(work.at, Some(account), id, command, &preconditions)?;
    let events = result.events.iter().map(RecordedEvent::view).collect::<Vec<_>>();
    work.record_events(result.events);
    if let Some(refusal) = &result.refusal {
        let problem =
            Problem::new(ProblemType::CommandRefused, format!("{}: {}", refusal.code, refusal.message))
                .with("refusal", serde_json::json!(RefusalView::from(refusal)))
                .with("events", serde_json::json!(events));
        return Ok(WriteResponse::problem(&problem));
    }
    if let Some(approval) = result.approval {
        let stored = approvals::get(work.db(), &approval)?;
        let stored = stored.ok_or_else(|| Problem::not_found("approval", &approval))?;
        let approval = ApprovalView::from_stored(work.db(), stored)?;
        let location = approval.location();
        return Ok(WriteResponse::accepted(&location, &PendingApprovalView { approval, events }));
    }
    if let Some(CallId { resource, expires_before, slot }) = result.call
        && let Some(call) = listing::find(work.db(), resource, expires_before, slot)?
    {
        let location = format!("/v1/calls/{}", call.row);
        return Ok(WriteResponse::accepted(&location, &PendingCallView { call: call.into(), events }));
    }
    let resolved = lookup::resolve_resource(work.db(), &work.request.caller, id)?;
    let resource = resource_view::resource_view(work.db(), &resolved)?;
    let etag = views::etag(&resource);
    Ok(WriteResponse::ok(&CommandResultView { plan: None, resource: Some(resource), events })
        .with_etag(&etag))
}

/// Previews a command under an idempotency key: a repeated request gets the plan of the first one.
async fn preview_once(
    app: AppState,
    id: String,
    request: WriteRequest,
    command: Command,
    plan_hash: Option<String>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let resource = lookup::resolve_resource(work.db(), &work.request.caller, &id)?;
        work.set_audit_subject(&resource.account.account.id, Some(&id));
        let providers = work.engine.providers();
        let bundle = (resource.stored, resource.member);
        let asked = Preconditions { requested_by: Some(&work.request.caller.id), ..Preconditions::default() };
        let proposal = command::propose_for_bundle(work.db(), providers, work.at, bundle, &command, &asked)?;
        preview_response(&proposal, plan_hash).map(WriteResponse::into_dry_run)
    })
    .await
}

/// Previews a command on a reader's connection: nothing is written, and the writer is not waited for.
async fn preview(
    app: AppState,
    id: String,
    request: WriteRequest,
    command: Command,
    plan_hash: Option<String>,
) -> Result<WriteResponse, Problem> {
    let (providers, at) = (app.providers().clone(), app.now());
    let proposal = app
        .read(move |db| {
            let resource = lookup::resolve_resource(db, &request.caller, &id)?;
            let asked = Preconditions { requested_by: Some(&request.caller.id), ..Preconditions::default() };
            let bundle = (resource.stored, resource.member);
            Ok(command::propose_for_bundle(db, &providers, at, bundle, &command, &asked)?)
        })
        .await?;
    preview_response(&proposal, plan_hash)
}

fn preview_response(proposal: &Proposal, plan_hash: Option<String>) -> Result<WriteResponse, Problem> {
    let plan = proposal.view();
    if let Some(required) = plan_hash.filter(|required| *required != proposal.hash()) {
        let detail = format!("the plan {required} is no longer what the command would do; look at it again");
        return Err(Problem::new(ProblemType::PlanChanged, detail).with("plan_hash", proposal.hash().into()));
    }
    Ok(WriteResponse::ok(&CommandResultView { plan: Some(plan), resource: None, events: Vec::new() }))
}
