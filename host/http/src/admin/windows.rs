//! `/v1/resources/{id}/renewal-window`: when to renew a resource, in the shape of RFC 9773 (ACME Renewal Information).
//!
//! The window is read off the timeline that the clock walks along, so it says what the host itself goes by.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use serde::Serialize;
use utoipa::ToSchema;

use crate::input::Id;
use crate::input::Query;
use crate::problem::Problem;
use crate::problem::ProblemDetails;
use crate::problem::ProblemType;
use crate::state::AppState;
use crate::views;
use perennial_engine::rules::Providers;
use perennial_engine::upcoming;
use perennial_service::admin_tokens::Caller;
use perennial_service::lookup;

/// The longest and the shortest time after which to ask again, in seconds: RFC 9773, section 4.3.3, recommends six hours.
const RETRY_SPACING: (i64, i64) = (6 * 3600, 60);

/// How far back the first try of a period may lie, in seconds: no provider tries for longer than a month before an expiry.
const LEAD_MAX: i64 = 31 * 86_400;

/// When to renew a resource.
#[derive(Serialize, ToSchema)]
#[schema(as = RenewalWindow)]
#[serde(rename_all = "camelCase")]
pub(super) struct RenewalWindowView {
    /// Renew at an instant in it, at once if it has begun.
    suggested_window: WindowView,
    /// Where the reasons are, relative to this request: what has happened to the resource.
    #[serde(rename = "explanationURL")]
    explanation_url: String,
}

/// A stretch of time.
#[derive(Serialize, ToSchema)]
#[schema(as = SuggestedWindow)]
struct WindowView {
    /// The first instant.
    start: String,
    /// The last instant: renewed by then, the resource does not leave the stage that it is at.
    end: String,
}

/// Says when to renew a resource, in the shape of RFC 9773; `Retry-After` says when to ask again.
///
/// `end` is when the resource leaves its stage unless it is renewed: an active one expires (and enters grace, is converted
/// or released), one in grace stops, one in retention is gone. `start` is the first automatic try still to come; with
/// auto-renew off, the first one of the period if it were on, also when that has passed; the present where there is none
/// before `end`, as in grace and retention. What is postpaid or at its end is never renewed: that is a conflict.
#[utoipa::path(get, path = "/v1/resources/{id}/renewal-window", tag = "windows", params(("id" = String, Path)),
    responses(
        (status = 200, body = RenewalWindowView,
            headers(("Retry-After" = u32, description = "Ask again after so many seconds."))),
        (status = 409, description = "It is never renewed, or its plugin is not loaded.", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = 502, description = "The plugin gave no usable answer", body = ProblemDetails,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    query.finish()?;
    let (providers, at) = (app.providers().clone(), app.now());
    let explanation_url = format!("/v1/events?resource={}", views::path_segment(&id));
    let window = app.read(move |db| window(db, &providers, &caller, &id, at)).await?;
    let (start, end) = (window.start.to_string(), window.end.to_string());
    let view = RenewalWindowView { suggested_window: WindowView { start, end }, explanation_url };
    Ok(([(header::RETRY_AFTER, window.ask_again.to_string())], Json(view)).into_response())
}

struct Window {
    start: Timestamp,
    end: Timestamp,
    /// In seconds.
    ask_again: i64,
}

fn window(
    db: &ReadTx,
    providers: &Providers,
    caller: &Caller,
    id: &str,
    at: Timestamp,
) -> Result<Window, Problem> {
    let found = lookup::resolve_resource(db, caller, id)?;
    let (bundle, member) = (&found.stored.bundle, found.member);
    let resource = &bundle.members[member];
    if !resource.is_live() {
        let why = match resource.charging {
            Charging::Postpaid => "postpaid",
            Charging::Prepaid => resource.stage.name(),
        };
        return Err(Problem::new(ProblemType::Conflict, format!("`{id}` is {why}; it is never renewed")));
    }
    let ahead = |bundle: &Bundle, from: Timestamp| {
        let page_request =
            upcoming::upcoming_timelines(db, providers, from, &[(found.stored.account, bundle)])?.pop();
        Ok::<_, Problem>(page_request.expect("one question has one answer")?)
    };
    let timeline = ahead(bundle, at)?;
    let leaves = timeline.iter().find(|occurrence| occurrence.member == member && is_end(&occurrence.action));
    let end = leaves.expect("a timeline that was checked brings every live member to its end").at;
    let start = match first_try(&timeline, bundle, member) {
        Some(start) => Some(start),
        None => {
            let mut renewing = bundle.clone();
            renewing.members[member].on_expiry = OnExpiry::Renew;
            renewing.members[member].renewals_left = None;
            first_try(&ahead(&renewing, at - LEAD_MAX)?, &renewing, member)
        }
    };
    let start = start.filter(|start| *start <= end).unwrap_or(at);
    let next = timeline.first().map_or(RETRY_SPACING.0, |occurrence| occurrence.at - at + 1);
    Ok(Window { start, end, ask_again: next.clamp(RETRY_SPACING.1, RETRY_SPACING.0) })
}

/// Whether a resource leaves its stage by it.
fn is_end(action: &Action) -> bool {
    match action {
        Action::Enter(_) | Action::Convert => true,
        Action::TryRenewal | Action::SetAttribute(..) | Action::Refill | Action::Notice(_) => false,
    }
}

/// The first try to renew a member: its own or, where that speaks for both, that of what it is attached to and expires
/// together with.
pub(crate) fn first_try(timeline: &[Occurrence], bundle: &Bundle, member: usize) -> Option<Timestamp> {
    let tries = |member: usize| {
        timeline
            .iter()
            .find(|occurrence| occurrence.member == member && occurrence.action == Action::TryRenewal)
            .map(|occurrence| occurrence.at)
    };
    let mut above = Some(member);
    for _ in 0..bundle.members.len() {
        let place = above?;
        if bundle.members[place].expires_at == bundle.members[member].expires_at
            && let Some(at) = tries(place)
        {
            return Some(at);
        }
        above = bundle.members[place].attached_to;
    }
    None
}
