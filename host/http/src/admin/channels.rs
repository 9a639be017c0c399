//! `/v1/channels`: where people are told of events. [`perennial_service::channels::dispatcher`] sends the messages, and
//! `channel_deliveries` has what became of each.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::channel::ChannelKind;
use perennial_domain::severity::Severity;
use perennial_formats::language::Language;
use perennial_formats::time_zone::TimeZone;
use perennial_service::admin_tokens::Caller;
use perennial_service::channels::credentials::Credentials;
use perennial_service::limits::Limit;
use perennial_service::outbound::Reach;
use perennial_service::outbound::target::Target;
use perennial_service::secrets::SecretBox;
use perennial_service::secrets::SecretsError;
use perennial_store::ReadTx;
use perennial_store::channels;
use perennial_store::channels::ChannelSettings;
use perennial_store::channels::ChannelTarget;
use perennial_store::channels::StoredChannel;
use perennial_store::keys::ChannelKey;
use perennial_store::keys::RowKey;
use perennial_store::list_queries;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::channel_bodies;
use crate::admin::channel_bodies::ChannelChange;
use crate::admin::channel_bodies::ChannelChangeDocument;
use crate::admin::channel_bodies::ChannelChoices;
use crate::admin::channel_bodies::NewChannel;
use crate::admin::channel_bodies::NewChannelDocument;
use crate::admin::webhooks;
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

/// The hours of each day in which nothing is sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = QuietHours)]
pub(super) struct QuietHoursView {
    /// The time of day from which nothing is sent.
    from: String,
    /// The time of day from which messages are sent again.
    until: String,
}

/// A channel, without its URL and its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Channel)]
pub(super) struct ChannelView {
    /// Public ID of the channel.
    id: String,
    /// `email`, `dingtalk`, `wecom`, `feishu` or `slack`.
    kind: String,
    /// The purpose, for people.
    description: String,
    /// What it sends to: the addresses of e-mail, or the host of the robot's URL.
    address: String,
    /// The language of messages: `en` or `zh-CN`.
    language: String,
    /// The time zone of the readers.
    time_zone: String,
    /// The accounts whose events are sent; null is all of them, and events of the host.
    accounts: Option<Vec<String>>,
    /// The types of event that are sent; null is all of them.
    types: Option<Vec<String>>,
    /// The least severity that is sent: `info`, `warning` or `critical`.
    severity: String,
    /// The time of day at which one digest is sent; null sends at once.
    digest_at: Option<String>,
    /// The hours in which nothing is sent; null is none.
    quiet_hours: Option<QuietHoursView>,
    /// Whether what is critical waits for neither.
    critical_at_once: bool,
    /// Whether messages are sent.
    enabled: bool,
    /// When it was disabled.
    disabled_at: Option<String>,
    /// The first try since which all have failed; null after a success.
    failing_since: Option<String>,
    /// When other channels were told that it fails; null after a success.
    alarmed_at: Option<String>,
    /// When it was created.
    created_at: String,
    /// The ID of the token that created it.
    created_by: String,
}

/// Minutes after midnight as a time of day.
fn time_of_day(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl From<StoredChannel> for ChannelView {
    fn from(stored: StoredChannel) -> ChannelView {
        let ChannelSettings { description, language, time_zone, types, severity, .. } = stored.settings;
        let ChannelSettings { digest_at, quiet_hours, critical_at_once, .. } = stored.settings;
        ChannelView {
            id: stored.id,
            kind: stored.kind.name().to_owned(),
            description,
            address: stored.target.address,
            language: language.tag().to_owned(),
            time_zone: time_zone.to_string(),
            accounts: stored.accounts,
            types,
            severity: severity.name().to_owned(),
            digest_at: digest_at.map(time_of_day),
            quiet_hours: quiet_hours.map(|hours| QuietHoursView {
                from: time_of_day(hours.from),
                until: time_of_day(hours.until),
            }),
            critical_at_once,
            enabled: stored.disabled_at.is_none(),
            disabled_at: to_text(stored.disabled_at),
            failing_since: to_text(stored.failing_since),
            alarmed_at: to_text(stored.alarmed_at),
            created_at: stored.created_at.to_string(),
            created_by: stored.created_by,
        }
    }
}

/// Finds the channel `id`, if the caller can access it: a bound caller can if it can access every account of the channel.
pub(super) fn visible_channel(db: &ReadTx, caller: &Caller, id: &str) -> Result<StoredChannel, Problem> {
    let stored = channels::get(db, id)?.filter(|channel| caller.can_access_each(channel.accounts.as_deref()));
    stored.ok_or_else(|| Problem::not_found("channel", id))
}

/// Lists channels, disabled ones included, in the order in which they were created.
#[utoipa::path(get, path = "/v1/channels", tag = "channels", responses((status = 200, body = Page<ChannelView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Page<ChannelView>>, Problem> {
    query.finish()?;
    let stored = app.read(|db| Ok(channels::list(db)?)).await?;
    let items = stored.into_iter().filter(|channel| caller.can_access_each(channel.accounts.as_deref()));
    Ok(Json(Page { items: items.map(ChannelView::from).collect(), next_cursor: None }))
}

/// Gets a channel.
#[utoipa::path(get, path = "/v1/channels/{id}", tag = "channels", params(("id" = String, Path)),
    responses((status = 200, body = ChannelView, headers(("ETag" = String, description = "Its version.")))))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    query.finish()?;
    let channel = app.read(move |db| visible_channel(db, &caller, &id)).await?;
    Ok(WriteResponse::ok_versioned(&ChannelView::from(channel)).into_response())
}

/// What a channel sends to: the readers of e-mail, or a robot's credentials as they are kept. The URL is checked by the
/// configuration of the host.
fn target(
    allow_private: bool,
    secret_box: Option<&SecretBox>,
    id: &str,
    to: Option<Vec<String>>,
    credentials: Option<&Credentials>,
) -> Result<ChannelTarget, Problem> {
    let Some(credentials) = credentials else {
        let readers = to.unwrap_or_default();
        return Ok(ChannelTarget { address: readers.join(", "), readers, credentials: None });
    };
    let read = Target::read(&credentials.url, Reach::webhooks(allow_private));
    let read = read.map_err(|why| Problem::field(ProblemType::InvalidFields, "url", why))?;
    let kept = credentials.to_bytes(secret_box, id).map_err(unreadable)?;
    Ok(ChannelTarget { address: read.host(), readers: Vec::new(), credentials: Some(kept) })
}

/// The problem for credentials that cannot be sealed or opened.
fn unreadable(error: SecretsError) -> Problem {
    tracing::error!(%error, "the URL of a channel cannot be sealed or opened");
    Problem::new(ProblemType::Internal, error.to_string())
}

/// Changes settings as a reader chooses, and refuses those that contradict each other.
fn choose(settings: &mut ChannelSettings, choices: ChannelChoices) -> Result<(), Problem> {
    let ChannelChoices { language, time_zone, types, severity, digest_at, quiet_hours, critical_at_once } =
        choices;
    settings.language = language.unwrap_or(settings.language);
    settings.time_zone = time_zone.unwrap_or(settings.time_zone);
    settings.severity = severity.unwrap_or(settings.severity);
    settings.digest_at = digest_at.unwrap_or(settings.digest_at);
    settings.quiet_hours = quiet_hours.unwrap_or(settings.quiet_hours);
    settings.critical_at_once = critical_at_once.unwrap_or(settings.critical_at_once);
    if let Some(types) = types {
        settings.types = types.map(|types| types.into_iter().collect());
    }
    if settings.digest_at.is_some() && settings.quiet_hours.is_some() {
        let why = "a digest is sent once a day, so it takes no quiet hours; leave out one of both, or set it to null";
        return Err(Problem::field(ProblemType::InvalidFields, "quiet_hours", why));
    }
    Ok(())
}

/// Creates a channel. Its readers are told of events from now on; its URL and secret are not shown again.
#[utoipa::path(post, path = "/v1/channels", tag = "channels", request_body = NewChannelDocument,
    responses((status = 201, body = ChannelView)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, body): Write<NewChannel>,
) -> Result<WriteResponse, Problem> {
    let (host, limits) = (app.clone(), app.limits().clone());
    let write = app.write(request, move |work| {
        let caller = &work.request.caller;
        quotas::check_person(work.db(), caller, (&limits, work.at), Creation::Channel)?;
        for account in body.accounts.iter().flatten() {
            views::visible_account(work.db(), caller, account)?;
        }
        let would_be = i64::try_from(channels::list(work.db())?.len()).unwrap_or(i64::MAX).saturating_add(1);
        quotas::check(&limits, Limit::channels_max(), "channels of the host", would_be)?;
        let mut settings = ChannelSettings {
            description: body.description,
            language: Language::English,
            time_zone: TimeZone::UTC,
            types: None,
            severity: Severity::Warning,
            digest_at: None,
            quiet_hours: None,
            critical_at_once: true,
        };
        choose(&mut settings, body.choices)?;
        let id = webhooks::new_id("ch_")?;
        let credentials = body.url.map(|url| Credentials { url, secret: body.secret });
        let allow_private = host.webhooks().allow_private;
        let last = list_queries::last_event(work.db())?;
        let channel = StoredChannel {
            row: ChannelKey::unassigned(),
            kind: body.kind,
            target: target(allow_private, host.secret_box(), &id, body.to, credentials.as_ref())?,
            id,
            accounts: body.accounts.map(|accounts| accounts.into_iter().collect()).or(caller.accounts()),
            settings,
            created_at: work.at,
            created_by: caller.id.to_string(),
            disabled_at: None,
            failing_since: None,
            alarmed_at: None,
            cursor: last,
            critical_cursor: last,
            composed_at: work.at,
        };
        channels::insert(work.tx(), &channel)?;
        work.set_audit_accounts(channel.accounts.as_deref());
        let location = format!("/v1/channels/{}", channel.id);
        Ok(WriteResponse::created(&location, &ChannelView::from(channel)))
    });
    write.await
}

/// Changes a channel.
#[utoipa::path(patch, path = "/v1/channels/{id}", tag = "channels", params(("id" = String, Path)),
    request_body = ChannelChangeDocument, responses((status = 200, body = ChannelView)))]
pub(super) async fn change(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<ChannelChange>,
) -> Result<WriteResponse, Problem> {
    let host = app.clone();
    let write = app.write(request, move |work| {
        let mut channel = visible_channel(work.db(), &work.request.caller, &id)?;
        work.check_version(&views::etag(&ChannelView::from(channel.clone())))?;
        let before = channel.target.clone();
        if body.to.is_some() || body.url.is_some() || body.secret.is_some() {
            channel.target = changed_target(&host, &channel, body.to, body.url, body.secret)?;
        }
        if channel.target != before {
            // What the old address answered says nothing about the new one.
            channel.failing_since = None;
            channel.alarmed_at = None;
        }
        channel.settings.description = body.description.unwrap_or(channel.settings.description);
        choose(&mut channel.settings, body.choices)?;
        channel.disabled_at = match body.enabled {
            Some(true) => None,
            Some(false) => channel.disabled_at.or(Some(work.at)),
            None => channel.disabled_at,
        };
        channels::update(work.tx(), &channel)?;
        work.set_audit_accounts(channel.accounts.as_deref());
        Ok(WriteResponse::ok_versioned(&ChannelView::from(channel)))
    });
    let response = write.await?;
    app.writer().wake();
    Ok(response)
}

/// The target of a channel with what a change names.
fn changed_target(
    host: &AppState,
    channel: &StoredChannel,
    to: Option<Vec<String>>,
    url: Option<String>,
    secret: Option<Option<String>>,
) -> Result<ChannelTarget, Problem> {
    let is_robot = channel.kind != ChannelKind::Email;
    let has_secret = secret.as_ref().is_some_and(Option::is_some);
    let problems = channel_bodies::mismatches(
        channel.kind,
        to.is_some() || !is_robot,
        url.is_some() || is_robot,
        has_secret,
    );
    if let Some((field, why)) = problems.into_iter().next() {
        return Err(Problem::field(ProblemType::InvalidFields, field, why));
    }
    let kept = channel.target.credentials.as_ref();
    let open = |kept| Credentials::from_bytes(kept, host.secret_box(), &channel.id).map_err(unreadable);
    let credentials = kept.map(|kept| open(kept)).transpose()?.map(|before| Credentials {
        url: url.unwrap_or(before.url),
        secret: secret.unwrap_or(before.secret),
    });
    let to = to.or_else(|| Some(channel.target.readers.clone()));
    target(host.webhooks().allow_private, host.secret_box(), &channel.id, to, credentials.as_ref())
}

/// Deletes a channel and its messages. Returns the deleted channel. A message in flight still arrives.
#[utoipa::path(delete, path = "/v1/channels/{id}", tag = "channels", params(("id" = String, Path)),
    responses((status = 200, body = ChannelView)))]
pub(super) async fn delete(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let channel = visible_channel(work.db(), &work.request.caller, &id)?;
        work.check_version(&views::etag(&ChannelView::from(channel.clone())))?;
        channels::delete(work.tx(), channel.row)?;
        work.set_audit_accounts(channel.accounts.as_deref());
        Ok(WriteResponse::ok(&ChannelView::from(channel)))
    })
    .await
}
