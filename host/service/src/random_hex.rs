//! Random bytes of the system's own generator, as text.

/// `BYTES` random bytes as lower case hexadecimal digits.
///
/// # Errors
///
/// The system has no random bytes to give.
pub fn random_hex<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}
