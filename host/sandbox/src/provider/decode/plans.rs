//! Decodes plans: divides the lists of a call among its requests, and those of a plan among its steps.

use perennial_domain::index::OrderIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Adjustment;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cancellation;
use perennial_domain::plan::Extension;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Plan;
use perennial_domain::plan::PurchaseDetails;
use perennial_domain::plan::Refund;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Scope;
use perennial_domain::plan::SkippedMember;
use perennial_domain::plan::Specification;
use perennial_domain::plan::Step;
use perennial_domain::plan::Subscription;

use crate::provider::bindings::commands as wit;
use crate::provider::bindings::types::Pair;
use crate::provider::decode::Problem;
use crate::provider::decode::anchor_day;
use crate::provider::decode::lists::Items;
use crate::provider::decode::lists::Mismatch;
use crate::provider::decode::lists::Words;
use crate::provider::decode::lists::check_count;
use crate::provider::decode::member;
use crate::provider::decode::on_expiry;
use crate::provider::decode::place;
use crate::provider::decode::term;
use crate::provider::decode::timestamp;

/// What became of a request: a plan or the provider's refusal.
type PlanResult = Result<Plan, Refusal>;

/// The lists of an answer, as far as they are not read yet.
struct PlanLists {
    words: Words,
    steps: Items<wit::Step>,
    skipped: Items<wit::SkippedMember>,
    own: StepLists,
}

/// Those of them that belong to steps.
struct StepLists {
    refunds: Items<wit::Refund>,
    adjustments: Items<wit::Adjustment>,
    attributes: Items<Pair>,
}

/// What each command would do, in an answer that may say `max_bytes`.
pub fn plans(
    answer: wit::Plans,
    requests: usize,
    max_bytes: usize,
) -> Result<Vec<Result<PlanResult, Problem>>, Mismatch> {
    check_count(answer.answers.len(), requests)?;
    let mut lists = PlanLists {
        words: Words::of(answer.words, max_bytes),
        steps: Items::of("steps", answer.steps),
        skipped: Items::of("skipped", answer.skipped),
        own: StepLists {
            refunds: Items::of("refunds", answer.refunds),
            adjustments: Items::of("adjustments", answer.adjustments),
            attributes: Items::of("attributes", answer.attributes),
        },
    };
    let mut plans = Vec::with_capacity(requests);
    for answer in answer.answers {
        plans.push(match answer {
            Ok(plan) => lists.plan(plan)?.map(Ok),
            Err(refused) => refusal(&mut lists.words, refused).map(Err),
        });
    }
    lists.finish()?;
    Ok(plans)
}

impl PlanLists {
    /// A plan. What belongs to it is taken from the lists whatever is wrong with it, so that the next one's is next.
    fn plan(&mut self, plan: wit::Plan) -> Result<Result<Plan, Problem>, Mismatch> {
        let mut problem = None;
        let steps = self.steps.take(plan.steps)?;
        let mut decoded = Vec::with_capacity(steps.len());
        for one in steps {
            let own = self.own.own(&one.operation)?;
            match step(&mut self.words, one, own) {
                Ok(step) => decoded.push(step),
                Err(found) => problem = problem.or(Some(found)),
            }
        }
        let skipped = self.skipped.take(plan.skipped)?;
        let skipped = skipped.map(|one| {
            Ok(SkippedMember { member: member(one.member), reason: refusal(&mut self.words, one.reason)? })
        });
        // All of them are taken, whatever is wrong with one.
        let skipped = skipped.collect::<Vec<Result<_, Problem>>>();
        Ok(match problem {
            Some(problem) => Err(problem),
            None => finished(decoded, skipped, plan),
        })
    }

    fn finish(&self) -> Result<(), Mismatch> {
        self.steps.finish()?;
        self.skipped.finish()?;
        self.own.refunds.finish()?;
        self.own.adjustments.finish()?;
        self.own.attributes.finish()?;
        self.words.finish()
    }
}

fn finished(
    steps: Vec<Step>,
    skipped: Vec<Result<SkippedMember, Problem>>,
    plan: wit::Plan,
) -> Result<Plan, Problem> {
    Ok(Plan {
        steps,
        skipped: skipped.into_iter().collect::<Result<_, _>>()?,
        retry_now: plan.retry_now.map(member),
        pay_until: plan.pay_until.map(timestamp).transpose()?,
    })
}

/// The provider says no, in words of the answer.
fn refusal(words: &mut Words, refusal: wit::Refusal) -> Result<Refusal, Problem> {
    Ok(Refusal { code: words.text(refusal.code)?, message: words.text(refusal.message)? })
}

/// What of the lists belongs to one step.
struct OwnLists {
    refunds: Vec<Refund>,
    adjustments: Vec<wit::Adjustment>,
    attributes: Vec<Pair>,
}

impl StepLists {
    /// Takes what belongs to a step that does this.
    fn own(&mut self, operation: &wit::Operation) -> Result<OwnLists, Mismatch> {
        let (refunds, adjustments, attributes) = match operation {
            wit::Operation::EndSubscription(ending) => (ending.refunds, 0, 0),
            wit::Operation::Convert(refunds) => (*refunds, 0, 0),
            wit::Operation::ChangeSpecification(new) => (0, new.adjustments, new.attributes),
            wit::Operation::Extend(_)
            | wit::Operation::SetOnExpiry(_)
            | wit::Operation::SetAutoRenew(_)
            | wit::Operation::Buy(_)
            | wit::Operation::Subscribe(_)
            | wit::Operation::SetAttribute(_) => (0, 0, 0),
        };
        Ok(OwnLists {
            refunds: self.refunds.take(refunds)?.map(refund).collect(),
            adjustments: self.adjustments.take(adjustments)?.collect(),
            attributes: self.attributes.take(attributes)?.collect(),
        })
    }
}

fn step(words: &mut Words, step: wit::Step, own: OwnLists) -> Result<Step, Problem> {
    let operation = match step.operation {
        wit::Operation::Extend(extension) => Operation::Extend(Extension {
            expires_at: timestamp(extension.expires_at)?,
            term: term(extension.term)?,
            extra_days: extension.extra_days,
            anchor_day: extension.anchor_day.map(anchor_day).transpose()?,
        }),
        wit::Operation::SetOnExpiry(to) => Operation::SetOnExpiry(on_expiry(to)),
        wit::Operation::SetAutoRenew(to) => Operation::SetAutoRenew(AutoRenewal {
            term: to.term.map(term).transpose()?,
            renewals: to.renewals,
        }),
        wit::Operation::EndSubscription(ending) => {
            Operation::EndSubscription(cancellation(ending, own.refunds)?)
        }
        wit::Operation::Convert(_) => Operation::Convert(own.refunds),
        wit::Operation::ChangeSpecification(new) => Operation::ChangeSpecification(Specification {
            attributes: own.attributes.into_iter().map(|one| pair(words, one)).collect::<Result<_, _>>()?,
            price: Micros::new(new.price),
            adjustments: own.adjustments.into_iter().map(adjustment).collect::<Result<_, _>>()?,
        }),
        wit::Operation::Subscribe(subscription) => Operation::Subscribe(Subscription {
            expires_at: timestamp(subscription.expires_at)?,
            term: term(subscription.term)?,
            extra_days: subscription.extra_days,
            anchor_day: anchor_day(subscription.anchor_day)?,
            price: Micros::new(subscription.price),
        }),
        wit::Operation::Buy(details) => Operation::Buy(PurchaseDetails {
            pay_at: timestamp(details.pay_at)?,
            effective_at: timestamp(details.effective_at)?,
            expires_at: timestamp(details.expires_at)?,
            anchor_day: anchor_day(details.anchor_day)?,
        }),
        wit::Operation::SetAttribute(attribute) => {
            let (name, value) = pair(words, attribute)?;
            Operation::SetAttribute(name, value)
        }
    };
    Ok(Step { member: member(step.member), operation })
}

fn pair(words: &mut Words, pair: Pair) -> Result<(String, String), Problem> {
    Ok((words.text(pair.name)?, words.text(pair.value)?))
}

fn cancellation(ending: wit::Cancellation, refunds: Vec<Refund>) -> Result<Cancellation, Problem> {
    Ok(Cancellation {
        scope: match ending.scope {
            wit::Scope::Everything => Scope::All,
            wit::Scope::FuturePeriods => Scope::Future,
        },
        expires_at: ending.expires_at.map(timestamp).transpose()?,
        refunds,
    })
}

fn refund(refund: wit::Refund) -> Refund {
    Refund {
        order: OrderIndex::new(place(refund.order)),
        amount: Micros::new(refund.amount),
        fee: Micros::new(refund.fee),
    }
}

fn adjustment(adjustment: wit::Adjustment) -> Result<Adjustment, Problem> {
    Ok(Adjustment {
        starts_at: timestamp(adjustment.starts_at)?,
        ends_at: timestamp(adjustment.ends_at)?,
        amount: Micros::new(adjustment.amount),
        order: adjustment.order.map(|order| OrderIndex::new(place(order))),
    })
}
