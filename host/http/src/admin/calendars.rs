//! `/v1/calendars`: calendar feeds, each at an address that is a secret.
//!
//! The address grants access to the feed, so creating a feed is like creating a token. A reader renders the feed; the
//! writer stores the changed entries, a few at a time.

use std::collections::BTreeSet;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_store::ReadTx;
use perennial_store::keys::CalendarKey;
use perennial_store::keys::RowKey;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;
use utoipa::ToSchema;

use crate::input;
use crate::input::Body;
use crate::input::EmptyBody;
use crate::input::Id;
use crate::input::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::quotas;
use crate::quotas::Creation;
use crate::state::AppState;
use crate::views;
use crate::views::to_text;
use crate::write::Write;
use crate::write::WriteResponse;
use perennial_formats::body::JsonCursor;
use perennial_service::admin_tokens::Caller;
use perennial_service::calendar;
use perennial_service::calendar::EntryKind;

use perennial_store::calendars;
use perennial_store::calendars::NewCalendar;
use perennial_store::calendars::StoredCalendar;

/// The most entries of one transaction, so that other writes do not wait long.
const ENTRIES_PER_WRITE: usize = 500;

/// A feed, without its address.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Calendar)]
pub(super) struct CalendarView {
    /// Public ID, which is not the secret.
    id: String,
    /// The name, as calendars show it.
    name: String,
    /// The accounts in the feed; null is all of them.
    accounts: Option<Vec<String>>,
    /// The kinds of entry: `try`, `expiry`, `release`.
    occurrences: Vec<String>,
    /// When it was created.
    created_at: String,
    /// The ID of the token that created it.
    created_by: String,
    /// When it last got a new address.
    rotated_at: Option<String>,
    /// When it was revoked.
    revoked_at: Option<String>,
}

impl From<StoredCalendar> for CalendarView {
    fn from(stored: StoredCalendar) -> CalendarView {
        let began = stored.began;
        CalendarView {
            id: public_id(stored.row),
            name: began.name,
            accounts: began.accounts,
            occurrences: began.occurrences,
            created_at: began.created_at.to_string(),
            created_by: began.created_by,
            rotated_at: to_text(stored.rotated_at),
            revoked_at: to_text(stored.revoked_at),
        }
    }
}

fn public_id(row: CalendarKey) -> String {
    format!("cal-{row}")
}

/// Whether the caller can access a feed: a bound token can if it can access every account of the feed.
fn can_access(caller: &Caller, calendar: &StoredCalendar) -> bool {
    caller.can_access_each(calendar.began.accounts.as_deref())
}

/// Lists feeds, revoked ones included, in the order in which they were created.
#[utoipa::path(get, path = "/v1/calendars", tag = "calendars", responses((status = 200, body = Page<CalendarView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Page<CalendarView>>, Problem> {
    query.finish()?;
    let stored = app.read(|db| Ok(calendars::list(db)?)).await?;
    let items = stored.into_iter().filter(|calendar| can_access(&caller, calendar)).map(CalendarView::from);
    Ok(Json(Page { items: items.collect(), next_cursor: None }))
}

/// A new feed.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFeed {
    /// The name, as calendars show it.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// The accounts in the feed; null is all that the token can access.
    accounts: Option<BTreeSet<String>>,
    /// The kinds of entry, of `try`, `expiry` and `release`; null is all of them.
    #[schema(value_type = Option<Vec<String>>)]
    occurrences: Option<BTreeSet<EntryKind>>,
}

impl Body for NewFeed {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<NewFeed> {
        let fields = cursor.object(&["name", "accounts", "occurrences"])?;
        let name = fields.required("name", |cursor| cursor.new_name().map(str::to_owned));
        let accounts = fields.optional("accounts", input::accounts).option();
        let occurrences = fields.optional("occurrences", |cursor| {
            let kind = |_, cursor: JsonCursor<'_, '_>| cursor.one_of(&EntryKind::ALL, EntryKind::name);
            cursor.list_of_some("leave it out for all of them", kind)
        });
        let occurrences = occurrences.option()?.map(|words| words.into_iter().collect());
        Some(NewFeed { name: name?, accounts: accounts?, occurrences })
    }
}

/// A feed with its address.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedCalendar {
    /// The feed, without its address.
    calendar: CalendarView,
    /// The path of the feed on this host, which needs no token. It is shown once; null in the response to a repeated
    /// request.
    path: Option<String>,
}

impl CreatedCalendar {
    fn response(
        stored: StoredCalendar,
        secret: &str,
        build: impl FnOnce(&CreatedCalendar) -> WriteResponse,
    ) -> WriteResponse {
        let calendar = CalendarView::from(stored);
        let again = CreatedCalendar { calendar: calendar.clone(), path: None };
        let path = Some(format!("/calendars/{secret}.ics"));
        build(&CreatedCalendar { calendar, path }).with_one_time_secret(&again)
    }
}

/// 256 random bits and their hash.
fn secret() -> Result<(String, [u8; 32]), Problem> {
    let secret = perennial_service::random_hex::random_hex::<32>()?;
    let hash = Sha256::digest(&secret).into();
    Ok((secret, hash))
}

/// Creates a feed of future renewals, expiries and releases. Its address is shown once, and grants access to the feed.
///
/// The feed stays valid when the token that created it is revoked. A bound token creates feeds of its own accounts
/// only.
#[utoipa::path(post, path = "/v1/calendars", tag = "calendars", request_body = NewFeed,
    responses((status = 201, body = CreatedCalendar)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, body): Write<NewFeed>,
) -> Result<WriteResponse, Problem> {
    let limits = app.limits().clone();
    app.write(request, move |work| {
        let caller = &work.request.caller;
        quotas::check_person(work.db(), caller, (&limits, work.at), Creation::Calendar)?;
        views::check_accounts(work.db(), caller, body.accounts.iter().flatten())?;
        let accounts = match body.accounts {
            Some(accounts) => Some(accounts.into_iter().collect()),
            None => caller.accounts(),
        };
        let occurrences = body.occurrences.unwrap_or_else(|| EntryKind::ALL.into());
        let (secret, hash) = secret()?;
        let calendar = NewCalendar {
            hash,
            uid: perennial_service::random_hex::random_hex::<16>()?,
            name: body.name,
            accounts,
            occurrences: occurrences.into_iter().map(|what| what.name().to_owned()).collect(),
            created_at: work.at,
            created_by: caller.id.to_string(),
        };
        let row = calendars::insert(work.tx(), &calendar)?;
        let stored = visible_calendar(work.db(), caller, &public_id(row))?;
        let location = format!("/v1/calendars/{}", public_id(row));
        Ok(CreatedCalendar::response(stored, &secret, |body| WriteResponse::created(&location, body)))
    })
    .await
}

/// Finds the feed `id`, if the caller can access it.
fn visible_calendar(db: &ReadTx, caller: &Caller, id: &str) -> Result<StoredCalendar, Problem> {
    let none = || Problem::not_found("calendar", id);
    let row = id
        .strip_prefix("cal-")
        .and_then(|row| row.parse().ok())
        .map(CalendarKey::from_number)
        .ok_or_else(none)?;
    calendars::get(db, row)?.filter(|calendar| can_access(caller, calendar)).ok_or_else(none)
}

/// Gives a feed a new address. The old one stops working at once.
#[utoipa::path(post, path = "/v1/calendars/{id}:rotate", tag = "calendars", params(("id" = String, Path)),
    responses((status = 200, body = CreatedCalendar)))]
pub(super) async fn rotate(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let caller = &work.request.caller;
        let stored = visible_calendar(work.db(), caller, &id)?;
        if stored.revoked_at.is_some() {
            return Err(Problem::new(ProblemType::Conflict, format!("`{id}` is revoked; make another one")));
        }
        let (secret, hash) = secret()?;
        calendars::rotate(work.tx(), stored.row, &hash, work.at)?;
        let stored = visible_calendar(work.db(), caller, &id)?;
        Ok(CreatedCalendar::response(stored, &secret, WriteResponse::ok))
    })
    .await
}

/// Revokes a feed. Its address stops working at once.
#[utoipa::path(post, path = "/v1/calendars/{id}:revoke", tag = "calendars", params(("id" = String, Path)),
    responses((status = 200, body = CalendarView)))]
pub(super) async fn revoke(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let caller = &work.request.caller;
        let stored = visible_calendar(work.db(), caller, &id)?;
        calendars::revoke(work.tx(), stored.row, work.at)?;
        Ok(WriteResponse::ok(&CalendarView::from(visible_calendar(work.db(), caller, &id)?)))
    })
    .await
}

/// Gets a feed in iCalendar, for calendars to subscribe to; see FORMATS.md. The file name is the secret of the feed, so
/// the route needs no token.
#[utoipa::path(get, path = "/calendars/{file}", tag = "calendars",
    params(
        ("file" = String, Path, description = "The last segment of `path`, with `.ics`."),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the client's copy."),
    ),
    responses(
        (status = 200, body = String, content_type = "text/calendar",
            headers(("ETag" = String, description = "Its version."))),
        (status = 304, description = "The client's copy is current."),
    ))]
pub(super) async fn feed(
    State(app): State<AppState>,
    Id(file): Id,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    query.finish()?;
    let secret = file.strip_suffix(".ics").unwrap_or_default();
    let hash: [u8; 32] = Sha256::digest(secret).into();
    // The lookup precedes the wait for the permit, so that guessed addresses do not delay valid ones.
    let calendar = app.read(move |db| Ok(calendars::find_by_hash(db, &hash)?)).await?;
    let none = || Problem::new(ProblemType::NotFound, "there is no such calendar");
    calendar.ok_or_else(none)?;
    let text = {
        let permit = app.calendar_permits().acquire().await;
        let _permit = permit.expect("the semaphore of calendars is never closed");
        refresh(&app, hash).await?;
        let at = app.now();
        let text = app.read(move |db| match calendars::find_by_hash(db, &hash)? {
            Some(calendar) => Ok(Some(calendar::to_icalendar(db, &calendar, at)?)),
            None => Ok(None),
        });
        text.await?.ok_or_else(none)?
    };
    let etag = views::etag(&text);
    let common = [(header::ETAG, etag.as_str()), (header::CACHE_CONTROL, "private, max-age=300")];
    if views::matches_etag(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok((common, [(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text).into_response())
}

/// Stores the changes of a feed since it was last read.
async fn refresh(app: &AppState, hash: [u8; 32]) -> Result<(), Problem> {
    let (providers, at) = (app.providers().clone(), app.now());
    let changes = app.read(move |db| {
        let Some(calendar) = calendars::find_by_hash(db, &hash)? else { return Ok(None) };
        let changes = calendar::refresh(db, &providers, &calendar, at)?;
        Ok(changes.map(|changes| (calendar.row, changes)))
    });
    let Some((row, changes)) = changes.await? else { return Ok(()) };
    for entries in changes.entries.chunks(ENTRIES_PER_WRITE) {
        let entries = entries.to_vec();
        app.writer()
            .call(move |context| {
                context.engine.in_transaction(|engine| {
                    entries.iter().try_for_each(|entry| calendars::upsert(engine.tx(), row, entry))
                })?;
                Ok::<_, Problem>(())
            })
            .await?;
    }
    let fingerprint = changes.fingerprint;
    app.writer()
        .call(move |context| {
            context
                .engine
                .in_transaction(|engine| calendars::set_fingerprint(engine.tx(), row, &fingerprint))?;
            Ok(())
        })
        .await
}
