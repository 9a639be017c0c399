//! What a plugin says before it crashes. It imports nothing, so it tells the host through the only thing it can ask for.
//!
//! A request for memory has 32 bits, and no memory has more than 65,536 pages. A request for 0xF1000000 pages or more is
//! therefore none: its highest byte, 0xF1 to 0xF3, says how many of the three below it belong to the message, from the
//! highest down. The host refuses it like any request that is too large, and keeps the bytes until the call ends.

#![allow(unsafe_code, reason = "a constructor stands in a section of the module")]

use std::fmt;
use std::fmt::Write;
use std::panic::PanicHookInfo;

/// What a message is cut off at, in bytes; the host keeps no more.
const BYTES_MAX: usize = 1_024;

/// The bindings run what stands in this section before a call.
#[used]
// SAFETY: the section holds functions without arguments and results, and this is one.
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = install;

extern "C" fn install() {
    std::panic::set_hook(Box::new(report));
}

fn report(panic: &PanicHookInfo<'_>) {
    let mut message = Message { part: [0; 3], length: 0, left: BYTES_MAX };
    // What does not fit is left out; that is no error of a program that is about to end.
    drop(write!(message, "{panic}"));
    message.send();
}

/// A message on its way to the host, three bytes at a time.
struct Message {
    part: [u8; 3],
    length: usize,
    left: usize,
}

impl Message {
    fn send(&mut self) {
        let Some(count @ 1..) = u8::try_from(self.length).ok() else { return };
        let [first, second, third] = self.part;
        let pages = u32::from_be_bytes([0xf0 | count, first, second, third]);
        // The answer is that there is no such memory.
        core::arch::wasm32::memory_grow::<0>(pages as usize);
        (self.part, self.length) = ([0; 3], 0);
    }
}

impl fmt::Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.part[self.length] = byte;
            self.length += 1;
            if self.length == self.part.len() {
                self.send();
            }
        }
        Ok(())
    }
}
