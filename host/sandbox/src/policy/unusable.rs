//! What becomes of answers of the interpreter that are none. Calls nothing.

use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::ScriptFailure;

use crate::policy::bindings::rulings;
use crate::runtime::call::Failure;
use crate::runtime::error::PluginError;

/// What messages and records call the interpreter.
pub(super) const NAME: &str = "script";

/// The answer of a policy that gave none.
pub(super) fn failure(message: String) -> PolicyAnswer {
    PolicyAnswer { ruling: Ruling::Fail(ScriptFailure::whole(message)), notes: Vec::new() }
}

/// The error of an answer that says what cannot be.
pub(super) fn nonsense(function: &'static str, problem: String) -> PluginError {
    PluginError::Nonsense { plugin: NAME.to_owned(), function, problem }
}

/// Checks that there is an answer to every request.
pub(super) fn count(function: &'static str, requests: usize, answers: usize) -> Result<(), PluginError> {
    match requests == answers {
        true => Ok(()),
        false => Err(PluginError::WrongCount { plugin: NAME.to_owned(), function, requests, answers }),
    }
}

/// Checks that there are figures for every plan, and an answer of every policy that was asked.
pub(super) fn check_count(plans: usize, asked: usize, results: &rulings::Results) -> Result<(), Failure> {
    let figures = count("rule", plans, results.figures.len());
    figures
        .and_then(|()| count("rule", asked, results.answers.len()))
        .map_err(|error| Failure { error, fuel: 0 })
}
