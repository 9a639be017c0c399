//! `/v1/acknowledgements`: warnings about resources that somebody has seen to, or has put aside until an instant.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::body::JsonCursor;
use perennial_service::admin_tokens::Caller;
use perennial_service::lookup;
use perennial_store::acknowledgements;
use perennial_store::acknowledgements::NewAcknowledgement;
use perennial_store::acknowledgements::StoredAcknowledgement;
use serde::Serialize;
use utoipa::ToSchema;

use crate::input::Body;
use crate::input::EmptyBody;
use crate::input::Id;
use crate::input::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;
use crate::views::path_segment;
use crate::views::to_text;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteResponse;

/// An acknowledgement of the warnings about a resource.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Acknowledgement)]
pub(super) struct AcknowledgementView {
    /// The ID of the resource.
    resource: String,
    /// The ID of its account.
    account: String,
    /// The instant from which it counts no more; null until the resource is at another stage or has another expiry.
    until: Option<String>,
    /// The ID of the token that acknowledged.
    acknowledged_by: String,
    /// When that was.
    acknowledged_at: String,
    /// The reason that was given.
    reason: Option<String>,
}

impl From<StoredAcknowledgement> for AcknowledgementView {
    fn from(stored: StoredAcknowledgement) -> AcknowledgementView {
        AcknowledgementView {
            resource: stored.resource,
            account: stored.account,
            until: to_text(stored.until),
            acknowledged_by: stored.by,
            acknowledged_at: stored.at.to_string(),
            reason: stored.reason,
        }
    }
}

/// Lists the acknowledgements that count: those of resources that are at the same stage and have the same expiry as then,
/// and whose `until` has not come.
#[utoipa::path(get, path = "/v1/acknowledgements", tag = "acknowledgements",
    responses((status = 200, body = Page<AcknowledgementView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Page<AcknowledgementView>>, Problem> {
    query.finish()?;
    let (accounts, now) = (caller.accounts_json(), app.now());
    let found = app.read(move |db| Ok(acknowledgements::list(db, accounts.as_deref(), None, now)?)).await?;
    Ok(Json(Page { items: found.into_iter().map(AcknowledgementView::from).collect(), next_cursor: None }))
}

/// A new acknowledgement.
#[derive(ToSchema)]
#[schema(as = NewAcknowledgement)]
#[serde(deny_unknown_fields)]
pub(super) struct AcknowledgementBody {
    /// The ID of the resource that the warnings are about.
    resource: String,
    /// The instant from which they are shown again; left out or null, once the resource is at another stage or has another
    /// expiry.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl Body for AcknowledgementBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<AcknowledgementBody> {
        let fields = cursor.object(&["resource", "until"])?;
        let resource = fields.required("resource", |cursor| cursor.id().map(str::to_owned));
        let until = fields.optional("until", |cursor| cursor.given_instant()).option();
        Some(AcknowledgementBody { resource: resource?, until: until? })
    }
}

/// Acknowledges the warnings about a resource: what the console shows as at risk leaves it out. Nothing else changes, and
/// channels and webhooks go on. A second acknowledgement takes the place of the first.
#[utoipa::path(post, path = "/v1/acknowledgements", tag = "acknowledgements", request_body = AcknowledgementBody,
    responses((status = 201, body = AcknowledgementView)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, body): Write<AcknowledgementBody>,
) -> Result<WriteResponse, Problem> {
    let write = app.write(request, move |work| {
        if let Some(past) = body.until.filter(|until| *until <= work.at) {
            let detail =
                format!("{past} has passed, it is {}; name a later instant, or leave it out", work.at);
            return Err(Problem::field(ProblemType::InvalidFields, "until", detail));
        }
        let found = lookup::resolve_resource(work.db(), &work.request.caller, &body.resource)?;
        let resource = found.resource();
        let new = NewAcknowledgement {
            resource: found.row(),
            stage: resource.stage,
            expires_at: resource.expires_at,
            until: body.until,
            by: &work.request.caller.id,
            at: work.at,
            reason: work.request.reason.as_deref(),
        };
        acknowledgements::put(work.tx(), &new)?;
        work.set_audit_subject(&found.account.account.id, Some(body.resource.as_str()));
        let view = view(work, &body.resource)?;
        let location = format!("/v1/acknowledgements/{}", path_segment(&body.resource));
        Ok(WriteResponse::created(&location, &view))
    });
    let response = write.await?;
    app.writer().wake();
    Ok(response)
}

/// Takes the acknowledgement of a resource back: its warnings are shown again. Returns what it was.
#[utoipa::path(delete, path = "/v1/acknowledgements/{id}", tag = "acknowledgements", params(("id" = String, Path)),
    responses((status = 200, body = AcknowledgementView)))]
pub(super) async fn delete(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    let write = app.write(request, move |work| {
        let found = lookup::resolve_resource(work.db(), &work.request.caller, &id)?;
        let view = view(work, &id)?;
        acknowledgements::delete(work.tx(), found.row())?;
        work.set_audit_subject(&found.account.account.id, Some(id.as_str()));
        Ok(WriteResponse::ok(&view))
    });
    let response = write.await?;
    app.writer().wake();
    Ok(response)
}

/// The acknowledgement of a resource that counts now.
fn view(work: &WriteContext<'_>, resource: &str) -> Result<AcknowledgementView, Problem> {
    let found = acknowledgements::list(work.db(), None, Some(resource), work.at)?;
    let first = found.into_iter().next().map(AcknowledgementView::from);
    first.ok_or_else(|| Problem::not_found("acknowledgement", resource))
}
