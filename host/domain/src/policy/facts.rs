//! What policies are told about a plan: its price, dates, members, and the money of its account.

use std::collections::BTreeMap;

use crate::account::Mode;
use crate::apply;
use crate::bundle::Resource;
use crate::index::AccountIndex;
use crate::index::MemberIndex;
use crate::index::PolicyIndex;
use crate::micros::Micros;
use crate::plan::Cause;
use crate::plan::Command;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::plan::Step;
use crate::policy::Amendment;
use crate::term::Term;
use crate::timestamp::Timestamp;

/// A month's budget of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What may be spent in a month.
    pub limit: Micros,
    /// What was paid for renewals and purchases since the provider's month began, less what was refunded in it.
    pub spent: Micros,
}

/// What policies are told about an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// The id of the account.
    pub id: String,
    /// The id of its provider.
    pub provider: String,
    /// The currency of its amounts.
    pub currency: String,
    /// The settings that the operator gave the account.
    pub settings: BTreeMap<String, String>,
    /// The provider's days, in minutes ahead of UTC.
    pub utc_offset_minutes: i16,
    /// What is available before its first plan.
    pub balance: Micros,
    /// `None` is an account without a budget.
    pub budget: Option<Budget>,
}

/// What extending one member costs at another term: `price` buys `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtensionPrice {
    /// The price of one `per`.
    pub price: Micros,
    /// The term that the price buys.
    pub per: Term,
    /// Days beyond the term, at a thirtieth of a month each.
    pub extra_days: u32,
}

/// The tries of a renewal that the provider makes for the period in question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// The first of the period, also when it has passed.
    pub first: Option<Timestamp>,
    /// The first one after the present.
    pub next: Option<Timestamp>,
    /// The last one at which the provider would still renew.
    pub last: Option<Timestamp>,
}

/// What policies are told about a plan. The members come with it: [`PlanFacts::members`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFacts {
    /// The plan's account, by its place among those that come with the request.
    pub account: AccountIndex,
    /// The name of the command.
    pub command: String,
    /// The clock or a command.
    pub cause: Cause,
    /// What the whole plan costs; `None` when nobody knows.
    pub cost: Option<Micros>,
    /// What it gives back; `None` when nobody knows.
    pub refund: Option<Micros>,
    /// The instant of the decision.
    pub at: Timestamp,
    /// The provider's tries.
    pub tries: Tries,
    /// The term that is asked for; `None` where none is.
    pub term: Option<Term>,
    /// The options that are asked for; `None` where none are.
    pub options: Option<BTreeMap<String, String>>,
    /// The bundle, the primary first, and how often each was renewed. Never empty.
    pub members: Vec<(Resource, u32)>,
    /// The primary's expiry after the plan; `None` when the plan leaves it.
    pub expires_after: Option<Timestamp>,
    /// Who asks; `None` for the clock.
    pub requested_by: Option<String>,
    /// What a renewal would cost at another term; empty when the plan is none, or a price is not known.
    pub extensions: Vec<ExtensionPrice>,
    /// What the cloud asks for the whole plan at other terms.
    pub quotes: Vec<(Term, Micros)>,
    /// The policies to ask, by their places in the set, in the order of the chain.
    pub policies: Vec<PolicyIndex>,
    /// Whether the host holds the plan back for a reason of its own, whatever the policies rule.
    pub is_pending: bool,
}

impl PlanFacts {
    /// The facts of `plan`, which `command` asks for at `at`; `members` is its bundle with how often each was renewed.
    ///
    /// Who asks, the tries, quotes and policies are left open, and are the caller's to fill in.
    pub fn of_plan(
        account: AccountIndex,
        mode: Mode,
        command: &Command,
        plan: &Plan,
        members: Vec<(Resource, u32)>,
        at: Timestamp,
    ) -> PlanFacts {
        // What is ordered now and paid later is ruled on now.
        let cost = |step: &Step| {
            let paid_at =
                if let Operation::Buy(details) = &step.operation { details.pay_at.max(at) } else { at };
            apply::step_cost(&step.operation, &members[step.member.get()].0, paid_at)
        };
        let is_unquoted = apply::is_unquoted(plan, mode, |member| &members[member.get()].0);
        let steps = plan.steps.iter();
        let expires_after = steps
            .clone()
            .find(|step| step.member == MemberIndex::PRIMARY)
            .and_then(|step| expiry(&step.operation));
        let term = match command {
            Command::Renew(renewal) => {
                renewal.term.or_else(|| members[0].0.renewal_term.or(members[0].0.term))
            }
            Command::SetAutoRenew(auto_renewal) => auto_renewal.term,
            Command::Subscribe(subscribe) => subscribe.term,
            Command::CancelAutoRenew
            | Command::Unsubscribe(_)
            | Command::ConvertOnExpiry
            | Command::CancelConversion
            | Command::ConvertNow
            | Command::BuyAgain(_)
            | Command::Change(_)
            | Command::PayOrder(_)
            | Command::CancelOrder(_) => None,
        };
        let options = command.options().filter(|options| !options.is_empty()).cloned();
        PlanFacts {
            account,
            command: command.name().to_owned(),
            cause: command.cause(),
            cost: (!is_unquoted).then(|| steps.clone().map(cost).sum()),
            refund: Some(steps.clone().map(|step| apply::step_refund(&step.operation)).sum()),
            at,
            tries: Tries::default(),
            term,
            options,
            expires_after,
            requested_by: None,
            extensions: extension_prices(plan, &members),
            quotes: Vec::new(),
            policies: Vec::new(),
            is_pending: false,
            members,
        }
    }

    /// Whether `amendment` would leave the plan as it is.
    pub fn is_unchanged_by(&self, amendment: &Amendment) -> bool {
        let has_options = |options: &BTreeMap<String, String>| {
            self.options.as_ref().map_or(options.is_empty(), |present| present == options)
        };
        amendment.term.is_none_or(|term| self.term == Some(term))
            && amendment.options.as_ref().is_none_or(has_options)
    }
}

/// The expiry that an operation gives the member it is about.
fn expiry(operation: &Operation) -> Option<Timestamp> {
    match operation {
        Operation::Extend(extension) => Some(extension.expires_at),
        Operation::EndSubscription(cancellation) => cancellation.expires_at,
        Operation::Subscribe(subscription) => Some(subscription.expires_at),
        Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::Convert(_)
        | Operation::Buy(_)
        | Operation::ChangeSpecification(_)
        | Operation::SetAttribute(..) => None,
    }
}

/// The prices of everything that `plan` extends; empty when one of them is not known.
fn extension_prices(plan: &Plan, members: &[(Resource, u32)]) -> Vec<ExtensionPrice> {
    let extensions = plan.steps.iter().filter_map(|step| Some((step.member, step.operation.as_extend()?)));
    let prices = extensions.map(|(member, extension)| {
        let resource = &members[member.get()].0;
        let (price, per) = (resource.price?, resource.term?);
        Some(ExtensionPrice { price, per, extra_days: extension.extra_days })
    });
    prices.collect::<Option<Vec<_>>>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::OrderIndex;
    use crate::plan::Adjustment;
    use crate::plan::Cancellation;
    use crate::plan::Change;
    use crate::plan::Extension;
    use crate::plan::Refund;
    use crate::plan::Renewal;
    use crate::plan::Scope;
    use crate::plan::Specification;
    use crate::plan::Subscribe;
    use crate::plan::Subscription;
    use crate::sample::at;
    use crate::sample::attached;
    use crate::sample::money;
    use crate::sample::months;
    use crate::sample::resource;
    use crate::sample::years;

    fn facts(command: &Command, steps: Vec<Step>, members: Vec<(Resource, u32)>) -> PlanFacts {
        PlanFacts::of_plan(
            AccountIndex::new(0),
            Mode::Managed,
            command,
            &Plan::of(steps),
            members,
            at("2026-03-01"),
        )
    }

    fn extend(member: usize, term: Term) -> Step {
        let extension = Extension { expires_at: at("2026-04-10"), term, extra_days: 0, anchor_day: None };
        Step { member: MemberIndex::new(member), operation: Operation::Extend(extension) }
    }

    #[test]
    fn a_renewal_has_its_price_term_and_the_prices_of_its_members() {
        let command = Command::Renew(Renewal { term: None, cause: Cause::Auto, options: BTreeMap::new() });
        let members = || vec![(resource("a"), 2), (attached("b"), 0)];
        let facts = facts(&command, vec![extend(0, months(1)), extend(1, months(1))], members());
        assert_eq!((facts.cost, facts.refund), (Some(money("60")), Some(Micros::ZERO)));
        assert_eq!((facts.term, facts.options, facts.cause), (Some(months(1)), None, Cause::Auto));
        assert_eq!(facts.expires_after, Some(at("2026-04-10")));
        assert_eq!(facts.extensions.len(), 2);
        assert_eq!(facts.members[0].1, 2);
    }

    #[test]
    fn a_price_that_nobody_knows_leaves_no_prices_at_other_terms() {
        let command =
            Command::Renew(Renewal { term: Some(years(1)), cause: Cause::Command, options: BTreeMap::new() });
        let unpriced = Resource { price: None, ..attached("b") };
        let steps = vec![extend(0, years(1)), extend(1, years(1))];
        let facts = facts(&command, steps, vec![(resource("a"), 0), (unpriced, 0)]);
        assert_eq!((facts.extensions, facts.term), (Vec::new(), Some(years(1))));
    }

    #[test]
    fn what_a_cloud_quotes_no_price_of_costs_nobody_knows_what() {
        let command = Command::Renew(Renewal { term: None, cause: Cause::Auto, options: BTreeMap::new() });
        let cost = |mode, prices: [Option<&str>; 2]| {
            let mut members = vec![(resource("a"), 0), (attached("b"), 0)];
            for ((member, _), price) in members.iter_mut().zip(prices) {
                member.price = price.map(money);
            }
            let plan = Plan::of(vec![extend(0, months(1)), extend(1, months(1))]);
            PlanFacts::of_plan(AccountIndex::new(0), mode, &command, &plan, members, at("2026-03-01")).cost
        };
        assert_eq!(cost(Mode::Connected, [None, None]), None);
        assert_eq!(
            cost(Mode::Connected, [Some("50"), None]),
            Some(money("50")),
            "a bundle's price is its primary's"
        );
        assert_eq!(
            cost(Mode::Managed, [None, None]),
            Some(Micros::ZERO),
            "what this host keeps is free then"
        );
    }

    #[test]
    fn an_unsubscription_has_its_refunds() {
        let refunds = ["5", "7"]
            .map(|amount| Refund { order: OrderIndex::new(0), amount: money(amount), fee: Micros::ZERO })
            .to_vec();
        let ending = Cancellation { scope: Scope::All, expires_at: None, refunds };
        let step = Step { member: MemberIndex::PRIMARY, operation: Operation::EndSubscription(ending) };
        let facts = facts(&Command::Unsubscribe(Scope::All), vec![step], vec![(resource("a"), 0)]);
        assert_eq!((facts.cost, facts.refund), (Some(Micros::ZERO), Some(money("12"))));
        assert_eq!((facts.term, facts.expires_after), (None, None));
    }

    #[test]
    fn a_change_a_first_period_and_a_conversion_have_their_money() {
        let of = |command: Command, operation: Operation| {
            let step = Step { member: MemberIndex::PRIMARY, operation };
            facts(&command, vec![step], vec![(resource("a"), 0)])
        };
        let change = |amount: &str| {
            let options = BTreeMap::from([("is_auto_pay".to_owned(), "1".to_owned())]);
            let change = Change { attributes: BTreeMap::new(), price: money("60"), options };
            let (starts_at, ends_at) = (at("2026-03-01"), at("2026-03-10"));
            let amount = money(amount);
            let order = Some(OrderIndex::new(0));
            let adjustments = vec![Adjustment { starts_at, ends_at, amount, order }];
            let attributes = BTreeMap::new();
            let specification = Specification { attributes, price: money("60"), adjustments };
            of(Command::Change(change), Operation::ChangeSpecification(specification))
        };
        let (dearer, cheaper) = (change("9"), change("-4"));
        assert_eq!((dearer.cost, dearer.refund), (Some(money("9")), Some(Micros::ZERO)));
        assert_eq!((cheaper.cost, cheaper.refund), (Some(Micros::ZERO), Some(money("4"))));
        assert_eq!(dearer.options.unwrap()["is_auto_pay"], "1");
        let (expires_at, term, price) = (at("2026-04-01"), months(1), money("60"));
        let subscribe =
            Command::Subscribe(Subscribe { term: Some(term), price: None, options: BTreeMap::new() });
        let subscription = Subscription { expires_at, term, extra_days: 0, anchor_day: 1, price };
        let first = of(subscribe, Operation::Subscribe(subscription));
        assert_eq!(
            (first.cost, first.term, first.expires_after),
            (Some(price), Some(term), Some(expires_at))
        );
        let refund = Refund { order: OrderIndex::new(0), amount: money("7"), fee: Micros::ZERO };
        let converted = of(Command::ConvertNow, Operation::Convert(vec![refund]));
        assert_eq!((converted.cost, converted.refund), (Some(Micros::ZERO), Some(money("7"))));
    }
}
