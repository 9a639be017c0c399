//! The replay of an operation: it is written as if it could call the host and wait for the result.
//!
//! The host calls the plugin repeatedly, each time with all outcomes so far, and the plugin has no memory. So an operation
//! starts from its beginning each time, takes the outcomes that exist already, and stops at the first one that does not
//! exist yet.

use plugin_sdk::provider_api::{
    Atomicity, Balance, Mutation, NextStep, OrderFilter, Outcome, PaidOrder, Query, ResourceFilter,
    ResourcePage, Response, Transaction,
};

use crate::provider_api::problem::Problem;

/// Why an operation does not go on.
#[derive(Debug)]
pub enum Stop {
    /// The host has to do something first.
    Ask(NextStep),
    /// Something is wrong with the request.
    Problem(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Stop {
        Stop::Problem(problem)
    }
}

/// An operation that ran to its end, or stopped before.
pub type OperationResult = Result<Response, Stop>;

/// What the host found out and did for the request so far.
#[derive(Debug)]
pub struct Replay<'a> {
    known: &'a [Outcome],
}

impl<'a> Replay<'a> {
    /// A replay of these outcomes, none of them taken yet.
    pub fn new(known: &'a [Outcome]) -> Replay<'a> {
        Replay { known }
    }

    /// Runs queries; one outcome for each.
    pub fn query(&mut self, queries: Vec<Query>) -> Result<&'a [Outcome], Stop> {
        let count = queries.len();
        self.next(count, || NextStep::Query(queries))
    }

    /// Executes a transaction that rejects replays; one outcome for each mutation.
    pub fn execute(&mut self, mutations: Vec<Mutation>, atomicity: Atomicity) -> Result<&'a [Outcome], Stop> {
        let count = mutations.len();
        self.next(count, || NextStep::Execute(Transaction { mutations, atomicity, reject_replay: true }))
    }

    /// Executes one mutation that the same credentials may execute again.
    pub fn execute_replayable(&mut self, mutation: Mutation) -> Result<&'a Outcome, Stop> {
        let action = Transaction {
            mutations: vec![mutation],
            atomicity: Atomicity::AllOrNothing,
            reject_replay: false,
        };
        self.next(1, || NextStep::Execute(action)).map(|outcomes| &outcomes[0])
    }

    /// The resources that a selection has.
    pub fn resources(&mut self, selection: ResourceFilter) -> Result<&'a ResourcePage, Stop> {
        let Outcome::Resources(listing) = self.one(Query::Resources(selection))? else {
            return Err(Problem::internal().into());
        };
        Ok(listing)
    }

    /// The orders that a selection has.
    pub fn orders(&mut self, selection: OrderFilter) -> Result<&'a [PaidOrder], Stop> {
        let Outcome::Orders(orders) = self.one(Query::Orders(selection))? else {
            return Err(Problem::internal().into());
        };
        Ok(orders)
    }

    /// What the account has.
    pub fn balance(&mut self) -> Result<&'a Balance, Stop> {
        let Outcome::Balance(funds) = self.one(Query::Balance)? else {
            return Err(Problem::internal().into());
        };
        Ok(funds)
    }

    fn one(&mut self, query: Query) -> Result<&'a Outcome, Stop> {
        self.query(vec![query]).map(|outcomes| &outcomes[0])
    }

    fn next(&mut self, count: usize, ask: impl FnOnce() -> NextStep) -> Result<&'a [Outcome], Stop> {
        let Some((next, rest)) = self.known.split_at_checked(count) else { return Err(Stop::Ask(ask())) };
        self.known = rest;
        Ok(next)
    }
}

/// Every resource of the account, a page of this many from this one on: what a selection narrows down.
pub fn every(offset: u32, limit: u32) -> ResourceFilter {
    ResourceFilter {
        ids: Vec::new(),
        with_attached: false,
        only_primaries: false,
        kinds: Vec::new(),
        stages: Vec::new(),
        charging: None,
        expires_from: None,
        expires_until: None,
        offset,
        limit,
    }
}

/// These resources, whatever they are. At most 1,000.
pub fn these(ids: Vec<String>) -> ResourceFilter {
    ResourceFilter { ids, ..every(0, 1_000) }
}
