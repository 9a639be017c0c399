//! `/v1/calls`: renewals and commands on clouds, where each is, what is known of it, and what a person says of one that is in doubt.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::connected::protocol;
use perennial_domain::connected::record::Extension as Prolongation;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::plan::Refusal;
use perennial_engine::connected::CallId;
use perennial_engine::connected::run::Decision;
use perennial_formats::body::JsonCursor;
use perennial_formats::plan::TermView;
use perennial_service::admin_tokens::Caller;
use perennial_store::ReadTx;
use perennial_store::calls::listing;
use perennial_store::calls::listing::CallFilter;
use perennial_store::calls::listing::CallStep;
use perennial_store::calls::listing::ListedCall;
use perennial_store::keys::CallKey;
use perennial_store::keys::RowKey;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::require_account;
use crate::input::Body;
use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;
use crate::views::to_text;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteResponse;

/// The states of the protocol by their words; a decline's class is a word of its own.
const STATES: [&str; 11] = [
    "planned",
    "awaiting_approval",
    "reserved",
    "calling",
    "submitted",
    "in_doubt",
    "with_person",
    "settled",
    "declined",
    "not_applied",
    "void",
];

/// A renewal or another command on a cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Call)]
pub(crate) struct CallView {
    /// The number of the call.
    id: String,
    /// The account's ID.
    account: String,
    /// The ID of the resource that the call names.
    resource: String,
    /// What it asks for: `renew`, `set_auto_renew`, `cancel_auto_renew`, `unsubscribe`, `convert_on_expiry` or
    /// `cancel_conversion`.
    change: &'static str,
    /// Who asked: `command` is a person or program, `auto` this host by itself.
    cause: &'static str,
    /// The ID of the attempt that a renewal stands for; null for another command.
    attempt: Option<String>,
    /// `reserved` waits to be sent; `calling`, `submitted`, `in_doubt` and `with_person` are under way or unclear, and their
    /// money is held; `settled` was read back; `declined`, `not_applied` and `void` paid nothing.
    state: &'static str,
    /// The class of a decline: `money`, `rule`, `throttled` or `provider`.
    class: Option<&'static str>,
    /// When it entered its state.
    #[schema(format = DateTime)]
    since: String,
    /// The term to pay for, or of each automatic renewal; null where there is none.
    term: Option<TermView>,
    /// What it costs, a decimal.
    cost: String,
    /// What is changed: the resource that is named first, then what goes along with it.
    extensions: Vec<ExtensionView>,
    /// When it was last sent; null before that.
    #[schema(format = DateTime)]
    called_at: Option<String>,
    /// How often the provider was read since.
    queries: u32,
    /// How many tries were proven to have done nothing.
    declines: u32,
    /// When something is done about it next; null when nothing is.
    #[schema(format = DateTime)]
    act_at: Option<String>,
    /// From when on the provider takes nothing for the period any more.
    #[schema(format = DateTime)]
    deadline: String,
    /// The orders that the provider named.
    orders: Vec<String>,
    /// What the provider said last, or why its response proves nothing; null where nothing was said.
    said: Option<SaidView>,
}

/// A resource that a call changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CallExtension)]
pub(crate) struct ExtensionView {
    /// The resource's ID.
    resource: String,
    /// Its expiry before the call.
    #[schema(format = DateTime)]
    expires_before: String,
    /// The expiry that was planned, which a reading of a renewal must show; the same as before where none moves.
    #[schema(format = DateTime)]
    expires_planned: String,
    /// What it costs, a decimal.
    cost: String,
}

/// What a provider said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProviderWords)]
pub(crate) struct SaidView {
    /// The provider's code, or a word of this host's where there was no response.
    code: String,
    /// The provider's message, or what went wrong.
    message: String,
}

/// A call with its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CallHistory)]
pub(super) struct CallHistoryView {
    /// The call as it is now.
    call: CallView,
    /// The states that it entered, oldest first.
    steps: Vec<StepView>,
}

/// A state that a call entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CallStep)]
pub(super) struct StepView {
    /// When it did.
    #[schema(format = DateTime)]
    at: String,
    /// The word for the state that it entered.
    state: &'static str,
    /// The class of a decline.
    class: Option<&'static str>,
    /// What the provider said with it.
    said: Option<SaidView>,
}

impl From<Refusal> for SaidView {
    fn from(said: Refusal) -> SaidView {
        SaidView { code: said.code, message: said.message }
    }
}

impl From<&Prolongation> for ExtensionView {
    fn from(extension: &Prolongation) -> ExtensionView {
        ExtensionView {
            resource: extension.resource.clone(),
            expires_before: extension.expires_before.to_string(),
            expires_planned: extension.expires_planned.to_string(),
            cost: extension.cost.to_string(),
        }
    }
}

impl From<ListedCall> for CallView {
    fn from(listed: ListedCall) -> CallView {
        let record = &listed.call.record;
        CallView {
            id: listed.row.to_string(),
            account: listed.account,
            resource: record.named().resource.clone(),
            change: record.change.mutation().name(),
            cause: record.cause.name(),
            attempt: record.attempt_id().map(|id| id.to_string()),
            state: record.state.name(),
            class: class(record.state),
            since: listed.since.to_string(),
            term: record.change.term().map(TermView::from),
            cost: record.cost().to_string(),
            extensions: record.extensions.iter().map(ExtensionView::from).collect(),
            called_at: to_text(record.called_at),
            queries: record.queries,
            declines: record.declines,
            act_at: to_text(record.act_at),
            deadline: record.deadline.to_string(),
            orders: listed.call.orders.clone(),
            said: listed.call.said.clone().map(SaidView::from),
        }
    }
}

impl From<CallStep> for StepView {
    fn from(step: CallStep) -> StepView {
        StepView {
            at: step.at.to_string(),
            state: step.state.name(),
            class: class(step.state),
            said: step.said.map(SaidView::from),
        }
    }
}

const fn class(state: protocol::State) -> Option<&'static str> {
    if let protocol::State::Declined(class) = state { Some(class.name()) } else { None }
}

/// Lists renewals and commands on clouds, in the order in which they were first reserved.
#[utoipa::path(get, path = "/v1/calls", tag = "calls",
    params(
        ("account" = Option<String>, Query, description = "Only of this account."),
        ("resource" = Option<String>, Query, description = "Only those that change this resource."),
        ("state" = Option<String>, Query, description = "Only in this state, such as `in_doubt`."),
        PageParams,
    ),
    responses((status = 200, body = Page<CallView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<CallView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let state = query.one_of("state", &STATES, |state| state);
    let filter = CallFilter {
        accounts: caller.accounts_json(),
        account: query.take("account"),
        resource: query.take("resource"),
        states: state.map(codes_of),
    };
    query.finish()?;
    let calls =
        app.read(move |db| Ok(listing::calls(db, &filter, page_request.after(), page_request.read_limit())?));
    let rows = calls.await?.into_iter().map(|call| (call.row, call.into())).collect();
    Ok(Json(Page::new(page_request, rows)))
}

/// The codes of the states that a word stands for, as a JSON list.
fn codes_of(name: &str) -> String {
    let states = protocol::State::ALL.into_iter().filter(|state| state.name() == name);
    serde_json::json!(states.map(protocol::State::code).collect::<Vec<_>>()).to_string()
}

/// Gets a renewal or command on a cloud with its history.
#[utoipa::path(get, path = "/v1/calls/{id}", tag = "calls", params(("id" = String, Path)),
    responses((status = 200, body = CallHistoryView)))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    query: Query,
) -> Result<Json<CallHistoryView>, Problem> {
    query.finish()?;
    Ok(Json(app.read(move |db| history(db, visible(db, &caller, &id)?)).await?))
}

fn history(db: &ReadTx, listed: ListedCall) -> Result<CallHistoryView, Problem> {
    let steps = listing::steps(db, listed.row)?.into_iter().map(StepView::from).collect();
    Ok(CallHistoryView { call: listed.into(), steps })
}

/// A call that the caller can access.
fn visible(db: &ReadTx, caller: &Caller, id: &str) -> Result<ListedCall, Problem> {
    let found = id.parse().ok().map(|number| listing::get(db, CallKey::from_number(number))).transpose()?;
    let listed = found.flatten().ok_or_else(|| Problem::not_found("call", id))?;
    require_account(caller, &listed.account).map_err(|_| Problem::not_found("call", id))?;
    Ok(listed)
}

/// What a person says of a call.
#[derive(Clone, Copy, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Resolution {
    /// `applied`: the person looked, and it was applied as planned. `not_applied`: nothing was or will be applied. `give_up`: a
    /// call that was not sent is not to be. `given_back`: what was settled was given back since, and can be paid for again.
    #[schema(value_type = String, example = "not_applied")]
    decision: Decision,
}

impl Body for Resolution {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<Resolution> {
        const ALL: [Decision; 4] =
            [Decision::Applied, Decision::NotApplied, Decision::GiveUp, Decision::GivenBack];
        let fields = cursor.object(&["decision"])?;
        let decision = fields.required("decision", |cursor| {
            cursor.one_of(&ALL, |decision| match decision {
                Decision::Applied => "applied",
                Decision::NotApplied => "not_applied",
                Decision::GiveUp => "give_up",
                Decision::GivenBack => "given_back",
            })
        });
        Some(Resolution { decision: decision? })
    }
}

/// Takes down what a person says of a call that is in doubt or was handed to a person, gives up one that was not sent, or takes
/// down that a settled renewal was given back in the provider's console. Only what somebody has looked at is to be said here:
/// what is called not applied, or given back, is paid for again.
#[utoipa::path(post, path = "/v1/calls/{id}:resolve", tag = "calls", params(("id" = String, Path)),
    request_body = Resolution, responses((status = 200, body = CallHistoryView)))]
pub(super) async fn resolve(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<Resolution>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let listed = visible(work.db(), &work.request.caller, &id)?;
        work.set_audit_subject(&listed.account, Some(&listed.call.record.named().resource));
        decide(work, &listed, body.decision)?;
        let listed = visible(work.db(), &work.request.caller, &id)?;
        Ok(WriteResponse::ok(&history(work.db(), listed)?))
    })
    .await
}

fn decide(work: &mut WriteContext<'_>, listed: &ListedCall, decision: Decision) -> Result<(), Problem> {
    let (at, call) = (work.at, CallId::of(&listed.call));
    let (is_taken, events) = work.engine.resolve_call(call, decision, at, Schedule::DEFAULT)?;
    if is_taken != Some(true) {
        let state = listed.call.record.state.name();
        let detail = format!(
            "the call is {state}: what was sent and is in doubt or with a person can be `applied` or `not_applied`, what was \
             not sent yet can be given up, and a renewal that was settled can be `given_back`"
        );
        return Err(Problem::new(ProblemType::Conflict, detail));
    }
    work.record_events(events);
    Ok(())
}
