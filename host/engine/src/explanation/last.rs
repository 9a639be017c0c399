//! What was decided last about a resource, in words: by a plugin, and by policies. Knows nothing of what comes next.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::ScriptFailure;
use perennial_domain::policy::chain::Chain;
use perennial_domain::policy::chain::ChainContext;
use perennial_domain::policy::chain::ChainStep;
use perennial_domain::policy::chain::Entry;
use perennial_domain::policy::chain::RulingKind;
use perennial_formats::decision;
use perennial_formats::decision::ruling;
use perennial_formats::explanation::LastDecisionView;
use perennial_formats::explanation::LastRulingView;
use perennial_formats::explanation::PolicyRulingView;
use perennial_formats::plan::RefusalView;
use perennial_store::decisions::Decision;
use serde_json::Value;

use crate::backtest::policy_of_version;
use crate::explanation::facts::Facts;
use crate::explanation::sentences::sentence;
use crate::explanation::texts as t;

/// The word for a ruling that could not be followed, as rulings are kept.
const FAIL: &str = "fail";

/// What a plugin was asked and answered, in words.
pub(super) fn decision(facts: &Facts<'_>, decision: &Decision) -> LastDecisionView {
    let Decision { row, at, resource, plugin, digest, contract, request, response, .. } = decision;
    let question = request.as_ref().ok().and_then(|text| decision::read_request(text, contract).ok());
    let answer = response.as_ref().ok().and_then(|text| decision::read_answer(text, contract).ok());
    let command = question.as_ref().map(|question| question.command.name());
    let (outcome, refusal, said) = match &answer {
        None => ("damaged", None, facts.say(t::ANSWER_DAMAGED, &[])),
        Some(Err(refusal)) => {
            let said = facts.say(t::AND_REFUSED, &[sentence(&refusal.message), &refusal.code]);
            ("refused", Some(RefusalView::from(refusal)), said)
        }
        Some(Ok(plan)) => {
            let steps = facts.counted(plan.steps.len(), "step", t::STEPS);
            let left = plan.skipped.iter().map(|skipped| skipped.reason.message.as_str()).collect::<Vec<_>>();
            let left = match left.is_empty() {
                true => String::new(),
                false => facts.say(t::LEAVING_OUT, &[&left.join(t::SEMICOLON.of(facts.reader.language))]),
            };
            ("planned", None, facts.say(t::AND_PLANNED, &[&steps, &left]))
        }
    };
    let asked = command.unwrap_or(t::SOMETHING_OF.of(facts.reader.language));
    let text =
        facts.say(t::DECISION, &[&row.to_string(), &facts.instant(*at), plugin, asked, resource, &said]);
    LastDecisionView {
        decision: row.to_string(),
        at: at.to_string(),
        resource: resource.clone(),
        plugin: plugin.clone(),
        revision: digest.clone(),
        command,
        outcome,
        refusal,
        text,
    }
}

/// What policies were asked and ruled, in words.
pub(super) fn ruling(facts: &Facts<'_>, decision: &Decision) -> LastRulingView {
    let Decision { row, at, resource, digest, request, response, .. } = decision;
    let question = request.as_ref().ok().and_then(|text| ruling::read_request(text).ok());
    let answers = response.as_ref().ok().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let kept = question.as_ref().zip(response.as_deref().ok());
    let failed = kept.map(|(question, text)| failures(question, text)).unwrap_or_default();
    let policies = question.zip(answers).map(|(question, answers)| rulings(&question, &answers));
    let mut policies = policies.unwrap_or_default();
    for one in &mut policies {
        if let Some(why) = failed.get(&one.policy) {
            (one.ruling, one.reason) = (FAIL.to_owned(), Some(why.clone()));
        }
    }
    let said = policies.iter().map(|one| {
        let reason = one.reason.as_ref().map(|reason| facts.say(t::RULED_WHY, &[sentence(reason)]));
        let known = t::RULINGS.iter().find(|(name, _)| *name == one.ruling);
        let ruling = known.map_or(&*one.ruling, |(_, text)| text.of(facts.reader.language));
        facts.say(t::RULED, &[&one.policy, ruling, &reason.unwrap_or_default()])
    });
    let said = said.collect::<Vec<_>>().join(t::COMMA.of(facts.reader.language));
    let said = if said.is_empty() { facts.say(t::RULING_DAMAGED, &[]) } else { said };
    let text = facts.say(t::RULING, &[resource, &facts.instant(*at), &row.to_string(), &said]);
    LastRulingView {
        decision: row.to_string(),
        at: at.to_string(),
        resource: resource.clone(),
        revision: digest.clone(),
        policies,
        text,
    }
}

/// The policies that put the plan off or amended it and could not be followed in that, each with why.
fn failures(question: &ruling::RulingRequest, answers: &str) -> BTreeMap<String, String> {
    let Ok(mut answers) = ruling::read_answers(answers) else { return BTreeMap::new() };
    if question.context.is_shadow || answers.len() != question.policies.len() {
        return BTreeMap::new();
    }
    let policies = question.policies.iter().map(policy_of_version).collect::<Vec<_>>();
    let is_meant =
        |answer: &PolicyAnswer| matches!(answer.ruling, Ruling::Defer { .. } | Ruling::Amend { .. });
    let meant = policies.iter().zip(&answers).filter(|(_, answer)| is_meant(answer));
    let meant = meant.map(|(policy, _)| policy.name.clone()).collect::<BTreeSet<_>>();
    let context = ChainContext {
        is_provider_api: question.context.is_provider_api,
        approved: question.context.approved.clone(),
        ..ChainContext::default()
    };
    loop {
        let mut chain = Chain::new(context.clone());
        let pairs = policies.iter().zip(&answers).collect::<Vec<_>>();
        // This is the last that they were asked, so what was amended now was not made.
        if let ChainStep::Amend { answer, .. } = chain.round(&question.plan, &pairs) {
            let why = "its amendment was not followed".to_owned();
            answers[answer].ruling = Ruling::Fail(ScriptFailure::whole(why));
            continue;
        }
        let failed = chain.into_entries().into_iter().filter_map(|entry| match entry {
            Entry::Ruled { policy, kind: RulingKind::Failed, reason, .. } => Some((policy, reason)),
            Entry::Ruled { .. } | Entry::Note { .. } => None,
        });
        return failed.filter(|(policy, _)| meant.contains(policy)).collect();
    }
}

/// What each policy ruled, as it is kept.
fn rulings(question: &ruling::RulingRequest, answers: &Value) -> Vec<PolicyRulingView> {
    let answers = answers["answers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |(policy, answer): (&ruling::PolicyVersion, &Value)| {
        let (ruling, fields) = answer["ruling"].as_object()?.iter().next()?;
        let reason = fields["reason"].as_str().or(fields["message"].as_str());
        Some(PolicyRulingView {
            policy: policy.name.clone(),
            script: policy.digest.clone(),
            ruling: ruling.clone(),
            reason: reason.map(str::to_owned),
        })
    };
    question.policies.iter().zip(answers).filter_map(of).collect()
}
