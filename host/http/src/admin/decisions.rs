//! `/v1/resources/{id}/decisions`: what plugins and policies were asked about a resource, and what they answered.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_store::decisions;
use perennial_store::decisions::Decision;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::state::AppState;
use perennial_service::admin_tokens::Caller;
use perennial_service::lookup;

/// What a plugin, or policies, were asked about a resource, and the answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Decision)]
pub(super) struct DecisionView {
    /// The number of the decision, which `perennial replay` takes.
    id: String,
    /// When it was asked.
    #[schema(format = DateTime)]
    at: String,
    /// The account's ID.
    account: String,
    /// The resource that the command named.
    resource: String,
    /// The plugin; `script`, which runs policies, where they were asked.
    plugin: String,
    /// The digest of its revision.
    revision: String,
    /// The version of the contract in which request and response are written: of providers, such as `0.2`, or `policy/0.1`.
    contract: String,
    /// The fuel that it took: its part of what the call took in which it was asked; null where that was not kept.
    fuel: Option<u64>,
    /// What it was asked: the instant, the account's settings, the command, the bundle and its orders; of policies, their names,
    /// scripts and calendars (not for tokens that are bound to accounts), the account and the plan. Null when it is damaged.
    request: Option<Value>,
    /// What it answered: a plan or a refusal; of policies, an answer of each. Null when it is damaged.
    response: Option<Value>,
}

impl DecisionView {
    /// The decision as `caller` sees it: one who is bound to accounts does not see the host's calendars.
    fn new(decision: Decision, caller: &Caller) -> DecisionView {
        let parsed = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        let mut request: Option<Value> = parsed(decision.request.ok());
        if caller.accounts_json().is_some()
            && let Some(fields) = request.as_mut().and_then(Value::as_object_mut)
        {
            fields.remove("calendars");
        }
        DecisionView {
            id: decision.row.to_string(),
            at: decision.at.to_string(),
            account: decision.account,
            resource: decision.resource,
            plugin: decision.plugin,
            revision: decision.digest,
            contract: decision.contract,
            fuel: decision.fuel,
            request,
            response: parsed(decision.response.ok()),
        }
    }
}

/// Lists what plugins and policies were asked about a resource and answered, in the order in which it was decided, as long as decisions
/// are kept (`limits.decision_days`). Only what names the resource itself is listed; `contract`
/// tells what plugins planned from what policies ruled.
#[utoipa::path(get, path = "/v1/resources/{id}/decisions", tag = "decisions",
    params(("id" = String, Path), PageParams),
    responses((status = 200, body = Page<DecisionView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    mut query: Query,
) -> Result<Json<Page<DecisionView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    query.finish()?;
    let rows = app.read(move |db| {
        let resource = lookup::resolve_resource(db, &caller, &id)?.row();
        let (after, limit) = (page_request.after(), page_request.read_limit());
        let decisions = decisions::list_for_resource(db, resource, after, limit)?.into_iter();
        let row = |decision: Decision| (decision.row, DecisionView::new(decision, &caller));
        Ok::<_, Problem>(decisions.map(row).collect::<Vec<_>>())
    });
    Ok(Json(Page::new(page_request, rows.await?)))
}
