//! Why a resource is where it is, what comes next and why, and what was decided last: in words, and as fields.
//!
//! `facts` finds out what there is to know, `situation` which of it matters most, `settings` what an instant is due by;
//! `sentences`, `next` and `last` find the words. Asks the rules and writes nothing, so any connection will do.

mod facts;
mod last;
mod next;
mod reader;
mod sentences;
mod settings;
mod situation;
mod texts;

use perennial_domain::bundle::Stage;
use perennial_domain::event::EventKind;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::explanation::ExplanationView;
use perennial_formats::explanation::NextView;
use perennial_formats::explanation::ReasonView;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;

use crate::explanation::facts::Facts;
use crate::explanation::situation::Situation;
use crate::explanation::texts as t;
use crate::rules::Providers;

pub use reader::Reader;

/// Explains the resource called `id` as of `at` for a reader; `None` if there is no such resource.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read. A plugin that gives no usable answer is part of the explanation.
pub fn explain(
    db: &ReadTx,
    providers: &Providers,
    id: &str,
    at: Timestamp,
    reader: Reader,
) -> Result<Option<ExplanationView>, StoreError> {
    let providers = &providers.as_bound(db)?;
    let Some(facts) = Facts::gather(db, providers, id, (at, reader))? else { return Ok(None) };
    let situation = Situation::of(&facts);
    let mut reasons = vec![facts.reason(&situation)];
    reasons.extend(stage_reason(&facts));
    let next = next::steps(&facts);
    let last_decision = facts.decision.as_ref().map(|decision| last::decision(&facts, decision));
    let last_ruling = facts.ruling.as_ref().map(|ruling| last::ruling(&facts, ruling));
    let mut text = vec![facts.where_it_is()];
    text.extend(reasons.iter().map(|reason| facts.with_settings(&reason.text, &reason.settings)));
    text.extend(next.iter().map(|step| facts.with_settings(&step.text, &step.settings)));
    text.extend(nothing_next(&facts, &next));
    text.extend(last_decision.as_ref().map(|last| last.text.clone()));
    text.extend(last_ruling.as_ref().map(|last| last.text.clone()));
    Ok(Some(ExplanationView {
        resource: facts.resource().id.clone(),
        account: facts.account.id.clone(),
        provider: facts.account.provider.clone(),
        at: at.to_string(),
        stage: facts.resource().stage.name(),
        since: facts.stage_since().map(|at| at.to_string()),
        situation: situation.code(),
        text,
        reasons,
        next,
        last_decision,
        last_ruling,
    }))
}

/// What is said where nothing comes next although something may.
fn nothing_next(facts: &Facts<'_>, next: &[NextView]) -> Option<String> {
    let is_expected = facts.resource().is_live() && facts.rules.is_some();
    (next.is_empty() && is_expected).then(|| facts.say(t::NOT_KNOWN, &[]))
}

/// Why it entered its stage when it did: the rule by which that was due, with the settings of today.
fn stage_reason(facts: &Facts<'_>) -> Option<ReasonView> {
    let rules = facts.rules?;
    let (entered_at, from, to) = facts.own_events().find_map(|event| {
        let EventKind::StageChanged { from, to } = &event.what else { return None };
        Some((event.at, *from, *to))
    })?;
    let resource = facts.resource();
    if resource.stage != to || !resource.is_live() {
        return None;
    }
    let mut bundle = facts.bundle().clone();
    bundle[facts.member].stage = from;
    let entry = Occurrence { at: entered_at, member: facts.member, action: Action::Enter(to) };
    let settings = settings::reasons(rules, &facts.account, (&bundle, entered_at - 1), &[&entry]).pop()?;
    let why = if to == Stage::Active { t::CAME_PAID } else { t::CAME_DUE };
    let text = facts.say(why, &[facts.stage(from), &facts.instant(entered_at)]);
    let at = Some(entered_at.to_string());
    Some(ReasonView { code: "stage_entered", text, at, settings, ..ReasonView::default() })
}
