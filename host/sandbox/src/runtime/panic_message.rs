//! What a plugin says before it crashes, although it imports nothing: bytes in requests for memory that no memory has.
//!
//! A memory of WebAssembly has at most 65,536 pages. A request for 0xF1000000 pages or more is therefore none: its highest
//! byte, 0xF1 to 0xF3, says how many of the three below it belong to the message, from the highest down. It is refused
//! like any request that is too large, and the plugin goes on. The SDK's panic hook speaks so; a plugin with WASI writes to its
//! standard error instead, and one that does neither is known by the engine's words alone. Whatever is said is text for people, from somebody who is not trusted.

/// WebAssembly's unit of memory, in bytes.
const PAGE: usize = 65_536;
/// What is kept of a message, in bytes: enough for a place in the source and a sentence.
const BYTES_MAX: usize = 1_024;

/// The message so far.
#[derive(Debug, Default)]
pub(super) struct PanicMessage(Vec<u8>);

impl PanicMessage {
    /// Takes in a request to make a memory of `current` bytes one of `desired`; whether it was a part of a message.
    pub(super) fn receive(&mut self, current: usize, desired: usize) -> bool {
        let Ok(pages) = u32::try_from(desired.saturating_sub(current) / PAGE) else { return false };
        let [kind, bytes @ ..] = pages.to_be_bytes();
        let count = match kind {
            0xf1 => 1,
            0xf2 => 2,
            0xf3 => 3,
            _ => return false,
        };
        let room = BYTES_MAX.saturating_sub(self.0.len());
        self.0.extend(bytes.iter().take(count.min(room)));
        true
    }

    /// Takes in text of the standard error, of which the end is kept: languages say there what is wrong.
    pub(super) fn write(&mut self, text: &[u8]) {
        self.0.extend(&text[text.len().saturating_sub(BYTES_MAX)..]);
        let surplus = self.0.len().saturating_sub(BYTES_MAX);
        self.0.drain(..surplus);
    }

    /// The message as one line without anything that steers a terminal; `None` when nothing was said.
    pub(super) fn text(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.0);
        let sign = |sign: char| if sign.is_control() { char::REPLACEMENT_CHARACTER } else { sign };
        let words = text.split_whitespace().map(|word| word.chars().map(sign).collect::<String>());
        let text = words.collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(message: &mut PanicMessage, part: &[u8]) {
        let mut pages = [0xf0, 0, 0, 0];
        pages[0] |= u8::try_from(part.len()).unwrap();
        pages[1..=part.len()].copy_from_slice(part);
        let pages = usize::try_from(u32::from_be_bytes(pages)).unwrap();
        assert!(message.receive(3 * PAGE, (3 + pages) * PAGE));
    }

    #[test]
    fn a_message_is_read_as_it_was_sent() {
        let mut message = PanicMessage::default();
        assert_eq!(message.text(), None);
        for part in [b"at ".as_slice(), b"a.r", b"s:1", b":\n", b"no\x1b", b"!"] {
            say(&mut message, part);
        }
        assert_eq!(message.text().as_deref(), Some("at a.rs:1: no\u{fffd}!"));
    }

    #[test]
    fn only_what_no_memory_can_have_is_a_message() {
        let mut message = PanicMessage::default();
        for pages in [0, 1, 65_535, 65_536, 0xf0ff_ffff, 0xf400_0000, 0xffff_ffff, 0xf_f100_0000] {
            assert!(!message.receive(PAGE, PAGE + pages * PAGE), "{pages:x}");
        }
        assert_eq!(message.text(), None);
    }

    #[test]
    fn of_what_is_written_the_end_is_kept() {
        let mut message = PanicMessage::default();
        message.write(&[b'x'; 3_000]);
        message.write(b"\nTraceback:\n  ValueError: 7\n");
        let text = message.text().unwrap();
        assert!(text.starts_with("xxx") && text.ends_with("xxx Traceback: ValueError: 7"), "{text}");
        assert!(text.len() <= BYTES_MAX);
    }

    #[test]
    fn a_plugin_that_does_not_stop_talking_is_cut_off() {
        let mut message = PanicMessage::default();
        for _ in 0..100_000 {
            say(&mut message, "夜".as_bytes());
        }
        assert!(message.text().unwrap().len() <= BYTES_MAX + 2);
    }
}
