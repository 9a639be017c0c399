//! What is kept of what policies were asked and answered about a plan. Asks nobody.

use std::sync::Arc;

use perennial_formats::decision::packed;
use perennial_formats::decision::ruling;
use perennial_formats::decision::ruling::RulingContext;

use crate::batch_entry::DecisionRecord;
use crate::policies::ActivePolicies;
use crate::policy_case::Case;
use crate::policy_case::PolicyEvaluation;

/// A record for each time that policies were asked about the plan of `case`, in order.
pub(crate) fn of_case(policies: &ActivePolicies, case: &Case) -> Vec<DecisionRecord> {
    let record = |evaluation: &PolicyEvaluation| {
        let PolicyEvaluation { account, facts, answers, is_shadow } = evaluation;
        let of = policies.versions(&facts.policies);
        let context = RulingContext {
            is_shadow: *is_shadow,
            is_provider_api: case.context.is_provider_api,
            approved: case.context.approved.clone(),
        };
        let request = ruling::question(&of, policies.calendars(), account, facts, &context).to_text();
        let response = ruling::answers(answers.figures, &answers.answers).to_text();
        DecisionRecord {
            at: facts.at,
            member: case.member,
            request: packed::pack(&request),
            response: packed::pack(&response),
            fuel: answers.fuel,
            interpreter: Some(Arc::new(policies.interpreter())),
        }
    };
    case.evaluations.iter().map(record).collect()
}
