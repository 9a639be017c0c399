//! `/v1/clock`: the host's clock and, on virtual time, advancing it.

use axum::Json;
use axum::extract::State;
use perennial_domain::timestamp::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::require_all_accounts;
use crate::input::Body;
use crate::input::Query;
use crate::problem::Problem;
use crate::state::AppState;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteResponse;
use perennial_formats::body::JsonCursor;
use perennial_service::writer::WriterContext;
use perennial_store::clock;

/// The host's clock.
#[derive(Serialize, ToSchema)]
pub(super) struct Clock {
    /// The present instant.
    now: String,
    /// The instant up to which all due work is done; null before the first tick.
    ticked_at: Option<String>,
    /// Whether the clock is virtual, and stands still until it is advanced.
    is_virtual: bool,
}

/// Gets the clock.
#[utoipa::path(get, path = "/v1/clock", tag = "clock", responses((status = 200, body = Clock)))]
pub(super) async fn get(State(app): State<AppState>, query: Query) -> Result<Json<Clock>, Problem> {
    query.finish()?;
    let ticked_at = app.read(|db| Ok(clock::ticked_at(db)?)).await?;
    Ok(Json(Clock {
        now: app.now().to_string(),
        ticked_at: ticked_at.map(|at| at.to_string()),
        is_virtual: app.writer().is_virtual(),
    }))
}

/// A request to advance the clock.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    /// The instant to advance to, not in the past.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
}

impl Body for Advance {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<Advance> {
        let fields = cursor.object(&["to"])?;
        Some(Advance { to: fields.required("to", |cursor| cursor.given_instant())? })
    }
}

/// The clock after it was advanced.
#[derive(Serialize, ToSchema)]
pub(super) struct AdvanceResult {
    /// The present instant.
    now: String,
}

/// Advances a virtual clock and does everything that is due before `to`. Work that is due at `to` itself is done later,
/// after commands at that instant. Refused on real time.
#[utoipa::path(post, path = "/v1/clock:advance", tag = "clock", request_body = Advance,
    responses((status = 200, body = AdvanceResult)))]
pub(super) async fn advance(
    State(app): State<AppState>,
    Write(request, body): Write<Advance>,
) -> Result<WriteResponse, Problem> {
    require_all_accounts(&request.caller)?;
    let Advance { to } = body;
    let (request, answer) = app.answer_without_work(request).await?;
    if let Some(answer) = answer {
        return Ok(answer);
    }
    // Others are let in on the way. What cannot be done is refused below, where that is written down.
    drop(app.writer().advance(to).await);
    let advance = move |writer: &mut WriterContext| Ok(writer.advance(to)?);
    let respond = move |work: &mut WriteContext<'_>| {
        debug_assert!(work.at == to);
        Ok(WriteResponse::ok(&AdvanceResult { now: to.to_string() }))
    };
    app.write_after(request, advance, respond).await
}
