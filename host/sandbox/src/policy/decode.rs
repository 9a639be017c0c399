//! Turns what the interpreter answers into rulings. Whatever contradicts the contract is an error in words.

use perennial_domain::micros::Micros;
use perennial_domain::policy::Amendment;
use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::ScriptFailure;
use perennial_domain::policy::figures::Figures;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;

use crate::policy::bindings::rulings;
use crate::policy::bindings::scripts;
use crate::policy::bindings::types;

/// What a script ruled and noted.
pub fn answer(answer: rulings::PolicyAnswer) -> Result<PolicyAnswer, String> {
    let ruling = match answer.ruling {
        rulings::Ruling::Approve => Ruling::Approve,
        rulings::Ruling::Deny(reason) => Ruling::Deny { reason },
        rulings::Ruling::RequireApproval(approval) => Ruling::RequireApproval {
            reason: approval.reason,
            by: approval.by,
            expires_at: approval.expires_at.map(Timestamp::from_second),
        },
        rulings::Ruling::Defer(deferral) => {
            Ruling::Defer { until: Timestamp::from_second(deferral.until), reason: deferral.reason }
        }
        rulings::Ruling::Amend(amendment) => Ruling::Amend {
            amendment: Amendment {
                term: amendment.term.map(term).transpose()?,
                options: amendment.options.map(|options| options.into_iter().collect()),
            },
            reason: amendment.reason,
        },
        rulings::Ruling::Failed(failure) => Ruling::Fail(ScriptFailure {
            message: failure.message,
            function: failure.function,
            line: failure.line,
            column: failure.column,
            text: failure.text,
        }),
    };
    Ok(PolicyAnswer { ruling, notes: answer.notes })
}

fn term(term: types::Term) -> Result<Term, String> {
    let unit = match term.unit {
        types::TermUnit::Day => TermUnit::Day,
        types::TermUnit::Month => TermUnit::Month,
        types::TermUnit::Year => TermUnit::Year,
    };
    Term::new(term.count, unit).ok_or_else(|| "a term of no time".to_owned())
}

/// The money that a plan was shown.
pub fn figures(figures: rulings::Figures) -> Figures {
    Figures { balance: Micros::new(figures.balance), spent: Micros::new(figures.spent) }
}

/// What was found in a script.
pub fn finding(finding: scripts::Finding) -> ScriptFailure {
    let scripts::Finding { line, column, message, text } = finding;
    ScriptFailure { message, function: String::new(), line, column, text }
}
