//! The memory of guests beyond the pool, all of which together have a bound: guests that grow at the same time, each as far as
//! it may.

use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use perennial_domain::plugin_limits::PluginLimits;
use wasmtime::component::Component;
use wasmtime::component::Linker;

use super::*;
use crate::runtime::loader::Loader;

/// WebAssembly's unit of memory, in bytes.
const PAGE: usize = 65_536;
/// What each of the guests is granted, in bytes: twice what one in the pool has.
const GRANTED: usize = 64 << 20;
/// What all of them have together, in bytes: what three of them are granted.
const TOGETHER: usize = 3 * GRANTED;
/// The guests: fewer than there may be sandboxes, so that only memory keeps one from running.
const GUESTS: [&str; 7] = ["ash", "birch", "cedar", "elder", "fir", "hazel", "larch"];

/// A guest that makes its memory larger by so many pages, and says how many it had; a negative number where it cannot.
const GUEST: &str = r#"(component
    (core module $m (memory 1)
        (func (export "grow") (param i32) (result i32) local.get 0 memory.grow))
    (core instance $i (instantiate $m))
    (func (export "grow") (param "pages" u32) (result s32) (canon lift (core func $i "grow"))))"#;

fn granted(loader: &Loader) -> Loader {
    let limits = PluginLimits { memory_bytes: u64::try_from(GRANTED).ok(), ..PluginLimits::NONE };
    loader.with(limits, TOGETHER).unwrap()
}

/// Has the guest grow by one MiB after the other until it has `bytes`, and returns how many it says that it has.
fn grow(store: &mut Store<StoreLimits>, component: &Component, bytes: usize) -> wasmtime::Result<usize> {
    let instance = Linker::new(store.engine()).instantiate(&mut *store, component)?;
    let grow = instance.get_typed_func::<(u32,), (i32,)>(&mut *store, "grow")?;
    let mut pages = 1;
    while pages * PAGE < bytes {
        let more = (bytes / PAGE - pages).min(16);
        let (before,) = grow.call(&mut *store, (u32::try_from(more).unwrap(),))?;
        // A panic here would leave those who wait for it waiting.
        if usize::try_from(before).ok() != Some(pages) {
            return Err(wasmtime::Error::msg(format!("{before} pages where it had {pages}")));
        }
        pages += more;
    }
    Ok(pages * PAGE)
}

/// What the guests that have grown have, until they are let go.
#[derive(Default)]
struct Grown {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    guests: usize,
    bytes: usize,
    most_bytes: usize,
    may_go: bool,
}

impl Grown {
    /// Counts one that has grown, and keeps its sandbox until it may go.
    fn stay(&self, bytes: usize) {
        let mut state = self.state.lock().unwrap();
        state.guests += 1;
        state.bytes += bytes;
        state.most_bytes = state.most_bytes.max(state.bytes);
        let mut state = self.changed.wait_while(state, |state| !state.may_go).unwrap();
        state.guests -= 1;
        state.bytes -= bytes;
    }

    fn let_go(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).may_go = true;
        self.changed.notify_all();
    }
}

#[test]
fn guests_beyond_the_pool_never_have_more_than_the_bound_together() {
    let loader = Loader::start(None, Limits::DEFAULT).unwrap();
    let (grown, ended) = (Grown::default(), AtomicUsize::new(0));
    let (seen, results) = std::thread::scope(|scope| {
        let guests = GUESTS.map(|name| {
            // Each is a plugin of its own, loaded by itself.
            let (granted, grown, ended) = (granted(&loader), &grown, &ended);
            scope.spawn(move || {
                let bytes = wat::parse_str(GUEST).unwrap();
                let (component, _) = granted.component(name, &bytes).unwrap();
                let called = invoke(&granted.runtime, &granted.limits, (name, "grow"), 0, |store| {
                    grown.stay(grow(store, &component, GRANTED)?);
                    Ok(())
                });
                ended.fetch_add(1, Ordering::Relaxed);
                called.map(drop).map_err(|failure| failure.error.to_string())
            })
        });
        let runtime = granted(&loader).runtime;
        let seen = loop {
            let (waiting, ended) = (runtime.waiting(), ended.load(Ordering::Relaxed));
            let state = grown.state.lock().unwrap();
            if state.guests + waiting + ended == GUESTS.len() {
                break (state.guests, waiting, state.bytes);
            }
            drop(state);
            std::thread::yield_now();
        };
        grown.let_go();
        (seen, guests.map(|guest| guest.join().unwrap()))
    });
    assert_eq!(seen, (3, 4, TOGETHER), "three have what they may have, and the others wait");
    assert_eq!(results, GUESTS.map(|_| Ok(())), "each has its turn");
    assert!(grown.state.into_inner().unwrap().most_bytes <= TOGETHER);
}

#[test]
fn a_guest_beyond_its_grant_fails_by_name_and_leaves_its_memory() {
    let loader = Loader::start(None, Limits::DEFAULT).unwrap();
    let granted = granted(&loader);
    let (component, _) = granted.component("ash", &wat::parse_str(GUEST).unwrap()).unwrap();
    for _ in 0..2 * TOGETHER / GRANTED {
        let called = invoke(&granted.runtime, &granted.limits, ("ash", "grow"), 0, |store| {
            grow(store, &component, GRANTED + PAGE)
        });
        let told = called.map(drop).map_err(|failure| failure.error.to_string()).unwrap_err();
        assert_eq!(told, "plugin `ash` wanted more than 67108864 bytes of memory in `grow`; tell its author");
    }
}
