//! What the rulings of all policies on one plan come to, and what a person is told who asked for it. Asks nobody.

use crate::plan::Refusal;
use crate::timestamp::Timestamp;

/// An approval that a plan waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredApproval {
    /// The policy that requires it.
    pub policy: String,
    /// The policy's reason, for people.
    pub reason: String,
    /// The label that the approver's token has; `None` is any approver.
    pub by: Option<String>,
    /// The token that gave it, while the plan waits for others.
    pub given_by: Option<String>,
    /// The version of the policy that required it: equal as long as nobody changes the policy. `None` of what the host itself
    /// requires.
    pub version: Option<String>,
}

/// That a policy puts a plan off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postponement {
    /// The policy that named the latest instant.
    pub policy: String,
    /// The policy's reason, for people.
    pub reason: String,
    /// The instant before which the plan is not carried out.
    pub until: Timestamp,
}

impl Postponement {
    /// What a person is told whose command is not done before the instant.
    pub fn refusal(&self) -> Refusal {
        let Postponement { policy, reason, until } = self;
        let message =
            format!("the policy `{policy}` allows it from {until} on, give the command again then: {reason}");
        Refusal { code: POLICY_REFUSAL.to_owned(), message }
    }
}

/// What the rulings come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The plan meets the money.
    Approve,
    /// The plan is not done.
    Deny {
        /// The first policy that denied it.
        policy: String,
        /// The policy's reason, for people.
        reason: String,
    },
    /// It waits until each of these is given.
    RequireApproval {
        /// In the order of the chain; never empty.
        approvals: Vec<RequiredApproval>,
        /// The earliest instant that a policy named; `None` leaves it to the host.
        expires_at: Option<Timestamp>,
        /// Once they are given, it is not done before an instant all the same.
        postponement: Option<Postponement>,
    },
    /// It is not done before an instant.
    Defer(Postponement),
}

/// The code of the refusal of a command that a policy denied or put off.
const POLICY_REFUSAL: &str = "policy";

impl Verdict {
    /// What a person is told whose command is not done; `None` of a command that is done, or waits for an approval.
    pub fn refusal(&self) -> Option<Refusal> {
        let message = match self {
            Verdict::Approve | Verdict::RequireApproval { .. } => return None,
            Verdict::Deny { policy, reason } => format!("the policy `{policy}` denies it: {reason}"),
            Verdict::Defer(postponement) => return Some(postponement.refusal()),
        };
        Some(Refusal { code: POLICY_REFUSAL.to_owned(), message })
    }

    /// Until when a policy puts the plan off, whether it waits for an approval besides or not.
    pub const fn postponement(&self) -> Option<&Postponement> {
        match self {
            Verdict::Defer(postponement) => Some(postponement),
            Verdict::RequireApproval { postponement, .. } => postponement.as_ref(),
            Verdict::Approve | Verdict::Deny { .. } => None,
        }
    }
}
