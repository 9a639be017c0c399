//! `/v1/clock`: what time it is and, on virtual time, moving it.

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

/// The clock.
#[derive(Serialize, ToSchema)]
pub(super) struct Clock {
    /// What time it is.
    now: String,
    /// Up to when everything has been done; null before the first time.
    ticked_at: Option<String>,
    /// Whether it stands until it is moved.
    is_virtual: bool,
}

/// Says what time it is.
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

/// Where the clock is to go.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    /// An instant that is not in the past.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
}

impl Body for Advance {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<Advance> {
        let fields = cursor.object(&["to"])?;
        Some(Advance { to: fields.required("to", |cursor| cursor.instant())? })
    }
}

/// Where the clock went.
#[derive(Serialize, ToSchema)]
pub(super) struct AdvanceResult {
    /// What time it is.
    now: String,
}

/// Moves a virtual clock: everything that is due before that instant is done. What is due at the instant itself is still to
/// come, after what people do then. Refused on real time.
#[utoipa::path(post, path = "/v1/clock:advance", tag = "clock", request_body = Advance,
    responses((status = 200, body = AdvanceResult)))]
pub(super) async fn advance(
    State(app): State<AppState>,
    Write(request, body): Write<Advance>,
) -> Result<WriteResponse, Problem> {
    require_all_accounts(&request.caller)?;
    let Advance { to } = body;
    let advance = move |writer: &mut WriterContext| Ok(writer.advance(to)?);
    let respond = move |work: &mut WriteContext<'_>| {
        debug_assert!(work.at == to);
        Ok(WriteResponse::ok(&AdvanceResult { now: to.to_string() }))
    };
    app.write_after(request, advance, respond).await
}
