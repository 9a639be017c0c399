//! The mutations of a transaction, and their results.

use crate::Command;
use crate::Refusal;
use crate::provider_api::AttributeChange;
use crate::provider_api::CommandRequest;
use crate::provider_api::Mutation;
use crate::provider_api::Outcome;
use crate::provider_api::Receipt;

/// The most mutations of one transaction.
pub const MUTATIONS_MAX: usize = 100;

/// A command on one resource.
pub fn command(resource: &str, command: Command) -> Mutation {
    Mutation::Command(CommandRequest { resource: resource.to_owned(), command })
}

/// A new value of an attribute of a resource.
pub fn set_attribute(resource: &str, name: &str, value: &str) -> Mutation {
    let (resource, name, value) = (resource.to_owned(), name.to_owned(), value.to_owned());
    Mutation::SetAttribute(AttributeChange { resource, name, value })
}

/// The host returned an outcome of another kind than the query or the mutation has by the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnexpectedOutcome;

/// The result of a mutation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MutationResult<'a> {
    /// The mutation was applied.
    Applied(&'a Receipt),
    /// Its plan needs approval first: the id of the approval.
    Pending(&'a str),
    /// The rules refused it.
    Refused(&'a Refusal),
    /// It was not committed, because another mutation of the transaction was refused.
    Aborted,
}

impl<'a> TryFrom<&'a Outcome> for MutationResult<'a> {
    type Error = UnexpectedOutcome;

    fn try_from(outcome: &'a Outcome) -> Result<MutationResult<'a>, UnexpectedOutcome> {
        match outcome {
            Outcome::Applied(receipt) => Ok(MutationResult::Applied(receipt)),
            Outcome::Pending(approval) => Ok(MutationResult::Pending(approval)),
            Outcome::Refused(refusal) => Ok(MutationResult::Refused(refusal)),
            Outcome::Aborted => Ok(MutationResult::Aborted),
            Outcome::Resources(_)
            | Outcome::Orders(_)
            | Outcome::Balance(_)
            | Outcome::Proposal(_)
            | Outcome::Token(_) => Err(UnexpectedOutcome),
        }
    }
}

impl<'a> MutationResult<'a> {
    /// The orders that it created or refunded; none unless it was applied.
    pub fn orders(&self) -> &'a [String] {
        match self {
            MutationResult::Applied(receipt) => &receipt.orders,
            MutationResult::Pending(_) | MutationResult::Refused(_) | MutationResult::Aborted => &[],
        }
    }

    /// The refusal, if it was refused itself.
    pub fn refusal(&self) -> Option<&'a Refusal> {
        match self {
            MutationResult::Refused(refusal) => Some(refusal),
            MutationResult::Applied(_) | MutationResult::Pending(_) | MutationResult::Aborted => None,
        }
    }
}

/// The first refusal, with the index of its mutation.
pub fn first_refusal<'a>(results: &[MutationResult<'a>]) -> Option<(usize, &'a Refusal)> {
    let refusal = |(index, result): (usize, &MutationResult<'a>)| Some((index, result.refusal()?));
    results.iter().enumerate().find_map(refusal)
}

#[cfg(test)]
mod tests {
    use crate::Refusal;
    use crate::provider_api::Receipt;
    use crate::provider_api::mutation::MutationResult;
    use crate::provider_api::mutation::first_refusal;

    #[test]
    fn the_first_refusal_is_that_of_the_mutation_refused_itself() {
        let refusal = Refusal { code: "no".to_owned(), message: "no".to_owned() };
        let refused = MutationResult::Refused(&refusal);
        assert_eq!(first_refusal(&[MutationResult::Aborted, refused, refused]), Some((1, &refusal)));
        assert_eq!(first_refusal(&[MutationResult::Aborted, MutationResult::Pending("a-1")]), None);
    }

    #[test]
    fn only_an_applied_mutation_has_orders() {
        let receipt = Receipt { orders: vec!["o-1".to_owned()], cost: 1, refund: 0 };
        assert_eq!(MutationResult::Applied(&receipt).orders(), ["o-1"]);
        assert!(MutationResult::Pending("a-1").orders().is_empty());
    }
}
