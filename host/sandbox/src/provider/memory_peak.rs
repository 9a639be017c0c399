//! How much memory calls take, for authors who measure.

use crate::provider::plugin::Plugin;

impl Plugin {
    /// The most memory that a call of any plugin of this sandbox had since this was asked last, in bytes.
    pub fn take_memory_peak_bytes(&self) -> usize {
        self.runtime.take_memory_peak_bytes()
    }
}
