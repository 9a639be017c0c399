//! How much memory calls take, and how much code a plugin has, for authors who measure.

use crate::provider::plugin::Plugin;
use crate::runtime::code_size;

impl Plugin {
    /// The most memory that a call of any plugin of this sandbox had since this was asked last, in bytes.
    pub fn take_memory_peak_bytes(&self) -> usize {
        self.runtime.take_memory_peak_bytes()
    }

    /// What the component has of each limit of code, and that limit: in the function with the most, then in all of them.
    pub fn code_against_limits(&self) -> Vec<(String, usize, usize)> {
        let Ok(size) = code_size::measure(&self.parts().component) else { return Vec::new() };
        let rows = size.against(self.limits()).into_iter();
        let rows = rows.map(|(what, found, limit, most)| {
            let what = if most.is_some() { format!("{what} of one function") } else { what.to_owned() };
            (what, found, limit)
        });
        rows.collect()
    }
}
