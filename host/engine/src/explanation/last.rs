//! What was decided last about a resource, in words: by a plugin, and by policies. Knows nothing of what comes next.

use perennial_formats::decision;
use perennial_formats::decision::ruling;
use perennial_formats::explanation::LastDecisionView;
use perennial_formats::explanation::LastRulingView;
use perennial_formats::explanation::PolicyRulingView;
use perennial_formats::plan::RefusalView;
use perennial_store::decisions::Decision;
use serde_json::Value;

use crate::explanation::facts::Facts;
use crate::explanation::sentences::sentence;
use crate::explanation::texts as t;

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
    let policies = question.zip(answers).map(|(question, answers)| rulings(&question, &answers));
    let policies = policies.unwrap_or_default();
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
