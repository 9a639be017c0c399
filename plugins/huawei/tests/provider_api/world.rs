//! A fake host with resources, orders and set answers to commands; requests to it, and the printing of their steps.

use std::collections::BTreeMap;

use plugin_huawei::Huawei;
use plugin_huawei::provider_api::instant::compact;
use plugin_sdk::Account;
use plugin_sdk::Charging;
use plugin_sdk::Command;
use plugin_sdk::Micros;
use plugin_sdk::OnExpiry;
use plugin_sdk::OrderKind;
use plugin_sdk::Refusal;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::Atomicity;
use plugin_sdk::provider_api::Balance;
use plugin_sdk::provider_api::CommandRequest;
use plugin_sdk::provider_api::Context;
use plugin_sdk::provider_api::Guest;
use plugin_sdk::provider_api::IssuedToken;
use plugin_sdk::provider_api::LastRenewal;
use plugin_sdk::provider_api::Mutation;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::OrderPage;
use plugin_sdk::provider_api::OrderState;
use plugin_sdk::provider_api::OrderView;
use plugin_sdk::provider_api::Outcome;
use plugin_sdk::provider_api::Proposal;
use plugin_sdk::provider_api::Query;
use plugin_sdk::provider_api::Receipt;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::ResourcePage;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::Response;
use plugin_sdk::provider_api::Transaction;
use plugin_sdk::provider_api::rfc3339::read_utc;

/// The present: 2026-03-01T00:00:00Z.
pub const NOW: Timestamp = 1_772_323_200;

/// The account of every request.
pub const ACCOUNT: &str = "acme";

/// A fake host.
#[derive(Default)]
pub struct Host {
    pub settings: Vec<(String, String)>,
    pub resources: Vec<ResourceView>,
    pub orders: Vec<OrderView>,
    /// The outcome of a command, by resource; by default it is applied, with the order `order-of-` and the resource's id.
    pub fates: BTreeMap<&'static str, Outcome>,
    /// The outcome of a change of settings.
    pub problem: Option<&'static str>,
    /// The outcome of a dry run.
    pub proposals: BTreeMap<&'static str, Proposal>,
    pub available: Micros,
}

/// A monthly server in Beijing, unless a test changes its fields.
pub fn subject(id: &str, kind: &str) -> ResourceView {
    ResourceView {
        id: id.to_owned(),
        kind: kind.to_owned(),
        attached_to: None,
        region: "cn-north-4".to_owned(),
        charging: Charging::Prepaid,
        stage: Stage::Active,
        started_at: at("2026-01-31T02:00:00Z"),
        expires_at: Some(at("2026-03-31T15:59:59Z")),
        term: Some(Term { count: 1, unit: TermUnit::Month }),
        price: Some(99_000_000),
        on_expiry: OnExpiry::Lapse,
        renewals_left: None,
        renewal_term: None,
        attributes: Vec::new(),
        tags: Vec::new(),
        last_renewal: None,
    }
}

pub fn attached(id: &str, kind: &str, to: &str) -> ResourceView {
    ResourceView { attached_to: Some(to.to_owned()), ..subject(id, kind) }
}

/// An order of a month for a resource, paid on 28 February.
pub fn order(id: &str, resource: &str, kind: &str) -> OrderView {
    OrderView {
        id: id.to_owned(),
        resource: resource.to_owned(),
        kind: kind.to_owned(),
        region: "cn-north-4".to_owned(),
        starts_at: at("2026-02-28T15:59:59Z"),
        ends_at: at("2026-03-31T15:59:59Z"),
        cost: 99_000_000,
        created_at: at("2026-02-20T19:00:00Z"),
        paid_at: Some(at("2026-02-20T19:00:00Z")),
        order_kind: OrderKind::Renewal,
        state: OrderState::Paid,
        pay_until: None,
        reduces: None,
        refund: None,
    }
}

pub fn at(text: &str) -> Timestamp {
    read_utc(text).unwrap()
}

pub fn refused(code: &str) -> Outcome {
    let known = plugin_huawei::refusals::ALL.iter().find(|known| known.code == code);
    let message = known.map_or("no", |known| known.message).to_owned();
    Outcome::Refused(Refusal { code: code.to_owned(), message })
}

/// A server with a disk and an address that has a bandwidth, and a disk of a server that is gone.
pub fn furnished() -> Host {
    let mut named = subject("ecs-1", "ecs");
    named.attributes = [
        ("name", "web \"1\""),
        ("spec", "s6.large.2.linux"),
        ("spec_desc", "2 vCPU | 4 GB"),
        ("product_id", "00301-1"),
        ("project_id", "p-1"),
        ("enterprise_project_id", "0"),
        ("enterprise_project_name", "default"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let mut disk = attached("evs-1", "evs", "ecs-1");
    disk.attributes = [("spec_size", "40.5"), ("spec_size_measure_id", "17")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    disk.tags = vec![("Name".to_owned(), "data".to_owned())];
    disk.on_expiry = OnExpiry::Renew;
    disk.last_renewal =
        Some(LastRenewal { at: at("2026-02-20T19:00:00Z"), previous_expires_at: at("2026-02-28T15:59:59Z") });
    let gone = ResourceView { stage: Stage::Released, ..subject("ecs-0", "ecs") };
    Host {
        resources: vec![
            named,
            disk,
            attached("eip-1", "eip", "ecs-1"),
            attached("bandwidth-1", "bandwidth", "eip-1"),
            gone,
            ResourceView { stage: Stage::Grace, ..attached("evs-0", "evs", "ecs-0") },
            ResourceView { stage: Stage::Retention, on_expiry: OnExpiry::Lapse, ..subject("rds-1", "rds") },
            ResourceView { charging: Charging::Postpaid, expires_at: None, ..subject("ecs-2", "ecs") },
        ],
        orders: vec![order("o-1", "ecs-1", "ecs"), order("o-1", "evs-1", "evs")],
        available: 1_234_567_890,
        ..Host::default()
    }
}

/// A request with a body, which may be empty, and a bearer token. `target` is a path, or a path, a question mark and a query.
pub fn request(method: &str, target: &str, body: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = [("host", "bss.example:8443"), ("content-type", "application/json"), ("x-auth-token", "t")];
    Request {
        id: "r-1".to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: body.as_bytes().to_vec(),
    }
}

impl Host {
    /// Every step of a request, one a line, and the response.
    pub fn talk(&self, request: &Request) -> String {
        let mut lines = String::new();
        let response = self.answer(request, |line| lines.push_str(&format!("→ {line}\n")));
        lines + &print(&response) + "\n"
    }

    /// The response to a request; `observe` gets every step before it.
    pub fn answer(&self, request: &Request, mut observe: impl FnMut(String)) -> Response {
        let mut outcomes = Vec::new();
        for _ in 0..8 {
            let account = Account { id: ACCOUNT.to_owned(), settings: self.settings.clone() };
            let context = Context { at: NOW, request: request.clone(), account, outcomes: outcomes.clone() };
            match Huawei::handle(context) {
                NextStep::Respond(response) => return response,
                NextStep::Query(queries) => {
                    queries.iter().for_each(|query| observe(print_query(query)));
                    outcomes.extend(queries.iter().map(|query| self.found(query)));
                }
                NextStep::Execute(transaction) => {
                    let replay = if transaction.reject_replay { "replay rejected" } else { "replay allowed" };
                    let atomicity = match transaction.atomicity {
                        Atomicity::Independent => "independent",
                        Atomicity::AllOrNothing => "all or nothing",
                    };
                    for mutation in &transaction.mutations {
                        observe(format!("{}; {atomicity}, {replay}", print_mutation(mutation)));
                    }
                    outcomes.extend(self.done(&transaction));
                }
            }
        }
        panic!("no answer after 8 steps");
    }

    fn found(&self, query: &Query) -> Outcome {
        match query {
            Query::Resources(selection) => Outcome::Resources(self.select(selection)),
            Query::Orders(selection) => {
                let fits = |order: &&OrderView| {
                    (selection.ids.is_empty() || selection.ids.contains(&order.id))
                        && (selection.resources.is_empty() || selection.resources.contains(&order.resource))
                        && (selection.states.is_empty() || selection.states.contains(&order.state))
                        && selection.refunded_at.is_none_or(|at| order.refund.is_some_and(|one| one.at == at))
                };
                let orders = self.orders.iter().filter(fits).cloned().collect::<Vec<_>>();
                Outcome::Orders(OrderPage { total: u32::try_from(orders.len()).unwrap(), orders })
            }
            Query::Balance => {
                Outcome::Balance(Balance { currency: "CNY".to_owned(), available: self.available, held: 5 })
            }
            Query::Proposal(instruction) => {
                Outcome::Proposal(self.proposals[instruction.resource.as_str()].clone())
            }
        }
    }

    fn select(&self, selection: &ResourceFilter) -> ResourcePage {
        let is_named = |id: &str| selection.ids.iter().any(|known| known == id);
        let is_under = |subject: &ResourceView| {
            let mut above = subject.attached_to.clone();
            while let Some(id) = above {
                if is_named(&id) {
                    return true;
                }
                above =
                    self.resources.iter().find(|one| one.id == id).and_then(|one| one.attached_to.clone());
            }
            false
        };
        let fits = |subject: &&ResourceView| {
            let named = selection.ids.is_empty()
                || is_named(&subject.id)
                || selection.with_attached && is_under(subject);
            named
                && !(selection.only_primaries && subject.attached_to.is_some())
                && (selection.kinds.is_empty() || selection.kinds.contains(&subject.kind))
                && (selection.stages.is_empty() || selection.stages.contains(&subject.stage))
                && selection.charging.is_none_or(|charging| charging == subject.charging)
                && selection.expires_from.is_none_or(|from| subject.expires_at.is_some_and(|at| at >= from))
                && selection
                    .expires_until
                    .is_none_or(|until| subject.expires_at.is_some_and(|at| at <= until))
        };
        let all = self.resources.iter().filter(fits).cloned().collect::<Vec<_>>();
        let total = u32::try_from(all.len()).unwrap();
        let page = all.into_iter().skip(selection.offset as usize).take(selection.limit as usize);
        ResourcePage { total, resources: page.collect() }
    }

    fn done(&self, transaction: &Transaction) -> Vec<Outcome> {
        let fates = transaction.mutations.iter().map(|mutation| self.fate(mutation)).collect::<Vec<_>>();
        let is_refused = |fate: &Outcome| matches!(fate, Outcome::Refused(_));
        if transaction.atomicity == Atomicity::AllOrNothing && fates.iter().any(is_refused) {
            return fates
                .into_iter()
                .map(|fate| if is_refused(&fate) { fate } else { Outcome::Aborted })
                .collect();
        }
        fates
    }

    fn fate(&self, mutation: &Mutation) -> Outcome {
        let done = |orders: Vec<String>| Outcome::Applied(Receipt { orders, cost: 0, refund: 0 });
        match mutation {
            Mutation::Command(instruction) => {
                let fate = self.fates.get(instruction.resource.as_str()).cloned();
                fate.unwrap_or_else(|| done(vec![format!("order-of-{}", instruction.resource)]))
            }
            Mutation::SetAttribute(_) => done(Vec::new()),
            Mutation::ChangeSettings(_) => match self.problem {
                Some(problem) => {
                    Outcome::Refused(Refusal { code: "x".to_owned(), message: problem.to_owned() })
                }
                None => done(Vec::new()),
            },
            Mutation::IssueToken(seconds) => Outcome::Token(IssuedToken {
                value: "MIIP-token".to_owned(),
                valid_until: NOW + Timestamp::from(*seconds),
            }),
        }
    }
}

fn print_query(query: &Query) -> String {
    match query {
        Query::Resources(one) => {
            let mut words = vec!["look up resources".to_owned()];
            let mut add = |is_there: bool, word: String| {
                if is_there {
                    words.push(word);
                }
            };
            add(!one.ids.is_empty(), format!("{:?}", one.ids));
            add(one.with_attached, "with attached".to_owned());
            add(one.only_primaries, "primaries only".to_owned());
            add(!one.kinds.is_empty(), format!("of {:?}", one.kinds));
            add(!one.stages.is_empty(), format!("in {:?}", one.stages));
            add(one.charging == Some(Charging::Prepaid), "prepaid".to_owned());
            add(one.expires_from.is_some(), format!("from {}", compact(one.expires_from.unwrap_or(0))));
            add(one.expires_until.is_some(), format!("until {}", compact(one.expires_until.unwrap_or(0))));
            add(true, format!("{}+{}", one.offset, one.limit));
            words.join(" ").replace("Stage::", "")
        }
        Query::Orders(one) => {
            let refunded =
                one.refunded_at.map(|at| format!(" refunded at {}", compact(at))).unwrap_or_default();
            format!("look up orders {:?} of {:?}{refunded} +{}", one.ids, one.resources, one.limit)
        }
        Query::Balance => "look up the balance".to_owned(),
        Query::Proposal(one) => format!("propose to {}", print_command(one)),
    }
}

fn print_mutation(mutation: &Mutation) -> String {
    match mutation {
        Mutation::Command(instruction) => print_command(instruction),
        Mutation::SetAttribute(change) => {
            format!("set {} of {} to {}", change.name, change.resource, change.value)
        }
        Mutation::ChangeSettings(settings) => format!("change settings {settings:?}"),
        Mutation::IssueToken(seconds) => format!("issue a token for {seconds} s"),
    }
}

fn print_command(instruction: &CommandRequest) -> String {
    let term = |term: Option<Term>| {
        term.map_or("its own term".to_owned(), |term| {
            format!("{} {:?}", term.count, term.unit).replace("TermUnit::", "")
        })
    };
    let command = match &instruction.command {
        Command::Renew(renewal) => format!("renew for {}", term(renewal.term)),
        Command::SetAutoRenew(wanted) => {
            format!("set auto-renew for {}, times {:?}", term(wanted.term), wanted.renewals)
        }
        Command::CancelAutoRenew => "cancel auto-renew".to_owned(),
        Command::Unsubscribe(scope) => format!("unsubscribe {scope:?}").replace("Scope::", ""),
        Command::ConvertOnExpiry => "convert on expiry".to_owned(),
        Command::CancelConversion => "cancel conversion".to_owned(),
        Command::ConvertNow => "convert now".to_owned(),
        Command::BuyAgain(_) => "buy again".to_owned(),
        Command::Change(change) => format!("change to {:?} at {}", change.attributes, change.price),
        Command::Subscribe(subscribe) => format!("subscribe for {:?}", subscribe.term),
        Command::PayOrder(order) => format!("pay {order}"),
        Command::CancelOrder(order) => format!("cancel {order}"),
    };
    format!("{}: {command}", instruction.resource)
}

/// Whether the response says that it is JSON, as the present API or the old one does.
pub fn is_json(response: &Response) -> bool {
    let of = |wanted: &str| response.headers.contains(&("content-type".to_owned(), wanted.to_owned()));
    of("application/json") || of("application/json;charset=UTF-8")
}

/// The status, the headers that not every response has, and the body.
pub fn print(response: &Response) -> String {
    let usual = [
        ("content-type", "application/json"),
        ("content-type", "application/json;charset=UTF-8"),
        ("x-request-id", "r-1"),
    ];
    let headers =
        response.headers.iter().filter(|(name, value)| !usual.contains(&(name.as_str(), value.as_str())));
    let headers = headers.map(|(name, value)| format!("{name}: {value} ")).collect::<String>();
    let body = String::from_utf8(response.body.clone()).unwrap();
    assert!(is_json(response), "{body}");
    assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok_and(|body| body.is_object()), "{body}");
    format!("{} {headers}{body}", response.status)
}
