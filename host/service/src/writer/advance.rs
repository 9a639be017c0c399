//! Moving a virtual clock, stretch by stretch: between two of them everything before the clock is done, so others may write,
//! and a host that ends there goes on from there.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use perennial_domain::timestamp::Timestamp;
use perennial_engine::clock::Stopwatch;
use perennial_engine::persist::RecordedEvent;

use crate::error::ServiceError;
use crate::event_publisher::EventPublisher;
use crate::job_runner;
use crate::writer::ClockMode;
use crate::writer::Writer;
use crate::writer::WriterContext;

/// The furthest that a clock is moved at once, in seconds: ten years.
pub const ADVANCE_MAX: i64 = 10 * 366 * 86_400;
/// How long a stretch is in which something is due, in seconds.
const STRETCH: i64 = 86_400;
/// How long the thread moves a clock before others are let in, in seconds; a stretch is not broken off.
const TIME_SLICE: f64 = 0.1;

/// A virtual clock is on its way as long as this is there: nothing is sent meanwhile.
struct AdvanceGuard {
    advances: Arc<AtomicUsize>,
    publisher: EventPublisher,
}

impl AdvanceGuard {
    fn start(advances: &Arc<AtomicUsize>, publisher: &EventPublisher) -> AdvanceGuard {
        advances.fetch_add(1, Ordering::SeqCst);
        AdvanceGuard { advances: Arc::clone(advances), publisher: publisher.clone() }
    }
}

impl Drop for AdvanceGuard {
    fn drop(&mut self) {
        self.advances.fetch_sub(1, Ordering::SeqCst);
        self.publisher.wake();
    }
}

impl WriterContext {
    /// Moves a virtual clock to `to`: first runs the jobs to their end, then does everything that is due before `to`.
    ///
    /// # Errors
    ///
    /// [`ServiceError::RealTime`] on real time, [`ServiceError::ClockBackwards`] when `to` is in the past,
    /// [`ServiceError::ClockTooFar`] when it is more than [`ADVANCE_MAX`] ahead, [`ServiceError::StoppedMidway`] when the
    /// host stops before the clock is there.
    pub fn advance(&mut self, to: Timestamp) -> Result<(), ServiceError> {
        let _guard = AdvanceGuard::start(&self.advances, &self.publisher);
        while !self.advance_some(to, TIME_SLICE)? {}
        Ok(())
    }

    /// Moves it as far as it comes in so many seconds, and by one stretch at least; returns whether it is there.
    fn advance_some(&mut self, to: Timestamp, seconds: f64) -> Result<bool, ServiceError> {
        let mut now = self.check_advance(to)?;
        let slice = Stopwatch::start();
        while !self.is_stopping() && job_runner::run_slice(self) {}
        let publisher = self.publisher.clone();
        let publish = &mut |events: Vec<RecordedEvent>, _| publisher.publish(&events);
        self.engine.reschedule()?;
        self.engine.start_new(now, publish)?;
        loop {
            let next = self.engine.next_wake()?.map_or(to, |wake| wake.max(now));
            let end = to.min(next + STRETCH);
            self.engine.run_to(end - 1, publish)?;
            if self.is_stopping() {
                return Err(ServiceError::StoppedMidway { now });
            }
            self.set_now(end);
            now = end;
            if now != to && self.is_ending.load(Ordering::Relaxed) {
                return Err(ServiceError::StoppedMidway { now });
            }
            if now == to || slice.seconds() >= seconds {
                return Ok(now == to);
            }
        }
    }

    /// The present instant, if the clock can be moved from it to `to`.
    fn check_advance(&self, to: Timestamp) -> Result<Timestamp, ServiceError> {
        let ClockMode::Virtual(now) = self.time else {
            return Err(ServiceError::RealTime);
        };
        if to < now {
            return Err(ServiceError::ClockBackwards { now });
        }
        if to - now > ADVANCE_MAX {
            return Err(ServiceError::ClockTooFar { now, latest: now + ADVANCE_MAX });
        }
        Ok(now)
    }
}

impl Writer {
    /// Has no clock moved on any further than it comes today, because the host ends once its requests are answered.
    pub(crate) fn stop_advancing(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }

    /// Moves a virtual clock to `to`, as [`WriterContext::advance`] does, and lets other tasks in on the way. It goes on even if
    /// the caller stops waiting.
    ///
    /// # Errors
    ///
    /// Those of [`WriterContext::advance`] and of [`Writer::call`].
    pub async fn advance(&self, to: Timestamp) -> Result<(), ServiceError> {
        let writer = self.clone();
        let moved = tokio::spawn(async move {
            let _guard = AdvanceGuard::start(&writer.advances, &writer.publisher);
            while !writer.call(move |context| context.advance_some(to, TIME_SLICE)).await? {}
            Ok(())
        });
        moved.await.unwrap_or(Err(ServiceError::Stopping))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::tests::context;
    use perennial_test_support::world::World;
    use perennial_test_support::world::at;
    use perennial_test_support::world::renewing;

    #[test]
    fn between_two_stretches_everything_before_the_clock_is_done() {
        let mut context = context();
        let bundles = vec![vec![renewing("r-1", "2026-04-01")], vec![renewing("r-2", "2026-06-15")]];
        context.engine =
            World::account("2026-03-07", "30", bundles).engine.with_stop_flag(Arc::clone(&context.stop));
        let mut stops = Vec::new();
        while !context.advance_some(at("2026-12-01"), 0.0).unwrap() {
            let next = context.engine.next_wake().unwrap();
            assert!(next.is_none_or(|next| next >= context.now()), "{next:?} is before {}", context.now());
            assert_eq!(context.reached().unwrap(), context.now());
            stops.push(context.now());
        }
        assert!(stops.len() > 2, "others were let in at {stops:?} only");
        assert_eq!(context.now(), at("2026-12-01"));
    }

    #[test]
    fn a_clock_is_moved_by_ten_years_at_once_and_no_further() {
        let mut context = context();
        assert!(matches!(context.advance(at("2036-04-07")), Err(ServiceError::ClockTooFar { .. })));
        assert_eq!(context.now(), at("2026-03-07"));
        context.advance(at("2036-03-07")).unwrap();
        assert_eq!(context.now(), at("2036-03-07"));
    }

    #[test]
    fn a_clock_that_was_stopped_guard_does_not_say_that_it_has_arrived() {
        let mut context = context();
        context.advance(at("2026-03-08")).unwrap();
        context.stop.store(true, Ordering::Relaxed);
        assert!(matches!(context.advance(at("2026-03-09")), Err(ServiceError::StoppedMidway { .. })));
        assert_eq!(context.now(), at("2026-03-08"));
    }

    #[test]
    fn a_clock_that_was_started_ahead_ends_nothing_before_it_is_there() {
        let mut context = context();
        context.advance(at("2026-03-08")).unwrap();
        context.set_now(at("2028-01-01"));
        assert_eq!(context.reached().unwrap(), at("2026-03-08"));
        context.advance(at("2028-01-02")).unwrap();
        assert_eq!(context.reached().unwrap(), at("2028-01-02"));
    }
}
