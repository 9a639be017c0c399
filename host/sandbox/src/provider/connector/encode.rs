//! Questions to a connector, and responses that it reads, as records of the contract. Borrows; copies no text.

use perennial_domain::connector::CallContext;
use perennial_domain::connector::Change;
use perennial_domain::connector::Cursor;
use perennial_domain::connector::Mutation;
use perennial_domain::connector::Query;
use perennial_domain::connector::ReceivedResponse;
use perennial_domain::connector::Target;
use perennial_domain::plan::Scope;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;

use crate::provider::bindings::connector as wit;
use crate::provider::bindings::connector::commands;
use crate::provider::bindings::connector::types;
use crate::provider::encode::Lists;
use crate::provider::encode::pairs;

/// Bytes of a response that count as one item of a question, when its fuel is measured out.
const ITEM_BYTES: usize = 256;

/// The items that a response counts as when its fuel is measured out.
pub(super) fn size(response: &ReceivedResponse) -> usize {
    response.body.len() / ITEM_BYTES
}

pub(super) fn settings<'a>(context: &CallContext<'a>) -> Vec<(&'a str, &'a str)> {
    let own = perennial_domain::account_settings::of_provider(&context.account.settings);
    own.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

pub(super) fn context<'a>(
    context: &CallContext<'a>,
    settings: &'a [(&'a str, &'a str)],
) -> wit::CallContext<'a> {
    wit::CallContext {
        at: context.at.as_second(),
        account: wit::Account { id: &context.account.id, settings },
        access_key: context.access_key,
        endpoint: context.endpoint,
    }
}

pub(super) fn headers(response: &ReceivedResponse) -> Vec<(&str, &str)> {
    response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

pub(super) fn response<'a>(
    response: &'a ReceivedResponse,
    headers: &'a [(&'a str, &'a str)],
) -> wit::ReceivedResponse<'a> {
    wit::ReceivedResponse { status: response.status, headers, body: &response.body }
}

/// Targets with their attributes, which records borrow.
pub(super) struct TargetLists<'a> {
    targets: &'a [Target],
    attributes: Lists<(&'a str, &'a str)>,
}

impl<'a> TargetLists<'a> {
    pub(super) fn of(targets: &'a [Target]) -> TargetLists<'a> {
        let mut attributes = Lists::new();
        for target in targets {
            attributes.push(pairs(&target.attributes));
        }
        TargetLists { targets, attributes }
    }

    pub(super) fn records(&self) -> Vec<wit::Target<'_>> {
        let record = |(place, target): (usize, &'a Target)| wit::Target {
            id: &target.id,
            kind: &target.kind,
            region: &target.region,
            expires_at: target.expires_at.map(|at| at.as_second()),
            attached_to: target.attached_to.as_deref(),
            attributes: self.attributes.get(place),
        };
        self.targets.iter().enumerate().map(record).collect()
    }
}

/// The resources that a query names.
pub(super) fn targets_of(query: &Query) -> &[Target] {
    match query {
        Query::List { .. } | Query::Changes { .. } | Query::Balance => &[],
        Query::Find { targets, .. } | Query::Quote { targets, .. } => targets,
        Query::Orders(orders) => orders.target.as_slice(),
    }
}

/// The orders that a query names.
pub(super) fn orders_of(query: &Query) -> Vec<&str> {
    match query {
        Query::Orders(orders) => orders.orders.iter().map(String::as_str).collect(),
        Query::List { .. }
        | Query::Find { .. }
        | Query::Changes { .. }
        | Query::Quote { .. }
        | Query::Balance => Vec::new(),
    }
}

pub(super) fn query<'a>(
    query: &'a Query,
    targets: &'a [wit::Target<'a>],
    orders: &'a [&'a str],
) -> wit::Query<'a> {
    match query {
        Query::List { cursor: from, expires_until } => wit::Query::List(wit::ListQuery {
            cursor: cursor(from.as_ref()),
            expires_until: expires_until.map(|at| at.as_second()),
        }),
        Query::Find { cursor: from, .. } => {
            wit::Query::Find(wit::FindQuery { targets, cursor: cursor(from.as_ref()) })
        }
        Query::Changes { since, expires_until, cursor: from } => wit::Query::Changes(wit::ChangeQuery {
            since: since.as_second(),
            expires_until: expires_until.as_second(),
            cursor: cursor(from.as_ref()),
        }),
        Query::Orders(asked) => wit::Query::Orders(wit::OrderQuery {
            orders,
            target: targets.first().cloned(),
            created_from: asked.created_from.map(|at| at.as_second()),
            cursor: cursor(asked.cursor.as_ref()),
        }),
        Query::Quote { term: asked, .. } => {
            wit::Query::Quote(wit::QuoteQuery { targets, term: term(*asked) })
        }
        Query::Balance => wit::Query::Balance,
    }
}

fn cursor(cursor: Option<&Cursor>) -> Option<&str> {
    cursor.map(|cursor| cursor.0.as_str())
}

/// The options of a mutation; empty when it has none.
pub(super) fn options(mutation: &Mutation) -> Vec<(&str, &str)> {
    if let Change::Renew(renewal) = &mutation.change {
        return pairs(&renewal.options).collect();
    }
    Vec::new()
}

pub(super) fn mutation<'a>(
    mutation: &'a Mutation,
    (targets, along): (&'a [wit::Target<'a>], &'a [wit::Target<'a>]),
    options: &'a [(&'a str, &'a str)],
) -> wit::Mutation<'a> {
    let change = match &mutation.change {
        Change::Renew(renewal) => wit::Change::Renew(wit::CloudRenewal { term: term(renewal.term), options }),
        Change::SetAutoRenew(wanted) => wit::Change::SetAutoRenew(commands::AutoRenewal {
            term: wanted.term.map(term),
            renewals: wanted.renewals,
        }),
        Change::CancelAutoRenew => wit::Change::CancelAutoRenew,
        Change::Unsubscribe(Scope::All) => wit::Change::Unsubscribe(commands::Scope::Everything),
        Change::Unsubscribe(Scope::Future) => wit::Change::Unsubscribe(commands::Scope::FuturePeriods),
        Change::ConvertOnExpiry => wit::Change::ConvertOnExpiry,
        Change::CancelConversion => wit::Change::CancelConversion,
        Change::PayOrder(order) => wit::Change::PayOrder(order),
        Change::CancelOrder(order) => wit::Change::CancelOrder(order),
    };
    wit::Mutation { targets, along, change, client_token: &mutation.client_token }
}

fn term(term: Term) -> types::Term {
    let unit = match term.unit {
        TermUnit::Day => types::TermUnit::Day,
        TermUnit::Month => types::TermUnit::Month,
        TermUnit::Year => types::TermUnit::Year,
    };
    types::Term { count: term.count.get(), unit }
}
