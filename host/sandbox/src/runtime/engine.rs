//! The engine that runs components, and the one thread that counts its time.
//!
//! Knows how wasmtime is set up and how many sandboxes there are at once. Everything that no plugin uses is off: each
//! feature is a way in.
//!
//! There are two: one with a pool, whose sandboxes are set up in advance and are all of one size, and one without, for plugins
//! that were granted more than fits into it. The second one bounds the memory of all of its sandboxes together.

use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::Config;
use wasmtime::Enabled;
use wasmtime::Engine;
use wasmtime::InstanceAllocationStrategy;
use wasmtime::PoolingAllocationConfig;

use crate::runtime::limits::Limits;

/// How often time is counted. A call is stopped at most so much too late.
const TICK: Duration = Duration::from_millis(5);

/// How many ticks the ticker goes on without a sandbox before it rests.
const IDLE_TICKS_MAX: u32 = 100;

/// Sandboxes at once, at least: who wants one more waits. Each has its part of the pool, which is set up in advance.
const SANDBOXES_MIN: usize = 8;

/// Memory that a freed sandbox keeps for the next one, in bytes: writing zeros over what a batch used is cheaper than
/// giving it back and faulting it in again.
const KEEP_RESIDENT_BYTES: usize = 1 << 20;

/// What WebAssembly may use of a thread's stack, in bytes: half of what a thread has at least.
pub(super) const STACK_MAX_BYTES: usize = 512 << 10;

/// An engine and its ticking thread, which ends with it.
pub struct Runtime {
    engine: Engine,
    gate: Arc<Gate>,
    threads: usize,
    sandboxes_max: usize,
    memory_peak_bytes: AtomicUsize,
    /// The memory of all sandboxes together; the pool bounds its own.
    memory_max_bytes: Option<usize>,
    ticker: Option<JoinHandle<()>>,
}

/// How many sandboxes there are. The ticker rests once there has been none for a while.
#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    /// A sandbox is gone.
    freed: Condvar,
    /// There is a sandbox again, or nothing left to do.
    ticking: Condvar,
}

#[derive(Default)]
struct State {
    open: usize,
    /// The memory that the open ones may take together.
    open_bytes: usize,
    waiting: usize,
    is_resting: bool,
    is_over: bool,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while counting sandboxes")
    }
}

/// Leave to have one sandbox; given back when dropped.
pub struct Permit<'a> {
    gate: &'a Gate,
    bytes: usize,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.open -= 1;
        state.open_bytes -= self.bytes;
        if state.waiting > 0 {
            // Who waits for more memory must not keep those away that need less.
            self.gate.freed.notify_all();
        }
    }
}

impl Runtime {
    /// An engine whose pool suits `limits`.
    ///
    /// # Errors
    ///
    /// When the machine has not the address space for the pool, or cannot start a thread.
    pub fn start(limits: &Limits) -> wasmtime::Result<Runtime> {
        let sandboxes_max = threads().max(SANDBOXES_MIN);
        let pool = InstanceAllocationStrategy::Pooling(pool(limits, sandboxes_max));
        Runtime::with(pool, sandboxes_max, None)
    }

    /// An engine without a pool, all of whose sandboxes together have at most so much memory.
    ///
    /// # Errors
    ///
    /// When the machine cannot run one, or cannot start a thread.
    pub(crate) fn start_without_pool(memory_max_bytes: usize) -> wasmtime::Result<Runtime> {
        let sandboxes_max = threads().max(SANDBOXES_MIN);
        Runtime::with(InstanceAllocationStrategy::OnDemand, sandboxes_max, Some(memory_max_bytes))
    }

    fn with(
        strategy: InstanceAllocationStrategy,
        sandboxes_max: usize,
        memory_max_bytes: Option<usize>,
    ) -> wasmtime::Result<Runtime> {
        let threads = threads();
        let engine = Engine::new(&config(strategy))?;
        let gate = Arc::new(Gate::default());
        let (ticking, beaten) = (Arc::clone(&gate), engine.clone());
        let ticker = std::thread::Builder::new().name("sandbox-ticker".to_owned());
        let ticker = Some(ticker.spawn(move || tick(&ticking, &beaten))?);
        let memory_peak_bytes = AtomicUsize::new(0);
        Ok(Runtime { engine, gate, threads, sandboxes_max, memory_peak_bytes, memory_max_bytes, ticker })
    }

    /// The engine that compiles and runs components.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How many threads the machine runs at once. To ask it is a dozen system calls, so it was asked when this started.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Notes how much memory a sandbox had when it ended, in bytes.
    pub(super) fn note_memory(&self, bytes: usize) {
        self.memory_peak_bytes.fetch_max(bytes, Ordering::Relaxed);
    }

    /// The most memory that a sandbox had since this was asked last, in bytes.
    pub fn take_memory_peak_bytes(&self) -> usize {
        self.memory_peak_bytes.swap(0, Ordering::Relaxed)
    }

    /// How many wait for leave to have a sandbox.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.gate.lock().waiting
    }

    /// Waits until there may be one more sandbox, which has up to `bytes` of memory.
    pub fn permit(&self, bytes: usize) -> Permit<'_> {
        let mut state = self.gate.lock();
        state.waiting += 1;
        let full = |state: &mut State| {
            let bytes = state.open_bytes.saturating_add(bytes);
            // One alone always has its turn: nothing is granted that is more than all have together.
            let too_much = self.memory_max_bytes.is_some_and(|most| bytes > most) && state.open > 0;
            state.open >= self.sandboxes_max || too_much
        };
        let waited = self.gate.freed.wait_while(state, full);
        let mut state = waited.expect("nobody panics while counting sandboxes");
        state.waiting -= 1;
        state.open += 1;
        state.open_bytes = state.open_bytes.saturating_add(bytes);
        if state.is_resting {
            self.gate.ticking.notify_one();
        }
        Permit { gate: &self.gate, bytes }
    }

    /// After how many ticks `time` has passed for sure.
    pub fn ticks(time: Duration) -> u64 {
        u64::try_from(time.as_nanos() / TICK.as_nanos()).unwrap_or(u64::MAX - 1) + 1
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.gate.lock().is_over = true;
        self.gate.ticking.notify_one();
        // Its panic, if there was one, has been printed; there is nothing left to stop.
        let _ = self.ticker.take().map(JoinHandle::join);
    }
}

/// Counts time while there is a sandbox to be stopped, and for a while after: one batch mostly follows another, and to
/// wake a thread for each costs more than to let it tick.
fn tick(gate: &Gate, engine: &Engine) {
    let mut state = gate.lock();
    let mut idle_ticks = 0;
    while !state.is_over {
        if state.open == 0 && idle_ticks >= IDLE_TICKS_MAX {
            state.is_resting = true;
            let rest = |state: &mut State| state.open == 0 && !state.is_over;
            let waited = gate.ticking.wait_while(state, rest);
            state = waited.expect("nobody panics while counting sandboxes");
            state.is_resting = false;
        }
        let waited = gate.ticking.wait_timeout_while(state, TICK, |state| !state.is_over);
        state = waited.expect("nobody panics while counting sandboxes").0;
        idle_ticks = if state.open == 0 { idle_ticks + 1 } else { 0 };
        engine.increment_epoch();
    }
}

/// How many threads the machine runs at once.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn config(strategy: InstanceAllocationStrategy) -> Config {
    let mut config = Config::new();
    // Several memories are on: the code that the compiler makes to pass values between inner components needs them.
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_MAX_BYTES)
        // The same request has the same answer on every machine, also where a rule divides zero by zero.
        .cranelift_nan_canonicalization(true)
        .concurrency_support(false)
        .wasm_simd(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(true)
        .wasm_tail_call(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        .wasm_component_model_map(false)
        .wasm_component_model_fixed_length_lists(false)
        .wasm_component_model_memory64(false)
        .wasm_component_model_implements(false)
        .allocation_strategy(strategy);
    config
}

fn pool(limits: &Limits, sandboxes_max: usize) -> PoolingAllocationConfig {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(number(sandboxes_max))
        .total_core_instances(number(sandboxes_max * limits.instances_max))
        .total_memories(number(sandboxes_max * limits.memories_max))
        .total_tables(number(sandboxes_max * limits.memories_max))
        .max_core_instances_per_component(number(limits.instances_max))
        .max_memories_per_component(number(limits.memories_max))
        .max_tables_per_component(number(limits.memories_max))
        .max_memories_per_module(number(limits.memories_max))
        .max_tables_per_module(number(limits.memories_max))
        .max_memory_size(limits.memory_max_bytes)
        .table_elements(limits.table_elements_max)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        // Only pages that a sandbox touched are written again, where the kernel tells which these are.
        .pagemap_scan(Enabled::Auto)
        .table_keep_resident(limits.table_elements_max * size_of::<usize>())
        .max_unused_warm_slots(number(sandboxes_max));
    pool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_early() {
        assert_eq!(Runtime::ticks(TICK), 2);
        assert_eq!(Runtime::ticks(TICK * 10), 11);
        assert_eq!(Runtime::ticks(Duration::ZERO), 1);
    }

    #[test]
    fn more_sandboxes_than_the_pool_holds_wait_for_one_another() {
        let runtime = Runtime::start(&Limits::DEFAULT).unwrap();
        let most = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..runtime.sandboxes_max * 4 {
                scope.spawn(|| {
                    let _permit = runtime.permit(1);
                    let open = runtime.gate.lock().open;
                    most.fetch_max(open, std::sync::atomic::Ordering::Relaxed);
                    std::thread::yield_now();
                });
            }
        });
        assert!(most.into_inner() <= runtime.sandboxes_max);
        assert_eq!(runtime.gate.lock().open, 0);
    }

    #[test]
    fn sandboxes_without_a_pool_share_their_memory() {
        let runtime = Runtime::start_without_pool(100).unwrap();
        let most = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for sandbox in 0..32 {
                let (runtime, most) = (&runtime, &most);
                scope.spawn(move || {
                    // One asks for more than there is, and has its turn when no other is open.
                    let _permit = runtime.permit(if sandbox == 7 { 1_000 } else { 40 });
                    let state = runtime.gate.lock();
                    assert!(state.open_bytes <= 100 || state.open == 1, "{} bytes", state.open_bytes);
                    most.fetch_max(state.open, std::sync::atomic::Ordering::Relaxed);
                    drop(state);
                    std::thread::yield_now();
                });
            }
        });
        assert!(most.into_inner() <= 2);
        assert_eq!(runtime.gate.lock().open_bytes, 0);
    }
}
