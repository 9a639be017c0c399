//! `/v1/plugins/revisions:backtest`: what another revision of a plugin would have planned otherwise, over the plans of the past, or
//! what comes otherwise with it in the time ahead. Writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::forecast;
use perennial_engine::policy_comparison;
use perennial_engine::revision_backtest;
use perennial_engine::revision_backtest::AskedPlans;
use perennial_engine::revision_backtest::OtherPlan;
use perennial_engine::revision_backtest::Tally;
use perennial_engine::rules::Rules;
use perennial_formats::body::JsonCursor;
use perennial_store::accounts;
use perennial_store::keys::DecisionKey;
use perennial_store::keys::RowKey;
use perennial_store::memory::MemoryStore;
use perennial_store::revision_differences::RevisionTotal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::comparison::ComparedDifference;
use crate::admin::forecast::MONTHS_MAX;
use crate::admin::forecast_pool;
use crate::admin::revision_evidence::RevisionTotalView;
use crate::auth::require_all_accounts;
use crate::input::Body;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;
use crate::views::to_text;
use crate::write::Write;

/// The path, which has the time limit of forecasts.
pub(crate) const PATH: &str = "/v1/plugins/revisions:backtest";
/// The most plans that are listed; the totals count all.
const PLANS_MAX: usize = 100;

/// A revision that is kept, and the time that it is tried on: exactly one of `since` and `until`.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BacktestRevision {
    /// The digest of the revision.
    revision: String,
    /// Asks it about the plans that were made from this instant on.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Plays the time ahead until this instant, at most 36 months, once with what is bound and once with it.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl Body for BacktestRevision {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<BacktestRevision> {
        let fields = cursor.object(&["revision", "since", "until"])?;
        let revision = fields.required("revision", |cursor| cursor.text().map(str::to_owned));
        let since = fields.optional("since", |cursor| cursor.instant()).option();
        let until = fields.optional("until", |cursor| cursor.instant()).option();
        let (revision, since, until) = (revision?, since?, until?);
        if since.is_some() == until.is_some() {
            cursor.report("give exactly one of `since` and `until`");
            return None;
        }
        Some(BacktestRevision { revision, since, until })
    }
}

/// What another revision would have planned otherwise, or what comes otherwise with it.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct RevisionBacktest {
    /// How many plans of the past it was asked about; one that was tried again and again is one.
    asked: u64,
    /// How many it could not be asked about: they are of another contract, or damaged.
    skipped: u64,
    /// The plans that it makes otherwise, by kind and currency.
    totals: Vec<RevisionTotalView>,
    /// The first hundred of them, oldest first.
    plans: Vec<OtherPlanView>,
    /// What is not the same in the time ahead: renewals by account and month, then money, then what lapses.
    items: Vec<ComparedDifference>,
    /// How many bundles got no usable answer of a plugin in the time ahead with the revision; each kept its state meanwhile, so
    /// the items say too little.
    failing_bundles: usize,
}

/// A plan that the revision makes otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OtherPlan)]
pub(super) struct OtherPlanView {
    /// When the plan was made.
    #[schema(format = DateTime)]
    at: String,
    /// The account's ID.
    account: String,
    /// The resource that was named.
    resource: String,
    /// The command, such as `renew`.
    command: &'static str,
    /// How the answers differ, as in the totals.
    kind: &'static str,
    /// The answer that was followed, in lines.
    followed_answer: String,
    /// The answer of the revision, in lines.
    answer: String,
    /// What the plan that was followed cost, less what it gave back, a decimal.
    followed_cost: Option<String>,
    /// What the other would cost, a decimal.
    cost: Option<String>,
    /// The currency of both.
    currency: String,
}

impl From<OtherPlan> for OtherPlanView {
    fn from(other: OtherPlan) -> OtherPlanView {
        OtherPlanView {
            at: other.at.to_string(),
            account: other.account,
            resource: other.resource,
            command: other.command,
            kind: other.total.kind.name(),
            followed_answer: other.followed_answer,
            answer: other.answer,
            followed_cost: to_text(Some(other.total.followed_cost)),
            cost: to_text(Some(other.total.cost)),
            currency: other.total.currency,
        }
    }
}

/// Asks a revision that is kept about the plans of the past, each as it was, and lists what it answers otherwise; or plays the time
/// ahead twice on a copy, with what is bound and with it, and lists what is not the same. As in a forecast, no account is short of
/// money there. Nothing is followed and nothing is written. The host makes one at a time for each person, as with forecasts.
#[utoipa::path(post, path = "/v1/plugins/revisions:backtest", tag = "plugin-revisions", request_body = BacktestRevision,
    responses((status = 200, body = RevisionBacktest)))]
pub(super) async fn backtest(
    State(app): State<AppState>,
    Write(request, body): Write<BacktestRevision>,
) -> Result<Json<RevisionBacktest>, Problem> {
    require_all_accounts(&request.caller)?;
    let since = body.since;
    let until = body.until.map(|until| checked_end(&app, until)).transpose()?;
    let slots = forecast_pool::acquire(&app, &request.caller)?;
    let (reader, digest) = (app.clone(), body.revision);
    let rules = app.read(move |db| match reader.providers().revision(db, &digest)? {
        Some(rules) => Ok(rules),
        None => Err(Problem::not_found("revision", &digest)),
    });
    let rules = rules.await?;
    let mut tried = RevisionBacktest::default();
    if let Some(since) = since {
        tried = over_past(&app, &rules, since).await?;
    }
    if let Some(until) = until {
        (tried.items, tried.failing_bundles) = ahead(&app, slots, rules, until).await?;
    }
    Ok(Json(tried))
}

/// The end of what is played, if it lies ahead, and not too far.
fn checked_end(app: &AppState, until: Timestamp) -> Result<Timestamp, Problem> {
    let (from, last) = (app.now(), forecast::horizon_end(app.now(), MONTHS_MAX));
    if (from..=last).contains(&until) {
        return Ok(until);
    }
    let detail =
        format!("it is not between {from}, which is now, and {last}, at most {MONTHS_MAX} months ahead");
    Err(Problem::field(ProblemType::InvalidFields, "until", detail))
}

/// What `rules` would have planned otherwise since then, page by page, so that nobody else waits for a reader.
async fn over_past(
    app: &AppState,
    rules: &Arc<dyn Rules>,
    since: Timestamp,
) -> Result<RevisionBacktest, Problem> {
    if since > app.now() {
        let detail = format!("it lies ahead: it is {}", app.now());
        return Err(Problem::field(ProblemType::InvalidFields, "since", detail));
    }
    let (mut tally, mut totals, mut plans) = (Tally::default(), Vec::<RevisionTotal>::new(), Vec::new());
    let (mut after, mut asked_before) = (Some(DecisionKey::before_all()), AskedPlans::default());
    while let Some(from) = after {
        let rules = Arc::clone(rules);
        let page = app.read(move |db| {
            let page = revision_backtest::page(db, rules.as_ref(), (since, from), None, &mut asked_before)?;
            Ok::<_, Problem>((page, asked_before))
        });
        let (page, asked_by_now) = page.await?;
        asked_before = asked_by_now;
        tally.add(page.tally);
        for other in page.others {
            revision_backtest::add_total(&mut totals, &other.total);
            if plans.len() < PLANS_MAX {
                plans.push(other.into());
            }
        }
        after = page.next;
    }
    let totals = totals.into_iter().map(Into::into).collect();
    let Tally { asked, skipped, .. } = tally;
    Ok(RevisionBacktest { asked, skipped, totals, plans, ..RevisionBacktest::default() })
}

/// What comes otherwise with `rules` until then, and about how many bundles they give no usable answer.
async fn ahead(
    app: &AppState,
    slots: forecast_pool::Slots,
    rules: Arc<dyn Rules>,
    until: Timestamp,
) -> Result<(Vec<ComparedDifference>, usize), Problem> {
    let (reader, from) = (app.clone(), app.now());
    let loaded = app.read(move |db| {
        let bound = reader.providers().as_bound(db)?;
        let other = bound.with_instead(&rules);
        let copies = [MemoryStore::load(db, None)?, MemoryStore::load(db, None)?];
        let currencies = accounts::list(db)?.into_iter().map(|one| (one.account.id, one.account.currency));
        Ok::<_, Problem>((copies, bound, other, currencies.collect::<BTreeMap<_, _>>()))
    });
    let ([mut one, mut two], bound, other, currencies) = loaded.await?;
    one.ask_anew(from);
    two.ask_anew(from);
    let played = forecast_pool::run(app, slots, move |stop| {
        let span = (from, until);
        let one = policy_comparison::play(one, &bound, span, true, &stop)?;
        let two = policy_comparison::play(two, &other, span, true, &stop)?;
        Ok((one.differences(&two), two.failing_bundles()))
    });
    let (differences, failing_bundles) = played.await?;
    let items = differences.into_iter().map(|one| ComparedDifference::new(one, &currencies)).collect();
    Ok((items, failing_bundles))
}
