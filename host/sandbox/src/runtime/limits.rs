//! The limits of a plugin's fuel, time and memory. Each number states its source.

use std::time::Duration;

use perennial_domain::answer_limits::WAKES_PER_HOUR_MAX;
use perennial_domain::plugin_limits::PluginLimits;

/// The most fuel of a call about several requests: what a full batch has by default. A plugin that was granted more for each
/// item is asked about fewer at once, so that a batch of its takes no longer than one of another's.
const BATCH_FUEL_MAX: u64 = 20_000_000 + 1_024 * 100_000;

/// Modules of a component, memories and tables, elements of tables, and handles, for a plugin outside of the pool: twice what
/// the tools of JavaScript and Python make.
const INSTANCES_MAX: usize = 100;
const MEMORIES_MAX: usize = 8;
const TABLE_ELEMENTS_MAX: usize = 50_000;
const HANDLES_MAX: usize = 256;
/// The code of one function of such a plugin, in bytes: 1 MiB, twice that of Python's interpreter.
const FUNCTION_BYTES_MAX: usize = 1 << 20;

/// What one plugin may spend; the same for every batch, because every batch has a sandbox of its own.
///
/// Fuel is what stops a rule that does not end: WebAssembly counts it, so the same request stops at the same place on
/// every machine. Time is only there for what fuel does not see. Measured: Huawei's rules take some 20,000 units of
/// fuel for the timeline of a bundle of three, and a core burns about a thousand million in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most requests asked in one call. 256 take a few milliseconds; the cost of a fresh sandbox is then below a
    /// hundredth of the work, and a batch that fails has little to repeat.
    pub requests_max: usize,
    /// The most items (members, orders, packages) in one call; a single request is never divided:
    /// 1,024, so that 256 bundles of three still go together and bundles of hundreds do not use up what one call may.
    pub items_max: usize,
    /// Fuel of every call, whatever is asked: 20 million, some 20 ms. What a plugin needs to start.
    pub fuel: u64,
    /// Fuel that every item of a request (a member, an order, a package) adds: 100,000, fifteen times what Huawei's
    /// rules take.
    pub fuel_per_item: u64,
    /// Fuel that calls which failed may have cost, in all the requests of one request to the sandbox, before the rest
    /// of them fails unasked: 20,000 million, some 20 seconds of one core, or what 70 bundles with an endless loop
    /// cost to be told from their neighbours.
    pub failing_fuel_max: u64,
    /// Time of every call: one second, ten times what the fuel of a full batch lasts, so that a busy machine does not
    /// turn a good plugin into a bad one.
    pub time_max: Duration,
    /// All memories together, in bytes: 32 MiB. A batch of 256 bundles of three with their answers needs about 1 MiB.
    pub memory_max_bytes: usize,
    /// Elements of all tables together: 10,000, so many functions may a plugin call indirectly. A rule set has
    /// hundreds, an interpreter thousands.
    pub table_elements_max: usize,
    /// Modules a component may be made of: 8. Ours are of one; other languages' tools add a few adapters.
    pub instances_max: usize,
    /// Memories, and tables, a component may have: 4 each. Ours have one.
    pub memories_max: usize,
    /// What an answer may take in the host's memory, in bytes: 16 MiB, twice what the timelines of a call's 1,024 members
    /// take if each has the 128 occurrences that it may have. One bundle may have 2,000 such members.
    pub answer_max_bytes: usize,
    /// Handles that a plugin may hold: 16. The contract has none yet.
    pub handles_max: usize,
    /// The size of a component, in bytes: 10 MiB, four times an interpreter. Compiling takes a second or so for each
    /// megabyte of usual code; the limits below are there for unusual code.
    pub component_max_bytes: usize,
    /// Functions of all modules of a component: 20,000, seven times an interpreter. That many empty ones take a second.
    pub functions_max: usize,
    /// The code of one function, in bytes: 256 KiB, seven times the largest of an interpreter.
    pub function_bytes_max: usize,
    /// The locals of one function, its parameters among them: 500, seven times the most of an interpreter.
    pub function_locals_max: usize,
    /// The values that a block takes or gives, and those that a function returns: 16. Compilers use one, and their helpers two.
    /// Without this limit, 8 kB of blocks with a thousand values took 774 MiB.
    pub block_values_max: usize,
    /// The bytes of each function, and 32 more, times its locals and its widest block, together: 100 million, twice an
    /// interpreter. It is what compiling costs where every local lives through a loop. Measured at this limit: 190 kB with
    /// 500 locals take 5 s of one core and 380 MiB, and a hundred functions with 50 locals 6 s and 90 MiB. Without it, 10 MiB
    /// of the first kind took more than two minutes and 1.9 GiB.
    pub code_weight_max: usize,
    /// Instants within an hour that a timeline may have, for each member of its bundle: 60. The clouds' rules have two.
    pub wakes_per_hour_max: usize,
}

impl Limits {
    /// The limits that plugins have unless somebody says otherwise.
    pub const DEFAULT: Limits = Limits {
        requests_max: 256,
        items_max: 1_024,
        fuel: 20_000_000,
        fuel_per_item: 100_000,
        failing_fuel_max: 20_000_000_000,
        time_max: Duration::from_secs(1),
        memory_max_bytes: 32 << 20,
        table_elements_max: 10_000,
        instances_max: 8,
        memories_max: 4,
        answer_max_bytes: 16 << 20,
        handles_max: 16,
        component_max_bytes: 10 << 20,
        functions_max: 20_000,
        function_bytes_max: 256 << 10,
        function_locals_max: 500,
        block_values_max: 16,
        code_weight_max: 100_000_000,
        wakes_per_hour_max: WAKES_PER_HOUR_MAX,
    };

    /// What of them can be granted, as it is for everybody.
    pub fn standard(&self) -> PluginLimits {
        let bytes = |count: usize| u64::try_from(count).ok();
        PluginLimits {
            fuel_per_item: Some(self.fuel_per_item),
            memory_bytes: bytes(self.memory_max_bytes),
            file_bytes: bytes(self.component_max_bytes),
            wasi: false,
        }
    }

    /// The limits of a plugin that was granted more, and runs outside of the pool.
    #[must_use]
    pub fn with(self, granted: PluginLimits) -> Limits {
        let bytes = |granted: Option<u64>, standard: usize| {
            granted.map_or(standard, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX).max(standard))
        };
        let fuel_per_item = self.fuel_per_item.max(granted.fuel_per_item.unwrap_or(0));
        let items = BATCH_FUEL_MAX.saturating_sub(self.fuel) / fuel_per_item.max(1);
        Limits {
            fuel_per_item,
            items_max: self.items_max.min(usize::try_from(items).unwrap_or(usize::MAX)).max(1),
            memory_max_bytes: bytes(granted.memory_bytes, self.memory_max_bytes),
            component_max_bytes: bytes(granted.file_bytes, self.component_max_bytes),
            table_elements_max: self.table_elements_max.max(TABLE_ELEMENTS_MAX),
            instances_max: self.instances_max.max(INSTANCES_MAX),
            memories_max: self.memories_max.max(MEMORIES_MAX),
            handles_max: self.handles_max.max(HANDLES_MAX),
            function_bytes_max: self.function_bytes_max.max(FUNCTION_BYTES_MAX),
            ..self
        }
    }

    /// The fuel of a call that asks about so many items.
    pub(super) fn fuel_for(&self, items: usize) -> u64 {
        let items = u64::try_from(items).unwrap_or(u64::MAX);
        self.fuel.saturating_add(self.fuel_per_item.saturating_mul(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_shrinks_to_what_its_fuel_holds() {
        let full = Limits::DEFAULT;
        assert_eq!(full.fuel_for(full.items_max), BATCH_FUEL_MAX);
        for fuel_per_item in [1, 100_000, 100_001, 400_000, 1 << 60] {
            let granted = PluginLimits { fuel_per_item: Some(fuel_per_item), ..PluginLimits::NONE };
            let limits = full.with(granted);
            assert!(
                limits.items_max == 1 || limits.fuel_for(limits.items_max) <= BATCH_FUEL_MAX,
                "{fuel_per_item}"
            );
            assert!((1..=full.items_max).contains(&limits.items_max), "{fuel_per_item}");
        }
        assert_eq!(
            full.with(PluginLimits { fuel_per_item: Some(400_000), ..PluginLimits::NONE }).items_max,
            256
        );
    }

    #[test]
    fn a_grant_takes_nothing_away() {
        let little =
            PluginLimits { fuel_per_item: Some(1), memory_bytes: Some(1), file_bytes: Some(1), wasi: false };
        let limits = Limits::DEFAULT.with(little);
        assert_eq!(limits.standard(), Limits::DEFAULT.standard());
    }
}
