//! What a connector answers, as domain values. Checks what the domain cannot hold; the rest is checked by the domain.

use perennial_domain::answer_limits;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Stage;
use perennial_domain::connector::Api;
use perennial_domain::connector::ApiIndex;
use perennial_domain::connector::Capabilities;
use perennial_domain::connector::CloudBalance;
use perennial_domain::connector::CloudOrder;
use perennial_domain::connector::CloudOrderState;
use perennial_domain::connector::CloudResource;
use perennial_domain::connector::Cursor;
use perennial_domain::connector::Decline;
use perennial_domain::connector::MutationLimit;
use perennial_domain::connector::MutationName;
use perennial_domain::connector::OrderPage;
use perennial_domain::connector::Outcome;
use perennial_domain::connector::QueryAnswer;
use perennial_domain::connector::QueryFailure;
use perennial_domain::connector::QueryFailureReason;
use perennial_domain::connector::Quote;
use perennial_domain::connector::Read;
use perennial_domain::connector::ResourcePage;
use perennial_domain::connector::SignatureEncoding;
use perennial_domain::connector::Signing;
use perennial_domain::connector::UnknownResource;
use perennial_domain::connector::UnsignedRequest;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Refusal;
use perennial_domain::provider_api::Derivation;
use perennial_domain::provider_api::KeyEncoding;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;

use crate::provider::bindings::connector as wit;
use crate::provider::bindings::connector::commands;
use crate::provider::bindings::connector::types;
use crate::provider::decode::place;
use crate::provider::decode::timestamp;

/// Why a record is no domain value.
type Problem = String;

pub(super) fn capabilities(described: wit::Capabilities) -> Capabilities {
    let api = |api: wit::Api| Api { name: api.name, calls: api.calls, seconds: api.seconds };
    let read = |read: wit::Read| Read {
        name: read.name,
        label: read.label,
        method: read.method,
        path: read.path,
        parameters: read.parameters,
    };
    Capabilities {
        hosts: described.hosts,
        apis: described.apis.into_iter().map(api).collect(),
        reads: described.reads.into_iter().map(read).collect(),
        mutations: described.mutations.into_iter().map(mutation_limit).collect(),
        find_targets_max: described.find_targets_max,
        changes: described.changes,
        quote_targets_max: described.quote_targets_max,
        balance: described.balance,
    }
}

fn mutation_limit(limit: wit::MutationLimit) -> MutationLimit {
    let mutation = match limit.mutation {
        wit::MutationName::Renew => MutationName::Renew,
        wit::MutationName::SetAutoRenew => MutationName::SetAutoRenew,
        wit::MutationName::CancelAutoRenew => MutationName::CancelAutoRenew,
        wit::MutationName::Unsubscribe => MutationName::Unsubscribe,
        wit::MutationName::ConvertOnExpiry => MutationName::ConvertOnExpiry,
        wit::MutationName::CancelConversion => MutationName::CancelConversion,
        wit::MutationName::PayOrder => MutationName::PayOrder,
        wit::MutationName::CancelOrder => MutationName::CancelOrder,
    };
    let wit::MutationLimit { targets_max, same_kind, same_region, takes_client_token, is_shown, .. } = limit;
    MutationLimit { mutation, targets_max, same_kind, same_region, takes_client_token, is_shown }
}

pub(super) fn request(request: wit::UnsignedRequest) -> UnsignedRequest {
    let derivation = |made: wit::Derivation| Derivation {
        key: place(made.key),
        prefix: made.prefix,
        message: made.message,
        encoding: match made.encoding {
            wit::KeyEncoding::Bytes => KeyEncoding::Bytes,
            wit::KeyEncoding::Hexadecimal => KeyEncoding::Hexadecimal,
        },
    };
    let signing = request.signing;
    UnsignedRequest {
        api: ApiIndex::new(place(request.api)),
        method: request.method,
        host: request.host,
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: request.body,
        signing: Signing {
            derivations: signing.derivations.into_iter().map(derivation).collect(),
            key: place(signing.key),
            message: signing.message,
            encoding: match signing.encoding {
                wit::SignatureEncoding::Hexadecimal => SignatureEncoding::Hexadecimal,
                wit::SignatureEncoding::Base64 => SignatureEncoding::Base64,
            },
            header: signing.header,
            prefix: signing.prefix,
            suffix: signing.suffix,
        },
    }
}

pub(super) fn refusal(refusal: types::Refusal) -> Result<Refusal, Problem> {
    let refusal = Refusal { code: refusal.code, message: answer_limits::shorten(refusal.message) };
    answer_limits::refusal_problem(&refusal).map_or(Ok(refusal), Err)
}

pub(super) fn query_failure(failure: wit::QueryFailure) -> Result<QueryFailure, Problem> {
    let reason = match failure.reason {
        wit::QueryFailureReason::Credentials => QueryFailureReason::Credentials,
        wit::QueryFailureReason::Permission => QueryFailureReason::Permission,
        wit::QueryFailureReason::Throttled => QueryFailureReason::Throttled,
        wit::QueryFailureReason::Provider => QueryFailureReason::Provider,
        wit::QueryFailureReason::Refused => QueryFailureReason::Refused,
        wit::QueryFailureReason::Unreadable => QueryFailureReason::Unreadable,
    };
    Ok(QueryFailure { reason, refusal: refusal(failure.refusal)?, retry_after: failure.retry_after })
}

pub(super) fn answer(answer: wit::QueryAnswer) -> Result<QueryAnswer, Problem> {
    match answer {
        wit::QueryAnswer::Resources(page) => Ok(QueryAnswer::Resources(ResourcePage {
            resources: page.resources.into_iter().map(resource).collect::<Result<_, _>>()?,
            unknown: page.unknown.into_iter().map(unknown_resource).collect::<Result<_, _>>()?,
            total: page.total,
            next: page.next.map(Cursor),
        })),
        wit::QueryAnswer::Orders(page) => Ok(QueryAnswer::Orders(OrderPage {
            orders: page.orders.into_iter().map(order).collect::<Result<_, _>>()?,
            next: page.next.map(Cursor),
        })),
        wit::QueryAnswer::Quotes(quotes) => {
            let quote = |quote: wit::Quote| Quote {
                resource: quote.resource,
                amount: Micros::new(quote.amount),
                currency: quote.currency,
            };
            Ok(QueryAnswer::Quotes(quotes.into_iter().map(quote).collect()))
        }
        wit::QueryAnswer::Balance(balance) => Ok(QueryAnswer::Balance(CloudBalance {
            currency: balance.currency,
            available: Micros::new(balance.available),
        })),
    }
}

fn resource(resource: wit::CloudResource) -> Result<CloudResource, Problem> {
    let about = |problem: Problem| format!("`{}`: {problem}", resource.id.escape_debug());
    Ok(CloudResource {
        started_at: instant(resource.started_at).map_err(about)?,
        expires_at: instant(resource.expires_at).map_err(about)?,
        term: resource.term.map(term).transpose().map_err(about)?,
        renewal_term: resource.renewal_term.map(term).transpose().map_err(about)?,
        id: resource.id,
        kind: resource.kind,
        name: resource.name,
        attached_to: resource.attached_to,
        region: resource.region,
        charging: match resource.charging {
            types::Charging::Prepaid => Charging::Prepaid,
            types::Charging::Postpaid => Charging::Postpaid,
        },
        stage: match resource.stage {
            types::Stage::Active => Stage::Active,
            types::Stage::Grace => Stage::Grace,
            types::Stage::Retention => Stage::Retention,
            types::Stage::Released => Stage::Released,
            types::Stage::Unsubscribed => Stage::Unsubscribed,
            types::Stage::Converted => Stage::Converted,
        },
        on_expiry: resource.on_expiry.map(|on_expiry| match on_expiry {
            types::OnExpiry::Lapse => OnExpiry::Lapse,
            types::OnExpiry::Renew => OnExpiry::Renew,
            types::OnExpiry::Convert => OnExpiry::Convert,
            types::OnExpiry::Release => OnExpiry::Release,
        }),
        renewals_left: resource.renewals_left,
        price: resource.price.map(Micros::new),
        has_unpaid_order: resource.has_unpaid_order,
        attributes: resource.attributes.into_iter().collect(),
        tags: resource.tags.into_iter().collect(),
    })
}

fn unknown_resource(unknown: wit::UnknownResource) -> Result<UnknownResource, Problem> {
    let expires_at = instant(unknown.expires_at)?;
    Ok(UnknownResource { id: unknown.id, kind: unknown.kind, expires_at })
}

fn order(order: wit::CloudOrder) -> Result<CloudOrder, Problem> {
    Ok(CloudOrder {
        created_at: instant(order.created_at)?,
        id: order.id,
        state: match order.state {
            wit::CloudOrderState::Unpaid => CloudOrderState::Unpaid,
            wit::CloudOrderState::InProgress => CloudOrderState::InProgress,
            wit::CloudOrderState::Completed => CloudOrderState::Completed,
            wit::CloudOrderState::Cancelled => CloudOrderState::Cancelled,
        },
        kind: order.kind.map(|kind| match kind {
            commands::OrderKind::Purchase => OrderKind::Purchase,
            commands::OrderKind::Renewal => OrderKind::Renewal,
            commands::OrderKind::Upgrade => OrderKind::Upgrade,
            commands::OrderKind::Downgrade => OrderKind::Downgrade,
        }),
        resources: order.resources,
        amount: order.amount.map(Micros::new),
        currency: order.currency,
        is_automatic: order.automatic,
    })
}

pub(super) fn outcome(outcome: wit::Outcome) -> Outcome {
    match outcome {
        wit::Outcome::Applied(receipt) => Outcome::Applied(receipt.orders),
        wit::Outcome::Submitted(receipt) => Outcome::Submitted(receipt.orders),
        wit::Outcome::Declined(decline) => Outcome::Declined(Decline {
            class: match decline.class {
                wit::DeclineClass::Money => DeclineClass::Money,
                wit::DeclineClass::Rule => DeclineClass::Rule,
                wit::DeclineClass::Throttled => DeclineClass::Throttled,
                wit::DeclineClass::Provider => DeclineClass::Provider,
            },
            refusal: Refusal {
                code: decline.refusal.code,
                message: answer_limits::shorten(decline.refusal.message),
            },
            retry_after: decline.retry_after,
            has_unpaid_order: decline.has_unpaid_order,
        }),
        wit::Outcome::InDoubt(reason) => Outcome::InDoubt(answer_limits::shorten(reason)),
    }
}

fn instant(seconds: Option<i64>) -> Result<Option<Timestamp>, Problem> {
    seconds.map(timestamp).transpose()
}

fn term(term: types::Term) -> Result<Term, Problem> {
    let unit = match term.unit {
        types::TermUnit::Day => TermUnit::Day,
        types::TermUnit::Month => TermUnit::Month,
        types::TermUnit::Year => TermUnit::Year,
    };
    Term::new(term.count, unit).ok_or_else(|| format!("a term of 0 {}s is no time at all", unit.name()))
}
