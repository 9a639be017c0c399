//! How many connections of a listener hold a long head. A short one takes no place: it fits in what every connection has
//! for reading anyway.
//!
//! Knows where a head ends, and nothing else of HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;

use crate::server::ClientAddress;

/// The longest head, in bytes, that takes no place while it comes: half of what the library reads into at first.
pub(super) const SHORT_HEAD_MAX: usize = 4 * 1024;

/// The connections of a listener that hold a long head. Clones share them.
#[derive(Clone)]
pub(super) struct LongHeads {
    most: usize,
    per_address_most: usize,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    by_address: BTreeMap<ClientAddress, usize>,
}

/// The place of one, which is free again when this is dropped.
pub(super) struct LongHead {
    heads: LongHeads,
    address: ClientAddress,
}

impl LongHeads {
    pub(super) fn new(most: usize, per_address_most: usize) -> LongHeads {
        LongHeads { most, per_address_most, counts: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().expect("nobody panics while counting heads")
    }

    /// A place for a connection from `address`; `None` when there is none, or its address has too many.
    pub(super) fn begin(&self, address: ClientAddress) -> Option<LongHead> {
        let mut counts = self.lock();
        let of_address = counts.by_address.get(&address).copied().unwrap_or_default();
        if counts.all >= self.most || of_address >= self.per_address_most {
            return None;
        }
        counts.all += 1;
        counts.by_address.insert(address, of_address + 1);
        Some(LongHead { heads: self.clone(), address })
    }
}

impl Drop for LongHead {
    fn drop(&mut self) {
        let mut counts = self.heads.lock();
        counts.all -= 1;
        if let Some(count) = counts.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

/// How much of a head has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HeadProgress {
    bytes: usize,
    line: Line,
}

/// Where the last byte of a head leaves it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    /// Before its first line: empty lines there count for nothing.
    #[default]
    BeforeFirst,
    /// Within a line.
    Within,
    /// Behind the end of one.
    Behind,
    /// Behind the end of one and a carriage return.
    BehindReturn,
    /// Behind an empty line, which ends the head.
    Ended,
}

impl HeadProgress {
    /// Looks at what came, as far as the head goes. What comes behind its end begins the next one.
    pub(super) fn look_at(&mut self, came: &[u8]) {
        if self.line == Line::Ended {
            *self = HeadProgress::default();
        }
        for byte in came {
            self.bytes += 1;
            self.line = match (self.line, byte) {
                (Line::BeforeFirst, b'\r' | b'\n') => Line::BeforeFirst,
                (Line::Behind | Line::BehindReturn, b'\n') => Line::Ended,
                (Line::Behind, b'\r') => Line::BehindReturn,
                (_, b'\n') => Line::Behind,
                (_, _) => Line::Within,
            };
            if self.line == Line::Ended {
                return;
            }
        }
    }

    /// Whether it is longer than a short head, and still to end.
    pub(super) fn is_long(self) -> bool {
        self.line != Line::Ended && self.bytes > SHORT_HEAD_MAX
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn long_heads_have_places_and_an_address_few_of_them() {
        let heads = LongHeads::new(3, 2);
        let of = |last| ClientAddress::of(Ipv4Addr::new(10, 0, 0, last).into());
        let first = heads.begin(of(1)).unwrap();
        let _second = heads.begin(of(1)).unwrap();
        assert!(heads.begin(of(1)).is_none(), "its address has two");
        let third = heads.begin(of(2)).unwrap();
        assert!(heads.begin(of(3)).is_none(), "there are three");
        drop(first);
        let _fourth = heads.begin(of(1)).unwrap();
        drop(third);
        assert_eq!(heads.lock().by_address.len(), 1);
    }

    #[test]
    fn a_head_ends_with_an_empty_line_behind_another() {
        let line = |bytes: &str| {
            let mut head = HeadProgress::default();
            // However it is cut into pieces.
            bytes.bytes().for_each(|byte| head.look_at(&[byte]));
            head.line
        };
        for ended in ["GET / HTTP/1.1\r\n\r\n", "\r\n\n\r\nGET / HTTP/1.1\na: b\n\n", "a\n\r\n"] {
            assert_eq!(line(ended), Line::Ended, "{ended:?}");
        }
        for open in ["", "\r\n\r\n\n\n", "GET / HTTP/1.1\r\na: b\r\n", "a\n\rb\n", "a\r\r\n"] {
            assert_ne!(line(open), Line::Ended, "{open:?}");
        }
        let mut head = HeadProgress::default();
        head.look_at(&[b'x'; SHORT_HEAD_MAX]);
        assert!(!head.is_long());
        head.look_at(b"x");
        assert!(head.is_long());
        head.look_at(b"\n\nbody");
        assert!(!head.is_long(), "it has ended");
        head.look_at(b"x");
        assert_eq!((head.bytes, head.is_long()), (1, false), "the next one");
    }
}
