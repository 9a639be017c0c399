//! Logs what a plugin was asked when it gave no usable answer, so that its author can ask it again. Decides nothing.

use perennial_domain::account::Account;
use perennial_domain::index::AccountIndex;
use perennial_domain::usage::Consumption;
use perennial_formats::decision;
use perennial_formats::decision::DecisionInput;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::PluginError;
use perennial_sandbox::TimelineRequest;

/// Logs the first of these timelines that has no answer.
pub(crate) fn log_timelines<A>(
    accounts: &[&Account],
    requests: &[TimelineRequest<'_>],
    answers: &[Result<A, PluginError>],
) {
    log(requests, answers, |request| {
        let account = accounts[request.account.get()];
        decision::timeline_request(request.after, &account.id, &account.settings, request.bundle).to_text()
    });
}

/// Logs the first of these plans that has no answer, as decisions are kept.
pub(crate) fn log_plans<A>(
    accounts: &[&Account],
    requests: &[PlanRequest<'_>],
    answers: &[Result<A, PluginError>],
) {
    log(requests, answers, |request| {
        let account = accounts[request.account.get()];
        let input = DecisionInput {
            at: request.at,
            account: &account.id,
            settings: &account.settings,
            command: request.command,
            member: request.member,
            bundle: request.bundle,
            orders: request.orders,
        };
        decision::question(&input).to_text()
    });
}

/// Logs the first of these uses that no packages were found for.
pub(crate) fn log_uses<A>(
    accounts: &[&Account],
    requests: &[(AccountIndex, &Consumption)],
    answers: &[Result<A, PluginError>],
) {
    log(requests, answers, |(account, consumption)| {
        format!("{}: {consumption:?}", accounts[account.get()].id)
    });
}

fn log<Q, A>(requests: &[Q], answers: &[Result<A, PluginError>], text: impl Fn(&Q) -> String) {
    let mut failed = requests.iter().zip(answers).filter_map(|(request, answer)| {
        let error = answer.as_ref().err()?;
        Some((request, error))
    });
    let Some((request, error)) = failed.next() else { return };
    let more = failed.count();
    tracing::warn!(target: "plugin_question", question = text(request), more, "{error}");
}
