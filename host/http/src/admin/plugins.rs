//! `/v1/plugins`: which providers there are rules for, and what their plugins say of themselves.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use perennial_domain::manifest::Manifest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::input::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::state::AppState;
use perennial_engine::rules::Rules;

/// A kind of resource.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Kind)]
pub(super) struct KindView {
    /// For people.
    label: String,
    /// Kinds that it can be attached to.
    attaches_to: Vec<String>,
    /// Whether it is a resource package.
    is_package: bool,
}

/// Something that an account can be set to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Setting)]
pub(super) struct SettingView {
    /// Its name.
    name: String,
    /// What it does, for people.
    label: String,
    /// The value of an account that does not say.
    default: Option<String>,
}

/// A plugin.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Plugin)]
pub(super) struct PluginView {
    /// What accounts call the provider by.
    id: String,
    /// For people.
    name: String,
    /// The digest of the component that answers.
    revision: String,
    /// The kinds of resource that it has rules for.
    kinds: BTreeMap<String, KindView>,
    /// What an account can be set to.
    settings: Vec<SettingView>,
    /// What owners are told ahead of time.
    notices: Vec<String>,
    /// The attributes that the rules read.
    reads: Vec<String>,
}

impl PluginView {
    fn new(rules: &dyn Rules) -> PluginView {
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
        PluginView {
            id,
            name,
            revision: rules.digest().to_owned(),
            kinds: kinds.into_iter().map(|(name, found)| (name, kind(found))).collect(),
            settings: settings.into_iter().map(setting).collect(),
            notices: notices.into_iter().map(|notice| notice.name).collect(),
            reads,
        }
    }
}

/// Lists the plugins that are loaded.
#[utoipa::path(get, path = "/v1/plugins", tag = "plugins", responses((status = 200, body = Page<PluginView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    query: Query,
) -> Result<Json<Page<PluginView>>, Problem> {
    query.finish()?;
    let items = app.providers().values().map(|rules| PluginView::new(rules.as_ref())).collect();
    Ok(Json(Page { items, next_cursor: None }))
}
