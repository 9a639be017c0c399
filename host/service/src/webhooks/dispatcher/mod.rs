//! The outbox: sends events to webhooks, each at least once, also across a crash.
//!
//! Nothing is put into it: events are written in the transaction of what they tell of, and a webhook has a cursor in their
//! table. What was tried is written down afterwards, a page at a time, and whatever was not is tried again, under the
//! same id. So the clock does nothing for a webhook, and a webhook that is behind costs nothing but its own time.
//!
//! It goes by the host's clock. On virtual time a try that is due later is made when the clock has been moved there;
//! how long a receiver has to answer is real time, always.

mod due;
mod lane;

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use perennial_domain::timestamp::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::Id;
use tokio::task::JoinSet;

use crate::either::either;
use crate::error::ServiceError;
use crate::service::Host;
use crate::webhooks::client::Client;
use crate::webhooks::dispatcher::due::Work;
use crate::webhooks::dispatcher::lane::Lane;
use crate::webhooks::verdict::CHANCE_MAX;

/// The most messages under way at once, to all receivers.
const UNDER_WAY_MAX: usize = 64;
/// The longest wait until what is due is read again, in seconds, in case the clock on the wall is set.
const REST_MAX: i64 = 300;
/// How long to wait after the database failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// What lanes share.
struct Shared {
    host: Host,
    client: Client,
    /// Draws a number from 0 to [`CHANCE_MAX`].
    chance: fn() -> u32,
    free: Semaphore,
}

/// Sends events to webhooks for as long as the host runs.
pub struct Outbox {
    shared: Arc<Shared>,
    lanes: JoinSet<()>,
    /// Which lane does which kind of work for which webhook.
    busy: Vec<(Id, (String, Kind))>,
}

/// What a lane does. A webhook has at most one lane of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// First tries, one after the other, in the order of events.
    First,
    /// Later tries.
    Later,
}

impl Outbox {
    /// An outbox that sends with `client`.
    pub fn new(host: &Host, client: Client) -> Outbox {
        Outbox::with_chance(host, client, drawn)
    }

    /// The same, with `chance` to draw a number from 0 to 1000 for how much longer than it has to be a wait is.
    pub fn with_chance(host: &Host, client: Client, chance: fn() -> u32) -> Outbox {
        let free = Semaphore::new(UNDER_WAY_MAX);
        let shared = Arc::new(Shared { host: host.clone(), client, chance, free });
        Outbox { shared, lanes: JoinSet::new(), busy: Vec::new() }
    }

    /// Sends until the host stops; then waits for the messages that are under way.
    pub async fn run(mut self) {
        let host = self.shared.host.clone();
        let mut changes = host.writer().changes();
        let mut stopping = host.stopping();
        while !*stopping.borrow() {
            // What is written from here on wakes it again.
            changes.borrow_and_update();
            let rest = self.begin().await;
            let ended = async {
                match self.lanes.join_next_with_id().await {
                    Some(Ok((id, ()))) => Some(id),
                    Some(Err(error)) => Some(error.id()),
                    None => pending().await,
                }
            };
            let changed = async {
                // The sender lives as long as the host.
                drop(changes.changed().await);
                None
            };
            let rested = async {
                match rest {
                    Some(rest) => tokio::time::sleep(rest).await,
                    None => pending().await,
                }
                None
            };
            let stopped = async {
                drop(stopping.changed().await);
                None
            };
            let ended = either(either(ended, changed), either(rested, stopped)).await;
            self.busy.retain(|(id, _)| Some(*id) != ended);
        }
        while self.lanes.join_next().await.is_some() {}
    }

    /// Begins everything that is to be done and not under way. Returns how long to wait until more is, if that is known.
    async fn begin(&mut self) -> Option<Duration> {
        let host = &self.shared.host;
        let now = host.now();
        let busy = self.busy.iter().map(|(_, key)| key.clone()).collect::<BTreeSet<_>>();
        let found = match host.read(move |db| Ok::<_, ServiceError>(due::read(db, now, &busy)?)).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "what is to be sent to webhooks cannot be read");
                return Some(AFTER_FAILURE);
            }
        };
        let writer = host.writer();
        if writer.is_moving() || (writer.is_virtual() && writer.now() != now) {
            // What happens while a virtual clock moves is told of when it has arrived, and then this is woken.
            return None;
        }
        for (webhook, work) in found.work {
            let kind = match work {
                Work::First { .. } => Kind::First,
                Work::Later(_) => Kind::Later,
            };
            let key = (webhook.id.clone(), kind);
            let lane = Lane::new(Arc::clone(&self.shared), webhook);
            let task = self.lanes.spawn(lane.run(work));
            self.busy.push((task.id(), key));
        }
        let is_real = !self.shared.host.writer().is_virtual();
        found.next.filter(|_| is_real).map(|next| rest(next, now))
    }
}

fn rest(next: Timestamp, now: Timestamp) -> Duration {
    Duration::from_secs((next - now).clamp(1, REST_MAX).unsigned_abs())
}

/// A number from 0 to [`CHANCE_MAX`].
fn drawn() -> u32 {
    let mut bytes = [0; 4];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::warn!(%error, "tries at webhooks are not spread");
    }
    u32::from_be_bytes(bytes) % (CHANCE_MAX + 1)
}
