//! Checks the answers of a plugin's provider API against the bounds of the contract.

use crate::answer_limits;
use crate::answer_limits::ATTRIBUTE_BYTES_MAX;
use crate::answer_limits::ATTRIBUTE_NAME_BYTES_MAX;
use crate::provider_api::Authentication;
use crate::provider_api::Credentials;
use crate::provider_api::DERIVATIONS_MAX;
use crate::provider_api::LIST_MAX;
use crate::provider_api::Mutation;
use crate::provider_api::NextStep;
use crate::provider_api::PAGE_MAX;
use crate::provider_api::Query;
use crate::provider_api::Response;
use crate::provider_api::TOKEN_SECONDS_MAX;

/// Checks that a signature's keys are derived before they are used.
///
/// # Errors
///
/// The first problem, in words.
pub fn check_authentication(authentication: &Authentication) -> Result<(), String> {
    let Credentials::Signature { signature, .. } = &authentication.credentials else { return Ok(()) };
    check_keys(signature.derivations.iter().map(|derivation| derivation.key), signature.key)
}

/// Checks that there are few derivations, and that each key is derived before it is used.
///
/// # Errors
///
/// The first problem, in words.
pub(crate) fn check_keys(
    derivations: impl ExactSizeIterator<Item = usize>,
    signs: usize,
) -> Result<(), String> {
    if derivations.len() > DERIVATIONS_MAX {
        return Err(format!(
            "a signature of {} derivations; there may be {DERIVATIONS_MAX}",
            derivations.len()
        ));
    }
    match derivations.chain([signs]).enumerate().find(|(made, key)| key > made) {
        Some((made, key)) => Err(format!("the key {key} where there are {} so far", made + 1)),
        None => Ok(()),
    }
}

/// Checks that a response can be sent.
///
/// # Errors
///
/// The first problem, in words.
pub fn check_response(response: &Response) -> Result<(), String> {
    if !(200..600).contains(&response.status) {
        return Err(format!("the status {}", response.status));
    }
    for (name, value) in &response.headers {
        let is_name = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        if !is_name {
            return Err(format!("the header name `{}`", name.escape_default()));
        }
        if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(format!("the header `{name}` with `{}`", value.escape_default()));
        }
        const HOSTS: [&str; 5] =
            ["connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"];
        if HOSTS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(format!("the header `{name}`, which the host adds"));
        }
    }
    Ok(())
}

/// Checks that a step is within its bounds.
///
/// # Errors
///
/// The first problem, in words.
pub fn check_step(step: &NextStep) -> Result<(), String> {
    match step {
        NextStep::Respond(response) => check_response(response),
        NextStep::Query(queries) => {
            check_count("queries", queries.len())?;
            queries.iter().try_for_each(check_query)
        }
        NextStep::Execute(transaction) => {
            check_count("mutations", transaction.mutations.len())?;
            transaction.mutations.iter().try_for_each(check_mutation)
        }
    }
}

fn check_count(what: &str, count: usize) -> Result<(), String> {
    match count {
        1..=LIST_MAX => Ok(()),
        count => Err(format!("{count} {what}; there may be 1 to {LIST_MAX}")),
    }
}

fn check_query(query: &Query) -> Result<(), String> {
    let (lists, limit) = match query {
        Query::Resources(selection) => ([selection.ids.len(), selection.kinds.len(), 0], selection.limit),
        Query::Orders(selection) => {
            let lists = [selection.ids.len(), selection.resources.len(), selection.kinds.len()];
            (lists, selection.limit)
        }
        Query::Balance | Query::Proposal(_) => return Ok(()),
    };
    let most = usize::try_from(PAGE_MAX).unwrap_or(usize::MAX);
    if limit > PAGE_MAX || lists.into_iter().any(|length| length > most) {
        return Err(format!("a selection of or by more than {PAGE_MAX}"));
    }
    Ok(())
}

fn check_mutation(mutation: &Mutation) -> Result<(), String> {
    match mutation {
        Mutation::IssueToken(seconds) if !(1..=TOKEN_SECONDS_MAX).contains(seconds) => {
            Err(format!("a token for {seconds} seconds; there may be 1 to {TOKEN_SECONDS_MAX}"))
        }
        Mutation::SetAttribute { name, value, .. } => {
            let name_problem =
                answer_limits::text_problem("an attribute with a name", name, ATTRIBUTE_NAME_BYTES_MAX);
            let value_problem =
                || answer_limits::text_problem("an attribute with a value", value, ATTRIBUTE_BYTES_MAX);
            name_problem.or_else(value_problem).map_or(Ok(()), Err)
        }
        Mutation::IssueToken(_) | Mutation::Command(_) | Mutation::ChangeSettings(_) => Ok(()),
    }
}
