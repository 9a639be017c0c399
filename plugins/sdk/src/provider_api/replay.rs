//! The replay of an operation: it is written as straight code that calls the host and waits for the result.
//!
//! The host calls the plugin repeatedly, each time with all outcomes so far, and the plugin has no memory. So the
//! operation starts from its beginning each time, takes the outcomes that exist already, and stops at the first one
//! that does not exist yet. It therefore has to make the same calls in the same order each time: it may depend on the
//! request and on earlier outcomes only.

use std::marker::PhantomData;

use crate::provider_api::Atomicity;
use crate::provider_api::Balance;
use crate::provider_api::CommandRequest;
use crate::provider_api::IssuedToken;
use crate::provider_api::Mutation;
use crate::provider_api::NextStep;
use crate::provider_api::OrderFilter;
use crate::provider_api::OrderPage;
use crate::provider_api::OrderView;
use crate::provider_api::Outcome;
use crate::provider_api::Proposal;
use crate::provider_api::Query;
use crate::provider_api::ResourceFilter;
use crate::provider_api::ResourcePage;
use crate::provider_api::Response;
use crate::provider_api::Transaction;
use crate::provider_api::mutation::MutationResult;
use crate::provider_api::mutation::UnexpectedOutcome;

/// Why an operation stops before its end. `E` is the plugin's own error.
#[derive(Debug)]
pub enum Stop<E> {
    /// The host has to take this step first.
    Step(NextStep),
    /// The request fails.
    Error(E),
}

impl<E> From<E> for Stop<E> {
    fn from(error: E) -> Stop<E> {
        Stop::Error(error)
    }
}

impl<E> Stop<E> {
    /// The same step, or the error changed by `change`.
    pub fn map_error<F>(self, change: impl FnOnce(E) -> F) -> Stop<F> {
        match self {
            Stop::Step(step) => Stop::Step(step),
            Stop::Error(error) => Stop::Error(change(error)),
        }
    }
}

/// The response of an operation that ran to its end, or why it stopped before.
pub type OperationResult<E> = Result<Response, Stop<E>>;

/// Runs an operation against the outcomes so far. Called once for each call of `handle`.
///
/// # Errors
///
/// The error that the operation stopped with.
pub fn run<'a, E>(
    outcomes: &'a [Outcome],
    operation: impl FnOnce(&mut Replay<'a, E>) -> OperationResult<E>,
) -> Result<NextStep, E> {
    match operation(&mut Replay { outcomes, error: PhantomData }) {
        Ok(response) => Ok(NextStep::Respond(response)),
        Err(Stop::Step(step)) => Ok(step),
        Err(Stop::Error(error)) => Err(error),
    }
}

/// The outcomes of a request that its operation has not taken yet.
#[derive(Debug)]
pub struct Replay<'a, E> {
    outcomes: &'a [Outcome],
    error: PhantomData<E>,
}

impl<'a, E: From<UnexpectedOutcome>> Replay<'a, E> {
    /// The resources that match the filter.
    ///
    /// # Errors
    ///
    /// Stops when the host has to query first, or when the outcome is unexpected; so does every other method.
    pub fn resources(&mut self, filter: ResourceFilter) -> Result<&'a ResourcePage, Stop<E>> {
        let Outcome::Resources(page) = self.query(Query::Resources(filter))? else { return unexpected() };
        Ok(page)
    }

    /// The orders that match the filter.
    ///
    /// # Errors
    ///
    /// As [`Replay::resources`].
    pub fn orders(&mut self, filter: OrderFilter) -> Result<&'a [OrderView], Stop<E>> {
        Ok(&self.order_page(filter)?.orders)
    }

    /// The orders that match the filter, and how many do beyond its limit.
    ///
    /// # Errors
    ///
    /// As [`Replay::resources`].
    pub fn order_page(&mut self, filter: OrderFilter) -> Result<&'a OrderPage, Stop<E>> {
        let Outcome::Orders(page) = self.query(Query::Orders(filter))? else { return unexpected() };
        Ok(page)
    }

    /// The balance of the account.
    ///
    /// # Errors
    ///
    /// As [`Replay::resources`].
    pub fn balance(&mut self) -> Result<&'a Balance, Stop<E>> {
        let Outcome::Balance(balance) = self.query(Query::Balance)? else { return unexpected() };
        Ok(balance)
    }

    /// Dry runs of commands, all in one step; one proposal for each. At most 100.
    ///
    /// # Errors
    ///
    /// As [`Replay::resources`].
    pub fn proposals(&mut self, commands: Vec<CommandRequest>) -> Result<Vec<&'a Proposal>, Stop<E>> {
        let queries = || NextStep::Query(commands.iter().cloned().map(Query::Proposal).collect());
        let mut proposals = Vec::with_capacity(commands.len());
        for outcome in self.next(commands.len(), queries)? {
            let Outcome::Proposal(proposal) = outcome else { return unexpected() };
            proposals.push(proposal);
        }
        Ok(proposals)
    }

    /// Executes a transaction; one result for each mutation. A request has at most one transaction. A transaction
    /// without mutations has no results, and is not executed.
    ///
    /// # Errors
    ///
    /// As [`Replay::resources`].
    pub fn execute(&mut self, transaction: Transaction) -> Result<Vec<MutationResult<'a>>, Stop<E>> {
        let outcomes = self.next(transaction.mutations.len(), || NextStep::Execute(transaction))?;
        let results = outcomes.iter().map(MutationResult::try_from).collect::<Result<Vec<_>, _>>();
        results.map_err(|error| Stop::Error(E::from(error)))
    }

    /// Issues a bearer token for the account. The same credentials may get another one: nothing rejects a replay.
    ///
    /// # Errors
    ///
    /// As [`Replay::resources`].
    pub fn issue_token(&mut self, valid_seconds: u32) -> Result<&'a IssuedToken, Stop<E>> {
        let transaction = || {
            NextStep::Execute(Transaction {
                mutations: vec![Mutation::IssueToken(valid_seconds)],
                atomicity: Atomicity::AllOrNothing,
                reject_replay: false,
                omit_orders: false,
            })
        };
        let [Outcome::Token(token)] = self.next(1, transaction)? else { return unexpected() };
        Ok(token)
    }

    fn query(&mut self, query: Query) -> Result<&'a Outcome, Stop<E>> {
        self.next(1, || NextStep::Query(vec![query])).map(|outcomes| &outcomes[0])
    }

    /// Takes the next `count` outcomes, or stops with the step that gives them.
    fn next(&mut self, count: usize, step: impl FnOnce() -> NextStep) -> Result<&'a [Outcome], Stop<E>> {
        let Some((next, rest)) = self.outcomes.split_at_checked(count) else {
            return Err(Stop::Step(step()));
        };
        self.outcomes = rest;
        Ok(next)
    }
}

fn unexpected<T, E: From<UnexpectedOutcome>>() -> Result<T, Stop<E>> {
    Err(Stop::Error(E::from(UnexpectedOutcome)))
}

#[cfg(test)]
mod tests {
    use crate::Refusal;
    use crate::provider_api::Atomicity;
    use crate::provider_api::Mutation;
    use crate::provider_api::NextStep;
    use crate::provider_api::Outcome;
    use crate::provider_api::Query;
    use crate::provider_api::Receipt;
    use crate::provider_api::ResourcePage;
    use crate::provider_api::Response;
    use crate::provider_api::Transaction;
    use crate::provider_api::filter;
    use crate::provider_api::mutation::MutationResult;
    use crate::provider_api::mutation::UnexpectedOutcome;
    use crate::provider_api::mutation::set_attribute;
    use crate::provider_api::replay::OperationResult;
    use crate::provider_api::replay::Replay;
    use crate::provider_api::replay::run;

    fn response(status: u16) -> Response {
        Response { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Two mutations, if there is exactly one resource.
    fn operation(replay: &mut Replay<UnexpectedOutcome>) -> OperationResult<UnexpectedOutcome> {
        if replay.resources(filter::all(0, 1))?.total != 1 {
            return Ok(response(404));
        }
        let results = replay.execute(Transaction {
            mutations: vec![set_attribute("r-1", "size", "2"), set_attribute("r-1", "colour", "red")],
            atomicity: Atomicity::Independent,
            reject_replay: true,
            omit_orders: false,
        })?;
        let refused = results.iter().filter(|result| matches!(result, MutationResult::Refused(_))).count();
        Ok(response(if refused == 0 { 200 } else { 409 }))
    }

    fn page(total: u32) -> Outcome {
        Outcome::Resources(ResourcePage { total, resources: Vec::new() })
    }

    fn applied() -> Outcome {
        Outcome::Applied(Receipt { orders: Vec::new(), cost: 0, refund: 0 })
    }

    fn refused() -> Outcome {
        Outcome::Refused(Refusal { code: "no".to_owned(), message: "no".to_owned() })
    }

    #[test]
    fn an_operation_stops_at_the_first_outcome_that_does_not_exist_yet() {
        assert_eq!(run(&[], operation).unwrap(), NextStep::Query(vec![Query::Resources(filter::all(0, 1))]),);
        let NextStep::Execute(transaction) = run(&[page(1)], operation).unwrap() else { unreachable!() };
        assert!(transaction.reject_replay);
        assert_eq!(transaction.mutations.len(), 2);
    }

    #[test]
    fn an_operation_takes_every_outcome_in_order_and_responds() {
        assert_eq!(run(&[page(0)], operation).unwrap(), NextStep::Respond(response(404)));
        assert_eq!(
            run(&[page(1), applied(), applied()], operation).unwrap(),
            NextStep::Respond(response(200))
        );
        assert_eq!(
            run(&[page(1), refused(), applied()], operation).unwrap(),
            NextStep::Respond(response(409))
        );
    }

    #[test]
    fn a_transaction_whose_outcomes_are_incomplete_is_asked_for_again() {
        assert!(matches!(run(&[page(1), applied()], operation), Ok(NextStep::Execute(_))));
    }

    #[test]
    fn an_outcome_of_another_kind_is_an_error() {
        assert_eq!(run(&[applied()], operation), Err(UnexpectedOutcome));
        assert_eq!(run(&[page(1), applied(), page(1)], operation), Err(UnexpectedOutcome));
        let token = |replay: &mut Replay<UnexpectedOutcome>| {
            replay.issue_token(60)?;
            Ok(response(201))
        };
        assert_eq!(run(&[refused()], token), Err(UnexpectedOutcome));
        let NextStep::Execute(transaction) = run(&[], token).unwrap() else { unreachable!() };
        assert_eq!(transaction.mutations, [Mutation::IssueToken(60)]);
        assert!(!transaction.reject_replay);
    }
}
