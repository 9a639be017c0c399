//! Commands as mutations, and when a change is there already.
//!
//! Knows how a command is put to the host; not which one a request asks for.

use plugin_sdk::Command;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::provider_api::AttributeChange;
use plugin_sdk::provider_api::CommandRequest;
use plugin_sdk::provider_api::Mutation;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::ResourceView;

use crate::provider_api::answers;
use crate::provider_api::faults::Fault;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::request_context::TransactionResult;

/// A command for one resource.
pub fn command(resource: &str, command: Command) -> Mutation {
    Mutation::Command(CommandRequest { resource: resource.to_owned(), command })
}

/// A new value of an attribute.
pub fn attribute(resource: &str, name: &str, value: &str) -> Mutation {
    let (resource, name, value) = (resource.to_owned(), name.to_owned(), value.to_owned());
    Mutation::SetAttribute(AttributeChange { resource, name, value })
}

/// Whether what a request asks for is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is, to the last detail.
    Given,
    /// As far as the resource shows; the rules know better.
    Unclear,
    /// It is not.
    Missing,
}

/// Carries the mutations out and answers with nothing.
///
/// The host remembers the tokens of renewals only. For a change that a resource shows, the resource is the memory: what
/// came with a token and is there already was sent again, and is answered as it was before, without doing anything. A
/// signature that did something does nothing more, so that whoever sends it again once the change was taken back does not
/// bring it back.
///
/// # Errors
///
/// The provider's refusal of the first mutation that was refused; nothing was done then.
pub fn change(
    asked: &RequestContext,
    standing: Standing,
    mutations: Vec<Mutation>,
) -> Result<NextStep, Fault> {
    let has_token = asked.parameters.token()?.is_some();
    match (asked.transaction_result()?, standing) {
        (None, Standing::Given) if has_token => Ok(answers::empty(asked.id())),
        (None, Standing::Given | Standing::Unclear | Standing::Missing) => asked.carry_out(mutations, true),
        (Some(TransactionResult::Applied(_)), _) => Ok(answers::empty(asked.id())),
        (Some(TransactionResult::Refused(_)), Standing::Unclear) if has_token => {
            Ok(answers::empty(asked.id()))
        }
        (Some(TransactionResult::Refused(refusal)), _) => Err(Fault::from(refusal)),
    }
}

/// The months of the term that an automatic renewal has.
pub fn renewal_months(subject: &ResourceView) -> Option<u32> {
    subject.renewal_term.or(subject.term).and_then(months)
}

/// How many months a term is; `None` for days.
pub fn months(term: Term) -> Option<u32> {
    match term.unit {
        TermUnit::Day => None,
        TermUnit::Month => Some(term.count),
        TermUnit::Year => term.count.checked_mul(12),
    }
}
