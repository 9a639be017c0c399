//! Writes what rules answer into the flat lists of the contract.

use crate::Action;
use crate::Occurrence;
use crate::Operation;
use crate::Plan;
use crate::Refund;
use crate::Refusal;
use crate::SkippedMember;
use crate::Specification;
use crate::Step;
use crate::bindings::exports::perennial::provider::commands;
use crate::bindings::exports::perennial::provider::lifecycle;
use crate::bindings::exports::perennial::provider::types::Pair;

/// Occurrences that a timeline usually has at most.
const OCCURRENCES_USUAL: usize = 24;

/// How many items a list has, as the contract counts.
pub fn count<T>(list: &[T]) -> u32 {
    index(list.len())
}

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("a sandbox has no room for four thousand million items")
}

/// Adds a text to an answer's words.
fn word(words: &mut Vec<String>, text: String) -> u32 {
    words.push(text);
    index(words.len() - 1)
}

fn pair(words: &mut Vec<String>, (name, value): (String, String)) -> Pair {
    Pair { name: word(words, name), value: word(words, value) }
}

/// The timelines of a call while they grow.
pub struct TimelineWriter(lifecycle::Timelines);

impl TimelineWriter {
    /// Starts without an answer.
    pub(crate) fn for_requests(requests: usize) -> TimelineWriter {
        TimelineWriter(lifecycle::Timelines {
            words: Vec::new(),
            counts: Vec::with_capacity(requests),
            occurrences: Vec::with_capacity(requests * OCCURRENCES_USUAL),
        })
    }

    /// Adds the timeline of the next request.
    pub fn write(&mut self, timeline: Vec<Occurrence>) {
        let lifecycle::Timelines { words, counts, occurrences } = &mut self.0;
        counts.push(count(&timeline));
        occurrences.extend(timeline.into_iter().map(|Occurrence { at, member, action }| {
            let action = match action {
                Action::TryRenewal => lifecycle::Action::TryRenewal,
                Action::Enter(stage) => lifecycle::Action::Enter(stage),
                Action::Convert => lifecycle::Action::Convert,
                Action::SetAttribute(attribute) => lifecycle::Action::SetAttribute(pair(words, attribute)),
                Action::Refill => lifecycle::Action::Refill,
                Action::Notice(notice) => lifecycle::Action::Notice(notice),
            };
            lifecycle::Occurrence { at, member, action }
        }));
    }

    /// All that was written.
    pub fn finish(self) -> lifecycle::Timelines {
        self.0
    }
}

/// The plans of a call while they grow.
pub struct PlanWriter(commands::Plans);

impl PlanWriter {
    /// Starts without an answer.
    pub(crate) fn for_requests(requests: usize) -> PlanWriter {
        PlanWriter(commands::Plans {
            words: Vec::new(),
            answers: Vec::with_capacity(requests),
            steps: Vec::with_capacity(requests),
            skipped: Vec::new(),
            refunds: Vec::new(),
            adjustments: Vec::new(),
            attributes: Vec::new(),
        })
    }

    /// Adds the answer to the next request.
    pub fn write(&mut self, answer: Result<Plan, Refusal>) {
        let answer = match answer {
            Ok(plan) => Ok(self.plan(plan)),
            Err(refusal) => Err(self.refusal(refusal)),
        };
        self.0.answers.push(answer);
    }

    /// All that was written.
    pub fn finish(self) -> commands::Plans {
        self.0
    }

    fn plan(&mut self, plan: Plan) -> commands::Plan {
        let written = commands::Plan {
            steps: count(&plan.steps),
            skipped: count(&plan.skipped),
            retry_now: plan.retry_now,
            pay_until: plan.pay_until,
        };
        for Step { member, operation } in plan.steps {
            let operation = self.operation(operation);
            self.0.steps.push(commands::Step { member, operation });
        }
        for SkippedMember { member, reason } in plan.skipped {
            let reason = self.refusal(reason);
            self.0.skipped.push(commands::SkippedMember { member, reason });
        }
        written
    }

    fn refusal(&mut self, refusal: Refusal) -> commands::Refusal {
        let words = &mut self.0.words;
        commands::Refusal { code: word(words, refusal.code), message: word(words, refusal.message) }
    }

    fn operation(&mut self, operation: Operation) -> commands::Operation {
        match operation {
            Operation::Extend(extension) => commands::Operation::Extend(extension),
            Operation::SetOnExpiry(to) => commands::Operation::SetOnExpiry(to),
            Operation::SetAutoRenew(to) => commands::Operation::SetAutoRenew(to),
            Operation::EndSubscription(ending) => {
                commands::Operation::EndSubscription(commands::Cancellation {
                    scope: ending.scope,
                    expires_at: ending.expires_at,
                    refunds: self.refunds(ending.refunds),
                })
            }
            Operation::Convert(refunds) => commands::Operation::Convert(self.refunds(refunds)),
            Operation::Buy(details) => commands::Operation::Buy(details),
            Operation::ChangeSpecification(new) => {
                commands::Operation::ChangeSpecification(self.specification(new))
            }
            Operation::Subscribe(subscription) => commands::Operation::Subscribe(subscription),
            Operation::SetAttribute(attribute) => {
                commands::Operation::SetAttribute(pair(&mut self.0.words, attribute))
            }
        }
    }

    fn refunds(&mut self, refunds: Vec<Refund>) -> u32 {
        let written = count(&refunds);
        self.0.refunds.extend(refunds);
        written
    }

    fn specification(&mut self, new: Specification) -> commands::Specification {
        let commands::Plans { words, attributes, adjustments, .. } = &mut self.0;
        let written = commands::Specification {
            attributes: count(&new.attributes),
            price: new.price,
            adjustments: count(&new.adjustments),
        };
        attributes.extend(new.attributes.into_iter().map(|attribute| pair(words, attribute)));
        adjustments.extend(new.adjustments);
        written
    }
}
