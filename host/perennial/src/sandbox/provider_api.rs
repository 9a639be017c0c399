//! A plugin's answers about its provider's own API: domain values as the contract's records and back.
//!
//! The request is the client's and the answer is the plugin's; neither is trusted. What comes out was checked.

use std::collections::BTreeMap;

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Purchase;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;
use perennial_domain::provider_api;
use perennial_domain::provider_api::Atomicity;
use perennial_domain::provider_api::Authentication;
use perennial_domain::provider_api::CommandRequest;
use perennial_domain::provider_api::Context;
use perennial_domain::provider_api::Credentials;
use perennial_domain::provider_api::Derivation;
use perennial_domain::provider_api::Failure;
use perennial_domain::provider_api::KeyEncoding;
use perennial_domain::provider_api::Mutation;
use perennial_domain::provider_api::NextStep;
use perennial_domain::provider_api::OrderFilter;
use perennial_domain::provider_api::Outcome;
use perennial_domain::provider_api::PaidOrder;
use perennial_domain::provider_api::PricedStep;
use perennial_domain::provider_api::Query;
use perennial_domain::provider_api::Request;
use perennial_domain::provider_api::ResourceFilter;
use perennial_domain::provider_api::ResourceView;
use perennial_domain::provider_api::Response;
use perennial_domain::provider_api::Signature;
use perennial_domain::provider_api::Transaction;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;

use crate::sandbox::ask::StoreLimits;
use crate::sandbox::bindings::provider_api as wit;
use crate::sandbox::bindings::provider_api::ProviderWithApiPre;
use crate::sandbox::bindings::provider_api::commands;
use crate::sandbox::bindings::provider_api::types;
use crate::sandbox::decode;
use crate::sandbox::encode;
use crate::sandbox::encode::Lists;
use crate::sandbox::error::PluginError;
use crate::sandbox::plugin::Plugin;

/// Bytes of a request that count as one item of a question, when its fuel is measured out.
const ITEM_BYTES: usize = 1024;

/// A plugin that answers its provider's own API.
#[derive(Clone, Copy)]
pub struct ProviderApi<'a> {
    plugin: &'a Plugin,
    functions: &'a ProviderWithApiPre<StoreLimits>,
}

impl Plugin {
    /// Its answers about its provider's own API, if it has any.
    pub fn provider_api(&self) -> Option<ProviderApi<'_>> {
        Some(ProviderApi { plugin: self, functions: self.provider_api_functions()? })
    }
}

impl ProviderApi<'_> {
    /// Who says to have sent a request; or what it is answered.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] when the plugin gives no usable answer.
    pub fn identify(
        &self,
        at: Timestamp,
        request: &Request,
    ) -> Result<Result<Authentication, Response>, PluginError> {
        let headers = headers(request);
        let sent = sent(request, &headers);
        let answer =
            self.plugin.call_provider_api(self.functions, "identify", size(request), |store, provider| {
                provider.perennial_provider_provider_api().call_identify(store, at.as_second(), sent)
            })?;
        let received = match answer {
            Ok(answer) => authentication(answer).map(Ok),
            Err(answer) => response(answer).map(Err),
        };
        received.map_err(|problem| self.nonsense("identify", problem))
    }

    /// What is to be done next about a request.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] when the plugin gives no usable answer.
    pub fn handle(&self, context: &Context<'_>) -> Result<NextStep, PluginError> {
        let headers = headers(context.request);
        let settings = encode::pairs(&context.account.settings).collect::<Vec<_>>();
        let (attributes, tags) = (pairs_of(context, |it| &it.attributes), pairs_of(context, |it| &it.tags));
        let lists = OutcomeLists::of(context, &attributes, &tags);
        let outcomes = context.outcomes.iter().enumerate().map(|(place, one)| outcome(one, place, &lists));
        let outcomes = outcomes.collect::<Vec<_>>();
        let items = size(context.request) + context.outcomes.iter().map(items).sum::<usize>();
        let sent = wit::Context {
            at: context.at.as_second(),
            request: sent(context.request, &headers),
            account: wit::types::Account { id: &context.account.id, settings: &settings },
            outcomes: &outcomes,
        };
        let answer = self.plugin.call_provider_api(self.functions, "handle", items, |store, provider| {
            provider.perennial_provider_provider_api().call_handle(store, sent)
        })?;
        step(answer).map_err(|problem| self.nonsense("handle", problem))
    }

    /// What a request is answered when the host does not go on.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] when the plugin gives no usable answer.
    pub fn fail(&self, at: Timestamp, request: &Request, failure: Failure) -> Result<Response, PluginError> {
        let headers = headers(request);
        let sent = sent(request, &headers);
        let why = match failure {
            Failure::UnknownAccessKey => wit::Failure::UnknownAccessKey,
            Failure::WrongCredentials => wit::Failure::WrongCredentials,
            Failure::InvalidToken => wit::Failure::InvalidToken,
            Failure::Replayed => wit::Failure::Replayed,
            Failure::Malformed => wit::Failure::Malformed,
            Failure::TooLarge(bytes) => wit::Failure::TooLarge(bytes),
            Failure::TimedOut => wit::Failure::TimedOut,
            Failure::Busy(seconds) => wit::Failure::Busy(seconds),
            Failure::Internal => wit::Failure::Internal,
        };
        let answer =
            self.plugin.call_provider_api(self.functions, "fail", size(request), |store, provider| {
                provider.perennial_provider_provider_api().call_fail(store, at.as_second(), sent, why)
            })?;
        response(answer).map_err(|problem| self.nonsense("fail", problem))
    }

    fn nonsense(&self, function: &'static str, problem: String) -> PluginError {
        PluginError::Nonsense { plugin: self.plugin.manifest().id.clone(), function, problem }
    }
}

/// How much of an answer's fuel a request earns.
fn size(request: &Request) -> usize {
    let headers = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    (request.path.len() + request.query.len() + headers + request.body.len()) / ITEM_BYTES
}

fn items(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Resources { resources, .. } => resources.len(),
        Outcome::Orders(orders) => orders.len(),
        Outcome::Proposal { steps, .. } => steps.len(),
        Outcome::Balance { .. }
        | Outcome::Applied { .. }
        | Outcome::Pending(_)
        | Outcome::Refused(_)
        | Outcome::Aborted
        | Outcome::Token { .. } => 1,
    }
}

fn headers(request: &Request) -> Vec<(&str, &str)> {
    request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn sent<'a>(request: &'a Request, headers: &'a [(&'a str, &'a str)]) -> wit::Request<'a> {
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
fn pairs_of<'a>(
    context: &Context<'a>,
    of: impl Fn(&'a Resource) -> &'a BTreeMap<String, String>,
) -> Lists<(&'a str, &'a str)> {
    let mut pairs = Lists::new();
    for outcome in context.outcomes {
        if let Outcome::Resources { resources, .. } = outcome {
            for subject in resources {
                pairs.push(encode::pairs(of(&subject.resource)));
            }
        }
    }
    pairs
}

/// The lists in outcomes: one of each for each outcome, mostly empty.
struct OutcomeLists<'a> {
    subjects: Lists<wit::ResourceView<'a>>,
    orders: Lists<wit::PaidOrder<'a>>,
    steps: Lists<wit::PricedStep<'a>>,
    ids: Lists<&'a str>,
}

impl<'a> OutcomeLists<'a> {
    fn of(
        context: &Context<'a>,
        attributes: &'a Lists<(&'a str, &'a str)>,
        tags: &'a Lists<(&'a str, &'a str)>,
    ) -> OutcomeLists<'a> {
        let (subjects, orders, steps, ids) = (Lists::new(), Lists::new(), Lists::new(), Lists::new());
        let mut lists = OutcomeLists { subjects, orders, steps, ids };
        let mut place = 0..;
        for outcome in context.outcomes {
            let (mut found, mut paid, mut priced, mut made): (&[_], &[_], &[_], &[_]) = (&[], &[], &[], &[]);
            match outcome {
                Outcome::Resources { resources, .. } => found = resources,
                Outcome::Orders(orders) => paid = orders,
                Outcome::Proposal { steps, .. } => priced = steps,
                Outcome::Applied { orders, .. } => made = orders,
                Outcome::Balance { .. }
                | Outcome::Pending(_)
                | Outcome::Refused(_)
                | Outcome::Aborted
                | Outcome::Token { .. } => {}
            }
            let found = found.iter().zip(&mut place);
            lists
                .subjects
                .push(found.map(|(found, place)| subject(found, attributes.get(place), tags.get(place))));
            lists.orders.push(paid.iter().map(paid_order));
            lists.steps.push(priced.iter().map(priced_step));
            lists.ids.push(made.iter().map(String::as_str));
        }
        lists
    }
}

fn subject<'a>(
    subject: &'a ResourceView,
    attributes: &'a [(&'a str, &'a str)],
    tags: &'a [(&'a str, &'a str)],
) -> wit::ResourceView<'a> {
    let resource = &subject.resource;
    wit::ResourceView {
        id: &resource.id,
        kind: &resource.kind,
        attached_to: subject.attached_to.as_deref(),
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
        term: resource.term.map(sent_term),
        price: resource.price.map(Micros::as_micros),
        on_expiry: match resource.on_expiry {
            OnExpiry::Lapse => wit::OnExpiry::Lapse,
            OnExpiry::Renew => wit::OnExpiry::Renew,
            OnExpiry::Convert => wit::OnExpiry::Convert,
            OnExpiry::Release => wit::OnExpiry::Release,
        },
        renewals_left: resource.renewals_left,
        renewal_term: resource.renewal_term.map(sent_term),
        attributes,
        tags,
        last_renewal: subject.last_renewal.map(|renewed| wit::LastRenewal {
            at: renewed.at.as_second(),
            previous_expires_at: renewed.previous_expires_at.as_second(),
        }),
    }
}

fn sent_term(term: Term) -> wit::Term {
    let unit = match term.unit {
        TermUnit::Day => types::TermUnit::Day,
        TermUnit::Month => types::TermUnit::Month,
        TermUnit::Year => types::TermUnit::Year,
    };
    wit::Term { count: term.count.get(), unit }
}

fn paid_order(order: &PaidOrder) -> wit::PaidOrder<'_> {
    wit::PaidOrder {
        id: &order.id,
        resource: &order.resource,
        kind: &order.kind,
        region: &order.region,
        starts_at: order.starts_at.as_second(),
        ends_at: order.ends_at.as_second(),
        paid: order.paid.as_micros(),
        paid_at: order.paid_at.as_second(),
        is_renewal: order.is_renewal,
        refund: order
            .refund
            .map(|(at, amount)| wit::OrderRefund { at: at.as_second(), amount: amount.as_micros() }),
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

fn outcome<'a>(outcome: &'a Outcome, place: usize, lists: &'a OutcomeLists<'a>) -> wit::Outcome<'a> {
    match outcome {
        Outcome::Resources { total, .. } => {
            wit::Outcome::Resources(wit::ResourcePage { total: *total, resources: lists.subjects.get(place) })
        }
        Outcome::Orders(_) => wit::Outcome::Orders(lists.orders.get(place)),
        Outcome::Balance { currency, available, held } => wit::Outcome::Balance(wit::Balance {
            currency,
            available: available.as_micros(),
            held: held.as_micros(),
        }),
        Outcome::Proposal { currency, refusal, .. } => wit::Outcome::Proposal(wit::Proposal {
            currency,
            steps: lists.steps.get(place),
            refusal: refusal.as_ref().map(sent_refusal),
        }),
        Outcome::Applied { cost, refund, .. } => wit::Outcome::Applied(wit::Receipt {
            orders: lists.ids.get(place),
            cost: cost.as_micros(),
            refund: refund.as_micros(),
        }),
        Outcome::Pending(approval) => wit::Outcome::Pending(approval),
        Outcome::Refused(refusal) => wit::Outcome::Refused(sent_refusal(refusal)),
        Outcome::Aborted => wit::Outcome::Aborted,
        Outcome::Token { value, valid_until } => {
            wit::Outcome::Token(wit::IssuedToken { value, valid_until: valid_until.as_second() })
        }
    }
}

fn sent_refusal(refusal: &Refusal) -> wit::Refusal<'_> {
    wit::Refusal { code: &refusal.code, message: &refusal.message }
}

fn authentication(authentication: wit::Authentication) -> Result<Authentication, String> {
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

fn response(response: wit::Response) -> Result<Response, String> {
    let response = Response { status: response.status, headers: response.headers, body: response.body };
    provider_api::check_response(&response)?;
    Ok(response)
}

fn step(step: wit::NextStep) -> Result<NextStep, String> {
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
        }),
    };
    provider_api::check_step(&step)?;
    Ok(step)
}

fn query(query: wit::Query) -> Result<Query, String> {
    Ok(match query {
        wit::Query::Resources(wanted) => Query::Resources(ResourceFilter {
            ids: wanted.ids,
            with_attached: wanted.with_attached,
            only_primaries: wanted.only_primaries,
            kinds: wanted.kinds,
            stages: wanted.stages.into_iter().map(stage).collect(),
            charging: wanted.charging.map(|charging| match charging {
                wit::Charging::Prepaid => Charging::Prepaid,
                wit::Charging::Postpaid => Charging::Postpaid,
            }),
            expires_from: wanted.expires_from.map(decode::timestamp).transpose()?,
            expires_until: wanted.expires_until.map(decode::timestamp).transpose()?,
            offset: wanted.offset,
            limit: wanted.limit,
        }),
        wit::Query::Orders(wanted) => Query::Orders(OrderFilter {
            ids: wanted.ids,
            resources: wanted.resources,
            refunded_at: wanted.refunded_at.map(decode::timestamp).transpose()?,
            limit: wanted.limit,
        }),
        wit::Query::Balance => Query::Balance,
        wit::Query::Proposal(wanted) => Query::Proposal(instruction(wanted)?),
    })
}

fn mutation(mutation: wit::Mutation) -> Result<Mutation, String> {
    Ok(match mutation {
        wit::Mutation::Command(wanted) => Mutation::Command(instruction(wanted)?),
        wit::Mutation::SetAttribute(change) => {
            Mutation::SetAttribute { resource: change.resource, name: change.name, value: change.value }
        }
        wit::Mutation::ChangeSettings(changes) => Mutation::ChangeSettings(changes),
        wit::Mutation::IssueToken(seconds) => Mutation::IssueToken(seconds),
    })
}

fn instruction(instruction: wit::CommandRequest) -> Result<CommandRequest, String> {
    let command = match instruction.command {
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
        commands::CommandResult::BuyAgain(purchase) => Command::BuyAgain(Purchase {
            pay_at: purchase.pay_at.map(decode::timestamp).transpose()?,
            effective_at: purchase.effective_at.map(decode::timestamp).transpose()?,
        }),
    };
    Ok(CommandRequest { resource: instruction.resource, command })
}

fn term(term: wit::Term) -> Result<Term, String> {
    let unit = match term.unit {
        types::TermUnit::Day => TermUnit::Day,
        types::TermUnit::Month => TermUnit::Month,
        types::TermUnit::Year => TermUnit::Year,
    };
    Term::new(term.count, unit).ok_or_else(|| format!("a term of 0 {}s is no time at all", unit.name()))
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
