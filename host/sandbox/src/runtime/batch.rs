//! Many requests: divides them into batches and threads, and finds the requests that make a batch fail.
//!
//! Knows no plugin. A batch that fails as a whole is halved and asked again, until the request that it fails over
//! stands alone: its error is its own, and its neighbours have their answers. All batches are asked once before the
//! first half is, so that those in which nothing is wrong do not wait for the others.
//!
//! A plugin that fails over everything would be asked many times over in vain. So once the calls that failed have cost
//! more than they may, what failed before, as part of a larger batch, is not asked again and keeps that error; and if
//! the plugin has not answered anything at all until then, what was never asked gets the last error unasked. All of it
//! is retried later, like every failure.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use crate::runtime::call::Failure;
use crate::runtime::error::PluginError;

/// The answers to several requests, in their order; some may have failed.
pub type Answers<A> = Vec<Result<A, PluginError>>;

/// How requests are cut and how long failures are looked into.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// The most requests of one call.
    pub requests_max: usize,
    /// The most items that the requests of one call may have together, unless it is one request.
    pub items_max: usize,
    /// How many calls are made at once, if there are as many batches.
    pub threads: usize,
    /// What calls that failed may cost together.
    pub failing_fuel_max: u64,
}

/// Asks requests with `ask`, which gets a range of them and answers each or fails as a whole; `items` says how many
/// items each has. The answers are in the order of the requests.
pub(crate) fn ask_all<A: Send>(
    items: impl IntoIterator<Item = usize>,
    limits: BatchLimits,
    ask: impl Fn(Range<usize>) -> Result<Answers<A>, Failure> + Sync,
) -> Answers<A> {
    let batches = cut(items, limits).into_iter().map(|range| Part::new(range, None)).collect::<VecDeque<_>>();
    let threads = limits.threads.min(batches.len());
    let work = PartQueue::of(batches, limits.failing_fuel_max);
    let mut answered = std::thread::scope(|scope| {
        // This thread works too, so that one batch needs no other.
        let helpers = (1..threads).map(|_| scope.spawn(|| work.run(&ask))).collect::<Vec<_>>();
        let mut answered = work.run(&ask);
        for helper in helpers {
            answered.extend(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        answered
    });
    answered.sort_unstable_by_key(|(start, _)| *start);
    answered.into_iter().flat_map(|(_, answers)| answers).collect()
}

/// Cuts requests into calls, in order: each as long as it may be, and at least one request.
fn cut(items: impl IntoIterator<Item = usize>, limits: BatchLimits) -> Vec<Range<usize>> {
    let mut calls = Vec::<Range<usize>>::new();
    let mut items_of_call = 0_usize;
    for (place, items) in items.into_iter().enumerate() {
        items_of_call = items_of_call.saturating_add(items);
        match calls.last_mut() {
            Some(call) if call.len() < limits.requests_max && items_of_call <= limits.items_max => {
                call.end = place + 1;
            }
            Some(_) | None => {
                items_of_call = items;
                calls.push(place..place + 1);
            }
        }
    }
    calls
}

/// Answers, and the place of the request that the first of them is for.
type BatchAnswers<A> = (usize, Answers<A>);

/// Questions to be asked in one call.
struct Part {
    range: Range<usize>,
    /// The error of the larger part that this is a half of.
    failed: Option<PluginError>,
}

impl Part {
    fn new(range: Range<usize>, failed: Option<PluginError>) -> Part {
        Part { range, failed }
    }
}

/// What the threads of one request share.
struct PartQueue {
    waiting: Mutex<VecDeque<Part>>,
    answered: AtomicUsize,
    failed_fuel: AtomicU64,
    failing_fuel_max: u64,
    last_error: Mutex<Option<PluginError>>,
}

impl PartQueue {
    fn of(waiting: VecDeque<Part>, failing_fuel_max: u64) -> PartQueue {
        PartQueue {
            waiting: Mutex::new(waiting),
            answered: AtomicUsize::new(0),
            failed_fuel: AtomicU64::new(0),
            failing_fuel_max,
            last_error: Mutex::new(None),
        }
    }

    /// Works until no part waits. A thread that halves a part also processes the halves.
    fn run<A>(&self, ask: &impl Fn(Range<usize>) -> Result<Answers<A>, Failure>) -> Vec<BatchAnswers<A>> {
        let mut answered = Vec::new();
        while let Some(part) = self.next() {
            let (start, requests) = (part.range.start, part.range.len());
            let all = |error: PluginError| (start, (0..requests).map(|_| Err(error.clone())).collect());
            if let Some(error) = self.hopeless(&part) {
                answered.push(all(error));
                continue;
            }
            match ask(part.range.clone()) {
                Ok(answers) => {
                    self.answered.fetch_add(requests, Ordering::Relaxed);
                    answered.push((start, answers));
                }
                Err(failure) => {
                    self.count(&failure);
                    match requests {
                        1 => answered.push(all(failure.error)),
                        _ => self.halve(part.range, failure.error),
                    }
                }
            }
        }
        answered
    }

    /// The error of a part that is not worth asking about any more.
    fn hopeless(&self, part: &Part) -> Option<PluginError> {
        if self.failed_fuel.load(Ordering::Relaxed) <= self.failing_fuel_max {
            return None;
        }
        let never_answered = self.answered.load(Ordering::Relaxed) == 0;
        let error =
            part.failed.clone().or_else(|| lock(&self.last_error).clone().filter(|_| never_answered))?;
        Some(PluginError::Together(Box::new(error)))
    }

    fn count(&self, failure: &Failure) {
        self.failed_fuel.fetch_add(failure.fuel, Ordering::Relaxed);
        *lock(&self.last_error) = Some(failure.error.clone());
    }

    fn next(&self) -> Option<Part> {
        lock(&self.waiting).pop_front()
    }

    fn halve(&self, range: Range<usize>, error: PluginError) {
        let middle = range.start + range.len() / 2;
        let halves = [range.start..middle, middle..range.end];
        lock(&self.waiting).extend(halves.map(|half| Part::new(half, Some(error.clone()))));
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().expect("nobody panics while sharing work")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BatchLimits =
        BatchLimits { requests_max: 8, items_max: 20, threads: 4, failing_fuel_max: 1_000 };

    fn failure(reason: &str, fuel: u64) -> Failure {
        let error = PluginError::Crashed { plugin: "p".to_owned(), function: "f", reason: reason.to_owned() };
        Failure { error, fuel }
    }

    #[test]
    fn a_question_that_fails_a_batch_fails_alone() {
        let bad = [0, 9, 10, 63, 99];
        let ask = |range: Range<usize>| match range.clone().find(|place| bad.contains(place)) {
            Some(place) => Err(failure(&format!("over {place}"), 1)),
            None => Ok(range.map(Ok).collect()),
        };
        let answers = ask_all([1; 100], LIMITS, ask);
        assert_eq!(answers.len(), 100);
        for (place, answer) in answers.into_iter().enumerate() {
            match bad.contains(&place) {
                true => {
                    assert!(answer.as_ref().is_err_and(PluginError::is_alone));
                    assert_eq!(answer, Err(failure(&format!("over {place}"), 1).error));
                }
                false => assert_eq!(answer, Ok(place)),
            }
        }
    }

    #[test]
    fn a_plugin_that_fails_over_everything_is_given_up() {
        let calls = AtomicUsize::new(0);
        let ask = |_: Range<usize>| {
            calls.fetch_add(1, Ordering::Relaxed);
            Err::<Vec<Result<usize, _>>, _>(failure("always", 100))
        };
        let answers = ask_all([1; 100_000], LIMITS, ask);
        assert_eq!(answers.len(), 100_000);
        assert!(answers.iter().all(|answer| answer.as_ref().is_err_and(|error| !error.is_alone())));
        // Eleven calls cost more than 1,000; each thread may have begun one more.
        assert!(calls.into_inner() <= 11 + LIMITS.threads);
    }

    #[test]
    fn a_plugin_that_fails_dearly_over_some_keeps_the_batches_it_answers() {
        let ask = |range: Range<usize>| match range.start {
            0..8 => Ok(range.map(Ok).collect()),
            8..800 => Err(failure("dear", 10_000)),
            _ => Ok(range.map(Ok).collect()),
        };
        let answers = ask_all([1; 1_600], LIMITS, ask);
        let answered = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(answered, 1_600 - 792);
    }

    #[test]
    fn a_call_has_at_most_the_allowed_requests_and_items_but_never_none() {
        let calls = |items: &[usize]| cut(items.iter().copied(), LIMITS);
        assert_eq!(calls(&[1; 20]), [0..8, 8..16, 16..20]);
        assert_eq!(calls(&[10, 10, 1, 19, 21, 5]), [0..2, 2..4, 4..5, 5..6]);
        assert_eq!(calls(&[usize::MAX, usize::MAX]), [0..1, 1..2]);
        assert_eq!(calls(&[0; 9]), [0..8, 8..9]);
    }

    #[test]
    fn nothing_asked_is_nothing_answered() {
        let answers = ask_all([], LIMITS, |_| Err::<Vec<Result<(), _>>, _>(failure("never", 0)));
        assert!(answers.is_empty());
    }
}
