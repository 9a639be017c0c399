//! A decision on an approval, and what becomes of it. Decides nothing.

use perennial_domain::approval::State;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use perennial_store::approvals::StoredApproval;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;
use perennial_store::keys::ResourceKey;

use crate::approval_parts::ApproverLabels;
use crate::approval_parts::MissingLabel;
use crate::approval_parts::pending_words;
use crate::approval_parts::quoted;
use crate::error::EngineError;
use crate::persist::RecordedEvent;

/// Somebody's decision on a pending approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalDecision<'a> {
    /// The id of the token that decides; `cli` for the command line.
    pub decided_by: &'a str,
    /// Why, if they say.
    pub reason: Option<&'a str>,
    /// The hash of the plan that they looked at, if they say.
    pub plan_hash: Option<&'a str>,
    /// What they may approve of.
    pub labels: ApproverLabels<'a>,
}

/// What became of an approval's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecisionOutcome {
    /// It was taken down and, if it is a yes, the plan was carried out.
    Recorded(Vec<RecordedEvent>),
    /// The plan cannot be carried out; the approval stays pending.
    Refused {
        /// Why the rules or the balance refuse it.
        refusal: Refusal,
        /// The events that were recorded.
        events: Vec<RecordedEvent>,
    },
    /// The command would do something else by now. The approval stays pending, for that.
    PlanChanged {
        /// The hash of what it would do now.
        hash: String,
        /// The events that were recorded.
        events: Vec<RecordedEvent>,
    },
}

/// Why a decision was not taken down; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No approval is called that.
    #[error("there is no approval `{0}`")]
    Unknown(String),
    /// The approval has ended, in this state.
    #[error("there is nothing to decide on any more: the approval `{approval}` is {}", .state.name())]
    Closed {
        /// The id of the approval.
        approval: String,
        /// The state that it ended in.
        state: State,
    },
    /// Its time is over.
    #[error("there is nothing to decide on any more: the time of the approval `{0}` was over at {1}")]
    Expired(String, Timestamp),
    /// The person behind the token that requested the approval does not decide on it, with whichever token.
    #[error(
        "whoever asked for an approval does not decide on it, nor does a token that they made; have somebody else do it"
    )]
    OwnRequest,
    /// They changed how the resource renews.
    #[error(
        "whoever last changed how a resource, or one that is renewed with it, renews by itself does not decide on its renewals, nor does \
         a token that they made; have somebody else do it"
    )]
    OwnRenewal,
    /// Policies require approvals of somebody else.
    #[error(
        "the token approves for {}; what is left to approve here takes the label {}: have somebody decide whose token \
         was made with `--approves`", pending_words(.0), quoted(.1)
    )]
    MissingLabel(Vec<String>, Vec<String>),
    /// It holds another plan than the one that was looked at.
    #[error("the approval holds another plan than that, with the hash {0}; look at it again")]
    PlanMismatch(String),
}

impl From<MissingLabel> for DecisionError {
    fn from(MissingLabel { owned, wanted }: MissingLabel) -> DecisionError {
        DecisionError::MissingLabel(owned, wanted)
    }
}

impl From<StoreError> for DecisionError {
    fn from(error: StoreError) -> DecisionError {
        DecisionError::Engine(error.into())
    }
}

/// The approval called `id`, if it waits for a decision, of somebody else than its requester, on this plan.
pub(crate) fn find_pending(
    db: &dyn EngineReads,
    at: Timestamp,
    id: &str,
    (decision, takes_two_people): (&ApprovalDecision<'_>, bool),
) -> Result<StoredApproval, DecisionError> {
    let stored = db.find_approval(id)?.ok_or_else(|| DecisionError::Unknown(id.to_owned()))?;
    let decider = db.person_of(decision.decided_by)?;
    let requester = stored.requested_by.as_deref().map(|id| db.person_of(id)).transpose()?;
    if requester.as_ref() == Some(&decider) {
        Err(DecisionError::OwnRequest)
    } else if takes_two_people
        && stored.cause == Cause::Auto
        && is_renewal_author(db, stored.resource, &decider)?
    {
        Err(DecisionError::OwnRenewal)
    } else if stored.state != State::Pending {
        Err(DecisionError::Closed { approval: stored.id, state: stored.state })
    } else if at > stored.expires_at {
        Err(DecisionError::Expired(stored.id, stored.expires_at))
    } else if decision.plan_hash.is_some_and(|planned| planned != stored.priced.plan_hash) {
        Err(DecisionError::PlanMismatch(stored.priced.plan_hash))
    } else {
        Ok(stored)
    }
}

/// Whether a person last changed how something of a resource's bundle renews by itself: what the clock asks for then is what they
/// asked for.
fn is_renewal_author(db: &dyn EngineReads, resource: ResourceKey, person: &str) -> Result<bool, StoreError> {
    for author in db.renewal_authors(resource)? {
        if db.person_of(&author)? == *person {
            return Ok(true);
        }
    }
    Ok(false)
}
