//! `/v1/resources/{id}/explanation`: why a resource is where it is, what comes next, and what was decided last.

use axum::Extension;
use axum::Json;
use axum::extract::State;

use crate::input::Id;
use crate::input::Query;
use crate::problem::Problem;
use crate::state::AppState;
use perennial_engine::explanation;
use perennial_engine::explanation::Reader;
use perennial_formats::explanation::ExplanationView;
use perennial_formats::language::Language;
use perennial_formats::time_zone::ZoneChoice;
use perennial_service::admin_tokens::Caller;
use perennial_service::lookup;

/// Explains a resource: where it is and why, what comes next and why (with the rule, the settings and their values, the
/// policies and the instant), and what was decided last. `text` says it in sentences, the other fields for programs.
///
/// Names the settings that an instant depends on. The plugin that is loaded is asked; where it is
/// missing or fails, the explanation says so.
#[utoipa::path(get, path = "/v1/resources/{id}/explanation", tag = "explanations",
    params(
        ("id" = String, Path),
        ("time_zone" = Option<String>, Query, description = "The zone of the instants in `text`: one of the IANA's, such as \
            `Asia/Shanghai`, an offset, such as `+08:00`, or `provider` for the provider's own days; UTC unless given. All \
            other fields are in UTC"),
        ("language" = Option<String>, Query, description = "The language of `text`, here and in reasons and steps: `en` or \
            `zh-CN`; `en` unless given. What people, providers and plugins wrote stays as they wrote it"),
    ),
    responses((status = 200, body = ExplanationView)))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    mut query: Query,
) -> Result<Json<ExplanationView>, Problem> {
    let zone = query.take("time_zone").unwrap_or_else(|| ZoneChoice::UTC.to_string()).parse::<ZoneChoice>();
    let zone = zone.unwrap_or_else(|problem| {
        query.reject("time_zone", problem);
        ZoneChoice::UTC
    });
    let language = query.one_of("language", &Language::ALL, |language| language.tag());
    let language = language.unwrap_or(Language::English);
    query.finish()?;
    let (providers, at) = (app.providers().clone(), app.now());
    let explained = app.read(move |db| {
        let resource = lookup::resolve_resource(db, &caller, &id)?;
        let providers = providers.as_bound(db)?;
        let account = &resource.account.account;
        let rules = providers.of_account(&account.id, &account.provider);
        let zone = zone.of(rules.map(|rules| rules.manifest().utc_offset_minutes));
        let explained = explanation::explain(db, &providers, &id, at, Reader { zone, language })?;
        explained.ok_or_else(|| Problem::not_found("resource", &id))
    });
    Ok(Json(explained.await?))
}
