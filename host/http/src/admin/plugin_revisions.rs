//! `/v1/plugins/revisions`: the revisions of plugins that are kept, installing one, and what shadows answered otherwise.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::plugin_limits::PluginLimits;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::revision_changes::RevisionAuthor;
use perennial_formats::body;
use perennial_formats::body::JsonCursor;
use perennial_formats::body_limits::BodyLimits;
use perennial_formats::event_view::EventView;
use perennial_service::admin_tokens::Caller;
use perennial_service::limits::Limit;
use perennial_service::revision_install;
use perennial_service::revision_install::Package;
use perennial_service::revision_install::PackageContent;
use perennial_store::plugin_bindings;
use perennial_store::plugin_revisions;
use perennial_store::quotas as stored_quotas;
use perennial_store::revision_differences;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::revision_evidence::RevisionDifferenceView;
use crate::admin::revision_evidence::RevisionDifferences;
use crate::admin::revision_evidence::ShadowRecord;
use crate::admin::revision_views::RevisionView;
use crate::auth::require_all_accounts;
use crate::input::Body;
use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::quotas;
use crate::state::AppState;
use crate::write::Write;
use crate::write::WriteResponse;

/// Lists the revisions of plugins that are kept, in the order in which they were first kept. One that nothing refers to is
/// deleted in time; what decided anything that is kept stays, so that it can be asked again.
#[utoipa::path(get, path = "/v1/plugins/revisions", tag = "plugin-revisions",
    params(("provider" = Option<String>, Query, description = "Only those of this provider."), PageParams),
    responses((status = 200, body = Page<RevisionView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<RevisionView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let provider = query.take("provider");
    query.finish()?;
    require_all_accounts(&caller)?;
    let reading = app.clone();
    let rows = app.read(move |db| {
        let bindings = plugin_bindings::list(db)?;
        let (after, limit) = (page_request.after(), page_request.read_limit());
        let stored = plugin_revisions::list(db, provider.as_deref(), after, limit)?;
        let view = |stored: plugin_revisions::StoredRevision| {
            let asked = reading.asked_limits().of(db, &stored.digest)?;
            Ok::<_, Problem>((stored.row, RevisionView::of(stored, asked, &bindings)))
        };
        stored.into_iter().map(view).collect::<Result<Vec<_>, _>>()
    });
    Ok(Json(Page::new(page_request, rows.await?)))
}

/// Gets a revision of a plugin.
#[utoipa::path(get, path = "/v1/plugins/revisions/{digest}", tag = "plugin-revisions", params(("digest" = String, Path)),
    responses((status = 200, body = RevisionView)))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(digest): Id,
    query: Query,
) -> Result<Json<RevisionView>, Problem> {
    query.finish()?;
    require_all_accounts(&caller)?;
    let reading = app.clone();
    let found = app.read(move |db| {
        let stored = plugin_revisions::get(db, &digest)?;
        let stored = stored.ok_or_else(|| Problem::not_found("revision", &digest))?;
        let asked = reading.asked_limits().of(db, &digest)?;
        Ok::<_, Problem>(RevisionView::of(stored, asked, &plugin_bindings::list(db)?))
    });
    Ok(Json(found.await?))
}

/// A plugin to install.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InstallRevision {
    /// What it is called in messages, such as the name of its file.
    name: String,
    /// The component, in base64; either this or `table`.
    component: Option<String>,
    /// The text of a table, in TOML; either this or `component`.
    table: Option<String>,
    /// The SHA-256 that the file, or the revision, has to have, in hexadecimal; left out, any.
    digest: Option<String>,
    /// The ed25519 signature of the file, in base64. Without trusted keys nothing is checked.
    signature: Option<String>,
    /// What it is granted beyond every plugin, such as `fuel-per-item=300000,memory=64MiB,size=32MiB,wasi`; left out, nothing.
    grant: Option<String>,
    /// Only look at it; left out, false.
    dry_run: Option<bool>,
}

/// The longest name, digest or signature of a plugin, in bytes: the names of files have at most so many.
const SHORT_BYTES_MAX: usize = 255;

impl Body for InstallRevision {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<InstallRevision> {
        let fields =
            cursor.object(&["name", "component", "table", "digest", "signature", "grant", "dry_run"])?;
        let text = |name| {
            fields.optional(name, |cursor: JsonCursor<'_, '_>| cursor.text().map(str::to_owned)).option()
        };
        let short = |cursor: JsonCursor<'_, '_>| {
            let text = cursor.name()?;
            if text.len() > SHORT_BYTES_MAX {
                cursor.report(format!("bytes of text: {}; it has at most {SHORT_BYTES_MAX}", text.len()));
                return None;
            }
            Some(text.to_owned())
        };
        let name = fields.required("name", short);
        let (component, table) = (text("component"), text("table"));
        let (digest, signature) =
            (fields.optional("digest", short).option(), fields.optional("signature", short).option());
        let grant = fields.optional("grant", short).option();
        let dry_run = fields.optional("dry_run", |cursor| cursor.flag()).option();
        let (component, table) = (component?, table?);
        if component.is_some() == table.is_some() {
            cursor.report("it has to have either `component` or `table`");
            return None;
        }
        let (name, dry_run, grant) = (name?, dry_run?, grant?);
        let (digest, signature) = (digest?, signature?);
        // Both are written elsewhere: in file names with it, in lists without.
        let digest = digest.map(|digest| digest.strip_prefix("sha256:").unwrap_or(&digest).to_owned());
        Some(InstallRevision { name, component, table, digest, signature, grant, dry_run })
    }

    fn check_caller(caller: &Caller) -> Result<(), Problem> {
        require_all_accounts(caller)
    }

    /// A component that was granted its size is larger than what is sent otherwise; only administrators send one.
    fn limit() -> Limit {
        Limit::revision_body_bytes_max()
    }

    /// The texts are files, and longer than what a request may say otherwise.
    fn from_text(text: &str, _: BodyLimits) -> Result<InstallRevision, Problem> {
        body::read_as("the body", text, InstallRevision::read).map_err(Problem::from)
    }
}

impl InstallRevision {
    fn into_package(self) -> Result<Package, Problem> {
        let granted = PluginLimits::read(self.grant.as_deref().unwrap_or_default());
        let granted = granted
            .map_err(|problems| Problem::field(ProblemType::InvalidFields, "grant", problems.join("; ")))?;
        let table = self.table.unwrap_or_default();
        Ok(Package {
            name: self.name,
            content: self.component.map_or(PackageContent::Table(table), PackageContent::Component),
            digest: self.digest,
            signature: self.signature,
            granted,
        })
    }
}

/// A revision that was installed, or would be.
#[derive(Serialize, ToSchema)]
pub(super) struct InstallResult {
    /// The ID of the provider whose rules it has.
    provider: String,
    /// The digest that names it.
    digest: String,
    /// The trusted key that signed it; null where none was asked for.
    signed_by: Option<String>,
    /// Whether it was installed before, and is signed by another key from now on.
    is_resigned: bool,
    /// What it is granted beyond every plugin, as limits are written; null for nothing.
    granted: Option<String>,
    /// Whether it was not kept before.
    is_new: bool,
    /// Whether it was kept before, and is granted something else now.
    is_regranted: bool,
    /// The events of the change; none of a dry run, or of a revision that was kept already.
    events: Vec<EventView>,
}

/// Installs a revision of a plugin: keeps its bytes, so that it can be bound. It decides nothing until it is. All of it is looked
/// at first, in stages: `read`, `digest`, `signature`, `package`, `limits`, `size`, `contract`, `compile`, `describe`, `purity`, `kinds` of
/// every resource that is still there, and `settings` of every account of its provider; the message of a failure begins with its stage,
/// and nothing has changed then.
#[utoipa::path(post, path = "/v1/plugins/revisions", tag = "plugin-revisions", request_body = InstallRevision,
    responses((status = 200, body = InstallResult)))]
pub(super) async fn install(
    State(app): State<AppState>,
    Write(request, body): Write<InstallRevision>,
) -> Result<WriteResponse, Problem> {
    let dry_run = body.dry_run.unwrap_or(false);
    let field = if body.table.is_some() { "table" } else { "component" };
    let (package, providers) = (body.into_package()?, app.providers().clone());
    let limits = app.limits().clone();
    let checked =
        app.read(move |db| Ok::<_, Problem>(revision_install::check(db, &providers, package)?)).await?;
    app.write(request, move |work| {
        let refused = |error: revision_install::InstallError| {
            Problem::field(ProblemType::InvalidFields, field, error.to_string())
        };
        let checked = checked.map_err(refused)?;
        let (plugin, at) = (&checked.plugin, work.at);
        work.set_audit_revision(plugin.digest());
        let author = RevisionAuthor { id: &work.request.caller.id, reason: work.request.reason.as_deref() };
        let before = plugin_revisions::get(work.db(), plugin.digest())?;
        let granted = plugin.parts().granted;
        let granted = (!granted.is_none()).then(|| granted.to_string());
        if before.is_none() {
            let size_bytes = i64::try_from(plugin.parts().size_bytes()).unwrap_or(i64::MAX);
            quotas::check_revision(stored_quotas::revisions(work.db())?, size_bytes, &limits)?;
        }
        let signed_by = plugin.parts().signer();
        let events = match dry_run {
            true => Vec::new(),
            false => {
                work.engine.keep_revision(at, plugin, (&checked.origin, signed_by.as_deref()), author)?
            }
        };
        let signed_before = before.as_ref().and_then(|before| before.signed_by.clone());
        let result = InstallResult {
            is_resigned: before.is_some() && signed_by.is_some() && signed_by != signed_before,
            provider: plugin.manifest().id.clone(),
            digest: plugin.digest().to_owned(),
            signed_by,
            is_new: before.is_none(),
            is_regranted: before.is_some_and(|before| before.granted != granted),
            granted,
            events: events.iter().map(RecordedEvent::view).collect(),
        };
        work.record_events(events);
        let response = WriteResponse::ok(&result);
        Ok(if dry_run { response.into_dry_run() } else { response })
    })
    .await
}

/// Lists the questions that a revision answered otherwise in shadow than the one that was followed, with all of them by kind and
/// in money, examples of each kind, and with how often it was asked and what that took. They are kept for ninety days after they were last asked.
#[utoipa::path(get, path = "/v1/plugins/revisions/{digest}/differences", tag = "plugin-revisions",
    params(("digest" = String, Path), PageParams), responses((status = 200, body = RevisionDifferences)))]
pub(super) async fn differences(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(digest): Id,
    mut query: Query,
) -> Result<Json<RevisionDifferences>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    query.finish()?;
    let read = app.read(move |db| {
        if plugin_revisions::get(db, &digest)?.is_none() {
            return Err(Problem::not_found("revision", &digest));
        }
        let accounts = caller.accounts_json();
        let (after, limit) = (page_request.after(), page_request.read_limit());
        let rows = revision_differences::list(db, &digest, accounts.as_deref(), after, limit)?;
        Ok((ShadowRecord::read(db, &digest, accounts.as_deref())?, rows))
    });
    let (record, rows) = read.await?;
    let view = |stored: revision_differences::StoredRevisionDifference| {
        (stored.row, RevisionDifferenceView::from(stored))
    };
    let page = Page::new(page_request, rows.into_iter().map(view).collect());
    Ok(Json(RevisionDifferences::new(record, page)))
}
