//! Rulings in words, for people.

use perennial_domain::policy::Amendment;
use perennial_domain::policy::Ruling;

/// A ruling on one line, such as `deny: too dear`.
pub fn ruling_text(ruling: &Ruling) -> String {
    match ruling {
        Ruling::Approve => "approve".to_owned(),
        Ruling::Deny { reason } => format!("deny: {reason}"),
        Ruling::RequireApproval { reason, by, expires_at } => {
            let by = by.as_ref().map(|by| format!(" by `{by}`")).unwrap_or_default();
            let until = expires_at.map(|at| format!(" until {at}")).unwrap_or_default();
            format!("require approval{by}{until}: {reason}")
        }
        Ruling::Defer { until, reason } => format!("defer to {until}: {reason}"),
        Ruling::Amend { amendment, reason } => format!("amend to {}: {reason}", amendment_text(amendment)),
        Ruling::Fail(failure) => format!("failed: {failure}"),
    }
}

fn amendment_text(amendment: &Amendment) -> String {
    let term = amendment.term.map(|term| term.to_string());
    let options = amendment.options.as_ref().map(|options| {
        let pairs = options.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        if pairs.is_empty() { "no options".to_owned() } else { pairs.join(", ") }
    });
    term.into_iter().chain(options).collect::<Vec<_>>().join(", ")
}
