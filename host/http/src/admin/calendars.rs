//! `/v1/calendars`: feeds for calendars, each at an address that is a secret of its own.
//!
//! Whoever knows the address may read the feed, so making one is like making a token. What was shown of each entry is
//! written down by the writer, a few entries at a time; a feed is made on a reader's connection.

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
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;
use utoipa::ToSchema;

use crate::admin::webhooks::no_random_bits;
use crate::input::Body;
use crate::input::EmptyBody;
use crate::input::Id;
use crate::input::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;
use crate::views;
use crate::views::to_text;
use crate::write::Write;
use crate::write::WriteResponse;
use perennial_formats::body::JsonCursor;
use perennial_service::admin_tokens::Caller;
use perennial_service::calendar;
use perennial_service::calendar::EntryKind;

use crate::auth::require_account;
use perennial_store::calendars;
use perennial_store::calendars::NewCalendar;
use perennial_store::calendars::StoredCalendar;

/// How many entries are written in one transaction, so that nobody waits long for the writer.
const ENTRIES_AT_ONCE: usize = 500;

/// A feed, without its address.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Calendar)]
pub(super) struct CalendarView {
    /// What it is called by.
    id: String,
    /// What calendars show it as.
    name: String,
    /// The accounts that it shows; null is all of them.
    accounts: Option<Vec<String>>,
    /// What it shows of each resource: `try`, `expiry`, `release`.
    occurrences: Vec<String>,
    /// When it was made.
    created_at: String,
    /// By which token.
    created_by: String,
    /// When it was last given another address.
    rotated_at: Option<String>,
    /// Since when it is not shown any more.
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

fn public_id(row: i64) -> String {
    format!("cal-{row}")
}

/// Whether `caller` sees a feed: a bound token sees those that show no other accounts.
fn can_access(caller: &Caller, calendar: &StoredCalendar) -> bool {
    caller.can_access_each(calendar.began.accounts.as_deref())
}

/// Lists feeds, also revoked ones, in the order in which they were made.
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

/// A feed that is to be made.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFeed {
    /// What calendars show it as.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// The accounts that it shows; null is all that the token sees.
    accounts: Option<BTreeSet<String>>,
    /// What it shows of each resource, of `try`, `expiry` and `release`; null is all of that.
    #[schema(value_type = Option<Vec<String>>)]
    occurrences: Option<BTreeSet<EntryKind>>,
}

impl Body for NewFeed {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<NewFeed> {
        let fields = cursor.object(&["name", "accounts", "occurrences"])?;
        let name = fields.required("name", |cursor| cursor.id().map(str::to_owned));
        let accounts = fields
            .optional("accounts", |cursor| cursor.list(|_, cursor| cursor.id().map(str::to_owned)))
            .option();
        let occurrences = fields.optional("occurrences", |cursor| {
            let words = cursor.list(|_, cursor| cursor.one_of(&EntryKind::ALL, EntryKind::name))?;
            if words.is_empty() {
                cursor.report("it is empty; leave it out for all of them");
            }
            Some(words)
        });
        let occurrences = occurrences.option()?.map(|words| words.into_iter().collect());
        let accounts = accounts?.map(|accounts| accounts.into_iter().collect());
        Some(NewFeed { name: name?, accounts, occurrences })
    }
}

/// A feed with its address.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedCalendar {
    /// The feed, without its address.
    calendar: CalendarView,
    /// Where calendars read it, with no token: a path on this host. It is shown once; null for whoever asks again with the
    /// same key.
    path: Option<String>,
}

impl CreatedCalendar {
    fn reply(
        stored: StoredCalendar,
        secret: &str,
        reply: impl FnOnce(&CreatedCalendar) -> WriteResponse,
    ) -> WriteResponse {
        let calendar = CalendarView::from(stored);
        let again = CreatedCalendar { calendar: calendar.clone(), path: None };
        let path = Some(format!("/calendars/{secret}.ics"));
        reply(&CreatedCalendar { calendar, path }).with_one_time_secret(&again)
    }
}

/// 256 bits of the system's own generator, and what they hash to.
fn secret() -> Result<(String, [u8; 32]), Problem> {
    let secret = perennial_service::random_hex::random_hex::<32>().map_err(no_random_bits)?;
    let hash = Sha256::digest(&secret).into();
    Ok((secret, hash))
}

/// Makes a feed of what will happen to resources; its address is shown once, and whoever knows it may read the feed.
///
/// The feed has a life of its own: it goes on when the token that made it is revoked. A bound token makes feeds of its own
/// accounts only.
#[utoipa::path(post, path = "/v1/calendars", tag = "calendars", request_body = NewFeed,
    responses((status = 201, body = CreatedCalendar)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, body): Write<NewFeed>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let caller = &work.request.caller;
        body.accounts.iter().flatten().try_for_each(|account| require_account(caller, account))?;
        let accounts = match body.accounts {
            Some(accounts) => Some(accounts.into_iter().collect()),
            None => caller.accounts(),
        };
        let occurrences = body.occurrences.unwrap_or_else(|| EntryKind::ALL.into());
        let (secret, hash) = secret()?;
        let calendar = NewCalendar {
            hash,
            name: body.name,
            accounts,
            occurrences: occurrences.into_iter().map(|what| what.name().to_owned()).collect(),
            created_at: work.at,
            created_by: caller.id.to_string(),
        };
        let row = calendars::insert(work.tx(), &calendar)?;
        let stored = visible_calendar(work.db(), caller, &public_id(row))?;
        let location = format!("/v1/calendars/{}", public_id(row));
        Ok(CreatedCalendar::reply(stored, &secret, |made| WriteResponse::created(&location, made)))
    })
    .await
}

/// The feed called `id`, if the caller sees it.
fn visible_calendar(db: &ReadTx, caller: &Caller, id: &str) -> Result<StoredCalendar, Problem> {
    let none = || Problem::not_found("calendar", id);
    let row = id.strip_prefix("cal-").and_then(|row| row.parse().ok()).ok_or_else(none)?;
    calendars::get(db, row)?.filter(|calendar| can_access(caller, calendar)).ok_or_else(none)
}

/// Gives a feed another address; the old one leads nowhere from now on.
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
        Ok(CreatedCalendar::reply(stored, &secret, WriteResponse::ok))
    })
    .await
}

/// Revokes a feed: its address leads nowhere from now on.
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

/// A feed in iCalendar, for calendars to subscribe to; see FORMATS.md. The name of the file is the feed's secret, so no
/// token is asked for.
#[utoipa::path(get, path = "/calendars/{file}", tag = "calendars",
    params(
        ("file" = String, Path, description = "As `path` has it, with `.ics` at its end."),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what the client has."),
    ),
    responses(
        (status = 200, body = String, content_type = "text/calendar",
            headers(("ETag" = String, description = "Its version."))),
        (status = 304, description = "It is as the client has it."),
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
    // Who guesses must not make others wait: whether there is such a feed comes before waiting for one's turn.
    let known = app.read(move |db| Ok(calendars::find_by_hash(db, &hash)?)).await?;
    let none = || Problem::new(ProblemType::NotFound, "there is no such calendar");
    known.ok_or_else(none)?;
    let text = {
        let turn = app.calendar_permits().acquire().await;
        let _turn = turn.expect("the semaphore of calendars is never closed");
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
    if matches_etag(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok((common, [(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text).into_response())
}

/// Whether the client has this version: RFC 9110, section 13.1.2, compares weakly.
fn matches_etag(headers: &HeaderMap, etag: &str) -> bool {
    let held = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    held.split(',').map(str::trim).any(|held| held == "*" || held.trim_start_matches("W/") == etag)
}

/// Writes down what has changed about a feed since it was last read.
async fn refresh(app: &AppState, hash: [u8; 32]) -> Result<(), Problem> {
    let (providers, at) = (app.providers().clone(), app.now());
    let changes = app.read(move |db| {
        let Some(calendar) = calendars::find_by_hash(db, &hash)? else { return Ok(None) };
        let changes = calendar::refresh(db, &providers, &calendar, at)?;
        Ok(changes.map(|changes| (calendar.row, changes)))
    });
    let Some((row, changes)) = changes.await? else { return Ok(()) };
    for entries in changes.entries.chunks(ENTRIES_AT_ONCE) {
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
    let stamp = changes.fingerprint;
    app.writer()
        .call(move |context| {
            context.engine.in_transaction(|engine| calendars::set_fingerprint(engine.tx(), row, &stamp))?;
            Ok(())
        })
        .await
}
