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
use crate::kit::input::Body;
use crate::kit::input::Id;
use crate::kit::problem::Kind;
use crate::kit::problem::Problem;
use crate::kit::views;
use crate::kit::views::ResourceView;
use crate::kit::write::Reply;
use crate::kit::write::Work;
use crate::kit::write::Write;
use crate::state::AppState;
use perennial_engine::command;
use perennial_engine::proposal::Proposal;
use perennial_engine::write::Recorded;
use perennial_formats::body::Fields;
use perennial_formats::body::Spot;
use perennial_formats::event_view::EventView;
use perennial_formats::plan::PlanView;
use perennial_formats::plan::RefusalView;
use perennial_service::lookup;
use perennial_store::approvals;

/// What every command's body may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Whether it is only looked at.
    pub(crate) dry_run: bool,
    /// The hash of the plan that is to be carried out.
    pub(crate) plan_hash: Option<String>,
}

impl Terms {
    fn read(fields: &Fields<'_, '_>) -> Option<Terms> {
        let dry_run = fields.optional("dry_run", |spot| spot.flag()).or(false);
        let plan_hash = fields.optional("plan_hash", |spot| spot.name().map(str::to_owned)).option();
        Some(Terms { dry_run: dry_run?, plan_hash: plan_hash? })
    }
}

/// A command as its route reads it.
trait Commanded: Body {
    fn into_parts(self) -> (Command, Terms);
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

pub(super) struct RenewBody(Renewal, Terms);

impl Body for RenewBody {
    fn read(spot: Spot<'_, '_>) -> Option<RenewBody> {
        let fields = spot.object(&["term", "options", "dry_run", "plan_hash"])?;
        let term = fields.optional("term", |spot| spot.term()).option();
        let options = fields.optional("options", |spot| spot.options()).or(BTreeMap::new());
        let terms = Terms::read(&fields);
        Some(RenewBody(Renewal { term: term?, cause: Cause::Command, options: options? }, terms?))
    }
}

impl Commanded for RenewBody {
    fn into_parts(self) -> (Command, Terms) {
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

pub(super) struct AutoRenewBody(AutoRenewal, Terms);

impl Body for AutoRenewBody {
    fn read(spot: Spot<'_, '_>) -> Option<AutoRenewBody> {
        let fields = spot.object(&["term", "renewals", "dry_run", "plan_hash"])?;
        let term = fields.optional("term", |spot| spot.term()).option();
        let renewals = fields.optional("renewals", |spot| spot.count()).option();
        let terms = Terms::read(&fields);
        Some(AutoRenewBody(AutoRenewal { term: term?, renewals: renewals? }, terms?))
    }
}

impl Commanded for AutoRenewBody {
    fn into_parts(self) -> (Command, Terms) {
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

pub(super) struct UnsubscribeBody(Scope, Terms);

impl Body for UnsubscribeBody {
    fn read(spot: Spot<'_, '_>) -> Option<UnsubscribeBody> {
        let fields = spot.object(&["scope", "dry_run", "plan_hash"])?;
        let scope = fields.required("scope", |spot| spot.one_of(&Scope::ALL, Scope::name));
        let terms = Terms::read(&fields);
        Some(UnsubscribeBody(scope?, terms?))
    }
}

impl Commanded for UnsubscribeBody {
    fn into_parts(self) -> (Command, Terms) {
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

pub(super) struct BuyAgainBody(Purchase, Terms);

impl Body for BuyAgainBody {
    fn read(spot: Spot<'_, '_>) -> Option<BuyAgainBody> {
        let fields = spot.object(&["pay_at", "effective_at", "dry_run", "plan_hash"])?;
        let pay_at = fields.optional("pay_at", |spot| spot.instant()).option();
        let effective_at = fields.optional("effective_at", |spot| spot.instant()).option();
        let terms = Terms::read(&fields);
        Some(BuyAgainBody(Purchase { pay_at: pay_at?, effective_at: effective_at? }, terms?))
    }
}

impl Commanded for BuyAgainBody {
    fn into_parts(self) -> (Command, Terms) {
        (Command::BuyAgain(self.0), self.1)
    }
}

/// A command that says nothing more.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `BareBody` is read from")]
struct Bare {
    /// Only look at what it would do.
    dry_run: Option<bool>,
    /// Only carry out the plan that has this hash.
    plan_hash: Option<String>,
}

pub(super) struct BareBody(Terms);

impl Body for BareBody {
    fn read(spot: Spot<'_, '_>) -> Option<BareBody> {
        Terms::read(&spot.object(&["dry_run", "plan_hash"])?).map(BareBody)
    }
}

/// What became of a command.
#[derive(Serialize, ToSchema)]
#[schema(as = Commanded)]
pub(crate) struct CommandedView {
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
    request_body = Renew, responses((status = 200, body = CommandedView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn renew(host: State<AppState>, id: Id, write: Write<RenewBody>) -> Result<Reply, Problem> {
    run(host, id, write).await
}

/// Turns auto-renew on, or changes it.
#[utoipa::path(post, path = "/v1/resources/{id}:set-auto-renew", tag = "commands", params(("id" = String, Path)),
    request_body = SetAutoRenew, responses((status = 200, body = CommandedView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn set_auto_renew(
    host: State<AppState>,
    id: Id,
    write: Write<AutoRenewBody>,
) -> Result<Reply, Problem> {
    run(host, id, write).await
}

/// Turns auto-renew off.
#[utoipa::path(post, path = "/v1/resources/{id}:cancel-auto-renew", tag = "commands", params(("id" = String, Path)),
    request_body = Bare, responses((status = 200, body = CommandedView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn cancel_auto_renew(
    host: State<AppState>,
    id: Id,
    write: Write<BareBody>,
) -> Result<Reply, Problem> {
    run_bare(host, id, write, Command::CancelAutoRenew).await
}

/// Gives a resource back, or only what has not begun.
#[utoipa::path(post, path = "/v1/resources/{id}:unsubscribe", tag = "commands", params(("id" = String, Path)),
    request_body = Unsubscribe, responses((status = 200, body = CommandedView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn unsubscribe(
    host: State<AppState>,
    id: Id,
    write: Write<UnsubscribeBody>,
) -> Result<Reply, Problem> {
    run(host, id, write).await
}

/// Lets a resource go on as pay-per-use once it expires.
#[utoipa::path(post, path = "/v1/resources/{id}:convert-on-expiry", tag = "commands", params(("id" = String, Path)),
    request_body = Bare, responses((status = 200, body = CommandedView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn convert_on_expiry(
    host: State<AppState>,
    id: Id,
    write: Write<BareBody>,
) -> Result<Reply, Problem> {
    run_bare(host, id, write, Command::ConvertOnExpiry).await
}

/// Takes a conversion back.
#[utoipa::path(post, path = "/v1/resources/{id}:cancel-conversion", tag = "commands", params(("id" = String, Path)),
    request_body = Bare, responses((status = 200, body = CommandedView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn cancel_conversion(
    host: State<AppState>,
    id: Id,
    write: Write<BareBody>,
) -> Result<Reply, Problem> {
    run_bare(host, id, write, Command::CancelConversion).await
}

/// Buys a package like this one.
#[utoipa::path(post, path = "/v1/resources/{id}:buy-again", tag = "commands", params(("id" = String, Path)),
    request_body = BuyAgain, responses((status = 200, body = CommandedView), (status = 202, body = PendingApprovalView)))]
pub(super) async fn buy_again(
    host: State<AppState>,
    id: Id,
    write: Write<BuyAgainBody>,
) -> Result<Reply, Problem> {
    run(host, id, write).await
}

async fn run<T: Commanded>(
    State(host): State<AppState>,
    Id(id): Id,
    write: Write<T>,
) -> Result<Reply, Problem> {
    let (write, body) = write.split();
    let (command, terms) = body.into_parts();
    carry_out(host, id, write.with((command, terms))).await
}

async fn run_bare(
    State(host): State<AppState>,
    Id(id): Id,
    write: Write<BareBody>,
    command: Command,
) -> Result<Reply, Problem> {
    let (write, BareBody(terms)) = write.split();
    carry_out(host, id, write.with((command, terms))).await
}

async fn carry_out(host: AppState, id: String, write: Write<(Command, Terms)>) -> Result<Reply, Problem> {
    if write.body.1.dry_run {
        return if write.request.has_key() {
            look_once(host, id, write).await
        } else {
            look(host, id, write).await
        };
    }
    host.write(write, move |work, (command, terms)| {
        let found = lookup::resolve_resource(work.db(), &work.request.caller, &id)?;
        work.about(&found.account.account.id, Some(&id));
        work.check_version(&views::etag(&views::resource_view(work.db(), &found)?))?;
        let plan_hash = terms.plan_hash.as_deref();
        carried_out(work, &found.account.account.id, &id, &command, plan_hash)
    })
    .await
}

/// Carries a command out, and says what became of it: a refusal is an ordinary answer, and an event.
pub(crate) fn carried_out(
    work: &mut Work<'_>,
    account: &str,
    id: &str,
    command: &Command,
    plan_hash: Option<&str>,
) -> Result<Reply, Problem> {
    work.about(account, Some(id));
    let requested_by = work.request.caller.id.to_string();
    let terms = command::Terms { planned: plan_hash, requested_by: Some(&requested_by) };
    let answer = work.engine.command_as_planned(work.at, Some(account), id, command, &terms)?;
    let events = answer.happened.iter().map(Recorded::view).collect::<Vec<_>>();
    work.tell(answer.happened);
    if let Some(refusal) = &answer.refusal {
        let problem = Problem::new(Kind::CommandRefused, format!("{}: {}", refusal.code, refusal.message))
            .with("refusal", serde_json::json!(RefusalView::from(refusal)))
            .with("events", serde_json::json!(events));
        return Ok(Reply::problem(&problem));
    }
    if let Some(approval) = answer.approval {
        let stored = approvals::get(work.db(), &approval)?;
        let stored = stored.ok_or_else(|| Problem::not_found("approval", &approval))?;
        let approval = ApprovalView::stored(work.db(), stored)?;
        let location = approval.location();
        return Ok(Reply::accepted(&location, &PendingApprovalView { approval, events }));
    }
    let found = lookup::resolve_resource(work.db(), &work.request.caller, id)?;
    let resource = views::resource_view(work.db(), &found)?;
    let etag = views::etag(&resource);
    Ok(Reply::ok(&CommandedView { plan: None, resource: Some(resource), events }).with_etag(&etag))
}

/// What a command would do, or would have done when it was asked so with the same idempotency key.
async fn look_once(host: AppState, id: String, write: Write<(Command, Terms)>) -> Result<Reply, Problem> {
    host.write(write, move |work, (command, terms)| {
        let found = lookup::resolve_resource(work.db(), &work.request.caller, &id)?;
        work.about(&found.account.account.id, Some(&id));
        let providers = work.engine.providers();
        let bundle = (found.stored, found.member);
        let proposal = command::propose_to(work.db(), providers, work.at, bundle, &command)?;
        looked_at(&proposal, terms).map(Reply::only_looked_at)
    })
    .await
}

/// What a command would do. Nothing is written, and nobody waits for whoever writes.
async fn look(host: AppState, id: String, write: Write<(Command, Terms)>) -> Result<Reply, Problem> {
    let (write, (command, terms)) = write.split();
    let (providers, at) = (host.providers().clone(), host.now());
    let caller = write.request.caller.clone();
    let proposal = host
        .read(move |db| {
            let found = lookup::resolve_resource(db, &caller, &id)?;
            Ok(command::propose_to(db, &providers, at, (found.stored, found.member), &command)?)
        })
        .await?;
    looked_at(&proposal, terms)
}

fn looked_at(proposal: &Proposal, terms: Terms) -> Result<Reply, Problem> {
    let plan = proposal.view();
    if let Some(wanted) = terms.plan_hash.filter(|wanted| *wanted != proposal.hash()) {
        let detail = format!("the plan {wanted} is no longer what the command would do; look at it again");
        return Err(Problem::new(Kind::PlanChanged, detail).with("plan_hash", proposal.hash().into()));
    }
    Ok(Reply::ok(&CommandedView { plan: Some(plan), resource: None, events: Vec::new() }))
}
