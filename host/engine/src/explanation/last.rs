//! What was decided last about a resource, in words: by a plugin, and by policies. Knows nothing of what comes next.

use perennial_formats::dates;
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

/// What a plugin was asked and answered, in words.
pub(super) fn decision(facts: &Facts<'_>, decision: &Decision) -> LastDecisionView {
    let Decision { row, at, resource, plugin, digest, contract, request, response, .. } = decision;
    let question = request.as_ref().ok().and_then(|text| decision::read_request(text, contract).ok());
    let answer = response.as_ref().ok().and_then(|text| decision::read_answer(text, contract).ok());
    let command = question.as_ref().map(|question| question.command.name());
    let (outcome, refusal, said) = match &answer {
        None => {
            ("damaged", None, "but what is kept of its answer is damaged; see `perennial replay`".to_owned())
        }
        Some(Err(refusal)) => {
            let said = format!("and refused: {} ({})", sentence(&refusal.message), refusal.code);
            ("refused", Some(RefusalView::from(refusal)), said)
        }
        Some(Ok(plan)) => {
            let steps = dates::counted(plan.steps.len(), "step");
            let left = plan.skipped.iter().map(|skipped| skipped.reason.message.as_str()).collect::<Vec<_>>();
            let left =
                if left.is_empty() { String::new() } else { format!(", leaving out: {}", left.join("; ")) };
            ("planned", None, format!("and planned {steps}{left}"))
        }
    };
    let text = format!(
        "The last decision, {row}, was made at {}: `{plugin}` was asked to `{}` `{resource}`, {said}.",
        facts.instant(*at),
        command.unwrap_or("something of"),
    );
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
        let reason = one.reason.as_ref().map(|reason| format!(" ({})", sentence(reason))).unwrap_or_default();
        format!("`{}` ruled {}{reason}", one.policy, one.ruling.replace('_', " "))
    });
    let said = said.collect::<Vec<_>>().join(", ");
    let said = if said.is_empty() {
        "what is kept of it is damaged; see `perennial replay`".to_owned()
    } else {
        said
    };
    let text = format!(
        "Policies were asked last about `{resource}` at {}, in decision {row}: {said}.",
        facts.instant(*at)
    );
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
