//! A fake host: it answers queries, and carries out commands by the real rules.
//!
//! It remembers the client tokens of renewals, as the host does. It has no prices, and its balance pays for nothing: a switch
//! says in which way a plan fails because of money.

use std::collections::BTreeMap;

use plugin_baidu::Baidu;
use plugin_sdk::Account;
use plugin_sdk::Charging;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::OrderKind;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Rules;
use plugin_sdk::Scope;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::Calendar;
use plugin_sdk::provider_api::Balance;
use plugin_sdk::provider_api::CommandRequest;
use plugin_sdk::provider_api::Context;
use plugin_sdk::provider_api::Guest;
use plugin_sdk::provider_api::LastRenewal;
use plugin_sdk::provider_api::Mutation;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::OrderPage;
use plugin_sdk::provider_api::OrderRefund;
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

/// What a plan that costs money fails with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    Suffices,
    IsShort,
    NeedsApproval,
}

#[derive(Clone, Debug)]
pub struct World {
    pub at: Timestamp,
    pub settings: Vec<(String, String)>,
    pub resources: Vec<ResourceView>,
    pub money: Money,
    /// What the account can spend, in millionths.
    pub available: i64,
    tokens: BTreeMap<String, (String, Outcome)>,
    orders: u32,
    pub made: Vec<OrderView>,
    /// The transactions so far, for tests that check them.
    pub transactions: Vec<Transaction>,
}

pub fn instant(text: &str) -> Timestamp {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp()
}

/// A prepaid resource, bought for a month.
pub fn prepaid(kind: &str, id: &str, expires_at: &str) -> ResourceView {
    ResourceView {
        id: id.to_owned(),
        kind: kind.to_owned(),
        attached_to: None,
        region: "bj".to_owned(),
        charging: Charging::Prepaid,
        stage: Stage::Active,
        started_at: instant("2026-01-10T02:00:00Z"),
        expires_at: Some(instant(expires_at)),
        term: Some(Term { count: 1, unit: TermUnit::Month }),
        price: Some(50_000_000),
        on_expiry: OnExpiry::Lapse,
        renewals_left: None,
        renewal_term: None,
        attributes: Vec::new(),
        tags: Vec::new(),
        last_renewal: None,
    }
}

pub fn postpaid(kind: &str, id: &str) -> ResourceView {
    let prepaid = prepaid(kind, id, "2026-03-10T02:00:00Z");
    ResourceView { charging: Charging::Postpaid, expires_at: None, term: None, price: None, ..prepaid }
}

pub trait With: Sized {
    fn with(self, attribute: &str, value: &str) -> Self;
    fn tagged(self, key: &str, value: &str) -> Self;
    fn attached_to(self, id: &str) -> Self;
    fn stage(self, stage: Stage) -> Self;
    fn on_expiry(self, on_expiry: OnExpiry) -> Self;
}

impl With for ResourceView {
    fn with(mut self, attribute: &str, value: &str) -> ResourceView {
        self.attributes.push((attribute.to_owned(), value.to_owned()));
        self
    }

    fn tagged(mut self, key: &str, value: &str) -> ResourceView {
        self.tags.push((key.to_owned(), value.to_owned()));
        self
    }

    fn attached_to(self, id: &str) -> ResourceView {
        ResourceView { attached_to: Some(id.to_owned()), ..self }
    }

    fn stage(self, stage: Stage) -> ResourceView {
        ResourceView { stage, ..self }
    }

    fn on_expiry(self, on_expiry: OnExpiry) -> ResourceView {
        ResourceView { on_expiry, ..self }
    }
}

impl World {
    /// A world of these resources, on the first of March.
    pub fn of(resources: Vec<ResourceView>) -> World {
        World {
            at: instant("2026-03-01T00:00:00Z"),
            settings: Vec::new(),
            resources,
            money: Money::Suffices,
            available: 0,
            tokens: BTreeMap::new(),
            orders: 0,
            made: Vec::new(),
            transactions: Vec::new(),
        }
    }

    pub fn setting(mut self, name: &str, value: &str) -> World {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Answers a request, as the host does after it has verified the credentials.
    pub fn handle(&mut self, request: &Request) -> Response {
        let mut outcomes = Vec::new();
        let mut has_acted = false;
        for _ in 0..8 {
            let account = self.account();
            let context =
                Context { at: self.at, request: request.clone(), account, outcomes: outcomes.clone() };
            match Baidu::handle(context) {
                NextStep::Respond(response) => return response,
                NextStep::Query(queries) => {
                    outcomes.extend(queries.iter().map(|query| self.look(query)));
                }
                NextStep::Execute(transaction) => {
                    assert!(!has_acted, "a request acts once");
                    has_acted = true;
                    outcomes.extend(self.carry_out(&transaction));
                    self.transactions.push(transaction);
                }
            }
        }
        panic!("8 steps without an answer");
    }

    pub fn subject(&self, id: &str) -> &ResourceView {
        self.resources.iter().find(|subject| subject.id == id).unwrap()
    }

    fn account(&self) -> Account {
        Account { id: "account".to_owned(), settings: self.settings.clone() }
    }

    fn look(&self, query: &Query) -> Outcome {
        let selection = match query {
            Query::Resources(selection) => selection,
            Query::Proposal(instruction) => return Outcome::Proposal(self.proposal(instruction)),
            Query::Orders(selection) => {
                let is_wanted = |order: &&OrderView| {
                    selection.resources.contains(&order.resource)
                        && (selection.states.is_empty() || selection.states.contains(&order.state))
                };
                let orders = self.made.iter().filter(is_wanted).cloned().collect::<Vec<_>>();
                return Outcome::Orders(OrderPage { total: u32::try_from(orders.len()).unwrap(), orders });
            }
            Query::Balance => {
                let (currency, available) = ("CNY".to_owned(), self.available);
                return Outcome::Balance(Balance { currency, available, held: 5 });
            }
        };
        assert!(selection.ids.len() <= 1000 && (1..=1000).contains(&selection.limit), "{selection:?}");
        let found = self.resources.iter().filter(|subject| self.selects(selection, subject));
        let found = found.cloned().collect::<Vec<_>>();
        let total = u32::try_from(found.len()).unwrap();
        let page = found.into_iter().skip(selection.offset as usize).take(selection.limit as usize);
        Outcome::Resources(ResourcePage { total, resources: page.collect() })
    }

    fn selects(&self, selection: &ResourceFilter, subject: &ResourceView) -> bool {
        let is_named = |id: &String| selection.ids.contains(id);
        let by_id = selection.ids.is_empty()
            || is_named(&subject.id)
            || selection.with_attached && subject.attached_to.as_ref().is_some_and(is_named);
        let is_in_time = subject.expires_at.is_none_or(|at| {
            selection.expires_from.is_none_or(|from| at >= from)
                && selection.expires_until.is_none_or(|until| at <= until)
        });
        by_id
            && is_in_time
            && (selection.kinds.is_empty() || selection.kinds.contains(&subject.kind))
            && (selection.stages.is_empty() || selection.stages.contains(&subject.stage))
            && selection.charging.is_none_or(|charging| subject.charging == charging)
    }

    /// A dry run, of which only the refusal is known here.
    fn proposal(&self, instruction: &CommandRequest) -> Proposal {
        let refusal = match self.clone().obey(instruction) {
            Outcome::Refused(refusal) => Some(refusal),
            Outcome::Resources(_)
            | Outcome::Orders(_)
            | Outcome::Balance(_)
            | Outcome::Proposal(_)
            | Outcome::Applied(_)
            | Outcome::Pending(_)
            | Outcome::Aborted
            | Outcome::Token(_) => None,
        };
        Proposal { currency: "CNY".to_owned(), steps: Vec::new(), refusal }
    }

    fn carry_out(&mut self, transaction: &Transaction) -> Vec<Outcome> {
        assert!(transaction.mutations.len() <= 100, "{} mutations", transaction.mutations.len());
        let before = self.clone();
        let mut outcomes = Vec::new();
        for mutation in &transaction.mutations {
            let outcome = self.mutation(mutation, transaction.omit_orders);
            if let Outcome::Refused(_) = outcome {
                *self = before;
                let place = outcomes.len();
                let undone = |other: usize| if other == place { outcome.clone() } else { Outcome::Aborted };
                return (0..transaction.mutations.len()).map(undone).collect();
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    fn mutation(&mut self, mutation: &Mutation, omit_orders: bool) -> Outcome {
        match mutation {
            Mutation::Command(instruction) => self.command(instruction, omit_orders),
            Mutation::SetAttribute(change) => {
                let subject = self.resources.iter_mut().find(|subject| subject.id == change.resource);
                set(&mut subject.unwrap().attributes, &change.name, &change.value);
                Outcome::Applied(Receipt { orders: Vec::new(), cost: 0, refund: 0 })
            }
            Mutation::ChangeSettings(_) | Mutation::IssueToken(_) => panic!("{mutation:?} is not done here"),
        }
    }

    fn command(&mut self, instruction: &CommandRequest, omit_orders: bool) -> Outcome {
        let carry_out = |world: &mut World| {
            let mut outcome = world.obey(instruction);
            if let (true, Outcome::Applied(receipt)) = (omit_orders, &mut outcome) {
                receipt.orders.clear();
            }
            outcome
        };
        let Command::Renew(renewal) = &instruction.command else { return carry_out(self) };
        let Some((_, token)) = renewal.options.iter().find(|(name, _)| name == "clientToken") else {
            return carry_out(self);
        };
        let asked = format!("{instruction:?}");
        match self.tokens.get(token) {
            Some((known, outcome)) if *known == asked => outcome.clone(),
            Some(_) => Outcome::Refused(Refusal {
                code: "IdempotentParameterMismatch".to_owned(),
                message: "this clientToken was sent with other parameters".to_owned(),
            }),
            None => {
                let token = token.clone();
                let outcome = carry_out(self);
                self.tokens.insert(token, (asked, outcome.clone()));
                outcome
            }
        }
    }

    fn obey(&mut self, instruction: &CommandRequest) -> Outcome {
        let (bundle, places) = self.bundle(&instruction.resource);
        let resource = bundle.iter().position(|resource| resource.id == instruction.resource);
        let question = PlanRequest {
            at: self.at,
            command: instruction.command.clone(),
            member: u32::try_from(resource.unwrap()).unwrap(),
            bundle,
            orders: Vec::new(),
        };
        match Baidu::plan(&Baidu::settings(&self.settings), &question) {
            Err(refusal) => Outcome::Refused(refusal),
            Ok(plan) => self.pay(&plan, &places),
        }
    }

    fn pay(&mut self, plan: &Plan, places: &[usize]) -> Outcome {
        let costs = plan
            .steps
            .iter()
            .any(|step| matches!(step.operation, Operation::Extend(_) | Operation::Subscribe(_)));
        match self.money {
            Money::IsShort if costs => {
                use plugin_sdk::profile::Guest;
                return Outcome::Refused(Baidu::describe().insufficient_balance);
            }
            Money::NeedsApproval if costs => return Outcome::Pending("h-1".to_owned()),
            Money::Suffices | Money::IsShort | Money::NeedsApproval => {}
        }
        for step in &plan.steps {
            self.record_order(places[step.member as usize], &step.operation, plan.pay_until);
            if plan.pay_until.is_none() {
                self.apply(places[step.member as usize], &step.operation);
            }
        }
        self.orders += u32::from(costs);
        let orders = if costs { vec![format!("o-{}", self.orders)] } else { Vec::new() };
        Outcome::Applied(Receipt { orders, cost: 0, refund: 0 })
    }

    /// The order that a step pays for or ends, for those that ask for orders.
    fn record_order(&mut self, place: usize, operation: &Operation, pay_until: Option<i64>) {
        let (order_kind, refund) = match operation {
            Operation::Subscribe(_) => (OrderKind::Purchase, None),
            Operation::Convert(_) => {
                (OrderKind::Purchase, Some(OrderRefund { at: self.at, number: 1, amount: 0, fee: Some(0) }))
            }
            Operation::Extend(_)
            | Operation::SetOnExpiry(_)
            | Operation::SetAutoRenew(_)
            | Operation::EndSubscription(_)
            | Operation::Buy(_)
            | Operation::ChangeSpecification(_)
            | Operation::SetAttribute(..) => return,
        };
        let subject = &self.resources[place];
        self.made.push(OrderView {
            id: format!("{}/{order_kind:?}", subject.id),
            order_kind,
            state: if pay_until.is_some() { OrderState::AwaitingPayment } else { OrderState::Paid },
            resource: subject.id.clone(),
            kind: subject.kind.clone(),
            region: subject.region.clone(),
            starts_at: subject.started_at,
            ends_at: self.at,
            cost: 0,
            created_at: self.at,
            pay_until,
            paid_at: pay_until.is_none().then_some(self.at),
            reduces: None,
            refund,
        });
    }

    fn apply(&mut self, place: usize, operation: &Operation) {
        let at = self.at;
        let subject = &mut self.resources[place];
        match operation {
            Operation::Extend(extension) => {
                subject.last_renewal =
                    Some(LastRenewal { at, previous_expires_at: subject.expires_at.unwrap() });
                subject.expires_at = Some(extension.expires_at);
                subject.stage = Stage::Active;
            }
            Operation::SetOnExpiry(on_expiry) => subject.on_expiry = *on_expiry,
            Operation::SetAutoRenew(rule) => {
                subject.on_expiry = OnExpiry::Renew;
                subject.renewal_term = rule.term;
            }
            Operation::SetAttribute((name, value)) => set(&mut subject.attributes, name, value),
            Operation::EndSubscription(ending) => {
                assert_eq!((ending.scope, ending.expires_at), (Scope::Everything, None));
                (subject.stage, subject.on_expiry) = (Stage::Unsubscribed, OnExpiry::Lapse);
            }
            Operation::Convert(_) => {
                (subject.stage, subject.charging) = (Stage::Converted, Charging::Postpaid);
                (subject.expires_at, subject.term, subject.on_expiry) = (None, None, OnExpiry::Lapse);
            }
            Operation::Subscribe(subscription) => {
                (subject.stage, subject.charging) = (Stage::Active, Charging::Prepaid);
                (subject.expires_at, subject.term) = (Some(subscription.expires_at), Some(subscription.term));
            }
            Operation::Buy(_) | Operation::ChangeSpecification(_) => {
                panic!("{operation:?} is not asked here")
            }
        }
    }

    /// The bundle of a resource, and the indexes of its members in this world.
    fn bundle(&self, id: &str) -> (Vec<Resource>, Vec<usize>) {
        let primary = self.subject(id).attached_to.clone().unwrap_or(id.to_owned());
        let is_primary = |subject: &ResourceView| subject.id == primary;
        let is_attached = |subject: &ResourceView| subject.attached_to.as_ref() == Some(&primary);
        let mut places = (0..self.resources.len())
            .filter(|place| is_primary(&self.resources[*place]) || is_attached(&self.resources[*place]))
            .collect::<Vec<_>>();
        places.sort_by_key(|place| !is_primary(&self.resources[*place]));
        let member = |place: &usize| {
            let subject = &self.resources[*place];
            let waits = |order: &OrderView| {
                order.resource == subject.id && order.state == OrderState::AwaitingPayment
            };
            Resource { has_unpaid_order: self.made.iter().any(waits), ..resource(subject) }
        };
        (places.iter().map(member).collect(), places)
    }
}

fn resource(subject: &ResourceView) -> Resource {
    Resource {
        id: subject.id.clone().into(),
        kind: subject.kind.clone().into(),
        attached_to: subject.attached_to.as_ref().map(|_| 0),
        charging: subject.charging,
        stage: subject.stage,
        started_at: subject.started_at,
        expires_at: subject.expires_at,
        anchor_day: subject.expires_at.map(|at| Calendar::ahead_of_utc(480).day_of_month(at)),
        term: subject.term,
        on_expiry: subject.on_expiry,
        renewals_left: subject.renewals_left,
        renewal_term: subject.renewal_term,
        has_unpaid_order: false,
        attributes: subject
            .attributes
            .iter()
            .cloned()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
    }
}

fn set(attributes: &mut Vec<(String, String)>, name: &str, value: &str) {
    attributes.retain(|(known, _)| known != name);
    attributes.push((name.to_owned(), value.to_owned()));
}
