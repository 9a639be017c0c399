//! Asks policies again about plans: the scripts that ruled then, found by their digests. Knows nothing of plugins.

use std::collections::BTreeMap;

use perennial_domain::index::AccountIndex;
use perennial_domain::policy::OnFailure;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyMode;
use perennial_domain::policy::PolicySet;
use perennial_domain::policy::RANK_DEFAULT;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::selector::Selector;
use perennial_formats::decision::ruling;
use perennial_formats::decision::ruling::CONTRACT;
use perennial_formats::decision::ruling::RulingRequest;
use perennial_sandbox::Interpreter;
use perennial_sandbox::PolicyAnswers;
use perennial_store::ReadTx;
use perennial_store::content_digests;
use perennial_store::decisions::Decision;
use perennial_store::error::StoreError;
use perennial_store::policies;

use crate::replay::NotReplayable;
use crate::replay::Replay;
use crate::replay::compared;
use crate::replay::damaged;
use crate::replay::request_of;
use crate::replay::response_of;
use crate::rules::Providers;

/// A ruling that can be asked for again.
struct Case<'d> {
    question: RulingRequest,
    kept: &'d str,
}

/// Asks again; what became of each decision, in their order.
pub(super) fn replay<'d>(
    db: &ReadTx,
    providers: &Providers,
    decisions: impl Iterator<Item = &'d Decision>,
) -> Result<Vec<Replay>, StoreError> {
    let interpreter = providers.policies().map(|policies| policies.interpreter());
    let mut replays = Vec::new();
    // Rulings of one set are asked for together: its scripts are compiled once.
    let mut by_set = BTreeMap::<String, Vec<(usize, Case<'_>)>>::new();
    for (place, decision) in decisions.enumerate() {
        let read = read(interpreter, decision);
        replays.push(
            read.map(|case| by_set.entry(set_key(&case.question)).or_default().push((place, case))).err(),
        );
    }
    for cases in by_set.into_values() {
        let (places, cases): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        let Some(interpreter) = interpreter else { continue };
        for (place, replay) in places.into_iter().zip(ask(db, interpreter, cases)?) {
            replays[place] = Some(replay);
        }
    }
    Ok(replays.into_iter().map(|replay| replay.expect("each decision was read or asked")).collect())
}

/// Reads a decision, or says why it cannot be asked again.
fn read<'d>(interpreter: Option<&Interpreter>, decision: &'d Decision) -> Result<Case<'d>, Replay> {
    let Decision { plugin, digest, contract, .. } = decision;
    let why = match interpreter {
        _ if contract != CONTRACT => Some(NotReplayable::Contract(contract.clone())),
        None => Some(NotReplayable::NoPlugin(plugin.clone())),
        Some(interpreter) if interpreter.digest() != digest => {
            Some(NotReplayable::Revision { plugin: plugin.clone(), digest: digest.clone() })
        }
        Some(_) => None,
    };
    if let Some(why) = why {
        return Err(Replay::NotReplayable(why));
    }
    let (request, kept) = (request_of(decision)?, response_of(decision)?);
    let question = ruling::read_request(request);
    let question = question.map_err(|problems| damaged("request", &problems.to_string()))?;
    Ok(Case { question, kept })
}

/// Equal for questions to the same set.
fn set_key(question: &RulingRequest) -> String {
    format!("{:?} {:?}", question.policies, question.calendars)
}

/// Asks one set again, which all of these have.
fn ask(db: &ReadTx, interpreter: &Interpreter, cases: Vec<Case<'_>>) -> Result<Vec<Replay>, StoreError> {
    let Some(first) = cases.first() else { return Ok(Vec::new()) };
    let mut set = PolicySet { policies: Vec::new(), calendars: first.question.calendars.clone() };
    for policy in &first.question.policies {
        let Some(text) = policies::script(db, &policy.digest)? else {
            let why = NotReplayable::Script(policy.digest.clone());
            return Ok(cases.iter().map(|_| Replay::NotReplayable(why.clone())).collect());
        };
        if !content_digests::is_named(text.as_bytes(), &policy.digest) {
            let why = format!("the script of `{}` that is kept is not the one that ruled", policy.name);
            return Ok(cases.iter().map(|_| damaged("policy", &why)).collect());
        }
        set.policies.push(Policy {
            name: policy.name.clone(),
            script: String::new(),
            text,
            rank: RANK_DEFAULT,
            mode: PolicyMode::Active,
            selector: Selector::default(),
            on_failure: OnFailure::Default,
        });
    }
    // Each has an account of its own, so that none sees what another one leaves.
    let accounts = cases.iter().map(|case| case.question.account.clone()).collect::<Vec<_>>();
    let plans = cases.iter().enumerate();
    let plans = plans
        .map(|(place, case)| PlanFacts { account: AccountIndex::new(place), ..case.question.plan.clone() })
        .collect::<Vec<_>>();
    let answers = interpreter.ask(&set, &accounts, &plans.iter().collect::<Vec<_>>());
    let compare = |(case, answers): (&Case<'_>, PolicyAnswers)| {
        let answer = ruling::answers(answers.figures, &answers.answers).to_text();
        compared(case.kept, answer, answers.fuel)
    };
    Ok(cases.iter().zip(answers).map(compare).collect())
}
