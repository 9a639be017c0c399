//! Work on many things at once, spread over threads. Knows neither the things nor the work.

use std::num::NonZero;
use std::sync::OnceLock;

/// Fewer things than this are not worth another thread.
const SHARE_MIN: usize = 256;

/// On how many cores this process may run, at least 1. Asked of the system once: it reads several files to say so.
pub fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, NonZero::get))
}

/// What `work` makes of each of the numbers below `count`, in order.
pub fn map<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let share = count.div_ceil(cores()).max(SHARE_MIN);
    let some = |start: usize| (start..count.min(start + share)).map(&work).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let others = (share..count).step_by(share).map(|start| scope.spawn(move || some(start)));
        let others = others.collect::<Vec<_>>();
        // This thread works too, so that a few things need no other.
        let mut made = some(0);
        for other in others {
            made.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        made
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_however_many_there_are() {
        for count in [0, 1, SHARE_MIN - 1, SHARE_MIN, SHARE_MIN + 1, 10 * SHARE_MIN + 7] {
            let squares = map(count, |number| number * number);
            assert_eq!(squares, (0..count).map(|number| number * number).collect::<Vec<_>>());
        }
    }
}
