//! Requests, outcomes and what they carry, as records of the contract. Borrows; copies no text.

use crate::provider::bindings::provider_api as wit;
use crate::provider::bindings::provider_api::types;
use crate::provider::encode;
use crate::provider::encode::Lists;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use perennial_domain::order::OrderState;
use perennial_domain::plan::Refusal;
use perennial_domain::provider_api::Context;
use perennial_domain::provider_api::OrderView;
use perennial_domain::provider_api::Outcome;
use perennial_domain::provider_api::PricedStep;
use perennial_domain::provider_api::Request;
use perennial_domain::provider_api::ResourceView;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use std::collections::BTreeMap;

/// Bytes of a request that count as one item of a question, when its fuel is measured out.
const ITEM_BYTES: usize = 1024;

/// The items that a request counts as when its fuel is measured out.
pub(super) fn size(request: &Request) -> usize {
    let headers = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    (request.path.len() + request.query.len() + headers + request.body.len()) / ITEM_BYTES
}

pub(super) fn items(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Resources { resources, .. } => resources.len(),
        Outcome::Orders { orders, .. } => orders.len(),
        Outcome::Proposal { steps, .. } => steps.len(),
        Outcome::Balance { .. }
        | Outcome::Applied { .. }
        | Outcome::Pending(_)
        | Outcome::Refused(_)
        | Outcome::Aborted
        | Outcome::Token { .. } => 1,
    }
}

pub(super) fn headers(request: &Request) -> Vec<(&str, &str)> {
    request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

pub(super) fn encode_request<'a>(
    request: &'a Request,
    headers: &'a [(&'a str, &'a str)],
) -> wit::Request<'a> {
    wit::Request {
        id: &request.id,
        method: &request.method,
        path: &request.path,
        query: &request.query,
        headers,
        body: &request.body,
    }
}

/// Attributes or tags of every resource that was found, one list each.
pub(super) fn pairs_of<'a>(
    context: &Context<'a>,
    of: impl Fn(&'a Resource) -> &'a BTreeMap<String, String>,
) -> Lists<(&'a str, &'a str)> {
    let mut pairs = Lists::new();
    for outcome in context.outcomes {
        if let Outcome::Resources { resources, .. } = outcome {
            for view in resources {
                pairs.push(encode::pairs(of(&view.resource)));
            }
        }
    }
    pairs
}

/// The lists in outcomes: one of each for each outcome, mostly empty.
pub(super) struct OutcomeLists<'a> {
    resources: Lists<wit::ResourceView<'a>>,
    orders: Lists<wit::OrderView<'a>>,
    steps: Lists<wit::PricedStep<'a>>,
    ids: Lists<&'a str>,
}

impl<'a> OutcomeLists<'a> {
    pub(super) fn of(
        context: &Context<'a>,
        attributes: &'a Lists<(&'a str, &'a str)>,
        tags: &'a Lists<(&'a str, &'a str)>,
    ) -> OutcomeLists<'a> {
        let (resources, orders, steps, ids) = (Lists::new(), Lists::new(), Lists::new(), Lists::new());
        let mut lists = OutcomeLists { resources, orders, steps, ids };
        let mut index = 0..;
        for outcome in context.outcomes {
            let (mut found, mut paid, mut priced, mut made): (&[_], &[_], &[_], &[_]) = (&[], &[], &[], &[]);
            match outcome {
                Outcome::Resources { resources, .. } => found = resources,
                Outcome::Orders { orders, .. } => paid = orders,
                Outcome::Proposal { steps, .. } => priced = steps,
                Outcome::Applied { orders, .. } => made = orders,
                Outcome::Balance { .. }
                | Outcome::Pending(_)
                | Outcome::Refused(_)
                | Outcome::Aborted
                | Outcome::Token { .. } => {}
            }
            let found = found.iter().zip(&mut index);
            lists.resources.push(
                found.map(|(found, index)| resource_view(found, attributes.get(index), tags.get(index))),
            );
            lists.orders.push(paid.iter().map(order_view));
            lists.steps.push(priced.iter().map(priced_step));
            lists.ids.push(made.iter().map(String::as_str));
        }
        lists
    }
}

fn resource_view<'a>(
    view: &'a ResourceView,
    attributes: &'a [(&'a str, &'a str)],
    tags: &'a [(&'a str, &'a str)],
) -> wit::ResourceView<'a> {
    let resource = &view.resource;
    wit::ResourceView {
        id: &resource.id,
        kind: &resource.kind,
        attached_to: view.attached_to.as_deref(),
        region: &resource.region,
        charging: match resource.charging {
            Charging::Prepaid => wit::Charging::Prepaid,
            Charging::Postpaid => wit::Charging::Postpaid,
        },
        stage: match resource.stage {
            Stage::Active => wit::Stage::Active,
            Stage::Grace => wit::Stage::Grace,
            Stage::Retention => wit::Stage::Retention,
            Stage::Released => wit::Stage::Released,
            Stage::Unsubscribed => wit::Stage::Unsubscribed,
            Stage::Converted => wit::Stage::Converted,
        },
        started_at: resource.started_at.as_second(),
        expires_at: resource.expires_at.map(Timestamp::as_second),
        term: resource.term.map(encode_term),
        price: resource.price.map(Micros::as_micros),
        on_expiry: match resource.on_expiry {
            OnExpiry::Lapse => wit::OnExpiry::Lapse,
            OnExpiry::Renew => wit::OnExpiry::Renew,
            OnExpiry::Convert => wit::OnExpiry::Convert,
            OnExpiry::Release => wit::OnExpiry::Release,
        },
        renewals_left: resource.renewals_left,
        renewal_term: resource.renewal_term.map(encode_term),
        attributes,
        tags,
        last_renewal: view.last_renewal.map(|renewed| wit::LastRenewal {
            at: renewed.at.as_second(),
            previous_expires_at: renewed.previous_expires_at.as_second(),
        }),
    }
}

fn encode_term(term: Term) -> wit::Term {
    let unit = match term.unit {
        TermUnit::Day => types::TermUnit::Day,
        TermUnit::Month => types::TermUnit::Month,
        TermUnit::Year => types::TermUnit::Year,
    };
    wit::Term { count: term.count.get(), unit }
}

fn order_view(order: &OrderView) -> wit::OrderView<'_> {
    wit::OrderView {
        id: &order.id,
        order_kind: match order.order_kind {
            OrderKind::Purchase => wit::OrderKind::Purchase,
            OrderKind::Renewal => wit::OrderKind::Renewal,
            OrderKind::Upgrade => wit::OrderKind::Upgrade,
            OrderKind::Downgrade => wit::OrderKind::Downgrade,
        },
        state: match order.state {
            OrderState::AwaitingPayment => wit::OrderState::AwaitingPayment,
            OrderState::Paid => wit::OrderState::Paid,
            OrderState::Cancelled => wit::OrderState::Cancelled,
            OrderState::Expired => wit::OrderState::Expired,
        },
        resource: &order.resource,
        kind: &order.kind,
        region: &order.region,
        starts_at: order.starts_at.as_second(),
        ends_at: order.ends_at.as_second(),
        cost: order.cost.as_micros(),
        created_at: order.created_at.as_second(),
        pay_until: order.pay_until.map(Timestamp::as_second),
        paid_at: order.paid_at.map(Timestamp::as_second),
        reduces: order.reduces.as_deref(),
        refund: order.refund.map(|refund| wit::OrderRefund {
            at: refund.at.as_second(),
            number: refund.number,
            amount: refund.amount.as_micros(),
            fee: refund.fee.map(Micros::as_micros),
        }),
    }
}

fn priced_step(step: &PricedStep) -> wit::PricedStep<'_> {
    wit::PricedStep {
        resource: &step.resource,
        cost: step.cost.as_micros(),
        refund: step.refund.as_micros(),
        expires_at: step.expires_at.map(Timestamp::as_second),
    }
}

pub(super) fn outcome<'a>(
    outcome: &'a Outcome,
    index: usize,
    lists: &'a OutcomeLists<'a>,
) -> wit::Outcome<'a> {
    match outcome {
        Outcome::Resources { total, .. } => wit::Outcome::Resources(wit::ResourcePage {
            total: *total,
            resources: lists.resources.get(index),
        }),
        Outcome::Orders { total, .. } => {
            wit::Outcome::Orders(wit::OrderPage { total: *total, orders: lists.orders.get(index) })
        }
        Outcome::Balance { currency, available, held } => wit::Outcome::Balance(wit::Balance {
            currency,
            available: available.as_micros(),
            held: held.as_micros(),
        }),
        Outcome::Proposal { currency, refusal, .. } => wit::Outcome::Proposal(wit::Proposal {
            currency,
            steps: lists.steps.get(index),
            refusal: refusal.as_ref().map(encode_refusal),
        }),
        Outcome::Applied { cost, refund, .. } => wit::Outcome::Applied(wit::Receipt {
            orders: lists.ids.get(index),
            cost: cost.as_micros(),
            refund: refund.as_micros(),
        }),
        Outcome::Pending(approval) => wit::Outcome::Pending(approval),
        Outcome::Refused(refusal) => wit::Outcome::Refused(encode_refusal(refusal)),
        Outcome::Aborted => wit::Outcome::Aborted,
        Outcome::Token { value, valid_until } => {
            wit::Outcome::Token(wit::IssuedToken { value, valid_until: valid_until.as_second() })
        }
    }
}

fn encode_refusal(refusal: &Refusal) -> wit::Refusal<'_> {
    wit::Refusal { code: &refusal.code, message: &refusal.message }
}
