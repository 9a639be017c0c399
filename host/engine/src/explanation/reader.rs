//! For whom an explanation is written. Knows no sentence.

use perennial_formats::language::Language;
use perennial_formats::time_zone::TimeZone;

/// For whom an explanation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The zone in which instants are written.
    pub zone: TimeZone,
    /// The language of the sentences.
    pub language: Language,
}
