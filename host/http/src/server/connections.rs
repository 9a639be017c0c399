//! The open connections of a listener: how many there are, from where, and which goes when there is no place for another.
//!
//! Everybody gets a place, and may lose it to another client as long as nothing was proved, and then as long as nothing is
//! asked: so a client that opens many connections to say nothing over them keeps nobody out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::task::AbortHandle;

use crate::server::ClientAddress;
use crate::server::exchange::ExchangeStage;
use crate::server::paced_stream::Backlog;

/// Whether a request of the connection was authenticated.
pub(super) type IsAuthenticated = Arc<AtomicBool>;

/// The open connections of a listener. Clones share them.
#[derive(Clone)]
pub(super) struct Connections {
    connections_max: usize,
    per_address_max: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By number: older connections have smaller ones.
    open: BTreeMap<u64, Open>,
    by_address: BTreeMap<ClientAddress, usize>,
    next: u64,
}

struct Open {
    address: ClientAddress,
    is_authenticated: IsAuthenticated,
    stage: ExchangeStage,
    backlog: Backlog,
    /// What ends it; `None` until it is served.
    task: Option<AbortHandle>,
}

/// The place of one connection, which is free again when this is dropped.
pub(super) struct Place {
    connections: Connections,
    number: u64,
    pub(super) is_authenticated: IsAuthenticated,
    /// Whether a request is being answered over it.
    pub(super) stage: ExchangeStage,
    /// Whether its client is still to take some of a response.
    pub(super) backlog: Backlog,
}

impl Connections {
    pub(super) fn new(connections_max: usize, per_address_max: usize) -> Connections {
        Connections { connections_max, per_address_max, state: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while counting connections")
    }

    /// A place for a connection from `address`; `None` when it has too many, or nobody's can be taken.
    pub(super) fn admit(&self, address: ClientAddress) -> Option<Place> {
        let mut state = self.lock();
        if state.by_address.get(&address).is_some_and(|count| *count >= self.per_address_max) {
            return None;
        }
        if state.open.len() >= self.connections_max {
            let is_unauthenticated =
                |open: &Open| open.task.is_some() && !open.is_authenticated.load(Ordering::Relaxed);
            let is_idle =
                |open: &Open| open.task.is_some() && !open.stage.is_answering() && !open.backlog.is_behind();
            let oldest_of = |makes_way: &dyn Fn(&Open) -> bool| {
                state.open.iter().find(|(_, open)| makes_way(open)).map(|(number, _)| *number)
            };
            let oldest = oldest_of(&is_unauthenticated).or_else(|| oldest_of(&is_idle))?;
            let task = state.remove(oldest).and_then(|open| open.task);
            if let Some(task) = task {
                task.abort();
            }
        }
        let number = state.next;
        state.next += 1;
        let place = Place {
            connections: self.clone(),
            number,
            is_authenticated: IsAuthenticated::default(),
            stage: ExchangeStage::default(),
            backlog: Backlog::default(),
        };
        let open = Open {
            address,
            is_authenticated: Arc::clone(&place.is_authenticated),
            stage: place.stage.clone(),
            backlog: place.backlog.clone(),
            task: None,
        };
        state.open.insert(number, open);
        *state.by_address.entry(address).or_default() += 1;
        Some(place)
    }

    /// Says what serves a connection.
    pub(super) fn serve(&self, number: u64, task: AbortHandle) {
        if let Some(open) = self.lock().open.get_mut(&number) {
            open.task = Some(task);
        }
    }
}

impl State {
    fn remove(&mut self, number: u64) -> Option<Open> {
        let open = self.open.remove(&number)?;
        if let Some(count) = self.by_address.get_mut(&open.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&open.address);
            }
        }
        Some(open)
    }
}

impl Place {
    /// The number of its connection.
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(last: u8) -> ClientAddress {
        ClientAddress::of(Ipv4Addr::new(10, 0, 0, last).into())
    }

    /// A place whose connection is served by a task that does nothing.
    fn served(connections: &Connections, last: u8) -> Option<Place> {
        let place = connections.admit(address(last))?;
        connections.serve(place.number(), tokio::spawn(std::future::pending::<()>()).abort_handle());
        Some(place)
    }

    fn run(work: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
    }

    #[test]
    fn an_address_has_so_many_connections_and_no_more() {
        run(async {
            let connections = Connections::new(10, 2);
            let first = served(&connections, 1).unwrap();
            let _second = served(&connections, 1).unwrap();
            assert!(served(&connections, 1).is_none());
            assert!(served(&connections, 2).is_some());
            drop(first);
            assert!(served(&connections, 1).is_some());
            drop(connections);
        });
    }

    #[test]
    fn the_oldest_that_proved_nothing_makes_way_for_a_new_one() {
        run(async {
            let connections = Connections::new(3, 10);
            let proved = served(&connections, 1).unwrap();
            proved.is_authenticated.store(true, Ordering::Relaxed);
            let silent = served(&connections, 2).unwrap();
            let second = served(&connections, 3).unwrap();
            second.is_authenticated.store(true, Ordering::Relaxed);
            let fourth = served(&connections, 4).expect("the second one makes way");
            let state = connections.lock();
            assert_eq!(state.open.keys().copied().collect::<Vec<_>>(), [0, 2, 3]);
            assert_eq!(state.by_address.len(), 3);
            drop(state);
            // What lost its place gives none back when it ends.
            drop(silent);
            assert_eq!(connections.lock().open.len(), 3);
            fourth.is_authenticated.store(true, Ordering::Relaxed);
            let answering = [&proved, &second, &fourth].map(|place| place.stage.begin());
            assert!(served(&connections, 5).is_none(), "all of them have proved who they are, and ask");
            drop(answering);
            // The last of an answer waits to be taken.
            proved.backlog.set(true);
            assert!(served(&connections, 5).is_some(), "one that asks nothing makes way");
            let open = &connections.lock().open;
            assert!(open.contains_key(&proved.number()) && !open.contains_key(&second.number()));
        });
    }
}
