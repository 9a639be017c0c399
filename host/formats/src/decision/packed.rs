//! Requests and responses as the database keeps them: compressed, because nearly all of their bytes are the same words.
//!
//! What is packed says how: a format, the length of the text, an LZ4 block whose dictionary are the words that most decisions
//! have, and a checksum: a block of which one byte was changed may well be another way to write the same text. Formats are numbered, and none is ever changed: what was packed once can always be unpacked.

use lz4_flex::block::compress_with_dict;
use lz4_flex::block::decompress_with_dict;

/// The dictionary of the format [`LZ4`].
const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");
/// An LZ4 block with the dictionary above.
const LZ4: u8 = 1;
/// The format and the length of the text, which stand before the block.
const HEAD_BYTES: usize = 5;
/// The checksum of all that stands before it.
const CHECKSUM_BYTES: usize = 4;
/// The longest text that is unpacked, in bytes: many times the longest. Only what is damaged says more.
const TEXT_MAX_BYTES: u32 = 64 << 20;

/// Why something that was packed cannot be unpacked: it is damaged, or from a later version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// It has no format that this version knows.
    #[error("it is in no format that this version knows")]
    UnknownFormat,
    /// It is not what was packed.
    #[error("{0}")]
    Damaged(String),
}

/// Packs a text.
pub fn pack(text: &str) -> Vec<u8> {
    let block = compress_with_dict(text.as_bytes(), DICTIONARY);
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut packed = Vec::with_capacity(HEAD_BYTES + block.len() + CHECKSUM_BYTES);
    packed.push(LZ4);
    packed.extend(length.to_le_bytes());
    packed.extend(block);
    packed.extend(checksum(&packed).to_le_bytes());
    packed
}

/// Unpacks what [`pack`] packed.
///
/// # Errors
///
/// [`UnpackError`] when it is damaged, or from a later version.
pub fn unpack(packed: &[u8]) -> Result<String, UnpackError> {
    let damaged = |why: &str| UnpackError::Damaged(why.to_owned());
    match packed.first() {
        None => return Err(damaged("it is empty")),
        Some(&format) if format != LZ4 => return Err(UnpackError::UnknownFormat),
        Some(_) => {}
    }
    let (content, sum) = packed.split_last_chunk().ok_or_else(|| damaged("it ends early"))?;
    if checksum(content) != u32::from_le_bytes(*sum) {
        return Err(damaged("its checksum is that of other bytes"));
    }
    let (length, block) = content[1..].split_first_chunk().ok_or_else(|| damaged("it ends early"))?;
    let length = u32::from_le_bytes(*length);
    if length > TEXT_MAX_BYTES {
        return Err(UnpackError::Damaged(format!("it says that it has {length} bytes")));
    }
    let bytes = usize::try_from(length).unwrap_or(usize::MAX);
    let text = decompress_with_dict(block, bytes, DICTIONARY)
        .map_err(|error| UnpackError::Damaged(error.to_string()))?;
    if text.len() != bytes {
        return Err(UnpackError::Damaged(format!(
            "it has {} bytes and says that it has {length}",
            text.len()
        )));
    }
    String::from_utf8(text).map_err(|_| damaged("it is no text"))
}

/// FNV-1a: every step can be undone, so bytes of which one is another have another sum.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REQUEST: &str = r#"{"at":"2026-02-20T19:00:00Z","account":"acme-hw","settings":{"site":"intl"},"command":{"renew":{"term":null}},"member":0,"bundle":[],"orders":[]}"#;

    #[test]
    fn a_request_takes_a_fraction_of_its_text() {
        let packed = pack(REQUEST);
        assert!(packed.len() * 2 < REQUEST.len(), "{} of {} bytes", packed.len(), REQUEST.len());
        assert_eq!(unpack(&packed).unwrap(), REQUEST);
    }

    #[test]
    fn what_was_packed_with_the_first_dictionary_is_unpacked_for_ever() {
        assert_eq!(unpack(&hex_bytes(PACKED)).unwrap(), REQUEST);
    }

    /// [`REQUEST`], packed with the first dictionary.
    const PACKED: &str = "01910000000f9403156061636d652d684a02079b03043e06014c06007b030fa8030a0f8c030505910050223a5b5d7da9ace976";

    fn hex_bytes(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn what_is_damaged_is_said_to_be_and_nothing_panics() {
        let packed = pack(REQUEST);
        assert_eq!(unpack(&[]), Err(UnpackError::Damaged("it is empty".to_owned())));
        assert_eq!(unpack(&packed[..3]), Err(UnpackError::Damaged("it ends early".to_owned())));
        assert_eq!(unpack(&[9, 0]), Err(UnpackError::UnknownFormat));
        let mut long = vec![LZ4, 255, 255, 255, 255];
        long.extend(checksum(&long).to_le_bytes());
        let said = UnpackError::Damaged("it says that it has 4294967295 bytes".to_owned());
        assert_eq!(unpack(&long), Err(said));
        for place in 0..packed.len() {
            for bit in 0..8 {
                let mut changed = packed.clone();
                changed[place] ^= 1 << bit;
                assert!(unpack(&changed).is_err(), "bit {bit} of byte {place}");
            }
        }
        for length in 0..packed.len() {
            assert!(unpack(&packed[..length]).is_err(), "the first {length} bytes");
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in ".{0,400}") {
            prop_assert_eq!(unpack(&pack(&text)).unwrap(), text);
        }

        #[test]
        fn any_bytes_are_unpacked_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut packed = [&[LZ4, 200, 0, 0, 0], &bytes[..]].concat();
            packed.extend(checksum(&packed).to_le_bytes());
            drop(unpack(&packed));
        }
    }
}
