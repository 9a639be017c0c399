//! Random bytes of the system's generator, as text.

/// Returns `BYTES` random bytes as lower-case hexadecimal digits.
///
/// # Errors
///
/// [`getrandom::Error`] when the system has no random bytes.
pub fn random_hex<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}
