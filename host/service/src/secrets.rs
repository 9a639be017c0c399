//! Encrypts secrets that the host must be able to read again, with a key that is not in the database.
//!
//! This module knows the encryption and the source of the key, not the use of the secrets. The database alone reveals
//! nothing and does not allow swapping secrets, because each is bound to its purpose.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use chacha20poly1305::KeyInit;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::Aead;
use chacha20poly1305::aead::Payload;

/// The environment variable with the key, 64 hexadecimal digits.
pub const KEY_VARIABLE: &str = "PERENNIAL_SECRETS_KEY";
/// The environment variable with the path of the key's file.
pub const KEY_FILE_VARIABLE: &str = "PERENNIAL_SECRETS_KEY_FILE";
/// The first byte of a sealed secret: the version of the format.
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 24;

/// Why secrets cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// No key is configured.
    #[error(
        "there is no key to keep secrets with; make one with `perennial key new-secrets-key FILE`, and name it in \
         {KEY_FILE_VARIABLE} or, in the configuration of `serve`, as `key_file` in [secrets]; what was kept before takes the key that it was kept with"
    )]
    NoKey,
    /// The file cannot be read or written.
    #[error("cannot use the secrets key `{path}`: {source}", path = path.display())]
    File {
        /// The file with the key.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A text is not a key.
    #[error("{origin} is no secrets key: a key is 64 hexadecimal digits")]
    NotAKey {
        /// The variable or file that the text is from.
        origin: String,
    },
    /// A secret was sealed with another key or for another purpose, or was changed.
    #[error("a secret cannot be read with this secrets key; was it kept with another one?")]
    WrongKey,
    /// The system has no random bits.
    #[error("the system has no random bits to give: {0}")]
    NoRandomBits(getrandom::Error),
}

/// Seals secrets and opens them again: XChaCha20-Poly1305 with the purpose as associated data.
#[derive(Clone)]
pub struct SecretBox(XChaCha20Poly1305);

impl fmt::Debug for SecretBox {
    /// Never the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBox")
    }
}

impl SecretBox {
    /// A box with this key.
    pub fn new(key: &[u8; 32]) -> SecretBox {
        SecretBox(XChaCha20Poly1305::new(key.into()))
    }

    /// A box with the key in `value`, else with the key in the file at `path`; `None` without either.
    ///
    /// # Errors
    ///
    /// [`SecretsError`] when the file cannot be read, or the text is not a key.
    pub fn load(value: Option<&str>, path: Option<&Path>) -> Result<Option<SecretBox>, SecretsError> {
        if let Some(value) = value {
            return read(value, || format!("`{KEY_VARIABLE}`")).map(Some);
        }
        let Some(path) = path else { return Ok(None) };
        let text = std::fs::read_to_string(path)
            .map_err(|source| SecretsError::File { path: path.to_owned(), source })?;
        read(&text, || format!("`{}`", path.display())).map(Some)
    }

    /// Seals `secret` for `purpose`.
    ///
    /// # Errors
    ///
    /// [`SecretsError::NoRandomBits`] when the system has none.
    pub fn seal(&self, secret: &[u8], purpose: &str) -> Result<Vec<u8>, SecretsError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(SecretsError::NoRandomBits)?;
        let payload = Payload { msg: secret, aad: purpose.as_bytes() };
        let sealed = self.0.encrypt(&nonce.into(), payload).expect("a secret is shorter than 256 GiB");
        Ok([&[FORMAT], nonce.as_slice(), &sealed].concat())
    }

    /// Opens a secret that was sealed for `purpose`.
    ///
    /// # Errors
    ///
    /// [`SecretsError::WrongKey`] when it was sealed with another key or for another purpose, or was changed.
    pub fn open(&self, sealed: &[u8], purpose: &str) -> Result<Vec<u8>, SecretsError> {
        let Some((&FORMAT, rest)) = sealed.split_first() else { return Err(SecretsError::WrongKey) };
        let Some((nonce, sealed)) = rest.split_first_chunk::<NONCE_BYTES>() else {
            return Err(SecretsError::WrongKey);
        };
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        self.0.decrypt(nonce.into(), payload).map_err(|_| SecretsError::WrongKey)
    }
}

fn read(text: &str, origin: impl FnOnce() -> String) -> Result<SecretBox, SecretsError> {
    key(text.trim()).map(|key| SecretBox::new(&key)).ok_or_else(|| SecretsError::NotAKey { origin: origin() })
}

fn key(digits: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()
    };
    let key = pairs.iter().map(byte).collect::<Option<Vec<_>>>()?;
    if rest.is_empty() { key.try_into().ok() } else { None }
}

/// A new key, as the text of its file.
///
/// # Errors
///
/// [`SecretsError::NoRandomBits`] when the system has none.
pub fn new_key() -> Result<String, SecretsError> {
    crate::random_hex::random_hex::<32>().map_err(SecretsError::NoRandomBits)
}

/// Creates a key in a new file that only its owner can read.
///
/// # Errors
///
/// [`SecretsError`] when the file exists or cannot be written whole; a part of one is removed.
pub fn write_new_key(path: &Path) -> Result<(), SecretsError> {
    use std::io::Write;

    let digits = new_key()?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        let written = writeln!(file, "{digits}").and_then(|()| file.sync_all());
        if written.is_err() {
            // The failure itself is what is reported.
            drop(std::fs::remove_file(path));
        }
        written
    });
    written.map_err(|source| SecretsError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_opened_with_its_key_and_for_its_purpose_only() {
        let secret_box = SecretBox::new(&[7; 32]);
        let sealed = secret_box.seal(b"hush", "AK1").unwrap();
        assert_eq!(secret_box.open(&sealed, "AK1").unwrap(), b"hush");
        assert!(!sealed.windows(4).any(|window| window == b"hush"));
        assert!(matches!(secret_box.open(&sealed, "AK2"), Err(SecretsError::WrongKey)));
        assert!(matches!(SecretBox::new(&[8; 32]).open(&sealed, "AK1"), Err(SecretsError::WrongKey)));
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(secret_box.open(&changed, "AK1").is_err(), "{index}");
            assert!(secret_box.open(&sealed[..index], "AK1").is_err(), "{index}");
        }
    }

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        let secret_box = SecretBox::new(&[7; 32]);
        assert_ne!(secret_box.seal(b"hush", "AK1").unwrap(), secret_box.seal(b"hush", "AK1").unwrap());
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        let good = "0123456789abcdefABCDEF0123456789".repeat(2);
        assert!(SecretBox::load(Some(&good), None).unwrap().is_some());
        assert!(SecretBox::load(None, None).unwrap().is_none());
        for wrong in ["", "00", &good[1..], &format!("{good}00"), &good.replace('a', "g")] {
            assert!(
                matches!(SecretBox::load(Some(wrong), None), Err(SecretsError::NotAKey { .. })),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_new_key_can_be_used_and_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.key");
        write_new_key(&path).unwrap();
        assert!(SecretBox::load(None, Some(&path)).unwrap().is_some());
        let before = std::fs::read(&path).unwrap();
        assert!(write_new_key(&path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
