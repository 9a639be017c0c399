//! The channel dispatcher: puts events into messages, and sends each message once.
//!
//! A transaction makes the messages of events and moves the channel's cursor, so an event is in one message to each reader
//! whatever ends the host. A message is written down as sent before it is: robots and mail servers know no id by which they
//! would drop the same message again. What was under way when the host ended is in doubt, is not sent again, and is an
//! alarm on another channel.
//!
//! Messages are due on the host's clock: on virtual time, when the clock is advanced. Timeouts are always real time.

use std::sync::Arc;
use std::time::Duration;

use perennial_domain::timestamp::Timestamp;
use perennial_engine::clock;
use perennial_engine::rules::Providers;
use perennial_store::ReadTx;
use perennial_store::WriteTx;
use perennial_store::channel_deliveries;
use perennial_store::channel_deliveries::DeliveryState;
use perennial_store::channel_deliveries::StoredChannelDelivery;
use perennial_store::channels;
use perennial_store::channels::StoredChannel;
use perennial_store::error::StoreError;
use perennial_store::list_queries;

use crate::channels::alarm;
use crate::channels::compose;
use crate::channels::compose::Composition;
use crate::channels::message;
use crate::channels::schedule;
use crate::channels::schedule::Due;
use crate::channels::send_result::SendResult;
use crate::error::ServiceError;
use crate::service::Service;
use crate::webhooks::dispatcher::random_jitter;
use crate::webhooks::retry;
use crate::webhooks::retry::DeliveryResult;
use crate::webhooks::retry::RetryDecision;
use crate::worker_pool::WorkerPool;
use crate::worker_pool::time_until;

pub use crate::channels::send::ChannelSender;
pub use crate::channels::send::SenderError;

/// The least seconds between two messages of events to one channel: the robots of groups take twenty a minute.
const GAP: i64 = 3;
/// The most messages of one channel that wait; with that many, events wait to be put into one.
const PENDING_MAX: u32 = 20;
/// The most messages of one task.
const SENDS_MAX: u32 = 16;
/// How long to wait after the database failed.
const FAILURE_DELAY: Duration = Duration::from_secs(5);
/// How long a settled message is kept, in seconds: thirty days.
const DELIVERY_RETENTION: i64 = 30 * 86_400;

/// Tells people of events for as long as the host runs.
pub struct ChannelDispatcher {
    shared: WorkerContext,
    /// The running workers, by their channel.
    workers: WorkerPool<String>,
}

/// What workers have in common.
#[derive(Clone)]
struct WorkerContext {
    service: Service,
    sender: ChannelSender,
    jitter: fn() -> u32,
}

/// What is to be done for one channel.
enum Work {
    /// Write these messages down.
    Compose(Composition),
    /// Send these messages.
    Send(Vec<StoredChannelDelivery>),
}

/// The work that is due, and the instant at which more is.
struct DueWork {
    tasks: Vec<(StoredChannel, Work)>,
    next: Option<Timestamp>,
}

impl ChannelDispatcher {
    /// A dispatcher that sends with `sender`.
    pub fn new(service: &Service, sender: ChannelSender) -> ChannelDispatcher {
        ChannelDispatcher::with_jitter(service, sender, random_jitter)
    }

    /// A dispatcher whose retries take their jitter from `jitter`, as those of webhooks do.
    pub fn with_jitter(service: &Service, sender: ChannelSender, jitter: fn() -> u32) -> ChannelDispatcher {
        let shared = WorkerContext { service: service.clone(), sender, jitter };
        ChannelDispatcher { shared, workers: WorkerPool::new(service) }
    }

    /// Tells people of events until the host stops; then waits for the messages in flight.
    pub async fn run(mut self) {
        self.shared.write_down("what was under way when the host ended", interrupt).await;
        while self.workers.watch() {
            let wait = self.start_workers().await;
            self.workers.wait(wait).await;
        }
        self.workers.finish().await;
    }

    /// Starts a worker for each channel with work that has none. Returns the time until more is due, if it is known.
    async fn start_workers(&mut self) -> Option<Duration> {
        let service = self.shared.service.clone();
        let (now, busy) = (service.now(), self.workers.busy());
        let (is_virtual, providers) = (service.writer().is_virtual(), service.providers().clone());
        let read = service.read(move |db| {
            let mut found = DueWork { tasks: Vec::new(), next: None };
            for channel in channels::list(db)? {
                if channel.disabled_at.is_none() && !busy.contains(&channel.id) {
                    let gap = if is_virtual { 0 } else { GAP };
                    find_work(db, &providers, channel, now, gap, &mut found)?;
                }
            }
            Ok::<_, ServiceError>(found)
        });
        let found = match read.await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "the messages to channels cannot be read");
                return Some(FAILURE_DELAY);
            }
        };
        let writer = service.writer();
        if writer.is_advancing() || (writer.is_virtual() && writer.now() != now) {
            // Events of an advancing clock are told of once it has arrived; its arrival wakes this loop.
            return None;
        }
        for (channel, work) in found.tasks {
            let shared = self.shared.clone();
            self.workers.spawn(channel.id.clone(), async move {
                match work {
                    Work::Compose(composition) => shared.write_messages(channel, composition).await,
                    Work::Send(due) => shared.send_all(&channel, due).await,
                }
                // Whatever comes next for this channel is looked for again.
                shared.service.writer().wake();
            });
        }
        time_until(found.next, &service)
    }
}

/// Adds what is due for a channel at `now` to `found`. What can be sent goes before new messages.
fn find_work(
    db: &ReadTx,
    providers: &Providers,
    channel: StoredChannel,
    now: Timestamp,
    gap: i64,
    found: &mut DueWork,
) -> Result<(), StoreError> {
    let due = channel_deliveries::due(db, channel.row, now, SENDS_MAX)?;
    if !due.is_empty() {
        found.tasks.push((channel, Work::Send(due)));
        return Ok(());
    }
    let (pending, next_try_at) = channel_deliveries::pending(db, channel.row)?;
    let opening = schedule::opening(&channel.settings, channel.composed_at, now);
    let mut next = [next_try_at, opening.next].into_iter().flatten().min();
    let has_events = list_queries::last_event(db)? > channel.cursor;
    if pending < PENDING_MAX
        && opening.due != Due::Nothing
        && (has_events || channel.settings.digest_at.is_some())
    {
        let last = channel_deliveries::last_created(db, channel.row)?;
        match last.map(|last| last + gap).filter(|free| *free > now) {
            Some(free) => next = Some(next.map_or(free, |next| next.min(free))),
            None => {
                if let Some(composition) = compose::compose(db, providers, &channel, opening.due, now)? {
                    found.tasks.push((channel, Work::Compose(composition)));
                    return Ok(());
                }
            }
        }
    }
    found.next = found.next.into_iter().chain(next).min();
    Ok(())
}

/// What was written down as sent and has no result: the host ended meanwhile.
fn interrupt(db: &WriteTx, now: Timestamp) -> Result<(), StoreError> {
    let under_way = channel_deliveries::sending(db)?;
    for mut channel in channels::list(db)? {
        let row = channel.row;
        for delivery in under_way.iter().filter(|delivery| delivery.channel == row) {
            let result = SendResult::InDoubt("the host ended while it was sent".to_owned());
            channel_deliveries::update(db, &after(delivery, &result, now, 0))?;
            let alarms = alarm::note(db, &mut channel, delivery.attempts, &result, now)?;
            tell(&channel.id, alarms, &result);
            channels::update(db, &channel)?;
        }
    }
    Ok(())
}

impl WorkerContext {
    /// Writes messages down, unless the channel has changed meanwhile: then it is looked at again.
    async fn write_messages(&self, channel: StoredChannel, composition: Composition) {
        self.write_down("messages to a channel", move |db, now| {
            let Some(current) = channels::get(db, &channel.id)? else { return Ok(()) };
            let is_same = current.settings == channel.settings && current.target == channel.target;
            if !is_same || !channels::advance(db, channel.row, composition.from, composition.to)? {
                return Ok(());
            }
            if let Some(text) = &composition.message {
                message::insert(db, &channel, text, now, now)?;
            }
            channel_deliveries::delete_settled_before(db, now - DELIVERY_RETENTION)
        })
        .await;
    }

    /// Sends messages one after the other, until the host stops.
    async fn send_all(&self, channel: &StoredChannel, due: Vec<StoredChannelDelivery>) {
        for delivery in due {
            if *self.service.shutdown_signal().borrow() {
                return;
            }
            let Some(delivery) = self.claim(delivery).await else { continue };
            // Receivers compare signatures with their own clocks, whatever time the host lives on.
            let signed_at = clock::now();
            let secret_box = self.service.secret_box();
            let result = self.sender.send(channel, &delivery, secret_box, signed_at).await;
            self.record(&channel.id, delivery, result).await;
        }
    }

    /// Writes down that a message is sent now; `None` when it is not to be sent any more.
    async fn claim(&self, delivery: StoredChannelDelivery) -> Option<StoredChannelDelivery> {
        let claimed = self.service.writer().call(move |context| {
            let now = context.now();
            let claimed = context.engine.in_transaction(|engine| {
                let db = engine.tx();
                let current = channel_deliveries::get(db, delivery.channel, &delivery.message)?;
                let is_due = |current: &StoredChannelDelivery| {
                    current.state == DeliveryState::Pending && current.next_try_at.is_some_and(|at| at <= now)
                };
                let Some(current) = current.filter(is_due) else { return Ok(None) };
                let sending = StoredChannelDelivery {
                    state: DeliveryState::Sending,
                    attempts: current.attempts + 1,
                    tried_at: Some(now),
                    next_try_at: None,
                    ..current
                };
                channel_deliveries::update(db, &sending)?;
                Ok::<_, StoreError>(Some(sending))
            });
            Ok::<_, ServiceError>(claimed?)
        });
        match claimed.await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "a message to a channel cannot be written down; it is sent later");
                tokio::time::sleep(FAILURE_DELAY).await;
                None
            }
        }
    }

    /// Writes down what became of a message that was sent.
    async fn record(&self, channel: &str, delivery: StoredChannelDelivery, result: SendResult) {
        let (channel, jitter) = (channel.to_owned(), (self.jitter)());
        self.service.metrics().record_channel_delivery(match &result {
            SendResult::Delivered(_) => "delivered",
            SendResult::Refused { .. } | SendResult::NotSent(_) => "refused",
            SendResult::Rejected { .. } => "failed",
            SendResult::InDoubt(_) => "in_doubt",
        });
        self.write_down("what became of a message to a channel", move |db, now| {
            channel_deliveries::update(db, &after(&delivery, &result, now, jitter))?;
            let Some(mut stored) = channels::get(db, &channel)? else { return Ok(()) };
            let alarms = alarm::note(db, &mut stored, delivery.attempts, &result, now)?;
            tell(&channel, alarms, &result);
            channels::update(db, &stored)
        })
        .await;
    }

    /// Runs `write` in a transaction until it succeeds or the host stops.
    async fn write_down(
        &self,
        what: &str,
        write: impl Fn(&WriteTx, Timestamp) -> Result<(), StoreError> + Send + Sync + 'static,
    ) {
        let write = Arc::new(write);
        loop {
            let write = Arc::clone(&write);
            let written = self.service.writer().call(move |context| {
                let now = context.now();
                let written = context.engine.in_transaction(|engine| write(engine.tx(), now));
                Ok::<_, ServiceError>(written?)
            });
            let Err(error) = written.await else { return };
            tracing::warn!(%error, what, "the database cannot be written to");
            if *self.service.shutdown_signal().borrow() {
                return;
            }
            tokio::time::sleep(FAILURE_DELAY).await;
        }
    }
}

/// Says in the log that a channel fails, if it is time for that.
fn tell(channel: &str, alarms: Option<usize>, result: &SendResult) {
    if let Some(count) = alarms {
        tracing::error!(channel, ?result, count, "a channel delivers nothing; other channels are told");
    }
}

/// A message after a try.
fn after(
    delivery: &StoredChannelDelivery,
    result: &SendResult,
    at: Timestamp,
    jitter: u32,
) -> StoredChannelDelivery {
    let (state, status, error) = match result {
        SendResult::Delivered(status) => (DeliveryState::Delivered, Some(*status), None),
        SendResult::Refused { status, why, .. } => (DeliveryState::Pending, *status, Some(why)),
        SendResult::NotSent(why) => (DeliveryState::Pending, None, Some(why)),
        SendResult::Rejected { status, why } => (DeliveryState::Failed, *status, Some(why)),
        SendResult::InDoubt(why) => (DeliveryState::InDoubt, None, Some(why)),
    };
    let retry_after = match result {
        SendResult::Refused { retry_after, .. } => *retry_after,
        SendResult::Delivered(_)
        | SendResult::NotSent(_)
        | SendResult::Rejected { .. }
        | SendResult::InDoubt(_) => None,
    };
    // 503 is what webhooks are asked again for at the instant that the receiver names.
    let asked_again = DeliveryResult::Status(503, retry_after);
    let next_try_at = match retry::decide(&asked_again, delivery.attempts, at, jitter) {
        RetryDecision::RetryAt(next) if state == DeliveryState::Pending => Some(next),
        RetryDecision::RetryAt(_)
        | RetryDecision::Delivered
        | RetryDecision::GiveUp
        | RetryDecision::Gone => None,
    };
    let is_over = state == DeliveryState::Pending && next_try_at.is_none();
    StoredChannelDelivery {
        state: if is_over { DeliveryState::Failed } else { state },
        tried_at: Some(at),
        status,
        error: error.cloned(),
        next_try_at,
        ..delivery.clone()
    }
}
