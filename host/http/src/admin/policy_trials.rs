//! `/v1/policies:run` and `/v1/policies:compare`: what the policies of a file would rule on a plan, and what they would do
//! differently over the months to come. Nothing is written.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::policy::PolicyMode;
use perennial_domain::policy::PolicySet;
use perennial_engine::forecast;
use perennial_engine::plan_facts;
use perennial_engine::policy_comparison;
use perennial_engine::policy_trial;
use perennial_engine::policy_trial::TriedPolicy;
use perennial_formats::body;
use perennial_formats::body::JsonCursor;
use perennial_formats::body_limits::BodyLimits;
use perennial_formats::plan::RefusalView;
use perennial_formats::policy::ruling_text;
use perennial_formats::policy::step_text;
use perennial_store::accounts;
use perennial_store::memory::MemoryStore;
use perennial_store::policies as stored;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::comparison::ComparedDifference;
use crate::admin::forecast::MONTHS_MAX;
use crate::admin::forecast_pool;
use crate::admin::policies;
use crate::auth::require_all_accounts;
use crate::input::Body;
use crate::problem::Problem;
use crate::state::AppState;
use crate::views::to_text;
use crate::write::Write;
use perennial_service::lookup;

/// The path of the comparison, which has the time limit of forecasts.
pub(crate) const COMPARE_PATH: &str = "/v1/policies:compare";

/// A policy file to try on a resource.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunPolicies {
    /// The policy file, in TOML.
    file: String,
    /// The source of each script that the file names, by that name.
    scripts: Option<BTreeMap<String, String>>,
    /// The ID of the resource, whose renewal by the clock the policies are asked about, as it would be made now.
    resource: String,
}

impl Body for RunPolicies {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<RunPolicies> {
        let fields = cursor.object(&["file", "scripts", "resource"])?;
        let file = fields.required("file", |cursor| cursor.text().map(str::to_owned));
        let scripts = fields.optional("scripts", |cursor| cursor.named_texts()).option();
        let resource = fields.required("resource", |cursor| cursor.id().map(str::to_owned));
        Some(RunPolicies { file: file?, scripts: scripts?, resource: resource? })
    }

    /// The texts are files, and longer than what a request may say otherwise.
    fn from_text(text: &str, _: BodyLimits) -> Result<RunPolicies, Problem> {
        body::read_as("the body", text, RunPolicies::read).map_err(Problem::from)
    }
}

/// What the policies of a file rule on a plan.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyTrial {
    /// The resource's ID.
    resource: String,
    /// What the renewal costs, a decimal; null where nobody knows, or when it is refused.
    cost: Option<String>,
    /// The account's currency.
    currency: String,
    /// The provider's no, for which no policy is asked; null when there is none.
    refusal: Option<RefusalView>,
    /// Each policy of the file, in order.
    policies: Vec<TriedPolicyView>,
    /// What the active ones come to, such as `approved`; null when no policy is asked.
    together: Option<String>,
}

/// What one policy rules.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TriedPolicy)]
pub(super) struct TriedPolicyView {
    /// The policy's name.
    name: String,
    /// `active`, or `shadow`, which is asked and not followed.
    mode: &'static str,
    /// The ruling, such as `deny: too dear`; null when it is not asked about such a plan.
    ruling: Option<String>,
    /// What the script noted.
    notes: Vec<String>,
    /// Why the ruling counts as failed although there is one.
    failure: Option<String>,
}

impl From<TriedPolicy> for TriedPolicyView {
    fn from(tried: TriedPolicy) -> TriedPolicyView {
        TriedPolicyView {
            name: tried.name,
            mode: if tried.is_shadow { "shadow" } else { "active" },
            ruling: tried.answer.as_ref().map(|answer| ruling_text(&answer.ruling)),
            notes: tried.answer.map(|answer| answer.notes).unwrap_or_default(),
            failure: tried.failure,
        }
    }
}

/// Asks the policies of a policy file about the renewal of a resource by the clock, as it would be made now: what each rules,
/// and what that comes to. An amendment is said and not followed. Nothing is installed and nothing is renewed.
#[utoipa::path(post, path = "/v1/policies:run", tag = "policies", request_body = RunPolicies,
    responses((status = 200, body = PolicyTrial)))]
pub(super) async fn run(
    State(app): State<AppState>,
    Write(request, body): Write<RunPolicies>,
) -> Result<Json<PolicyTrial>, Problem> {
    require_all_accounts(&request.caller)?;
    let RunPolicies { file, scripts, resource } = body;
    let (reader, scripts, at) = (app.clone(), scripts.unwrap_or_default(), app.now());
    let trial = app.read(move |db| {
        let found = lookup::resolve_resource(db, &request.caller, &resource)?;
        let whole = policies::check(&reader, db, &file, &scripts, false)?.whole;
        let providers = reader.providers().as_bound(db)?;
        let renewal = Renewal { term: None, cause: Cause::Auto, options: BTreeMap::new() };
        let facts = plan_facts::of_command(db, &providers, at, &resource, &Command::Renew(renewal))?;
        let facts = facts.ok_or_else(|| Problem::not_found("resource", &resource))?;
        let runner = reader.providers().policies().ok_or_else(policies::no_runner)?;
        let currency = found.account.account.currency.clone();
        Ok(match facts {
            Ok((account, facts)) => {
                let cost = to_text(facts.cost);
                let trial = policy_trial::ask(&whole, runner.interpreter(), account, facts);
                let policies = trial.policies.into_iter().map(TriedPolicyView::from).collect();
                let together = Some(step_text(&trial.together));
                PolicyTrial { resource, cost, currency, refusal: None, policies, together }
            }
            Err(refusal) => {
                let refusal = Some(RefusalView::from(&refusal));
                PolicyTrial { resource, cost: None, currency, refusal, policies: Vec::new(), together: None }
            }
        })
    });
    Ok(Json(trial.await?))
}

/// A policy file to compare with the policies that hold.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ComparePolicies {
    /// The policy file, in TOML.
    file: String,
    /// The source of each script that the file names, by that name.
    scripts: Option<BTreeMap<String, String>>,
    /// Whether the file is all there is; left out, false: what holds and is not in the file goes on holding.
    replace: Option<bool>,
    /// How many months are played, the rest of the present one included; left out, 12.
    #[schema(minimum = 1, maximum = 36)]
    months: Option<u32>,
    /// Whether every approval is given as soon as it is requested; left out, false: nobody decides.
    approvals_granted: Option<bool>,
    /// Whether policies of the file that are shadows are played as if they were active; left out, false: a shadow changes
    /// nothing.
    shadows_active: Option<bool>,
}

impl Body for ComparePolicies {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<ComparePolicies> {
        let fields = cursor.object(&[
            "file",
            "scripts",
            "replace",
            "months",
            "approvals_granted",
            "shadows_active",
        ])?;
        let file = fields.required("file", |cursor| cursor.text().map(str::to_owned));
        let scripts = fields.optional("scripts", |cursor| cursor.named_texts()).option();
        let replace = fields.optional("replace", |cursor| cursor.flag()).option();
        let months = fields.optional("months", |cursor| cursor.integer(1, MONTHS_MAX)).option();
        let approvals_granted = fields.optional("approvals_granted", |cursor| cursor.flag()).option();
        let shadows_active = fields.optional("shadows_active", |cursor| cursor.flag()).option();
        Some(ComparePolicies {
            file: file?,
            scripts: scripts?,
            replace: replace?,
            months: months?,
            approvals_granted: approvals_granted?,
            shadows_active: shadows_active?,
        })
    }

    /// The texts are files, and longer than what a request may say otherwise.
    fn from_text(text: &str, _: BodyLimits) -> Result<ComparePolicies, Problem> {
        body::read_as("the body", text, ComparePolicies::read).map_err(Problem::from)
    }
}

/// What a policy file would do differently from the policies that hold.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyComparison {
    /// The first instant that is played: now.
    #[schema(format = DateTime)]
    from: String,
    /// How many months are played.
    months: u32,
    /// The policies of the file that are shadows and were played as if they were active; empty unless that was asked for.
    shadows_played: Vec<String>,
    /// What is not the same: renewals by account and month, then money, then what lapses.
    items: Vec<ComparedDifference>,
}

/// Plays the months to come twice on a copy, with the policies that hold and with those of a policy file, and lists what is
/// not the same: renewals and money by account and month, and what lapses. As in a forecast, no account is short of money
/// there. The host makes one at a time for each person, as with forecasts.
#[utoipa::path(post, path = "/v1/policies:compare", tag = "policies", request_body = ComparePolicies,
    responses((status = 200, body = PolicyComparison)))]
pub(super) async fn compare(
    State(app): State<AppState>,
    Write(request, body): Write<ComparePolicies>,
) -> Result<Json<PolicyComparison>, Problem> {
    require_all_accounts(&request.caller)?;
    let slots = forecast_pool::acquire(&app, &request.caller)?;
    let (months, granted) = (body.months.unwrap_or(12), body.approvals_granted.unwrap_or(false));
    let (reader, from) = (app.clone(), app.now());
    let loaded = app.read(move |db| {
        let scripts = body.scripts.unwrap_or_default();
        let replace = body.replace.unwrap_or(false);
        let mut whole = policies::check(&reader, db, &body.file, &scripts, replace)?.whole;
        let mut shadows = Vec::new();
        if body.shadows_active.unwrap_or(false) {
            for policy in whole.policies.iter_mut().filter(|policy| policy.mode == PolicyMode::Shadow) {
                policy.mode = PolicyMode::Active;
                shadows.push(policy.name.clone());
            }
        }
        let set = if replace { whole } else { beside_held(whole, db)? };
        let runner = reader.providers().policies().ok_or_else(policies::no_runner)?;
        let current = reader.providers().as_bound(db)?;
        let compared = current.clone().with_policies(runner.with_set(set).into());
        let copies = [MemoryStore::load(db, None)?, MemoryStore::load(db, None)?];
        let currencies = accounts::list(db)?.into_iter().map(|one| (one.account.id, one.account.currency));
        let currencies = currencies.collect::<BTreeMap<_, _>>();
        Ok::<_, Problem>((copies, current, compared, (currencies, shadows)))
    });
    let ([one, other], current, compared, (currencies, shadows_played)) = loaded.await?;
    let played = forecast_pool::run(&app, slots, move |stop| {
        let span = (from, forecast::horizon_end(from, months));
        let one = policy_comparison::play(one, &current, span, granted, &stop)?;
        let other = policy_comparison::play(other, &compared, span, granted, &stop)?;
        Ok(one.differences(&other))
    });
    let items = played.await?.into_iter().map(|one| ComparedDifference::new(one, &currencies)).collect();
    Ok(Json(PolicyComparison { from: from.to_string(), months, shadows_played, items }))
}

/// The policies that would hold if those of `file` were installed beside the ones that do.
fn beside_held(file: PolicySet, db: &perennial_store::ReadTx) -> Result<PolicySet, Problem> {
    let mut added = file.policies;
    let mut policies = Vec::new();
    for current in stored::list(db)? {
        let place = added.iter().position(|policy| policy.name == current.policy.name);
        policies.push(place.map_or(current.policy, |place| added.remove(place)));
    }
    policies.extend(added);
    Ok(PolicySet { policies, calendars: file.calendars })
}
