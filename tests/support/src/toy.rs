//! A small provider whose rules are native.
//!
//! A resource is tried two days and one day before its expiry (attribute `try_at`: that many seconds later), is in grace
//! at it and released three days after it. It is renewed along with everything attached to it that expires with it. With the
//! attribute `refuse` it is not renewed. With the attribute `restless`, something happens to it each second from nine days
//! before its expiry on. While the rules are down, or for a resource with the attribute `broken`, they give no usable answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use perennial_domain::account::Account;
use perennial_domain::answer_limits::WAKES_PER_HOUR_MAX;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::index::OrderIndex;
use perennial_domain::index::PackageIndex;
use perennial_domain::manifest::Idempotency;
use perennial_domain::manifest::Manifest;
use perennial_domain::manifest::PolicyRefusal;
use perennial_domain::micros::Micros;
use perennial_domain::order;
use perennial_domain::order::Order;
use perennial_domain::order::OrderKind;
use perennial_domain::plan;
use perennial_domain::plan::Adjustment;
use perennial_domain::plan::Cancellation;
use perennial_domain::plan::Command;
use perennial_domain::plan::Extension;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Plan;
use perennial_domain::plan::PurchaseDetails;
use perennial_domain::plan::Refund;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Scope;
use perennial_domain::plan::Specification;
use perennial_domain::plan::Step;
use perennial_domain::plan::Subscription;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timeline;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timeline::TimelineLimits;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::usage::Alert;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;

use perennial_engine::rules::Providers;
use perennial_engine::rules::Rules;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::PluginError;
use perennial_sandbox::TimelineRequest;

/// A day, in seconds.
const DAY: i64 = 86_400;

/// The rules, and a switch that takes them down.
#[derive(Clone)]
pub struct Toy {
    manifest: Manifest,
    /// While this is set, the rules give no usable answer.
    pub is_down: Arc<AtomicBool>,
    pub(crate) digest: String,
    /// How many days before its expiry everything leaves its stage.
    pub(crate) days_early: i64,
}

/// The rules, which answer whatever they are asked.
pub fn providers() -> Providers {
    Providers::from_iter([("toy".to_owned(), Arc::new(Toy::new()) as Arc<dyn Rules>)])
}

impl Toy {
    pub(crate) fn new() -> Toy {
        let refusal = |code: &str| Refusal { code: code.to_owned(), message: format!("no, {code}") };
        let manifest = Manifest {
            id: "toy".to_owned(),
            name: "Toy".to_owned(),
            kinds: BTreeMap::new(),
            settings: Vec::new(),
            notices: Vec::new(),
            reads: Vec::new(),
            utc_offset_minutes: 0,
            insufficient_balance: refusal("money"),
            unknown_resource: refusal("unknown"),
            unknown_resource_of: BTreeMap::new(),
            policy_denied: PolicyRefusal { refusal: refusal("denied"), code_setting: None },
            policy_deferred: PolicyRefusal { refusal: refusal("later"), code_setting: None },
            idempotency: Some(Idempotency {
                option_name: "token".to_owned(),
                valid_seconds: 100,
                mismatch: refusal("mismatch"),
            }),
        };
        Toy { manifest, is_down: Arc::default(), digest: "0123".to_owned(), days_early: 0 }
    }

    fn usable<A>(&self, bundle: Option<&Bundle>, answer: A) -> Result<A, PluginError> {
        let is_broken = |resource: &Resource| resource.attributes.contains_key("broken");
        if self.is_down.load(Ordering::Relaxed)
            || bundle.is_some_and(|bundle| bundle.members.iter().any(is_broken))
        {
            let reason = "out of order".to_owned();
            return Err(PluginError::Crashed { plugin: "toy".to_owned(), function: "f", reason });
        }
        Ok(answer)
    }
}

impl Rules for Toy {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn check_settings(&self, _: &BTreeMap<String, String>) -> Result<Vec<String>, PluginError> {
        self.usable(None, Vec::new())
    }

    fn timelines(
        &self,
        _: &[&Account],
        requests: &[TimelineRequest<'_>],
    ) -> Vec<Result<Vec<Occurrence>, PluginError>> {
        let answer = |request: &TimelineRequest<'_>| {
            let occurrences = foresee(request.bundle, request.after, self.days_early);
            let limits = TimelineLimits { notices: 0, wakes_per_hour_max: WAKES_PER_HOUR_MAX };
            timeline::check(request.bundle, request.after, &occurrences, limits).unwrap();
            self.usable(Some(request.bundle), occurrences)
        };
        requests.iter().map(answer).collect()
    }

    fn make_plans(
        &self,
        _: &[&Account],
        requests: &[PlanRequest<'_>],
    ) -> Vec<Result<PlanAnswer, PluginError>> {
        let answer = |question: &PlanRequest<'_>| {
            let answer = plan_of(question);
            if let Ok(plan) = &answer {
                let PlanRequest { command, bundle, member, orders, at, .. } = *question;
                plan::check(plan, command, bundle, member, orders, at).unwrap();
            }
            self.usable(Some(question.bundle), PlanAnswer { plan: answer, fuel: 0 })
        };
        requests.iter().map(answer).collect()
    }

    fn allocate(
        &self,
        _: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Vec<Result<Vec<Allocation>, PluginError>> {
        consumptions.iter().map(|(_, consumption)| self.usable(None, allocations(consumption))).collect()
    }
}

fn foresee(bundle: &Bundle, after: Timestamp, days_early: i64) -> Vec<Occurrence> {
    let mut occurrences = Vec::new();
    for (member, resource) in bundle.iter().filter(|(_, resource)| resource.is_live()) {
        let expires_at = resource.expires_at.unwrap() - days_early * DAY;
        let try_at: i64 = resource.attributes.get("try_at").map_or(0, |seconds| seconds.parse().unwrap());
        let leader = resource.attached_to.map(|leader| &bundle[leader]);
        let follows =
            leader.is_some_and(|leader| leader.is_live() && leader.expires_at == resource.expires_at);
        if resource.stage == Stage::Active && resource.on_expiry == OnExpiry::Renew && !follows {
            for days in [2, 1] {
                let at = expires_at - days * DAY + try_at;
                occurrences.push(Occurrence { at, member, action: Action::TryRenewal });
            }
        }
        let enter =
            |at: Timestamp, stage| Occurrence { at: at.max(after + 1), member, action: Action::Enter(stage) };
        if resource.stage == Stage::Active {
            occurrences.push(enter(expires_at, Stage::Grace));
        }
        occurrences.push(enter(expires_at + 3 * DAY, Stage::Released));
        if resource.attributes.contains_key("restless") {
            let action = |at: Timestamp| Action::SetAttribute("second".to_owned(), at.to_string());
            let seconds = (1..=50).map(|second| after.max(expires_at - 9 * DAY - 1) + second);
            occurrences.extend(seconds.map(|at| Occurrence { at, member, action: action(at) }));
        }
    }
    occurrences.retain(|occurrence| occurrence.at > after);
    occurrences.sort_by_key(|occurrence| occurrence.at);
    occurrences
}

fn plan_of(question: &PlanRequest<'_>) -> Result<Plan, Refusal> {
    let (at, bundle) = (question.at, question.bundle);
    let named = &bundle[question.member];
    let mut retry_now = None;
    let steps = match question.command {
        Command::Renew(_) if named.attributes.contains_key("refuse") || !named.is_live() => {
            return Err(Refusal { code: "no".to_owned(), message: "not this one".to_owned() });
        }
        Command::Renew(renewal) => {
            let goes_along = |(index, member): &(MemberIndex, &Resource)| {
                *index == question.member
                    || (question.member == MemberIndex::PRIMARY
                        && member.is_live()
                        && member.expires_at == named.expires_at)
            };
            let members = bundle.iter().filter(goes_along);
            members.map(|(index, member)| (index, extension(member, renewal.term))).collect()
        }
        Command::SetAutoRenew(auto) => {
            let soon = named.expires_at.is_some_and(|expires_at| expires_at - at < DAY);
            retry_now = soon.then_some(question.member);
            vec![(question.member, Operation::SetAutoRenew(*auto))]
        }
        Command::CancelAutoRenew => vec![(question.member, Operation::SetOnExpiry(OnExpiry::Lapse))],
        Command::Unsubscribe(scope) => vec![(question.member, ending(question, *scope))],
        Command::ConvertOnExpiry => vec![(question.member, Operation::SetOnExpiry(OnExpiry::Convert))],
        Command::CancelConversion => vec![(question.member, Operation::SetOnExpiry(OnExpiry::Lapse))],
        Command::ConvertNow => vec![(question.member, Operation::Convert(refunds(question, Scope::All)))],
        Command::Change(change) => {
            let present = named.price.unwrap_or_default();
            let order = question.orders.iter().position(|order| order.starts_at <= at && at < order.ends_at);
            let order = order.map(OrderIndex::new);
            let adjustment = Adjustment {
                starts_at: at,
                ends_at: named.expires_at.unwrap(),
                amount: change.price - present,
                order,
            };
            let specification = Specification {
                attributes: change.attributes.clone(),
                price: change.price,
                adjustments: vec![adjustment],
            };
            vec![(question.member, Operation::ChangeSpecification(specification))]
        }
        Command::Subscribe(subscribe) => {
            let subscription = Subscription {
                expires_at: at + 30 * DAY,
                term: subscribe.term.unwrap_or_else(|| Term::new(1, TermUnit::Month).unwrap()),
                extra_days: 0,
                anchor_day: at.day_of_month(0),
                price: subscribe.price.unwrap_or_default(),
            };
            vec![(question.member, Operation::Subscribe(subscription))]
        }
        Command::PayOrder(_) | Command::CancelOrder(_) => unreachable!("rules are not asked about orders"),
        Command::BuyAgain(purchase) => {
            let pay_at = purchase.pay_at.unwrap_or(at);
            let effective_at = purchase.effective_at.unwrap_or(pay_at);
            let (expires_at, anchor_day) = (effective_at + 30 * DAY, effective_at.day_of_month(0));
            let buying = PurchaseDetails { pay_at, effective_at, expires_at, anchor_day };
            vec![(question.member, Operation::Buy(buying))]
        }
    };
    let steps = steps.into_iter().map(|(member, operation)| Step { member, operation }).collect();
    let pays_later = question.command.options().is_some_and(|options| options.contains_key("later"));
    Ok(Plan { steps, skipped: Vec::new(), retry_now, pay_until: pays_later.then_some(at + 2 * DAY) })
}

/// An extension by `term` or the member's own; a term that is not of days lasts thirty of them.
fn extension(member: &Resource, term: Option<Term>) -> Operation {
    let term = term.or(member.term).unwrap();
    let days = if term.unit == TermUnit::Day { i64::from(term.count.get()) } else { 30 };
    let expires_at = member.expires_at.unwrap() + days * DAY;
    Operation::Extend(Extension { expires_at, term, extra_days: 0, anchor_day: None })
}

fn ending(question: &PlanRequest<'_>, scope: Scope) -> Operation {
    let refunds = refunds(question, scope);
    let starts = refunds.iter().map(|refund| question.orders[refund.order.get()].starts_at);
    let expires_at = match scope {
        Scope::All => None,
        Scope::Future => starts.min(),
    };
    Operation::EndSubscription(Cancellation { scope, expires_at, refunds })
}

/// All that was paid for the orders of the member that the command names, or for those that have not begun.
fn refunds(question: &PlanRequest<'_>, scope: Scope) -> Vec<Refund> {
    let own = question
        .orders
        .iter()
        .enumerate()
        .filter(|(_, order)| order.member == question.member && order.kind != OrderKind::Downgrade);
    let ended = own.filter(|(_, order)| scope == Scope::All || order.starts_at > question.at);
    let refund = |(order, paid): (usize, &Order)| Refund {
        order: OrderIndex::new(order),
        amount: order::paid_after_downgrades(paid, question.orders),
        fee: Micros::ZERO,
    };
    ended.map(refund).collect()
}

fn allocations(consumption: &Consumption) -> Vec<Allocation> {
    let mut left_to_cover = consumption.amount;
    let mut allocations = Vec::new();
    for (package, offer) in consumption.packages.iter().enumerate() {
        let amount = offer.package.left().min(left_to_cover);
        if amount > Micros::ZERO {
            left_to_cover -= amount;
            let alert = if amount == offer.package.left() { Alert::Depleted } else { Alert::None };
            allocations.push(Allocation { package: PackageIndex::new(package), amount, alert });
        }
    }
    allocations
}
