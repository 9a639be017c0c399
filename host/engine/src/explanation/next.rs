//! What comes next for a resource, and what is in its way. Knows no past.

use perennial_domain::account_settings;
use perennial_domain::account_settings::OnUndecided;
use perennial_domain::approval;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Plan;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::explanation::NextView;
use perennial_formats::occurrence;
use perennial_formats::occurrence::OccurrenceView;

use crate::explanation::facts::Facts;
use crate::explanation::facts::NextTry;
use crate::explanation::sentences::sentence;
use crate::explanation::settings;
use crate::explanation::situation::Situation;
use crate::explanation::texts as t;
use crate::rules::Rules;
use crate::set_back;

/// What comes next, in time order.
pub(super) fn steps(facts: &Facts<'_>) -> Vec<NextView> {
    let mut steps = Vec::new();
    if let Some(rules) = facts.rules {
        let chosen = chosen(facts);
        let about = (facts.bundle(), facts.at - 1);
        let reasons = settings::reasons(rules, &facts.account, about, &chosen);
        for (occurrence, settings) in chosen.into_iter().zip(reasons) {
            steps.push((occurrence.at, NextView { settings, ..step(facts, rules, occurrence) }));
        }
    }
    steps.extend(
        facts
            .approval
            .as_ref()
            .map(|approval| approval.expires_at)
            .map(|at| (at, approval_expiry(facts, at))),
    );
    steps.extend(facts.unpaid.as_ref().map(|order| order.pay_until).map(|at| (at, order_expiry(facts, at))));
    if facts.plugin_failure.is_some() {
        steps.extend(facts.stored.schedule.known_wake().map(|at| (at, plugin_call(facts, at))));
    }
    steps.sort_by_key(|(at, _)| *at);
    steps.into_iter().map(|(_, step)| step).collect()
}

/// The occurrences that matter: each stage that the resource enters, and the first of everything else. Of its primary only
/// the try counts with which the resource is renewed.
fn chosen<'f>(facts: &'f Facts<'_>) -> Vec<&'f Occurrence> {
    let is_tried_with = |next: &Occurrence| {
        facts.next_try.as_ref().is_some_and(|one| one.at == next.at && one.tried == next.member)
    };
    let mut chosen = Vec::<&Occurrence>::new();
    for next in &facts.timeline {
        let is_own = next.member == facts.member;
        let matters = match next.action {
            Action::Enter(_) | Action::Convert => is_own,
            Action::TryRenewal => is_tried_with(next),
            Action::SetAttribute(..) | Action::Refill | Action::Notice(_) => {
                let same = |other: &&&Occurrence| {
                    std::mem::discriminant(&other.action) == std::mem::discriminant(&next.action)
                };
                is_own && chosen.iter().find(same).is_none()
            }
        };
        if matters {
            chosen.push(next);
        }
    }
    chosen
}

fn step(facts: &Facts<'_>, rules: &dyn Rules, next: &Occurrence) -> NextView {
    let view = OccurrenceView::new(next, facts.bundle(), rules.manifest());
    let instant = facts.instant(next.at);
    let is_renewed_before = facts.next_try.as_ref().is_some_and(|one| one.at < next.at)
        && matches!(facts.part_of_next_try(), Some(Ok(Some(_))));
    let unless = if is_renewed_before { facts.say(t::UNLESS_RENEWED, &[]) } else { String::new() };
    let words = occurrence::words(&next.action, rules.manifest(), facts.reader.language);
    let plain = NextView {
        at: view.at,
        resource: view.resource,
        action: view.action,
        stage: view.stage,
        cost: None,
        obstacle: None,
        policies: Vec::new(),
        settings: Vec::new(),
        text: facts.say(t::STEP, &[&instant, &unless, &words]),
    };
    match &facts.next_try {
        Some(one) if next.action == Action::TryRenewal => try_step(facts, one, &instant, plain),
        Some(_) | None => plain,
    }
}

fn try_step(facts: &Facts<'_>, one: &NextTry, instant: &str, plain: NextView) -> NextView {
    let tried = match one.tried == facts.member {
        true => facts.say(t::ITS_TRY, &[]),
        false => facts.say(t::TRY_OF, &[&facts.bundle()[one.tried].id]),
    };
    let obstacle = obstacle(facts, one);
    let pays = match (one.cost, facts.part_of_next_try()) {
        (Some(cost), Some(Ok(Some(expires_at)))) => {
            facts.say(t::COSTS_AND_PAYS, &[&facts.money(cost), &facts.instant(expires_at)])
        }
        (Some(cost), _) => facts.say(t::COSTS, &[&facts.money(cost)]),
        (None, _) => String::new(),
    };
    let asked = match facts.policies.as_slice() {
        [] => String::new(),
        policies => {
            let named = policies.iter().map(|policy| format!("`{policy}`")).collect::<Vec<_>>();
            facts.say(t::ASKED_BEFORE, &[&named.join(t::COMMA.of(facts.reader.language))])
        }
    };
    let but = obstacle.as_ref().map(|obstacle| facts.say(t::BUT, &[obstacle])).unwrap_or_default();
    NextView {
        cost: one.cost.map(|cost| cost.to_string()),
        policies: facts.policies.clone(),
        text: facts.say(t::TRY_STEP, &[instant, &tried, &pays, &asked, &but]),
        obstacle,
        ..plain
    }
}

/// Why a try would not renew, as it looks now.
fn obstacle(facts: &Facts<'_>, one: &NextTry) -> Option<String> {
    let plan = match &one.plan {
        None => return Some(facts.say(t::NO_ANSWER, &[])),
        Some(Err(refusal)) => {
            return Some(facts.say(t::PROVIDER_REFUSES, &[sentence(&refusal.message), &refusal.code]));
        }
        Some(Ok(plan)) => plan,
    };
    if let Situation::Rejected { .. } = Situation::of(facts) {
        return Some(facts.say(t::NOT_APPROVED, &[]));
    }
    if let Some(pending) = &facts.approval {
        return Some(facts.say(t::WAITS_FOR, &[&pending.id]));
    }
    above_limit(facts, plan, one.at).or_else(|| {
        let available = facts.account.balance.available();
        let cost = one.cost.filter(|cost| *cost > available)?;
        Some(facts.say(t::SHORT_OF_MONEY, &[&facts.money(cost), &facts.money(available)]))
    })
}

/// Why a plan waits until somebody approves of it, whatever policies say.
fn above_limit(facts: &Facts<'_>, plan: &Plan, at: Timestamp) -> Option<String> {
    let commitment = approval::commitment(plan, facts.bundle(), at);
    let limit =
        facts.account.approval_above.filter(|limit| approval::needs_approval(Some(*limit), commitment))?;
    Some(facts.say(t::WILL_WAIT, &[&facts.money(limit)]))
}

fn approval_expiry(facts: &Facts<'_>, at: Timestamp) -> NextView {
    let is_automatic = facts.approval.as_ref().is_some_and(|approval| approval.cause == Cause::Auto);
    let is_after_set_back =
        facts.approval.as_ref().is_some_and(|approval| set_back::requires(&approval.required));
    let on_undecided = account_settings::on_undecided(&facts.account.settings);
    let becomes = match (is_automatic, on_undecided) {
        (true, OnUndecided::Renew) if is_after_set_back => t::SET_BACK,
        (true, OnUndecided::Lapse) => t::LAPSES,
        (true, OnUndecided::Renew) => t::RENEWS_ANYWAY,
        (false, _) => t::NOT_DONE,
    };
    let text = facts.say(t::APPROVAL_ENDS, &[&facts.instant(at), becomes.of(facts.reader.language)]);
    of_host(facts, at, "approval_expires", text)
}

fn order_expiry(facts: &Facts<'_>, at: Timestamp) -> NextView {
    let text = facts.say(t::ORDER_ENDS, &[&facts.instant(at)]);
    of_host(facts, at, "order_expires", text)
}

fn plugin_call(facts: &Facts<'_>, at: Timestamp) -> NextView {
    let text = facts.say(t::PLUGIN_ASKED, &[&facts.instant(at)]);
    of_host(facts, at, "ask_plugin", text)
}

/// Something that the host does.
fn of_host(facts: &Facts<'_>, at: Timestamp, action: &'static str, text: String) -> NextView {
    NextView {
        at: at.to_string(),
        resource: facts.resource().id.clone(),
        action,
        stage: None,
        cost: None,
        obstacle: None,
        policies: Vec::new(),
        settings: Vec::new(),
        text,
    }
}
