//! What ends the asking of scripts before they have answered: a host that is told to stop does not wait for them. Knows no script.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use perennial_domain::policy::PolicySet;
use wasmtime::Store;
use wasmtime::Trap;
use wasmtime::UpdateDeadline;

use crate::runtime::call::StoreLimits;
use crate::runtime::engine::Runtime;

/// The policies that are asked, for as long as nobody says stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking<'a> {
    /// The policies and calendars that hold.
    pub(super) set: &'a PolicySet,
    /// Set once the answers are of no use any more.
    pub(super) stop: &'a Arc<AtomicBool>,
}

impl Asking<'_> {
    /// Whether the answers are of no use any more.
    pub(super) fn is_stopped(self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Has a call end within some milliseconds once it is stopped, and after `time_max` at the latest.
    pub(super) fn watch(self, store: &mut Store<StoreLimits>, time_max: Duration) {
        let stop = Arc::clone(self.stop);
        let mut ticks_left = Runtime::ticks(time_max);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            ticks_left = ticks_left.saturating_sub(1);
            match ticks_left > 0 && !stop.load(Ordering::Relaxed) {
                true => Ok(UpdateDeadline::Continue(1)),
                false => Err(Trap::Interrupt.into()),
            }
        });
    }
}
