//! What share a plugin uses of each of its limits: what its answers took, and what its file has.

use perennial_sandbox::Plugin;
use perennial_sandbox::TABLE_BYTES_MAX;

/// The largest share of a limit that anything took.
pub(super) struct Share {
    /// The limit, in words.
    what: String,
    /// How much of it was used, in millionths.
    share: u64,
    /// What took it, if that is one of many.
    by: Option<String>,
}

impl Share {
    /// Nothing of a limit.
    pub(super) fn none(what: &str) -> Share {
        Share { what: what.to_owned(), share: 0, by: None }
    }

    /// So much of a limit.
    fn of(what: &str, used: usize, limit: usize) -> Share {
        Share { share: millionths(used, limit), ..Share::none(what) }
    }

    /// Takes what `by` used of the limit, if it is more.
    pub(super) fn raise(&mut self, (used, limit): (usize, usize), by: impl FnOnce() -> String) {
        let share = millionths(used, limit);
        if share > self.share {
            (self.share, self.by) = (share, Some(by()));
        }
    }

    fn line(&self) -> String {
        let percent = format!("{}.{:02} %", self.share / 10_000, self.share / 100 % 100);
        let by = self.by.as_ref().map(|by| format!(", for {by}")).unwrap_or_default();
        format!("{percent:>8} of {}{by}", self.what)
    }
}

fn millionths(used: usize, limit: usize) -> u64 {
    let share = (used as u128).saturating_mul(1_000_000) / (limit as u128).max(1);
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// A line for each limit: what the answers used of those that `answers` are about, the largest of each, then the memory of a call
/// and what the file has.
pub(super) fn lines(plugin: &Plugin, answers: Vec<Share>) -> Vec<String> {
    let mut shares = Vec::<Share>::new();
    for share in answers {
        match shares.iter_mut().find(|known| known.what == share.what) {
            Some(known) if known.share >= share.share => {}
            Some(known) => *known = share,
            None => shares.push(share),
        }
    }
    let limits = plugin.limits();
    shares.push(Share::of("the memory of a call", plugin.take_memory_peak_bytes(), limits.memory_max_bytes));
    let bytes = plugin.parts().size_bytes();
    if plugin.is_table() {
        // The code is the interpreter's, about which its author can do nothing.
        shares.push(Share::of("the size of a table", bytes, TABLE_BYTES_MAX));
    } else {
        shares.push(Share::of("the size of a component", bytes, limits.component_max_bytes));
        let code = plugin.code_against_limits().into_iter();
        shares.extend(code.map(|(what, found, limit)| Share::of(&format!("the {what}"), found, limit)));
    }
    shares.iter().map(Share::line).collect()
}
