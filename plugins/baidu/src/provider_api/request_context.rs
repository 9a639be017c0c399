//! A request that is being answered: what was asked for, and what is known so far.
//!
//! What was found comes before what was done, since an operation looks first and acts at most once. Knows the order of
//! outcomes; not what any operation makes of them.

use plugin_sdk::Refusal;
use plugin_sdk::provider_api::Atomicity;
use plugin_sdk::provider_api::Context;
use plugin_sdk::provider_api::Mutation;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::Outcome;
use plugin_sdk::provider_api::ResourcePage;
use plugin_sdk::provider_api::Transaction;

use crate::provider_api::faults::Fault;
use crate::provider_api::parameters::Parameters;
use crate::settings::Settings;

/// The most that one action may do.
const DEEDS_MAX: usize = 100;

/// A request, what it says, and what was found out and done for it.
pub struct RequestContext<'a> {
    /// The host's question.
    pub context: &'a Context,
    /// The query, decoded.
    pub parameters: Parameters,
    /// The account's.
    pub settings: Settings,
}

/// How the action ended.
pub enum TransactionResult<'a> {
    /// Everything was done, which made these orders; or is waiting for somebody's approval, and so made none.
    Applied(Vec<&'a str>),
    /// Nothing was done.
    Refused(&'a Refusal),
}

impl<'a> RequestContext<'a> {
    /// The request of a context.
    ///
    /// # Errors
    ///
    /// `InvalidURI` when its query cannot be decoded.
    pub fn of(context: &'a Context) -> Result<RequestContext<'a>, Fault> {
        let settings = Settings::of(&context.account.settings);
        Ok(RequestContext { context, parameters: Parameters::of(&context.request)?, settings })
    }

    /// What the host calls the request.
    pub fn id(&self) -> &'a str {
        &self.context.request.id
    }

    /// What was found so far, in the order in which it was asked for.
    pub fn listings(&self) -> Vec<&'a ResourcePage> {
        let listing = |outcome: &'a Outcome| match outcome {
            Outcome::Resources(listing) => Some(listing),
            Outcome::Orders(_)
            | Outcome::Balance(_)
            | Outcome::Proposal(_)
            | Outcome::Applied(_)
            | Outcome::Pending(_)
            | Outcome::Refused(_)
            | Outcome::Aborted
            | Outcome::Token(_) => None,
        };
        self.context.outcomes.iter().map_while(listing).collect()
    }

    /// How the action ended; `None` as long as there was none.
    ///
    /// # Errors
    ///
    /// `InternalError` for an outcome that no mutation of this API has.
    pub fn transaction_result(&self) -> Result<Option<TransactionResult<'a>>, Fault> {
        let outcomes = &self.context.outcomes[self.listings().len()..];
        if outcomes.is_empty() {
            return Ok(None);
        }
        let mut orders = Vec::new();
        let mut is_undone = false;
        for outcome in outcomes {
            match outcome {
                Outcome::Applied(done) => orders.extend(done.orders.iter().map(String::as_str)),
                Outcome::Pending(_) => {}
                Outcome::Aborted => is_undone = true,
                Outcome::Refused(refusal) => return Ok(Some(TransactionResult::Refused(refusal))),
                Outcome::Resources(_)
                | Outcome::Orders(_)
                | Outcome::Balance(_)
                | Outcome::Proposal(_)
                | Outcome::Token(_) => return Err(Fault::internal()),
            }
        }
        if is_undone { Err(Fault::internal()) } else { Ok(Some(TransactionResult::Applied(orders))) }
    }

    /// Asks the host to do all of this, or nothing of it: `once` for each signature, or as often as it is sent.
    ///
    /// # Errors
    ///
    /// `BadRequest` when it is too much for one request.
    pub fn carry_out(&self, mutations: Vec<Mutation>, reject_replay: bool) -> Result<NextStep, Fault> {
        if mutations.len() > DEEDS_MAX {
            return Err(Fault::bad_request(format!(
                "this would change {} resources; a request changes up to {DEEDS_MAX}",
                mutations.len()
            )));
        }
        Ok(NextStep::Execute(Transaction { mutations, atomicity: Atomicity::AllOrNothing, reject_replay }))
    }
}
