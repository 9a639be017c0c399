//! One call of a plugin: a fresh sandbox, its limits, and the result. Knows no batches and no contract.

use wasmtime::ResourceLimiter;
use wasmtime::Store;
use wasmtime::Trap;
use wasmtime::component::Instance;
use wasmtime::component::InstancePre;

use crate::runtime::engine::Runtime;
use crate::runtime::engine::STACK_MAX_BYTES;
use crate::runtime::error::PluginError;
use crate::runtime::limits::Limits;
use crate::runtime::panic_message::PanicMessage;

/// What a sandbox has left of what only the host counts.
pub struct StoreLimits {
    memory_left_bytes: usize,
    elements_left: usize,
    instances_max: usize,
    memories_max: usize,
    panic_message: PanicMessage,
    /// How many numbers WASI's randomness has given.
    numbers_given: u64,
}

impl StoreLimits {
    /// Keeps what the plugin writes to its standard error.
    pub(super) fn say(&mut self, text: &[u8]) {
        self.panic_message.write(text);
    }

    /// The next of the numbers that stand for randomness: well spread, and the same in every call.
    pub(super) fn next_number(&mut self) -> u64 {
        self.numbers_given = self.numbers_given.wrapping_add(1);
        // The finalizer of SplitMix64 over its sequence of increments.
        let number = self.numbers_given.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }
}

/// What it had too little of.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum LimitExceeded {
    #[error("out of memory")]
    Memory,
    #[error("out of table elements")]
    Table,
}

impl ResourceLimiter for StoreLimits {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if self.panic_message.receive(current, desired) {
            return Ok(false);
        }
        let left = self.memory_left_bytes.checked_sub(desired.saturating_sub(current));
        self.memory_left_bytes = left.ok_or(LimitExceeded::Memory)?;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let left = self.elements_left.checked_sub(desired.saturating_sub(current));
        self.elements_left = left.ok_or(LimitExceeded::Table)?;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances_max
    }

    fn tables(&self) -> usize {
        self.memories_max
    }

    fn memories(&self) -> usize {
        self.memories_max
    }
}

/// A call that failed.
pub struct Failure {
    /// Why the call failed.
    pub error: PluginError,
    /// The fuel that it used.
    pub fuel: u64,
}

/// Calls a plugin once: `call` makes an instance in the store, which nobody had before and nobody will have again. Returns
/// the answer and the fuel that it took.
///
/// The fuel that it may take grows with `items`; `plugin` and `function` are for messages.
pub(crate) fn invoke<A>(
    runtime: &Runtime,
    limits: &Limits,
    (plugin, function): (&str, &'static str),
    items: usize,
    call: impl FnOnce(&mut Store<StoreLimits>) -> wasmtime::Result<A>,
) -> Result<(A, u64), Failure> {
    let _permit = runtime.permit(limits.memory_max_bytes);
    let fuel = limits.fuel_for(items);
    let mut store = store(runtime, limits, fuel);
    let answered = call(&mut store);
    let burnt = fuel - store.get_fuel().unwrap_or(0);
    runtime.note_memory(limits.memory_max_bytes - store.data().memory_left_bytes);
    match answered {
        Ok(answer) => Ok((answer, burnt)),
        Err(error) => {
            let cause = Cause::of(&error).explained_by(&store.data().panic_message);
            let error = cause.into_error(plugin, function, limits, fuel);
            Err(Failure { fuel: cost(&error, burnt), error })
        }
    }
}

fn store(runtime: &Runtime, limits: &Limits, fuel: u64) -> Store<StoreLimits> {
    let store_limits = StoreLimits {
        memory_left_bytes: limits.memory_max_bytes,
        elements_left: limits.table_elements_max,
        instances_max: limits.instances_max,
        memories_max: limits.memories_max,
        panic_message: PanicMessage::default(),
        numbers_given: 0,
    };
    let mut store = Store::new(runtime.engine(), store_limits);
    store.limiter(|store_limits| store_limits);
    store.set_fuel(fuel).expect("the engine counts fuel");
    store.set_epoch_deadline(Runtime::ticks(limits.time_max));
    store.set_hostcall_fuel(limits.answer_max_bytes);
    store.set_max_component_handles(limits.handles_max);
    store
}

/// What a failure cost, in fuel: time counts too, a nanosecond as one unit, because that is what a core burns.
fn cost(error: &PluginError, burnt: u64) -> u64 {
    match error {
        PluginError::OutOfTime { limit, .. } => {
            burnt.saturating_add(u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX))
        }
        PluginError::OutOfFuel { .. }
        | PluginError::OutOfMemory { .. }
        | PluginError::OutOfTable { .. }
        | PluginError::OutOfStack { .. }
        | PluginError::Crashed { .. }
        | PluginError::TooLong { .. }
        | PluginError::WrongCount { .. }
        | PluginError::Nonsense { .. }
        | PluginError::Together(_) => burnt,
    }
}

/// What stopped a call, as the engine tells it.
enum Cause {
    Fuel,
    Time,
    Memory,
    Table,
    Stack,
    Length,
    Crash(String),
}

impl Cause {
    fn of(error: &wasmtime::Error) -> Cause {
        if let Some(exceeded) = error.downcast_ref::<LimitExceeded>() {
            return match exceeded {
                LimitExceeded::Memory => Cause::Memory,
                LimitExceeded::Table => Cause::Table,
            };
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => return Cause::Fuel,
            Some(Trap::Interrupt) => return Cause::Time,
            Some(Trap::StackOverflow) => return Cause::Stack,
            Some(trap) => return Cause::Crash(trap.to_string()),
            None => {}
        }
        let message = error.root_cause().to_string();
        // The engine's error for this is of a type that it keeps to itself.
        match message.contains("fuel allocated for hostcalls has been exhausted") {
            true => Cause::Length,
            false => Cause::Crash(message),
        }
    }

    /// The same with what the plugin said itself before it crashed.
    fn explained_by(self, message: &PanicMessage) -> Cause {
        match (self, message.text()) {
            (Cause::Crash(reason), Some(said)) => Cause::Crash(format!("{said} ({reason})")),
            (cause, _) => cause,
        }
    }

    fn into_error(self, plugin: &str, function: &'static str, limits: &Limits, fuel: u64) -> PluginError {
        let plugin = plugin.to_owned();
        match self {
            Cause::Fuel => PluginError::OutOfFuel { plugin, function, fuel },
            Cause::Time => PluginError::OutOfTime { plugin, function, limit: limits.time_max },
            Cause::Memory => {
                PluginError::OutOfMemory { plugin, function, limit_bytes: limits.memory_max_bytes }
            }
            Cause::Table => PluginError::OutOfTable { plugin, function, limit: limits.table_elements_max },
            Cause::Stack => PluginError::OutOfStack { plugin, function, limit_bytes: STACK_MAX_BYTES },
            Cause::Length => PluginError::TooLong { plugin, function, limit_bytes: limits.answer_max_bytes },
            Cause::Crash(reason) => PluginError::Crashed { plugin, function, reason },
        }
    }
}

/// Binds the contract's functions once: the inner result is whether the component has them, with the right types.
pub fn bind(
    runtime: &Runtime,
    limits: &Limits,
    pre: &InstancePre<StoreLimits>,
    plugin: &str,
    find: impl FnOnce(&mut Store<StoreLimits>, &Instance) -> wasmtime::Result<()>,
) -> Result<wasmtime::Result<()>, PluginError> {
    let _permit = runtime.permit(limits.memory_max_bytes);
    let fuel = limits.fuel_for(0);
    let mut store = store(runtime, limits, fuel);
    match pre.instantiate(&mut store) {
        Ok(instance) => Ok(find(&mut store, &instance)),
        Err(error) => {
            let cause = Cause::of(&error).explained_by(&store.data().panic_message);
            Err(cause.into_error(plugin, "the start", limits, fuel))
        }
    }
}

#[cfg(test)]
mod tests;
