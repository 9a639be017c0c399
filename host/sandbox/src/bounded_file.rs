//! Reads a file that somebody names as far as a bound: a device or a pipe that never ends takes no more memory than that.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

/// The largest plugin or signature, in bytes: 64 MiB.
pub(crate) const PLUGIN_MAX: u64 = 64 << 20;

/// The bytes of a file that has at most `max` of them.
///
/// # Errors
///
/// What the system says; [`io::ErrorKind::FileTooLarge`] with the bound when there are more bytes.
pub fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    read_from(File::open(path)?, max)
}

/// The bytes that `source` has, which are at most `max`.
///
/// # Errors
///
/// As [`read`].
pub fn read_from(source: impl Read, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) <= max {
        return Ok(bytes);
    }
    let (bound, unit) = if max >= 1 << 20 { (max >> 20, "MiB") } else { (max, "bytes") };
    let message =
        format!("it has more than {bound} {unit}, and no more is read; is it the file that you mean?");
    Err(io::Error::new(io::ErrorKind::FileTooLarge, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_read_as_far_as_the_bound() {
        assert_eq!(read_from(&[7; 10][..], 10).unwrap(), [7; 10]);
        assert_eq!(read_from(&[7; 11][..], 10).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        let endless = read_from(io::repeat(0), 4 << 20).unwrap_err();
        assert!(endless.to_string().starts_with("it has more than 4 MiB"), "{endless}");
        assert_eq!(read_from(&[][..], 0).unwrap(), []);
    }
}
