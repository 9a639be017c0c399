//! Rulings in words, for people.

use perennial_domain::policy::Amendment;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::chain::ChainStep;
use perennial_domain::policy::chain::Postponement;
use perennial_domain::policy::chain::Verdict;

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
    let changes = term.into_iter().chain(options).collect::<Vec<_>>();
    if changes.is_empty() { "what it is".to_owned() } else { changes.join(", ") }
}

/// What the rulings of all policies on a plan come to, such as `denied by `dear``.
pub fn step_text(next: &ChainStep) -> String {
    match next {
        ChainStep::Amend { .. } => "amended; the new plan is made and all are asked again".to_owned(),
        ChainStep::BeginAgain => {
            "amended without an end; all are asked again about the plan as it was".to_owned()
        }
        ChainStep::Done(Verdict::Approve) => "approved".to_owned(),
        ChainStep::Done(Verdict::Deny { policy, .. }) => format!("denied by `{policy}`"),
        ChainStep::Done(Verdict::Defer(Postponement { policy, until, .. })) => {
            format!("deferred to {until} by `{policy}`")
        }
        ChainStep::Done(Verdict::RequireApproval { approvals, expires_at, postponement }) => {
            let approvals = approvals.iter().map(|one| match &one.by {
                Some(by) => format!("`{}` (by `{by}`)", one.policy),
                None => format!("`{}`", one.policy),
            });
            let until = expires_at.map(|at| format!(", until {at}")).unwrap_or_default();
            let then = postponement
                .as_ref()
                .map(|one| format!(", then deferred to {} by `{}`", one.until, one.policy));
            let then = then.unwrap_or_default();
            format!("waits for the approvals of {}{until}{then}", approvals.collect::<Vec<_>>().join(" and "))
        }
    }
}
