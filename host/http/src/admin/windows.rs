//! `/v1/resources/{id}/renewal-window`: when to renew a resource, in the shape of RFC 9773 (ACME Renewal Information).
//!
//! The window comes from the timeline that the clock follows, so it is what the host itself acts on.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::index::MemberIndex;
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

/// The shortest and the longest `Retry-After`, in seconds: RFC 9773, section 4.3.3, recommends six hours.
const RETRY_AFTER_MIN: i64 = 60;
const RETRY_AFTER_MAX: i64 = 6 * 3600;

/// The longest time between the first attempt of a period and the expiry, in seconds: no provider begins earlier than a
/// month.
const LEAD_MAX: i64 = 31 * 86_400;

/// When to renew a resource.
#[derive(Serialize, ToSchema)]
#[schema(as = RenewalWindow)]
#[serde(rename_all = "camelCase")]
pub(super) struct RenewalWindowView {
    /// The window to renew in; renew at once if it has begun.
    suggested_window: WindowView,
    /// The URL of the resource's events, relative to this request.
    #[serde(rename = "explanationURL")]
    explanation_url: String,
}

/// A window of time.
#[derive(Serialize, ToSchema)]
#[schema(as = SuggestedWindow)]
struct WindowView {
    /// The first instant.
    #[schema(format = DateTime)]
    start: String,
    /// The last instant; a resource that is renewed by then keeps its stage.
    #[schema(format = DateTime)]
    end: String,
}

/// Gets the renewal window of a resource, in the shape of RFC 9773. `Retry-After` is when to ask again.
///
/// `end` is when the resource leaves its stage unless it is renewed: an active one expires (and enters grace, is
/// converted or released), one in grace stops, one in retention is gone. `start` is the next automatic attempt. With
/// auto-renew off it is the first attempt of the period as if it were on, which may have passed; without one before
/// `end`, as in grace and retention, it is the present. Resources that are postpaid or ended are never renewed: that is
/// a conflict.
#[utoipa::path(get, path = "/v1/resources/{id}/renewal-window", tag = "windows", params(("id" = String, Path)),
    responses(
        (status = 200, body = RenewalWindowView,
            headers(("Retry-After" = u32, description = "The seconds after which to ask again."))),
        (status = 409, description = "The resource is never renewed, or its plugin is not loaded.", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = 502, description = "The plugin failed.", body = ProblemDetails,
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
    Ok(([(header::RETRY_AFTER, window.retry_after.to_string())], Json(view)).into_response())
}

struct Window {
    start: Timestamp,
    end: Timestamp,
    /// Seconds until the window should be read again.
    retry_after: i64,
}

fn window(
    db: &ReadTx,
    providers: &Providers,
    caller: &Caller,
    id: &str,
    at: Timestamp,
) -> Result<Window, Problem> {
    let resolved = lookup::resolve_resource(db, caller, id)?;
    let (bundle, member) = (&resolved.stored.bundle, resolved.member);
    let resource = &bundle[member];
    if !resource.is_live() {
        let why = match resource.charging {
            Charging::Postpaid => "postpaid",
            Charging::Prepaid => resource.stage.name(),
        };
        return Err(Problem::new(ProblemType::Conflict, format!("`{id}` is {why}; it is never renewed")));
    }
    let upcoming_timeline = |bundle: &Bundle, from: Timestamp| {
        let timeline =
            upcoming::upcoming_timelines(db, providers, from, &[(resolved.stored.account, bundle)])?.pop();
        Ok::<_, Problem>(timeline.expect("one request has one timeline")?)
    };
    let timeline = upcoming_timeline(bundle, at)?;
    let exit = timeline.iter().find(|occurrence| occurrence.member == member && is_end(&occurrence.action));
    let end = exit.expect("a timeline that was checked brings every live member to its end").at;
    let start = match first_attempt(&timeline, bundle, member) {
        Some(start) => Some(start),
        None => {
            let mut renewing = bundle.clone();
            renewing[member].on_expiry = OnExpiry::Renew;
            renewing[member].renewals_left = None;
            first_attempt(&upcoming_timeline(&renewing, at - LEAD_MAX)?, &renewing, member)
        }
    };
    let start = start.filter(|start| *start <= end).unwrap_or(at);
    let next = timeline.first().map_or(RETRY_AFTER_MAX, |occurrence| occurrence.at - at + 1);
    Ok(Window { start, end, retry_after: next.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX) })
}

/// Whether an action makes a resource leave its stage.
fn is_end(action: &Action) -> bool {
    match action {
        Action::Enter(_) | Action::Convert => true,
        Action::TryRenewal | Action::SetAttribute(..) | Action::Refill | Action::Notice(_) => false,
    }
}

/// The first attempt to renew a member: its own, or that of the primary that it is attached to and expires with.
pub(crate) fn first_attempt(
    timeline: &[Occurrence],
    bundle: &Bundle,
    member: MemberIndex,
) -> Option<Timestamp> {
    let attempt = |member: MemberIndex| {
        timeline
            .iter()
            .find(|occurrence| occurrence.member == member && occurrence.action == Action::TryRenewal)
            .map(|occurrence| occurrence.at)
    };
    let mut next = Some(member);
    for _ in 0..bundle.members.len() {
        let index = next?;
        if bundle[index].expires_at == bundle[member].expires_at
            && let Some(at) = attempt(index)
        {
            return Some(at);
        }
        next = bundle[index].attached_to;
    }
    None
}
