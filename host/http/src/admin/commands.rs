//! `/v1/resources/{id}:…`: commands, each of which can be looked at before it is carried out.
//!
//! With `dry_run` nothing is written: the answer is the priced plan and its hash. Carried out with that `plan_hash`, a
//! command is only carried out if the plan is still the same.

use std::collections::BTreeMap;

use axum::extract::State;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Purchase;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::admin::approvals::ApprovalView;
use crate::idempotent_write::IdempotentWrite;
use crate::idempotent_write::WriteContext;
use crate::idempotent_write::WriteResponse;
use crate::input::Body;
use crate::input::Id;
use crate::problem::Kind;
use crate::problem::Problem;
use crate::state::AppState;
use crate::views;
use crate::views::ResourceView;
use perennial_engine::command;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::proposal::Proposal;
use perennial_formats::body::Fields;
use perennial_formats::body::JsonCursor;
use perennial_formats::event_view::EventView;
use perennial_formats::plan::PlanView;
use perennial_formats::plan::RefusalView;
use perennial_service::lookup;
use perennial_store::approvals;

/// What every command's body may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandOptions {
    /// Whether it is only looked at.
    pub(crate) dry_run: bool,
    /// The hash of the plan that is to be carried out.
    pub(crate) plan_hash: Option<String>,
}

impl CommandOptions {
    fn read(fields: &Fields<'_, '_>) -> Option<CommandOptions> {
        let dry_run = fields.optional("dry_run", |cursor| cursor.flag()).or(false);
        let plan_hash = fields.optional("plan_hash", |cursor| cursor.name().map(str::to_owned)).option();
        Some(CommandOptions { dry_run: dry_run?, plan_hash: plan_hash? })
    }
}

/// A command as its route reads it.
trait CommandBody: Body {
    fn into_parts(self) -> (Command, CommandOptions);
}

/// A term, such as a body has one.
#[derive(ToSchema)]
#[schema(as = NewTerm)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what a term is read as")]
pub(super) struct NewTerm {
    /// At least 1.
    #[schema(minimum = 1)]
    count: u32,
    /// `day`, `month` or `year`.
    #[schema(pattern = "^(day|month|year)$")]
    unit: String,
}

/// How to extend a resource.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `RenewBody` is read from")]
struct Renew {
    /// For how long; null is the term that an automatic renewal has.
    term: Option<NewTerm>,
    /// The provider's own, such as `relatedRenewFlag`.
    options: Option<BTreeMap<String, Value>>,
    /// Only look at what it would do.
    dry_run: Option<bool>,
    /// Only carry out the plan that has this hash.
    plan_hash: Option<String>,
}

pub(super) struct RenewBody(Renewal, CommandOptions);

impl Body for RenewBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<RenewBody> {
        let fields = cursor.object(&["term", "options", "dry_run", "plan_hash"])?;
        let term = fields.optional("term", |cursor| cursor.term()).option();
        let options = fields.optional("options", |cursor| cursor.options()).or(BTreeMap::new());
        let terms = CommandOptions::read(&fields);
        Some(RenewBody(Renewal { term: term?, cause: Cause::Command, options: options? }, terms?))
    }
}

impl CommandBody for RenewBody {
    fn into_parts(self) -> (Command, CommandOptions) {
        (Command::Renew(self.0), self.1)
    }
}

/// How a resource renews itself from now on.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `AutoRenewBody` is read from")]
struct SetAutoRenew {
    /// For how long each time; null is the term that it was bought for.
    term: Option<NewTerm>,
    /// How often; null is without limit.
    renewals: Option<u32>,
    /// Only look at what it would do.
    dry_run: Option<bool>,
    /// Only carry out the plan that has this hash.
    plan_hash: Option<String>,
}

pub(super) struct AutoRenewBody(AutoRenewal, CommandOptions);

impl Body for AutoRenewBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<AutoRenewBody> {
        let fields = cursor.object(&["term", "renewals", "dry_run", "plan_hash"])?;
        let term = fields.optional("term", |cursor| cursor.term()).option();
        let renewals = fields.optional("renewals", |cursor| cursor.count()).option();
        let options = CommandOptions::read(&fields);
        Some(AutoRenewBody(AutoRenewal { term: term?, renewals: renewals? }, options?))
    }
}

impl CommandBody for AutoRenewBody {
    fn into_parts(self) -> (Command, CommandOptions) {
        (Command::SetAutoRenew(self.0), self.1)
    }
}

/// What is given back.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `UnsubscribeBody` is read from")]
struct Unsubscribe {
    /// `all`: the resource and whatever was paid for; `future`: only periods that have not begun.
    #[schema(pattern = "^(all|future)$")]
    scope: String,
    /// Only look at what it would do.
    dry_run: Option<bool>,
    /// Only carry out the plan that has this hash.
    plan_hash: Option<String>,
}

pub(super) struct UnsubscribeBody(Scope, CommandOptions);

impl Body for UnsubscribeBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<UnsubscribeBody> {
        let fields = cursor.object(&["scope", "dry_run", "plan_hash"])?;
        let scope = fields.required("scope", |cursor| cursor.one_of(&Scope::ALL, Scope::name));
        let options = CommandOptions::read(&fields);
        Some(UnsubscribeBody(scope?, options?))
    }
}

impl CommandBody for UnsubscribeBody {
    fn into_parts(self) -> (Command, CommandOptions) {
        (Command::Unsubscribe(self.0), self.1)
    }
}

/// When a package is bought again.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `BuyAgainBody` is read from")]
struct BuyAgain {
    /// When it is paid; null is now.
    #[schema(format = DateTime)]
    pay_at: Option<String>,
    /// When it takes effect; null is as soon as it is paid.
    #[schema(format = DateTime)]
    effective_at: Option<String>,
    /// Only look at what it would do.
    dry_run: Option<bool>,
    /// Only carry out the plan that has this hash.
    plan_hash: Option<String>,
}

pub(super) struct BuyAgainBody(Purchase, CommandOptions);

impl Body for BuyAgainBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<BuyAgainBody> {
        let fields = cursor.object(&["pay_at", "effective_at", "dry_run", "plan_hash"])?;
        let pay_at = fields.optional("pay_at", |cursor| cursor.instant()).option();
        let effective_at = fields.optional("effective_at", |cursor| cursor.instant()).option();
        let options = CommandOptions::read(&fields);
        Some(BuyAgainBody(Purchase { pay_at: pay_at?, effective_at: effective_at? }, options?))
    }
}

impl CommandBody for BuyAgainBody {
    fn into_parts(self) -> (Command, CommandOptions) {
        (Command::BuyAgain(self.0), self.1)
    }
}

/// A command that says nothing more.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `BareBody` is read from")]
struct EmptyCommand {
    /// Only look at what it would do.
    dry_run: Option<bool>,
    /// Only carry out the plan that has this hash.
    plan_hash: Option<String>,
}

pub(super) struct EmptyCommandBody(CommandOptions);

impl Body for EmptyCommandBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<EmptyCommandBody> {
        CommandOptions::read(&cursor.object(&["dry_run", "plan_hash"])?).map(EmptyCommandBody)
    }
}

/// What became of a command.
#[derive(Serialize, ToSchema)]
#[schema(as = Commanded)]
pub(crate) struct CommandResultView {
    /// The plan, when it was only looked at.
    pub(crate) plan: Option<PlanView>,
    /// The resource as it is now, when the command was carried out.
    pub(crate) resource: Option<ResourceView>,
    /// What happened.
    pub(crate) events: Vec<EventView>,
}

/// A command that waits until somebody approves of it.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingApproval)]
pub(crate) struct PendingApprovalView {
    /// What it waits for. The same command again waits for the same.
    pub(crate) approval: ApprovalView,
    /// What happened: nothing, if it waited already.
    pub(crate) events: Vec<EventView>,
}

/// Extends a resource.
#[utoipa::path(post, path = "/v1/resources/{id}:renew", tag = "commands", params(("id" = String, Path)),
    request_body = Renew, responses((status = 200, body = CommandResultView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn renew(
    state: State<AppState>,
    id: Id,
    write: IdempotentWrite<RenewBody>,
) -> Result<WriteResponse, Problem> {
    run(state, id, write).await
}

/// Turns auto-renew on, or changes it.
#[utoipa::path(post, path = "/v1/resources/{id}:set-auto-renew", tag = "commands", params(("id" = String, Path)),
    request_body = SetAutoRenew, responses((status = 200, body = CommandResultView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn set_auto_renew(
    state: State<AppState>,
    id: Id,
    write: IdempotentWrite<AutoRenewBody>,
) -> Result<WriteResponse, Problem> {
    run(state, id, write).await
}

/// Turns auto-renew off.
#[utoipa::path(post, path = "/v1/resources/{id}:cancel-auto-renew", tag = "commands", params(("id" = String, Path)),
    request_body = EmptyCommand, responses((status = 200, body = CommandResultView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn cancel_auto_renew(
    state: State<AppState>,
    id: Id,
    write: IdempotentWrite<EmptyCommandBody>,
) -> Result<WriteResponse, Problem> {
    run_empty(state, id, write, Command::CancelAutoRenew).await
}

/// Gives a resource back, or only what has not begun.
#[utoipa::path(post, path = "/v1/resources/{id}:unsubscribe", tag = "commands", params(("id" = String, Path)),
    request_body = Unsubscribe, responses((status = 200, body = CommandResultView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn unsubscribe(
    state: State<AppState>,
    id: Id,
    write: IdempotentWrite<UnsubscribeBody>,
) -> Result<WriteResponse, Problem> {
    run(state, id, write).await
}

/// Lets a resource go on as pay-per-use once it expires.
#[utoipa::path(post, path = "/v1/resources/{id}:convert-on-expiry", tag = "commands", params(("id" = String, Path)),
    request_body = EmptyCommand, responses((status = 200, body = CommandResultView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn convert_on_expiry(
    state: State<AppState>,
    id: Id,
    write: IdempotentWrite<EmptyCommandBody>,
) -> Result<WriteResponse, Problem> {
    run_empty(state, id, write, Command::ConvertOnExpiry).await
}

/// Takes a conversion back.
#[utoipa::path(post, path = "/v1/resources/{id}:cancel-conversion", tag = "commands", params(("id" = String, Path)),
    request_body = EmptyCommand, responses((status = 200, body = CommandResultView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn cancel_conversion(
    state: State<AppState>,
    id: Id,
    write: IdempotentWrite<EmptyCommandBody>,
) -> Result<WriteResponse, Problem> {
    run_empty(state, id, write, Command::CancelConversion).await
}

/// Buys a package like this one.
#[utoipa::path(post, path = "/v1/resources/{id}:buy-again", tag = "commands", params(("id" = String, Path)),
    request_body = BuyAgain, responses((status = 200, body = CommandResultView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn buy_again(
    state: State<AppState>,
    id: Id,
    write: IdempotentWrite<BuyAgainBody>,
) -> Result<WriteResponse, Problem> {
    run(state, id, write).await
}

async fn run<T: CommandBody>(
    State(state): State<AppState>,
    Id(id): Id,
    write: IdempotentWrite<T>,
) -> Result<WriteResponse, Problem> {
    let (write, body) = write.into_parts();
    let (command, options) = body.into_parts();
    execute(state, id, write.with_body((command, options))).await
}

async fn run_empty(
    State(state): State<AppState>,
    Id(id): Id,
    write: IdempotentWrite<EmptyCommandBody>,
    command: Command,
) -> Result<WriteResponse, Problem> {
    let (write, EmptyCommandBody(options)) = write.into_parts();
    execute(state, id, write.with_body((command, options))).await
}

async fn execute(
    state: AppState,
    id: String,
    write: IdempotentWrite<(Command, CommandOptions)>,
) -> Result<WriteResponse, Problem> {
    if write.body.1.dry_run {
        return if write.request.has_key() {
            preview_once(state, id, write).await
        } else {
            preview(state, id, write).await
        };
    }
    state
        .write(write, move |work, (command, options)| {
            let resource = lookup::resolve_resource(work.db(), &work.request.caller, &id)?;
            work.set_audit_subject(&resource.account.account.id, Some(&id));
            work.check_version(&views::etag(&views::resource_view(work.db(), &resource)?))?;
            let plan_hash = options.plan_hash.as_deref();
            execute_command(work, &resource.account.account.id, &id, &command, plan_hash)
        })
        .await
}

/// Carries a command out, and says what became of it: a refusal is an ordinary answer, and an event.
pub(crate) fn execute_command(
    work: &mut WriteContext<'_>,
    account: &str,
    id: &str,
    command: &Command,
    plan_hash: Option<&str>,
) -> Result<WriteResponse, Problem> {
    work.set_audit_subject(account, Some(id));
    let requested_by = work.request.caller.id.to_string();
    let options = command::Preconditions { plan_hash, requested_by: Some(&requested_by) };
    let answer = work.engine.command_with_preconditions(work.at, Some(account), id, command, &options)?;
    let events = answer.events.iter().map(RecordedEvent::view).collect::<Vec<_>>();
    work.record_events(answer.events);
    if let Some(refusal) = &answer.refusal {
        let problem = Problem::new(Kind::CommandRefused, format!("{}: {}", refusal.code, refusal.message))
            .with("refusal", serde_json::json!(RefusalView::from(refusal)))
            .with("events", serde_json::json!(events));
        return Ok(WriteResponse::problem(&problem));
    }
    if let Some(approval) = answer.approval {
        let stored = approvals::get(work.db(), &approval)?;
        let stored = stored.ok_or_else(|| Problem::not_found("approval", &approval))?;
        let approval = ApprovalView::from_stored(work.db(), stored)?;
        let location = approval.location();
        return Ok(WriteResponse::accepted(&location, &PendingApprovalView { approval, events }));
    }
    let found = lookup::resolve_resource(work.db(), &work.request.caller, id)?;
    let resource = views::resource_view(work.db(), &found)?;
    let etag = views::etag(&resource);
    Ok(WriteResponse::ok(&CommandResultView { plan: None, resource: Some(resource), events })
        .with_etag(&etag))
}

/// What a command would do, or would have done when it was asked so with the same idempotency key.
async fn preview_once(
    state: AppState,
    id: String,
    write: IdempotentWrite<(Command, CommandOptions)>,
) -> Result<WriteResponse, Problem> {
    state
        .write(write, move |work, (command, options)| {
            let resource = lookup::resolve_resource(work.db(), &work.request.caller, &id)?;
            work.set_audit_subject(&resource.account.account.id, Some(&id));
            let providers = work.engine.providers();
            let bundle = (resource.stored, resource.member);
            let proposal = command::propose_for_bundle(work.db(), providers, work.at, bundle, &command)?;
            preview_response(&proposal, options).map(WriteResponse::as_dry_run)
        })
        .await
}

/// What a command would do. Nothing is written, and nobody waits for whoever writes.
async fn preview(
    state: AppState,
    id: String,
    write: IdempotentWrite<(Command, CommandOptions)>,
) -> Result<WriteResponse, Problem> {
    let (write, (command, options)) = write.into_parts();
    let (providers, at) = (state.providers().clone(), state.now());
    let caller = write.request.caller.clone();
    let proposal = state
        .read(move |db| {
            let resource = lookup::resolve_resource(db, &caller, &id)?;
            Ok(command::propose_for_bundle(db, &providers, at, (resource.stored, resource.member), &command)?)
        })
        .await?;
    preview_response(&proposal, options)
}

fn preview_response(proposal: &Proposal, options: CommandOptions) -> Result<WriteResponse, Problem> {
    let plan = proposal.view();
    if let Some(wanted) = options.plan_hash.filter(|wanted| *wanted != proposal.hash()) {
        let detail = format!("the plan {wanted} is no longer what the command would do; look at it again");
        return Err(Problem::new(Kind::PlanChanged, detail).with("plan_hash", proposal.hash().into()));
    }
    Ok(WriteResponse::ok(&CommandResultView { plan: Some(plan), resource: None, events: Vec::new() }))
}
