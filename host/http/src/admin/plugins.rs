//! `/v1/plugins`: the loaded plugins and their manifests.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use perennial_domain::manifest::Manifest;
use perennial_store::plugin_revisions;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::plugin_failures::BreakerView;
use crate::input::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::state::AppState;
use perennial_engine::rules::Rules;

/// A kind of resource.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ResourceKind)]
pub(super) struct KindView {
    /// The name, for people.
    label: String,
    /// The kinds that it can be attached to.
    attaches_to: Vec<String>,
    /// Whether it is a resource package.
    is_package: bool,
}

/// A setting of accounts.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Setting)]
pub(super) struct SettingView {
    /// The name in an account's settings.
    name: String,
    /// The effect, for people.
    label: String,
    /// The default value.
    default: Option<String>,
}

/// A plugin that is loaded.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Plugin)]
pub(super) struct PluginView {
    /// The provider's ID.
    id: String,
    /// The name, for people.
    name: String,
    /// The digest of the component.
    revision: String,
    /// What its package asks for beyond every plugin, as limits are written; null for nothing.
    asked: Option<String>,
    /// The limits that its operator granted it, as limits are written; null if none were granted.
    granted: Option<String>,
    /// The kinds of resource that it supports.
    kinds: BTreeMap<String, KindView>,
    /// The settings of accounts.
    settings: Vec<SettingView>,
    /// The names of the notices to owners.
    notices: Vec<String>,
    /// The attributes that its rules read.
    reads: Vec<String>,
    /// What keeps it from being asked, or what it fails over; null while it answers.
    breaker: Option<BreakerView>,
    /// The calls by which it reads connected accounts; empty when it does not call its provider's API.
    connector_reads: Vec<ConnectorReadView>,
}

/// A call that reads a connected account, and that an operator grants.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ConnectorRead)]
pub(super) struct ConnectorReadView {
    /// The name, by which it is granted.
    name: String,
    /// What it reads.
    label: String,
    /// The HTTP method.
    method: String,
    /// The path; a segment in braces stands for any.
    path: String,
}

impl PluginView {
    fn new(
        rules: &dyn Rules,
        (asked, granted): (Option<String>, Option<String>),
        breaker: Option<BreakerView>,
    ) -> PluginView {
        let Manifest { id, name, kinds, settings, notices, reads, .. } = rules.manifest().clone();
        let kind = |kind: perennial_domain::manifest::Kind| KindView {
            label: kind.label,
            attaches_to: kind.attaches_to,
            is_package: kind.is_package,
        };
        let setting = |setting: perennial_domain::manifest::Setting| SettingView {
            name: setting.name,
            label: setting.label,
            default: setting.default,
        };
        let connector_reads = rules.connector().into_iter().flat_map(|it| &it.capabilities().reads);
        let connector_reads = connector_reads.map(|read| ConnectorReadView {
            name: read.name.clone(),
            label: read.label.clone(),
            method: read.method.clone(),
            path: read.path.clone(),
        });
        PluginView {
            id,
            name,
            revision: rules.digest().to_owned(),
            asked,
            granted,
            kinds: kinds.into_iter().map(|(name, manifest)| (name, kind(manifest))).collect(),
            settings: settings.into_iter().map(setting).collect(),
            notices: notices.into_iter().map(|notice| notice.name).collect(),
            reads,
            breaker,
            connector_reads: connector_reads.collect(),
        }
    }
}

/// Lists the loaded plugins.
#[utoipa::path(get, path = "/v1/plugins", tag = "plugins", responses((status = 200, body = Page<PluginView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    query: Query,
) -> Result<Json<Page<PluginView>>, Problem> {
    query.finish()?;
    let providers = app.providers().clone();
    let now = app.now();
    let reading = app.clone();
    let items = app.read(move |db| {
        let (providers, mut breakers) = (providers.as_bound(db)?, BreakerView::all(db, now)?);
        let view = |rules: &Arc<dyn Rules>| {
            let digest = rules.digest();
            let granted = plugin_revisions::granted(db, digest)?;
            let limits = (reading.asked_limits().of(db, digest)?, granted);
            Ok::<_, Problem>(PluginView::new(rules.as_ref(), limits, breakers.remove(digest)))
        };
        providers.values().map(view).collect::<Result<Vec<_>, _>>()
    });
    Ok(Json(Page { items: items.await?, next_cursor: None }))
}
