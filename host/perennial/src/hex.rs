//! Hexadecimal digits, in lower case: of what was computed, and of random bits.

/// Two digits for each byte.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digits of `BYTES` bytes of the system's own generator.
///
/// # Errors
///
/// What the system says when it has no random bits to give.
pub(crate) fn random<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(encode(&bytes))
}
