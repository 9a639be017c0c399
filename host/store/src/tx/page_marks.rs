//! Where the numbered pages of a list end that were read last, so that the next one does not read them again.
//!
//! Without that, a page is found by reading everything before it, and how many rows there are by reading everything, so a list
//! that is read to its end takes the square of its length. A connection remembers both for as long as the database is the same.

use std::collections::VecDeque;

use crate::keys::ResourceKey;
use crate::keys::RowKey;

/// The most marks that a connection keeps; the oldest goes first.
const MARKS_MAX: usize = 64;

/// What changes whenever the database does: what other connections committed, and what this one wrote.
pub(crate) type Version = (i64, i64);

/// The marks of one connection.
#[derive(Debug, Default)]
pub(crate) struct PageMarks {
    version: Option<Version>,
    marks: VecDeque<Mark>,
}

/// That so many resources of a list are at a row and before it.
#[derive(Debug)]
struct Mark {
    /// The list's filter as text.
    list: String,
    total: u32,
    end: u32,
    last: ResourceKey,
}

/// What is known of a list before a page of it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageStart {
    /// How many resources there are.
    pub(crate) total: u32,
    /// The row behind which to look ...
    pub(crate) after: ResourceKey,
    /// ... and how many of the resources behind it come before the page.
    pub(crate) skipped: u32,
}

impl PageMarks {
    /// Forgets everything if the database has another version than before.
    pub(crate) fn refresh(&mut self, version: Version) {
        if self.version.replace(version) != Some(version) {
            self.marks.clear();
        }
    }

    /// The nearest start of the page of `list` that begins at `offset`, if any page of that list is remembered.
    pub(crate) fn start(&self, list: &str, offset: u32) -> Option<PageStart> {
        let of_list = self.marks.iter().filter(|mark| mark.list == list);
        let total = of_list.clone().next()?.total;
        let nearest = of_list.filter(|mark| mark.end <= offset).max_by_key(|mark| mark.end);
        Some(match nearest {
            Some(mark) => PageStart { total, after: mark.last, skipped: offset - mark.end },
            None => PageStart { total, after: ResourceKey::before_all(), skipped: offset },
        })
    }

    /// Remembers that `end` of the `total` resources of `list` are at `last` and before it.
    pub(crate) fn remember(&mut self, list: String, total: u32, end: u32, last: ResourceKey) {
        if self.marks.iter().any(|mark| mark.end == end && mark.list == list) {
            return;
        }
        if self.marks.len() == MARKS_MAX {
            self.marks.pop_front();
        }
        self.marks.push_back(Mark { list, total, end, last });
    }
}
