//! Transactions, and requests that ask for a change that is already in place.

use plugin_sdk::Refusal;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::provider_api::Atomicity;
use plugin_sdk::provider_api::Mutation;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::Transaction;
use plugin_sdk::provider_api::mutation::MUTATIONS_MAX;
use plugin_sdk::provider_api::mutation::MutationResult;
use plugin_sdk::provider_api::mutation::first_refusal;

use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::problem::Problem;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::response;

/// Whether the state that a request asks for is already in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InPlace {
    /// It is, in every detail.
    Yes,
    /// The resource shows that it is, but only the rules can tell.
    Unknown,
    /// The request changes nothing in place.
    No,
}

impl From<bool> for InPlace {
    fn from(is_in_place: bool) -> InPlace {
        if is_in_place { InPlace::Yes } else { InPlace::No }
    }
}

/// The result of a transaction.
pub enum TransactionResult<'a> {
    /// Every mutation was applied, and led to these orders. A plan that needs approval has no order yet.
    Applied(Vec<&'a str>),
    /// The provider's rules refused it, and nothing was committed.
    Refused(&'a Refusal),
}

/// All of the mutations or none of them, once for each signature.
pub(crate) fn all_or_nothing(mutations: Vec<Mutation>) -> Transaction {
    Transaction { mutations, atomicity: Atomicity::AllOrNothing, reject_replay: true, omit_orders: false }
}

/// Executes a transaction of [`all_or_nothing`].
///
/// # Errors
///
/// `BadRequest` when there are more than one transaction can have.
pub fn execute<'a>(replay: &mut Replay<'a>, transaction: Transaction) -> Result<TransactionResult<'a>, Stop> {
    if transaction.mutations.len() > MUTATIONS_MAX {
        return Err(Stop::from(Problem::bad_request(format!(
            "this would change {} resources; a request changes up to {MUTATIONS_MAX}",
            transaction.mutations.len()
        ))));
    }
    let results = replay.execute(transaction)?;
    match first_refusal(&results) {
        Some((_, refusal)) => Ok(TransactionResult::Refused(refusal)),
        None if results.contains(&MutationResult::Aborted) => Err(Stop::from(Problem::internal())),
        None => {
            let orders = results.iter().flat_map(MutationResult::orders).map(String::as_str);
            Ok(TransactionResult::Applied(orders.collect()))
        }
    }
}

/// Executes the mutations and responds without a body.
///
/// The host remembers the client tokens of renewals only. For a change that a resource shows, the resource is the
/// memory: a request with a client token whose change is already in place was sent again. It gets the response it got
/// before, and nothing is done. The transaction rejects replays, so that a request that is sent again after its change
/// was taken back does not bring the change back.
///
/// # Errors
///
/// The provider's refusal of the first mutation that was refused; nothing was done then.
pub fn change(
    context: &RequestContext,
    replay: &mut Replay,
    in_place: InPlace,
    mutations: Vec<Mutation>,
) -> OperationResult {
    let has_token = context.parameters.token()?.is_some();
    if has_token && in_place == InPlace::Yes {
        return Ok(response::empty(context.id()));
    }
    match execute(replay, all_or_nothing(mutations))? {
        TransactionResult::Refused(_) if has_token && in_place == InPlace::Unknown => {
            Ok(response::empty(context.id()))
        }
        TransactionResult::Refused(refusal) => Err(Stop::from(Problem::from(refusal))),
        TransactionResult::Applied(_) => Ok(response::empty(context.id())),
    }
}

/// The months of the term that an automatic renewal has.
pub(crate) fn renewal_months(resource: &ResourceView) -> Option<u32> {
    resource.renewal_term.or(resource.term).and_then(months)
}

/// The length of a term in months; `None` for days.
pub fn months(term: Term) -> Option<u32> {
    match term.unit {
        TermUnit::Day => None,
        TermUnit::Month => Some(term.count),
        TermUnit::Year => term.count.checked_mul(12),
    }
}
