//! What a script notes while it rules on one plan: as much as is kept, and how much more there was.

use crate::limits::NOTES_MAX;
use crate::limits::NOTES_MAX_BYTES;
use crate::limits::REASON_MAX_BYTES;

/// What stands at the end of a text that was longer.
const SHORTENED: &str = " … (shortened)";

/// The notes of one ruling.
#[derive(Debug, Default)]
pub struct Notes {
    texts: Vec<String>,
    bytes: usize,
    dropped: usize,
}

impl Notes {
    /// Notes `text`, if there is room; a ruling never fails over its notes.
    pub(crate) fn add(&mut self, text: &str) {
        let text = shortened(text);
        let has_room = self.texts.len() < NOTES_MAX && self.bytes + text.len() <= NOTES_MAX_BYTES;
        if self.dropped > 0 || !has_room {
            self.dropped += 1;
            return;
        }
        self.bytes += text.len();
        self.texts.push(text);
    }

    /// All that are kept, and last how many are not.
    pub(crate) fn into_texts(mut self) -> Vec<String> {
        match self.dropped {
            0 => {}
            1 => self.texts.push("1 more note is not kept".to_owned()),
            more => self.texts.push(format!("{more} more notes are not kept")),
        }
        self.texts
    }
}

/// A reason or a note, as long as one may be.
pub fn shortened(text: &str) -> String {
    if text.len() <= REASON_MAX_BYTES {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(REASON_MAX_BYTES - SHORTENED.len());
    format!("{}{SHORTENED}", &text[..end])
}
