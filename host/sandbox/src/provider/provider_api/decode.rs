//! Answers of a plugin's provider API as domain values. Checks each; the plugin is not trusted.

use crate::provider::bindings::provider_api as wit;
use crate::provider::bindings::provider_api::commands;
use crate::provider::bindings::provider_api::types;
use crate::provider::decode;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use perennial_domain::order::OrderState;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Change;
use perennial_domain::plan::Command;
use perennial_domain::plan::Purchase;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;
use perennial_domain::plan::Subscribe;
use perennial_domain::provider_api;
use perennial_domain::provider_api::Atomicity;
use perennial_domain::provider_api::Authentication;
use perennial_domain::provider_api::CommandRequest;
use perennial_domain::provider_api::Credentials;
use perennial_domain::provider_api::Derivation;
use perennial_domain::provider_api::KeyEncoding;
use perennial_domain::provider_api::Mutation;
use perennial_domain::provider_api::NextStep;
use perennial_domain::provider_api::OrderFilter;
use perennial_domain::provider_api::Query;
use perennial_domain::provider_api::ResourceFilter;
use perennial_domain::provider_api::Response;
use perennial_domain::provider_api::Signature;
use perennial_domain::provider_api::Transaction;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;

pub(super) fn authentication(authentication: wit::Authentication) -> Result<Authentication, String> {
    let credentials = match authentication.credentials {
        wit::Credentials::Signature(signed) => {
            Credentials::Signature { access_key: signed.access_key, signature: signature(signed.signature) }
        }
        wit::Credentials::Password(presented) => {
            Credentials::Password { access_key: presented.access_key, password: presented.password }
        }
        wit::Credentials::BearerToken(token) => Credentials::BearerToken(token),
    };
    let authentication =
        Authentication { credentials, valid_until: decode::timestamp(authentication.valid_until)? };
    provider_api::check_authentication(&authentication)?;
    Ok(authentication)
}

fn signature(signature: wit::Signature) -> Signature {
    let derivation = |made: wit::Derivation| Derivation {
        key: decode::place(made.key),
        prefix: made.prefix,
        message: made.message,
        encoding: match made.encoding {
            wit::KeyEncoding::Bytes => KeyEncoding::Bytes,
            wit::KeyEncoding::Hexadecimal => KeyEncoding::Hexadecimal,
        },
    };
    Signature {
        derivations: signature.derivations.into_iter().map(derivation).collect(),
        key: decode::place(signature.key),
        message: signature.message,
        value: signature.value,
    }
}

pub(super) fn response(response: wit::Response) -> Result<Response, String> {
    let response = Response { status: response.status, headers: response.headers, body: response.body };
    provider_api::check_response(&response)?;
    Ok(response)
}

pub(super) fn next_step(step: wit::NextStep) -> Result<NextStep, String> {
    let step = match step {
        wit::NextStep::Respond(answer) => NextStep::Respond(response(answer)?),
        wit::NextStep::Query(queries) => {
            NextStep::Query(queries.into_iter().map(query).collect::<Result<_, _>>()?)
        }
        wit::NextStep::Execute(transaction) => NextStep::Execute(Transaction {
            mutations: transaction.mutations.into_iter().map(mutation).collect::<Result<_, _>>()?,
            atomicity: match transaction.atomicity {
                wit::Atomicity::Independent => Atomicity::Independent,
                wit::Atomicity::AllOrNothing => Atomicity::AllOrNothing,
            },
            reject_replay: transaction.reject_replay,
            omit_orders: transaction.omit_orders,
        }),
    };
    provider_api::check_step(&step)?;
    Ok(step)
}

fn query(query: wit::Query) -> Result<Query, String> {
    Ok(match query {
        wit::Query::Resources(filter) => Query::Resources(ResourceFilter {
            ids: filter.ids,
            with_attached: filter.with_attached,
            only_primaries: filter.only_primaries,
            kinds: filter.kinds,
            stages: filter.stages.into_iter().map(stage).collect(),
            charging: filter.charging.map(|charging| match charging {
                wit::Charging::Prepaid => Charging::Prepaid,
                wit::Charging::Postpaid => Charging::Postpaid,
            }),
            expires_from: filter.expires_from.map(decode::timestamp).transpose()?,
            expires_until: filter.expires_until.map(decode::timestamp).transpose()?,
            offset: filter.offset,
            limit: filter.limit,
        }),
        wit::Query::Orders(filter) => Query::Orders(OrderFilter {
            ids: filter.ids,
            resources: filter.resources,
            refunded_at: filter.refunded_at.map(decode::timestamp).transpose()?,
            states: filter.states.into_iter().map(order_state).collect(),
            order_kinds: filter.order_kinds.into_iter().map(order_kind).collect(),
            kinds: filter.kinds,
            paid_from: filter.paid_from.map(decode::timestamp).transpose()?,
            paid_until: filter.paid_until.map(decode::timestamp).transpose()?,
            whole_orders: filter.whole_orders,
            created_from: filter.created_from.map(decode::timestamp).transpose()?,
            created_until: filter.created_until.map(decode::timestamp).transpose()?,
            offset: filter.offset,
            limit: filter.limit,
        }),
        wit::Query::Balance => Query::Balance,
        wit::Query::Proposal(request) => Query::Proposal(command_request(request)?),
    })
}

fn mutation(mutation: wit::Mutation) -> Result<Mutation, String> {
    Ok(match mutation {
        wit::Mutation::Command(request) => Mutation::Command(command_request(request)?),
        wit::Mutation::SetAttribute(change) => {
            Mutation::SetAttribute { resource: change.resource, name: change.name, value: change.value }
        }
        wit::Mutation::ChangeSettings(changes) => Mutation::ChangeSettings(changes),
        wit::Mutation::IssueToken(seconds) => Mutation::IssueToken(seconds),
    })
}

fn command_request(request: wit::CommandRequest) -> Result<CommandRequest, String> {
    let command = match request.command {
        commands::CommandResult::Renew(renewal) => Command::Renew(Renewal {
            term: renewal.term.map(term).transpose()?,
            // Whatever the plugin says: somebody asked.
            cause: Cause::Command,
            options: renewal.options.into_iter().collect(),
        }),
        commands::CommandResult::SetAutoRenew(auto) => Command::SetAutoRenew(AutoRenewal {
            term: auto.term.map(term).transpose()?,
            renewals: auto.renewals,
        }),
        commands::CommandResult::CancelAutoRenew => Command::CancelAutoRenew,
        commands::CommandResult::Unsubscribe(commands::Scope::Everything) => Command::Unsubscribe(Scope::All),
        commands::CommandResult::Unsubscribe(commands::Scope::FuturePeriods) => {
            Command::Unsubscribe(Scope::Future)
        }
        commands::CommandResult::ConvertOnExpiry => Command::ConvertOnExpiry,
        commands::CommandResult::CancelConversion => Command::CancelConversion,
        commands::CommandResult::ConvertNow => Command::ConvertNow,
        commands::CommandResult::Change(change) => Command::Change(Change {
            attributes: change.attributes.into_iter().collect(),
            price: Micros::new(change.price),
            options: change.options.into_iter().collect(),
        }),
        commands::CommandResult::Subscribe(subscribe) => Command::Subscribe(Subscribe {
            term: subscribe.term.map(term).transpose()?,
            price: subscribe.price.map(Micros::new),
            options: subscribe.options.into_iter().collect(),
        }),
        commands::CommandResult::PayOrder(order) => Command::PayOrder(order),
        commands::CommandResult::CancelOrder(order) => Command::CancelOrder(order),
        commands::CommandResult::BuyAgain(purchase) => Command::BuyAgain(Purchase {
            pay_at: purchase.pay_at.map(decode::timestamp).transpose()?,
            effective_at: purchase.effective_at.map(decode::timestamp).transpose()?,
        }),
    };
    Ok(CommandRequest { resource: request.resource, command })
}

fn term(term: wit::Term) -> Result<Term, String> {
    let unit = match term.unit {
        types::TermUnit::Day => TermUnit::Day,
        types::TermUnit::Month => TermUnit::Month,
        types::TermUnit::Year => TermUnit::Year,
    };
    Term::new(term.count, unit).ok_or_else(|| format!("a term of 0 {}s is no time at all", unit.name()))
}

fn order_kind(kind: wit::OrderKind) -> OrderKind {
    match kind {
        wit::OrderKind::Purchase => OrderKind::Purchase,
        wit::OrderKind::Renewal => OrderKind::Renewal,
        wit::OrderKind::Upgrade => OrderKind::Upgrade,
        wit::OrderKind::Downgrade => OrderKind::Downgrade,
    }
}

fn order_state(state: wit::OrderState) -> OrderState {
    match state {
        wit::OrderState::AwaitingPayment => OrderState::AwaitingPayment,
        wit::OrderState::Paid => OrderState::Paid,
        wit::OrderState::Cancelled => OrderState::Cancelled,
        wit::OrderState::Expired => OrderState::Expired,
    }
}

fn stage(stage: wit::Stage) -> Stage {
    match stage {
        wit::Stage::Active => Stage::Active,
        wit::Stage::Grace => Stage::Grace,
        wit::Stage::Retention => Stage::Retention,
        wit::Stage::Released => Stage::Released,
        wit::Stage::Unsubscribed => Stage::Unsubscribed,
        wit::Stage::Converted => Stage::Converted,
    }
}
